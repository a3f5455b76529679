"""What a person at the command line sees of kept breakers, and how an order reaches an agent, running or not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from smc_trading_agent.domain.breaker import BreakerAnswer, BreakerOrder, ScopeLevel
from smc_trading_agent.domain.clock import Clock, monotonic_ns
from smc_trading_agent.domain.errors import NotFound
from smc_trading_agent.domain.ids import content_id
from smc_trading_agent.domain.reasons import PUBLIC_BREAKER_WORD, BreakerState, severity
from smc_trading_agent.domain.types import BreakerChange, OrderEvent
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.runtime.explanation import journals_under
from smc_trading_agent.runtime.kill_switch import ANSWER, KILL_FILE, REQUEST, REQUESTS, write_whole

POLL_S = 0.02
NS = 1_000_000_000


class KeptBreaker(msgspec.Struct, frozen=True):
    """The breaker of a kept account, by its journal: the state that counts, each scope's, and why it is there.

    ``kill_files`` are those that are there; ``waiting`` counts orders that no agent has answered yet.
    """

    account: str
    state: BreakerState
    public: str
    scopes: dict[str, BreakerState]
    last: BreakerChange | None
    open_orders: tuple[str, ...]
    kill_files: tuple[str, ...]
    waiting: int


def accounts_under(root: Path, named: str | None) -> list[Path]:
    """Folders of the accounts kept below ``root``, or the one of that name. Raises `NotFound` where there is none."""
    folders = [file.parent for file in journals_under(root)]
    found = [folder for folder in folders if named is None or folder.name == named]
    if not found:
        known = ", ".join(folder.name for folder in folders) or "none"
        wanted = "no account" if named is None else f"no account {named!r}"
        raise NotFound(f"{wanted} is kept in {root} (there: {known}); run the agent first, or name another --state-dir")
    return found


def the_account(root: Path, named: str | None) -> Path:
    """The one account that is meant; `NotFound` where it can't be told which."""
    found = accounts_under(root, named)
    if len(found) > 1:
        raise NotFound(f"{root} keeps {', '.join(folder.name for folder in found)}; say which with --account")
    return found[0]


def kept_breaker(folder: Path) -> KeptBreaker:
    """The breaker of one account as its journal has it, also while an agent runs on it."""
    with SqliteJournal(folder / "journal.db") as journal:
        changes = [msgspec.json.decode(f.payload, type=BreakerChange) for f in journal.facts(kind="breaker")]
        events = [msgspec.json.decode(f.payload, type=OrderEvent) for f in journal.facts(kind="order_event")]
    scopes = {change.scope: change.after for change in changes}
    if not any(scope.startswith(ScopeLevel.ACCOUNT.value) for scope in scopes):
        scopes[ScopeLevel.ACCOUNT.value] = BreakerState.STARTING
    state = max(scopes.values(), key=severity)
    states = {event.client_order_id: event.state for event in events}
    return KeptBreaker(
        account=folder.name,
        state=state,
        public=PUBLIC_BREAKER_WORD[state],
        scopes=scopes,
        last=changes[-1] if changes else None,
        open_orders=tuple(key for key, at in states.items() if at in WORKING),
        kill_files=tuple(str(file) for file in kill_files_of(folder) if file.exists()),
        waiting=len(list((folder / REQUESTS).glob(f"*{REQUEST}"))),
    )


WORKING = frozenset({"sending", "open", "partial", "pending_cancel", "unknown"})


def kill_files_of(folder: Path) -> tuple[Path, Path]:
    """The files whose presence kills an account: that of all accounts, and its own."""
    return folder.parent / KILL_FILE, folder / KILL_FILE


def send(folder: Path, order: BreakerOrder, clock: Clock) -> Path:
    """Leaves an order for the agent of an account, which takes it at its next bar, or at its next start."""
    now = clock.now()
    name = f"{now}-{content_id('b', now, order)}"
    file = folder / REQUESTS / f"{name}{REQUEST}"
    write_whole(file, order)
    return file


def answer_to(request: Path, patience_s: float) -> BreakerAnswer | None:
    """What the agent answered, None where it has not within ``patience_s``; the order then stays for it."""
    file = request.with_suffix(ANSWER)
    if not _within(patience_s, file.exists):
        return None
    answer = msgspec.json.decode(file.read_bytes(), type=BreakerAnswer)
    file.unlink(missing_ok=True)
    return answer


def kill(root: Path, folders: Sequence[Path], order: BreakerOrder) -> list[Path]:
    """Writes the kill file: one for all where the scope is global and no account is named, else the accounts' own."""
    files = [folder / KILL_FILE for folder in folders] or [root / KILL_FILE]
    for file in files:
        write_whole(file, order)
    return files


def killed_within(folders: Sequence[Path], patience_s: float) -> bool:
    """Waits until the journals of these accounts hold the kill; False where one does not in time."""
    return _within(
        patience_s, lambda: all(kept_breaker(folder).state is BreakerState.KILLED for folder in folders), 5 * POLL_S
    )


def _within(patience_s: float, holds: Callable[[], bool], pause_s: float = POLL_S) -> bool:
    began, pause = monotonic_ns(), threading.Event()
    while not holds():
        if monotonic_ns() - began >= patience_s * NS:
            return False
        pause.wait(pause_s)
    return True

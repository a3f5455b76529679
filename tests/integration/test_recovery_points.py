"""Killed at a write, all over the run: whatever had reached the disk, the account goes on to the same end.

The process is killed in memory, right before or right after each commit of the journal, each save of the venue's
ledger and each checkpoint, and before facts that are never committed. `test_recovery.py` kills real processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from smc_trading_agent.domain.types import VenueReport
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.persistence.venue_store import SqliteVenueStore
from smc_trading_agent.runtime.assembly import Market
from smc_trading_agent.runtime.history import orders_hash
from smc_trading_agent.runtime.runner import TRIGGER_CYCLE
from tests.accounts import Account, Killed
from tests.runs import decoded, eager, run_whole, synthetic

BARS = 3_000
SETTINGS = eager(checkpoint_bars=700, min_reward_risk=0.3)
"""With this seed: five entries, one of them expired; two targets, a stop, an exit by time, protection cancelled."""

EVERY = 3
"""One moment in so many is tried; 1 tries all, in a minute or so. The pattern of writes is longer than this."""


def market() -> Market:
    return synthetic(BARS, seed=61)


class Fuse:
    """Burns down with each write; at zero the process is gone."""

    left = -1
    written = 0

    @classmethod
    def burn(cls) -> None:
        cls.written += 1
        cls.left -= 1
        if cls.left == 0:
            raise Killed


class MortalJournal(SqliteJournal):
    def append(self, *arguments: Any) -> None:
        if not self.replaying:
            Fuse.burn()
        super().append(*arguments)

    def commit(self) -> None:
        if not self._in_transaction:
            return
        Fuse.burn()
        super().commit()
        Fuse.burn()

    def save_checkpoint(self, cursor: int, state: bytes) -> None:
        Fuse.burn()
        super().save_checkpoint(cursor, state)
        Fuse.burn()


class MortalStore(SqliteVenueStore):
    def save(self, snapshot: bytes, reports: Sequence[VenueReport], known_at: int = 0, call: str = "") -> None:
        Fuse.burn()
        super().save(snapshot, reports, known_at, call)
        Fuse.burn()


def account_in(folder: Path) -> Account:
    folder.mkdir()
    return Account(folder, market, SETTINGS, MortalJournal, MortalStore)


@pytest.fixture(autouse=True)
def _no_fuse_burns_on() -> Iterator[None]:
    Fuse.left, Fuse.written = -1, 0
    yield
    Fuse.left = -1


@pytest.fixture(scope="module")
def writes(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many moments there are at which the undisturbed run can be killed."""
    Fuse.left, Fuse.written = -1, 0
    account = account_in(tmp_path_factory.mktemp("whole") / "account")
    account.process().run()
    account.close()
    return Fuse.written


def run_killed_at(account: Account, moment: int) -> None:
    Fuse.left = moment
    process = account.process()
    try:
        process.run()
    except Killed:
        process.kill()
    else:
        raise AssertionError(f"the run ended before moment {moment}")
    Fuse.left = -1


def test_killed_once_anywhere(tmp_path: Path, writes: int) -> None:
    whole = run_whole(market(), SETTINGS)
    assert {told["event"] for told in decoded(whole, "order_event")} >= {"expire", "cancel_request", "fill_complete"}
    assert writes > 100
    for moment in range(1, writes + 1, EVERY):
        account = account_in(tmp_path / str(moment))
        run_killed_at(account, moment)
        process = account.process()
        process.run()
        found = (process.journal.head_hash, process.journal.length, process.runner.differences)
        assert found == (whole.journal.head_hash, whole.journal.length, ()), f"killed at moment {moment}"
        assert process.assembly.venue.position == process.assembly.engine.account(1).position
        account.close()


@pytest.mark.parametrize("stride", [7, 11, 23])
def test_killed_again_and_again(tmp_path: Path, writes: int, stride: int) -> None:
    """Each process writes ``stride`` times and is killed; progress must come of it all the same."""
    whole = run_whole(market(), SETTINGS)
    account = account_in(tmp_path / "account")
    lives = 0
    while True:
        Fuse.left = stride + 2
        process = account.process()
        lives += 1
        assert lives < 4 * writes, "no progress"
        try:
            process.run()
            break
        except Killed:
            process.kill()
    Fuse.left = -1
    assert lives > 5
    assert process.journal.head_hash == whole.journal.head_hash
    assert orders_hash(process.journal) == orders_hash(whole.journal)
    assert process.assembly.venue.position == process.assembly.engine.account(1).position
    assert process.assembly.venue.open_orders() == whole.venue.open_orders()
    account.close()


def test_killed_while_a_command_is_carried_out(tmp_path: Path) -> None:
    def run(account: Account, moment: int) -> None:
        """Asks for a cycle after the first decision; ``moment`` counts from there."""
        process = account.process()

        def ask(_: int) -> None:
            if decoded(process.assembly, "decision") and not decoded(process.assembly, "command"):
                process.runner.ask(TRIGGER_CYCLE, "test")
                Fuse.left = moment

        process.after_batch = ask
        try:
            process.run(lambda: process.runner.cursor >= 1_400)
        except Killed:
            process.kill()
        Fuse.left = -1

    undisturbed = account_in(tmp_path / "whole")
    run(undisturbed, -1)
    whole = undisturbed.process()
    assert len(decoded(whole.assembly, "command")) == 1
    heads = set()
    for moment in range(1, 12):
        account = account_in(tmp_path / str(moment))
        run(account, moment)
        process = account.process()
        given = len(decoded(process.assembly, "command"))
        process.run(lambda process=process: process.runner.cursor >= 1_400)  # type: ignore[misc]
        assert process.runner.differences == ()
        if given:
            assert process.journal.head_hash == whole.journal.head_hash
        heads.add(given)
        account.close()
    assert heads == {0, 1}
    undisturbed.close()

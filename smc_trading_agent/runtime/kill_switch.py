"""The kill switch and what else a person asks from outside the process: files, watched by a thread of their own.

The thread needs neither the event loop, nor the trading thread, nor any service. A kill file (`state/KILL` for all
accounts, `KILL` in an account's folder for that one) sets the latch, which every send looks at, and cancels our open
orders at the venue at once; the trading thread journals the kill when it comes to its next step, and books what was
cancelled. Orders to the breaker are files in the account's `requests` folder; each is answered beside it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import msgspec

from smc_trading_agent.domain.breaker import BreakerAction, BreakerAnswer, BreakerOrder, KillReport, ScopeLevel
from smc_trading_agent.runtime.assembly import Assembly

log = logging.getLogger("smc_trading_agent")
KILL_FILE = "KILL"
REQUESTS = "requests"
REQUEST, ANSWER, UNREADABLE = ".json", ".answer", ".unreadable"
POLL_S = 0.02
"""How often files are looked for; a kill file takes effect within this and the time of a few calls."""


def read_kill_file(path: Path) -> BreakerOrder | None:
    """What a kill file says; None where there is none. One that can't be read is a kill of everything."""
    if not path.exists():
        return None
    try:
        order = msgspec.json.decode(path.read_bytes(), type=BreakerOrder)
    except (OSError, msgspec.MsgspecError):
        return BreakerOrder(BreakerAction.KILL, ScopeLevel.GLOBAL.value, f"file {path.name}", f"{path} is there")
    return msgspec.structs.replace(order, action=BreakerAction.KILL)


def write_whole(path: Path, content: msgspec.Struct) -> None:
    """Writes a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(msgspec.json.encode(content))
    part.replace(path)


class KillSwitch:
    """The latch of one agent, and the thread that watches the files."""

    def __init__(
        self,
        assembly: Assembly,
        files: Sequence[Path],
        requests: Path,
        ask: Callable[[BreakerOrder], Future[BreakerAnswer]],
    ) -> None:
        self._assembly = assembly
        self._files = tuple(files)
        self._requests = requests
        self._ask = ask
        self._asked: dict[Path, Future[BreakerAnswer]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="kill switch", daemon=True)

    def start(self) -> None:
        """Looks once, before anything is traded, and goes on watching."""
        self._look_on()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; what has been answered by then is written down."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._answer()

    def kill(self, order: BreakerOrder) -> KillReport:
        """Forbids everything new, and cancels our orders at the venue but those that protect a position.

        Safe from any thread, and again. Before the past has been gone through there is nothing to cancel yet.
        """
        assembly, latch = self._assembly, self._assembly.latch
        first = latch.engage(order)
        engine, venue = assembly.engine, assembly.venue
        cancelled: list[str] = []
        if latch.live and not latch.taken:
            cancelled, _ = venue.cancel_all(engine.to_kill(), assembly.clock.now())
        open_orders = set(venue.open_orders())
        return KillReport(first, tuple(cancelled), tuple(key for key in engine.working_orders() if key in open_orders))

    def present(self) -> Path | None:
        """A kill file that is there, None where there is none."""
        return next((file for file in self._files if file.exists()), None)

    def _watch(self) -> None:
        while not self._stopping.wait(POLL_S):
            self._look_on()

    def _look_on(self) -> None:
        try:
            self._look()
        except Exception:  # the thread must outlive whatever a file system or a venue does
            log.exception("the kill switch could not look at its files, and goes on")

    def _look(self) -> None:
        latch = self._assembly.latch
        orders = [order for file in self._files if (order := read_kill_file(file)) is not None]
        if orders and not latch.taken:
            report = self.kill(orders[0])
            if report.first:
                log.critical("killed by %s: %s; open: %s", orders[0].actor, orders[0].reason, report.open_orders)
        self._take_requests()
        self._answer()

    def _take_requests(self) -> None:
        if not self._requests.is_dir():
            return
        for file in sorted(self._requests.glob(f"*{REQUEST}")):
            if file in self._asked:
                continue
            try:
                order = msgspec.json.decode(file.read_bytes(), type=BreakerOrder)
            except (OSError, msgspec.MsgspecError) as error:
                log.warning("%s is no order to the breaker: %s", file, error)
                file.replace(file.with_suffix(UNREADABLE))
                continue
            self._asked[file] = self._ask(msgspec.structs.replace(order, request=file.stem))

    def _answer(self) -> None:
        for file, future in list(self._asked.items()):
            if future.done():
                write_whole(file.with_suffix(ANSWER), future.result())
                file.unlink(missing_ok=True)
                del self._asked[file]

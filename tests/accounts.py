"""A paper account on disk, and the processes that hold it one after another; some end without a last word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.persistence.venue_store import SqliteVenueStore
from smc_trading_agent.runtime.assembly import Assembly, Market, assemble
from smc_trading_agent.runtime.runner import Runner
from tests.runs import eager


class Killed(BaseException):
    """The process is gone, as by kill -9: no handler of an `Exception` runs, nothing more is written."""


class Process:
    """An assembly over the account's files, as the process that opened them has it."""

    def __init__(self, market: Market, settings: Settings, journal: SqliteJournal, store: SqliteVenueStore) -> None:
        self.journal, self.store = journal, store
        self.assembly: Assembly = assemble(market, settings, journal, store, [])
        self.after_batch: Callable[[int], None] = lambda _: None
        self.runner = Runner(self.assembly, lambda cursor: self.after_batch(cursor))

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Recovers and runs until ``until`` says stop, or the market ends."""
        self.runner.recover()
        self.runner.run(until)

    def run_and_be_killed(self, when: Callable[[], bool]) -> None:
        """Recovers and runs until ``when``, and is killed there."""

        def strike(_: int) -> None:
            if when():
                raise Killed

        self.after_batch = strike
        try:
            self.run()
        except Killed:
            self.kill()
        else:
            raise AssertionError("the market ended before the process was killed")

    def kill(self) -> None:
        """What was not committed is lost."""
        self.journal._db.close()
        self.store._db.close()

    def end(self) -> None:
        """An orderly end."""
        self.journal.close()
        self.store.close()


class Account:
    """A journal and a venue's ledger in a folder."""

    def __init__(
        self,
        folder: Path,
        market: Callable[[], Market],
        settings: Settings | None = None,
        journal_class: type[SqliteJournal] = SqliteJournal,
        store_class: type[SqliteVenueStore] = SqliteVenueStore,
    ) -> None:
        self.folder, self.market, self.settings = folder, market, settings or eager()
        self._journal_class, self._store_class = journal_class, store_class
        self._last: Process | None = None

    def process(self, market: Market | None = None, settings: Settings | None = None) -> Process:
        """A new process, not yet recovered; the one before it has ended."""
        self.close()
        journal = self._journal_class(self.folder / "journal.db")
        store = self._store_class(self.folder / "venue.db")
        self._last = Process(market or self.market(), settings or self.settings, journal, store)
        return self._last

    def lose(self, name: str) -> None:
        """A file of the account goes missing."""
        self.close()
        for file in self.folder.glob(f"{name}*"):
            file.unlink()

    def close(self) -> None:
        """Ends the newest process, if it was not killed."""
        if self._last is not None:
            try:
                self._last.end()
            except Exception:  # noqa: BLE001  a killed process has closed its files already
                self._last.kill()
        self._last = None

"""Where a paper account lives on disk: one folder a market, one process a folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from smc_trading_agent.domain.errors import StateConflict
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.persistence.venue_store import SqliteVenueStore

JOURNAL_FILE = "journal.db"
VENUE_FILE = "venue.db"
LOCK_FILE = "lock"


class StateDir:
    """An account's folder, locked against a second process while it is open."""

    def __init__(self, root: Path, market: str, durable: bool, fresh: bool = False) -> None:
        """Raises `StateConflict` when another process holds the folder, or it can't be written."""
        self.path = root / folder_name(market)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.path / LOCK_FILE)
        except OSError as error:
            raise StateConflict(
                f"{self.path} can't be written ({error.strerror}); choose another --state-dir"
            ) from error
        with ExitStack() as opened:
            opened.enter_context(self._lock)
            if fresh:
                self._clear()
            self.journal = opened.enter_context(SqliteJournal(self.path / JOURNAL_FILE, durable))
            self.venue_store = SqliteVenueStore(self.path / VENUE_FILE, durable)
            opened.pop_all()

    def close(self) -> None:
        """Closes the files and lets go of the folder."""
        self.journal.close()
        self.venue_store.close()
        self._lock.close()

    def _clear(self) -> None:
        """The old account is kept aside until the next --fresh, never deleted in place."""
        aside = self.path / "previous"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for name in (JOURNAL_FILE, VENUE_FILE):
            for file in self.path.glob(f"{name}*"):
                file.rename(aside / file.name)


def folder_name(market: str) -> str:
    """A readable folder name that is different for different markets."""
    digest = hashlib.blake2b(market.encode(), digest_size=4).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', market).strip('-')[:48]}-{digest}".lower()


def _lock(path: Path) -> TextIO:
    handle = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        handle.close()
        raise StateConflict(
            f"{path.parent} is in use by process {holder}; stop that one, or give this one another --state-dir"
        ) from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle

"""Opening a SQLite file the same way everywhere: WAL, a stated durability, a schema version, errors with a type."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smc_trading_agent.domain.errors import JournalError

MEMORY = ":memory:"
SWITCHES = 20


def open_database(path: Path | str, schema: str, version: int, durable: bool) -> sqlite3.Connection:
    """Opens or creates the file with ``schema``; raises `JournalError` when it is of another version or damaged.

    ``durable`` flushes to the disk at each commit (power-loss grade); else a commit survives the death of
    the process, not of the machine.
    """
    with named_damage(path):
        connection = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            _prepare(connection, path, schema, version, durable)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def named_damage(path: Path | str) -> Iterator[None]:
    """Turns what SQLite says of an unreadable file into a `JournalError` that names it."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} can't be used as a database ({error}); move it away or restore a copy") from error


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switches to WAL. SQLite doesn't wait where another process is switching the same new file: wait for its lock."""
    for _ in range(SWITCHES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")


def _prepare(connection: sqlite3.Connection, path: Path | str, schema: str, version: int, durable: bool) -> None:
    _use_wal(connection)
    connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found == 0:
        connection.executescript(f"BEGIN; {schema}; PRAGMA user_version={version}; COMMIT;")
    elif found != version:
        raise JournalError(
            f"{path} has schema version {found}, this build reads {version}; "
            "use the build that wrote it, or start with another --state-dir"
        )

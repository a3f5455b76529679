"""The paper venue's ledger in its own SQLite file: it outlives the agent, as a real venue does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from smc_trading_agent.domain.types import VenueReport
from smc_trading_agent.persistence.database import MEMORY, named_damage, open_database

VERSION = 1
SCHEMA = """
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), snapshot BLOB NOT NULL);
CREATE TABLE call (key TEXT PRIMARY KEY, answer BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE report (
    sequence INTEGER PRIMARY KEY, known_at INTEGER NOT NULL, client_order_id TEXT NOT NULL, report BLOB NOT NULL
);
CREATE INDEX report_known_at ON report (known_at);
CREATE INDEX report_order ON report (client_order_id)"""

_reports = msgspec.msgpack.Decoder(list[VenueReport])
_report = msgspec.msgpack.Decoder(VenueReport)


class SqliteVenueStore:
    """What the paper venue answered and what the market did to its orders."""

    def __init__(self, path: Path | str = MEMORY, durable: bool = False) -> None:
        self._path = str(path)
        self._db = open_database(path, SCHEMA, VERSION, durable)

    def load(self) -> bytes | None:
        """The venue's newest state, None before the first save."""
        row = self._db.execute("SELECT snapshot FROM state WHERE id = 1").fetchone()
        return None if row is None else bytes(row[0])

    def answer(self, key: str) -> list[VenueReport] | None:
        """What the call ``key`` was answered, None when it was never made."""
        row = self._db.execute("SELECT answer FROM call WHERE key = ?", (key,)).fetchone()
        return None if row is None else _reports.decode(row[0])

    def market_reports(self, after: int, until: int) -> list[VenueReport]:
        """Reports that became known with ``after < known_at <= until``, in order."""
        rows = self._db.execute(
            "SELECT report FROM report WHERE known_at > ? AND known_at <= ? ORDER BY sequence", (after, until)
        )
        return [_report.decode(row[0]) for row in rows]

    def order_reports(self, client_order_id: str) -> list[VenueReport]:
        """All reports of one order, in order."""
        query = "SELECT report FROM report WHERE client_order_id = ? ORDER BY sequence"
        return [_report.decode(row[0]) for row in self._db.execute(query, (client_order_id,))]

    def save(self, snapshot: bytes, reports: Sequence[VenueReport], known_at: int = 0, call: str = "") -> None:
        """Keeps state and reports in one transaction; see `smc_trading_agent.domain.ports.VenueStore`."""
        answer = msgspec.msgpack.encode(list(reports))
        rows = [(r.sequence, known_at, r.client_order_id, msgspec.msgpack.encode(r)) for r in reports]
        with named_damage(self._path), self._db:  # the connection rolls back what raises
            self._db.execute("BEGIN IMMEDIATE")
            if call:
                self._db.execute("INSERT OR IGNORE INTO call VALUES (?, ?)", (call, answer))
            self._db.executemany("INSERT OR IGNORE INTO report VALUES (?, ?, ?, ?)", rows)
            self._db.execute("INSERT OR REPLACE INTO state VALUES (1, ?)", (snapshot,))

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

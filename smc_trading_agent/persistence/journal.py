"""The journal: every fact in order, chained by hash, written before it takes effect.

After a crash the agent resumes from a checkpoint and runs the same market again. Until it reaches the end
of what was recorded, each fact that it produces is compared with the recorded one and not written twice:
a difference stops it with `JournalDivergence`. So recovery proves itself, and restarting twice adds nothing.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

import msgspec

from smc_trading_agent.domain.errors import JournalDivergence, JournalError
from smc_trading_agent.persistence.database import MEMORY, named_damage, open_database

VERSION = 1
SCHEMA = """
CREATE TABLE fact (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, time INTEGER NOT NULL,
    ref TEXT NOT NULL, payload BLOB NOT NULL, hash BLOB NOT NULL
);
CREATE INDEX fact_ref ON fact (ref) WHERE ref <> '';
CREATE INDEX fact_kind ON fact (kind, seq);
CREATE TABLE checkpoint (
    length INTEGER PRIMARY KEY, cursor INTEGER NOT NULL, head BLOB NOT NULL, state BLOB NOT NULL
)"""
QUERIES = {
    (False, False): "SELECT seq, kind, time, ref, payload FROM fact WHERE seq > ? ORDER BY seq",
    (True, False): "SELECT seq, kind, time, ref, payload FROM fact WHERE seq > ? AND kind = ? ORDER BY seq",
    (False, True): "SELECT seq, kind, time, ref, payload FROM fact WHERE seq > ? AND ref = ? ORDER BY seq",
    (True, True): "SELECT seq, kind, time, ref, payload FROM fact WHERE seq > ? AND kind = ? AND ref = ? ORDER BY seq",
}
GENESIS = hashlib.blake2b(b"smc journal", digest_size=16).digest()

_encoder = msgspec.json.Encoder(order="deterministic")


class Fact(NamedTuple):
    """One recorded fact; ``payload`` is the JSON text of the struct that was appended."""

    seq: int
    kind: str
    time: int
    ref: str
    payload: bytes


class Checkpoint(NamedTuple):
    """The whole state of the agent after ``cursor`` base bars and ``length`` facts."""

    cursor: int
    length: int
    state: bytes


class SqliteJournal:
    """A hash-chained journal in one SQLite file, or in memory for a backtest."""

    def __init__(self, path: Path | str = MEMORY, durable: bool = False) -> None:
        self.path = str(path)
        self._db = open_database(path, SCHEMA, VERSION, durable)
        try:
            self._recorded, self._head = self._tail()
        except BaseException:
            self._db.close()
            raise
        self._length = self._recorded
        self._in_transaction = False

    @property
    def length(self) -> int:
        """Number of facts up to the present position."""
        return self._length

    @property
    def head_hash(self) -> str:
        """Hash over every fact up to the present position, as hex."""
        return self._head.hex()

    @property
    def replaying(self) -> bool:
        """Whether facts are compared with recorded ones rather than added."""
        return self._length < self._recorded

    def append(self, kind: str, time: int, fact: msgspec.Struct, ref: str = "") -> None:
        """Adds a fact; while replaying, checks that it equals the recorded one instead.

        Raises `JournalDivergence` where the replay differs, `JournalError` when the file can't be written.
        """
        payload = _encoder.encode(fact)
        head = _chain(self._head, kind, time, ref, payload)
        if self._length < self._recorded:
            self._compare(kind, time, payload, head)
        else:
            self._insert((self._length + 1, kind, time, ref, payload, head))
        self._length += 1
        self._head = head

    def commit(self) -> None:
        """Hands everything appended to the operating system, or to the disk in the power-loss grade."""
        if self._in_transaction:
            try:
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise JournalError(f"the journal {self.path} could not be committed: {error}; trading stops") from error
            self._in_transaction = False

    def save_checkpoint(self, cursor: int, state: bytes) -> None:
        """Keeps the whole state as of now; the two newest checkpoints are kept."""
        if self.replaying:
            return
        self.commit()
        with named_damage(self.path), self._db:  # the connection rolls back what raises
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?)", (self._length, cursor, self._head, state)
            )
            self._db.execute(
                "DELETE FROM checkpoint WHERE length NOT IN "
                "(SELECT length FROM checkpoint ORDER BY length DESC LIMIT 2)"
            )

    def rewind(self) -> Checkpoint | None:
        """Goes back to the newest checkpoint, so that what follows is replayed; None where there is none.

        Raises `JournalError` when the facts that the checkpoint rests on are not there.
        """
        with named_damage(self.path):
            row = self._db.execute(
                "SELECT cursor, length, state, head FROM checkpoint ORDER BY length DESC LIMIT 1"
            ).fetchone()
            if row is None:
                self._length, self._head = 0, GENESIS
                return None
            self._check_checkpoint(row[1], row[3])
        self._length, self._head = row[1], row[3]
        return Checkpoint(cursor=row[0], length=row[1], state=row[2])

    def facts(self, kind: str | None = None, ref: str | None = None, after: int = 0) -> Iterator[Fact]:
        """Recorded facts in order, optionally of one kind or one reference, with ``seq > after``."""
        given = [value for value in (kind, ref) if value is not None]
        for row in self._db.execute(QUERIES[kind is not None, ref is not None], (after, *given)):
            yield Fact(*row)

    def expected(self, kind: str, ref: str) -> bytes | None:
        """The payload of the next fact of a kind and reference that a replay has yet to produce."""
        if not self.replaying:
            return None
        fact = next(self.facts(kind, ref, after=self._length), None)
        return None if fact is None else fact.payload

    def upcoming(self, kind: str, ref: str) -> bytes | None:
        """The payload of the very next fact that a replay has to produce, where it is of this kind and reference."""
        if not self.replaying:
            return None
        query = "SELECT payload FROM fact WHERE seq = ? AND kind = ? AND ref = ?"
        row = self._db.execute(query, (self._length + 1, kind, ref)).fetchone()
        return None if row is None else bytes(row[0])

    def last_ref(self, kind: str) -> str:
        """The reference of the newest fact of a kind, empty where there is none."""
        row = self._db.execute("SELECT ref FROM fact WHERE kind = ? ORDER BY seq DESC LIMIT 1", (kind,)).fetchone()
        return "" if row is None else str(row[0])

    def verify_chain(self) -> int:
        """Recomputes every hash from the first fact; returns the number of facts, raises `JournalError` on damage."""
        head, expected = GENESIS, 1
        with named_damage(self.path):
            for row in self._db.execute("SELECT seq, kind, time, ref, payload, hash FROM fact ORDER BY seq"):
                intact = isinstance(row[4], bytes)
                head = _chain(head, row[1], row[2], row[3], row[4]) if intact else head
                if not intact or row[0] != expected or head != row[5]:
                    raise self._damaged(f"at fact {expected}: the hash chain is broken")
                expected += 1
            for length, head in self._db.execute("SELECT length, head FROM checkpoint ORDER BY length"):
                self._check_checkpoint(length, head)
        return expected - 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Commits and closes the file."""
        self.commit()
        self._db.close()

    def _tail(self) -> tuple[int, bytes]:
        with named_damage(self.path):
            row = self._db.execute("SELECT seq, hash FROM fact ORDER BY seq DESC LIMIT 1").fetchone()
        return (0, GENESIS) if row is None else (row[0], row[1])

    def _check_checkpoint(self, length: int, head: bytes) -> None:
        row = self._db.execute("SELECT hash FROM fact WHERE seq = ?", (length,)).fetchone()
        if head != (GENESIS if row is None and length == 0 else row and row[0]):
            raise self._damaged(f"at fact {length}: a checkpoint rests on facts that are not there")

    def _damaged(self, how: str) -> JournalError:
        return JournalError(
            f"{self.path} is damaged {how}; keep the file for inspection and start with another --state-dir"
        )

    def _insert(self, row: tuple[int, str, int, str, bytes, bytes]) -> None:
        try:
            if not self._in_transaction:
                self._db.execute("BEGIN")
                self._in_transaction = True
            self._db.execute("INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            raise JournalError(f"fact {row[0]} could not be written to {self.path}: {error}; trading stops") from error
        self._recorded = row[0]

    def _compare(self, kind: str, time: int, payload: bytes, head: bytes) -> None:
        seq = self._length + 1
        row = self._db.execute("SELECT kind, time, payload, hash FROM fact WHERE seq = ?", (seq,)).fetchone()
        if row is None or row[3] != head:
            recorded = "nothing" if row is None else f"{row[0]} at {row[1]}: {_shown(row[2])}"
            raise JournalDivergence(
                f"replaying {self.path} gave a different fact {seq}: recorded {recorded}; "
                f"now {kind} at {time}: {_shown(payload)}. The market or the settings are not those of the "
                "recording; start with another --state-dir, or with the recorded ones"
            )


def _shown(payload: bytes) -> str:
    return payload.decode(errors="replace")[:300]


def _chain(head: bytes, kind: str, time: int, ref: str, payload: bytes) -> bytes:
    digest = hashlib.blake2b(head, digest_size=16)
    digest.update(f"{kind}\x1f{time}\x1f{ref}\x1f".encode())
    digest.update(payload)
    return digest.digest()

"""The ledger of trials: every fit is written down before it starts, so that nobody forgets how often was tried.

One SQLite file, shared by all processes of a run and by all runs. Rows are only ever added; triggers refuse the rest.
A process pool's workers open the ledger themselves: a connection does not survive a fork.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.errors import HoldoutSpent, JournalError
from smc_trading_agent.persistence.database import named_damage, open_database

VERSION = 1
_APPEND_ONLY = """
CREATE TRIGGER IF NOT EXISTS {table}_stays BEFORE UPDATE ON {table}
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS {table}_is_kept BEFORE DELETE ON {table}
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;"""
# IF NOT EXISTS: two processes may open a new file at once, and the second finds the work done.
SCHEMA = """
CREATE TABLE IF NOT EXISTS attempt (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, model TEXT NOT NULL, parameters TEXT NOT NULL,
    seed INTEGER NOT NULL, fold TEXT NOT NULL, started_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS attempt_trial ON attempt (run, model, parameters, seed, fold);
CREATE TABLE IF NOT EXISTS ending (
    attempt INTEGER PRIMARY KEY REFERENCES attempt (id), metric REAL, error TEXT NOT NULL, ended_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS holdout (period TEXT PRIMARY KEY, run TEXT NOT NULL, claimed_at INTEGER NOT NULL);
""" + "".join(_APPEND_ONLY.format(table=table) for table in ("attempt", "ending", "holdout")).rstrip(";")


class Trial(msgspec.Struct, frozen=True):
    """What was fitted. ``parameters`` is a `parameters_hash` over all that may change the result, features and labels
    included; ``fold`` names the split, as in ``cpcv-07``.
    """

    run: str
    model: str
    parameters: str
    seed: int
    fold: str


class TrialCounts(msgspec.Struct, frozen=True):
    """``fits`` were started; ``trials`` of them differ in model, parameters or seed: the N of a deflated Sharpe ratio.

    A fit is ``finished``, ``failed``, or neither: interrupted, or still going on.
    """

    fits: int
    trials: int
    finished: int
    failed: int


def parameters_hash(parameters: Mapping[str, object]) -> str:
    """32 hex digits that name a set of hyper-parameters, whatever the order in which they are given."""
    text = msgspec.json.encode(dict(parameters), order="deterministic")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


class TrialLedger:
    """An append-only ledger; safe to write from several processes at once. ``clock`` stamps starts and ends."""

    def __init__(self, path: Path | str, clock: Clock, durable: bool = False) -> None:
        self._path = str(path)
        self._clock = clock
        self._db = open_database(path, SCHEMA, VERSION, durable)

    def start(self, trial: Trial) -> int:
        """Writes down that a fit begins; gives the number of this attempt. A repeated one counts as another fit."""
        row = (trial.run, trial.model, trial.parameters, trial.seed, trial.fold, self._clock.now())
        query = "INSERT INTO attempt (run, model, parameters, seed, fold, started_at) VALUES (?, ?, ?, ?, ?, ?)"
        with named_damage(self._path):
            number = self._db.execute(query, row).lastrowid
        if number is None:
            raise JournalError(f"{self._path} gave attempt {trial} no number; move it away or restore a copy")
        return number

    def finish(self, attempt: int, metric: float) -> None:
        """Writes down the ``metric`` that an attempt reached; raises `JournalError` where it has ended already."""
        self._end(attempt, metric, "")

    def fail(self, attempt: int, error: str) -> None:
        """Writes down that an attempt came to nothing, and why; it stays counted."""
        self._end(attempt, None, error or "failed")

    def result(self, trial: Trial) -> float | None:
        """The metric of a fit that this run has finished, so that a resumed run may skip it; None where it has not."""
        query = (
            "SELECT metric FROM attempt JOIN ending ON attempt = id WHERE run = ? AND model = ? AND parameters = ? "
            "AND seed = ? AND fold = ? AND error = '' ORDER BY id LIMIT 1"
        )
        key = (trial.run, trial.model, trial.parameters, trial.seed, trial.fold)
        with named_damage(self._path):
            row = self._db.execute(query, key).fetchone()
        return None if row is None else _metric(row[0])

    def results(self, run: str) -> dict[Trial, float]:
        """All fits that ``run`` has finished, with the metric of the first time, in order of their start."""
        query = (
            "SELECT run, model, parameters, seed, fold, metric FROM attempt JOIN ending ON attempt = id "
            "WHERE run = ? AND error = '' ORDER BY id"
        )
        found: dict[Trial, float] = {}
        with named_damage(self._path):
            for *key, metric in self._db.execute(query, (run,)):
                found.setdefault(Trial(*key), _metric(metric))
        return found

    def counts(self, run: str | None = None) -> TrialCounts:
        """How often was tried: by ``run``, or by all runs of this ledger where None (what a deflated ratio needs)."""
        query = (
            "SELECT count(*), count(DISTINCT model || '/' || parameters || '/' || seed), "
            "count(CASE WHEN error = '' THEN 1 END), count(CASE WHEN error <> '' THEN 1 END) "
            "FROM attempt LEFT JOIN ending ON attempt = id WHERE ? IS NULL OR run = ?"
        )
        with named_damage(self._path):
            return TrialCounts(*self._db.execute(query, (run, run)).fetchone())

    def claim_holdout(self, period: str, run: str) -> None:
        """Gives ``run`` the one look at a final evaluation period; to be called before its figures are computed.

        ``period`` names data and times. The same run may claim again, after a crash. Raises `HoldoutSpent` where
        another run was first: what is chosen after that look is no longer judged by it.
        """
        with named_damage(self._path):
            row = (period, run, self._clock.now())
            self._db.execute("INSERT OR IGNORE INTO holdout VALUES (?, ?, ?)", row)
            first = self._db.execute("SELECT run FROM holdout WHERE period = ?", (period,)).fetchone()[0]
        if first != run:
            raise HoldoutSpent(
                f"the holdout {period} was spent by run {first}; take newer data for {run}, or report without"
            )

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def _end(self, attempt: int, metric: float | None, error: str) -> None:
        with named_damage(self._path):
            row = (metric, error, self._clock.now(), attempt)
            query = "INSERT OR IGNORE INTO ending SELECT id, ?, ?, ? FROM attempt WHERE id = ?"
            written = self._db.execute(query, row).rowcount
        if written != 1:
            raise JournalError(f"attempt {attempt} in {self._path} has ended already, or was never started")


def _metric(value: float | None) -> float:
    """SQLite keeps NaN as NULL."""
    return float("nan") if value is None else value

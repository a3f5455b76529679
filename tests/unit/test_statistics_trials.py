"""The trial ledger: counts every fit, forgets none, is shared by processes, and lets one run look at the holdout."""

from __future__ import annotations

import math
import sqlite3
import sys
from pathlib import Path

import pytest

from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.errors import HoldoutSpent, JournalError
from smc_trading_agent.research.statistics.trials import Trial, TrialCounts, TrialLedger, parameters_hash
from tests.processes import PATIENCE_S, start

WRITERS = 6
FITS = 25
WRITER = """
import sys
from smc_trading_agent.domain.clock import SystemClock
from smc_trading_agent.research.statistics.trials import Trial, TrialLedger
path, writer, fits = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ledger = TrialLedger(path, SystemClock())
for fit in range(fits):
    ledger.finish(ledger.start(Trial("run", "lstm", str(writer), fit, "cpcv-00")), float(writer))
ledger.close()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "trials.db"


def trial(run: str = "r1", model: str = "logistic", parameters: str = "p1", seed: int = 0, fold: str = "f0") -> Trial:
    return Trial(run, model, parameters, seed, fold)


def test_a_fit_is_counted_from_its_start(file: Path) -> None:
    ledger = TrialLedger(file, MarketClock(5))
    assert ledger.counts() == TrialCounts(fits=0, trials=0, finished=0, failed=0)
    ledger.start(trial())
    assert ledger.counts() == TrialCounts(fits=1, trials=1, finished=0, failed=0)
    ledger.close()


def test_folds_are_fits_and_settings_and_seeds_are_trials(file: Path) -> None:
    ledger = TrialLedger(file, MarketClock())
    for t in (
        trial(fold="f0"),
        trial(fold="f1"),
        trial(parameters="p2"),
        trial(seed=1),
        trial(model="lstm"),
        trial(run="r2"),
    ):
        ledger.start(t)
    assert (ledger.counts().fits, ledger.counts().trials) == (6, 4)
    assert ledger.counts("r2") == TrialCounts(fits=1, trials=1, finished=0, failed=0)
    ledger.close()


def test_a_resumed_run_finds_what_it_has_finished_and_nothing_else(file: Path) -> None:
    ledger = TrialLedger(file, MarketClock())
    ledger.finish(ledger.start(trial(fold="f0")), 0.5)
    ledger.fail(ledger.start(trial(fold="f1")), "did not converge")
    ledger.start(trial(fold="f2"))
    # No close: the process was killed.
    again = TrialLedger(file, MarketClock())
    assert again.result(trial(fold="f0")) == 0.5
    assert [again.result(trial(fold=fold)) for fold in ("f1", "f2", "f3")] == [None, None, None]
    assert again.results("r1") == {trial(fold="f0"): 0.5}
    assert again.results("r2") == {}
    again.finish(again.start(trial(fold="f2")), 0.25)
    assert again.counts() == TrialCounts(fits=4, trials=1, finished=2, failed=1)
    again.close()
    ledger.close()


def test_the_first_result_of_a_repeated_fit_stands(file: Path) -> None:
    ledger = TrialLedger(file, MarketClock())
    for metric in (1.0, 2.0):
        ledger.finish(ledger.start(trial()), metric)
    assert ledger.result(trial()) == 1.0
    assert ledger.results("r1") == {trial(): 1.0}
    ledger.close()


def test_a_metric_that_is_no_number_is_a_result(file: Path) -> None:
    ledger = TrialLedger(file, MarketClock())
    ledger.finish(ledger.start(trial()), math.nan)
    result = ledger.result(trial())
    assert result is not None
    assert math.isnan(result)
    ledger.close()


def test_an_attempt_ends_once(file: Path) -> None:
    ledger = TrialLedger(file, MarketClock())
    attempt = ledger.start(trial())
    ledger.finish(attempt, 1.0)
    with pytest.raises(JournalError, match="attempt 1 .* has ended already"):
        ledger.fail(attempt, "late")
    with pytest.raises(JournalError, match="attempt 9 .* never started"):
        ledger.finish(9, 1.0)
    ledger.close()


@pytest.mark.parametrize(
    "change",
    ["DELETE FROM attempt", "UPDATE attempt SET seed = 1", "DELETE FROM ending", "UPDATE ending SET metric = 9"],
)
def test_what_is_written_stays(file: Path, change: str) -> None:
    ledger = TrialLedger(file, MarketClock(3))
    ledger.finish(ledger.start(trial()), 1.0)
    ledger.close()
    with sqlite3.connect(file) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(change)
    connection.close()


def test_times_come_from_the_clock(file: Path) -> None:
    clock = MarketClock(100)
    ledger = TrialLedger(file, clock)
    attempt = ledger.start(trial())
    clock.advance_to(170)
    ledger.finish(attempt, 1.0)
    ledger.close()
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT started_at, ended_at FROM attempt JOIN ending ON attempt = id").fetchall()
    connection.close()
    assert rows == [(100, 170)]


def test_the_holdout_is_for_one_run(file: Path) -> None:
    ledger = TrialLedger(file, MarketClock())
    ledger.claim_holdout("BTC 2026-10", "r1")
    ledger.claim_holdout("BTC 2026-10", "r1")
    ledger.claim_holdout("BTC 2026-11", "r2")
    with pytest.raises(HoldoutSpent, match="the holdout BTC 2026-10 was spent by run r1"):
        ledger.claim_holdout("BTC 2026-10", "r2")
    ledger.close()


def test_processes_that_open_a_new_ledger_at_once_lose_no_fit(file: Path) -> None:
    code = [sys.executable, "-c", WRITER]
    writers = [start([*code, str(file), str(writer), str(FITS)]) for writer in range(WRITERS)]
    for process in writers:
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, (out.decode(), err.decode())
    ledger = TrialLedger(file, MarketClock())
    total = WRITERS * FITS
    assert ledger.counts() == TrialCounts(fits=total, trials=total, finished=total, failed=0)
    assert len(ledger.results("run")) == total
    ledger.close()


def test_parameters_have_one_hash_whatever_their_order() -> None:
    one = parameters_hash({"depth": 3, "rate": 0.1, "features": ["a", "b"]})
    assert one == parameters_hash({"features": ["a", "b"], "rate": 0.1, "depth": 3})
    assert len(one) == 32
    assert one != parameters_hash({"depth": 3, "rate": 0.1, "features": ["b", "a"]})
    assert one != parameters_hash({"depth": 3, "rate": 0.2, "features": ["a", "b"]})

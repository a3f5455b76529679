"""Runs the checks: all of them, each failing closed, one after another or in a pool of threads.

A check is a few comparisons, less than a pool takes to hand one over: `choose` measures both at start-up, and the
faster way is used. Reasons come in the order of the checks either way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.domain.settings import RiskScheduleSettings
from smc_trading_agent.domain.types import RefusalDetail, ScheduleReport, Timing
from smc_trading_agent.risk_manager.checks.catalogue import check_name
from smc_trading_agent.risk_manager.checks.question import Check, Question

SEQUENTIAL, POOLED = "sequential", "pooled"
ROUNDS = 20

Evaluate = Callable[[Sequence[Check], Question], list[RefusalDetail]]


def evaluate(checks: Sequence[Check], question: Question) -> list[RefusalDetail]:
    """Every reason of every check, in order; a check that raises is a reason too."""
    details: list[RefusalDetail] = []
    for check in checks:
        try:
            found = check(question)
        except Exception as error:  # noqa: BLE001  fails closed: whatever it is, it is a refusal
            details.append(engine_error(check_name(check), error))
        else:
            if found:
                details += found
    return details


def engine_error(check: str, error: Exception) -> RefusalDetail:
    """The refusal of a check that failed, named after it."""
    context = {"check": check, "error": f"{type(error).__name__}: {error}"}
    return RefusalDetail(RefusalReason.RISK_ENGINE_ERROR, context)


class Pool:
    """The same in threads, in chunks of checks: one for each worker."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="risk-check")

    def evaluate(self, checks: Sequence[Check], question: Question) -> list[RefusalDetail]:
        """See `evaluate`."""
        size = max(1, -(-len(checks) // self._workers))
        chunks = [checks[start : start + size] for start in range(0, len(checks), size)]
        answers = self._executor.map(lambda chunk: evaluate(chunk, question), chunks)
        return [detail for found in answers for detail in found]

    def close(self) -> None:
        """Ends the threads."""
        self._executor.shutdown()


class Schedule(msgspec.Struct, frozen=True):
    """How checks are run from now on, and what it was chosen from. ``close`` ends its threads, if it has any."""

    evaluate: Evaluate
    report: ScheduleReport
    close: Callable[[], None]


def _nothing() -> None:
    pass


def one_after_another() -> Schedule:
    """Without measuring."""
    return Schedule(evaluate, ScheduleReport(chosen=SEQUENTIAL, lanes=0), _nothing)


def choose(
    settings: RiskScheduleSettings, checks: Sequence[Check], question: Question, clock: Callable[[], int]
) -> Schedule:
    """The faster of both by the median of `ROUNDS` on ``question``; without `parallel_calculation` the plain one.

    ``clock`` reads nanoseconds.
    """
    if not settings.parallel_calculation:
        return one_after_another()
    pool = Pool(settings.max_workers)
    measured = {
        SEQUENTIAL: _timed(evaluate, checks, question, clock),
        POOLED: _timed(pool.evaluate, checks, question, clock),
    }
    if measured[POOLED].p50 < measured[SEQUENTIAL].p50:
        return Schedule(pool.evaluate, ScheduleReport(POOLED, settings.max_workers, measured), pool.close)
    pool.close()
    return Schedule(evaluate, ScheduleReport(SEQUENTIAL, 0, measured), _nothing)


def _timed(run: Evaluate, checks: Sequence[Check], question: Question, clock: Callable[[], int]) -> Timing:
    taken = []
    for _ in range(ROUNDS):
        began = clock()
        run(checks, question)
        taken.append((clock() - began) / 1_000)
    taken.sort()
    return Timing(p50=taken[ROUNDS // 2], p99=taken[-1], n=ROUNDS)

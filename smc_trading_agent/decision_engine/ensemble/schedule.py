"""Who runs which expert when, so that no expert can hold up a decision beyond its deadline.

A graph that runs can't be interrupted, so with a deadline every expert runs off the calling thread, on lanes:
threads that take the experts of a decision one after another. One lane is "one after another"; more are "threads";
which is faster depends on the machine and the models, so it is measured at start-up and kept in the report. The caller
sleeps until the last vote is in, half the deadline, or the deadline. Lanes that are all stuck at half the deadline
leave experts that nobody has begun: spare lanes take these over. An expert whose late vote still runs is late again
without being asked; what comes after the deadline is thrown away. So an expert that hangs can hold two lanes, one with
a step and one with a vote, and the number of threads is bounded. The result never depends on the schedule, only on who
was late, and that is written in the forecast.

Without a deadline (backtest, replay) the calling thread does the work itself. All experts fused into one graph would
save calls, but a graph can't be left at a deadline for one of them, so that one slow expert would cost all votes:
there is no such schedule.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import SimpleQueue

import msgspec
import numpy as np

from smc_trading_agent.decision_engine.ensemble.experts import Expert, Row
from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.reasons import VoteStatus
from smc_trading_agent.domain.settings import EnsembleSettings
from smc_trading_agent.domain.types import ScheduleReport, Timing

MEASURED = 200
MEASURING_NS = 500_000_000
NS_PER_S = 1_000_000_000
NO_DEADLINE = 0


class Answer(msgspec.Struct, frozen=True):
    """What an expert gave: raw log-odds if the status is COUNTED, else None; the error's text where it failed."""

    status: VoteStatus
    log_odds: float | None = None
    error: str = ""


class _Batch:
    """Tasks that lanes claim one by one. Claims and ends are counted by `itertools.count`, which is atomic."""

    def __init__(self, tasks: Sequence[Callable[[], None]]) -> None:
        self.tasks = tasks
        self.claimed = 0
        self._claims, self._ends = itertools.count(), itertools.count(1)
        self._done = threading.Lock()
        self._done.acquire()

    def run(self) -> None:
        """Runs tasks until none is unclaimed."""
        while (index := next(self._claims)) < len(self.tasks):
            self.claimed = max(self.claimed, index + 1)
            self.tasks[index]()
            if next(self._ends) == len(self.tasks):
                self._done.release()

    def abandon(self) -> list[int]:
        """Claims what nobody has begun, so that nobody will, and says which tasks these are."""
        return list(itertools.takewhile(lambda index: index < len(self.tasks), self._claims))

    def wait(self, seconds: float) -> bool:
        """Whether all tasks ended within ``seconds``; asked again only after it was not so."""
        return self._done.acquire(timeout=max(0.0, seconds))


class _Lanes:
    """Daemon threads that work off batches."""

    def __init__(self, count: int, most: int) -> None:
        self._inbox: SimpleQueue[_Batch | None] = SimpleQueue()
        self._most = most
        self._threads: list[threading.Thread] = []
        self.count = count
        for _ in range(count):
            self._start()

    def submit(self, batch: _Batch) -> None:
        """Offers a batch to as many lanes as can be of use."""
        for _ in range(min(self.count, len(batch.tasks))):
            self._inbox.put(batch)

    def spare(self, batch: _Batch) -> None:
        """Adds a lane for what nobody has begun, unless there are as many as there may be."""
        if len(self._threads) < self._most:
            self._start()
            self._inbox.put(batch)

    def close(self) -> None:
        """Lets every lane end once it is free."""
        for _ in self._threads:
            self._inbox.put(None)

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"expert-lane-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (batch := self._inbox.get()) is not None:
            batch.run()


class Schedule:
    """Asks all experts, each at most until the deadline; see the module. Called from one thread."""

    def __init__(self, experts: Sequence[Expert], deadline_ns: int, lanes: int = 1) -> None:
        """``deadline_ns`` 0: the calling thread runs every expert to its end, and there are no lanes."""
        self._experts = tuple(experts)
        self._deadline_ns = deadline_ns
        self._voting: set[str] = set()  # whose vote was asked for and has not ended
        self._stepping: set[str] = set()
        self._lanes = _Lanes(lanes, 2 * len(self._experts) + lanes) if deadline_ns != NO_DEADLINE else None

    def on_close(self, row: Row) -> None:
        """Shows a close to all experts with state."""
        for expert in self._experts:
            expert.on_close(row)

    def settle(self) -> None:
        """Lets experts with state step through the close, beside the caller where there are lanes."""
        streaming = [expert for expert in self._experts if expert.streaming]
        if self._lanes is None:
            for expert in streaming:
                _step(expert)
            return
        free = [expert for expert in streaming if expert.name not in self._stepping | self._voting]
        if free:
            self._lanes.submit(_Batch([self._task(expert, _step, self._stepping) for expert in free]))

    def ask(
        self, context: Row, wait: bool = False, leave_out: Mapping[str, VoteStatus] | None = None
    ) -> dict[str, Answer]:
        """Answers by expert for a scaled context row (C,).

        ``wait``: no deadline, whatever the settings say. ``leave_out``: not asked, with the status to give them.
        """
        given = leave_out or {}
        answers = {name: Answer(status) for name, status in given.items()}
        asked = [expert for expert in self._experts if expert.name not in given]
        if self._lanes is None or wait:
            return answers | {expert.name: _vote(expert, context) for expert in asked}
        return answers | self._ask_lanes(self._lanes, asked, context, monotonic_ns() + self._deadline_ns)

    def close(self) -> None:
        """Ends the lanes once they are free."""
        if self._lanes is not None:
            self._lanes.close()

    def _ask_lanes(self, lanes: _Lanes, asked: Sequence[Expert], context: Row, deadline: int) -> dict[str, Answer]:
        came: dict[str, Answer] = {}

        def vote(expert: Expert) -> None:
            came[expert.name] = _vote(expert, context)

        free = [expert for expert in asked if expert.name not in self._voting]
        batch = _Batch([self._task(expert, vote, self._voting) for expert in free])
        if free:
            lanes.submit(batch)
            done = batch.wait((deadline - monotonic_ns()) / NS_PER_S / 2.0)
            if not done:
                for _ in range(len(free) - batch.claimed):
                    lanes.spare(batch)
                batch.wait((deadline - monotonic_ns()) / NS_PER_S)
        for index in batch.abandon():
            self._voting.discard(free[index].name)
        in_time = dict(came)  # a copy: stragglers write on
        return {expert.name: in_time.get(expert.name, Answer(VoteStatus.LATE)) for expert in asked}

    def _task(self, expert: Expert, work: Callable[[Expert], None], outstanding: set[str]) -> Callable[[], None]:
        outstanding.add(expert.name)

        def run() -> None:
            work(expert)
            outstanding.discard(expert.name)

        return run


def choose_schedule(
    experts: Sequence[Expert], deadline_ns: int, ensemble: EnsembleSettings, close: Row, context: Row
) -> tuple[Schedule, ScheduleReport]:
    """Measures what the settings allow with a sample ``close`` (F,) and ``context`` (C,), and takes the fastest.

    The experts' state is as before. Without a deadline there is nothing to choose.
    """
    if deadline_ns == NO_DEADLINE:
        return Schedule(experts, NO_DEADLINE), ScheduleReport("calling thread", 0)
    counts = {"one after another": 1}
    if ensemble.parallel_execution and min(ensemble.max_workers, len(experts)) > 1:
        counts["threads"] = min(ensemble.max_workers, len(experts))
    states = [expert.snapshot() for expert in experts]
    measured = {name: _measured(experts, lanes, close, context) for name, lanes in counts.items()}
    for expert, state in zip(experts, states, strict=True):
        expert.restore(state)
    chosen = min(measured, key=lambda name: measured[name].p50)
    return Schedule(experts, deadline_ns, counts[chosen]), ScheduleReport(chosen, counts[chosen], measured)


def _measured(experts: Sequence[Expert], lanes: int, close: Row, context: Row) -> Timing:
    """The votes on a setup at a new close, `MEASURED` times unless that takes longer than `MEASURING_NS`."""
    schedule = Schedule(experts, NS_PER_S, lanes)
    taken: list[float] = []
    enough = monotonic_ns() + MEASURING_NS
    while len(taken) < MEASURED and (began := monotonic_ns()) < enough:
        schedule.on_close(close)
        schedule.ask(context)
        taken.append((monotonic_ns() - began) / 1_000.0)
        schedule.settle()
    schedule.close()
    p50, p99 = np.percentile(taken, [50.0, 99.0]).tolist()
    return Timing(p50, p99, len(taken))


def _vote(expert: Expert, context: Row) -> Answer:
    try:
        log_odds = expert.vote(context)
    except Exception as error:  # noqa: BLE001  whatever a model raises costs its vote, and is told in the forecast
        return Answer(VoteStatus.FAILED, None, f"{type(error).__name__}: {error}")
    if not math.isfinite(log_odds):
        return Answer(VoteStatus.NOT_A_NUMBER)
    return Answer(VoteStatus.COUNTED, log_odds)


def _step(expert: Expert) -> None:
    """A step that fails leaves its close waiting; the vote that needs it fails by itself and says why."""
    with suppress(Exception):
        expert.advance()

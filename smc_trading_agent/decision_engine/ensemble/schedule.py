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
from collections.abc import Mapping, Sequence
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


LATE = Answer(VoteStatus.LATE)


class _Batch:
    """Experts that lanes claim one by one, for a vote or a step. Claims and ends are counted by `itertools.count`,
    which is atomic."""

    def __init__(self, experts: Sequence[Expert], context: Row | None, busy: set[str]) -> None:
        """``context`` (C,) of the votes, None for steps. Experts are in ``busy`` from now until their work ends."""
        self.experts = experts
        self.answers: list[Answer | None] = [None] * len(experts)
        self.claimed = 0
        self._context, self._busy = context, busy
        self._claims, self._ends = itertools.count(), itertools.count(1)
        self._done = threading.Lock()
        self._done.acquire()
        busy.update([expert.name for expert in experts])

    def run(self) -> None:
        """Works until nobody is unclaimed."""
        count, context = len(self.experts), self._context
        while (index := next(self._claims)) < count:
            self.claimed = max(self.claimed, index + 1)
            expert = self.experts[index]
            if context is None:
                _step(expert)
            else:
                self.answers[index] = _vote(expert, context)
            self._busy.discard(expert.name)
            if next(self._ends) == count:
                self._done.release()

    def abandon(self) -> None:
        """Claims who was not begun, so that nobody will."""
        count = len(self.experts)
        for index in itertools.takewhile(lambda index: index < count, self._claims):
            self._busy.discard(self.experts[index].name)

    def wait(self, seconds: float) -> bool:
        """Whether all work ended within ``seconds``; asked again only after it was not so."""
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
        for _ in range(min(self.count, len(batch.experts))):
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
        self._streaming = tuple(expert for expert in experts if expert.streaming)
        self._deadline_ns = deadline_ns
        self._voting: set[str] = set()  # whose vote was asked for and has not ended
        self._stepping: set[str] = set()
        self._lanes = _Lanes(lanes, 2 * len(self._experts) + lanes) if deadline_ns != NO_DEADLINE else None

    def on_close(self, row: Row) -> None:
        """Shows a close to all experts with state."""
        for expert in self._streaming:
            expert.on_close(row)

    def settle(self) -> None:
        """Lets experts with state step through the close, beside the caller where there are lanes."""
        if self._lanes is None:
            for expert in self._streaming:
                _step(expert)
            return
        free = [expert for expert in self._streaming if expert.name not in self._stepping | self._voting]
        if free:
            self._lanes.submit(_Batch(free, None, self._stepping))

    def ask(
        self, context: Row, wait: bool = False, leave_out: Mapping[str, VoteStatus] | None = None
    ) -> dict[str, Answer]:
        """Answers by expert for a scaled context row (C,).

        ``wait``: no deadline, whatever the settings say. ``leave_out``: not asked, with the status to give them.
        """
        answers: dict[str, Answer] = {}
        asked: Sequence[Expert] = self._experts
        if leave_out:
            answers = {name: Answer(status) for name, status in leave_out.items()}
            asked = [expert for expert in self._experts if expert.name not in leave_out]
        if self._lanes is not None and not wait:
            self._ask_lanes(self._lanes, asked, context, answers)
        else:
            for expert in asked:
                answers[expert.name] = _vote(expert, context)
        return answers

    def close(self) -> None:
        """Ends the lanes once they are free."""
        if self._lanes is not None:
            self._lanes.close()

    def _ask_lanes(self, lanes: _Lanes, asked: Sequence[Expert], context: Row, answers: dict[str, Answer]) -> None:
        deadline = monotonic_ns() + self._deadline_ns
        free = [expert for expert in asked if expert.name not in self._voting] if self._voting else asked
        for expert in asked:
            answers[expert.name] = LATE
        if not free:
            return
        batch = _Batch(free, context, self._voting)
        lanes.submit(batch)
        if not batch.wait(self._deadline_ns / NS_PER_S / 2.0):
            for _ in range(len(free) - batch.claimed):
                lanes.spare(batch)
            batch.wait((deadline - monotonic_ns()) / NS_PER_S)
            batch.abandon()
        for expert, answer in zip(free, list(batch.answers), strict=True):  # a copy: stragglers write on
            if answer is not None:
                answers[expert.name] = answer


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

"""Who runs which expert when, so that no expert can hold up a decision beyond its deadline.

A graph that runs can't be interrupted, so with a deadline every expert runs off the calling thread, on lanes:
threads that take the experts of a decision one after another. One lane is "one after another", more are "threads", and
"fused" is one lane on which all graphs are one. Which is fastest depends on the machine and the models, so it
is measured at start-up and kept in the report. The caller sleeps until the last vote is in, half the deadline, or the
deadline. Lanes that are all stuck at half the deadline leave experts that nobody has begun: spare lanes take these
over. An expert whose late vote still runs is late again without being asked; what comes after the deadline is thrown
away. So an expert that hangs can hold two lanes, one with a step and one with a vote, and the number of threads is
bounded. The result never depends on the schedule, only on who was late, and that is written in the forecast.

A fused graph can't be left for one of its experts: when it is late, all of them are, once. From then on they are run
apart, where the slow one is late alone. Without a deadline (backtest, replay) the calling thread does the work itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from smc_trading_agent.decision_engine.ensemble.experts import Expert
from smc_trading_agent.decision_engine.ensemble.group import FusedExperts
from smc_trading_agent.decision_engine.ensemble.lanes import (
    LATE,
    Alone,
    Answer,
    Batch,
    Lanes,
    Together,
    Unit,
    step_of,
    vote_of,
)
from smc_trading_agent.decision_engine.ensemble.sessions import Row
from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.reasons import VoteStatus
from smc_trading_agent.domain.settings import EnsembleSettings
from smc_trading_agent.domain.types import ScheduleReport, Timing

MEASURED = 200
MEASURING_NS = 500_000_000
NS_PER_S = 1_000_000_000
NS_PER_US = 1_000
NO_DEADLINE = 0
FASTEST = "fastest"
APART, THREADS, FUSED, CALLER = "one after another", "threads", "fused", "calling thread"
LEFT_APART = "one after another, after a late fused vote"


class Way(NamedTuple):
    """A way to run experts: on how many lanes, and which of them as one."""

    lanes: int
    group: FusedExperts | None = None


class Schedule:
    """Asks all experts, each at most until the deadline; see the module. Called from one thread."""

    def __init__(self, experts: Sequence[Expert], deadline_ns: int, way: Way = Way(1)) -> None:
        """``deadline_ns`` 0: the calling thread runs every expert to its end, and there are no lanes."""
        self._experts = tuple(experts)
        self._streaming = tuple(expert for expert in experts if expert.streaming)
        self._deadline_ns = deadline_ns
        self._voting: set[str] = set()  # whose vote was asked for and has not ended
        self._stepping: set[str] = set()
        self._apart: tuple[Unit, ...] = tuple(Alone(expert) for expert in experts)
        self._units = self._apart
        if way.group is not None:
            together = Together(way.group)
            self._units = together, *(unit for unit in self._apart if unit.names[0] not in together.names)
        self._lanes = Lanes(way.lanes, 2 * len(self._experts) + way.lanes) if deadline_ns != NO_DEADLINE else None

    @property
    def fused(self) -> bool:
        """Whether experts are run as one."""
        return self._units is not self._apart

    def on_close(self, row: Row) -> None:
        """Shows a close to all experts with state."""
        for expert in self._streaming:
            expert.on_close(row)

    def settle(self) -> None:
        """Lets experts with state step through the close, beside the caller where there are lanes."""
        if self._lanes is None:
            for expert in self._streaming:
                step_of(expert)
            return
        free = [expert for expert in self._streaming if expert.name not in self._stepping | self._voting]
        if free:
            self._lanes.submit(Batch([Alone(expert) for expert in free], None, self._stepping))

    def ask(
        self, context: Row, wait: bool = False, leave_out: Mapping[str, VoteStatus] | None = None
    ) -> dict[str, Answer]:
        """Answers by expert for a scaled context row (C,), in the order of the experts: sums over them round alike.

        ``wait``: no deadline, whatever the settings say. ``leave_out``: not asked, with the status to give them.
        """
        given = leave_out or {}
        answers = {name: Answer(status) for name, status in given.items()}
        if self._lanes is None or wait:
            for expert in self._experts:
                if expert.name not in given:
                    answers[expert.name] = vote_of(expert, context)
            return {expert.name: answers[expert.name] for expert in self._experts}
        units = self._apart if given or self._voting else self._units
        idle = [unit for unit in units if unit.names[0] not in given]
        self._ask_lanes(self._lanes, idle, context, answers)
        return {expert.name: answers[expert.name] for expert in self._experts}

    def close(self) -> None:
        """Ends the lanes once they are free."""
        if self._lanes is not None:
            self._lanes.close()

    def _ask_lanes(self, lanes: Lanes, asked: Sequence[Unit], context: Row, answers: dict[str, Answer]) -> None:
        deadline = monotonic_ns() + self._deadline_ns
        free = [unit for unit in asked if unit.names[0] not in self._voting] if self._voting else asked
        if free is not asked:
            for unit in asked:
                answers.update(dict.fromkeys(unit.names, LATE))
        if not free:
            return
        batch = Batch(free, context, self._voting)
        lanes.submit(batch)
        if not batch.wait(self._deadline_ns / NS_PER_S / 2.0):
            for _ in range(len(free) - batch.claimed):
                lanes.spare(batch)
            batch.wait((deadline - monotonic_ns()) / NS_PER_S)
            batch.abandon()
        for unit, given in zip(free, list(batch.answers), strict=True):  # a copy: stragglers write on
            if given is not None:
                answers.update(zip(unit.names, given, strict=True))
                continue
            answers.update(dict.fromkeys(unit.names, LATE))
            if len(unit.names) > 1:
                self._units = self._apart


def choose_schedule(
    experts: Sequence[Expert],
    deadline_ns: int,
    ensemble: EnsembleSettings,
    close: Row,
    context: Row,
    group: FusedExperts | None = None,
) -> tuple[Schedule, ScheduleReport]:
    """Measures what the settings allow with a sample ``close`` (F,) and ``context`` (C,), and takes the fastest.

    ``group`` holds those of the experts that can be run as one. The experts' state is as before. Without a deadline
    there is nothing to choose. Raises `ConfigError` where the settings ask for a schedule that can't be had.
    """
    if deadline_ns == NO_DEADLINE:
        return Schedule(experts, NO_DEADLINE), ScheduleReport(CALLER, 0)
    ways = {APART: Way(1)}
    if ensemble.parallel_execution and min(ensemble.max_workers, len(experts)) > 1:
        ways[THREADS] = Way(min(ensemble.max_workers, len(experts)))
    if group is not None:
        ways[FUSED] = Way(1, group)
    if ensemble.schedule != FASTEST:
        if ensemble.schedule not in ways:
            raise ConfigError(
                f"performance.ml_ensemble.schedule is {ensemble.schedule!r}, which these models and settings don't "
                f"allow (they allow {', '.join(map(repr, ways))}); set it to {FASTEST!r}"
            )
        ways = {ensemble.schedule: ways[ensemble.schedule]}
    states = [expert.snapshot() for expert in experts]
    measured = {name: _measured(experts, way, close, context) for name, way in ways.items()}
    for expert, state in zip(experts, states, strict=True):
        expert.restore(state)
    if len(ways) > 1 and FUSED in ways and measured[FUSED].p99 * NS_PER_US > deadline_ns / 2.0:
        del ways[FUSED]  # it would cost all votes at once
    chosen = min(ways, key=lambda name: measured[name].p50)
    return Schedule(experts, deadline_ns, ways[chosen]), ScheduleReport(chosen, ways[chosen].lanes, measured)


def _measured(experts: Sequence[Expert], way: Way, close: Row, context: Row) -> Timing:
    """The votes on a setup at a new close, `MEASURED` times unless that takes longer than `MEASURING_NS`."""
    schedule = Schedule(experts, NS_PER_S, way)
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

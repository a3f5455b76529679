"""The schedule: the same votes however they are run, and nobody is waited for beyond the deadline."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from smc_trading_agent.decision_engine.ensemble.bundle import load_bundle
from smc_trading_agent.decision_engine.ensemble.experts import Expert, Stateless, load_experts
from smc_trading_agent.decision_engine.ensemble.group import FusedExperts, fuse_experts
from smc_trading_agent.decision_engine.ensemble.schedule import Schedule, Way, choose_schedule
from smc_trading_agent.decision_engine.ensemble.sessions import Row
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.reasons import VoteStatus
from smc_trading_agent.domain.settings import EnsembleSettings
from tests import bundles

ROW = np.array([0.5], dtype=np.float32)
SOON = 300_000_000
LONG = 30_000_000_000
WAIT_S = 30.0


class Says(Stateless):
    """Votes what it is told to compute."""

    def __init__(self, name: str, work: Callable[[Row], float] = lambda row: float(row[0])) -> None:
        super().__init__(name)
        self.work, self.asked = work, 0

    def vote(self, context: Row) -> float:
        self.asked += 1
        return self.work(context)


class Blocked(Says):
    """Works until it is released, as one that takes 100 ms does for far longer than a deadline."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.released, self.ended = threading.Event(), threading.Event()

    def vote(self, context: Row) -> float:
        self.asked += 1
        assert self.released.wait(WAIT_S)
        self.ended.set()
        return 1.0


class Steps(Says):
    """Counts its steps; each waits until it may go on."""

    streaming = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.rows, self.stepped = 0, 0
        self.may, self.done = threading.Semaphore(0), threading.Semaphore(0)

    def on_close(self, row: Row) -> None:
        self.rows += 1

    def advance(self) -> None:
        assert self.may.acquire(timeout=WAIT_S)
        self.stepped += 1
        self.done.release()


@pytest.fixture(name="blocked")
def make_blocked() -> Iterator[Blocked]:
    blocked = Blocked("slow")
    yield blocked
    blocked.released.set()


def raising(_: Row) -> float:
    raise ValueError("no such column")


@pytest.mark.parametrize(("deadline", "lanes"), [(0, 1), (LONG, 1), (LONG, 3)])
def test_votes_are_the_same_however_they_are_run(deadline: int, lanes: int) -> None:
    schedule = Schedule([Says(str(n), lambda row, n=n: float(row[0]) * n) for n in range(5)], deadline, Way(lanes))
    for close in range(50):
        answers = schedule.ask(np.array([float(close)], dtype=np.float32))
        assert [answers[str(n)].log_odds for n in range(5)] == [float(close * n) for n in range(5)]
        assert {answer.status for answer in answers.values()} == {VoteStatus.COUNTED}
    schedule.close()


@pytest.mark.parametrize(("deadline", "lanes"), [(0, 1), (LONG, 1), (LONG, 2)])
def test_a_failure_and_a_nan_cost_their_own_vote_only(deadline: int, lanes: int) -> None:
    schedule = Schedule([Says("bad", raising), Says("nan", lambda _: math.nan), Says("good")], deadline, Way(lanes))
    answers = schedule.ask(ROW)
    assert {name: answer.status for name, answer in answers.items()} == {
        "bad": VoteStatus.FAILED,
        "nan": VoteStatus.NOT_A_NUMBER,
        "good": VoteStatus.COUNTED,
    }
    assert answers["bad"].error == "ValueError: no such column"
    schedule.close()


@pytest.mark.parametrize("lanes", [1, 2, 4])
@pytest.mark.parametrize("place", [0, 2])
def test_a_slow_expert_is_late_alone(blocked: Blocked, lanes: int, place: int) -> None:
    experts: list[Says] = [Says("a"), Says("b"), Says("c")]
    experts.insert(place, blocked)
    schedule = Schedule(experts, SOON, Way(lanes))
    answers = schedule.ask(ROW)
    assert not blocked.ended.is_set()
    assert {name for name, answer in answers.items() if answer.status is VoteStatus.LATE} == {"slow"}
    assert answers["c"].log_odds == 0.5
    schedule.close()


def test_an_expert_that_still_works_on_an_earlier_close_is_not_asked_again(blocked: Blocked) -> None:
    schedule = Schedule([blocked, Says("a")], SOON, Way(1))
    for _ in range(3):
        schedule.on_close(ROW)
        answers = schedule.ask(ROW)
        assert answers["slow"].status is VoteStatus.LATE
        assert answers["a"].status is VoteStatus.COUNTED
    assert blocked.asked == 1
    blocked.released.set()
    assert blocked.ended.wait(WAIT_S)
    schedule.close()


def test_what_comes_after_the_deadline_is_thrown_away(blocked: Blocked) -> None:
    schedule = Schedule([blocked, Says("a")], SOON, Way(1))
    late = schedule.ask(ROW)
    blocked.released.set()
    assert blocked.ended.wait(WAIT_S)
    assert late["slow"].status is VoteStatus.LATE
    assert late["slow"].log_odds is None
    schedule.close()


def test_who_was_never_begun_is_asked_again_at_the_next_setup() -> None:
    hanging = [Blocked(str(n)) for n in range(4)]
    free = Says("free")
    schedule = Schedule([*hanging, free], 2_000_000, Way(1))
    assert schedule._lanes is not None
    schedule._lanes._most = 1
    assert schedule.ask(ROW)["free"].status is VoteStatus.LATE
    assert (free.asked, hanging[1].asked) == (0, 0)
    for expert in hanging:
        expert.released.set()
    assert hanging[0].ended.wait(WAIT_S)
    schedule._deadline_ns = LONG
    assert schedule.ask(ROW)["free"].log_odds == 0.5
    schedule.close()


def test_a_step_that_still_runs_makes_no_vote_late() -> None:
    stream = Steps("stream")
    schedule = Schedule([stream, Says("a")], LONG, Way(2))
    for _ in range(5):
        schedule.on_close(ROW)
        schedule.settle()
        assert schedule.ask(ROW)["stream"].status is VoteStatus.COUNTED
    stream.may.release(5)
    schedule.close()


def test_threads_stay_bounded_when_every_expert_hangs() -> None:
    hanging = [Blocked(str(n)) for n in range(3)]
    schedule = Schedule(hanging, 2_000_000, Way(1))
    for _ in range(20):
        assert {answer.status for answer in schedule.ask(ROW).values()} == {VoteStatus.LATE}
    assert schedule._lanes is not None
    assert len(schedule._lanes._threads) <= 2 * len(hanging) + 1
    for expert in hanging:
        expert.released.set()
    schedule.close()


def test_without_a_deadline_or_when_told_to_wait_the_caller_works_itself() -> None:
    seen: list[str] = []
    work = Says("a", lambda _: seen.append(threading.current_thread().name) or 0.0)  # type: ignore[func-returns-value]
    Schedule([work], 0).ask(ROW)
    schedule = Schedule([work], LONG)
    schedule.ask(ROW, wait=True)
    schedule.ask(ROW)
    schedule.close()
    here = threading.current_thread().name
    assert seen == [here, here, "expert-lane-0"]


@pytest.mark.parametrize("wait", [True, False])
def test_who_is_left_out_is_not_asked_and_has_the_given_status(wait: bool) -> None:
    one, other = Says("one"), Says("other")
    schedule = Schedule([one, other], LONG)
    answers = schedule.ask(ROW, wait, {"one": VoteStatus.LATE})
    assert (answers["one"].status, answers["one"].log_odds) == (VoteStatus.LATE, None)
    assert answers["other"].log_odds == 0.5
    assert list(answers) == ["one", "other"]
    assert (one.asked, other.asked) == (0, 1)
    schedule.close()


def test_steps_run_beside_the_caller() -> None:
    stream = Steps("stream")
    schedule = Schedule([stream, Says("a")], LONG, Way(1))
    for _ in range(3):
        schedule.on_close(ROW)
        schedule.settle()
    assert (stream.rows, stream.stepped) == (3, 0)
    stream.may.release(3)
    assert stream.done.acquire(timeout=WAIT_S)
    schedule.close()


def test_without_lanes_steps_run_at_once_and_their_failure_waits_for_the_vote() -> None:
    class Breaks(Steps):
        def advance(self) -> None:
            raise ValueError("no")

    stream = Breaks("stream")
    schedule = Schedule([stream], 0)
    schedule.on_close(ROW)
    schedule.settle()
    assert stream.rows == 1
    assert schedule.ask(ROW)["stream"].status is VoteStatus.COUNTED


def test_both_schedules_are_measured_and_the_faster_taken() -> None:
    experts = [Says(str(n)) for n in range(3)]
    schedule, report = choose_schedule(experts, LONG, EnsembleSettings(max_workers=2), ROW, ROW)
    assert set(report.measured) == {"one after another", "threads"}
    assert report.measured[report.chosen].p50 == min(timing.p50 for timing in report.measured.values())
    assert report.lanes == {"one after another": 1, "threads": 2}[report.chosen]
    assert all(timing.n == 200 and 0.0 < timing.p50 <= timing.p99 for timing in report.measured.values())
    schedule.close()


@pytest.mark.parametrize(
    ("settings", "deadline", "schedules"),
    [
        (EnsembleSettings(parallel_execution=False), LONG, {"one after another"}),
        (EnsembleSettings(max_workers=1), LONG, {"one after another"}),
        (EnsembleSettings(), 0, set()),
    ],
)
def test_only_what_the_settings_allow_is_measured(
    settings: EnsembleSettings, deadline: int, schedules: set[str]
) -> None:
    schedule, report = choose_schedule([Says("a"), Says("b")], deadline, settings, ROW, ROW)
    assert set(report.measured) == schedules
    schedule.close()


@pytest.fixture(name="loaded")
def make_loaded(tmp_path: Path) -> tuple[tuple[Expert, ...], FusedExperts]:
    """The experts of a bundle, and those with graphs as one."""
    bundle = load_bundle(bundles.written(tmp_path), allow_unsigned=True)
    experts = load_experts(bundle)
    group = fuse_experts(bundle, experts)
    assert group is not None
    return experts, group


def test_fused_votes_are_those_of_the_other_schedules(loaded: tuple[tuple[Expert, ...], FusedExperts]) -> None:
    experts, group = loaded
    fused, apart = Schedule(experts, LONG, Way(1, group)), Schedule(experts, 0)
    chance = np.random.default_rng(1)
    for _ in range(20):
        fused.on_close(chance.normal(0.0, 1.0, bundles.F).astype(np.float32))
        context = chance.normal(0.0, 1.0, bundles.C).astype(np.float32)
        assert fused.ask(context) == apart.ask(context)
        assert list(fused.ask(context)) == list(bundles.EXPERTS)
        fused.settle()
    assert fused.fused
    fused.close()


def test_when_the_fused_run_is_late_its_experts_are_late_once_and_apart_from_then_on(
    loaded: tuple[tuple[Expert, ...], FusedExperts], monkeypatch: pytest.MonkeyPatch
) -> None:
    experts, group = loaded
    close, context = np.full(bundles.F, 0.1, dtype=np.float32), np.full(bundles.C, 0.1, dtype=np.float32)
    schedule = Schedule(experts, SOON, Way(1, group))
    released, ended, vote = threading.Event(), threading.Event(), group.vote

    def slow(context: Row) -> list[float] | None:
        assert released.wait(WAIT_S)
        said = vote(context)
        ended.set()
        return said

    monkeypatch.setattr(group, "vote", slow)
    schedule.on_close(close)
    answers = schedule.ask(context)
    late = {name for name, answer in answers.items() if answer.status is VoteStatus.LATE}
    assert late == {expert.name for expert in group.experts}
    assert answers["logistic"].status is VoteStatus.COUNTED
    assert {answer.status for answer in schedule.ask(context).values()} == {VoteStatus.LATE, VoteStatus.COUNTED}
    released.set()
    assert ended.wait(WAIT_S)
    assert not schedule.fused
    schedule._voting.clear()
    schedule._deadline_ns = LONG
    assert {answer.status for answer in schedule.ask(context).values()} == {VoteStatus.COUNTED}
    schedule.close()


def test_all_three_schedules_are_measured_where_graphs_can_be_fused(
    loaded: tuple[tuple[Expert, ...], FusedExperts],
) -> None:
    experts, group = loaded
    before = [expert.snapshot() for expert in experts]
    close, context = np.full(bundles.F, 0.1, dtype=np.float32), np.full(bundles.C, 0.1, dtype=np.float32)
    schedule, report = choose_schedule(experts, LONG, EnsembleSettings(), close, context, group)
    assert set(report.measured) == {"one after another", "threads", "fused"}
    assert report.measured[report.chosen].p50 == min(timing.p50 for timing in report.measured.values())
    assert schedule.fused == (report.chosen == "fused")
    assert [expert.snapshot() for expert in experts] == before
    schedule.close()


def test_a_fused_run_that_takes_half_the_deadline_is_not_chosen(
    loaded: tuple[tuple[Expert, ...], FusedExperts],
) -> None:
    experts, group = loaded
    close, context = np.full(bundles.F, 0.1, dtype=np.float32), np.full(bundles.C, 0.1, dtype=np.float32)
    schedule, report = choose_schedule(experts, 2, EnsembleSettings(), close, context, group)
    assert "fused" in report.measured
    assert report.chosen != "fused"
    assert not schedule.fused
    schedule.close()


@pytest.mark.parametrize("name", ["one after another", "threads", "fused"])
def test_a_schedule_that_is_asked_for_is_taken_and_measured(
    loaded: tuple[tuple[Expert, ...], FusedExperts], name: Literal["one after another", "threads", "fused"]
) -> None:
    experts, group = loaded
    close, context = np.full(bundles.F, 0.1, dtype=np.float32), np.full(bundles.C, 0.1, dtype=np.float32)
    schedule, report = choose_schedule(experts, LONG, EnsembleSettings(schedule=name), close, context, group)
    assert (report.chosen, set(report.measured)) == (name, {name})
    assert schedule.fused == (name == "fused")
    schedule.close()


def test_a_schedule_that_can_not_be_had_is_refused() -> None:
    with pytest.raises(ConfigError, match="schedule is 'fused', which these .* allow 'one after another', 'threads'"):
        choose_schedule([Says("a"), Says("b")], LONG, EnsembleSettings(schedule="fused"), ROW, ROW)

"""The circuit breaker, transition by transition."""

from __future__ import annotations

from typing import Any

import pytest

from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.errors import JournalError
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, severity
from smc_trading_agent.domain.types import BreakerChange
from smc_trading_agent.risk_manager.circuit_breaker import MAX_RELAPSES, CircuitBreaker
from tests.factories import risk_settings

NS = 1_000_000_000
S, C = BreakerState, BreakerCause
COOL_DOWN, PROBE_TIMEOUT = 100, 500


class Bench:
    """A breaker, its clock in seconds, and what it recorded with the state at that moment."""

    def __init__(self, **changes: Any) -> None:
        limits = {"cool_down_seconds": COOL_DOWN, "probe_timeout_seconds": PROBE_TIMEOUT, "probe_orders": 2} | changes
        self.settings = risk_settings(**limits)
        self.clock = MarketClock(1_000 * NS)
        self.recorded: list[tuple[BreakerChange, BreakerState]] = []
        self.breaker = CircuitBreaker(self.settings, self.clock, self._record)

    def _record(self, change: BreakerChange) -> None:
        self.recorded.append((change, self.breaker.state))

    def wait(self, seconds: float) -> None:
        self.clock.advance_to(self.clock.now() + round(seconds * NS))

    def restart(self) -> None:
        saved = self.breaker.snapshot()
        self.breaker = CircuitBreaker(self.settings, self.clock, self._record)
        self.breaker.restore(saved)

    def probe(self) -> None:
        self.breaker.probe_sent()
        self.breaker.tick(working_entries=1)
        self.breaker.tick(working_entries=0)

    def to(self, state: BreakerState) -> Bench:
        """Leads the breaker to ``state`` by the ways that exist."""
        if state is S.STARTING:
            return self
        self.breaker.ready()
        if state is S.HALF_OPEN:
            return self
        self.probe()
        self.probe()
        if state is not S.ACTIVE:
            self.breaker.trip(state, C.OPERATOR, "test")
            self.breaker.clear(C.OPERATOR)
        assert self.breaker.state is state
        return self


@pytest.mark.parametrize(
    ("state", "grow", "shrink", "factor"),
    [
        (S.STARTING, False, False, 1.0),
        (S.ACTIVE, True, True, 1.0),
        (S.HALF_OPEN, True, True, 0.5),
        (S.REDUCING, False, True, 1.0),
        (S.HALTED, False, True, 1.0),
        (S.KILLED, False, True, 1.0),
    ],
)
def test_what_each_state_lets_through(state: BreakerState, grow: bool, shrink: bool, factor: float) -> None:
    breaker = Bench().to(state).breaker
    assert (breaker.lets_exposure_grow, breaker.lets_exposure_shrink, breaker.size_factor) == (grow, shrink, factor)


def test_the_first_start_ever_probes() -> None:
    bench = Bench()
    bench.breaker.ready()
    assert bench.breaker.state is S.HALF_OPEN
    assert [(c.before, c.after, c.cause) for c, _ in bench.recorded] == [(S.STARTING, S.HALF_OPEN, C.STARTUP)]


@pytest.mark.parametrize("state", [s for s in S if s is not S.STARTING])
def test_ready_says_nothing_to_a_breaker_that_has_started(state: BreakerState) -> None:
    bench = Bench().to(state)
    bench.recorded.clear()
    bench.breaker.ready()
    assert bench.breaker.state is state
    assert bench.recorded == []


def test_a_loss_noticed_while_starting_is_where_the_start_ends() -> None:
    bench = Bench()
    bench.breaker.trip(S.REDUCING, C.DAILY_LOSS, "before the start was over")
    assert bench.breaker.state is S.STARTING
    bench.breaker.ready()
    assert bench.breaker.state is S.REDUCING
    bench.wait(10 * COOL_DOWN)
    bench.breaker.tick(0)
    assert bench.breaker.state is S.REDUCING


@pytest.mark.parametrize("state", [S.HALTED, S.KILLED])
def test_a_break_noticed_while_starting_ends_the_start_at_once(state: BreakerState) -> None:
    bench = Bench()
    bench.breaker.trip(state, C.RECONCILIATION, "the books differ")
    bench.breaker.ready()
    assert bench.breaker.state is state


TRIPS = [S.REDUCING, S.HALTED, S.KILLED]


@pytest.mark.parametrize("first", TRIPS)
@pytest.mark.parametrize("second", TRIPS)
def test_of_two_triggers_the_more_severe_holds(first: BreakerState, second: BreakerState) -> None:
    bench = Bench().to(S.ACTIVE)
    bench.breaker.trip(first, C.DAILY_LOSS, "one")
    bench.breaker.trip(second, C.DRAWDOWN, "two")
    assert bench.breaker.state is max(first, second, key=severity)
    assert bench.breaker.causes == {"daily_loss": "one", "drawdown": "two"}


@pytest.mark.parametrize("after", TRIPS)
@pytest.mark.parametrize("before", [s for s in S if s is not S.STARTING])
def test_a_change_is_recorded_before_it_takes_effect(before: BreakerState, after: BreakerState) -> None:
    bench = Bench().to(before)
    bench.breaker.drain()
    bench.recorded.clear()
    bench.breaker.trip(after, C.EXECUTION_ERROR, "why", actor="someone")
    if severity(after) <= severity(before):
        assert (bench.breaker.state, bench.recorded, bench.breaker.drain()) == (before, [], [])
        return
    change = BreakerChange(bench.clock.now(), before, after, C.EXECUTION_ERROR, "why", "someone")
    assert bench.recorded == [(change, before)]
    assert bench.breaker.drain() == [change]
    assert bench.breaker.drain() == []
    assert bench.breaker.state is after


def test_a_change_that_can_not_be_recorded_does_not_take_effect() -> None:
    def full_disk(_: BreakerChange) -> None:
        raise JournalError("no space left")

    breaker = CircuitBreaker(risk_settings(), MarketClock(), full_disk)
    for attempt in (breaker.ready, lambda: breaker.trip(S.KILLED, C.OPERATOR, "stop")):
        with pytest.raises(JournalError):
            attempt()
        assert breaker.state is S.STARTING
        assert breaker.drain() == []


@pytest.mark.parametrize("state", list(S))
def test_a_restart_keeps_the_state_and_all_that_it_rests_on(state: BreakerState) -> None:
    bench = Bench().to(state)
    bench.breaker.trip(S.REDUCING, C.DAILY_LOSS, "remembered")
    saved, causes, held = bench.breaker.snapshot(), bench.breaker.causes, bench.breaker.state
    bench.restart()
    assert bench.breaker.snapshot() == saved
    assert (bench.breaker.state, bench.breaker.causes) == (held, causes)
    assert bench.breaker.drain() == []


def test_killed_is_latched() -> None:
    bench = Bench().to(S.KILLED)
    for escape in (
        bench.breaker.ready,
        lambda: bench.breaker.rearm("someone", "please"),
        lambda: bench.breaker.clear(C.OPERATOR),
        lambda: bench.breaker.trip(S.REDUCING, C.OPERATOR, "less"),
        lambda: bench.breaker.tick(0),
        bench.restart,
    ):
        escape()
        bench.wait(365 * 86_400)
        bench.breaker.tick(0)
        assert bench.breaker.state is S.KILLED


def test_halted_waits_for_a_person_who_says_why() -> None:
    bench = Bench().to(S.HALTED)
    bench.breaker.trip(S.HALTED, C.DRAWDOWN, "deep")
    bench.wait(365 * 86_400)
    bench.breaker.tick(0)
    assert bench.breaker.state is S.HALTED
    bench.breaker.rearm("ada", "the feed was fixed")
    assert bench.breaker.state is S.HALF_OPEN
    assert bench.breaker.causes == {}
    change, _ = bench.recorded[-1]
    assert (change.cause, change.actor, change.detail) == (C.OPERATOR, "ada", "the feed was fixed")


@pytest.mark.parametrize("state", [s for s in S if s is not S.HALTED])
def test_there_is_nothing_to_rearm_but_a_halt(state: BreakerState) -> None:
    bench = Bench().to(state)
    bench.breaker.rearm("ada", "why not")
    assert bench.breaker.state is state


def test_reducing_ends_when_both_its_causes_and_its_cool_down_are_over() -> None:
    bench = Bench().to(S.ACTIVE)
    bench.breaker.trip(S.REDUCING, C.DAILY_LOSS, "")
    bench.breaker.trip(S.REDUCING, C.UNKNOWN_ORDERS, "")
    bench.wait(COOL_DOWN)
    bench.breaker.clear(C.DAILY_LOSS)
    bench.breaker.tick(0)
    assert bench.breaker.state is S.REDUCING
    bench.breaker.clear(C.UNKNOWN_ORDERS)
    bench.breaker.tick(0)
    assert bench.breaker.state is S.HALF_OPEN


@pytest.mark.parametrize(("nanoseconds", "state"), [(-1, S.REDUCING), (0, S.HALF_OPEN), (1, S.HALF_OPEN)])
def test_the_cool_down_is_over_to_the_nanosecond(nanoseconds: int, state: BreakerState) -> None:
    bench = Bench().to(S.REDUCING)
    bench.clock.advance_to(bench.clock.now() + COOL_DOWN * NS + nanoseconds)
    bench.breaker.tick(0)
    assert bench.breaker.state is state


def test_each_relapse_doubles_the_cool_down_up_to_a_cap_and_success_forgives() -> None:
    bench = Bench().to(S.ACTIVE)
    bench.breaker.trip(S.REDUCING, C.DAILY_LOSS, "")
    for relapse in range(MAX_RELAPSES + 3):
        bench.breaker.clear(C.DAILY_LOSS)
        wait = COOL_DOWN * 2 ** min(relapse, MAX_RELAPSES)
        bench.wait(wait - 1)
        bench.restart()
        bench.breaker.tick(0)
        assert bench.breaker.state is S.REDUCING, relapse
        bench.wait(1)
        bench.breaker.tick(0)
        assert bench.breaker.state is S.HALF_OPEN, relapse
        bench.breaker.trip(S.REDUCING, C.DAILY_LOSS, "")
    bench.breaker.clear(C.DAILY_LOSS)
    bench.wait(COOL_DOWN * 2**MAX_RELAPSES)
    bench.breaker.tick(0)
    bench.probe()
    bench.probe()
    assert bench.breaker.state is S.ACTIVE
    bench.breaker.trip(S.REDUCING, C.DAILY_LOSS, "")
    bench.breaker.clear(C.DAILY_LOSS)
    bench.wait(COOL_DOWN)
    bench.breaker.tick(0)
    assert bench.breaker.state is S.HALF_OPEN


def test_it_takes_every_probe_and_each_must_have_ended() -> None:
    bench = Bench(probe_orders=3).to(S.HALF_OPEN)
    bench.breaker.tick(0)
    assert bench.breaker.state is S.HALF_OPEN
    bench.probe()
    bench.probe()
    bench.breaker.probe_sent()
    bench.breaker.tick(working_entries=1)
    bench.restart()
    assert bench.breaker.state is S.HALF_OPEN
    bench.breaker.tick(working_entries=0)
    assert bench.breaker.state is S.ACTIVE


@pytest.mark.parametrize(("seconds", "state"), [(PROBE_TIMEOUT, S.HALF_OPEN), (PROBE_TIMEOUT + 1, S.REDUCING)])
def test_a_probe_that_hangs_opens_the_breaker_again(seconds: int, state: BreakerState) -> None:
    bench = Bench().to(S.HALF_OPEN)
    bench.breaker.probe_sent()
    bench.restart()
    bench.wait(seconds)
    bench.breaker.tick(working_entries=1)
    assert bench.breaker.state is state
    if state is S.REDUCING:
        assert bench.recorded[-1][0].cause is C.PROBE_HANGS


def test_a_second_start_of_half_open_counts_its_own_probes() -> None:
    bench = Bench().to(S.HALF_OPEN)
    bench.probe()
    bench.breaker.trip(S.HALTED, C.OPERATOR, "")
    bench.breaker.rearm("ada", "again")
    bench.probe()
    assert bench.breaker.state is S.HALF_OPEN
    bench.probe()
    assert bench.breaker.state is S.ACTIVE


def test_entries_in_other_states_are_no_probes() -> None:
    bench = Bench().to(S.REDUCING)
    bench.breaker.probe_sent()
    bench.breaker.probe_sent()
    bench.wait(COOL_DOWN)
    bench.breaker.tick(0)
    bench.breaker.tick(0)
    assert bench.breaker.state is S.HALF_OPEN


def test_what_holds_the_breaker_is_told_and_can_not_be_edited() -> None:
    bench = Bench().to(S.ACTIVE)
    bench.breaker.trip(S.REDUCING, C.DAILY_LOSS, "5 %")
    bench.breaker.causes.clear()
    assert bench.breaker.causes == {"daily_loss": "5 %"}
    bench.breaker.clear(C.DRAWDOWN)
    assert bench.breaker.causes == {"daily_loss": "5 %"}

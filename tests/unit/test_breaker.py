"""The circuit breaker, transition by transition."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from smc_trading_agent.domain.breaker_settings import BreakerSettings
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.errors import BreakerRefusal, JournalError
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, severity
from smc_trading_agent.domain.types import BreakerChange
from smc_trading_agent.risk_manager.breaker_scope import MAX_RELAPSES
from smc_trading_agent.risk_manager.circuit_breaker import CircuitBreaker
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
        (S.KILLED, False, False, 1.0),
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
    change = BreakerChange(bench.clock.now(), before, after, C.EXECUTION_ERROR, "why", "someone", "account:any")
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
        lambda: bench.breaker.rearm("someone", "please, once more"),
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


@pytest.mark.parametrize("state", [S.STARTING, S.ACTIVE, S.HALF_OPEN])
def test_there_is_nothing_to_rearm_where_nothing_holds(state: BreakerState) -> None:
    bench = Bench().to(state)
    with pytest.raises(BreakerRefusal, match=f"the breaker is {state.value}"):
        bench.breaker.rearm("ada", "why not")
    assert bench.breaker.state is state


@pytest.mark.parametrize(("actor", "reason"), [("", "why"), (" ", "why"), ("system", "why"), ("ada", ""), ("ada", " ")])
def test_a_rearm_needs_a_person_and_a_reason(actor: str, reason: str) -> None:
    bench = Bench().to(S.HALTED)
    with pytest.raises(BreakerRefusal, match="a person and a reason"):
        bench.breaker.rearm(actor, reason)
    assert bench.breaker.state is S.HALTED


def test_no_word_ends_a_halt_whose_condition_lasts() -> None:
    bench = Bench().to(S.ACTIVE)
    bench.breaker.trip(S.HALTED, C.DAILY_LOSS, "6 %")
    with pytest.raises(BreakerRefusal, match="daily_loss: 6 %"):
        bench.breaker.rearm("ada", "I know")
    bench.breaker.clear(C.DAILY_LOSS)
    bench.breaker.rearm("ada", "a new day")
    assert bench.breaker.state is S.HALF_OPEN


def test_what_a_reconciliation_finds_now_decides_and_not_what_it_found_then() -> None:
    bench = Bench().to(S.ACTIVE)
    bench.breaker.trip(S.HALTED, C.RECONCILIATION, "position: ours 1, the venue's 2")
    with pytest.raises(BreakerRefusal, match="the books differ: still"):
        bench.breaker.rearm("ada", "looked into", differences=["still"])
    bench.breaker.rearm("ada", "looked into")
    assert (bench.breaker.state, bench.breaker.causes) == (S.HALF_OPEN, {})


def test_in_reducing_a_person_takes_note_and_the_cool_down_goes_on() -> None:
    bench = Bench().to(S.ACTIVE)
    bench.breaker.trip(S.REDUCING, C.OPERATOR, "lunch", "ada")
    bench.wait(COOL_DOWN)
    bench.breaker.tick(0)
    assert bench.breaker.state is S.REDUCING
    bench.breaker.rearm("ada", "back")
    assert (bench.breaker.state, bench.breaker.causes) == (S.REDUCING, {})
    bench.breaker.tick(0)
    assert bench.breaker.state is S.HALF_OPEN


def test_two_people_end_a_kill_and_a_new_epoch_begins() -> None:
    bench = Bench().to(S.KILLED)
    assert bench.breaker.rearm("ada", "the bug is found").startswith("killed: ada wants it to end")
    bench.restart()
    assert bench.breaker.state is S.KILLED
    assert bench.breaker.rearm("grace", "the fix is deployed") == "starting: epoch 1, by grace and ada"
    assert (bench.breaker.state, bench.breaker.epoch, bench.breaker.causes) == (S.STARTING, 1, {})
    change, _ = bench.recorded[-1]
    assert (change.before, change.after, change.actor) == (S.KILLED, S.STARTING, "grace")
    assert change.detail == "the fix is deployed (with ada)"
    bench.breaker.ready()
    assert bench.breaker.state is S.HALF_OPEN
    bench.breaker.trip(S.REDUCING, C.UNKNOWN_ORDERS, "1")
    assert bench.breaker.state is S.HALTED, "it came from a severe state, and falls back to one"


def test_two_people_do_not_end_a_kill_while_the_books_differ() -> None:
    bench = Bench().to(S.KILLED)
    bench.breaker.rearm("ada", "fixed")
    with pytest.raises(BreakerRefusal, match="the books differ: position"):
        bench.breaker.rearm("grace", "fixed", differences=["position"])
    assert bench.breaker.state is S.KILLED


@pytest.mark.parametrize(("seconds", "state"), [(86_400, S.STARTING), (86_401, S.KILLED)])
def test_the_first_word_holds_for_a_time(seconds: int, state: BreakerState) -> None:
    bench = Bench().to(S.KILLED)
    bench.breaker.rearm("ada", "fixed")
    bench.wait(seconds)
    bench.breaker.rearm("grace", "fixed")
    assert bench.breaker.state is state


@pytest.mark.parametrize(("seconds", "state"), [(300, S.STARTING), (301, S.HALTED)])
def test_a_start_that_takes_too_long_halts(seconds: int, state: BreakerState) -> None:
    bench = Bench()
    bench.breaker.tick(0)
    bench.wait(seconds)
    bench.breaker.tick(0)
    assert bench.breaker.state is state


def test_the_most_severe_scope_on_the_path_decides_and_others_do_not() -> None:
    bench = Bench().to(S.ACTIVE)
    breaker = bench.breaker
    breaker.trip(S.REDUCING, C.OPERATOR, "", "ada", "venue:any")
    breaker.trip(S.HALTED, C.OPERATOR, "", "ada", "strategy:smc")
    breaker.trip(S.KILLED, C.OPERATOR, "", "ada", "strategy:another")
    assert list(breaker.scopes.values()) == [S.ACTIVE, S.REDUCING, S.ACTIVE, S.ACTIVE, S.HALTED]
    assert breaker.state is S.HALTED
    assert breaker.state_on(["global", "strategy:another"]) is S.KILLED
    breaker.rearm("ada", "seen", "strategy:smc")
    assert breaker.state is S.REDUCING
    assert breaker.causes_of("strategy:smc") == {}
    assert breaker.causes_of("strategy:never") == {}
    bench.restart()
    assert list(bench.breaker.scopes.values()) == [S.ACTIVE, S.REDUCING, S.ACTIVE, S.ACTIVE, S.HALF_OPEN]


def test_half_open_lets_its_probes_through_and_no_more() -> None:
    breaker = Bench(probe_orders=2).to(S.HALF_OPEN).breaker
    allowed = []
    for _ in range(3):
        allowed.append(breaker.lets_exposure_grow)
        if breaker.lets_exposure_grow:
            breaker.probe_sent()
    assert allowed == [True, True, False]
    breaker.tick(working_entries=0)
    assert breaker.lets_exposure_grow


def test_half_open_lasts_its_time_also_where_probes_end_well() -> None:
    bench = Bench(breaker=BreakerSettings(half_open_seconds=50)).to(S.HALF_OPEN)
    bench.probe()
    bench.probe()
    assert (bench.breaker.state, bench.breaker.lets_exposure_grow) == (S.HALF_OPEN, False)
    bench.wait(50)
    bench.breaker.tick(0)
    assert bench.breaker.state is S.ACTIVE


def test_causes_must_be_clear_for_a_while_before_reducing_ends() -> None:
    bench = Bench(breaker=BreakerSettings(debounce_seconds=30, half_open_seconds=0)).to(S.ACTIVE)
    bench.breaker.trip(S.REDUCING, C.DAILY_LOSS, "")
    for _ in range(20):
        bench.wait(29)
        bench.breaker.clear(C.DAILY_LOSS)
        bench.breaker.tick(0)
        bench.breaker.trip(S.REDUCING, C.DAILY_LOSS, "")
    bench.breaker.clear(C.DAILY_LOSS)
    bench.wait(29)
    bench.breaker.tick(0)
    assert bench.breaker.state is S.REDUCING
    bench.wait(1)
    bench.breaker.tick(0)
    assert bench.breaker.state is S.HALF_OPEN


def test_one_re_open_too_many_in_a_day_halts_and_a_new_day_counts_from_none() -> None:
    bench = Bench(cool_down_seconds=1, breaker=BreakerSettings(max_reopens_a_day=2, debounce_seconds=0)).to(S.HALF_OPEN)

    def reopen() -> BreakerState:
        bench.breaker.trip(S.REDUCING, C.DAILY_LOSS, "")
        fell_to = bench.breaker.state
        bench.breaker.clear(C.DAILY_LOSS)
        bench.wait(64)
        bench.restart()
        bench.breaker.tick(0)
        return fell_to

    assert [reopen(), reopen()] == [S.REDUCING, S.REDUCING]
    bench.wait(86_400)
    assert [reopen(), reopen(), reopen()] == [S.REDUCING, S.REDUCING, S.HALTED]
    assert bench.recorded[-1][0].cause is C.REOPENED_TOO_OFTEN
    assert bench.breaker.state is S.HALTED


@pytest.mark.parametrize("round_", range(20))
def test_of_two_triggers_at_once_from_two_threads_the_more_severe_holds(round_: int) -> None:
    bench, together = Bench().to(S.ACTIVE), threading.Barrier(2)

    def trip(state: BreakerState, cause: BreakerCause) -> None:
        together.wait()
        bench.breaker.trip(state, cause, "")

    racing = [(S.REDUCING, C.DAILY_LOSS), (S.HALTED, C.DRAWDOWN)][:: 1 if round_ % 2 else -1]
    threads = [threading.Thread(target=trip, args=pair) for pair in racing]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.breaker.state is S.HALTED
    path = [change.before for change, _ in bench.recorded] + [bench.breaker.state]
    assert path[-len(bench.recorded) :] == [change.after for change, _ in bench.recorded]


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
    patient = BreakerSettings(debounce_seconds=0, half_open_seconds=0, max_reopens_a_day=100)
    bench = Bench(breaker=patient).to(S.ACTIVE)
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


def test_of_two_probes_the_older_one_is_timed() -> None:
    bench = Bench(probe_orders=2).to(S.HALF_OPEN)
    bench.breaker.probe_sent()
    bench.wait(PROBE_TIMEOUT)
    bench.breaker.probe_sent()
    bench.breaker.tick(working_entries=2)
    assert bench.breaker.state is S.HALF_OPEN
    bench.wait(1)
    bench.breaker.tick(working_entries=2)
    assert bench.breaker.state is S.REDUCING


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

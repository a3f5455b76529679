"""The circuit breaker under any sequence of events, scope by scope, against the plain model of `tests.breaker_model`.

The ten things it owes: 1 severity falls only by the listed ways and authority; 2 journalled before it takes effect;
3 a restart resumes what was kept; 4 cancels are never asked about (`test_coordinator`, `test_kill_switch`); 5 half-open
ends; 6 too many re-opens a day halt; 7 flapping is debounced; 8 blocking is immediate: no rule below waits for it;
9 of two triggers the more severe holds; 10 an open breaker is alive (`test_api_contract`).
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smc_trading_agent.domain.breaker import SYSTEM, scope_path
from smc_trading_agent.domain.breaker_settings import BreakerSettings
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.errors import BreakerRefusal, JournalError
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, severity
from smc_trading_agent.domain.types import BreakerChange
from smc_trading_agent.risk_manager.circuit_breaker import CircuitBreaker
from tests.breaker_model import Model, Terms, worst
from tests.factories import risk_settings

NS = 1_000_000_000
S = BreakerState
TERMS = Terms()
LIMITS = risk_settings(
    cool_down_seconds=TERMS.cool_down,
    probe_timeout_seconds=TERMS.probe_timeout,
    probe_orders=TERMS.probes,
    breaker=BreakerSettings(
        debounce_seconds=TERMS.debounce,
        half_open_seconds=TERMS.half_open,
        max_reopens_a_day=TERMS.reopens,
        approval_seconds=TERMS.approval,
        start_seconds=TERMS.start,
    ),
)
PATH = scope_path("binance", "paper", "BTCUSDT")
ACCOUNT = PATH[2]
TRIPS = [S.REDUCING, S.HALTED, S.KILLED]
CAUSES = [BreakerCause.DAILY_LOSS, BreakerCause.DRAWDOWN, BreakerCause.UNKNOWN_ORDERS, BreakerCause.EXECUTION_ERROR]
PEOPLE = ["ada", "grace"]
FIRST = 10 * 86_400
# Most histories should be long ones: what ends them, or waits for a person, is drawn one time in eight.
RARE = st.integers(0, 7).map(lambda roll: roll == 5)
SCOPES = st.sampled_from([ACCOUNT, ACCOUNT, ACCOUNT, *PATH])

# The only ways down, each with the people that it needs.
WAYS_DOWN = {
    (S.STARTING, S.HALF_OPEN): 0,
    (S.STARTING, S.REDUCING): 0,
    (S.REDUCING, S.HALF_OPEN): 0,
    (S.HALF_OPEN, S.ACTIVE): 0,
    (S.HALTED, S.HALF_OPEN): 1,
    (S.KILLED, S.STARTING): 2,
}


class BreakerMachine(RuleBasedStateMachine):
    """Everything that can happen to a breaker, done to it and to a model of each scope."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = MarketClock(FIRST * NS)
        self.recorded: list[BreakerChange] = []
        self.told: list[BreakerChange] = []
        self.disk_full = False
        self.breaker = self.new()
        self.models = {scope: Model(TERMS) for scope in PATH}
        self.models[ACCOUNT].state = S.STARTING
        self.models[ACCOUNT].entered = FIRST
        self.breaker.tick(0)

    def new(self) -> CircuitBreaker:
        return CircuitBreaker(LIMITS, self.clock, self.record, PATH)

    def record(self, change: BreakerChange) -> None:
        assert self.breaker.state_on([change.scope]) is change.before, "recorded after it took effect"
        if self.disk_full:
            raise JournalError("no space left")
        self.recorded.append(change)

    @property
    def now(self) -> int:
        return self.clock.now() // NS

    @initialize(begin=st.sampled_from(["starting", "started", "proven"]))
    def start(self, begin: str) -> None:
        """Some histories begin past the start, or with all probes ended."""
        if begin != "starting":
            self.ready()
        if begin == "proven":
            self.all_probes_end()

    @rule(seconds=st.one_of(st.integers(0, 60), st.sampled_from([30, 100, 200, 351, 1_001, 6_400, 86_400])))
    def wait(self, seconds: int) -> None:
        self.clock.advance_to(self.clock.now() + seconds * NS)

    @rule()
    def ready(self) -> None:
        self.breaker.ready()
        for model in self.models.values():
            model.ready(self.now)

    def trip(self, wanted: BreakerState, cause: BreakerCause, scope: str) -> None:
        before = self.breaker.state_on([scope])
        self.breaker.trip(wanted, cause, "any", scope=scope)
        self.models[scope].trip(wanted, cause.value, self.now)
        if before is not S.STARTING or wanted is not S.REDUCING:
            assert severity(self.breaker.state_on([scope])) >= severity(wanted), "a trigger blocks at once"

    @rule(cause=st.sampled_from(CAUSES), scope=SCOPES)
    def lose(self, cause: BreakerCause, scope: str) -> None:
        self.trip(S.REDUCING, cause, scope)

    @rule(cause=st.sampled_from(CAUSES), scope=SCOPES, wanted=st.sampled_from([S.HALTED, S.KILLED]), rare=RARE)
    def halt_or_kill(self, cause: BreakerCause, scope: str, wanted: BreakerState, rare: bool) -> None:
        if rare:
            self.trip(wanted, cause, scope)

    @rule(states=st.permutations(TRIPS), scope=SCOPES, rare=RARE)
    def two_triggers(self, states: list[BreakerState], scope: str, rare: bool) -> None:
        if rare:
            for state, cause in zip(states[:2], CAUSES, strict=False):
                self.trip(state, cause, scope)
            assert severity(self.breaker.state) >= max(severity(state) for state in states[:2])

    @rule(cause=st.sampled_from(CAUSES), scope=SCOPES)
    def clear(self, cause: BreakerCause, scope: str) -> None:
        self.breaker.clear(cause, scope)
        self.models[scope].clear(cause.value, self.now)

    @rule(scope=SCOPES)
    def all_clear(self, scope: str) -> None:
        for cause in CAUSES:
            self.clear(cause, scope)

    @precondition(lambda self: self.breaker.state is S.REDUCING)
    @rule(early=st.booleans())
    def wait_out_the_cool_down(self, early: bool) -> None:
        """To the last second before it, or to the second itself."""
        for scope in PATH:
            self.all_clear(scope)
        waiting = [model for model in self.models.values() if model.state is S.REDUCING]
        over = max(model.entered + TERMS.cool_down * 2 ** min(model.relapses, TERMS.doublings) for model in waiting)
        over = max(over, self.now + TERMS.debounce)
        self.clock.advance_to((over - early) * NS)
        self.tick(working=0)

    @rule(actor=st.sampled_from([*PEOPLE, SYSTEM, " "]), scope=SCOPES, differ=RARE)
    def rearm(self, actor: str, scope: str, differ: bool) -> None:
        try:
            self.breaker.rearm(actor, "a reason", scope, ["position"] if differ else [])
        except BreakerRefusal:
            taken = False
        else:
            taken = True
        wanted = actor in PEOPLE and self.models[scope].rearm(actor, differ, self.now)
        assert taken is wanted

    @rule(scope=SCOPES)
    def rearm_without_a_reason(self, scope: str) -> None:
        before = self.breaker.snapshot()
        try:
            self.breaker.rearm("ada", " ", scope)
        except BreakerRefusal:
            assert self.breaker.snapshot() == before
        else:
            raise AssertionError("a re-arm without a reason was taken")

    @precondition(lambda self: self.breaker.lets_exposure_grow)
    @rule()
    def send_probe(self) -> None:
        self.breaker.probe_sent()
        for model in self.models.values():
            model.probe(self.now)

    @precondition(lambda self: self.breaker.state is S.HALF_OPEN)
    @rule()
    def all_probes_end(self) -> None:
        while self.breaker.lets_exposure_grow and self.breaker.state is S.HALF_OPEN:
            self.send_probe()
        self.wait(TERMS.half_open)
        self.tick(working=0)
        assert self.breaker.state is S.ACTIVE

    @precondition(lambda self: self.breaker.state is S.HALF_OPEN and self.breaker.lets_exposure_grow)
    @rule(times=st.integers(1, 5), early=st.booleans())
    def relapse(self, times: int, early: bool) -> None:
        """Straight back to where it came from, some times over."""
        for _ in range(times):
            self.lose(BreakerCause.DAILY_LOSS, ACCOUNT)
            if self.breaker.state is S.REDUCING:
                self.wait_out_the_cool_down(early)

    @rule(working=st.integers(0, 1))
    def tick(self, working: int) -> None:
        self.breaker.tick(working)
        for model in self.models.values():
            model.tick(working, self.now)

    @precondition(lambda self: self.breaker.state is S.HALF_OPEN)
    @rule(gap=st.integers(1, TERMS.probe_timeout))
    def leave_the_older_of_two_probes_hanging(self, gap: int) -> None:
        while self.breaker.lets_exposure_grow and self.breaker.state is S.HALF_OPEN:
            self.send_probe()
            self.wait(gap)
        self.wait(TERMS.probe_timeout + 1 - gap)
        self.tick(working=1)

    @rule()
    def leave_a_probe_hanging(self) -> None:
        """Half-open ends, whatever the venue does with its probes."""
        if self.breaker.state is not S.HALF_OPEN or not self.breaker.lets_exposure_grow:
            return
        self.send_probe()
        self.wait(TERMS.probe_timeout + 1)
        self.tick(working=1)
        assert self.breaker.state is not S.HALF_OPEN

    @precondition(lambda self: self.breaker.state_on([ACCOUNT]) is S.ACTIVE)
    @rule(gaps=st.lists(st.integers(0, TERMS.debounce - 1), min_size=1, max_size=12))
    def flap(self, gaps: list[int]) -> None:
        """Input that comes and goes faster than the debounce makes one transition, however long it goes on."""
        before = sum(change.scope == ACCOUNT for change in self.recorded)
        for gap in gaps:
            self.lose(BreakerCause.DAILY_LOSS, ACCOUNT)
            self.wait(gap)
            self.clear(BreakerCause.DAILY_LOSS, ACCOUNT)
            self.tick(working=0)
        assert sum(change.scope == ACCOUNT for change in self.recorded) == before + 1

    @rule()
    def restart(self) -> None:
        saved = self.breaker.snapshot()
        self.breaker = self.new()
        self.breaker.restore(saved)
        assert self.breaker.snapshot() == saved

    @rule(wanted=st.sampled_from(TRIPS), scope=SCOPES)
    def trip_with_a_full_disk(self, wanted: BreakerState, scope: str) -> None:
        """What can't be journalled does not take effect; the cause is known all the same."""
        before, model = self.breaker.state_on([scope]), self.models[scope]
        self.disk_full = True
        try:
            self.breaker.trip(wanted, BreakerCause.EXECUTION_ERROR, "disk", scope=scope)
        except JournalError:
            assert severity(wanted) > severity(before)
        else:
            model.after_start = S.REDUCING if before is S.STARTING and wanted is S.REDUCING else model.after_start
        self.disk_full = False
        model.causes.add(BreakerCause.EXECUTION_ERROR.value)
        assert self.breaker.state_on([scope]) is before

    @invariant()
    def every_scope_is_where_its_model_is(self) -> None:
        assert list(self.breaker.scopes.values()) == [model.state for model in self.models.values()]
        for scope, model in self.models.items():
            assert set(self.breaker.causes_of(scope)) == model.causes
        assert self.breaker.epoch == sum(model.epoch for model in self.models.values())

    @invariant()
    def an_order_may_do_what_all_on_its_path_let_it(self) -> None:
        models = list(self.models.values())
        assert self.breaker.state is worst(models)
        assert self.breaker.lets_exposure_grow is all(model.grows for model in models)
        assert self.breaker.lets_exposure_shrink is all(model.shrinks for model in models)
        probing = any(model.state is S.HALF_OPEN for model in models)
        assert self.breaker.size_factor == (0.5 if probing else 1.0)

    @invariant()
    def every_change_was_recorded_and_is_told(self) -> None:
        self.told += self.breaker.drain()
        assert self.told == self.recorded
        for scope in PATH:
            mine = [change for change in self.recorded if change.scope == scope]
            path = [S.STARTING if scope == ACCOUNT else S.ACTIVE, *(change.after for change in mine)]
            assert [change.before for change in mine] == path[:-1]
            assert self.breaker.state_on([scope]) is path[-1]

    @invariant()
    def severity_falls_only_by_the_listed_ways(self) -> None:
        for change in self.recorded:
            assert change.before is not change.after
            if severity(change.after) < severity(change.before):
                people = WAYS_DOWN[change.before, change.after]
                assert (change.actor == SYSTEM) is (people == 0), change
                if people == 2:
                    assert sum(person in f"{change.actor} {change.detail}" for person in PEOPLE) == 2, change


BreakerMachine.TestCase.settings = settings(max_examples=250, stateful_step_count=40)
TestBreaker = BreakerMachine.TestCase

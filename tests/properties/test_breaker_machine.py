"""The circuit breaker under any sequence of events, against a model of what each state owes."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.errors import JournalError
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, severity
from smc_trading_agent.domain.types import BreakerChange
from smc_trading_agent.risk_manager.circuit_breaker import CircuitBreaker
from tests.factories import risk_settings

NS = 1_000_000_000
S = BreakerState
COOL_DOWN, PROBE_TIMEOUT, PROBES = 100, 350, 2
LIMITS = risk_settings(cool_down_seconds=COOL_DOWN, probe_timeout_seconds=PROBE_TIMEOUT, probe_orders=PROBES)
TRIPS = [S.REDUCING, S.HALTED, S.KILLED]
TRIGGERS = [BreakerCause.DAILY_LOSS, BreakerCause.DRAWDOWN, BreakerCause.UNKNOWN_ORDERS, BreakerCause.EXECUTION_ERROR]
# Most histories should be long ones: what ends them, or waits for a person, is drawn one time in eight.
RARE = st.integers(0, 7).map(lambda roll: roll == 5)

# The only ways down, each with the authority it needs.
WAYS_DOWN = {
    (S.STARTING, BreakerCause.STARTUP),
    (S.REDUCING, BreakerCause.COOL_DOWN),
    (S.HALF_OPEN, BreakerCause.PROBES_ENDED),
    (S.HALTED, BreakerCause.OPERATOR),
}


class BreakerMachine(RuleBasedStateMachine):
    """Everything that can happen to a breaker; what must follow is stated here on its own."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = MarketClock(NS)
        self.recorded: list[BreakerChange] = []
        self.told: list[BreakerChange] = []
        self.disk_full = False
        self.breaker = self.new()
        self.causes: set[BreakerCause] = set()
        self.rests_at = S.HALF_OPEN
        self.since = 0
        self.relapses = 0
        self.sent = self.ended = self.last_probe = 0
        self.killed = False

    def new(self) -> CircuitBreaker:
        return CircuitBreaker(LIMITS, self.clock, self.record)

    def record(self, change: BreakerChange) -> None:
        assert self.breaker.state is change.before, "recorded after it took effect"
        if self.disk_full:
            raise JournalError("no space left")
        self.recorded.append(change)

    def follow(self) -> list[BreakerChange]:
        """Brings the model up to date with what was told since; every change must have been recorded first."""
        changes = self.breaker.drain()
        self.told += changes
        assert self.told == self.recorded
        for change in changes:
            if change.before is S.HALF_OPEN and change.after is S.REDUCING:
                self.relapses += 1
            if change.after is S.ACTIVE:
                self.relapses = 0
            if change.after is S.HALF_OPEN:
                self.sent = self.ended = 0
            self.since = change.time
        return changes

    def cool_down(self) -> int:
        return COOL_DOWN * NS * 2 ** min(self.relapses, 6)

    @initialize(loss=st.booleans(), begin=st.sampled_from(["starting", "started", "proven"]))
    def start(self, loss: bool, begin: str) -> None:
        """Some histories begin past the start, with a loss that was noticed during it, or with all probes ended."""
        if loss:
            self.lose(BreakerCause.DAILY_LOSS)
        if begin != "starting":
            self.ready()
        if begin == "proven" and not loss:
            self.all_probes_end()

    @rule(seconds=st.one_of(st.integers(0, 60), st.sampled_from([COOL_DOWN, 2 * COOL_DOWN, 64 * COOL_DOWN])))
    def wait(self, seconds: int) -> None:
        self.clock.advance_to(self.clock.now() + seconds * NS)

    @rule()
    def ready(self) -> None:
        before = self.breaker.state
        self.breaker.ready()
        assert self.breaker.state is (self.rests_at if before is S.STARTING else before)
        self.follow()

    @rule(cause=st.sampled_from(TRIGGERS))
    def lose(self, cause: BreakerCause) -> None:
        self.trip(S.REDUCING, cause)

    @rule(cause=st.sampled_from(TRIGGERS), rare=RARE)
    def halt(self, cause: BreakerCause, rare: bool) -> None:
        if rare:
            self.trip(S.HALTED, cause)

    @rule(cause=st.sampled_from(TRIGGERS), rare=RARE)
    def kill(self, cause: BreakerCause, rare: bool) -> None:
        if rare:
            self.trip(S.KILLED, cause)

    def trip(self, wanted: BreakerState, cause: BreakerCause) -> None:
        before = self.breaker.state
        self.breaker.trip(wanted, cause, "any")
        self.causes.add(cause)
        if before is S.STARTING and wanted is S.REDUCING:
            self.rests_at = S.REDUCING
        assert self.breaker.state is max(before, wanted, key=severity)
        assert len(self.follow()) == (self.breaker.state is not before)

    @rule(states=st.permutations([S.REDUCING, S.HALTED]), rare=RARE)
    def two_triggers(self, states: list[BreakerState], rare: bool) -> None:
        if rare:
            for state, cause in zip(states, TRIGGERS, strict=False):
                self.trip(state, cause)
            assert severity(self.breaker.state) >= severity(S.HALTED)

    @rule(cause=st.sampled_from(TRIGGERS))
    def clear(self, cause: BreakerCause) -> None:
        before = self.breaker.state
        self.breaker.clear(cause)
        self.causes.discard(cause)
        assert self.breaker.state is before

    @precondition(lambda self: self.breaker.state is S.REDUCING)
    @rule(all_clear=st.booleans(), early=st.booleans())
    def wait_out_the_cool_down(self, all_clear: bool, early: bool) -> None:
        if all_clear:
            for cause in TRIGGERS:
                self.clear(cause)
        self.clock.advance_to(self.since + self.cool_down() - early)
        self.tick(working=0)

    @rule()
    def rearm(self) -> None:
        before = self.breaker.state
        self.breaker.rearm("a person", "a reason")
        if before is S.HALTED:
            self.causes.clear()
            assert self.breaker.state is S.HALF_OPEN
        else:
            assert self.breaker.state is before
        self.follow()

    @precondition(lambda self: self.breaker.lets_exposure_grow)
    @rule()
    def send_probe(self) -> None:
        self.breaker.probe_sent()
        if self.breaker.state is S.HALF_OPEN:
            self.sent, self.last_probe = self.sent + 1, self.clock.now()

    @precondition(lambda self: self.breaker.state is S.HALF_OPEN)
    @rule()
    def all_probes_end(self) -> None:
        for _ in range(PROBES):
            self.send_probe()
        self.tick(working=0)
        assert self.breaker.state is S.ACTIVE

    @precondition(lambda self: self.breaker.state is S.HALF_OPEN)
    @rule(times=st.integers(1, 3), proven=st.booleans(), early=st.booleans())
    def relapse(self, times: int, proven: bool, early: bool) -> None:
        """Straight back to where it came from, some times over; then perhaps a time that goes well, and once more."""
        for _ in range(times):
            self.send_probe()
            self.lose(BreakerCause.DAILY_LOSS)
            self.wait_out_the_cool_down(all_clear=True, early=False)
        if proven:
            self.all_probes_end()
        self.lose(BreakerCause.DAILY_LOSS)
        self.wait_out_the_cool_down(all_clear=True, early=early)

    @rule(working=st.integers(0, 1))
    def tick(self, working: int) -> None:
        before, now = self.breaker.state, self.clock.now()
        self.breaker.tick(working)
        expected = before
        if before is S.REDUCING:
            cooled = now - self.since >= self.cool_down()
            expected = S.HALF_OPEN if cooled and not self.causes else S.REDUCING
        elif before is S.HALF_OPEN:
            self.ended = self.sent if working == 0 else self.ended
            hangs = self.ended < self.sent and now - self.last_probe > PROBE_TIMEOUT * NS
            expected = S.ACTIVE if self.ended >= PROBES else S.REDUCING if hangs else S.HALF_OPEN
        assert self.breaker.state is expected
        self.follow()

    @rule()
    def leave_a_probe_hanging(self) -> None:
        """Half-open ends, whatever the venue does with its probes."""
        if self.breaker.state is not S.HALF_OPEN:
            return
        self.send_probe()
        self.wait(PROBE_TIMEOUT + 1)
        self.tick(working=1)
        assert self.breaker.state in (S.REDUCING, S.ACTIVE)

    @rule()
    def restart(self) -> None:
        state, causes = self.breaker.state, self.breaker.causes
        saved = self.breaker.snapshot()
        self.breaker = self.new()
        self.breaker.restore(saved)
        assert (self.breaker.state, self.breaker.causes) == (state, causes)
        assert self.breaker.snapshot() == saved

    @rule(wanted=st.sampled_from(TRIPS))
    def trip_with_a_full_disk(self, wanted: BreakerState) -> None:
        before = self.breaker.state
        self.disk_full = True
        try:
            self.breaker.trip(wanted, BreakerCause.EXECUTION_ERROR, "disk")
        except JournalError:
            assert severity(wanted) > severity(before)
        else:
            self.rests_at = max(self.rests_at, wanted, key=severity) if before is S.STARTING else self.rests_at
        self.disk_full = False
        self.causes.add(BreakerCause.EXECUTION_ERROR)
        assert self.breaker.state is before

    @invariant()
    def severity_falls_only_by_the_listed_ways(self) -> None:
        for change in self.recorded:
            if severity(change.after) < severity(change.before):
                assert (change.before, change.cause) in WAYS_DOWN, change
            assert change.before is not change.after

    @invariant()
    def changes_form_one_path(self) -> None:
        path = [S.STARTING, *(change.after for change in self.recorded)]
        assert [change.before for change in self.recorded] == path[:-1]
        assert self.breaker.state is path[-1]

    @invariant()
    def killed_is_the_end(self) -> None:
        self.killed = self.killed or self.breaker.state is S.KILLED
        assert not self.killed or self.breaker.state is S.KILLED

    @invariant()
    def only_active_and_half_open_grow_and_only_starting_does_not_shrink(self) -> None:
        state = self.breaker.state
        assert self.breaker.lets_exposure_grow is (state in (S.ACTIVE, S.HALF_OPEN))
        assert self.breaker.lets_exposure_shrink is (state is not S.STARTING)
        assert self.breaker.size_factor == (0.5 if state is S.HALF_OPEN else 1.0)

    @invariant()
    def causes_are_remembered(self) -> None:
        assert set(self.breaker.causes) == {cause.value for cause in self.causes}


BreakerMachine.TestCase.settings = settings(max_examples=250, stateful_step_count=40)
TestBreaker = BreakerMachine.TestCase

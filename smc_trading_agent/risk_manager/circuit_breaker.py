"""The circuit breaker: six states, journalled before they take effect, never laxer after a restart.

STARTING lets nothing through until the journal is replayed and the venue reconciled. ACTIVE trades.
HALF_OPEN trades smaller until `probe_orders` entries have ended. REDUCING only lets exposure shrink, and goes
to HALF_OPEN by itself when its causes are gone and the cool-down is over; each relapse doubles the cool-down.
HALTED waits for a person. KILLED is latched.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, severity
from smc_trading_agent.domain.settings import RiskSettings
from smc_trading_agent.domain.types import BreakerChange

NS = 1_000_000_000
MAX_RELAPSES = 6
SYSTEM = "system"


class BreakerRecord(msgspec.Struct):
    """What must survive a restart. ``resting`` is the state to go to when STARTING is left."""

    state: BreakerState = BreakerState.STARTING
    resting: BreakerState = BreakerState.HALF_OPEN
    since: int = 0
    causes: dict[str, str] = {}
    relapses: int = 0
    probes_sent: int = 0
    probes_ended: int = 0
    probe_sent_at: int = 0


class CircuitBreaker:
    """One breaker for the account; ``record`` is called with each change before the change takes effect."""

    def __init__(self, settings: RiskSettings, clock: Clock, record: Callable[[BreakerChange], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._journal = record
        self._record = BreakerRecord()
        self._fresh: list[BreakerChange] = []

    @property
    def state(self) -> BreakerState:
        """The present state."""
        return self._record.state

    @property
    def causes(self) -> dict[str, str]:
        """What holds the breaker where it is, by cause."""
        return dict(self._record.causes)

    @property
    def lets_exposure_grow(self) -> bool:
        """Whether an entry may pass."""
        return self.state in (BreakerState.ACTIVE, BreakerState.HALF_OPEN)

    @property
    def lets_exposure_shrink(self) -> bool:
        """Whether an exit may pass; cancels always may."""
        return self.state is not BreakerState.STARTING

    @property
    def size_factor(self) -> float:
        """Share of the normal size that an entry may have."""
        return self._settings.probe_size if self.state is BreakerState.HALF_OPEN else 1.0

    def ready(self) -> None:
        """Leaves STARTING for the state that was persisted, HALF_OPEN on the first start ever."""
        if self.state is not BreakerState.STARTING:
            return
        self._change(self._record.resting, BreakerCause.STARTUP, "replayed and reconciled", SYSTEM)

    def trip(self, state: BreakerState, cause: BreakerCause, detail: str, actor: str = SYSTEM) -> None:
        """Goes to ``state`` unless it is at least as severe already; the cause is remembered either way."""
        self._record.causes[cause.value] = detail
        if self.state is BreakerState.STARTING and severity(state) < severity(BreakerState.HALTED):
            if severity(state) > severity(self._record.resting):
                self._record.resting = state
            return
        if severity(state) > severity(self.state):
            self._change(state, cause, detail, actor)

    def rearm(self, actor: str, reason: str) -> None:
        """A person ends HALTED, with a reason; the breaker then probes in HALF_OPEN. KILLED stays."""
        if self.state is not BreakerState.HALTED:
            return
        self._record.causes.clear()
        self._change(BreakerState.HALF_OPEN, BreakerCause.OPERATOR, reason, actor)

    def clear(self, cause: BreakerCause) -> None:
        """The condition behind a cause is gone; time and probes do the rest."""
        self._record.causes.pop(cause.value, None)

    def probe_sent(self) -> None:
        """An entry was approved in HALF_OPEN."""
        if self.state is BreakerState.HALF_OPEN:
            self._record.probes_sent += 1
            self._record.probe_sent_at = self._clock.now()

    def tick(self, working_entries: int) -> None:
        """Lets time pass: cool-down, probes that ended, probes that hang."""
        record, now = self._record, self._clock.now()
        if record.state is BreakerState.REDUCING:
            if not record.causes and now - record.since >= self._cool_down_ns():
                self._change(BreakerState.HALF_OPEN, BreakerCause.COOL_DOWN, "causes clear, cool-down over", SYSTEM)
            return
        if record.state is not BreakerState.HALF_OPEN:
            return
        if working_entries == 0:
            record.probes_ended = record.probes_sent
        hanging = record.probes_sent > record.probes_ended
        if record.probes_ended >= self._settings.probe_orders:
            record.relapses = 0
            self._change(BreakerState.ACTIVE, BreakerCause.PROBES_ENDED, "probes ended without a trigger", SYSTEM)
        elif hanging and now - record.probe_sent_at > self._settings.probe_timeout_seconds * NS:
            self._change(BreakerState.REDUCING, BreakerCause.PROBE_HANGS, "a probe order hangs", SYSTEM)

    def drain(self) -> list[BreakerChange]:
        """Changes since the last call, in order."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def snapshot(self) -> bytes:
        """The whole state."""
        return msgspec.msgpack.encode(self._record)

    def restore(self, data: bytes) -> None:
        """Takes over a persisted state as it was."""
        self._record = msgspec.msgpack.decode(data, type=BreakerRecord)
        self._fresh = []

    def _cool_down_ns(self) -> float:
        return float(self._settings.cool_down_seconds * NS * 2 ** min(self._record.relapses, MAX_RELAPSES))

    def _change(self, after: BreakerState, cause: BreakerCause, detail: str, actor: str) -> None:
        record = self._record
        change = BreakerChange(self._clock.now(), record.state, after, cause, detail, actor)
        self._journal(change)
        if record.state is BreakerState.HALF_OPEN and after is BreakerState.REDUCING:
            record.relapses += 1
        record.state, record.since = after, change.time
        if after is BreakerState.HALF_OPEN:
            record.probes_sent = record.probes_ended = 0
        self._fresh.append(change)

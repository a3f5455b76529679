"""The breaker of one scope: its state, what holds it there, and when it may go on. Changes go through `propose`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from smc_trading_agent.domain.breaker import SYSTEM, Authority
from smc_trading_agent.domain.errors import BreakerRefusal
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, severity
from smc_trading_agent.domain.settings import RiskSettings
from smc_trading_agent.risk_manager.breaker_table import AUTHORITY, CONDITIONS

NS = 1_000_000_000
DAY_NS = 86_400 * NS
MAX_RELAPSES = 6
S = BreakerState


class ScopeRecord(msgspec.Struct):
    """What must survive a restart. ``resting`` is the state to go to when STARTING is left, ``came_from`` where
    HALF_OPEN falls back to, ``signatures`` the words of those who want KILLED to end: actor to time."""

    state: BreakerState = BreakerState.ACTIVE
    resting: BreakerState = BreakerState.HALF_OPEN
    came_from: BreakerState = BreakerState.REDUCING
    since: int = 0
    clear_since: int = 0
    causes: dict[str, str] = {}
    relapses: int = 0
    day: int = -1
    reopens: int = 0
    probes_sent: int = 0
    probes_ended: int = 0
    probe_sent_at: int = 0
    epoch: int = 0
    signatures: dict[str, int] = {}


Change = Callable[[BreakerState, BreakerCause, str, str], None]
"""Journals a change of state: after, cause, detail, actor. Raises where it can't."""


class ScopeBreaker:
    """One scope; times are those of the caller's clock, in nanoseconds."""

    def __init__(self, settings: RiskSettings, record: ScopeRecord, journal: Change) -> None:
        self._settings = settings
        self._journal = journal
        self.record = record

    @property
    def lets_exposure_grow(self) -> bool:
        """Whether an entry may pass; in HALF_OPEN as long as a probe is left."""
        record = self.record
        if record.state is S.HALF_OPEN:
            return record.probes_sent < self._settings.probe_orders
        return record.state is S.ACTIVE

    @property
    def lets_exposure_shrink(self) -> bool:
        """Whether an exit may pass."""
        return self.record.state not in (S.STARTING, S.KILLED)

    def ready(self, now: int) -> None:
        """Leaves STARTING for the state that was kept."""
        if self.record.state is S.STARTING:
            self._change(self.record.resting, BreakerCause.STARTUP, "replayed and reconciled", SYSTEM, now)

    def trip(self, wanted: BreakerState, cause: BreakerCause, detail: str, actor: str, now: int) -> None:
        """Goes to ``wanted`` unless it is at least as severe already; the cause is remembered either way."""
        record = self.record
        record.causes[cause.value] = detail
        if record.state is S.STARTING and severity(wanted) < severity(S.HALTED):
            record.resting = max(record.resting, wanted, key=severity)
        elif record.state is S.HALF_OPEN and severity(wanted) > severity(S.HALF_OPEN):
            self._reopen(wanted, cause, detail, actor, now)
        elif severity(wanted) > severity(record.state):
            self._change(wanted, cause, detail, actor, now)

    def clear(self, cause: BreakerCause, now: int) -> None:
        """The condition behind a cause is gone; time and probes do the rest."""
        record = self.record
        if record.causes.pop(cause.value, None) is not None and not record.causes:
            record.clear_since = now

    def probe_sent(self, now: int) -> None:
        """An entry was approved; in HALF_OPEN it is a probe; the oldest that is out is timed."""
        record = self.record
        if record.state is S.HALF_OPEN:
            if record.probes_sent == record.probes_ended:
                record.probe_sent_at = now
            record.probes_sent += 1

    def tick(self, working_entries: int, now: int) -> None:
        """Lets time pass: starts that take too long, cool-downs, probes that ended, probes that hang."""
        state = self.record.state
        if state is S.STARTING:
            self._tick_starting(now)
        elif state is S.REDUCING:
            self._tick_reducing(now)
        elif state is S.HALF_OPEN:
            self._tick_half_open(working_entries, now)

    def rearm(self, actor: str, reason: str, differences: tuple[str, ...], now: int) -> str:
        """A person's word; says what it did, raises `BreakerRefusal` where it is not enough or there is nothing to do.

        HALTED needs one person, KILLED two. In REDUCING it takes note of events, and the cool-down goes on.
        """
        if not actor.strip() or actor == SYSTEM or not reason.strip():
            raise BreakerRefusal("a re-arm needs a person and a reason; name both")
        state = self.record.state
        if state is S.KILLED:
            return self._sign(actor, reason, differences, now)
        if state not in (S.HALTED, S.REDUCING):
            raise BreakerRefusal(f"the breaker is {state.value}; only reducing, halted and killed can be re-armed")
        self._demand_clear(differences)
        if state is S.HALTED:
            self._change(S.HALF_OPEN, BreakerCause.OPERATOR, reason, actor, now, Authority.ONE_PERSON)
            self.record.came_from = S.HALTED
        self._take_note(now)
        return f"{self.record.state.value}: re-armed by {actor}"

    def _tick_starting(self, now: int) -> None:
        record, limit = self.record, self._settings.breaker.start_seconds
        record.since = record.since or now
        if now - record.since > limit * NS:
            detail = f"the start took longer than {limit:g} s"
            self.trip(S.HALTED, BreakerCause.START_FAILED, detail, SYSTEM, now)

    def _tick_reducing(self, now: int) -> None:
        record, patience = self.record, self._settings.breaker.debounce_seconds * NS
        if record.causes or now - max(record.clear_since, record.since) < patience:
            return
        if now - record.since >= self._cool_down_ns():
            self._change(S.HALF_OPEN, BreakerCause.COOL_DOWN, "causes clear, cool-down over", SYSTEM, now)
            record.came_from = S.REDUCING

    def _tick_half_open(self, working_entries: int, now: int) -> None:
        record, settings = self.record, self._settings
        if working_entries == 0:
            record.probes_ended = record.probes_sent
        hanging = record.probes_sent > record.probes_ended
        if record.probes_ended >= settings.probe_orders:
            if now - record.since >= settings.breaker.half_open_seconds * NS:
                self._change(S.ACTIVE, BreakerCause.PROBES_ENDED, "probes ended without a trigger", SYSTEM, now)
                record.relapses = 0
        elif hanging and now - record.probe_sent_at > settings.probe_timeout_seconds * NS:
            self._reopen(S.REDUCING, BreakerCause.PROBE_HANGS, "a probe order hangs", SYSTEM, now)

    def _reopen(self, wanted: BreakerState, cause: BreakerCause, detail: str, actor: str, now: int) -> None:
        """HALF_OPEN falls back to where it came from, or to what is more severe; too often a day, to HALTED."""
        record, limit = self.record, self._settings.breaker.max_reopens_a_day
        reopens = record.reopens + 1 if record.day == now // DAY_NS else 1
        after = max(wanted, record.came_from, key=severity)
        if reopens > limit and severity(after) < severity(S.HALTED):
            after, detail = S.HALTED, f"re-opened {reopens} times today, the last by {cause.value}: {detail}"
            cause = BreakerCause.REOPENED_TOO_OFTEN
            record.causes[cause.value] = detail
        self._change(after, cause, detail, actor, now)
        record.day, record.reopens = now // DAY_NS, reopens
        record.relapses += 1

    def _sign(self, actor: str, reason: str, differences: tuple[str, ...], now: int) -> str:
        """The first person's word is kept; a second, different one within its time starts anew."""
        record, patience = self.record, self._settings.breaker.approval_seconds
        if differences:
            raise BreakerRefusal(f"the books differ: {'; '.join(differences)}; killed stays until they agree")
        valid = {name: at for name, at in record.signatures.items() if now - at <= patience * NS}
        others = sorted(name for name in valid if name != actor)
        if not others:
            record.signatures = {actor: now}
            return f"killed: {actor} wants it to end; a second person must too, within {patience:g} s"
        detail = f"{reason} (with {', '.join(others)})"
        self._change(S.STARTING, BreakerCause.OPERATOR, detail, actor, now, Authority.TWO_PEOPLE)
        record.resting, record.came_from = S.HALF_OPEN, S.HALTED
        record.epoch += 1
        self._take_note(now)
        return f"starting: epoch {record.epoch}, by {actor} and {', '.join(others)}"

    def _demand_clear(self, differences: tuple[str, ...]) -> None:
        causes = dict(self.record.causes)
        causes.pop(BreakerCause.RECONCILIATION.value, None)  # what was found then; what is found now decides
        holding = [f"{name}: {detail}" for name, detail in causes.items() if name in CONDITIONS]
        holding += [f"the books differ: {difference}" for difference in differences]
        if holding:
            raise BreakerRefusal(f"what holds it has not ended ({'; '.join(holding)}); re-arm when it has")

    def _take_note(self, now: int) -> None:
        self.record.causes = {}
        self.record.signatures = {}
        self.record.clear_since = now

    def _cool_down_ns(self) -> float:
        return self._settings.cool_down_seconds * NS * 2.0 ** min(self.record.relapses, MAX_RELAPSES)

    def _change(
        self,
        after: BreakerState,
        cause: BreakerCause,
        detail: str,
        actor: str,
        now: int,
        given: Authority = Authority.AUTOMATIC,
    ) -> None:
        """Journals a transition of the table, then makes it. Raises `BreakerRefusal` where the table has no such."""
        record = self.record
        needed = AUTHORITY.get((record.state, after))
        if needed is None or given < needed:
            raise BreakerRefusal(f"{record.state.value} can't become {after.value} by {given.name.lower()}")
        self._journal(after, cause, detail, actor)
        record.state, record.since = after, now
        if after is S.HALF_OPEN:
            record.probes_sent = record.probes_ended = 0

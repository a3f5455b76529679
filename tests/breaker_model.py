"""What a breaker owes, written down a second time and plainly: whole seconds, one scope at a time, no journal."""

from __future__ import annotations

import dataclasses

from smc_trading_agent.domain.reasons import BreakerState

S = BreakerState
ORDER = [S.ACTIVE, S.HALF_OPEN, S.REDUCING, S.STARTING, S.HALTED, S.KILLED]
LASTING = {"daily_loss", "unknown_orders", "reconciliation"}
DAY = 86_400


@dataclasses.dataclass(frozen=True)
class Terms:
    """The settings under test, in seconds."""

    cool_down: int = 100
    probe_timeout: int = 350
    probes: int = 2
    debounce: int = 30
    half_open: int = 60
    reopens: int = 3
    approval: int = 1_000
    start: int = 40
    doublings: int = 6


@dataclasses.dataclass
class Model:
    """One scope."""

    terms: Terms
    state: BreakerState = S.ACTIVE
    after_start: BreakerState = S.HALF_OPEN
    fallback: BreakerState = S.REDUCING
    entered: int = 0
    quiet_since: int = 0
    causes: set[str] = dataclasses.field(default_factory=set)
    relapses: int = 0
    opened: list[int] = dataclasses.field(default_factory=list)
    out: list[int] = dataclasses.field(default_factory=list)
    sent: int = 0
    words: dict[str, int] = dataclasses.field(default_factory=dict)
    epoch: int = 0

    def _go(self, state: BreakerState, now: int) -> None:
        self.state, self.entered = state, now
        if state is S.HALF_OPEN:
            self.sent, self.out = 0, []

    def ready(self, now: int) -> None:
        if self.state is S.STARTING:
            self._go(self.after_start, now)

    def trip(self, wanted: BreakerState, cause: str, now: int) -> None:
        self.causes.add(cause)
        if self.state is S.STARTING and wanted is S.REDUCING:
            self.after_start = S.REDUCING
        elif self.state is S.HALF_OPEN:
            self._fall_back(wanted, now)
        elif ORDER.index(wanted) > ORDER.index(self.state):
            self._go(wanted, now)

    def _fall_back(self, wanted: BreakerState, now: int) -> None:
        self.opened.append(now)
        self.relapses += 1
        today = [at for at in self.opened if at // DAY == now // DAY]
        if wanted is S.KILLED:
            self._go(S.KILLED, now)
        elif wanted is S.HALTED or self.fallback is S.HALTED:
            self._go(S.HALTED, now)
        elif len(today) > self.terms.reopens:
            self.causes.add("reopened_too_often")
            self._go(S.HALTED, now)
        else:
            self._go(S.REDUCING, now)

    def clear(self, cause: str, now: int) -> None:
        if cause in self.causes:
            self.causes.remove(cause)
            self.quiet_since = now

    def probe(self, now: int) -> None:
        if self.state is S.HALF_OPEN:
            self.sent += 1
            self.out.append(now)

    def tick(self, working: int, now: int) -> None:
        terms = self.terms
        if self.state is S.STARTING:
            if now - self.entered > terms.start:
                self.causes.add("start_failed")
                self._go(S.HALTED, now)
        elif self.state is S.REDUCING:
            wait = terms.cool_down * 2 ** min(self.relapses, terms.doublings)
            quiet = not self.causes and now - self.quiet_since >= terms.debounce
            if quiet and now - self.entered >= max(wait, terms.debounce):
                self.fallback = S.REDUCING
                self._go(S.HALF_OPEN, now)
        elif self.state is S.HALF_OPEN:
            if working == 0:
                self.out = []
            if self.sent >= terms.probes and not self.out:
                if now - self.entered >= terms.half_open:
                    self.relapses = 0
                    self._go(S.ACTIVE, now)
            elif self.out and now - self.out[0] > terms.probe_timeout:
                self._fall_back(S.REDUCING, now)

    def rearm(self, actor: str, differ: bool, now: int) -> bool:
        """Whether the word of this person was taken."""
        if self.state is S.KILLED:
            if differ:
                return False
            words = {who: at for who, at in self.words.items() if now - at <= self.terms.approval}
            if set(words) - {actor}:
                self._go(S.STARTING, now)
                self.after_start, self.fallback = S.HALF_OPEN, S.HALTED
                self.epoch += 1
                self.causes, self.words, self.quiet_since = set(), {}, now
            else:
                self.words = {actor: now}
            return True
        if self.state not in (S.HALTED, S.REDUCING) or differ or (self.causes - {"reconciliation"}) & LASTING:
            return False
        if self.state is S.HALTED:
            self.fallback = S.HALTED
            self._go(S.HALF_OPEN, now)
        self.causes, self.words, self.quiet_since = set(), {}, now
        return True

    @property
    def grows(self) -> bool:
        return self.state is S.ACTIVE or (self.state is S.HALF_OPEN and self.sent < self.terms.probes)

    @property
    def shrinks(self) -> bool:
        return self.state not in (S.STARTING, S.KILLED)


def worst(models: list[Model]) -> BreakerState:
    """The most severe state of some scopes."""
    return max((model.state for model in models), key=ORDER.index)

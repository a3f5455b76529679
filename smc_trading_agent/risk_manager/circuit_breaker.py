"""The circuit breaker: six states in a tree of scopes, journalled before they take effect, never laxer after a restart.

STARTING lets nothing through until the journal is replayed and the venue reconciled. ACTIVE trades. HALF_OPEN lets
`probe_orders` smaller entries through and waits for their end. REDUCING only lets exposure shrink, and goes to
HALF_OPEN by itself when its causes have been gone for a while and the cool-down is over; each relapse doubles the
cool-down. HALTED waits for a person. KILLED is latched: nothing new passes, and two people must agree to end it.

Global, venue, account, instrument and strategy each have a breaker; an order may do what all on its path let it.
The account's goes through the life from STARTING on, the others are ACTIVE until something trips them. The table of
transitions is in `breaker_table`, the machine of one scope in `breaker_scope`. Cancels are never asked about here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from smc_trading_agent.domain.breaker import ANY_PATH, SYSTEM, ScopeLevel, ScopePath
from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, severity
from smc_trading_agent.domain.settings import RiskSettings
from smc_trading_agent.domain.types import BreakerChange
from smc_trading_agent.risk_manager.breaker_scope import ScopeBreaker, ScopeRecord

ACCOUNT = list(ScopeLevel).index(ScopeLevel.ACCOUNT)


class BreakerRecord(msgspec.Struct):
    """What must survive a restart: every scope that was ever named, by name."""

    scopes: dict[str, ScopeRecord] = {}


class CircuitBreaker:
    """The breakers over one path of scopes; ``record`` is called with each change before the change takes effect.

    Without a scope a trigger is the account's. Any thread may call; one change is made at a time.
    """

    def __init__(
        self,
        settings: RiskSettings,
        clock: Clock,
        record: Callable[[BreakerChange], None],
        path: ScopePath = ANY_PATH,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._journal = record
        self._path = path
        self._account = path[ACCOUNT]
        self._lock = threading.RLock()
        self._fresh: list[BreakerChange] = []
        self._scopes: dict[str, ScopeBreaker] = {}
        self._adopt({self._account: ScopeRecord(BreakerState.STARTING)})

    @property
    def path(self) -> ScopePath:
        """The scopes that this agent's orders lie under."""
        return self._path

    @property
    def state(self) -> BreakerState:
        """The most severe state on the path of this agent's orders."""
        return self.state_on(self._path)

    @property
    def scopes(self) -> dict[str, BreakerState]:
        """The state of each scope on the path."""
        return {scope: self.state_on((scope,)) for scope in self._path}

    @property
    def causes(self) -> dict[str, str]:
        """What holds the breakers of the path where they are, by cause."""
        return {name: detail for scope in self._on_path() for name, detail in scope.record.causes.items()}

    @property
    def epoch(self) -> int:
        """How often this path was started anew after a kill."""
        return sum(scope.record.epoch for scope in self._on_path())

    @property
    def lets_exposure_grow(self) -> bool:
        """Whether an entry may pass."""
        return all(scope.lets_exposure_grow for scope in self._on_path())

    @property
    def lets_exposure_shrink(self) -> bool:
        """Whether an exit may pass; cancels always may."""
        return all(scope.lets_exposure_shrink for scope in self._on_path())

    @property
    def size_factor(self) -> float:
        """Share of the normal size that an entry may have."""
        probing = any(scope.record.state is BreakerState.HALF_OPEN for scope in self._on_path())
        return self._settings.probe_size if probing else 1.0

    def state_on(self, path: Sequence[str]) -> BreakerState:
        """The most severe state on any path of scopes; a scope that was never named is ACTIVE."""
        named = (self._scopes[name].record.state for name in path if name in self._scopes)
        return max(named, key=severity, default=BreakerState.ACTIVE)

    def causes_of(self, scope: str) -> dict[str, str]:
        """What holds one scope where it is, by cause."""
        return dict(self._scopes[scope].record.causes) if scope in self._scopes else {}

    def ready(self) -> None:
        """Leaves STARTING for the state that was persisted, HALF_OPEN on the first start ever."""
        with self._lock:
            for scope in self._all():
                scope.ready(self._clock.now())

    def trip(
        self, state: BreakerState, cause: BreakerCause, detail: str, actor: str = SYSTEM, scope: str | None = None
    ) -> None:
        """Goes to ``state`` unless it is at least as severe already; the cause is remembered either way."""
        with self._lock:
            self._named(scope or self._account).trip(state, cause, detail, actor, self._clock.now())

    def rearm(self, actor: str, reason: str, scope: str | None = None, differences: Sequence[str] = ()) -> str:
        """A person's word to end HALTED, or one of two to end KILLED; says what it did.

        ``differences`` are those that a reconciliation found just now. Raises `BreakerRefusal` where the word is not
        enough, what holds the breaker has not ended, or there is nothing to re-arm.
        """
        with self._lock:
            name = scope or self._account
            named = self._scopes.get(name) or ScopeBreaker(self._settings, ScopeRecord(), self._journalling(name))
            return named.rearm(actor, reason, tuple(differences), self._clock.now())

    def clear(self, cause: BreakerCause, scope: str | None = None) -> None:
        """The condition behind a cause is gone; time and probes do the rest."""
        with self._lock:
            named = self._scopes.get(scope or self._account)
            if named is not None:
                named.clear(cause, self._clock.now())

    def probe_sent(self) -> None:
        """An entry was approved; where a scope of the path is HALF_OPEN it is a probe."""
        with self._lock:
            for scope in self._on_path():
                scope.probe_sent(self._clock.now())

    def tick(self, working_entries: int) -> None:
        """Lets time pass: cool-down, probes that ended, probes that hang."""
        with self._lock:
            for scope in self._all():
                scope.tick(working_entries, self._clock.now())

    def drain(self) -> list[BreakerChange]:
        """Changes since the last call, in order."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
            return fresh

    def snapshot(self) -> bytes:
        """The whole state."""
        with self._lock:
            return msgspec.msgpack.encode(BreakerRecord({name: s.record for name, s in self._scopes.items()}))

    def restore(self, data: bytes) -> None:
        """Takes over a persisted state as it was."""
        with self._lock:
            self._scopes = {}
            self._adopt(msgspec.msgpack.decode(data, type=BreakerRecord).scopes)
            self._fresh = []

    def _adopt(self, records: Mapping[str, ScopeRecord]) -> None:
        for name, record in records.items():
            self._scopes[name] = ScopeBreaker(self._settings, record, self._journalling(name))

    def _journalling(self, name: str) -> Callable[[BreakerState, BreakerCause, str, str], None]:
        def journal(after: BreakerState, cause: BreakerCause, detail: str, actor: str) -> None:
            before = self._scopes[name].record.state
            change = BreakerChange(self._clock.now(), before, after, cause, detail, actor, name)
            self._journal(change)
            self._fresh.append(change)

        return journal

    def _named(self, name: str) -> ScopeBreaker:
        if name not in self._scopes:
            self._adopt({name: ScopeRecord()})
        return self._scopes[name]

    def _on_path(self) -> list[ScopeBreaker]:
        return [self._scopes[name] for name in self._path if name in self._scopes]

    def _all(self) -> Iterable[ScopeBreaker]:
        return list(self._scopes.values())

"""What each stage must offer, as protocols. The coordinator knows these; only the runtime knows who fulfils them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec

from smc_trading_agent._core import Bar, Bars, Step, Zone
from smc_trading_agent.domain.breaker import SYSTEM, ScopePath
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState
from smc_trading_agent.domain.types import (
    AccountView,
    Approval,
    ApprovedOrder,
    BreakerChange,
    Decision,
    Forecast,
    HeldTrade,
    Intent,
    OrderEvent,
    Refusal,
    Setup,
    VenueReport,
)


class Snapshotting(Protocol):
    """State that can be saved and resumed exactly."""

    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes) -> None: ...


class Feed(Protocol):
    """Stage 1: a source of admitted base bars, oldest first, resumable at any bar."""

    @property
    def market(self) -> str:
        """What this market is, stable across restarts: ``synthetic seed=7`` or ``replay <file> <hash>``."""

    @property
    def synthetic(self) -> bool: ...
    @property
    def total_bars(self) -> int | None:
        """Number of base bars in all, None where it never ends."""

    def batches(self, start: int) -> Iterator[Bars]:
        """Batches of bars from the ``start``-th admitted base bar on."""


class StructureReader(Snapshotting, Protocol):
    """Stage 2: reads base bars up to each close of the decision timeframe."""

    @property
    def timeframes(self) -> Sequence[str]: ...
    def advance(self, bars: Bars, start: int) -> Step: ...
    def zones(self, timeframe: str) -> list[Zone]: ...
    def bias(self, timeframe: str, scope: str) -> int: ...
    def dealing_range(self, timeframe: str) -> tuple[int, int] | None: ...
    def atr(self, timeframe: str) -> float: ...
    def features(self) -> tuple[float, ...]: ...


class SetupFinder(Snapshotting, Protocol):
    """Stage 3a: turns structure into setups."""

    def find(self, step: Step, bar: Bar, reader: StructureReader) -> list[Setup]: ...


class Forecaster(Snapshotting, Protocol):
    """Stage 3b: gives a setup its probability, and learns only from setups that have ended."""

    def observe(self, bars: Bars, start: int, stop: int) -> None: ...
    def on_close(self, features: tuple[float, ...]) -> None:
        """The feature vector at a close of the decision timeframe, before the setups of that close."""

    def settle(self) -> None:
        """After the setups of a close were judged: what can be done before the next one, off the path."""

    def forecast(self, setup: Setup, recorded: Forecast | None = None) -> Forecast:
        """``recorded`` is what a journal that is replayed holds: votes that were missing then are missing again."""

    def taken(self, decision: Decision) -> None:
        """A decision whose intent was approved: its position may come to be held."""

    def leaves(self, held: HeldTrade, bar: Bar) -> bool:
        """Whether to close what is held, at the close of ``bar``, whose features were shown last."""

    def follow(self, setup: Setup) -> None:
        """Starts watching a setup, taken or not, so that its outcome can be learned when it is known."""


class DecisionPolicy(Protocol):
    """Stage 3c: an intent only where the probability beats break-even."""

    def decide(self, setup: Setup, forecast: Forecast) -> Intent | Refusal: ...


class Breaker(Snapshotting, Protocol):
    """The circuit breaker that the gateway asks."""

    @property
    def state(self) -> BreakerState: ...
    @property
    def path(self) -> ScopePath: ...
    def state_on(self, path: Sequence[str]) -> BreakerState:
        """The most severe state on some scopes."""

    def causes_of(self, scope: str) -> dict[str, str]: ...
    def ready(self) -> None:
        """Leaves STARTING once the journal is replayed and the venue reconciled."""

    def trip(
        self, state: BreakerState, cause: BreakerCause, detail: str, actor: str = SYSTEM, scope: str | None = None
    ) -> None: ...
    def rearm(self, actor: str, reason: str, scope: str | None = None, differences: Sequence[str] = ()) -> str:
        """A person's word to end HALTED, or one of two to end KILLED; `BreakerRefusal` where it is not enough."""

    def drain(self) -> list[BreakerChange]:
        """Changes since the last call, in order."""


class RiskGate(Snapshotting, Protocol):
    """Stage 4: the only maker of approved orders."""

    @property
    def breaker(self) -> Breaker: ...
    def mark(self, account: AccountView, data_time: int, bar: Bar | None = None) -> None:
        """Takes note of the account and the bar at a decision close; trips or releases the breaker."""

    def review(self, intent: Intent, account: AccountView) -> Approval | Refusal: ...
    def booked(self, decision_id: str, orders_sent: int) -> None:
        """Account views with so many orders sent, or more, include the orders of an approval."""

    def adopt(self, values: dict[str, Any]) -> None:
        """Limits take effect."""

    @property
    def peak_equity(self) -> int:
        """What drawdown is measured from."""

    def rebase_peak(self, equity: int) -> None:
        """Drawdown is measured from ``equity`` on."""


class Executor(Snapshotting, Protocol):
    """Stage 5: sends approved orders and keeps the account."""

    def submit(self, approval: Approval) -> list[OrderEvent]: ...
    def on_market(self, bars: Bars, start: int, stop: int) -> list[OrderEvent]: ...
    def due_exits(self, now: int) -> list[Intent]:
        """Exits that the time limit of an open position asks for; they pass the gate like any intent."""

    def held(self) -> HeldTrade | None:
        """The open position, None while flat."""

    def leave(self, now: int) -> list[Intent]:
        """The exit of what is held for the policy's reason; none while one works or was asked for before."""

    def cancel_entries(self, now: int) -> list[OrderEvent]:
        """Cancels entries that have not filled; protective orders stay."""

    def cancel_for_kill(self, now: int) -> list[OrderEvent]:
        """Cancels every order of ours but those that protect a position."""

    def adopt(self, client_order_ids: Sequence[str], now: int) -> list[OrderEvent]:
        """Books what the venue says of orders that something else than our books ended there."""

    def working_orders(self) -> list[str]:
        """Client ids of our orders that may still fill, from any thread."""

    def resolve_unknown(self, now: int) -> list[OrderEvent]:
        """Asks the venue about orders whose outcome is not known; silence leaves them UNKNOWN."""

    def account(self, mark: int) -> AccountView: ...
    def reconcile(self) -> list[str]:
        """Differences between our account and the venue's, each as a sentence; empty when they agree."""


class Venue(Protocol):
    """Where orders go. Answers are reports; silence or a timeout is `VenueTimeout`, never a guess."""

    def submit(self, order: ApprovedOrder, now: int) -> list[VenueReport]: ...
    def cancel(self, client_order_id: str, now: int) -> list[VenueReport]: ...
    def on_market(self, bars: Bars, start: int, stop: int) -> list[VenueReport]: ...
    def order_reports(self, client_order_id: str) -> list[VenueReport]:
        """All that the venue ever said of an order, in order; empty when it never saw it."""

    def open_orders(self) -> list[str]: ...
    @property
    def position(self) -> int: ...
    @property
    def last_time(self) -> int:
        """Close of the last bar that a simulated venue was shown; 0 where the venue matches by itself."""

    def persist(self) -> None: ...


class CountdownVenue(Protocol):
    """A venue with a dead-man countdown: unless it is renewed in time, the venue cancels every open order."""

    def renew_countdown(self, now: int, timeout_ns: int) -> None:
        """Cancels everything at ``now + timeout_ns`` unless renewed before; ``timeout_ns`` 0 ends the countdown."""


class Journal(Protocol):
    """Every fact, before it takes effect."""

    def append(self, kind: str, time: int, fact: msgspec.Struct, ref: str = "") -> None: ...
    def commit(self) -> None: ...
    @property
    def length(self) -> int: ...
    @property
    def head_hash(self) -> str: ...
    @property
    def replaying(self) -> bool:
        """Whether facts are still being compared with recorded ones rather than added."""

    def upcoming(self, kind: str, ref: str) -> bytes | None:
        """The payload of the very next fact where a replay is to produce one of this kind and reference next."""

    def expected(self, kind: str, ref: str) -> bytes | None:
        """The next recorded fact of a kind and reference, while replaying; None where there is none to come."""


class Listener(Protocol):
    """Hears what happened, off the path; what it does can change nothing."""

    def on_step(self, step: Step, reader: StructureReader) -> None: ...
    def on_decision(self, decision: Decision, outcome: Approval | Refusal) -> None: ...
    def on_order_event(self, event: OrderEvent) -> None: ...
    def on_account(self, account: AccountView, now: int) -> None: ...
    def on_breaker(self, change: BreakerChange) -> None: ...


class VenueStore(Protocol):
    """The paper venue's own memory, apart from the agent's: what it answered, and when."""

    def load(self) -> bytes | None: ...
    def answer(self, key: str) -> list[VenueReport] | None:
        """What a call was answered, None when it was never made."""

    def market_reports(self, after: int, until: int) -> list[VenueReport]:
        """Reports that became known with ``after < known_at <= until``, in order."""

    def order_reports(self, client_order_id: str) -> list[VenueReport]: ...
    def save(self, snapshot: bytes, reports: Sequence[VenueReport], known_at: int = 0, call: str = "") -> None:
        """Keeps a new state and the reports that led to it, at once or not at all.

        ``known_at`` is the market time at which the market made them known, 0 for answers to ``call``.
        """

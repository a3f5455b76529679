"""What a person may see: bounded memory of what happened, filled by the trading thread, read by any other.

The trading thread only appends what it already holds (bars, events, frozen structs) under a lock that no reader
keeps while it formats. A reader keeps a `Cursor` and gets what came after it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import msgspec

from smc_trading_agent._core import Bar, Event, Instrument, Step, Zone
from smc_trading_agent.domain.ports import StructureReader
from smc_trading_agent.domain.types import AccountView, Approval, BreakerChange, Decision, OrderEvent, Refusal
from smc_trading_agent.monitoring.order_board import OrderBoard, OrderLine
from smc_trading_agent.monitoring.rings import Ring
from smc_trading_agent.monitoring.round_trips import OpenTrade, RoundTrip, RoundTripBook
from smc_trading_agent.monitoring.thinned import Thinned

STRUCTURE_KINDS = frozenset({"bos", "choch", "liquidity_pool_swept"})

MAX_BARS = 2_000
MAX_STRUCTURE = 1_000
MAX_DECISIONS = 500
MAX_ORDER_EVENTS = 2_000
MAX_ORDERS_OVER = 200
MAX_TRADES = 500
MAX_EQUITY_POINTS = 4_000
MAX_BREAKER_CHANGES = 200


class DecisionRecord(msgspec.Struct, frozen=True):
    """A judged setup with what became of it: the orders of an approval, or a refusal with its reasons.

    ``number`` counts 1, 2, 3 ... since the process started; a setup that is judged again keeps its decision id.
    """

    number: int
    decision: Decision
    outcome: Approval | Refusal


class AccountSample(msgspec.Struct, frozen=True):
    """The account at a moment of the market, with the worst loss from its peak up to then (a share)."""

    time: int
    account: AccountView
    drawdown: float
    max_drawdown: float


class EquityPoint(msgspec.Struct, frozen=True):
    """Equity in quote units at a moment of the market."""

    time: int
    equity: int


class Context(msgspec.Struct, frozen=True):
    """Bias of one timeframe and its dealing range in ticks, as of its last close."""

    timeframe: str
    internal_bias: int
    swing_bias: int
    dealing_range: tuple[int, int] | None


class Counts(msgspec.Struct, frozen=True):
    """Totals since the process started."""

    bars: int = 0
    decisions: int = 0
    taken: int = 0
    refused: int = 0
    order_events: int = 0
    trades: int = 0
    refusals: dict[str, int] = {}


class Cursor(msgspec.Struct, frozen=True):
    """How much of everything a reader has seen. A new one has seen nothing."""

    revision: int = -1
    bars: int = 0
    structure: int = 0
    decisions: int = 0
    order_events: int = 0
    trades: int = 0
    equity: int = 0
    equity_generation: int = 0
    breaker_changes: int = 0
    zones: int = 0


class Limits(msgspec.Struct, frozen=True):
    """The most that one reading holds of each kind; the newest are kept."""

    bars: int = MAX_BARS
    structure: int = MAX_STRUCTURE
    decisions: int = MAX_DECISIONS
    order_events: int = MAX_ORDER_EVENTS
    orders_over: int = MAX_ORDERS_OVER
    trades: int = MAX_TRADES


EVERYTHING = Limits()


class Reading(msgspec.Struct, frozen=True):
    """What came after a cursor, each list oldest first. ``zones`` and ``orders`` are whole, or None when unchanged.

    ``equity`` spans the whole run; with ``equity_reset`` it is whole, because it was thinned out in between.
    ``reset`` says that this is not a continuation: the reader was new, or so slow that a ring lost what it missed.
    """

    cursor: Cursor
    reset: bool
    bars: list[Bar]
    structure: list[Event]
    decisions: list[DecisionRecord]
    order_events: list[OrderEvent]
    trades: list[RoundTrip]
    breaker_changes: list[BreakerChange]
    equity: list[EquityPoint]
    equity_reset: bool
    zones: list[Zone] | None
    orders: list[OrderLine] | None
    working_orders: list[OrderLine]
    account: AccountSample | None
    open_trade: OpenTrade | None
    context: list[Context]
    counts: Counts


class ViewStore:
    """Hears the coordinator (`smc_trading_agent.domain.ports.Listener`) and answers readers on other threads."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self._timeframes: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._watchers: tuple[Callable[[], None], ...] = ()
        self._revision = 0
        self._bars: Ring[Bar] = Ring(MAX_BARS)
        self._structure: Ring[Event] = Ring(MAX_STRUCTURE)
        self._decisions: Ring[DecisionRecord] = Ring(MAX_DECISIONS)
        self._order_events: Ring[OrderEvent] = Ring(MAX_ORDER_EVENTS)
        self._trades: Ring[RoundTrip] = Ring(MAX_TRADES)
        self._equity: Thinned[EquityPoint] = Thinned(MAX_EQUITY_POINTS)
        self._account: AccountSample | None = None
        self._breaker_changes: Ring[BreakerChange] = Ring(MAX_BREAKER_CHANGES)
        self._zones: dict[str, list[Zone]] = {}
        self._zones_version = 0
        self._context: dict[str, Context] = {}
        self._orders = OrderBoard(MAX_ORDERS_OVER)
        self._round_trips = RoundTripBook()
        self._peak_equity = 0
        self._taken = 0
        self._refusals: Counter[str] = Counter()

    # ------------------------------------------------------------ the trading thread writes

    def on_step(self, step: Step, reader: StructureReader) -> None:
        """Keeps the closed decision bar, its structure events, and the live zones of every timeframe that closed."""
        bar = step.decision_bar
        structure = [event for event in step.events if event.kind in STRUCTURE_KINDS]
        if bar is None and not structure:
            return
        timeframes = self._timeframes or tuple(reader.timeframes)
        closed = [part.timeframe for part in step.closed] if self._timeframes else timeframes
        zones = {timeframe: reader.zones(timeframe) for timeframe in closed}
        context = {timeframe: _context(timeframe, reader) for timeframe in closed}
        with self._lock:
            self._revision += 1
            self._timeframes = timeframes
            if bar is not None:
                self._bars.append(bar)
            for event in structure:
                self._structure.append(event)
            self._zones.update(zones)
            self._context.update(context)
            self._zones_version += 1
        self._notify()

    def on_decision(self, decision: Decision, outcome: Approval | Refusal) -> None:
        """Keeps a decision with its outcome, and counts every reason of a refusal."""
        with self._lock:
            self._revision += 1
            self._decisions.append(DecisionRecord(self._decisions.total + 1, decision, outcome))
            if isinstance(outcome, Refusal):
                self._refusals.update(detail.reason.value for detail in outcome.details)
            else:
                self._taken += 1
        self._notify()

    def on_order_event(self, event: OrderEvent) -> None:
        """Keeps an order event, moves its order on, and completes a trade when the position is flat again."""
        with self._lock:
            self._revision += 1
            self._order_events.append(event)
            self._orders.on_order_event(event)
            trade = self._round_trips.on_order_event(event)
            if trade is not None:
                self._trades.append(trade)
        self._notify()

    def on_account(self, account: AccountView, now: int) -> None:
        """Keeps the account at market time ``now`` and its distance from the highest equity so far."""
        with self._lock:
            self._revision += 1
            last = self._account
            self._peak_equity = max(self._peak_equity, account.equity)
            drawdown = 1.0 - account.equity / self._peak_equity if self._peak_equity > 0 else 0.0
            worst = max(drawdown, last.max_drawdown) if last else drawdown
            self._account = AccountSample(now, account, drawdown, worst)
            self._equity.append(EquityPoint(now, account.equity))
        self._notify()

    def on_breaker(self, change: BreakerChange) -> None:
        """Keeps a transition of the circuit breaker."""
        with self._lock:
            self._revision += 1
            self._breaker_changes.append(change)
        self._notify()

    # ------------------------------------------------------------ other threads read

    @property
    def decision_timeframe(self) -> str:
        """The timeframe of the bars, empty before the first one has closed."""
        return self._timeframes[0] if self._timeframes else ""

    @property
    def revision(self) -> int:
        """Grows with every change."""
        return self._revision

    def subscribe(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Has ``watcher`` called on the trading thread after every change; the answer ends that.

        A watcher must return at once and raise nothing: it only wakes somebody else up.
        """
        with self._lock:
            self._watchers = (*self._watchers, watcher)

        def unsubscribe() -> None:
            with self._lock:
                self._watchers = tuple(other for other in self._watchers if other is not watcher)

        return unsubscribe

    def read(self, cursor: Cursor | None = None, limits: Limits = EVERYTHING) -> Reading:
        """What came after ``cursor`` (everything kept, without one), never more than ``limits``."""
        with self._lock:
            start = cursor if cursor is not None and self._continues(cursor, limits) else Cursor()
            here = self._here()
            equity_reset = start.revision < 0 or start.equity_generation != here.equity_generation
            return Reading(
                cursor=here,
                reset=start.revision < 0,
                bars=self._bars.since(start.bars, limits.bars),
                structure=self._structure.since(start.structure, limits.structure),
                decisions=self._decisions.since(start.decisions, limits.decisions),
                order_events=self._order_events.since(start.order_events, limits.order_events),
                trades=self._trades.since(start.trades, limits.trades),
                breaker_changes=self._breaker_changes.since(start.breaker_changes, MAX_BREAKER_CHANGES),
                equity=self._equity.since(0 if equity_reset else start.equity),
                equity_reset=equity_reset,
                zones=None if start.zones == here.zones and start.revision >= 0 else self._all_zones(),
                orders=self._orders_since(start, here, limits),
                working_orders=self._orders.working(),
                account=self._account,
                open_trade=self._round_trips.open,
                context=list(self._context.values()),
                counts=self._counts(),
            )

    def _notify(self) -> None:
        for watcher in self._watchers:
            watcher()

    def _continues(self, cursor: Cursor, limits: Limits) -> bool:
        gaps = (
            (self._bars, cursor.bars, limits.bars),
            (self._structure, cursor.structure, limits.structure),
            (self._decisions, cursor.decisions, limits.decisions),
            (self._order_events, cursor.order_events, limits.order_events),
            (self._trades, cursor.trades, limits.trades),
        )
        return cursor.revision >= 0 and all(
            ring.covers(seen) and ring.total - seen <= most for ring, seen, most in gaps
        )

    def _here(self) -> Cursor:
        return Cursor(
            revision=self._revision,
            bars=self._bars.total,
            structure=self._structure.total,
            decisions=self._decisions.total,
            order_events=self._order_events.total,
            trades=self._trades.total,
            equity=len(self._equity),
            equity_generation=self._equity.generation,
            breaker_changes=self._breaker_changes.total,
            zones=self._zones_version,
        )

    def _all_zones(self) -> list[Zone]:
        return [zone for zones in self._zones.values() for zone in zones]

    def _orders_since(self, start: Cursor, here: Cursor, limits: Limits) -> list[OrderLine] | None:
        if start.revision >= 0 and start.order_events == here.order_events:
            return None
        return self._orders.over(limits.orders_over) + self._orders.working()

    def _counts(self) -> Counts:
        return Counts(
            bars=self._bars.total,
            decisions=self._decisions.total,
            taken=self._taken,
            refused=self._decisions.total - self._taken,
            order_events=self._order_events.total,
            trades=self._trades.total,
            refusals=dict(self._refusals),
        )


def _context(timeframe: str, reader: StructureReader) -> Context:
    return Context(
        timeframe=timeframe,
        internal_bias=reader.bias(timeframe, "internal"),
        swing_bias=reader.bias(timeframe, "swing"),
        dealing_range=reader.dealing_range(timeframe),
    )

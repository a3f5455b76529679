"""The execution engine: journals each step of an order before it takes effect, and never guesses an outcome.

A send that times out leaves its order UNKNOWN until the venue proves otherwise; its exposure counts. Fills are
applied once, by trade id, whatever state the order was in. A position closes at its stop, its target, or its
time limit; the exit passes the gate like any other order.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from smc_trading_agent._core import Bars, Instrument, Ledger
from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.errors import VenueError, VenueTimeout
from smc_trading_agent.domain.ids import content_id
from smc_trading_agent.domain.ports import Journal, Venue
from smc_trading_agent.domain.reasons import OrderPurpose
from smc_trading_agent.domain.seal import ApprovalSeal
from smc_trading_agent.domain.types import (
    AccountView,
    Approval,
    Intent,
    OrderEvent,
    StageFailure,
    VenueReport,
)
from smc_trading_agent.execution_engine.order_book_keeping import OrderRecord, OrderRecords

STAGE = "execution_engine"
EVENT_KIND = "order_event"


class OpenTrade(msgspec.Struct):
    """A position that an entry opened, until it is flat again."""

    decision_id: str
    side: int
    entered_at: int
    time_limit_ns: int
    exit_attempts: int = 0


class EngineRecord(msgspec.Struct):
    """What must survive a restart."""

    orders: dict[str, OrderRecord] = {}
    time_limits: dict[str, int] = {}
    trade: OpenTrade | None = None
    ledger: bytes = b""


class ExecutionEngine:
    """Orders, fills, position and account of one instrument at one venue."""

    def __init__(
        self, instrument: Instrument, venue: Venue, journal: Journal, clock: Clock, seal: ApprovalSeal, start_cash: int
    ) -> None:
        self._instrument = instrument
        self._venue = venue
        self._journal = journal
        self._clock = clock
        self._seal = seal
        self._ledger = Ledger(instrument, start_cash)
        self._orders = OrderRecords()
        self._time_limits: dict[str, int] = {}
        self._trade: OpenTrade | None = None

    def submit(self, approval: Approval) -> list[OrderEvent]:
        """Sends the orders of an approval: each is journalled as SENDING, and handed to the system, before its send."""
        for order in approval.orders:
            self._seal.verify(order)
        records = [self._orders.add(order) for order in approval.orders]
        self._time_limits[approval.decision_id] = approval.time_limit_ns
        events = [self._step(record, "send") for record in records]
        self._journal.commit()
        for record in records:
            events.extend(self._send(record))
        self._orders.forget_old()
        return events

    def on_market(self, bars: Bars, start: int, stop: int) -> list[OrderEvent]:
        """What the venue made of our orders over these bars."""
        reports = self._venue.on_market(bars, start, stop)
        return self._apply_all(reports) if reports else []

    def cancel_entries(self, now: int) -> list[OrderEvent]:
        """Cancels entries that have not filled; their stops and targets end with them."""
        return [event for record in self._orders.working_entries() for event in self._cancel(record, now)]

    def resolve_unknown(self, now: int) -> list[OrderEvent]:
        """Asks the venue about UNKNOWN orders. Only what it says counts; silence leaves them as they are."""
        events: list[OrderEvent] = []
        for record in self._orders.unknown():
            try:
                reports = self._venue.order_reports(record.order.client_order_id)
            except VenueTimeout:
                continue
            if reports:
                events.extend(self._apply_all(reports))
            else:
                events.append(self._step(record, "resolve_absent", reason="the venue has no such order"))
        return events

    def due_exits(self, now: int) -> list[Intent]:
        """The exit that an open position's time limit asks for, if it is due and none is working."""
        trade = self._trade
        if trade is None or trade.time_limit_ns <= 0 or now < trade.entered_at + trade.time_limit_ns:
            return []
        if any(record.order.purpose is OrderPurpose.EXIT for record in self._orders.working()):
            return []
        trade.exit_attempts += 1
        return [
            Intent(
                decision_id=content_id("x", trade.decision_id, trade.exit_attempts),
                instrument=self._instrument.key,
                purpose=OrderPurpose.EXIT,
                side=-trade.side,
                price=0,
                stop=0,
                target=0,
                created_at=now,
                expires_at=0,
                probability=0.0,
                reason=f"time limit of {trade.decision_id}",
            )
        ]

    def account(self, mark: int) -> AccountView:
        """The account marked to ``mark`` ticks, counting what open and UNKNOWN orders could still do."""
        ledger, working = self._ledger, self._orders.working()
        worst_long, worst_short = self._orders.worst_position(ledger.position)
        return AccountView(
            equity=ledger.equity(mark),
            cash=ledger.cash,
            position=ledger.position,
            average_price=ledger.average_price if ledger.position else 0.0,
            mark=mark,
            unrealised=ledger.unrealised(mark),
            realised=ledger.realised,
            fees=ledger.fees,
            open_orders=len(working),
            open_entries=sum(record.order.purpose is OrderPurpose.ENTRY for record in working),
            worst_long=worst_long,
            worst_short=worst_short,
            unknown_orders=len(self._orders.unknown()),
        )

    def reconcile(self) -> list[str]:
        """Differences between our books and the venue's, each as a sentence."""
        differences = []
        if self._venue.position != self._ledger.position:
            differences.append(f"position: ours {self._ledger.position} lots, the venue's {self._venue.position}")
        ours = {record.order.client_order_id for record in self._orders.working()}
        theirs = set(self._venue.open_orders())
        differences += [f"order {key} is open at the venue and not in our books" for key in sorted(theirs - ours)]
        differences += [f"order {key} is open in our books and not at the venue" for key in sorted(ours - theirs)]
        return differences

    def snapshot(self) -> bytes:
        """The whole state."""
        return msgspec.msgpack.encode(
            EngineRecord(self._orders.as_dict(), self._time_limits, self._trade, self._ledger.snapshot())
        )

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        record = msgspec.msgpack.decode(data, type=EngineRecord)
        self._orders = OrderRecords(record.orders)
        self._time_limits, self._trade = record.time_limits, record.trade
        self._ledger = Ledger.from_snapshot(record.ledger)

    def _send(self, record: OrderRecord) -> list[OrderEvent]:
        try:
            return self._apply_all(self._venue.submit(record.order, self._clock.now()))
        except VenueTimeout as error:
            return [self._step(record, "timeout", reason=str(error))]
        except VenueError as error:
            return [self._step(record, "reject", reason=str(error))]

    def _cancel(self, record: OrderRecord, now: int) -> list[OrderEvent]:
        events = [self._step(record, "cancel_request")]
        self._journal.commit()
        try:
            events += self._apply_all(self._venue.cancel(record.order.client_order_id, now))
        except VenueTimeout as error:
            events.append(self._step(record, "timeout", reason=str(error)))
        return events

    def _apply_all(self, reports: Sequence[VenueReport]) -> list[OrderEvent]:
        events: list[OrderEvent] = []
        for report in reports:
            events.extend(self._apply(report))
        return events

    def _apply(self, report: VenueReport) -> list[OrderEvent]:
        if report.client_order_id not in self._orders:
            self._fail(f"the venue reports {report.kind} for {report.client_order_id}, an order that is not ours")
            return []
        record = self._orders[report.client_order_id]
        if report.sequence <= record.last_sequence:
            return []
        record.last_sequence = report.sequence
        event = record.event_for(report)
        if not record.apply(event):
            self._fail(f"{report.client_order_id}: {event} is illegal in state {record.state}")
        told = record.as_event(event, report.time, report)
        self._journal.append(EVENT_KIND, report.time, told, record.order.decision_id)
        if report.kind == "filled":
            return [told, *self._fill(record, report)]
        return [told]

    def _fill(self, record: OrderRecord, report: VenueReport) -> list[OrderEvent]:
        if not self._ledger.apply_fill(report.trade_id, report.side, report.quantity, report.price, report.fee):
            return []
        record.filled += report.quantity
        order = record.order
        if order.purpose is OrderPurpose.ENTRY and self._trade is None:
            limit = self._time_limits.get(order.decision_id, 0)
            self._trade = OpenTrade(order.decision_id, order.side, report.time, limit)
        if self._ledger.position == 0:
            self._trade = None
            return [event for left in self._orders.working() if left.order.reduce_only for event in self._end(left)]
        return []

    def _end(self, record: OrderRecord) -> list[OrderEvent]:
        """A protective order whose position is gone is cancelled, unless its entry still works."""
        parent = record.order.parent
        if parent and parent in self._orders and self._orders[parent].working:
            return []
        return self._cancel(record, self._clock.now())

    def _step(self, record: OrderRecord, event: str, reason: str = "") -> OrderEvent:
        if not record.apply(event):
            self._fail(f"{record.order.client_order_id}: {event} is illegal in state {record.state}")
        told = record.as_event(event, self._clock.now(), reason=reason)
        self._journal.append(EVENT_KIND, told.time, told, record.order.decision_id)
        return told

    def _fail(self, message: str) -> None:
        now = self._clock.now()
        self._journal.append("stage_failure", now, StageFailure(STAGE, now, message))

"""The execution engine: journals each step of an order before it takes effect, and never guesses an outcome.

A send that times out leaves its order UNKNOWN until the venue proves otherwise; its exposure counts. Fills are
applied once, by trade id, whatever state the order was in. A position closes at its stop, its target, or its
time limit; the exit passes the gate like any other order. What a bar causes is dated by that bar, so that the
journal does not depend on how the market was cut into batches.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from smc_trading_agent._core import Bars, Instrument, Ledger
from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.errors import VenueError, VenueTimeout
from smc_trading_agent.domain.ids import content_id
from smc_trading_agent.domain.ports import Journal, Venue
from smc_trading_agent.domain.reasons import ExitReason, OrderPurpose
from smc_trading_agent.domain.seal import ApprovalSeal
from smc_trading_agent.domain.types import (
    AccountView,
    Approval,
    HeldTrade,
    Intent,
    OrderEvent,
    StageFailure,
    VenueReport,
)
from smc_trading_agent.execution_engine.guarded_venue import BLOCKED
from smc_trading_agent.execution_engine.order_book_keeping import OrderRecord, OrderRecords

STAGE = "execution_engine"
EVENT_KIND = "order_event"
AWAITING_THE_VENUE = frozenset({"pending_cancel", "unknown"})
"""States in which another cancel would say nothing new."""
EXIT_RETRY_NS = 60_000_000_000
MAX_DOUBLINGS = 10


class OpenTrade(msgspec.Struct):
    """A position that an entry opened, until it is flat again. ``exit_due_at`` is 0 where it has no time limit."""

    decision_id: str
    side: int
    exit_due_at: int
    exit_attempts: int = 0
    opened_at: int = 0
    exit_reason: ExitReason = ExitReason.TIME_LIMIT


class EngineRecord(msgspec.Struct):
    """What must survive a restart."""

    orders: dict[str, OrderRecord] = {}
    trade: OpenTrade | None = None
    ledger: bytes = b""
    sent: int = 0
    fills: int = 0


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
        self._trade: OpenTrade | None = None
        self._sent = 0
        self._fills = 0

    def submit(self, approval: Approval) -> list[OrderEvent]:
        """Sends the orders of an approval: each is journalled as SENDING, and handed to the system, before its send.

        Raises `UnsealedOrder`, or `ValueError` for a client order id used before; then nothing is sent.
        """
        for order in approval.orders:
            self._seal.verify(order)
            self._orders.demand_new(order)
        now = self._clock.now()
        records = [self._orders.add(order, approval.time_limit_ns) for order in approval.orders]
        self._sent += len(records)
        events = [self._step(record, "send", now) for record in records]
        self._journal.commit()
        for record in records:
            events += self._send(record, now)
        events += self._end_protection(now)
        self._orders.forget_old()
        return events

    def on_market(self, bars: Bars, start: int, stop: int) -> list[OrderEvent]:
        """What the venue made of our orders over these bars; bar by bar while any order is out."""
        if not self._orders.working():
            reports = self._venue.on_market(bars, start, stop)
            return self._apply_all(reports, self._clock.now()) if reports else []
        events: list[OrderEvent] = []
        for index in range(start, stop):
            reports = self._venue.on_market(bars, index, index + 1)
            if reports:
                now = bars[index].close_time
                events += self._apply_all(reports, now)
                events += self._end_protection(now)
        return events

    def cancel_entries(self, now: int) -> list[OrderEvent]:
        """Cancels entries that have not filled; their stops and targets end with them."""
        events = [event for record in self._orders.working_entries() for event in self._cancel(record, now)]
        return events + self._end_protection(now)

    def cancel_for_kill(self, now: int) -> list[OrderEvent]:
        """Cancels every order of ours but those that protect a position."""
        left = [record for record in self._orders.to_kill(self._ledger.position) if record.state != "pending_cancel"]
        return [event for record in left if record.working for event in self._cancel(record, now)]

    def adopt(self, client_order_ids: Sequence[str], now: int) -> list[OrderEvent]:
        """Books what the venue says of orders that something else than our books ended there."""
        known = [key for key in client_order_ids if key in self._orders]
        return [event for key in known for event in self._apply_all(self._venue.order_reports(key), now)]

    def working_orders(self) -> list[str]:
        """Client ids of our orders that may still fill, from any thread."""
        return [record.order.client_order_id for record in self._orders.outside()]

    def to_kill(self) -> list[str]:
        """Client ids of what a kill cancels, from any thread."""
        return [record.order.client_order_id for record in self._orders.to_kill(self._ledger.position)]

    def resolve_unknown(self, now: int) -> list[OrderEvent]:
        """Asks the venue about UNKNOWN orders. Only what it says counts; silence leaves them as they are."""
        events: list[OrderEvent] = []
        for record in self._orders.unknown():
            try:
                events += self._resolve(record, now)
            except VenueTimeout:
                continue
        return events + self._end_protection(now)

    def due_exits(self, now: int) -> list[Intent]:
        """The exit that an open position's time limit asks for, if it is due and none is working.

        Where it does not close the position it is asked for again, each time after twice the wait.
        """
        trade = self._trade
        if trade is None or trade.exit_due_at == 0 or now < trade.exit_due_at:
            return []
        return self._exit(trade, now)

    def held(self) -> HeldTrade | None:
        """The open position, None while flat."""
        trade = self._trade
        return None if trade is None else HeldTrade(trade.decision_id, trade.side, trade.opened_at)

    def leave(self, now: int) -> list[Intent]:
        """The exit of what is held for the policy's reason; none once an exit was asked for: `due_exits` asks again."""
        trade = self._trade
        if trade is None or trade.exit_attempts:
            return []
        trade.exit_reason = ExitReason.POLICY
        return self._exit(trade, now)

    def _exit(self, trade: OpenTrade, now: int) -> list[Intent]:
        if any(record.order.purpose is OrderPurpose.EXIT for record in self._orders.working()):
            return []
        trade.exit_due_at = now + EXIT_RETRY_NS * 2 ** min(trade.exit_attempts, MAX_DOUBLINGS)
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
                reason=f"{trade.exit_reason} of {trade.decision_id}",
            )
        ]

    def account(self, mark: int) -> AccountView:
        """The account marked to ``mark`` ticks, counting what open and UNKNOWN orders could still do."""
        ledger = self._ledger
        position = ledger.position
        orders = self._orders.at_worst(position)
        return AccountView(
            equity=ledger.equity(mark),
            cash=ledger.cash,
            position=position,
            average_price=ledger.average_price if position else 0.0,
            mark=mark,
            unrealised=ledger.unrealised(mark),
            realised=ledger.realised,
            fees=ledger.fees,
            open_orders=orders.orders,
            open_entries=orders.entries,
            worst_long=orders.worst_long,
            worst_short=orders.worst_short,
            unknown_orders=orders.unknown,
            closing=orders.closing,
            unprotected=orders.unprotected,
            own_buy=orders.own_buy,
            own_sell=orders.own_sell,
            orders_sent=self._sent,
            fills=self._fills,
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
            EngineRecord(self._orders.as_dict(), self._trade, self._ledger.snapshot(), self._sent, self._fills)
        )

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        record = msgspec.msgpack.decode(data, type=EngineRecord)
        self._orders = OrderRecords(record.orders)
        self._trade = record.trade
        self._sent, self._fills = record.sent, record.fills
        self._ledger = Ledger.from_snapshot(record.ledger)

    def _send(self, record: OrderRecord, now: int) -> list[OrderEvent]:
        if self._was_blocked(record):
            return [self._step(record, "reject", now, BLOCKED)]
        try:
            return self._apply_all(self._venue.submit(record.order, now), now)
        except VenueTimeout as error:
            return [self._step(record, "timeout", now, str(error))]
        except VenueError as error:
            return [self._step(record, "reject", now, str(error))]

    def _was_blocked(self, record: OrderRecord) -> bool:
        """Whether the kill latch kept this order back in the run that is replayed: what was set then is not set now."""
        fact = self._journal.expected(EVENT_KIND, record.order.decision_id)
        if fact is None:
            return False
        recorded = msgspec.json.decode(fact, type=OrderEvent)
        return recorded.client_order_id == record.order.client_order_id and recorded.reason == BLOCKED

    def _cancel(self, record: OrderRecord, now: int) -> list[OrderEvent]:
        events = [self._step(record, "cancel_request", now)]
        self._journal.commit()
        try:
            events += self._apply_all(self._venue.cancel(record.order.client_order_id, now), now)
        except VenueTimeout as error:
            events.append(self._step(record, "timeout", now, str(error)))
        except VenueError as error:
            events.append(self._step(record, "cancel_reject", now, str(error)))
        return events

    def _resolve(self, record: OrderRecord, now: int) -> list[OrderEvent]:
        """What the venue can prove of an UNKNOWN order: all its reports, or that it has none."""
        key = record.order.client_order_id
        reports = self._venue.order_reports(key)
        if not reports:
            return [self._step(record, "resolve_absent", now, "the venue has no such order")]
        events = self._apply_all(reports, now)
        if record.state == "unknown" and key in self._venue.open_orders():
            events.append(self._step(record, "accept", now, "open at the venue"))
        return events

    def _apply_all(self, reports: Sequence[VenueReport], now: int) -> list[OrderEvent]:
        return [event for report in reports if (event := self._apply(report, now)) is not None]

    def _apply(self, report: VenueReport, now: int) -> OrderEvent | None:
        """Journals a report and books its fill; None for one that was applied before, or is of a foreign order."""
        if report.client_order_id not in self._orders:
            self._fail(f"the venue reports {report.kind} for {report.client_order_id}, an order that is not ours", now)
            return None
        record = self._orders[report.client_order_id]
        if not record.first_time(report):
            return None
        event = record.event_for(report)
        if not record.apply(event):
            self._fail(f"{report.client_order_id}: {event} is illegal in state {record.state}", now)
        told = record.as_event(event, report.time, report)
        self._journal.append(EVENT_KIND, report.time, told, record.order.decision_id)
        if report.kind == "filled":
            self._fill(record, report)
        return told

    def _fill(self, record: OrderRecord, report: VenueReport) -> None:
        if not self._ledger.apply_fill(report.trade_id, report.side, report.quantity, report.price, report.fee):
            return
        record.filled += report.quantity
        self._fills += 1
        order = record.order
        if order.purpose is OrderPurpose.ENTRY and self._trade is None:
            due = report.time + record.time_limit_ns if record.time_limit_ns > 0 else 0
            self._trade = OpenTrade(order.decision_id, order.side, due, opened_at=report.time)
        if self._ledger.position == 0:
            self._trade = None

    def _end_protection(self, now: int) -> list[OrderEvent]:
        """Cancels protective orders whose position is gone, except those whose entry still works."""
        if self._ledger.position:
            return []
        left = [record for record in self._orders.working() if self._protects_nothing(record)]
        return [event for record in left if record.working for event in self._cancel(record, now)]

    def _protects_nothing(self, record: OrderRecord) -> bool:
        if not record.order.reduce_only or record.state in AWAITING_THE_VENUE:
            return False
        parent = record.order.parent
        return not (parent and parent in self._orders and self._orders[parent].working)

    def _step(self, record: OrderRecord, event: str, now: int, reason: str = "") -> OrderEvent:
        if not record.apply(event):
            self._fail(f"{record.order.client_order_id}: {event} is illegal in state {record.state}", now)
        told = record.as_event(event, now, reason=reason)
        self._journal.append(EVENT_KIND, now, told, record.order.decision_id)
        return told

    def _fail(self, message: str, now: int) -> None:
        self._journal.append("stage_failure", now, StageFailure(STAGE, now, message))

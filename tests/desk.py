"""A venue that does what a test tells it, and an execution engine that trades there."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from smc_trading_agent._core import Bar, Bars
from smc_trading_agent.domain.reasons import OrderPurpose
from smc_trading_agent.domain.seal import ApprovalSeal
from smc_trading_agent.domain.types import Approval, ApprovedOrder, Intent, OrderEvent, StageFailure, VenueReport
from smc_trading_agent.execution_engine.engine import ExecutionEngine
from smc_trading_agent.persistence.journal import SqliteJournal
from tests.factories import EQUITY, KEY, MINUTE, PRICE, Gate, exit_intent, instrument, intent, report

ENTRY, STOP, TARGET, EXIT = OrderPurpose.ENTRY, OrderPurpose.STOP, OrderPurpose.TARGET, OrderPurpose.EXIT


class ScriptedVenue:
    """Accepts and cancels as asked unless ``on_submit`` or ``on_cancel`` says otherwise; fills only what is told."""

    def __init__(self) -> None:
        self.submitted: list[ApprovedOrder] = []
        self.cancelled: list[tuple[str, int]] = []
        self.on_submit: Callable[[ApprovedOrder], list[VenueReport]] = lambda order: [self.tell(order, "accepted")]
        self.on_cancel: Callable[[str], list[VenueReport]] = self._cancel_as_asked
        self.on_query: Callable[[str], list[VenueReport]] = lambda _: []
        self.market: dict[int, list[VenueReport]] = {}
        self.open: list[str] = []
        self.position = 0
        self._sequence = 0

    def tell(self, order: ApprovedOrder, kind: str, **changes: object) -> VenueReport:
        """The next report, about an order."""
        self._sequence += 1
        about = {"client_order_id": order.client_order_id, "side": order.side, "quantity": order.quantity}
        return report(self._sequence, kind=kind, **(about | changes))

    def fill(self, order: ApprovedOrder, quantity: int, price: int = PRICE, **changes: object) -> VenueReport:
        """The next report, a fill with a trade id of its own."""
        told = self.tell(order, "filled", quantity=quantity, price=price, fee=7, liquidity="maker")
        return msgspec.structs.replace(told, **({"trade_id": f"t{told.sequence}"} | changes))

    def submit(self, order: ApprovedOrder, now: int) -> list[VenueReport]:
        self.submitted.append(order)
        return self.on_submit(order)

    def cancel(self, client_order_id: str, now: int) -> list[VenueReport]:
        self.cancelled.append((client_order_id, now))
        return self.on_cancel(client_order_id)

    def on_market(self, bars: Bars, start: int, stop: int) -> list[VenueReport]:
        return [told for index in range(start, stop) for told in self.market.pop(bars[index].close_time, [])]

    def order_reports(self, client_order_id: str) -> list[VenueReport]:
        return self.on_query(client_order_id)

    def open_orders(self) -> list[str]:
        return self.open

    def persist(self) -> None:
        """It keeps nothing."""

    def _cancel_as_asked(self, client_order_id: str) -> list[VenueReport]:
        order = next(order for order in self.submitted if order.client_order_id == client_order_id)
        return [self.tell(order, "canceled", reason="requested")]


class Desk:
    """An engine at a scripted venue, with the gate that approves its orders."""

    def __init__(self) -> None:
        self.gate = Gate(max_messages=10_000).active()
        self.clock = self.gate.clock
        self.journal = SqliteJournal()
        self.venue = ScriptedVenue()
        self.engine = self.new_engine()

    def new_engine(self) -> ExecutionEngine:
        return ExecutionEngine(instrument(), self.venue, self.journal, self.clock, ApprovalSeal(KEY), EQUITY)

    def approve(self, wish: Intent | None = None, position: int = 0) -> Approval:
        """What the gate says to an intent, a bracket of ten or more lots unless another is given."""
        outcome = self.gate.settled(wish or intent(), position=position)
        assert isinstance(outcome, Approval)
        return outcome

    def bracket(self) -> dict[OrderPurpose, ApprovedOrder]:
        """A bracket that was sent, by purpose."""
        approval = self.approve()
        self.engine.submit(approval)
        return {order.purpose: order for order in approval.orders}

    def long(self) -> dict[OrderPurpose, ApprovedOrder]:
        """A bracket whose entry has filled."""
        orders = self.bracket()
        self.bar(self.venue.fill(orders[ENTRY], orders[ENTRY].quantity))
        return orders

    def exit(self) -> ApprovedOrder:
        """The market order that closes the position, sent."""
        approval = self.approve(exit_intent(), self.engine.account(PRICE).position)
        self.engine.submit(approval)
        return approval.orders[0]

    def bar(self, *reports: VenueReport) -> list[OrderEvent]:
        """One minute passes, in which the venue reports this."""
        passed = self.next_bars(1)
        self.venue.market[passed[0].close_time] = list(reports)
        self.clock.advance_to(passed[0].close_time)
        return self.engine.on_market(passed, 0, 1)

    def next_bars(self, count: int) -> Bars:
        begin = self.clock.now()
        opens = range(begin, begin + count * MINUTE, MINUTE)
        return Bars.from_list("1m", [Bar(at, at + MINUTE, PRICE, PRICE, PRICE, PRICE) for at in opens])

    def steps(self, purpose: OrderPurpose | None = None) -> list[str]:
        """Every journalled step of every order of a purpose, as ``event -> state``."""
        told = [msgspec.json.decode(fact.payload, type=OrderEvent) for fact in self.journal.facts(kind="order_event")]
        return [f"{event.event} -> {event.state}" for event in told if purpose is None or event.purpose is purpose]

    def failures(self) -> list[str]:
        """What the engine found wrong, as journalled."""
        facts = self.journal.facts(kind="stage_failure")
        return [msgspec.json.decode(fact.payload, type=StageFailure).error for fact in facts]

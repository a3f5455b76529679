"""Our own record of every order: its state by the transition table of the core, and what it still may fill."""

from __future__ import annotations

import msgspec

from smc_trading_agent._core import is_terminal, order_transition
from smc_trading_agent.domain.reasons import OrderPurpose
from smc_trading_agent.domain.types import ApprovedOrder, OrderEvent, VenueReport

REPORT_EVENTS = {
    "accepted": "accept",
    "rejected": "reject",
    "canceled": "cancel",
    "expired": "expire",
}
KEPT_ENDED = 500


class OrderRecord(msgspec.Struct):
    """One order and where it stands."""

    order: ApprovedOrder
    state: str = "intent"
    filled: int = 0
    time_limit_ns: int = 0
    reports: list[str] = []

    @property
    def working(self) -> bool:
        """Whether it may still fill, as far as is known; an UNKNOWN order may."""
        return not is_terminal(self.state)

    @property
    def leaves(self) -> int:
        """Lots that may still fill."""
        return self.order.quantity - self.filled if self.working else 0

    def first_time(self, report: VenueReport) -> bool:
        """Whether this report was not applied before; it is remembered. A fill is known by its trade id.

        Reports may come in any order, and again.
        """
        identity = report.trade_id or str(report.sequence)
        if identity in self.reports:
            return False
        self.reports.append(identity)
        return True

    def apply(self, event: str) -> bool:
        """Follows the transition table; False, and nothing changed, where the pair is illegal."""
        after = order_transition(self.state, event)
        if after is None:
            return False
        self.state = after
        return True

    def event_for(self, report: VenueReport) -> str:
        """Which order event a venue report is, given what filled before."""
        if report.kind == "filled":
            return "fill_complete" if self.filled + report.quantity >= self.order.quantity else "fill_partial"
        return REPORT_EVENTS[report.kind]

    def as_event(self, event: str, time: int, report: VenueReport | None = None, reason: str = "") -> OrderEvent:
        """The journal's view of a step that was just taken."""
        order = self.order
        return OrderEvent(
            client_order_id=order.client_order_id,
            decision_id=order.decision_id,
            instrument=order.instrument,
            purpose=order.purpose,
            event=event,
            state=self.state,
            time=time,
            side=order.side,
            quantity=order.quantity if report is None else report.quantity,
            price=order.price if report is None else report.price,
            fee=0 if report is None else report.fee,
            liquidity="" if report is None else report.liquidity,
            trade_id="" if report is None else report.trade_id,
            reason=reason or ("" if report is None else report.reason),
        )


class OrderRecords:
    """All orders by client id: every working one, and the newest that have ended."""

    def __init__(self, records: dict[str, OrderRecord] | None = None) -> None:
        self._records = records if records is not None else {}
        self._working = {key: record for key, record in self._records.items() if record.working}

    def __getitem__(self, client_order_id: str) -> OrderRecord:
        return self._records[client_order_id]

    def __contains__(self, client_order_id: object) -> bool:
        return client_order_id in self._records

    def demand_new(self, order: ApprovedOrder) -> None:
        """Raises `ValueError` where an order of that client id is known: it must not be sent a second time."""
        if order.client_order_id in self._records:
            raise ValueError(f"order {order.client_order_id} was sent before; a client order id is used once")

    def add(self, order: ApprovedOrder, time_limit_ns: int) -> OrderRecord:
        """Takes note of an order before it is sent; ``time_limit_ns`` is that of the position it may open."""
        record = OrderRecord(order, time_limit_ns=time_limit_ns)
        self._records[order.client_order_id] = self._working[order.client_order_id] = record
        return record

    def working(self) -> list[OrderRecord]:
        """Orders that may still fill."""
        ended = [key for key, record in self._working.items() if not record.working]
        for key in ended:
            del self._working[key]
        return list(self._working.values())

    def working_entries(self) -> list[OrderRecord]:
        """Entries that may still fill."""
        return [record for record in self.working() if record.order.purpose is OrderPurpose.ENTRY]

    def unknown(self) -> list[OrderRecord]:
        """Orders whose outcome is not known."""
        return [record for record in self.working() if record.state == "unknown"]

    def outside(self) -> list[OrderRecord]:
        """Orders that may still fill, for a thread that must not touch the records: the copy is one step."""
        return [record for record in list(self._working.values()) if record.working]

    def to_kill(self, position: int) -> list[OrderRecord]:
        """What a kill cancels, from any thread: all that may still fill but what protects a position of ours."""
        return [record for record in self.outside() if not self._protects(record.order, position)]

    def _protects(self, order: ApprovedOrder, position: int) -> bool:
        protective = order.reduce_only and order.purpose is not OrderPurpose.EXIT and order.side * position < 0
        parent = self._records.get(order.parent)
        return protective and not (parent is not None and parent.working and parent.filled == 0)

    def worst_position(self, position: int) -> tuple[int, int]:
        """(long, short) in lots if everything that can grow a side fills; UNKNOWN orders count as live."""
        growing = [record for record in self.working() if not record.order.reduce_only]
        buys = sum(record.leaves for record in growing if record.order.side > 0)
        sells = sum(record.leaves for record in growing if record.order.side < 0)
        return max(0, position + buys), max(0, sells - position)

    def forget_old(self) -> None:
        """Drops the oldest ended orders beyond `KEPT_ENDED`."""
        ended = [key for key, record in self._records.items() if not record.working]
        for key in ended[: max(0, len(ended) - KEPT_ENDED)]:
            del self._records[key]

    def as_dict(self) -> dict[str, OrderRecord]:
        """For snapshots."""
        return self._records

"""Our own record of every order: its state by the transition table of the core, and what it still may fill."""

from __future__ import annotations

from typing import NamedTuple

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
RESTING = frozenset({"limit", "take_profit"})
"""Kinds of orders that rest at their price; stops wait outside the book."""


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


class OrdersAtWorst(NamedTuple):
    """Lots on either side if everything that grows it fills, and what else the working orders come to.

    ``closing`` are lots of exits, ``unprotected`` lots held without a live stop; ``own_buy`` and ``own_sell`` are our
    highest resting bid and lowest resting offer in ticks, 0 where there is none.
    """

    worst_long: int
    worst_short: int
    orders: int = 0
    entries: int = 0
    unknown: int = 0
    closing: int = 0
    unprotected: int = 0
    own_buy: int = 0
    own_sell: int = 0


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

    def at_worst(self, position: int) -> OrdersAtWorst:
        """What the working orders could still do to a position; UNKNOWN orders count as live, and protect nothing."""
        working = self.working()
        if not working:
            return OrdersAtWorst(max(0, position), max(0, -position), unprotected=abs(position))
        buys = sells = entries = unknown = closing = stopped = own_buy = own_sell = 0
        for record in working:
            order, leaves = record.order, record.leaves
            buying = order.side > 0
            if not order.reduce_only:
                buys, sells = (buys + leaves, sells) if buying else (buys, sells + leaves)
            entries += order.purpose is OrderPurpose.ENTRY
            unknown += record.state == "unknown"
            if order.purpose is OrderPurpose.EXIT:
                closing += leaves
            elif order.purpose is OrderPurpose.STOP and order.side * position < 0 and record.state != "unknown":
                stopped += leaves
            if order.kind in RESTING:
                if buying:
                    own_buy = max(own_buy, order.price)
                else:
                    own_sell = min(own_sell or order.price, order.price)
        return OrdersAtWorst(
            worst_long=max(0, position + buys),
            worst_short=max(0, sells - position),
            orders=len(working),
            entries=entries,
            unknown=unknown,
            closing=closing,
            unprotected=max(0, abs(position) - stopped),
            own_buy=own_buy,
            own_sell=own_sell,
        )

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

    def forget_old(self) -> None:
        """Drops the oldest ended orders beyond `KEPT_ENDED`."""
        ended = [key for key, record in self._records.items() if not record.working]
        for key in ended[: max(0, len(ended) - KEPT_ENDED)]:
            del self._records[key]

    def as_dict(self) -> dict[str, OrderRecord]:
        """For snapshots."""
        return self._records

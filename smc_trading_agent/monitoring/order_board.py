"""Where each order stands, put together from its events."""

from __future__ import annotations

import msgspec

from smc_trading_agent.domain.reasons import OrderPurpose
from smc_trading_agent.domain.types import OrderEvent
from smc_trading_agent.monitoring.round_trips import FILL_EVENTS

TERMINAL_STATES = frozenset({"denied", "filled", "canceled", "expired", "rejected"})


class OrderLine(msgspec.Struct, frozen=True):
    """One order now. ``price`` is the order's own (0 for a market order), ``average_price`` that of its fills."""

    client_order_id: str
    decision_id: str
    purpose: OrderPurpose
    side: int
    state: str
    quantity: int
    filled: int
    price: int
    filled_value: int
    fees: int
    created_at: int
    updated_at: int
    reason: str

    @property
    def working(self) -> bool:
        """Whether it can still fill; an UNKNOWN order can."""
        return self.state not in TERMINAL_STATES

    @property
    def average_price(self) -> float | None:
        """Average fill price in ticks, None while nothing is filled."""
        return self.filled_value / self.filled if self.filled else None


class OrderBoard:
    """Every working order and the newest ``keep`` that are over."""

    def __init__(self, keep: int) -> None:
        self._working: dict[str, OrderLine] = {}
        self._over: dict[str, OrderLine] = {}
        self._keep = keep

    def on_order_event(self, event: OrderEvent) -> None:
        """Moves an order on by one event."""
        key = event.client_order_id
        known = self._working.pop(key, None) or self._over.pop(key, None)
        filled = event.event in FILL_EVENTS
        line = OrderLine(
            client_order_id=key,
            decision_id=event.decision_id,
            purpose=event.purpose,
            side=event.side,
            state=event.state,
            quantity=known.quantity if known else event.quantity,
            filled=(known.filled if known else 0) + (event.quantity if filled else 0),
            price=known.price if known else event.price,
            filled_value=(known.filled_value if known else 0) + (event.quantity * event.price if filled else 0),
            fees=(known.fees if known else 0) + event.fee,
            created_at=known.created_at if known else event.time,
            updated_at=event.time,
            reason=event.reason or (known.reason if known else ""),
        )
        if line.working:
            self._working[key] = line
            return
        self._over[key] = line
        if len(self._over) > self._keep:
            del self._over[next(iter(self._over))]

    def working(self) -> list[OrderLine]:
        """Orders that can still fill, in the order they last changed."""
        return list(self._working.values())

    def over(self, limit: int) -> list[OrderLine]:
        """The newest ``limit`` orders that are over, oldest first."""
        return list(self._over.values())[-limit:] if limit > 0 else []

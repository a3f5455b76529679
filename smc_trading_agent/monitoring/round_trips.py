"""Completed trades, read from order events: a trade runs from flat to flat, and is counted in exact integers."""

from __future__ import annotations

import msgspec

from smc_trading_agent.domain.reasons import OrderPurpose
from smc_trading_agent.domain.types import OrderEvent

FILL_EVENTS = frozenset({"fill_partial", "fill_complete"})


class RoundTrip(msgspec.Struct, frozen=True):
    """One trade from flat to flat. Prices are average ticks; ``gross``, ``fees`` and ``net`` are quote units."""

    number: int
    decision_id: str
    side: int
    quantity: int
    entry_time: int
    exit_time: int
    entry_price: float
    exit_price: float
    gross: int
    fees: int
    net: int
    closed_by: OrderPurpose
    reason: str


class OpenTrade(msgspec.Struct, frozen=True):
    """What of a trade is known while it is open."""

    decision_id: str
    side: int
    entry_time: int


class RoundTripBook:
    """Follows the fills of one instrument. A fill that flips the position closes one trade and opens the next."""

    def __init__(self) -> None:
        self._position = 0
        self._open: OpenTrade | None = None
        self._entered = 0
        self._entry_value = 0
        self._exit_value = 0
        self._fees = 0
        self._completed = 0

    @property
    def open(self) -> OpenTrade | None:
        """The trade that is not over yet."""
        return self._open

    def on_order_event(self, event: OrderEvent) -> RoundTrip | None:
        """Takes note of a fill; the trade that it completed, if any. Other events change nothing."""
        if event.event not in FILL_EVENTS or event.quantity <= 0:
            return None
        quantity, fee, completed = event.quantity, event.fee, None
        if self._position and event.side * self._position < 0:
            closing = min(quantity, abs(self._position))
            closing_fee = fee if closing == quantity else fee * closing // quantity
            completed = self._reduce(event, closing, closing_fee)
            quantity, fee = quantity - closing, fee - closing_fee
        if quantity:
            self._grow(event, quantity, fee)
        return completed

    def _grow(self, event: OrderEvent, quantity: int, fee: int) -> None:
        if self._open is None:
            self._open = OpenTrade(decision_id=event.decision_id, side=event.side, entry_time=event.time)
            self._entered = self._entry_value = self._exit_value = self._fees = 0
        self._position += event.side * quantity
        self._entered += quantity
        self._entry_value += quantity * event.price
        self._fees += fee

    def _reduce(self, event: OrderEvent, quantity: int, fee: int) -> RoundTrip | None:
        self._position += event.side * quantity
        self._exit_value += quantity * event.price
        self._fees += fee
        trade = self._open
        if self._position or trade is None:
            return None
        self._open = None
        self._completed += 1
        gross = trade.side * (self._exit_value - self._entry_value)
        return RoundTrip(
            number=self._completed,
            decision_id=trade.decision_id,
            side=trade.side,
            quantity=self._entered,
            entry_time=trade.entry_time,
            exit_time=event.time,
            entry_price=self._entry_value / self._entered,
            exit_price=self._exit_value / self._entered,
            gross=gross,
            fees=self._fees,
            net=gross - self._fees,
            closed_by=event.purpose,
            reason=event.reason,
        )

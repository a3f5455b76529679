"""A new order as it was asked for, and the checks that turn it into an `Order`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from smc_trading_agent.simex.orders import CONDITIONAL_TYPES, Order
from smc_trading_agent.simex.refusals import Refusal, illegal, missing
from smc_trading_agent.simex.rules import Kind, Symbol

CLIENT_ID = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
FUTURES_TYPES = frozenset({"LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"})
SPOT_TYPES = frozenset(
    {"LIMIT", "MARKET", "LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"}
)
FUTURES_LIMITS = frozenset({"LIMIT", "STOP", "TAKE_PROFIT"})
SPOT_LIMITS = frozenset({"LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
FUTURES_TIFS = frozenset({"GTC", "IOC", "FOK", "GTX"})
TIMED = frozenset({"LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
SPOT_TIFS = frozenset({"GTC", "IOC", "FOK"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What a client asks for. None stands for a parameter that was not sent."""

    account: str
    symbol: Symbol
    buy: bool
    type: str
    tif: str | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    stop: Decimal | None = None
    client_id: str | None = None
    reduce_only: bool = False
    close_position: bool = False
    working_type: str = "CONTRACT_PRICE"
    self_trade: str | None = None

    @property
    def limited(self) -> bool:
        """Whether the type has a limit price."""
        return self.type in (FUTURES_LIMITS if self.symbol.kind is Kind.FUTURES else SPOT_LIMITS)

    @property
    def conditional(self) -> bool:
        """Whether it waits for a stop price."""
        return self.type in CONDITIONAL_TYPES

    def checked(self, order_id: int, client_id: str, reference: int, now_ms: int) -> Order:
        """The order on the symbol's grids; `Refusal` as the venue's filters say. ``reference`` in ticks."""
        tif = self._tif()
        if not re.fullmatch(CLIENT_ID, client_id):
            raise illegal("newClientOrderId", CLIENT_ID)
        if self.limited and self.price is None:
            raise missing("price")
        if not self.limited and self.price is not None:
            raise Refusal(-1106, "Parameter 'price' sent when not required.")
        if self.conditional and self.stop is None:
            raise missing("stopPrice")
        price = self.symbol.ticks_of(self.price) if self.price is not None else 0
        stop = self.symbol.ticks_of(self.stop) if self.stop is not None else 0
        lots = self._lots()
        if price and not self.conditional:
            self.symbol.check_band(self.buy, price, reference)
        if lots:
            self.symbol.check_notional(price or stop or reference, lots, self.reduce_only or self.close_position)
        return Order(
            id=order_id,
            client_id=client_id,
            account=self.account,
            symbol=self.symbol.name,
            buy=self.buy,
            type=self.type,
            original_type=self.type,
            tif=tif,
            price=price,
            lots=lots,
            stop=stop,
            created_ms=now_ms,
            updated_ms=now_ms,
            working_type=self.working_type,
            reduce_only=self.reduce_only or self.close_position,
            close_position=self.close_position,
            self_trade=self.self_trade or "NONE",
            working=not self.conditional,
        )

    def _tif(self) -> str:
        futures = self.symbol.kind is Kind.FUTURES
        if self.type not in (FUTURES_TYPES if futures else SPOT_TYPES):
            raise Refusal(-1116, "Invalid orderType.")
        if self.tif is not None and self.tif not in (FUTURES_TIFS if futures else SPOT_TIFS):
            raise Refusal(-1115, "Invalid timeInForce.")
        if self.tif is None and self.type in TIMED:
            raise missing("timeInForce")
        if self.tif is not None and not futures and not self.limited:
            raise Refusal(-1106, "Parameter 'timeInForce' sent when not required.")
        return self.tif or "GTC"

    def _lots(self) -> int:
        """The quantity in lots; 0 for what is settled later: closing a position, or spending a quote amount."""
        if self.close_position:
            if self.quantity is not None or self.reduce_only:
                raise Refusal(-4136, "Target strategy invalid for orderType 'closePosition'")
            return 0
        if self.quantity is None:
            if self.quote_quantity is not None and self.type == "MARKET" and self.symbol.kind is Kind.SPOT:
                return 0
            raise missing("quantity")
        return self.symbol.lots_of(self.quantity, market=not self.limited)

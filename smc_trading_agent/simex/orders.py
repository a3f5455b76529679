"""Orders, their fills and public trades, in whole ticks, lots and 1e-8 of money."""

from __future__ import annotations

from dataclasses import dataclass

OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})
CONDITIONAL_TYPES = frozenset(
    {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"} | {"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"}
)


@dataclass(slots=True, eq=False)
class Order:
    """An order of one account. A conditional order waits beside the book until its stop price is reached.

    ``price`` is 0 for a market order; ``cost`` is what has been traded so far, in 1e-8 of the quote asset;
    ``reserved`` is what spot has locked for the rest of it; ``quote_wanted`` the quote amount that a market order of
    spot was to spend or gain.
    """

    id: int
    client_id: str
    account: str
    symbol: str
    buy: bool
    type: str
    tif: str
    price: int
    lots: int
    created_ms: int
    updated_ms: int
    stop: int = 0
    working_type: str = "CONTRACT_PRICE"
    reduce_only: bool = False
    close_position: bool = False
    self_trade: str = "NONE"
    status: str = "NEW"
    filled: int = 0
    cost: int = 0
    reserved: int = 0
    quote_wanted: int = 0
    working: bool = True
    original_type: str = ""
    actual_id: int = 0
    triggered_ms: int = 0
    cancel_id: str = ""

    @property
    def side(self) -> str:
        """``BUY`` or ``SELL``."""
        return "BUY" if self.buy else "SELL"

    @property
    def left(self) -> int:
        """Lots still to be traded."""
        return self.lots - self.filled

    @property
    def open(self) -> bool:
        """Whether it can still trade."""
        return self.status in OPEN

    @property
    def rises_to_stop(self) -> bool:
        """Whether the stop is reached by a rising price: stops of buys and take profits of sells."""
        return self.type.startswith("STOP") == self.buy


@dataclass(frozen=True, slots=True)
class Fill:
    """One order's side of a trade; ``quote``, ``fee`` and ``realised`` in 1e-8 of their asset."""

    trade_id: int
    order_id: int
    client_id: str
    account: str
    symbol: str
    buy: bool
    price: int
    lots: int
    quote: int
    fee: int
    fee_asset: str
    realised: int
    maker: bool
    time_ms: int


@dataclass(frozen=True, slots=True)
class Trade:
    """A public trade."""

    id: int
    symbol: str
    price: int
    lots: int
    time_ms: int
    buyer_maker: bool


@dataclass(slots=True)
class Aggregate:
    """Trades of one taking order at one price, in a row."""

    id: int
    symbol: str
    price: int
    lots: int
    first: int
    last: int
    time_ms: int
    buyer_maker: bool


@dataclass(slots=True)
class Counters:
    """The venue's running numbers."""

    order: int = 1_000_000
    conditional: int = 2_000_000
    trade: int = 5_000_000
    aggregate: int = 7_000_000
    income: int = 9_000_000

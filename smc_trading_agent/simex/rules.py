"""What may be traded and on which grids: symbols, their filters, and the checks that every order passes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from smc_trading_agent.simex.refusals import Refusal, filter_failure

MONEY = 100_000_000
"""Money is a whole number of 1e-8 of an asset."""


class Kind(StrEnum):
    """Which of the venue's markets."""

    FUTURES = "futures"
    SPOT = "spot"


def plain(value: Decimal) -> str:
    """A decimal without exponent."""
    return f"{value:f}"


def money_text(amount: int) -> str:
    """An amount with the venue's eight places."""
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), MONEY)
    return f"{sign}{whole}.{rest:08d}"


def money_of(text: str | Decimal) -> int:
    """The amount that a decimal stands for; what lies below 1e-8 is cut."""
    return int(Decimal(text) * MONEY)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A listed symbol. Prices are counted in ``tick``, quantities in ``lot``; bounds are in those steps."""

    name: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    kind: Kind
    min_notional: Decimal
    max_ticks: int = 1_000_000_000
    min_lots: int = 1
    max_lots: int = 1_000_000
    market_max_lots: int = 120_000
    band_up: Decimal = Decimal("1.05")
    band_down: Decimal = Decimal("0.95")
    max_orders: int = 200
    max_conditionals: int = 10

    @property
    def unit(self) -> int:
        """Money of one lot at one tick; whole for every listed symbol."""
        return int(self.tick * self.lot * MONEY)

    @property
    def lot_money(self) -> int:
        """One lot in 1e-8 of the base asset."""
        return int(self.lot * MONEY)

    def price(self, ticks: int) -> str:
        """A price as text, with the places of the tick."""
        return plain(ticks * self.tick)

    def full_price(self, ticks: int) -> str:
        """A price as text with eight places, as mark prices have."""
        return money_text(int(ticks * self.tick * MONEY))

    def quantity(self, lots: int) -> str:
        """A quantity as text, with the places of the lot."""
        return plain(lots * self.lot)

    def places(self, step: Decimal) -> int:
        """Decimal places of a step."""
        return max(0, -int(step.normalize().as_tuple().exponent))

    def ticks_of(self, price: Decimal) -> int:
        """The price in ticks; the refusal of its filter when it is off the grid or out of range."""
        ticks = price / self.tick
        whole = int(ticks)
        if self.kind is Kind.SPOT:
            if ticks != whole or not 1 <= whole <= self.max_ticks:
                raise filter_failure("PRICE_FILTER")
            return whole
        if price <= 0:
            raise Refusal(-4001, "Price less than 0.")
        if (price * 10 ** self.places(self.tick)) % 1:
            raise Refusal(-1111, "Precision is over the maximum defined for this asset.")
        if ticks != whole:
            raise Refusal(-4014, "Price not increased by tick size.")
        if whole > self.max_ticks:
            raise Refusal(-4002, "Price greater than max price.")
        return whole

    def lots_of(self, quantity: Decimal, market: bool) -> int:
        """The quantity in lots; the refusal of its filter when it is off the grid or out of range."""
        lots = quantity / self.lot
        whole = int(lots)
        most = min(self.max_lots, self.market_max_lots) if market else self.max_lots
        if self.kind is Kind.SPOT:
            if quantity <= 0:
                raise Refusal(-1013, "Invalid quantity.")
            if lots != whole or not self.min_lots <= whole <= self.max_lots:
                raise filter_failure("LOT_SIZE")
            if whole > most:
                raise filter_failure("MARKET_LOT_SIZE")
            return whole
        if quantity <= 0:
            raise Refusal(-4003, "Quantity less than or equal to zero.")
        if (quantity * 10 ** self.places(self.lot)) % 1:
            raise Refusal(-1111, "Precision is over the maximum defined for this asset.")
        if whole < self.min_lots:
            raise Refusal(-4004, "Quantity less than min quantity.")
        if whole > most:
            raise Refusal(-4005, "Quantity greater than max quantity.")
        if lots != whole:
            raise Refusal(-4023, "Qty not increased by step size.")
        return whole

    def check_band(self, buy: bool, ticks: int, reference: int) -> None:
        """A limit price must not be worse for its owner than the band around the reference price, in ticks."""
        high = int(reference * self.band_up)
        low = -int(-reference * self.band_down)
        too_high, too_low = buy and ticks > high, not buy and ticks < low
        if self.kind is Kind.SPOT:
            if too_high or too_low:
                raise filter_failure("PERCENT_PRICE_BY_SIDE")
            return
        if too_high:
            raise Refusal(-4016, f"Limit price can't be higher than {self.price(high)}.")
        if too_low:
            raise Refusal(-4024, f"Limit price can't be lower than {self.price(low)}.")

    def check_notional(self, ticks: int, lots: int, reduce_only: bool) -> None:
        """The order's value must reach the smallest one, unless it only reduces a position."""
        if ticks * lots * self.unit >= money_of(self.min_notional) or reduce_only:
            return
        if self.kind is Kind.SPOT:
            raise filter_failure("NOTIONAL")
        smallest = plain(self.min_notional)
        raise Refusal(-4164, f"Order's notional must be no smaller than {smallest} (unless you choose reduce only).")


def listed(kind: Kind) -> dict[str, Symbol]:
    """The symbols of one market by name."""
    grids = (
        ("BTCUSDT", "BTC", "0.10", "0.001", "0.01", "0.00001"),
        ("ETHUSDT", "ETH", "0.01", "0.001", "0.01", "0.0001"),
    )
    futures = kind is Kind.FUTURES
    return {
        name: Symbol(
            name=name,
            base=base,
            quote="USDT",
            tick=Decimal(tick if futures else spot_tick),
            lot=Decimal(lot if futures else spot_lot),
            kind=kind,
            min_notional=Decimal("100" if futures and base == "BTC" else "20" if futures else "5"),
            max_lots=1_000_000 if futures else 900_000_000,
            market_max_lots=120_000 if futures else 10_000_000,
            band_up=Decimal("1.05" if futures else "5"),
            band_down=Decimal("0.95" if futures else "0.2"),
        )
        for name, base, tick, lot, spot_tick, spot_lot in grids
    }

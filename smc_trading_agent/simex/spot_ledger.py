"""The spot accounts: what is free and what is locked of each asset, exact to 1e-8.

Conservation, which `SpotLedger.imbalance` measures: of each asset, what was deposited equals all that is free, all
that is locked and the house's fees.
"""

from __future__ import annotations

from dataclasses import dataclass

from smc_trading_agent.simex.futures_ledger import fee_of
from smc_trading_agent.simex.orders import Order
from smc_trading_agent.simex.refusals import rejected
from smc_trading_agent.simex.rules import Symbol

FEE = 1_000
"""Both sides pay 0.1 percent, in millionths, out of what they receive."""


@dataclass(slots=True)
class Balance:
    """Of one asset, in 1e-8."""

    free: int = 0
    locked: int = 0


@dataclass(slots=True)
class Purse:
    """An account's assets."""

    name: str
    balances: dict[str, Balance]
    updated_ms: int = 0

    def of(self, asset: str) -> Balance:
        """The balance of an asset, empty when it was never held."""
        return self.balances.setdefault(asset, Balance())


class SpotLedger:
    """Locks what orders may spend, books trades and fees, and releases what is left."""

    def __init__(self, symbols: dict[str, Symbol]) -> None:
        self._symbols = symbols
        self.purses: dict[str, Purse] = {}
        self.deposited: dict[str, int] = {}
        self.house: dict[str, int] = {}

    def open(self, name: str, deposits: dict[str, int]) -> None:
        """Opens an account with what is deposited of each asset."""
        self.purses[name] = Purse(name, {asset: Balance(free=amount) for asset, amount in deposits.items()})
        for asset, amount in deposits.items():
            self.deposited[asset] = self.deposited.get(asset, 0) + amount

    def _spent(self, order: Order) -> Balance:
        symbol = self._symbols[order.symbol]
        return self.purses[order.account].of(symbol.quote if order.buy else symbol.base)

    def needed(self, order: Order, lots: int, price: int) -> int:
        """What ``lots`` of the order may spend: the quote asset at ``price`` ticks, or the base asset."""
        symbol = self._symbols[order.symbol]
        return lots * price * symbol.unit if order.buy else lots * symbol.lot_money

    def reserve(self, order: Order, price: int) -> None:
        """Locks what the order may spend at ``price``, its limit or the worst level it would reach."""
        balance = self._spent(order)
        amount = self.needed(order, order.left, price)
        if amount > balance.free:
            raise rejected("Account has insufficient balance for requested action.")
        balance.free -= amount
        balance.locked += amount
        order.reserved = amount

    def settle(self, order: Order, lots: int, price: int, maker: bool, now_ms: int) -> tuple[int, str, int]:
        """Books one side of a trade; fee and its asset. Nothing is realised in spot."""
        symbol = self._symbols[order.symbol]
        purse = self.purses[order.account]
        purse.updated_ms = now_ms
        quote, base = lots * price * symbol.unit, lots * symbol.lot_money
        paid, gained = (quote, base) if order.buy else (base, quote)
        spent = self._spent(order)
        spent.locked -= paid
        order.reserved -= paid
        asset = symbol.base if order.buy else symbol.quote
        fee = fee_of(gained, FEE)
        purse.of(asset).free += gained - fee
        self.house[asset] = self.house.get(asset, 0) + fee
        return fee, asset, 0

    def release(self, order: Order) -> None:
        """Frees what an order that is over has not spent."""
        balance = self._spent(order)
        balance.locked -= order.reserved
        balance.free += order.reserved
        order.reserved = 0

    def tighten(self, order: Order) -> None:
        """Frees what a bought-below-limit order no longer needs for its rest."""
        surplus = order.reserved - self.needed(order, order.left, order.price)
        if surplus > 0 and order.price:
            balance = self._spent(order)
            balance.locked -= surplus
            balance.free += surplus
            order.reserved -= surplus

    def imbalance(self) -> dict[str, int]:
        """Of each asset, an amount that should be zero."""
        return {
            asset: sum(p.of(asset).free + p.of(asset).locked for p in self.purses.values())
            + self.house.get(asset, 0)
            - amount
            for asset, amount in self.deposited.items()
        }

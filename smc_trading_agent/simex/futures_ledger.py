"""The margin accounts of the futures market: wallets, positions, fees and funding, exact to 1e-8.

Conservation, which `FuturesLedger.imbalance` measures: what was deposited equals all wallets, plus the house's
fees, minus the signed cost of all open positions; and signed positions sum to zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from smc_trading_agent.simex.orders import Order
from smc_trading_agent.simex.refusals import Refusal
from smc_trading_agent.simex.rules import Symbol

RATE = 1_000_000
"""Fee and margin rates are counted in millionths."""

MAKER_FEE = 200
TAKER_FEE = 500
MAINTENANCE = 4_000
FUNDING_RATE = 10_000
"""Funding rates are counted in 1e-8: this is 0.0001 a period."""

LEVERAGE = 20
MAX_LEVERAGE = 125


@dataclass(slots=True)
class Position:
    """A one-way position: signed ``lots``, and their signed entry ``cost`` in money."""

    symbol: str
    lots: int = 0
    cost: int = 0
    realised: int = 0
    leverage: int = LEVERAGE
    margin_type: str = "cross"
    updated_ms: int = 0


@dataclass(slots=True)
class Wallet:
    """An account's margin asset and positions."""

    name: str
    deposited: int
    balance: int
    positions: dict[str, Position]
    unlimited: bool = False
    income: list[dict[str, object]] = field(default_factory=list)
    updated_ms: int = 0


def share(amount: int, part: int, whole: int) -> int:
    """``amount * part / whole``, rounded towards zero."""
    quotient = abs(amount) * part // whole
    return -quotient if amount < 0 else quotient


def fee_of(money: int, rate: int) -> int:
    """The fee on a traded value at a rate in millionths, rounded up."""
    return -(-abs(money) * rate // RATE)


class FuturesLedger:
    """Books trades, fees and funding; refuses what the margin does not carry."""

    asset = "USDT"

    def __init__(self, symbols: dict[str, Symbol], mark: Callable[[str], int]) -> None:
        self._symbols = symbols
        self._mark = mark
        self.wallets: dict[str, Wallet] = {}
        self.house = 0

    def open(self, name: str, deposit: int, unlimited: bool = False) -> None:
        """Opens an account; one that is ``unlimited`` (a market maker's) is never asked for margin."""
        positions = {symbol: Position(symbol) for symbol in self._symbols}
        self.wallets[name] = Wallet(name, deposit, deposit, positions, unlimited)

    def value(self, symbol: str, lots: int, ticks: int) -> int:
        """Signed money of ``lots`` at ``ticks``."""
        return lots * ticks * self._symbols[symbol].unit

    def unrealised(self, position: Position) -> int:
        """Profit of a position at the mark price."""
        return self.value(position.symbol, position.lots, self._mark(position.symbol)) - position.cost

    def margin_balance(self, wallet: Wallet) -> int:
        """Wallet balance and unrealised profit."""
        return wallet.balance + sum(self.unrealised(position) for position in wallet.positions.values())

    def position_margin(self, position: Position) -> int:
        """Initial margin of the position alone."""
        return abs(self.value(position.symbol, position.lots, self._mark(position.symbol))) // position.leverage

    def maintenance(self, wallet: Wallet) -> int:
        """Maintenance margin of all positions."""
        values = (self.value(p.symbol, p.lots, self._mark(p.symbol)) for p in wallet.positions.values())
        return sum(abs(value) * MAINTENANCE // RATE for value in values)

    def initial_margin(self, position: Position, orders: Iterable[Order]) -> int:
        """Margin of the larger of the two positions that filling all bids, or all asks, would lead to."""
        held = self.value(position.symbol, position.lots, self._mark(position.symbol))
        bids = asks = 0
        for order in orders:
            if order.symbol != position.symbol or order.reduce_only:
                continue
            money = self.value(order.symbol, order.left, order.price or self._mark(order.symbol))
            bids += money if order.buy else 0
            asks += 0 if order.buy else money
        return max(abs(held + bids), abs(held - asks), abs(held)) // position.leverage

    def available(self, wallet: Wallet, orders: Iterable[Order]) -> int:
        """What is left for new orders: never below zero."""
        open_orders = list(orders)
        used = sum(self.initial_margin(position, open_orders) for position in wallet.positions.values())
        return max(0, self.margin_balance(wallet) - used)

    def check(self, order: Order, orders: list[Order]) -> None:
        """Refuses an order that the free margin does not carry and that is no reduction."""
        wallet = self.wallets[order.account]
        position = wallet.positions[order.symbol]
        if wallet.unlimited or order.reduce_only:
            return
        before = self.initial_margin(position, orders)
        needed = self.initial_margin(position, [*orders, order]) - before
        if needed > 0 and needed > self.available(wallet, orders):
            raise Refusal(-2019, "Margin is insufficient.")

    def settle(self, order: Order, lots: int, price: int, maker: bool, now_ms: int) -> tuple[int, str, int]:
        """Books one side of a trade; fee, its asset, and the profit realised."""
        wallet = self.wallets[order.account]
        position = wallet.positions[order.symbol]
        realised = self._move(position, lots if order.buy else -lots, price)
        fee = fee_of(self.value(order.symbol, lots, price), MAKER_FEE if maker else TAKER_FEE)
        position.realised += realised
        position.updated_ms = wallet.updated_ms = now_ms
        wallet.balance += realised - fee
        self.house += fee
        if realised:
            self._note(wallet, order.symbol, "REALIZED_PNL", realised, now_ms)
        self._note(wallet, order.symbol, "COMMISSION", -fee, now_ms)
        return fee, self.asset, realised

    def _move(self, position: Position, signed: int, price: int) -> int:
        """Adds signed lots; the profit realised by the part that closed something."""
        opposite = position.lots * signed < 0
        closing = min(abs(signed), abs(position.lots)) if opposite else 0
        realised = 0
        if closing:
            removed = share(position.cost, closing, abs(position.lots))
            closed = closing if signed > 0 else -closing
            realised = -(removed + self.value(position.symbol, closed, price))
            position.cost -= removed
            position.lots += closed
            signed -= closed
        position.lots += signed
        position.cost += self.value(position.symbol, signed, price)
        return realised

    def fund(self, symbol: str, rate: int, now_ms: int) -> list[str]:
        """Longs pay shorts ``rate`` (1e-8) of their value at the mark; the accounts touched. The house has residues."""
        touched = []
        for wallet in self.wallets.values():
            position = wallet.positions[symbol]
            paid = share(self.value(symbol, position.lots, self._mark(symbol)) * rate, 1, 100_000_000)
            if paid:
                wallet.balance -= paid
                self.house += paid
                wallet.updated_ms = now_ms
                self._note(wallet, symbol, "FUNDING_FEE", -paid, now_ms)
                touched.append(wallet.name)
        return touched

    def imbalance(self) -> tuple[int, int]:
        """Money and net lots that should both be zero."""
        wallets = list(self.wallets.values())
        costs = sum(position.cost for wallet in wallets for position in wallet.positions.values())
        money = sum(w.balance for w in wallets) + self.house - costs - sum(w.deposited for w in wallets)
        lots = sum(abs(sum(wallet.positions[symbol].lots for wallet in wallets)) for symbol in self._symbols)
        return money, lots

    @staticmethod
    def _note(wallet: Wallet, symbol: str, what: str, amount: int, now_ms: int) -> None:
        if not wallet.unlimited:
            wallet.income.append({"symbol": symbol, "incomeType": what, "income": amount, "time": now_ms})

"""Price-time matching of one market, and the triggers of its conditional orders."""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import Protocol

from smc_trading_agent.simex.book import Book
from smc_trading_agent.simex.candles import Candles
from smc_trading_agent.simex.futures_ledger import FuturesLedger
from smc_trading_agent.simex.orders import Aggregate, Counters, Fill, Order, Trade
from smc_trading_agent.simex.rules import Kind, Symbol
from smc_trading_agent.simex.spot_ledger import SpotLedger

KEPT_TRADES = 5_000


class Watcher(Protocol):
    """Is told what happened, in the order in which it happened."""

    def order_event(self, order: Order, what: str, fill: Fill | None, now_ms: int) -> None:
        """An order changed: ``what`` is NEW, TRADE, CANCELED, EXPIRED or TRADE_PREVENTION."""

    def account_event(self, account: str, reason: str, symbol: str, now_ms: int) -> None:
        """Balances, and the position in ``symbol``, changed."""

    def conditional_event(self, order: Order, now_ms: int) -> None:
        """A futures conditional order changed its status."""

    def trade_event(self, trade: Trade, aggregate: Aggregate | None) -> None:
        """A public trade; with it, the aggregate that it completes."""


class Matching:
    """Books, trades and prices of one market. `Exchange` adds accounts' requests to it."""

    def __init__(self, symbols: dict[str, Symbol], ledger: FuturesLedger | SpotLedger, keep: frozenset[str]) -> None:
        self.symbols = symbols
        self.ledger = ledger
        self.makers = keep
        self.counters = Counters()
        shared = count(1)
        futures = isinstance(ledger, FuturesLedger)
        self.books = {name: Book(name, shared if futures else count(1)) for name in symbols}
        self.candles = {name: Candles() for name in symbols}
        self.marks = dict.fromkeys(symbols, 0)
        self.last = dict.fromkeys(symbols, 0)
        self.trades: dict[str, deque[Trade]] = {name: deque(maxlen=KEPT_TRADES) for name in symbols}
        self.aggregates: dict[str, deque[Aggregate]] = {name: deque(maxlen=KEPT_TRADES) for name in symbols}
        self.fills: dict[str, list[Fill]] = {}
        self.watchers: list[Watcher] = []
        self.live: dict[str, dict[int, Order]] = {}

    def tell(self, order: Order, what: str, fill: Fill | None, now_ms: int) -> None:
        """Tells the watchers of a client's order; makers' orders are nobody's news."""
        order.updated_ms = now_ms
        if order.account not in self.makers:
            for watcher in self.watchers:
                watcher.order_event(order, what, fill, now_ms)
                if fill is not None:
                    watcher.account_event(order.account, "ORDER", order.symbol, now_ms)

    def end(self, order: Order, status: str, now_ms: int, what: str | None = None) -> None:
        """Takes an order off the book and out of the live ones, and says how it ended."""
        self.books[order.symbol].remove(order)
        order.status = status
        self.live[order.account].pop(order.id, None)
        if isinstance(self.ledger, SpotLedger):
            self.ledger.release(order)
        self.tell(order, what or status, None, now_ms)

    def reference(self, symbol: str) -> int:
        """The price that bands are around, in ticks: the mark, or the last trade."""
        return self.marks[symbol] or self.last[symbol] or self.books[symbol].best(True)

    def worst(self, symbol: str, buy: bool) -> int:
        """How far a market order may reach, in ticks."""
        rules, reference = self.symbols[symbol], self.reference(symbol)
        return int(reference * rules.band_up) if buy else -int(-reference * rules.band_down)

    def fillable(self, order: Order) -> int:
        """Lots that could be traded at once within the order's limit."""
        limit = order.price or self.worst(order.symbol, order.buy)
        return sum(resting.left for resting in self.books[order.symbol].against(order.buy, limit))

    def reducible(self, order: Order, lots: int) -> int:
        """How many of ``lots`` the order may trade: a reduce-only order never opens or turns a position."""
        if not order.reduce_only or not isinstance(self.ledger, FuturesLedger):
            return lots
        held = self.ledger.wallets[order.account].positions[order.symbol].lots
        return min(lots, max(0, -held if order.buy else held))

    def match(self, order: Order, now_ms: int) -> None:
        """Trades what can be traded at once; the rest rests or expires, as the order's type and time in force say."""
        limit = order.price or self.worst(order.symbol, order.buy)
        aggregate: Aggregate | None = None
        if order.tif == "FOK" and self.fillable(order) < order.lots:
            self.end(order, "EXPIRED", now_ms)
            return
        for resting in list(self.books[order.symbol].against(order.buy, limit)):
            if order.left == 0 or not order.open:
                break
            if resting.account == order.account and order.self_trade != "NONE":
                self._prevent(order, resting, now_ms)
                continue
            lots = self.reducible(resting, min(order.left, resting.left))
            if lots == 0:
                self.end(resting, "EXPIRED", now_ms)
                continue
            lots = self.reducible(order, lots)
            if lots == 0:
                break
            aggregate = self._trade(order, resting, lots, aggregate, now_ms)
        if order.open and order.left:
            self._rest(order, now_ms)

    def _rest(self, order: Order, now_ms: int) -> None:
        limited = order.price > 0 and order.tif in {"GTC", "GTX"}
        if limited and self.reducible(order, order.left):
            self.books[order.symbol].add(order)
        else:
            self.end(order, "EXPIRED", now_ms)

    def _prevent(self, order: Order, resting: Order, now_ms: int) -> None:
        """Self-trade prevention by the taker's mode: what would have met itself expires."""
        if order.self_trade in {"EXPIRE_MAKER", "EXPIRE_BOTH"}:
            self.end(resting, "EXPIRED_IN_MATCH", now_ms, "TRADE_PREVENTION")
        if order.self_trade in {"EXPIRE_TAKER", "EXPIRE_BOTH"}:
            self.end(order, "EXPIRED_IN_MATCH", now_ms, "TRADE_PREVENTION")

    def _trade(
        self, order: Order, resting: Order, lots: int, aggregate: Aggregate | None, now_ms: int
    ) -> Aggregate | None:
        price = resting.price
        self.counters.trade += 1
        trade = Trade(self.counters.trade, order.symbol, price, lots, now_ms, buyer_maker=not order.buy)
        self.last[order.symbol] = price
        self.trades[order.symbol].append(trade)
        self.candles[order.symbol].add(now_ms, price, lots, order.buy)
        if aggregate is None or aggregate.price != price:
            self.counters.aggregate += 1
            aggregate = Aggregate(
                self.counters.aggregate, order.symbol, price, lots, trade.id, trade.id, now_ms, not order.buy
            )
            self.aggregates[order.symbol].append(aggregate)
        else:
            aggregate.lots += lots
            aggregate.last = trade.id
        for watcher in self.watchers:
            watcher.trade_event(trade, aggregate)
        self._fill(resting, trade, True, now_ms)
        self._fill(order, trade, False, now_ms)
        return aggregate

    def _fill(self, order: Order, trade: Trade, maker: bool, now_ms: int) -> None:
        symbol = self.symbols[order.symbol]
        money = trade.lots * trade.price * symbol.unit
        order.filled += trade.lots
        order.cost += money
        fee, asset, realised = self.ledger.settle(order, trade.lots, trade.price, maker, now_ms)
        order.status = "FILLED" if order.left == 0 else "PARTIALLY_FILLED"
        if maker:
            self.books[order.symbol].note(order) if order.left else self.books[order.symbol].remove(order)
        if order.left == 0:
            self.live[order.account].pop(order.id, None)
        if isinstance(self.ledger, SpotLedger):
            self.ledger.tighten(order) if order.left else self.ledger.release(order)
        fill = Fill(
            trade.id, order.id, order.client_id, order.account, order.symbol, order.buy, trade.price, trade.lots,
            money, fee, asset, realised, maker, now_ms,
        )  # fmt: skip
        if order.account not in self.makers:
            self.fills.setdefault(order.account, []).append(fill)
        self.tell(order, "TRADE", fill, now_ms)

    def reached(self, order: Order) -> bool:
        """Whether the price that a conditional order watches has reached its stop."""
        by_mark = order.working_type == "MARK_PRICE" and self.symbols[order.symbol].kind is Kind.FUTURES
        price = self.marks[order.symbol] if by_mark else self.last[order.symbol]
        if not price:
            return False
        return price >= order.stop if order.rises_to_stop else price <= order.stop

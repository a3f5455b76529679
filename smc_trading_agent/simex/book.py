"""One symbol's resting orders by price, then time, and the numbered changes that depth streams are made of."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator

from smc_trading_agent.simex.orders import Order


class Book:
    """Two ladders of first-come queues. Each change of a level's quantity takes the next id of ``ids``.

    The books of the futures market share their ids, as the venue's do: consecutive diffs of one symbol join by their
    ``pu``, not by consecutive numbers. Each spot book counts by itself.
    """

    def __init__(self, symbol: str, ids: Iterator[int]) -> None:
        self.symbol = symbol
        self._ids = ids
        self.update_id = next(ids)
        self.changes: list[tuple[int, bool, int]] = []
        self._queues: dict[bool, dict[int, deque[Order]]] = {True: {}, False: {}}
        self._prices: dict[bool, list[int]] = {True: [], False: []}  # ascending on both sides

    def best(self, bid: bool) -> int:
        """The best price of a side in ticks; 0 when it is empty."""
        prices = self._prices[bid]
        if not prices:
            return 0
        return prices[-1] if bid else prices[0]

    def lots_at(self, bid: bool, price: int) -> int:
        """Resting lots at a price."""
        return sum(order.left for order in self._queues[bid].get(price, ()))

    def depth(self, bid: bool, levels: int) -> list[tuple[int, int]]:
        """The best ``levels`` of a side as (ticks, lots), best first."""
        prices = self._prices[bid]
        chosen = prices[::-1][:levels] if bid else prices[:levels]
        return [(price, self.lots_at(bid, price)) for price in chosen]

    def orders(self, bid: bool) -> Iterator[Order]:
        """A side's orders in the sequence in which they would be matched."""
        prices = self._prices[bid]
        for price in prices[::-1] if bid else list(prices):
            yield from list(self._queues[bid].get(price, ()))

    def against(self, buy: bool, limit: int) -> Iterator[Order]:
        """The orders that a taker meets up to its ``limit`` (0: any price), in matching sequence."""
        for order in self.orders(not buy):
            if limit and (order.price > limit if buy else order.price < limit):
                return
            yield order

    def crosses(self, buy: bool, price: int) -> bool:
        """Whether an order at ``price`` would trade at once."""
        best = self.best(not buy)
        return bool(best) and (price >= best if buy else price <= best)

    def add(self, order: Order) -> None:
        """Puts an order behind those already at its price."""
        queues = self._queues[order.buy]
        if order.price not in queues:
            queues[order.price] = deque()
            insort(self._prices[order.buy], order.price)
        queues[order.price].append(order)
        self.note(order)

    def remove(self, order: Order) -> None:
        """Takes an order off, with its level when that is now empty."""
        queues = self._queues[order.buy]
        queue = queues.get(order.price)
        if queue is None or order not in queue:
            return
        queue.remove(order)
        if not queue:
            del queues[order.price]
            prices = self._prices[order.buy]
            del prices[bisect_left(prices, order.price)]
        self.note(order)

    def note(self, order: Order) -> None:
        """Numbers a change of the level that ``order`` rests at."""
        self.update_id = next(self._ids)
        self.changes.append((self.update_id, order.buy, order.price))

    def drain(self) -> list[tuple[int, bool, int]]:
        """The changes since the last call as (update id, bid side, ticks)."""
        changes, self.changes = self.changes, []
        return changes

"""Candles of one symbol, made from its trades minute by minute; longer ones are put together when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MINUTE_MS = 60_000
INTERVALS = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "8h": 480,
    "12h": 720, "1d": 1440,
}  # fmt: skip
KEPT = 20_000


@dataclass(slots=True)
class Candle:
    """Prices in ticks; ``value`` and ``bought_value`` are sums of price times lots."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    value: int = 0
    trades: int = 0
    bought: int = 0
    bought_value: int = 0

    def take(self, other: Candle) -> None:
        """Goes on with a later candle."""
        self.high = max(self.high, other.high)
        self.low = min(self.low, other.low)
        self.close = other.close
        self.lots += other.lots
        self.value += other.value
        self.trades += other.trades
        self.bought += other.bought
        self.bought_value += other.bought_value


class Candles:
    """The minutes in which something traded, oldest first; the oldest go when there are too many."""

    def __init__(self) -> None:
        self.minutes: list[Candle] = []

    def add(self, time_ms: int, price: int, lots: int, bought: bool) -> None:
        """Adds a trade."""
        open_ms = time_ms - time_ms % MINUTE_MS
        value = price * lots
        one = Candle(open_ms, price, price, price, price, lots, value, 1, lots if bought else 0, value if bought else 0)
        self.put(one)

    def put(self, candle: Candle) -> None:
        """Adds a candle, or goes on with the one of the same minute."""
        if self.minutes and self.minutes[-1].open_ms >= candle.open_ms:
            self.minutes[-1].take(candle)
            return
        self.minutes.append(candle)
        if len(self.minutes) > KEPT:
            del self.minutes[: KEPT // 10]

    def of(self, interval: str, start_ms: int, end_ms: int, limit: int) -> list[Candle]:
        """Candles of an interval that open within [start, end]: the first ``limit`` from ``start``, or the last."""
        found = [candle for candle in self._grouped(interval) if start_ms <= candle.open_ms <= end_ms]
        return found[:limit] if start_ms > 0 else found[-limit:]

    def last_two(self, interval: str) -> list[Candle]:
        """The candle that is being made and the one before it, oldest first."""
        return list(self._grouped(interval, self.minutes[-2 * INTERVALS[interval] :]))[-2:]

    def window(self, since_ms: int) -> Candle | None:
        """One candle over everything since a time."""
        whole: Candle | None = None
        for candle in self.minutes:
            if candle.open_ms < since_ms:
                continue
            if whole is None:
                whole = Candle(candle.open_ms, candle.open, candle.high, candle.low, candle.close)
            whole.take(candle)
        return whole

    def _grouped(self, interval: str, minutes: list[Candle] | None = None) -> Iterator[Candle]:
        length = INTERVALS[interval] * MINUTE_MS
        current: Candle | None = None
        for candle in self.minutes if minutes is None else minutes:
            open_ms = candle.open_ms - candle.open_ms % length
            if current is None or current.open_ms != open_ms:
                if current is not None:
                    yield current
                current = Candle(open_ms, candle.open, candle.high, candle.low, candle.close)
            current.take(candle)
        if current is not None:
            yield current

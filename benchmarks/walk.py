"""The random market that functions over whole columns are measured on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import peer
from smc_trading_agent._core import Bars, Instrument, QualityGate

START = "2015-01-05"
TICK = 1e-5
STEPS = 8
VOLATILITY = 2e-4
"""Of one step, as a share of the price: a bar's range is about 10 pips."""

Floats = NDArray[np.float64]


class Walk(NamedTuple):
    """Prices, shape (bars,), oldest first, on a grid of ``tick``; times in ns since the epoch."""

    time: NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    tick: float

    def frame(self) -> Any:
        """As a pandas frame, indexed by time."""
        columns = {name: getattr(self, name) for name in ("open", "high", "low", "close", "volume")}
        pandas = peer("pandas")
        return pandas.DataFrame(columns, index=pandas.DatetimeIndex(self.time.view("datetime64[ns]")))

    def ticks(self) -> NDArray[np.int64]:
        """Open, high, low, close, shape (bars, 4)."""
        prices = np.column_stack([self.open, self.high, self.low, self.close])
        return np.rint(prices / self.tick).astype(np.int64)

    def bars(self, timeframe: str) -> Bars:
        """As the core's bars; the walk's times must be those of the timeframe."""
        gate = QualityGate(Instrument("bench", "WALK", f"{self.tick:.5f}", "1"), timeframe)
        admitted = gate.admit(self.time, self.open, self.high, self.low, self.close, self.volume)
        if len(admitted) != len(self.time):
            raise ValueError(f"{len(self.time) - len(admitted)} bars of the walk were refused: {gate.rejected}")
        return admitted


def random_walk(bars: int, seed: int, tick: float = TICK) -> Walk:
    """A log random walk of 8 normal steps a bar of 15 minutes, each opening where the last one closed."""
    random = np.random.default_rng(seed)
    path = 1.1 * np.exp(np.cumsum(random.normal(0.0, VOLATILITY, bars * STEPS)).reshape(bars, STEPS))
    close = path[:, -1]
    open_ = np.concatenate([[1.1], close[:-1]])
    high, low = np.maximum(open_, path.max(axis=1)), np.minimum(open_, path.min(axis=1))
    open_, high, low, close = (np.round(np.rint(prices / tick) * tick, 5) for prices in (open_, high, low, close))
    time = (np.datetime64(START, "ns") + np.arange(bars) * np.timedelta64(15, "m")).view(np.int64)
    return Walk(time, open_, high, low, close, random.integers(0, 900, bars).astype(np.float64), tick)

"""Small random markets on a coarse grid, where ties, gaps and doji bars are common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from hypothesis import strategies as st
from numpy.typing import NDArray

START = 1_704_263_820_000_000_000
"""2024-01-03 06:37 UTC, a Wednesday, in ns."""
MINUTE = 60_000_000_000


@dataclass(frozen=True)
class Market:
    """Columns of shape (bars,)."""

    time: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def frame(self) -> pl.DataFrame:
        """With the datetime column ``date``."""
        columns = {name: getattr(self, name) for name in ("open", "high", "low", "close", "volume")}
        return pl.DataFrame({"date": pl.Series(self.time).cast(pl.Datetime("ns")), **columns})

    def lists(self) -> tuple[list[float], list[float], list[float], list[float]]:
        """Open, high, low, close."""
        return self.open.tolist(), self.high.tolist(), self.low.tolist(), self.close.tolist()


@st.composite
def markets(draw: st.DrawFn, max_size: int = 70) -> Market:
    """One to ``max_size`` bars, some minutes to some days apart."""
    bar = st.tuples(
        st.integers(-2, 2),
        st.integers(-3, 3),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 4),
        st.sampled_from([1, 7, 60, 60, 240, 2_880]),
    )
    steps = np.array(draw(st.lists(bar, min_size=1, max_size=max_size)), dtype=np.int64).reshape(-1, 6)
    gap, body, above, below, volume, minutes = steps.T
    tick = draw(st.sampled_from([1.0, 0.1, 0.01]))
    close = 200 + np.cumsum(gap + body)
    open_ = close - body
    return Market(
        time=START + np.cumsum(minutes) * MINUTE,
        open=open_ * tick,
        high=(np.maximum(open_, close) + above) * tick,
        low=(np.minimum(open_, close) - below) * tick,
        close=close * tick,
        volume=volume * 1.5,
    )

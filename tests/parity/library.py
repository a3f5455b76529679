"""The installed library `smartmoneyconcepts`, and random markets to compare with it on."""

from __future__ import annotations

import importlib
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd

TICKS = {"fx": 1e-5, "coarse": 2e-4}
"""Tick sizes: on the coarse grid equal prices, doji bars and touches to the tick are common."""


def load() -> Any:
    """The library's class of functions; its banner, printed on import, is kept from the test's output."""
    with redirect_stdout(StringIO()):
        return importlib.import_module("smartmoneyconcepts").smc


def market(seed: int, bars: int, tick: float = TICKS["fx"], every: str = "15min") -> pd.DataFrame:
    """A log random walk of 8 steps a bar, prices on a grid, with volume; indexed by time, weekends included."""
    random = np.random.default_rng(seed)
    path = np.exp(np.cumsum(random.normal(0.0, 2e-4, bars * 8))).reshape(bars, 8)
    close = path[:, -1]
    open_ = np.concatenate([[1.0], close[:-1]])
    columns = {
        "open": open_,
        "high": np.maximum(open_, path.max(axis=1)),
        "low": np.minimum(open_, path.min(axis=1)),
        "close": close,
    }
    prices = {name: np.round(np.rint(1.1 * values / tick) * tick, 5) for name, values in columns.items()}
    index = pd.date_range("2024-01-03 06:45", periods=bars, freq=every)
    return pd.DataFrame({**prices, "volume": random.integers(0, 900, bars).astype(float)}, index=index)

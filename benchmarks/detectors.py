"""All detectors over a whole history in one call, and how that scales."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.rows import Row, scaling_row, time_row, took_each
from benchmarks.walk import random_walk
from smc_trading_agent._core import Bars, Detector

SEED = 7
TIMEFRAME = "15m"
TARGET_S = 1.0
EXPONENT = 1.05


def read_all(bars: Bars) -> object:
    """Every concept over all bars, as columns."""
    return Detector(TIMEFRAME).run_columns(bars)


def measure_detectors(small: int, large: int, runs: int) -> list[Row]:
    """The time over ``large`` bars, and the exponent between ``small`` and ``large``."""
    times = {}
    for count in (small, large):
        bars = random_walk(count, SEED).bars(TIMEFRAME)
        times[count] = took_each(runs, partial(read_all, bars))
    medians = [(count, float(np.median(taken))) for count, taken in times.items()]
    title = "all detectors, batch"
    return [
        time_row(f"{title}, {large:,} bars", "s", times[large], TARGET_S),
        scaling_row(f"{title}, {small:,} to {large:,} bars", medians[0], medians[1], runs, EXPONENT),
    ]

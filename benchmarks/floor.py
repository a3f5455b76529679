"""The jitter floor: how long this machine keeps a thread that only reads the clock from reading it again."""

from __future__ import annotations

import numpy as np

from benchmarks.rows import Row, row_of
from smc_trading_agent.domain.clock import monotonic_ns

READINGS = 2_000_000


def measure_floor() -> Row:
    """Gaps between consecutive readings of a spinning loop; what is far above the median is the machine's own."""
    readings = np.empty(READINGS, dtype=np.int64)
    for index in range(READINGS):
        readings[index] = monotonic_ns()
    return row_of("jitter floor (idle spinning thread)", "us", np.diff(readings) / 1_000.0)

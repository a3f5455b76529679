"""Whether latency is getting worse: the newest half of a window against the half before it.

The test is the Mann-Whitney U test (Mann and Whitney 1947) in its normal approximation with the correction for
ties, so one outlier can't raise an alarm. A change counts only when it is significant (|z| at least `SIGNIFICANT_Z`,
two-sided p below 0.003) and large enough to matter (the median moved by `RELEVANT_CHANGE` or more).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

SIGNIFICANT_Z = 3.0
RELEVANT_CHANGE = 0.10
MIN_SAMPLES = 20

Direction = Literal["worsening", "improving", "stable", "insufficient_data"]


class Trend(msgspec.Struct, frozen=True):
    """The recent window against the one before it. ``z`` is positive when recent values are larger."""

    direction: Direction
    z: float
    median_before: float
    median_recent: float
    samples_before: int
    samples_recent: int


def trend_of(values: Sequence[float]) -> Trend:
    """Splits ``values`` (oldest first) in halves and compares them; each half needs `MIN_SAMPLES` values."""
    middle = len(values) // 2
    before, recent = np.asarray(values[:middle], float), np.asarray(values[middle:], float)
    if middle < MIN_SAMPLES:
        return Trend("insufficient_data", 0.0, _median(before), _median(recent), before.size, recent.size)
    z = mann_whitney_z(before, recent)
    old, new = _median(before), _median(recent)
    direction: Direction = "stable"
    if abs(z) >= SIGNIFICANT_Z and abs(new - old) >= RELEVANT_CHANGE * old:
        direction = "worsening" if new > old else "improving"
    return Trend(direction, z, old, new, before.size, recent.size)


def mann_whitney_z(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """z of the Mann-Whitney U test, positive when ``second`` tends to be larger; 0.0 when all values are equal."""
    pooled = np.concatenate([first, second])
    _, inverse, counts = np.unique(pooled, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(counts)
    ranks = (last_rank - (counts - 1) / 2.0)[inverse]
    n1, n2, n = first.size, second.size, pooled.size
    u = float(ranks[n1:].sum()) - n2 * (n2 + 1) / 2.0
    tie_term = float((counts.astype(float) ** 3 - counts).sum()) / (n * (n - 1))
    variance = n1 * n2 / 12.0 * (n + 1 - tie_term)
    return (u - n1 * n2 / 2.0) / math.sqrt(variance) if variance > 0 else 0.0


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if values.size else 0.0

"""One measured line, and how samples become one."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

LEAST_BEYOND = 10
"""A percentile is given only where at least so many samples lie beyond it."""


class Row(msgspec.Struct, frozen=True):
    """Percentiles of one thing. ``ratio`` is the peer's median over ours; ``met`` says whether p99 meets ``target``."""

    name: str
    unit: str
    p50: float | None
    p99: float | None
    p999: float | None
    max: float | None
    n: int
    peer: str | None = None
    ratio: float | None = None
    target: float | None = None
    met: bool | None = None


def row_of(name: str, unit: str, samples: NDArray[np.float64], target: float | None = None) -> Row:
    """Percentiles of samples; None where there are too few samples beyond one."""
    p50, p99, p999 = (_percentile(samples, q) for q in (50.0, 99.0, 99.9))
    return Row(
        name=name,
        unit=unit,
        p50=p50,
        p99=p99,
        p999=p999,
        max=float(samples.max()) if samples.size else None,
        n=int(samples.size),
        target=target,
        met=None if target is None or p99 is None else p99 <= target,
    )


def rate_row(name: str, unit: str, rates: NDArray[np.float64], target: float | None = None) -> Row:
    """Median rate of several runs; ``met`` says whether the median reaches ``target``."""
    median = float(np.median(rates))
    return Row(
        name=name,
        unit=unit,
        p50=median,
        p99=None,
        p999=None,
        max=float(rates.max()),
        n=int(rates.size),
        target=target,
        met=None if target is None else median >= target,
    )


def _percentile(samples: NDArray[np.float64], q: float) -> float | None:
    beyond = samples.size * (100.0 - q) / 100.0
    return float(np.percentile(samples, q)) if beyond >= LEAST_BEYOND else None

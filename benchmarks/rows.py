"""One measured line, and how samples become one."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent.domain.clock import monotonic_ns

LEAST_BEYOND = 10
"""A percentile is given only where at least so many samples lie beyond it."""

UNITS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
"""Nanoseconds in a unit of time."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles of one thing.

    ``ratio`` is how many times faster than the peer ours is, by medians. ``met`` says whether what ``target`` is
    about reaches it: the ratio where there is a peer, else p99 for latencies and the median for rates and exponents.
    """

    name: str
    unit: str
    n: int
    p50: float | None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None
    peer: str | None = None
    peer_p50: float | None = None
    ratio: float | None = None
    target: float | None = None
    met: bool | None = None
    note: str | None = None


def row_of(name: str, unit: str, samples: NDArray[np.float64], target: float | None = None) -> Row:
    """Percentiles of samples; None where there are too few samples beyond one. The target is for p99."""
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
    met = None if target is None else median >= target
    return Row(name=name, unit=unit, p50=median, max=float(rates.max()), n=int(rates.size), target=target, met=met)


def time_row(name: str, unit: str, took_ns: list[float], target: float | None = None, note: str | None = None) -> Row:
    """Median time of several whole runs; ``met`` says whether the median is within ``target``."""
    took = np.array(took_ns) / UNITS[unit]
    median = float(np.median(took))
    met = None if target is None else median <= target
    return Row(
        name=name, unit=unit, p50=median, max=float(took.max()), n=took.size, target=target, met=met, note=note
    )  # fmt: skip


def duel_row(
    name: str,
    unit: str,
    ours_ns: list[float],
    theirs_ns: list[float],
    peer: str,
    target: float | None = None,
    note: str | None = None,
) -> Row:
    """Ours beside a peer's, from runs that alternated; ``met`` says whether the ratio of medians reaches ``target``."""
    ours, theirs = float(np.median(ours_ns)), float(np.median(theirs_ns))
    ratio = theirs / ours
    return Row(
        name=name,
        unit=unit,
        p50=ours / UNITS[unit],
        max=max(ours_ns) / UNITS[unit],
        n=len(ours_ns),
        peer=peer,
        peer_p50=theirs / UNITS[unit],
        ratio=ratio,
        target=target,
        met=None if target is None else ratio >= target,
        note=note,
    )


def scaling_row(name: str, small: tuple[int, float], large: tuple[int, float], n: int, target: float) -> Row:
    """The exponent b of ``time ~ bars ** b`` between two (bars, median time); 1 is linear."""
    exponent = math.log(large[1] / small[1]) / math.log(large[0] / small[0])
    return Row(name=name, unit="exponent", p50=exponent, n=n, target=target, met=exponent <= target)


def took(work: Callable[[], object]) -> float:
    """Nanoseconds that one call takes, what it gives thrown away within them."""
    began = monotonic_ns()
    work()
    return float(monotonic_ns() - began)


def took_each(runs: int, work: Callable[[], object]) -> list[float]:
    """Nanoseconds of ``runs`` calls, after one that isn't counted."""
    work()
    return [took(work) for _ in range(runs)]


def alternate(runs: int, ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Nanoseconds of ``runs`` calls of each, in turn, after one of each that isn't counted."""
    ours()
    theirs()
    pairs = [(took(ours), took(theirs)) for _ in range(runs)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _percentile(samples: NDArray[np.float64], q: float) -> float | None:
    beyond = samples.size * (100.0 - q) / 100.0
    return float(np.percentile(samples, q)) if beyond >= LEAST_BEYOND else None

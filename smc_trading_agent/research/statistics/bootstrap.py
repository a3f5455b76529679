"""Intervals from series that remember: the stationary bootstrap, which resamples blocks of random length.

Politis and Romano, "The Stationary Bootstrap" (JASA, 1994); block length by Politis and White (Econometric Reviews,
2004) with the correction of Patton, Politis and White (Econometric Reviews, 2009).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.arrays import Floats, Indices, matrix, same_length, series

# Numbers held at a time while resampling: 32 MB of float64.
CELLS = 4_000_000
# Below this share of the mean, a standard deviation is what rounding left of a constant.
ROUNDING = 1e-12

Statistic = Callable[[Floats], Floats]
"""Takes columns of shape (columns, resamples, n) and gives the statistic of each resample, shape (resamples,)."""


class Resampling(msgspec.Struct, frozen=True):
    """How to resample. ``block`` is the mean block length in samples, None for the automatic one."""

    seed: int
    resamples: int = 2000
    confidence: float = 0.95
    block: float | None = None


class Interval(msgspec.Struct, frozen=True):
    """An estimate with its percentile interval, and the mean block length that was used."""

    estimate: float
    low: float
    high: float
    confidence: float
    block: float
    resamples: int


def block_length(values: ArrayLike) -> float:
    """The mean block length that suits the mean of ``values``, shape (n,): at least 1, at most min(3 sqrt(n), n/3).

    (G^2 n / g^2)^(1/3), g = sum of l(k/M) R(k) and G = sum of l(k/M) abs(k) R(k) over abs(k) <= M, R the
    autocovariance, l the flat-top window (1 up to a half, then falling to 0 at 1). M is twice the lag after which
    max(5, sqrt(log10 n)) autocorrelations in a row are below 2 sqrt(log10(n)/n).
    """
    centred = series("values", values)
    n = centred.size
    longest = max(1.0, math.ceil(min(3.0 * math.sqrt(n), n / 3.0)))
    if np.ptp(centred) == 0.0:
        return 1.0
    centred = centred - centred.mean()
    run = max(5, math.ceil(math.sqrt(math.log10(n))))
    limit = min(n - 1, math.ceil(math.sqrt(n)) + run)
    covariance = np.array([centred[: n - lag] @ centred[lag:] / n for lag in range(limit + 1)])
    small = np.abs(covariance[1:]) < 2.0 * math.sqrt(math.log10(n) / n) * covariance[0]
    lag = _first_quiet_lag(small, run)
    window = min(2 * max(lag, 1), limit)
    lags = np.arange(1, window + 1)
    taper = np.minimum(1.0, 2.0 * (1.0 - lags / window))
    weighted = taper * covariance[1 : window + 1]
    at_zero = covariance[0] + 2.0 * weighted.sum()
    slope = 2.0 * (lags * weighted).sum()
    if at_zero == 0.0:
        return longest
    return float(np.clip((slope**2 / at_zero**2 * n) ** (1.0 / 3.0), 1.0, longest))


def stationary_rows(n: int, block: float, resamples: int, seed: int) -> Iterator[Indices]:
    """Row numbers of ``resamples`` resamples of n rows, some at a time. Each part has shape (some, n).

    Each row continues the one before with probability 1 - 1/block and else starts anywhere; the end leads to the start.
    """
    if n < 1 or resamples < 1 or block < 1.0:
        raise SampleError(f"n={n}, resamples={resamples} and block={block} must all be 1 or more")
    generator = np.random.default_rng(seed)
    position = np.arange(n)
    for size in row_chunks(resamples, n):
        restart = generator.random((size, n)) < 1.0 / block
        restart[:, 0] = True
        anywhere = generator.integers(n, size=(size, n))
        opened = np.maximum.accumulate(np.where(restart, position, 0), axis=1)
        yield (np.take_along_axis(anywhere, opened, axis=1) + position - opened) % n


def row_chunks(total: int, width: int) -> Iterator[int]:
    """Numbers of rows of ``width`` numbers that add up to ``total``, each small enough to hold in memory."""
    rows = max(1, CELLS // width)
    for done in range(0, total, rows):
        yield min(rows, total - done)


def bootstrap_interval(columns: ArrayLike, statistic: Statistic, resampling: Resampling) -> Interval:
    """Percentile interval of ``statistic`` over rows resampled together. ``columns`` has shape (columns, n).

    The automatic block length is the longest that one of the columns asks for.
    """
    values = matrix("columns", columns, rows=1, columns=2)
    tail = tail_of(resampling)
    block = max(block_length(column) for column in values) if resampling.block is None else resampling.block
    rows = stationary_rows(values.shape[1], block, resampling.resamples, resampling.seed)
    drawn = np.concatenate([statistic(values[:, part]) for part in rows])
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    return Interval(
        estimate=float(statistic(values[:, None, :])[0]),
        low=float(low),
        high=float(high),
        confidence=resampling.confidence,
        block=block,
        resamples=resampling.resamples,
    )


def mean_interval(values: ArrayLike, resampling: Resampling) -> Interval:
    """Interval of the mean of ``values``, shape (n,), in their unit."""
    return bootstrap_interval(series("values", values)[None, :], means, resampling)


def sharpe_interval(returns: ArrayLike, resampling: Resampling) -> Interval:
    """Interval of the Sharpe ratio per period of ``returns``, shape (n,)."""
    return bootstrap_interval(series("returns", returns)[None, :], sharpes, resampling)


def expectancy_interval(returns: ArrayLike, traded: ArrayLike, resampling: Resampling) -> Interval:
    """Interval of the result per trade: sum of ``returns`` over what was ``traded``, by how much that was.

    ``traded`` is whether each was, or its share, such as of several paths.

    Both have shape (n,), one row for each setup, taken or not, so that a resample holds more trades or fewer as the
    future may. A resample without a trade earns 0.
    """
    values, taken = series("returns", returns), series("traded", traded)
    same_length(returns=values, traded=taken)
    return bootstrap_interval(np.stack([taken * values, taken]), ratios, resampling)


def difference_interval(
    first: ArrayLike, second: ArrayLike, resampling: Resampling, statistic: Statistic | None = None
) -> Interval:
    """Interval of ``statistic`` of ``first`` less that of ``second``, paired: both of shape (n,), resampled together.

    ``statistic`` is `means` (where None) or `sharpes`.
    """
    one, other = series("first", first), series("second", second)
    same_length(first=one, second=other)
    if statistic is None or statistic is means:
        return mean_interval(one - other, resampling)
    return bootstrap_interval(np.stack([one, other]), lambda c: statistic(c[:1]) - statistic(c[1:]), resampling)


def means(columns: Floats) -> Floats:
    """Mean of the first column of each resample."""
    average: Floats = columns[0].mean(axis=-1)
    return average


def sharpes(columns: Floats) -> Floats:
    """Sharpe ratio of the first column of each resample; 0 where the resample is constant."""
    mean, deviation = columns[0].mean(axis=-1), columns[0].std(axis=-1, ddof=1)
    spread = deviation > ROUNDING * np.abs(mean)
    ratio: Floats = np.divide(mean, deviation, out=np.zeros_like(mean), where=spread)
    return ratio


def ratios(columns: Floats) -> Floats:
    """Sum of the first column over that of the second, for each resample; 0 where the second sums to 0."""
    above, below = columns[0].sum(axis=-1), columns[1].sum(axis=-1)
    ratio: Floats = np.divide(above, below, out=np.zeros_like(above), where=below != 0.0)
    return ratio


def tail_of(resampling: Resampling) -> float:
    """The share of resamples outside the interval on each side; raises `SampleError` where the plan makes no sense."""
    if resampling.resamples < 1 or not 0.0 < resampling.confidence < 1.0:
        plan = f"resamples={resampling.resamples}, confidence={resampling.confidence}"
        raise SampleError(f"{plan}: the first must be 1 or more, the second in (0, 1)")
    return (1.0 - resampling.confidence) / 2.0


def _first_quiet_lag(small: NDArray[np.bool_], run: int) -> int:
    """The smallest m such that lags m + 1 to m + run are all ``small`` (its first entry is lag 1).

    Lags past the end count as small, so the last loud lag is the answer where no run is quiet.
    """
    padded = np.concatenate([small, np.ones(run, dtype=bool)])
    quiet = np.lib.stride_tricks.sliding_window_view(padded, run).all(axis=1)
    return int(quiet.argmax())

"""Whether one model is better than another on the same samples: Diebold-Mariano, and a test by flipping signs.

Diebold and Mariano, "Comparing Predictive Accuracy" (JBES, 1995); small samples by Harvey, Leybourne and Newbold
(International Journal of Forecasting, 1997).
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.arrays import Floats, same_length, series, weights_of
from smc_trading_agent.research.statistics.distributions import student_upper

# Up to 2^12 sign patterns are counted one by one; above, they are drawn.
EXACT_BLOCKS = 12
# Below this share of R(0), a sum of autocovariances is what rounding left of 0.
ROUNDING = 1e-12


class PairedTest(msgspec.Struct, frozen=True):
    """The mean of first less second and what it is worth. Losses: a negative ``difference`` says the first is better.

    ``p_two_sided`` for "no difference"; ``p_first_worse`` for "the first is no worse": small says that it is worse.
    """

    difference: float
    statistic: float
    p_two_sided: float
    p_first_worse: float
    samples: int
    lags: int


def default_lags(samples: int) -> int:
    """Lags for the variance where the overlap is not known: floor(4 (n/100)^(2/9)), Newey and West (1994)."""
    return min(samples - 2, math.floor(4.0 * math.pow(samples / 100.0, 2.0 / 9.0)))


def diebold_mariano(
    first_loss: ArrayLike, second_loss: ArrayLike, lags: int | None = None, weights: ArrayLike | None = None
) -> PairedTest:
    """Compares losses (such as log-losses) on the same samples in order of time, each of shape (n,).

    d = first - second; the statistic is mean(d)/sqrt(V/n), V = R(0) + 2 (R(1) + ... + R(lags)) from the autocovariances
    of d, times sqrt((n + 1 - 2h + h(h - 1)/n)/n) with h = lags + 1, against Student's t with n - 1 degrees of freedom.
    With 0 lags this is the paired t-test. Give as lags how many later labels overlap one, so that shared outcomes don't
    count twice. With ``weights`` the mean is weighted and V is that of the weighted deviations.
    """
    first, second = series("first_loss", first_loss, 3), series("second_loss", second_loss, 3)
    same_length(first_loss=first, second_loss=second)
    n = first.size
    kept = default_lags(n) if lags is None else lags
    if not 0 <= kept < n - 1:
        raise SampleError(f"lags={kept} must be from 0 to {n - 2} for {n} samples")
    weight = weights_of(weights, n)
    difference = float(np.average(first - second, weights=weight))
    deviations = (first - second - difference) * weight / weight.mean()
    variance = _long_run_variance(deviations, kept)
    horizon = kept + 1
    shrink = math.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)
    if variance == 0.0:
        statistic = math.copysign(math.inf, difference) if difference else 0.0
    else:
        statistic = difference / math.sqrt(variance / n) * shrink
    upper = student_upper(statistic, n - 1)
    return PairedTest(difference, statistic, 2.0 * min(upper, 1.0 - upper), upper, n, kept)


def sign_flip_test(differences: ArrayLike, seed: int, block: int = 1, draws: int = 10_000) -> PairedTest:
    """Whether paired ``differences`` (first less second, shape (n,)) have mean 0, by flipping the signs of blocks.

    Where neither is better, each block of ``block`` samples in a row is as likely to have the opposite sign (Fisher's
    randomisation test). No assumption on the distribution, so it suits a handful of folds or seeds. Exact for up to
    12 blocks; else from ``draws`` patterns, the observed one counted among them. ``statistic`` is the sum, ``lags`` how
    many later samples share a sign.
    """
    values = series("differences", differences, 1)
    if block < 1 or draws < 1:
        raise SampleError(f"block={block} and draws={draws} must be 1 or more")
    sums = np.add.reduceat(values, np.arange(0, values.size, block))
    observed = float(sums.sum())
    if sums.size <= EXACT_BLOCKS:
        patterns = 1 - 2 * (np.arange(2**sums.size)[:, None] >> np.arange(sums.size) & 1)
        flipped, extra = patterns @ sums, 0
    else:
        generator = np.random.default_rng(seed)
        flipped, extra = (2 * generator.integers(2, size=(draws, sums.size), dtype=np.int8) - 1) @ sums, 1
    slack = 1e-12 * float(np.abs(sums).sum())
    above = (int((flipped >= observed - slack).sum()) + extra) / (flipped.size + extra)
    both = (int((np.abs(flipped) >= abs(observed) - slack).sum()) + extra) / (flipped.size + extra)
    return PairedTest(float(values.mean()), observed, both, above, values.size, block - 1)


def _long_run_variance(deviations: Floats, lags: int) -> float:
    """n times the variance of the mean.

    The plain sum of autocovariances has no bias for overlapping labels, but may come out at 0 or below; then they are
    weighted by 1 - k/(lags + 1), which can't (Newey and West, Econometrica, 1987).
    """
    n = deviations.size
    covariance = np.array([deviations[: n - lag] @ deviations[lag:] / n for lag in range(lags + 1)])
    doubled = np.where(np.arange(lags + 1) == 0, covariance, 2.0 * covariance)
    variance = float(doubled.sum())
    if variance > ROUNDING * float(covariance[0]):
        return variance
    return max(0.0, float((doubled * (1.0 - np.arange(lags + 1) / (lags + 1))).sum()))

"""Sharpe ratios with their doubts: how sure one is, and what is left of it after so many tries.

Ratios are per period, never annualised. Bailey and López de Prado, "The Sharpe Ratio Efficient Frontier" (Journal of
Risk, 2012) for the probabilistic ratio and the track record; "The Deflated Sharpe Ratio" (Journal of Portfolio
Management, 2014) for the rest.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.arrays import series
from smc_trading_agent.research.statistics.distributions import normal_cdf, normal_quantile


class Moments(msgspec.Struct, frozen=True):
    """What the doubts about a Sharpe ratio depend on. ``kurtosis`` is 3 for a normal."""

    periods: int
    sharpe: float
    skewness: float
    kurtosis: float


class DeflatedSharpe(msgspec.Struct, frozen=True):
    """A Sharpe ratio, the best that ``trials`` tries without skill would show, P(true ratio above 0) and above that."""

    moments: Moments
    trials: float
    spread: float
    expected_maximum: float
    probabilistic: float
    deflated: float


def sharpe_ratio(returns: ArrayLike) -> float:
    """Mean over sample standard deviation (n - 1) of ``returns``, shape (n,), per period.

    All zeros is not trading: 0.0. Any other constant has no ratio: raises `SampleError`.
    """
    values = series("returns", returns)
    if np.ptp(values) == 0.0:
        if values[0] == 0.0:
            return 0.0
        raise SampleError(f"all {values.size} returns are {values[0]}; a constant has no Sharpe ratio")
    return float(values.mean() / values.std(ddof=1))


def moments_of(returns: ArrayLike) -> Moments:
    """Sharpe ratio, skewness m3/m2^1.5 and kurtosis m4/m2^2 of ``returns``, shape (n,); all zeros count as normal."""
    values = series("returns", returns)
    ratio = sharpe_ratio(values)
    deviations = values - values.mean()
    variance = float(np.mean(deviations**2))
    if variance == 0.0:
        return Moments(values.size, ratio, 0.0, 3.0)
    skewness = float(np.mean(deviations**3)) / variance**1.5
    return Moments(values.size, ratio, skewness, float(np.mean(deviations**4)) / variance**2)


def probabilistic_sharpe(moments: Moments, benchmark: float = 0.0) -> float:
    """PSR, the confidence that the true ratio is above ``benchmark`` (per period).

    Phi((SR - SR*) sqrt(T - 1) / sqrt(1 - g3 SR + (g4 - 1)/4 SR^2)), Bailey and López de Prado (2012).
    """
    if moments.periods < 2:
        raise SampleError(f"{moments.periods} periods say nothing about a Sharpe ratio; 2 are needed")
    gap = moments.sharpe - benchmark
    deviation = math.sqrt(_variance(moments))
    if deviation == 0.0:
        return 0.5 if gap == 0.0 else float(gap > 0.0)
    return normal_cdf(gap * math.sqrt(moments.periods - 1) / deviation)


def expected_maximum_sharpe(trials: float, spread: float) -> float:
    """SR*, what the best of ``trials`` independent tries without skill is expected to show; 0.0 for one try.

    spread * ((1 - g) z(1 - 1/N) + g z(1 - 1/(N e))), g the Euler-Mascheroni constant, ``spread`` the standard
    deviation of the Sharpe ratios over the tries (2014). Between 1 and 2 tries (an effective number) never below 0.
    """
    if not 1.0 <= trials < math.inf or not 0.0 <= spread < math.inf:
        raise SampleError(f"trials={trials} must be 1 or more and spread={spread} 0 or more")
    if trials == 1.0:
        return 0.0
    gamma = float(np.euler_gamma)
    high = normal_quantile(1.0 - 1.0 / trials)
    higher = normal_quantile(1.0 - 1.0 / (trials * math.e))
    return spread * max(0.0, (1.0 - gamma) * high + gamma * higher)


def deflated_sharpe(returns: ArrayLike, trials: float, spread: float) -> DeflatedSharpe:
    """DSR: PSR against the `expected_maximum_sharpe` of everything that was tried to find ``returns``, shape (n,).

    ``trials`` comes from the ledger (or is its effective number), ``spread`` from the tries' Sharpe ratios per period.
    """
    moments = moments_of(returns)
    expected = expected_maximum_sharpe(trials, spread)
    return DeflatedSharpe(
        moments=moments,
        trials=trials,
        spread=spread,
        expected_maximum=expected,
        probabilistic=probabilistic_sharpe(moments),
        deflated=probabilistic_sharpe(moments, expected),
    )


def minimum_track_record(moments: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Periods needed before this ratio is above ``benchmark`` with ``confidence``; infinite where it isn't above it.

    1 + (1 - g3 SR + (g4 - 1)/4 SR^2) (z(confidence)/(SR - SR*))^2 (2012).
    """
    gap = moments.sharpe - benchmark
    if gap <= 0.0:
        return math.inf
    return 1.0 + _variance(moments) * (normal_quantile(confidence) / gap) ** 2


def _variance(moments: Moments) -> float:
    """1 - g3 SR + (g4 - 1)/4 SR^2; never negative for moments of real data, since g4 >= 1 + g3^2."""
    ratio = moments.sharpe
    variance = 1.0 - moments.skewness * ratio + (moments.kurtosis - 1.0) / 4.0 * ratio**2
    if variance < -1e-9:
        raise SampleError(f"no data has skewness {moments.skewness} with kurtosis {moments.kurtosis}")
    return max(0.0, variance)

"""Normal and Student's t probabilities, from the standard library alone."""

from __future__ import annotations

import math
from statistics import NormalDist

from smc_trading_agent.domain.errors import SampleError

_normal = NormalDist()
_TINY = 1e-300
_TERMS = 100_000


def normal_cdf(value: float) -> float:
    """P(Z <= value) of a standard normal Z; keeps its precision in the lower tail."""
    return 0.5 * math.erfc(-value / math.sqrt(2.0))


def normal_quantile(probability: float) -> float:
    """The value that a standard normal exceeds with 1 - ``probability``; raises `SampleError` outside (0, 1)."""
    if not 0.0 < probability < 1.0:
        raise SampleError(f"a normal quantile needs a probability in (0, 1), not {probability}")
    return _normal.inv_cdf(probability)


def student_upper(value: float, freedom: float) -> float:
    """P(T >= value) of Student's t with ``freedom`` degrees of freedom.

    By the regularised incomplete beta function: P(abs(T) >= t) = I_x(freedom/2, 1/2), x = freedom/(freedom + t^2)
    (Abramowitz and Stegun 26.7.1).
    """
    if freedom <= 0.0 or math.isnan(value):
        raise SampleError(f"Student's t needs a number and freedom above 0, not t={value}, freedom={freedom}")
    both = _incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + value * value))
    return 0.5 * both if value >= 0.0 else 1.0 - 0.5 * both


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), by the continued fraction that converges fast for x < (a + 1)/(a + b + 2) (DLMF 8.17.22)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _incomplete_beta(b, a, 1.0 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / (a * _fraction(a, b, x))


def _fraction(a: float, b: float, x: float) -> float:
    """1 + d1/(1 + d2/(1 + ...)) with the coefficients of DLMF 8.17.23, by the modified Lentz method."""
    value, numerator, denominator = 1.0, 1.0, 0.0
    for term in range(1, _TERMS):
        half = term // 2
        if term % 2:
            coefficient = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1.0))
        else:
            coefficient = half * (b - half) * x / ((a + 2 * half - 1.0) * (a + 2 * half))
        denominator = 1.0 / _away_from_zero(1.0 + coefficient * denominator)
        numerator = _away_from_zero(1.0 + coefficient / numerator)
        change = numerator * denominator
        value *= change
        if abs(change - 1.0) < 1e-15:
            return value
    raise SampleError(f"the incomplete beta function of a={a}, b={b}, x={x} doesn't converge in {_TERMS} terms")


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY

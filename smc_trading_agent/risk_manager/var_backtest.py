"""Whether value at risk has been exceeded as often as it says, and one exceedance does not bring the next.

An exceedance is a loss larger than the forecast. With confidence 0.99 one forecast in a hundred should be exceeded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from operator import and_

import msgspec

from smc_trading_agent.domain.errors import SampleError

LEVEL = 0.05
"""A test rejects below this p-value."""

YELLOW_FROM, RED_FROM = 0.95, 0.9999
"""Zones by the probability of at most so many exceedances: Basel Committee, Supervisory framework for the use of
backtesting (1996), section III."""

BASEL_FORECASTS, BASEL_CONFIDENCE = 250, 0.99
BASEL_MULTIPLIERS = (1.50, 1.50, 1.50, 1.50, 1.50, 1.70, 1.76, 1.83, 1.88, 1.92, 2.00)
"""By number of exceedances in 250 forecasts at 99 %, the last for ten or more: Basel Committee, Minimum capital
requirements for market risk (2019), backtesting."""


class Zone(StrEnum):
    """Basel's traffic light; UNTESTED while less than one exceedance is to be expected."""

    UNTESTED = "untested"
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class LikelihoodRatio(msgspec.Struct, frozen=True):
    """A likelihood ratio and its p-value under the hypothesis that the model is right."""

    statistic: float
    p_value: float

    @property
    def rejects(self) -> bool:
        """Whether the model is rejected."""
        return self.p_value < LEVEL


class Verdict(msgspec.Struct, frozen=True):
    """What the tests say of a model.

    Limits on value at risk are to be divided by ``tighten_by``. A model that is not ``trusted`` should not be judged by
    at all: it is in the red zone, or its exceedances cluster, or are too many and cluster together.
    """

    forecasts: int
    exceedances: int
    expected: float
    zone: Zone
    coverage: LikelihoodRatio
    independence: LikelihoodRatio
    conditional_coverage: LikelihoodRatio
    tighten_by: float
    trusted: bool


class ForecastRecord(msgspec.Struct):
    """The outcomes of the last ``capacity`` forecasts, the newest last: whether each was exceeded."""

    confidence: float
    capacity: int
    exceeded: list[bool] = []

    def add(self, exceeded: bool) -> None:
        """Takes an outcome."""
        self.exceeded.append(exceeded)
        del self.exceeded[: -self.capacity]


def kupiec(forecasts: int, exceedances: int, confidence: float) -> LikelihoodRatio:
    """Unconditional coverage: proportion of failures.

    -2 log of ((1-p)^(T-x) p^x) / ((1-x/T)^(T-x) (x/T)^x), chi-squared with 1 degree of freedom. Kupiec, Techniques for
    verifying the accuracy of risk measurement models (Journal of Derivatives 3, 1995). `SampleError` without forecasts.
    """
    share = _share_beyond(confidence)
    if not 0 <= exceedances <= forecasts or forecasts == 0:
        raise SampleError(
            f"{exceedances} exceedances of {forecasts} forecasts can't be tested; give at least one forecast"
        )
    hit, missed = exceedances, forecasts - exceedances
    rate = exceedances / forecasts
    ratio = _log_power(1.0 - rate, missed) + _log_power(rate, hit) - _log_power(1.0 - share, missed)
    return _chi_squared_1(2.0 * (ratio - _log_power(share, hit)))


def transitions(exceeded: Sequence[bool]) -> tuple[int, int, int, int]:
    """Pairs of neighbours: neither exceeded, only the second, only the first, both."""
    if not exceeded:
        return 0, 0, 0, 0
    count = exceeded.count(True)
    both = sum(map(and_, exceeded, islice(exceeded, 1, None))) if count > 1 else 0
    second, first = count - exceeded[0] - both, count - exceeded[-1] - both
    return len(exceeded) - 1 - first - second - both, second, first, both


def independence(exceeded: Sequence[bool]) -> LikelihoodRatio:
    """Whether an exceedance makes one at the next forecast likelier or rarer: first-order Markov against independent.

    Christoffersen, Evaluating interval forecasts (International Economic Review 39, 1998), section 4.2; chi-squared
    with 1 degree of freedom.
    """
    return _independence(*transitions(exceeded))


def _independence(n00: int, n01: int, n10: int, n11: int) -> LikelihoodRatio:
    alone = _log_likelihood(n00 + n10, n01 + n11)
    return _chi_squared_1(2.0 * (_log_likelihood(n00, n01) + _log_likelihood(n10, n11) - alone))


def conditional_coverage(exceeded: Sequence[bool], confidence: float) -> LikelihoodRatio:
    """Coverage and independence together: the sum of both ratios, chi-squared with 2 degrees of freedom.

    Christoffersen (1998), section 4.3. The ratio of coverage counts all forecasts, the first included.
    """
    return _joint(kupiec(len(exceeded), sum(exceeded), confidence), independence(exceeded))


def _joint(coverage: LikelihoodRatio, alone: LikelihoodRatio) -> LikelihoodRatio:
    statistic = coverage.statistic + alone.statistic
    return LikelihoodRatio(statistic, math.exp(-statistic / 2.0))


def at_most(exceedances: int, forecasts: int, confidence: float) -> float:
    """Probability of at most so many exceedances where the model is right: binomial."""
    share = _share_beyond(confidence)
    logs = (
        math.lgamma(forecasts + 1) - math.lgamma(x + 1) - math.lgamma(forecasts - x + 1)
        + _log_power(share, x) + _log_power(1.0 - share, forecasts - x)
        for x in range(min(exceedances, forecasts) + 1)
    )  # fmt: skip
    return min(1.0, math.fsum(math.exp(value) for value in logs))


def traffic_light(forecasts: int, exceedances: int, confidence: float) -> Zone:
    """The zone of so many exceedances."""
    if forecasts * _share_beyond(confidence) < 1.0:
        return Zone.UNTESTED
    probability = at_most(exceedances, forecasts, confidence)
    return Zone.RED if probability >= RED_FROM else Zone.YELLOW if probability >= YELLOW_FROM else Zone.GREEN


def multiplier(forecasts: int, exceedances: int, confidence: float) -> float:
    """Basel's multiplier, from 1.5 in the green zone to 2 in the red.

    In between, for other numbers of forecasts or another confidence, that of the number in Basel's own setting that is
    as unlikely: the least x with P(X <= x of 250 at 99 %) no smaller. That is our extension.
    """
    zone = traffic_light(forecasts, exceedances, confidence)
    if zone is not Zone.YELLOW:
        return BASEL_MULTIPLIERS[-1 if zone is Zone.RED else 0]
    probability = at_most(exceedances, forecasts, confidence)
    for alike, factor in enumerate(BASEL_MULTIPLIERS):
        if at_most(alike, BASEL_FORECASTS, BASEL_CONFIDENCE) >= probability:
            return factor
    return BASEL_MULTIPLIERS[-1]


def verdict_of(record: ForecastRecord) -> Verdict:
    """All tests of a record. Nothing is rejected while less than one exceedance is to be expected.

    Too few exceedances make limits needlessly strict, not unsafe: they are reported by the tests and tighten nothing.
    """
    exceeded = record.exceeded
    return _verdict(len(exceeded), exceeded.count(True), transitions(exceeded), record.confidence)


@lru_cache(maxsize=4_096)
def _verdict(forecasts: int, exceedances: int, pairs: tuple[int, int, int, int], confidence: float) -> Verdict:
    """All that the tests look at; the same counts come back bar after bar."""
    expected = forecasts * _share_beyond(confidence)
    zone = traffic_light(forecasts, exceedances, confidence)
    if zone is Zone.UNTESTED:
        untested = LikelihoodRatio(0.0, 1.0)
        return Verdict(forecasts, exceedances, expected, zone, untested, untested, untested, 1.0, True)
    coverage, alone = kupiec(forecasts, exceedances, confidence), _independence(*pairs)
    joint = _joint(coverage, alone)
    trusted = not (zone is Zone.RED or alone.rejects or (joint.rejects and exceedances > expected))
    factor = multiplier(forecasts, exceedances, confidence) if trusted else BASEL_MULTIPLIERS[-1]
    tighten_by = factor / BASEL_MULTIPLIERS[0]
    return Verdict(forecasts, exceedances, expected, zone, coverage, alone, joint, tighten_by, trusted)


def _share_beyond(confidence: float) -> float:
    if not 0.5 <= confidence < 1.0:
        raise SampleError(f"a confidence of {confidence} can't be tested; give one from 0.5 to below 1")
    return round(1.0 - confidence, 9)


def _log_power(base: float, exponent: int) -> float:
    """log(base ** exponent), with 0 ** 0 = 1."""
    return exponent * math.log(base) if exponent else 0.0


def _log_likelihood(missed: int, hit: int) -> float:
    """Of independent trials at their own rate."""
    trials = missed + hit
    return _log_power(missed / trials, missed) + _log_power(hit / trials, hit) if trials else 0.0


def _chi_squared_1(statistic: float) -> LikelihoodRatio:
    statistic = max(0.0, statistic)
    return LikelihoodRatio(statistic, math.erfc(math.sqrt(statistic / 2.0)))

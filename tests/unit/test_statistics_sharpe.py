"""Sharpe ratios and their doubts against the figures that their authors published."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.distributions import normal_cdf, normal_quantile, student_upper
from smc_trading_agent.research.statistics.sharpe import (
    Moments,
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_track_record,
    moments_of,
    probabilistic_sharpe,
    sharpe_ratio,
)


def test_the_ratio_by_hand() -> None:
    # Mean 2, deviations -1, 0, 1: sample deviation 1.
    assert sharpe_ratio([1.0, 2.0, 3.0]) == 2.0


def test_moments_by_hand() -> None:
    # Deviations -1, -1, -1, 3: m2 = 3, m3 = 6, m4 = 21.
    moments = moments_of([0.0, 0.0, 0.0, 4.0])
    assert moments.sharpe == 0.5
    assert moments.skewness == pytest.approx(6.0 / 3.0**1.5)
    assert moments.kurtosis == pytest.approx(21.0 / 9.0)


def test_not_trading_has_ratio_0_and_a_constant_has_none() -> None:
    assert moments_of([0.0] * 5) == Moments(5, 0.0, 0.0, 3.0)
    with pytest.raises(SampleError, match="all 5 returns are 0.1"):
        sharpe_ratio([0.1] * 5)


# Bailey and López de Prado (2012): two years of monthly returns at 1.59 a year, as if normal and as they were.
@pytest.mark.parametrize(("skewness", "kurtosis", "published"), [(0.0, 3.0, 0.982), (-2.448, 10.164, 0.913)])
def test_confidence_in_the_published_track_record(skewness: float, kurtosis: float, published: float) -> None:
    moments = Moments(24, 0.458, skewness, kurtosis)
    assert probabilistic_sharpe(moments) == pytest.approx(published, abs=6e-4)


# The same paper: years to show that a yearly ratio of 2 is above 1, at 95 %.
@pytest.mark.parametrize(
    ("periods_a_year", "skewness", "kurtosis", "published"),
    [(250, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_the_published_track_record_lengths(
    periods_a_year: int, skewness: float, kurtosis: float, published: float
) -> None:
    scale = math.sqrt(periods_a_year)
    moments = Moments(100, 2.0 / scale, skewness, kurtosis)
    assert minimum_track_record(moments, 1.0 / scale) / periods_a_year == pytest.approx(published, abs=5e-3)


def test_no_track_record_shows_what_is_not_so() -> None:
    assert minimum_track_record(Moments(100, 0.1, 0.0, 3.0), 0.1) == math.inf


# Bailey and López de Prado (2014): 1250 days at 2.5 a year, skewness -3, kurtosis 10, yearly variance over trials 1/2.
@pytest.mark.parametrize(("trials", "published"), [(100, 0.9004), (46, 0.9505)])
def test_the_published_deflated_ratio(trials: int, published: float) -> None:
    expected = expected_maximum_sharpe(trials, math.sqrt(0.5 / 250))
    moments = Moments(1250, 2.5 / math.sqrt(250), -3.0, 10.0)
    assert probabilistic_sharpe(moments, expected) == pytest.approx(published, abs=5e-5)
    if trials == 100:
        assert expected == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(("trials", "bracket"), [(1, 0.0), (10, 1.57), (100, 2.53), (1000, 3.26), (10_000, 3.86)])
def test_what_the_best_of_many_shows_by_luck(trials: int, bracket: float) -> None:
    assert expected_maximum_sharpe(trials, 1.0) == pytest.approx(bracket, abs=6e-3)


def test_the_best_of_many_is_near_what_simulation_finds() -> None:
    best = np.random.default_rng(1).normal(size=(20_000, 50)).max(axis=1).mean()
    assert expected_maximum_sharpe(50, 1.0) == pytest.approx(best, rel=0.02)


def test_a_deflated_ratio_says_what_it_was_made_of() -> None:
    returns = np.random.default_rng(2).normal(0.1, 1.0, size=500)
    found = deflated_sharpe(returns, trials=40, spread=0.05)
    assert found.moments == moments_of(returns)
    assert found.expected_maximum == expected_maximum_sharpe(40, 0.05)
    assert found.probabilistic == probabilistic_sharpe(found.moments)
    assert found.deflated == probabilistic_sharpe(found.moments, found.expected_maximum)
    assert found.deflated < found.probabilistic


def test_what_can_not_be_judged_is_named() -> None:
    with pytest.raises(SampleError, match="trials=0.5"):
        expected_maximum_sharpe(0.5, 1.0)
    with pytest.raises(SampleError, match="1 periods say nothing"):
        probabilistic_sharpe(Moments(1, 0.1, 0.0, 3.0))
    with pytest.raises(SampleError, match="no data has skewness 3.0 with kurtosis 1.0"):
        probabilistic_sharpe(Moments(9, 1.0, 3.0, 1.0))
    with pytest.raises(SampleError, match="returns holds 1 values that are not finite"):
        sharpe_ratio([0.1, math.nan, 0.2])
    with pytest.raises(SampleError, match="returns holds 1 values; 2 are needed"):
        sharpe_ratio([0.1])


def test_two_outcomes_that_leave_no_doubt() -> None:
    # A ratio of 1 with g4 = 1 + g3^2 and g3 = 2 has no variance left.
    sure = Moments(9, 1.0, 2.0, 5.0)
    assert [probabilistic_sharpe(sure, benchmark) for benchmark in (0.5, 1.0, 1.5)] == [1.0, 0.5, 0.0]


def test_the_normal_distribution() -> None:
    assert normal_cdf(1.959963984540054) == pytest.approx(0.975, abs=1e-15)
    assert normal_cdf(-10.0) == pytest.approx(7.619853024160527e-24, rel=1e-12)
    assert normal_quantile(0.975) == pytest.approx(1.959963984540054)
    with pytest.raises(SampleError, match="not 1.0"):
        normal_quantile(1.0)


# Closed forms: a Cauchy for 1 degree of freedom, 1/2 - t/(2 sqrt(2 + t^2)) for 2; then printed tables.
@pytest.mark.parametrize(
    ("value", "freedom", "upper", "tolerance"),
    [
        (1.0, 1, 0.25, 1e-14),
        (3.0, 2, 0.5 - 3.0 / (2.0 * math.sqrt(11.0)), 1e-14),
        (0.0, 7, 0.5, 1e-15),
        (2.228, 10, 0.025, 1e-5),
        (2.750, 30, 0.005, 1e-5),
        (-2.228, 10, 0.975, 1e-5),
        (1.959963984540054, 10**8, 0.025, 1e-8),
    ],
)
def test_the_t_distribution(value: float, freedom: float, upper: float, tolerance: float) -> None:
    assert student_upper(value, freedom) == pytest.approx(upper, abs=tolerance)


def test_a_t_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(SampleError, match="t=nan, freedom=3"):
        student_upper(math.nan, 3)
    assert student_upper(math.inf, 3) == 0.0

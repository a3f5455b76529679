"""Paired tests by hand, against the t-test, and by how often they cry wolf."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.comparison import default_lags, diebold_mariano, sign_flip_test
from smc_trading_agent.research.statistics.distributions import student_upper


def test_diebold_mariano_by_hand() -> None:
    # d = 0, 0, 2, 2: mean 1, R(0) = 1, R(1) = 1/4, so V = 3/2 with one lag; h = 2 shrinks by
    # sqrt((4 + 1 - 4 + 2/4)/4) = sqrt(3/8), just what 1/sqrt(V/4) is above 1. For 3 degrees of freedom
    # P(T >= t) = 1/2 - (atan(t/sqrt 3) + (t/sqrt 3)/(1 + t^2/3))/pi.
    found = diebold_mariano([1.0, 1.0, 3.0, 3.0], [1.0, 1.0, 1.0, 1.0], lags=1)
    upper = 0.5 - (math.pi / 6.0 + math.sqrt(3.0) / 4.0) / math.pi
    assert found.difference == 1.0
    assert found.statistic == pytest.approx(1.0)
    assert found.p_first_worse == pytest.approx(upper)
    assert found.p_two_sided == pytest.approx(2.0 * upper)


def test_a_variance_that_cancels_out_is_weighted() -> None:
    # d = 1, 0, 2, 1: R(0) = 1/2, R(1) = -1/4: the plain sum is 0, the weighted one 1/4; sqrt(16 * 3/8).
    assert diebold_mariano([1.0, 0.0, 2.0, 1.0], np.zeros(4), lags=1).statistic == pytest.approx(math.sqrt(6.0))


def test_without_lags_it_is_the_paired_t_test() -> None:
    first, second = np.random.default_rng(1).random((2, 25))
    d = first - second
    found = diebold_mariano(first, second, lags=0)
    assert found.statistic == pytest.approx(d.mean() / (d.std(ddof=1) / 5.0))
    assert found.p_first_worse == pytest.approx(student_upper(found.statistic, 24))


def test_swapping_the_models_swaps_the_sign() -> None:
    first, second = np.random.default_rng(2).random((2, 80))
    one, other = diebold_mariano(first, second), diebold_mariano(second, first)
    assert one.statistic == pytest.approx(-other.statistic)
    assert one.p_two_sided == pytest.approx(other.p_two_sided)
    assert one.p_first_worse == pytest.approx(1.0 - other.p_first_worse)


def test_equal_weights_change_nothing_and_a_weight_of_0_silences() -> None:
    first, second = np.random.default_rng(3).random((2, 60))
    plain, weighted = diebold_mariano(first, second), diebold_mariano(first, second, weights=np.full(60, 7.0))
    assert weighted.statistic == pytest.approx(plain.statistic)
    first[::2] += 100.0
    silent = diebold_mariano(first, second, weights=np.tile([0.0, 1.0], 30))
    assert silent.difference == pytest.approx((first - second)[1::2].mean())
    assert abs(silent.statistic) < 5.0


def test_equal_models_are_rejected_about_as_often_as_said_even_when_losses_remember() -> None:
    shocks = np.random.default_rng(4).normal(size=(400, 304))
    # Sums of five: five labels that overlap.
    d = np.lib.stride_tricks.sliding_window_view(shocks, 5, axis=1).sum(axis=2)
    lagged = np.mean([diebold_mariano(row, np.zeros(300), lags=4).p_two_sided < 0.1 for row in d])
    naive = np.mean([diebold_mariano(row, np.zeros(300), lags=0).p_two_sided < 0.1 for row in d])
    assert 0.05 < lagged < 0.16
    assert naive > 0.3


def test_models_without_a_difference_and_with_nothing_but_one() -> None:
    same = diebold_mariano([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], lags=0)
    assert (same.statistic, same.p_two_sided) == (0.0, 1.0)
    always = diebold_mariano([2.0, 3.0, 4.0], [1.0, 2.0, 3.0], lags=0)
    assert (always.statistic, always.p_two_sided, always.p_first_worse) == (math.inf, 0.0, 0.0)


# floor(4 (n/100)^(2/9)), and never so many that nothing is left.
@pytest.mark.parametrize(("samples", "lags"), [(3, 1), (50, 3), (100, 4), (1000, 6), (10_000, 11)])
def test_the_default_number_of_lags(samples: int, lags: int) -> None:
    assert default_lags(samples) == lags


def test_what_can_not_be_compared_is_named() -> None:
    with pytest.raises(SampleError, match="lags=2 must be from 0 to 1 for 3 samples"):
        diebold_mariano([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], lags=2)
    with pytest.raises(SampleError, match="lengths differ"):
        diebold_mariano([1.0, 2.0, 3.0], [1.0, 2.0, 4.0, 5.0])
    with pytest.raises(SampleError, match="block=0"):
        sign_flip_test([1.0], seed=1, block=0)


def test_flipping_signs_by_hand() -> None:
    # Five folds, all better: 1 of 32 patterns has so high a sum, 2 so far from 0.
    found = sign_flip_test([1.0, 2.0, 3.0, 4.0, 5.0], seed=1)
    assert (found.difference, found.statistic) == (3.0, 15.0)
    assert (found.p_first_worse, found.p_two_sided) == (1 / 32, 2 / 32)
    # 1, 1, -1: sums of 1 or more are those of 3 and the three of 1; all eight are as far from 0.
    mixed = sign_flip_test([1.0, 1.0, -1.0], seed=1)
    assert (mixed.p_first_worse, mixed.p_two_sided) == (4 / 8, 1.0)


def test_blocks_are_flipped_whole() -> None:
    found = sign_flip_test([1.0, 1.0, 1.0, 1.0, 1.0, 1.0], seed=1, block=3)
    assert (found.p_first_worse, found.p_two_sided) == (1 / 4, 2 / 4)


def test_many_samples_are_drawn_and_never_impossible() -> None:
    found = sign_flip_test(np.ones(200), draws=999, seed=1)
    assert found.p_first_worse == found.p_two_sided == 1 / 1000
    noise = np.random.default_rng(5).normal(size=200)
    drawn, normal = (
        sign_flip_test(noise, seed=2).p_first_worse,
        diebold_mariano(noise, np.zeros(200), lags=0).p_first_worse,
    )
    assert drawn == pytest.approx(normal, abs=0.02)

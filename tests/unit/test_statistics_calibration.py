"""Scores and calibration by hand, on forecasters whose error is known, and with weights."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.bootstrap import Resampling
from smc_trading_agent.research.statistics.calibration import (
    brier,
    equal_mass_bins,
    log_loss,
    log_losses,
    reliability_curve,
)
from smc_trading_agent.research.statistics.calibration_error import (
    calibration_error,
    calibration_error_interval,
    calibration_noise,
)

FORECAST = [0.1, 0.1, 0.9, 0.9]
HAPPENED = [0, 1, 1, 1]


def forecaster(samples: int, seed: int, bias: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities in [0.2, 0.7] and outcomes that are ``bias`` more likely than said."""
    generator = np.random.default_rng(seed)
    probabilities = generator.uniform(0.2, 0.7, samples)
    return probabilities, (generator.random(samples) < probabilities + bias).astype(float)


def test_log_loss_by_hand() -> None:
    assert log_loss([0.5, 0.25], [1, 0]) == pytest.approx((math.log(2.0) + math.log(4.0 / 3.0)) / 2.0)
    assert log_loss([0.5, 0.25], [1, 0], weights=[3.0, 1.0]) == pytest.approx(
        (3.0 * math.log(2.0) + math.log(4.0 / 3.0)) / 4.0
    )


def test_a_certain_forecast_that_fails_costs_much_but_not_everything() -> None:
    assert log_losses([0.0, 1.0, 1.0], [1, 0, 1]).tolist() == pytest.approx([12 * math.log(10.0)] * 2 + [0.0], rel=1e-4)


def test_the_calibration_error_by_hand() -> None:
    # Bins (0.1, 0.1) with 1 of 2 and (0.9, 0.9) with 2 of 2: gaps 0.4 and 0.1.
    assert calibration_error(FORECAST, HAPPENED, bins=2) == pytest.approx(0.25)
    # The first bin now has frequency 3/4 and four of six parts of the weight.
    assert calibration_error(FORECAST, HAPPENED, [1.0, 3.0, 1.0, 1.0], bins=2) == pytest.approx(
        (4 * 0.65 + 2 * 0.1) / 6
    )


def test_the_brier_score_and_its_parts_by_hand() -> None:
    found = brier(FORECAST, HAPPENED, bins=2)
    assert found.score == pytest.approx((0.01 + 0.81 + 0.01 + 0.01) / 4)
    assert found.reliability == pytest.approx((0.16 + 0.01) / 2)
    assert found.resolution == pytest.approx(0.0625)
    assert found.uncertainty == pytest.approx(0.1875)
    assert found.within == pytest.approx(0.0)


def test_the_curve_by_hand() -> None:
    # Wilson's interval for 8 of 10 at 95 % is (0.490, 0.943).
    curve = reliability_curve([0.7] * 10, [1] * 8 + [0] * 2, bins=5)
    assert (curve.forecast.tolist(), curve.samples.tolist()) == (pytest.approx([0.7]), [10])
    assert curve.observed.tolist() == [0.8]
    assert (curve.low[0], curve.high[0]) == (pytest.approx(0.490, abs=5e-4), pytest.approx(0.943, abs=5e-4))
    assert curve.weight.tolist() == [10.0]


def test_doubled_weights_are_no_more_evidence() -> None:
    probabilities, happened = forecaster(500, seed=1)
    one, two = (reliability_curve(probabilities, happened, np.full(500, w)) for w in (1.0, 2.0))
    assert two.low.tolist() == pytest.approx(one.low.tolist())
    assert two.weight.tolist() == pytest.approx((2.0 * one.weight).tolist())


def test_bins_hold_equal_mass_and_ties_stay_together() -> None:
    order = np.random.default_rng(2).permutation(100)
    assert np.bincount(equal_mass_bins(order / 100.0, np.ones(100), 10)).tolist() == [10] * 10
    assert equal_mass_bins(np.array([0.1, 0.5, 0.5, 0.5, 0.9]), np.ones(5), 5).tolist() == [0, 1, 1, 1, 4]
    assert equal_mass_bins(np.array([0.3, 0.2, 0.1]), np.array([1.0, 1.0, 2.0]), 2).tolist() == [1, 1, 0]


def test_a_biased_forecaster_is_found_out() -> None:
    probabilities, happened = forecaster(5000, seed=3, bias=0.1)
    found = calibration_error_interval(probabilities, happened, Resampling(seed=1, resamples=300))
    assert found.estimate == calibration_error(probabilities, happened)
    assert 0.05 < found.low < 0.1 < found.high < 0.15


def test_an_honest_forecaster_shows_as_much_error_as_chance_makes() -> None:
    errors = [calibration_error(*forecaster(500, seed)) for seed in range(200)]
    noise = calibration_noise(forecaster(500, seed=999)[0], seed=1)
    assert noise.mean == pytest.approx(np.mean(errors), rel=0.05)
    assert np.mean(np.array(errors) <= noise.high) == pytest.approx(0.95, abs=0.04)
    # Ten bins of 50 coins each: sqrt(2/pi) * sqrt(0.24/50) and a little less for the spread of probabilities.
    assert noise.mean == pytest.approx(math.sqrt(2.0 / math.pi * 0.2275 / 50.0), rel=0.03)


@pytest.mark.parametrize("bias", [0.0, 0.02, 0.1])
def test_intervals_hold_the_true_error_about_as_often_as_they_say(bias: float) -> None:
    plan = Resampling(seed=1, resamples=200, block=1.0)
    intervals = [calibration_error_interval(*forecaster(1000, seed, bias), plan) for seed in range(100)]
    assert 0.85 <= np.mean([interval.low <= bias <= interval.high for interval in intervals]) <= 1.0


def test_the_interval_has_a_seed() -> None:
    probabilities, happened = forecaster(300, seed=4)
    one, same, other = (
        calibration_error_interval(probabilities, happened, Resampling(seed=seed, resamples=50, block=3.0))
        for seed in (1, 1, 2)
    )
    assert one == same != other
    assert one.block == 3.0


@pytest.mark.parametrize(
    ("probabilities", "outcomes", "weights", "said"),
    [
        ([0.5, 1.5], [0, 1], None, "probabilities reach from 0.5 to 1.5"),
        ([0.5, 0.5], [0, 2], None, "outcomes must be 0 or 1"),
        ([0.5, 0.5], [0, 1, 1], None, "lengths differ .probabilities 2, outcomes 3."),
        ([0.5, 0.5], [0, 1], [1.0], "lengths differ .weights 1, samples 2."),
        ([0.5, 0.5], [0, 1], [1.0, -1.0], "weights must be 0 or more"),
        ([0.5, 0.5], [0, 1], [0.0, 0.0], "with one above 0"),
        ([], [], None, "probabilities holds 0 values"),
        ([[0.5]], [[1]], None, "give one dimension"),
        ([0.5, math.nan], [0, 1], None, "not finite"),
    ],
)
def test_what_is_no_forecast_is_named(
    probabilities: list[float], outcomes: list[int], weights: list[float] | None, said: str
) -> None:
    with pytest.raises(SampleError, match=said):
        calibration_error(probabilities, outcomes, weights)


def test_settings_that_make_no_sense_are_named() -> None:
    with pytest.raises(SampleError, match="bins=0"):
        calibration_error(FORECAST, HAPPENED, bins=0)
    with pytest.raises(SampleError, match="draws=0"):
        calibration_noise(FORECAST, seed=1, draws=0)
    with pytest.raises(SampleError, match="confidence=2.0"):
        calibration_error_interval(FORECAST, HAPPENED, Resampling(seed=1, confidence=2.0))

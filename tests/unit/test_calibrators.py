"""Calibrators: the right answer where it is known, monotone always, the same after JSON."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from smc_trading_agent.decision_engine.ensemble.calibrators import (
    ISOTONIC_FROM,
    Calibrator,
    IsotonicCalibrator,
    PlattCalibrator,
    encode_calibrators,
    fit_calibrator,
    fit_isotonic,
    fit_platt,
)
from smc_trading_agent.decision_engine.ensemble.odds import sigmoid


def drawn(count: int, slope: float, intercept: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds, and outcomes that follow sigmoid(slope * log-odds + intercept)."""
    chance = np.random.default_rng(seed)
    x = chance.normal(0.0, 1.5, count)
    return x, (chance.random(count) < 1.0 / (1.0 + np.exp(-(slope * x + intercept)))).astype(float)


def test_platt_finds_the_slope_and_intercept_that_made_the_outcomes() -> None:
    fitted = fit_platt(*drawn(40_000, 0.6, -0.4, 3))
    assert fitted.slope == pytest.approx(0.6, abs=0.03)
    assert fitted.intercept == pytest.approx(-0.4, abs=0.03)


def test_platt_is_at_the_minimum_of_the_drawn_in_loss() -> None:
    x, y = drawn(200, 1.0, 0.3, 5)
    fitted = fit_platt(x, y)
    wins, losses = y.sum(), (1.0 - y).sum()
    target = y * (wins + 1.0) / (wins + 2.0) + (1.0 - y) / (losses + 2.0)
    surprise = fitted.apply_many(x) - target
    assert abs(surprise.sum()) < 1e-6
    assert abs((surprise * x).sum()) < 1e-6


def test_a_weight_of_two_is_the_same_row_twice() -> None:
    x, y = drawn(300, 0.8, 0.0, 8)
    weights = np.where(np.arange(300) < 100, 2.0, 1.0)
    doubled = np.concatenate([x, x[:100]]), np.concatenate([y, y[:100]])
    heavy, twice = fit_platt(x, y, weights), fit_platt(*doubled)
    assert (heavy.slope, heavy.intercept) == pytest.approx((twice.slope, twice.intercept), abs=1e-8)
    points = np.linspace(-3.0, 3.0, 25)
    np.testing.assert_allclose(
        fit_isotonic(x, y, weights).apply_many(points), fit_isotonic(*doubled).apply_many(points), atol=2e-3
    )


def test_an_expert_that_is_wrong_way_round_is_flattened_and_not_turned() -> None:
    x, y = drawn(2_000, -1.0, 0.5, 9)
    fitted = fit_platt(x, y)
    assert fitted.slope == 0.0
    assert fitted.apply(7.0) == pytest.approx(y.mean(), abs=1e-3)
    flat = fit_isotonic(x, y)
    assert flat.apply(-5.0) == pytest.approx(flat.apply(5.0), abs=0.1)


def test_separable_and_constant_labels_have_a_finite_fit() -> None:
    x = np.linspace(-2.0, 2.0, 40)
    separated = fit_platt(x, (x > 0).astype(float))
    assert math.isfinite(separated.slope)
    assert 0.9 < separated.apply(2.0) < 1.0
    always = fit_platt(x, np.ones(40))
    assert 0.9 < always.apply(0.0) < 1.0
    constant = fit_platt(np.zeros(30), np.tile([0.0, 1.0, 1.0], 10))
    assert constant.apply(0.0) == pytest.approx(2.0 / 3.0, abs=0.03)


def test_isotonic_pools_adjacent_violators() -> None:
    fitted = fit_isotonic([1.0, 2.0, 3.0, 4.0, 5.0], [0.2, 0.6, 0.4, 0.5, 0.8])
    assert fitted.knots == (1.0, 2.0, 4.0, 5.0)
    assert fitted.values == pytest.approx((0.2, 0.5, 0.5, 0.8))
    assert [fitted.apply(x) for x in (0.0, 1.5, 3.3, 9.0)] == pytest.approx([0.2, 0.35, 0.5, 0.8])


def test_equal_log_odds_are_one_point_and_nothing_is_certain() -> None:
    fitted = fit_isotonic([0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0])
    assert fitted.knots == (0.0, 1.0)
    assert fitted.values == pytest.approx((0.1, 0.9))


def test_the_number_of_labels_decides_between_the_two() -> None:
    x, y = drawn(ISOTONIC_FROM, 1.0, 0.0, 2)
    assert isinstance(fit_calibrator(x, y), IsotonicCalibrator)
    assert isinstance(fit_calibrator(x[1:], y[1:]), PlattCalibrator)


def test_isotonic_calibrates_what_platt_cannot() -> None:
    chance = np.random.default_rng(4)
    x = chance.uniform(-3.0, 3.0, 30_000)
    true = np.where(x > 1.0, 0.8, 0.3)
    fitted = fit_isotonic(x, (chance.random(30_000) < true).astype(float))
    assert float(np.abs(fitted.apply_many(x) - true).mean()) < 0.03


def test_json_gives_the_same_calibrators_and_bits() -> None:
    x, y = drawn(1_500, 0.9, 0.1, 6)
    fitted = {"deep": fit_calibrator(x, y), "plain": fit_calibrator(x[:200], y[:200])}
    read = msgspec.json.decode(encode_calibrators(fitted), type=dict[str, Calibrator])
    assert read == fitted
    for name, calibrator in fitted.items():
        assert calibrator.apply_many(x).tolist() == [read[name].apply(value) for value in x.tolist()]


def test_not_a_number_stays_one() -> None:
    assert math.isnan(PlattCalibrator(1.0, 0.0, 1).apply(math.nan))
    assert math.isnan(IsotonicCalibrator((0.0, 1.0), (0.2, 0.4), 2).apply(math.nan))


def test_infinite_log_odds_are_answered() -> None:
    assert PlattCalibrator(1.0, 0.0, 1).apply(-1e9) == 0.0
    assert IsotonicCalibrator((0.0, 1.0), (0.2, 0.4), 2).apply(math.inf) == 0.4
    assert sigmoid(800.0) == 1.0


@pytest.mark.parametrize(
    ("x", "y", "w", "sentence"),
    [
        ([0.0, 1.0], [1.0], None, "alike"),
        ([0.0, math.nan], [1.0, 0.0], None, "finite"),
        ([0.0, 1.0], [1.0, 1.5], None, "outcomes"),
        ([0.0, 1.0], [1.0, math.nan], None, "outcomes"),
        ([0.0, 1.0], [1.0, 0.0], [0.0, 0.0], "above 0"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(
    x: list[float], y: list[float], w: list[float] | None, sentence: str
) -> None:
    for fit in (fit_platt, fit_isotonic):
        with pytest.raises(ValueError, match=sentence):
            fit(x, y, w)


def test_files_that_are_not_monotone_are_refused() -> None:
    for wrong in (
        b'{"a":{"kind":"platt","slope":-1.0,"intercept":0.0,"samples":3}}',
        b'{"a":{"kind":"isotonic","knots":[0.0,1.0],"values":[0.5,0.4],"samples":3}}',
        b'{"a":{"kind":"isotonic","knots":[1.0,1.0],"values":[0.4,0.5],"samples":3}}',
        b'{"a":{"kind":"isotonic","knots":[1.0],"values":[0.4,0.5],"samples":3}}',
        b'{"a":{"kind":"platt","slope":1.0,"intercept":0.0,"samples":3,"more":1}}',
    ):
        with pytest.raises(ValueError):  # noqa: PT011  msgspec's validation errors are ValueErrors
            msgspec.json.decode(wrong, type=dict[str, Calibrator])

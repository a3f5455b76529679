"""The tests of value at risk against published and independently computed figures."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.risk_manager.var_backtest import (
    ForecastRecord,
    Zone,
    at_most,
    conditional_coverage,
    independence,
    kupiec,
    multiplier,
    traffic_light,
    transitions,
    verdict_of,
)

DAYS = 250


def days(*exceeded: int, length: int = DAYS) -> list[bool]:
    return [day in exceeded for day in range(1, length + 1)]


def record(outcomes: list[bool], confidence: float = 0.99) -> ForecastRecord:
    return ForecastRecord(confidence, len(outcomes), outcomes)


# Statistics, regions and zones: the table in section 2 of the reliability and risk reference, V-11.
@pytest.mark.parametrize(
    ("forecasts", "exceedances", "statistic"),
    [
        *zip([250] * 9, [0, 1, 2, 3, 4, 5, 6, 7, 10], [5.025, 1.176, 0.108, 0.095, 0.769, 1.957, 3.555, 5.497, 12.955],
             strict=True),
        (1_000, 4, 4.706), (1_000, 5, 3.094), (1_000, 16, 3.077), (1_000, 17, 4.091),
    ],
)  # fmt: skip
def test_kupiecs_statistic(forecasts: int, exceedances: int, statistic: float) -> None:
    assert kupiec(forecasts, exceedances, 0.99).statistic == pytest.approx(statistic, abs=5e-4)


@pytest.mark.parametrize(("exceedances", "statistic"), [(16, 3.888), (17, 3.021), (35, 3.765), (36, 4.511)])
def test_kupiecs_statistic_at_95(exceedances: int, statistic: float) -> None:
    assert kupiec(500, exceedances, 0.95).statistic == pytest.approx(statistic, abs=5e-4)


@pytest.mark.parametrize(
    ("forecasts", "confidence", "kept", "yellow", "red"),
    [
        (250, 0.99, (1, 6), 5, 10),
        (500, 0.99, (2, 9), 9, 15),
        (1_000, 0.99, (5, 16), 15, 24),
        (250, 0.95, (7, 19), 18, 27),
        (500, 0.95, (17, 35), None, None),
        (1_000, 0.95, (38, 64), 62, 77),
    ],
)
def test_regions_and_zones(
    forecasts: int, confidence: float, kept: tuple[int, int], yellow: int | None, red: int | None
) -> None:
    counts = [x for x in range(100) if not kupiec(forecasts, x, confidence).rejects]
    assert (counts[0], counts[-1]) == kept
    zones = [traffic_light(forecasts, x, confidence) for x in range(100)]
    if yellow is not None:
        assert (zones.index(Zone.YELLOW), zones.index(Zone.RED)) == (yellow, red)


def test_cumulative_probabilities_of_the_traffic_light() -> None:
    for exceedances, probability in [(4, 0.8922), (5, 0.9588), (9, 0.99975)]:
        assert at_most(exceedances, 250, 0.99) == pytest.approx(probability, abs=5e-5)
    assert at_most(250, 250, 0.99) == pytest.approx(1.0)


def test_p_values_are_those_of_chi_squared() -> None:
    """3.8415 and 5.9915: the 5 % points of 1 and 2 degrees of freedom."""
    assert math.erfc(math.sqrt(3.841_458_820_694_124 / 2)) == pytest.approx(0.05)
    clustered = conditional_coverage(days(40, 41, 42, 150), 0.99)
    assert clustered.p_value == pytest.approx(math.exp(-12.993 / 2), rel=1e-3)
    assert kupiec(250, 7, 0.99).p_value == pytest.approx(math.erfc(math.sqrt(5.497 / 2)), rel=1e-3)


def test_clustered_exceedances_are_found_where_counting_finds_nothing() -> None:
    clustered, spread = days(40, 41, 42, 150), days(40, 100, 160, 220)
    assert transitions(clustered) == (243, 2, 2, 2)
    assert independence(clustered).statistic == pytest.approx(12.223, abs=5e-4)
    assert conditional_coverage(clustered, 0.99).statistic == pytest.approx(12.993, abs=2e-3)
    assert independence(spread).statistic == pytest.approx(0.131, abs=5e-4)
    assert kupiec(DAYS, 4, 0.99).rejects is False
    assert verdict_of(record(clustered)).trusted is False
    assert verdict_of(record(clustered)).tighten_by == pytest.approx(2.0 / 1.5)
    assert verdict_of(record(spread)).trusted is True
    assert verdict_of(record(spread)).tighten_by == 1.0


@pytest.mark.parametrize(
    ("exceedances", "factor"),
    [(0, 1.5), (4, 1.5), (5, 1.7), (6, 1.76), (7, 1.83), (8, 1.88), (9, 1.92), (10, 2.0), (60, 2.0)],
)
def test_basels_multipliers(exceedances: int, factor: float) -> None:
    assert multiplier(250, exceedances, 0.99) == factor


def test_multipliers_of_other_settings_grow_with_the_zone() -> None:
    for forecasts, confidence in [(1_000, 0.99), (500, 0.95), (100, 0.99)]:
        factors = [multiplier(forecasts, x, confidence) for x in range(100)]
        assert factors == sorted(factors)
        zones = [traffic_light(forecasts, x, confidence) for x in range(100)]
        assert all((factor > 1.5) == (zone is not Zone.GREEN) for factor, zone in zip(factors, zones, strict=True))
        assert all(factor == 2.0 for factor, zone in zip(factors, zones, strict=True) if zone is Zone.RED)


def test_too_few_forecasts_reject_nothing_and_too_few_exceedances_tighten_nothing() -> None:
    early = verdict_of(record([True] * 99))
    assert (early.zone, early.tighten_by, early.trusted) == (Zone.UNTESTED, 1.0, True)
    assert verdict_of(record([])).forecasts == 0
    calm = verdict_of(record([False] * 1_000))
    assert calm.coverage.rejects
    assert calm.conditional_coverage.rejects
    assert (calm.zone, calm.tighten_by, calm.trusted) == (Zone.GREEN, 1.0, True)


@pytest.mark.parametrize(
    ("forecasts", "exceedances", "confidence"),
    [(0, 0, 0.99), (5, 6, 0.99), (5, -1, 0.99), (5, 1, 1.0), (5, 1, math.nan)],
)
def test_what_cannot_be_tested_is_refused(forecasts: int, exceedances: int, confidence: float) -> None:
    with pytest.raises(SampleError):
        kupiec(forecasts, exceedances, confidence)


def test_a_right_model_is_rejected_as_often_as_the_level_says_and_a_wrong_one_nearly_always() -> None:
    """2,000 runs of 1,000 forecasts; a normal P&L whose value at risk is understated by 30 % is exceeded far more."""
    chance = np.random.default_rng(11)
    right = [kupiec(1_000, int(x), 0.99).rejects for x in chance.binomial(1_000, 0.01, 2_000)]
    assert 0.03 <= np.mean(right) <= 0.07
    beyond = 0.5 * math.erfc(0.7 * 2.326_347_874 / math.sqrt(2))
    wrong = [verdict_of(record(list(chance.random(1_000) < beyond))) for _ in range(50)]
    assert all(not verdict.trusted and verdict.tighten_by > 1.3 for verdict in wrong)


@pytest.mark.parametrize("length", [250, 1_000])
def test_a_right_model_seldom_loses_its_trust(length: int) -> None:
    """The shares that docs/concepts/risk/value_at_risk.md gives: 1.9 % of 2,000 records of either length."""
    chance = np.random.default_rng(1)
    drawn = (record((chance.random(length) < 0.01).tolist()) for _ in range(2_000))
    assert 0.01 <= np.mean([not verdict_of(outcomes).trusted for outcomes in drawn]) <= 0.03


def test_the_record_keeps_the_newest() -> None:
    kept = ForecastRecord(0.99, 3)
    for exceeded in (True, False, False, True):
        kept.add(exceeded)
    assert kept.exceeded == [False, False, True]

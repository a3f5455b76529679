"""The detector's configuration: complete, frozen, from the core's defaults, refused by key, value and range."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from smc_trading_agent._core import detector_config, detector_parameters
from smc_trading_agent.smc_detector import ConfigError, DataError, Detector, DetectorConfig

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)
NOON_NS = 1_709_640_000_000_000_000
CONFIG = DetectorConfig("15m", tick_size="0.01", lot_size="0.001")


def test_what_is_not_given_has_the_cores_default() -> None:
    plain, changed = DetectorConfig("1h", "0.5"), DetectorConfig("1h", "0.5", swing={"size": 30})
    assert plain.parameters_json == detector_config()
    assert changed.parameters == plain.parameters | {"swing": {"rule": "leg", "size": 30}}
    given = DetectorConfig("1h", "0.5", swing={"size": 50}, atr_period=14)
    assert given == plain
    assert hash(given) == hash(plain)
    assert changed != plain


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONFIG.tick_size = "1"  # type: ignore[misc]
    CONFIG.parameters["swing"]["size"] = 7
    assert CONFIG.parameters["swing"]["size"] == 50


def test_its_text_names_what_differs_from_the_defaults() -> None:
    text = repr(DetectorConfig("1h", "0.5", "1", inducement={"max_age": 9}))
    assert text == "DetectorConfig('1h', '0.5', '1', inducement={'max_age': 9, 'max_count': 50})"


@pytest.mark.parametrize(
    ("step", "text"), [("0.010", "0.01"), (0.00001, "0.00001"), (5, "5"), (Decimal("1E-3"), "0.001"), ("1e1", "10")]
)
def test_a_step_is_kept_as_its_exact_decimal(step: str | float | Decimal, text: str) -> None:
    assert DetectorConfig("1m", step).tick_size == text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"timeframe": "7m"}, 'timeframe "7m"'),
        ({"tick_size": "0"}, "tick_size is '0'"),
        ({"tick_size": "abc"}, "tick_size is 'abc'"),
        ({"tick_size": float("nan")}, "tick_size is nan"),
        ({"lot_size": -1}, "lot_size is -1"),
        ({"colour": 3}, "colour is unknown; the detector has atr_period"),
        ({"swing": {"sise": 3}}, "swing.sise is unknown; swing has size, rule"),
        ({"swing": 30}, "swing is 30; it must be an object with any of size, rule"),
        ({"swing": {"size": 0}}, "swing.size is 0; it must be between 1 and 10000"),
        ({"swing": {"size": 2.5}}, "swing.size is 2.5; it must be a whole number, between 1 and 10000"),
        ({"swing": {"size": 2**40}}, f"swing.size is {2**40}; it must be a whole number, between 1 and 10000"),
        ({"swing": {"rule": "zigzag"}}, 'swing.rule is "zigzag"; it must be one of leg, fractal'),
        ({"order_block": {"volatility_filter": -1}}, "order_block.volatility_filter is -1; it must be positive"),
        ({"order_block": {"volatility_filter": "2"}}, 'is "2"; it must be null or a number, positive'),
        ({"periods": {"zone": "Mars"}}, 'periods.zone is "Mars"; it must be an IANA time zone'),
        ({"periods": {"roll": "25:00"}}, 'periods.roll is "25:00"; it must be a time of day from 00:00 to 23:59'),
        ({"sessions": {"london_session": {"zone": "UTC"}}}, "it must be null or an object of zone, start and end"),
        ({"optimal_entry": {"near": 0.9}}, "optimal_entry.far is 0.79; it must be above optimal_entry.near"),
        ({"fair_value_gap": {"min_size_atr": float("nan")}}, "column"),
        ({"swing": {"size": np.int64(3)}}, "int64"),
    ],
)
def test_a_bad_value_is_named_with_what_it_takes(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as refused:
        DetectorConfig(**({"timeframe": "1m", "tick_size": "0.01"} | change))
    assert named in str(refused.value)


@pytest.mark.parametrize(("key", "default", "takes", "choices"), [row[:4] for row in detector_parameters() if row[1]])
def test_what_a_parameter_takes_is_what_its_refusal_says(
    key: str, default: str, takes: str, choices: list[str]
) -> None:
    section, _, name = key.rpartition(".")
    wrong: Any = [default]
    with pytest.raises(ConfigError) as refused:
        DetectorConfig("1m", "0.01", **({section: {name: wrong}} if section else {name: wrong}))
    assert f"{key} is" in str(refused.value)
    assert str(refused.value).endswith(f"it must be {takes}")
    for choice in choices:
        assert DetectorConfig("1m", "0.01", **{section: {name: choice}}).parameters[section][name] == choice


def test_prices_and_ticks() -> None:
    assert CONFIG.to_ticks(101.23) == 10_123
    assert CONFIG.to_price(10_123) == 101.23
    for price in (101.234, 0.0, -1.0, float("nan")):
        with pytest.raises(DataError, match=str(price)):
            CONFIG.to_ticks(price)


@pytest.mark.parametrize(
    "time",
    [
        NOON,
        NOON.replace(tzinfo=None),
        NOON.astimezone(timezone(timedelta(hours=5, minutes=45))),
        NOON_NS,
    ],
)
def test_a_bar_out_of_decimal_prices(time: datetime | int) -> None:
    bar = CONFIG.bar(time, 100.0, 101.5, 99.99, 101.0, volume=2.5)
    assert (bar.open_time, bar.close_time) == (NOON_NS, NOON_NS + 15 * 60 * 10**9)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (10_000, 10_150, 9_999, 10_100, 2_500)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: CONFIG.bar(NOON, 100.005, 101, 99, 100), "open 100.005 is no multiple of tick_size 0.01"),
        (lambda: CONFIG.bar(NOON, 100, float("nan"), 99, 100), "high is nan"),
        (lambda: CONFIG.bar(NOON, 100, 98, 99, 100), "high 98 is below low 99"),
        (lambda: CONFIG.bar(NOON, 98, 101, 99, 100), "open 98 lies outside low 99 to high 101"),
        (lambda: CONFIG.bar(NOON, 100, 101, 99, 102), "close 102 lies outside"),
        (lambda: CONFIG.bar(NOON, 0, 101, 0, 100), "open is 0"),
        (lambda: CONFIG.bar(NOON, 100, 101, 99, 100, volume=-1), "volume is -1"),
        (lambda: CONFIG.bar(NOON, 100, 101, 99, 100, volume=1e300), "volume 1e+300 is too large"),
        (lambda: CONFIG.bar(NOON_NS + 1, 100, 101, 99, 100), "2024-03-05 12:00:00.000000001 UTC): no 15m bar opens"),
    ],
)
def test_a_bar_that_is_none_is_refused_by_value(make: Callable[[], Any], named: str) -> None:
    with pytest.raises(DataError) as refused:
        make()
    assert named in str(refused.value)


def test_an_unknown_scope_is_named() -> None:
    with pytest.raises(ConfigError, match='scope "weekly"'):
        Detector(CONFIG).bias("weekly")

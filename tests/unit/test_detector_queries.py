"""What a detector tells when asked: ranges, extremes, the draw, opens, the volume profile."""

from __future__ import annotations

import json

import pytest

from smc_trading_agent._core import Bar, Detector

HOUR = 3_600_000_000_000
MONDAY = 1_685_318_400_000_000_000  # 2023-05-29 00:00 UTC, in New York 20:00 of the day before
SETTINGS = {
    "internal": {"size": 2},
    "swing": {"size": 2},
    "liquidity": {"left": 2, "right": 2},
    "volume_profile": {"bin_ticks": 1},
}
CLOSES = (110, 115, 120, 110, 105, 100, 110, 115, 122, 125, 118, 116, 119)


def hour(number: int, close: int, volume: int = 3) -> Bar:
    at = MONDAY + number * HOUR
    return Bar(at, at + HOUR, close, close + 1, close - 1, close, volume)


@pytest.fixture
def detector() -> Detector:
    detector = Detector("1h", json.dumps(SETTINGS))
    for number, close in enumerate(CLOSES):
        detector.update(hour(number, close))
    return detector


def test_range_and_regions(detector: Detector) -> None:
    assert detector.dealing_range() == (99, 126)
    assert [detector.region(price) for price in (100, 112, 113, 125)] == [
        "discount",
        "equilibrium",
        "equilibrium",
        "premium",
    ]
    assert Detector("1h").region(100) is None


def test_the_high_is_weak_and_the_low_strong_while_the_bias_is_up(detector: Detector) -> None:
    assert detector.bias("internal") == 1
    assert detector.trailing_extreme("internal", 1) == (126, MONDAY + 9 * HOUR, False)
    assert detector.trailing_extreme("internal", -1) == (99, MONDAY + 5 * HOUR, True)


def test_the_draw_lies_ahead(detector: Detector) -> None:
    draw = detector.draw_on_liquidity("internal")
    assert draw is not None
    assert (draw.kind, draw.side, draw.low, draw.timeframe) == ("liquidity_pool", 1, 126, "1h")
    assert Detector("1h").draw_on_liquidity("swing") is None


def test_opens_and_sessions(detector: Detector) -> None:
    assert detector.reference_open("day") == 110
    assert detector.reference_open("new_york_midnight") == CLOSES[4]
    assert detector.reference_open("new_york_morning") is None  # no hour opens at half past eight
    assert detector.in_session("new_york_session")
    assert not detector.in_session("london_silver_bullet")


def test_the_profile_of_the_day(detector: Detector) -> None:
    profile = detector.volume_profile()
    assert profile is not None
    assert (profile.scope, profile.formed_at, profile.volume) == ("day", MONDAY, 3 * len(CLOSES))
    assert (profile.low, profile.high) == (99, 126)
    # Three lots each at 109 to 111, 115, 116 and 119; of these 111 lies nearest to the middle of 99 to 126.
    assert profile.point_of_control == 111
    assert profile.value_low <= profile.point_of_control <= profile.value_high
    assert "point_of_control=111" in repr(profile)
    silent = Detector("1h", json.dumps(SETTINGS))
    silent.update(hour(0, 100, volume=0))
    assert silent.volume_profile() is None


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda detector: detector.trailing_extreme("internal", 2), "side 2"),
        (lambda detector: detector.trailing_extreme("day", 1), "day"),
        (lambda detector: detector.draw_on_liquidity("day"), "day"),
        (lambda detector: detector.reference_open("noon"), "new_york_midnight"),
        (lambda detector: detector.in_session("noon"), "morning_silver_bullet"),
        (lambda _: Detector("1h", '{"volume_profile": {"bin_ticks": 2}}'), "volume_profile.bin_ticks is 2"),
        (lambda _: Detector("1h", '{"volume_profile": {"length": "year"}}'), "year"),
    ],
)
def test_a_wrong_question_is_named(detector: Detector, call: object, named: str) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=named):
        call(detector)

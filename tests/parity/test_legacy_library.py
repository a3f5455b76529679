"""The compatibility functions equal the installed library, bit for bit and kind for kind, on random markets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.legacy import require_equal
from benchmarks.peers import Unequal, library
from benchmarks.walk import TICK, random_walk
from smc_trading_agent.smc_detector.compat import HindsightWarning, smc

pytestmark = pytest.mark.filterwarnings(f"ignore::{HindsightWarning.__module__}.HindsightWarning")

COARSE = 2e-4
"""A tick at which equal prices, doji bars and touches to the tick are common."""

MARKETS = [(seed, bars, tick) for seed, bars in ((1, 300), (2, 700), (3, 1_500)) for tick in (TICK, COARSE)]
SESSIONS = ("Sydney", "Tokyo", "London", "New York", "Asian kill zone", "London open kill zone", "New York kill zone")


@pytest.fixture(scope="module")
def theirs() -> Any:
    return library()


@pytest.fixture(params=MARKETS, ids=lambda market: "-".join(map(str, market)))
def bars(request: pytest.FixtureRequest) -> pd.DataFrame:
    seed, count, tick = request.param
    return random_walk(count, seed, tick).frame()


def swing_sets(theirs: Any, bars: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The library's swings of some lengths, and swings of one's own making."""
    for length in (1, 2, 5, 20):
        yield theirs.swing_highs_lows(bars, swing_length=length)
    random = np.random.default_rng(len(bars))
    side = np.where(random.random(len(bars)) < 0.2, random.choice([-1.0, 1.0], len(bars)), np.nan)
    level = np.select([side == 1, side == -1], [bars["high"], bars["low"]], np.nan)
    yield pd.DataFrame({"HighLow": side, "Level": level})


@pytest.mark.parametrize("join", [False, True])
def test_fvg(theirs: Any, bars: pd.DataFrame, join: bool) -> None:
    require_equal("fvg", smc.fvg(bars, join), theirs.fvg(bars, join_consecutive=join))


@pytest.mark.parametrize("length", [1, 2, 5, 20, 50])
def test_swing_highs_lows(theirs: Any, bars: pd.DataFrame, length: int) -> None:
    require_equal("swings", smc.swing_highs_lows(bars, length), theirs.swing_highs_lows(bars, swing_length=length))


@pytest.mark.parametrize("by_close", [False, True])
def test_bos_choch(theirs: Any, bars: pd.DataFrame, by_close: bool) -> None:
    for swings in swing_sets(theirs, bars):
        expected = theirs.bos_choch(bars, swings, close_break=by_close)
        require_equal("bos_choch", smc.bos_choch(bars, swings, by_close), expected)


@pytest.mark.parametrize("by_close", [False, True])
def test_ob(theirs: Any, bars: pd.DataFrame, by_close: bool) -> None:
    for swings in swing_sets(theirs, bars):
        require_equal("ob", smc.ob(bars, swings, by_close), theirs.ob(bars, swings, close_mitigation=by_close))


@pytest.mark.parametrize("percent", [0.0, 0.01, 0.08])
def test_liquidity(theirs: Any, bars: pd.DataFrame, percent: float) -> None:
    for swings in swing_sets(theirs, bars):
        expected = theirs.liquidity(bars, swings, range_percent=percent)
        require_equal("liquidity", smc.liquidity(bars, swings, percent), expected)


@pytest.mark.parametrize("time_frame", ["15min", "1h", "4h", "7h", "1D", "W", "W-WED", "ME"])
def test_previous_high_low(theirs: Any, bars: pd.DataFrame, time_frame: str) -> None:
    expected = theirs.previous_high_low(bars, time_frame=time_frame)
    require_equal(time_frame, smc.previous_high_low(bars, time_frame), expected)


@pytest.mark.parametrize("zone", ["UTC", "UTC+3", "GMT-5"])
def test_sessions(theirs: Any, bars: pd.DataFrame, zone: str) -> None:
    calls: list[dict[str, str]] = [{"session": name} for name in SESSIONS]
    calls += [
        {"session": "Custom", "start_time": start, "end_time": end}
        for start, end in (("09:15", "10:00"), ("23:10", "01:05"), ("12:00", "12:00"))
    ]
    for call in calls:
        # The library changes the index of the frame it is given.
        expected = theirs.sessions(bars.copy(), time_zone=zone, **call)
        require_equal(str(call), smc.sessions(bars, time_zone=zone, **call), expected)


def test_retracements(theirs: Any, bars: pd.DataFrame) -> None:
    for swings in swing_sets(theirs, bars):
        require_equal("retracements", smc.retracements(bars, swings), theirs.retracements(bars, swings))


def test_a_row_that_held_an_erased_block_holds_one_of_the_other_side_as_broken(theirs: Any) -> None:
    """Bar 2 is a bullish block, broken and erased, then a bearish one, which the library takes for broken already."""
    prices = [
        (100.0, 101.0, 100.0, 101.0),
        (96.0, 100.0, 96.0, 100.0),
        (102.0, 109.0, 94.0, 100.0),
        (102.0, 105.0, 102.0, 104.0),
        (95.0, 96.0, 94.0, 96.0),
        (94.0, 95.0, 93.0, 94.0),
        (107.0, 114.0, 103.0, 109.0),
    ]
    bars = pd.DataFrame(prices, columns=["open", "high", "low", "close"]).assign(volume=1.0)
    side = pd.Series([-1.0, 1.0] + [np.nan] * 5)
    swings = pd.DataFrame({"HighLow": side, "Level": [100.0, 100.0] + [np.nan] * 5})
    found = smc.ob(bars, swings)
    require_equal("ob", found, theirs.ob(bars, swings))
    assert found["OB"].isna().all()


def test_a_retracement_between_two_tenths_is_rounded_as_by_the_library(theirs: Any) -> None:
    """49 of 80 is 38.75 percent back, or a hair beside it: the order of the arithmetic decides."""
    low = [100.0, 100.0, 120.0, 149.0, 149.0, 100.0, 149.0, 149.0]
    bars = pd.DataFrame({"low": low, "open": 150.0, "close": 150.0, "high": 180.0})
    side = pd.Series([-1.0, 1.0, -1.0, np.nan, 1.0, np.nan, np.nan, np.nan])
    level = pd.Series([100.0, 180.0, 100.0, np.nan, 180.0, np.nan, np.nan, np.nan])
    swings = pd.DataFrame({"HighLow": side, "Level": level})
    found = smc.retracements(bars, swings)
    require_equal("retracements", found, theirs.retracements(bars, swings))
    assert found["CurrentRetracement%"].iloc[-1] == np.round(100 - 49 / 80 * 100, 1) != np.round(100 - 100 * 49 / 80, 1)


def test_what_differs_is_named(theirs: Any) -> None:
    bars = random_walk(300, 1).frame()
    expected = theirs.fvg(bars)
    row = int(expected["FVG"].first_valid_index())
    with pytest.raises(Unequal, match=f"fvg: column Top differs from row {row} on, in 1 rows"):
        require_equal("fvg", smc.fvg(bars), expected.assign(Top=expected["Top"].mask(expected.index == row, 0.0)))
    with pytest.raises(Unequal, match="fvg: columns .*float32"):
        require_equal("fvg", smc.fvg(bars), expected.astype({"Top": "float32"}))

"""The compatibility functions refuse by name, answer in kind, warn once, and keep the quirks that are listed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from smc_trading_agent.smc_detector.compat import HindsightWarning, SmartMoneyConcepts, hindsight, smc

PRICES = [10.0, 12, 15, 13, 11, 9, 8, 10, 14, 17, 16, 12, 9, 7, 11, 15, 19, 18, 14, 13]


def frame(rows: int = 20, start: str = "2024-03-05", every: str = "1h") -> pd.DataFrame:
    close = np.array(PRICES[:rows])
    index = pd.date_range(start, periods=rows, freq=every)
    columns = {"Open": close - 0.5, "High": close + 1.0, "Low": close - 1.0, "Close": close, "Volume": close * 3}
    return pd.DataFrame(columns, index=index)


def in_polars(bars: pd.DataFrame) -> pl.DataFrame:
    return pl.DataFrame({"Date": bars.index.to_numpy(), **{name: bars[name].to_numpy() for name in bars.columns}})


@pytest.fixture(autouse=True)
def _warned(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after the first warning."""
    monkeypatch.setattr(hindsight.notice, "given", True)


CALLS: dict[str, Callable[[Any, Any, bool], Any]] = {
    "fvg": lambda bars, _, causal: smc.fvg(bars, causal=causal),
    "swings": lambda bars, _, causal: smc.swing_highs_lows(bars, 2, causal=causal),
    "bos_choch": lambda bars, swings, causal: smc.bos_choch(bars, swings, causal=causal),
    "ob": lambda bars, swings, causal: smc.ob(bars, swings, causal=causal),
    "liquidity": lambda bars, swings, causal: smc.liquidity(bars, swings, causal=causal),
    "previous_high_low": lambda bars, _, causal: smc.previous_high_low(bars, causal=causal),
    "sessions": lambda bars, _, causal: smc.sessions(bars, "London", causal=causal),
    "retracements": lambda bars, swings, causal: smc.retracements(bars, swings, causal=causal),
}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("rows", [0, 1, 2, 20])
def test_any_length_is_answered_in_kind(name: str, causal: bool, rows: int) -> None:
    bars = frame(rows)
    in_pandas = CALLS[name](bars, smc.swing_highs_lows(bars, 2, causal=causal), causal)
    assert isinstance(in_pandas, pd.DataFrame)
    assert isinstance(in_pandas.index, pd.RangeIndex)
    other = in_polars(bars)
    answer = CALLS[name](other, smc.swing_highs_lows(other, 2, causal=causal), causal)
    assert isinstance(answer, pl.DataFrame)
    assert answer.columns == list(in_pandas.columns)
    assert len(answer) == len(in_pandas) == rows
    for column in answer.columns:
        found = answer[column].cast(pl.Float64).to_numpy()
        np.testing.assert_array_equal(found, in_pandas[column].to_numpy(float))


@pytest.mark.parametrize("name", CALLS)
def test_a_missing_column_is_named_with_those_there(name: str) -> None:
    bars = frame()
    swings = smc.swing_highs_lows(bars, 2)
    with pytest.raises(LookupError, match='column "low" is missing; the frame has: Open, High, Close, Volume'):
        CALLS[name](bars.drop(columns="Low"), swings, False)


def test_arguments_are_refused_by_name() -> None:
    bars = frame()
    swings, known = smc.swing_highs_lows(bars, 2), smc.swing_highs_lows(bars, 2, causal=True)
    with pytest.raises(LookupError, match='column "volume" is missing'):
        smc.ob(bars.drop(columns="Volume"), swings)
    with pytest.raises(LookupError, match='column "Level" is missing'):
        smc.liquidity(bars, swings.drop(columns="Level"))
    with pytest.raises(ValueError, match='column "Low" is not numeric'):
        smc.fvg(bars.assign(Low="low"))
    with pytest.raises(ValueError, match='column "Low" is not numeric'):
        smc.fvg(in_polars(bars.assign(Low="low")))
    with pytest.raises(ValueError, match="columns Low, low differ only in case"):
        smc.fvg(bars.assign(low=1.0))
    with pytest.raises(TypeError, match=r"is needed, not builtins.dict; pip install pandas"):
        smc.fvg({"open": [1.0]})
    with pytest.raises(TypeError, match=r"collect\(\) it first"):
        smc.fvg(in_polars(bars).lazy())
    with pytest.raises(ValueError, match="swing_length is 0; use 1 or more bars"):
        smc.swing_highs_lows(bars, 0)
    with pytest.raises(TypeError, match="float"):
        smc.swing_highs_lows(bars, 1.5)
    with pytest.raises(ValueError, match="column HighLow has 19 values where the first column has 20"):
        smc.bos_choch(bars, swings[:-1])
    with pytest.raises(ValueError, match="range_percent is -1; use a share of the range"):
        smc.liquidity(bars, swings, -1)
    with pytest.raises(ValueError, match="causal=True needs causal swings: smc.swing_highs_lows"):
        smc.bos_choch(bars, swings, causal=True)
    with pytest.raises(ValueError, match="these swings are causal; add causal=True"):
        smc.retracements(bars, known)
    ahead = known.assign(AnchorIndex=known["AnchorIndex"] + 2)
    with pytest.raises(ValueError, match="AnchorIndex on row 4 is 4; it must be the number of an earlier row"):
        smc.ob(bars, ahead, causal=True)


def test_times_and_periods_are_refused_by_name() -> None:
    bars = frame()
    with pytest.raises(ValueError, match="the index is a RangeIndex, not a DatetimeIndex"):
        smc.previous_high_low(bars.reset_index(drop=True))
    with pytest.raises(ValueError, match="0 datetime columns could be the bars' times"):
        smc.sessions(in_polars(bars).drop("Date"), "London")
    with pytest.raises(ValueError, match="2 datetime columns could be the bars' times"):
        smc.sessions(in_polars(bars).with_columns(pl.col("Date").alias("time")), "London")
    with pytest.raises(ValueError, match="the time of row 3 is absent"):
        smc.sessions(bars.set_index(bars.index.where(np.arange(20) != 3)), "London")
    with pytest.raises(ValueError, match='time_frame "fortnight" is not a period; use a number and s, min, h or D'):
        smc.previous_high_low(bars, "fortnight")
    for unknown in ("0D", "2W", "W-XXX", "99999999999D", "-1h", ""):
        with pytest.raises(ValueError, match="is not a period"):
            smc.previous_high_low(bars, unknown)
    with pytest.raises(ValueError, match="the time on row 1 lies in a period before that of the row above it"):
        smc.previous_high_low(bars[::-1], "1h")
    with pytest.raises(ValueError, match="session 'Paris' is not known; use Custom or one of: sydney, tokyo, london"):
        smc.sessions(bars, "Paris")
    with pytest.raises(ValueError, match="a Custom session needs start_time and end_time"):
        smc.sessions(bars, "Custom", "07:00")
    with pytest.raises(ValueError, match="'24:00' is no time of day; write it as HH:MM"):
        smc.sessions(bars, "Custom", "07:00", "24:00")


def active(bars: Any, **arguments: Any) -> list[int]:
    found = smc.sessions(bars, "London", **arguments)["Active"].to_numpy()
    return [int(row) for row in np.flatnonzero(found)]


def test_time_zones() -> None:
    bars = frame()
    assert active(bars) == list(range(7, 17))
    # The library counts UTC+3 the wrong way round; causal=True is half-open and counts it right.
    assert active(bars, time_zone="UTC+3") == list(range(4, 14))
    assert active(bars, time_zone="UTC+3", causal=True) == list(range(10, 19))
    assert active(bars, time_zone="America/New_York", causal=True) == list(range(2, 11))
    aware = bars.tz_localize("America/New_York")
    assert active(aware) == list(range(2, 12))
    assert active(aware, time_zone="Asia/Tokyo") == list(range(2, 12)), "times that carry a zone say it themselves"
    assert active(in_polars(bars).with_columns(pl.col("Date").dt.replace_time_zone("America/New_York"))) == active(
        aware
    )
    with pytest.raises(ValueError, match="time_zone 'Mars/Olympus' is not known"):
        active(bars, time_zone="Mars/Olympus")
    with pytest.raises(ValueError, match="time_zone 'UTC\\+15' is more than 14 hours from UTC"):
        active(bars, time_zone="UTC+15")
    with pytest.raises(ValueError, match=r"the clock of Europe/London skips 2024-03-31 01:00:00 or shows it twice"):
        active(frame(start="2024-03-31"), time_zone="Europe/London")


def test_the_day_of_a_zoned_index_goes_by_its_own_clock() -> None:
    bars = frame(start="2024-03-05 18:00")
    found = smc.previous_high_low(bars.tz_localize("America/New_York"), "1D", causal=True)
    assert found["PreviousHigh"].isna().sum() == 6
    assert found.equals(smc.previous_high_low(bars, "1D", causal=True))


@pytest.mark.parametrize(("theirs", "ours"), [("15m", "15min"), ("4H", "4h"), ("1W", "W"), ("1M", "ME"), ("d", "1D")])
def test_the_librarys_own_names_of_periods_are_known(theirs: str, ours: str) -> None:
    bars = frame(every="9h")
    assert smc.previous_high_low(bars, theirs).equals(smc.previous_high_low(bars, ours))


def test_a_late_month_is_the_one_before_last_and_causal_is_the_last() -> None:
    bars = frame(start="2024-01-15", every="10D")  # January 15, 25; February 4, 14, 24; March 5, 15 ...
    late, exact = (smc.previous_high_low(bars, "ME", causal=causal)["PreviousHigh"] for causal in (False, True))
    highs = bars["High"].to_list()
    assert exact[2] == max(highs[:2])
    assert exact[5] == max(highs[2:5])
    assert np.isnan(late[2])
    assert late[5] == max(highs[:2])


def test_hindsight_is_said_once_where_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hindsight.notice, "given", False)
    bars = frame()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        smc.previous_high_low(bars)
        smc.sessions(bars, "Tokyo")
        known = smc.swing_highs_lows(bars, 2, causal=True)
        smc.ob(bars, known, causal=True)
    with pytest.warns(HindsightWarning, match="look ahead.*causal=True") as said:
        swings = smc.swing_highs_lows(bars, 2)
    assert said[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        smc.ob(bars, swings)


def test_hindsight_is_said_by_functions_that_take_swings(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = frame()
    swings = smc.swing_highs_lows(bars, 2)
    monkeypatch.setattr(hindsight.notice, "given", False)
    with pytest.warns(HindsightWarning) as said:
        SmartMoneyConcepts.bos_choch(bars, swings)
    assert said[0].filename == __file__


def test_swings_of_ones_own_making_are_taken() -> None:
    bars = frame()
    side = pd.Series([np.nan] * 20)
    side[[2, 6, 9, 13, 16]] = [1, -1, 1, -1, 1]
    level = side.case_when([(side == 1, bars["High"].to_numpy()), (side == -1, bars["Low"].to_numpy())])
    found = smc.bos_choch(bars, pd.DataFrame({"highlow": side, "LEVEL": level}))
    assert found["BrokenIndex"].dropna().to_dict() == {9: 16.0}
    assert found["Level"][9] == 18.0

"""The compatibility functions against brute-force models, on any small market; and nothing causal ever changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent.smc_detector.compat import HindsightWarning, smc
from tests.parity import causal_models, legacy_models
from tests.parity.markets import MINUTE, Market, markets

pytestmark = pytest.mark.filterwarnings(f"ignore::{HindsightWarning.__module__}.HindsightWarning")

DAY = 1_440 * MINUTE


def month_end(time: int) -> int:
    next_month = np.datetime64(time, "ns").astype("datetime64[M]") + 1
    return int(next_month.astype("datetime64[ns]").astype(np.int64)) - DAY


sizes = st.integers(1, 4)
minutes_of_day = st.integers(0, 1_439)
LABELS: dict[str, Callable[[int, int], int]] = {
    "15min": lambda time, midnight: midnight + (time - midnight) // (15 * MINUTE) * 15 * MINUTE,
    "7h": lambda time, midnight: midnight + (time - midnight) // (420 * MINUTE) * 420 * MINUTE,
    "1D": lambda time, _: time // DAY * DAY,
    "W": lambda time, _: (time // DAY + (6 - (time // DAY + 3) % 7)) * DAY,
    "W-WED": lambda time, _: (time // DAY + (2 - (time // DAY + 3)) % 7) * DAY,
    "ME": lambda time, _: month_end(time),
}


def column(frame: pl.DataFrame, name: str) -> list[float]:
    return frame[name].cast(pl.Float64).to_numpy().tolist()


def check(found: pl.DataFrame, expected: Sequence[Sequence[float]]) -> None:
    assert len(found.columns) == len(expected)
    for name, values in zip(found.columns, expected, strict=True):
        kind = np.float32 if found.schema[name] == pl.Float32 else np.float64
        np.testing.assert_array_equal(np.array(column(found, name), kind), np.array(values, kind), name)


def swing_columns(market: Market, size: int) -> tuple[pl.DataFrame, list[float], list[float]]:
    swings = smc.swing_highs_lows(market.frame(), size)
    return swings, column(swings, "HighLow"), column(swings, "Level")


def known(market: Market, size: int) -> tuple[pl.DataFrame, dict[int, causal_models.Pivot]]:
    swings = smc.swing_highs_lows(market.frame(), size, causal=True)
    columns = (column(swings, name) for name in ("HighLow", "Level", "AnchorIndex"))
    return swings, causal_models.pivots_by_row(*columns)


def time_of(text: int) -> str:
    return f"{text // 60:02}:{text % 60:02}"


@given(market=markets(), join=st.booleans())
def test_fvg(market: Market, join: bool) -> None:
    check(smc.fvg(market.frame(), join), legacy_models.fvg(*market.lists(), join))
    check(smc.fvg(market.frame(), join, causal=True), causal_models.fvg(*market.lists(), join))


@given(market=markets(), size=sizes)
def test_swings(market: Market, size: int) -> None:
    _, high, low, _ = market.lists()
    check(smc.swing_highs_lows(market.frame(), size), legacy_models.swings(high, low, size))
    check(smc.swing_highs_lows(market.frame(), size, causal=True), causal_models.swings(high, low, size))


@given(market=markets(), size=sizes, by_close=st.booleans())
def test_structure(market: Market, size: int, by_close: bool) -> None:
    _, high, low, close = market.lists()
    swings, side, level = swing_columns(market, size)
    found = smc.bos_choch(market.frame(), swings, close_break=by_close)
    check(found, legacy_models.structure(high, low, close, side, level, by_close))
    swings, pivots = known(market, size)
    prices = (close, close) if by_close else (high, low)
    found = smc.bos_choch(market.frame(), swings, by_close, causal=True)
    check(found, causal_models.structure(*prices, pivots))


@given(market=markets(), size=sizes, by_close=st.booleans())
def test_order_blocks(market: Market, size: int, by_close: bool) -> None:
    volume = market.volume.tolist()
    swings, side, _ = swing_columns(market, size)
    found = smc.ob(market.frame(), swings, close_mitigation=by_close)
    check(found, legacy_models.order_blocks(*market.lists(), volume, side, by_close))
    swings, pivots = known(market, size)
    found = smc.ob(market.frame(), swings, by_close, causal=True)
    check(found, causal_models.order_blocks(*market.lists(), volume, pivots, by_close))


@given(market=markets(), size=sizes, percent=st.sampled_from([0.0, 0.013, 0.11, 0.37]))
def test_liquidity(market: Market, size: int, percent: float) -> None:
    _, high, low, _ = market.lists()
    swings, side, level = swing_columns(market, size)
    if market.time.size:
        check(smc.liquidity(market.frame(), swings, percent), legacy_models.liquidity(high, low, side, level, percent))
    swings, pivots = known(market, size)
    found = smc.liquidity(market.frame(), swings, percent, causal=True)
    expected = causal_models.liquidity(high, low, pivots, percent)
    for name, values in zip(found.columns, expected, strict=True):
        np.testing.assert_allclose(column(found, name), values, rtol=1e-12, err_msg=name)


@given(market=markets(), time_frame=st.sampled_from(list(LABELS)))
def test_previous_high_low(market: Market, time_frame: str) -> None:
    _, high, low, _ = market.lists()
    times = market.time.tolist()
    midnight = times[0] // DAY * DAY if times else 0

    def label(time: int) -> int:
        return LABELS[time_frame](time, midnight)

    found = smc.previous_high_low(market.frame(), time_frame)
    check(found, legacy_models.previous_high_low(times, high, low, label))
    found = smc.previous_high_low(market.frame(), time_frame, causal=True)
    check(found, causal_models.previous_high_low(times, high, low, label))


@given(market=markets(), start=minutes_of_day, end=minutes_of_day)
def test_sessions(market: Market, start: int, end: int) -> None:
    _, high, low, _ = market.lists()
    minutes = (market.time // MINUTE).tolist()
    custom = ("Custom", time_of(start), time_of(end))
    of_day = [minute % 1_440 for minute in minutes]
    check(smc.sessions(market.frame(), *custom), legacy_models.sessions(of_day, high, low, start, end))
    found = smc.sessions(market.frame(), *custom, causal=True)
    check(found, causal_models.sessions(minutes, high, low, start, end))


@given(market=markets(), size=sizes)
def test_retracements(market: Market, size: int) -> None:
    _, high, low, _ = market.lists()
    swings, side, level = swing_columns(market, size)
    check(smc.retracements(market.frame(), swings), legacy_models.retracements(high, low, side, level))
    swings, pivots = known(market, size)
    check(smc.retracements(market.frame(), swings, causal=True), causal_models.retracements(high, low, pivots))


@given(market=markets(), size=sizes, stop=st.integers(0, 70), percent=st.sampled_from([0.01, 0.2]))
def test_nothing_causal_changes_when_bars_are_added(market: Market, size: int, stop: int, percent: float) -> None:
    def readings(bars: pl.DataFrame) -> dict[str, pl.DataFrame]:
        swings = smc.swing_highs_lows(bars, size, causal=True)
        return {
            "swings": swings,
            "fvg": smc.fvg(bars, causal=True),
            "fvg joined": smc.fvg(bars, True, causal=True),
            "structure": smc.bos_choch(bars, swings, causal=True),
            "structure by wick": smc.bos_choch(bars, swings, False, causal=True),
            "order blocks": smc.ob(bars, swings, causal=True),
            "order blocks by body": smc.ob(bars, swings, True, causal=True),
            "liquidity": smc.liquidity(bars, swings, percent, causal=True),
            "previous day": smc.previous_high_low(bars, "1D", causal=True),
            "previous week": smc.previous_high_low(bars, "W", causal=True),
            "sessions": smc.sessions(bars, "London", causal=True),
            "retracements": smc.retracements(bars, swings, causal=True),
        }

    whole, prefix = readings(market.frame()), readings(market.frame()[:stop])
    for name, reading in prefix.items():
        assert reading.equals(whole[name][:stop]), name

"""Whatever the market: a table at once equals bar by bar, a snapshot changes nothing, and units don't matter."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from smc_trading_agent._core import Bar, Bars
from smc_trading_agent.smc_detector import Detection, Detector, DetectorConfig, detect
from smc_trading_agent.smc_detector.parameters import Parameters

START = 1_709_596_800_000_000_000  # 2024-03-05, in the week before New York's clocks change
MINUTE = 60_000_000_000
SMALL: Parameters = {"swing": {"size": 8}, "internal": {"size": 2}, "atr_period": 3}


@st.composite
def markets(draw: st.DrawFn) -> Bars:
    """Up to 80 quarters of an hour of a random walk in ticks, with holes of up to a weekend."""
    price, at = 5_000, START
    bars = []
    for _ in range(draw(st.integers(0, 80))):
        opened = price + draw(st.integers(-6, 6))
        closed = opened + draw(st.integers(-25, 25))
        high = max(opened, closed) + draw(st.integers(0, 8))
        low = min(opened, closed) - draw(st.integers(0, 8))
        volume = draw(st.integers(0, 50))
        bars.append(Bar(at, at + 15 * MINUTE, opened, high, low, closed, volume, volume // 3))
        at += 15 * MINUTE * draw(st.sampled_from([1, 1, 1, 1, 2, 9, 200]))
        price = closed
    return Bars.from_list("15m", bars)


def frame(bars: Bars, config: DetectorConfig) -> pl.DataFrame:
    """The bars in units of price, as the exact decimals read."""
    columns = bars.columns()
    prices = {
        name: [float(config.instrument.format_price(ticks)) for ticks in columns[name].tolist()]
        for name in ("open", "high", "low", "close")
    }
    quantities = {
        name: [float(config.instrument.format_quantity(lots)) for lots in columns[name].tolist()]
        for name in ("volume", "taker_buy_volume")
    }
    schema = dict.fromkeys((*prices, *quantities), pl.Float64)
    times = pl.Series("date", columns["open_time"]).cast(pl.Datetime("ns"))
    return pl.DataFrame(prices | quantities, schema=schema).insert_column(0, times)


def readings(found: Detection) -> tuple[pl.DataFrame, pl.DataFrame, bytes]:
    return found.events(), found.zones(), found.features("numpy").tobytes()


@given(markets(), st.sampled_from(["0.01", "0.00001", "0.25", "5"]))
def test_a_table_at_once_equals_bar_by_bar(bars: Bars, tick: str) -> None:
    config = DetectorConfig("15m", tick, "0.1", **SMALL)
    found, detector = detect(frame(bars, config), config), Detector(config)
    columns, at = found.columns, 0
    features = found.features("numpy")
    for row in range(len(bars)):
        for event in detector.update(bars[row]):
            assert event.id == columns["id"][at]
            assert (event.formed_at, event.confirmed_at) == (columns["formed_at"][at], columns["confirmed_at"][at])
            assert (event.low, event.high) == (columns["low"][at], columns["high"][at])
            assert (event.zone_id, event.source_id) == (columns["zone_id"][at], columns["source_id"][at])
            assert columns["confirmed_row"][at] == row
            assert bars[int(columns["formed_row"][at])].open_time == event.formed_at
            at += 1
        assert np.array_equal(features[row], detector.features())
    assert at == len(found)
    assert [zone.id for zone in detector.zones()] == found.zones()["id"].to_list()


@settings(max_examples=60)
@given(markets(), st.data())
def test_a_snapshot_anywhere_changes_nothing(bars: Bars, data: st.DataObject) -> None:
    config = DetectorConfig("15m", "0.01", **SMALL)
    cut = data.draw(st.integers(0, len(bars)))
    straight, first = Detector(config), Detector(config)
    whole = straight.run(bars)
    begun = first.run(bars.slice(0, cut))
    second = Detector.from_snapshot(first.snapshot())
    ended = second.run(bars.slice(cut, len(bars)))
    assert second.config == config
    assert second.snapshot() == straight.snapshot()
    shared = [name for name in whole.columns if not name.endswith("_row")]
    for name in shared:
        assert np.array_equal(np.concatenate([begun.columns[name], ended.columns[name]]), whole.columns[name]), name
    assert ended.zones().equals(whole.zones())


@settings(max_examples=60)
@given(markets(), st.sampled_from(["0.01", "0.0005", "2"]), st.sampled_from(["10", "0.1", "1000"]))
def test_the_unit_of_price_does_not_matter(bars: Bars, tick: str, factor: str) -> None:
    here = DetectorConfig("15m", tick, **SMALL)
    there = DetectorConfig("15m", Decimal(tick) * Decimal(factor), **SMALL)
    one, other = detect(frame(bars, here), here), detect(frame(bars, there), there)
    prices = ("low", "high")
    for ours, theirs in ((one.events(), other.events()), (one.zones(), other.zones())):
        assert ours.drop(prices).equals(theirs.drop(prices))
    assert np.array_equal(one.features("numpy"), other.features("numpy"))


@settings(max_examples=60)
@given(markets(), st.data())
def test_no_row_is_rewritten_by_those_after_it(bars: Bars, data: st.DataObject) -> None:
    config = DetectorConfig("15m", "0.01", **SMALL)
    cut = data.draw(st.integers(0, len(bars)))
    prefix, whole = detect(bars.slice(0, cut), config), detect(bars, config)
    assert whole.events().filter(pl.col("confirmed_row") < cut).equals(prefix.events())
    assert np.array_equal(whole.features("numpy")[:cut], prefix.features("numpy"))

"""The detector's Python face on recorded candles, and through the weeks in which clocks change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from smc_trading_agent import _core
from smc_trading_agent._core import EVENT_KINDS
from smc_trading_agent.smc_detector import Detector, DetectorConfig, detect


def recorded(folder: Path, name: str, rows: int) -> pl.DataFrame:
    frame = pl.read_parquet(folder / name).head(rows)
    return frame.with_columns(pl.from_epoch("open_time", time_unit="ms").dt.replace_time_zone("UTC"))


@pytest.mark.parametrize(
    ("name", "timeframe", "tick"),
    [
        ("fx/EURUSD_15m_2018_2019.parquet", "15m", "0.00001"),
        ("crypto_klines/binance_spot_BTCUSDT_1m.parquet", "1m", "0.01"),
        ("crypto_klines/binance_spot_ETHUSDT_1d.parquet", "1d", "0.01"),
    ],
)
def test_recorded_candles_read_the_same_at_once_in_parts_and_bar_by_bar(
    shared_data: Path, name: str, timeframe: str, tick: str
) -> None:
    frame = recorded(shared_data, name, rows=12_000)
    config = DetectorConfig(timeframe, tick)
    found = detect(frame, config)
    events, detector, told = found.events(), Detector(config), []
    columns = ["open_time", "open", "high", "low", "close", "volume"]
    for row in frame.select(*columns, pl.col("^taker_buy_base$")).iter_rows():
        told += detector.update(config.bar(*row))
    assert len(told) == events.height > frame.height
    fields = ("id", "direction", "side", "formed_at", "confirmed_at", "low", "high", "zone_id", "source_id")
    for field in (*fields, "ambiguous"):
        assert [getattr(event, field) for event in told] == found.columns[field].tolist(), field
    assert [event.kind for event in told] == events["kind"].to_list()
    assert [event.scope for event in told] == events["scope"].to_list()
    assert [zone.state for zone in detector.zones()] == found.zones()["state"].to_list()
    assert np.array_equal(found.features("numpy")[-1], detector.features())

    parts = Detector(config)
    pieces = []
    for start in range(0, frame.height, 1_000):
        pieces.append(parts.run(frame.slice(start, 1_000)).columns)
        parts = Detector.from_snapshot(parts.snapshot())
    assert np.array_equal(np.concatenate([piece["low"] for piece in pieces]), found.columns["low"])
    assert parts.snapshot() == detector.snapshot()


def test_the_face_says_what_the_agents_own_path_says(shared_data: Path) -> None:
    """A file's candles through the gate into the core, as the agent reads them, give the same events."""
    frame = recorded(shared_data, "fx/EURUSD_1h_2012_2018.parquet", rows=20_000)
    config = DetectorConfig("1h", "0.00001", "1")
    gate = _core.QualityGate(_core.Instrument("fx", "EURUSD", "0.00001", "1"), "1h")
    numbers = [frame[name].cast(pl.Float64).to_numpy() for name in ("open", "high", "low", "close", "volume")]
    bars = gate.admit(frame["open_time"].dt.epoch("ns").to_numpy(), *numbers)
    expected = _core.Detector("1h").run(bars)
    found = detect(frame, config).columns
    assert [EVENT_KINDS[code] for code in found["kind"].tolist()] == [event.kind for event in expected]
    assert found["high"].tolist() == [event.high for event in expected]


@pytest.mark.parametrize(
    ("first", "last", "clocks"),
    [
        ((2024, 3, 4), (2024, 4, 6), "New York on 10 March, London on 31 March"),
        ((2024, 10, 21), (2024, 11, 16), "London on 27 October, New York on 3 November"),
    ],
)
def test_sessions_go_by_their_own_clocks_when_these_change(
    first: tuple[int, int, int], last: tuple[int, int, int], clocks: str
) -> None:
    times = pl.datetime_range(pl.datetime(*first), pl.datetime(*last), "15m", eager=True, closed="left")
    steps = np.random.default_rng(3).integers(-20, 21, len(times))
    price = pl.Series((10_000 + np.cumsum(steps)) / 100)
    frame = pl.DataFrame({"date": times, "open": price, "high": price + 0.1, "low": price - 0.1, "close": price})
    ranges = detect(frame, DetectorConfig("15m", "0.01")).events().filter(pl.col("kind") == "session_range")
    days = len(times) // 96
    expected = {
        "london_session": ("Europe/London", 8, 17),
        "new_york_session": ("America/New_York", 8, 17),
        "new_york_kill_zone": ("America/New_York", 7, 10),
        "tokyo_session": ("Asia/Tokyo", 9, 18),
    }
    for scope, (zone, opens, closes) in expected.items():
        of_scope = ranges.filter(pl.col("scope") == scope)
        begun = of_scope["formed_at"].dt.convert_time_zone(zone)
        known = of_scope["confirmed_at"].dt.convert_time_zone(zone)
        full = begun.len() - (0 if begun[0].hour == opens else 1)
        assert full >= days - 1, clocks
        assert set(begun.tail(full).dt.hour()) == {opens}, clocks
        assert set(begun.tail(full).dt.minute()) == {0}, clocks
        assert set(known.dt.hour()) == {closes}, clocks
    in_utc = {scope: set(ranges.filter(pl.col("scope") == scope)["confirmed_at"].dt.hour()) for scope in expected}
    assert len(in_utc["london_session"]) == len(in_utc["new_york_session"]) == 2, clocks
    assert len(in_utc["tokyo_session"]) == 1, clocks

"""Every recorded file of candles or trades loads, and what is known to be wrong with it is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smc_trading_agent.data_pipeline.instruments import Overrides
from smc_trading_agent.data_pipeline.quality import Gap
from smc_trading_agent.data_pipeline.replay import ReplayFeed
from smc_trading_agent.domain.errors import DataError

MINUTE = 60_000_000_000

KLINES: dict[str, tuple[int, int, int]] = {
    "binance_spot_BTCUSDT_1m": (1_051_120, 1, 80),
    "binance_spot_ETHUSDT_1m": (396_000, 0, 0),
    "binance_spot_ETHUSDT_15m": (70_075, 1, 5),
    "binance_spot_SOLUSDT_15m": (70_075, 1, 5),
    "binance_spot_BTCUSDT_1h": (17_519, 1, 1),
    "binance_spot_ETHUSDT_1h": (17_519, 1, 1),
    "binance_spot_SOLUSDT_1h": (17_519, 1, 1),
    "binance_spot_BNBUSDT_1h": (17_519, 1, 1),
    "binance_spot_XRPUSDT_1h": (17_519, 1, 1),
    "binance_spot_DOGEUSDT_1h": (17_519, 1, 1),
    "binance_spot_ADAUSDT_1h": (17_519, 1, 1),
    "binance_spot_LINKUSDT_1h": (17_519, 1, 1),
    "binance_spot_BTCUSDT_4h": (13_951, 8, 16),
    "binance_spot_ETHUSDT_4h": (13_951, 8, 16),
    "binance_spot_BTCUSDT_1d": (2_328, 0, 0),
    "binance_spot_ETHUSDT_1d": (2_328, 0, 0),
    "binance_spot_SOLUSDT_1d": (1_238, 0, 0),
    "binance_spot_BNBUSDT_1d": (2_247, 0, 0),
    "binance_spot_XRPUSDT_1d": (2_068, 0, 0),
    "binance_spot_DOGEUSDT_1d": (1_641, 0, 0),
    "binance_spot_ADAUSDT_1d": (2_085, 0, 0),
    "binance_spot_LINKUSDT_1d": (1_811, 0, 0),
    "binance_spot_BTCUSDT_1h_2017_2021": (38_221, 27, 127),
}
"""Rows, gaps and missing bars of each file, as the data's own table states them."""

FX_ROWS: dict[str, tuple[str, int]] = {
    "EURUSD_1h_2012_2018.parquet": ("1h", 38_837),
    "EURUSD_15m_2018_2019.parquet": ("15m", 38_786),
    "EURUSD_1m_2020-05.parquet": ("1m", 50_000),
    "GBPUSD_1m_bidask_2012-02.parquet": ("1m", 30_117),
    "EURUSD_1h_bidask_2016_2018.parquet": ("1h", 18_432),
    "GBPUSD_1h_brokertime_2025.parquet": ("1h", 6_770),
    "EURUSD_1h_brokertime_2025.parquet": ("1h", 6_768),
    "smc_golden/EURUSD_15M.csv.gz": ("15m", 24_424),
}


@pytest.mark.parametrize("name", KLINES)
def test_klines_load_whole_with_exactly_their_known_gaps(shared_data: Path, name: str) -> None:
    rows, gaps, missing = KLINES[name]
    feed = ReplayFeed.open(shared_data / "crypto_klines" / f"{name}.parquet")
    report = feed.report
    assert report.rejected == {}
    assert (report.rows, report.admitted, feed.total_bars) == (rows, rows, rows)
    assert (report.gap_count, report.missing_bars) == (gaps, missing)
    symbol, timeframe = name.split("_")[2:4]
    assert (feed.instrument.key, feed.timeframe) == (f"binance:{symbol}", timeframe)


def test_no_kline_file_is_left_out(shared_data: Path) -> None:
    assert {path.stem for path in (shared_data / "crypto_klines").glob("*.parquet")} == set(KLINES)


def test_the_outage_of_march_2023_is_one_gap_of_eighty_bars(shared_data: Path) -> None:
    feed = ReplayFeed.open(shared_data / "crypto_klines" / "binance_spot_BTCUSDT_1m.parquet")
    assert feed.report.gaps == (Gap(1_679_661_540_000_000_000, 80),)
    assert (feed.instrument.tick_size, feed.instrument.lot_size) == ("0.01", "0.00001")
    first = next(feed.batches(0))[0]
    assert (first.open, first.high, first.low, first.close) == (4_621_693, 4_627_108, 4_620_837, 4_625_000)
    assert (first.volume, first.taker_buy_volume, first.trades) == (4_057_574, 2_726_086, 796)


@pytest.mark.parametrize(
    ("name", "tick", "lot"),
    [
        ("binance_spot_ETHUSDT_15m", "0.01", "0.0001"),
        ("binance_spot_SOLUSDT_15m", "0.01", "0.01"),
        ("binance_spot_BNBUSDT_1h", "0.1", "0.001"),
        ("binance_spot_XRPUSDT_1h", "0.0001", "1"),
        ("binance_spot_DOGEUSDT_1h", "0.00001", "1"),
        ("binance_spot_ADAUSDT_1h", "0.0001", "0.1"),
        ("binance_spot_LINKUSDT_1h", "0.001", "0.01"),
        ("binance_spot_DOGEUSDT_1d", "0.0000001", "0.1"),
    ],
)
def test_grids_are_those_of_the_years_in_the_file(shared_data: Path, name: str, tick: str, lot: str) -> None:
    instrument = ReplayFeed.open(shared_data / "crypto_klines" / f"{name}.parquet").instrument
    assert (instrument.tick_size, instrument.lot_size) == (tick, lot)


@pytest.mark.parametrize("name", FX_ROWS)
def test_fx_files_load_with_five_places(shared_data: Path, name: str) -> None:
    timeframe, rows = FX_ROWS[name]
    feed = ReplayFeed.open(shared_data / "fx" / name)
    assert (feed.timeframe, feed.report.rows) == (timeframe, rows)
    assert feed.report.clean
    assert feed.instrument.venue == "fx"
    assert feed.instrument.tick_size == "0.00001"


def test_no_fx_file_is_left_out(shared_data: Path) -> None:
    assert {path.name for path in (shared_data / "fx").glob("*.parquet")} < set(FX_ROWS)


def test_the_golden_file_reads_broker_dates_and_tick_volume(shared_data: Path) -> None:
    feed = ReplayFeed.open(shared_data / "fx" / "smc_golden" / "EURUSD_15M.csv.gz")
    first = next(feed.batches(0))[0]
    assert (first.open_time, first.open, first.volume) == (1_665_360_000_000_000_000, 97_312, 60)
    assert any("tick count" in note for note in feed.report.notes)


def test_the_archive_zip_equals_the_parquet_file_of_the_same_day(shared_data: Path) -> None:
    day = ReplayFeed.open(shared_data / "fixtures" / "binance" / "BTCUSDT-1m-2023-06-01.zip", batch=2_000)
    whole = ReplayFeed.open(shared_data / "crypto_klines" / "binance_spot_BTCUSDT_1m.parquet")
    assert (day.instrument.key, day.timeframe, day.total_bars) == ("binance:BTCUSDT", "1m", 1_440)
    one = next(day.batches(0)).columns()
    start = (one["open_time"][0] - next(whole.batches(0))[0].open_time) // MINUTE - 80
    other = next(whole.batches(int(start))).slice(0, 1_440).columns()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_trades_make_minute_bars_inside_the_recorded_candles(shared_data: Path) -> None:
    built = ReplayFeed.open(
        shared_data / "crypto_ticks" / "binance_spot_BTCUSDT_trades_2022-01-15.parquet", batch=2_000
    )
    assert built.report.rejected == {}
    assert (built.report.rows, built.timeframe, built.instrument.key) == (451_466, "1m", "binance:BTCUSDT")
    assert built.report.missing_bars == 4
    trades = next(built.batches(0)).columns()
    candles = ReplayFeed.open(shared_data / "crypto_klines" / "binance_spot_BTCUSDT_1m.parquet", batch=1_440)
    day = next(candles.batches(14 * 1_440)).columns()
    at = (trades["open_time"] - day["open_time"][0]) // MINUTE
    assert np.array_equal(day["open_time"][at], trades["open_time"])
    # The recorder's clock put two prints into the wrong minute.
    assert (trades["high"] > day["high"][at]).sum() <= 2
    assert (trades["low"] >= day["low"][at]).all()
    assert (trades["volume"] <= day["volume"][at]).all()


@pytest.mark.parametrize(
    ("name", "key", "tick"),
    [
        ("crypto_ticks/binance_usdm_BTCUSDT_trades_2020-02-22.parquet", "binance_usdm:BTCUSDT", "0.01"),
        ("crypto_ticks/binance_spot_TRXUSDT_trades_2025-03-04.parquet", "binance:TRXUSDT", "0.0001"),
        ("crypto_ticks/binance_usdm_TRXUSDT_trades_2025-03-04.parquet", "binance_usdm:TRXUSDT", "0.00001"),
        ("crypto_ticks/binance_spot_XRPETH_trades_2019-10.parquet", "binance:XRPETH", "0.00000001"),
        ("fx_lob/comex_gbpusd_trades_2023-05-03.parquet", "comex:GBPUSD", "0.0001"),
    ],
)
def test_trades_in_ms_us_and_datetimes_load_with_their_taker_side(
    shared_data: Path, name: str, key: str, tick: str
) -> None:
    feed = ReplayFeed.open(shared_data / name)
    bars = next(feed.batches(0)).columns()
    assert (feed.instrument.key, feed.instrument.tick_size) == (key, tick)
    assert 0 < bars["taker_buy_volume"].sum() < bars["volume"].sum()
    assert feed.report.rejected_rows <= 0.01 * feed.report.rows


def test_what_is_no_price_is_refused(shared_data: Path) -> None:
    funding = shared_data / "crypto_derivatives" / "aggregate_BTC_funding_1d.parquet"
    with pytest.raises(DataError, match="non_positive_price"):
        ReplayFeed.open(funding)
    with pytest.raises(DataError, match="quotes, which make no bars"):
        ReplayFeed.open(shared_data / "crypto_ticks" / "binance_usdm_BTCUSDT_quotes_2020-02-22.parquet")


def test_a_wrong_tick_is_named_with_its_remedy(shared_data: Path) -> None:
    path = shared_data / "crypto_klines" / "binance_spot_ETHUSDT_1d.parquet"
    with pytest.raises(DataError, match=r"off_tick_grid .* tick_size"):
        ReplayFeed.open(path, overrides=Overrides(tick_size="1"))

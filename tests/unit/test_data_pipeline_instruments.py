"""A file's instrument and timeframe come from its name and its numbers."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent.data_pipeline.files import CandleTable, MarketFile
from smc_trading_agent.data_pipeline.instruments import (
    KNOWN,
    Overrides,
    instrument_of,
    steps_of,
    timeframe_of,
    values_of,
    venue_and_symbol,
)
from smc_trading_agent.domain.errors import DataError

MINUTE = 60_000_000_000


def market_file(name: str, prices: list[float], volumes: list[float]) -> MarketFile:
    column = np.array(prices)
    rows = CandleTable(
        open_time=MINUTE * np.arange(len(prices)),
        open=column,
        high=column,
        low=column,
        close=column,
        volume=np.array(volumes),
        taker_buy_volume=None,
        trades=None,
    )
    return MarketFile(Path(name), "00", rows, "", {}, ())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("binance_spot_BTCUSDT_1m.parquet", ("binance", "BTCUSDT")),
        ("binance_usdm_TRXUSDT_trades_2025-03-04.parquet", ("binance_usdm", "TRXUSDT")),
        ("binance_us_BTCUSDT_l2_2025-08-25.parquet", ("binance_us", "BTCUSDT")),
        ("BTCUSDT-1m-2023-06-01.zip", ("binance", "BTCUSDT")),
        ("EURUSD_15M.csv.gz", ("fx", "EURUSD")),
        ("GBPUSD_1m_bidask_2012-02.parquet", ("fx", "GBPUSD")),
        ("comex_gbpusd_trades_2023-05-03.parquet", ("comex", "GBPUSD")),
        ("my btcusdt tape.csv", ("binance", "BTCUSDT")),
        ("PEPEUSDT_5m.csv", ("file", "PEPEUSDT")),
        ("prices.csv", ("file", "PRICES")),
    ],
)
def test_venue_and_symbol_from_the_name(name: str, expected: tuple[str, str]) -> None:
    assert venue_and_symbol(Path("/somewhere") / name) == expected


def test_the_symbol_column_counts_more_than_the_name() -> None:
    assert venue_and_symbol(Path("export.csv"), "ethusdt") == ("binance", "ETHUSDT")


def test_known_grids_are_nested_and_coarsest_first() -> None:
    for venue, symbols in KNOWN.items():
        for symbol, grids in symbols.items():
            for steps in (grids.ticks, grids.lots):
                sizes = [Decimal(step) for step in steps]
                assert sizes == sorted(sizes, reverse=True), (venue, symbol)
                assert all(coarse % fine == 0 for coarse, fine in pairwise(sizes)), (venue, symbol)


def test_the_known_tick_is_the_coarsest_that_holds_every_good_price() -> None:
    def of(prices: list[float]) -> str:
        return instrument_of(market_file("BNBUSDT.csv", prices, [1.0] * len(prices)), Overrides()).tick_size

    assert of([510.1, 511.0]) == "0.1"
    assert of([510.1, 511.25]) == "0.01"
    assert of([510.1, 1.5071]) == "0.0001"
    assert of([510.1, 1.50710003, float("nan")]) == "0.1"  # a corrupt price refines nothing


def test_a_few_odd_volumes_do_not_refine_the_lot() -> None:
    volumes = [1.00001] * 999 + [1.000001]
    assert instrument_of(market_file("BTCUSDT.csv", [100.0] * 1000, volumes), Overrides()).lot_size == "0.00001"


def test_unknown_symbols_take_the_smallest_decimal_grid_of_their_numbers() -> None:
    made = instrument_of(
        market_file("PEPEUSDT.csv", [0.00000123, 0.0000012, float("nan")], [12.0, 13.5, 1.0]), Overrides()
    )
    assert (made.tick_size, made.lot_size) == ("0.00000001", "0.1")
    whole = instrument_of(market_file("ODD.csv", [5.0, 7.0], [0.0, 0.0]), Overrides())
    assert (whole.tick_size, whole.lot_size) == ("1", "1")


def test_the_finest_grids_are_bounded() -> None:
    made = instrument_of(market_file("RAW.csv", [1.0 / 3.0], [2.0 / 3.0]), Overrides())
    assert (made.tick_size, made.lot_size) == ("0.0000000001", "0.00000001")
    huge = instrument_of(market_file("HUGE.csv", [1.0, 1.0], [1.09e11 + 1 / 3, 1.0 / 3.0]), Overrides())
    assert 1.1e11 / float(huge.lot_size) < 2**63


def test_overrides_win_and_bad_ones_are_refused() -> None:
    file = market_file("BTCUSDT.csv", [100.0], [1.0])
    made = instrument_of(file, Overrides(venue="bybit", symbol="BTCUSD", tick_size="0.5", lot_size="1"))
    assert (made.key, made.tick_size, made.lot_size) == ("bybit:BTCUSD", "0.5", "1")
    with pytest.raises(DataError, match="tick size 'fine' and lot size"):
        instrument_of(file, Overrides(tick_size="fine"))


def test_the_timeframe_is_the_most_common_step() -> None:
    path = Path("tape.csv")
    times = 15 * MINUTE * np.array([0, 1, 2, 3, 9, 10, 10, 4, 5])
    assert timeframe_of(path, times) == "15m"
    assert timeframe_of(path, times, "1h") == "1h"
    assert timeframe_of(Path("X_4h.csv"), np.array([0])) == "4h"
    with pytest.raises(DataError, match="can't be told; name it"):
        timeframe_of(path, np.array([0]))
    with pytest.raises(DataError, match="step between rows is 7 s"):
        timeframe_of(path, 7_000_000_000 * np.arange(5))
    with pytest.raises(DataError, match="timeframe '7m' is unknown; use one of 1m"):
        timeframe_of(path, times, "7m")


@given(
    st.lists(st.integers(-(10**13), 10**13), min_size=1),
    st.sampled_from(["1", "0.5", "0.01", "0.00001", "0.0000000001", "25"]),
)
def test_whole_steps_survive_the_way_through_decimals(steps: list[int], step: str) -> None:
    numbers = np.array(steps, dtype=np.int64)
    back, fits = steps_of(values_of(numbers, step), step)
    assert fits.all()
    assert np.array_equal(back, numbers)


def test_values_between_steps_and_beyond_range_do_not_fit() -> None:
    steps, fits = steps_of(np.array([0.015, float("nan"), float("inf"), 1e300, 0.02]), "0.01")
    assert fits.tolist() == [False, False, False, False, True]
    assert steps.tolist()[1:] == [0, 0, 0, 2]

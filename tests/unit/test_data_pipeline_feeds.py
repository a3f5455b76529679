"""Feeds hand out the same bars from any start; trades become bars; synthetic files say that they are."""

from __future__ import annotations

from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smc_trading_agent._core import Bars
from smc_trading_agent.data_pipeline.instruments import Overrides
from smc_trading_agent.data_pipeline.quality import QualityReport
from smc_trading_agent.data_pipeline.replay import ReplayFeed
from smc_trading_agent.data_pipeline.synthetic import SNAPSHOT_EVERY, SyntheticFeed
from smc_trading_agent.domain.errors import ConfigError, DataError

LENGTH = 700
MINUTE = 60_000_000_000
START = 1_704_067_200_000_000_000


def joined(parts: list[Bars]) -> dict[str, list[int]]:
    columns = [part.columns() for part in parts]
    names = ("open_time", "close_time", "open", "high", "low", "close", "volume", "taker_buy_volume", "trades")
    return {name: list(chain.from_iterable(column[name].tolist() for column in columns)) for name in names}


@cache
def tape_rows() -> pl.DataFrame:
    bars = joined(list(SyntheticFeed(3, length=LENGTH).batches(0)))
    prices = {name: np.array(bars[name]) / 100 for name in ("open", "high", "low", "close")}
    return pl.DataFrame({"open_time": np.array(bars["open_time"]) // 1_000_000, **prices, "volume": bars["volume"]})


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "tape.parquet"
    tape_rows().write_parquet(path)
    return path


@settings(deadline=None)
@given(start=st.integers(0, LENGTH), batch=st.integers(1, LENGTH + 5))
def test_a_replay_resumes_anywhere_with_any_batch_size(tape: Path, start: int, batch: int) -> None:
    whole = joined(list(ReplayFeed.open(tape).batches(0)))
    parts = list(ReplayFeed.open(tape, batch=batch).batches(start))
    assert joined(parts) == {name: column[start:] for name, column in whole.items()}
    assert all(len(part) <= batch for part in parts)


@settings(deadline=None)
@given(start=st.integers(0, LENGTH), batch=st.integers(1, LENGTH + 5))
def test_the_synthetic_market_resumes_anywhere_with_any_batch_size(start: int, batch: int) -> None:
    whole = joined(list(SyntheticFeed(3, length=LENGTH).batches(0)))
    assert joined(list(SyntheticFeed(3, length=LENGTH, batch=batch).batches(start))) == {
        name: column[start:] for name, column in whole.items()
    }


def test_the_synthetic_market_goes_back_and_far_ahead() -> None:
    feed = SyntheticFeed(5)
    far = 2 * SNAPSHOT_EVERY + 17
    ahead = next(feed.batches(far))
    assert ahead[0].open_time == next(feed.batches(0))[0].open_time + far * MINUTE
    assert joined([next(feed.batches(far))]) == joined([ahead])
    assert joined([next(SyntheticFeed(5).batches(far))]) == joined([ahead])


def test_the_synthetic_market_says_so_and_depends_on_its_seed() -> None:
    one, two = SyntheticFeed(1), SyntheticFeed(2, length=10)
    assert one.synthetic
    assert one.market.startswith("synthetic seed=1 ")
    assert len({feed.market for feed in (one, two, SyntheticFeed(1, planted_strength=0.0))}) == 3
    assert (one.total_bars, two.total_bars, one.timeframe) == (None, 10, "1m")
    assert joined([next(one.batches(0)).slice(0, 10)]) != joined(list(two.batches(0)))
    assert SyntheticFeed(1, planted_strength=1).market == one.market


def test_a_start_outside_the_tape_is_refused(tape: Path) -> None:
    with pytest.raises(DataError, match="has 700 bars, so it can't be resumed at bar 701"):
        ReplayFeed.open(tape).batches(701)
    with pytest.raises(DataError, match="can't be resumed at bar 11"):
        SyntheticFeed(1, length=10).batches(11)
    with pytest.raises(DataError, match="can't be resumed at bar -1"):
        SyntheticFeed(1).batches(-1)


def test_sizes_and_seeds_that_make_no_feed_are_refused(tape: Path) -> None:
    with pytest.raises(DataError, match="batch 0"):
        ReplayFeed.open(tape, batch=0)
    with pytest.raises(DataError, match="batch 0"):
        SyntheticFeed(1, batch=0)
    with pytest.raises(DataError, match="length 0"):
        SyntheticFeed(1, length=0)
    with pytest.raises(ConfigError, match="seed -1"):
        SyntheticFeed(-1)
    with pytest.raises(ConfigError, match="planted strength 9: .*planted_strength is 9; it must be in"):
        SyntheticFeed(1, planted_strength=9)
    with pytest.raises(ConfigError, match="not the start of a minute"):
        SyntheticFeed(1, start_time=START + 1)


def test_the_market_of_a_replay_changes_with_its_bytes_its_name_and_its_reading(tape: Path) -> None:
    feed = ReplayFeed.open(tape)
    assert feed.market.startswith("replay tape.parquet ")
    assert ReplayFeed.open(tape).market == feed.market
    renamed = tape.with_name("other.parquet")
    renamed.write_bytes(tape.read_bytes())
    edited = tape.parent / "edited" / "tape.parquet"
    edited.parent.mkdir()
    tape_rows().with_columns(pl.col("volume") + 1).write_parquet(edited)
    markets = {
        feed.market,
        ReplayFeed.open(renamed).market,
        ReplayFeed.open(edited).market,
        ReplayFeed.open(tape, overrides=Overrides(tick_size="0.005")).market,
    }
    assert len(markets) == 4
    assert not feed.synthetic


# ---------------------------------------------------------------- trades


def trades(tmp_path: Path, rows: list[tuple[int, float, float, str]]) -> Path:
    path = tmp_path / "trades.parquet"
    table = pl.DataFrame(rows, schema=["timestamp", "price", "qty", "side"], orient="row")
    table.with_columns(pl.col("timestamp") * 1_000 + START // 1_000_000).write_parquet(path)
    return path


def test_trades_become_bars_and_the_unfinished_one_is_left_out(tmp_path: Path) -> None:
    rows = [(1, 10.0, 1.0, "buy"), (30, 10.5, 2.0, "sell"), (30, 10.5, 2.0, "sell"), (61, 10.2, 1.0, "buy"),
            (245, 9.0, 4.0, "sell"), (246, 9.5, 1.0, "buy"), (300, 9.1, 1.0, "buy")]  # fmt: skip
    feed = ReplayFeed.open(trades(tmp_path, rows))
    bars = joined(list(feed.batches(0)))
    assert [(time - START) // MINUTE for time in bars["open_time"]] == [0, 1, 4]
    assert (bars["open"][0], bars["high"][0], bars["low"][0], bars["close"][0]) == (100, 105, 100, 105)
    assert (bars["volume"], bars["taker_buy_volume"], bars["trades"]) == ([5, 1, 5], [1, 1, 1], [3, 1, 2])
    assert (feed.report.rows, feed.report.admitted, feed.report.bars) == (7, 7, 3)
    assert (feed.report.gap_count, feed.report.missing_bars) == (1, 2)
    assert ReplayFeed.open(trades(tmp_path, rows), base_timeframe="3m").timeframe == "3m"


def test_bad_trades_are_quarantined_by_name(tmp_path: Path) -> None:
    nan = float("nan")
    good = [(second, 10.0 + second % 7 / 10, 1.0, "buy") for second in range(200)]
    bad = [(200, nan, 1.0, "buy"), (200, -1.0, 1.0, "buy"), (200, 10.0, 0.0, "buy"), (200, 10.0, nan, "buy"),
           (100, 10.0, 1.0, "buy"), (200, 10.0, 0.001, "buy"), (200, 10.03, 1.0, "buy")]  # fmt: skip
    path = trades(tmp_path, [*good, *bad, (400, 10.0, 1.0, "sell")])
    report: QualityReport = ReplayFeed.open(path, overrides=Overrides(tick_size="0.1", lot_size="0.1")).report
    assert report.rejected == {
        "nan": 2, "non_positive_price": 1, "non_positive_quantity": 1, "out_of_order": 1,
        "quantity_below_lot": 1, "off_tick_grid": 1,
    }  # fmt: skip
    assert report.rows == report.admitted + report.rejected_rows
    assert [bad.row for bad in report.quarantine] == list(range(200, 207))


def test_trades_that_finish_no_bar_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="do not reach the end of a single bar"):
        ReplayFeed.open(trades(tmp_path, [(1, 10.0, 1.0, "buy"), (2, 10.0, 1.0, "buy")]))

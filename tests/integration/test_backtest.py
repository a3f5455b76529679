"""A year of recorded candles with every setup traded, and nothing repainted around the one hole in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from smc_trading_agent.cli import app

YEAR = 2023
MINUTES = 365 * 1_440 - 80  # 80 bars of 2023-03-24 were never traded


@pytest.fixture(scope="module")
def year(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One-minute candles of 2023, in a file of their own."""
    source = shared_data / "crypto_klines" / "binance_spot_BTCUSDT_1m.parquet"
    begin, end = (int(datetime(at, 1, 1, tzinfo=UTC).timestamp() * 1_000) for at in (YEAR, YEAR + 1))
    file = tmp_path_factory.mktemp("year") / "binance_spot_BTCUSDT_1m.parquet"
    pl.scan_parquet(source).filter(pl.col("open_time").is_between(begin, end, closed="left")).collect().write_parquet(
        file
    )
    return file


def smc_agent(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_every_setup_of_a_year_traded_pays_its_costs_and_is_compared_with_chance(year: Path) -> None:
    result = smc_agent("backtest", "--data", year, "--timeframe", "15m", "--take-every-setup", "--json")
    assert result["trades"] > 50
    assert float(result["costs"]) > 0
    assert result["random_entries"]["p05"] < result["random_entries"]["p50"] < result["random_entries"]["p95"]
    assert float(result["end_equity"]) > 0
    assert 0 < result["exposure"] < 1
    assert result["stage_failures"] == {}
    assert (result["label"], result["synthetic"], result["bars"]) == ("REPLAY", False, MINUTES)
    assert sum(result["setups"].values()) == result["decisions"]
    assert result["buy_and_hold_return"] == pytest.approx(1.55, abs=0.02)


def test_nothing_is_rewritten_on_one_minute_candles_around_the_outage(year: Path, tmp_path: Path) -> None:
    """The window holds the hole of 2023-03-24, bars without volume before it, and a gap in price after it."""
    outage = int(datetime(2023, 3, 24, 12, tzinfo=UTC).timestamp() * 1_000)
    file = tmp_path / "binance_spot_BTCUSDT_1m.parquet"
    rows = pl.read_parquet(year)
    at = int(rows["open_time"].search_sorted(outage))
    rows[at - 20_000 : at + 3_000].write_parquet(file)
    result = smc_agent("verify", "--data", file, "--prefixes", 1_000, "--window", 5_000, "--json")
    assert (result["prefixes"], result["rewritten"], result["vanished"]) == (1_000, 0, 0)
    assert result["readings"] > 100_000
    assert result["stream_equals_batch"]
    assert result["journal_hashes_equal"]
    assert result["passed"]

"""On recorded markets: the agent is reproducible, nothing repaints, and a year passes in seconds."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from smc_trading_agent.cli import app


def as_json(*arguments: object) -> dict[str, object]:
    result = CliRunner().invoke(app, [*(str(argument) for argument in arguments), "--json"])
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


@pytest.fixture(scope="module")
def year(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BTCUSDT, 1-minute bars of 2023."""
    rows = pl.read_parquet(shared_data / "crypto_klines" / "binance_spot_BTCUSDT_1m.parquet")
    file = tmp_path_factory.mktemp("year") / "binance_spot_BTCUSDT_1m.parquet"
    rows.filter(pl.col("open_time") >= 1_672_531_200_000).write_parquet(file)
    return file


def test_a_year_of_minutes_is_the_same_twice_and_on_paper(year: Path, tmp_path: Path) -> None:
    first, second = (as_json("backtest", "--data", year, "--timeframe", "15m") for _ in range(2))
    assert first["bars"] == 525_520
    assert first["quality"] == {"rejected": {}, "missing_bars": 80}
    assert int(str(first["decisions"])) > 100
    assert first["journal_hash"] == second["journal_hash"]
    paper = ("--speed", "max", "--no-api", "--exit-at-end", "--state-dir", tmp_path)
    ran = as_json("run", "--data", year, "--timeframe", "15m", *paper)
    assert (ran["orders_hash"], ran["journal_hash"]) == (first["orders_hash"], first["journal_hash"])
    assert ran["label"] == "REPLAY"


def test_every_setup_of_a_quarter_traded_is_the_same_on_paper(year: Path, tmp_path: Path) -> None:
    quarter = tmp_path / "binance_spot_BTCUSDT_1m.parquet"
    pl.read_parquet(year).head(130_000).write_parquet(quarter)
    tested = as_json("backtest", "--data", quarter, "--timeframe", "5m", "--take-every-setup")
    assert int(str(tested["trades"])) > 50
    paper = ("--speed", "max", "--no-api", "--exit-at-end", "--state-dir", tmp_path / "state", "--take-every-setup")
    ran = as_json("run", "--data", quarter, "--timeframe", "5m", *paper)
    assert ran["orders_hash"] == tested["orders_hash"]
    assert ran["position"] == ran["venue_position"]


@pytest.mark.parametrize("name", ["binance_spot_BTCUSDT_1m", "binance_spot_ETHUSDT_15m"])
def test_no_reading_of_a_thousand_prefixes_is_rewritten(shared_data: Path, tmp_path: Path, name: str) -> None:
    rows = pl.read_parquet(shared_data / "crypto_klines" / f"{name}.parquet")
    file = tmp_path / f"{name}.parquet"
    rows.tail(8_000).write_parquet(file)
    found = as_json("verify", "--data", file, "--timeframe", "15m", "--window", 8_000, "--prefixes", 1_000)
    assert (found["prefixes"], found["rewritten"], found["vanished"]) == (1_000, 0, 0)
    assert found["stream_equals_batch"] is found["journal_hashes_equal"] is True
    assert int(str(found["readings"])) > 1_000_000

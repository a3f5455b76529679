"""`smc-agent risk backtest`: a table, one JSON object, exit codes, and the figures of recorded bitcoin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from smc_trading_agent.cli import app

DAY_MS = 86_400_000


def run(*arguments: object) -> Result:
    return CliRunner().invoke(
        app, ["risk", "backtest", *(str(argument) for argument in arguments)], env={"COLUMNS": "240"}
    )


def tape(folder: Path, name: str, closes: list[float]) -> Path:
    path = folder / f"binance_spot_{name}_1d.parquet"
    times = [1_600_041_600_000 + day * DAY_MS for day in range(len(closes))]
    columns = {"open_time": times, "open": closes, "high": closes, "low": closes, "close": closes}
    pl.DataFrame({**columns, "volume": [1.0] * len(closes)}).write_parquet(path)
    return path


def swings(length: int) -> list[float]:
    """100, then 1 % up and down in turn, with falls of 10 % that the window of 20 has forgotten when the next comes."""
    closes = [100.0]
    for day in range(1, length):
        closes.append(round(closes[-1] * (0.9 if day % 30 == 0 else 1.01 if day % 2 else 1.0), 2))
    return closes


def test_each_fall_that_the_window_forgot_is_an_exceedance_of_the_long_book(tmp_path: Path) -> None:
    path = tape(tmp_path, "BTCUSDT", swings(150))
    answered = run("--data", path, "--window", 20, "--confidence", 0.9, "--json")
    report = json.loads(answered.stdout)
    assert (report["instruments"], report["timeframe"], report["horizon"]) == (["binance:BTCUSDT"], "1d", "1d")
    (historical,) = [r for r in report["results"] if (r["side"], r["model"]) == ("long", "historical")]
    verdict = historical["verdict"]
    # A fall on days 30, 60, 90 and 120; the window of 20 is full from day 20 on, and rank 2 of 20 forgives one fall.
    assert verdict["forecasts"] == 150 - 21
    assert verdict["exceedances"] == 4
    assert historical["worst_loss"] == pytest.approx(0.1, abs=1e-3)
    assert answered.exit_code == (0 if verdict["trusted"] else 1)
    shown = run("--data", path, "--window", 20, "--confidence", 0.9)
    assert "binance:BTCUSDT, 1d bars, VaR 0.9 over 1d, 20 scenarios" in shown.output
    assert [model for model in ("historical", "parametric", "ewma") if shown.output.count(model) == 2] == [
        "historical", "parametric", "ewma",
    ]  # fmt: skip


def test_a_longer_horizon_is_tested_on_outcomes_that_do_not_overlap(tmp_path: Path) -> None:
    path = tape(tmp_path, "BTCUSDT", swings(220))
    report = json.loads(run("--data", path, "--window", 20, "--confidence", 0.9, "--horizon", "1w", "--json").stdout)
    verdict = report["results"][0]["verdict"]
    # The first scenario of 7 days ends on day 7, the window is full on day 26, and the first forecast due on day 33.
    assert verdict["forecasts"] == (219 - 26) // 7


def test_two_markets_make_one_book(tmp_path: Path) -> None:
    one, other = tape(tmp_path, "BTCUSDT", swings(80)), tape(tmp_path, "ETHUSDT", swings(80))
    options = ("--window", 20, "--confidence", 0.9, "--json")
    both = json.loads(run("--data", one, "--data", other, *options).stdout)
    alone = json.loads(run("--data", one, *options).stdout)
    assert both["instruments"] == ["binance:BTCUSDT", "binance:ETHUSDT"]
    assert [r["mean_forecast"] for r in both["results"]] == pytest.approx(
        [r["mean_forecast"] for r in alone["results"]]
    )


def test_a_book_begins_with_the_last_market_to_be_listed(tmp_path: Path) -> None:
    one, other = tape(tmp_path, "BTCUSDT", swings(120)), tape(tmp_path, "SOLUSDT", swings(120))
    pl.read_parquet(other).tail(80).write_parquet(other)
    report = json.loads(run("--data", one, "--data", other, "--window", 20, "--confidence", 0.9, "--json").stdout)
    assert report["bars"] == 80
    assert report["results"][0]["verdict"]["forecasts"] == 80 - 21


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        (["--horizon", "7m"], "7m"),
        (["--horizon", "1h"], "no multiple"),
        (["--window", "100"], "too few"),
    ],
)
def test_what_cannot_be_tested_is_named(tmp_path: Path, extra: list[str], named: str) -> None:
    answered = run("--data", tape(tmp_path, "BTCUSDT", swings(60)), *extra, "--json")
    assert answered.exit_code == 2
    assert named in json.loads(answered.stdout)["message"]


def test_files_that_cannot_make_one_book_are_named(tmp_path: Path) -> None:
    path = tape(tmp_path, "BTCUSDT", swings(60))
    twice = run("--data", path, "--data", path, "--json")
    assert twice.exit_code == 2
    assert "comes twice" in json.loads(twice.stdout)["message"]


def results_of(path: Path, *extra: object) -> dict[tuple[str, str], dict[str, Any]]:
    report = json.loads(run("--data", path, "--json", *extra).stdout)
    return {(result["side"], result["model"]): result["verdict"] for result in report["results"]}


def test_recorded_bitcoin_daily(shared_data: Path) -> None:
    """The figures that docs/concepts/risk/value_at_risk.md gives."""
    found = results_of(shared_data / "crypto_klines" / "binance_spot_BTCUSDT_1d.parquet")
    counts = {key: (verdict["forecasts"], verdict["exceedances"], verdict["zone"]) for key, verdict in found.items()}
    assert counts == {
        ("long", "historical"): (1_327, 8, "green"),
        ("long", "parametric"): (1_327, 15, "green"),
        ("long", "ewma"): (1_327, 25, "yellow"),
        ("short", "historical"): (1_327, 6, "green"),
        ("short", "parametric"): (1_327, 22, "yellow"),
        ("short", "ewma"): (1_327, 32, "red"),
    }


def test_recorded_bitcoin_hourly_has_the_right_count_and_clusters(shared_data: Path) -> None:
    found = results_of(shared_data / "crypto_klines" / "binance_spot_BTCUSDT_1h.parquet")
    long = found["long", "historical"]
    assert (long["forecasts"], long["exceedances"], long["zone"]) == (16_518, 178, "green")
    assert long["coverage"]["p_value"] > 0.05 > long["independence"]["p_value"]
    assert long["trusted"] is False

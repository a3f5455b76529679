"""`smc-agent backtest`: what it answers, and what every command says of a file that is no good."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from smc_trading_agent.cli import app

BARS = 6_000
BACKTEST_KEYS = {
    "bars",
    "bars_per_second",
    "decisions",
    "refusals",
    "orders",
    "trades",
    "orders_hash",
    "journal_hash",
    "net_return",
    "buy_and_hold_return",
    "max_drawdown",
    "costs",
    "exposure",
}


def smc_agent(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(result: Result, code: int = 0) -> dict[str, Any]:
    """The one JSON object on standard output."""
    assert result.exit_code == code, result.output
    lines = result.stdout.strip().splitlines()
    assert len(lines) == 1
    parsed: dict[str, Any] = json.loads(lines[0])
    return parsed


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tape") / "tape.parquet"
    answer(smc_agent("data", "synthesize", "--out", file, "--bars", BARS, "--seed", 11, "--json"))
    return file


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `config.yaml` in the working folder, no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("LOG_LEVEL", "DEBUG", "APP_ENV", "SMC_STATE_DIR", "SMC_HOST", "SMC_PORT", "SMC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_a_backtest_answers_with_the_promised_keys_and_twice_the_same(tape: Path) -> None:
    first = answer(smc_agent("backtest", "--data", tape, "--take-every-setup", "--json"))
    second = answer(smc_agent("backtest", "--data", tape, "--take-every-setup", "--json"))
    assert first.keys() >= BACKTEST_KEYS
    assert (first["bars"], first["label"], first["timeframe"]) == (BARS, "SYNTHETIC", "3m")
    assert first["decisions"] > 0
    assert first["trades"] > 0
    assert first["orders"] >= 3 * first["trades"]
    assert {name: first[name] for name in first if name not in ("seconds", "bars_per_second")} == {
        name: second[name] for name in second if name not in ("seconds", "bars_per_second")
    }
    assert 0 < first["exposure"] < 1
    assert 0 <= first["max_drawdown"] < 1
    assert first["net_return"] == pytest.approx(float(first["end_equity"]) / float(first["start_equity"]) - 1)
    assert first["random_entries"]["runs"] == 200


def test_a_backtest_for_a_person_says_the_same_in_words(tape: Path) -> None:
    result = smc_agent("backtest", "--data", tape, "--take-every-setup")
    assert result.exit_code == 0
    for words in ("SYNTHETIC", "random entries, same exits", "buy and hold", "max drawdown", "orders hash"):
        assert words in result.stdout
    assert "No setup beat break-even" not in result.stdout


def test_a_backtest_that_trades_nothing_says_why(tape: Path) -> None:
    result = smc_agent("backtest", "--data", tape)
    assert result.exit_code == 0
    assert "refused: insufficient_evidence" in result.stdout
    assert "--take-every-setup" in result.stdout


def test_a_timeframe_brings_its_context_and_another_can_be_named(tape: Path) -> None:
    plain = answer(smc_agent("backtest", "--data", tape, "--timeframe", "15m", "--json"))
    other = answer(smc_agent("backtest", "--data", tape, "--timeframe", "15m", "--context", "30m, 4h", "--json"))
    assert plain["timeframe"] == other["timeframe"] == "15m"
    assert plain["journal_hash"] != other["journal_hash"]


def test_a_journal_is_kept_where_it_was_asked_for_and_never_written_over(tape: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.db"
    assert answer(smc_agent("backtest", "--data", tape, "--journal", kept, "--json"))["decisions"] > 0
    told = answer(smc_agent("explain", "last", "--journal", kept, "--json"))
    assert told["journal"] == str(kept)
    before = kept.read_bytes()
    refused = answer(smc_agent("backtest", "--data", tape, "--journal", kept, "--json"), 2)
    assert "exists already" in refused["message"]
    assert kept.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--timeframe", "7m"], "structure.decision_timeframe = '7m'"),
        (["--timeframe", "1w"], "structure.context_timeframes is empty"),
        (["--context", "2m"], "structure.context_timeframes.0 = '2m'"),
        (["--context", ","], "structure.context_timeframes is empty"),
        (["--timeframe", "1h", "--context", "15m"], "structure.context_timeframes holds 15m"),
        (["--tick-size", "0"], "tick"),
        (["--config", "absent.yaml"], "absent.yaml can't be read"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named(tape: Path, options: list[str], named: str) -> None:
    refused = answer(smc_agent("backtest", "--data", tape, *options, "--json"), 2)
    assert named in refused["message"]
    assert refused["exit_code"] == 2


def test_a_decision_timeframe_finer_than_the_data_is_refused(tmp_path: Path) -> None:
    coarse = tmp_path / "coarse.parquet"
    hour = 3_600_000
    rows = [
        {"open_time": (450_000 + at) * hour, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0} for at in range(50)
    ]
    pl.DataFrame(rows).with_columns(volume=pl.lit(1.0)).write_parquet(coarse)
    refused = answer(smc_agent("backtest", "--data", coarse, "--symbol", "X", "--json"), 2)
    assert "structure.decision_timeframe 3m can't be built from 1h bars" in refused["message"]


def test_an_account_without_money_is_refused(tape: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("execution: {start_cash: '0'}\n")
    assert "execution.start_cash" in answer(smc_agent("backtest", "--data", tape, "--json"), 2)["message"]


def edited(tape: Path, folder: Path, edit: Callable[[pl.DataFrame], pl.DataFrame]) -> Path:
    """The tape with some rows changed. The file no longer says of itself that it is synthetic."""
    file = folder / "BTCUSDT_1m.parquet"
    edit(pl.read_parquet(tape)).write_parquet(file)
    return file


def at_row(number: int) -> pl.Expr:
    return pl.int_range(pl.len()) == number


QUARANTINED: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], dict[str, int], int]] = {
    "gap": (lambda rows: rows.filter(~at_row(700)), {}, 1),
    "duplicate": (lambda rows: pl.concat([rows[:800], rows[799:]]), {"duplicate": 1}, 0),
    "nan": (
        lambda rows: rows.with_columns(close=pl.when(at_row(9)).then(float("nan")).otherwise("close")),
        {"nan": 1},
        1,
    ),
    "inverted": (
        lambda rows: rows.with_columns(high=pl.when(at_row(9)).then(pl.col("low") - 1).otherwise("high")),
        {"high_below_low": 1},
        1,
    ),
    "out of order": (lambda rows: pl.concat([rows[:500], rows[501:503], rows[500:501], rows[503:]]), {}, 1),
}


@pytest.mark.parametrize("case", QUARANTINED)
def test_a_few_bad_rows_are_counted_by_name_and_the_rest_is_used(tape: Path, tmp_path: Path, case: str) -> None:
    edit, rejected, missing = QUARANTINED[case]
    file = edited(tape, tmp_path, edit)
    result = answer(smc_agent("backtest", "--data", file, "--json"))
    quality = result["quality"]
    said = smc_agent("backtest", "--data", file).stderr
    assert all(f"{name} {count}" in said for name, count in quality["rejected"].items())
    assert quality["rejected"] == (rejected or quality["rejected"])
    assert quality["missing_bars"] == missing
    assert result["bars"] == BARS - missing
    if case == "out of order":
        assert sum(quality["rejected"].values()) == 1


@pytest.mark.parametrize("command", ["backtest", "verify", "run"])
@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("absent.parquet", None, "absent.parquet"),
        ("empty.csv", b"", "empty.csv"),
        ("header_only.csv", b"open_time,open,high,low,close,volume\n", "header_only.csv"),
        ("noise.parquet", b"no parquet at all", "noise.parquet"),
        ("cut.parquet", "cut", "cut.parquet"),
        ("notes.txt", b"hello", "notes.txt"),
        ("a_folder.parquet", "folder", "a_folder.parquet"),
    ],
)
def test_a_file_that_is_no_market_data_is_named_and_nothing_is_written(
    tape: Path, tmp_path: Path, command: str, name: str, content: bytes | str | None, named: str
) -> None:
    file = tmp_path / name
    if content == "folder":
        file.mkdir()
    elif content == "cut":
        file.write_bytes(tape.read_bytes()[:5_000])
    elif isinstance(content, bytes):
        file.write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    refused = answer(smc_agent(command, "--data", file, "--json"), 2)
    assert named in refused["message"]
    result = smc_agent(command, "--data", file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_an_unknown_column_is_named_and_can_be_allowed(tape: Path, tmp_path: Path) -> None:
    file = edited(tape, tmp_path, lambda rows: rows.with_columns(moon_phase=pl.lit(0.5)))
    refused = answer(smc_agent("backtest", "--data", file, "--json"), 2)
    assert "moon_phase" in refused["message"]
    assert str(file) in refused["message"]
    assert "--ignore-unknown-columns" in refused["message"]
    assert answer(smc_agent("backtest", "--data", file, "--ignore-unknown-columns", "--json"))["bars"] == BARS


def test_a_file_of_mostly_bad_rows_is_refused_with_the_count(tape: Path, tmp_path: Path) -> None:
    file = edited(tape, tmp_path, lambda rows: rows.with_columns(close=pl.lit(float("nan"))))
    refused = answer(smc_agent("backtest", "--data", file, "--json"), 2)
    assert f"{BARS:,} of {BARS:,} rows can't be used" in refused["message"]

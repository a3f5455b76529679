"""`smc-agent data`: reports, exit codes, and files that are never half-written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from smc_trading_agent.cli import data
from smc_trading_agent.data_pipeline.replay import ReplayFeed
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.domain.errors import DataError


def call(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(data.app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def one_object(output: str) -> dict[str, Any]:
    decoded = json.loads(output)
    assert isinstance(decoded, dict)
    return decoded


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    path = tmp_path / "synthetic.parquet"
    assert call("synthesize", "--bars", 300, "--seed", 4, "--out", path)[0] == 0
    return path


def edited(tape: Path, *rows: int) -> Path:
    """The tape without its label, and with the highs of ``rows`` missing."""
    table = pl.read_parquet(tape).with_row_index()
    bad = table.with_columns(pl.when(pl.col("index").is_in(rows)).then(None).otherwise(pl.col("high")).alias("high"))
    path = tape.with_name("edited.parquet")
    bad.drop("index").write_parquet(path)
    return path


def test_a_synthesized_file_reads_back_bar_for_bar_and_says_what_it_is(tape: Path) -> None:
    feed = ReplayFeed.open(tape)
    assert feed.synthetic
    assert feed.report.clean
    one, other = next(feed.batches(0)).columns(), next(SyntheticFeed(4, length=300).batches(0)).columns()
    assert {name: column.tolist() for name, column in one.items()} == {
        name: column.tolist() for name, column in other.items()
    }
    assert not ReplayFeed.open(edited(tape)).synthetic


def test_closed_hours_leave_a_gap_at_the_end_of_each_day(tmp_path: Path) -> None:
    path = tmp_path / "nights.parquet"
    code, output, _ = call("synthesize", "--bars", 3 * 1_440, "--closed-hours", 2, "--out", path, "--json")
    assert code == 0
    assert one_object(output)["bars"] == 3 * 22 * 60
    hours = pl.read_parquet(path)["open_time"].cast(pl.Datetime("ms")).dt.hour()
    assert hours.unique().sort().to_list() == list(range(22))


def test_the_same_seed_writes_the_same_bytes(tape: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.parquet"
    code, output, _ = call("synthesize", "--bars", 300, "--seed", 4, "--out", again, "--json")
    assert code == 0
    assert one_object(output)["synthetic"] is True
    assert again.read_bytes() == tape.read_bytes()


def test_an_existing_file_is_replaced_only_by_force(tape: Path) -> None:
    before = tape.read_bytes()
    code, _, errors = call("synthesize", "--bars", 10, "--out", tape)
    assert (code, tape.read_bytes()) == (2, before)
    assert "--force" in errors
    assert call("synthesize", "--bars", 10, "--out", tape, "--force")[0] == 0
    assert ReplayFeed.open(tape).total_bars == 10


@pytest.mark.parametrize("name", ["missing/tape.parquet", "tape.csv", "."])
def test_a_target_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    code, output, _ = call("synthesize", "--bars", 10, "--out", tmp_path / name, "--json")
    assert code == 2
    assert one_object(output)["error"] == "DataError"
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_midway_leaves_the_old_file_and_no_other(
    tape: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tape.read_bytes()

    def half(_: pl.DataFrame, target: Path, **__: object) -> None:
        target.write_bytes(b"PAR1 half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", half)
    with pytest.raises(DataError, match="No space left on device"):
        data.write_atomically(pl.DataFrame({"a": [1]}), tape, {})
    assert tape.read_bytes() == before
    assert list(tape.parent.iterdir()) == [tape]


def test_check_exits_0_when_clean_3_when_rows_are_quarantined_2_when_unusable(tape: Path) -> None:
    code, output, _ = call("check", tape, "--json")
    assert (code, one_object(output)["clean"]) == (0, True)
    code, output, _ = call("check", edited(tape, 5, 6), "--json")
    report = one_object(output)
    assert code == 3
    assert (report["rows"], report["admitted"], report["rejected"]) == (300, 298, {"nan": 2})
    assert [row["row"] for row in report["quarantine"]] == [5, 6]
    assert report["gap_count"] == 1
    code, output, _ = call("check", tape.with_name("gone.parquet"), "--json")
    assert (code, one_object(output)["exit_code"]) == (2, 2)
    assert "does not exist" in one_object(output)["message"]


def test_check_reports_a_file_beyond_the_limit_of_a_replay(tape: Path) -> None:
    bad = edited(tape, *range(100))
    with pytest.raises(DataError, match="more than the 5%"):
        ReplayFeed.open(bad)
    code, output, _ = call("check", bad, "--json")
    assert (code, one_object(output)["rejected_rows"]) == (3, 100)


def test_people_get_a_table_and_sentences_and_errors_on_stderr(tape: Path) -> None:
    code, output, _ = call("check", edited(tape, 5))
    assert code == 3
    assert "rejected: nan" in output
    assert "row 5 at 2024-01-01 00:05:00 UTC: nan" in output
    code, output, errors = call("check", tape.with_name("[gone].parquet"))
    assert (code, output) == (2, "")
    assert "[gone].parquet does not exist" in errors


def test_check_can_be_told_to_read_past_unknown_columns(tape: Path) -> None:
    path = tape.with_name("extra.parquet")
    pl.read_parquet(tape).with_columns(pl.lit(1).alias("rsi")).write_parquet(path)
    code, _, errors = call("check", path)
    assert code == 2
    assert "'rsi'" in errors
    assert call("check", path, "--ignore-unknown-columns")[0] == 0


def test_info_describes_the_file(tape: Path) -> None:
    code, output, _ = call("info", tape, "--json")
    described = one_object(output)
    assert code == 0
    assert (described["timeframe"], described["rows"], described["bars"]) == ("1m", 300, 300)
    assert (described["first"], described["last"]) == ("2024-01-01 00:00:00 UTC", "2024-01-01 04:59:00 UTC")
    assert described["synthetic"] is True
    assert "2024-01-01 04:59:00 UTC" in call("info", tape)[1]
    code, output, _ = call("info", tape, "--json", "--timeframe", "9m")
    assert (code, one_object(output)["error"]) == (2, "DataError")
    overridden = one_object(call("info", tape, "--json", "--venue", "bybit", "--symbol", "BTCUSDT")[1])
    assert overridden["instrument"] == "bybit:BTCUSDT"

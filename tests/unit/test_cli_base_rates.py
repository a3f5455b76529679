"""`smc-agent base-rates`: a report, a table, and files that are refused with a remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from smc_trading_agent.cli import app
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.research.base_rate_table import chance_of_far, load_report, markdown


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["base-rates", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("market") / "market.parquet"
    made = CliRunner().invoke(app, ["data", "synthesize", "--out", str(file), "--bars", "20000"])
    assert made.exit_code == 0, made.output
    return file


def test_the_report_holds_everything_and_its_command_names_no_folder(market: Path) -> None:
    answered = run("--data", market, "--timeframe", "5m", "--surrogates", 3, "--time-limit", 100, "--json")
    assert answered.exit_code == 0, answered.output
    report = json.loads(answered.stdout)
    wanted = "smc-agent base-rates --data market.parquet --timeframe 5m --surrogates 3 --seed 1 --time-limit 100"
    assert report["command"] == wanted
    (measured,) = report["markets"]
    assert (measured["file"], measured["label"], measured["timeframe"]) == ("market.parquet", "SYNTHETIC", "5m")
    assert measured["bars"] == 4_000
    kinds = {rate["kind"] for rate in measured["rates"]}
    assert {"bos", "choch", "order_block", "fair_value_gap", "liquidity_pool_swept", "judas_swing"} <= kinds
    assert {baseline["markets"] for rate in measured["rates"] for baseline in rate["baselines"].values()} <= {
        0,
        1,
        2,
        3,
    }


def test_a_person_sees_tables(market: Path) -> None:
    answered = run("--data", market, "--surrogates", 2)
    assert answered.exit_code == 0, answered.output
    assert "SYNTHETIC SYNUSDT 1m, 20,000 bars" in answered.output
    assert "from the first touch" in answered.output


def test_the_stored_report_gives_the_table_that_the_command_writes(market: Path, tmp_path: Path) -> None:
    arguments = ("--data", market, "--data", market, "--timeframe", "15m", "--surrogates", 2, "--seed", 5)
    for name in ("rates.json", "rates.md"):
        assert run(*arguments, "--out", tmp_path / name).exit_code == 0
    report = load_report(tmp_path / "rates.json")
    table = (tmp_path / "rates.md").read_text(encoding="utf-8")
    assert markdown(report) == table.replace("--out rates.md", "--out rates.json")
    assert table.count("## SYNUSDT 15m") == 2
    assert str(tmp_path) not in table


def test_files_that_cannot_be_written_or_read_are_named(market: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    there.write_text("{}", encoding="utf-8")
    arguments = ("--data", market, "--surrogates", 2, "--out")
    for out, message in [
        (tmp_path / "rates.txt", "must end in .json"),
        (there, "--force"),
        (tmp_path / "none" / "rates.md", "can't be written"),
    ]:
        answered = run(*arguments, out)
        assert answered.exit_code == 2
        assert message in answered.output
    with pytest.raises(DataError, match="measure it again"):
        load_report(there)
    assert run(*arguments, there, "--force").exit_code == 0
    assert load_report(there).study.surrogates == 2


def test_too_few_bars_are_said_to_be_too_few(tmp_path: Path) -> None:
    file = tmp_path / "short.parquet"
    assert CliRunner().invoke(app, ["data", "synthesize", "--out", str(file), "--bars", "3"]).exit_code == 0
    answered = run("--data", file, "--surrogates", 2)
    assert answered.exit_code == 0
    assert "more bars" in answered.output


@pytest.mark.parametrize(("surrogates", "share"), [(3, 0.2254), (30, 0.0588), (10_000, 0.0455)])
def test_how_often_chance_alone_lies_two_deviations_off(surrogates: int, share: float) -> None:
    """Two-sided tails of Student's t at 2 / sqrt(1 + 1 / n), n - 1 degrees of freedom."""
    assert chance_of_far(surrogates) == pytest.approx(share, abs=1e-4)

"""`smc-agent run` without its API: the account it keeps, what it refuses, and how it ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from smc_trading_agent import __version__
from smc_trading_agent.cli import app
from smc_trading_agent.cli.output import EXIT_CODES
from smc_trading_agent.runtime.state_dir import StateDir
from tests.unit.test_cli_backtest import answer, smc_agent

BARS = 4_000


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No `config.yaml` in the working folder, no settings in the environment; signal handlers are put back."""
    monkeypatch.chdir(tmp_path)
    for name in ("LOG_LEVEL", "DEBUG", "APP_ENV", "SMC_STATE_DIR", "SMC_HOST", "SMC_PORT", "SMC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def run(*more: object, bars: int = BARS) -> Result:
    base = ["run", "--no-api", "--speed", "max", "--seed", 11, "--bars", bars, "--take-every-setup", "--json"]
    return smc_agent(*base, *more)


def the_account(state: Path) -> Path:
    (folder,) = [path for path in state.iterdir() if path.is_dir()]
    return folder


def test_a_run_says_how_it_stands_at_the_end(tmp_path: Path) -> None:
    told = answer(run())
    assert (told["state"], told["label"], told["bars"], told["error"]) == ("finished", "SYNTHETIC", BARS, "")
    assert told["position"] == told["venue_position"]
    assert told["facts"] > 10
    assert {path.name for path in the_account(tmp_path / "state").iterdir()} >= {"journal.db", "venue.db", "lock"}


def test_the_next_run_goes_on_with_the_account() -> None:
    first = answer(run())
    assert answer(run()) == first
    longer = answer(run(bars=BARS + 2_000))
    assert longer["bars"] == BARS + 2_000
    assert longer["facts"] > first["facts"]


def test_a_market_that_is_shorter_than_the_account_has_seen_is_refused() -> None:
    answer(run())
    refused = answer(run(bars=1_000), 5)
    assert refused["state"] == "failed"
    assert "can't be resumed at bar 4000" in refused["error"]


def test_another_setting_is_refused_by_name_until_begun_anew(tmp_path: Path) -> None:
    first = answer(run())
    refused = answer(run("--timeframe", "5m"), 4)
    assert (refused["error"], refused["exit_code"]) == ("StateConflict", 4)
    assert "belongs to decision_timeframe '3m', this run has '5m'" in refused["message"]
    fresh = answer(run("--timeframe", "5m", "--fresh"))
    assert fresh["journal_hash"] != first["journal_hash"]
    assert (the_account(tmp_path / "state") / "previous" / "journal.db").is_file()
    assert answer(run("--timeframe", "5m")) == fresh


def test_an_account_that_another_process_holds_is_refused(tmp_path: Path) -> None:
    first = answer(run())
    market = f"paper {first['market']}"
    holder = StateDir(tmp_path / "state", market, durable=False)
    refused = answer(run(), 4)
    holder.close()
    assert "is in use by process" in refused["message"]
    assert "--state-dir" in refused["message"]
    assert answer(run()) == first


def test_a_folder_that_can_not_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    refused = answer(run("--state-dir", tmp_path / "file"), 4)
    assert "can't be written" in refused["message"]


def test_a_damaged_account_is_not_traded_on(tmp_path: Path) -> None:
    answer(run())
    journal = the_account(tmp_path / "state") / "journal.db"
    for extra in journal.parent.glob("journal.db-*"):
        extra.unlink()
    journal.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5_000)
    refused = answer(run(), 5)
    assert refused["error"] == "JournalError"
    assert "journal.db" in refused["message"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--speed", "fast"], "speed 'fast'"),
        (["--speed", "-1"], "speed '-1'"),
        (["--data", "absent.parquet"], "absent.parquet"),
        (["--context", "nope"], "structure.context_timeframes.0 = 'nope'"),
    ],
)
def test_what_can_not_be_used_is_named_and_opens_no_account(tmp_path: Path, options: list[str], named: str) -> None:
    assert named in answer(run(*options), 2)["message"]
    assert not (tmp_path / "state").exists()


def test_settings_come_from_file_then_environment_then_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.yaml").write_text("app: {state_dir: of_the_file}\n")
    answer(run(bars=50))
    monkeypatch.setenv("SMC_STATE_DIR", "of_the_environment")
    answer(run(bars=50))
    answer(run("--state-dir", "of_the_option", bars=50))
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
        "of_the_file",
        "of_the_environment",
        "of_the_option",
    }


def test_a_run_for_a_person_shows_a_table() -> None:
    result = smc_agent("run", "--no-api", "--speed", "max", "--bars", 100)
    assert result.exit_code == 0
    assert "breaker" in result.stdout
    assert "facts" in result.stdout


def test_help_and_version_name_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    for command in ("run", "backtest", "verify", "explain", "data", "doctor"):
        assert command in shown
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
    assert smc_agent("--version").stdout.strip() == __version__
    assert sorted(EXIT_CODES) == [*range(6), 130]


def test_errors_for_a_person_are_one_sentence_on_standard_error() -> None:
    result = smc_agent("run", "--no-api", "--speed", "fast")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: speed 'fast' is no positive number")
    assert "Traceback" not in result.stderr

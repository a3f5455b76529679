"""The commands as a person types them: results, exit codes, and errors that name the thing and the remedy."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from smc_trading_agent.cli import app
from smc_trading_agent.persistence.journal import SqliteJournal

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
VERIFY_KEYS = {"bars", "prefixes", "rewritten", "vanished", "stream_equals_batch", "journal_hashes_equal"}


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def as_json(*arguments: object) -> dict[str, object]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tape") / "tape.parquet"
    as_json("data", "synthesize", "--bars", 30_000, "--seed", 3, "--out", file)
    return file


@pytest.fixture(scope="module")
def kept(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a backtest in which every setup was traded."""
    file = tmp_path_factory.mktemp("kept") / "journal.db"
    as_json("backtest", "--data", tape, "--take-every-setup", "--journal", file)
    return file


def test_backtest_prints_what_was_promised_and_the_same_twice(tape: Path) -> None:
    first, second = (as_json("backtest", "--data", tape, "--take-every-setup") for _ in range(2))
    assert first.keys() >= BACKTEST_KEYS
    assert (first["label"], first["bars"]) == ("SYNTHETIC", 30_000)
    assert int(str(first["trades"])) > 0
    for timing in ("seconds", "bars_per_second"):
        del first[timing], second[timing]
    assert first == second


def test_backtest_for_a_person(tape: Path) -> None:
    result = call("backtest", "--data", tape)
    assert result.exit_code == 0
    assert "SYNTHETIC synthetic:SYNUSDT 3m" in result.output
    for line in ("buy and hold", "max drawdown", "time in the market", "orders hash"):
        assert line in result.output
    every = call("backtest", "--data", tape, "--take-every-setup")
    assert "random entries, same exits" in every.output


def test_backtest_keeps_no_journal_over_another(tape: Path, kept: Path) -> None:
    result = call("backtest", "--data", tape, "--journal", kept)
    assert result.exit_code == 2
    assert "exists already" in result.output


def test_verify_prints_what_was_promised_and_passes(tape: Path) -> None:
    found = as_json("verify", "--data", tape, "--window", 3_000, "--prefixes", 60)
    assert found.keys() >= VERIFY_KEYS
    assert (found["bars"], found["prefixes"], found["rewritten"], found["vanished"]) == (3_000, 60, 0, 0)
    assert found["stream_equals_batch"] is found["journal_hashes_equal"] is found["passed"] is True
    assert "nothing was rewritten" in call("verify", "--data", tape, "--window", 500, "--prefixes", 5).output


def test_run_on_a_tape_gives_the_orders_of_the_backtest(tape: Path, tmp_path: Path) -> None:
    arguments = ("--speed", "max", "--no-api", "--exit-at-end", "--state-dir", tmp_path, "--take-every-setup")
    ran = as_json("run", "--data", tape, *arguments)
    tested = as_json("backtest", "--data", tape, "--take-every-setup")
    assert (ran["orders_hash"], ran["journal_hash"]) == (tested["orders_hash"], tested["journal_hash"])
    assert (ran["state"], ran["position"]) == ("finished", ran["venue_position"])


def test_run_on_the_synthetic_market_for_a_while(tmp_path: Path) -> None:
    ran = as_json("run", "--bars", 5_000, "--speed", "max", "--no-api", "--state-dir", tmp_path, "--seed", 5)
    assert (ran["label"], ran["bars"], ran["error"]) == ("SYNTHETIC", 5_000, "")


def journal_ids(kept: Path) -> dict[str, str]:
    with SqliteJournal(kept) as journal:
        decision = json.loads(next(journal.facts(kind="decision")).payload)
        fill = next(
            json.loads(f.payload) for f in journal.facts(kind="order_event") if b'"trade_id":""' not in f.payload
        )
    return {
        "decision": decision["decision_id"],
        "setup": decision["setup"]["setup_id"],
        "order": fill["client_order_id"],
        "trade": fill["trade_id"],
        "filled decision": fill["decision_id"],
    }


def test_explain_finds_a_decision_by_any_of_its_ids(kept: Path) -> None:
    ids = journal_ids(kept)
    by_decision = as_json("explain", ids["decision"], "--journal", kept)
    assert as_json("explain", ids["setup"], "--journal", kept) == by_decision
    by_order = as_json("explain", ids["order"], "--journal", kept)
    assert as_json("explain", ids["trade"], "--journal", kept) == by_order
    assert str(by_order["headline"]).startswith(f"{ids['filled decision']}: taken")
    sections = by_order["sections"]
    assert isinstance(sections, dict)
    assert {"Setup", "Evidence", "Forecast", "Limits", "Orders", "Fills", "Order events"} <= sections.keys()


def test_explain_for_a_person_and_the_newest(kept: Path) -> None:
    result = call("explain", "last", "--journal", kept)
    assert result.exit_code == 0
    for line in ("Setup", "known at", "P(win)", "against break-even"):
        assert line in result.output


def test_explain_tells_why_not(tape: Path, tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    as_json("backtest", "--data", tape, "--journal", file)
    with SqliteJournal(file) as journal:
        refused = next(journal.facts(kind="refusal")).ref
    result = call("explain", refused, "--journal", file)
    assert "refused: insufficient_evidence" in result.output
    assert "min_samples=30" in result.output


@pytest.mark.parametrize("missing", [False, True])
def test_explain_says_where_it_looked(kept: Path, tmp_path: Path, missing: bool) -> None:
    where = ("--state-dir", tmp_path) if missing else ("--journal", kept)
    result = call("explain", "nothing-of-the-kind", *where)
    assert result.exit_code == 2
    assert "nothing is recorded under 'nothing-of-the-kind'" in result.output
    assert call("explain", "last", "--journal", tmp_path / "none.db").exit_code == 2


def test_doctor_on_a_sound_and_a_damaged_journal(kept: Path, tmp_path: Path) -> None:
    folder = tmp_path / "account"
    folder.mkdir()
    copy = folder / "journal.db"
    copy.write_bytes(kept.read_bytes())
    assert as_json("doctor", "--state-dir", tmp_path)["healthy"] is True
    assert "chain intact" in call("doctor", "--state-dir", tmp_path).output
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE fact SET payload = x'7b7d' WHERE seq = 3")
    connection.close()
    result = call("doctor", "--state-dir", tmp_path, "--json")
    assert result.exit_code == 1
    findings = json.loads(result.stdout)["findings"]
    (bad,) = [finding for finding in findings if not finding["good"]]
    assert "damaged at fact 3" in bad["found"]


def test_doctor_names_a_wrong_setting(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("risk: {risk_per_trad: 0.01}\n", encoding="utf-8")
    result = call("doctor", "--config", config, "--state-dir", tmp_path)
    assert result.exit_code == 1
    assert "risk.risk_per_trad" in result.output.replace("\n", "")


def candles(**changed: list[float] | list[int]) -> pl.DataFrame:
    columns: dict[str, list[float] | list[int]] = {
        "open_time": [1_672_531_200_000 + 60_000 * minute for minute in range(40)],
        "open": [10.0] * 40,
        "high": [11.0] * 40,
        "low": [9.0] * 40,
        "close": [10.0] * 40,
        "volume": [1.0] * 40,
    }
    return pl.DataFrame(columns | changed)


@pytest.mark.parametrize("command", ["backtest", "verify", "run"])
def test_a_file_that_cannot_be_used_is_named_with_the_remedy(command: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    unknown = tmp_path / "unknown.csv"
    candles(mood=[1.0] * 40).write_csv(unknown)
    inverted = tmp_path / "inverted.csv"
    candles(high=[8.0] * 40).write_csv(inverted)
    for file, said in (
        (tmp_path / "missing.parquet", "does not exist"),
        (empty, "is empty"),
        (tmp_path, "is a directory"),
        (unknown, "unknown columns: 'mood'"),
        (inverted, "high_below_low 40"),
    ):
        more = ("--no-api", "--state-dir", tmp_path / "state") if command == "run" else ()
        result = call(command, "--data", file, *more)
        assert result.exit_code == 2, file
        assert file.name in result.output.replace("\n", "")
        assert said in result.output.replace("\n", "")
    assert not (tmp_path / "state").exists(), "nothing may be left half-written"


def test_rows_that_cannot_be_used_are_counted_and_named(tape: Path, tmp_path: Path) -> None:
    rows = pl.read_parquet(tape).head(3_000)
    broken = tmp_path / "binance_spot_BTCUSDT_1m.parquet"
    pl.concat([rows[:1_000], rows[999:2_000], rows[2_050:]]).write_parquet(broken)
    found = as_json("backtest", "--data", broken)
    assert found["quality"] == {"rejected": {"duplicate": 1}, "missing_bars": 50}
    assert "duplicate 1" in call("backtest", "--data", broken).output.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--timeframe", "7m"), "decision_timeframe"),
        (("--timeframe", "15m", "--context", "20m"), "context_timeframes"),
        (("--timeframe", "15m", "--context", "5m"), "not a larger multiple"),
        (("--timeframe", "15m", "--context", " "), "context_timeframes is empty"),
        (("--timeframe", "1w"), "context_timeframes is empty"),
        (("--config", "nowhere.yaml"), "nowhere.yaml can't be read"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(tape: Path, arguments: tuple[str, ...], said: str) -> None:
    result = call("backtest", "--data", tape, *arguments)
    assert result.exit_code == 2
    assert said in result.output.replace("\n", "")


def test_a_decision_timeframe_below_the_bars_is_refused(tape: Path, tmp_path: Path) -> None:
    rows = candles(open_time=[1_672_531_200_000 + 3_600_000 * hour for hour in range(40)])
    rows.write_parquet(tmp_path / "hours.parquet")
    result = call("backtest", "--data", tmp_path / "hours.parquet", "--timeframe", "15m")
    assert result.exit_code == 2
    assert "can't be built from 1h bars" in result.output.replace("\n", "")


def test_version_and_speed(tmp_path: Path) -> None:
    assert call("--version").output.strip() == "0.1.0"
    result = call("run", "--speed", "fast", "--no-api", "--state-dir", tmp_path)
    assert result.exit_code == 2
    assert "'fast' is no positive number" in result.output

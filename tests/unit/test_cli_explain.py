"""`smc-agent explain` and `smc-agent doctor`: the story of a decision, and whether its journal can be trusted."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from smc_trading_agent.domain.ids import content_id
from smc_trading_agent.persistence.journal import SqliteJournal
from tests.unit.test_cli_backtest import answer, smc_agent

ONE_SETUP_AT_A_TIME = """
decision: {take_every_setup: true, time_limit_bars: 10, min_reward_risk: 0.3}
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account with trades that ended in each way, and decisions that were refused."""
    root = tmp_path_factory.mktemp("account")
    (root / "config.yaml").write_text(ONE_SETUP_AT_A_TIME)
    base = ["run", "--no-api", "--speed", "max", "--seed", 61, "--bars", 4_000, "--config", root / "config.yaml"]
    answer(smc_agent(*base, "--state-dir", root / "state", "--json"))
    return root / "state"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMC_STATE_DIR", raising=False)


def journal_file(state: Path) -> Path:
    (file,) = state.glob("*/journal.db")
    return file


def facts(state: Path, kind: str) -> list[dict[str, Any]]:
    with SqliteJournal(journal_file(state)) as journal:
        return [msgspec.json.decode(fact.payload) for fact in journal.facts(kind=kind)]


def explained(state: Path, wanted: str) -> dict[str, Any]:
    return answer(smc_agent("explain", wanted, "--state-dir", state, "--json"))


def test_a_taken_decision_tells_everything_from_setup_to_fills(state: Path) -> None:
    decision = next(told for told in facts(state, "approval") if len(told["orders"]) == 3)["decision_id"]
    story = explained(state, decision)
    assert story["headline"].startswith(f"{decision}: taken (synthetic seed=61")
    assert set(story["sections"]) == {"Setup", "Evidence", "Forecast", "Limits", "Orders", "Order events", "Fills"}
    assert story["sections"]["Setup"][0].startswith(("reversal ", "continuation "))
    assert "P(win)" in story["sections"]["Forecast"][0]
    assert "against break-even" in story["sections"]["Forecast"][0]
    assert len(story["sections"]["Orders"]) == 3
    assert len(story["sections"]["Fills"]) == 2
    assert any(line.startswith("size: ") for line in story["sections"]["Limits"])
    assert {fact["kind"] for fact in story["facts"]} == {"decision", "approval", "order_event"}
    assert story["journal"] == str(journal_file(state))


def test_every_id_of_a_trade_leads_to_its_decision(state: Path) -> None:
    fill = next(told for told in facts(state, "order_event") if told["trade_id"] and told["purpose"] == "stop")
    decision = next(told for told in facts(state, "decision") if told["decision_id"] == fill["decision_id"])
    setup_id = decision["setup"]["setup_id"]
    assert content_id("d", setup_id) == fill["decision_id"]
    stories = [
        explained(state, wanted)
        for wanted in (fill["decision_id"], setup_id, fill["client_order_id"], fill["trade_id"])
    ]
    assert all(story == stories[0] for story in stories)
    assert fill["trade_id"] in "".join(stories[0]["sections"]["Fills"])


def test_a_refused_decision_tells_each_reason_with_its_meaning_and_numbers(state: Path) -> None:
    refusal = facts(state, "refusal")[0]
    story = explained(state, refusal["decision_id"])
    reasons = [detail["reason"] for detail in refusal["details"]]
    assert story["headline"].startswith(f"{refusal['decision_id']}: refused: {', '.join(reasons)}")
    assert len(story["sections"]["Refused"]) == len(reasons)
    for line, detail in zip(story["sections"]["Refused"], refusal["details"], strict=True):
        assert line.startswith(f"{detail['reason']}: ")
        for key, value in detail["context"].items():
            assert f"{key}={value}" in line
    assert "Orders" not in story["sections"]


def test_an_exit_by_time_tells_which_decision_it_ends(state: Path) -> None:
    wish = facts(state, "exit_intent")[0]
    story = explained(state, wish["decision_id"])
    assert "taken" in story["headline"]
    assert wish["reason"] in story["sections"]["Exit"][0]
    assert len(story["sections"]["Fills"]) == 1


def test_last_is_the_newest_decision(state: Path) -> None:
    newest = facts(state, "decision")[-1]["decision_id"]
    assert explained(state, "last")["headline"].startswith(newest)


def test_the_story_for_a_person_has_the_same_sections(state: Path) -> None:
    result = smc_agent("explain", "last", "--state-dir", state)
    assert result.exit_code == 0
    for title in explained(state, "last")["sections"]:
        assert f"\n{title}\n" in result.stdout
    assert "from " in result.stderr


@pytest.mark.parametrize("wanted", ["d0000000000000000000", "nothing-entry", "sim-999999", ""])
def test_an_id_that_is_not_recorded_is_told_with_a_remedy(state: Path, wanted: str) -> None:
    refused = answer(smc_agent("explain", wanted, "--state-dir", state, "--json"), 2)
    assert refused["error"] == "NotFound"
    assert str(journal_file(state)) in refused["message"]
    assert "smc-agent explain last" in refused["message"]


def test_without_a_journal_there_is_nothing_to_explain(tmp_path: Path) -> None:
    refused = answer(smc_agent("explain", "last", "--state-dir", tmp_path, "--json"), 2)
    assert "no journal there" in refused["message"]
    refused = answer(smc_agent("explain", "last", "--journal", tmp_path / "absent.db", "--json"), 2)
    assert "absent.db does not exist" in refused["message"]


def test_explaining_changes_nothing(state: Path) -> None:
    before = facts(state, "decision")
    explained(state, "last")
    assert facts(state, "decision") == before
    with SqliteJournal(journal_file(state)) as journal:
        assert journal.verify_chain() == journal.length


def examined(state: Path) -> dict[str, dict[str, Any]]:
    result = smc_agent("doctor", "--state-dir", state, "--json")
    told = msgspec.json.decode(result.stdout)
    assert result.exit_code == (0 if told["healthy"] else 1)
    assert told["healthy"] == all(finding["good"] for finding in told["findings"])
    return {finding["name"].split()[0]: finding for finding in told["findings"]}


def test_the_doctor_reads_every_fact_of_a_good_journal(state: Path) -> None:
    findings = examined(state)
    assert set(findings) == {"settings", "python", "rust", "page", "state", "api", "journal"}
    with SqliteJournal(journal_file(state)) as journal:
        assert findings["journal"]["found"] == f"{journal.length:,} facts, chain intact"
    assert findings["journal"]["good"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE fact SET payload = replace(payload, 'buy', 'bye') || ' ' WHERE seq = 7", "damaged at fact 7"),
        ("DELETE FROM fact WHERE seq = 5", "damaged at fact 5"),
        ("UPDATE fact SET time = time + 1 WHERE seq = 3", "damaged at fact 3"),
        ("PRAGMA user_version = 99", "schema version 99"),
    ],
)
def test_the_doctor_finds_damage_and_says_where(state: Path, tmp_path: Path, damage: str, said: str) -> None:
    copy = tmp_path / "state" / "account"
    copy.mkdir(parents=True)
    with sqlite3.connect(journal_file(state)) as source, sqlite3.connect(copy / "journal.db") as target:
        source.backup(target)
        target.execute(damage)
        target.commit()
    source.close()
    target.close()
    finding = examined(tmp_path / "state")["journal"]
    assert not finding["good"]
    assert said in finding["found"]


def test_the_doctor_names_settings_that_are_wrong(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("risk: {risk_per_trade: 5, colour: blue}\n")
    finding = examined(tmp_path / "none")["settings"]
    assert not finding["good"]
    assert "risk.risk_per_trade = 5" in finding["found"]
    assert "risk.colour: unknown key" in finding["found"]


def test_the_doctor_tells_a_person_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("risk: {colour: blue}\n")
    result = smc_agent("doctor", "--state-dir", tmp_path / "none")
    assert result.exit_code == 1
    assert "remedy: correct the keys named" in result.stdout

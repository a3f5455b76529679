"""`smc-agent models`: lists, shows, verifies, promotes and goes back; every refusal names thing, value and remedy."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from smc_trading_agent.cli import app
from smc_trading_agent.decision_engine.ensemble.manifest import CARD, FINDINGS, REPORT
from smc_trading_agent.decision_engine.ensemble.signing import create_key, load_private_key, load_trusted_keys
from smc_trading_agent.research.training.card import write_card
from smc_trading_agent.research.training.findings import GateLine
from smc_trading_agent.research.training.report import write_report
from smc_trading_agent.runtime.promotions import HISTORY
from tests import bundles
from tests.findings import realistic

HELD = (GateLine("Deflated Sharpe ratio", "0.97", "at least 0.95", True),)


class Desk:
    """A folder of two signed bundles, one with an open gate and one with a closed one, and the command line."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder, self.trust = root, root / "models", root / "trust"
        self.key_id = create_key(root / "private.pem", self.trust)
        self.where = ["--folder", str(self.folder), "--trust", str(self.trust)]
        self.good = self.add("An edge, as far as these data tell.", gate=HELD)
        self.poor = self.add("No edge after costs.")

    def add(self, verdict: str, **changes: Any) -> str:
        found = realistic(verdict=verdict, bundle="", **changes)
        card, page = write_card(found).encode(), write_report(found)
        files = {FINDINGS: msgspec.json.encode(found), CARD: card, REPORT: page}
        return bundles.written(
            self.folder, load_private_key(self.root / "private.pem"), files=files, verdict=verdict
        ).name

    def run(self, *arguments: object, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, ["models", *map(str, arguments), *self.where], input=typed)

    def told(self, *arguments: object, code: int = 0) -> dict[str, Any]:
        answered = self.run(*arguments, "--json")
        assert answered.exit_code == code, answered.output
        told: dict[str, Any] = json.loads(answered.stdout)
        return told

    def history(self) -> int:
        file = self.folder / HISTORY
        return len(file.read_bytes().splitlines()) if file.exists() else 0


@pytest.fixture(name="desk")
def make_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return Desk(tmp_path)


def test_list_tells_each_bundle_with_its_mark(desk: Desk) -> None:
    desk.told("promote", desk.good, "--yes")
    told = desk.told("list")
    assert (told["folder"], told["promoted"]) == (str(desk.folder), desk.good)
    rows = {row["bundle"]: row for row in told["bundles"]}
    assert set(rows) == {desk.good, desk.poor}
    good = rows[desk.good]
    assert (good["promoted"], good["gate_open"], good["signed_by"], good["problem"]) == (True, True, desk.key_id, "")
    assert (good["made_at"], good["verdict"]) == (realistic().made_at, "An edge, as far as these data tell.")
    assert (good["trained_from"], good["trained_to"], good["labels"]) == (0, 1, 2_000)
    assert (rows[desk.poor]["promoted"], rows[desk.poor]["gate_open"]) == (False, False)


def test_list_shows_a_person_the_same(desk: Desk) -> None:
    desk.told("promote", desk.poor, "--yes", "--despite-gate", "to watch it")
    answered = desk.run("list")
    assert answered.exit_code == 0
    said = " ".join(answered.output.split())
    for words in (
        desk.good,
        desk.poor,
        "promoted",
        "closed",
        desk.key_id,
        "2025-01-31",
        "its gate was closed: to watch",
    ):
        assert words in said, words


def test_list_says_of_a_tampered_bundle_what_is_wrong(desk: Desk) -> None:
    (desk.folder / desk.poor / CARD).write_text("# A splendid bundle\n", encoding="utf-8")
    rows = {row["bundle"]: row for row in desk.told("list")["bundles"]}
    assert "model_card.md was changed" in rows[desk.poor]["problem"]
    assert "verdict" not in rows[desk.poor]
    assert rows[desk.good]["problem"] == ""
    assert "would be refused" in desk.run("list").output


def test_show_prints_the_card(desk: Desk) -> None:
    answered = desk.run("show", desk.poor[:8])
    assert answered.exit_code == 0
    for words in ("No edge after costs.", "Gate to go live", "How to reproduce each figure", "3 of 6 conditions hold"):
        assert words in answered.output
    narrow = "".join(
        CliRunner(env={"COLUMNS": "70"}).invoke(app, ["models", "show", desk.poor, *desk.where]).output.split()
    )
    assert "…" not in narrow
    told = desk.told("show", desk.poor)
    assert told["card"].startswith("# No edge after costs.\n")
    assert (told["bundle"], told["promoted"]) == (desk.poor, False)


def test_show_refuses_a_card_that_nobody_signed(desk: Desk) -> None:
    (desk.folder / desk.poor / CARD).write_text("# A splendid bundle\n", encoding="utf-8")
    told = desk.told("show", desk.poor, code=2)
    assert told["error"] == "BundleError"
    assert "model_card.md was changed" in told["message"]


def test_verify_checks_and_says_what_is_wrong(desk: Desk) -> None:
    assert desk.told("verify", desk.good) == {
        "bundle": desk.good,
        "verified": True,
        "signed_by": desk.key_id,
        "files": len(bundles.contents()) + 2,
        "problem": "",
    }
    model = desk.folder / desk.good / "lstm.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"\x00")
    told = desk.told("verify", desk.good, code=1)
    assert told["verified"] is False
    assert "lstm.onnx was changed: expected" in told["problem"]
    assert "lstm.onnx" in desk.run("verify", desk.good).output


def test_report_prints_the_path_of_the_page(desk: Desk) -> None:
    answered = desk.run("report", desk.good)
    assert (answered.exit_code, answered.stdout.strip()) == (0, str(desk.folder / desk.good / REPORT))
    assert desk.told("report", desk.good)["report"] == str(desk.folder / desk.good / REPORT)
    key = load_private_key(desk.root / "private.pem")
    bare = bundles.written(desk.folder, key).name
    assert f"{bare} has no report.html; smc-agent models show" in desk.told("report", bare, code=2)["message"]


def test_promote_shows_verdict_and_gate_and_asks(desk: Desk) -> None:
    declined = desk.run("promote", desk.good, typed="n\n")
    assert (declined.exit_code, desk.history()) == (1, 0)
    agreed = desk.run("promote", desk.good, typed="y\n")
    assert (agreed.exit_code, desk.history()) == (0, 1)
    for words in ("An edge, as far as these data tell.", "Deflated Sharpe ratio", "at least 0.95", "was promoted on"):
        assert words in agreed.output
    again = desk.run("promote", desk.good, "--yes")
    assert "is promoted already" in again.output
    assert desk.history() == 1


def test_promote_asks_nobody_under_json(desk: Desk) -> None:
    assert "with --json nobody can be asked; pass --yes" in desk.told("promote", desk.good, code=2)["message"]
    assert desk.told("promote", desk.good, "--yes") == {
        "promoted": desk.good,
        "changed": True,
        "action": "promote",
        "previous": "",
        "despite_gate": "",
    }
    assert desk.told("promote", desk.good, "--yes")["changed"] is False


def test_promote_refuses_where_the_gate_is_closed_unless_a_reason_is_given(desk: Desk) -> None:
    told = desk.told("promote", desk.poor, "--yes", code=1)
    assert told["error"] == "GateClosed"
    assert "Deflated Sharpe ratio is 0.412, wanted at least 0.950" in told["message"]
    assert "--despite-gate" in told["message"]
    refused = desk.run("promote", desk.poor)
    assert (refused.exit_code, desk.history()) == (1, 0)
    assert "is not promoted" in refused.output
    told = desk.told("promote", desk.poor, "--yes", "--despite-gate", "to watch it")
    assert (told["despite_gate"], desk.history()) == ("to watch it", 1)


def test_rollback_goes_back_in_one_command(desk: Desk) -> None:
    nothing = desk.told("rollback", code=2)
    assert "has nothing to go back to: no bundle was ever promoted" in nothing["message"]
    desk.told("promote", desk.good, "--yes")
    desk.told("promote", desk.poor, "--yes", "--despite-gate", "to watch it")
    answered = desk.run("rollback")
    assert answered.exit_code == 0
    assert f"{desk.good} was gone back to from {desk.poor}" in " ".join(answered.output.split())
    assert desk.told("list")["promoted"] == desk.good


def test_an_unknown_bundle_is_refused_by_every_command(desk: Desk) -> None:
    for command in (["show"], ["verify"], ["report"], ["promote", "--yes"]):
        told = desk.told(command[0], "bffff", *command[1:], code=2)
        assert "'bffff' names no single bundle" in told["message"]
        assert "smc-agent models list" in told["message"]


def test_keygen_makes_a_pair_that_signs_and_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    private, trust = tmp_path / "keys" / "private.pem", tmp_path / "trust"
    arguments = ["models", "keygen", str(private), "--trust", str(trust), "--json"]
    made = CliRunner().invoke(app, arguments)
    assert made.exit_code == 0, made.output
    identity = json.loads(made.stdout)["key"]
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert list(load_trusted_keys(trust)) == [identity]
    assert load_private_key(private).public_key() == load_trusted_keys(trust)[identity]
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 2
    assert "exists and is not overwritten" in json.loads(again.stdout)["message"]


def test_keygen_puts_no_private_key_into_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    made = CliRunner().invoke(app, ["models", "keygen", "deep/private.pem", "--json"])
    assert made.exit_code == 2
    assert "is inside the repository" in json.loads(made.stdout)["message"]
    assert not (tmp_path / "deep").exists()
    assert not (tmp_path / "trust").exists()


def test_folders_come_from_the_settings(desk: Desk) -> None:
    config = desk.root / "settings.yaml"
    config.write_text("decision: {models: {folder: models, trust_folder: trust}}\n", encoding="utf-8")
    answered = CliRunner().invoke(app, ["models", "list", "--config", str(config), "--json"])
    assert answered.exit_code == 0, answered.output
    assert json.loads(answered.stdout)["folder"] == "models"
    missing = CliRunner().invoke(app, ["models", "list", "--folder", "nowhere", "--json"])
    assert missing.exit_code == 2
    assert "nowhere is no folder of bundles" in json.loads(missing.stdout)["message"]

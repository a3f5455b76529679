"""Limits as configuration: exact, hashed, journalled where they change, never loosened in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from smc_trading_agent._core import Instrument
from smc_trading_agent.cli import app
from smc_trading_agent.domain.errors import LimitsLoosened
from smc_trading_agent.domain.risk_settings import LOOSER, RiskSettings
from smc_trading_agent.domain.settings import AppSettings, DecisionSettings, Settings
from smc_trading_agent.domain.types import LimitsChange
from smc_trading_agent.risk_manager.limits import changed_limits, limit_values, limits_hash, loosened_limits, lots_of
from smc_trading_agent.runtime.limits import effective_risk, last_limits
from tests.accounts import Account
from tests.factories import Gate, risk_settings
from tests.runs import eager, synthetic

BREAKER = {"cool_down_seconds", "probe_orders", "probe_size", "probe_timeout_seconds"}


def eager_with(environment: str = "development", reason: str = "", **limits: Any) -> Settings:
    base = eager()
    risk = base.risk.model_copy(update=limits | {"change_reason": reason, "change_actor": "ann"})
    return base.model_copy(update={"risk": risk, "app": AppSettings(environment=environment)})  # type: ignore[arg-type]


def changes(account: Account, settings: Settings, length: int = 600) -> list[LimitsChange]:
    """Runs a process over a market and tells every change of limits that the journal then holds."""
    account.market = lambda: synthetic(length)
    process = account.process(settings=settings)
    process.run()
    found = [msgspec.json.decode(fact.payload, type=LimitsChange) for fact in process.journal.facts(kind="limits")]
    assert process.assembly.gate.limits.limits_hash == found[-1].limits_hash
    account.close()
    return found


@pytest.fixture
def kept(tmp_path: Path) -> Account:
    return Account(tmp_path, lambda: synthetic(600))


def test_what_is_a_limit_names_the_direction_that_allows_more() -> None:
    others = set(RiskSettings.model_fields) - set(LOOSER)
    assert others >= BREAKER
    assert [LOOSER[name] for name in ("max_leverage", "launch_trades", "allowed_instruments")] == [
        "higher",
        "lower",
        "superset",
    ]


@pytest.mark.parametrize(
    ("quantity", "lot", "lots"),
    [
        ("1", "0.001", 1_000),
        ("0.0019", "0.001", 1),
        ("0.3", "0.1", 3),
        ("2.1", "0.7", 3),
        ("1000000", "0.00001", 10**11),
        ("5", "10", 0),
        ("0", "0.001", 0),
        ("123456789012345678901234567890.5", "0.5", 246913578024691357802469135781),
    ],
)
def test_a_quantity_is_whole_lots_without_a_float_in_between(quantity: str, lot: str, lots: int) -> None:
    assert lots_of(quantity, Instrument("t", "X", "0.1", lot)) == lots


@pytest.mark.parametrize(
    ("limit", "before", "after", "looser"),
    [
        ("max_leverage", 2.0, 2.1, True),
        ("max_leverage", 2.0, 2.0, False),
        ("max_leverage", 2.0, 1.9, False),
        ("min_history_bars", 30, 29, True),
        ("min_history_bars", 30, 31, False),
        ("max_order_quantity", "9", "10", True),
        ("max_order_quantity", "10", "9", False),
        ("kelly_fraction", 0.5, None, True),
        ("kelly_fraction", None, 0.5, False),
        ("kelly_fraction", None, None, False),
        ("max_volume_share", 0.01, None, True),
        ("allowed_instruments", ("a:B",), ("a:B", "a:C"), True),
        ("allowed_instruments", ("a:B", "a:C"), ("a:C",), False),
        ("allowed_instruments", ("a:B",), ("*",), True),
        ("allowed_instruments", ("*",), ("a:B",), False),
        ("allowed_instruments", (), ("a:B",), True),
    ],
)
def test_loosening_is_told_from_tightening(limit: str, before: Any, after: Any, looser: bool) -> None:
    old, new = (limit_values(risk_settings(**{limit: value})) for value in (before, after))
    assert loosened_limits(old, new) == ((limit,) if looser else ())
    assert set(changed_limits(old, new)) == ({limit} if before != after else set())
    assert (limits_hash(old) == limits_hash(new)) is (before == after)


def test_research_that_trades_every_setup_is_not_sized_by_an_edge_it_does_not_claim() -> None:
    assert effective_risk(Settings()).kelly_fraction == RiskSettings().kelly_fraction
    assert effective_risk(Settings(decision=DecisionSettings(take_every_setup=True))).kelly_fraction is None


def test_a_gate_adopts_limits_and_keeps_them_over_a_restart() -> None:
    gate = Gate().active()
    before = gate.gateway.limits.limits_hash
    gate.gateway.adopt(limit_values(risk_settings(max_leverage=3.0)))
    after = gate.gateway.limits
    assert after.limits["max_leverage"] == 3.0
    assert after.limits_hash != before
    assert gate.restarted().gateway.limits == after


@pytest.mark.parametrize("values", [{"max_leverge": 3}, {"max_leverage": -1}, {"max_leverage": float("nan")}])
def test_limits_that_can_not_be_are_not_adopted(values: dict[str, Any]) -> None:
    gate = Gate().active()
    before = gate.gateway.limits
    with pytest.raises(ValidationError):
        gate.gateway.adopt(values)
    assert gate.gateway.limits == before


def test_an_account_begins_with_its_limits_and_the_same_ones_are_no_change(kept: Account) -> None:
    (first,) = changes(kept, eager_with())
    assert (first.cursor, first.loosened, first.actor) == (0, (), "ann")
    assert first.limits == limit_values(effective_risk(eager_with()))
    assert changes(kept, eager_with(), 1_200) == [first]


def test_limits_that_change_take_effect_at_a_place_in_the_market_and_say_who_and_why(kept: Account) -> None:
    changes(kept, eager_with())
    _, second = changes(kept, eager_with(reason="wider", max_leverage=3.0, max_open_orders=5), 1_200)
    assert second.cursor == 600
    assert second.changed == {"max_leverage": "2.0 -> 3.0", "max_open_orders": "6 -> 5"}
    assert (second.loosened, second.actor, second.reason) == (("max_leverage",), "ann", "wider")


def test_a_crash_after_a_change_replays_each_part_under_the_limits_it_had(kept: Account) -> None:
    changes(kept, eager_with())
    settings = eager_with(max_leverage=3.0, max_order_notional=0.5)
    kept.market = lambda: synthetic(3_000)
    process = kept.process(settings=settings)
    process.run_and_be_killed(lambda: process.runner.cursor >= 2_000)
    # The newest checkpoint lies at 1,600 or before: what came after is gone through again.
    found = changes(kept, settings, 3_000)
    assert [change.cursor for change in found] == [0, 600]
    reference = Account(kept.folder / "other", lambda: synthetic(3_000))
    (kept.folder / "other").mkdir()
    changes(reference, eager_with())
    assert [change.limits_hash for change in changes(reference, settings, 3_000)] == [c.limits_hash for c in found]
    with kept.process(settings=settings).journal as ours, reference.process(settings=settings).journal as theirs:
        assert ours.head_hash == theirs.head_hash
        assert ours.verify_chain() == ours.length


def test_production_refuses_to_loosen_in_silence_and_takes_a_reason(kept: Account) -> None:
    changes(kept, eager_with("production"))
    with pytest.raises(LimitsLoosened, match=r"max_leverage 2.0 -> 3.0; say why with --reason"):
        kept.process(settings=eager_with("production", max_leverage=3.0)).runner.recover()
    tightened = changes(kept, eager_with("production", max_leverage=1.5), 1_200)
    assert tightened[-1].reason == ""
    loosened = changes(kept, eager_with("production", "agreed with risk", max_leverage=2.0), 1_800)
    assert (loosened[-1].loosened, loosened[-1].reason) == (("max_leverage",), "agreed with risk")


def test_development_loosens_with_a_warning(kept: Account, caplog: pytest.LogCaptureFixture) -> None:
    changes(kept, eager_with())
    changes(kept, eager_with(max_leverage=3.0), 1_200)
    assert "limits loosened by ann: max_leverage 2.0 -> 3.0 (no reason given)" in caplog.text


def test_the_command_shows_limits_and_hashes_of_settings_and_accounts(tmp_path: Path) -> None:
    root = tmp_path / "state"
    (root / "one").mkdir(parents=True)
    account = Account(root / "one", lambda: synthetic(600))
    kept = changes(account, eager_with())
    config = tmp_path / "mine.yaml"
    config.write_text("risk: {max_leverage: 1.25}", encoding="utf-8")
    arguments = ["risk", "limits", "--state-dir", str(root), "--config", str(config)]
    told = CliRunner().invoke(app, [*arguments, "--json"])
    assert told.exit_code == 0
    settings, one = msgspec.json.decode(told.stdout)["limits"]
    assert (settings["source"], settings["limits"]["max_leverage"]) == ("settings", 1.25)
    assert (one["source"], one["limits_hash"], one["actor"]) == ("one", kept[-1].limits_hash, "ann")
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0
    assert settings["limits_hash"] in shown.stdout
    assert "1.25" in shown.stdout


def test_unknown_limits_are_refused_by_the_command(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("risk: {max_leverge: 1}", encoding="utf-8")
    told = CliRunner().invoke(app, ["risk", "limits", "--config", str(config), "--json"])
    assert told.exit_code == 2
    assert "risk.max_leverge: unknown key" in told.stdout


def test_an_account_without_limits_yet_has_none(tmp_path: Path) -> None:
    process = Account(tmp_path, lambda: synthetic(600)).process()
    assert last_limits(process.journal) is None
    process.end()

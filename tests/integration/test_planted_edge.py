"""The pipeline finds an edge where one was planted, abstains where there is none, and reports a planted leak."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from smc_trading_agent.cli import app
from smc_trading_agent.research.training.findings import Findings

pytestmark = pytest.mark.usefixtures("training_extra")


def trained(folder: Path, monkeypatch: pytest.MonkeyPatch, bars: int, strength: float, *options: str) -> Findings:
    """Findings of a quick run on a synthetic market, made from files as a user would."""
    monkeypatch.chdir(folder)
    made = ["data", "synthesize", "--out", "market.parquet", "--bars", str(bars), "--planted-strength", str(strength)]
    assert CliRunner().invoke(app, made).exit_code == 0
    result = CliRunner().invoke(app, ["train", "--data", "market.parquet", "--quick", "--json", *options])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.strip().splitlines()[-1])
    assert (folder / told["bundle"] / "manifest.json").is_file()
    return msgspec.convert(told, Findings)


def test_a_planted_edge_is_found_after_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = trained(tmp_path, monkeypatch, 420_000, 1.5, "--models", "logistic,lightgbm")
    trading = found.trading
    assert trading.expectancy is not None
    assert trading.expectancy.low > 0.0, "the 95 % interval of what a chosen trade makes after costs lies above 0"
    assert trading.expectancy.value > found.baseline.value, "choosing does better than trading every setup"
    assert trading.traded > 0.05 * trading.setups
    assert found.ensemble.log_loss < found.ensemble.chance_log_loss
    assert all(path.total_return_double_costs > 0.0 for path in found.paths)
    assert found.verdict.startswith("Edge")
    assert found.leaks == ()
    assert {placebo.name: placebo.passed for placebo in found.placebos}["planted leak"]


@pytest.mark.parametrize("seed", [7, 8])
def test_a_martingale_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    options = ("--models", "logistic,lightgbm", "--seed", str(seed))
    found = trained(tmp_path, monkeypatch, 260_000, 0.0, *options)
    assert found.trading.traded <= 0.01 * found.trading.setups
    assert found.verdict.startswith("No edge after costs")
    assert not all(line.passed for line in found.gate)
    assert found.leaks == ()
    assert all(placebo.passed for placebo in found.placebos), found.placebos


def test_every_kind_of_model_is_trained_and_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = trained(tmp_path, monkeypatch, 150_000, 0.0, "--folds", "4")
    assert [score.name for score in found.experts] == ["logistic", "lightgbm", "lstm", "transformer", "ppo"]
    assert found.weights["ppo"] <= 0.1
    assert sum(found.weights.values()) == pytest.approx(1.0)
    (tmp_path / "config.yaml").write_text(f"decision:\n  models: {{bundle: {found.bundle}}}\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["backtest", "--data", "market.parquet", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["models"]["bundle"] == Path(found.bundle).name
    assert told["stage_failures"] == {}
    assert told["trades"] <= 0.05 * told["decisions"]

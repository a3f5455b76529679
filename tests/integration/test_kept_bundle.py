"""The bundle in the repository: whole, signed by a key that is trusted, of this version's columns, and served."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from smc_trading_agent.decision_engine.ensemble.bundle import Use, load_bundle, read_manifest
from smc_trading_agent.decision_engine.ensemble.experts import load_experts
from smc_trading_agent.decision_engine.ensemble.manifest import MANIFEST
from smc_trading_agent.decision_engine.ensemble.signing import load_trusted_keys
from smc_trading_agent.research.training.card import write_card
from smc_trading_agent.research.training.findings import Findings


@pytest.fixture(name="kept", scope="module")
def find_kept(repository: Path) -> list[Path]:
    """Folders of the bundles in the repository."""
    return [manifest.parent for manifest in (repository / "models").glob(f"*/{MANIFEST}")]


def test_each_is_signed_by_a_trusted_key_and_served_with_five_experts(kept: list[Path], repository: Path) -> None:
    assert kept
    trusted = load_trusted_keys(repository / "models" / "trust")
    for folder in kept:
        manifest = read_manifest(folder)
        bundle = load_bundle(folder, Use(manifest.instruments[0], manifest.timeframes[0]), trusted)
        assert bundle.signed_by in trusted
        assert bundle.bundle_id == folder.name
        names = {expert.name for expert in load_experts(bundle)}
        assert names == {"logistic", "lightgbm", "lstm", "transformer", "ppo"}


def test_each_card_is_what_its_findings_say(kept: list[Path]) -> None:
    for folder in kept:
        findings = msgspec.json.decode((folder / "findings.json").read_bytes(), type=Findings)
        assert (folder / "model_card.md").read_text(encoding="utf-8") == write_card(findings)
        assert read_manifest(folder).verdict == findings.verdict
        assert all(market.sha256 in read_manifest(folder).provenance.data.values() for market in findings.markets)

"""The registry: only what is verified and good enough is promoted, one at a time, and every step can be gone back."""

from __future__ import annotations

import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from smc_trading_agent.decision_engine.base_rate import BaseRateForecaster
from smc_trading_agent.decision_engine.ensemble.bundle import Use
from smc_trading_agent.decision_engine.ensemble.forecaster import EnsembleForecaster
from smc_trading_agent.decision_engine.ensemble.manifest import FINDINGS
from smc_trading_agent.decision_engine.ensemble.signing import create_key, load_private_key, load_trusted_keys
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.errors import BundleError, GateClosed
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.research.training.findings import GateLine
from smc_trading_agent.runtime.model_registry import ModelRegistry, judgement_of
from smc_trading_agent.runtime.models import forecaster_of
from smc_trading_agent.runtime.promotions import HISTORY, Promotion, append, read_history
from tests import bundles
from tests.factories import costs
from tests.findings import realistic

HELD = (GateLine("Deflated Sharpe ratio", "0.97", "at least 0.95", True),)
CLOCK = MarketClock(1_700_000_000_000_000_000)


class Shelf:
    """A folder of signed bundles whose gate is open (a, b, c), closed, or unknown."""

    def __init__(self, root: Path) -> None:
        self.folder, self.trust = root / "models", root / "trust"
        self.key_id = create_key(root / "private.pem", self.trust)
        self.key = load_private_key(root / "private.pem")
        self.a, self.b, self.c = (self.add(f"bundle {name}", gate=HELD) for name in "abc")
        self.closed = self.add("closed")
        self.silent = bundles.written(self.folder, self.key, verdict="silent").name

    def add(self, verdict: str, **changes: Any) -> str:
        found = msgspec.json.encode(realistic(verdict=verdict, **changes))
        return bundles.written(self.folder, self.key, files={FINDINGS: found}, verdict=verdict).name

    @property
    def registry(self) -> ModelRegistry:
        return ModelRegistry(self.folder, load_trusted_keys(self.trust), False)


@pytest.fixture(name="made", scope="module")
def make_made(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(name="shelf")
def make_shelf(made: Shelf) -> Shelf:
    """The bundles, without a history."""
    for name in (HISTORY, ".promotions.lock"):
        (made.folder / name).unlink(missing_ok=True)
    return made


def tampered(shelf: Shelf, bundle: str, file: str = "logistic.json") -> None:
    """Flips a bit of a file in the last byte."""
    path = shelf.folder / bundle / file
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_promotion_and_rollback_are_written_line_by_line(shelf: Shelf) -> None:
    registry = shelf.registry
    assert registry.promoted() == ""
    for bundle in (shelf.a, shelf.b, shelf.c):
        registry.promote(bundle, CLOCK)
    assert registry.rollback(CLOCK).bundle == shelf.b
    assert registry.rollback(CLOCK).bundle == shelf.a
    registry.promote(shelf.c, CLOCK)
    assert registry.rollback(CLOCK).bundle == shelf.a
    steps = [(line.number, line.action, line.bundle, line.previous) for line in registry.history()]
    assert steps == [
        (1, "promote", shelf.a, ""),
        (2, "promote", shelf.b, shelf.a),
        (3, "promote", shelf.c, shelf.b),
        (4, "rollback", shelf.b, shelf.c),
        (5, "rollback", shelf.a, shelf.b),
        (6, "promote", shelf.c, shelf.a),
        (7, "rollback", shelf.a, shelf.c),
    ]
    assert {(line.at, line.signed_by) for line in registry.history()} == {(CLOCK.now(), shelf.key_id)}


def test_promoting_the_promoted_one_writes_nothing(shelf: Shelf) -> None:
    assert shelf.registry.promote(shelf.a, CLOCK) is not None
    assert shelf.registry.promote(shelf.a, CLOCK) is None
    assert len(shelf.registry.history()) == 1


def test_rollback_without_history_says_so(shelf: Shelf) -> None:
    with pytest.raises(BundleError, match="nothing to go back to: no bundle was ever promoted; promote another"):
        shelf.registry.rollback(CLOCK)
    shelf.registry.promote(shelf.a, CLOCK)
    with pytest.raises(BundleError, match=f"nothing to go back to: only {shelf.a} was ever promoted"):
        shelf.registry.rollback(CLOCK)
    assert shelf.registry.promoted() == shelf.a


def test_a_closed_gate_needs_a_reason_which_is_recorded(shelf: Shelf) -> None:
    with pytest.raises(GateClosed, match="Deflated Sharpe ratio is 0.412, wanted at least 0.950; Probability of"):
        shelf.registry.promote(shelf.closed, CLOCK, "  ")
    assert shelf.registry.history() == []
    shelf.registry.promote(shelf.closed, CLOCK, "to watch it on paper")
    shelf.registry.promote(shelf.a, CLOCK, "needs none")
    assert [line.despite_gate for line in shelf.registry.history()] == ["to watch it on paper", ""]


def test_a_bundle_without_findings_has_a_closed_gate(shelf: Shelf) -> None:
    with pytest.raises(GateClosed, match=f"{shelf.silent} is not promoted: it has no findings.json"):
        shelf.registry.promote(shelf.silent, CLOCK)
    nothing = shelf.add("no gate", gate=())
    with pytest.raises(GateClosed, match="no condition of its gate was checked"):
        shelf.registry.promote(nothing, CLOCK)
    shutil.rmtree(shelf.folder / nothing)


def test_a_tampered_bundle_is_neither_promoted_nor_gone_back_to(shelf: Shelf) -> None:
    registry, spoiled = shelf.registry, shelf.add("spoiled", gate=HELD)
    registry.promote(spoiled, CLOCK)
    registry.promote(shelf.a, CLOCK)
    tampered(shelf, spoiled)
    for attempt in (lambda: registry.promote(spoiled, CLOCK, "all the same"), lambda: registry.rollback(CLOCK)):
        with pytest.raises(BundleError, match="logistic.json was changed"):
            attempt()
    assert registry.promoted() == shelf.a
    (listed,) = (row for row in registry.bundles() if row.bundle == spoiled)
    assert "logistic.json was changed" in listed.problem
    assert listed.manifest is None
    shutil.rmtree(shelf.folder / spoiled)


def test_a_bundle_under_another_bundles_name_is_refused(shelf: Shelf) -> None:
    renamed = shelf.folder / "b00000000000000000000"
    shutil.copytree(shelf.folder / shelf.a, renamed)
    with pytest.raises(BundleError, match=f"{renamed.name} holds bundle {shelf.a}; give the folder that name"):
        shelf.registry.promote(renamed.name, CLOCK)
    shutil.rmtree(renamed)


def test_a_bundle_of_another_feature_schema_is_refused(shelf: Shelf) -> None:
    other = bundles.written(shelf.folder, shelf.key, feature_schema="0" * 16).name
    with pytest.raises(BundleError, match="was trained on the feature schema 0000000000000000"):
        shelf.registry.promote(other, CLOCK, "all the same")
    shutil.rmtree(shelf.folder / other)


def test_a_bundle_signed_by_nobody_trusted_is_refused(shelf: Shelf) -> None:
    unsigned = bundles.written(shelf.folder, verdict="unsigned").name
    with pytest.raises(BundleError, match="is not signed"):
        shelf.registry.promote(unsigned, CLOCK, "all the same")
    lenient = ModelRegistry(shelf.folder, {}, allow_unsigned=True)
    lenient.promote(unsigned, CLOCK, "on paper")
    assert lenient.history()[-1].signed_by == ""
    shutil.rmtree(shelf.folder / unsigned)


def test_a_bundle_is_found_by_the_beginning_of_its_id(shelf: Shelf) -> None:
    registry = shelf.registry
    assert registry.find(shelf.a) == shelf.a
    assert registry.find(shelf.a[:12]) == shelf.a
    with pytest.raises(BundleError, match="'b' names no single bundle in .*: 5, b"):
        registry.find("b")
    for wanted in ("../trust", "", "zzz", "/"):
        with pytest.raises(BundleError, match="names no single bundle"):
            registry.find(wanted)
    with pytest.raises(BundleError, match="no bundle in .* is promoted; run smc-agent models promote"):
        registry.find("promoted")
    registry.promote(shelf.b, CLOCK)
    assert registry.find("promoted") == shelf.b


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "nowhere", {}, False)
    assert registry.promoted() == ""
    with pytest.raises(BundleError, match="nowhere is no folder of bundles; name one with decision.models.folder"):
        registry.bundles()
    with pytest.raises(BundleError, match="nowhere can't be written"):
        registry.rollback(CLOCK)


def test_the_judgement_is_what_training_wrote(shelf: Shelf) -> None:
    judged = judgement_of(shelf.registry.load(shelf.closed))
    assert judged is not None
    assert msgspec.to_builtins(judged.gate) == msgspec.to_builtins(realistic().gate)
    assert (judged.made_at, judged.open) == (realistic().made_at, False)


def test_findings_that_cannot_be_read_are_refused(shelf: Shelf) -> None:
    broken = bundles.written(shelf.folder, shelf.key, files={FINDINGS: b"{}"}).name
    with pytest.raises(BundleError, match="findings.json of b.* can't be read"):
        shelf.registry.promote(broken, CLOCK, "all the same")
    shutil.rmtree(shelf.folder / broken)


def promote_in_a_process(root: Path, bundle: str, start: Any) -> None:
    start.wait()
    ModelRegistry(root / "models", load_trusted_keys(root / "trust"), False).promote(bundle, CLOCK)


def test_promotions_at_the_same_time_all_take_place_one_after_another(shelf: Shelf) -> None:
    context = multiprocessing.get_context("spawn")
    wanted = [shelf.a, shelf.b, shelf.c]
    start = context.Barrier(len(wanted))
    root = shelf.folder.parent
    workers = [context.Process(target=promote_in_a_process, args=(root, bundle, start)) for bundle in wanted]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    history = shelf.registry.history()
    assert [line.number for line in history] == [1, 2, 3]
    assert {line.bundle for line in history} == set(wanted)
    assert [line.previous for line in history] == ["", *(line.bundle for line in history[:-1])]


def test_a_line_cut_short_by_a_crash_never_happened(shelf: Shelf) -> None:
    registry = shelf.registry
    registry.promote(shelf.a, CLOCK)
    file = shelf.folder / HISTORY
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:-10])
    assert registry.promoted() == shelf.a
    registry.promote(shelf.b, CLOCK)
    assert [line.bundle for line in registry.history()] == [shelf.a, shelf.b]
    assert file.read_bytes().startswith(whole)


def line_of(number: int, bundle: str, previous: str, action: str = "promote") -> bytes:
    return msgspec.json.encode(Promotion(number, 1, action, bundle, previous, "")) + b"\n"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([b"{}\n"], "line 1, can't be read"),
        ([line_of(2, "b1", "")], "line 1, is number 2, a promote from none to b1, and does not follow"),
        ([line_of(1, "b1", ""), line_of(2, "b2", "b0")], "line 2, is number 2, a promote from b0 to b2"),
        ([line_of(1, "b1", ""), line_of(2, "b0", "b1", "rollback")], "line 2, is number 2, a rollback from b1 to b0"),
    ],
)
def test_a_history_that_was_edited_is_refused(tmp_path: Path, lines: list[bytes], words: str) -> None:
    (tmp_path / HISTORY).write_bytes(b"".join(lines))
    with pytest.raises(BundleError, match=words):
        read_history(tmp_path)


def test_what_the_file_system_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / HISTORY).mkdir()
    with pytest.raises(BundleError, match="promotions.jsonl can't be read"):
        read_history(tmp_path)
    with pytest.raises(BundleError, match="promotions.jsonl can't be written .* the promotion did not take place"):
        append(tmp_path, Promotion(1, 1, "promote", "b1", "", ""))


def settings_of(shelf: Shelf, **models: Any) -> Settings:
    chosen = {"bundle": "promoted", "folder": str(shelf.folder), "trust_folder": str(shelf.trust)} | models
    return Settings.model_validate(
        {"structure": {"decision_timeframe": "15m", "context_timeframes": ["1h"]}, "decision": {"models": chosen}}
    )


def forecaster(settings: Settings, instrument: str = "test:BTCUSDT") -> BaseRateForecaster | EnsembleForecaster:
    return forecaster_of(settings, instrument, costs(), CLOCK)


def test_the_agent_loads_the_promoted_bundle_and_refuses_where_there_is_none(shelf: Shelf) -> None:
    with pytest.raises(BundleError, match="is promoted; run smc-agent models promote ID"):
        forecaster(settings_of(shelf))
    for bundle in (shelf.a, shelf.b):
        shelf.registry.promote(bundle, CLOCK)
        loaded = forecaster(settings_of(shelf))
        assert isinstance(loaded, EnsembleForecaster)
        assert loaded.bundle_id == bundle
        loaded.close()
    with pytest.raises(BundleError, match="is for test:BTCUSDT, wanted for test:ETHUSDT"):
        forecaster(settings_of(shelf), "test:ETHUSDT")
    assert Use("test:BTCUSDT", "15m").feature_schema == shelf.registry.load(shelf.b).manifest.feature_schema

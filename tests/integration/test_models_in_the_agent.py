"""A bundle in the agent: one journal in backtest, paper and after a crash, whoever was late; explained afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from smc_trading_agent.domain.errors import BundleError, StateConflict
from smc_trading_agent.domain.reasons import ForecastSource, VoteStatus
from smc_trading_agent.domain.settings import ModelSettings, Settings
from smc_trading_agent.domain.types import Decision, Forecast
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.research.backtest import run_backtest
from smc_trading_agent.runtime.assembly import Assembly
from smc_trading_agent.runtime.explanation import explain_in
from smc_trading_agent.runtime.runner import TRIGGER_CYCLE
from tests import bundles
from tests.accounts import Account
from tests.policies import sized_onnx
from tests.runs import assembled, decoded, eager, run_whole, synthetic

BARS = 6_000
PATIENT_MS = 10_000.0
INSTRUMENT = synthetic(1).instrument.key


def bundle_in(folder: Path, **changes: Any) -> Path:
    return bundles.written(folder, **({"instruments": (INSTRUMENT,), "timeframes": ("3m",)} | changes))


def with_models(bundle: Path, checkpoint_bars: int = 500, **models: Any) -> Settings:
    given = {
        "bundle": "" if bundle == Path() else str(bundle),
        "allow_unsigned": True,
        "deadline_ms": PATIENT_MS,
        "quorum": 1,
    } | models
    return eager(checkpoint_bars, models=ModelSettings(**given))


def forecasts(assembly: Assembly) -> list[Forecast]:
    facts = assembly.journal.facts(kind="decision")
    told = [msgspec.json.decode(fact.payload, type=Decision).forecast for fact in facts]
    return [forecast for forecast in told if forecast is not None]


@pytest.fixture(name="bundle", scope="module")
def make_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_in(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(name="slow_bundle", scope="module")
def make_slow_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model in it takes longer than the deadline that a test sets."""
    return bundle_in(tmp_path_factory.mktemp("slow"), files={"lightgbm.onnx": bundles.slow_onnx()})


@pytest.fixture(name="whole", scope="module")
def make_whole(bundle: Path) -> Assembly:
    return run_whole(synthetic(BARS), with_models(bundle))


def test_every_decision_holds_the_votes_it_was_made_on(whole: Assembly, bundle: Path) -> None:
    told = forecasts(whole)
    assert len(told) > 5
    for forecast in told:
        assert forecast.source in (ForecastSource.ENSEMBLE, ForecastSource.BASE_RATE)
        assert forecast.bundle == bundle.name
        assert {vote.expert for vote in forecast.votes} == set(bundles.EXPERTS)
    assert any(forecast.source == ForecastSource.ENSEMBLE for forecast in told)
    assert decoded(whole, "session")[0]["models"] == bundle.name
    assert whole.models is not None
    assert whole.models.health().resolved > 0


def test_a_backtest_gives_the_journal_of_the_paper_agent(whole: Assembly, bundle: Path) -> None:
    with SqliteJournal() as journal:
        result, _ = run_backtest(synthetic(BARS), with_models(bundle), journal)
    assert result.journal_hash == whole.journal.head_hash


def test_a_stop_and_a_new_process_are_the_same_run(tmp_path: Path, whole: Assembly, bundle: Path) -> None:
    account = Account(tmp_path, lambda: synthetic(BARS), with_models(bundle))
    first = account.process()
    first.run(lambda: first.runner.cursor >= 2_500)
    second = account.process()
    second.run()
    assert second.journal.head_hash == whole.journal.head_hash
    account.close()


@pytest.mark.parametrize("deadline_ms", [0.0, 1.0, PATIENT_MS])
def test_after_a_crash_who_was_late_is_late_again_whatever_the_machine_now_does(
    tmp_path: Path, slow_bundle: Path, deadline_ms: float
) -> None:
    never_saved = with_models(slow_bundle, 1_000_000, deadline_ms=1.0)
    account = Account(tmp_path, lambda: synthetic(3_000, batch=1), never_saved)
    first = account.process()
    first.run_and_be_killed(lambda: first.runner.cursor == 3_000)
    with SqliteJournal(tmp_path / "journal.db") as journal:
        recorded = [fact.payload for fact in journal.facts()]
    late = [b'"late"' in payload for payload in recorded]
    assert any(late)
    second = account.process(settings=with_models(slow_bundle, 1_000_000, deadline_ms=deadline_ms))
    assert second.runner.recover().facts_to_replay == len(recorded)
    second.runner.run(lambda: False)
    assert [fact.payload for fact in second.journal.facts()][: len(recorded)] == recorded
    assert not second.journal.replaying
    account.close()


def test_a_cycle_asked_for_between_two_closes_votes_as_before_and_hits_the_cache(bundle: Path) -> None:
    with SqliteJournal() as journal:
        assembly, runner = assembled(synthetic(BARS, batch=1), with_models(bundle), journal)
        asked: list[Any] = []

        def decided() -> bool:
            return bool(asked) and asked[0].done()

        def ask_once(_: int) -> None:
            if not asked and decoded(assembly, "decision"):
                asked.append(runner.ask(TRIGGER_CYCLE, "test"))

        runner._progress = ask_once
        runner.run(decided)
        first, again = forecasts(assembly)[:2]
        assert first == again
        assert assembly.models is not None
        assert assembly.models.cache_hit_rate > 0.0


def test_an_account_is_not_resumed_with_other_models(tmp_path: Path, bundle: Path) -> None:
    account = Account(tmp_path, lambda: synthetic(BARS), with_models(bundle))
    first = account.process()
    first.run(lambda: first.runner.cursor >= 1_000)
    other = bundle_in(tmp_path / "other", verdict="another training")
    with pytest.raises(StateConflict, match=f"belongs to models '{bundle.name}', this run has '{other.name}'"):
        account.process(settings=with_models(other)).runner.recover()
    with pytest.raises(StateConflict, match="this run has ''"):
        account.process(settings=with_models(Path())).runner.recover()
    account.close()


def test_a_bundle_for_something_else_does_not_start(tmp_path: Path) -> None:
    other = bundle_in(tmp_path, timeframes=("15m",))
    with SqliteJournal() as journal, pytest.raises(BundleError, match="decisions at 15m, wanted at 3m"):
        assembled(synthetic(10), with_models(other), journal)
    unsigned = with_models(bundle_in(tmp_path), allow_unsigned=False, trust_folder=str(tmp_path / "trust"))
    with SqliteJournal() as journal, pytest.raises(BundleError, match="is not signed"):
        assembled(synthetic(10), unsigned, journal)


def test_a_decision_by_models_is_explained_with_its_votes(tmp_path: Path, slow_bundle: Path) -> None:
    account = Account(tmp_path, lambda: synthetic(3_000), with_models(slow_bundle, deadline_ms=1.0))
    account.process().run()
    account.close()
    with SqliteJournal(tmp_path / "journal.db") as journal:
        decisions = [msgspec.json.decode(fact.payload, type=Decision) for fact in journal.facts(kind="decision")]
    decision = next(one for one in decisions if one.forecast is not None and one.forecast.prediction_set is not None)
    forecast = decision.forecast
    assert forecast is not None
    story = dict(explain_in([tmp_path / "journal.db"], decision.decision_id, tmp_path).sections)
    assert story["Models"][0].startswith(f"bundle {slow_bundle.name}: conformal set {{{forecast.prediction_set}}}")
    for vote, line in zip(forecast.votes, story["Models"][1:], strict=True):
        assert line.startswith(f"{vote.expert}: ")
        assert vote.status.value in line
        assert vote.probability is None or f"P(win) {vote.probability:.4f}, weight {vote.weight:.3f}" in line
    assert story["Features"][0].startswith(f"{forecast.top_features[0].column} = ")
    assert story["Features"][0].endswith("log-odds in logistic")


def test_the_policys_size_is_told_where_it_is_not_the_whole(tmp_path: Path) -> None:
    sized = bundle_in(tmp_path, files={"ppo.onnx": sized_onnx(0.5)})
    account = Account(tmp_path, lambda: synthetic(3_000), with_models(sized))
    account.process().run()
    account.close()
    with SqliteJournal(tmp_path / "journal.db") as journal:
        decisions = [msgspec.json.decode(fact.payload, type=Decision) for fact in journal.facts(kind="decision")]
    by_models = [one for one in decisions if one.forecast is not None and one.forecast.prediction_set is not None]
    assert {one.forecast.size_multiplier for one in by_models if one.forecast is not None} == {0.5}
    taken = next(one for one in by_models if one.intent is not None)
    assert taken.intent is not None
    assert taken.intent.size_multiplier == 0.5
    story = dict(explain_in([tmp_path / "journal.db"], taken.decision_id, tmp_path).sections)
    assert "the policy takes 0.5 of the size that the limits allow" in story["Forecast"]


def test_a_slow_model_is_named_in_the_forecast_and_counted(slow_bundle: Path) -> None:
    assembly = run_whole(synthetic(3_000), with_models(slow_bundle, deadline_ms=1.0))
    told = [vote.status for forecast in forecasts(assembly) for vote in forecast.votes if vote.expert == "lightgbm"]
    assert VoteStatus.LATE in told
    assert assembly.models is not None
    assert assembly.models.health().votes["lightgbm"]["late"] == told.count(VoteStatus.LATE)

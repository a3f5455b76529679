"""The forecaster over a bundle: what it says, when it abstains, what it learns from, and that it resumes."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from smc_trading_agent._core import FEATURE_NAMES, Bar, Bars
from smc_trading_agent.decision_engine.base_rate import BaseRateForecaster
from smc_trading_agent.decision_engine.ensemble.bundle import Bundle, load_bundle
from smc_trading_agent.decision_engine.ensemble.cache import VoteCache
from smc_trading_agent.decision_engine.ensemble.experts import Stateless, load_experts
from smc_trading_agent.decision_engine.ensemble.forecaster import EnsembleForecaster
from smc_trading_agent.decision_engine.ensemble.group import FusedExperts
from smc_trading_agent.decision_engine.ensemble.inputs import CONTEXT_COLUMNS, context_row
from smc_trading_agent.decision_engine.ensemble.manifest import DRIFT, ENSEMBLE
from smc_trading_agent.decision_engine.ensemble.odds import sigmoid
from smc_trading_agent.decision_engine.ensemble.sessions import Row
from smc_trading_agent.decision_engine.policy import BreakEvenPolicy
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.reasons import ForecastSource, PredictionSet, RefusalReason, VoteStatus
from smc_trading_agent.domain.settings import DecisionSettings, EnsembleSettings, ModelSettings
from smc_trading_agent.domain.types import Forecast, Intent, Refusal, Setup, Vote
from tests import bundles
from tests.factories import DAY, MINUTE, NOW, costs, setup

F = len(FEATURE_NAMES)


class Says(Stateless):
    """An expert whose vote a test sets; it counts how often it is asked."""

    def __init__(self, name: str, log_odds: float = 0.0) -> None:
        super().__init__(name)
        self.log_odds, self.asked = log_odds, 0

    def vote(self, context: Row) -> float:
        self.asked += 1
        return self.log_odds


@pytest.fixture(name="bundle", scope="module")
def make_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(bundles.written(tmp_path_factory.mktemp("bundle")), allow_unsigned=True)


def changed(bundle: Bundle, **of_ensemble: Any) -> Bundle:
    """The bundle with other ensemble parameters, and a drift reference when one is given as ``drift``."""
    drift = of_ensemble.pop("drift", bundle.drift)
    ensemble = msgspec.structs.replace(bundle.ensemble, **of_ensemble)
    return msgspec.structs.replace(bundle, ensemble=ensemble, drift=drift)


class Table:
    """A forecaster whose experts say what they are told."""

    def __init__(self, bundle: Bundle, votes: dict[str, float] | None = None, quorum: int = 3) -> None:
        given = votes or dict.fromkeys(bundles.EXPERTS, 0.0)
        self.experts = {name: Says(name, given[name]) for name in bundles.EXPERTS}
        self.clock = MarketClock(NOW)
        self.cache = VoteCache(self.clock, 60.0)
        self.base = BaseRateForecaster(costs(), DecisionSettings())
        self.forecaster = EnsembleForecaster(
            bundle,
            self.base,
            self.cache,
            ModelSettings(quorum=quorum, deadline_ms=0.0),
            EnsembleSettings(),
            tuple(self.experts.values()),
        )

    def close(self, value: float = 0.0) -> None:
        self.forecaster.on_close((value,) * F)

    def judge(self, number: int = 0, **votes: float) -> Forecast:
        for name, log_odds_ in votes.items():
            self.experts[name].log_odds = log_odds_
        made = self.setup(number)
        told = self.forecaster.forecast(made)
        self.forecaster.follow(made)
        return told

    def setup(self, number: int = 0) -> Setup:
        at = NOW + number * DAY
        return setup(setup_id=f"s{number}", detected_at=at, entry_expires_at=at + DAY, features=(0.1,) * F)

    def end(self, number: int, won: bool) -> None:
        """The entry of a setup fills, and its price reaches the target or the stop."""
        at = NOW + number * DAY
        path = [(1_000, 1_000), (1_200, 1_300)] if won else [(1_000, 1_000), (880, 900)]
        made = [
            Bar(at + i * MINUTE, at + (i + 1) * MINUTE, low, max(low, high), min(low, high) - 5, high)
            for i, (low, high) in enumerate(path)
        ]
        self.forecaster.observe(Bars.from_list("1m", made), 0, len(made))


def reasons(forecast: Forecast) -> list[RefusalReason]:
    return [detail.reason for detail in forecast.abstentions]


def statuses(forecast: Forecast) -> dict[str, VoteStatus]:
    return {vote.expert: vote.status for vote in forecast.votes}


def test_a_forecast_holds_votes_weights_set_and_the_features_behind_it(bundle: Bundle) -> None:
    forecaster = EnsembleForecaster(
        bundle,
        BaseRateForecaster(costs(), DecisionSettings()),
        VoteCache(MarketClock(NOW), 60.0),
        ModelSettings(deadline_ms=0.0),
        EnsembleSettings(),
    )
    stream = np.random.default_rng(3).normal(0.0, 1.0, (9, F))
    for row in stream:
        forecaster.on_close(tuple(row.tolist()))
    made = setup(features=tuple(stream[-1].tolist()))
    told = forecaster.forecast(made)
    experts = {expert.name: expert for expert in load_experts(bundle)}
    context = context_row(made, told.break_even)
    scaled = np.clip(context, -5.0, 5.0).astype(np.float32)
    for row in stream:
        for expert in experts.values():
            expert.on_close(np.clip(row, -5.0, 5.0).astype(np.float32))
    raw = {name: expert.vote(scaled) for name, expert in experts.items()}
    assert {vote.expert: vote.log_odds for vote in told.votes} == raw
    weights = {name: 0.1 if name == "ppo" else 0.225 for name in raw}
    assert {vote.expert: vote.weight for vote in told.votes} == pytest.approx(weights)
    assert told.probability == pytest.approx(sigmoid(sum(weights[name] * raw[name] for name in raw)))
    assert (told.source, told.bundle, told.explained_by) == ("ensemble", bundle.bundle_id, "logistic")
    assert len(told.top_features) == 5
    shares = [abs(share.log_odds) for share in told.top_features]
    assert shares == sorted(shares, reverse=True)
    top = told.top_features[0]
    assert top.value == pytest.approx(context[CONTEXT_COLUMNS.index(top.column)])
    assert msgspec.json.decode(msgspec.json.encode(told), type=Forecast) == told


def test_a_sure_ensemble_is_traded_and_a_torn_or_weak_one_is_not(bundle: Bundle) -> None:
    policy = BreakEvenPolicy(DecisionSettings())
    sure = Table(bundle, dict.fromkeys(bundles.EXPERTS, 3.0))
    told = sure.judge()
    assert (told.prediction_set, told.abstentions) == (PredictionSet.WIN, ())
    assert isinstance(policy.decide(sure.setup(), told), Intent)
    weak = Table(bundle, dict.fromkeys(bundles.EXPERTS, -1.0))
    refused = policy.decide(weak.setup(), weak.judge())
    assert isinstance(refused, Refusal)
    assert [detail.reason for detail in refused.details] == [RefusalReason.CONFORMAL, RefusalReason.BELOW_BREAK_EVEN]
    torn = Table(changed(bundle, max_disagreement=1.0), {**dict.fromkeys(bundles.EXPERTS, 8.0), "lstm": -1.0})
    told = torn.judge()
    assert reasons(told) == [RefusalReason.DISAGREEMENT]
    assert isinstance(policy.decide(torn.setup(), told), Refusal)


def test_the_margin_of_models_decides_and_not_that_of_base_rates(bundle: Bundle) -> None:
    told = msgspec.structs.replace(Table(bundle).judge(), abstentions=(), break_even=0.25, probability=0.5, samples=0)
    for margin, kind in ((0.25, Intent), (0.26, Refusal)):
        policy = BreakEvenPolicy(DecisionSettings(min_edge=0.6, models=ModelSettings(margin=margin)))
        assert isinstance(policy.decide(setup(), told), kind)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_vote_that_is_no_number_is_left_out_counted_and_named(bundle: Bundle, wrong: float) -> None:
    table = Table(bundle, {**dict.fromkeys(bundles.EXPERTS, 1.0), "lstm": wrong})
    told = table.judge()
    assert statuses(told)["lstm"] is VoteStatus.NOT_A_NUMBER
    weights = {vote.expert: vote.weight for vote in told.votes}
    assert weights == pytest.approx({"logistic": 0.3, "lightgbm": 0.3, "lstm": 0.0, "transformer": 0.3, "ppo": 0.1})
    assert told.probability == pytest.approx(sigmoid(1.0))
    assert table.forecaster.health().votes["lstm"] == {"not_a_number": 1}


def test_below_the_quorum_it_abstains_and_ppo_does_not_count(bundle: Bundle) -> None:
    votes = {"logistic": 3.0, "lightgbm": 3.0, "lstm": math.nan, "transformer": math.nan, "ppo": 3.0}
    told = Table(bundle, votes).judge()
    assert reasons(told) == [RefusalReason.QUORUM]
    assert told.abstentions[0].context == {"voted": "2", "quorum": "3"}
    nobody = Table(bundle, {**dict.fromkeys(bundles.EXPERTS, math.nan), "ppo": 3.0}).judge()
    assert reasons(nobody)[0] is RefusalReason.QUORUM
    assert nobody.probability == pytest.approx(nobody.chance)


def test_a_quorum_that_can_never_be_met_is_refused_at_the_start(bundle: Bundle) -> None:
    with pytest.raises(ConfigError, match="quorum is 5, bundle .* has 4 models without a cap"):
        Table(bundle, quorum=5)


def test_the_same_setup_is_asked_for_once_while_its_votes_live(bundle: Bundle) -> None:
    table = Table(bundle)
    first, again = table.judge(), table.judge()
    assert first == again
    assert [expert.asked for expert in table.experts.values()] == [1] * 5
    assert table.forecaster.cache_hit_rate == 0.5
    table.clock.advance_to(NOW + 60 * 1_000_000_000)
    table.judge()
    assert [expert.asked for expert in table.experts.values()] == [2] * 5


def test_incomplete_votes_are_not_kept(bundle: Bundle) -> None:
    table = Table(bundle)
    table.judge(lstm=math.nan)
    assert statuses(table.judge(lstm=0.4))["lstm"] is VoteStatus.COUNTED


def test_a_replay_takes_who_was_missing_from_the_journal_and_everybody_else_from_the_models(bundle: Bundle) -> None:
    table = Table(bundle, dict.fromkeys(bundles.EXPERTS, 0.3))
    recorded = msgspec.structs.replace(
        table.forecaster.forecast(table.setup()), votes=(Vote("lstm", VoteStatus.LATE), Vote("ppo", VoteStatus.FAILED))
    )
    table = Table(bundle, dict.fromkeys(bundles.EXPERTS, 0.3))
    told = table.forecaster.forecast(table.setup(), recorded)
    counted = dict.fromkeys(("logistic", "lightgbm", "transformer"), VoteStatus.COUNTED)
    assert statuses(told) == {**counted, "lstm": VoteStatus.LATE, "ppo": VoteStatus.FAILED}
    assert [expert.asked for expert in table.experts.values()] == [1, 1, 0, 1, 0]
    assert table.cache.hits + table.cache.misses == 0


def test_it_learns_when_a_setup_ends_from_what_was_said_when_it_was_new(bundle: Bundle) -> None:
    table = Table(bundle)
    table.judge(0, logistic=2.0, lstm=-2.0)
    table.judge(0, logistic=-2.0, lstm=2.0)
    assert table.forecaster.health().resolved == 0
    table.end(0, won=True)
    health = table.forecaster.health()
    assert health.resolved == 1
    assert health.weights["logistic"] > health.weights["lightgbm"] > health.weights["lstm"]
    assert table.forecaster._open == {}


def test_a_setup_that_never_filled_teaches_nothing_and_is_forgotten(bundle: Bundle) -> None:
    table = Table(bundle)
    table.judge(0)
    at = NOW + DAY
    assert table.forecaster._open.keys() == {"s0"}
    table.forecaster.observe(Bars.from_list("1m", [Bar(at, at + MINUTE, 1_100, 1_110, 1_090, 1_100)]), 0, 1)
    assert table.forecaster.health().resolved == 0
    assert table.forecaster._open == {}


def test_sets_adapt_to_what_came(bundle: Bundle) -> None:
    table = Table(bundle, dict.fromkeys(bundles.EXPERTS, 3.0))
    assert table.judge(0).prediction_set is PredictionSet.WIN
    table.end(0, won=False)
    state = bundle.ensemble.conformal
    assert table.forecaster.health().lose_alpha == pytest.approx(state.target - state.gamma * (1.0 - state.target))


def test_what_one_forecaster_learns_is_not_the_bundles(bundle: Bundle) -> None:
    table = Table(bundle)
    table.judge(0, logistic=2.0)
    table.end(0, won=True)
    assert Table(bundle).forecaster.health().weights == dict.fromkeys(bundles.EXPERTS, 0.2)


def test_an_expert_that_drifted_votes_without_counting(bundle: Bundle) -> None:
    table = Table(bundle, dict.fromkeys(bundles.EXPERTS, 0.0))
    number = 0
    while "lstm" not in table.forecaster.health().dropped:
        table.judge(number, lstm=6.0)
        table.end(number, won=False)
        number += 1
    assert number > 3
    told = table.judge(number)
    (vote,) = [vote for vote in told.votes if vote.expert == "lstm"]
    assert (vote.status, vote.weight, vote.log_odds) == (VoteStatus.DROPPED, 0.0, 6.0)
    assert told.source == ForecastSource.ENSEMBLE
    assert told.probability == pytest.approx(0.5)


def test_when_too_few_are_left_base_rates_forecast_and_the_models_come_back(bundle: Bundle) -> None:
    table = Table(bundle, dict.fromkeys(bundles.EXPERTS, 6.0))
    number = 0
    while len(table.forecaster.health().dropped) < 4:
        table.judge(number)
        table.end(number, won=False)
        number += 1
    told = table.judge(number)
    assert (told.source, told.prediction_set, told.abstentions) == (ForecastSource.BASE_RATE, None, ())
    assert told.probability == table.base.forecast(table.setup(number)).probability
    assert {vote.weight for vote in told.votes} == {0.0}
    alpha = table.forecaster.health().lose_alpha
    while table.judge(number, **dict.fromkeys(bundles.EXPERTS, -6.0)).source == ForecastSource.BASE_RATE:
        table.end(number, won=False)
        number += 1
    assert table.forecaster.health().lose_alpha == alpha


def test_inputs_far_from_training_leave_base_rates_alone(bundle: Bundle) -> None:
    table = Table(changed(bundle, drift=msgspec.structs.replace(bundle.drift, memory=100.0)))
    for _ in range(128):
        table.close(5.0)
    assert table.judge().source == ForecastSource.BASE_RATE
    health = table.forecaster.health()
    assert (health.drift, len(health.drifted_columns)) == ("stop", F)


def test_some_drift_puts_weights_back_to_equal(bundle: Bundle) -> None:
    moved = msgspec.structs.replace(bundle.drift, memory=100.0, shrink_share=0.5, stop_share=2.0)
    table = Table(changed(bundle, drift=moved))
    for number in range(5):
        table.judge(number, logistic=2.0)
        table.end(number, won=True)
    learned = {vote.expert: vote.weight for vote in table.judge(7).votes}
    for _ in range(128):
        table.close(5.0)
    equal = {vote.expert: vote.weight for vote in table.judge(8).votes}
    assert learned["logistic"] > equal["logistic"] == pytest.approx(0.225)


def test_it_resumes_exactly(bundle: Bundle) -> None:
    def run(stop_at: int) -> list[Forecast]:
        table, told = Table(bundle), []
        chance = np.random.default_rng(8)
        for number in range(12):
            table.close(float(chance.normal()))
            told.append(table.judge(number, **dict(zip(bundles.EXPERTS, chance.normal(0, 2, 5).tolist(), strict=True))))
            if number == stop_at:
                saved = table.forecaster.snapshot()
                table = Table(bundle)
                table.forecaster.restore(saved)
            table.end(number, won=bool(number % 3))
        return told

    assert run(5) == run(99)


def test_health_names_the_bundle_and_what_was_measured(bundle: Bundle) -> None:
    health = Table(bundle).forecaster.health()
    assert (health.bundle, health.verdict) == (bundle.bundle_id, bundle.manifest.verdict)
    assert (health.schedule.chosen, health.drift, health.dropped) == ("calling thread", "none", ())
    assert set(health.votes) == set(health.drift_detail.experts) == set(bundles.EXPERTS)
    assert health.drift_detail.of == F
    assert health.shared_cache is None


def test_files_of_a_bundle_decide_how_it_is_combined(tmp_path: Path) -> None:
    files = {
        ENSEMBLE: bundles.encoded(bundles.parameters(max_disagreement=0.1)),
        DRIFT: bundles.encoded(bundles.drift(memory=7.0)),
    }
    found = load_bundle(bundles.written(tmp_path, files=files), allow_unsigned=True)
    assert (found.ensemble.max_disagreement, found.drift.memory) == (0.1, 7.0)


def served_by_real_models(bundle: Bundle, **ensemble: Any) -> EnsembleForecaster:
    return EnsembleForecaster(
        bundle,
        BaseRateForecaster(costs(), DecisionSettings()),
        VoteCache(MarketClock(NOW), 0.0),
        ModelSettings(deadline_ms=10_000.0),
        EnsembleSettings(**ensemble),
    )


def test_every_schedule_gives_the_same_forecasts_bit_for_bit(bundle: Bundle) -> None:
    schedules = ("one after another", "threads", "fused")
    forecasters = [served_by_real_models(bundle, schedule=name) for name in schedules]
    told: list[list[Forecast]] = [[] for _ in schedules]
    for row in np.random.default_rng(3).normal(0.0, 1.0, (12, F)):
        features = tuple(row.tolist())
        for forecasts, forecaster in zip(told, forecasters, strict=True):
            forecaster.on_close(features)
            forecasts.append(forecaster.forecast(setup(features=features)))
            forecaster.settle()
    assert told[0] == told[1] == told[2]
    assert {forecaster.health().schedule.chosen for forecaster in forecasters} == set(schedules)
    for forecaster in forecasters:
        forecaster.close()


def test_a_fused_run_that_is_late_leaves_its_votes_out_and_shows_in_health(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecaster = served_by_real_models(bundle, schedule="fused")
    released = threading.Event()

    def hang(*_: object) -> None:
        assert released.wait(60.0)

    monkeypatch.setattr(FusedExperts, "vote", hang)
    forecaster._schedule._deadline_ns = 2_000_000
    forecaster.on_close((0.1,) * F)
    told = forecaster.forecast(setup(features=(0.1,) * F))
    released.set()
    late = dict.fromkeys(set(bundles.EXPERTS) - {"logistic"}, VoteStatus.LATE)
    assert statuses(told).items() >= late.items()
    assert reasons(told)[0] is RefusalReason.QUORUM
    health = forecaster.health()
    assert health.schedule.chosen == "one after another, after a late fused vote"
    assert health.votes["lstm"] == {"late": 1}
    forecaster.close()

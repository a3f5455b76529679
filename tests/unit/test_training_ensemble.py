"""What was backtested is what is served: from fitted experts to a bundle that the forecaster loads."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from smc_trading_agent.decision_engine.base_rate import BaseRateForecaster
from smc_trading_agent.decision_engine.ensemble.bundle import Bundle, load_bundle, write_bundle
from smc_trading_agent.decision_engine.ensemble.cache import VoteCache
from smc_trading_agent.decision_engine.ensemble.forecaster import EnsembleForecaster
from smc_trading_agent.decision_engine.ensemble.inputs import context_row
from smc_trading_agent.decision_engine.training.ensemble import (
    FittedEnsemble,
    bundle_contents,
    expert_entries,
    fit_ensemble,
)
from smc_trading_agent.decision_engine.training.expert import FittedExpert
from smc_trading_agent.decision_engine.training.normaliser import fit_normaliser
from smc_trading_agent.decision_engine.training.registry import FITTERS, fitters
from smc_trading_agent.decision_engine.training.samples import Labels, Samples
from smc_trading_agent.decision_engine.training.settings import NANO, EnsembleFitSettings
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.domain.reasons import PredictionSet, RefusalReason, SetupKind
from smc_trading_agent.domain.settings import DecisionSettings, EnsembleSettings, ModelSettings
from smc_trading_agent.domain.types import Setup
from tests import bundles, fitting

BARS, EVERY = 3_000, 4
SETTINGS = EnsembleFitSettings()


def base_rates() -> BaseRateForecaster:
    costs = CostModel(maker_fee_ppm=200, taker_fee_ppm=500, half_spread_ticks=1, slippage_ppm=100)
    return BaseRateForecaster(costs, DecisionSettings())


def setup_of(given: Samples, row: int) -> Setup:
    """A setup of the sample's side, at its close, with its features."""
    side, reward = int(given.side[row]), 5_000 + 10 * (row % 700)
    return Setup(
        setup_id=given.setup_ids[row],
        instrument="test:BTCUSDT",
        timeframe="15m",
        kind=SetupKind.REVERSAL if row % 3 else SetupKind.CONTINUATION,
        side=side,
        entry=500_000,
        stop=500_000 - side * 5_000,
        target=500_000 + side * reward,
        detected_at=int(given.known_at[row]),
        entry_expires_at=int(given.known_at[row]) + fitting.BAR_NS,
        time_limit_ns=0,
        higher_timeframe_bias=1,
        evidence=(),
        features=tuple(given.tapes[0].features[given.position[row]].tolist()),
    )


class Trained:
    """All experts fitted on one tape, the ensemble of their cross-fitted log-odds, and the bundle of both."""

    def __init__(self, folder: Path) -> None:
        plain = fitting.samples(BARS, EVERY)
        self.setups = [setup_of(plain, row) for row in range(len(plain))]
        base = base_rates()
        rows = [context_row(setup, base.forecast(setup).break_even) for setup in self.setups]
        self.samples = msgspec.structs.replace(plain, context=np.stack(rows))
        self.labels: Labels = fitting.labels(self.samples, fitting.context_tilt(self.samples, 0.8))
        trades = fitting.trades(self.samples)
        self.normaliser = fit_normaliser(self.samples, self.labels)
        self.experts: list[FittedExpert] = []
        self.log_odds: dict[str, np.ndarray] = {}
        for name, fitter in fitters(NANO).items():
            given = self.samples, self.labels, trades, self.normaliser, 1
            self.experts.append(fitter(*given))
            self.log_odds[name] = fitting.cross_fitted(fitter, *given, blocks=2)
        self.fitted = fit_ensemble(self.log_odds, self.samples, self.labels, SETTINGS)
        contents = bundle_contents(self.experts, self.fitted, self.normaliser, self.samples, b"# A card\n")
        entries = expert_entries(self.experts, {"lstm": {"log_loss": 0.6}})
        self.folder = write_bundle(folder, msgspec.structs.replace(bundles.manifest(), experts=entries), contents)


@pytest.fixture(name="trained", scope="module")
def make_trained(training_extra: None, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("bundles"))


def test_every_kind_has_a_fitter_of_its_name(trained: Trained) -> None:
    names = {"logistic", "lightgbm", "lstm", "transformer", "ppo"}
    assert set(FITTERS) == {expert.name for expert in trained.experts} == names


def test_what_was_fitted_is_what_is_served(trained: Trained) -> None:
    bundle: Bundle = load_bundle(trained.folder, allow_unsigned=True)
    forecaster = EnsembleForecaster(
        bundle, base_rates(), VoteCache(MarketClock(), 60.0), ModelSettings(deadline_ms=0.0), EnsembleSettings()
    )
    at = {int(position): row for row, position in enumerate(trained.samples.position)}
    rows, served, forecasts = [], [], []
    for place, features in enumerate(trained.samples.tapes[0].features[:1_000]):
        forecaster.on_close(tuple(features.tolist()))
        forecaster.settle()
        if place in at:
            forecast = forecaster.forecast(trained.setups[at[place]])
            rows.append(at[place])
            served.append({vote.expert: vote.log_odds for vote in forecast.votes})
            forecasts.append(forecast)
    forecaster.close()
    some = trained.samples.take(np.array(rows))
    fitted = {expert.name: expert.log_odds(some) for expert in trained.experts}
    for name, values in fitted.items():
        np.testing.assert_allclose([vote[name] for vote in served], values, atol=1e-5, err_msg=name)
    break_even = np.array([forecast.break_even for forecast in forecasts])
    judged = trained.fitted.judge(fitted, break_even)
    np.testing.assert_allclose([forecast.probability for forecast in forecasts], judged.probability, atol=1e-5)
    abstains = [
        forecast.prediction_set is not PredictionSet.WIN
        or any(detail.reason is RefusalReason.DISAGREEMENT for detail in forecast.abstentions)
        for forecast in forecasts
    ]
    np.testing.assert_array_equal(judged.admitted, ~np.array(abstains))
    assert 0 < judged.admitted.sum() < len(rows)


def test_the_pool_of_what_was_learned_beats_chance_and_means_what_it_says(trained: Trained) -> None:
    p = trained.fitted.probabilities(trained.log_odds)
    scores = np.log(p / (1.0 - p))
    assert fitting.excess_loss(scores, trained.labels) < -0.02
    likely = p > np.median(p)
    for half in (likely, ~likely):
        assert abs(p[half].mean() - trained.labels.outcome[half].mean()) < 0.05


def test_calibrators_are_of_the_experts_and_of_all_labels(trained: Trained) -> None:
    assert {name: calibrator.samples for name, calibrator in trained.fitted.calibrators.items()} == dict.fromkeys(
        trained.log_odds, len(trained.labels)
    )
    own = trained.fitted.calibrated(trained.log_odds)
    assert all(((p > 0.0) & (p < 1.0)).all() for p in own.values())


def random_scores(count: int, seed: int, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(seed)
    return {name: chance.normal(-0.6, 1.0, count) for name in names}


def noise_of(count: int, experts: tuple[str, ...]) -> tuple[FittedEnsemble, dict[str, np.ndarray], Samples, Labels]:
    given = fitting.samples(8 * count + 20, 8)
    given = given.take(np.arange(count))
    labels = fitting.labels(given, np.zeros(count))
    scores = random_scores(count, 9, experts)
    return fit_ensemble(scores, given, labels, SETTINGS), scores, given, labels


def test_experts_that_know_nothing_are_flattened_to_the_base_rate() -> None:
    fitted, scores, _, labels = noise_of(800, ("one", "two"))
    p = fitted.probabilities(scores)
    assert np.abs(p - np.average(labels.outcome, weights=labels.weight)).max() < 0.1
    fresh = random_scores(2_000, 10, ("one", "two"))
    assert fitted.judge(fresh, np.full(2_000, 0.45)).admitted.mean() <= 0.01


def test_no_label_judges_a_calibrator_that_it_helped_to_fit() -> None:
    """Isotonic regression on noise looks sharp on its own labels; the pool is fitted on what it says of others."""
    fitted, scores, _, labels = noise_of(1_500, ("one", "two"))
    own = fitted.calibrated(scores)["one"]
    flattered = fitting.excess_loss(np.log(own / (1.0 - own)), labels)
    assert fitted.losses["one"].mean > flattered
    assert fitted.parameters.recalibration.slope < 0.8


def test_a_vote_that_is_no_number_is_left_out_and_a_capped_expert_is_none_alone() -> None:
    fitted, scores, _, _ = noise_of(400, ("one", "ppo"))
    assert fitted.parameters.pool.caps == {"ppo": 0.1}
    given = {name: values[:4].copy() for name, values in scores.items()}
    given["ppo"][0] = np.nan
    given["one"][1] = np.nan
    p = fitted.probabilities(given)
    assert np.isfinite(p[[0, 2, 3]]).all()
    assert np.isnan(p[1])
    assert not fitted.judge(given, np.full(4, 0.01)).admitted[1]


def test_caps_of_experts_that_are_not_there_are_no_business_of_the_pool() -> None:
    fitted, *_ = noise_of(400, ("one", "two"))
    assert fitted.parameters.pool.caps == {}


def test_what_an_ensemble_cannot_be_fitted_on_is_refused() -> None:
    _, scores, given, labels = noise_of(400, ("one", "two"))
    few = np.arange(10)
    with pytest.raises(SampleError, match="20 labels or more, found 10"):
        fit_ensemble({n: s[few] for n, s in scores.items()}, given.take(few), labels.take(few), SETTINGS)
    with pytest.raises(SampleError, match="align them"):
        fit_ensemble({"one": scores["one"][:5]}, given, labels, SETTINGS)
    broken = scores["two"].copy()
    broken[7] = np.nan
    with pytest.raises(SampleError, match="log-odds of two"):
        fit_ensemble(scores | {"two": broken}, given, labels, SETTINGS)

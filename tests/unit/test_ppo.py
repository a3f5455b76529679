"""PPO finds what is planted and nothing in noise, fits the same from the same seed, and is served as it was fitted."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smc_trading_agent._core import GYM_SIZES, Bar
from smc_trading_agent.decision_engine.ensemble.bundle import load_bundle
from smc_trading_agent.decision_engine.ensemble.exit_policy import OBSERVATION, load_exit
from smc_trading_agent.decision_engine.ensemble.experts import CONTEXT, load_experts
from smc_trading_agent.decision_engine.ensemble.inputs import SETUP_COLUMNS, Normaliser, Scaler, Scaling
from smc_trading_agent.decision_engine.ensemble.policy_outputs import load_sizer
from smc_trading_agent.decision_engine.training.policy_network import forward
from smc_trading_agent.decision_engine.training.ppo import PolicyEvaluation, PpoExpert, PpoFitter, evaluate
from smc_trading_agent.domain.types import Decision, HeldTrade
from tests.bundles import written
from tests.factories import MINUTE, NOW, forecast, setup
from tests.planted_trades import NOISE, PLANTED, C, F, as_they_are, planted

pytestmark = pytest.mark.usefixtures("training_extra")
QUICK = PpoFitter(steps=8_192)


@cache
def fitted(wins: tuple[float, float]) -> tuple[PpoExpert, PolicyEvaluation]:
    """Fitted on some trades, evaluated on others."""
    expert = PpoFitter()(*planted(1_500, wins, 1), as_they_are(), 1)
    return expert, evaluate(expert, *planted(1_000, wins, 2))


def odd_normaliser() -> Normaliser:
    """Centres and scales that are no identity, and a column that never varied."""
    chance = np.random.default_rng(9)
    centre, scale = chance.normal(0.0, 0.2, C), chance.uniform(0.5, 2.0, C)
    centre[F + SETUP_COLUMNS.index("break_even")], scale[3] = 0.35, 0.0
    return Normaliser(Scaling(tuple(centre.tolist()), tuple(scale.tolist())), Scaling((0.0,) * F, (1.0,) * F))


@cache
def quick() -> PpoExpert:
    return QUICK(*planted(200, PLANTED, 1), odd_normaliser(), 1)


def run(data: bytes, given: dict[str, np.ndarray]) -> list[np.ndarray]:
    import onnxruntime

    session: Any = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return list(session.run(None, given))


def test_a_planted_signal_beats_full_size_and_the_policy_before_it_learned() -> None:
    expert, found = fitted(PLANTED)
    _, low, _ = found.gain(found.full_size)
    assert low > 0.02
    assert found.gain(found.best_constant)[1] > 0.02
    assert found.gain(found.untrained)[1] > 0.05
    samples, labels, _ = planted(1_000, PLANTED, 2)
    won = labels.outcome == 1.0
    votes = expert.log_odds(samples)
    assert votes[won].mean() - votes[~won].mean() > votes.std() / 2.0


def test_in_noise_there_is_nothing_to_gain() -> None:
    _, found = fitted(NOISE)
    _, low, high = found.gain(found.full_size)
    assert low < 0.0 < high


def test_full_size_earns_what_labels_say_and_the_baseline_is_the_same_for_any_policy() -> None:
    _, labels, _ = planted(1_000, PLANTED, 2)
    assert fitted(PLANTED)[1].full_size == pytest.approx(labels.net_return, abs=1e-5)


def test_the_best_constant_size_is_the_least_where_trading_loses() -> None:
    gains, zeros = np.array([1.0, -0.5, 2.0]), np.zeros(3)
    assert np.array_equal(PolicyEvaluation(zeros, gains, zeros).best_constant, gains)
    assert np.array_equal(PolicyEvaluation(zeros, -gains, zeros).best_constant, -0.25 * gains)


def test_the_interval_widens_where_neighbours_are_alike() -> None:
    chance = np.random.default_rng(3)
    alone = chance.normal(0.1, 1.0, 400)
    alike = np.repeat(chance.normal(0.1, 1.0, 100), 4)
    nothing = np.zeros(400)

    def width(values: np.ndarray) -> float:
        mean, low, high = PolicyEvaluation(values, nothing, nothing).gain(nothing)
        assert mean == pytest.approx((low + high) / 2.0)
        return (high - low) / values.std()

    assert width(alone) == pytest.approx(2 * 1.96 / 20.0, rel=0.25)
    assert width(alike) > 1.5 * width(alone)


def test_the_same_seed_fits_the_same_policy_and_leaves_the_process_as_it_was() -> None:
    import torch

    trades = planted(200, PLANTED, 1)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    threads = torch.get_num_threads()
    again = QUICK(*trades, odd_normaliser(), 1)
    assert again.export() == quick().export()
    assert QUICK(*trades, odd_normaliser(), 2).export() != quick().export()
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
    assert torch.get_num_threads() == threads


def test_onnx_says_what_the_fitted_policy_says() -> None:
    samples, *_ = planted(200, PLANTED, 3)
    expert = quick()
    rows = Scaler(expert.normaliser.context).apply(samples.context)
    votes, sizes = expert.log_odds(samples), expert.network.at_entry(expert.normaliser.context).sizes(rows)
    graph = expert.export()
    for row, vote, size in zip(rows[:50], votes, sizes, strict=False):
        logit, share = run(graph, {CONTEXT: row[None]})
        assert logit.item() == pytest.approx(vote, abs=1e-5)
        assert share.item() == size
    assert set(sizes.tolist()) <= set(GYM_SIZES)
    assert len(set(votes.tolist())) > 100


def test_the_network_is_the_one_that_stable_baselines_fitted() -> None:
    """Checked before anything is learned, where the same seed makes the same weights by its constructor alone."""
    import torch
    from stable_baselines3 import PPO

    from smc_trading_agent.decision_engine.training.gym_environment import TradeEnvironment

    trades = planted(200, PLANTED, 1)
    environment = TradeEnvironment(*trades, odd_normaliser(), QUICK.lanes, 1)
    observations = environment.reset()
    with torch.random.fork_rng(devices=[]):
        algorithm = PPO("MlpPolicy", environment, policy_kwargs={"net_arch": {"pi": [64, 64], "vf": [64, 64]}}, seed=1)
        with torch.no_grad():
            distributions = algorithm.policy.get_distribution(torch.as_tensor(observations)).distribution
    ours = forward(quick().untrained.actor, observations)
    ours[:, len(GYM_SIZES)] -= 3.5  # the bias towards holding, which the fitter adds
    log_p = np.concatenate([part.logits.numpy() for part in distributions], axis=1)
    for part in (slice(0, len(GYM_SIZES)), slice(len(GYM_SIZES), None)):
        logits = ours[:, part]
        normal = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        assert normal == pytest.approx(log_p[:, part], abs=1e-5)


def test_the_context_row_says_at_entry_what_the_environment_shows() -> None:
    from smc_trading_agent.decision_engine.training.gym_environment import TradeEnvironment

    samples, labels, trades = planted(64, PLANTED, 4)
    normaliser = odd_normaliser()
    observations = TradeEnvironment(samples, labels, trades, normaliser, 64, 0, shuffled=False).reset()
    shown = forward(quick().network.actor, observations)
    rows = Scaler(normaliser.context).apply(samples.context)
    assert forward(quick().network.at_entry(normaliser.context).actor, rows) == pytest.approx(shown, abs=1e-4)


def test_the_exit_graph_gives_the_log_odds_of_leaving() -> None:
    network = quick().network
    observations = np.random.default_rng(5).normal(0.0, 1.0, (40, network.actor[0][0].shape[0])).astype(np.float32)
    leaves = network.actions(observations)[:, 1]
    logits = [run(network.exit_graph(), {OBSERVATION: row[None]})[0].item() for row in observations]
    assert [logit > 0.0 for logit in logits] == (leaves == 1).tolist()
    assert np.unique(leaves).size == 2 or max(logits) < 0.0


def test_the_exit_of_the_exported_file_is_served_too(tmp_path: Path) -> None:
    bundle = load_bundle(written(tmp_path, files={"ppo.onnx": quick().export()}), allow_unsigned=True)
    policy = load_exit(bundle)
    held = HeldTrade("d0", 1, NOW)
    policy.taken(Decision("d0", NOW, setup(), forecast(), None))
    bracket = policy._state.brackets["d0"]
    answers = set()
    for number in range(60):
        bar = Bar(NOW, NOW + MINUTE, *(bracket.entry + number,) * 4)
        features = np.random.default_rng(number).normal(0.0, 1.0, F)
        seen = policy.observe(held, bracket, bar, features)
        left = quick().network.actions(seen[None])[0, 1] == 1
        assert policy.leaves(held, bar, features) == left
        answers.add(bool(left))
    assert answers


def test_a_bundle_serves_the_exported_file(tmp_path: Path) -> None:
    bundle = load_bundle(written(tmp_path, files={"ppo.onnx": quick().export()}), allow_unsigned=True)
    expert = next(expert for expert in load_experts(bundle) if expert.name == "ppo")
    row = np.random.default_rng(6).normal(0.0, 1.0, C).astype(np.float32)
    logit, size = run(quick().export(), {CONTEXT: row[None]})
    assert expert.vote(row) == pytest.approx(logit.item(), abs=1e-6)
    sizer = load_sizer(bundle)
    assert sizer is not None
    assert sizer.size(row) == size.item()
    assert size.item() in GYM_SIZES
    assert np.isnan(expert.vote(np.full(C, np.nan, dtype=np.float32)))

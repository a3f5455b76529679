"""The pool: equal at first, capped, renormalised when a vote is missing, faithful to the better expert."""

from __future__ import annotations

import math

import pytest

from smc_trading_agent.decision_engine.ensemble.calibrators import PlattCalibrator
from smc_trading_agent.decision_engine.ensemble.odds import log_loss, log_odds, sigmoid
from smc_trading_agent.decision_engine.ensemble.pooling import LogOddsPool, PoolParameters, PoolState

EXPERTS = ("lstm", "logistic", "ppo")


def test_a_pool_that_learned_nothing_is_the_mean_of_log_odds() -> None:
    pooled = LogOddsPool.equal(("a", "b"), PoolParameters()).pool({"a": 0.8, "b": 0.5})
    assert pooled.probability == pytest.approx(sigmoid(log_odds(0.8) / 2.0))
    assert pooled.disagreement == pytest.approx(log_odds(0.8) / 2.0)


def test_the_pool_is_recalibrated() -> None:
    pool = LogOddsPool.equal(("a", "b"), PoolParameters(), PlattCalibrator(1.5, -0.2, 100))
    assert pool.pool({"a": 0.7, "b": 0.7}).probability == pytest.approx(sigmoid(1.5 * log_odds(0.7) - 0.2))


def test_a_capped_expert_keeps_to_its_cap_and_the_others_take_the_rest() -> None:
    pool = LogOddsPool.equal(EXPERTS, PoolParameters(caps={"ppo": 0.1}))
    assert pool.weights(dict.fromkeys(EXPERTS, 0.5)) == pytest.approx({"lstm": 0.45, "logistic": 0.45, "ppo": 0.1})
    assert pool.weights({"lstm": 0.5, "ppo": 0.5}) == pytest.approx({"lstm": 0.9, "ppo": 0.1})
    assert pool.is_capped("ppo")
    assert not pool.is_capped("lstm")


def test_a_capped_expert_cannot_carry_a_pool_alone() -> None:
    with pytest.raises(ValueError, match="without a cap"):
        LogOddsPool.equal(EXPERTS, PoolParameters(caps={"ppo": 0.1})).pool({"ppo": 0.9})


def test_a_missing_vote_is_left_out_and_keeps_its_weight() -> None:
    pool = LogOddsPool.equal(("a", "b", "c"), PoolParameters(share=0.0))
    assert pool.weights({"a": 0.5, "c": 0.5}) == pytest.approx({"a": 0.5, "c": 0.5})
    pool.resolve({"a": 0.9, "c": 0.2}, 1.0)
    assert pool.state.weights["b"] == pytest.approx(1 / 3)
    assert pool.state.weights["a"] > 1 / 3 > pool.state.weights["c"]
    pool.resolve({}, 1.0)
    assert pool.state.resolved == 1


def test_weights_move_by_the_formula_and_are_shrunk_by_how_few_labels_there_were() -> None:
    parameters = PoolParameters(eta=0.5, share=0.1, shrinkage=3.0)
    pool = LogOddsPool.equal(("a", "b"), parameters)
    pool.resolve({"a": 0.9, "b": 0.4}, 1.0)
    grown = [0.5 * math.exp(-0.5 * log_loss(p, 1.0)) for p in (0.9, 0.4)]
    learned = 0.9 * grown[0] / sum(grown) + 0.05
    assert pool.state.weights["a"] == pytest.approx(learned)
    assert pool.weights({"a": 0.5, "b": 0.5})["a"] == pytest.approx(0.75 * 0.5 + 0.25 * learned)


def test_one_surprise_counts_for_no_more_than_the_largest_loss() -> None:
    pool = LogOddsPool.equal(("a", "b"), PoolParameters(eta=1.0, share=0.0, shrinkage=0.0))
    pool.resolve({"a": 1e-9, "b": 0.5}, 1.0)
    assert pool.state.weights["a"] / pool.state.weights["b"] == pytest.approx(math.exp(-4.0) / 0.5)


@pytest.mark.parametrize("weights", [{}, {"a": 0.5, "b": 0.6}, {"a": 1.0, "b": 0.0}, {"a": math.nan, "b": 0.5}])
def test_weights_that_are_none_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        LogOddsPool(PoolState(weights), PoolParameters())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [({"eta": -1.0}, "eta"), ({"share": 1.0}, "share"), ({"eta": math.inf}, "eta"), ({"caps": {"a": 2.0}}, "caps")],
)
def test_parameters_out_of_range_are_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        PoolParameters(**given)  # type: ignore[arg-type]

"""What must hold for any votes: calibrators rise, the pool is bounded by its experts, sets cover, states resume."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent.decision_engine.ensemble.calibrators import fit_isotonic, fit_platt
from smc_trading_agent.decision_engine.ensemble.conformal import AdaptiveConformal, fit_conformal
from smc_trading_agent.decision_engine.ensemble.odds import log_loss
from smc_trading_agent.decision_engine.ensemble.pooling import LARGEST_LOSS, LogOddsPool, PoolParameters

LOW = math.exp(-LARGEST_LOSS)
probability = st.floats(LOW, 1.0 - LOW)
labels = st.lists(st.tuples(st.floats(-8.0, 8.0), st.floats(0.0, 1.0), st.floats(0.01, 4.0)), min_size=1, max_size=60)


@given(labels, st.lists(st.floats(-20.0, 20.0), min_size=2, max_size=30))
def test_calibrators_never_fall_and_stay_probabilities(
    rows: list[tuple[float, float, float]], asked: list[float]
) -> None:
    x, y, w = zip(*rows, strict=True)
    for fit in (fit_platt, fit_isotonic):
        answers = fit(x, y, w).apply_many(sorted(asked))
        assert (np.diff(answers) >= 0.0).all()
        assert ((answers >= 0.0) & (answers <= 1.0)).all()


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[dict[str, float], float]]:
    """Votes of two to four experts with what happened, one expert's skill changing at random."""
    seed, count = draw(st.integers(0, 10_000)), draw(st.integers(2, 4))
    chance = np.random.default_rng(seed)
    rounds = draw(st.integers(1, 300))
    truth = chance.random(rounds)
    skill = chance.random((rounds // 50 + 1, count)).repeat(50, axis=0)
    rows = []
    for t in range(rounds):
        votes = skill[t] * truth[t] + (1.0 - skill[t]) * chance.random(count)
        kept = np.clip(votes, LOW, 1.0 - LOW)
        rows.append(({f"e{i}": float(p) for i, p in enumerate(kept)}, float(chance.random() < truth[t])))
    return rows


@given(streams(), st.floats(0.01, 1.0), st.floats(0.0, 0.2))
def test_the_pool_is_never_much_worse_than_the_best_expert(
    rows: list[tuple[dict[str, float], float]], eta: float, share: float
) -> None:
    experts = tuple(rows[0][0])
    pool = LogOddsPool.equal(experts, PoolParameters(eta, share, shrinkage=0.0))
    lost, each = 0.0, dict.fromkeys(experts, 0.0)
    for votes, outcome in rows:
        lost += log_loss(pool.pool(votes).probability, outcome)
        for expert, p in votes.items():
            each[expert] += log_loss(p, outcome)
        pool.resolve(votes, outcome)
    rounds = len(rows)
    bound = (math.log(len(experts)) - rounds * math.log(1.0 - share)) / eta + eta * rounds * LARGEST_LOSS**2 / 8.0
    assert lost <= min(each.values()) + bound + 1e-9


@given(
    st.dictionaries(st.sampled_from("abcde"), probability, min_size=1),
    st.lists(st.tuples(st.dictionaries(st.sampled_from("abcde"), probability), st.floats(0.0, 1.0)), max_size=30),
    st.floats(0.0, 500.0),
)
def test_the_pool_lies_among_its_votes_and_loses_no_more_than_their_mean(
    votes: dict[str, float], history: list[tuple[dict[str, float], float]], shrinkage: float
) -> None:
    pool = LogOddsPool.equal(tuple("abcde"), PoolParameters(shrinkage=shrinkage))
    for past, outcome in history:
        pool.resolve(past, outcome)
    pooled = pool.pool(votes)
    assert min(votes.values()) - 1e-9 <= pooled.probability <= max(votes.values()) + 1e-9
    assert sum(pooled.weights.values()) == pytest.approx(1.0)
    for outcome in (0.0, 0.3, 1.0):
        mean = sum(weight * log_loss(votes[expert], outcome) for expert, weight in pooled.weights.items())
        assert log_loss(pooled.probability, outcome) <= mean + 1e-9


@given(st.lists(st.tuples(st.dictionaries(st.sampled_from("abc"), probability), st.floats(0.0, 1.0)), max_size=40))
def test_a_pool_resumes_exactly(history: list[tuple[dict[str, float], float]]) -> None:
    straight = LogOddsPool.equal(tuple("abc"), PoolParameters())
    stopped = LogOddsPool.equal(tuple("abc"), PoolParameters())
    for votes, outcome in history:
        straight.resolve(votes, outcome)
        stopped.resolve(votes, outcome)
        again = LogOddsPool.equal(tuple("abc"), PoolParameters())
        again.restore(stopped.snapshot())
        stopped = again
    assert stopped.state == straight.state


@given(st.integers(0, 1_000), st.floats(0.05, 0.4), st.integers(0, 400))
def test_sets_follow_the_definition_of_a_conformal_quantile(seed: int, alpha: float, count: int) -> None:
    chance = np.random.default_rng(seed)
    p, b = chance.uniform(0.05, 0.95, count), chance.uniform(0.2, 0.6, count)
    won = (chance.random(count) < p).astype(float)
    conformal = AdaptiveConformal(fit_conformal(p, b, won, alpha))
    asked, needed = chance.uniform(0.05, 0.95, 20), chance.uniform(0.2, 0.6, 20)
    surplus = np.log(p / (1 - p)) - np.log(b / (1 - b))
    for one, other in zip(asked.tolist(), needed.tolist(), strict=True):
        z = math.log(one / (1 - one)) - math.log(other / (1 - other))
        # p-value form: an outcome stays in where more than alpha of its scores, itself included, are as bad.
        lose = (1 + int((surplus[won == 0] >= z).sum())) / (int((won == 0).sum()) + 1) > alpha
        win = (1 + int((surplus[won == 1] <= z).sum())) / (int((won == 1).sum()) + 1) > alpha
        expected = {(True, True): "both", (True, False): "win", (False, True): "lose", (False, False): "neither"}
        assert conformal.predict(one, other).value == expected[win, lose]

"""PBO by hand, against a plain reference, and on worlds whose answer is known; variations of one idea count once."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.overfitting import Measure, effective_trials, overfitting_probability


def plain_cscv(performance: np.ndarray, blocks: int, measure: Measure) -> tuple[list[float], list[float]]:
    """Logits and in-sample measures of CSCV as the paper words it, one split after another."""
    parts = np.array_split(performance, blocks)
    logits, measures = [], []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[b] for b in chosen])
        outside = np.concatenate([parts[b] for b in range(blocks) if b not in chosen])
        scores = [
            half.mean(axis=0) / (half.std(axis=0, ddof=1) if measure == "sharpe" else 1.0) for half in (inside, outside)
        ]
        winner = int(np.argmax(scores[0]))
        rank = 1 + int((scores[1] < scores[1][winner]).sum())
        relative = rank / (performance.shape[1] + 1)
        logits.append(float(np.log(relative / (1.0 - relative))))
        measures.append(float(scores[0][winner]))
    return logits, measures


@pytest.mark.parametrize("measure", ["sharpe", "mean"])
@pytest.mark.parametrize("periods", [60, 67])
def test_it_equals_the_plain_reference(measure: Measure, periods: int) -> None:
    performance = np.random.default_rng(3).normal(0.1, 1.0, size=(periods, 7))
    found = overfitting_probability(performance, blocks=6, measure=measure)
    expected, measures = plain_cscv(performance, 6, measure)
    assert found.logits.tolist() == pytest.approx(expected)
    assert found.in_sample.tolist() == pytest.approx(measures)
    assert found.probability == np.mean(np.array(expected) <= 0.0)


def test_a_winner_that_always_loses_next_time_is_overfit() -> None:
    # A wins the first half and loses the second; B does nothing. The winner of either half is last in the other.
    found = overfitting_probability([[1, 0], [1, 0], [-1, 0], [-1, 0]], blocks=2, measure="mean")
    assert found.probability == 1.0
    assert found.logits.tolist() == pytest.approx([np.log(0.5)] * 2)
    assert found.in_sample.tolist() == [1.0, 0.0]
    assert found.out_of_sample.tolist() == [-1.0, 0.0]
    assert found.loss == 0.5


def test_a_trial_that_is_always_best_is_not_overfit() -> None:
    performance = np.random.default_rng(4).normal(size=(400, 10))
    performance[:, 3] += 1.0
    found = overfitting_probability(performance, blocks=8)
    assert found.probability == 0.0
    assert found.loss == 0.0


def test_noise_is_overfit_in_half_of_all_worlds() -> None:
    worlds = [np.random.default_rng(seed).normal(size=(240, 20)) for seed in range(40)]
    mean = np.mean([overfitting_probability(world, blocks=8).probability for world in worlds])
    assert 0.4 < mean < 0.6


def test_trials_that_never_trade_are_a_tie_and_so_no_skill() -> None:
    assert overfitting_probability(np.zeros((20, 5)), blocks=4).probability == 1.0


def test_sixteen_blocks_of_a_hundred_trials() -> None:
    performance = np.random.default_rng(5).normal(size=(1000, 100))
    assert overfitting_probability(performance).logits.shape == (12_870,)


@pytest.mark.parametrize("blocks", [0, 3, 22])
def test_blocks_must_pair_up_and_hold_something(blocks: int) -> None:
    with pytest.raises(SampleError, match=f"blocks={blocks} must be even, from 2 to half of the 40 periods"):
        overfitting_probability(np.ones((40, 2)), blocks=blocks)


def test_one_trial_can_not_be_ranked() -> None:
    with pytest.raises(SampleError, match=r"performance has shape \(40, 1\)"):
        overfitting_probability(np.ones((40, 1)))


def test_variations_of_three_ideas_count_as_three() -> None:
    generator = np.random.default_rng(6)
    ideas = generator.normal(size=(500, 3))
    performance = np.repeat(ideas, [5, 10, 1], axis=1) + 0.3 * generator.normal(size=(500, 16))
    count, labels = effective_trials(performance)
    assert count == 3
    assert labels.tolist() == [0] * 5 + [1] * 10 + [2]


def test_unrelated_trials_all_count() -> None:
    assert effective_trials(np.random.default_rng(7).normal(size=(500, 30)))[0] == 30


def test_average_linkage_by_hand() -> None:
    # Correlations: A-B 0.8; A-C 0.6 and B-C 0, so C and {A, B} correlate 0.3 on average.
    a, b, c = [1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.6, -0.8, 0.0]
    basis = np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / 2.0
    performance = (np.array([a, b, c]) @ basis).T
    assert effective_trials(performance, threshold=0.85)[0] == 3
    assert effective_trials(performance, threshold=0.5)[1].tolist() == [0, 0, 1]
    assert effective_trials(performance, threshold=0.3)[0] == 1


def test_trials_that_never_trade_are_one() -> None:
    performance = np.random.default_rng(8).normal(size=(100, 6))
    performance[:, [1, 4, 5]] = 0.0
    count, labels = effective_trials(performance)
    assert count == 4
    assert labels[1] == labels[4] == labels[5]


def test_a_threshold_is_a_correlation() -> None:
    with pytest.raises(SampleError, match="threshold=1.5"):
        effective_trials(np.ones((5, 2)), threshold=1.5)

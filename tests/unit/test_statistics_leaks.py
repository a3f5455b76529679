"""Placebos do what they say; the audit names planted leaks of any kind and strength, and lets honest features pass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.leaks import AuditLimits, Symptom, audit_leaks
from smc_trading_agent.research.statistics.placebos import (
    lag_entries,
    placebo_p_value,
    plant_leak,
    shuffle_within_blocks,
)

SEEDS = range(5)


class World(NamedTuple):
    """Features, outcomes and lives of setups; some features remember, some miss values, column 1 has a true edge."""

    features: np.ndarray
    outcomes: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    names: list[str]


def honest_world(seed: int, samples: int = 4000, columns: int = 12, edge: float = 0.4) -> World:
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(samples, columns))
    for row in range(1, samples):
        features[row, ::2] = 0.97 * features[row - 1, ::2] + 0.24 * features[row, ::2]
    features[generator.random(features.shape) < 0.02] = np.nan
    logit = edge * np.nan_to_num(features[:, 1]) - 0.3
    outcomes = (generator.random(samples) < 1.0 / (1.0 + np.exp(-logit))).astype(float)
    starts = np.arange(samples) * 60
    return World(
        features, outcomes, starts, starts + generator.integers(10, 300, samples), [f"f{i}" for i in range(columns)]
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_honest_features_pass_and_a_true_edge_is_no_leak(seed: int) -> None:
    world = honest_world(seed)
    audit = audit_leaks(*world, recompute=lambda row: world.features[row])
    assert audit.leaks == audit.suspects == ()
    assert audit.recomputed == 100
    assert 0.55 < audit.features[1].auc < 0.65
    assert all(0.44 < feature.auc < 0.55 for feature in audit.features if feature.name != "f1")


@pytest.mark.parametrize("seed", SEEDS)
def test_without_recomputation_a_strong_edge_is_a_suspicion(seed: int) -> None:
    audit = audit_leaks(*honest_world(seed, edge=0.7))
    assert audit.leaks == ()
    assert audit.suspects == ("f1",)
    assert audit.features[1].symptoms == (Symptom.OUTLIER,)
    assert audit.features[1].differing is None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_planted_label_is_named_even_without_recomputation(seed: int) -> None:
    world = honest_world(seed)
    planted = world._replace(features=plant_leak(world.features, world.outcomes, column=7, strength=0.5, seed=seed))
    audit = audit_leaks(*planted)
    assert audit.leaks == ("f7",)
    assert Symptom.IMPLAUSIBLE in audit.features[7].symptoms


@pytest.mark.parametrize("strength", [0.01, 0.1, 1.0])
def test_recomputation_names_a_leak_too_weak_to_be_seen(strength: float) -> None:
    world = honest_world(1)
    planted = plant_leak(world.features, world.outcomes, column=7, strength=strength, seed=1)
    audit = audit_leaks(*world._replace(features=planted), recompute=lambda row: world.features[row])
    assert audit.leaks == ("f7",)
    assert audit.features[7].differing == 1.0
    assert Symptom.NOT_CAUSAL in audit.features[7].symptoms


def test_a_centred_mean_is_no_feature() -> None:
    """The common accident: a filter that looks both ways, computed on the whole series."""
    prices = np.random.default_rng(2).normal(size=3000).cumsum()

    def smoothed(series: np.ndarray) -> np.ndarray:
        padded = np.concatenate([np.full(2, series[0]), series, np.full(2, series[-1])])
        return np.convolve(padded, np.full(5, 0.2), mode="valid")

    def trailing(series: np.ndarray) -> np.ndarray:
        return series - np.concatenate([np.full(5, series[0]), series[:-5]])

    def features(series: np.ndarray) -> np.ndarray:
        return np.column_stack([series - smoothed(series), trailing(series)])

    rows = np.arange(10, 2900, 10)
    audit = audit_leaks(
        features(prices)[rows],
        prices[rows + 10] > prices[rows],
        rows,
        rows + 10,
        ["centred", "trailing"],
        recompute=lambda row: features(prices[: rows[row] + 1])[-1],
    )
    assert audit.leaks == ("centred",)


def test_a_missing_value_may_leak_too() -> None:
    world = honest_world(3)
    world.features[world.outcomes == 1.0, 4] = np.nan
    assert audit_leaks(*world).leaks == ("f4",)


def test_an_effect_that_is_not_monotone_is_seen() -> None:
    world = honest_world(4)
    world.features[:, 5] = np.where(world.outcomes == 1.0, 0.1, 2.0) * np.random.default_rng(1).normal(size=4000)
    assert audit_leaks(*world).leaks == ("f5",)


@pytest.mark.parametrize("seed", SEEDS)
def test_knowing_the_next_label_better_than_the_last_is_suspicious(seed: int) -> None:
    world = honest_world(seed)
    following = np.searchsorted(world.starts, world.ends, side="right")
    world.features[:, 4] = np.random.default_rng(seed).normal(size=4000)
    known = following < 4000
    world.features[known, 4] += world.outcomes[following[known]]
    audit = audit_leaks(*world)
    assert "f4" in audit.suspects
    assert audit.features[4].symptoms == (Symptom.AHEAD,)
    ahead, behind = audit.features[4].ahead, audit.features[4].behind
    assert ahead is not None
    assert behind is not None
    assert ahead > 0.6 > 0.55 > behind


def test_remembering_the_last_label_is_honest() -> None:
    world = honest_world(5)
    world.features[:, 4] = np.random.default_rng(5).normal(size=4000)
    resolved = np.array([np.flatnonzero(world.ends[:row] < start)[-1:].sum() for row, start in enumerate(world.starts)])
    world.features[10:, 4] += 2.0 * world.outcomes[resolved[10:]]
    audit = audit_leaks(*world)
    assert audit.features[4].symptoms == ()
    assert audit.features[4].behind is not None
    assert audit.features[4].behind > 0.6


def test_the_distance_of_the_barriers_is_no_foresight_where_the_baseline_is_known() -> None:
    generator = np.random.default_rng(6)
    reward = np.exp(generator.uniform(-1.2, 2.0, 6000))
    baseline = 1.0 / (1.0 + reward)
    outcomes = (generator.random(6000) < baseline).astype(float)
    features = np.column_stack([reward, generator.normal(size=6000)])
    starts = np.arange(6000) * 60
    life = (starts, starts + 30, ["reward", "noise"])
    assert audit_leaks(features, outcomes, *life).leaks == ("reward",)
    assert audit_leaks(features, outcomes, *life, baseline=baseline).leaks == ()
    planted = plant_leak(features, outcomes, column=1, strength=0.5, seed=1)
    assert audit_leaks(planted, outcomes, *life, baseline=baseline).leaks == ("noise",)


def test_an_edge_within_strata_is_seen_through_an_opposite_one_between_them() -> None:
    generator = np.random.default_rng(11)
    ease, skill = generator.normal(size=(2, 8000))
    outcomes = (generator.random(8000) < 1.0 / (1.0 + np.exp(-(1.5 * ease + skill)))).astype(float)
    starts = np.arange(8000) * 60
    features = (skill - 3.0 * ease)[:, None]
    audit = audit_leaks(features, outcomes, starts, starts + 30, ["skill"], baseline=1.0 / (1.0 + np.exp(-1.5 * ease)))
    assert audit.features[0].auc > 0.6


def test_lives_that_touch_are_not_disjoint() -> None:
    outcomes = np.random.default_rng(12).integers(0, 2, 3000).astype(float)
    starts = np.arange(3000) * 60
    shifted = np.column_stack([np.roll(outcomes, -lag) for lag in (1, 2, -1, -2)])
    audit = audit_leaks(shifted, outcomes, starts, starts + 60, ["next", "after next", "last", "before last"])
    assert [round(feature.ahead or 0.0, 1) for feature in audit.features] == [0.5, 1.0, 0.5, 0.5]
    assert [round(feature.behind or 0.0, 1) for feature in audit.features] == [0.5, 0.5, 0.5, 1.0]


def test_copies_of_a_label_are_one_piece_of_evidence() -> None:
    outcomes = np.tile([0.0, 1.0], 500)
    starts = np.arange(1000) * 60
    features = np.random.default_rng(13).normal(size=(1000, 2))
    once = audit_leaks(features, outcomes, starts, starts + 30, ["a", "b"])
    tenfold = audit_leaks(
        *(np.repeat(a, 10, axis=0) for a in (features, outcomes, starts, starts + 30)), names=["a", "b"]
    )
    assert once.features[0].standard_error == pytest.approx(np.sqrt(1001 / (12 * 500 * 500)))
    assert tenfold.features[0].standard_error == pytest.approx(once.features[0].standard_error)


def test_a_high_auc_of_a_few_samples_proves_nothing() -> None:
    world = honest_world(14, samples=300, edge=0.0)
    audit = audit_leaks(*world, limits=AuditLimits(implausible_auc=0.5, suspicious_auc=0.5))
    assert any(feature.auc > 0.5 for feature in audit.features)
    assert audit.leaks == audit.suspects == ()


def test_one_of_many_that_all_predict_is_no_outlier() -> None:
    generator = np.random.default_rng(15)
    outcomes = generator.integers(0, 2, 4000).astype(float)
    features = np.linspace(0.0, 0.6, 12) * outcomes[:, None] + generator.normal(size=(4000, 12))
    starts = np.arange(4000) * 60
    audit = audit_leaks(features, outcomes, starts, starts + 30, [f"f{i}" for i in range(12)])
    assert audit.features[11].auc > 0.5 + 10.0 * audit.features[11].standard_error
    assert audit.leaks == audit.suspects == ()


def test_labels_too_long_for_a_disjoint_other_have_no_shifted_auc() -> None:
    world = honest_world(7, samples=400)
    # Each label overlaps 150 later ones: two folds of 200 leave something to fit on, pairs of labels don't.
    audit = audit_leaks(*world._replace(ends=world.starts + 60 * 150), limits=AuditLimits(folds=2))
    assert (audit.leaks, audit.features[0].ahead, audit.features[0].behind) == ((), None, None)


def test_what_can_not_be_audited_is_named() -> None:
    world = honest_world(8, samples=60)
    with pytest.raises(SampleError, match=r"features have shape \(60, 12\); 2 columns are named"):
        audit_leaks(*world._replace(names=["a", "b"]))
    with pytest.raises(SampleError, match="no fold of 60 samples holds both outcomes"):
        audit_leaks(*world._replace(outcomes=np.ones(60)))
    with pytest.raises(SampleError, match="infinities"):
        audit_leaks(*world._replace(features=np.full((60, 12), np.inf)))
    with pytest.raises(SampleError, match=r"the baseline has shape \(2,\)"):
        audit_leaks(*world, baseline=[0.5, 0.5])
    with pytest.raises(SampleError, match=r"recomputed features have shape \(60, 3\)"):
        audit_leaks(*world, recompute=lambda _: np.zeros(3))


def test_shuffling_keeps_each_block_and_breaks_the_tie() -> None:
    rows = shuffle_within_blocks(1050, 100, seed=1)
    assert (rows // 100).tolist() == (np.arange(1050) // 100).tolist()
    assert sorted(rows) == list(range(1050))
    assert (rows == np.arange(1050)).mean() < 0.05
    assert rows.tolist() == shuffle_within_blocks(1050, 100, seed=1).tolist()
    assert rows.tolist() != shuffle_within_blocks(1050, 100, seed=2).tolist()


def test_shuffled_labels_take_the_edge_and_the_leak_away() -> None:
    world = honest_world(9)
    planted = world._replace(features=plant_leak(world.features, world.outcomes, column=7, strength=0.9, seed=1))
    rows = shuffle_within_blocks(4000, 200, seed=3)
    audit = audit_leaks(*planted._replace(outcomes=world.outcomes[rows]))
    assert audit.leaks == audit.suspects == ()


def test_late_entries_move_and_fall_off_the_end() -> None:
    late = lag_entries([0, 5, 8, 9], lag=1, bars=10)
    assert (late.bars.tolist(), late.kept.tolist()) == ([1, 6, 9], [0, 1, 2])


def test_a_placebo_p_value_by_hand() -> None:
    assert placebo_p_value(2.0, [1.0, 2.0, 3.0]) == 3 / 4
    assert placebo_p_value(9.0, np.zeros(99)) == 1 / 100


def test_a_planted_leak_is_as_strong_as_said_and_leaves_the_rest() -> None:
    world = honest_world(10)
    planted = plant_leak(world.features, world.outcomes, column=3, strength=0.4, seed=1)
    assert np.corrcoef(planted[:, 3], world.outcomes)[0, 1] == pytest.approx(0.4, abs=0.03)
    others = [column for column in range(12) if column != 3]
    np.testing.assert_array_equal(planted[:, others], world.features[:, others])
    assert np.isfinite(planted[:, 3]).all()
    constant = plant_leak(np.ones((4, 1)), [0, 1, 0, 1], column=0, strength=1.0, seed=1)
    assert constant[:, 0].tolist() == [-1.0, 1.0, -1.0, 1.0]


def test_placebos_that_make_no_sense_are_named() -> None:
    with pytest.raises(SampleError, match="a block of 1"):
        shuffle_within_blocks(10, 1, seed=1)
    with pytest.raises(SampleError, match="lag=0"):
        lag_entries([1], lag=0, bars=5)
    with pytest.raises(SampleError, match="entries reach from bar 1 to 5; there are 5 bars"):
        lag_entries([1, 5], lag=1, bars=5)
    with pytest.raises(SampleError, match="column 2"):
        plant_leak(np.ones((4, 2)), [0, 1, 0, 1], column=2, strength=0.5, seed=1)
    with pytest.raises(SampleError, match="strength=0.0"):
        plant_leak(np.ones((4, 2)), [0, 1, 0, 1], column=0, strength=0.0, seed=1)

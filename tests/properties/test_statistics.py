"""What must hold of the statistics for any input: no overlap after purging, sums of weights, bounds, symmetries."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smc_trading_agent.research.statistics.calibration import brier, log_loss, reliability_curve
from smc_trading_agent.research.statistics.calibration_error import calibration_error
from smc_trading_agent.research.statistics.overfitting import effective_trials, overfitting_probability
from smc_trading_agent.research.statistics.sharpe import deflated_sharpe
from smc_trading_agent.research.statistics.splits import (
    combinatorial_splits,
    path_assignment,
    path_count,
    uniqueness_weights,
    walk_forward_splits,
)

HORIZON = 10_000


@st.composite
def lives(draw: st.DrawFn, least: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Labels that start anywhere and live for anything, some of them a moment only."""
    starts = np.sort(draw(hnp.arrays(np.int64, st.integers(least, 40), elements=st.integers(0, HORIZON))))
    lengths = draw(hnp.arrays(np.int64, starts.size, elements=st.integers(0, HORIZON // 20)))
    return starts, starts + lengths


@st.composite
def group_counts(draw: st.DrawFn) -> tuple[int, int]:
    groups = draw(st.integers(2, 7))
    return groups, draw(st.integers(1, groups - 1))


def allowed(starts: np.ndarray, ends: np.ndarray, blocks: list[list[int]], embargo: int) -> list[int]:
    """The definition, pair by pair: no overlap with any test life, no start within the embargo after a block."""
    tested = {row for block in blocks for row in block}
    kept = []
    for row in range(starts.size):
        overlaps = any(starts[row] <= ends[other] and ends[row] >= starts[other] for other in tested)
        embargoed = any(max(ends[block]) <= starts[row] <= max(ends[block]) + embargo for block in blocks)
        if row not in tested and not overlaps and not embargoed:
            kept.append(row)
    return kept


@given(lives=lives(), counts=group_counts(), embargo=st.integers(0, HORIZON // 10))
def test_splits_are_the_definition_applied_to_every_pair(
    lives: tuple[np.ndarray, np.ndarray], counts: tuple[int, int], embargo: int
) -> None:
    starts, ends = lives
    groups, test_groups = counts
    stretches = [part.tolist() for part in np.array_split(np.arange(starts.size), groups)]
    expected = [
        (chosen, allowed(starts, ends, [stretches[group] for group in chosen], embargo))
        for chosen in combinations(range(groups), test_groups)
    ]
    if all(kept for _, kept in expected):
        splits = combinatorial_splits(starts, ends, groups, test_groups, embargo)
        assert [(split.groups, split.train.tolist()) for split in splits] == expected
    else:
        with pytest.raises(Exception, match="nothing is left to fit on"):
            combinatorial_splits(starts, ends, groups, test_groups, embargo)


@given(samples=st.integers(20, 60), length=st.integers(0, 2), embargo=st.integers(0, 2), groups=st.integers(4, 6))
def test_labels_of_one_length_are_purged_by_a_count_of_rows(
    samples: int, length: int, embargo: int, groups: int
) -> None:
    """Where all labels last as long and one starts each ns, purging by life is what a purge by rows does."""
    starts = np.arange(samples)
    for split in combinatorial_splits(starts, starts + length, groups, 2, embargo):
        barred = np.zeros(samples, dtype=bool)
        for group in split.groups:
            block = np.array_split(starts, groups)[group]
            barred[max(0, block[0] - length) : block[-1] + length + embargo + 1] = True
        assert split.train.tolist() == np.flatnonzero(~barred).tolist()


@given(counts=group_counts())
def test_each_path_covers_every_group_once_and_each_test_serves_one_path(counts: tuple[int, int]) -> None:
    groups, test_groups = counts
    table = path_assignment(groups, test_groups)
    assert table.shape == (path_count(groups, test_groups), groups)
    chosen = list(combinations(range(groups), test_groups))
    served = [(int(split), group) for path in table for group, split in enumerate(path)]
    assert sorted(served) == sorted((split, group) for split, members in enumerate(chosen) for group in members)


@given(lives=lives(least=16), folds=st.integers(1, 3), window=st.none() | st.integers(2, 3))
def test_walking_forward_never_fits_on_what_is_unresolved(
    lives: tuple[np.ndarray, np.ndarray], folds: int, window: int | None
) -> None:
    starts, ends = lives[0] + 10 * HORIZON * np.arange(lives[0].size), lives[1] + 10 * HORIZON * np.arange(
        lives[0].size
    )
    walk = walk_forward_splits(starts, ends, folds, 0.25, window)
    for split in (*walk.folds, walk.holdout):
        assert ends[split.train].max() < starts[split.test].min()
    tested = np.concatenate([split.test for split in (*walk.folds, walk.holdout)])
    assert tested.tolist() == list(range(tested[0], starts.size))


@given(lives=lives(least=1))
def test_weighted_lengths_add_up_to_the_time_that_is_covered(lives: tuple[np.ndarray, np.ndarray]) -> None:
    starts, ends = lives
    weights = uniqueness_weights(starts, ends)
    covered, reached = 0, -1
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    assert ((weights > 0.0) & (weights <= 1.0 + 1e-12)).all()
    assert float(weights @ (ends - starts)) == pytest.approx(covered, rel=1e-9)


returns = hnp.arrays(np.float64, st.integers(3, 60), elements=st.floats(-1.0, 1.0, width=32)).filter(
    lambda values: float(np.ptp(values)) > 1e-3
)


@given(returns=returns, trials=st.floats(1.0, 1e6), spread=st.floats(0.0, 2.0), more=st.floats(1.0, 10.0))
def test_deflating_lowers_and_more_tries_lower_more(
    returns: np.ndarray, trials: float, spread: float, more: float
) -> None:
    once = deflated_sharpe(returns, trials, spread)
    assert 0.0 <= once.deflated <= once.probabilistic <= 1.0
    assert deflated_sharpe(returns, trials * more, spread).deflated <= once.deflated


tables = hnp.arrays(
    np.float64, st.tuples(st.integers(8, 24), st.integers(2, 6)), elements=st.floats(-1.0, 1.0, width=32)
)


@given(table=tables, measure=st.sampled_from(["sharpe", "mean"]))
def test_overfitting_is_a_probability_whatever_is_measured(table: np.ndarray, measure: str) -> None:
    found = overfitting_probability(table, blocks=4, measure="mean" if measure == "mean" else "sharpe")
    assert 0.0 <= found.probability <= 1.0
    assert found.logits.shape == (6,)
    assert np.isfinite(found.logits).all()


@given(table=tables)
def test_there_are_between_one_and_all_trials(table: np.ndarray) -> None:
    count, labels = effective_trials(table)
    assert 1 <= count <= table.shape[1]
    assert sorted(set(labels.tolist())) == list(range(count))
    # A copy of every trial is nothing new.
    assert effective_trials(np.hstack([table, table]))[0] == count


@st.composite
def forecasts(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = draw(st.integers(1, 50))
    # Few different values, so that ties are common.
    probabilities = draw(hnp.arrays(np.int64, count, elements=st.integers(0, 20))) / 20.0
    outcomes = draw(hnp.arrays(np.int64, count, elements=st.integers(0, 1)))
    weights = draw(hnp.arrays(np.int64, count, elements=st.integers(1, 5)))
    return probabilities, outcomes.astype(np.float64), weights.astype(np.float64)


@given(forecasts=forecasts(), bins=st.integers(1, 12))
def test_scores_are_bounded_and_the_parts_add_up(
    forecasts: tuple[np.ndarray, np.ndarray, np.ndarray], bins: int
) -> None:
    found, curve = brier(*forecasts, bins=bins), reliability_curve(*forecasts, bins=bins)
    parts = found.reliability - found.resolution + found.uncertainty + found.within
    assert parts == pytest.approx(found.score)
    assert 0.0 <= found.score <= 1.0
    assert 0.0 <= calibration_error(*forecasts, bins=bins) <= 1.0
    assert log_loss(*forecasts) >= 0.0
    assert curve.weight.sum() == pytest.approx(forecasts[2].sum())
    assert curve.samples.sum() == forecasts[0].size
    assert (np.diff(curve.forecast) > 0.0).all()
    assert ((curve.low <= curve.observed + 1e-9) & (curve.observed <= curve.high + 1e-9)).all()


@given(forecasts=forecasts(), bins=st.integers(1, 12))
def test_an_integer_weight_is_that_many_samples(
    forecasts: tuple[np.ndarray, np.ndarray, np.ndarray], bins: int
) -> None:
    probabilities, outcomes, weights = forecasts
    times = weights.astype(int)
    repeated = np.repeat(probabilities, times), np.repeat(outcomes, times)
    assert calibration_error(*forecasts, bins=bins) == pytest.approx(calibration_error(*repeated, bins=bins))
    assert log_loss(*forecasts) == pytest.approx(log_loss(*repeated))
    assert brier(*forecasts, bins=bins).reliability == pytest.approx(brier(*repeated, bins=bins).reliability)

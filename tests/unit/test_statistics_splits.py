"""Purged splits and uniqueness against small cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.splits import (
    combinatorial_splits,
    path_assignment,
    path_count,
    uniqueness_weights,
    walk_forward_splits,
)


def fixed(samples: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """One sample each ns, all of one length."""
    starts = np.arange(samples)
    return starts, starts + length


def test_a_label_that_reaches_the_test_block_is_purged_and_its_followers_wait_out_the_embargo() -> None:
    splits = combinatorial_splits(*fixed(9, 1), groups=3, test_groups=1, embargo=1)
    assert [split.test.tolist() for split in splits] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    # The middle block lives from 3 to 6: 2 ends at 3 and 6 starts at 6; 7 is within the embargo.
    assert [split.train.tolist() for split in splits] == [[5, 6, 7, 8], [0, 1, 8], [0, 1, 2, 3, 4]]


def test_one_long_label_purges_by_its_life_not_by_its_row() -> None:
    starts, ends = fixed(9, 0)
    ends[0] = 4  # trains only where the middle block is not judged
    ends[5] = 7  # judged in the middle block: rows 6 and 7 overlap it
    middle = combinatorial_splits(starts, ends, groups=3, test_groups=1, embargo=0)[1]
    assert middle.train.tolist() == [1, 2, 8]


def test_two_test_groups_leave_what_neither_spoils() -> None:
    splits = combinatorial_splits(*fixed(8, 0), groups=4, test_groups=2, embargo=1)
    assert [split.groups for split in splits] == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    assert splits[1].test.tolist() == [0, 1, 4, 5]
    assert splits[1].train.tolist() == [3, 7]


def test_the_default_of_the_protocol_makes_15_splits_and_5_paths() -> None:
    assert len(combinatorial_splits(*fixed(60, 1), groups=6, test_groups=2, embargo=0)) == 15
    assert path_count(6, 2) == 5
    assert path_assignment(6, 2).shape == (5, 6)


def test_paths_of_three_groups() -> None:
    # Splits: 0 tests (0, 1), 1 tests (0, 2), 2 tests (1, 2).
    assert path_assignment(3, 2).tolist() == [[0, 0, 1], [1, 2, 2]]


def test_walking_forward_fits_on_what_is_resolved_and_keeps_the_end() -> None:
    folds, holdout = walk_forward_splits(*fixed(12, 2), folds=2, holdout_share=0.25)
    assert [fold.test.tolist() for fold in folds] == [[3, 4, 5], [6, 7, 8]]
    assert [fold.train.tolist() for fold in folds] == [[0], [0, 1, 2, 3]]
    assert holdout.test.tolist() == [9, 10, 11]
    assert holdout.train.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_a_window_forgets_the_oldest_stretch() -> None:
    folds, holdout = walk_forward_splits(*fixed(12, 0), folds=2, holdout_share=0.25, window=1)
    assert [fold.train.tolist() for fold in folds] == [[0, 1, 2], [3, 4, 5]]
    assert holdout.train.tolist() == [6, 7, 8]


def test_uniqueness_by_hand() -> None:
    # [0, 4] is alone for 2 of 4 and shares the rest; [2, 6] likewise; [10, 11] is alone.
    assert uniqueness_weights([0, 2, 10], [4, 6, 11]).tolist() == [0.75, 0.75, 1.0]
    assert uniqueness_weights([0, 0, 0], [9, 9, 9]).tolist() == pytest.approx([1 / 3] * 3)


def test_a_label_of_no_length_shares_its_moment() -> None:
    assert uniqueness_weights([0, 5, 5], [5, 5, 5]).tolist() == pytest.approx([1.0, 1 / 3, 1 / 3])


@pytest.mark.parametrize(
    ("starts", "ends", "said"),
    [
        ([0, 2, 1], [3, 3, 3], "starts must not decrease"),
        ([0, 1, 2], [3, 0, 3], "sample 1 ends before it starts"),
        ([0.0, 1.0, 2.0], [3, 3, 3], "must be integers"),
        ([0, 1, 2], [3, 3], "must be one-dimensional, equal"),
        ([], [], "not empty"),
        ([0, 1], [3, 3], "2 samples are too few for 3 groups"),
        ([0, 1, 2], [9, 9, 9], "nothing is left to fit on"),
    ],
)
def test_samples_that_make_no_splits_are_named(starts: list[float], ends: list[int], said: str) -> None:
    with pytest.raises(SampleError, match=said):
        combinatorial_splits(starts, ends, groups=3, test_groups=1, embargo=0)


def test_settings_that_make_no_splits_are_named() -> None:
    with pytest.raises(SampleError, match="test_groups=3 must be at least 1 and below groups=3"):
        combinatorial_splits(*fixed(9, 0), groups=3, test_groups=3, embargo=0)
    with pytest.raises(SampleError, match="the embargo is -1 ns"):
        combinatorial_splits(*fixed(9, 0), groups=3, test_groups=1, embargo=-1)
    with pytest.raises(SampleError, match="holdout_share=1.0"):
        walk_forward_splits(*fixed(9, 0), folds=2, holdout_share=1.0)
    with pytest.raises(SampleError, match="too few for 9 folds"):
        walk_forward_splits(*fixed(9, 0), folds=9, holdout_share=0.2)

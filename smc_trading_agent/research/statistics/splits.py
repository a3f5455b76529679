"""Splits of samples whose labels live over time: what a model is fitted on never overlaps what it is judged on.

A sample is known at t0 and its label is resolved at t1. Lives are closed intervals [t0, t1]: two that touch overlap.
López de Prado, "Advances in Financial Machine Learning" (2018), chapters 4 (uniqueness), 7 (purging, embargo) and 12
(combinatorial cross-validation); here everything goes by time, never by a count of rows, since labels differ in length.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.arrays import Floats, Indices, Times, intervals_of


class Split(NamedTuple):
    """Row numbers to fit on and to judge on, both ascending; ``groups`` are the groups of time that ``test`` covers."""

    train: Indices
    test: Indices
    groups: tuple[int, ...]


class WalkForward(NamedTuple):
    """Splits in order of time, and the last stretch: to be judged on once, when nothing is left to choose."""

    folds: tuple[Split, ...]
    holdout: Split


def combinatorial_splits(
    starts: ArrayLike, ends: ArrayLike, groups: int, test_groups: int, embargo: int
) -> tuple[Split, ...]:
    """All C(groups, test_groups) purged splits, in lexicographic order of their test groups.

    ``starts`` and ``ends`` are t0 and t1 in ns, shape (n,), ``starts`` ascending. Groups are stretches of as equal a
    number of samples as can be. A training sample is left out where its life overlaps one of a test sample, or where
    it starts within ``embargo`` ns after the last label of a test stretch. With one test group it is purged k-fold.
    """
    first, last = intervals_of(starts, ends)
    _check_groups(groups, test_groups, first.size)
    if embargo < 0:
        raise SampleError(f"the embargo is {embargo} ns; it must be 0 or more")
    stretches = np.array_split(np.arange(first.size, dtype=np.intp), groups)
    spoilt = [_spoilt(first, last, stretch, embargo) for stretch in stretches]
    splits = []
    for chosen in combinations(range(groups), test_groups):
        keep = np.ones(first.size, dtype=bool)
        for group in chosen:
            keep &= ~spoilt[group]
            keep[stretches[group]] = False
        test = np.concatenate([stretches[group] for group in chosen])
        splits.append(_fittable(Split(np.flatnonzero(keep), test, chosen)))
    return tuple(splits)


def path_count(groups: int, test_groups: int) -> int:
    """Full paths that the splits make together: k/N * C(N, k) = C(N - 1, k - 1), N groups of which k are tested."""
    _check_groups(groups, test_groups, groups)
    return comb(groups - 1, test_groups - 1)


def path_assignment(groups: int, test_groups: int) -> Indices:
    """Which split (position in `combinatorial_splits`) judges which group in which path. Shape (paths, groups).

    Each group is tested in as many splits as there are paths; path p takes the p-th of them. So a path covers each
    group once, and each (split, test group) pair serves in exactly one path.
    """
    chosen = list(combinations(range(groups), test_groups))
    table = np.empty((path_count(groups, test_groups), groups), dtype=np.intp)
    for group in range(groups):
        table[:, group] = [position for position, members in enumerate(chosen) if group in members]
    return table


def walk_forward_splits(
    starts: ArrayLike, ends: ArrayLike, folds: int, holdout_share: float, window: int | None = None
) -> WalkForward:
    """Splits that fit on the past and judge on what follows, and a holdout at the end.

    The newest ``holdout_share`` of the samples is the holdout. The rest is cut into ``folds`` + 1 stretches: fold f
    judges stretch f + 1 and fits on all stretches before, or on the newest ``window`` of them. Only samples whose
    label is resolved before the first test sample starts are fitted on; so no embargo is needed.
    """
    first, last = intervals_of(starts, ends)
    if folds < 1 or not 0.0 < holdout_share < 1.0 or (window is not None and window < 1):
        raise SampleError(
            f"folds={folds} and window={window} must be 1 or more, holdout_share={holdout_share} in (0, 1)"
        )
    held = max(1, round(first.size * holdout_share))
    if first.size - held < folds + 1:
        raise SampleError(f"{first.size - held} samples before the holdout are too few for {folds} folds")
    stretches = np.array_split(np.arange(first.size - held, dtype=np.intp), folds + 1)
    stretches.append(np.arange(first.size - held, first.size, dtype=np.intp))
    splits = []
    for group in range(1, folds + 2):
        past = np.concatenate(stretches[0 if window is None else max(0, group - window) : group])
        resolved = past[last[past] < first[stretches[group][0]]]
        splits.append(_fittable(Split(resolved, stretches[group], (group,))))
    return WalkForward(tuple(splits[:-1]), splits[-1])


def uniqueness_weights(starts: ArrayLike, ends: ArrayLike) -> Floats:
    """How much of its life each label has to itself: the mean over [t0, t1] of 1/(labels alive). Shape (n,), in (0, 1].

    Exact in continuous time, where AFML 4.4 counts bars: sum of weight * length = length of the union of all lives.
    A label of no length weighs 1/(labels alive at that moment).
    """
    first, last = intervals_of(starts, ends)
    moments = np.unique(np.concatenate([first, last]))
    begun = np.searchsorted(first, moments, side="right")
    ordered_ends = np.sort(last)
    alive = begun[:-1] - np.searchsorted(ordered_ends, moments[:-1], side="right")
    shares = np.divide(np.diff(moments), alive, out=np.zeros(alive.size), where=alive > 0)
    passed = np.concatenate([[0.0], np.cumsum(shares)])
    begin, end = np.searchsorted(moments, first), np.searchsorted(moments, last)
    at_moment = begun[begin] - np.searchsorted(ordered_ends, first, side="left")
    length = last - first
    mean: Floats = np.divide(passed[end] - passed[begin], length, out=1.0 / at_moment, where=length > 0)
    return mean


def _spoilt(first: Times, last: Times, stretch: Indices, embargo: int) -> np.typing.NDArray[np.bool_]:
    """Samples that may not be fitted on while ``stretch`` is judged; the stretch itself is among them.

    Samples are sorted by t0, so a sample overlaps some life of the stretch exactly when it overlaps their hull: an
    earlier one that reaches the hull reaches the first life, a later one starts within the longest-lasting.
    """
    opened, closed = first[stretch[0]], last[stretch].max()
    return np.asarray((last >= opened) & (first <= closed + embargo))


def _fittable(split: Split) -> Split:
    if split.train.size == 0:
        raise SampleError(
            f"nothing is left to fit on while groups {split.groups} are judged: take fewer or a shorter embargo"
        )
    return split


def _check_groups(groups: int, test_groups: int, samples: int) -> None:
    if not 1 <= test_groups < groups:
        raise SampleError(f"test_groups={test_groups} must be at least 1 and below groups={groups}")
    if samples < groups:
        raise SampleError(f"{samples} samples are too few for {groups} groups")

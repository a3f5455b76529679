"""Drift: inputs by their distribution, experts by their loss; what follows, and the way back."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smc_trading_agent._core import FEATURE_NAMES
from smc_trading_agent.decision_engine.ensemble.drift import (
    JUDGED_EVERY,
    LARGEST_Z,
    DriftWatch,
    fit_column_reference,
    fit_loss_reference,
)
from smc_trading_agent.decision_engine.ensemble.parameters import ColumnReference, DriftReference, LossReference
from smc_trading_agent.domain.reasons import DriftLevel

COLUMNS = 4
TRAINING = np.random.default_rng(1).normal(0.0, 1.0, (20_000, COLUMNS))


def watch(**changes: object) -> DriftWatch:
    fields = {"columns": fit_column_reference(TRAINING), "losses": {"a": LossReference(0.0, 0.5)}, "memory": 500.0}
    return DriftWatch(DriftReference(**(fields | changes)))  # type: ignore[arg-type]


def show(drift: DriftWatch, closes: int, moved: int, seed: int = 2) -> None:
    """Closes whose first ``moved`` columns lie two deviations higher than in training."""
    rows = np.random.default_rng(seed).normal(0.0, 1.0, (closes, COLUMNS))
    rows[:, :moved] += 2.0
    for row in rows:
        drift.on_close(row)


@pytest.mark.parametrize(
    ("moved", "level"),
    [(0, DriftLevel.NONE), (1, DriftLevel.NONE), (2, DriftLevel.SHRINK), (3, DriftLevel.STOP), (4, DriftLevel.STOP)],
)
def test_the_share_of_drifted_columns_decides(moved: int, level: DriftLevel) -> None:
    drift = watch()
    show(drift, 64 * 30, moved)
    assert drift.drifted_columns == tuple(range(moved))
    assert drift.level is level


def test_inputs_that_return_end_the_drift() -> None:
    drift = watch()
    show(drift, 64 * 30, 4)
    show(drift, 64 * 60, 0)
    assert drift.level is DriftLevel.NONE
    assert drift.drifted_columns == ()


def test_nothing_is_judged_on_few_closes() -> None:
    drift = watch()
    show(drift, 4 * JUDGED_EVERY - 1, 4)
    assert float(drift.stability().max()) == 0.0
    assert drift.level is DriftLevel.NONE


def test_the_index_is_its_formula() -> None:
    drift = watch(
        columns=(ColumnReference((0.0,), (0.5, 0.5)), ColumnReference((1.0, 2.0), (0.2, 0.3, 0.5))), memory=1e12
    )
    drift._reference = DriftReference(drift._reference.columns, {}, memory=2.0)
    for value in (-1.0, 1.5, 1.7, 3.0):
        drift.on_close(np.array([value, value]))
    first = (0.25 - 0.5) * math.log(0.25 / 0.5) + (0.75 - 0.5) * math.log(0.75 / 0.5)
    second = 0.05 * math.log(0.25 / 0.2) + 0.2 * math.log(0.5 / 0.3) - 0.25 * math.log(0.25 / 0.5)
    assert drift.stability() == pytest.approx([first, second])


def test_a_column_that_never_varied_has_one_edge_and_drifts_when_it_moves() -> None:
    constant = np.zeros((1_000, 1))
    reference = fit_column_reference(constant)
    assert reference == (ColumnReference((0.0,), (1.0, 0.0)),)
    drift = watch(columns=reference)
    for _ in range(640):
        drift.on_close(np.array([1.0]))
    assert drift.level is DriftLevel.STOP


def test_an_expert_worse_than_out_of_fold_is_dropped_and_comes_back() -> None:
    drift = watch()
    labels = 0
    while "a" not in drift.dropped:
        drift.on_label("a", 0.9, 0.4, 0.0)
        labels += 1
    assert labels == math.floor(12.0 / (LARGEST_Z - 0.25)) + 1
    mild = watch()
    for _ in range(20):
        mild.on_label("a", 0.5, 0.4, 0.0)
    assert mild._state.sums["a"] == pytest.approx(20 * ((-math.log(0.5) + math.log(0.6)) / 0.5 - 0.25))
    for _ in range(500):
        drift.on_label("a", 0.9, 0.4, 0.0)
    back = 0
    while "a" in drift.dropped:
        drift.on_label("a", 0.1, 0.4, 0.0)
        back += 1
    gain = (-math.log(0.9) + math.log(0.6)) / 0.5 - 0.25
    assert back == math.ceil(24.0 / -gain)


def test_an_expert_as_good_as_out_of_fold_stays() -> None:
    chance = np.random.default_rng(5)
    p = chance.uniform(0.2, 0.6, 4_000)
    won = (chance.random(4_000) < p).astype(float)
    base = np.full(4_000, 0.4)
    drift = watch(losses={"a": fit_loss_reference(p, base, won)})
    for one, outcome in zip(p.tolist(), won.tolist(), strict=True):
        drift.on_label("a", one, 0.4, outcome)
    assert drift.dropped == frozenset()


def test_health_shows_columns_by_how_far_they_moved_and_experts_by_their_sum() -> None:
    drift = watch()
    assert set(drift.health().columns.values()) == {0.0}
    show(drift, 8 * JUDGED_EVERY, 2)
    drift.on_label("a", 0.9, 0.4, 0.0)
    health, limit = drift.health(), 0.25
    assert list(health.columns) == sorted(health.columns, key=lambda name: -health.columns[name])
    assert set(list(health.columns)[:2]) == set(FEATURE_NAMES[:2])
    assert [value > limit for value in health.columns.values()] == [True, True, False, False]
    assert (health.level, health.drifted, health.of, health.column_limit) == ("shrink", 2, COLUMNS, limit)
    assert health.experts == {"a": pytest.approx(LARGEST_Z - 0.25)}
    again = watch()
    again.restore(drift.snapshot())
    assert again.health() == health


def test_a_watch_resumes_exactly() -> None:
    straight, stopped = watch(), watch()
    for number in range(10):
        show(straight, 100, 3, number)
        straight.on_label("a", 0.8, 0.4, number % 2)
        show(stopped, 100, 3, number)
        stopped.on_label("a", 0.8, 0.4, number % 2)
        again = watch()
        again.restore(stopped.snapshot())
        stopped = again
    assert stopped.snapshot() == straight.snapshot()
    assert (stopped.level, stopped.dropped) == (straight.level, straight.dropped)


@pytest.mark.parametrize(("edges", "shares"), [((1.0, 0.0), (0.3, 0.3, 0.4)), ((1.0,), (1.0,)), ((1.0,), (-0.1, 1.1))])
def test_references_that_are_none_are_refused(edges: tuple[float, ...], shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="ascending edges"):
        ColumnReference(edges, shares)
    with pytest.raises(ValueError, match="deviation above 0"):
        LossReference(0.0, 0.0)

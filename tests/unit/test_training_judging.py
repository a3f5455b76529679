"""Folds and judgements: nothing of what is judged reaches what judges it, and noise is not called an edge."""

from __future__ import annotations

from itertools import combinations

import msgspec
import numpy as np
import pytest

from smc_trading_agent.decision_engine.training.settings import NANO
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.research.dataset.pooled import Dataset
from smc_trading_agent.research.training.judging import Judged, Rules, Told, earned, judge
from smc_trading_agent.research.training.plan import FitTask, Folds, Plan, folds_of, tasks_of
from tests.fitting import context_tilt, labels, samples, trades

RULES = Rules(NANO.ensemble, 0.02)
EXPERTS, SEEDS = ("logistic", "lightgbm"), (1, 2)


def plan(**changes: object) -> Plan:
    made = Plan(EXPERTS, SEEDS, 6, 2, 3_600_000_000_000, NANO, "s", ("d",), "c")
    return msgspec.structs.replace(made, **changes)


def dataset(strength: float) -> Dataset:
    rows = samples(6_000, 10)
    found = labels(rows, context_tilt(rows, strength))
    return Dataset(rows, found, trades(rows), found.net_return.copy(), ())


def told(given: Dataset, folds: Folds, strength: float) -> Told:
    """What experts would say that knew the tilt of the context, each with noise of its own."""
    chance = np.random.default_rng(5)
    fair = np.log(given.labels.chance / (1.0 - given.labels.chance))

    def said(split_test: np.ndarray) -> np.ndarray:
        out = np.full(len(given), np.nan)
        noisy = fair + context_tilt(given.samples, strength) + chance.normal(0.0, 0.2, len(given))
        out[split_test] = noisy[split_test]
        return out

    return {
        expert: {seed: {held: said(split.test) for held, split in folds.fits.items()} for seed in SEEDS}
        for expert in EXPERTS
    }


def judged(given: Dataset, spoken: Told, folds: Folds) -> tuple[tuple[Judged, ...], Judged]:
    return judge(spoken, folds, given.samples, given.labels, RULES)


def test_a_run_has_a_fit_for_each_combination_and_no_two_of_one_name() -> None:
    tasks = tasks_of(plan())
    assert len(tasks) == 2 + 2 * 2 * 20 + 2 * 20
    assert len({task.name for task in tasks}) == len(tasks)
    assert [task.fold for task in tasks[:2]] == ["final", "final"]


def test_what_changes_a_result_changes_the_name_of_the_run() -> None:
    names = {
        plan(**change).run
        for change in (
            {},
            {"seeds": (1, 3)},
            {"groups": 7},
            {"embargo": 1},
            {"settings": "other"},
            {"data": ("e",)},
            {"code": "other"},
        )
    }
    assert len(names) == 7
    assert plan().run == plan().run


@pytest.mark.parametrize("change", [{"groups": 3}, {"seeds": (1, 1)}, {"seeds": ()}, {"experts": ()}])
def test_plans_that_can_not_be_carried_out_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        msgspec.structs.replace(plan(), **change).__post_init__()


def test_no_fit_has_seen_a_life_that_touches_what_it_judges() -> None:
    given = dataset(0.0)
    folds = folds_of(given, plan())
    starts, ends = given.samples.known_at, given.labels.end
    assert set(folds.fits) == set(combinations(range(6), 3))
    for split in folds.fits.values():
        for group in split.groups:
            rows = folds.apart[group].test
            first, last = starts[rows].min(), ends[rows].max() + plan().embargo
            assert not ((ends[split.train] >= first) & (starts[split.train] <= last)).any()


def test_a_split_is_judged_without_a_look_at_its_labels() -> None:
    given = dataset(0.8)
    folds = folds_of(given, plan())
    spoken = told(given, folds, 0.8)
    before, _ = judged(given, spoken, folds)
    for place in (0, 7, 14):
        rows = folds.judged[place].test
        outcome, net_return = given.labels.outcome.copy(), given.labels.net_return.copy()
        outcome[rows], net_return[rows] = 1.0 - outcome[rows], -net_return[rows]
        other = msgspec.structs.replace(
            given, labels=msgspec.structs.replace(given.labels, outcome=outcome, net_return=net_return)
        )
        after, _ = judged(other, spoken, folds)
        assert np.array_equal(after[place].probability, before[place].probability)
        assert np.array_equal(after[place].taken, before[place].taken)
        assert all(np.array_equal(after[place].seeds[key], before[place].seeds[key]) for key in before[place].seeds)
        assert not np.array_equal(after[place].covered, before[place].covered)


def test_every_row_is_judged_once_in_every_path() -> None:
    given = dataset(0.8)
    folds = folds_of(given, plan())
    splits, paths = judged(given, told(given, folds, 0.8), folds)
    assert paths.probability.shape == (5, len(given))
    assert np.isfinite(paths.probability).all()
    assert all(np.isfinite(found).all() for found in (*paths.experts.values(), *paths.seeds.values()))
    assert sum(split.taken.sum() for split in splits) == paths.taken.sum()


def test_an_edge_is_traded_and_noise_is_not() -> None:
    edge, noise = dataset(1.2), dataset(0.0)
    folds = folds_of(edge, plan())
    _, found = judged(edge, told(edge, folds, 1.2), folds)
    assert found.taken.mean() > 0.05
    assert edge.labels.net_return[found.taken.any(axis=0)].mean() > edge.labels.net_return.mean() + 0.2
    _, nothing = judged(noise, told(noise, folds, 1.2), folds)
    assert nothing.taken.mean() <= 0.01


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        (np.full(10, 3.0) + np.linspace(0.0, 0.1, 10), False),  # too few
        (np.full(40, 1.0) + np.linspace(0.0, 0.1, 40), True),
        (np.tile([2.0, -1.9], 20), False),
        (np.full(40, -1.0) + np.linspace(0.0, 0.1, 40), False),
    ],
)
def test_what_counts_as_having_earned(returns: np.ndarray, expected: bool) -> None:
    assert earned(returns) is expected


def test_task_names_tell_the_split() -> None:
    assert FitTask("lstm", 2, (0, 3, 5)).name == "lstm-seed2-cpcv-0.3.5"
    assert FitTask("lstm", 2, (0, 3, 5), shuffled=True).fold == "shuffled-0.3.5"

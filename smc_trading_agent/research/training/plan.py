"""What a training run does, settled before it begins: which fits on which rows, under a name that their inputs give it.

The samples are cut into groups of time. A split of the cross-validation judges ``test_groups`` of them. Experts are
fitted once for each combination of one group more: what such a fit says of the extra group calibrates it, without
having seen any label of the groups that are judged. So N = 6 groups, 2 of them judged, are 15 splits in 5 paths,
made of 20 fits of each expert and seed; each split is calibrated on all its training rows, out of fold.
"""

from __future__ import annotations

import hashlib
from itertools import combinations
from pathlib import Path

import msgspec

from smc_trading_agent._core import build_info
from smc_trading_agent.decision_engine.training.settings import TrainingSettings
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.research.dataset.pooled import Dataset
from smc_trading_agent.research.statistics.splits import Split, combinatorial_splits

PACKAGE = Path(__file__).parents[2]
CHEAP = ("logistic", "lightgbm")
"""Experts that are fitted a second time, on shuffled labels."""
Held = tuple[int, ...]
"""Groups of time that a fit has not seen."""


class Plan(msgspec.Struct, frozen=True):
    """``embargo`` in ns; ``settings`` are those of the agent that setups, costs and policy depend on, as a hash."""

    experts: tuple[str, ...]
    seeds: tuple[int, ...]
    groups: int
    test_groups: int
    embargo: int
    sizes: TrainingSettings
    settings: str
    data: tuple[str, ...]
    code: str

    def __post_init__(self) -> None:
        if not self.experts or not self.seeds:
            raise ConfigError("a training run needs one model and one seed at least")
        if len(set(self.seeds)) < len(self.seeds):
            raise ConfigError(f"seeds {', '.join(map(str, self.seeds))} hold one twice; name different ones")
        if self.test_groups < 1 or self.groups < self.test_groups + 2:
            raise ConfigError(
                f"--folds {self.groups} leaves nothing to fit on: {self.test_groups} groups are judged and one "
                f"calibrates; use {self.test_groups + 2} or more"
            )

    @property
    def run(self) -> str:
        """16 hex digits over everything that the results depend on."""
        return hashlib.blake2b(msgspec.json.encode(self, order="deterministic"), digest_size=8).hexdigest()


class FitTask(msgspec.Struct, frozen=True):
    """One fit: all rows outside the ``held`` groups, or all rows where there are none. ``shuffled``: a placebo's."""

    expert: str
    seed: int
    held: Held
    shuffled: bool = False

    @property
    def fold(self) -> str:
        """The split as the ledger names it."""
        kind = "shuffled" if self.shuffled else "cpcv"
        return f"{kind}-{'.'.join(map(str, self.held))}" if self.held else "final"

    @property
    def name(self) -> str:
        """The stem of its files."""
        return f"{self.expert}-seed{self.seed}-{self.fold}"


class Folds(msgspec.Struct, frozen=True):
    """``fits`` by held groups: the rows each fit may see, and those it has to judge. ``judged`` are the splits of the
    cross-validation; ``apart`` by single group: rows that stay clear of it in time.
    """

    groups: int
    fits: dict[Held, Split]
    judged: tuple[Split, ...]
    apart: tuple[Split, ...]


def folds_of(dataset: Dataset, plan: Plan) -> Folds:
    """All splits of a run. Raises `SampleError` where one has nothing left to fit on."""
    starts, ends = dataset.samples.known_at, dataset.labels.end
    cut = plan.groups, plan.embargo
    fits = combinatorial_splits(starts, ends, cut[0], plan.test_groups + 1, cut[1])
    return Folds(
        groups=plan.groups,
        fits={split.groups: split for split in fits},
        judged=combinatorial_splits(starts, ends, cut[0], plan.test_groups, cut[1]),
        apart=combinatorial_splits(starts, ends, cut[0], 1, cut[1]),
    )


def tasks_of(plan: Plan) -> tuple[FitTask, ...]:
    """Every fit of a run: fits of one fold together, as they share its scaling, the dear ones of it first."""
    held = tuple(combinations(range(plan.groups), plan.test_groups + 1))
    order = sorted(plan.experts, key=lambda expert: expert in CHEAP)
    first = plan.seeds[0]
    return (
        *(FitTask(expert, first, ()) for expert in order),
        *(FitTask(expert, seed, groups) for groups in held for expert in order for seed in plan.seeds),
        *(FitTask(expert, first, groups, True) for expert in placebo_experts(plan) for groups in held),
    )


def placebo_experts(plan: Plan) -> tuple[str, ...]:
    """Who is fitted on shuffled labels: the cheap ones of the run, or its first where it has none."""
    return tuple(expert for expert in CHEAP if expert in plan.experts) or plan.experts[:1]


def code_hash() -> str:
    """12 hex digits over the package's sources and the compiled core: what a run is not taken up again across."""
    digest = hashlib.blake2b(msgspec.json.encode(build_info(), order="deterministic"), digest_size=6)
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.glob("_core*.so")]):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + hashlib.blake2b(path.read_bytes()).digest())
    return digest.hexdigest()

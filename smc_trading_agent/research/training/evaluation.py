"""From the fits' files to findings: every figure of card and report, computed once and in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from smc_trading_agent.decision_engine.training.samples import Floats
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.research.dataset.pooled import Dataset
from smc_trading_agent.research.statistics.bootstrap import Resampling
from smc_trading_agent.research.statistics.trials import TrialCounts
from smc_trading_agent.research.training.findings import Findings, ForecastScore, PlaceboFacts
from smc_trading_agent.research.training.fits import read_log_odds
from smc_trading_agent.research.training.gate import gate_lines, verdict_of
from smc_trading_agent.research.training.judging import Judged, Mask, Rules, Told, judge
from smc_trading_agent.research.training.placebos import (
    audit_columns,
    lagged_placebo,
    leak_placebo,
    random_placebo,
    shuffled_placebo,
)
from smc_trading_agent.research.training.plan import FitTask, Folds, Plan, placebo_experts
from smc_trading_agent.research.training.scores import paired, score
from smc_trading_agent.research.training.trading import (
    baseline,
    fold_facts,
    path_facts,
    trading_facts,
    tried_returns,
)

SEED = 1
"""Of everything random in the evaluation: bootstrap, placebos."""


class Origin(NamedTuple):
    """What of the findings is known before anything is measured. Time in ns, ``time_limit`` in ns."""

    made_at: int
    command: str
    commit: str
    settings: dict[str, str]
    margin: float
    time_limit: int
    costs: CostModel


def read_told(folder: Path, plan: Plan, folds: Folds, samples: int, shuffled: bool = False) -> Told:
    """What all fits of a run said of the rows they had not seen, by expert, seed and held groups."""
    experts = placebo_experts(plan) if shuffled else plan.experts
    seeds = plan.seeds[:1] if shuffled else plan.seeds
    return {
        expert: {
            seed: {held: read_log_odds(folder, FitTask(expert, seed, held, shuffled), samples) for held in folds.fits}
            for seed in seeds
        }
        for expert in experts
    }


def rules_of(plan: Plan, margin: float) -> Rules:
    """How ensembles of a run are fitted and judged."""
    return Rules(plan.sizes.ensemble, margin)


def evaluate(
    folder: Path,
    plan: Plan,
    folds: Folds,
    dataset: Dataset,
    counts: TrialCounts,
    origin: Origin,
    recompute: Callable[[int], Floats],
) -> Findings:
    """All findings but the time taken, the weights and the bundle, which are not known yet."""
    labels, known_at = dataset.labels, dataset.samples.known_at
    resampling, rules = Resampling(SEED), rules_of(plan, origin.margin)
    splits, paths = judge(read_told(folder, plan, folds, len(dataset)), folds, dataset.samples, labels, rules)
    facts = tuple(path_facts(number, path, labels, dataset.trades) for number, path in enumerate(paths.taken))
    tried = tried_returns(paths, labels, origin.margin)
    trading = trading_facts(paths.taken, tried, labels, counts, resampling)
    ensemble = score("ensemble", paths.probability, labels, SEED)
    placebos = _placebos(folder, plan, folds, dataset, paths.taken, origin)
    leaks, too_good = audit_columns(dataset, recompute)
    gate = gate_lines(trading, facts, ensemble, placebos, leaks, too_good)
    every = baseline(labels, resampling)
    return Findings(
        run=plan.run,
        made_at=origin.made_at,
        command=origin.command,
        commit=origin.commit,
        seconds=0.0,
        seeds=plan.seeds,
        settings=origin.settings,
        markets=dataset.markets,
        baseline=every,
        win_share=float(labels.outcome.mean()),
        mean_break_even=float(labels.break_even.mean()),
        experts=tuple(_expert_score(name, paths, plan, dataset) for name in plan.experts),
        ensemble=ensemble,
        weights={},
        paired=paired(paths.probability, paths.experts, labels, known_at),
        folds=tuple(fold_facts(split, judged, labels) for split, judged in zip(folds.judged, splits, strict=True)),
        paths=facts,
        trading=trading,
        conformal_coverage=float(paths.covered.mean()),
        placebos=placebos,
        leaks=leaks,
        gate=gate,
        verdict=verdict_of(trading, every, gate, leaks),
    )


def _expert_score(name: str, paths: Judged, plan: Plan, dataset: Dataset) -> ForecastScore:
    by_seed = {seed: paths.seeds[name, seed] for seed in plan.seeds}
    return score(name, paths.experts[name], dataset.labels, SEED, by_seed)


def _placebos(
    folder: Path, plan: Plan, folds: Folds, dataset: Dataset, chosen: Mask, origin: Origin
) -> tuple[PlaceboFacts, ...]:
    resampling = Resampling(SEED)
    shuffled = read_told(folder, plan, folds, len(dataset), shuffled=True)
    return (
        shuffled_placebo(shuffled, dataset, folds, plan.seeds[0], rules_of(plan, origin.margin)),
        lagged_placebo(dataset, chosen, resampling),
        random_placebo(dataset, chosen, origin.costs, origin.time_limit, SEED),
        leak_placebo(dataset, SEED),
    )

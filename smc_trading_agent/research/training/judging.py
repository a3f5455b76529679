"""From raw log-odds out of fold to decisions: calibrated, pooled and judged within each split, by the code that serves.

For a split that judges some groups, each training row has log-odds of a fit that had seen neither that row's group nor
any judged one; on these the ensemble of the split is fitted. The judged rows' log-odds are the means of the split's
fits, one for each group left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent.decision_engine.ensemble.conformal import AdaptiveConformal, ConformalState, OutcomeScores
from smc_trading_agent.decision_engine.training.ensemble import FittedEnsemble, calibrate, fit_ensemble
from smc_trading_agent.decision_engine.training.samples import Floats, Indices, Labels, Samples
from smc_trading_agent.decision_engine.training.settings import EnsembleFitSettings
from smc_trading_agent.decision_engine.training.tail import purged_blocks
from smc_trading_agent.domain.reasons import PredictionSet
from smc_trading_agent.research.statistics.splits import Split, path_assignment
from smc_trading_agent.research.training.plan import Folds, Held

Mask = NDArray[np.bool_]
LogOdds = Mapping[Held, Floats]
"""What the fits of one expert and seed said, by held groups, each (n,) and NaN of rows that the fit had seen."""
Told = Mapping[str, Mapping[int, LogOdds]]
"""The same of all, by expert and seed."""
BOLD, SHY = (0.1, 0.05, 0.02), 0.005
"""Shares of losing setups that may be called {win}: the largest that has earned its costs, else next to none."""
EARNED_SIGMAS, EARNED_TRADES = 2.5, 20
"""What counts as having earned: so many standard errors of the mean above 0, on so many trades."""
WON = 0.5


class Rules(msgspec.Struct, frozen=True):
    """How an ensemble is fitted, and by how much its P must beat break-even."""

    ensemble: EnsembleFitSettings
    margin: float


class Judged(msgspec.Struct, frozen=True):
    """Forecasts of the rows of one split (k,), or of all rows along each path (paths, n).

    ``taken`` is what the live policy trades; ``covered`` where the conformal set held what came; ``experts`` are
    calibrated P(win) by name, ``seeds`` the same of each seed's fits alone.
    """

    probability: Floats
    taken: Mask
    covered: Mask
    experts: dict[str, Floats]
    seeds: dict[tuple[str, int], Floats]


def judge(
    told: Told, folds: Folds, samples: Samples, labels: Labels, rules: Rules
) -> tuple[tuple[Judged, ...], Judged]:
    """Each split's judgement (its rows alone), and all rows along each path."""
    splits = tuple(_judge_split(told, folds, split, samples, labels, rules) for split in folds.judged)
    return splits, _along_paths(splits, folds, len(labels))


def fit_bold_ensemble(log_odds: Mapping[str, Floats], samples: Samples, labels: Labels, rules: Rules) -> FittedEnsemble:
    """`fit_ensemble` with sets as bold as they have earned it; all (n,), from fits that had not seen these rows.

    Whether a boldness has earned its costs is told by trading each block of the rows on an ensemble of the others.
    """
    fitted = fit_ensemble(log_odds, samples, labels, rules.ensemble)
    passed = {alpha: np.zeros(len(labels), dtype=bool) for alpha in BOLD}
    for apart, block in purged_blocks(samples, labels, rules.ensemble.blocks):
        other = fit_ensemble(_rows(log_odds, apart), samples.take(apart), labels.take(apart), rules.ensemble)
        for alpha in BOLD:
            known = labels.take(block)
            passed[alpha][block] = _decide(with_alpha(other, alpha), _rows(log_odds, block), known, rules.margin)[1]
    earning = (alpha for alpha in BOLD if earned(labels.net_return[passed[alpha]]))
    return with_alpha(fitted, next(earning, SHY))


def with_alpha(fitted: FittedEnsemble, alpha: float) -> FittedEnsemble:
    """The same ensemble, with sets that may rule out either outcome wrongly for a share ``alpha`` of its setups."""
    was = fitted.parameters.conformal
    sets = ConformalState(alpha, was.gamma, OutcomeScores(was.win.scores, alpha), OutcomeScores(was.lose.scores, alpha))
    return msgspec.structs.replace(fitted, parameters=msgspec.structs.replace(fitted.parameters, conformal=sets))


def earned(returns: Floats) -> bool:
    """Whether trades made more than chance and costs would leave them."""
    if len(returns) < EARNED_TRADES:
        return False
    return float(returns.mean()) > EARNED_SIGMAS * float(returns.std(ddof=1)) / math.sqrt(len(returns))


def out_of_fold_mean(told: Told) -> dict[str, Floats]:
    """Mean over seeds and fits of what each expert said out of fold, (n,): a bundle's ensemble is fitted on it."""
    return {
        expert: np.asarray(np.nanmean([given for fits in by_seed.values() for given in fits.values()], axis=0))
        for expert, by_seed in told.items()
    }


def _judge_split(told: Told, folds: Folds, split: Split, samples: Samples, labels: Labels, rules: Rules) -> Judged:
    rows, known = split.train, labels.take(split.train)
    parts = {
        (expert, seed): _within(given, folds, split)
        for expert, by_seed in told.items()
        for seed, given in by_seed.items()
    }
    inside = {expert: _mean_of(expert, parts, 0)[rows] for expert in told}
    outside = {expert: _mean_of(expert, parts, 1) for expert in told}
    fitted = fit_bold_ensemble(inside, samples.take(rows), known, rules)
    ahead = labels.take(split.test)
    probability, taken, covered = _decide(fitted, outside, ahead, rules.margin)
    alone = {
        key: calibrate({"": part[0]}, labels, rows, rules.ensemble.isotonic_from)[""].apply_many(part[1])
        for key, part in parts.items()
    }
    return Judged(probability, taken, covered, fitted.calibrated(outside), alone)


def _decide(
    fitted: FittedEnsemble, log_odds: Mapping[str, Floats], labels: Labels, margin: float
) -> tuple[Floats, Mask, Mask]:
    """P(win), what the policy takes, and where the set held what came."""
    told = fitted.judge(log_odds, labels.break_even)
    taken = told.admitted & (told.probability >= labels.break_even + margin)
    conformal = AdaptiveConformal(fitted.parameters.conformal)
    rows = zip(told.probability.tolist(), labels.break_even.tolist(), (labels.outcome >= WON).tolist(), strict=True)
    covered = [_holds(conformal.predict(probability, needed), won) for probability, needed, won in rows]
    return told.probability, taken, np.array(covered, dtype=np.bool_)


def _holds(given: PredictionSet, won: bool) -> bool:
    return given is PredictionSet.BOTH or given is (PredictionSet.WIN if won else PredictionSet.LOSE)


def _within(given: LogOdds, folds: Folds, split: Split) -> tuple[Floats, Floats]:
    """Log-odds (n,) of all rows outside the judged groups, each of the fit that held its group too; and (k,) of the
    judged rows.
    """
    inside = np.full(len(next(iter(given.values()))), np.nan)
    outside = []
    for group in range(folds.groups):
        if group in split.groups:
            continue
        told = given[tuple(sorted((*split.groups, group)))]
        rows = folds.apart[group].test
        inside[rows] = told[rows]
        outside.append(told[split.test])
    return inside, np.mean(outside, axis=0)


def _mean_of(expert: str, parts: Mapping[tuple[str, int], tuple[Floats, Floats]], which: int) -> Floats:
    return np.asarray(np.mean([part[which] for (name, _), part in parts.items() if name == expert], axis=0))


def _rows(log_odds: Mapping[str, Floats], rows: Indices) -> dict[str, Floats]:
    return {expert: given[rows] for expert, given in log_odds.items()}


def _along_paths(splits: Sequence[Judged], folds: Folds, samples: int) -> Judged:
    table = path_assignment(folds.groups, len(folds.judged[0].groups))

    def joined(part: Callable[[Judged], NDArray[np.generic]]) -> Floats:
        found = np.full((len(table), samples), np.nan)
        for path, assigned in enumerate(table):
            for group, split in enumerate(assigned.tolist()):
                rows = folds.apart[group].test
                found[path, rows] = part(splits[split])[np.searchsorted(folds.judged[split].test, rows)]
        return found

    def of_expert(name: str) -> Floats:
        return joined(lambda split: split.experts[name])

    def of_seed(key: tuple[str, int]) -> Floats:
        return joined(lambda split: split.seeds[key])

    return Judged(
        probability=joined(lambda split: split.probability),
        taken=joined(lambda split: split.taken) == 1.0,
        covered=joined(lambda split: split.covered) == 1.0,
        experts={name: of_expert(name) for name in splits[0].experts},
        seeds={key: of_seed(key) for key in splits[0].seeds},
    )

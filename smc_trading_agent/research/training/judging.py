"""From raw log-odds out of fold to decisions: calibrated, pooled and judged within each split, as serving does it.

For a split that judges some groups, each training row has log-odds of a fit that had seen neither that row's group nor
any judged one; on these rows calibrators, pool, recalibration, conformal sets and the limit of disagreement are
fitted. What stands behind the pool is calibrated across groups too: each training row by calibrators of the others.
The judged rows' log-odds are the means of the fits of the split, one for each group left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent.decision_engine.ensemble.calibrators import (
    fit_calibrator,
    fit_platt,
)
from smc_trading_agent.decision_engine.ensemble.conformal import AdaptiveConformal, fit_conformal
from smc_trading_agent.decision_engine.ensemble.odds import SMALLEST
from smc_trading_agent.decision_engine.ensemble.parameters import EnsembleParameters
from smc_trading_agent.decision_engine.ensemble.pooling import IDENTITY, LogOddsPool, PoolParameters
from smc_trading_agent.decision_engine.training.samples import Floats, Indices, Labels
from smc_trading_agent.domain.reasons import PredictionSet
from smc_trading_agent.research.statistics.splits import Split, path_assignment
from smc_trading_agent.research.training.plan import Folds, Held

Mask = NDArray[np.bool_]
LogOdds = Mapping[Held, Floats]
"""What the fits of one expert and seed said, by held groups, each (n,) and NaN of rows that the fit had seen."""
CAPS = {"ppo": 0.1}
"""A policy that learned sizes may not carry a direction."""
AGREEING = 0.95
"""Share of training rows whose disagreement is within the limit."""
BOLD, SHY = (0.1, 0.05, 0.02), 0.005
"""Shares of losing setups that may be called {win}: the largest that has earned its costs, else next to none."""
EARNED_SIGMAS, EARNED_TRADES = 2.5, 20
"""What counts as having earned: so many standard errors of the mean above 0, on so many trades."""


class Judged(msgspec.Struct, frozen=True):
    """Forecasts of the rows of one split, or of all rows in each path: arrays (..., n), NaN where not judged.

    ``experts`` are calibrated P(win) by name, ``seeds`` the same of each seed alone; ``sets`` as `PredictionSet` codes.
    """

    probability: Floats
    disagreement: Floats
    agreed: Mask
    win_only: Mask
    covered: Mask
    experts: dict[str, Floats]
    seeds: dict[tuple[str, int], Floats]


def taken(judged: Judged, break_even: Floats, margin: float) -> Mask:
    """What the live policy takes: P beats break-even by ``margin``, the set is {win}, the experts agree."""
    return (judged.probability >= break_even + margin) & judged.win_only & judged.agreed


def judge(
    told: Mapping[str, Mapping[int, LogOdds]], folds: Folds, labels: Labels, margin: float
) -> tuple[tuple[Judged, ...], Judged]:
    """Each split's judgement (its rows alone), and all rows along each path, (paths, n)."""
    splits = tuple(judge_split(told, folds, split, labels, margin) for split in folds.judged)
    table = path_assignment(folds.groups, len(folds.judged[0].groups))
    return splits, _paths(splits, folds, table, len(labels))


def judge_split(
    told: Mapping[str, Mapping[int, LogOdds]], folds: Folds, split: Split, labels: Labels, margin: float
) -> Judged:
    """What the ensemble says of the rows that ``split`` judges."""
    calibrating, judged, seeds = {}, {}, {}
    for expert, by_seed in told.items():
        parts = {seed: _within(given, folds, split) for seed, given in by_seed.items()}
        for seed, (inside, outside) in parts.items():
            seeds[expert, seed] = fit_calibrator(
                inside[split.train], labels.outcome[split.train], labels.weight[split.train]
            ).apply_many(outside)
        inside = np.mean([part[0] for part in parts.values()], axis=0)
        calibrating[expert] = across(inside, folds, split.train, labels)
        calibrator = fit_calibrator(inside[split.train], labels.outcome[split.train], labels.weight[split.train])
        judged[expert] = calibrator.apply_many(np.mean([part[1] for part in parts.values()], axis=0))
    ensemble = fit_ensemble(calibrating, split.train, labels, margin)
    probability, disagreement = pooled(ensemble, judged)
    sets = prediction_sets(ensemble, probability, labels.break_even[split.test])
    won = labels.outcome[split.test] >= 0.5
    return Judged(
        probability=probability,
        disagreement=disagreement,
        agreed=disagreement <= ensemble.max_disagreement,
        win_only=np.array([given is PredictionSet.WIN for given in sets]),
        covered=np.array([holds(given, outcome) for given, outcome in zip(sets, won.tolist(), strict=True)]),
        experts=judged,
        seeds=seeds,
    )


def across(log_odds: Floats, folds: Folds, rows: Indices, labels: Labels) -> Floats:
    """P(win) (n,) of ``rows``, NaN elsewhere: those of each group by a calibrator of the others, apart from it in time.

    ``log_odds`` (n,) are out of fold on ``rows``.
    """
    chosen = np.zeros(len(labels), dtype=bool)
    chosen[rows] = True
    found = np.full(len(labels), np.nan)
    for group in folds.apart:
        inside, others = group.test[chosen[group.test]], group.train[chosen[group.train]]
        if len(inside):
            calibrator = fit_calibrator(log_odds[others], labels.outcome[others], labels.weight[others])
            found[inside] = calibrator.apply_many(log_odds[inside])
    return found


def fit_ensemble(
    probabilities: Mapping[str, Floats], rows: Indices, labels: Labels, margin: float
) -> EnsembleParameters:
    """Pool, recalibration, conformal sets and limit of disagreement from out-of-fold P(win) (n,) of ``rows``.

    Sets are bold only where what they and ``margin`` let through has earned its costs on these rows.
    """
    parameters = PoolParameters(caps={expert: CAPS[expert] for expert in probabilities if expert in CAPS})
    pool = LogOddsPool.equal(tuple(probabilities), parameters)
    plain = EnsembleParameters(
        pool=parameters,
        weights=pool.state,
        recalibration=IDENTITY,
        conformal=fit_conformal([], [], []),
        max_disagreement=1.0,
    )
    raw, disagreement = pooled(plain, {expert: given[rows] for expert, given in probabilities.items()})
    recalibration = fit_platt(_log_odds(raw), labels.outcome[rows], labels.weight[rows])
    final = recalibration.apply_many(_log_odds(raw))
    known = labels.take(rows)
    agreed = max(float(np.quantile(disagreement, AGREEING)), 1e-6)
    fitted = msgspec.structs.replace(plain, recalibration=recalibration, max_disagreement=agreed)
    passing = (final >= known.break_even + margin) & (disagreement <= agreed)
    for alpha in BOLD:
        bold = _with_sets(fitted, final, known, alpha)
        sets = prediction_sets(bold, final, known.break_even)
        called = np.array([given is PredictionSet.WIN for given in sets])
        if earned(known.net_return[called & passing]):
            return bold
    return _with_sets(fitted, final, known, SHY)


def earned(returns: Floats) -> bool:
    """Whether trades made more than chance and costs would leave them."""
    if len(returns) < EARNED_TRADES:
        return False
    return float(returns.mean()) > EARNED_SIGMAS * float(returns.std(ddof=1)) / math.sqrt(len(returns))


def _with_sets(fitted: EnsembleParameters, probability: Floats, known: Labels, alpha: float) -> EnsembleParameters:
    conformal = fit_conformal(probability, known.break_even, known.outcome, alpha)
    return msgspec.structs.replace(fitted, conformal=conformal)


def pooled(ensemble: EnsembleParameters, probabilities: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """P(win) and disagreement (n,) of `LogOddsPool.pool` for many rows at once; probabilities (n,) by expert."""
    weights = LogOddsPool(ensemble.weights, ensemble.pool).weights(dict.fromkeys(probabilities, 0.5))
    shares = np.array([weights[expert] for expert in probabilities])[:, None]
    scores = np.array([_log_odds(given) for given in probabilities.values()])
    mean = (shares * scores).sum(axis=0)
    spread = np.sqrt((shares * (scores - mean) ** 2).sum(axis=0))
    return ensemble.recalibration.apply_many(mean), spread


def prediction_sets(ensemble: EnsembleParameters, probability: Floats, break_even: Floats) -> tuple[PredictionSet, ...]:
    """The conformal set of each forecast, before anything is resolved."""
    conformal = AdaptiveConformal(ensemble.conformal)
    pairs = zip(probability.tolist(), break_even.tolist(), strict=True)
    return tuple(conformal.predict(forecast, needed) for forecast, needed in pairs)


def holds(given: PredictionSet, won: bool) -> bool:
    """Whether a set holds what came."""
    return given is PredictionSet.BOTH or given is (PredictionSet.WIN if won else PredictionSet.LOSE)


def out_of_fold_mean(given: Sequence[LogOdds]) -> Floats:
    """Mean over fits and seeds of all log-odds out of fold, (n,): what the calibrators of a bundle are fitted on."""
    return np.asarray(np.nanmean([told for by_held in given for told in by_held.values()], axis=0))


def _within(given: LogOdds, folds: Folds, split: Split) -> tuple[Floats, Floats]:
    """Log-odds (n,) of the split's training rows, each of the fit that held its group too; and of its judged rows."""
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


def _paths(splits: Sequence[Judged], folds: Folds, table: Indices, samples: int) -> Judged:
    def spread(take: list[NDArray[np.generic]], empty: object) -> NDArray[np.generic]:
        found = np.full((len(table), samples), empty)
        for path, row in enumerate(table):
            for group, split in enumerate(row.tolist()):
                rows = folds.apart[group].test
                place = np.searchsorted(folds.judged[split].test, rows)
                found[path, rows] = take[split][place]
        return found

    def floats(name: str) -> Floats:
        return spread([getattr(split, name) for split in splits], np.nan).astype(np.float64)

    def masks(name: str) -> Mask:
        return spread([getattr(split, name) for split in splits], False).astype(np.bool_)

    first = splits[0]
    return Judged(
        probability=floats("probability"),
        disagreement=floats("disagreement"),
        agreed=masks("agreed"),
        win_only=masks("win_only"),
        covered=masks("covered"),
        experts={
            key: spread([split.experts[key] for split in splits], np.nan).astype(np.float64) for key in first.experts
        },
        seeds={key: spread([split.seeds[key] for split in splits], np.nan).astype(np.float64) for key in first.seeds},
    )


def _log_odds(probability: Floats) -> Floats:
    kept = np.clip(probability, SMALLEST, 1.0 - SMALLEST)
    return np.asarray(np.log(kept / (1.0 - kept)))

"""Trials that must fail: what this run would have found where there is nothing to find, and a leak that it must see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from smc_trading_agent._core import random_entry_returns
from smc_trading_agent.decision_engine.ensemble.calibrators import fit_platt
from smc_trading_agent.decision_engine.ensemble.inputs import CONTEXT_COLUMNS
from smc_trading_agent.decision_engine.training.samples import Floats, Indices, Labels
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.research.dataset.pooled import Dataset
from smc_trading_agent.research.statistics.bootstrap import Resampling, difference_interval
from smc_trading_agent.research.statistics.comparison import diebold_mariano
from smc_trading_agent.research.statistics.leaks import AuditLimits, LeakAudit, Symptom, audit_leaks
from smc_trading_agent.research.statistics.placebos import plant_leak
from smc_trading_agent.research.training.findings import PlaceboFacts
from smc_trading_agent.research.training.fits import shuffled_labels
from smc_trading_agent.research.training.judging import Mask, Rules, Told, judge
from smc_trading_agent.research.training.plan import Folds
from smc_trading_agent.research.training.scores import losses, overlap
from smc_trading_agent.research.training.trading import FEW_TRADES

PLANTED = "planted_leak"
PLANTED_STRENGTH = 0.8
RECOMPUTED = 5
"""Rows that are computed again from nothing but the bars up to their close."""
RANDOM_RUNS = 500
RISKED = 1e-6
"""Share of a portfolio at risk in one random trade: small, so that returns add up."""
SURE = 0.01
MOST_TRADED = 0.01


def shuffled_placebo(told: Told, dataset: Dataset, folds: Folds, seed: int, rules: Rules) -> PlaceboFacts:
    """Experts fitted on shuffled labels, judged on such: no better than a base rate, nothing to trade."""
    labels = shuffled_labels(dataset.labels, seed)
    _, paths = judge(told, folds, dataset.samples, labels, rules)
    chance = losses(base_rate(labels, folds), labels.outcome)
    own = losses(paths.probability, labels.outcome).mean(axis=0)
    test = diebold_mariano(own, chance, overlap(dataset.samples.known_at, labels.end))
    better = 1.0 - test.p_first_worse
    traded = float(paths.taken.mean())
    return PlaceboFacts(
        name="shuffled labels",
        expected=f"log-loss not below the base rate's with p under {SURE}, at most {MOST_TRADED:.0%} of setups traded",
        found=f"{own.mean():.4f} against {chance.mean():.4f} nats (p = {better:.3f}), {traded:.2%} traded",
        passed=better >= SURE and traded <= MOST_TRADED,
    )


def base_rate(labels: Labels, folds: Folds) -> Floats:
    """P(win) (n,) that follows from chance alone, shifted and stretched as it fits the labels apart from each group."""
    chance = np.log(labels.chance / (1.0 - labels.chance))
    found = np.empty(len(labels))
    for group in folds.apart:
        rows = group.train
        fitted = fit_platt(chance[rows], labels.outcome[rows], labels.weight[rows])
        found[group.test] = fitted.apply_many(chance[group.test])
    return found


def lagged_placebo(dataset: Dataset, chosen: Mask, resampling: Resampling) -> PlaceboFacts:
    """The same setups entered one decision bar later must not pay more."""
    rows, whose = _traded(chosen)
    rows = rows[np.isfinite(dataset.late[rows])]
    late, real = dataset.late[rows], dataset.labels.net_return[rows]
    gain = difference_interval(late, real, resampling)
    return PlaceboFacts(
        name="lagged entry",
        expected="entering one decision bar later earns no more than entering in time",
        found=f"{late.mean():+.3f} R a trade late, {real.mean():+.3f} R in time, on {len(rows)} of {whose} "
        f"(difference {gain.estimate:+.3f}, {gain.low:+.3f} to {gain.high:+.3f})",
        passed=gain.low <= 0.0,
    )


def random_placebo(dataset: Dataset, chosen: Mask, costs: CostModel, time_limit: int, seed: int) -> PlaceboFacts:
    """Entries at random bars and sides with the same exits, risk and costs must not earn anything."""
    rows, whose = _traded(chosen)
    total = np.zeros(RANDOM_RUNS)
    for market, tape in enumerate(dataset.samples.tapes):
        own = rows[dataset.samples.market[rows] == market]
        if len(own):
            trades = dataset.trades.take(own)
            total += random_entry_returns(
                tape.bars,
                np.abs(trades.entry - trades.stop),
                np.abs(trades.target - trades.entry),
                np.full(len(own), RISKED),
                time_limit,
                costs.round_trip_ppm(int(np.median(trades.entry))),
                RANDOM_RUNS,
                seed + market,
            )
    means = total / RISKED / len(rows)
    low, high = np.quantile(means, [0.025, 0.975])
    real = float(dataset.labels.net_return[rows].mean())
    return PlaceboFacts(
        name="random entry, same exits",
        expected="no gain: the interval of what random entries earn is not above 0",
        found=f"{means.mean():+.3f} R a trade ({low:+.3f} to {high:+.3f}); {whose} at their own entries: {real:+.3f} R",
        passed=bool(low <= 0.0),
    )


def leak_placebo(dataset: Dataset, seed: int) -> PlaceboFacts:
    """A column that holds the outcome must be named by the audit."""
    won = _won(dataset.labels)
    noise = np.random.default_rng(seed).normal(size=(len(won), 1))
    planted = plant_leak(noise, won, 0, PLANTED_STRENGTH, seed)
    names = (*CONTEXT_COLUMNS, PLANTED)
    audit = _audit(dataset, np.hstack([dataset.samples.context, planted]), names, None)
    return PlaceboFacts(
        name="planted leak",
        expected=f"the audit names {PLANTED}, a column that holds the outcome",
        found=f"named as leaks: {', '.join(audit.leaks) or 'none'}",
        passed=PLANTED in audit.leaks,
    )


class Audited(NamedTuple):
    """Columns that know the future, and columns too good to be true although their rows came out the same when they
    were computed again: these know the future only where the times in the data are wrong.
    """

    leaks: tuple[str, ...]
    too_good: tuple[str, ...]


def audit_columns(dataset: Dataset, recompute: Callable[[int], Floats]) -> Audited:
    """The audit of the columns that the models were fitted on; see `research.statistics.leaks`."""
    named = [one for one in _audit(dataset, dataset.samples.context, CONTEXT_COLUMNS, recompute).features if one.leaks]
    return Audited(
        leaks=tuple(one.name for one in named if Symptom.NOT_CAUSAL in one.symptoms),
        too_good=tuple(one.name for one in named if Symptom.NOT_CAUSAL not in one.symptoms),
    )


def _audit(
    dataset: Dataset, context: Floats, names: Sequence[str], recompute: Callable[[int], Floats] | None
) -> LeakAudit:
    labels = dataset.labels
    limits = AuditLimits(recomputed=RECOMPUTED)
    known_at = dataset.samples.known_at
    return audit_leaks(context, _won(labels), known_at, labels.end, names, labels.break_even, recompute, limits)


def _won(labels: Labels) -> Floats:
    return (labels.outcome >= 0.5).astype(np.float64)


def _traded(chosen: Mask) -> tuple[Indices, str]:
    """Rows that any path traded; all where these are too few to say anything."""
    rows = np.flatnonzero(chosen.any(axis=0))
    if len(rows) < FEW_TRADES:
        return np.arange(chosen.shape[1], dtype=np.intp), f"all {chosen.shape[1]} setups"
    return rows, f"the {len(rows)} traded setups"

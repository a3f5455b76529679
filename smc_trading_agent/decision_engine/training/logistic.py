"""Logistic regression on the scaled context row: the baseline that networks have to beat, and often don't.

Weighted cross-entropy on fractional outcomes, L2-regularised around the log-odds of chance:

    min_d  sum_i w_i * CE(y_i, sigmoid(offset_i + z_i d)) + penalty / 2 * |d|^2,   z_i = (row_i, 1)

by Newton's method. The penalty is the one with the least loss over purged blocks of the training rows.
"""

from __future__ import annotations

import msgspec
import numpy as np

from smc_trading_agent.decision_engine.ensemble.experts import LogisticModel
from smc_trading_agent.decision_engine.ensemble.inputs import Normaliser
from smc_trading_agent.decision_engine.ensemble.manifest import ExpertKind
from smc_trading_agent.decision_engine.ensemble.signing import canonical_json
from smc_trading_agent.decision_engine.training.normaliser import mean_weight_one, scaled_context
from smc_trading_agent.decision_engine.training.offset import fit_offset, mean_loss
from smc_trading_agent.decision_engine.training.samples import Floats, Labels, Samples, Trades
from smc_trading_agent.decision_engine.training.settings import TrainingSettings
from smc_trading_agent.decision_engine.training.tail import purged_blocks

NEWTON_STEPS = 50
CONVERGED = 1e-9


class FittedLogistic(msgspec.Struct, frozen=True):
    """See `expert.FittedExpert`."""

    model: LogisticModel
    normaliser: Normaliser
    penalty: float
    name: str = "logistic"
    kind: ExpertKind = "logistic"

    def log_odds(self, samples: Samples) -> Floats:
        """Raw log-odds (n,)."""
        rows = scaled_context(samples, self.normaliser)
        return np.asarray(rows @ np.array(self.model.weights)) + self.model.intercept

    def export(self) -> bytes:
        """JSON of a `LogisticModel`."""
        return canonical_json(self.model)


def fit_logistic(
    samples: Samples,
    labels: Labels,
    trades: Trades,
    normaliser: Normaliser,
    seed: int,
    *,
    settings: TrainingSettings,
) -> FittedLogistic:
    """See `expert.ExpertFitter`; nothing here is left to chance, so ``seed`` changes nothing."""
    del trades, seed
    rows = scaled_context(samples, normaliser)
    offset = fit_offset(rows, labels)
    start, design = offset.apply(rows), np.column_stack([rows.astype(np.float64), np.ones(len(rows))])
    outcome, weight = labels.outcome, mean_weight_one(labels.weight)
    penalties = sorted(settings.logistic.penalties, reverse=True)
    losses = np.zeros(len(penalties))
    for inside, apart in purged_blocks(samples, labels, settings.logistic.blocks):
        found = np.zeros(design.shape[1])
        for place, penalty in enumerate(penalties):
            found = newton(design[inside], outcome[inside], weight[inside], start[inside], penalty, found)
            given = start[apart] + design[apart] @ found
            losses[place] += mean_loss(given, outcome[apart], weight[apart]) * weight[apart].sum()
    penalty = penalties[int(np.argmin(losses))]
    found = newton(design, outcome, weight, start, penalty, np.zeros(design.shape[1]))
    weights = offset.weights + found[:-1]
    return FittedLogistic(
        LogisticModel(tuple(weights.tolist()), offset.intercept + float(found[-1])), normaliser, penalty
    )


def newton(design: Floats, outcome: Floats, weight: Floats, start: Floats, penalty: float, guess: Floats) -> Floats:
    """The minimum (k,) above, from ``guess`` (k,); ``design`` (n, k), the rest (n,). Halves steps that don't help."""

    def loss(found: Floats) -> float:
        score = start + design @ found
        return float(weight @ (np.logaddexp(0.0, score) - outcome * score)) + 0.5 * penalty * float(found @ found)

    found, best = guess, loss(guess)
    for _ in range(NEWTON_STEPS):
        p = 0.5 * (1.0 + np.tanh(0.5 * (start + design @ found)))
        gradient = design.T @ (weight * (p - outcome)) + penalty * found
        curvature = (design * (weight * p * (1.0 - p))[:, None]).T @ design + penalty * np.eye(len(found))
        step, share = np.linalg.solve(curvature, gradient), 1.0
        while (trial := loss(found - share * step)) > best and share > 1e-6:
            share *= 0.5
        if trial > best:
            break
        found, gained, best = found - share * step, best - trial, trial
        if gained <= CONVERGED * (1.0 + abs(best)):
            break
    return found

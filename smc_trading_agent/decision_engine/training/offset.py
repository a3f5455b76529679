"""Where every model starts: the log-odds of chance, as a linear function of the scaled context row.

A market without drift reaches a target R risks away before the stop with probability 1 / (1 + R), so the log-odds are
-ln R. Two columns of the row tell R: reward over risk, and chance. Their least-squares combination stands in for the
logarithm, so that a graph needs no node for it; what is left of the error the models may learn.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent.decision_engine.ensemble.inputs import CONTEXT_COLUMNS
from smc_trading_agent.decision_engine.training.samples import Floats, Labels
from smc_trading_agent.domain.errors import SampleError

COLUMNS = tuple(CONTEXT_COLUMNS.index(name) for name in ("reward_risk", "chance"))


class ChanceOffset(msgspec.Struct, frozen=True):
    """Log-odds of chance = rows @ weights + intercept; ``weights`` (C,), 0 but for `COLUMNS`."""

    weights: Floats
    intercept: float

    def apply(self, rows: NDArray[np.float32]) -> Floats:
        """Log-odds (n,) of scaled context rows (n, C)."""
        return np.asarray(rows @ self.weights) + self.intercept


def fit_offset(rows: NDArray[np.float32], labels: Labels) -> ChanceOffset:
    """Weighted least squares of the log-odds of ``labels.chance`` on the two columns of scaled rows (n, C).

    Every fit begins here, so here what can't be fitted is refused with a `SampleError`.
    """
    _check(rows, labels)
    root = np.sqrt(labels.weight)
    design = np.column_stack([rows[:, COLUMNS].astype(np.float64), np.ones(len(rows))])
    target = np.log(labels.chance / (1.0 - labels.chance))
    found = np.linalg.lstsq(design * root[:, None], target * root, rcond=1e-9)[0]
    weights = np.zeros(rows.shape[1])
    weights[list(COLUMNS)] = found[:-1]
    return ChanceOffset(weights, float(found[-1]))


def _check(rows: NDArray[np.float32], labels: Labels) -> None:
    if not len(rows) or len(rows) != len(labels):
        raise SampleError(f"a model is fitted on as many rows as labels, found {len(rows)} and {len(labels)}")
    sound = (
        np.isfinite(rows).all()
        and ((labels.outcome >= 0.0) & (labels.outcome <= 1.0)).all()
        and ((labels.chance > 0.0) & (labels.chance < 1.0)).all()
        and ((labels.weight > 0.0) & np.isfinite(labels.weight)).all()
    )
    if not sound:
        raise SampleError(
            "a model needs finite rows, outcomes in [0, 1], chances between 0 and 1 and weights above 0; build the "
            "dataset again from clean data"
        )


def mean_loss(log_odds: Floats, outcome: Floats, weight: Floats) -> float:
    """Weighted mean cross-entropy in nats of log-odds (n,) against outcomes (n,) in [0, 1]."""
    return float(weight @ (np.logaddexp(0.0, log_odds) - outcome * log_odds) / weight.sum())

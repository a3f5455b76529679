"""How well one feature alone, whatever the shape of its effect, separates wins from losses out of fold."""

from __future__ import annotations

import numpy as np

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.arrays import Floats, Indices, Times
from smc_trading_agent.research.statistics.splits import combinatorial_splits

BINS = 20
MISSING = BINS


def bin_columns(features: Floats) -> Indices:
    """Each column of ``features``, shape (n, m), cut at its own vigintiles: bins 0 to 19, 20 where it is NaN.

    Equal values share a bin. The cuts see no outcome, so they are the same for all folds.
    """
    if np.isinf(features).any():
        raise SampleError("features hold infinities; write NaN where there is no value")
    binned = np.full(features.shape, MISSING, dtype=np.intp)
    for column in range(features.shape[1]):
        values = features[:, column]
        present = ~np.isnan(values)
        if present.any():
            edges = np.quantile(values[present], np.arange(1, BINS) / BINS)
            binned[present, column] = np.searchsorted(edges, values[present], side="right")
    return binned


def out_of_fold_auc(
    binned: Indices, outcomes: Floats, strata: Indices, starts: Times, ends: Times, folds: int
) -> Floats:
    """AUC of each column of ``binned``, shape (m,): the share of (win, loss) pairs that it puts in the right order.

    Only pairs of one stratum (0 to ``BINS``, shape (n,)) and one of ``folds`` purged folds are compared (Mann-Whitney,
    ties half), so that what the strata explain and how the base rate drifts neither help nor hurt. A bin is scored on
    the training part with its wins above what the strata of its samples win on average, over one more than its samples.
    0.5 is no separation; below it, what was learnt did not last.
    """
    columns, levels = binned.shape[1], int(strata.max()) + 1
    keys = binned + (BINS + 1) * (strata[:, None] + levels * np.arange(columns))
    shape = (columns, levels, BINS + 1)
    won = outcomes == 1.0
    right, pairs = np.zeros(columns), 0.0
    for train, test, _ in combinatorial_splits(starts, ends, folds, 1, embargo=0):
        wins, losses = (_histogram(keys[test[won[test] == outcome]], shape) for outcome in (True, False))
        fitted_wins, fitted = _histogram(keys[train[won[train]]], shape), _histogram(keys[train], shape)
        samples = fitted[0].sum(axis=1)
        base = np.divide(fitted_wins[0].sum(axis=1), samples, out=np.zeros(levels), where=samples > 0.0)
        excess = fitted_wins.sum(axis=1) - np.einsum("csb,s->cb", fitted, base)
        score = excess / (fitted.sum(axis=1) + 1.0)
        above = np.sign(score[:, :, None] - score[:, None, :]) / 2.0 + 0.5
        right += np.einsum("csa,csb,cab->c", wins, losses, above, optimize=True)
        pairs += float((wins[0].sum(axis=1) * losses[0].sum(axis=1)).sum())
    if pairs == 0.0:
        raise SampleError(f"no fold of {len(outcomes)} samples holds both outcomes; nothing can be separated")
    return right / pairs


def _histogram(keys: Indices, shape: tuple[int, int, int]) -> Floats:
    """Samples in each bin of each stratum of each column. Shape (columns, strata, BINS + 1)."""
    counts = np.bincount(keys.ravel(), minlength=int(np.prod(shape))).reshape(shape)
    return counts.astype(np.float64)

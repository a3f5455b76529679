"""How well one feature alone, of whatever shape its effect is, separates wins from losses out of fold."""

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


def out_of_fold_auc(binned: Indices, outcomes: Floats, starts: Times, ends: Times, folds: int) -> Floats:
    """AUC of each column of ``binned``, shape (m,): the share of (win, loss) pairs that it puts in the right order.

    In each of ``folds`` purged folds a bin is scored with its win rate in the training part, shrunk by one sample of the
    base rate, and pairs are counted within the test part (Mann-Whitney, ties half), so that a drift of the base rate
    from fold to fold neither helps nor hurts. 0.5 is no separation; below it, what was learnt did not last.
    """
    columns = binned.shape[1]
    keys = binned + (BINS + 1) * np.arange(columns)
    won = outcomes == 1.0
    right, pairs = np.zeros(columns), 0.0
    for train, test, _ in combinatorial_splits(starts, ends, folds, 1, embargo=0):
        wins, losses = (_histogram(keys[test[won[test] == outcome]], columns) for outcome in (True, False))
        fitted_wins, fitted = _histogram(keys[train[won[train]]], columns), _histogram(keys[train], columns)
        rate = (fitted_wins + won[train].mean()) / (fitted + 1.0)
        above = np.sign(rate[:, :, None] - rate[:, None, :]) / 2.0 + 0.5
        right += np.einsum("ca,cb,cab->c", wins, losses, above)
        pairs += float(won[test].sum()) * float((~won[test]).sum())
    if pairs == 0.0:
        raise SampleError(f"no fold of {len(outcomes)} samples holds both outcomes; nothing can be separated")
    return right / pairs


def _histogram(keys: Indices, columns: int) -> Floats:
    """Samples in each bin of each column. Shape (columns, BINS + 1)."""
    counts = np.bincount(keys.ravel(), minlength=columns * (BINS + 1)).reshape(columns, BINS + 1)
    return counts.astype(np.float64)

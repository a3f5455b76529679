"""Whether the winner of many trials won by skill: the probability of backtest overfitting, the number of trials.

Bailey, Borwein, López de Prado and Zhu, "The Probability of Backtest Overfitting" (Journal of Computational Finance,
2016), by combinatorially symmetric cross-validation (CSCV).
"""

from __future__ import annotations

from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.arrays import Floats, Indices, matrix

Measure = Literal["sharpe", "mean"]
CHUNK = 2048
# Below this share of the mean square, a variance is what rounding left of a constant.
ROUNDING = 1e-12


class Overfitting(NamedTuple):
    """What became, out of sample, of each in-sample winner.

    ``probability`` is the share of splits whose winner was at or below the median out of sample; ``logits`` ln(w/(1-w))
    of its relative rank w; ``in_sample`` and ``out_of_sample`` its measure in both halves, all of shape (splits,);
    ``loss`` the share of splits whose winner lost out of sample.
    """

    probability: float
    loss: float
    logits: Floats
    in_sample: Floats
    out_of_sample: Floats


def overfitting_probability(performance: ArrayLike, blocks: int = 16, measure: Measure = "sharpe") -> Overfitting:
    """PBO of ``performance``, shape (periods, trials): returns of each trial over the same periods.

    The periods are cut into ``blocks`` (even) contiguous blocks. Each of the C(blocks, blocks/2) halves serves once as
    in-sample, its complement as out-of-sample; w = rank/(trials + 1), with ties at their mean rank. A trial without
    spread in a half has a Sharpe ratio of 0 there.
    """
    values = matrix("performance", performance, rows=4, columns=2)
    periods, trials = values.shape
    if blocks < 2 or blocks % 2 or 2 * blocks > periods:
        raise SampleError(f"blocks={blocks} must be even, from 2 to half of the {periods} periods")
    members = np.array_split(np.arange(periods), blocks)
    sums = np.stack([values[rows].sum(axis=0) for rows in members])
    squares = np.stack([np.square(values[rows]).sum(axis=0) for rows in members])
    counts = np.array([rows.size for rows in members], dtype=np.float64)
    halves = np.array(list(combinations(range(blocks), blocks // 2)), dtype=np.intp)
    parts = [
        _winners(halves[start : start + CHUNK], sums, squares, counts, measure)
        for start in range(0, len(halves), CHUNK)
    ]
    inside, outside, ranks = (np.concatenate(part) for part in zip(*parts, strict=True))
    relative = ranks / (trials + 1)
    logits = np.log(relative / (1.0 - relative))
    return Overfitting(float((logits <= 0.0).mean()), float((outside < 0.0).mean()), logits, inside, outside)


def effective_trials(performance: ArrayLike, threshold: float = 0.5) -> tuple[int, Indices]:
    """How many different things ``performance``, shape (periods, trials), really tried; and the cluster of each trial.

    Average linkage: the two clusters whose members correlate most, on average over all pairs across, are merged as long
    as that average is ``threshold`` or more. A hundred settings of one idea so count as few. The idea is of López de
    Prado and Lewis, "Detection of False Investment Strategies" (Quantitative Finance, 2019); linkage with a fixed
    threshold replaces their search over k-means. Use the count with the spread of all trials, not of the clusters.
    Trials without spread correlate fully with one another, and not at all with the rest.
    """
    values = matrix("performance", performance, rows=3)
    if not -1.0 < threshold <= 1.0:
        raise SampleError(f"threshold={threshold} must be a correlation in (-1, 1]")
    similarity = _correlations(values)
    np.fill_diagonal(similarity, -np.inf)
    trials = values.shape[1]
    cluster = np.arange(trials, dtype=np.intp)
    sizes = np.ones(trials)
    for _ in range(trials - 1):
        first, second = divmod(int(similarity.argmax()), trials)
        if similarity[first, second] < threshold - ROUNDING:
            break
        weight = sizes[first] + sizes[second]
        merged = (sizes[first] * similarity[first] + sizes[second] * similarity[second]) / weight
        similarity[first], similarity[:, first] = merged, merged
        similarity[first, first] = -np.inf
        similarity[second], similarity[:, second] = -np.inf, -np.inf
        sizes[first] = weight
        cluster[cluster == second] = first
    names, labels = np.unique(cluster, return_inverse=True)
    return names.size, labels.astype(np.intp)


def _winners(
    halves: Indices, sums: Floats, squares: Floats, counts: Floats, measure: Measure
) -> tuple[Floats, Floats, Floats]:
    """In-sample measure, out-of-sample measure and out-of-sample rank (1 is worst) of each half's winner."""
    inside = np.zeros((len(halves), len(counts)))
    np.put_along_axis(inside, halves, 1.0, axis=1)
    mine = _measured(inside, sums, squares, counts, measure)
    other = _measured(1.0 - inside, sums, squares, counts, measure)
    rows = np.arange(len(halves))
    winner = mine.argmax(axis=1)
    result = other[rows, winner]
    below = (other < result[:, None]).sum(axis=1)
    ties = (other == result[:, None]).sum(axis=1)
    return mine[rows, winner], result, below + (ties + 1) / 2.0


def _measured(chosen: Floats, sums: Floats, squares: Floats, counts: Floats, measure: Measure) -> Floats:
    """Mean or Sharpe ratio of each trial over the chosen blocks, from sums alone. Shape (halves, trials)."""
    size = (chosen @ counts)[:, None]
    mean = chosen @ sums / size
    if measure == "mean":
        return mean
    mean_square = chosen @ squares / size
    variance = mean_square - np.square(mean)
    spread = variance > ROUNDING * mean_square
    deviation = np.sqrt(np.where(spread, variance, 1.0) * size / (size - 1.0))
    return np.where(spread, mean / deviation, 0.0)


def _correlations(values: Floats) -> Floats:
    """Correlation matrix, shape (trials, trials)."""
    deviations = values - values.mean(axis=0)
    norms = np.sqrt(np.square(deviations).sum(axis=0))
    constant = np.ptp(values, axis=0) == 0.0
    scaled = np.divide(deviations, norms, out=np.zeros_like(values), where=~constant)
    correlations: Floats = scaled.T @ scaled + np.outer(constant, constant)
    return correlations

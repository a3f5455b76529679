"""Runs that must fail: what an honest pipeline still "finds" in them is what it would find in anything.

`smc_trading_agent._core.random_entry_returns` is the third placebo, entry at random with the same exits; `leaks` has
the fourth, a planted leak that the audit must name.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.arrays import Floats, Indices, outcomes_of, series


class LaggedEntries(NamedTuple):
    """Entries that come late: the bars they are at now, and the rows of the entries that still have a bar."""

    bars: Indices
    kept: Indices


def shuffle_within_blocks(samples: int, block: int, seed: int) -> Indices:
    """A permutation of 0 to ``samples`` - 1 that leaves each row in its block of ``block`` rows. Shape (samples,).

    Labels, results and label ends taken in this order lose their tie to the features, and keep the base rate of their
    time: a model may still learn the drift, nothing else.
    """
    if samples < 1 or block < 2:
        raise SampleError(
            f"samples={samples} must be 1 or more, and a block of {block} must hold 2 to shuffle anything"
        )
    order = np.random.default_rng(seed).random(samples)
    permutation: Indices = np.lexsort((order, np.arange(samples) // block))
    return permutation


def lag_entries(entry_bars: ArrayLike, lag: int, bars: int) -> LaggedEntries:
    """Moves entries at ``entry_bars`` (positions among ``bars`` bars, shape (n,)) ``lag`` bars later.

    The decision stays as it was; labels, prices and costs are then computed from the later bar. An edge that lives on a
    bar it could not have traded on is gone; one that decays slowly loses a little.
    """
    entries = np.asarray(entry_bars)
    if entries.ndim != 1 or entries.dtype.kind not in "iu" or lag < 1:
        raise SampleError(f"entries of shape {entries.shape} and {entries.dtype} can't be moved by lag={lag} bars")
    if entries.size and (entries.min() < 0 or entries.max() >= bars):
        raise SampleError(f"entries reach from bar {entries.min()} to {entries.max()}; there are {bars} bars")
    late = entries.astype(np.intp) + lag
    kept = np.flatnonzero(late < bars)
    return LaggedEntries(late[kept], kept)


def placebo_p_value(observed: float, placebos: ArrayLike) -> float:
    """How often chance does as well: (1 + number of ``placebos`` at or above ``observed``)/(1 + their number).

    Never 0: the observed run is one of the possible ones (Davison and Hinkley, "Bootstrap Methods", 1997, section 4.2).
    """
    values = series("placebos", placebos, 1)
    return float((1 + (values >= observed).sum()) / (1 + values.size))


def plant_leak(features: ArrayLike, outcomes: ArrayLike, column: int, strength: float, seed: int) -> Floats:
    """A copy of ``features``, shape (n, m), whose ``column`` knows ``outcomes`` (0 or 1, shape (n,)).

    The column becomes strength * z(outcome) + sqrt(1 - strength^2) * z(itself), with missing values drawn from a
    normal; ``strength`` in (0, 1] is about its correlation with the outcome.
    """
    planted = np.array(features, dtype=np.float64)
    happened = outcomes_of(outcomes)
    if planted.ndim != 2 or len(planted) != happened.size or not 0 <= column < planted.shape[1]:
        raise SampleError(f"column {column} of features {planted.shape} can't hold {happened.size} outcomes")
    if not 0.0 < strength <= 1.0:
        raise SampleError(f"strength={strength} must be in (0, 1]")
    own = planted[:, column]
    present = np.isfinite(own)
    noise = np.random.default_rng(seed).normal(size=own.size)
    noise[present] = _standardised(own[present])
    planted[:, column] = strength * _standardised(happened) + np.sqrt(1.0 - strength**2) * noise
    return planted


def _standardised(values: Floats) -> Floats:
    """Mean 0 and deviation 1; zeros where the values don't vary."""
    if values.size == 0 or np.ptp(values) == 0.0:
        return np.zeros_like(values)
    scaled: Floats = (values - values.mean()) / values.std()
    return scaled

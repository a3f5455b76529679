"""What every statistic checks of its input, in one place: shape, length, finiteness, range."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smc_trading_agent.domain.errors import SampleError

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Indices = NDArray[np.intp]


def series(name: str, values: ArrayLike, at_least: int = 2) -> Floats:
    """``values`` as finite floats of shape (n,), n >= ``at_least``; raises `SampleError` otherwise."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise SampleError(f"{name} has shape {array.shape}; give one dimension")
    if array.size < at_least:
        raise SampleError(f"{name} holds {array.size} values; {at_least} are needed")
    return _finite(name, array)


def matrix(name: str, values: ArrayLike, rows: int = 2, columns: int = 1) -> Floats:
    """``values`` as finite floats, ``rows`` by ``columns`` at least; raises `SampleError` otherwise."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] < rows or array.shape[1] < columns:
        raise SampleError(f"{name} has shape {array.shape}; at least ({rows}, {columns}) is needed")
    return _finite(name, array)


def weights_of(weights: ArrayLike | None, count: int) -> Floats:
    """Sample weights of shape (count,), ones where None is given.

    Raises `SampleError` where one is negative or none is positive.
    """
    if weights is None:
        return np.ones(count)
    array = series("weights", weights, 1)
    same_length(weights=array, samples=np.empty(count))
    if (array < 0.0).any() or not (array > 0.0).any():
        raise SampleError("weights must be 0 or more, with one above 0 at least")
    return array


def probabilities_of(values: ArrayLike) -> Floats:
    """Forecast probabilities of shape (n,); raises `SampleError` where one is outside [0, 1]."""
    array = series("probabilities", values, 1)
    if ((array < 0.0) | (array > 1.0)).any():
        raise SampleError(f"probabilities reach from {array.min()} to {array.max()}; they must be in [0, 1]")
    return array


def outcomes_of(values: ArrayLike) -> Floats:
    """Outcomes of shape (n,): 1.0 where the event happened, 0.0 where not; raises `SampleError` for other values."""
    array = series("outcomes", values, 1)
    if not np.isin(array, (0.0, 1.0)).all():
        raise SampleError("outcomes must be 0 or 1: map the labels first")
    return array


def same_length(**arrays: NDArray[np.generic]) -> None:
    """Raises `SampleError`, naming the arrays, unless all have as many rows."""
    if len({len(array) for array in arrays.values()}) > 1:
        lengths = ", ".join(f"{name} {len(array)}" for name, array in arrays.items())
        raise SampleError(f"lengths differ ({lengths}); give one row for each sample")


def intervals_of(starts: ArrayLike, ends: ArrayLike) -> tuple[Times, Times]:
    """Label lives (t0, t1) in ns, each of shape (n,), by rising t0.

    Raises `SampleError` where they are unsorted or end before they start.
    """
    first, last = np.asarray(starts), np.asarray(ends)
    if first.ndim != 1 or first.shape != last.shape or first.size == 0:
        raise SampleError(f"starts {first.shape} and ends {last.shape} must be one-dimensional, equal and not empty")
    if first.dtype.kind not in "iu" or last.dtype.kind not in "iu":
        raise SampleError(f"starts ({first.dtype}) and ends ({last.dtype}) must be integers, in ns")
    if (np.diff(first) < 0).any():
        raise SampleError("starts must not decrease: sort the samples by the time at which they are known")
    if (last < first).any():
        raise SampleError(f"sample {int(np.argmax(last < first))} ends before it starts")
    return first.astype(np.int64), last.astype(np.int64)


def _finite(name: str, array: Floats) -> Floats:
    if not np.isfinite(array).all():
        raise SampleError(
            f"{name} holds {int((~np.isfinite(array)).sum())} values that are not finite; leave them out first"
        )
    return array

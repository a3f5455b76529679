"""Rows that models see, one at a time (crates/smc-python/src/rows.rs)."""

import numpy as np
from numpy.typing import NDArray

class RowMirror:
    """A feature vector (F,) as it is, or upside down: ``offset + sign * row[index]``."""

    def __init__(self, index: list[int], sign: list[float], offset: list[float]) -> None: ...
    def row(self, features: tuple[float, ...], flipped: bool, more: int) -> NDArray[np.float64]: ...
    # (F + more,), the further columns 0; ValueError for another number of features

class RowScaler:
    """A row (C,) of ``(x - centre) * factor``, kept within ``limit`` of 0; NaN stays NaN."""

    def __init__(self, centre: list[float], factor: list[float], limit: float) -> None: ...
    def apply(self, row: NDArray[np.float64]) -> NDArray[np.float32]: ...  # ValueError for another width

def largest_of(row: NDArray[np.float64], count: int) -> list[int]:
    """Places of the ``count`` largest magnitudes, largest first, equal ones in their order, NaN last."""

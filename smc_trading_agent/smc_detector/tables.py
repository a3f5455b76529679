"""Frames, Polars or pandas, out of NumPy columns: words as categories, times in UTC, rows that join."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

FrameKind = Literal["polars", "pandas"]


@dataclass(frozen=True)
class Categories:
    """Positions in a list of words, shape (rows,)."""

    codes: NDArray[np.uint8]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Times:
    """Times in ns since the epoch, UTC, shape (rows,)."""

    values: NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Row numbers, -1 for none, shape (rows,)."""

    values: NDArray[np.int32]


Column = NDArray[Any] | Categories | Times | Rows


def frame_of(kind: str, columns: Mapping[str, Column]) -> Any:
    """A Polars or pandas DataFrame with these columns; pandas is imported only when it is asked for.

    Row numbers have the type that joins with the row index of the library; none is null. ValueError for another kind,
    ModuleNotFoundError where pandas isn't installed.
    """
    if kind == "polars":
        return pl.DataFrame([_polars(name, column) for name, column in columns.items()])
    if kind != "pandas":
        raise ValueError(f'frame is {kind!r}; it must be "polars" or "pandas"')
    pandas: Any = importlib.import_module("pandas")
    return pandas.DataFrame({name: _pandas(pandas, column) for name, column in columns.items()}, copy=False)


def _polars(name: str, column: Column) -> pl.Series:
    match column:
        case Categories(codes, words):
            return pl.Series(name, codes).cat.to(pl.Enum(words))
        case Times(values):
            return pl.Series(name, values).cast(pl.Datetime("ns", "UTC"))
        case Rows(values):
            index = pl.get_index_type()
            none = values < 0
            if not none.any():
                return pl.Series(name, values).cast(index)
            return pl.Series(name, np.where(none, 0, values)).cast(index).set(pl.Series(none), None)
        case _:
            return pl.Series(name, np.ascontiguousarray(column))


def _pandas(pandas: Any, column: Column) -> Any:
    match column:
        case Categories(codes, words):
            return pandas.Categorical.from_codes(codes, categories=list(words))
        case Times(values):
            return pandas.DatetimeIndex(values.view("datetime64[ns]"), tz="UTC")
        case Rows(values):
            return pandas.arrays.IntegerArray(np.maximum(values, 0).astype(np.int64), values < 0)
        case _:
            return column

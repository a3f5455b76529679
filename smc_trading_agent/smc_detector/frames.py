"""Columns out of pandas and Polars frames, and answers in kind. pandas is used where the caller brought it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

FrameT = TypeVar("FrameT")
Floats = NDArray[np.float64]
Column = NDArray[Any]


def is_pandas(frame: object) -> bool:
    """Whether ``frame`` is a pandas DataFrame; raises TypeError where it is no Polars DataFrame either."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(frame, pandas.DataFrame):
        return True
    if isinstance(frame, pl.DataFrame):
        return False
    kind = f"{type(frame).__module__}.{type(frame).__qualname__}"
    remedy = (
        "collect() it first" if isinstance(frame, pl.LazyFrame) else "pip install pandas, or use the installed Polars"
    )
    raise TypeError(f"a pandas or Polars DataFrame is needed, not {kind}; {remedy}")


def name_of(frame: object, wanted: str) -> str | None:
    """The column's name in the frame, whatever its case; None where it is absent, ValueError where there are two."""
    is_pandas(frame)
    found = [str(name) for name in cast(Any, frame).columns if str(name).lower() == wanted.lower()]
    if len(found) > 1:
        raise ValueError(f"columns {', '.join(found)} differ only in case; leave one of them")
    return found[0] if found else None


def floats(frame: object, *wanted: str) -> list[Floats]:
    """The columns ``wanted``, whatever their case, as float64 with NaN for what is absent, each of shape (rows,).

    LookupError names a missing column, ValueError one that holds no numbers.
    """
    columns = []
    for name in wanted:
        actual = name_of(frame, name)
        if actual is None:
            there = ", ".join(str(column) for column in cast(Any, frame).columns)
            raise LookupError(f'column "{name}" is missing; the frame has: {there or "no columns"}')
        series = cast(Any, frame)[actual]
        try:
            if isinstance(series, pl.Series):
                columns.append(series.cast(pl.Float64).to_numpy())
            else:
                columns.append(series.to_numpy(dtype="float64", na_value=np.nan))
        except (ValueError, TypeError, pl.exceptions.PolarsError) as error:
            raise ValueError(f'column "{actual}" is not numeric: {error}') from error
    return columns


def answer(like: FrameT, columns: Mapping[str, Column]) -> FrameT:
    """A fresh frame of the caller's kind; pandas gets NaN and a 0..n-1 index, as from the library, Polars nulls."""
    if is_pandas(like):
        pandas: Any = sys.modules["pandas"]
        # The columns are fresh and nobody else's, so that the frame may hold them as they are.
        return cast(FrameT, pandas.DataFrame(dict(columns), copy=False))
    return cast(FrameT, pl.DataFrame(dict(columns), nan_to_null=True))

"""Times as files write them, to integer nanoseconds UTC.

Whole numbers are told apart by the magnitude of the column's median m: seconds below 1e11, milliseconds below
1e14, microseconds below 1e17, nanoseconds from there on. Each unit so covers the years 1973 to 5138 and no
two of them overlap. Dates without a zone are read as UTC.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smc_trading_agent.domain.errors import DataError

_UNITS: tuple[tuple[float, int], ...] = ((1e11, 1_000_000_000), (1e14, 1_000_000), (1e17, 1_000))
_DATE_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%d %H:%M:%S%.f+00:00",
    "%Y-%m-%dT%H:%M:%S%.f+00:00",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d %H%M%S",
)
_DAY_FORMATS = ("%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d")


def unit_ns(median: float) -> int:
    """Nanoseconds per unit of a column of whole numbers with this median, by the rule above."""
    return next((factor for limit, factor in _UNITS if abs(median) < limit), 1)


def to_nanoseconds(file: str, column: pl.Series) -> NDArray[np.int64]:
    """A time column as int64 ns UTC, shape (rows,); `DataError` names the first value that is no time."""
    if column.dtype == pl.String:
        column = _from_text(file, column)
    if isinstance(column.dtype, pl.Datetime):
        _refuse_missing(file, column, column)
        return column.cast(pl.Datetime("ns", column.dtype.time_zone)).to_physical().to_numpy()
    if column.dtype == pl.Date:
        _refuse_missing(file, column, column)
        return column.cast(pl.Datetime("ns")).to_physical().to_numpy()
    if not column.dtype.is_numeric():
        raise DataError(
            f"{file}: column {column.name!r} is of type {column.dtype}, no time; "
            "give whole numbers (s, ms, us or ns since 1970, UTC), dates or date texts"
        )
    whole = column.cast(pl.Int64, strict=False)
    if column.dtype.is_float():
        whole = whole.set(column.is_nan() | (column != column.floor()), None)
    _refuse_missing(file, column, whole)
    return _scaled(file, column.name, whole.to_numpy())


def _scaled(file: str, name: str, values: NDArray[np.int64]) -> NDArray[np.int64]:
    factor = unit_ns(float(np.median(values)))
    limit = np.iinfo(np.int64).max // factor
    beyond = np.flatnonzero((values > limit) | (values < -limit))
    if beyond.size:
        row = int(beyond[0])
        raise DataError(
            f"{file}: {name} {values[row]} in row {row} is beyond the year 2262 in the unit of its column; "
            "give every row the same unit"
        )
    return values * factor


def _from_text(file: str, column: pl.Series) -> pl.Series:
    """Texts of whole numbers or of dates; the format that reads the most rows counts for all of them."""
    text = column.str.strip_chars()
    best = text.cast(pl.Int64, strict=False)
    for pattern in _DATE_FORMATS:
        if best.null_count() == 0:
            break
        best = min(best, text.str.to_datetime(pattern, time_unit="ns", strict=False), key=pl.Series.null_count)
    for pattern in _DAY_FORMATS:
        if best.null_count() == 0:
            break
        days = text.str.to_date(pattern, strict=False).cast(pl.Datetime("ns"))
        best = min(best, days, key=pl.Series.null_count)
    _refuse_missing(file, column, best)
    return best.alias(column.name)


def _refuse_missing(file: str, original: pl.Series, parsed: pl.Series) -> None:
    if parsed.null_count() == 0:
        return
    row = int(parsed.is_null().arg_max() or 0)
    raise DataError(
        f"{file}: {original.name} {original[row]!r} in row {row} is no time ({parsed.null_count():,} such rows); "
        "give whole numbers (s, ms, us or ns since 1970, UTC) or dates such as 2023-01-31 12:00:00"
    )

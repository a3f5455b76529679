"""When bars open, out of pandas and Polars frames."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smc_trading_agent.smc_detector.frames import is_pandas

Nanoseconds = NDArray[np.int64]

TIME_NAMES = ("date", "datetime", "time", "timestamp", "open_time")
FIRST_NANOSECONDS = 10**17  # 1973-03-03; smaller whole numbers are seconds, milli- or microseconds of our days


class BarTimes(NamedTuple):
    """Opening times, shape (bars,), ns since the epoch. ``utc`` is None where the frame names no time zone."""

    wall: Nanoseconds
    utc: Nanoseconds | None


def bar_times(frame: object) -> BarTimes:
    """From the index of a pandas frame; else from the column called date, datetime, time, timestamp or open_time; else,
    in a Polars frame, from its only datetime column. ValueError where there is none, or a time is absent."""
    series = _pandas_times(frame) if is_pandas(frame) else _time_column(cast(pl.DataFrame, frame))
    if series.null_count():
        raise ValueError(f"the time of row {series.is_null().arg_max()} is absent; drop the row or fill it in")
    zone = cast(pl.Datetime, series.dtype).time_zone
    wall = series.dt.replace_time_zone(None) if zone else series
    return BarTimes(_numbers(wall), _numbers(series) if zone else None)


def open_times(frame: object) -> Nanoseconds:
    """Opening times in UTC, shape (bars,), ns since the epoch: those of `bar_times`, read as UTC where the frame names
    no time zone, or a column of whole nanoseconds. ValueError where there is neither."""
    whole = _whole_numbers(frame)
    if whole is None:
        times = bar_times(frame)
        return times.wall if times.utc is None else times.utc
    if whole.size and abs(int(whole[0])) < FIRST_NANOSECONDS:
        unit = next(name for name, limit in (("s", 10**11), ("ms", 10**14), ("us", 10**17)) if abs(whole[0]) < limit)
        raise ValueError(
            f"the time of row 0 is {whole[0]}, too small for nanoseconds of our days; make the column datetimes, as "
            f"polars.from_epoch(column, time_unit={unit!r}) or pandas.to_datetime(column, unit={unit!r}) do"
        )
    return whole


def _whole_numbers(frame: object) -> Nanoseconds | None:
    """The time column, where it is one of whole numbers."""
    if is_pandas(frame) and isinstance(cast(Any, frame).index, sys.modules["pandas"].DatetimeIndex):
        return None
    for name in cast(Any, frame).columns:
        if str(name).lower() in TIME_NAMES:
            values = cast(Any, frame)[name]
            whole = values.dtype.is_integer() if isinstance(values, pl.Series) else values.dtype.kind in "iu"
            if whole and not (values.null_count() if isinstance(values, pl.Series) else values.hasnans):
                return np.asarray(values.to_numpy(), dtype=np.int64)
    return None


def _pandas_times(frame: object) -> pl.Series:
    pandas: Any = sys.modules["pandas"]
    index = cast(Any, frame).index
    if not isinstance(index, pandas.DatetimeIndex):
        named = [name for name in cast(Any, frame).columns if str(name).lower() in TIME_NAMES]
        if len(named) != 1 or not pandas.api.types.is_datetime64_any_dtype(cast(Any, frame)[named[0]]):
            kind = type(index).__name__
            raise ValueError(f"the index is a {kind}, not a DatetimeIndex; use set_index(pandas.to_datetime(...))")
        index = pandas.DatetimeIndex(cast(Any, frame)[named[0]])
    series = pl.Series("time", index.to_numpy(dtype="datetime64[ns]"))
    if index.tz is None:
        return series
    utc = series.dt.replace_time_zone("UTC")
    name = str(index.tz)
    return utc if name == "UTC" else utc.dt.convert_time_zone(name)


def _time_column(frame: pl.DataFrame) -> pl.Series:
    dated = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime | pl.Date)]
    chosen = [name for name in dated if name.lower() in TIME_NAMES] or dated
    if len(chosen) != 1:
        raise ValueError(f"{len(chosen)} datetime columns could be the bars' times; have one, named date")
    series = frame[chosen[0]]
    return series.cast(pl.Datetime("ns")) if isinstance(series.dtype, pl.Date) else series.dt.cast_time_unit("ns")


def _numbers(series: pl.Series) -> Nanoseconds:
    return series.to_physical().to_numpy()

"""When bars open, by the wall clock and in UTC, and when sessions are."""

from __future__ import annotations

import re
import sys
from typing import Any, NamedTuple, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smc_trading_agent.smc_detector.compat.frames import is_pandas

Nanoseconds = NDArray[np.int64]

HOUR_NS = 3_600_000_000_000
TIME_NAMES = ("date", "datetime", "time", "timestamp", "open_time")

SESSIONS = {
    "sydney": ("21:00", "06:00"),
    "tokyo": ("00:00", "09:00"),
    "london": ("07:00", "16:00"),
    "new york": ("13:00", "22:00"),
    "asian kill zone": ("00:00", "04:00"),
    "london open kill zone": ("06:00", "09:00"),
    "new york kill zone": ("11:00", "14:00"),
    "london close kill zone": ("14:00", "16:00"),
}
"""Start and end in UTC, all year."""


class BarTimes(NamedTuple):
    """Opening times, shape (bars,), ns since the epoch. ``utc`` is None where the frame names no time zone."""

    wall: Nanoseconds
    utc: Nanoseconds | None


def bar_times(frame: object) -> BarTimes:
    """From the index of a pandas frame; from the column of a Polars frame called date, datetime, time, timestamp or
    open_time, else from its only datetime column. ValueError where there is none, or a time is absent."""
    series = _index(frame) if is_pandas(frame) else _time_column(cast(pl.DataFrame, frame))
    if series.null_count():
        raise ValueError(f"the time of row {series.is_null().arg_max()} is absent; drop the row or fill it in")
    zone = cast(pl.Datetime, series.dtype).time_zone
    wall = series.dt.replace_time_zone(None) if zone else series
    return BarTimes(_numbers(wall), _numbers(series) if zone else None)


def _index(frame: object) -> pl.Series:
    index = cast(Any, frame).index
    if not isinstance(index, sys.modules["pandas"].DatetimeIndex):
        kind = type(index).__name__
        raise ValueError(f"the index is a {kind}, not a DatetimeIndex; use set_index(pandas.to_datetime(...))")
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


def utc_times(times: BarTimes, time_zone: str, inverted: bool) -> Nanoseconds:
    """Opening times in UTC; where the frame names no zone, ``time_zone`` says which clock they were read from.

    ``time_zone`` is UTC, UTC+3, GMT-5, or an IANA name. With ``inverted`` a number counts the wrong way, as in the
    library. ValueError for an unknown zone, and for a time that the zone's clock skips or shows twice.
    """
    if times.utc is not None:
        return times.utc
    offset = re.fullmatch(r"(?:UTC|GMT)([+-]\d{1,2})?", time_zone)
    if offset:
        hours = int(offset[1] or 0)
        if not -14 <= hours <= 14:
            raise ValueError(f"time_zone {time_zone!r} is more than 14 hours from UTC")
        return times.wall + (hours if inverted else -hours) * HOUR_NS
    wall = pl.Series("time", times.wall).cast(pl.Datetime("ns"))
    try:
        local = wall.dt.replace_time_zone(time_zone, ambiguous="null", non_existent="null")
    except pl.exceptions.PolarsError as error:
        raise ValueError(
            f"time_zone {time_zone!r} is not known; use UTC, UTC+3, or a name such as Europe/London"
        ) from error
    if local.null_count():
        bad = wall[cast(int, local.is_null().arg_max())]
        raise ValueError(
            f"the clock of {time_zone} skips {bad} or shows it twice; put the time zone into the frame's times"
        )
    return _numbers(local)


def session_window(session: str, start_time: str, end_time: str) -> tuple[int, int]:
    """First and last minute after midnight of a session by its name, or of ``Custom`` by "HH:MM" to "HH:MM"."""
    name = session.lower()
    if name == "custom":
        if not (start_time and end_time):
            raise ValueError('a Custom session needs start_time and end_time, such as "07:00" and "16:00"')
    elif name in SESSIONS:
        start_time, end_time = SESSIONS[name]
    else:
        raise ValueError(f"session {session!r} is not known; use Custom or one of: {', '.join(SESSIONS)}")
    return _minute(start_time), _minute(end_time)


def _minute(text: str) -> int:
    parts = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if parts is None:
        raise ValueError(f"{text!r} is no time of day; write it as HH:MM, from 00:00 to 23:59")
    return int(parts[1]) * 60 + int(parts[2])

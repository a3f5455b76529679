"""When bars open in UTC, and when sessions are."""

from __future__ import annotations

import re
from typing import cast

import polars as pl

from smc_trading_agent.smc_detector.times import BarTimes, Nanoseconds

HOUR_NS = 3_600_000_000_000

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
    return local.to_physical().to_numpy()


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

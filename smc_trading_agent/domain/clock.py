"""Where time comes from. Stages are given a clock; nothing else in the package reads the machine's."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Answers what time it is, in nanoseconds since the epoch."""

    def now(self) -> int: ...


class MarketClock:
    """The time of the market being replayed: it stands still until it is advanced, and never goes back."""

    def __init__(self, start: int = 0) -> None:
        self._now = start

    def now(self) -> int:
        return self._now

    def advance_to(self, time_ns: int) -> None:
        """Moves forward to ``time_ns``; an earlier time changes nothing."""
        if time_ns > self._now:
            self._now = time_ns


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        return time.time_ns()


def monotonic_ns() -> int:
    """A reading for measuring durations; unrelated to any date."""
    return time.perf_counter_ns()


def utc_text(time_ns: int) -> str:
    """A time as ``2023-03-24 12:39:00 UTC``; out-of-range times as their number."""
    try:
        return f"{datetime.fromtimestamp(time_ns // 1_000_000_000, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return f"{time_ns} ns"

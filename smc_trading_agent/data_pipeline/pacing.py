"""Hands out a feed's bars at a chosen speed, on a schedule fixed once, so that it never drifts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import Bars, timeframe_ns
from smc_trading_agent.data_pipeline.wrapped import WrappedFeed
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.ports import Feed

SLICE_NS = 50_000_000  # real time that one batch may cover: readers of the state get their turn in between
SECOND_NS = 1_000_000_000
LONGEST_WAIT_NS = 60 * SECOND_NS
FAR_NS = 2.0**61

Waiter = Callable[[float], bool]
"""Waits up to so many seconds; True when the agent is stopping. `threading.Event.wait` is one."""


def parse_speed(text: str) -> float | None:
    """Market seconds per real second, None for ``max`` (flat out); `ConfigError` otherwise."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed < float("inf"):
        raise ConfigError(f"speed {text!r} is no positive number; give market seconds per real second, or max")
    return speed


class PacedFeed(WrappedFeed):
    """A `Feed` whose bars come when their close is due; the first ``fast_forward`` bars come flat out.

    The schedule starts when the first paced bar is asked for, at that bar's open: a bar closing t later is
    due t / speed after that, holes in the market included. A reader that falls behind gets what is due at
    once, in batches of at most 50 ms of schedule.
    """

    def __init__(
        self, feed: Feed, speed: float | None, waiter: Waiter, clock: Callable[[], int], fast_forward: int = 0
    ) -> None:
        if speed is not None and not 0.0 < speed < float("inf"):
            raise ConfigError(f"speed {speed} is no positive number; give market seconds per real second, or max")
        super().__init__(feed)
        self._speed = speed
        self._wait = waiter
        self._clock = clock
        self._fast_forward = fast_forward

    def batches(self, start: int) -> Iterator[Bars]:
        """The feed's bars from ``start`` on, each when it is due; ends early when the waiter says stop."""
        for bars, due in self._pieces(start):
            if self._stopping_before(due):
                return
            yield bars

    def _pieces(self, start: int) -> Iterator[tuple[Bars, int | None]]:
        """What to hand out next, and the reading of the clock at which it is due; None for flat out."""
        position, schedule = start, None
        for bars in self._feed.batches(start):
            paced_from = len(bars) if self._speed is None else min(max(self._fast_forward - position, 0), len(bars))
            position += len(bars)
            if paced_from:
                yield (bars if paced_from == len(bars) else bars.slice(0, paced_from)), None
            if self._speed is not None and paced_from < len(bars):
                schedule = schedule or _Schedule(
                    bars[paced_from].open_time, self._clock(), self._speed, timeframe_ns(bars.timeframe)
                )
                yield from schedule.pieces(bars, paced_from)

    def _stopping_before(self, due: int | None) -> bool:
        """Waits until the clock reads ``due``; True as soon as the waiter says stop. Asks it once at least."""
        while True:
            remaining = 0 if due is None else max(due - self._clock(), 0)
            if self._wait(min(remaining, LONGEST_WAIT_NS) / SECOND_NS):
                return True
            if due is None or self._clock() >= due:
                return False


class _Schedule:
    """When each market time is due on the real clock, from one fixed pair of times."""

    def __init__(self, market_origin: int, real_origin: int, speed: float, bar_length: int) -> None:
        self._market_origin = market_origin
        self._real_origin = real_origin
        self._speed = speed
        self._crowded = bar_length / speed < SLICE_NS

    def pieces(self, bars: Bars, start: int) -> Iterator[tuple[Bars, int]]:
        """The bars from ``start`` on, those of one slice together, each piece with its due time.

        Slices of 50 ms are counted from the origin and handed out at their end. Where bars are further
        apart than a slice none waits for company: each is a piece of its own, due at its close.
        """
        due = self._due(bars.columns()["close_time"])
        position = start
        while position < len(bars):
            first = int(due[position])
            until = first + (self._real_origin - first) % SLICE_NS if self._crowded else first
            stop = max(position + 1, int(np.searchsorted(due, until, side="right")))
            yield bars.slice(position, stop), until
            position = stop

    def _due(self, market_times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Reading of the injected clock, in ns, at which each market time is reached."""
        elapsed = (market_times - self._market_origin) / self._speed
        return self._real_origin + np.minimum(elapsed, FAR_NS).astype(np.int64)

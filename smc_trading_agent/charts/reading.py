"""Reads a market from its first bar to the end of the span, and keeps what a chart of the span shows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from smc_trading_agent._core import Bar, Step, timeframe_ns
from smc_trading_agent.charts.span import Span
from smc_trading_agent.charts.things import Assembler, Thing
from smc_trading_agent.domain.clock import utc_text
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.domain.ports import Feed, StructureReader

MAX_BARS = 20_000
"""More candles than this are no picture, and a page that browsers struggle with."""
SWEEP_EVERY = 4_096


class Reading(msgspec.Struct, frozen=True):
    """The bars of a span, the things on them, and how much was read before: ``warmup`` bars from ``first`` (ns) on.

    Things that ended before the first bar are left out; nothing after the last one was read.
    """

    timeframe: str
    bars: Sequence[Bar]
    things: Sequence[Thing]
    warmup: int
    first: int

    @property
    def end(self) -> int:
        """Close time of the last bar, in ns."""
        return self.bars[-1].close_time


def read_span(
    feed: Feed, reader: StructureReader, span: Span, kinds: Sequence[str], progress: Callable[[int], None]
) -> Reading:
    """Leads the bars of ``feed`` through ``reader``, a new one of one timeframe, and stops at the end of ``span``.

    ``progress`` hears the number of base bars read. Raises `DataError` where the span holds no bar, or too many.
    """
    collector = _Collector(reader.timeframes[0], span, kinds)
    done = 0
    for batch in feed.batches(0):
        position = 0
        while position < len(batch):
            step = reader.advance(batch, position)
            position = step.end
            if step.decision_bar is not None and not collector.take(step.decision_bar, step):
                return collector.reading(feed.market)
        done += len(batch)
        progress(done)
    return collector.reading(feed.market)


class _Collector:
    def __init__(self, timeframe: str, span: Span, kinds: Sequence[str]) -> None:
        self._timeframe = timeframe
        self._span = span
        self._assembler = Assembler(kinds, timeframe_ns(timeframe))
        self._bars: deque[Bar] = deque(maxlen=span.bars if span.start is None else None)
        self._seen = 0
        self._first = self._last = 0
        self._swept_at = SWEEP_EVERY

    def take(self, bar: Bar, step: Step) -> bool:
        """Takes a closed bar with what it made known; False once the span is over."""
        if self._span.end is not None and bar.close_time > self._span.end:
            return False
        self._first = self._first if self._seen else bar.open_time
        self._seen += 1
        self._last = bar.close_time
        if self._span.start is None or bar.open_time >= self._span.start:
            self._bars.append(bar)
            if len(self._bars) > MAX_BARS:
                raise DataError(
                    f"the span holds more than {MAX_BARS:,} bars of {self._timeframe}; "
                    "narrow --from and --to, or give a larger --timeframe"
                )
        for event in step.events:
            self._assembler.take(event)
        if self._assembler.held > self._swept_at:
            self._assembler.forget(self._bars[0].open_time if self._bars else bar.close_time)
            self._swept_at = 2 * self._assembler.held + SWEEP_EVERY
        return True

    def reading(self, market: str) -> Reading:
        if not self._bars:
            raise DataError(self._absence(market))
        first, as_of = self._bars[0], self._span.as_of
        latest = max(self._last, self._span.end or 0)
        if as_of is not None and not first.close_time <= as_of <= latest:
            raise DataError(
                f"--as-of lies outside the bars shown: the first closes at {utc_text(first.close_time)}, "
                f"the last at {utc_text(self._last)}; move it, or --from and --to"
            )
        self._assembler.forget(first.open_time)
        bars = list(self._bars)
        return Reading(self._timeframe, bars, self._assembler.things(), self._seen - len(bars), self._first)

    def _absence(self, market: str) -> str:
        if not self._seen:
            return f"{market}: no bar of {self._timeframe} closes by --to; move it, or choose a smaller --timeframe"
        return (
            f"{market}: no bar of {self._timeframe} lies between --from and --to; "
            f"those read go from {utc_text(self._first)} to {utc_text(self._last)}"
        )

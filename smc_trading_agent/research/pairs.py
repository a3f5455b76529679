"""Two instruments whose bars are read together, for what needs both: SMT divergence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import Bar, Bars, Instrument, aggregate_bars
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.runtime.markets import FileOptions, OpenedMarket, open_file


class Pair(msgspec.Struct, frozen=True):
    """Bars of one timeframe of two instruments; ``file``, ``label`` and ``instrument`` are the second one's.

    ``config`` holds the parameters of `DivergenceDetector` as JSON.
    """

    first: Bars
    second: Bars
    file: str
    label: str
    instrument: Instrument
    config: str = "{}"

    @property
    def times(self) -> NDArray[np.int64]:
        """The open times at which at least one of the two has a bar: the steps of the detector. Shape (steps,), ns."""
        return np.union1d(self.first.columns()["open_time"], self.second.columns()["open_time"])

    def steps(self) -> Iterator[tuple[Bar | None, Bar | None]]:
        """The bars of both at each of `times`, None for the one that has none."""
        opens = [bars.columns()["open_time"].tolist() for bars in (self.first, self.second)]
        places = [dict(zip(times, range(len(times)), strict=True)) for times in opens]
        for time in self.times.tolist():
            first, second = (place.get(time) for place in places)
            yield (None if first is None else self.first[first]), (None if second is None else self.second[second])

    def between(self, start: int, stop: int) -> Pair:
        """The bars that open at ``start`` or later and before ``stop`` (ns)."""
        first, second = (_between(bars, start, stop) for bars in (self.first, self.second))
        return msgspec.structs.replace(self, first=first, second=second)


def bars_of(batches: Iterable[Bars], timeframe: str | None) -> Bars:
    """All bars, of ``timeframe`` where it is given; `DataError` where there are none or they don't make it."""
    parts = list(batches)
    if not parts:
        raise DataError("the file has no bars to measure; give one that has")
    bars = Bars.concat(parts)
    if timeframe is None or timeframe == bars.timeframe:
        return bars
    try:
        return aggregate_bars(bars, timeframe)
    except ValueError as error:
        raise DataError(f"--timeframe {timeframe}: {error}") from error


def open_pair(first: OpenedMarket, timeframe: str, second: Path, inverse: bool, ignore_unknown: bool) -> Pair:
    """An opened market's bars of ``timeframe`` beside those of the file ``second``; `DataError` as `pair_of` does."""
    other = open_file(second, FileOptions(ignore_unknown=ignore_unknown))
    return pair_of(bars_of(first.market.feed.batches(0), timeframe), second.name, other, inverse)


def pair_of(first: Bars, file: str, opened: OpenedMarket, inverse: bool) -> Pair:
    """``first`` beside the bars of an opened file, brought to the timeframe of ``first``.

    Raises `DataError` where they can't be brought there, or no two bars open together.
    """
    bars = Bars.concat(list(opened.market.feed.batches(0)))
    if bars.timeframe != first.timeframe:
        try:
            bars = aggregate_bars(bars, first.timeframe)
        except ValueError as error:
            raise DataError(
                f"--with {file}: its bars of {bars.timeframe} make none of {first.timeframe} ({error}); "
                "give a file of the same timeframe, or of a smaller one"
            ) from error
    if not len(np.intersect1d(first.columns()["open_time"], bars.columns()["open_time"])):
        raise DataError(f"--with {file}: none of its bars opens with one of --data; give files of the same time")
    correlation = "inverse" if inverse else "positive"
    config = json.dumps({"correlation": correlation})
    return Pair(first, bars, file, opened.label, opened.market.instrument, config)


def _between(bars: Bars, start: int, stop: int) -> Bars:
    first, end = np.searchsorted(bars.columns()["open_time"], [start, stop])
    return bars.slice(int(first), int(end))

"""The second instrument of a chart: its bars below the first one's, and the divergences of the two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from smc_trading_agent._core import Bar, DivergenceDetector, Instrument
from smc_trading_agent.charts.reading import Reading
from smc_trading_agent.charts.things import Assembler, Pivot, Thing
from smc_trading_agent.charts.vocabulary import DIVERGENCE, Shape
from smc_trading_agent.domain.errors import DataError

Steps = Iterable[tuple[Bar | None, Bar | None]]
"""Bars of two instruments by open time, oldest first; None where one of them has none."""


class Beside(msgspec.Struct, frozen=True):
    """The second instrument, the name and label of its file, its bars that open with those shown, and divergences.

    Prices of the things are the first instrument's, in its ticks; ``pivots`` has each in its own.
    """

    instrument: Instrument
    file: str
    label: str
    bars: Sequence[Bar]
    things: Sequence[Thing]


def read_beside(
    steps: Steps, detector: DivergenceDetector, reading: Reading, instrument: Instrument, file: str, label: str
) -> Beside:
    """Leads ``steps`` through a new ``detector`` up to the end of ``reading``; nothing after it is read.

    Raises `DataError` where the second instrument has no bar among those shown.
    """
    shown = {bar.open_time for bar in reading.bars}
    first_bar = reading.bars[0]
    assembler = Assembler((DIVERGENCE,), first_bar.close_time - first_bar.open_time)
    pivots: dict[int, tuple[Pivot, ...]] = {}
    bars: list[Bar] = []
    for first, second in steps:
        if max(bar.close_time for bar in (first, second) if bar is not None) > reading.end:
            break
        for event in detector.update(first, second):
            assembler.take(event)
            if event.kind == DIVERGENCE:
                pivots[event.id] = _pivots(detector, event.id)
        if second is not None and second.open_time in shown:
            bars.append(second)
    if not bars:
        raise DataError(f"{file} has no bar among those shown; move --from and --to to a time that both files cover")
    assembler.forget(first_bar.open_time)
    things = [_drawn(thing, pivots[thing.id]) for thing in assembler.things()]
    return Beside(instrument, file, label, bars, things)


def _pivots(detector: DivergenceDetector, event_id: int) -> tuple[Pivot, ...]:
    """Those of a divergence that has just been told, and so is in force."""
    anchors = detector.anchors(event_id) or ((), ())
    return tuple(Pivot(bool(at), time, price) for at, pair in enumerate(anchors) for time, price in pair)


def _drawn(thing: Thing, pivots: tuple[Pivot, ...]) -> Thing:
    """The thing at the first instrument's two pivots: its event holds prices of the one that failed."""
    own = [pivot.price for pivot in pivots if not pivot.second]
    low, high = min(own), max(own)
    changes = tuple(msgspec.structs.replace(change, low=low, high=high) for change in thing.changes)
    return msgspec.structs.replace(thing, shape=Shape.PAIR, low=low, high=high, changes=changes, pivots=pivots)

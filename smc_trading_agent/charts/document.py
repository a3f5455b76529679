"""The chart page: the data of one chart, put into the page that the dashboard's code is built into.

`ChartDocument` and its parts are mirrored in ``dashboard/src/file/document.ts``; a test compares the two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from smc_trading_agent import __version__
from smc_trading_agent._core import Bar, Instrument, timeframe_ns
from smc_trading_agent.charts.beside import Beside
from smc_trading_agent.charts.reading import Reading
from smc_trading_agent.charts.things import Thing, known_by
from smc_trading_agent.domain.errors import DrawingError

TEMPLATE = Path(__file__).parent / "static" / "chart.html"
PLACE = '<script id="document" type="application/json">null</script>'
"""What stands in the built page where the data belongs."""
NS_PER_SECOND = 1_000_000_000


class Look(msgspec.Struct, frozen=True):
    """What the chart is of and how it is shown; ``theme`` is dark, light, or auto for the reader's own.

    ``still`` leaves out what only a living page can use: switches, slider, tooltips.
    """

    label: str
    file: str
    theme: str
    still: bool


class ChartBars(msgspec.Struct, frozen=True):
    """Columns of equal length; times are open times in s, the rest floats for drawing."""

    time: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]


class ChartChange(msgspec.Struct, frozen=True):
    """`smc_trading_agent.charts.things.Change` in seconds and prices."""

    event_id: int
    name: str
    at: int
    low: float
    high: float
    ends: bool
    ambiguous: bool


class ChartPivot(msgspec.Struct, frozen=True):
    """`smc_trading_agent.charts.things.Pivot` in seconds and its instrument's prices."""

    second: bool
    time: int
    price: float


class ChartThing(msgspec.Struct, frozen=True):
    """`smc_trading_agent.charts.things.Thing` in seconds and prices."""

    id: int
    kind: str
    shape: str
    direction: int
    side: int
    scope: str
    formed_at: int
    confirmed_at: int
    low: float
    high: float
    source_id: int
    source: str
    ambiguous: bool
    changes: list[ChartChange]
    pivots: list[ChartPivot]


class ChartBeside(msgspec.Struct, frozen=True):
    """A second instrument; its bars open with some of the first one's."""

    label: str
    file: str
    venue: str
    symbol: str
    tick_size: str
    bars: ChartBars


class ChartDocument(msgspec.Struct, frozen=True):
    """Everything the page shows. Times in s; ``warmup`` bars were read from ``first`` on before the first one shown."""

    version: str
    look: Look
    venue: str
    symbol: str
    timeframe: str
    tick_size: str
    bar_seconds: int
    warmup: int
    first: int
    as_of: int
    concepts: list[str]
    bars: ChartBars
    things: list[ChartThing]
    beside: ChartBeside | None


def document_of(
    reading: Reading,
    instrument: Instrument,
    concepts: Sequence[str],
    look: Look,
    as_of: int | None,
    beside: Beside | None = None,
) -> ChartDocument:
    """The data of a chart; ``as_of`` in ns, None for the end of the last bar."""
    things = [_thing(thing, instrument, instrument) for thing in reading.things]
    if beside is not None:
        things += [_thing(thing, instrument, beside.instrument) for thing in beside.things]
    return ChartDocument(
        version=__version__,
        look=look,
        venue=instrument.venue,
        symbol=instrument.symbol,
        timeframe=reading.timeframe,
        tick_size=instrument.tick_size,
        bar_seconds=_seconds(timeframe_ns(reading.timeframe)),
        warmup=reading.warmup,
        first=_seconds(reading.first),
        as_of=_seconds(reading.end if as_of is None else as_of),
        concepts=list(concepts),
        bars=_bars(reading.bars, instrument),
        things=things,
        beside=None if beside is None else _beside(beside),
    )


def counts_of(things: Sequence[Thing], as_of: int | None) -> dict[str, int]:
    """How many things of each kind were known at ``as_of`` (ns; None: at the end), commonest first."""
    known = things if as_of is None else known_by(things, as_of)
    return dict(Counter(thing.kind for thing in known).most_common())


def page_of(document: ChartDocument, template: Path = TEMPLATE) -> str:
    """The whole page with its data; it loads nothing. `DrawingError` where the page is not built."""
    try:
        page = template.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DrawingError(f"the chart page {template} is not built; run `make setup`") from None
    if page.count(PLACE) != 1:
        raise DrawingError(f"{template} has no place for the chart's data; build it again with `make setup`")
    # No text of the data can end the element that it stands in.
    data = msgspec.json.encode(document).decode().replace("<", "\\u003c")
    return page.replace(PLACE, PLACE.replace("null", data))


def _beside(beside: Beside) -> ChartBeside:
    return ChartBeside(
        label=beside.label,
        file=beside.file,
        venue=beside.instrument.venue,
        symbol=beside.instrument.symbol,
        tick_size=beside.instrument.tick_size,
        bars=_bars(beside.bars, beside.instrument),
    )


def _bars(bars: Sequence[Bar], instrument: Instrument) -> ChartBars:
    price = instrument.ticks_to_price
    return ChartBars(
        time=[_seconds(bar.open_time) for bar in bars],
        open=[price(bar.open) for bar in bars],
        high=[price(bar.high) for bar in bars],
        low=[price(bar.low) for bar in bars],
        close=[price(bar.close) for bar in bars],
        volume=[instrument.lots_to_quantity(bar.volume) for bar in bars],
    )


def _thing(thing: Thing, instrument: Instrument, second: Instrument) -> ChartThing:
    price = instrument.ticks_to_price
    return ChartThing(
        id=thing.id,
        kind=thing.kind,
        shape=thing.shape.value,
        direction=thing.direction,
        side=thing.side,
        scope=thing.scope,
        formed_at=_seconds(thing.formed_at),
        confirmed_at=_seconds(thing.known_at),
        low=price(thing.low),
        high=price(thing.high),
        source_id=thing.source_id,
        source=thing.source,
        ambiguous=thing.ambiguous,
        changes=[
            ChartChange(
                event_id=change.event_id,
                name=change.name,
                at=_seconds(change.at),
                low=price(change.low),
                high=price(change.high),
                ends=change.ends,
                ambiguous=change.ambiguous,
            )
            for change in thing.changes
        ],
        pivots=[
            ChartPivot(
                second=pivot.second,
                time=_seconds(pivot.time),
                price=(second if pivot.second else instrument).ticks_to_price(pivot.price),
            )
            for pivot in thing.pivots
        ],
    )


def _seconds(time_ns: int) -> int:
    return time_ns // NS_PER_SECOND

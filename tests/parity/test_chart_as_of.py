"""What a chart says was known at a bar is what the detector, led to that bar and no further, has told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from smc_trading_agent._core import Bars, Detector, Event, timeframe_ns
from smc_trading_agent.charts.reading import Reading, read_span
from smc_trading_agent.charts.span import Span
from smc_trading_agent.charts.things import Assembler, Thing, known_by
from smc_trading_agent.charts.vocabulary import CHANGES, CONCEPTS, REPLACED
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.domain.settings import StructureSettings
from smc_trading_agent.smc_detector.reader import MarketReader

LENGTH = 6_000
CUTS = (1, 57, 800, 2_500, 4_321, 5_999)


@pytest.fixture(scope="module")
def bars() -> Bars:
    return Bars.concat(list(SyntheticFeed(11, length=LENGTH).batches(0)))


def assembled(events: Sequence[Event], timeframe: str = "1m") -> list[Thing]:
    assembler = Assembler(CONCEPTS, timeframe_ns(timeframe))
    for event in events:
        assembler.take(event)
    return assembler.things()


def read(feed: SyntheticFeed, span: Span, timeframe: str = "1m") -> Reading:
    structure = StructureSettings.model_validate({"decision_timeframe": timeframe, "context_timeframes": ()})
    return read_span(feed, MarketReader(feed.instrument, "1m", structure), span, CONCEPTS, lambda _: None)


def test_every_thing_is_its_creating_event_and_every_change_a_record_of_its_life(bars: Bars) -> None:
    events = Detector("1m").run(bars)
    things = {thing.id: thing for thing in assembled(events)}
    creating = {event.id: event for event in events if event.kind not in CHANGES}
    assert things.keys() == creating.keys()
    for id_, event in creating.items():
        thing = things[id_]
        assert (thing.kind, thing.formed_at, thing.known_at) == (event.kind, event.formed_at, event.confirmed_at)
        assert (thing.low, thing.high, thing.direction, thing.side) == (
            event.low,
            event.high,
            event.direction,
            event.side,
        )
        assert (thing.scope, thing.source_id, thing.ambiguous) == (event.scope, event.source_id, event.ambiguous)
    told = {(event.zone_id, event.id, event.confirmed_at) for event in events if event.kind in CHANGES}
    lived = {
        (thing.id, change.event_id, change.at)
        for thing in things.values()
        for change in thing.changes
        if change.name != REPLACED
    }
    assert lived == told
    assert len(told) > 1_000


@pytest.mark.parametrize("cut", CUTS)
def test_known_by_a_bar_is_what_the_detector_tells_of_the_prefix(bars: Bars, cut: int) -> None:
    whole = assembled(Detector("1m").run(bars))
    prefix = assembled(Detector("1m").run(bars.slice(0, cut)))
    assert known_by(whole, bars[cut - 1].close_time) == prefix


@pytest.mark.parametrize("cut", CUTS)
def test_what_has_not_ended_is_what_the_detector_holds(bars: Bars, cut: int) -> None:
    """Fails for a kind whose end has a name that the vocabulary does not have."""
    detector = Detector("1m")
    things = assembled(detector.run(bars.slice(0, cut)))
    live = {zone.id: zone.kind for zone in detector.zones()}
    kinds = {parent for parent, _ in CHANGES.values()} - {"judas_swing"}  # a sequence, not a zone
    assert {thing.id: thing.kind for thing in things if thing.kind in kinds and thing.ended_at is None} == live


@pytest.mark.parametrize(("timeframe", "start", "end"), [("1m", 3_000, 3_400), ("5m", 2_000, 4_000)])
def test_a_span_holds_what_acted_in_it_as_the_whole_run_tells_it(
    bars: Bars, timeframe: str, start: int, end: int
) -> None:
    feed = SyntheticFeed(11, length=LENGTH)
    since, until = bars[start].open_time, bars[end - 1].close_time
    reading = read(feed, Span(since, until), timeframe)
    whole = read(feed, Span(bars[0].open_time, None), timeframe)
    assert [bar.open_time for bar in reading.bars] == [
        bar.open_time for bar in whole.bars if bar.open_time >= since and bar.close_time <= until
    ]
    assert reading.warmup == sum(bar.open_time < since for bar in whole.bars)
    opened, held = reading.bars[0].open_time, {thing.id: thing for thing in reading.things}
    for thing in known_by(whole.things, reading.end):
        gone = thing.known_at if thing.shape in ("mark", "line", "span") else thing.ended_at
        if gone is not None and gone <= opened:
            assert thing.id not in held
        else:
            assert held.pop(thing.id) == thing
    assert held == {}


def test_nothing_after_the_end_of_the_span_is_read(bars: Bars) -> None:
    until = bars[2_999].close_time
    longer, shorter = (read(SyntheticFeed(11, length=length), Span(None, until)) for length in (LENGTH, 3_000))
    assert [bar.open_time for bar in longer.bars] == [bar.open_time for bar in shorter.bars]
    assert (len(longer.bars), longer.warmup, longer.end) == (300, 2_700, until)
    assert longer.things == shorter.things

"""Whatever the market does: readings are appended, never edited, and never told before they could be known."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from smc_trading_agent._core import EVENT_KINDS, Analyzer, Bar, Bars, Detector, Event, Instrument, ReadingAudit

MINUTE = 60_000_000_000


@st.composite
def markets(draw: st.DrawFn) -> Bars:
    """Up to 120 bars of a random walk with gaps in price and holes in time, flat bars and ties among them."""
    price, at = 10_000, 0
    bars = []
    for _ in range(draw(st.integers(1, 120))):
        opened = price + draw(st.integers(-8, 8))
        closed = opened + draw(st.integers(-30, 30))
        high = max(opened, closed) + draw(st.integers(0, 10))
        low = min(opened, closed) - draw(st.integers(0, 10))
        at += MINUTE * draw(st.sampled_from([1, 1, 1, 1, 7]))
        bars.append(Bar(at, at + MINUTE, opened, high, low, closed, draw(st.integers(0, 50))))
        price = closed
    return Bars.from_list("1m", bars)


FIELDS = (
    "id",
    "kind",
    "direction",
    "side",
    "scope",
    "formed_at",
    "confirmed_at",
    "low",
    "high",
    "zone_id",
    "source_id",
)


def told(events: list[Event]) -> list[tuple[object, ...]]:
    return [tuple(getattr(event, field) for field in FIELDS) for event in events]


@given(markets())
def test_a_reading_is_well_formed_and_never_early(bars: Bars) -> None:
    detector, events = Detector("1m"), []
    for index in range(len(bars)):
        bar = bars[index]
        for event in detector.update(bar):
            assert event.confirmed_at == bar.close_time
            assert bars[0].open_time <= event.formed_at < event.confirmed_at
            assert event.low <= event.high
            assert event.kind in EVENT_KINDS
            assert event.source_id < event.id
            assert 0 < event.zone_id <= event.id
            events.append(event)
    assert [event.id for event in events] == list(range(1, len(events) + 1))


@settings(max_examples=60)
@given(markets(), st.data())
def test_no_prefix_is_rewritten_by_what_comes_after(bars: Bars, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(bars)))
    prefix, whole = told(Detector("1m").run(bars.slice(0, cut))), told(Detector("1m").run(bars))
    assert whole[: len(prefix)] == prefix


SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=6)
INSTRUMENT = Instrument("test", "WALK", "0.01", "0.001")


def pieces(bars: Bars, sizes: list[int]) -> list[Bars]:
    """The bars in pieces of the given sizes, over and over."""
    cut, at = [], 0
    while at < len(bars):
        size = sizes[len(cut) % len(sizes)]
        cut.append(bars.slice(at, at + size))
        at += size
    return cut


@settings(max_examples=60)
@given(markets(), SIZES)
def test_bars_one_by_one_in_pieces_or_at_once_are_read_the_same(bars: Bars, sizes: list[int]) -> None:
    batch, stream, pieced = Detector("1m"), Detector("1m"), Detector("1m")
    expected = told(batch.run(bars))
    assert [fact for index in range(len(bars)) for fact in told(stream.update(bars[index]))] == expected
    assert [fact for piece in pieces(bars, sizes) for fact in told(pieced.run(piece))] == expected
    assert batch.zones() == stream.zones() == pieced.zones()
    assert batch.snapshot() == stream.snapshot() == pieced.snapshot()


def read(analyzer: Analyzer, bars: Bars) -> tuple[list[tuple[object, ...]], list[tuple[float, ...]]]:
    """Events of all timeframes, and a row of features for each decision."""
    events, rows, start = [], [], 0
    while start < len(bars):
        step = analyzer.advance(bars, start)
        start = step.end
        events += told(step.events)
        if step.decision_bar is not None:
            rows.append(tuple(analyzer.features().tolist()))
    return events, rows


def analyzer() -> Analyzer:
    return Analyzer(INSTRUMENT, "1m", "3m", ["15m", "1h"])


@settings(max_examples=60)
@given(markets(), SIZES, st.data())
def test_an_analyzer_reads_a_prefix_pieces_and_a_restored_rest_the_same(
    bars: Bars, sizes: list[int], data: st.DataObject
) -> None:
    whole = analyzer()
    events, rows = read(whole, bars)
    cut = data.draw(st.integers(0, len(bars)))
    first = analyzer()
    begun = read(first, bars.slice(0, cut))
    assert (events[: len(begun[0])], rows[: len(begun[1])]) == begun
    rest = read(Analyzer.from_snapshot(first.snapshot()), bars.slice(cut, len(bars)))
    assert (begun[0] + rest[0], begun[1] + rest[1]) == (events, rows)
    pieced = analyzer()
    parts = [read(pieced, piece) for piece in pieces(bars, sizes)]
    assert [fact for part in parts for fact in part[0]] == events
    assert [row for part in parts for row in part[1]] == rows
    assert pieced.snapshot() == whole.snapshot()


@settings(max_examples=25)
@given(markets(), st.integers(1, 4))
def test_the_audit_finds_nothing_on_any_prefix(bars: Bars, threads: int) -> None:
    audit = ReadingAudit(INSTRUMENT, "1m", ["5m"], "{}", bars)
    heard: list[tuple[int, int]] = []
    found = audit.prefixes(range(len(bars) + 1), threads, lambda done, total: heard.append((done, total)))
    total = len(bars) * (len(bars) + 1) // 2
    assert (found.prefixes, found.bars_read, found.places) == (len(bars) + 1, total, 0)
    assert found.total()[1:] == (0, 0, 0)
    assert all(differing == 0 for _, (_, _, differing) in found.zones())
    assert heard[-1] == (total, total)
    assert audit.stream_equals_batch(range(len(bars) + 1))
    assert audit.restored(range(0, len(bars), 9))[2:] == (0, 0)


FRACTAL = json.dumps(
    {
        "internal": {"size": 2, "rule": "fractal"},
        "swing": {"size": 4, "rule": "fractal"},
        "equal_levels": {"size": 2, "rule": "fractal"},
        "liquidity": {"left": 2, "right": 2},
        "atr_period": 5,
    }
)
"""No tie of sides: the leg rule counts a bar that contains all that follow as a high."""


UPSIDE_DOWN = {
    "higher_high": "lower_low",
    "lower_low": "higher_high",
    "lower_high": "higher_low",
    "higher_low": "lower_high",
}
"""The labels of swings say which way they look."""


def mirrored(bars: Bars) -> Bars:
    """Prices negated: every bull becomes a bear."""
    turned = [
        Bar(bar.open_time, bar.close_time, -bar.open, -bar.low, -bar.high, -bar.close, bar.volume)
        for bar in (bars[index] for index in range(len(bars)))
    ]
    return Bars.from_list("1m", turned)


@settings(max_examples=60)
@given(markets())
def test_negated_prices_swap_bulls_and_bears(bars: Bars) -> None:
    def facts(events: list[Event], sign: int) -> list[tuple[object, ...]]:
        return sorted(
            (
                e.confirmed_at,
                UPSIDE_DOWN.get(e.kind, e.kind) if sign < 0 else e.kind,
                sign * e.direction,
                sign * e.side,
                e.scope,
                e.formed_at,
                *sorted((sign * e.low, sign * e.high)),
                e.ambiguous,
            )
            for e in events
        )

    upright, turned = Detector("1m", FRACTAL), Detector("1m", FRACTAL)
    assert facts(upright.run(bars), 1) == facts(turned.run(mirrored(bars)), -1)
    assert sorted((z.kind, z.direction, z.side, z.low, z.state) for z in upright.zones()) == sorted(
        (z.kind, -z.direction, -z.side, -z.high, z.state) for z in turned.zones()
    )


@settings(max_examples=40)
@given(markets(), st.integers(1, 30))
def test_a_tick_finer_by_a_power_of_two_leaves_the_features_bit_for_bit(bars: Bars, power: int) -> None:
    def times(price: int) -> int:
        return price << power

    finer = Bars.from_list(
        "1m",
        [
            Bar(b.open_time, b.close_time, times(b.open), times(b.high), times(b.low), times(b.close), b.volume)
            for b in (bars[index] for index in range(len(bars)))
        ],
    )
    here, there = (np.array(read(analyzer(), of)[1]) for of in (bars, finer))
    assert here.tobytes() == there.tobytes()


@settings(max_examples=60)
@given(markets(), st.data())
def test_a_snapshot_anywhere_changes_nothing(bars: Bars, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(bars)))
    straight, first = Detector("1m"), Detector("1m")
    expected = told(straight.run(bars))
    begun = told(first.run(bars.slice(0, cut)))
    second = Detector.from_snapshot(first.snapshot())
    assert begun + told(second.run(bars.slice(cut, len(bars)))) == expected
    assert second.snapshot() == straight.snapshot()


@given(markets())
def test_live_zones_are_those_that_were_created_and_have_not_ended(bars: Bars) -> None:
    ends = {"order_block_invalidated", "order_block_expired", "fair_value_gap_filled", "fair_value_gap_expired"}
    ends |= {"fair_value_gap_inverted", "liquidity_pool_swept", "liquidity_pool_run", "liquidity_pool_expired"}
    detector = Detector("1m")
    told_of: dict[int, str] = {}
    created: dict[int, str] = {}
    ended: set[int] = set()
    for event in detector.run(bars):
        told_of[event.id] = event.kind
        if event.kind in ("order_block", "fair_value_gap", "liquidity_pool"):
            created[event.id] = event.kind
        elif event.kind in ends:
            ended.add(event.zone_id)
    live = {zone.id: zone.kind for zone in detector.zones()}
    assert live.items() <= told_of.items()
    assert set(created) - set(live) <= ended


@settings(max_examples=40)
@given(markets(), st.integers(1, 1_000_000_000))
def test_shifting_all_prices_shifts_all_readings(bars: Bars, shift: int) -> None:
    moved = Bars.from_list(
        "1m",
        [
            Bar(b.open_time, b.close_time, b.open + shift, b.high + shift, b.low + shift, b.close + shift, b.volume)
            for b in (bars[index] for index in range(len(bars)))
        ],
    )
    here, there = Detector("1m").run(bars), Detector("1m").run(moved)
    assert [(e.kind, e.formed_at, e.low + shift, e.high + shift) for e in here] == [
        (e.kind, e.formed_at, e.low, e.high) for e in there
    ]

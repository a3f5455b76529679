"""Whatever the market does: readings are appended, never edited, and never told before they could be known."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from smc_trading_agent._core import EVENT_KINDS, Bar, Bars, Detector, Event

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

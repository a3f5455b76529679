"""The counts of the core equal those of a plain re-reading of the definitions, event by event and bar by bar."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smc_trading_agent._core import (
    AREA_KINDS,
    EVENT_KINDS,
    LEVEL_KINDS,
    Bar,
    Bars,
    Detector,
    DivergenceDetector,
    Event,
    divergence_counts,
    hit_counts,
)
from tests.runs import tape

MINUTE = 60_000_000_000
SMALL = {
    "atr_period": 5,
    "internal": {"size": 2, "rule": "fractal"},
    "swing": {"size": 4},
    "liquidity": {"left": 2, "right": 2, "max_age": 40, "max_count": 4},
    "fair_value_gap": {"min_size_atr": 0.1, "max_age": 30, "max_count": 4},
    "order_block": {"max_age": 40, "max_count": 3},
    "equal_levels": {"size": 2, "tolerance": 0.3, "atr_period": 8},
}


@dataclass
class Tally:
    """Counts by name, and (bar, hit) of each outcome."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    outcomes: list[tuple[int, bool]] = field(default_factory=list)


def true_range_averages(bars: Bars, period: int) -> list[float]:
    """Wilder's average at each bar, NaN while it is not warm."""
    averages, average, before = [], 0.0, None
    for number, bar in enumerate(bars[i] for i in range(len(bars))):
        reference = bar.close if before is None else before
        spread = max(bar.high, reference) - min(bar.low, reference)
        before = bar.close
        if number < period:
            average += (spread - average) / (number + 1)
        else:
            average = (average * (period - 1) + spread) / period
        averages.append(average if number + 1 >= period else float("nan"))
    return averages


def race(bars: Bars, start: int, direction: int, lower: int, upper: int, limit: int) -> str:
    """What the bars after ``start`` decide."""
    for bar in (bars[i] for i in range(start + 1, min(len(bars), start + 1 + limit))):
        up, down = bar.high >= upper, bar.low <= lower
        if up and down:
            return "tie"
        if up or down:
            return "hit" if up == (direction > 0) else "miss"
    return "open"


def touched(bars: Bars, start: int, zone: Event, limit: int) -> str:
    """What a zone's first touch on bar ``start`` came to."""
    height = zone.high - zone.low
    lower, upper = (zone.low, zone.high + height) if zone.direction > 0 else (zone.low - height, zone.high)
    bar = bars[start]
    far, target = (lower, upper) if zone.direction > 0 else (upper, lower)
    traded = bar.low <= far if zone.direction > 0 else bar.high >= far
    passed = bar.high >= target if zone.direction > 0 else bar.low <= target
    closed = bar.close >= target if zone.direction > 0 else bar.close <= target
    if traded:
        return "tie" if passed else "miss"
    return "hit" if closed else race(bars, start, zone.direction, lower, upper, limit)


def is_sign(kind: str) -> bool:
    """Whether records of a kind are tested from their close."""
    of_zone = any(kind == zone or kind.startswith(f"{zone}_") for zone in AREA_KINDS)
    return not (of_zone or kind in LEVEL_KINDS or kind.endswith("_expired"))


def plain_counts(bars: Bars, config: dict[str, object], multiple: float, limit: int) -> dict[tuple[str, str], Tally]:
    events = Detector(bars.timeframe, json.dumps(config)).run(bars)
    place = {bars[i].close_time: i for i in range(len(bars))}
    averages = true_range_averages(bars, int(str(config["atr_period"])))
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)

    def book(event: Event, start: int, outcome: str) -> None:
        tally = tallies[event.kind, event.scope]
        names = {"tie": ["misses", "ambiguous"], "miss": ["misses"], "hit": ["hits"], "open": ["unresolved"]}
        for name in names.get(outcome, [outcome]):
            tally.counts[name] += 1
        if outcome in ("hit", "miss", "tie"):
            tally.outcomes.append((start, outcome == "hit"))

    for event in events:
        start = place[event.confirmed_at]
        if event.direction == 0:
            continue
        if event.kind in AREA_KINDS:
            tallies[event.kind, event.scope].counts["found"] += 1
            life = [e for e in events if e.zone_id == event.id and e.id != event.id]
            if event.low == event.high:
                book(event, start, "untested")
            elif not life or life[0].kind.endswith("_expired"):
                book(event, start, "untouched")
            else:
                first = place[life[0].confirmed_at]
                book(event, first, touched(bars, first, event, limit))
        elif is_sign(event.kind):
            tallies[event.kind, event.scope].counts["found"] += 1
            if np.isnan(averages[start]):
                book(event, start, "untested")
                continue
            reach, close = max(1, int(np.floor(multiple * averages[start] + 0.5))), bars[start].close
            book(event, start, race(bars, start, event.direction, close - reach, close + reach, limit))
    return tallies


def effective_number(outcomes: list[tuple[int, bool]], block: int) -> float:
    """Outcomes over the design effect of blocks of bars."""
    if not outcomes:
        return 0.0
    hits = np.array([hit for _, hit in outcomes], dtype=float)
    blocks = np.array([bar // block for bar, _ in outcomes])
    rate, names = hits.mean(), np.unique(blocks)
    if len(names) < 2 or rate in (0.0, 1.0):
        return float(len(hits))
    rests = [(hits[blocks == name] - rate).sum() for name in names]
    variance = np.square(rests).sum() * len(names) / (len(names) - 1)
    return float(len(hits) / max(1.0, variance / (len(hits) * rate * (1 - rate))))


def assert_equal(bars: Bars, config: dict[str, object], multiple: float, limit: int, block: int) -> int:
    plain = plain_counts(bars, config, multiple, limit)
    counted = hit_counts(bars, json.dumps(config), multiple, limit, block)
    assert {(count.kind, count.scope) for count in counted} == set(plain)
    for count in counted:
        tally = plain[count.kind, count.scope]
        for name in ("found", "untested", "untouched", "hits", "misses", "ambiguous", "unresolved"):
            assert getattr(count, name) == tally.counts[name], (count.kind, count.scope, name)
        assert count.effective == pytest.approx(effective_number(tally.outcomes, block), rel=1e-9), count.kind
    return sum(count.hits for count in counted)


steps = st.tuples(st.integers(-6, 6), st.integers(0, 4), st.integers(0, 4), st.integers(-2, 2))


def walk(moves: list[tuple[int, int, int, int]]) -> Bars:
    close, bars = 10_000, []
    for minute, (change, above, below, jump) in enumerate(moves):
        start, close = close + jump, close + jump + change
        high, low = max(start, close) + above, min(start, close) - below
        bars.append(Bar(minute * MINUTE, (minute + 1) * MINUTE, start, high, low, close))
    return Bars.from_list("1m", bars)


@settings(max_examples=40)
@given(st.lists(steps, min_size=40, max_size=160), st.sampled_from([0.5, 1.0, 2.3]), st.integers(1, 40))
def test_counts_equal_a_plain_reading_on_random_bars(
    moves: list[tuple[int, int, int, int]], multiple: float, limit: int
) -> None:
    assert_equal(walk(moves), SMALL, multiple, limit, block=15)


def test_counts_equal_a_plain_reading_on_the_synthetic_market() -> None:
    hits = assert_equal(tape(4_000), {"atr_period": 14}, 1.0, 200, block=100)
    assert hits > 500


def plain_pair_counts(first: Bars, second: Bars, multiple: float, limit: int) -> dict[tuple[str, str], Tally]:
    """Divergences and their breaks, by what the first instrument's bars decide after each."""
    closes = first.columns()["close_time"]
    averages = true_range_averages(first, 14)
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for event in DivergenceDetector(first.timeframe).run(first, second):
        if event.kind == "smt_divergence_expired":
            continue
        tally = tallies[event.kind, event.scope]
        tally.counts["found"] += 1
        start = int(np.searchsorted(closes, event.confirmed_at, side="right")) - 1
        reach, close = max(1, int(np.floor(multiple * averages[start] + 0.5))), first[start].close
        outcome = race(first, start, event.direction, close - reach, close + reach, limit)
        names = {"tie": ["misses", "ambiguous"], "miss": ["misses"], "hit": ["hits"], "open": ["unresolved"]}
        for name in names[outcome]:
            tally.counts[name] += 1
        if outcome != "open":
            tally.outcomes.append((start, outcome == "hit"))
    return tallies


@pytest.mark.parametrize("missing", [0, 1])
def test_divergences_are_counted_on_the_first_instrument(missing: int) -> None:
    """Whichever of the two lacks bars."""
    whole = [tape(6_000, seed=1), tape(6_000, seed=2)]
    whole[missing] = Bars.from_list("1m", [whole[missing][at] for at in range(6_000) if at % 19])
    first, second = whole
    plain = plain_pair_counts(first, second, 1.5, 60)
    counted = divergence_counts(first, second, "{}", 14, 1.5, 60, 100)
    assert {(count.kind, count.scope) for count in counted} == set(plain)
    assert len(plain) == 4
    for count in counted:
        tally = plain[count.kind, count.scope]
        for name in ("found", "hits", "misses", "ambiguous", "unresolved"):
            assert getattr(count, name) == tally.counts[name], (count.kind, count.scope, name)
        assert count.test == "from_close"
        assert count.effective == pytest.approx(effective_number(tally.outcomes, 100), rel=1e-9)
    assert sum(count.hits for count in counted) > 30


def test_parameters_of_a_pair_outside_their_range_are_named() -> None:
    bars = tape(100)
    with pytest.raises(ValueError, match="atr_period"):
        divergence_counts(bars, bars, "{}", 0)
    with pytest.raises(ValueError, match="windw"):
        divergence_counts(bars, bars, '{"windw": 1}')


def test_every_kind_has_a_place() -> None:
    assert {*AREA_KINDS, *LEVEL_KINDS} <= set(EVENT_KINDS)
    assert not set(AREA_KINDS) & set(LEVEL_KINDS)
    assert is_sign("liquidity_pool_swept")
    assert not is_sign("order_block_touched")

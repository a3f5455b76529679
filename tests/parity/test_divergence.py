"""SMT divergence against a plain model of its definition, on two recorded instruments and on synthetic ones."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from smc_trading_agent._core import Bar, Bars, DivergenceDetector, Event
from smc_trading_agent.data_pipeline.replay import ReplayFeed
from tests.runs import tape

SIZE, WINDOW, DISTANCE, AGE = 5, 3, 100, 200
SETTINGS = {"size": SIZE, "window": WINDOW, "max_distance": DISTANCE, "max_age": AGE, "max_count": 10_000}
SIDES = ((1, "high"), (-1, "low"))
Series = NDArray[np.int64]


@dataclass(frozen=True)
class Pivot:
    bar: int
    value: int


@dataclass(frozen=True)
class Expected:
    """A divergence as the definition has it: numbers of bars, and the prices of the instrument that failed."""

    side: int
    leader: int
    anchor: int
    known: int
    low: int
    high: int
    ended: int | None
    broken: bool


def pivots(extreme: Series) -> list[Pivot]:
    """Bars that exceed the ``SIZE`` bars before them and that as many after them do not exceed."""
    found = []
    for bar in range(SIZE, len(extreme) - SIZE):
        before, after = extreme[bar - SIZE : bar], extreme[bar + 1 : bar + SIZE + 1]
        if extreme[bar] > before.max() and extreme[bar] >= after.max():
            found.append(Pivot(bar, int(extreme[bar])))
    return found


def pairs(first: list[Pivot], second: list[Pivot]) -> list[tuple[Pivot, Pivot]]:
    """Each step of confirmation takes the nearest pivots that are both known and follow the last pair."""
    taken = [(Pivot(-1, 0), Pivot(-1, 0))]
    for step in sorted({pivot.bar + SIZE for pivot in first + second}):
        while True:
            last = taken[-1]
            patience = step - WINDOW - SIZE
            known = [
                [p for p in side if last[at].bar < p.bar <= step - SIZE and p.bar >= patience]
                for at, side in enumerate((first, second))
            ]
            near = [(a, b) for a in known[0] for b in known[1] if abs(a.bar - b.bar) <= WINDOW]
            if not near:
                break
            taken.append(min(near, key=lambda pair: (abs(pair[0].bar - pair[1].bar), pair[0].bar + pair[1].bar)))
    return taken[1:]


def expected(side: int, extremes: list[Series], closes: list[Series]) -> list[Expected]:
    """Every divergence of one side; ``extremes`` and ``closes`` are multiplied by ``side``."""
    made, matched = [], pairs(pivots(extremes[0]), pivots(extremes[1]))
    for before, pair in itertools.pairwise(matched):
        higher = [new.value > old.value for new, old in zip(pair, before, strict=True)]
        if higher[0] == higher[1] or any(new.bar - old.bar > DISTANCE for new, old in zip(pair, before, strict=True)):
            continue
        leader = higher.index(True)
        failed, level = 1 - leader, before[1 - leader].value
        known = max(pivot.bar for pivot in pair) + SIZE
        if (closes[failed][pair[failed].bar + SIZE + 1 : known + 1] > level).any():
            continue
        beyond = np.flatnonzero(closes[failed][known + 1 : known + 1 + AGE] > level)
        end = known + 1 + (int(beyond[0]) if len(beyond) else AGE)
        prices = sorted(side * value for value in (level, pair[failed].value))
        over = end < len(closes[0])
        made.append(Expected(side, leader, pair[leader].bar, known, *prices, end if over else None, bool(len(beyond))))
    return made


def model(first: Bars, second: Bars) -> list[Expected]:
    one, other = first.columns(), second.columns()
    highs = expected(1, [one["high"], other["high"]], [one["close"], other["close"]])
    lows = expected(-1, [-one["low"], -other["low"]], [-one["close"], -other["close"]])
    return sorted(highs + lows, key=lambda made: (made.known, -made.side))


def told(events: list[Event], times: Series) -> list[Expected]:
    """The events as the model writes them."""
    number = {int(time): bar for bar, time in enumerate(times)}
    ends = {event.zone_id: event for event in events if event.kind != "smt_divergence"}
    length = int(times[1] - times[0])
    found = []
    for event in (event for event in events if event.kind == "smt_divergence"):
        end = ends.get(event.id)
        assert event.direction == -event.side
        found.append(
            Expected(
                event.side,
                ("first_instrument", "second_instrument").index(event.scope),
                number[event.formed_at],
                number[event.confirmed_at - length],
                event.low,
                event.high,
                None if end is None else number[end.confirmed_at - length],
                end is not None and end.kind == "smt_divergence_broken",
            )
        )
    return found


def detector(**changes: Any) -> DivergenceDetector:
    return DivergenceDetector("1h", json.dumps(SETTINGS | changes))


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> tuple[Bars, Bars]:
    """Two years of BTCUSDT and ETHUSDT in hours, with the same missing hour."""
    names = [f"binance_spot_{name}_1h.parquet" for name in ("BTCUSDT", "ETHUSDT")]
    paths = [shared_data / "crypto_klines" / name for name in names]
    first, second = (Bars.concat(list(ReplayFeed.open(path, base_timeframe="1h").batches(0))) for path in paths)
    assert (first.columns()["open_time"] == second.columns()["open_time"]).all()
    return first, second


def test_recorded_divergences_are_those_of_the_definition(recorded: tuple[Bars, Bars]) -> None:
    events = detector().run(*recorded)
    found = told(events, recorded[0].columns()["open_time"])
    assert found == model(*recorded)
    assert len(found) > 200
    assert {made.leader for made in found} == {0, 1}
    assert {made.side for made in found} == {1, -1}
    assert {made.broken for made in found} == {True, False}


def test_recorded_bars_give_the_same_one_by_one_and_across_a_restart(recorded: tuple[Bars, Bars]) -> None:
    whole = detector()
    expected_events = whole.run(*recorded)
    stream, events = detector(), []
    for at in range(len(recorded[0])):
        events += stream.update(recorded[0][at], recorded[1][at])
        if at % 5_000 == 0:
            stream = DivergenceDetector.from_snapshot(stream.snapshot())
    assert events == expected_events
    assert stream.snapshot() == whole.snapshot()
    assert stream.live() == whole.live()
    assert stream.steps == len(recorded[0])


def test_a_divergence_in_force_names_the_four_pivots_of_the_definition() -> None:
    first, second = tape(6_000, seed=1), tape(6_000, seed=2)
    times = first.columns()["open_time"].tolist()
    expected: dict[int, list[Any]] = {}
    for side, name in SIDES:
        extremes = [side * bars.columns()[name] for bars in (first, second)]
        told = [
            [(times[pivot.bar], side * pivot.value) for pivot in pair]
            for pair in pairs(pivots(extremes[0]), pivots(extremes[1]))
        ]
        expected[side] = [tuple(zip(older, newer, strict=True)) for older, newer in itertools.pairwise(told)]
    found, named = DivergenceDetector("1m", json.dumps(SETTINGS)), 0
    for at in range(len(first)):
        for event in found.update(first[at], second[at]):
            if event.kind != "smt_divergence":
                continue
            anchors = found.anchors(event.id)
            assert anchors in expected[event.side]
            assert anchors is not None
            leader = ("first_instrument", "second_instrument").index(event.scope)
            assert anchors[leader][1][0] == event.formed_at
            assert sorted(price for _, price in anchors[1 - leader]) == [event.low, event.high]
            named += 1
    assert named > 50
    assert found.anchors(0) is None


def test_bars_are_aligned_by_open_time() -> None:
    first, second = tape(3_000, seed=1), tape(3_000, seed=2)
    kept = [bar for at, bar in enumerate(second[at] for at in range(len(second))) if at % 17]
    fewer = Bars.from_list("1m", kept)
    batch, stream = DivergenceDetector("1m"), DivergenceDetector("1m")
    there: dict[int, Bar] = {bar.open_time: bar for bar in kept}
    events: list[Event] = []
    for at in range(len(first)):
        events += stream.update(first[at], there.get(first[at].open_time))
    assert batch.run(first, fewer) == events
    assert len(events) > 50
    assert batch.snapshot() == stream.snapshot()


def test_what_does_not_fit_is_named() -> None:
    bars = tape(3, seed=1)
    with pytest.raises(ValueError, match="windw"):
        DivergenceDetector("1m", '{"windw": 3}')
    with pytest.raises(ValueError, match="max_age"):
        DivergenceDetector("1m", '{"max_age": 0}')
    with pytest.raises(ValueError, match="opens at"):
        DivergenceDetector("1m").update(bars[0], bars[1])
    with pytest.raises(ValueError, match="neither"):
        DivergenceDetector("1m").update(None, None)
    with pytest.raises(ValueError, match="snapshot"):
        DivergenceDetector.from_snapshot(b"nonsense")

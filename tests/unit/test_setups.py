"""Setups out of hand-made structure: the two sequences, what breaks them, and where stop and target lie.

Every scene is told for a long; `mirrored` turns prices upside down, and a short must come out the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from smc_trading_agent._core import Bar
from smc_trading_agent.decision_engine.setups import StructureSetups
from smc_trading_agent.domain.reasons import SetupKind
from smc_trading_agent.domain.settings import DecisionSettings
from smc_trading_agent.domain.types import Setup
from tests.factories import NOW, QUARTER

LIMITS: dict[str, Any] = {
    "sweep_to_shift_bars": 5,
    "return_bars": 4,
    "stop_buffer_atr": 0.25,
    "min_stop_atr": 1.0,
    "min_reward_risk": 1.5,
    "max_reward_risk": 4.0,
    "entry_valid_bars": 3,
    "time_limit_bars": 96,
}
SWEEP, SHIFT, BREAK, BLOCK, GAP, LATE_GAP = 1, 2, 3, 4, 5, 6
CENTRE = 1_000


@dataclass(frozen=True)
class Fact:
    """An event of the detector; ``bar`` is the number of the bar it is anchored on."""

    id: int
    kind: str
    low: int = 0
    high: int = 0
    bar: int = 0
    direction: int = 1
    zone_id: int = 0
    source_id: int = 0
    ambiguous: bool = False
    timeframe: str = "15m"
    confirmed_at: int = NOW

    @property
    def formed_at(self) -> int:
        return NOW + self.bar * QUARTER


@dataclass(frozen=True)
class Step:
    events: tuple[Fact, ...]


@dataclass(frozen=True)
class Pool:
    id: int
    low: int
    high: int
    side: int = 1
    kind: str = "liquidity_pool"
    direction: int = 1
    formed_at: int = NOW
    confirmed_at: int = NOW


@dataclass(frozen=True)
class Reader:
    """What the structure reader would answer at the close."""

    the_bias: int = 1
    the_atr: float = 8.0
    pools: dict[str, tuple[Pool, ...]] = field(default_factory=lambda: {"15m": (Pool(90, 1_035, 1_037),), "1h": ()})
    dealing: tuple[int, int] | None = (900, 1_200)

    @property
    def timeframes(self) -> Sequence[str]:
        return list(self.pools)

    def bias(self, timeframe: str, scope: str) -> int:
        return self.the_bias if (timeframe, scope) == ("1h", "internal") else 0

    def atr(self, timeframe: str) -> float:
        return self.the_atr if timeframe == "15m" else math.nan

    def dealing_range(self, timeframe: str) -> tuple[int, int] | None:
        return self.dealing if timeframe == "15m" else None

    def zones(self, timeframe: str) -> list[Pool]:
        return list(self.pools[timeframe])

    def features(self) -> tuple[float, ...]:
        return (0.5, 0.25)


# A bar is low, high, close; its events come with it.
Scene = list[tuple[tuple[int, int, int], list[Fact]]]
QUIET = (985, 1_010, 1_000)


def sweep(bar: int = 0) -> Fact:
    return Fact(SWEEP, "liquidity_pool_swept", 975, 975, bar)


def shift() -> Fact:
    return Fact(SHIFT, "choch", 1_005, 1_005)


def bos() -> Fact:
    return Fact(BREAK, "bos", 1_005, 1_005)


def block(source: int, bar: int = 1) -> Fact:
    return Fact(BLOCK, "order_block", 980, 990, bar, source_id=source)


def gap(id_: int = GAP, bar: int = 1) -> Fact:
    return Fact(id_, "fair_value_gap", 992, 996, bar)


def touch(zone: int = BLOCK, kind: str = "order_block_touched") -> Fact:
    return Fact(50, kind, 980, 990, zone_id=zone)


def reversal(*, wait: int = 0, back: int = 1) -> Scene:
    """A sweep to 970, ``wait`` quiet bars, a change of character, and after ``back`` bars a return to the block."""
    quiet: Scene = [(QUIET, []) for _ in range(wait)]
    later: Scene = [(QUIET, []) for _ in range(back - 1)]
    return [
        ((970, 990, 985), [sweep()]),
        *quiet,
        ((984, 1_015, 1_010), [shift(), block(SHIFT)]),
        *later,
        ((986, 1_000, 990), [touch()]),
    ]


def continuation() -> Scene:
    return [((984, 1_015, 1_010), [bos(), block(BREAK)]), (QUIET, []), ((986, 1_000, 990), [touch()])]


def finder(**changes: Any) -> StructureSetups:
    return StructureSetups("test:BTCUSDT", "15m", "1h", DecisionSettings(**(LIMITS | changes)))


def bar_at(index: int, shape: tuple[int, int, int]) -> Bar:
    low, high, close = shape
    start = NOW + index * QUARTER
    return Bar(start, start + QUARTER, close, high, low, close)


def play(scene: Scene, reader: Reader | None = None, of: StructureSetups | None = None) -> list[list[Setup]]:
    """What was found at each close."""
    told, reading = of or finder(), reader or Reader()
    return [
        told.find(Step(tuple(events)), bar_at(index, shape), reading)  # type: ignore[arg-type]
        for index, (shape, events) in enumerate(scene)
    ]


def only(found: list[list[Setup]]) -> Setup:
    """The one setup, found at the last close."""
    assert [len(setups) for setups in found] == [0] * (len(found) - 1) + [1]
    return found[-1][0]


def nothing(found: list[list[Setup]]) -> bool:
    return not any(found)


def mirrored(scene: Scene) -> Scene:
    return [
        (
            (2 * CENTRE - high, 2 * CENTRE - low, 2 * CENTRE - close),
            [
                replace(e, low=2 * CENTRE - e.high, high=2 * CENTRE - e.low, direction=-e.direction) if e.low else e
                for e in events
            ],
        )
        for (low, high, close), events in scene
    ]


def mirrored_reader(reader: Reader) -> Reader:
    turn = 2 * CENTRE
    return Reader(
        the_bias=-reader.the_bias,
        the_atr=reader.the_atr,
        pools={
            timeframe: tuple(replace(p, low=turn - p.high, high=turn - p.low, side=-p.side) for p in pools)
            for timeframe, pools in reader.pools.items()
        },
        dealing=reader.dealing and (turn - reader.dealing[1], turn - reader.dealing[0]),
    )


def test_a_sweep_a_change_of_character_and_a_return_make_a_reversal() -> None:
    found = only(play(reversal()))
    assert (found.kind, found.side, found.entry) == (SetupKind.REVERSAL, 1, 990)
    # A quarter of an ATR of 8 beyond the sweep's low of 970.
    assert (found.stop, found.target) == (968, 1_035)
    assert [(e.role, e.event_id) for e in found.evidence] == [
        ("sweep", SWEEP),
        ("choch", SHIFT),
        ("order_block", BLOCK),
        ("target", 90),
    ]
    closed = NOW + 3 * QUARTER
    assert (found.detected_at, found.entry_expires_at) == (closed, closed + 3 * QUARTER)
    assert found.time_limit_ns == 96 * QUARTER
    assert (found.instrument, found.timeframe, found.higher_timeframe_bias) == ("test:BTCUSDT", "15m", 1)
    assert found.features == (0.5, 0.25)


def test_a_break_of_structure_and_a_return_at_a_discount_make_a_continuation() -> None:
    found = only(play(continuation()))
    assert (found.kind, found.side, found.entry) == (SetupKind.CONTINUATION, 1, 990)
    # Beyond the block's low of 980, not the sweep's: there was none.
    assert (found.stop, found.target) == (978, 1_035)
    assert [e.role for e in found.evidence] == ["bos", "order_block", "target"]


@pytest.mark.parametrize("scene", [reversal, continuation])
def test_the_mirror_image_is_a_short(scene: Callable[[], Scene]) -> None:
    long = only(play(scene()))
    short = only(play(mirrored(scene()), mirrored_reader(Reader())))
    assert (short.kind, short.side, short.higher_timeframe_bias) == (long.kind, -1, -1)
    for name in ("entry", "stop", "target"):
        assert getattr(short, name) == 2 * CENTRE - getattr(long, name)
    assert (short.risk_ticks, short.reward_ticks) == (long.risk_ticks, long.reward_ticks)
    assert short.setup_id != long.setup_id


def test_the_same_structure_has_the_same_id_and_another_has_another() -> None:
    assert only(play(reversal())).setup_id == only(play(reversal())).setup_id
    assert only(play(reversal())).setup_id != only(play(reversal(back=2))).setup_id
    assert only(play(reversal())).setup_id != only(play(continuation())).setup_id


@pytest.mark.parametrize(("wait", "made"), [(3, True), (4, True), (5, False)])
def test_the_change_of_character_must_follow_the_sweep_in_time(wait: int, made: bool) -> None:
    # With `wait` quiet bars between, the change comes wait + 1 bars after the sweep; five are allowed.
    assert nothing(play(reversal(wait=wait))) is not made


@pytest.mark.parametrize(("back", "made"), [(3, True), (4, True), (5, False)])
def test_the_return_must_come_in_time(back: int, made: bool) -> None:
    assert nothing(play(reversal(back=back))) is not made


def test_the_stop_looks_back_to_the_sweep_over_the_longest_allowed_sequence() -> None:
    assert only(play(reversal(wait=4, back=4))).stop == 968


def test_a_newer_sweep_takes_the_place_of_an_older_one() -> None:
    scene = reversal(wait=4)
    scene[3] = ((972, 990, 985), [replace(sweep(3), id=7)])
    found = only(play(scene))
    # 970 was before the newer sweep and is no longer what the idea rests on.
    assert found.stop == 970
    assert found.evidence[0].event_id == 7


def without(scene: Scene, *kinds: str) -> Scene:
    return [(shape, [e for e in events if e.kind not in kinds]) for shape, events in scene]


def altered(scene: Scene, kind: str, **changes: Any) -> Scene:
    return [(shape, [replace(e, **changes) if e.kind == kind else e for e in events]) for shape, events in scene]


@pytest.mark.parametrize(
    "broken",
    [
        without(reversal(), "liquidity_pool_swept"),
        without(reversal(), "choch"),
        without(reversal(), "order_block"),
        without(reversal(), "order_block_touched"),
        altered(reversal(), "liquidity_pool_swept", direction=-1),
        altered(reversal(), "order_block", source_id=99),
        altered(reversal(), "order_block_touched", zone_id=99),
        altered(reversal(), "order_block_touched", ambiguous=True),
        altered(reversal(), "liquidity_pool_swept", timeframe="1h"),
        altered(reversal(), "choch", timeframe="1h"),
        altered(reversal(), "order_block", timeframe="1h"),
        altered(reversal(), "order_block_touched", timeframe="1h"),
    ],
    ids=[
        "no sweep",
        "no change of character",
        "no block",
        "no return",
        "sweep of the other side",
        "block of another break",
        "return to another zone",
        "touched and invalidated in one bar",
        "sweep of another timeframe",
        "change of another timeframe",
        "block of another timeframe",
        "return in another timeframe",
    ],
)
def test_a_sequence_with_a_piece_missing_is_no_setup(broken: Scene) -> None:
    assert nothing(play(broken))


def test_a_return_on_the_bar_that_made_the_block_does_not_count() -> None:
    scene = reversal()
    scene[1][1].append(touch())
    # It is the next bar's return that counts.
    assert only(play(scene)).detected_at == NOW + 3 * QUARTER
    assert nothing(play(scene[:2]))


def test_only_the_first_return_counts() -> None:
    scene = [*reversal(), ((986, 1_000, 990), [touch()])]
    assert [len(found) for found in play(scene)] == [0, 0, 1, 0]


def test_an_ambiguous_return_uses_the_zone_up() -> None:
    scene = [*altered(reversal(), "order_block_touched", ambiguous=True), ((986, 1_000, 990), [touch()])]
    assert nothing(play(scene))


@pytest.mark.parametrize("end", ["order_block_invalidated", "order_block_expired"])
def test_a_block_that_has_ended_takes_its_gaps_with_it(end: str) -> None:
    scene = reversal(back=2)
    scene[1][1].append(gap())
    scene[2] = (QUIET, [Fact(60, end, 980, 990, zone_id=BLOCK)])
    scene[3] = (scene[3][0], [touch(GAP, "fair_value_gap_touched")])
    assert nothing(play(scene))


@pytest.mark.parametrize("arrives", ["before", "with", "after"])
def test_a_return_into_the_gap_of_the_move_counts_too(arrives: str) -> None:
    scene = reversal(wait=1, back=2)
    bar = {"before": 1, "with": 2, "after": 3}[arrives]
    scene[bar][1].append(gap(bar=2 if arrives != "before" else 1))
    scene[-1] = (scene[-1][0], [touch(GAP, "fair_value_gap_touched")])
    found = only(play(scene))
    assert [e.role for e in found.evidence] == ["sweep", "choch", "fair_value_gap", "target"]


@pytest.mark.parametrize(
    "stray",
    [gap(bar=0), gap(LATE_GAP, bar=3), replace(gap(), direction=-1)],
    ids=["older than the block", "younger than the break", "of the other side"],
)
def test_a_gap_outside_the_move_does_not_count(stray: Fact) -> None:
    scene = reversal(back=2)
    scene[2] = (scene[2][0], [stray])
    scene[-1] = (scene[-1][0], [touch(stray.id, "fair_value_gap_touched")])
    assert nothing(play(scene))


def test_a_gap_that_was_there_before_the_block_does_not_count() -> None:
    scene = reversal()
    scene[0][1].append(gap(bar=0))
    scene[-1] = (scene[-1][0], [touch(GAP, "fair_value_gap_touched")])
    assert nothing(play(scene))


def test_a_newer_break_of_the_same_kind_takes_the_place_of_an_older_one() -> None:
    newer = [replace(bos(), id=30), replace(block(30), id=40, low=979, high=989)]
    scene = continuation()
    scene[1] = (QUIET, newer)
    assert nothing(play(scene))
    scene[-1] = (scene[-1][0], [touch(40)])
    assert only(play(scene)).evidence[1].event_id == 40


def test_both_sequences_may_rest_on_one_return() -> None:
    scene = reversal()
    scene[1][1].extend([bos(), replace(block(BREAK), id=41)])
    scene[-1][1].append(touch(41))
    kinds = [found.kind for found in play(scene)[-1]]
    assert kinds == [SetupKind.REVERSAL, SetupKind.CONTINUATION]


@pytest.mark.parametrize("reader", [Reader(the_bias=0), Reader(the_bias=-1)])
def test_the_higher_timeframe_must_agree(reader: Reader) -> None:
    assert nothing(play(reversal(), reader))
    assert nothing(play(continuation(), reader))


@pytest.mark.parametrize("atr", [math.nan, math.inf, 0.0, -1.0])
def test_without_a_volatility_there_is_no_stop(atr: float) -> None:
    assert nothing(play(reversal(), Reader(the_atr=atr)))


@pytest.mark.parametrize(
    ("dealing", "made"),
    [((900, 1_082), True), ((900, 1_080), False), ((900, 1_078), False), (None, False), ((990, 990), False)],
)
def test_a_continuation_buys_only_in_the_lower_half(dealing: tuple[int, int] | None, made: bool) -> None:
    reader = Reader(dealing=dealing)
    assert nothing(play(continuation(), reader)) is not made
    assert nothing(play(mirrored(continuation()), mirrored_reader(reader))) is not made
    # A reversal may begin anywhere.
    only(play(reversal(), reader))


@pytest.mark.parametrize(("atr", "stop"), [(8.0, 968), (4.0, 969), (3.9, 969), (22.0, 964), (23.0, 964), (32.0, 958)])
def test_the_stop_lies_beyond_the_structure_and_an_atr_away(atr: float, stop: int) -> None:
    # The edge is 970 and the entry 990: the nearer of the two rules gives way, rounded away from the entry.
    pools = {"15m": (Pool(90, 1_060, 1_062),)}
    reader = Reader(the_atr=atr, pools=pools)
    assert only(play(reversal(), reader)).stop == stop
    assert only(play(mirrored(reversal()), mirrored_reader(reader))).stop == 2 * CENTRE - stop


def test_a_stop_below_zero_is_no_stop() -> None:
    assert nothing(play(reversal(), Reader(the_atr=4_000.0)))


def pools(*places: int, side: int = 1, timeframe: str = "15m") -> Reader:
    made = tuple(Pool(90 + index, low, low + 2, side) for index, low in enumerate(places))
    return Reader(pools={"15m": (), "1h": (), timeframe: made})


@pytest.mark.parametrize(
    ("places", "target"),
    [
        ([1_023], 1_023),  # the risk is 22 ticks; 1.5 times it is 33
        ([1_022], None),
        ([1_078], 1_078),  # and 4 times it is 88
        ([1_079], None),
        ([1_070, 1_050, 1_060], 1_050),
        ([1_000, 1_050], 1_050),
        ([950], None),
        ([], None),
    ],
)
def test_the_target_is_the_nearest_liquidity_that_is_worth_the_risk(places: list[int], target: int | None) -> None:
    found = play(reversal(), pools(*places))
    if target is None:
        assert nothing(found)
    else:
        assert only(found).target == target
        mirror = only(play(mirrored(reversal()), mirrored_reader(pools(*places))))
        assert mirror.target == 2 * CENTRE - target


def test_liquidity_of_the_own_side_and_other_zones_are_no_targets() -> None:
    assert nothing(play(reversal(), pools(1_050, side=-1)))
    block_there = Pool(90, 1_050, 1_052, kind="order_block")
    assert nothing(play(reversal(), Reader(pools={"15m": (block_there,)})))


def test_liquidity_of_a_higher_timeframe_is_a_target_too() -> None:
    found = only(play(reversal(), pools(1_050, timeframe="1h")))
    assert (found.target, found.evidence[-1].timeframe) == (1_050, "1h")


@pytest.mark.parametrize("cut", range(6))
@pytest.mark.parametrize("scene", [reversal(wait=2, back=3), [*continuation(), *reversal()]])
def test_a_snapshot_anywhere_goes_on_exactly(scene: Scene, cut: int) -> None:
    scene[1][1].append(gap(bar=1))
    reader, kept, first = Reader(), finder(), finder()
    expected = play(scene, reader, kept)
    before = play(scene[:cut], reader, first)
    saved = first.snapshot()
    restarted = finder()
    restarted.restore(saved)
    assert restarted.snapshot() == saved
    after = [
        restarted.find(Step(tuple(events)), bar_at(cut + index, shape), reader)  # type: ignore[arg-type]
        for index, (shape, events) in enumerate(scene[cut:])
    ]
    assert before + after == expected
    assert any(expected)
    assert restarted.snapshot() == kept.snapshot()


def test_memory_is_bounded() -> None:
    told = finder()
    play([(QUIET, [gap(id_, bar=id_)]) for id_ in range(1, 200)], of=told)
    size = len(told.snapshot())
    play([(QUIET, [gap(id_, bar=id_)]) for id_ in range(200, 400)], of=told)
    assert len(told.snapshot()) < size + 200

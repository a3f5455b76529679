"""Things with their lives, assembled from the event stream by ``zone_id``, and what was known of them at any time."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from smc_trading_agent._core import Event
from smc_trading_agent.charts.vocabulary import CHANGES, RANGES, REPLACED, Shape, is_end, shape_of

SOURCE_REACH = 100_000
"""A cause as many events back, or further, is not named, so that memory stays bounded."""


class Change(msgspec.Struct, frozen=True):
    """One record of a life. Times in ns; edges in ticks, as the record has them; ``ends`` where it is the last act."""

    event_id: int
    name: str
    at: int
    low: int
    high: int
    ends: bool
    ambiguous: bool


class Pivot(msgspec.Struct, frozen=True):
    """A pivot that a thing joins: of the second instrument or the first, open time of its bar in ns, price in ticks."""

    second: bool
    time: int
    price: int


class Thing(msgspec.Struct, frozen=True):
    """Something the detector told of, as the event that created it said it, and what became of it since.

    ``known_at`` is that event's ``confirmed_at``. ``source`` is the kind of the event that caused it, "" where there
    is none or it is no longer at hand. Times in ns, prices in ticks; ``changes`` is in the order of the records.
    ``pivots`` is what a divergence joins: the older and the newer one of the first instrument, then of the second.
    """

    id: int
    kind: str
    shape: Shape
    direction: int
    side: int
    scope: str
    formed_at: int
    known_at: int
    low: int
    high: int
    source_id: int
    source: str
    ambiguous: bool
    changes: tuple[Change, ...] = ()
    pivots: tuple[Pivot, ...] = ()

    @property
    def ended_at(self) -> int | None:
        """When it ceased to act, None while it does."""
        return next((change.at for change in self.changes if change.ends), None)


def known_by(things: Iterable[Thing], time: int) -> list[Thing]:
    """What was known at ``time`` (ns): things told by then, each with the part of its life told by then."""
    return [
        msgspec.structs.replace(thing, changes=tuple(change for change in thing.changes if change.at <= time))
        for thing in things
        if thing.known_at <= time
    ]


class Assembler:
    """Takes the events of one timeframe in order; holds the things that act, and those that ended late enough.

    ``kinds`` are the concepts to keep; the kinds of all recent events are remembered, to name what caused what.
    """

    def __init__(self, kinds: Iterable[str], bar_ns: int) -> None:
        self._kinds = frozenset(kinds)
        self._bar_ns = bar_ns
        # Events as they came: a long warm-up makes many things, and few are left to be drawn.
        self._begun: dict[int, tuple[Event, str]] = {}
        self._lives: dict[int, list[Event]] = {}
        self._ranges: dict[tuple[str, str], int] = {}
        self._told = [""] * SOURCE_REACH  # by id, going round

    def take(self, event: Event) -> None:
        """Begins a thing, or continues one."""
        kind = event.kind
        self._told[event.id % SOURCE_REACH] = kind
        change = CHANGES.get(kind)
        if change is None:
            if kind in self._kinds:
                self._begin(event, kind)
        elif change[0] in self._kinds:
            life = self._lives.get(event.zone_id)
            if life is not None:
                life.append(event)

    def _begin(self, event: Event, kind: str) -> None:
        near = event.source_id and event.id - event.source_id < SOURCE_REACH
        self._begun[event.id] = event, self._told[event.source_id % SOURCE_REACH] if near else ""
        self._lives[event.id] = []
        if kind in RANGES:
            before = self._lives.get(self._ranges.get((kind, event.scope), 0))
            if before is not None:
                before.append(event)
            self._ranges[kind, event.scope] = event.id

    def forget(self, before: int) -> None:
        """Lets go of what ended, or was only ever a moment, at or before ``before`` (ns)."""
        for event, _ in list(self._begun.values()):
            if self._over(event) <= before:
                del self._begun[event.id], self._lives[event.id]

    def _over(self, event: Event) -> int:
        """When the thing that ``event`` began left the chart; far off while it acts."""
        if shape_of(event, self._bar_ns) in (Shape.MARK, Shape.LINE, Shape.SPAN):
            return event.confirmed_at
        return next((record.confirmed_at for record in self._lives[event.id] if is_end(record.kind)), 1 << 62)

    @property
    def held(self) -> int:
        """Number of things at hand."""
        return len(self._begun)

    def things(self) -> list[Thing]:
        """Everything at hand, in order of being told."""
        return [self._thing(event, source) for event, source in self._begun.values()]

    def _thing(self, event: Event, source: str) -> Thing:
        return Thing(
            id=event.id,
            kind=event.kind,
            shape=shape_of(event, self._bar_ns),
            direction=event.direction,
            side=event.side,
            scope=event.scope,
            formed_at=event.formed_at,
            known_at=event.confirmed_at,
            low=event.low,
            high=event.high,
            source_id=event.source_id,
            source=source,
            ambiguous=event.ambiguous,
            changes=tuple(_change(event, record) for record in self._lives[event.id]),
        )


def _name(record: Event) -> str:
    """What a record of a life is called: a range is replaced by the event that begins the next."""
    change = CHANGES.get(record.kind)
    return REPLACED if change is None else change[1]


def _change(thing: Event, record: Event) -> Change:
    name = _name(record)
    edges = thing if name == REPLACED else record
    return Change(record.id, name, record.confirmed_at, edges.low, edges.high, is_end(record.kind), record.ambiguous)

"""Things with their lives, assembled from the event stream by ``zone_id``, and what was known of them at any time."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from smc_trading_agent._core import Event
from smc_trading_agent.charts.vocabulary import CHANGES, ENDS, REPLACED, Shape, shape_of

SOURCE_REACH = 100_000
"""A cause further back than this many events is not named, so that memory stays bounded."""


class Change(msgspec.Struct, frozen=True):
    """One record of a life. Times in ns; edges in ticks, as the record has them; ``ends`` where it is the last act."""

    event_id: int
    name: str
    at: int
    low: int
    high: int
    ends: bool
    ambiguous: bool


class Thing(msgspec.Struct, frozen=True):
    """Something the detector told of, as the event that created it said it, and what became of it since.

    ``known_at`` is that event's ``confirmed_at``. ``source`` is the kind of the event that caused it, "" where there
    is none or it is no longer at hand. Times in ns, prices in ticks; ``changes`` is in the order of the records.
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
        self._begun: dict[int, Thing] = {}
        self._changes: dict[int, list[Change]] = {}
        self._ranges: dict[tuple[str, str], int] = {}
        self._told: dict[int, str] = {}

    def take(self, event: Event) -> None:
        """Begins a thing, or continues one."""
        change = CHANGES.get(event.kind)
        self._told[event.id] = event.kind
        if change is not None:
            if change[0] in self._kinds and event.zone_id in self._begun:
                self._continue(event.zone_id, event, change[1])
        elif event.kind in self._kinds:
            self._begin(event)

    def _begin(self, event: Event) -> None:
        shape = shape_of(event, self._bar_ns)
        if shape is Shape.RANGE:
            before = self._ranges.get((event.kind, event.scope))
            if before in self._begun:
                self._continue(before, event, REPLACED)
            self._ranges[event.kind, event.scope] = event.id
        self._begun[event.id] = Thing(
            id=event.id,
            kind=event.kind,
            shape=shape,
            direction=event.direction,
            side=event.side,
            scope=event.scope,
            formed_at=event.formed_at,
            known_at=event.confirmed_at,
            low=event.low,
            high=event.high,
            source_id=event.source_id,
            source=self._cause(event),
            ambiguous=event.ambiguous,
        )

    def _cause(self, event: Event) -> str:
        near = event.source_id and event.id - event.source_id <= SOURCE_REACH
        return self._told.get(event.source_id, "") if near else ""

    def _continue(self, thing: int, event: Event, name: str) -> None:
        low, high = (event.low, event.high) if name != REPLACED else (self._begun[thing].low, self._begun[thing].high)
        ends = name in ENDS or name == REPLACED
        change = Change(event.id, name, event.confirmed_at, low, high, ends, event.ambiguous)
        self._changes.setdefault(thing, []).append(change)

    def forget(self, before: int) -> None:
        """Lets go of what ended, or was only ever a moment, at or before ``before`` (ns)."""
        for thing in list(self._begun.values()):
            if self._over(thing) <= before:
                del self._begun[thing.id]
                self._changes.pop(thing.id, None)
        newest = next(reversed(self._told), 0)
        self._told = {event: kind for event, kind in self._told.items() if newest - event <= SOURCE_REACH}

    def _over(self, thing: Thing) -> int:
        """When it left the chart; far off while it acts."""
        if thing.shape in (Shape.MARK, Shape.LINE, Shape.SPAN):
            return thing.known_at
        return next((change.at for change in self._changes.get(thing.id, ()) if change.ends), 1 << 62)

    @property
    def held(self) -> int:
        """Number of things at hand."""
        return len(self._begun)

    def things(self) -> list[Thing]:
        """Everything at hand, in order of being told."""
        return [
            msgspec.structs.replace(thing, changes=tuple(self._changes.get(thing.id, ())))
            for thing in self._begun.values()
        ]

"""Which event kinds begin a thing that can be drawn, which continue one, and in what shape each is drawn.

Everything is told from the names in `EVENT_KINDS` and from an event's own edges, so a concept that is added to the
core is drawn without a change here. A record of a life is named after the thing it continues: ``order_block_touched``
continues an ``order_block``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from smc_trading_agent._core import EVENT_KINDS, Event
from smc_trading_agent.domain.errors import ConfigError

REPLACED = "replaced"
"""What ends a range: the next one of its kind and scope."""

ENDS = frozenset(
    {"invalidated", "expired", "swept", "run", "taken", "filled", "inverted", "traversed", "failed", "broken", REPLACED}
)
"""Names of the records after which a thing no longer acts."""

ENDED_BY_TOUCH = frozenset({"point_of_control"})
"""Concepts that a first touch uses up."""

CONTINUES = frozenset({"touched", "mitigated", "half_filled", "grown", "confirmed"})
"""Names of the other records of a life."""

BREAKS = frozenset({"bos", "choch", "mss", "mss_strict"})
RANGES = frozenset({"dealing_range"})
POINTS = frozenset({"pivot"})

DIVERGENCE = "smt_divergence"
"""What is read from two instruments, and from no single one."""

DEFAULT_CONCEPTS = ("order_block", "fair_value_gap", "liquidity_pool", "bos", "choch", "dealing_range", "pivot")
"""A readable few."""


class Shape(StrEnum):
    """How a thing is drawn."""

    ZONE = "zone"
    """A box between two prices, from its anchor through its life."""
    LEVEL = "level"
    """A price, from its anchor through its life."""
    LINE = "line"
    """A price, from the bar that made it to the bar that broke it."""
    RANGE = "range"
    """Two prices with their middle, until the next one."""
    SPAN = "span"
    """A stretch of time that is over, with its two prices."""
    MARK = "mark"
    """A bar."""
    PAIR = "pair"
    """Two extremes of each of two instruments, joined."""


def continued(kind: str) -> tuple[str, str] | None:
    """The kind that a record continues and the record's own name: ``order_block``, ``touched``; else None."""
    for name in ENDS | CONTINUES:
        parent = kind.removesuffix(f"_{name}")
        if parent != kind and parent in EVENT_KINDS:
            return parent, name
    return None


CHANGES = {kind: change for kind in EVENT_KINDS if (change := continued(kind))}
"""Every record of a life: what it continues, and its name."""

CONCEPTS = tuple(kind for kind in EVENT_KINDS if kind not in CHANGES)
"""Everything that can be drawn, in the order of the core."""

LIVING = frozenset(parent for parent, _ in CHANGES.values())
"""The concepts that have a life."""


def is_end(kind: str) -> bool:
    """Whether a thing no longer acts after a record of this kind; a range is ended by the next of its kind."""
    parent, name = CHANGES.get(kind, (kind, REPLACED))
    return name in ENDS or (parent in ENDED_BY_TOUCH and name == "touched")


def shape_of(event: Event, bar_ns: int) -> Shape:
    """The shape of the thing that ``event`` begins, on bars ``bar_ns`` long."""
    if event.kind in BREAKS:
        return Shape.LINE
    if event.kind in RANGES:
        return Shape.RANGE
    if event.kind in LIVING:
        return Shape.ZONE if event.low < event.high else Shape.LEVEL
    one_bar = event.confirmed_at - event.formed_at <= bar_ns
    if event.kind in POINTS or event.low == event.high or one_bar:
        return Shape.MARK
    return Shape.SPAN


def chosen(text: str | None, beside: bool = False) -> tuple[str, ...]:
    """The concepts that a comma-separated text names: `DEFAULT_CONCEPTS` without one, every one for ``all``.

    With a second instrument ``beside`` the first, `DIVERGENCE` is always among them.

    Raises `ConfigError` with the whole list for a name that is none of them.
    """
    always = (DIVERGENCE,) if beside else ()
    if text is None:
        return DEFAULT_CONCEPTS + always
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == ["all"]:
        return CONCEPTS
    unknown = [name for name in names if name not in CONCEPTS]
    if unknown or not names:
        said = ", ".join(repr(name) for name in unknown) or "nothing"
        raise ConfigError(f"--concepts names {said}; it takes all, or some of: {_listed(CONCEPTS)}")
    return tuple(name for name in CONCEPTS if name in names or name in always)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)

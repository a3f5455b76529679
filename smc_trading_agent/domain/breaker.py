"""Scopes of the circuit breaker, who may move it, and what a person can ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum

import msgspec

from smc_trading_agent.domain.errors import BreakerRefusal
from smc_trading_agent.domain.reasons import BreakerState

SYSTEM = "system"
"""The actor of every change that no person asked for."""


class ScopeLevel(StrEnum):
    """What a breaker stands over, from the widest to the narrowest."""

    GLOBAL = "global"
    VENUE = "venue"
    ACCOUNT = "account"
    INSTRUMENT = "instrument"
    STRATEGY = "strategy"


class Authority(IntEnum):
    """Who must agree to a transition."""

    AUTOMATIC = 0
    ONE_PERSON = 1
    TWO_PEOPLE = 2


ScopePath = tuple[str, ...]
"""The scopes that an order lies under, from `global` down, such as ``venue:binance``."""

STRATEGY = "smc"
"""The one strategy of this agent."""


def scope_path(venue: str, account: str, instrument: str, strategy: str = STRATEGY) -> ScopePath:
    """The path of the orders of one strategy on one instrument."""
    members = (venue, account, instrument, strategy)
    return (
        ScopeLevel.GLOBAL.value,
        *(f"{level.value}:{member}" for level, member in zip(list(ScopeLevel)[1:], members, strict=True)),
    )


ANY_PATH: ScopePath = scope_path("any", "any", "any")
"""Where a breaker is made without saying what it stands over."""


def scope_on(path: Sequence[str], named: str) -> str:
    """The scope of a path that a person means: ``account``, or in full ``account:paper``.

    Raises `BreakerRefusal` where the path has no such scope.
    """
    for scope in path:
        if named in (scope, scope.partition(":")[0]):
            return scope
    raise BreakerRefusal(f"{named!r} is no scope of this agent; name one of {', '.join(path)}")


class BreakerAction(StrEnum):
    """What a person can ask of the breaker."""

    TRIP = "trip"
    REARM = "rearm"
    KILL = "kill"


class BreakerOrder(msgspec.Struct, frozen=True):
    """What a person asks: to open the breaker to ``state``, to re-arm it, or to kill, in a scope and with a reason.

    ``request`` names the asking, so that one that arrives twice takes effect once.
    """

    action: BreakerAction
    scope: str
    actor: str
    reason: str
    state: BreakerState = BreakerState.HALTED
    request: str = ""


class BreakerCommand(msgspec.Struct, frozen=True):
    """An order to the breaker as it took effect: where in the market, and what was found outside at that moment.

    ``gone`` are our orders that were open in our books and no longer at the venue; ``differences`` are those between
    the books, of which a re-arm needs to be free.
    """

    order: BreakerOrder
    cursor: int
    time: int
    gone: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()


class BreakerAnswer(msgspec.Struct, frozen=True):
    """What became of an order to the breaker. ``open_orders`` are ours that a kill left open, by client id."""

    accepted: bool
    state: BreakerState
    message: str
    open_orders: tuple[str, ...] = ()


class PeakReference(msgspec.Struct, frozen=True):
    """The equity that drawdown is measured from, set anew by the person who re-armed after one."""

    time: int
    before: int
    after: int
    actor: str
    reason: str


class KillReport(msgspec.Struct, frozen=True):
    """What a kill did at the venue at once: orders it cancelled, and orders of ours that are open still, by client id.

    ``cancelled`` are those of this call; a second one finds nothing left.
    """

    first: bool
    cancelled: tuple[str, ...]
    open_orders: tuple[str, ...]


class BreakerView(msgspec.Struct, frozen=True):
    """The circuit breaker as others see it: the state that counts, each scope's with its causes, and the latch."""

    state: BreakerState
    scopes: dict[str, BreakerState]
    causes: dict[str, dict[str, str]]
    epoch: int
    kill_switch: bool
    open_orders: tuple[str, ...] = ()

"""Every short history of a breaker, one by one: all sequences of events from every state, against the plain model."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.errors import BreakerRefusal
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState
from smc_trading_agent.domain.types import BreakerChange
from smc_trading_agent.risk_manager.breaker_table import AUTHORITY
from smc_trading_agent.risk_manager.circuit_breaker import CircuitBreaker
from tests.breaker_model import Model, Terms
from tests.properties.test_breaker_machine import ACCOUNT, FIRST, LIMITS, NS, PATH

S = BreakerState
TERMS = Terms()
DEPTH = 6
Pair = tuple[CircuitBreaker, Model, MarketClock, list[BreakerChange]]


def _waits(seconds: int, working: int) -> Callable[[Pair], None]:
    def event(pair: Pair) -> None:
        breaker, model, clock, _ = pair
        clock.advance_to(clock.now() + seconds * NS)
        breaker.tick(working)
        model.tick(working, clock.now() // NS)

    return event


def _trips(state: BreakerState, cause: BreakerCause) -> Callable[[Pair], None]:
    def event(pair: Pair) -> None:
        breaker, model, clock, _ = pair
        breaker.trip(state, cause, "any")
        model.trip(state, cause.value, clock.now() // NS)

    return event


def _rearms(actor: str) -> Callable[[Pair], None]:
    def event(pair: Pair) -> None:
        breaker, model, clock, _ = pair
        try:
            breaker.rearm(actor, "a reason")
        except BreakerRefusal:
            assert not model.rearm(actor, False, clock.now() // NS)
        else:
            assert model.rearm(actor, False, clock.now() // NS)

    return event


def _ready(pair: Pair) -> None:
    pair[0].ready()
    pair[1].ready(pair[2].now() // NS)


def _clears(pair: Pair) -> None:
    pair[0].clear(BreakerCause.DAILY_LOSS)
    pair[1].clear("daily_loss", pair[2].now() // NS)


def _probes(pair: Pair) -> None:
    if pair[0].lets_exposure_grow:
        pair[0].probe_sent()
        pair[1].probe(pair[2].now() // NS)


EVENTS: dict[str, Callable[[Pair], None]] = {
    "ready": _ready,
    "loss": _trips(S.REDUCING, BreakerCause.DAILY_LOSS),
    "loss over": _clears,
    "drawdown": _trips(S.HALTED, BreakerCause.DRAWDOWN),
    "kill": _trips(S.KILLED, BreakerCause.KILL_SWITCH),
    "ada": _rearms("ada"),
    "grace": _rearms("grace"),
    "probe": _probes,
    "a moment, orders out": _waits(31, 1),
    "a while, no orders": _waits(200, 0),
    "long, orders out": _waits(1_001, 1),
}


def begun() -> Pair:
    clock, recorded = MarketClock(FIRST * NS), list[BreakerChange]()
    breaker = CircuitBreaker(LIMITS, clock, recorded.append, PATH)
    breaker.tick(0)
    return breaker, Model(TERMS, S.STARTING, entered=FIRST), clock, recorded


def branched(pair: Pair) -> Pair:
    """The same, by a restart: what is kept is all there is."""
    breaker, model, before, _ = pair
    clock, recorded = MarketClock(before.now()), list[BreakerChange]()
    twin = CircuitBreaker(LIMITS, clock, recorded.append, PATH)
    twin.restore(breaker.snapshot())
    return twin, copy.deepcopy(model), clock, recorded


def held(pair: Pair) -> tuple[object, ...]:
    return pair[0].state_on([ACCOUNT]), set(pair[0].causes), pair[0].lets_exposure_grow, pair[0].lets_exposure_shrink


def owed(pair: Pair) -> tuple[object, ...]:
    return pair[1].state, pair[1].causes, pair[1].grows, pair[1].shrinks


@pytest.fixture(scope="module")
def walked() -> tuple[int, set[tuple[BreakerState, BreakerState]]]:
    """How many histories were told apart, and every pair of states that one of them went through."""
    frontier, seen, made = [((), begun())], set[tuple[bytes, int]](), set[tuple[BreakerState, BreakerState]]()
    for _ in range(DEPTH):
        following: list[tuple[tuple[str, ...], Pair]] = []
        for history, pair in frontier:
            for name, event in EVENTS.items():
                path = (*history, name)
                after = branched(pair)
                event(after)
                assert held(after) == owed(after), path
                made |= {(change.before, change.after) for change in after[3]}
                key = (after[0].snapshot(), after[2].now())
                if key not in seen:
                    seen.add(key)
                    following.append((path, after))
        frontier = following
    return len(seen), made


def test_every_history_ends_where_the_model_ends(
    walked: tuple[int, set[tuple[BreakerState, BreakerState]]],
) -> None:
    assert walked[0] > 5_000


def test_the_walk_makes_every_transition_of_the_table_and_no_other(
    walked: tuple[int, set[tuple[BreakerState, BreakerState]]],
) -> None:
    assert walked[1] == set(AUTHORITY)

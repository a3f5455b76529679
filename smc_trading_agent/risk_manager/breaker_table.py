"""Every transition that the circuit breaker can make: from, to, on what, doing what, by whom. There is no other."""

from __future__ import annotations

import msgspec

from smc_trading_agent.domain.breaker import Authority
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState

S, C = BreakerState, BreakerCause


class Transition(msgspec.Struct, frozen=True):
    """One row: a state is left for another, on a trigger, with what follows and who must agree."""

    before: tuple[BreakerState, ...]
    after: tuple[BreakerState, ...]
    trigger: str
    action: str
    authority: Authority


TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        (S.STARTING,),
        (S.HALF_OPEN, S.REDUCING),
        "journal replayed and venue reconciled: the first start ever, and after KILLED",
        "probes; REDUCING where the start itself saw a cause. Other starts keep the state that was persisted",
        Authority.AUTOMATIC,
    ),
    Transition(
        (S.STARTING,),
        (S.HALTED,),
        "the books differ, or the start takes longer than start_seconds",
        "nothing new; entries are cancelled",
        Authority.AUTOMATIC,
    ),
    Transition(
        (S.ACTIVE,),
        (S.REDUCING,),
        "loss of the day at its first limit, UNKNOWN orders, an operator",
        "increases are refused; entries are cancelled",
        Authority.AUTOMATIC,
    ),
    Transition(
        (S.ACTIVE, S.HALF_OPEN, S.REDUCING),
        (S.HALTED,),
        "loss of the day at its second limit, drawdown, books that differ, an error in gate or engine, an operator",
        "increases are refused; entries are cancelled, protective orders stay",
        Authority.AUTOMATIC,
    ),
    Transition(
        (S.STARTING, S.ACTIVE, S.HALF_OPEN, S.REDUCING, S.HALTED),
        (S.KILLED,),
        "the kill switch: file, command line or API",
        "everything new is refused; our orders are cancelled, but for those that protect a position",
        Authority.AUTOMATIC,
    ),
    Transition(
        (S.REDUCING,),
        (S.HALF_OPEN,),
        "all causes clear for debounce_seconds, and the cool-down over",
        "probe_orders entries of probe_size, and no more",
        Authority.AUTOMATIC,
    ),
    Transition(
        (S.HALTED,),
        (S.HALF_OPEN,),
        "conditions clear, and a person re-arms with a reason",
        "as above; the drawdown is measured from a new peak where it was the cause",
        Authority.ONE_PERSON,
    ),
    Transition(
        (S.KILLED,),
        (S.STARTING,),
        "two different people within approval_seconds, with reasons; the books agree; the kill file is gone",
        "a new epoch; then HALF_OPEN",
        Authority.TWO_PEOPLE,
    ),
    Transition(
        (S.HALF_OPEN,),
        (S.ACTIVE,),
        "all probes have ended, no trigger, half_open_seconds over",
        "the cool-down is a short one again",
        Authority.AUTOMATIC,
    ),
    Transition(
        (S.HALF_OPEN,),
        (S.REDUCING, S.HALTED),
        "any trigger, or a probe not over within probe_timeout_seconds",
        "back to the severe state it came from; the cool-down doubles, 64 times at most; "
        "more than max_reopens_a_day a day: HALTED",
        Authority.AUTOMATIC,
    ),
)


def _authorities() -> dict[tuple[BreakerState, BreakerState], Authority]:
    return {(b, a): row.authority for row in TRANSITIONS for b in row.before for a in row.after}


AUTHORITY = _authorities()
"""Who must agree to each pair of states; a pair that is not here can't happen."""

CONDITIONS = frozenset({C.DAILY_LOSS, C.UNKNOWN_ORDERS, C.RECONCILIATION})
"""Causes that last until the market or the venue says otherwise: no person's word ends them. The other causes are
events, and the person who re-arms has taken note of them."""

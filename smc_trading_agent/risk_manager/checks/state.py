"""Whether anything may be sent at all: breaker, instrument, allow-list."""

from __future__ import annotations

from smc_trading_agent.domain.reasons import InstrumentState, RefusalReason
from smc_trading_agent.risk_manager.checks.question import PASS, Question, Refusals, refuse


def breaker(q: Question) -> Refusals:
    """The circuit breaker must let exposure grow."""
    return PASS if q.lets_exposure_grow is True else refuse(RefusalReason.BREAKER_NOT_ACTIVE, state=q.breaker.value)


def exit_breaker(q: Question) -> Refusals:
    """The circuit breaker must let exposure shrink."""
    return PASS if q.lets_exposure_shrink is True else refuse(RefusalReason.BREAKER_NOT_ACTIVE, state=q.breaker.value)


def instrument_state(q: Question) -> Refusals:
    """The venue must let the instrument trade; a state that we don't know is none of those."""
    if q.instrument_state is InstrumentState.TRADING:
        return PASS
    return refuse(RefusalReason.INSTRUMENT_NOT_TRADING, state=q.instrument_state)


def known_instrument(q: Question) -> Refusals:
    """The order must be for the instrument whose account, market and limits are looked at here."""
    if q.intent.instrument == q.instrument:
        return PASS
    return refuse(RefusalReason.UNKNOWN_INSTRUMENT, instrument=q.intent.instrument or "none", judged=q.instrument)


def allow_list(q: Question) -> Refusals:
    """The instrument must be allowed; an empty list allows none."""
    if q.limits.any_instrument or q.intent.instrument in q.limits.instruments:
        return PASS
    allowed = ",".join(sorted(q.limits.instruments)) or "none"
    return refuse(RefusalReason.INSTRUMENT_NOT_ALLOWED, instrument=q.intent.instrument, allowed=allowed)

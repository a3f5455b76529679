"""One word for how the agent is, from its own state and the circuit breaker's."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from smc_trading_agent.domain.reasons import BreakerState


class AgentState(StrEnum):
    """Life of the trading loop. `FINISHED` is a tape that was read to its end."""

    STARTING = "starting"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


class AgentStatus(msgspec.Struct, frozen=True):
    """How the agent is at this moment. ``data_age_seconds`` is None before the first market data."""

    state: AgentState
    market: str
    error: str
    breaker: BreakerState
    data_age_seconds: float | None
    journal_length: int
    journal_hash: str
    quality: dict[str, int]


class Health(StrEnum):
    """The word of the public health answer."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


ALIVE = frozenset({AgentState.STARTING, AgentState.RUNNING, AgentState.FINISHED})
NO_TRADING = frozenset({BreakerState.HALTED, BreakerState.KILLED})


def overall_health(state: AgentState, breaker: BreakerState) -> Health:
    """Unhealthy: the loop is dead or the breaker halted. Healthy: it runs (or ended its tape) with the breaker active.

    Everything between, a start, a breaker that only reduces or probes, is degraded.
    """
    if state not in ALIVE or breaker in NO_TRADING:
        return Health.UNHEALTHY
    if state is AgentState.STARTING or breaker is not BreakerState.ACTIVE:
        return Health.DEGRADED
    return Health.HEALTHY

"""How patient the circuit breaker is on its way down; the way up is never delayed."""

from __future__ import annotations

from pydantic import Field

from smc_trading_agent.domain.section import Section


class BreakerSettings(Section):
    """Times and counts of the circuit breaker, in market time."""

    debounce_seconds: float = Field(60.0, ge=0, description="causes must be clear so long before REDUCING ends")
    half_open_seconds: float = Field(900.0, ge=0, description="HALF_OPEN lasts so long, also where its probes end well")
    max_reopens_a_day: int = Field(6, ge=0, description="one more than this within a UTC day is HALTED")
    start_seconds: float = Field(300.0, gt=0, description="a start that takes longer is HALTED")
    approval_seconds: float = Field(86_400.0, gt=0, description="KILLED: the second person's word within this")

"""Trends of latency, and the one word for the agent's health."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent.domain.reasons import BreakerState
from smc_trading_agent.monitoring.health import AgentState, Health, overall_health
from smc_trading_agent.monitoring.trends import mann_whitney_z, trend_of

small = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=12)


@given(small, small)
def test_the_statistic_counts_pairs(first: list[float], second: list[float]) -> None:
    """U counts the pairs in which the second is larger, ties as half; z has its sign and is 0 when they balance."""
    wins = sum((b > a) + 0.5 * (b == a) for a in first for b in second)
    z = mann_whitney_z(np.array(first), np.array(second))
    assert np.sign(z) == np.sign(wins - len(first) * len(second) / 2)
    assert mann_whitney_z(np.array(second), np.array(first)) == pytest.approx(-z)


def test_the_statistic_of_a_textbook_example() -> None:
    """Without ties: U = 25 of 5 x 5, mean 12.5, variance 5 * 5 * 11 / 12."""
    z = mann_whitney_z(np.arange(5.0), np.arange(10.0, 15.0))
    assert z == pytest.approx((25 - 12.5) / np.sqrt(5 * 5 * 11 / 12))


@pytest.mark.parametrize(
    ("factor", "direction"), [(1.5, "worsening"), (0.6, "improving"), (1.0, "stable"), (1.05, "stable")]
)
def test_a_trend_needs_a_change_that_is_significant_and_large(factor: float, direction: str) -> None:
    draw = np.random.default_rng(3)
    before, recent = draw.gamma(9.0, 1.0, 300), draw.gamma(9.0, 1.0, 300) * factor
    trend = trend_of([*before, *recent])
    assert trend.direction == direction
    assert (trend.samples_before, trend.samples_recent) == (300, 300)


def test_one_outlier_makes_no_trend_and_few_samples_none_either() -> None:
    assert trend_of([1.0] * 60 + [9_000.0]).direction == "stable"
    assert trend_of([1.0] * 19 + [5.0] * 19).direction == "insufficient_data"
    assert trend_of([]).median_recent == 0.0


@pytest.mark.parametrize(
    ("state", "breaker", "health"),
    [
        (AgentState.RUNNING, BreakerState.ACTIVE, Health.HEALTHY),
        (AgentState.FINISHED, BreakerState.ACTIVE, Health.HEALTHY),
        (AgentState.STARTING, BreakerState.STARTING, Health.DEGRADED),
        (AgentState.RUNNING, BreakerState.REDUCING, Health.DEGRADED),
        (AgentState.RUNNING, BreakerState.HALF_OPEN, Health.DEGRADED),
        (AgentState.RUNNING, BreakerState.HALTED, Health.UNHEALTHY),
        (AgentState.RUNNING, BreakerState.KILLED, Health.UNHEALTHY),
        (AgentState.FAILED, BreakerState.ACTIVE, Health.UNHEALTHY),
        (AgentState.STOPPED, BreakerState.ACTIVE, Health.UNHEALTHY),
    ],
)
def test_health_follows_the_worse_of_agent_and_breaker(
    state: AgentState, breaker: BreakerState, health: Health
) -> None:
    assert overall_health(state, breaker) is health

"""The public endpoints: health, metrics, performance, the paper account, latency, and the one test command."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from smc_trading_agent.api.answers import (
    AccountData,
    BreakerWord,
    CountsOut,
    CycleData,
    Envelope,
    HealthData,
    LatencyData,
    LimitsData,
    MetricsData,
    PerformanceData,
    PerformanceSummary,
    PositionsData,
    SystemMetrics,
    TradesData,
    TrendOut,
)
from smc_trading_agent.api.handle import AgentHandle
from smc_trading_agent.api.present import account_out, latency_out, models_out, positions_out, trade_out
from smc_trading_agent.api.problems import Problem, ProblemError
from smc_trading_agent.api.security import authorised_actor
from smc_trading_agent.domain.reasons import PUBLIC_BREAKER_WORD
from smc_trading_agent.monitoring.health import ALIVE, overall_health
from smc_trading_agent.monitoring.latency import LatencyStage
from smc_trading_agent.monitoring.trends import trend_of
from smc_trading_agent.monitoring.views import MAX_TRADES, Limits

CYCLE_TIMEOUT_S = 10.0
ONLY_STATE = Limits(bars=0, structure=0, decisions=0, order_events=0, orders_over=0, trades=0)
ONLY_TRADES = msgspec.structs.replace(ONLY_STATE, trades=MAX_TRADES)

router = APIRouter()
test_router = APIRouter()


def agent(request: Request) -> AgentHandle:
    """The agent this app stands before."""
    handle: AgentHandle = request.app.state.handle
    return handle


Agent = Annotated[AgentHandle, Depends(agent)]


def problems(**titles: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for problem answers: ``problems(_401="...")``."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {int(code.strip("_")): {"description": text, "content": content} for code, text in titles.items()}


@router.get(
    "/api/python/health",
    tags=["health"],
    summary="Liveness: 503 once the trading loop has failed or stopped",
    responses={503: {"model": Envelope[HealthData], "description": "the trading loop is dead; restart the process"}},
)
def liveness(handle: Agent, response: Response) -> Envelope[HealthData]:
    """Answers 200 while the trading loop lives, also when the circuit breaker lets it take no new risk."""
    health = _health(handle)
    response.status_code = 200 if health.state in ALIVE else 503
    return Envelope(data=health)


@router.get("/api/optimized/health", tags=["health"], summary="Overall status, circuit breaker, cache and latency")
def optimized_health(handle: Agent) -> Envelope[HealthData]:
    """``unhealthy`` with a dead loop or a halted breaker, ``degraded`` while starting, reducing or probing."""
    return Envelope(data=_health(handle))


@router.get("/api/optimized/metrics", tags=["performance"], summary="The newest latencies beside their averages")
def metrics(handle: Agent) -> Envelope[MetricsData]:
    """Milliseconds; zeros before the first decision."""
    latency = handle.latency
    return Envelope(
        data=MetricsData(
            system_metrics=SystemMetrics(
                total_latency_ms=latency.last_ms(LatencyStage.TOTAL),
                data_pipeline_latency_ms=latency.last_ms(LatencyStage.DATA_PIPELINE),
                ml_inference_latency_ms=latency.last_ms(LatencyStage.DECISION_ENGINE),
                risk_check_latency_ms=latency.last_ms(LatencyStage.RISK_MANAGER),
                cache_hit_rate=handle.cache_hit_rate,
                circuit_breaker_status=_breaker_word(handle),
            ),
            performance_summary=_summary(handle),
        )
    )


@router.get("/api/optimized/performance", tags=["performance"], summary="Percentiles, trend and counts")
def performance(handle: Agent) -> Envelope[PerformanceData]:
    """The trend compares the newest half of the recent decisions with the half before it (Mann-Whitney U test)."""
    trend = trend_of(handle.latency.recent_totals_ms())
    counts = handle.views.read(limits=ONLY_STATE).counts
    return Envelope(
        data=PerformanceData(
            performance_summary=_summary(handle),
            target_ms=handle.target_ms,
            percentiles=latency_out(handle.latency),
            trend=TrendOut(
                direction=trend.direction,
                z=trend.z,
                median_before_ms=trend.median_before,
                median_recent_ms=trend.median_recent,
                samples_before=trend.samples_before,
                samples_recent=trend.samples_recent,
            ),
            counts=CountsOut(
                bars=counts.bars,
                decisions=counts.decisions,
                taken=counts.taken,
                refused=counts.refused,
                order_events=counts.order_events,
                trades=counts.trades,
                refusals=counts.refusals,
            ),
        )
    )


@router.get("/api/system/latency-breakdown", tags=["performance"], summary="Percentiles of each component")
def latency_breakdown(handle: Agent) -> Envelope[LatencyData]:
    """From HdrHistograms over every decision since the process started."""
    return Envelope(data=LatencyData(target_ms=handle.target_ms, components=latency_out(handle.latency)))


@router.get("/api/risk/limits", tags=["risk"], summary="The limits in force, and their hash")
def limits(handle: Agent) -> Envelope[LimitsData]:
    """Shares are of equity. A change of limits is a fact of the journal; `smc-agent risk limits` shows the last."""
    return Envelope(data=LimitsData.model_validate(msgspec.to_builtins(handle.limits)))


@router.get("/api/python/paper-trades", tags=["account"], summary="Completed paper trades, newest first")
def paper_trades(
    handle: Agent, limit: Annotated[int, Query(ge=1, le=MAX_TRADES, description="the newest so many")] = 100
) -> Envelope[TradesData]:
    """A trade runs from flat to flat."""
    reading = handle.views.read(limits=ONLY_TRADES)
    newest = reading.trades[-limit:][::-1]
    trades = [trade_out(handle.instrument, trade) for trade in newest]
    return Envelope(data=TradesData(trades=trades, count=reading.counts.trades))


@router.get("/api/python/positions", tags=["account"], summary="Open paper positions")
def positions(handle: Agent) -> Envelope[PositionsData]:
    """An empty list when flat."""
    reading = handle.views.read(limits=ONLY_STATE)
    return Envelope(data=PositionsData(positions=positions_out(handle.instrument, reading)))


@router.get("/api/python/account", tags=["account"], summary="Balances and equity of the paper account")
def account(handle: Agent) -> Envelope[AccountData]:
    """Marked to the close of the newest decision bar."""
    sample = handle.views.read(limits=ONLY_STATE).account
    return Envelope(data=AccountData(account=account_out(handle.instrument, sample) if sample else None))


@test_router.post(
    "/api/test/trigger-trading-cycle",
    tags=["commands"],
    summary="Run one decision cycle now",
    responses=problems(
        _401="no key, or another one",
        _409="the agent can't run a cycle",
        _503="no API key is configured",
        _504="the cycle did not run in time",
    ),
)
def trigger_cycle(handle: Agent, actor: Annotated[str, Depends(authorised_actor)]) -> Envelope[CycleData]:
    """The cycle passes the same stages and the same risk gate as any other. The route is absent in production."""
    try:
        result = handle.trigger_cycle(actor, CYCLE_TIMEOUT_S)
    except TimeoutError as error:
        detail = f"the trading loop did not run the cycle within {CYCLE_TIMEOUT_S:g} s"
        remedy = "see /api/optimized/health: the loop may be starting, finished or stopped"
        raise ProblemError(504, "The cycle did not run in time", detail, remedy) from error
    return Envelope(data=CycleData(actor=actor, result=result))


def _breaker_word(handle: AgentHandle) -> BreakerWord:
    return BreakerWord(PUBLIC_BREAKER_WORD[handle.status().breaker])


def _health(handle: AgentHandle) -> HealthData:
    status, in_force = handle.status(), handle.limits
    return HealthData(
        overall_status=overall_health(status.state, status.breaker),
        circuit_breaker=_breaker_word(handle),
        cache_hit_rate=handle.cache_hit_rate,
        last_latency_ms=handle.latency.last_ms(LatencyStage.TOTAL),
        state=status.state,
        breaker_state=status.breaker.value,
        market=status.market,
        label=handle.label,
        mode=handle.mode,
        data_age_seconds=status.data_age_seconds,
        journal_length=status.journal_length,
        journal_hash=status.journal_hash,
        quality=status.quality,
        limits_hash=in_force.limits_hash,
        risk_model_trusted=in_force.risk_model.trusted,
        risk_limits_divided_by=in_force.risk_model.tighten_by,
        error=status.error,
        models=models_out(handle.models),
    )


def _summary(handle: AgentHandle) -> PerformanceSummary:
    return PerformanceSummary(
        avg_total_latency_ms=handle.latency.row(LatencyStage.TOTAL).mean_ms,
        target_achievement_rate=handle.latency.share_within(handle.target_ms),
        avg_cache_hit_rate=handle.cache_hit_rate,
    )

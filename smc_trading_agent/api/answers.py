"""Shapes of the public endpoints. Everything successful is an `Envelope`; errors are problem documents."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from smc_trading_agent.api.records import AccountOut, LatencyOut, PositionOut, TradeOut
from smc_trading_agent.monitoring.health import AgentState, Health

T = TypeVar("T")


class BreakerWord(StrEnum):
    """The three public words for the six states of the circuit breaker."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Envelope(BaseModel, Generic[T]):
    """A successful answer."""

    success: Literal[True] = True
    data: T


class TimingOut(BaseModel):
    """Microseconds over ``n`` runs."""

    p50: float
    p99: float
    n: int


class ScheduleOut(BaseModel):
    """How models are run, and what was measured at start-up to choose it."""

    chosen: str
    lanes: int = Field(description="threads; 0 where the trading thread runs the models")
    measured: dict[str, TimingOut]


class SharedCacheOut(BaseModel):
    """The cache that processes share, behind the one in process."""

    up: bool = Field(description="whether it answered last")
    stored: int
    fetched: int
    failed: int = Field(description="went wrong or took too long")
    dropped: int = Field(description="not tried, as too much waited or it had just failed")
    hits: int = Field(description="forecasts whose votes came from there")


class DriftOut(BaseModel):
    """How far the present is from training."""

    level: str = Field(description="none, shrink (weights equal) or stop (base rates only)")
    columns: dict[str, float] = Field(description="population stability index where it is largest, when last judged")
    column_limit: float = Field(description="above it a column has drifted")
    drifted: int = Field(description="columns that have drifted")
    of: int = Field(description="columns there are")
    experts: dict[str, float] = Field(description="CUSUM of each model's log-loss beyond what is normal")
    expert_limit: float = Field(description="above it a model is not counted")


class ModelsOut(BaseModel):
    """The models that are served and how they do."""

    bundle: str = Field(description="content hash")
    signed_by: str = Field(description="id of the trusted key; empty where an unsigned bundle was allowed")
    verdict: str = Field(description="what their evaluation showed, in a sentence")
    schedule: ScheduleOut
    votes: dict[str, dict[str, int]] = Field(description="by model, by what became of the vote")
    weights: dict[str, float]
    resolved: int = Field(description="labels that weights were learned from")
    cache_hit_rate: float
    drift: str = Field(description="none, shrink (weights equal) or stop (base rates only)")
    drifted_columns: list[str]
    dropped: list[str] = Field(description="models that are not counted until their log-loss recovers")
    lose_alpha: float = Field(description="share of losing setups that sets may now rule out wrongly")
    drift_detail: DriftOut
    shared_cache: SharedCacheOut | None = Field(description="None where performance.ml_ensemble.redis_url is empty")


class HealthData(BaseModel):
    """How the agent is."""

    overall_status: Health = Field(description="from the agent's state and the circuit breaker")
    circuit_breaker: BreakerWord
    cache_hit_rate: float = Field(description="share of forecasts answered from the cache, 0 to 1")
    last_latency_ms: float = Field(description="market event to order, the newest decision")
    state: AgentState
    breaker_state: str = Field(
        description="the breaker's own word: starting, active, half_open, reducing, halted, killed"
    )
    market: str
    label: str = Field(description="SYNTHETIC, REPLAY or LIVE")
    mode: str = Field(description="paper: no real order is ever sent")
    data_age_seconds: float | None = Field(description="None before the first market data")
    journal_length: int = Field(description="facts recorded")
    journal_hash: str = Field(description="hash over all of them")
    quality: dict[str, int] = Field(description="market data rows by fate")
    limits_hash: str = Field(description="hash over the effective limits of the risk gateway")
    risk_model_trusted: bool = Field(description="whether tests of value at risk believe it")
    risk_limits_divided_by: float = Field(description="what failed tests divide its limits by; 1 while none failed")
    error: str = Field(description="why the agent failed; empty while it did not")
    models: ModelsOut | None = Field(description="None where base rates alone forecast")


class SystemMetrics(BaseModel):
    """The newest duration of each part of the decision path, in milliseconds."""

    total_latency_ms: float
    data_pipeline_latency_ms: float
    ml_inference_latency_ms: float = Field(description="stage 3: setups, forecast and decision")
    risk_check_latency_ms: float
    cache_hit_rate: float
    circuit_breaker_status: BreakerWord


class PerformanceSummary(BaseModel):
    """Since the process started."""

    avg_total_latency_ms: float
    target_achievement_rate: float = Field(description="percent of the recent decisions within the latency target")
    avg_cache_hit_rate: float


class MetricsData(BaseModel):
    """The newest values beside their averages."""

    system_metrics: SystemMetrics
    performance_summary: PerformanceSummary


class TrendOut(BaseModel):
    """The newest half of the recent decisions against the half before it, by the Mann-Whitney U test."""

    direction: Literal["worsening", "improving", "stable", "insufficient_data"] = Field(
        description="a change needs |z| of 3 or more and a median that moved by 10 % or more"
    )
    z: float = Field(description="positive when recent decisions are slower")
    median_before_ms: float
    median_recent_ms: float
    samples_before: int
    samples_recent: int


class CountsOut(BaseModel):
    """What happened since the process started."""

    bars: int = Field(description="closed bars of the decision timeframe")
    decisions: int
    taken: int
    refused: int
    order_events: int
    trades: int
    refusals: dict[str, int] = Field(description="refusals by reason; one refusal may have several")


class PerformanceData(BaseModel):
    """The summary with percentiles and the trend."""

    performance_summary: PerformanceSummary
    target_ms: float
    percentiles: list[LatencyOut]
    trend: TrendOut
    counts: CountsOut


class TradesData(BaseModel):
    """The newest completed trades, newest first."""

    trades: list[TradeOut]
    count: int = Field(description="trades completed since the process started")


class PositionsData(BaseModel):
    """Open positions; an empty list when flat."""

    positions: list[PositionOut]


class AccountData(BaseModel):
    """The paper account; None until the first decision bar has closed."""

    account: AccountOut | None


class LatencyData(BaseModel):
    """Every component of the decision path, in its order; the last is the total."""

    target_ms: float
    components: list[LatencyOut]


class ModelTestOut(BaseModel):
    """What tests say of the value at risk forecasts of one book, over the last 250."""

    forecasts: int
    exceedances: int = Field(description="losses larger than the forecast")
    expected: float = Field(description="exceedances to be expected")
    zone: str = Field(description="Basel's traffic light: untested, green, yellow or red")
    coverage_p: float = Field(description="Kupiec: as many exceedances as there should be?")
    independence_p: float = Field(description="Christoffersen: does one bring the next?")
    tighten_by: float
    trusted: bool


class RiskModelOut(BaseModel):
    """Whether the model behind value at risk has been right, and what follows."""

    scenarios: int = Field(description="that figures rest on now")
    min_scenarios: int = Field(description="fewer give no figure, and no entry where one is limited")
    tighten_by: float = Field(description="limits on value at risk and shortfall are divided by this, 1 to 1.33")
    trusted: bool = Field(description="false: the largest of historical and normal figures is compared")
    tests: dict[str, ModelTestOut] = Field(description="by book: held, and hypothetical long and short")


class LimitsData(BaseModel):
    """The limits of the risk gateway that are in force."""

    limits_hash: str = Field(description="hash over them; two processes with one hash have the same limits")
    limits: dict[str, float | str | list[str] | None] = Field(description="0 is none; null is not looked at")
    schedule: ScheduleOut = Field(description="how the checks are run, measured at start-up")
    risk_model: RiskModelOut
    check_errors: dict[str, int] = Field(description="checks that failed, and so refused, since the process started")


class CycleData(BaseModel):
    """What a decision cycle did that was asked for."""

    actor: str
    result: dict[str, str | int | float | bool | None]

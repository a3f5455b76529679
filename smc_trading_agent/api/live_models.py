"""What the page shows, in one object: whole at first, afterwards only what is new.

Chart series (bars, zones, structure, equity) are floats and whole seconds since the epoch; everything that a person
reads as an amount is exact decimal text, and a moment is ISO 8601 in UTC.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from smc_trading_agent.api.answers import BreakerWord, CountsOut
from smc_trading_agent.api.records import AccountOut, LatencyOut, PositionOut, SideWord, TradeOut
from smc_trading_agent.monitoring.health import AgentState, Health


class MarketOut(BaseModel):
    """Which market this is, and how honest money and prices are."""

    label: str = Field(description="SYNTHETIC, REPLAY or LIVE")
    mode: str = Field(description="paper: no real order is ever sent")
    market: str
    venue: str
    symbol: str
    timeframe: str = Field(description="the decision timeframe, which the chart shows")
    tick_size: str


class StatusOut(BaseModel):
    """How the agent is."""

    health: Health
    state: AgentState
    error: str
    circuit_breaker: BreakerWord
    breaker_state: str
    data_age_seconds: float | None
    journal_length: int
    journal_hash: str
    target_ms: float


class BarColumns(BaseModel):
    """Closed bars of the decision timeframe, oldest first; ``time`` is the open."""

    time: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]


class EquityColumns(BaseModel):
    """Equity over the whole run at evenly spaced decision closes, oldest first; with ``reset`` it is whole."""

    reset: bool
    time: list[int]
    equity: list[float]


class ZoneOut(BaseModel):
    """A live order block, fair value gap or liquidity pool."""

    id: int
    kind: str
    timeframe: str
    direction: int
    side: int
    scope: str
    state: str
    touches: int
    formed_at: int
    confirmed_at: int
    low: float
    high: float


class StructureOut(BaseModel):
    """A break of structure, a change of character or a sweep of liquidity."""

    id: int
    kind: str
    timeframe: str
    direction: int
    side: int
    scope: str
    formed_at: int
    confirmed_at: int
    level: float


class ContextOut(BaseModel):
    """Bias of one timeframe (+1, 0, -1) and its dealing range."""

    timeframe: str
    internal_bias: int
    swing_bias: int
    range_low: float | None
    range_high: float | None


class EvidenceOut(BaseModel):
    """One market structure fact that a setup rests on."""

    role: str
    kind: str
    timeframe: str
    event_id: int
    direction: int
    formed_at: int
    confirmed_at: int
    low: str
    high: str


class ReasonOut(BaseModel):
    """Why a decision was refused, in words, with the numbers it was decided on."""

    reason: str
    meaning: str
    context: dict[str, str]


class VoteOut(BaseModel):
    """What one model said of a setup."""

    expert: str
    status: str = Field(description="counted, late, failed, not_a_number or dropped")
    probability: float | None = Field(description="calibrated; None without a vote in time")
    weight: float = Field(description="in the pool, 0 unless counted")


class FeatureOut(BaseModel):
    """How much one input moved the log-odds."""

    column: str
    value: float
    log_odds: float


class DecisionOut(BaseModel):
    """A setup that was judged, with everything it was judged by."""

    number: int = Field(description="1, 2, 3 ... since the process started; a setup judged again keeps its id")
    id: str
    time: datetime
    kind: str
    timeframe: str
    side: SideWord
    entry: str
    stop: str
    target: str
    reward_risk: float
    higher_timeframe_bias: int
    entry_expires_at: datetime
    probability: float | None = Field(description="of winning; None when no forecast was made")
    break_even: float | None = Field(description="the probability that just pays the costs")
    chance: float | None = Field(description="the probability if price had no drift")
    samples: int = Field(description="resolved setups the probability rests on")
    wins: float
    source: str = Field(description="which forecaster")
    bundle: str = Field(description="content hash of the models that voted; empty without models")
    prediction_set: str = Field(description="win, lose, both or neither; empty where models did not decide")
    votes: list[VoteOut]
    top_features: list[FeatureOut]
    size_multiplier: float = Field(description="the policy's share of the size that the limits allow, 0.25 to 1")
    taken: bool
    quantity: str = Field(description="of the entry; empty when refused")
    orders: list[str] = Field(description="client order ids; empty when refused")
    limits: dict[str, str] = Field(description="what the risk gateway saw; empty when refused")
    stage: str = Field(description="where it was refused; empty when taken")
    reasons: list[ReasonOut] = Field(description="empty when taken")
    evidence: list[EvidenceOut]


class OrderOut(BaseModel):
    """One order as it stands."""

    client_order_id: str
    decision_id: str
    purpose: str
    side: SideWord
    state: str
    working: bool
    quantity: str
    filled: str
    price: str | None = Field(description="None for a market order")
    average_price: str | None = Field(description="of its fills; None while nothing is filled")
    fees: str
    created_at: datetime
    updated_at: datetime
    reason: str


class FillOut(BaseModel):
    """One execution, for the chart."""

    time: int
    price: float
    side: int
    purpose: str
    decision_id: str


class BreakerChangeOut(BaseModel):
    """One transition of the circuit breaker."""

    time: datetime
    before: str
    after: str
    cause: str
    detail: str
    actor: str
    scope: str


class ViewState(BaseModel):
    """Everything the page needs.

    With ``reset`` the lists are whole and replace what the page has; without it they hold only what is new, and
    ``zones`` and ``orders`` are None when they have not changed.
    """

    revision: int
    reset: bool
    market: MarketOut
    status: StatusOut
    counts: CountsOut
    context: list[ContextOut]
    bars: BarColumns
    equity: EquityColumns
    structure: list[StructureOut]
    zones: list[ZoneOut] | None
    decisions: list[DecisionOut]
    orders: list[OrderOut] | None
    fills: list[FillOut]
    trades: list[TradeOut]
    positions: list[PositionOut]
    account: AccountOut | None
    breaker_changes: list[BreakerChangeOut]
    latency: list[LatencyOut]

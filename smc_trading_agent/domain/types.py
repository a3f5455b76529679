"""What travels between the stages, in the order it is made. Read from top to bottom, this is the system.

Prices are integer ticks, quantities integer lots, quote amounts integer quote units (tick times lot),
times integer nanoseconds since the epoch. ``side`` is +1 for buying, -1 for selling.
"""

from __future__ import annotations

from typing import Any

import msgspec

from smc_trading_agent.domain.reasons import (
    BreakerCause,
    BreakerState,
    OrderPurpose,
    PredictionSet,
    RefusalReason,
    SetupKind,
    VoteStatus,
)


class Evidence(msgspec.Struct, frozen=True):
    """One market structure fact that a setup rests on, as the detector recorded it."""

    role: str
    kind: str
    timeframe: str
    event_id: int
    direction: int
    formed_at: int
    confirmed_at: int
    low: int
    high: int


class Setup(msgspec.Struct, frozen=True):
    """A side with its entry, stop and target, all taken from structure."""

    setup_id: str
    instrument: str
    timeframe: str
    kind: SetupKind
    side: int
    entry: int
    stop: int
    target: int
    detected_at: int
    entry_expires_at: int
    time_limit_ns: int
    higher_timeframe_bias: int
    evidence: tuple[Evidence, ...]
    features: tuple[float, ...] = ()

    @property
    def risk_ticks(self) -> int:
        """Distance from entry to stop."""
        return abs(self.entry - self.stop)

    @property
    def reward_ticks(self) -> int:
        """Distance from entry to target."""
        return abs(self.target - self.entry)


class RefusalDetail(msgspec.Struct, frozen=True):
    """One reason with the numbers it was decided on."""

    reason: RefusalReason
    context: dict[str, str] = {}


class Vote(msgspec.Struct, frozen=True):
    """What one model said of a setup: raw log-odds, calibrated P(win), and its weight in the pool.

    Both numbers are None where there was none in time; the weight is 0 unless the vote counted.
    """

    expert: str
    status: VoteStatus
    log_odds: float | None = None
    probability: float | None = None
    weight: float = 0.0


class FeatureShare(msgspec.Struct, frozen=True):
    """How much one input column moved a model's log-odds."""

    column: str
    value: float
    log_odds: float


class Forecast(msgspec.Struct, frozen=True, omit_defaults=True):
    """P(win | setup) beside the probability at which the trade would just pay its costs.

    A win counts as reaching the target first; an exit in between counts as its share of the way from stop to target.
    ``samples`` and ``wins`` are the resolved setups that it rests on. The rest is empty unless models voted:
    ``bundle`` is their content hash, ``abstentions`` every reason not to act on them, ``disagreement`` the weighted
    standard deviation of their log-odds, ``top_features`` the largest shares by ``explained_by``, ``size_multiplier``
    a policy's share of the size that the limits allow, 0.25 to 1.
    """

    setup_id: str
    source: str
    probability: float
    break_even: float
    chance: float
    samples: int
    wins: float
    bundle: str = ""
    votes: tuple[Vote, ...] = ()
    disagreement: float = 0.0
    prediction_set: PredictionSet | None = None
    abstentions: tuple[RefusalDetail, ...] = ()
    explained_by: str = ""
    top_features: tuple[FeatureShare, ...] = ()
    size_multiplier: float = 1.0


class Timing(msgspec.Struct, frozen=True):
    """Microseconds over ``n`` runs."""

    p50: float
    p99: float
    n: int


class ScheduleReport(msgspec.Struct, frozen=True):
    """How models are run: what was measured at start-up, by schedule, and what was chosen from it."""

    chosen: str
    lanes: int
    measured: dict[str, Timing] = {}


class SharedCacheHealth(msgspec.Struct, frozen=True):
    """The cache behind the one in process: whether it answered last, and counts since the start.

    ``failed`` went wrong or took too long; ``dropped`` values were not tried, as too much waited or it had just failed.
    ``hits`` are forecasts whose votes came from there.
    """

    up: bool
    stored: int
    fetched: int
    failed: int
    dropped: int
    hits: int = 0


class DriftHealth(msgspec.Struct, frozen=True):
    """How far the present is from training.

    ``level``: none, shrink (weights equal) or stop (base rates only). ``columns``: the population stability index
    of the input columns where it is largest, when last judged, largest first; above ``column_limit`` a column has
    drifted. ``drifted`` of all ``of`` columns have. ``experts``: the CUSUM of each expert's excess log-loss, which
    drops it above ``expert_limit``.
    """

    level: str
    columns: dict[str, float]
    column_limit: float
    drifted: int
    of: int
    experts: dict[str, float]
    expert_limit: float


class ModelsHealth(msgspec.Struct, frozen=True):
    """The models that are served, and how they do. ``votes`` counts by model and by what became of each vote.

    ``drift``: none, shrink (weights equal) or stop (base rates only); ``dropped`` models are not counted until their
    log-loss recovers. ``lose_alpha`` is the share of losing setups that sets may now rule out wrongly.
    """

    bundle: str
    signed_by: str
    verdict: str
    schedule: ScheduleReport
    votes: dict[str, dict[str, int]]
    weights: dict[str, float]
    resolved: int
    cache_hit_rate: float
    drift: str
    drifted_columns: tuple[str, ...]
    dropped: tuple[str, ...]
    lose_alpha: float
    drift_detail: DriftHealth
    shared_cache: SharedCacheHealth | None = None


class Intent(msgspec.Struct, frozen=True):
    """The wish to trade: an entry with its bracket, or the exit of what is held.

    ``size_multiplier`` is a policy's share of the size that the limits allow, 0.25 to 1.
    """

    decision_id: str
    instrument: str
    purpose: OrderPurpose
    side: int
    price: int
    stop: int
    target: int
    created_at: int
    expires_at: int
    probability: float
    time_limit_ns: int = 0
    reason: str = ""
    size_multiplier: float = 1.0


class Refusal(msgspec.Struct, frozen=True):
    """Every reason why a decision did not become an order."""

    decision_id: str
    stage: str
    time: int
    details: tuple[RefusalDetail, ...]


class HeldTrade(msgspec.Struct, frozen=True):
    """The open position: the decision whose entry opened it, and when that filled."""

    decision_id: str
    side: int
    opened_at: int


class ApprovedOrder(msgspec.Struct, frozen=True):
    """An order that passed the risk gateway. Only the gateway can make one: the seal is its signature."""

    client_order_id: str
    decision_id: str
    instrument: str
    purpose: OrderPurpose
    kind: str
    side: int
    quantity: int
    price: int
    expires_at: int
    reduce_only: bool
    parent: str
    seal: bytes


class Approval(msgspec.Struct, frozen=True):
    """The orders of one decision: entry, stop and target, or one exit; with what the gateway saw."""

    decision_id: str
    time: int
    orders: tuple[ApprovedOrder, ...]
    time_limit_ns: int
    limits: dict[str, str]


class VenueReport(msgspec.Struct, frozen=True):
    """What a venue says of an order. ``kind``: accepted, rejected, filled, canceled, expired."""

    sequence: int
    time: int
    kind: str
    client_order_id: str
    side: int
    quantity: int
    price: int
    fee: int
    liquidity: str
    trade_id: str
    reason: str


class OrderEvent(msgspec.Struct, frozen=True):
    """One step of an order's life: the event, the state it led to, and the fill if it was one."""

    client_order_id: str
    decision_id: str
    instrument: str
    purpose: OrderPurpose
    event: str
    state: str
    time: int
    side: int
    quantity: int
    price: int
    fee: int
    liquidity: str
    trade_id: str
    reason: str


class BreakerChange(msgspec.Struct, frozen=True):
    """One transition of the circuit breaker, in one scope."""

    time: int
    before: BreakerState
    after: BreakerState
    cause: BreakerCause
    detail: str
    actor: str
    scope: str = "account"


class AccountView(msgspec.Struct, frozen=True):
    """The account of one instrument, marked to the last price. Exact integers in quote units.

    ``worst_long`` and ``worst_short`` are lots: what would be held if everything that grows a side filled, UNKNOWN
    orders included. ``closing`` are lots of exits that work, ``unprotected`` lots held without a live stop.
    ``own_buy`` and ``own_sell`` are our best resting prices, 0 where there is none. ``orders_sent`` and ``fills``
    count since the account began; the first says which approvals this view has seen.
    """

    equity: int
    cash: int
    position: int
    average_price: float
    mark: int
    unrealised: int
    realised: int
    fees: int
    open_orders: int
    open_entries: int
    worst_long: int
    worst_short: int
    unknown_orders: int
    closing: int = 0
    unprotected: int = 0
    own_buy: int = 0
    own_sell: int = 0
    orders_sent: int = 0
    fills: int = 0


class Decision(msgspec.Struct, frozen=True):
    """A setup that was judged: taken (an intent) or refused at once (a refusal)."""

    decision_id: str
    time: int
    setup: Setup
    forecast: Forecast | None
    intent: Intent | None


class StageFailure(msgspec.Struct, frozen=True):
    """An error that a stage raised; the decision in it was refused."""

    stage: str
    time: int
    error: str
    decision_id: str = ""


class Command(msgspec.Struct, frozen=True):
    """Something a person asked of the running agent, recorded at the market position where it took effect."""

    name: str
    actor: str
    cursor: int
    time: int


class Reconciliation(msgspec.Struct, frozen=True):
    """How our books differed from the venue's, each difference as a sentence, and where in the market."""

    cursor: int
    time: int
    differences: tuple[str, ...]


class LimitsChange(msgspec.Struct, frozen=True):
    """Limits that take effect at a place in the market: their values and hash, what changed, and who let it.

    ``changed`` maps a limit to ``before -> after``; ``loosened`` are those that allow more than before.
    """

    cursor: int
    time: int
    limits_hash: str
    limits: dict[str, Any]
    changed: dict[str, str]
    loosened: tuple[str, ...]
    actor: str
    reason: str


class ModelTestView(msgspec.Struct, frozen=True):
    """What tests say of value at risk forecasts of one book: ``held``, or a hypothetical ``long`` or ``short``."""

    forecasts: int
    exceedances: int
    expected: float
    zone: str
    coverage_p: float
    independence_p: float
    tighten_by: float
    trusted: bool


class RiskModelView(msgspec.Struct, frozen=True):
    """How far value at risk is to be believed. The limits on it and on shortfall are divided by ``tighten_by``.

    Where it is not ``trusted``, the largest of the historical and both normal figures is what is compared.
    """

    scenarios: int
    min_scenarios: int
    tighten_by: float
    trusted: bool
    tests: dict[str, ModelTestView]


class LimitsView(msgspec.Struct, frozen=True):
    """The limits in force, their hash, and how the checks are run: measured at start-up, by schedule."""

    limits_hash: str
    limits: dict[str, Any]
    schedule: ScheduleReport
    risk_model: RiskModelView
    check_errors: dict[str, int] = {}


class SessionStart(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first fact of a journal: what market, settings and models (a bundle's id) everything after it rests on."""

    venue: str
    symbol: str
    tick_size: str
    lot_size: str
    market: str
    mode: str
    decision_timeframe: str
    start_cash: int
    settings_hash: str
    models: str = ""

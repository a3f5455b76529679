"""Why something was refused, and in which state things are: enumerations whose values are stable public names."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class RefusalReason(StrEnum):
    """Why a setup did not become an order. Each value has one meaning, shown in `REFUSAL_MEANINGS`."""

    WARMING_UP = "warming_up"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    BELOW_BREAK_EVEN = "below_break_even"
    QUORUM = "quorum"
    CONFORMAL = "conformal"
    DISAGREEMENT = "disagreement"
    STAGE_ERROR = "stage_error"
    RISK_ENGINE_ERROR = "risk_engine_error"
    BREAKER_NOT_ACTIVE = "breaker_not_active"
    STALE_DATA = "stale_data"
    SIGNAL_EXPIRED = "signal_expired"
    INVALID_PRICE = "invalid_price"
    PRICE_COLLAR = "price_collar"
    SIZE_BELOW_MINIMUM = "size_below_minimum"
    MAX_ORDER_NOTIONAL = "max_order_notional"
    MAX_POSITION_NOTIONAL = "max_position_notional"
    MAX_GROSS_EXPOSURE = "max_gross_exposure"
    MAX_OPEN_ORDERS = "max_open_orders"
    POSITION_ALREADY_OPEN = "position_already_open"
    ENTRY_ALREADY_PENDING = "entry_already_pending"
    DAILY_LOSS = "daily_loss"
    MAX_DRAWDOWN = "max_drawdown"
    UNKNOWN_ORDER_OUTSTANDING = "unknown_order_outstanding"
    DUPLICATE_DECISION = "duplicate_decision"
    REDUCE_ONLY_VIOLATION = "reduce_only_violation"
    INSTRUMENT_NOT_TRADING = "instrument_not_trading"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    INSTRUMENT_NOT_ALLOWED = "instrument_not_allowed"
    MARKET_HISTORY = "market_history"
    PRICE_JUMP = "price_jump"
    OFF_GRID = "off_grid"
    INVALID_PROBABILITY = "invalid_probability"
    INVALID_SIZE_MULTIPLIER = "invalid_size_multiplier"
    PRICE_DRIFT = "price_drift"
    SELF_TRADE = "self_trade"
    MAX_ORDER_QUANTITY = "max_order_quantity"
    MAX_VOLUME_SHARE = "max_volume_share"
    MAX_POSITION_QUANTITY = "max_position_quantity"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    LIQUIDATION_DISTANCE = "liquidation_distance"
    UNPROTECTED_POSITION = "unprotected_position"
    MESSAGE_RATE = "message_rate"
    ORDER_TO_TRADE = "order_to_trade"
    REPEATED_EXECUTION = "repeated_execution"
    SIMILAR_ORDERS = "similar_orders"
    LOSING_TRADES = "losing_trades"
    COOL_DOWN_AFTER_EXIT = "cool_down_after_exit"
    PARENT_QUANTITY = "parent_quantity"
    STALE_ACCOUNT = "stale_account"
    RISK_UNKNOWN = "risk_unknown"
    MAX_VALUE_AT_RISK = "max_value_at_risk"
    MAX_SHORTFALL = "max_shortfall"
    MAX_STRESS_LOSS = "max_stress_loss"
    CONCENTRATION = "concentration"
    MAX_CLUSTER_EXPOSURE = "max_cluster_exposure"


REFUSAL_MEANINGS: dict[RefusalReason, str] = {
    RefusalReason.WARMING_UP: "the higher timeframes have not closed enough bars to have a bias and a range",
    RefusalReason.INSUFFICIENT_EVIDENCE: "fewer resolved setups of this kind than decision.min_samples",
    RefusalReason.BELOW_BREAK_EVEN: "P(win) does not beat break-even after costs by decision.min_edge, or with models "
    "by decision.models.margin",
    RefusalReason.QUORUM: "fewer models than decision.models.quorum gave a vote that counts in time",
    RefusalReason.CONFORMAL: "the conformal set of the forecast is not {win}: a loss can't be ruled out",
    RefusalReason.DISAGREEMENT: "the models disagree more than they ever should by the bundle's limit",
    RefusalReason.STAGE_ERROR: "a stage raised an error while this setup was in it",
    RefusalReason.RISK_ENGINE_ERROR: "a risk check raised an error or met a value that is no number; it fails closed",
    RefusalReason.BREAKER_NOT_ACTIVE: "the circuit breaker does not let exposure grow in its present state",
    RefusalReason.STALE_DATA: "the newest market data is older than risk.max_data_age_seconds",
    RefusalReason.SIGNAL_EXPIRED: "the setup is older than risk.signal_ttl_seconds",
    RefusalReason.INVALID_PRICE: "entry, stop and target are not positive and in the order the side demands",
    RefusalReason.PRICE_COLLAR: "the entry is further from the last price than risk.price_collar",
    RefusalReason.SIZE_BELOW_MINIMUM: "the size rounds down to nothing, or below the venue's smallest order value",
    RefusalReason.MAX_ORDER_NOTIONAL: "the order is worth more than risk.max_order_notional",
    RefusalReason.MAX_POSITION_NOTIONAL: "position and open orders together would exceed risk.max_position_notional",
    RefusalReason.MAX_GROSS_EXPOSURE: "the exposure would exceed risk.max_leverage times the equity",
    RefusalReason.MAX_OPEN_ORDERS: "risk.max_open_orders orders are working already",
    RefusalReason.POSITION_ALREADY_OPEN: "a position is open on this instrument and risk.max_positions allows no other",
    RefusalReason.ENTRY_ALREADY_PENDING: "risk.max_open_entries entries are working on this instrument already",
    RefusalReason.DAILY_LOSS: "today's loss has reached risk.max_daily_loss",
    RefusalReason.MAX_DRAWDOWN: "the drawdown from peak equity has reached risk.max_drawdown",
    RefusalReason.UNKNOWN_ORDER_OUTSTANDING: "an order on this instrument is UNKNOWN until the venue proves its state",
    RefusalReason.DUPLICATE_DECISION: "this decision was already sent; it can't be sent twice",
    RefusalReason.REDUCE_ONLY_VIOLATION: "an exit would grow or flip the position",
    RefusalReason.INSTRUMENT_NOT_TRADING: "the venue does not let this instrument trade: cancels only, halted, "
    "or in a state we don't know",
    RefusalReason.UNKNOWN_INSTRUMENT: "the order is for another instrument than the one this gate judges",
    RefusalReason.INSTRUMENT_NOT_ALLOWED: "the instrument is not in risk.allowed_instruments",
    RefusalReason.MARKET_HISTORY: "fewer decision bars have closed than risk.min_history_bars: how much "
    "the price moves is not known",
    RefusalReason.PRICE_JUMP: "the last decision bar moved more than risk.max_jump_sigmas, and no "
    "second source confirms it",
    RefusalReason.OFF_GRID: "a price or a quantity is no whole number of ticks or lots",
    RefusalReason.INVALID_PROBABILITY: "the probability that sizes the order is not between 0 and 1",
    RefusalReason.INVALID_SIZE_MULTIPLIER: "the policy's size multiplier is not between 0.25 and 1",
    RefusalReason.PRICE_DRIFT: "the entry is further from an entry of the last "
    "risk.price_drift_seconds than risk.price_drift",
    RefusalReason.SELF_TRADE: "the order would trade with an order of our own that is resting",
    RefusalReason.MAX_ORDER_QUANTITY: "the order is for more than risk.max_order_quantity",
    RefusalReason.MAX_VOLUME_SHARE: "the order is for more of the last day's volume than risk.max_volume_share",
    RefusalReason.MAX_POSITION_QUANTITY: "position and open orders together would exceed risk.max_position_quantity",
    RefusalReason.INSUFFICIENT_MARGIN: "the equity does not cover the margin at risk.initial_margin of all "
    "that is held or could fill, and fees",
    RefusalReason.LIQUIDATION_DISTANCE: "the price could not move by risk.min_liquidation_distance before the "
    "venue liquidates",
    RefusalReason.UNPROTECTED_POSITION: "a part of the position has no live stop order",
    RefusalReason.MESSAGE_RATE: "more than risk.max_messages would be sent within risk.message_window_seconds",
    RefusalReason.ORDER_TO_TRADE: "today's orders for each fill would exceed risk.max_orders_per_fill",
    RefusalReason.REPEATED_EXECUTION: "risk.max_executions entries were sent within "
    "risk.execution_window_seconds; only a person re-arms it",
    RefusalReason.SIMILAR_ORDERS: "risk.max_similar_orders alike were sent within "
    "risk.similar_window_seconds: side, quantity, nearby price",
    RefusalReason.LOSING_TRADES: "risk.max_losing_trades trades lost within risk.losing_window_seconds",
    RefusalReason.COOL_DOWN_AFTER_EXIT: "a trade ended less than risk.cool_down_after_exit_seconds ago",
    RefusalReason.PARENT_QUANTITY: "filled, open and UNKNOWN children together would exceed the parent "
    "order's quantity",
    RefusalReason.STALE_ACCOUNT: "the account was looked at before orders were sent that the last mark has seen",
    RefusalReason.RISK_UNKNOWN: "value at risk can't be told: fewer closes than risk.min_scenarios, a close "
    "older than risk.max_risk_age_bars, or one that is no price",
    RefusalReason.MAX_VALUE_AT_RISK: "value at risk with the order would exceed risk.max_value_at_risk and grow",
    RefusalReason.MAX_SHORTFALL: "expected shortfall with the order would exceed risk.max_shortfall and grow",
    RefusalReason.MAX_STRESS_LOSS: "the loss in the worst named stress would exceed risk.max_stress_loss",
    RefusalReason.CONCENTRATION: "one asset's share of gross exposure would exceed risk.max_asset_share, or "
    "the Herfindahl index risk.max_herfindahl",
    RefusalReason.MAX_CLUSTER_EXPOSURE: "assets correlated at risk.cluster_correlation or more would "
    "together exceed risk.max_cluster_exposure",
}


class SetupKind(StrEnum):
    """Which sequence of market structure made a setup."""

    REVERSAL = "reversal"
    CONTINUATION = "continuation"


class PredictionSet(StrEnum):
    """Outcomes of a setup that a forecast can't rule out."""

    WIN = "win"
    LOSE = "lose"
    BOTH = "both"
    NEITHER = "neither"


class ForecastSource(StrEnum):
    """What a forecast rests on."""

    BASE_RATE = "base_rate"
    ENSEMBLE = "ensemble"


class DriftLevel(StrEnum):
    """How far live inputs are from those that the models were trained on, and what follows."""

    NONE = "none"
    SHRINK = "shrink"  # weights go back to equal
    STOP = "stop"  # base rates only


class VoteStatus(StrEnum):
    """What became of one model's vote on a setup."""

    COUNTED = "counted"
    LATE = "late"
    FAILED = "failed"
    NOT_A_NUMBER = "not_a_number"
    DROPPED = "dropped"  # it drifted: it votes, and is not counted


class ExitReason(StrEnum):
    """Why a position is closed before its stop or target, as the reason of the exit's intent begins."""

    TIME_LIMIT = "time limit"
    POLICY = "policy"


class OrderPurpose(StrEnum):
    """What an order is for; its value is the last part of the client order id."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    EXIT = "exit"


class InstrumentState(StrEnum):
    """Whether a venue lets an instrument trade. What is not `TRADING` takes no new order."""

    TRADING = "trading"
    CANCEL_ONLY = "cancel_only"
    HALTED = "halted"
    UNKNOWN = "unknown"


class BreakerState(StrEnum):
    """States of the circuit breaker, in the order of `BREAKER_SEVERITY`."""

    STARTING = "starting"
    ACTIVE = "active"
    HALF_OPEN = "half_open"
    REDUCING = "reducing"
    HALTED = "halted"
    KILLED = "killed"


class BreakerSeverity(IntEnum):
    """How much a state forbids; a restart never lowers it."""

    ACTIVE = 0
    HALF_OPEN = 1
    REDUCING = 2
    STARTING = 3
    HALTED = 4
    KILLED = 5


def severity(state: BreakerState) -> BreakerSeverity:
    """Severity of a breaker state."""
    return BreakerSeverity[state.name]


PUBLIC_BREAKER_WORD: dict[BreakerState, str] = {
    BreakerState.STARTING: "open",
    BreakerState.ACTIVE: "closed",
    BreakerState.HALF_OPEN: "half_open",
    BreakerState.REDUCING: "open",
    BreakerState.HALTED: "open",
    BreakerState.KILLED: "open",
}
"""The three words that the public API and metric use for the six states."""


class BreakerCause(StrEnum):
    """What tripped the circuit breaker."""

    STARTUP = "startup"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    RECONCILIATION = "reconciliation"
    RISK_ENGINE_ERROR = "risk_engine_error"
    EXECUTION_ERROR = "execution_error"
    UNKNOWN_ORDERS = "unknown_orders"
    OPERATOR = "operator"
    COOL_DOWN = "cool_down"
    PROBES_ENDED = "probes_ended"
    PROBE_HANGS = "probe_hangs"
    REPEATED_EXECUTION = "repeated_execution"
    REOPENED_TOO_OFTEN = "reopened_too_often"
    START_FAILED = "start_failed"
    KILL_SWITCH = "kill_switch"

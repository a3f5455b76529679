"""Which checks there are, in the order in which they are evaluated and their reasons reported.

``controls`` names those of the catalogue of pre-trade controls (PT) that a check fulfils. Controls
that no check fulfils have a remark that says what holds in their place, or what they wait for.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.risk_manager.checks import (
    duplicates,
    exposure,
    freshness,
    loss,
    order_shape,
    price,
    rate,
    size,
)
from smc_trading_agent.risk_manager.checks import state as states
from smc_trading_agent.risk_manager.checks import tail_risk
from smc_trading_agent.risk_manager.checks.question import Check


class CheckEntry(msgspec.Struct, frozen=True):
    """A check, the one reason that it refuses with, the controls that it fulfils, and the orders that it judges."""

    check: Check
    reason: RefusalReason
    controls: tuple[str, ...]
    entries: bool = True
    exits: bool = False

    @property
    def name(self) -> str:
        """The check's own name, which a refusal carries where the check itself failed."""
        return check_name(self.check)


def check_name(check: Check) -> str:
    """What a check is called."""
    return str(getattr(check, "__name__", check.__class__.__name__))


R = RefusalReason
CATALOGUE: tuple[CheckEntry, ...] = (
    CheckEntry(states.breaker, R.BREAKER_NOT_ACTIVE, ("PT-26", "PT-27", "PT-24")),
    CheckEntry(states.exit_breaker, R.BREAKER_NOT_ACTIVE, ("PT-24",), entries=False, exits=True),
    CheckEntry(states.instrument_state, R.INSTRUMENT_NOT_TRADING, ("PT-01",), exits=True),
    CheckEntry(states.known_instrument, R.UNKNOWN_INSTRUMENT, ("PT-01",), exits=True),
    CheckEntry(states.allow_list, R.INSTRUMENT_NOT_ALLOWED, ("PT-19",)),
    CheckEntry(freshness.fresh_data, R.STALE_DATA, ("PT-21", "PT-23")),
    CheckEntry(freshness.fresh_signal, R.SIGNAL_EXPIRED, ("PT-22",)),
    CheckEntry(freshness.fresh_account, R.STALE_ACCOUNT, ("PT-08",)),
    CheckEntry(freshness.market_history, R.MARKET_HISTORY, ("PT-25",)),
    CheckEntry(freshness.price_jump, R.PRICE_JUMP, ("PT-25",)),
    CheckEntry(order_shape.price_order, R.INVALID_PRICE, ("PT-02",)),
    CheckEntry(order_shape.grid, R.OFF_GRID, ("PT-02",)),
    CheckEntry(order_shape.probability, R.INVALID_PROBABILITY, ("PT-02",)),
    CheckEntry(order_shape.size_multiplier, R.INVALID_SIZE_MULTIPLIER, ("PT-02",)),
    CheckEntry(price.price_collar, R.PRICE_COLLAR, ("PT-03",)),
    CheckEntry(price.price_drift, R.PRICE_DRIFT, ("PT-03",)),
    CheckEntry(price.self_trade, R.SELF_TRADE, ("PT-18",)),
    CheckEntry(size.minimum_size, R.SIZE_BELOW_MINIMUM, ("PT-02",)),
    CheckEntry(size.order_quantity, R.MAX_ORDER_QUANTITY, ("PT-04",)),
    CheckEntry(size.order_notional, R.MAX_ORDER_NOTIONAL, ("PT-05",)),
    CheckEntry(size.volume_share, R.MAX_VOLUME_SHARE, ("PT-06",)),
    CheckEntry(exposure.position_quantity, R.MAX_POSITION_QUANTITY, ("PT-08",)),
    CheckEntry(exposure.position_notional, R.MAX_POSITION_NOTIONAL, ("PT-08",)),
    CheckEntry(exposure.gross_exposure, R.MAX_GROSS_EXPOSURE, ("PT-09",)),
    CheckEntry(exposure.margin, R.INSUFFICIENT_MARGIN, ("PT-10",)),
    CheckEntry(exposure.liquidation_distance, R.LIQUIDATION_DISTANCE, ("PT-34",)),
    CheckEntry(tail_risk.known_risk, R.RISK_UNKNOWN, ("PT-29", "PT-30")),
    CheckEntry(tail_risk.value_at_risk, R.MAX_VALUE_AT_RISK, ("PT-29",)),
    CheckEntry(tail_risk.shortfall, R.MAX_SHORTFALL, ("PT-30",)),
    CheckEntry(tail_risk.stress_loss, R.MAX_STRESS_LOSS, ("PT-30",)),
    CheckEntry(tail_risk.concentration, R.CONCENTRATION, ("PT-31",)),
    CheckEntry(tail_risk.cluster_exposure, R.MAX_CLUSTER_EXPOSURE, ("PT-32",)),
    CheckEntry(exposure.open_orders, R.MAX_OPEN_ORDERS, ("PT-12",)),
    CheckEntry(exposure.one_position, R.POSITION_ALREADY_OPEN, ("PT-08",)),
    CheckEntry(exposure.one_entry, R.ENTRY_ALREADY_PENDING, ("PT-12",)),
    CheckEntry(rate.message_rate, R.MESSAGE_RATE, ("PT-13",)),
    CheckEntry(rate.order_to_trade, R.ORDER_TO_TRADE, ("PT-14",)),
    CheckEntry(rate.repeated_execution, R.REPEATED_EXECUTION, ("PT-15",)),
    CheckEntry(duplicates.similar_orders, R.SIMILAR_ORDERS, ("PT-16",)),
    CheckEntry(loss.daily_loss, R.DAILY_LOSS, ("PT-26",)),
    CheckEntry(loss.drawdown, R.MAX_DRAWDOWN, ("PT-27",)),
    CheckEntry(loss.losing_trades, R.LOSING_TRADES, ("PT-28",)),
    CheckEntry(loss.cool_down, R.COOL_DOWN_AFTER_EXIT, ("PT-28",)),
    CheckEntry(exposure.no_unknown_orders, R.UNKNOWN_ORDER_OUTSTANDING, ("PT-08",)),
    CheckEntry(exposure.protected_position, R.UNPROTECTED_POSITION, ("PT-35",)),
    CheckEntry(exposure.reduce_only, R.REDUCE_ONLY_VIOLATION, ("PT-11",), entries=False, exits=True),
    CheckEntry(duplicates.not_sent_before, R.DUPLICATE_DECISION, ("PT-16",), exits=True),
)

ENTRY_CHECKS: Sequence[Check] = tuple(entry.check for entry in CATALOGUE if entry.entries)
EXIT_CHECKS: Sequence[Check] = tuple(entry.check for entry in CATALOGUE if entry.exits)

CONTROLS: dict[str, str] = {
    "PT-01": "instrument state",
    "PT-02": "venue filters",
    "PT-03": "price collar",
    "PT-04": "largest order quantity",
    "PT-05": "largest order notional",
    "PT-06": "size against liquidity",
    "PT-07": "hard and soft blocks",
    "PT-08": "largest position",
    "PT-09": "gross, net, leverage",
    "PT-10": "credit reservation",
    "PT-11": "reduce-only truth",
    "PT-12": "open-order caps",
    "PT-13": "message throttle",
    "PT-14": "order-to-trade ratio",
    "PT-15": "repeated-execution throttle",
    "PT-16": "duplicate orders",
    "PT-17": "parent and child quantity",
    "PT-18": "self-trade prevention",
    "PT-19": "allow-lists",
    "PT-20": "launch envelope",
    "PT-21": "stale or invalid book",
    "PT-22": "signal time-to-live",
    "PT-23": "clock skew",
    "PT-24": "reconciliation break",
    "PT-25": "data sanity",
    "PT-26": "daily loss",
    "PT-27": "drawdown",
    "PT-28": "loss streak, cool-down",
    "PT-29": "value at risk",
    "PT-30": "expected shortfall and stress",
    "PT-31": "concentration",
    "PT-32": "correlation cluster",
    "PT-33": "venue and stablecoin concentration",
    "PT-34": "liquidation distance, ADL",
    "PT-35": "protective-order presence",
}
"""The controls of the catalogue that judge an order before it is sent."""

REMARKS: dict[str, str] = {
    "PT-01": "the paper venue always trades; a venue that says otherwise sets the state",
    "PT-02": "prices and quantities are integers of tick and lot, so grids hold by construction",
    "PT-03": "the last price is the one reference until a book and a mark price are fed; entries are limit orders, "
    "exits only shrink and are not held back by a collar",
    "PT-05": "valued at the limit for a buy, at the limit or the last price, whichever is higher, for a sell",
    "PT-06": "a day's volume, where risk.max_volume_share is set; visible depth waits for a book",
    "PT-07": "every block is hard: the automated path has no override, and there is no manual one",
    "PT-09": "one instrument and one quote currency an account: net is the position, and no exchange rate is needed",
    "PT-10": "margin and fees of all that is held, open, UNKNOWN or approved and not yet in the books",
    "PT-12": "the venue's own cap comes with a live venue",
    "PT-13": "exits count in the window and are not held by it; cancels pass beside the gate; nothing is amended",
    "PT-14": "over the UTC day; a bracket is three orders",
    "PT-15": "the breaker is halted as well, so a restart does not re-enable",
    "PT-17": "`parent_quantity`, apart from whatever splits; asked once orders are split",
    "PT-20": "not a refusal but a smaller size: risk.launch_size for risk.launch_trades trades of a bundle's hash",
    "PT-21": "age of the newest bar; states of a book (resyncing, crossed, empty) come with a book",
    "PT-23": "data of the future refuses; the offset to a venue's clock comes with a live venue",
    "PT-24": "differences at start halt the breaker; checks while running belong to reconciliation",
    "PT-25": "there is no second source, so a jump refuses until the bar after it",
    "PT-29": "in scenarios of decision bars; every order that could fill counts, each side by itself, the worse one",
    "PT-30": "expected shortfall at 97.5 %; the worst of the named stresses",
    "PT-31": "an account holds one instrument, whose share is always the whole: below 1 these limits let nothing pass",
    "PT-32": "as PT-31, its cluster is gross exposure; a correlation that can't be known counts as 1",
    "PT-33": "an account has one venue and one collateral",
    "PT-34": "an ADL event comes with a live venue",
    "PT-35": "refuses growth; putting a lost stop back belongs to the execution engine",
}
"""What a control means here, or why no check fulfils it."""

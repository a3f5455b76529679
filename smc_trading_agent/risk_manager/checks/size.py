"""Whether one order by itself is neither too small nor too large."""

from __future__ import annotations

from smc_trading_agent.domain.costs import PPM
from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.risk_manager.checks.question import PASS, Question, Refusals, percent, refuse


def minimum_size(q: Question) -> Refusals:
    """The size must be at least one lot and the venue's smallest value."""
    value = q.quantity * q.intent.price
    if q.quantity >= 1 and value >= q.min_notional:
        return PASS
    return refuse(
        RefusalReason.SIZE_BELOW_MINIMUM,
        lots=q.quantity,
        notional=value,
        min_notional=q.min_notional,
        bound_by=q.bound_by.value,
    )


def order_quantity(q: Question) -> Refusals:
    """The order must not be for more than its absolute cap."""
    if q.quantity <= q.limits.order_lots:
        return PASS
    return refuse(RefusalReason.MAX_ORDER_QUANTITY, lots=q.quantity, limit=q.limits.order_lots)


def order_notional(q: Question) -> Refusals:
    """The order must not be worth more than its limit, at the worst price it could have."""
    if q.notional <= q.amounts.order:
        return PASS
    return refuse(RefusalReason.MAX_ORDER_NOTIONAL, notional=q.notional, limit=q.amounts.order)


def volume_share(q: Question) -> Refusals:
    """The order must not be for too much of a day's volume, where that is looked at; no volume, no order."""
    limit = q.limits.volume_ppm
    if limit is None or q.quantity * PPM <= q.day_volume * limit:
        return PASS
    return refuse(RefusalReason.MAX_VOLUME_SHARE, lots=q.quantity, day_volume=q.day_volume, share=percent(limit))

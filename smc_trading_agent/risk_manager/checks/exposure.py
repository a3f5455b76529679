"""What would be held at worst: every order that is open, UNKNOWN or only approved counts as if it filled."""

from __future__ import annotations

from smc_trading_agent.domain.costs import PPM
from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.risk_manager.activity import BRACKET
from smc_trading_agent.risk_manager.checks.question import PASS, Question, Refusals, percent, refuse


def position_quantity(q: Question) -> Refusals:
    """Lots on either side at worst, this order on its own."""
    account, limit = q.account, q.limits.position_lots
    longs = account.worst_long + q.quantity if q.intent.side > 0 else account.worst_long
    shorts = account.worst_short if q.intent.side > 0 else account.worst_short + q.quantity
    if longs <= limit and shorts <= limit:
        return PASS
    return refuse(RefusalReason.MAX_POSITION_QUANTITY, worst_long=longs, worst_short=shorts, limit=limit)


def position_notional(q: Question) -> Refusals:
    """The value of either side at worst, this order on its own."""
    side, other, limit = q.side_exposure + q.notional, q.other_exposure, q.amounts.position
    if side <= limit and other <= limit:
        return PASS
    return refuse(RefusalReason.MAX_POSITION_NOTIONAL, total=side, other_side=other, limit=limit)


def gross_exposure(q: Question) -> Refusals:
    """Both sides together must not exceed the leverage limit."""
    if q.gross <= q.amounts.leverage:
        return PASS
    return refuse(RefusalReason.MAX_GROSS_EXPOSURE, total=q.gross, limit=q.amounts.leverage)


def margin(q: Question) -> Refusals:
    """The equity must cover the margin of both sides, and this order's fees in and out as taker."""
    needed = q.gross * q.limits.margin_ppm + q.notional * q.fee_ppm
    if needed <= q.account.equity * PPM:
        return PASS
    return refuse(RefusalReason.INSUFFICIENT_MARGIN, needed=needed // PPM, equity=q.account.equity)


def liquidation_distance(q: Question) -> Refusals:
    """The price must be able to go against all that could be held by the least distance, and leave the maintenance."""
    distance, kept = q.limits.liquidation_ppm, q.limits.maintenance_ppm
    if q.gross * (distance + kept) <= q.account.equity * PPM:
        return PASS
    return refuse(
        RefusalReason.LIQUIDATION_DISTANCE, gross=q.gross, equity=q.account.equity, least_distance=percent(distance)
    )


def open_orders(q: Question) -> Refusals:
    """The orders of a bracket must fit under the cap."""
    total, limit = q.account.open_orders + BRACKET, q.limits.open_orders
    return PASS if total <= limit else refuse(RefusalReason.MAX_OPEN_ORDERS, would_be=total, limit=limit)


def one_position(q: Question) -> Refusals:
    """No entry on top of a position beyond the number allowed."""
    held = 1 if q.account.position else 0
    if held < q.limits.positions:
        return PASS
    return refuse(RefusalReason.POSITION_ALREADY_OPEN, position=q.account.position, limit=q.limits.positions)


def one_entry(q: Question) -> Refusals:
    """No entry while as many as allowed are working."""
    count, limit = q.account.open_entries, q.limits.open_entries
    return PASS if count < limit else refuse(RefusalReason.ENTRY_ALREADY_PENDING, working=count, limit=limit)


def no_unknown_orders(q: Question) -> Refusals:
    """Nothing new while an order's outcome is unknown."""
    count = q.account.unknown_orders
    return PASS if count == 0 else refuse(RefusalReason.UNKNOWN_ORDER_OUTSTANDING, unknown=count)


def protected_position(q: Question) -> Refusals:
    """Nothing new while a part of the position has no live stop."""
    lots = q.account.unprotected
    return PASS if lots == 0 else refuse(RefusalReason.UNPROTECTED_POSITION, lots=lots)


def reduce_only(q: Question) -> Refusals:
    """An exit must be against the position, and with the exits that work already not exceed it."""
    account, side = q.account, q.intent.side
    if side in (1, -1) and account.position * side < 0 and 0 < q.quantity <= abs(account.position) - account.closing:
        return PASS
    return refuse(
        RefusalReason.REDUCE_ONLY_VIOLATION,
        position=account.position,
        side=side,
        lots=q.quantity,
        closing=account.closing,
    )

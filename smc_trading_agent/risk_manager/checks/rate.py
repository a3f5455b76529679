"""How often: messages in a window, orders for a fill, entries in a row."""

from __future__ import annotations

from smc_trading_agent.domain.costs import PPM
from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.risk_manager.activity import BRACKET
from smc_trading_agent.risk_manager.checks.question import PASS, Question, Refusals, refuse, seconds


def message_rate(q: Question) -> Refusals:
    """The bracket must fit into the rolling window. Exits count in it, and neither they nor cancels are held by it."""
    total, limit = q.recent.messages + BRACKET, q.limits.messages
    if total <= limit:
        return PASS
    return refuse(RefusalReason.MESSAGE_RATE, would_be=total, limit=limit, window_seconds=seconds(q.limits.message_ns))


def order_to_trade(q: Question) -> Refusals:
    """Orders for each fill since the UTC day began; before the first fill as if there had been one."""
    # In this order a NaN stays one, and refuses.
    orders, fills = q.sent_today + BRACKET, max(q.fills_today, 1)
    if orders * PPM <= q.limits.orders_per_fill_ppm * fills:
        return PASS
    limit = q.limits.orders_per_fill_ppm / PPM
    return refuse(RefusalReason.ORDER_TO_TRADE, orders=orders, fills=q.fills_today, limit=f"{limit:g}")


def repeated_execution(q: Question) -> Refusals:
    """A strategy that feeds itself stops here; the gate then halts the breaker, which only a person re-arms."""
    count, limit = q.recent.executions, q.limits.executions
    if count < limit:
        return PASS
    window = seconds(q.limits.execution_ns)
    return refuse(RefusalReason.REPEATED_EXECUTION, sent=count, limit=limit, window_seconds=window)

"""What was lost: today, from the peak, and in a row."""

from __future__ import annotations

from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.risk_manager.checks.question import PASS, Question, Refusals, refuse, seconds


def daily_loss(q: Question) -> Refusals:
    """Today's loss, open positions included, must be below its limit."""
    start, limit = q.amounts.day_start, q.amounts.daily_loss
    loss = start - q.account.equity
    return PASS if start > 0 and loss < limit else refuse(RefusalReason.DAILY_LOSS, loss=loss, limit=limit)


def drawdown(q: Question) -> Refusals:
    """The fall from peak equity must be below its limit."""
    peak, limit = q.amounts.peak, q.amounts.drawdown
    fall = peak - q.account.equity
    return PASS if peak > 0 and fall < limit else refuse(RefusalReason.MAX_DRAWDOWN, drawdown=fall, limit=limit)


def losing_trades(q: Question) -> Refusals:
    """Fewer losing trades than the limit within the window; the lock opens as they leave it."""
    if q.losses < q.limits.losing_trades:
        return PASS
    window = seconds(q.limits.losing_ns)
    return refuse(RefusalReason.LOSING_TRADES, lost=q.losses, limit=q.limits.losing_trades, window_seconds=window)


def cool_down(q: Question) -> Refusals:
    """Some time must have passed since the last trade ended."""
    if q.last_exit == 0 or q.now - q.last_exit >= q.limits.exit_wait_ns:
        return PASS
    since, wait = seconds(q.now - q.last_exit), seconds(q.limits.exit_wait_ns)
    return refuse(RefusalReason.COOL_DOWN_AFTER_EXIT, since_seconds=since, wait_seconds=wait)

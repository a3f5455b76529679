"""Whether what is judged is still true: market data, signal, account, and enough of a market to judge by."""

from __future__ import annotations

from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.risk_manager.checks.question import PASS, Question, Refusals, refuse, seconds


def fresh_data(q: Question) -> Refusals:
    """The newest market data must be young, and not of the future."""
    age = q.now - q.data_time
    if 0 <= age <= q.limits.data_age_ns:
        return PASS
    return refuse(RefusalReason.STALE_DATA, age_seconds=seconds(age), max_seconds=seconds(q.limits.data_age_ns))


def fresh_signal(q: Question) -> Refusals:
    """The setup must be young."""
    age = q.now - q.intent.created_at
    if 0 <= age <= q.limits.signal_ttl_ns:
        return PASS
    return refuse(RefusalReason.SIGNAL_EXPIRED, age_seconds=seconds(age), max_seconds=seconds(q.limits.signal_ttl_ns))


def fresh_account(q: Question) -> Refusals:
    """The account must not be older than the one at the last mark."""
    if q.account.orders_sent >= q.marked_sent:
        return PASS
    return refuse(RefusalReason.STALE_ACCOUNT, orders_sent=q.account.orders_sent, at_mark=q.marked_sent)


def market_history(q: Question) -> Refusals:
    """Enough decision bars must have closed to know how much the price moves."""
    if q.closes >= q.limits.history_bars:
        return PASS
    return refuse(RefusalReason.MARKET_HISTORY, closes=q.closes, min_closes=q.limits.history_bars)


def price_jump(q: Question) -> Refusals:
    """The last decision bar must not have jumped: there is no second source that could confirm it."""
    if q.jump_millis <= q.limits.jump_millis:
        return PASS
    sigmas, limit = f"{q.jump_millis / 1_000:.3f}", f"{q.limits.jump_millis / 1_000:.3f}"
    return refuse(RefusalReason.PRICE_JUMP, sigmas=sigmas, max_sigmas=limit)

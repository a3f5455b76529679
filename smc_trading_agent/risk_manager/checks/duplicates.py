"""Whether the same was sent before."""

from __future__ import annotations

from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.risk_manager.checks.question import PASS, Question, Refusals, refuse, seconds


def not_sent_before(q: Question) -> Refusals:
    """A decision is sent once."""
    return PASS if q.seen is False else refuse(RefusalReason.DUPLICATE_DECISION, decision_id=q.intent.decision_id)


def similar_orders(q: Question) -> Refusals:
    """Not too many entries of one side and quantity at nearly one price, whatever their ids."""
    count, limit = q.recent.similar, q.limits.similar
    if count < limit:
        return PASS
    window = seconds(q.limits.similar_ns)
    return refuse(RefusalReason.SIMILAR_ORDERS, sent=count, limit=limit, window_seconds=window)

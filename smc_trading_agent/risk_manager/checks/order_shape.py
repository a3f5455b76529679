"""Whether the order is one at all: prices in order and on the grid, numbers in their ranges."""

from __future__ import annotations

from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.risk_manager.checks.question import PASS, Question, Refusals, refuse

LEAST_MULTIPLIER = 0.25


def price_order(q: Question) -> Refusals:
    """Stop, entry and target must be positive and in the order that the side demands."""
    i = q.intent
    low, high = (i.stop, i.target) if i.side > 0 else (i.target, i.stop)
    if i.side in (1, -1) and 0 < low < i.price < high:
        return PASS
    return refuse(RefusalReason.INVALID_PRICE, side=i.side, entry=i.price, stop=i.stop, target=i.target)


def grid(q: Question) -> Refusals:
    """Prices are whole ticks and quantities whole lots, so the venue's grids hold by construction."""
    i = q.intent
    if type(i.price) is type(i.stop) is type(i.target) is type(q.quantity) is int:
        return PASS
    return refuse(RefusalReason.OFF_GRID, entry=i.price, stop=i.stop, target=i.target, lots=q.quantity)


def probability(q: Question) -> Refusals:
    """The probability that sizes the order must be one."""
    if 0.0 <= q.intent.probability <= 1.0:
        return PASS
    return refuse(RefusalReason.INVALID_PROBABILITY, probability=q.intent.probability)


def size_multiplier(q: Question) -> Refusals:
    """A policy may make an order smaller, within its bounds, and never larger."""
    if LEAST_MULTIPLIER <= q.intent.size_multiplier <= 1.0:
        return PASS
    return refuse(RefusalReason.INVALID_SIZE_MULTIPLIER, multiplier=q.intent.size_multiplier, least=LEAST_MULTIPLIER)

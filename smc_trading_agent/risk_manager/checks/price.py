"""Whether the price makes sense beside the last one, our own entries, and our own resting orders."""

from __future__ import annotations

from smc_trading_agent.domain.costs import PPM
from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.risk_manager.checks.question import PASS, Question, Refusals, percent, refuse


def price_collar(q: Question) -> Refusals:
    """The entry must be near the last price, and there must be one."""
    mark, collar = q.account.mark, q.limits.collar_ppm
    if mark > 0 and abs(q.intent.price - mark) <= mark * collar // PPM:
        return PASS
    return refuse(RefusalReason.PRICE_COLLAR, entry=q.intent.price, last=mark, collar=percent(collar))


def price_drift(q: Question) -> Refusals:
    """The entry must be near every entry of ours within the window: a second collar, over a period."""
    low, high, price, drift = q.recent.lowest_price, q.recent.highest_price, q.intent.price, q.limits.drift_ppm
    if low == 0 or (price - low <= low * drift // PPM and high - price <= high * drift // PPM):
        return PASS
    return refuse(RefusalReason.PRICE_DRIFT, entry=price, lowest=low, highest=high, drift=percent(drift))


def self_trade(q: Question) -> Refusals:
    """The entry must not trade with an order of our own that is resting."""
    price, buy, sell = q.intent.price, q.account.own_buy, q.account.own_sell
    if (sell == 0 or price < sell) if q.intent.side > 0 else (buy == 0 or price > buy):
        return PASS
    return refuse(RefusalReason.SELF_TRADE, entry=price, own_buy=buy, own_sell=sell)

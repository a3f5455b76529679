"""The orders of an approval, and what it shows of the limits that it was given under."""

from __future__ import annotations

from functools import lru_cache

from smc_trading_agent._core import Instrument
from smc_trading_agent.domain.costs import PPM
from smc_trading_agent.domain.ids import client_order_id
from smc_trading_agent.domain.reasons import OrderPurpose
from smc_trading_agent.domain.types import ApprovedOrder, Intent
from smc_trading_agent.risk_manager.checks.question import Question
from smc_trading_agent.risk_manager.limits import UNLIMITED_IN_TEXT, Limits
from smc_trading_agent.risk_manager.sizing import Sizing


def bracket(intent: Intent, lots: int) -> tuple[ApprovedOrder, ...]:
    """An entry with its stop and its target, without a seal."""
    entry = _order(intent, OrderPurpose.ENTRY, "limit", intent.side, lots, intent.price, "")
    parent = entry.client_order_id
    return (
        entry,
        _order(intent, OrderPurpose.STOP, "stop_market", -intent.side, lots, intent.stop, parent),
        _order(intent, OrderPurpose.TARGET, "take_profit", -intent.side, lots, intent.target, parent),
    )


def exit_order(intent: Intent, lots: int) -> ApprovedOrder:
    """A market order that closes a position, without a seal."""
    return _order(intent, OrderPurpose.EXIT, "market", intent.side, lots, 0, "")


def _order(
    intent: Intent, purpose: OrderPurpose, kind: str, side: int, lots: int, price: int, parent: str
) -> ApprovedOrder:
    entry = purpose is OrderPurpose.ENTRY
    decision_id, expires_at = intent.decision_id, intent.expires_at if entry else 0
    named = client_order_id(decision_id, purpose)
    return ApprovedOrder(
        named, decision_id, intent.instrument, purpose, kind, side, lots, price, expires_at, not entry, parent, b""
    )


@lru_cache(maxsize=256)
def _shares(shares_ppm: tuple[int, ...]) -> dict[str, str]:
    """What was left of the normal size, and by whom."""
    breaker, launch, policy = shares_ppm
    return {
        "share_of_normal_size": f"{breaker * launch * policy / PPM**3:g}",
        "share_by_breaker": f"{breaker / PPM:g}",
        "share_by_launch": f"{launch / PPM:g}",
        "share_by_policy": f"{policy / PPM:g}",
    }


def shown_limits(sizing: Sizing, question: Question, limits: Limits, instrument: Instrument) -> dict[str, str]:
    """What the size came from, for the journal and for people."""
    quantity, quote = instrument.format_quantity, instrument.format_quote
    equity = question.account.equity
    return {
        "equity": quote(equity),
        "risk_budget": quote(equity * limits.risk_ppm // PPM),
        "size": quantity(sizing.lots),
        "size_bound_by": sizing.bound_by.value,
        **_shares(sizing.shares_ppm),
        "size_by_risk": quantity(sizing.by_risk),
        "size_by_kelly": UNLIMITED_IN_TEXT if sizing.by_kelly is None else quantity(sizing.by_kelly),
        "size_by_volatility": quantity(sizing.by_volatility),
        "size_by_order_notional": quantity(sizing.by_order_notional),
        "size_by_position_notional": quantity(sizing.by_position_notional),
        "size_by_exposure": quantity(sizing.by_exposure),
        "size_by_volume": UNLIMITED_IN_TEXT if sizing.by_volume is None else quantity(sizing.by_volume),
        "notional": quote(question.notional),
        "breaker": question.breaker.value,
    }

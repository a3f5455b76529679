"""How much to trade: the smallest that any rule allows, in whole lots, and which rule it was."""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

from smc_trading_agent.domain.costs import PPM, CostModel
from smc_trading_agent.risk_manager.limits import Limits


class SizeRule(StrEnum):
    """What a size came from."""

    RISK = "risk"
    KELLY = "kelly"
    VOLATILITY = "volatility"
    ORDER_NOTIONAL = "order_notional"
    POSITION_NOTIONAL = "position_notional"
    EXPOSURE = "exposure"
    VOLUME = "volume"
    POSITION = "position"
    NOTHING = "nothing"


class SizeFacts(msgspec.Struct, frozen=True):
    """What a size is computed from.

    Prices are ticks; ``worst`` is the price at which the order is valued. ``equity``, ``side_exposure`` (held or could
    fill on the order's side) and ``gross_exposure`` (both sides) are quote units, of which one lot loses one a tick.
    ``day_sigma_ppm`` is a day's standard deviation of the price, ``day_volume`` lots a day.
    """

    equity: int
    entry: int
    stop: int
    target: int
    worst: int
    side_exposure: int
    gross_exposure: int
    probability: float
    day_sigma_ppm: int
    day_volume: int


class Sizing(msgspec.Struct, frozen=True):
    """Lots by each rule, None where a rule is not looked at; ``shares_ppm`` of the smallest are taken.

    ``shares_ppm`` are parts per million: the breaker's, the launch envelope's and the policy's.
    """

    by_risk: int
    by_kelly: int | None
    by_volatility: int
    by_order_notional: int
    by_position_notional: int
    by_exposure: int
    by_volume: int | None
    shares_ppm: tuple[int, ...]
    lots: int
    bound_by: SizeRule


def size_entry(facts: SizeFacts, costs: CostModel, limits: Limits, shares_ppm: tuple[int, ...]) -> Sizing:
    """Whole lots for an entry. None where prices or equity are not positive; the checks say which."""
    f = facts
    if f.equity <= 0 or f.entry <= 0 or f.stop <= 0 or f.worst <= 0 or f.entry == f.stop:
        return Sizing(0, None, 0, 0, 0, 0, None, shares_ppm, 0, SizeRule.NOTHING)
    loss = costs.loss_millionths(f.entry, f.stop)
    risk = f.equity * limits.risk_ppm // loss
    kelly = None if limits.kelly_ppm is None else _kelly(f, costs, loss, limits.kelly_ppm)
    volatility = _volatility(f, limits.volatility_ppm)
    order = f.equity * limits.order_ppm // PPM // f.worst
    position = (f.equity * limits.position_ppm // PPM - f.side_exposure) // f.worst
    exposure = (f.equity * limits.leverage_ppm // PPM - f.gross_exposure) // f.worst
    volume = None if limits.volume_ppm is None else f.day_volume * limits.volume_ppm // PPM
    lots, rule = risk, SizeRule.RISK
    if kelly is not None and kelly < lots:
        lots, rule = kelly, SizeRule.KELLY
    if volatility < lots:
        lots, rule = volatility, SizeRule.VOLATILITY
    if order < lots:
        lots, rule = order, SizeRule.ORDER_NOTIONAL
    if position < lots:
        lots, rule = position, SizeRule.POSITION_NOTIONAL
    if exposure < lots:
        lots, rule = exposure, SizeRule.EXPOSURE
    if volume is not None and volume < lots:
        lots, rule = volume, SizeRule.VOLUME
    lots = max(0, lots)
    for share in shares_ppm:
        lots = lots * share // PPM
    return Sizing(risk, kelly, volatility, order, position, exposure, volume, shares_ppm, lots, rule)


def _volatility(facts: SizeFacts, target_ppm: int) -> int:
    """Lots whose value has the target standard deviation over a day; none while the volatility is not known."""
    if facts.day_sigma_ppm <= 0:
        return 0
    return facts.equity * target_ppm // (facts.day_sigma_ppm * facts.worst)


def _kelly(facts: SizeFacts, costs: CostModel, loss: int, fraction_ppm: int) -> int:
    """Lots by a fraction of the Kelly bet: the share p - (1 - p) * loss / gain of equity, lost at the stop.

    J. L. Kelly, "A New Interpretation of Information Rate", Bell System Technical Journal 35 (1956), for a bet that
    wins ``gain`` or loses ``loss``, both after costs. The probability is rounded down to a millionth.
    """
    gain = costs.gain_millionths(facts.entry, facts.target)
    if not 0.0 <= facts.probability <= 1.0 or gain <= 0:
        return 0
    p = math.floor(facts.probability * PPM)
    edge = p * gain - (PPM - p) * loss
    return 0 if edge <= 0 else facts.equity * fraction_ppm * edge // (PPM * gain * loss)

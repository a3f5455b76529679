"""How much to trade: the smallest of what risk budget, order limit and exposure limit allow, in whole lots."""

from __future__ import annotations

import math

import msgspec

from smc_trading_agent.domain.costs import PPM, CostModel
from smc_trading_agent.domain.settings import RiskSettings


class Sizing(msgspec.Struct, frozen=True):
    """Lots allowed by each rule; the smallest is the size."""

    by_risk: int
    by_order_notional: int
    by_position_notional: int
    by_exposure: int

    @property
    def lots(self) -> int:
        """The size, never negative."""
        return max(0, min(self.by_risk, self.by_order_notional, self.by_position_notional, self.by_exposure))


def share_of(amount: int, share: float) -> int:
    """``share`` of an amount, exact to a millionth and rounded down."""
    return amount * round(share * PPM) // PPM


def size_entry(
    equity: int, entry: int, stop: int, worst_exposure: int, costs: CostModel, settings: RiskSettings, factor: float
) -> Sizing:
    """Whole lots for an entry at ``entry`` ticks with its stop at ``stop``.

    ``equity`` and ``worst_exposure`` (what is held or could still fill, at its worst) are quote units, of which
    one lot loses exactly one for each tick. ``factor`` scales the risk budget. Raises `ValueError` where prices
    or equity are not positive.
    """
    if equity <= 0 or entry <= 0 or stop <= 0 or entry == stop:
        raise ValueError(f"can't size with equity {equity}, entry {entry}, stop {stop}")
    loss_per_lot = math.ceil(costs.loss_ticks(entry, stop))
    return Sizing(
        by_risk=share_of(share_of(equity, settings.risk_per_trade), factor) // loss_per_lot,
        by_order_notional=share_of(equity, settings.max_order_notional) // entry,
        by_position_notional=(share_of(equity, settings.max_position_notional) - worst_exposure) // entry,
        by_exposure=(share_of(equity, settings.max_leverage) - worst_exposure) // entry,
    )

"""How much to trade: the smallest of what risk budget, order limit and exposure limit allow, in whole lots."""

from __future__ import annotations

import msgspec

from smc_trading_agent.domain.costs import PPM, CostModel
from smc_trading_agent.domain.settings import RiskSettings


class Sizing(msgspec.Struct, frozen=True):
    """Lots allowed by each rule; the size is ``factor`` times the smallest."""

    by_risk: int
    by_order_notional: int
    by_position_notional: int
    by_exposure: int
    factor: float

    @property
    def lots(self) -> int:
        """The size, never negative."""
        normal = min(self.by_risk, self.by_order_notional, self.by_position_notional, self.by_exposure)
        return share_of(max(0, normal), self.factor)


def share_of(amount: int, share: float) -> int:
    """``share`` of an amount, exact to a millionth and rounded down."""
    return amount * round(share * PPM) // PPM


def size_entry(
    equity: int, entry: int, stop: int, worst_exposure: int, costs: CostModel, settings: RiskSettings, factor: float
) -> Sizing:
    """Whole lots for an entry at ``entry`` ticks with its stop at ``stop``.

    ``equity`` and ``worst_exposure`` (what is held or could still fill, at its worst) are quote units, of which
    one lot loses exactly one for each tick. ``factor`` is the share of the normal size to take. No lots where
    prices or equity are not positive; the checks say which.
    """
    if equity <= 0 or entry <= 0 or stop <= 0 or entry == stop:
        return Sizing(0, 0, 0, 0, factor)
    return Sizing(
        by_risk=equity * round(settings.risk_per_trade * PPM) // costs.loss_millionths(entry, stop),
        by_order_notional=share_of(equity, settings.max_order_notional) // entry,
        by_position_notional=(share_of(equity, settings.max_position_notional) - worst_exposure) // entry,
        by_exposure=(share_of(equity, settings.max_leverage) - worst_exposure) // entry,
        factor=factor,
    )

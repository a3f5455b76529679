"""Whether the model behind value at risk has been right: tested at every bar, by what is held and by what could be.

Three books are tested, and the worst verdict counts: what the account held at the close, and one unit long and short of
the instrument, which are tested whether anything is traded or not (Basel: actual and hypothetical results).
"""

from __future__ import annotations

import math

import msgspec

from smc_trading_agent._core import RETURN_UNIT
from smc_trading_agent.domain.costs import PPM
from smc_trading_agent.domain.errors import RiskUnavailable
from smc_trading_agent.risk_manager.value_at_risk import ValueAtRisk
from smc_trading_agent.risk_manager.var_backtest import ForecastRecord, Verdict, verdict_of

UNIT = 10_000_000
"""Notional of the hypothetical books, in cents."""


class HypotheticalBooks(msgspec.Struct):
    """Forecasts for one unit long and short, in cents, due at a count of scenarios (0: none is out)."""

    long: ForecastRecord
    short: ForecastRecord
    long_forecast: int = 0
    short_forecast: int = 0
    due: int = 0

    def follow(self, risk: ValueAtRisk, key: str, horizon: int) -> None:
        """After a bar: sets forecasts that are due beside their outcome, and makes the next ones."""
        if self.due and self.due <= risk.rows:
            profit = risk.newest_profit({key: UNIT})
            self.long.add(-profit > self.long_forecast * RETURN_UNIT)
            self.short.add(profit > self.short_forecast * RETURN_UNIT)
            self.due = 0
        if self.due == 0:
            try:
                self.long_forecast = risk.assess({}, key, UNIT).value_at_risk
                self.short_forecast = risk.assess({}, key, -UNIT).value_at_risk
            except RiskUnavailable:
                return  # no forecast was given, so none is tested
            self.due = risk.rows + horizon


class ModelStanding(msgspec.Struct, frozen=True):
    """What follows from the tests: by how many parts per million limits are divided, and whether it is believed."""

    verdicts: dict[str, Verdict]
    tighten_ppm: int
    trusted: bool


def standing_of(verdicts: dict[str, Verdict]) -> ModelStanding:
    """The worst of several books counts. Limits are divided by at least 1: tests never loosen one."""
    worst = max(verdict.tighten_by for verdict in verdicts.values())
    trusted = all(verdict.trusted for verdict in verdicts.values())
    return ModelStanding(verdicts, max(PPM, math.ceil(worst * PPM)), trusted)


def tested(risk: ValueAtRisk, books: HypotheticalBooks) -> ModelStanding:
    """The standing after the last bar."""
    return standing_of({"held": risk.verdict, "long": verdict_of(books.long), "short": verdict_of(books.short)})

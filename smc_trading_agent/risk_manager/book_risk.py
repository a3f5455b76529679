"""The account's value at risk: fed by the closes of the decision bars, asked on every entry, tested at every bar.

Money is whole cents. What is open, UNKNOWN or approved counts as if it filled, each side by itself; of the two sides
the worse is taken, so that no order hides behind one that may not fill.

Where the tests say that the historical figure is not to be trusted (red zone, or exceedances that come together), it
counts for nothing by itself: the largest of it and both normal figures is compared, with limits that are divided.
"""

from __future__ import annotations

import math
from operator import itemgetter
from statistics import NormalDist

import msgspec

from smc_trading_agent._core import Bar, Instrument, RiskAssessment
from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.costs import PPM
from smc_trading_agent.domain.errors import RiskUnavailable
from smc_trading_agent.domain.risk_settings import RiskSettings
from smc_trading_agent.domain.types import ModelTestView, RiskModelView
from smc_trading_agent.risk_manager.model_test import HypotheticalBooks, ModelStanding, tested
from smc_trading_agent.risk_manager.numbers import cents_of
from smc_trading_agent.risk_manager.risk_figures import RiskFigures, concentration
from smc_trading_agent.risk_manager.value_at_risk import ValueAtRisk, ValueAtRiskSettings, asset_of
from smc_trading_agent.risk_manager.var_backtest import ForecastRecord

ANY_AGE_NS = 2**62
"""The check `known_risk` judges age, in bars; the book itself lets every age pass."""


ALONE = concentration([1])
"""An account holds one asset, and that is the whole of it."""


class BookRiskRecord(msgspec.Struct):
    """What must survive a restart. ``unfed`` says why the last bar was not taken, empty where it was."""

    books: HypotheticalBooks
    bar_ns: int = 0
    unfed: str = ""
    remedy: str = ""
    model: bytes = b""


class BookRisk:
    """See the module."""

    def __init__(self, instrument: Instrument, settings: RiskSettings, clock: Clock) -> None:
        self._key = instrument.key
        self._cents = cents_of(instrument)
        self._model = ValueAtRisk(
            {instrument.key: asset_of(instrument.symbol)},
            measured := ValueAtRiskSettings(
                window=settings.scenarios,
                min_scenarios=min(settings.min_scenarios, settings.scenarios),
                horizon=settings.scenario_bars,
                max_age_ns=ANY_AGE_NS,
            ),
            clock,
        )
        self._horizon, self._min_scenarios, self._scenarios = measured.horizon, measured.min_scenarios, 0
        self._normal_shortfall = _normal_shortfall(measured.confidence, measured.shortfall_confidence)
        record = ForecastRecord(measured.confidence, measured.tested)
        self._record = BookRiskRecord(HypotheticalBooks(record, msgspec.structs.replace(record, exceeded=[])))
        self._standing = tested(self._model, self._record.books)

    @property
    def standing(self) -> ModelStanding:
        """What the tests of the model say, and what follows."""
        return self._standing

    @property
    def view(self) -> RiskModelView:
        """The same for people, from any thread."""
        standing = self._standing
        tests = {
            name: ModelTestView(
                verdict.forecasts,
                verdict.exceedances,
                verdict.expected,
                verdict.zone.value,
                verdict.coverage.p_value,
                verdict.independence.p_value,
                verdict.tighten_by,
                verdict.trusted,
            )
            for name, verdict in standing.verdicts.items()
        }
        return RiskModelView(self._scenarios, self._min_scenarios, standing.tighten_ppm / PPM, standing.trusted, tests)

    def on_bar(self, bar: Bar, held: int) -> None:
        """Takes a closed decision bar, and the notional held at its close, in quote units; one seen before, not."""
        if bar.close_time <= self._model.newest:
            return
        record = self._record
        self._model.stand({self._key: self._cents.ceil(abs(held)) * (1 if held > 0 else -1)})
        try:
            self._model.on_bar(bar.close_time, {self._key: bar.close})
        except RiskUnavailable as error:
            record.unfed, record.remedy = error.code, str(error)
            return
        record.unfed = record.remedy = ""
        record.bar_ns = bar.close_time - bar.open_time
        record.books.follow(self._model, self._key, self._horizon)
        self._model.work_ahead()
        self._follow_tests()

    def figures(self, buying: bool, own: int, other: int, notional: int, threshold: float) -> RiskFigures:
        """The risk of an order of ``notional`` on top of its own side and the other, in quote units.

        Assets go together from a correlation of ``threshold`` on. What can't be told is said, never raised.
        """
        record, key, ceil = self._record, self._key, self._cents.ceil
        sign = 1 if buying else -1
        before, against = ceil(own), ceil(other)
        order = ceil(own + notional) - before
        try:
            if record.unfed:
                raise RiskUnavailable(record.remedy, record.unfed)
            gross = before + against + order
            largest, index = ALONE if gross else (0, 0)
            groups = self._model.clusters({key: sign * (before + against)}, key, sign * order, threshold)
            members, exposure = groups[0] if len(groups) == 1 else max(groups, key=itemgetter(1), default=([], 0))
            opposite = self._model.assess({}, key, -sign * against) if against else None
            seen = self._model.assess({key: sign * before}, key, sign * order)
        except RiskUnavailable as error:
            return self._unknown(error, before + against + order)
        values = self._worse(seen, opposite)
        return RiskFigures(
            *values, largest, index, ",".join(members), exposure, seen.scenarios, seen.data_time, record.bar_ns
        )

    def snapshot(self) -> bytes:
        """The whole state."""
        self._record.model = self._model.snapshot()
        return msgspec.msgpack.encode(self._record)

    def restore(self, data: bytes) -> None:
        """Takes over a state that was saved under the same settings; `SnapshotError` otherwise."""
        record = msgspec.msgpack.decode(data, type=BookRiskRecord)
        self._model.restore(record.model)
        self._record = record
        self._follow_tests()

    def _follow_tests(self) -> None:
        self._scenarios, self._standing = self._model.scenarios, tested(self._model, self._record.books)

    def _unknown(self, error: RiskUnavailable, gross: int) -> RiskFigures:
        """Without figures all is one asset in one cluster."""
        share, index = ALONE if gross else (0, 0)
        return RiskFigures(
            largest_share_ppm=share, herfindahl_ppm=index, cluster=self._key, cluster_exposure=gross,
            unknown=error.code, remedy=str(error),
        )  # fmt: skip

    def _worse(self, seen: RiskAssessment, opposite: RiskAssessment | None) -> tuple[int, int, int, int, str, int]:
        """Value at risk and shortfall, each with and without the order, and the worst stress."""
        value, before = seen.value_at_risk, seen.value_at_risk_before
        short, short_before = seen.shortfall, seen.shortfall_before
        stress, loss = seen.worst_stress, seen.stress_loss
        if opposite is not None:
            value, before = max(value, opposite.value_at_risk), max(before, opposite.value_at_risk)
            short, short_before = max(short, opposite.shortfall), max(short_before, opposite.shortfall)
            if opposite.stress_loss > loss:
                stress, loss = opposite.worst_stress, opposite.stress_loss
        if not self._standing.trusted:
            normal = max(seen.parametric, seen.ewma)
            if opposite is not None:
                normal = max(normal, opposite.parametric, opposite.ewma)
            value, short = max(value, math.ceil(normal)), max(short, math.ceil(normal * self._normal_shortfall))
        return value, before, short, short_before, stress, loss


def _normal_shortfall(confidence: float, shortfall_confidence: float) -> float:
    """Expected shortfall over value at risk where profits are normal: density at the quantile over the tail's weight.

    McNeil, Frey and Embrechts, *Quantitative Risk Management* (2015), example 2.14.
    """
    normal = NormalDist()
    tail = normal.pdf(normal.inv_cdf(shortfall_confidence)) / (1.0 - shortfall_confidence)
    return tail / normal.inv_cdf(confidence)

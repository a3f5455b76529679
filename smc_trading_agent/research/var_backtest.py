"""Value at risk over recorded closes: each forecast beside the loss that followed, and what the tests say of them.

The same `ValueAtRisk` as live. A forecast is made from closes up to a bar, for the horizon after it; the next one is
made when it is due, so that outcomes don't overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec
import numpy as np

from smc_trading_agent._core import RETURN_UNIT, Bars, timeframe_ns
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.errors import ConfigError, DataError
from smc_trading_agent.risk_manager.value_at_risk import ValueAtRisk, ValueAtRiskSettings
from smc_trading_agent.risk_manager.var_backtest import ForecastRecord, Verdict, verdict_of

MODELS = ("historical", "parametric", "ewma")
NOTIONAL = 100_000_000
"""A position, in units of money: a million in cents."""

NO_LIMIT = 2**62
"""Bars may be missing from a recording; age is not what is tested."""


class ModelResult(msgspec.Struct, frozen=True):
    """A model's forecasts for a book that is long or short the same notional of every instrument."""

    side: str
    model: str
    mean_forecast: float
    worst_loss: float
    verdict: Verdict


class VarReport(msgspec.Struct, frozen=True):
    """Everything that was tested. Forecasts and losses are shares of the book's gross notional."""

    instruments: tuple[str, ...]
    timeframe: str
    horizon: str
    confidence: float
    window: int
    bars: int
    first_forecast: int
    last_forecast: int
    results: tuple[ModelResult, ...]


class Market(msgspec.Struct, frozen=True):
    """One instrument's closes."""

    key: str
    asset: str
    bars: Bars


def backtest_var(
    markets: list[Market],
    horizon: str | None,
    confidence: float,
    window: int,
    progress: Callable[[int], None] = lambda done: None,
) -> VarReport:
    """Rolls over the markets' bars together; ``horizon`` is a timeframe, the bars' own when None.

    `ConfigError` where the horizon is no multiple of the bars, `DataError` where bars differ in timeframe, an
    instrument comes twice, or there are too few for one forecast.
    """
    timeframe = _common_timeframe(markets)
    horizon = horizon or timeframe
    bars = _bars_in(horizon, timeframe)
    keys = tuple(market.key for market in markets)
    if len(set(keys)) < len(keys):
        raise DataError(f"{' '.join(keys)}: an instrument comes twice; give each file once")
    settings = ValueAtRiskSettings(
        window=window, min_scenarios=window, horizon=bars, confidence=confidence, max_age_ns=NO_LIMIT
    )
    clock = MarketClock()
    risk = ValueAtRisk({market.key: market.asset for market in markets}, settings, clock)
    runs = [_Run(side, dict.fromkeys(keys, sign * NOTIONAL), bars) for side, sign in (("long", 1), ("short", -1))]
    done, times = 0, [0, 0]
    for done, (time, closes) in enumerate(_rows(markets), start=1):
        clock.advance_to(time)
        risk.on_bar(time, closes)
        progress(done)
        for run in runs:
            if risk.scenarios == window and run.step(risk, keys[0]):
                times = [times[0] or time, time]
    if not runs[0].outcomes[MODELS[0]]:
        raise DataError(f"{done} bars are too few: {window} scenarios of {horizon} and one more are needed; give more")
    results = tuple(result for run in runs for result in run.results(confidence))
    return VarReport(keys, timeframe, horizon, confidence, window, done, times[0], times[1], results)


class _Run:
    """One book's forecasts and their outcomes."""

    def __init__(self, side: str, positions: dict[str, int], horizon: int) -> None:
        self._side = side
        self._positions = positions
        self._gross = sum(abs(notional) for notional in positions.values())
        self._horizon = horizon
        self._pending: dict[str, float] = {}
        self._wait = 0
        self._losses: list[float] = []
        self._forecasts: dict[str, list[float]] = {model: [] for model in MODELS}
        self.outcomes: dict[str, list[bool]] = {model: [] for model in MODELS}

    def step(self, risk: ValueAtRisk, instrument: str) -> bool:
        """A bar went by; whether a forecast was made."""
        self._wait -= 1
        if self._wait > 0:
            return False
        if self._pending:
            self._judge(risk)
        seen = risk.assess(self._positions, instrument, 0)
        self._pending = {"historical": seen.value_at_risk, "parametric": seen.parametric, "ewma": seen.ewma}
        self._wait = self._horizon
        return True

    def _judge(self, risk: ValueAtRisk) -> None:
        loss = -risk.newest_profit(self._positions) / RETURN_UNIT
        self._losses.append(loss)
        for model, forecast in self._pending.items():
            self.outcomes[model].append(loss > forecast)
            self._forecasts[model].append(forecast)

    def results(self, confidence: float) -> Iterator[ModelResult]:
        """Of each model, once all bars have gone by."""
        for model in MODELS:
            outcomes = self.outcomes[model]
            yield ModelResult(
                side=self._side,
                model=model,
                mean_forecast=float(np.mean(self._forecasts[model])) / self._gross,
                worst_loss=max(self._losses) / self._gross,
                verdict=verdict_of(ForecastRecord(confidence, len(outcomes), outcomes)),
            )


def _common_timeframe(markets: Iterable[Market]) -> str:
    found = sorted({market.bars.timeframe for market in markets})
    if len(found) != 1:
        raise DataError(f"files of {' and '.join(found) or 'nothing'} can't be tested together; give one timeframe")
    return found[0]


def _bars_in(horizon: str, timeframe: str) -> int:
    try:
        whole, rest = divmod(timeframe_ns(horizon), timeframe_ns(timeframe))
    except ValueError as error:
        raise ConfigError(f"--horizon: {error}") from error
    if rest or not whole:
        raise ConfigError(
            f"a horizon of {horizon} is no multiple of the {timeframe} bars; give one, such as {timeframe}"
        )
    return whole


def _rows(markets: list[Market]) -> Iterator[tuple[int, dict[str, int]]]:
    """Closes by close time of all markets that have a bar then, from the first bar of the last to begin."""
    columns = []
    for market in markets:
        bars = market.bars.columns()
        length = timeframe_ns(market.bars.timeframe)
        columns.append((bars["open_time"] + length, bars["close"]))
    begun = max(int(times[0]) if times.size else 0 for times, _ in columns)
    rows: dict[int, dict[str, int]] = {}
    for market, (times, closes) in zip(markets, columns, strict=True):
        for time, close in zip(times.tolist(), closes.tolist(), strict=True):
            if time >= begun:
                rows.setdefault(time, {})[market.key] = close
    yield from sorted(rows.items())

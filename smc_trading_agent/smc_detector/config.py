"""What a detector reads, and how: timeframe, grids, and the parameters of the concepts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Unpack

import numpy as np

from smc_trading_agent._core import Bar, Instrument, QualityGate, detector_config, timeframe_ns
from smc_trading_agent.domain.errors import ConfigError, DataError
from smc_trading_agent.smc_detector.parameters import Parameters
from smc_trading_agent.smc_detector.refusals import refusal

Step = str | Decimal | float
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SMALL_LOT = "0.00000001"


@dataclass(frozen=True, init=False, repr=False)
class DetectorConfig:
    """Timeframe, price and volume grid, and every parameter; equal where all of these are.

    Parameters that are not given have the core's defaults, in each section of its own: docs/reference/detector.md lists
    them, `smc_trading_agent.smc_detector.parameters` types them.

        DetectorConfig("15m", tick_size="0.01", swing={"size": 30}, fair_value_gap={"min_size_atr": 0})
    """

    timeframe: str
    """Length of a bar: 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d or 1w."""

    tick_size: str
    """Price step, exact decimal text; prices are whole numbers of it."""

    lot_size: str
    """Volume step, exact decimal text; volumes are rounded to it."""

    parameters_json: str
    """Every parameter, as JSON with sorted keys."""

    instrument: Instrument = field(compare=False)
    """The grids, as the core has them."""

    def __init__(
        self, timeframe: str, tick_size: Step, lot_size: Step = SMALL_LOT, **parameters: Unpack[Parameters]
    ) -> None:
        """Raises `ConfigError`, which names the key, the value and what it takes."""
        try:
            timeframe_ns(timeframe)
            parameters_json = detector_config(json.dumps(parameters))
        except (ValueError, TypeError) as error:
            raise ConfigError(str(error)) from error
        tick, lot = _step("tick_size", tick_size), _step("lot_size", lot_size)
        self._set(timeframe, tick, lot, parameters_json)

    def _set(self, timeframe: str, tick: str, lot: str, parameters_json: str) -> None:
        values = (timeframe, tick, lot, parameters_json, Instrument("", "", tick, lot))
        for name, value in zip(self.__dataclass_fields__, values, strict=True):
            object.__setattr__(self, name, value)

    @classmethod
    def of_core(cls, timeframe: str, tick: str, lot: str, parameters_json: str) -> DetectorConfig:
        """From the texts of another one's fields."""
        return cls(timeframe, tick, lot, **json.loads(parameters_json))

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter by section, the defaults included; a copy."""
        made: dict[str, Any] = json.loads(self.parameters_json)
        return made

    def to_ticks(self, price: float) -> int:
        """A price as a whole number of ticks; `DataError` where it is no positive multiple of the tick size."""
        try:
            return self.instrument.price_to_ticks(price)
        except ValueError as error:
            raise DataError(f"price {price}: {error}; round it to the tick size, or correct the tick size") from error

    def to_price(self, ticks: int) -> float:
        """Ticks as a price: the double nearest to the exact decimal."""
        return self.instrument.ticks_to_price(ticks)

    def bar(
        self,
        open_time: int | datetime,
        open: float,  # noqa: A002
        high: float,
        low: float,
        close: float,
        volume: float = 0.0,
        taker_buy_volume: float = 0.0,
    ) -> Bar:
        """A closed candle out of decimal prices, for `Detector.update`.

        ``open_time`` is in ns since the epoch, or a datetime; without a zone it is read as UTC. The part of the volume
        whose taker bought is 0 where it isn't known. `DataError` names the value that makes it no bar: the same checks
        as for the rows of `detect`.
        """
        time = _nanoseconds(open_time) if isinstance(open_time, datetime) else open_time
        row = {"open": open, "high": high, "low": low, "close": close}
        row |= {"volume": volume, "taker_buy_volume": taker_buy_volume}
        gate = QualityGate(self.instrument, self.timeframe)
        bars = gate.admit(np.array([time], dtype=np.int64), *(np.array([value], dtype=float) for value in row.values()))
        if gate.rejected:
            raise DataError(refusal(gate.quarantine[0][2], "the bar", time, row, self))
        return bars[0]

    def __reduce__(self) -> tuple[Any, ...]:
        """For copies and other processes."""
        return DetectorConfig.of_core, (self.timeframe, self.tick_size, self.lot_size, self.parameters_json)

    def __repr__(self) -> str:
        defaults = json.loads(detector_config())
        changed = "".join(f", {key}={value!r}" for key, value in self.parameters.items() if value != defaults.get(key))
        return f"DetectorConfig({self.timeframe!r}, {self.tick_size!r}, {self.lot_size!r}{changed})"


def _step(name: str, value: Step) -> str:
    """Exact decimal text; a float stands for its shortest text, as 0.1 does for one tenth."""
    try:
        text = format(Decimal(str(value)), "f")
        Instrument("", "", text, text)
    except (ValueError, InvalidOperation) as error:
        raise ConfigError(
            f"{name} is {value!r}; it must be a positive decimal step with at most 12 places, such as 0.01"
        ) from error
    return Instrument("", "", text, text).tick_size


def _nanoseconds(time: datetime) -> int:
    aware = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    return (aware - EPOCH) // timedelta(microseconds=1) * 1_000

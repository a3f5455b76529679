"""Bars out of whatever table the caller has, or one sentence on why it can't be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smc_trading_agent._core import Bars, QualityGate, timeframe_ns
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.smc_detector.config import DetectorConfig
from smc_trading_agent.smc_detector.frames import Floats, floats, is_pandas, name_of
from smc_trading_agent.smc_detector.refusals import PRICES, refusal
from smc_trading_agent.smc_detector.times import Nanoseconds, open_times

FEW_ROWS = 10  # fewer may lie apart by chance


def bars_of(data: object, config: DetectorConfig) -> Bars:
    """The rows of ``data`` as bars of the core.

    ``data`` is a pandas or Polars DataFrame, anything with the Arrow C stream interface (a pyarrow Table or
    RecordBatchReader), a mapping of names to one-dimensional arrays of one length, or `Bars`. `DataError` names the
    first row that is no bar, the value and the remedy; a gap in time is no error.
    """
    if isinstance(data, Bars):
        if data.timeframe != config.timeframe:
            raise DataError(f"these are {data.timeframe} bars, and the configuration reads {config.timeframe} bars")
        return data
    frame = _frame(data)
    try:
        times = open_times(frame)
        prices = floats(frame, *PRICES)
        volume, bought = (_optional(frame, *names) for names in (("volume",), ("taker_buy_volume", "taker_buy_base")))
    except (ValueError, LookupError, TypeError) as error:
        raise DataError(_said(error)) from error
    gate = QualityGate(config.instrument, config.timeframe)
    bars = gate.admit(times, prices[0], prices[1], prices[2], prices[3], volume, bought)
    if gate.rejected:
        number, time, name = gate.quarantine[0]
        row = dict(zip((*PRICES, "volume", "taker_buy_volume"), (*prices, volume, bought), strict=True))
        values = {key: float(column[number]) for key, column in row.items()}
        before = int(times[number - 1]) if number else 0
        hint = _mostly_apart(times, config) if name == "misaligned_open_time" else ""
        raise DataError(refusal(name, f"row {number}", time, values, config, before) + hint)
    _refuse_wider_spacing(times, config)
    return bars


def _frame(data: object) -> object:
    try:
        if isinstance(data, Mapping):
            return pl.DataFrame({str(name): values for name, values in data.items()}, strict=False)
        if hasattr(data, "__arrow_c_stream__") and not isinstance(data, pl.DataFrame) and not _looks_like_pandas(data):
            return pl.DataFrame(cast(Any, data))
        is_pandas(data)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise DataError(f"the data can't be read as a table: {_said(error)}") from error
    return data


def _looks_like_pandas(data: object) -> bool:
    return type(data).__module__.partition(".")[0] == "pandas"


def _optional(frame: object, *names: str) -> Floats:
    """The first of the columns that is there; zeros where none is."""
    for name in names:
        if name_of(frame, name) is not None:
            return floats(frame, name)[0]
    return np.zeros(len(cast(Any, frame)))


def _said(error: Exception) -> str:
    """The first line of an error's text; KeyError and its kin would quote it."""
    text = str(error.args[0]) if error.args else type(error).__name__
    return text.partition("\n")[0]


def _steps(times: Nanoseconds, config: DetectorConfig) -> NDArray[np.float64]:
    return np.diff(times) / timeframe_ns(config.timeframe)


def _mostly_apart(times: Nanoseconds, config: DetectorConfig) -> str:
    """What the rows' spacing says, where it isn't the timeframe."""
    steps = _steps(times, config)
    if steps.size == 0 or float(common := np.median(steps)) == 1.0:
        return ""
    return f"; the rows are mostly {common * timeframe_ns(config.timeframe) / 60e9:g} minutes apart"


def _refuse_wider_spacing(times: Nanoseconds, config: DetectorConfig) -> None:
    if times.size > FEW_ROWS and float((steps := _steps(times, config)).min()) > 1.0:
        minutes = float(np.median(steps)) * timeframe_ns(config.timeframe) / 60e9
        raise DataError(
            f"no two neighbouring rows are {config.timeframe} apart, most are {minutes:g} minutes; "
            "give the timeframe that the bars have"
        )

"""Why a row is no bar, in a sentence that names the row, the value and the remedy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from smc_trading_agent._core import Instrument

PRICES = ("open", "high", "low", "close")


class Grids(Protocol):
    """The part of a configuration that a row is judged by."""

    @property
    def timeframe(self) -> str: ...
    @property
    def tick_size(self) -> str: ...
    @property
    def lot_size(self) -> str: ...
    @property
    def instrument(self) -> Instrument: ...


def utc_text(time: int) -> str:
    """A time in ns since the epoch as people read it."""
    seconds, rest = divmod(time, 1_000_000_000)
    try:
        whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{time} ns"
    return f"{whole}.{rest:09d} UTC" if rest else f"{whole} UTC"


def refusal(name: str, place: str, time: int, row: Mapping[str, float], grids: Grids, before: int = 0) -> str:
    """The sentence for the rejection ``name`` of the quality gate; ``before`` is the opening time of the row before."""
    at = f"{place} ({utc_text(time)})"
    if name == "nan":
        return f"{at}: {_not_finite(row, grids)}"
    if name in ("non_positive_price", "negative_volume"):
        key, value = next((key, value) for key, value in row.items() if value < 0 or (key in PRICES and value == 0))
        return f"{at}: {key} is {value}; correct it, or drop the row"
    if name == "high_below_low":
        return f"{at}: high {row['high']} is below low {row['low']}; correct it, or drop the row"
    if name == "open_or_close_outside_range":
        key = "close" if row["low"] <= row["open"] <= row["high"] else "open"
        where = f"outside low {row['low']} to high {row['high']}"
        return f"{at}: {key} {row[key]} lies {where}; correct it, or drop the row"
    if name == "off_tick_grid":
        key = next((key for key in PRICES if _off_grid(row[key], grids)), "open")
        return (
            f"{at}: {key} {row[key]} is no multiple of tick_size {grids.tick_size}; "
            "give the true tick_size, or round the prices to it"
        )
    if name == "duplicate":
        return f"{at}: the row before opens at the same time; keep one of them"
    if name == "out_of_order":
        return f"{at}: the row before opens later, at {utc_text(before)}; sort the rows by time"
    return (
        f"{at}: no {grids.timeframe} bar opens then (they begin at UTC midnight, weeks on Monday); "
        "give opening times in UTC, or the timeframe that the bars have"
    )


def _not_finite(row: Mapping[str, float], grids: Grids) -> str:
    for key, value in row.items():
        if not math.isfinite(value):
            return f"{key} is {value}; fill it in, or drop the row"
    key, value = max(row.items(), key=lambda item: item[1])
    step = f"tick_size {grids.tick_size}" if key in PRICES else f"lot_size {grids.lot_size}"
    return f"{key} {value} is too large to be counted in steps of {step}; give a larger step"


def _off_grid(price: float, grids: Grids) -> bool:
    try:
        grids.instrument.price_to_ticks(price)
    except ValueError:
        return True
    return False

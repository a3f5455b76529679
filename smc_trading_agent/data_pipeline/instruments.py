"""Which instrument and which timeframe a file holds: known symbols by name, all others from their own numbers."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import Instrument, timeframe_ns
from smc_trading_agent.data_pipeline.files import CandleTable, Floats, Integers, MarketFile
from smc_trading_agent.domain.errors import DataError

TIMEFRAMES = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w")
MAX_PRICE_PLACES = 10
MAX_LOT_PLACES = 8
LOT_SHARE = 0.99  # share of volumes that must lie on a lot grid; odd remainders of a few bars don't count
MAX_STEPS = 2**62


class Grids(msgspec.Struct, frozen=True):
    """The steps a venue has used for a symbol over the years, coarsest first, and its smallest order value."""

    ticks: tuple[str, ...]
    lots: tuple[str, ...]
    min_notional: str


SPOT = "binance"
FUTURES = "binance_usdm"
FX = "fx"
SYNTHETIC = "synthetic"

_SPOT_GRIDS: dict[str, Grids] = {
    "BTCUSDT": Grids(("0.01",), ("0.00001", "0.000001"), "10"),
    "ETHUSDT": Grids(("0.01",), ("0.0001", "0.00001"), "10"),
    "SOLUSDT": Grids(("0.01", "0.001", "0.0001"), ("0.01", "0.001"), "10"),
    "BNBUSDT": Grids(("0.1", "0.01", "0.0001"), ("0.001", "0.0001"), "10"),
    "XRPUSDT": Grids(("0.0001", "0.00001"), ("1", "0.1", "0.01"), "10"),
    "DOGEUSDT": Grids(("0.0001", "0.00001", "0.0000001"), ("1", "0.1"), "10"),
    "ADAUSDT": Grids(("0.001", "0.0001", "0.00001"), ("0.1", "0.01"), "10"),
    "LINKUSDT": Grids(("0.01", "0.001", "0.0001"), ("0.01", "0.001"), "10"),
    "TRXUSDT": Grids(("0.0001", "0.00001"), ("0.1",), "10"),
    "XRPETH": Grids(("0.0000001", "0.00000001"), ("1",), "0.005"),
}
_FUTURES_GRIDS: dict[str, Grids] = {
    "BTCUSDT": Grids(("0.1", "0.01"), ("0.001",), "5"),
    "ETHUSDT": Grids(("0.01",), ("0.001",), "5"),
    "SOLUSDT": Grids(("0.001", "0.0001"), ("1",), "5"),
    "TRXUSDT": Grids(("0.00001",), ("1",), "5"),
}
_FX_GRIDS: dict[str, Grids] = {
    **{pair: Grids(("0.00001",), ("1",), "1") for pair in ("EURUSD", "GBPUSD", "AUDUSD", "NZDUSD", "USDCHF", "USDCAD")},
    **{pair: Grids(("0.001",), ("1",), "1") for pair in ("USDJPY", "EURJPY", "GBPJPY")},
}
KNOWN: dict[str, dict[str, Grids]] = {
    SPOT: _SPOT_GRIDS,
    FUTURES: _FUTURES_GRIDS,
    FX: _FX_GRIDS,
    SYNTHETIC: dict.fromkeys(("SYNUSDT", "SYN2USDT"), Grids(("0.01",), ("0.00001",), "10")),
}
"""Grids by venue and symbol."""

_VENUE_WORDS = ("binance_spot", "binance_usdm", "binance_us", "binance", "bitstamp", "bybit", "comex", "okx", "oanda")
_VENUE_NAMES = {"binance_spot": SPOT, "oanda": FX}


class Overrides(msgspec.Struct, frozen=True):
    """What the caller says about a file; an empty text leaves the question to the file."""

    venue: str = ""
    symbol: str = ""
    tick_size: str = ""
    lot_size: str = ""
    timeframe: str = ""


def instrument_of(file: MarketFile, overrides: Overrides) -> Instrument:
    """The instrument of a file: what the caller says, else what its labels say, else as inferred.

    Tick and lot are inferred as the coarsest steps that the venue is known to have used and that hold the
    file's numbers: every price that lies on any of these ticks (so that a corrupt price refines nothing) and
    99 % of the volumes. A symbol without known steps takes decimal ones, of at most 10 and 8 places.
    Raises `DataError` when an override is no positive decimal step.
    """
    venue, symbol = venue_and_symbol(file.path, file.symbol)
    venue, symbol = overrides.venue or file.labels.get("venue", venue), overrides.symbol or symbol
    grids = KNOWN.get(venue, {}).get(symbol)
    prices, quantities = _numbers(file)
    if grids is None:
        grids = Grids(_decimal_steps(MAX_PRICE_PLACES), _decimal_steps(MAX_LOT_PLACES), "0")
    tick = overrides.tick_size or _tick_for(prices, grids.ticks)
    lot = overrides.lot_size or _lot_for(quantities, grids.lots)
    try:
        return Instrument(venue, symbol, tick, lot, grids.min_notional)
    except ValueError as error:
        raise DataError(f"{file.path}: tick size {tick!r} and lot size {lot!r} make no instrument: {error}") from error


def venue_and_symbol(path: Path, symbol_in_file: str = "") -> tuple[str, str]:
    """Venue and symbol from a name such as ``binance_spot_BTCUSDT_1m.parquet`` or ``BTCUSDT-1m-2023-06-01.zip``.

    The symbol column of the file, where there is one, counts more than the name. A name without a venue is
    looked up among Binance's spot symbols (the public archive names its files so) and currency pairs; what
    is known to neither belongs to the venue ``file``.
    """
    stem = re.sub(r"[^A-Za-z0-9]+", "_", path.name.split(".")[0])
    venue_word = next((word for word in _VENUE_WORDS if stem.lower().startswith(word + "_")), "")
    tokens = [token for token in stem[len(venue_word) :].split("_") if token]
    symbol = symbol_in_file.upper() or _symbol_among(tokens) or (stem.upper() or "UNKNOWN")
    if venue_word:
        return _VENUE_NAMES.get(venue_word, venue_word), symbol
    return next((venue for venue in (SPOT, FX) if symbol in KNOWN[venue]), "file"), symbol


def _symbol_among(tokens: list[str]) -> str:
    known = {symbol for symbols in KNOWN.values() for symbol in symbols}
    for token in tokens:
        if token.upper() in known:
            return token.upper()
    return next((token for token in tokens if re.fullmatch(r"[A-Z][A-Z0-9]{4,}", token)), "")


def instrument_named(venue: str, symbol: str) -> Instrument:
    """The instrument of a known symbol, on the coarsest grids its venue has used; `DataError` if unknown."""
    grids = KNOWN.get(venue, {}).get(symbol)
    if grids is None:
        raise DataError(f"{venue}:{symbol} is no known instrument; give its tick and lot size")
    return Instrument(venue, symbol, grids.ticks[0], grids.lots[0], grids.min_notional)


def timeframe_of(path: Path, open_time: Integers, override: str = "") -> str:
    """The timeframe of candles: the most common step forward between neighbouring rows.

    A single row takes it from the file's name. `DataError` when the step is no known timeframe.
    """
    if override:
        return checked_timeframe(override)
    steps = np.diff(open_time)
    steps = steps[steps > 0]
    if steps.size == 0:
        named = [token for token in re.split(r"[^A-Za-z0-9]+", path.name) if token in TIMEFRAMES]
        if named:
            return named[0]
        raise DataError(
            f"{path}: no row is later than the one before it, so its timeframe can't be told; name it with timeframe"
        )
    values, counts = np.unique(steps, return_counts=True)
    common = int(values[np.argmax(counts)])
    for name in TIMEFRAMES:
        if timeframe_ns(name) == common:
            return name
    raise DataError(
        f"{path}: the most common step between rows is {common / 1e9:g} s, which is none of {', '.join(TIMEFRAMES)}; "
        "resample the file, or name its timeframe"
    )


def checked_timeframe(name: str) -> str:
    """``name`` itself, or `DataError` listing the known timeframes."""
    if name not in TIMEFRAMES:
        raise DataError(f"timeframe {name!r} is unknown; use one of {', '.join(TIMEFRAMES)}")
    return name


def values_of(steps: Integers, step: str) -> Floats:
    """Decimal values of whole numbers of ``step``, each the double nearest to the exact value."""
    mantissa, scale = _mantissa_and_scale(step)
    return steps * mantissa / 10.0**scale


def steps_of(values: Floats, step: str, slack: float = 1e-4) -> tuple[Integers, NDArray[np.bool_]]:
    """Nearest whole number of ``step`` for each value, and whether the value lies on that grid.

    It does when it is off by at most a relative 1e-12, the rounding of a double, or by ``slack`` of a step,
    by default that of the core's grids. What is not finite or beyond 62 bits of steps gives 0 and False.
    """
    mantissa, scale = _mantissa_and_scale(step)
    tolerance = slack * mantissa / 10.0**scale
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.round(values * 10.0**scale / mantissa)
    sane = np.isfinite(steps) & (np.abs(steps) < MAX_STEPS)
    steps = np.where(sane, steps, 0.0)
    with np.errstate(invalid="ignore"):
        error = np.abs(steps * mantissa / 10.0**scale - values)
        fits = sane & (error <= np.maximum(tolerance, np.abs(values) * 1e-12))
    return steps.astype(np.int64), fits


def _mantissa_and_scale(step: str) -> tuple[int, int]:
    """``mantissa * 10**-scale == step``, both whole."""
    size = Decimal(step).normalize()
    scale = max(0, -int(size.as_tuple().exponent))
    return int(size.scaleb(scale)), scale


def _numbers(file: MarketFile) -> tuple[Floats, Floats]:
    rows = file.rows
    if isinstance(rows, CandleTable):
        return np.concatenate([rows.open, rows.high, rows.low, rows.close]), rows.volume
    return rows.price, rows.quantity


def _decimal_steps(places: int) -> tuple[str, ...]:
    return ("1", *(f"0.{'0' * (place - 1)}1" for place in range(1, places + 1)))


def _on_grid(values: Floats, step: str) -> NDArray[np.bool_]:
    """Without slack: a small value lies close to zero steps of any coarse grid, and is on none of them."""
    return steps_of(values, step, slack=0.0)[1]


def _tick_for(prices: Floats, ticks: tuple[str, ...]) -> str:
    if len(ticks) == 1:
        return ticks[0]
    left = prices[np.isfinite(prices) & (prices > 0)]
    left = left[_on_grid(left, ticks[-1])]
    if left.size == 0:
        return ticks[-1]
    for tick in ticks:
        left = left[~_on_grid(left, tick)]
        if left.size == 0:
            return tick
    return ticks[-1]


def _lot_for(quantities: Floats, lots: tuple[str, ...]) -> str:
    usable = quantities[np.isfinite(quantities) & (quantities > 0)]
    if usable.size == 0:
        return lots[0]
    left, chosen = usable, lots[0]
    largest = float(usable.max())
    for lot in lots:
        if largest / float(lot) >= MAX_STEPS:
            break
        chosen = lot
        left = left[~_on_grid(left, lot)]
        if left.size <= usable.size * (1 - LOT_SHARE):
            break
    return chosen

"""Which columns a market data file may have, under all the names they go by, and what each of them means to us."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from smc_trading_agent.domain.errors import DataError

_PRICES: dict[str, tuple[str, ...]] = {name: (name,) for name in ("open", "high", "low", "close")}
_CANDLE_TIME = ("open_time", "opentime", "timestamp", "unix", "unix_timestamp", "datetime", "date", "time")
_FLOW: dict[str, tuple[str, ...]] = {
    "volume": ("volume", "vol", "base_volume"),
    "tick_volume": ("tick_volume", "tickvol", "tickvolume"),
    "trades": ("trades", "number_of_trades", "num_trades", "trade_count", "n_trades", "count"),
    "taker_buy_volume": (
        "taker_buy_base",
        "taker_buy_volume",
        "taker_buy_base_volume",
        "taker_buy_base_asset_volume",
    ),
}
_CANDLE_UNUSED = (
    "close_time",
    "quote_volume",
    "quote_asset_volume",
    "taker_buy_quote",
    "taker_buy_quote_volume",
    "taker_buy_quote_asset_volume",
    "ignore",
    "spread",
    "interval",
)
_TRADE_UNUSED = (
    "id",
    "trade_id",
    "tradeid",
    "market_trade_id",
    "agg_trade_id",
    "first_trade_id",
    "last_trade_id",
    "local_timestamp",
    "timestampofreceive",
    "eventtime",
    "eventtype",
    "stream",
    "cost",
    "quote_qty",
    "is_best_match",
    "munknownparameter",
    "xunknownparameter",
)
_NAMING = {"symbol": ("symbol", "pair", "ticker"), "venue": ("exchange", "market")}


class Layout(msgspec.Struct, frozen=True):
    """One kind of file. ``columns`` maps our name to its aliases, the preferred first; ``unused`` may be there."""

    kind: str
    columns: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    unused: tuple[str, ...]

    def known(self) -> list[str]:
        """Every column name this layout knows, sorted."""
        return sorted({alias for aliases in self.columns.values() for alias in aliases} | set(self.unused))


CANDLES = Layout(
    kind="candles",
    columns={"open_time": _CANDLE_TIME, **_PRICES, **_FLOW, **_NAMING},
    required=("open_time", "open", "high", "low", "close"),
    unused=_CANDLE_UNUSED,
)
QUOTED_CANDLES = Layout(
    kind="candles of bid and ask",
    columns={
        "open_time": _CANDLE_TIME,
        **{name: (f"bid_{name}",) for name in _PRICES},
        **_FLOW,
        **_NAMING,
    },
    required=CANDLES.required,
    unused=(*_CANDLE_UNUSED, *(f"ask_{name}" for name in _PRICES)),
)
TRADES = Layout(
    kind="trades",
    columns={
        "time": ("transaction_time", "transactiontime", "transact_time", "trade_time", "timestamp", "time", "ts"),
        "price": ("price",),
        "quantity": ("quantity", "qty", "amount", "size"),
        "side": ("side", "taker_side"),
        "buyer_is_maker": ("is_buyer_maker", "isbuyermaker", "isbuyermarketmaker", "buyer_is_maker"),
        **_NAMING,
    },
    required=("time", "price", "quantity"),
    unused=_TRADE_UNUSED,
)

ARCHIVE_KLINE_COLUMNS = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "trades",
    "taker_buy_base",
    "taker_buy_quote",
    "ignore",
)
"""The twelve columns of Binance's public kline archive, whose files have no header."""


def normal_name(name: str) -> str:
    """A column name in lower case with single underscores: ``<Open Time>`` becomes ``open_time``."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def recognise(file: str, names: Sequence[str]) -> Layout:
    """The layout that columns ``names`` (normalised) belong to; `DataError` names what is missing otherwise."""
    present = set(names)
    if "bid_open" in present and "open" not in present:
        return QUOTED_CANDLES
    if "price" in present and not present & set(_PRICES):
        return TRADES
    if present & set(_PRICES):
        return CANDLES
    kind = "quotes, which make no bars" if {"bid_price", "ask_price"} <= present else "neither candles nor trades"
    raise DataError(
        f"{file} holds {kind}: its columns are {', '.join(names)}. Candles need {', '.join(CANDLES.required)}; "
        f"trades need a time, price and quantity."
    )


def assign(file: str, layout: Layout, names: Sequence[str], ignore_unknown: bool) -> dict[str, str]:
    """Maps each of our names that the file has to its column; refuses missing, doubled and unknown columns.

    Of several aliases of one name the first of the layout counts and the others stay unused.
    """
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DataError(f"{file} has the column {doubled[0]!r} more than once; keep one of them")
    unknown = [name for name in names if name not in layout.known()]
    if unknown and not ignore_unknown:
        raise DataError(
            f"{file} has unknown columns: {', '.join(map(repr, unknown))}. Known columns of {layout.kind}: "
            f"{', '.join(layout.known())}. Drop the unknown ones from the file, or pass --ignore-unknown-columns."
        )
    found = {
        ours: next(alias for alias in aliases if alias in names)
        for ours, aliases in layout.columns.items()
        if any(alias in names for alias in aliases)
    }
    missing = [name for name in layout.required if name not in found]
    if missing:
        wanted = "; ".join(f"{name} (also read from {', '.join(layout.columns[name])})" for name in missing)
        raise DataError(f"{file} lacks the column {wanted}. It has: {', '.join(names)}.")
    return found

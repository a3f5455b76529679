"""Reads files of candles or trades (Parquet, CSV, gzipped CSV, archive zip) into columns of one layout."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
import zlib
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from smc_trading_agent.data_pipeline.layout import (
    ARCHIVE_KLINE_COLUMNS,
    QUOTED_CANDLES,
    TRADES,
    assign,
    normal_name,
    recognise,
)
from smc_trading_agent.data_pipeline.times import to_nanoseconds
from smc_trading_agent.domain.errors import DataError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SUFFIXES = (".parquet", ".csv", ".csv.gz", ".zip")
LABELS = ("synthetic", "venue", "symbol")
"""Parquet metadata that we write and read: ``synthetic`` is ``true`` in a file that was made, not recorded."""


class CandleTable(msgspec.Struct, frozen=True):
    """Raw candle rows in file order: times in ns UTC, prices and volumes as floats, NaN where unreadable."""

    open_time: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    taker_buy_volume: Floats | None
    trades: Integers | None


class TradeTable(msgspec.Struct, frozen=True):
    """Raw trades in file order; ``taker_side`` is +1, -1, or 0 where unknown."""

    time: Integers
    price: Floats
    quantity: Floats
    taker_side: NDArray[np.int8] | None


class MarketFile(msgspec.Struct, frozen=True):
    """A file as read: its rows, a short hash of its bytes, and what it says of itself.

    ``symbol`` is that of its symbol column or its label, "" without either; ``labels`` are its metadata.
    """

    path: Path
    content_hash: str
    rows: CandleTable | TradeTable
    symbol: str
    labels: dict[str, str]
    notes: tuple[str, ...]


def read_market_file(path: Path, *, ignore_unknown: bool = False) -> MarketFile:
    """Reads a file of candles or trades.

    Raises `DataError` for a missing, empty or unreadable file, a directory, a table without rows, a column
    that is unknown (unless ``ignore_unknown``), missing or of the wrong type. Single values that are no
    numbers become NaN, which the quality gate quarantines.
    """
    data = _bytes_of(path)
    table, labels = _table_of(path, data)
    if table.height == 0:
        raise DataError(f"{path} has columns but no rows; export it again")
    names = [normal_name(name) for name in table.columns]
    layout = recognise(str(path), names)
    columns = assign(str(path), layout, names, ignore_unknown)
    table.columns = names
    reader = _Reader(str(path), table, columns)
    rows = reader.trades() if layout is TRADES else reader.candles()
    if layout is QUOTED_CANDLES:
        reader.notes.append("bid and ask candles: the bid side is read as the price")
    return MarketFile(
        path=path,
        content_hash=hashlib.blake2b(data, digest_size=8).hexdigest(),
        rows=rows,
        symbol=reader.symbol() or labels.get("symbol", ""),
        labels=labels,
        notes=tuple(reader.notes),
    )


def _bytes_of(path: Path) -> bytes:
    if path.is_dir():
        raise DataError(f"{path} is a directory; name one file in it")
    if not path.name.lower().endswith(SUFFIXES):
        raise DataError(f"{path} has none of the known endings {', '.join(SUFFIXES)}; convert or rename it")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; check the path (relative to {Path.cwd()})") from None
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}; check its permissions") from error
    if not data:
        raise DataError(f"{path} is empty (0 bytes); fetch or export it again")
    return data


def _table_of(path: Path, data: bytes) -> tuple[pl.DataFrame, dict[str, str]]:
    """The raw table, and the labels among its metadata."""
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            metadata = pl.read_parquet_metadata(io.BytesIO(data))
            return pl.read_parquet(io.BytesIO(data)), {key: metadata[key] for key in LABELS if key in metadata}
        if name.endswith(".gz"):
            data = gzip.decompress(data)
        elif name.endswith(".zip"):
            data = _only_member(path, data)
        return _csv(path, data), {}
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        OSError,
        EOFError,
        ValueError,
        RuntimeError,  # an encrypted archive, or one of an unknown compression
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        what = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(
            f"{path} is no readable {path.suffix.lstrip('.')} file: {what}; fetch or export it again"
        ) from error


def _only_member(path: Path, data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) != 1:
            raise DataError(f"{path} holds {len(members)} files; an archive of market data holds exactly one CSV")
        return archive.read(members[0])


def _csv(path: Path, data: bytes) -> pl.DataFrame:
    """Every column as text, so that a bad value can be told from a missing one."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    first = data.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    if not first:
        raise DataError(f"{path} starts with an empty line or holds nothing; its first line must name the columns")
    separator = max(",;\t", key=first.count)
    names = [name.strip() for name in first.split(separator)]
    headless = _is_number(names[0])
    if headless and len(names) != len(ARCHIVE_KLINE_COLUMNS):
        raise DataError(
            f"{path} has no header line and {len(names)} columns; only Binance's archive of "
            f"{len(ARCHIVE_KLINE_COLUMNS)} columns is read without a header. Add a first line that names the columns."
        )
    return pl.read_csv(
        io.BytesIO(data),
        has_header=not headless,
        new_columns=list(ARCHIVE_KLINE_COLUMNS) if headless else None,
        separator=separator,
        infer_schema=False,
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class _Reader:
    """Turns the columns of one table into arrays, noting what a person should know."""

    def __init__(self, file: str, table: pl.DataFrame, columns: dict[str, str]) -> None:
        self._file = file
        self._table = table
        self._columns = columns
        self.notes: list[str] = []

    def candles(self) -> CandleTable:
        return CandleTable(
            open_time=to_nanoseconds(self._file, self._series("open_time")),
            open=self._floats("open"),
            high=self._floats("high"),
            low=self._floats("low"),
            close=self._floats("close"),
            volume=self._volume(),
            taker_buy_volume=self._floats("taker_buy_volume") if "taker_buy_volume" in self._columns else None,
            trades=self._counts("trades") if "trades" in self._columns else None,
        )

    def trades(self) -> TradeTable:
        return TradeTable(
            time=to_nanoseconds(self._file, self._series("time")),
            price=self._floats("price"),
            quantity=self._floats("quantity"),
            taker_side=self._taker_side(),
        )

    def symbol(self) -> str:
        """The symbol its column names, or ""; a file of several symbols is refused."""
        if "symbol" not in self._columns:
            return ""
        symbols = self._series("symbol").cast(pl.String).drop_nulls().unique().sort()
        if symbols.len() > 1:
            raise DataError(
                f"{self._file} holds {symbols.len()} symbols ({', '.join(symbols.head(5))}); split it, one a file"
            )
        return str(symbols[0]) if symbols.len() else ""

    def _series(self, ours: str) -> pl.Series:
        return self._table[self._columns[ours]]

    def _volume(self) -> Floats:
        volume = self._floats("volume") if "volume" in self._columns else None
        if volume is not None and ("tick_volume" not in self._columns or np.any(volume != 0)):
            return volume
        if "tick_volume" in self._columns:
            self.notes.append(f"volume is the tick count of column {self._columns['tick_volume']!r}")
            return self._floats("tick_volume")
        self.notes.append("no volume column: volumes are read as 0")
        return np.zeros(self._table.height)

    def _floats(self, ours: str) -> Floats:
        """A column as float64, NaN for missing values and for texts that are no numbers."""
        column = self._series(ours)
        if column.dtype == pl.String:
            column = self._parsed(column)
        elif column.dtype == pl.Float32:
            column = column.cast(pl.Float64).round_sig_figs(7)  # the decimal digits a single float can carry
        elif not (column.dtype.is_numeric() or column.dtype == pl.Null):
            raise DataError(f"{self._file}: column {column.name!r} is of type {column.dtype}; it must hold numbers")
        return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()

    def _parsed(self, column: pl.Series) -> pl.Series:
        text = column.str.strip_chars()
        numbers = text.cast(pl.Float64, strict=False)
        odd = numbers.is_null() & text.is_not_null() & (text != "")
        count = int(odd.sum())
        if count:
            row = int(odd.arg_max() or 0)
            where = f"column {column.name!r} holds {column[row]!r} in row {row}"
            if numbers.null_count() == numbers.len():
                raise DataError(f"{self._file}: {where} and no number in any row; it must hold numbers")
            self.notes.append(f"{where}, which is no number ({count:,} such values)")
        return numbers

    def _counts(self, ours: str) -> Integers:
        """A column of counts as int64; what is missing, negative or no number counts as 0."""
        counts = self._floats(ours)
        return np.where(counts > 0, np.nan_to_num(counts, posinf=0.0), 0.0).astype(np.int64)

    def _taker_side(self) -> NDArray[np.int8] | None:
        if "buyer_is_maker" in self._columns:
            maker = self._series("buyer_is_maker").cast(pl.String).str.to_lowercase()
            return _signs(maker, buys=("false", "0"), sells=("true", "1"))
        if "side" not in self._columns:
            self.notes.append("no side column: the taker's side is unknown")
            return None
        side = self._series("side").cast(pl.String).str.to_lowercase()
        if side.is_in(["o", "a", "offer", "ask", "bid"]).any():
            # These words name the side of the book that was hit, so the taker stood on the other one.
            return _signs(side, buys=("o", "a", "offer", "ask"), sells=("b", "bid"))
        return _signs(side, buys=("buy", "b", "1"), sells=("sell", "s", "-1"))


def _signs(column: pl.Series, buys: tuple[str, ...], sells: tuple[str, ...]) -> NDArray[np.int8]:
    values = column.is_in(buys).cast(pl.Int8) - column.is_in(sells).cast(pl.Int8)
    return values.fill_null(0).to_numpy()

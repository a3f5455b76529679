"""Every way in which a file can be unusable is a sentence; every bad row is counted and named."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smc_trading_agent.data_pipeline.files import CandleTable, TradeTable, read_market_file
from smc_trading_agent.data_pipeline.layout import CANDLES, assign, normal_name
from smc_trading_agent.data_pipeline.replay import ReplayFeed
from smc_trading_agent.domain.errors import DataError

MINUTE_MS = 60_000
START_MS = 1_704_067_200_000
ROWS = 60


def candles(rows: int = ROWS) -> pl.DataFrame:
    close = 100.0 + np.arange(rows) * 0.25
    return pl.DataFrame(
        {
            "open_time": START_MS + MINUTE_MS * np.arange(rows),
            "open": close - 0.25,
            "high": close + 0.5,
            "low": close - 0.5,
            "close": close,
            "volume": np.full(rows, 1.5),
            "trades": np.full(rows, 3, dtype=np.int32),
            "taker_buy_base": np.full(rows, 0.5),
        }
    )


def with_value(table: pl.DataFrame, column: str, row: int, value: object) -> pl.DataFrame:
    series = table[column].to_list()
    series[row] = value
    return table.with_columns(pl.Series(column, series, strict=False))


def parquet(folder: Path, table: pl.DataFrame, name: str = "candles.parquet") -> Path:
    table.write_parquet(folder / name)
    return folder / name


# ---------------------------------------------------------------- rows that are quarantined, one by one


def corrupted(fault: str) -> pl.DataFrame:
    table = candles()
    match fault:
        case "nan":
            return with_value(table, "close", 7, float("nan"))
        case "missing":
            return with_value(table, "volume", 7, None)
        case "inverted":
            return with_value(with_value(table, "high", 7, 90.0), "low", 7, 120.0)
        case "close_outside":
            return with_value(table, "close", 7, 150.0)
        case "zero_price":
            return with_value(table, "low", 7, 0.0)
        case "negative_volume":
            return with_value(table, "volume", 7, -1.0)
        case "misaligned":
            return with_value(table, "open_time", 7, START_MS + 7 * MINUTE_MS + 1)
        case "duplicate":
            return pl.concat([table[:8], table[7:]])
        case "out_of_order":
            return pl.concat([table[:7], table[8:9], table[7:8], table[9:]])
    raise AssertionError(fault)


@pytest.mark.parametrize(
    ("fault", "reason", "row", "missing"),
    [
        ("nan", "nan", 7, 1),
        ("missing", "nan", 7, 1),
        ("inverted", "high_below_low", 7, 1),
        ("close_outside", "open_or_close_outside_range", 7, 1),
        ("zero_price", "non_positive_price", 7, 1),
        ("negative_volume", "negative_volume", 7, 1),
        ("misaligned", "misaligned_open_time", 7, 1),
        ("duplicate", "duplicate", 8, 0),
        ("out_of_order", "out_of_order", 8, 1),
    ],
)
def test_a_bad_row_is_quarantined_counted_and_named(
    tmp_path: Path, fault: str, reason: str, row: int, missing: int
) -> None:
    table = corrupted(fault)
    report = ReplayFeed.open(parquet(tmp_path, table)).report
    assert report.rejected == {reason: 1}
    assert (report.rows, report.admitted) == (table.height, table.height - 1)
    assert [(bad.row, bad.reason) for bad in report.quarantine] == [(row, reason)]
    assert report.missing_bars == missing
    assert any(reason in line for line in report.sentences())


def test_a_gap_is_admitted_and_counted_never_filled(tmp_path: Path) -> None:
    table = pl.concat([candles()[:20], candles()[50:]])
    feed = ReplayFeed.open(parquet(tmp_path, table))
    assert feed.report.clean
    assert (feed.report.gap_count, feed.report.missing_bars, feed.total_bars) == (1, 30, 30)
    assert feed.report.gaps[0].after == (START_MS + 19 * MINUTE_MS) * 1_000_000
    assert "the longest: 30 after 2024-01-01 00:19:00 UTC" in feed.report.sentences()[-1]


def test_text_among_numbers_is_quarantined_and_told(tmp_path: Path) -> None:
    path = tmp_path / "candles.csv"
    lines = candles().write_csv().splitlines()
    lines[8] = lines[8].replace(lines[8].split(",")[4], "n/a", 1)
    path.write_text("\n".join(lines) + "\n")
    report = ReplayFeed.open(path).report
    assert report.rejected == {"nan": 1}
    assert report.quarantine[0].row == 7
    assert any("'close' holds 'n/a' in row 7" in note for note in report.notes)


def test_too_many_bad_rows_refuse_the_file_unless_allowed(tmp_path: Path) -> None:
    table = candles()
    for row in range(10, 14):
        table = with_value(table, "open", row, float("nan"))
    path = parquet(tmp_path, table)
    with pytest.raises(DataError, match=r"4 of 60 rows can't be used \(nan 4\), more than the 5% allowed; fill in"):
        ReplayFeed.open(path)
    assert ReplayFeed.open(path, max_rejected=0.1).report.rejected == {"nan": 4}


def test_a_file_without_one_good_row_is_refused_at_any_limit(tmp_path: Path) -> None:
    path = parquet(tmp_path, candles().with_columns(pl.lit(-1.0).alias("low")))
    with pytest.raises(DataError, match="no usable bar in 60 rows"):
        ReplayFeed.open(path, max_rejected=1.0)


# ---------------------------------------------------------------- files that are refused whole


def test_a_missing_file_and_a_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.parquet does not exist; check the path"):
        read_market_file(tmp_path / "gone.parquet")
    with pytest.raises(DataError, match="is a directory"):
        read_market_file(tmp_path)


@pytest.mark.parametrize("name", ["empty.parquet", "empty.csv", "empty.zip", "empty.csv.gz"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"is empty \(0 bytes\)"):
        read_market_file(tmp_path / name)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz", ".zip"])
def test_a_table_without_rows_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"none{suffix}"
    text = candles()[:0].write_csv().encode()
    if suffix == ".parquet":
        candles()[:0].write_parquet(path)
    elif suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("none.csv", text)
    else:
        path.write_bytes(gzip.compress(text) if suffix == ".csv.gz" else text)
    with pytest.raises(DataError, match="no rows"):
        read_market_file(path)


@pytest.mark.parametrize("suffix", [".parquet", ".csv.gz", ".zip"])
@pytest.mark.parametrize("content", [b"PAR1 no such thing", b"\x1f\x8b\x08\x00broken", b"PK\x03\x04broken", bytes(99)])
def test_a_broken_file_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"broken{suffix} is no readable"):
        read_market_file(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    for name, data in (
        ("cut.parquet", parquet(tmp_path, candles()).read_bytes()),
        ("cut.csv.gz", gzip.compress(candles().write_csv().encode())),
    ):
        path = tmp_path / name
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(DataError, match="is no readable"):
            read_market_file(path)


def test_ragged_lines_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("open_time,open,high,low,close\n1704067200000,1,2,1,2,9,9\n")
    with pytest.raises(DataError, match="is no readable csv file"):
        read_market_file(path)


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    (tmp_path / "candles.xlsx").write_bytes(b"x")
    with pytest.raises(DataError, match=r"none of the known endings \.parquet, \.csv"):
        read_market_file(tmp_path / "candles.xlsx")


def test_an_archive_of_two_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "x")
    with pytest.raises(DataError, match="holds 2 files"):
        read_market_file(tmp_path / "two.zip")


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", candles().write_csv())
    data = bytearray(path.read_bytes())
    for flags in (6, data.index(b"PK\x01\x02") + 8):
        data[flags] |= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="secret.zip is no readable zip file: .*encrypted"):
        read_market_file(path)


def test_an_unknown_column_is_refused_with_the_known_ones_and_the_remedy(tmp_path: Path) -> None:
    path = parquet(tmp_path, candles().with_columns(pl.lit(1).alias("RSI 14")))
    with pytest.raises(DataError) as refused:
        read_market_file(path)
    for part in ("'rsi_14'", "taker_buy_base", "open_time", "--ignore-unknown-columns"):
        assert part in str(refused.value)
    assert ReplayFeed.open(path, ignore_unknown=True).total_bars == ROWS


def test_a_missing_column_is_named_with_its_aliases(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lacks the column high"):
        read_market_file(parquet(tmp_path, candles().drop("high")))
    with pytest.raises(DataError, match=r"lacks the column open_time \(also read from .*timestamp"):
        read_market_file(parquet(tmp_path, candles().drop("open_time")))


def test_a_doubled_column_is_refused(tmp_path: Path) -> None:
    table = candles().with_columns(pl.col("open").alias("Open"))
    with pytest.raises(DataError, match="'open' more than once"):
        read_market_file(parquet(tmp_path, table))


@pytest.mark.parametrize(
    "values", [[[1.0]] * ROWS, [True] * ROWS, ["a"] * ROWS], ids=["lists", "booleans", "nothing but text"]
)
def test_a_column_of_the_wrong_type_is_refused(tmp_path: Path, values: list[object]) -> None:
    path = parquet(tmp_path, candles().with_columns(pl.Series("close", values)))
    with pytest.raises(DataError, match="'close' .* it must hold numbers"):
        read_market_file(path)


def test_a_file_of_several_symbols_is_refused(tmp_path: Path) -> None:
    table = candles().with_columns(pl.Series("symbol", ["A", "B"] * (ROWS // 2)))
    with pytest.raises(DataError, match=r"holds 2 symbols \(A, B\); split it"):
        read_market_file(parquet(tmp_path, table))


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    quotes = pl.DataFrame({"timestamp": [1], "bid_price": [1.0], "ask_price": [2.0]})
    with pytest.raises(DataError, match="quotes, which make no bars"):
        read_market_file(parquet(tmp_path, quotes))
    with pytest.raises(DataError, match="neither candles nor trades"):
        read_market_file(parquet(tmp_path, pl.DataFrame({"a": [1]})))


def test_a_headless_csv_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bare.csv").write_text("1704067200000,1,2,1,2\n")
    with pytest.raises(DataError, match="no header line and 5 columns"):
        read_market_file(tmp_path / "bare.csv")


# ---------------------------------------------------------------- one table, many spellings


def table_of(path: Path) -> CandleTable:
    rows = read_market_file(path).rows
    assert isinstance(rows, CandleTable)
    return rows


def same(left: CandleTable, right: CandleTable) -> bool:
    return all(
        np.array_equal(getattr(left, name), getattr(right, name))
        for name in ("open_time", "open", "high", "low", "close", "volume", "taker_buy_volume", "trades")
    )


def test_parquet_csv_gzip_and_archive_read_alike(tmp_path: Path) -> None:
    expected = table_of(parquet(tmp_path, candles()))
    text = candles().write_csv()
    (tmp_path / "c.csv").write_text(text)
    (tmp_path / "semicolon.csv").write_text("\ufeff" + text.replace(",", ";"))
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(text.encode()))
    archive_rows = candles().select(
        "open_time", "open", "high", "low", "close", "volume",
        (pl.col("open_time") + MINUTE_MS - 1).alias("close_time"), pl.lit(1.0).alias("quote_volume"),
        "trades", "taker_buy_base", pl.lit(1.0).alias("taker_buy_quote"), pl.lit(0).alias("ignore"),
    )  # fmt: skip
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("BTCUSDT-1m.csv", archive_rows.write_csv(include_header=False))
    for name in ("c.csv", "semicolon.csv", "c.csv.gz", "c.zip"):
        assert same(table_of(tmp_path / name), expected), name


def test_single_precision_and_decimal_prices_read_as_written(tmp_path: Path) -> None:
    expected = table_of(parquet(tmp_path, candles()))
    for kind in (pl.Float32, pl.Decimal(18, 8), pl.String):
        cast = candles().with_columns(pl.col("open", "high", "low", "close", "volume", "taker_buy_base").cast(kind))
        assert same(table_of(parquet(tmp_path, cast)), expected), kind


def test_the_tick_count_stands_in_for_a_volume_that_is_all_zero(tmp_path: Path) -> None:
    table = candles().with_columns(pl.lit(0).alias("Volume"), pl.lit(9).alias("Tickvol")).drop("volume")
    file = read_market_file(parquet(tmp_path, table))
    assert isinstance(file.rows, CandleTable)
    assert set(file.rows.volume) == {9.0}
    assert any("tick count" in note for note in file.notes)


def test_bid_and_ask_candles_read_the_bid_side(tmp_path: Path) -> None:
    one = candles()
    table = one.select(
        "open_time",
        *[pl.col(name).alias(f"bid_{name}") for name in ("open", "high", "low", "close")],
        *[(pl.col(name) + 0.01).alias(f"ask_{name}") for name in ("open", "high", "low", "close")],
    )
    file = read_market_file(parquet(tmp_path, table))
    assert isinstance(file.rows, CandleTable)
    assert np.array_equal(file.rows.close, one["close"].to_numpy())
    assert len(file.notes) == 2


def test_trades_know_the_taker_by_maker_flag_side_word_or_book_side(tmp_path: Path) -> None:
    base = {"timestamp": [START_MS, START_MS + 1], "price": [1.0, 1.1], "qty": [2.0, 3.0]}
    spellings: dict[str, list[bool] | list[int] | list[str]] = {
        "is_buyer_maker": [False, True],
        "IsBuyerMarketMaker": [0, 1],
        "isBuyerMaker": ["False", "TRUE"],
        "side": ["buy", "sell"],
        "taker_side": ["B", "S"],
        "Side": ["O", "B"],
    }
    for name, values in spellings.items():
        rows = read_market_file(parquet(tmp_path, pl.DataFrame({**base, name: values}))).rows
        assert isinstance(rows, TradeTable)
        assert rows.taker_side is not None
        assert rows.taker_side.tolist() == [1, -1], name
    bare = read_market_file(parquet(tmp_path, pl.DataFrame(base)))
    assert isinstance(bare.rows, TradeTable)
    assert bare.rows.taker_side is None


def test_names_are_compared_without_case_and_punctuation() -> None:
    assert normal_name(" <Open Time> ") == "open_time"
    assert (
        assign("f", CANDLES, ["date", "timestamp", "open", "high", "low", "close"], False)["open_time"] == "timestamp"
    )


# ---------------------------------------------------------------- whatever the bytes, a table or a DataError


def refusal(path: Path) -> str:
    """The sentence with which a file is refused; its path where it is read."""
    try:
        ReplayFeed.open(path, max_rejected=1.0)
    except DataError as refused:
        return str(refused)
    return str(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.sampled_from(
                [
                    "open_time",
                    "open",
                    "high",
                    "low",
                    "close",
                    "1",
                    "-1",
                    "1e400",
                    "nan",
                    "x",
                    "",
                    '"',
                    "1704067200000",
                    "2024-01-01",
                    "\x00",
                    "9" * 40,
                ]
            ),
            max_size=6,
        )
    )
)
def test_any_csv_is_read_or_refused(tmp_path: Path, lines: list[list[str]]) -> None:
    path = tmp_path / "any.csv"
    path.write_text("\n".join(",".join(line) for line in lines), encoding="utf-8")
    assert str(path) in refusal(path)
    path.write_text("open_time,open,high,low,close\n" + "\n".join(",".join(line[:5]) for line in lines))
    assert str(path) in refusal(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_any_changed_byte_of_a_gzipped_file_is_read_or_refused(tmp_path: Path, at: float, value: int) -> None:
    path = tmp_path / "any.csv.gz"
    data = bytearray(gzip.compress(candles().write_csv().encode(), mtime=0))
    data[int(at * len(data))] = value
    path.write_bytes(data)
    assert str(path) in refusal(path)

"""A table that can't be read is refused in one sentence that names the row, the value and the remedy."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pytest

from smc_trading_agent.smc_detector import DataError, DetectorConfig, detect

CONFIG = DetectorConfig("15m", tick_size="0.01", lot_size="1")
ROWS = 20


def candles(every: str = "15m", rows: int = ROWS) -> pl.DataFrame:
    start = pl.datetime(2024, 3, 5)
    price = pl.Series([100.0 + row for row in range(rows)])
    times = pl.datetime_range(start, start + pl.duration(days=60), every, eager=True).head(rows)
    return pl.DataFrame(
        {"time": times, "open": price, "high": price + 1, "low": price - 1, "close": price, "volume": price}
    )


def with_value(column: str, row: int, value: object) -> pl.DataFrame:
    frame = candles()
    values = frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values))


def with_time(row: int, minutes: int) -> pl.DataFrame:
    shift = pl.when(pl.int_range(pl.len()) == row).then(minutes).otherwise(0)
    return candles().with_columns(pl.col("time") + pl.duration(minutes=shift))


REFUSED: dict[str, tuple[Any, str]] = {
    "nan": (with_value("high", 7, float("nan")), "row 7 (2024-03-05 01:45:00 UTC): high is nan; fill it in, or drop"),
    "null": (with_value("volume", 3, None), "row 3 (2024-03-05 00:45:00 UTC): volume is nan; fill it in, or drop"),
    "infinite": (with_value("low", 0, float("-inf")), "row 0 (2024-03-05 00:00:00 UTC): low is -inf"),
    "zero": (with_value("low", 4, 0.0), "row 4 (2024-03-05 01:00:00 UTC): low is 0.0; correct it, or drop the row"),
    "negative volume": (with_value("volume", 4, -2.0), "volume is -2.0; correct it"),
    "too large": (with_value("volume", 4, 1e30), "volume 1e+30 is too large to be counted in steps of lot_size 1;"),
    "off grid": (with_value("close", 5, 105.005), "close 105.005 is no multiple of tick_size 0.01; give the true"),
    "inverted": (with_value("high", 5, 103.0), "row 5 (2024-03-05 01:15:00 UTC): high 103.0 is below low 104.0"),
    "open outside": (with_value("open", 5, 90.0), "open 90.0 lies outside low 104.0 to high 106.0"),
    "close outside": (with_value("close", 5, 190.0), "close 190.0 lies outside low 104.0 to high 106.0"),
    "duplicate": (
        with_time(6, -15),
        "row 6 (2024-03-05 01:15:00 UTC): the row before opens at the same time; keep one",
    ),
    "unsorted": (
        candles().reverse(),
        "row 1 (2024-03-05 04:30:00 UTC): the row before opens later, at 2024-03-05 04:45:00 UTC; sort the rows",
    ),
    "misaligned": (with_time(6, 1), "row 6 (2024-03-05 01:31:00 UTC): no 15m bar opens then"),
    "too fine": (
        candles("5m"),
        "no 15m bar opens then (they begin at UTC midnight, weeks on Monday); give opening times ",
    ),
    "finer, said so": (candles("5m"), "the rows are mostly 5 minutes apart"),
    "too wide": (candles("1h"), "no two neighbouring rows are 15m apart, most are 60 minutes; give the timeframe"),
    "missing column": (
        candles().drop("low"),
        'column "low" is missing; the frame has: time, open, high, close, volume',
    ),
    "no time": (candles().drop("time"), "0 datetime columns could be the bars' times; have one, named date"),
    "absent time": (with_value("time", 2, None), "the time of row 2 is absent; drop the row or fill it in"),
    "texts": (candles().with_columns(pl.col("open").cast(pl.String) + "x"), 'column "open" is not numeric'),
    "two names": (candles().with_columns(Close=1.0), "columns close, Close differ only in case; leave one of them"),
    "milliseconds": (
        candles().with_columns(pl.col("time").dt.epoch("ms")),
        "the time of row 0 is 1709596800000, too small for nanoseconds of our days; make the column datetimes, as "
        "polars.from_epoch(column, time_unit='ms')",
    ),
    "lazy": (candles().lazy(), "collect() it first"),
    "no table": (42, "a pandas or Polars DataFrame is needed, not builtins.int"),
    "unequal lengths": ({"time": [1, 2], "open": [1.0, 2.0, 3.0]}, "the data can't be read as a table"),
    "pandas without times": (pd.DataFrame({"open": [1.0]}), "the index is a RangeIndex, not a DatetimeIndex"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_one_sentence(case: str) -> None:
    data, sentence = REFUSED[case]
    with pytest.raises(DataError) as refused:
        detect(data, CONFIG)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_table_without_a_fault_is_read() -> None:
    assert len(detect(candles(), CONFIG).bars) == ROWS


def test_few_rows_may_lie_apart() -> None:
    assert detect(candles("1h", rows=5), CONFIG).gaps[:, 1].tolist() == [3, 3, 3, 3]

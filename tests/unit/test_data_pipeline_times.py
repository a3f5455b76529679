"""Times in every unit and spelling come out as the same nanoseconds."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent.data_pipeline.times import to_nanoseconds, unit_ns
from smc_trading_agent.domain.errors import DataError

SECONDS_1975, SECONDS_2200 = 157_766_400, 7_258_118_400


@given(st.lists(st.integers(SECONDS_1975, SECONDS_2200), min_size=1), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_the_unit_is_told_by_magnitude(seconds: list[int], per_second: int) -> None:
    column = pl.Series("t", [second * per_second for second in seconds], dtype=pl.Int64)
    assert to_nanoseconds("f", column).tolist() == [second * 10**9 for second in seconds]


def test_each_unit_begins_where_the_one_before_ends() -> None:
    assert [unit_ns(0.999 * limit) for limit in (1e11, 1e14, 1e17)] == [10**9, 10**6, 10**3]
    assert [unit_ns(limit) for limit in (1e11, 1e14, 1e17)] == [10**6, 10**3, 1]


@pytest.mark.parametrize(
    "text",
    [
        "1672761600000",
        "2023-01-03 16:00:00",
        "2023-01-03T16:00:00",
        "2023-01-03T16:00:00.000Z",
        "2023-01-03 16:00:00+00:00",
        "2023.01.03 16:00:00",
        "2023.01.03 16:00",
        "2023-01-03 16:00",
        "2023/01/03 16:00:00",
        "20230103 160000",
        " 2023-01-03 16:00:00 ",
    ],
)
def test_texts_are_read(text: str) -> None:
    assert to_nanoseconds("f", pl.Series("t", [text])).tolist() == [1_672_761_600 * 10**9]


def test_days_and_datetimes_are_read() -> None:
    midnight = 1_672_704_000 * 10**9
    columns = (
        pl.Series("t", ["2023-01-03"]),
        pl.Series("t", [date(2023, 1, 3)]),
        pl.Series("t", [datetime(2023, 1, 3)]),  # noqa: DTZ001 - a column without a zone is read as UTC
        pl.Series("t", [datetime(2023, 1, 3, tzinfo=UTC)]),
        pl.Series("t", [datetime(2023, 1, 3, tzinfo=UTC)]).dt.convert_time_zone("Asia/Tokyo"),
        pl.Series("t", [1_672_704_000_000.0]),
    )
    for column in columns:
        assert to_nanoseconds("f", column).tolist() == [midnight], column


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([1_672_761_600_000, None], "t None in row 1 is no time"),
        (["2023-01-03 16:00:00", "noon"], "t 'noon' in row 1 is no time"),
        ([1_672_761_600_000.5], "t 1672761600000.5 in row 0 is no time"),
        ([1_672_761_600_000.0, float("nan")], "t nan in row 1 is no time"),
        ([True], "type Boolean, no time"),
        ([1_672_761_600_000, 1_672_761_600_001, 2**62], "in row 2 is beyond the year 2262"),
    ],
)
def test_what_is_no_time_is_named(values: list[object], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        to_nanoseconds("f", pl.Series("t", values))

"""The compatibility functions equal the library's stored results, bit for bit, on a year of EURUSD."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from smc_trading_agent.smc_detector.compat import HindsightWarning, smc

pytestmark = pytest.mark.filterwarnings(f"ignore::{HindsightWarning.__module__}.HindsightWarning")

SINGLE = {
    "bos_choch": ("Level",),
    "ob": ("Top", "Bottom", "OBVolume", "Percentage"),
    "liquidity": ("Liquidity", "Level", "End", "Swept"),
    "previous_high_low_4h": ("PreviousHigh", "PreviousLow"),
    "previous_high_low_1D": ("PreviousHigh", "PreviousLow"),
    "previous_high_low_W": ("PreviousHigh", "PreviousLow"),
    "sessions": ("High", "Low"),
}
"""The columns that the library keeps in single precision, by result file."""


def previous(time_frame: str) -> Callable[[Any, Any], Any]:
    return lambda bars, _: smc.previous_high_low(bars, time_frame=time_frame)


READINGS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "swing_highs_lows": ("swing_highs_lows", lambda _, swings: swings),
    "fvg": ("fvg", lambda bars, _: smc.fvg(bars)),
    "fvg_consecutive": ("fvg_consecutive", lambda bars, _: smc.fvg(bars, join_consecutive=True)),
    "bos_choch": ("bos_choch", lambda bars, swings: smc.bos_choch(bars, swings)),
    "ob": ("ob", lambda bars, swings: smc.ob(bars, swings)),
    "liquidity": ("liquidity", lambda bars, swings: smc.liquidity(bars, swings)),
    "previous_high_low_4h": ("previous_high_low", previous("4h")),
    "previous_high_low_1D": ("previous_high_low", previous("1D")),
    "previous_high_low_W": ("previous_high_low", previous("W")),
    "sessions": ("sessions", lambda bars, _: smc.sessions(bars, session="London")),
    "retracements": ("retracements", lambda bars, swings: smc.retracements(bars, swings)),
}


def stored_name(reading: str) -> str:
    function, _, variant = reading.partition("previous_high_low_")
    return f"previous_high_low_result_data_{variant}" if variant else f"{function}_result_data"


def table(folder: Path, name: str) -> pd.DataFrame:
    packed = (folder / "fx" / "smc_golden" / f"{name}.csv.gz").read_bytes()
    rows = pl.read_csv(gzip.decompress(packed), infer_schema=False).with_columns(pl.exclude("Date").cast(pl.Float64))
    return pd.DataFrame({column: rows[column].to_numpy() for column in rows.columns})


@pytest.fixture(scope="module")
def bars(shared_data: Path) -> pd.DataFrame:
    rows = table(shared_data, "EURUSD_15M")
    return rows.set_index(pd.to_datetime(rows.pop("Date"), format="%Y.%m.%d %H:%M:%S"))


@pytest.fixture(scope="module")
def swings(bars: pd.DataFrame) -> pd.DataFrame:
    return smc.swing_highs_lows(bars, swing_length=5)


def unequal_rows(found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> list[int]:
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return [int(row) for row in np.flatnonzero(~same)]


@pytest.mark.parametrize("reading", READINGS)
def test_equals_the_stored_result(reading: str, shared_data: Path, bars: pd.DataFrame, swings: pd.DataFrame) -> None:
    found = READINGS[reading][1](bars, swings)
    expected = table(shared_data, stored_name(reading))
    assert list(found.columns) == list(expected.columns)
    assert len(found) == len(expected) == 24_424
    for column in expected.columns:
        kind = np.float32 if column in SINGLE.get(reading, ()) else np.float64
        assert found[column].dtype == np.float32 if kind is np.float32 else found[column].dtype != np.float32
        assert unequal_rows(found[column].to_numpy(kind), expected[column].to_numpy(kind)) == [], column


@pytest.mark.parametrize("reading", READINGS)
def test_a_polars_frame_gives_the_same_in_polars(
    reading: str, shared_data: Path, bars: pd.DataFrame, swings: pd.DataFrame
) -> None:
    in_polars = pl.DataFrame({"date": bars.index.to_numpy(), **{name: bars[name].to_numpy() for name in bars.columns}})
    found = READINGS[reading][1](in_polars, smc.swing_highs_lows(in_polars, 5))
    expected = READINGS[reading][1](bars, swings)
    assert isinstance(found, pl.DataFrame)
    assert found.columns == list(expected.columns)
    for column in found.columns:
        assert unequal_rows(found[column].cast(pl.Float64).to_numpy(), expected[column].to_numpy(float)) == [], column

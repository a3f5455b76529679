"""The detector from Python: the same readings from any table and bar by bar, in either kind of frame."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from smc_trading_agent import smc_detector
from smc_trading_agent._core import EVENT_KINDS, FEATURE_NAMES, SCOPES, Event
from smc_trading_agent.smc_detector import (
    DataError,
    Detection,
    Detector,
    DetectorConfig,
    SnapshotError,
    detect,
)
from tests.runs import tape

BARS = tape(3_000)
CONFIG = DetectorConfig("1m", tick_size="0.01", lot_size="0.00001")


def candles(rows: int = len(BARS)) -> pl.DataFrame:
    columns = BARS.slice(0, rows).columns()
    prices = {name: CONFIG.instrument.ticks_to_prices(columns[name]) for name in ("open", "high", "low", "close")}
    bought = columns["taker_buy_volume"] * 1e-5
    frame = pl.DataFrame({"open_time": columns["open_time"], **prices, "volume": columns["volume"] * 1e-5})
    return frame.with_columns(pl.col("open_time").cast(pl.Datetime("ns", "UTC")), taker_buy_volume=bought)


FRAME = candles()
FOUND = detect(FRAME, CONFIG)


class ArrowTable:
    """All that pyarrow's tables, DuckDB's results and others have in common."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def in_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: frame[name].to_numpy() for name in frame.columns})


TABLES: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda frame: frame,
    "capitals": lambda frame: frame.rename(str.upper),
    "milliseconds": lambda frame: frame.with_columns(pl.col("open_time").dt.cast_time_unit("ms")),
    "another clock": lambda frame: frame.with_columns(pl.col("open_time").dt.convert_time_zone("America/New_York")),
    "no zone": lambda frame: frame.with_columns(pl.col("open_time").dt.replace_time_zone(None)),
    "whole nanoseconds": lambda frame: frame.with_columns(pl.col("open_time").cast(pl.Int64)),
    "another name": lambda frame: frame.rename({"open_time": "when"}),
    "single chunks": lambda frame: pl.concat([frame.head(100), frame.slice(100)], rechunk=False),
    "pandas column": in_pandas,
    "pandas index": lambda frame: in_pandas(frame).set_index("open_time"),
    "pandas with a zone": lambda frame: in_pandas(frame)
    .set_index("open_time")
    .tz_localize("UTC")
    .tz_convert("Asia/Tokyo"),
    "pandas nanoseconds": lambda frame: in_pandas(frame.with_columns(pl.col("open_time").cast(pl.Int64))),
    "arrow": ArrowTable,
    "arrays": lambda frame: {name: frame[name].to_numpy() for name in frame.columns},
    "lists": lambda frame: frame.to_dict(as_series=False),
    "strided arrays": lambda frame: {name: np.repeat(frame[name].to_numpy(), 2)[::2] for name in frame.columns},
    "bars": lambda frame: BARS.slice(0, frame.height),
}


def told(events: list[Event]) -> list[tuple[object, ...]]:
    fields = ("id", "kind", "scope", "direction", "side", "formed_at", "confirmed_at", "low", "high")
    return [tuple(getattr(event, name) for name in (*fields, "zone_id", "source_id", "ambiguous")) for event in events]


def told_in(found: Detection) -> list[tuple[object, ...]]:
    columns = found.columns
    names = ("id", "kind", "scope", "direction", "side", "formed_at", "confirmed_at", "low", "high")
    lists = {name: columns[name].tolist() for name in (*names, "zone_id", "source_id", "ambiguous")}
    lists["kind"] = [EVENT_KINDS[code] for code in lists["kind"]]
    lists["scope"] = [SCOPES[code] for code in lists["scope"]]
    return list(zip(*lists.values(), strict=True))


def test_the_public_names() -> None:
    assert set(smc_detector.__all__) <= set(dir(smc_detector)) | {"Detection"}
    assert all(getattr(smc_detector, name).__doc__ for name in smc_detector.__all__ if name[0].isupper())
    with pytest.raises(AttributeError, match="Detektor"):
        _ = smc_detector.Detektor


def test_polars_is_imported_with_the_first_table_and_pandas_never() -> None:
    code = (
        "import sys; from smc_trading_agent.smc_detector import DetectorConfig, Detector, detect; "
        "d = Detector(DetectorConfig('1m', '0.01')); d.update(d.config.bar(60_000_000_000, 1, 1, 1, 1)); "
        "assert not {'polars', 'pandas', 'pydantic'} & set(sys.modules); "
        "detect({'time': [1_700_000_040_000_000_000], 'open': [1], 'high': [1], 'low': [1], 'close': [1]}, d.config); "
        "assert 'polars' in sys.modules and 'pandas' not in sys.modules"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("kind", TABLES)
def test_every_kind_of_table_gives_the_same(kind: str) -> None:
    found = detect(TABLES[kind](FRAME), CONFIG)
    assert told_in(found) == told_in(FOUND)
    assert found.features("numpy").tobytes() == FOUND.features("numpy").tobytes()


def test_a_table_gives_what_its_bars_give_one_by_one() -> None:
    detector, events, features = Detector(CONFIG), [], []
    for row in FRAME.iter_rows():
        events += detector.update(CONFIG.bar(*row))
        features.append(detector.features())
    assert told(events) == told_in(FOUND)
    assert len(events) > 3_000
    assert FOUND.zones()["id"].to_list() == [zone.id for zone in detector.zones()]
    assert np.array_equal(FOUND.features("numpy"), np.array(features))


def test_volumes_are_read_where_they_are_there() -> None:
    taker = FEATURE_NAMES.index("taker_imbalance")
    assert FOUND.features("numpy")[:, taker].any()
    assert not detect(FRAME.drop("taker_buy_volume"), CONFIG).features("numpy")[:, taker].any()
    bare = detect(FRAME.drop("taker_buy_volume", "volume"), CONFIG)
    assert not bare.features("numpy")[:, FEATURE_NAMES.index("volume_ratio")].any()
    quiet = DetectorConfig("1m", "0.01", "0.00001", volume_profile={"length": None})
    assert told_in(detect(FRAME.drop("volume"), quiet)) == told_in(detect(FRAME, quiet))


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_short_tables_are_read(rows: int) -> None:
    found = detect(candles(rows), CONFIG)
    assert len(found) == found.events().height
    assert set(found.events()["kind"].to_list()) <= {"reference_open"}
    assert found.features().shape == found.features("pandas").shape == (rows, len(FEATURE_NAMES))
    assert found.zones().height == len(found.zones("pandas")) == 0
    assert found.events("pandas").columns.to_list() == found.events().columns
    assert found.gaps.shape == (0, 2)


def test_rows_are_those_of_the_bars() -> None:
    events = FOUND.events()
    opened = FRAME["open_time"]
    assert (opened.gather(events["formed_row"]) == events["formed_at"]).all()
    assert (opened.gather(events["confirmed_row"]).dt.offset_by("1m") == events["confirmed_at"]).all()
    joined = FRAME.with_row_index("row").join(events, left_on="row", right_on="confirmed_row")
    assert joined.height == events.height
    pandas_events = FOUND.events("pandas")
    merged = in_pandas(FRAME).merge(pandas_events, left_index=True, right_on="confirmed_row")
    assert len(merged) == events.height


def test_both_kinds_of_frame_hold_the_same() -> None:
    for table in (FOUND.events, FOUND.zones, FOUND.features):
        here, there = table(), table("pandas")
        assert list(there.columns) == here.columns
        for name in here.columns:
            ours, theirs = here[name], there[name]
            if isinstance(ours.dtype, pl.Enum):
                assert ours.cast(pl.String).to_list() == theirs.astype(str).to_list()
                assert ours.dtype.categories.to_list() == theirs.cat.categories.to_list()
            elif isinstance(ours.dtype, pl.Datetime):
                assert ours.dtype == pl.Datetime("ns", "UTC")
                assert str(theirs.dtype) == "datetime64[ns, UTC]"
                assert ours.to_physical().to_list() == theirs.astype("int64").to_list()
            else:
                assert ours.to_list() == theirs.to_list()


def test_prices_are_the_doubles_nearest_to_the_exact_decimals() -> None:
    events = FOUND.events()
    assert events["low"].to_list() == [float(CONFIG.instrument.format_price(t)) for t in events["low_ticks"]]
    assert events["high"].to_list() == [float(CONFIG.instrument.format_price(t)) for t in events["high_ticks"]]


def test_another_kind_of_frame_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="frame is \"arrow\"|frame is 'arrow'"):
        FOUND.events("arrow")  # type: ignore[call-overload]


def test_a_run_goes_on_from_what_was_seen() -> None:
    whole, parts = Detector(CONFIG), Detector(CONFIG)
    whole.run(FRAME)
    first, second = parts.run(FRAME.head(1_234)), parts.run(FRAME.slice(1_234))
    assert told_in(first) + told_in(second) == told_in(FOUND)
    assert parts.snapshot() == whole.snapshot()
    assert parts.bars_seen == whole.bars_seen == len(BARS)
    joined = np.concatenate([first.features("numpy"), second.features("numpy")])
    assert np.array_equal(joined, FOUND.features("numpy"))
    events = second.events()
    before = events.filter(pl.col("formed_row").is_null())
    assert 0 < before.height < events.height
    assert (before["formed_at"] < FRAME["open_time"][1_234]).all()
    assert second.events("pandas")["formed_row"].isna().sum() == before.height


def test_gaps_are_listed_and_read_over() -> None:
    holed = pl.concat([FRAME.head(10), FRAME.slice(13, 20), FRAME.slice(40)])
    found = detect(holed, CONFIG)
    assert found.gaps.tolist() == [[9, 3], [29, 7]]
    assert found.features().height == holed.height


def test_a_refused_table_changes_nothing() -> None:
    detector = Detector(CONFIG)
    detector.run(FRAME.head(500))
    saved = detector.snapshot()
    bad = FRAME.slice(500, 50).with_columns(high=pl.when(pl.int_range(pl.len()) == 30).then(None).otherwise("high"))
    with pytest.raises(DataError, match="row 30 .*high is nan"):
        detector.run(bad)
    with pytest.raises(DataError, match="oldest first"):
        detector.run(FRAME.slice(400, 50))
    with pytest.raises(DataError, match="oldest first"):
        detector.update(BARS[499])
    with pytest.raises(DataError, match="1h bars"):
        Detector(DetectorConfig("1h", "0.01")).run(BARS)
    assert detector.snapshot() == saved


@pytest.mark.parametrize("at", [0, 3, 6, 20, 200, -1])
def test_a_damaged_snapshot_is_refused(at: int) -> None:
    detector = Detector(CONFIG)
    detector.run(FRAME.head(200))
    saved = bytearray(detector.snapshot())
    saved[at] ^= 1
    with pytest.raises(SnapshotError, match="snapshot"):
        Detector.from_snapshot(bytes(saved))


@pytest.mark.parametrize("data", [b"", b"x", b"SMCF\x01", b"SMCF\x01" + bytes(40)])
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError, match="snapshot"):
        Detector.from_snapshot(data)


def test_a_snapshot_carries_the_configuration() -> None:
    config = DetectorConfig("1m", "0.01", "0.001", swing={"size": 20}, sessions={"tokyo_session": None})
    detector = Detector(config)
    detector.run(FRAME.head(100))
    restored = Detector.from_snapshot(detector.snapshot())
    assert restored.config == config
    assert restored.snapshot() == detector.snapshot()
    assert [restored.bias(scope) for scope in ("internal", "swing")] == [
        detector.bias(s) for s in ("internal", "swing")
    ]


def test_copies_and_other_processes_go_on_from_the_same_state() -> None:
    detector = Detector(CONFIG)
    detector.run(FRAME.head(100))
    for other in (copy.deepcopy(detector), pickle.loads(pickle.dumps(detector))):
        assert other.config == CONFIG
        assert other.snapshot() == detector.snapshot()
        other.run(FRAME.slice(100, 100))
        assert other.bars_seen == 200
    assert detector.bars_seen == 100
    assert pickle.loads(pickle.dumps(CONFIG)) == copy.copy(CONFIG) == CONFIG

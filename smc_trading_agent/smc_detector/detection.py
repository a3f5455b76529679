"""What a run over a table found, as columns and as frames."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from smc_trading_agent import _core
from smc_trading_agent._core import (
    EVENT_KINDS,
    FEATURE_NAMES,
    SCOPES,
    ZONE_KINDS,
    ZONE_STATES,
    Bars,
    Zone,
    timeframe_ns,
)
from smc_trading_agent.smc_detector.config import DetectorConfig
from smc_trading_agent.smc_detector.tables import Categories, Column, FrameKind, Rows, Times, frame_of

if TYPE_CHECKING:
    import polars as pl


class Detection:
    """Events, live zones and features of a run. Rows are counted from 0 in the table that was given.

    ``confirmed_row`` is the row at whose close an event became knowable: join on it, never on ``formed_row``, for
    anything that is trained, scored or traded. ``formed_row`` is the row it is anchored on; -1 (null in frames) where
    that bar came before the run.
    """

    def __init__(
        self,
        config: DetectorConfig,
        bars: Bars,
        first_id: int,
        columns: dict[str, NDArray[Any]],
        zones: Sequence[Zone],
        before: bytes,
    ) -> None:
        """Made by `Detector.run`; ``before`` is the core's state before it."""
        self._config, self._bars, self._first_id = config, bars, first_id
        self._columns, self._zones, self._before = columns, zones, before

    def __len__(self) -> int:
        """Number of events."""
        return len(self._columns["kind"])

    @property
    def config(self) -> DetectorConfig:
        """What was read, and how."""
        return self._config

    @property
    def bars(self) -> Bars:
        """The rows as bars, in ticks and lots."""
        return self._bars

    @cached_property
    def _open_time(self) -> NDArray[np.int64]:
        return self._bars.columns()["open_time"]

    @cached_property
    def gaps(self) -> NDArray[np.int64]:
        """Rows after which bars are missing, and how many: shape (gaps, 2).

        A gap is read over, never filled: ages and windows count the bars that are there, sessions go by the clock.
        """
        missing = np.diff(self._open_time) // timeframe_ns(self._config.timeframe) - 1
        rows = np.flatnonzero(missing)
        return np.column_stack([rows, missing[rows]])

    @cached_property
    def columns(self) -> dict[str, NDArray[Any]]:
        """Events as NumPy columns of shape (events,), oldest first; not copied, so treat them as read-only.

        id, zone_id, source_id (uint64); kind and scope (uint8, positions in EVENT_KINDS and SCOPES); direction and side
        (int8); formed_at and confirmed_at (int64, ns since the epoch, UTC); formed_row and confirmed_row (int32); low
        and high (int64, ticks); ambiguous (bool).
        """
        confirmed = self._columns["confirmed_row"]
        return {
            "id": np.arange(self._first_id, self._first_id + len(self), dtype=np.uint64),
            **self._columns,
            "confirmed_at": self._open_time[confirmed] + timeframe_ns(self._config.timeframe),
        }

    @overload
    def events(self, frame: Literal["polars"] = "polars") -> pl.DataFrame: ...
    @overload
    def events(self, frame: Literal["pandas"]) -> Any: ...
    def events(self, frame: FrameKind = "polars") -> Any:
        """One row an event, oldest first.

        id; kind and scope (categories); direction (+1 up, -1 down, 0 neither) and side (+1 the upper, -1 the lower, 0
        none); formed_at and confirmed_at (UTC); formed_row and confirmed_row; low and high in units of price (equal for
        a level), low_ticks and high_ticks; zone_id, the id of the event that created what this one speaks of;
        source_id, that of the event that caused it, or 0; ambiguous, whether it was touched and ended in one bar.
        """
        found = self.columns
        return frame_of(
            frame,
            {
                "id": found["id"],
                "kind": Categories(found["kind"], EVENT_KINDS),
                "scope": Categories(found["scope"], SCOPES),
                "direction": found["direction"],
                "side": found["side"],
                "formed_at": Times(found["formed_at"]),
                "confirmed_at": Times(found["confirmed_at"]),
                "formed_row": Rows(found["formed_row"]),
                "confirmed_row": Rows(found["confirmed_row"]),
                **self._prices(found["low"], found["high"]),
                "zone_id": found["zone_id"],
                "source_id": found["source_id"],
                "ambiguous": found["ambiguous"],
            },
        )

    @overload
    def zones(self, frame: Literal["polars"] = "polars") -> pl.DataFrame: ...
    @overload
    def zones(self, frame: Literal["pandas"]) -> Any: ...
    def zones(self, frame: FrameKind = "polars") -> Any:
        """One row a zone or level that is live after the last row, oldest first; ``id`` is that of its event.

        id, kind, scope, direction, side, formed_at, confirmed_at, low, high, low_ticks, high_ticks, source_id as in
        `events`; state (category) and touches, the number of separate visits.
        """
        zones = self._zones

        def field(name: str, kind: type[np.generic]) -> NDArray[Any]:
            return np.array([getattr(zone, name) for zone in zones], dtype=kind)

        def category(name: str, words: tuple[str, ...]) -> Categories:
            place = {word: position for position, word in enumerate(words)}
            return Categories(np.array([place[getattr(zone, name)] for zone in zones], dtype=np.uint8), words)

        return frame_of(
            frame,
            {
                "id": field("id", np.uint64),
                "kind": category("kind", ZONE_KINDS),
                "scope": category("scope", SCOPES),
                "direction": field("direction", np.int8),
                "side": field("side", np.int8),
                "state": category("state", ZONE_STATES),
                "touches": field("touches", np.uint32),
                "formed_at": Times(field("formed_at", np.int64)),
                "confirmed_at": Times(field("confirmed_at", np.int64)),
                **self._prices(field("low", np.int64), field("high", np.int64)),
                "source_id": field("source_id", np.uint64),
            },
        )

    @overload
    def features(self, frame: Literal["polars"] = "polars") -> pl.DataFrame: ...
    @overload
    def features(self, frame: Literal["pandas"]) -> Any: ...
    @overload
    def features(self, frame: Literal["numpy"]) -> NDArray[np.float64]: ...
    def features(self, frame: FrameKind | Literal["numpy"] = "polars") -> Any:
        """The features at the close of each row, of shape (rows, len(FEATURE_NAMES)); each column is in FEATURE_DOCS.

        Computed when asked for, by a second run from the state before the first. The columns of higher timeframes are
        neutral: a detector reads one.
        """
        matrix = _core.Detector.from_snapshot(self._before).run_features(self._bars)
        if frame == "numpy":
            return matrix
        return frame_of(frame, {name: matrix[:, at] for at, name in enumerate(FEATURE_NAMES)})

    def _prices(self, low: NDArray[np.int64], high: NDArray[np.int64]) -> dict[str, Column]:
        prices = self._config.instrument.ticks_to_prices
        return {"low": prices(low), "high": prices(high), "low_ticks": low, "high_ticks": high}

    def __repr__(self) -> str:
        return (
            f"Detection({len(self)} events and {len(self._zones)} live zones in {len(self._bars)} bars, {self._config})"
        )

"""Typed face of the Rust core, continued: what looks at more than one stream of bars.

There is no module of this name; it only holds stubs of what `smc_trading_agent._core` exports.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import Bar, Bars, Event, Instrument, Zone

class Confluence:
    """What spoke for and against a direction at a decision close; a feature, not calibrated."""

    @property
    def direction(self) -> int: ...  # 1 a long trade, -1 a short one
    @property
    def score(self) -> int: ...  # supporting less opposing factors
    @property
    def supporting(self) -> tuple[str, ...]: ...  # names in CONFLUENCE_FACTORS
    @property
    def opposing(self) -> tuple[str, ...]: ...

CONFLUENCE_FACTORS: tuple[str, ...]  # docs/concepts/confluence.md has what each means

class ClosedBar:
    @property
    def timeframe(self) -> str: ...
    @property
    def bar(self) -> Bar: ...

class Step:
    """How far the analyzer read, and what that closed."""

    @property
    def end(self) -> int: ...  # index of the first bar not consumed
    @property
    def closed(self) -> list[ClosedBar]: ...  # highest timeframe first at equal close
    @property
    def events(self) -> list[Event]: ...
    @property
    def decision_bar(self) -> Bar | None: ...  # the closed bar of the decision timeframe, if one closed

class Analyzer:
    """Several timeframes at once, built from one base stream; stops at each close of the decision timeframe."""

    def __init__(
        self,
        instrument: Instrument,
        base_timeframe: str,
        decision_timeframe: str,
        context_timeframes: Sequence[str],
        config_json: str = "{}",
    ) -> None: ...
    @property
    def timeframes(self) -> list[str]: ...  # decision first, then context
    def advance(self, bars: Bars, start: int) -> Step: ...
    def features(self) -> NDArray[np.float64]: ...  # shape (len(FEATURE_NAMES),), as of the last decision close
    def confluence(self, direction: int) -> Confluence: ...  # at the last decision close; ValueError unless 1 or -1
    def zones(self, timeframe: str) -> list[Zone]: ...
    def bias(self, timeframe: str, scope: str) -> int: ...
    def dealing_range(self, timeframe: str) -> tuple[int, int] | None: ...  # (low, high) in ticks
    def atr(self, timeframe: str) -> float: ...  # in ticks; NaN before warm-up
    def snapshot(self) -> bytes: ...
    @staticmethod
    def from_snapshot(data: bytes) -> Analyzer: ...

_Anchors = tuple[
    tuple[int, int], tuple[int, int]
]  # the older pivot and the newer: open time of its bar, price in ticks

class DivergenceDetector:
    """SMT divergence between two instruments: one makes a new extreme, and the other does not follow.

    In its events ``scope`` names the leader (``first_instrument`` or ``second_instrument``), ``side`` is that of the
    first instrument's pivots, ``low`` and ``high`` are the two pivots of the one that failed, in its ticks.
    """

    def __init__(self, timeframe: str, config_json: str = "{}") -> None: ...  # ValueError names an unknown key
    def update(self, first: Bar | None, second: Bar | None) -> list[Event]: ...  # bars of one open time, or one alone
    def run(self, first: Bars, second: Bars) -> list[Event]: ...  # the same over batches, aligned by open time
    def live(self) -> list[Event]: ...  # the divergences in force, oldest first
    def anchors(self, event_id: int) -> tuple[_Anchors, _Anchors] | None: ...  # by instrument; None unless in force
    @property
    def steps(self) -> int: ...  # open times at which one of the two had a bar
    def snapshot(self) -> bytes: ...
    @staticmethod
    def from_snapshot(data: bytes) -> DivergenceDetector: ...

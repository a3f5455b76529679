"""One definition of structure and features: bar by bar, in a batch, and across a restart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from smc_trading_agent._core import CONFLUENCE_FACTORS, FEATURE_NAMES, Analyzer, Bars, Detector, Event, Zone
from smc_trading_agent.data_pipeline.instruments import SYNTHETIC, instrument_named
from tests.runs import tape

TAPE = tape(12_000, seed=7)
INSTRUMENT = instrument_named(SYNTHETIC, "SYNUSDT")
EVENT_FIELDS = [name for name, value in vars(Event).items() if not name.startswith("_")]
ZONE_FIELDS = [name for name, value in vars(Zone).items() if not name.startswith("_")]


def plain(things: Sequence[Any], fields: list[str]) -> list[tuple[Any, ...]]:
    return [tuple(getattr(thing, name) for name in fields) for thing in things]


class Reading:
    """Everything an analyzer says over a tape, with what it shows at the end."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self.events: list[tuple[Any, ...]] = []
        self.features: list[NDArray[np.float64]] = []
        self.closes: list[tuple[str, int]] = []

    def read(self, bars: Bars) -> None:
        position = 0
        while position < len(bars):
            step = self.analyzer.advance(bars, position)
            self.events += plain(step.events, EVENT_FIELDS)
            self.closes += [(closed.timeframe, closed.bar.close_time) for closed in step.closed]
            if step.decision_bar is not None:
                self.features.append(self.analyzer.features())
            position = step.end

    def end(self) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for timeframe in self.analyzer.timeframes:
            shown[timeframe] = (
                plain(self.analyzer.zones(timeframe), ZONE_FIELDS),
                [self.analyzer.bias(timeframe, scope) for scope in ("internal", "swing")],
                self.analyzer.dealing_range(timeframe),
                repr(self.analyzer.atr(timeframe)),  # NaN, before the warm-up, equals nothing
            )
        return shown

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Reading)
        same_features = np.array_equal(np.array(self.features), np.array(other.features), equal_nan=True)
        return (self.events, self.closes, self.end(), same_features) == (other.events, other.closes, other.end(), True)


def analyzer() -> Analyzer:
    return Analyzer(INSTRUMENT, "1m", "3m", ["15m", "1h"])


@pytest.fixture(scope="module")
def whole() -> Reading:
    reading = Reading(analyzer())
    reading.read(TAPE)
    return reading


def test_the_fields_that_are_compared_are_there() -> None:
    assert {"id", "kind", "direction", "formed_at", "confirmed_at", "low", "high"} <= set(EVENT_FIELDS)
    assert {"id", "kind", "state", "touches", "low", "high"} <= set(ZONE_FIELDS)


def test_a_detector_says_the_same_bar_by_bar_and_in_a_batch() -> None:
    batch, stream = Detector("1m"), Detector("1m")
    at_once = plain(batch.run(TAPE), EVENT_FIELDS)
    one_by_one = [event for at in range(len(TAPE)) for event in plain(stream.update(TAPE[at]), EVENT_FIELDS)]
    assert len(at_once) > 1_000
    assert one_by_one == at_once
    assert plain(stream.zones(), ZONE_FIELDS) == plain(batch.zones(), ZONE_FIELDS)
    assert stream.snapshot() == batch.snapshot()
    assert stream.bars_seen == batch.bars_seen == len(TAPE)


@pytest.mark.parametrize("cut", [1, 77, 3_000, 11_999])
def test_a_detector_goes_on_from_its_snapshot(cut: int) -> None:
    straight = Detector("1m")
    expected = plain(straight.run(TAPE), EVENT_FIELDS)
    first = Detector("1m")
    told = plain(first.run(TAPE.slice(0, cut)), EVENT_FIELDS)
    second = Detector.from_snapshot(first.snapshot())
    told += plain(second.run(TAPE.slice(cut, len(TAPE))), EVENT_FIELDS)
    assert told == expected
    assert second.snapshot() == straight.snapshot()


@pytest.mark.parametrize("size", [1, 2, 17, 4_096])
def test_an_analyzer_says_the_same_however_the_bars_come(whole: Reading, size: int) -> None:
    reading = Reading(analyzer())
    for start in range(0, len(TAPE), size):
        reading.read(TAPE.slice(start, min(start + size, len(TAPE))))
    assert reading == whole


@pytest.mark.parametrize("cut", [1, 2, 3, 100, 5_000, 5_001, 11_998])
def test_an_analyzer_goes_on_from_its_snapshot_in_the_middle_of_a_bar_too(whole: Reading, cut: int) -> None:
    first = Reading(analyzer())
    first.read(TAPE.slice(0, cut))
    second = Reading(Analyzer.from_snapshot(first.analyzer.snapshot()))
    assert second.end() == first.end()
    second.read(TAPE.slice(cut, len(TAPE)))
    second.events, second.closes = first.events + second.events, first.closes + second.closes
    second.features = first.features + second.features
    assert second == whole
    assert second.analyzer.snapshot() == whole.analyzer.snapshot()


def test_after_the_warm_up_every_feature_is_a_number(whole: Reading) -> None:
    features = np.array(whole.features)
    assert features.shape == (len(TAPE) // 3, len(FEATURE_NAMES))
    warm = features[len(features) // 3 :]
    assert np.isfinite(warm).all(), [FEATURE_NAMES[at] for at in np.flatnonzero(~np.isfinite(warm).all(axis=0))]
    assert (warm.std(axis=0) > 0).sum() > len(FEATURE_NAMES) // 2


def test_features_are_the_same_after_a_restore(whole: Reading) -> None:
    restored = Analyzer.from_snapshot(whole.analyzer.snapshot())
    assert restored.features().tobytes() == whole.analyzer.features().tobytes()
    assert restored.timeframes == ["3m", "15m", "1h"]


def test_a_detector_has_the_features_of_an_analyzer_without_higher_timeframes() -> None:
    alone, reading = Detector("1m"), Reading(Analyzer(INSTRUMENT, "1m", "1m", []))
    assert alone.features().tobytes() == reading.analyzer.features().tobytes()
    alone.run(TAPE)
    reading.read(TAPE)
    assert alone.features().tobytes() == reading.analyzer.features().tobytes()
    assert Detector.from_snapshot(alone.snapshot()).features().tobytes() == alone.features().tobytes()


def test_confluence_names_what_speaks_for_and_against(whole: Reading) -> None:
    long, short = (whole.analyzer.confluence(direction) for direction in (1, -1))
    assert (long.direction, short.direction) == (1, -1)
    for told in (long, short):
        assert set(told.supporting) | set(told.opposing) <= set(CONFLUENCE_FACTORS)
        assert not set(told.supporting) & set(told.opposing)
        assert told.score == len(told.supporting) - len(told.opposing)
    assert set(long.opposing) <= set(short.supporting)
    assert set(short.opposing) <= set(long.supporting)
    features = dict(zip(FEATURE_NAMES, whole.analyzer.features(), strict=True))
    assert features["bullish_confluence"] == len(long.supporting)
    assert features["bearish_confluence"] == len(short.supporting)
    restored = Analyzer.from_snapshot(whole.analyzer.snapshot())
    assert restored.confluence(1) == long
    assert restored.confluence(-1) == short
    with pytest.raises(ValueError, match="direction 0"):
        whole.analyzer.confluence(0)

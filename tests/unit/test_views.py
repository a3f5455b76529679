"""The view store: bounded, complete for every reader, and safe to read while it is written."""

from __future__ import annotations

import threading

import pytest

from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, RefusalReason
from smc_trading_agent.domain.types import BreakerChange
from smc_trading_agent.monitoring import views
from smc_trading_agent.monitoring.views import Cursor, Limits, Reading, ViewStore
from tests.unit.api_scene import Scene, account_of, decision_of, instrument, random_bars, refusal_of, setup_of


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.run(200)
    return made


def test_a_new_reader_gets_everything_that_is_kept(scene: Scene) -> None:
    reading = scene.views.read()
    assert reading.reset
    assert len(reading.bars) == reading.counts.bars == 200
    assert len(reading.decisions) == reading.counts.decisions > 20
    assert reading.counts.taken + reading.counts.refused == reading.counts.decisions
    assert reading.counts.refusals == {"below_break_even": reading.counts.refused}
    assert reading.counts.trades == len(reading.trades) > 3
    assert {event.kind for event in reading.structure} <= views.STRUCTURE_KINDS
    assert {event.kind for event in reading.structure} >= {"bos", "choch"}
    assert scene.views.decision_timeframe == "15m"
    assert [part.timeframe for part in reading.context] == ["15m", "1h", "4h"]


def test_live_zones_are_those_of_every_timeframe_now(scene: Scene) -> None:
    shown = {(zone.timeframe, zone.id, zone.state) for zone in scene.views.read().zones or []}
    live = {
        (zone.timeframe, zone.id, zone.state)
        for timeframe in scene.reader.timeframes
        for zone in scene.reader._analyzer.zones(timeframe)
    }
    assert shown == live
    assert {timeframe for timeframe, _, _ in shown} >= {"15m", "1h"}


def test_a_reader_that_comes_back_gets_only_what_is_new(scene: Scene) -> None:
    first = scene.views.read()
    nothing = scene.views.read(first.cursor)
    assert not nothing.reset
    assert nothing.bars == nothing.decisions == nothing.trades == []
    assert nothing.zones is None
    assert nothing.orders is None
    scene.run(40)
    second = scene.views.read(first.cursor)
    whole = scene.views.read()
    assert not second.reset
    assert len(second.bars) == 40
    assert first.bars + second.bars == whole.bars
    assert first.decisions + second.decisions == whole.decisions
    assert first.order_events + second.order_events == whole.order_events
    assert first.trades + second.trades == whole.trades
    assert second.zones is not None
    assert second.cursor.revision > first.cursor.revision


def test_a_reader_that_missed_too_much_starts_over(scene: Scene) -> None:
    limits = Limits(bars=30)
    behind = scene.views.read(limits=limits)
    scene.run(31)
    again = scene.views.read(behind.cursor, limits)
    assert again.reset
    assert again.bars == scene.views.read().bars[-30:]
    scene.run(30)
    assert not scene.views.read(again.cursor, limits).reset


def test_memory_is_bounded() -> None:
    store = ViewStore(instrument())
    bar = random_bars(1, seed=1)[0]
    setup = setup_of([], bar, 1, 1)
    decision = decision_of(setup, 0.3, taken=False)
    account = account_of(instrument(), 0, 0, 0, 0.0, bar.close)
    for _ in range(views.MAX_EQUITY_POINTS + 100):
        store.on_decision(decision, refusal_of(decision))
        store.on_account(account, bar.close_time)
    reading = store.read()
    assert len(reading.decisions) == views.MAX_DECISIONS
    assert len(reading.equity) == views.MAX_EQUITY_POINTS // 2 + 50
    assert reading.counts.decisions == views.MAX_EQUITY_POINTS + 100
    assert reading.decisions[-1].number == reading.counts.decisions


def test_the_equity_spans_the_run_and_starts_over_when_it_was_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MAX_EQUITY_POINTS", 8)
    store = ViewStore(instrument())
    account = account_of(instrument(), 0, 0, 0, 0.0, 100)
    cursor, seen, resets = Cursor(), [], 0
    for time in range(100):
        store.on_account(account, time)
        reading = store.read(cursor)
        cursor = reading.cursor
        resets += reading.equity_reset
        seen = [point.time for point in reading.equity] if reading.equity_reset else seen
        seen += [] if reading.equity_reset else [point.time for point in reading.equity]
    assert seen == list(range(0, 100, 16))
    assert resets == 5  # the first reading and four doublings


def test_drawdown_is_measured_from_the_highest_equity() -> None:
    traded = instrument()
    store = ViewStore(traded)
    for time, gain in enumerate(["0", "1000", "-100", "450"]):
        store.on_account(account_of(traded, traded.quote_from_str(gain), 0, 0, 0.0, 100), time)
    last = store.read().account
    assert last is not None
    assert last.drawdown == pytest.approx(550 / 11_000)
    assert last.max_drawdown == pytest.approx(1_100 / 11_000)


def test_every_reason_of_a_refusal_is_counted_and_breaker_changes_are_kept() -> None:
    store = ViewStore(instrument())
    decision = decision_of(setup_of([], random_bars(1, seed=1)[0], 1, 1), 0.3, taken=False)
    store.on_decision(decision, refusal_of(decision))
    store.on_decision(decision, refusal_of(decision, RefusalReason.STALE_DATA))
    change = BreakerChange(5, BreakerState.ACTIVE, BreakerState.HALTED, BreakerCause.DRAWDOWN, "25 %", "risk")
    store.on_breaker(change)
    reading = store.read()
    assert reading.counts.refusals == {"below_break_even": 1, "stale_data": 1}
    assert reading.breaker_changes == [change]


def test_watchers_are_called_after_each_change_until_they_leave(scene: Scene) -> None:
    calls: list[int] = []
    leave = scene.views.subscribe(lambda: calls.append(scene.views.revision))
    scene.run(1)
    assert calls == sorted(set(calls))
    assert calls[-1] == scene.views.revision
    leave()
    heard = len(calls)
    scene.run(1)
    assert len(calls) == heard


class Follower:
    """Reads again and again on its own thread, until it has seen everything."""

    def __init__(self, store: ViewStore, done: threading.Event) -> None:
        self._store, self._done = store, done
        self.bars: list[int] = []
        self.decisions: list[int] = []
        self.thread = threading.Thread(target=self._follow)
        self.thread.start()

    def _follow(self) -> None:
        cursor: Cursor | None = None
        while True:
            over = self._done.is_set()
            reading = self._store.read(cursor)
            self._take(reading, first=cursor is None)
            cursor = reading.cursor
            if over:
                return

    def _take(self, reading: Reading, first: bool) -> None:
        assert reading.reset == first
        self.bars += [bar.open_time for bar in reading.bars]
        self.decisions += [record.number for record in reading.decisions]


def test_readers_on_other_threads_miss_nothing_and_see_nothing_twice() -> None:
    scene, done = Scene(), threading.Event()
    followers = [Follower(scene.views, done) for _ in range(3)]
    scene.run(1_200)
    done.set()
    for follower in followers:
        follower.thread.join(30)
    whole = scene.views.read()
    assert len(whole.bars) == 1_200
    for follower in followers:
        assert follower.bars == [bar.open_time for bar in whole.bars]
        assert follower.decisions == [record.number for record in whole.decisions]

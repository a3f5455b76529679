"""Pace changes when bars come, never which: on a fake clock, so that no test waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent._core import Bar, Bars
from smc_trading_agent.data_pipeline.pacing import SLICE_NS, PacedFeed, parse_speed
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.domain.errors import ConfigError

MINUTE = 60_000_000_000
SECOND = 1_000_000_000


class Minutes:
    """A feed of 1-minute bars at the given minutes, in batches of seven."""

    market = "minutes"
    synthetic = True

    def __init__(self, minutes: list[int]) -> None:
        self.bars = Bars.from_list(
            "1m", [Bar(minute * MINUTE, (minute + 1) * MINUTE, 5, 6, 4, 5) for minute in minutes]
        )

    @property
    def total_bars(self) -> int | None:
        return len(self.bars)

    def batches(self, start: int) -> Iterator[Bars]:
        for position in range(start, len(self.bars), 7):
            yield self.bars.slice(position, min(position + 7, len(self.bars)))


class Machine:
    """A clock that moves only while it is waited on, and stops the feed at a chosen reading."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.now = 1_000
        self.waits: list[float] = []
        self.stop_at = stop_at

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += round(seconds * SECOND)
        return self.stop_at is not None and self.now >= self.stop_at

    def clock(self) -> int:
        return self.now


def run(minutes: list[int], speed: float | None, fast_forward: int = 0, start: int = 0) -> list[tuple[int, list[int]]]:
    """Each batch as (clock when it came, the minutes its bars close at)."""
    machine = Machine()
    feed = PacedFeed(Minutes(minutes), speed, machine.wait, machine.clock, fast_forward)
    return [
        (machine.now - 1_000, [int(time) // MINUTE for time in batch.columns()["close_time"]])
        for batch in feed.batches(start)
    ]


def test_at_recorded_speed_a_bar_comes_at_its_close() -> None:
    assert run([0, 1, 2], 1.0) == [(MINUTE, [1]), (2 * MINUTE, [2]), (3 * MINUTE, [3])]


def test_at_sixty_times_a_minute_takes_a_second_and_a_hole_takes_its_time() -> None:
    assert run([0, 1, 10], 60.0) == [(SECOND, [1]), (2 * SECOND, [2]), (11 * SECOND, [11])]


def test_the_first_bars_come_flat_out_and_the_schedule_starts_after_them() -> None:
    came = run(list(range(12)), 60.0, fast_forward=9)
    assert came[:2] == [(0, [1, 2, 3, 4, 5, 6, 7]), (0, [8, 9])]
    assert came[2:] == [(SECOND, [10]), (2 * SECOND, [11]), (3 * SECOND, [12])]


def test_a_resume_beyond_the_fast_forward_is_paced_at_once() -> None:
    assert run(list(range(12)), 60.0, fast_forward=9, start=10) == [(SECOND, [11]), (2 * SECOND, [12])]


def test_flat_out_waits_for_nothing() -> None:
    assert run(list(range(9)), None) == [(0, [1, 2, 3, 4, 5, 6, 7]), (0, [8, 9])]


@given(
    steps=st.lists(st.integers(1, 50), min_size=1, max_size=60),
    speed=st.floats(0.5, 1e6),
    fast_forward=st.integers(0, 70),
    data=st.data(),
)
def test_pace_never_drifts_never_comes_early_and_changes_no_bar(
    steps: list[int], speed: float, fast_forward: int, data: st.DataObject
) -> None:
    minutes = [sum(steps[: at + 1]) for at in range(len(steps))]
    start = data.draw(st.integers(0, len(minutes)))
    came = run(minutes, speed, fast_forward, start)
    assert [minute for _, batch in came for minute in batch] == [minute + 1 for minute in minutes[start:]]
    paced = [(clock, minute) for clock, batch in came for minute in batch][max(fast_forward - start, 0) :]
    if not paced:
        return
    origin = (paced[0][1] - 1) * MINUTE
    for clock, minute in paced:
        late = clock - (minute * MINUTE - origin) / speed
        assert -2 <= late <= SLICE_NS + 2_000 * len(paced)


def test_fast_bars_share_batches_of_fifty_milliseconds() -> None:
    came = run(list(range(140)), 60.0 * 100)  # a bar every 10 ms
    assert all(clock % SLICE_NS == 0 for clock, _ in came)
    assert max(len(batch) for _, batch in came) <= 5


def test_a_reader_that_falls_behind_gets_what_is_due_without_a_wait() -> None:
    machine = Machine()
    batches = PacedFeed(Minutes(list(range(7))), 60.0, machine.wait, machine.clock).batches(0)
    next(batches)
    machine.now += 3 * SECOND
    machine.waits.clear()
    assert [next(batches)[0].open_time // MINUTE for _ in range(3)] == [1, 2, 3]
    assert machine.waits == [0.0, 0.0, 0.0]
    next(batches)
    assert machine.waits[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("speed", [1.0, 60.0, None])
def test_a_stop_ends_the_feed_at_once(speed: float | None) -> None:
    machine = Machine(stop_at=1_000 if speed is None else 1_000 + 30 * SECOND)
    feed = PacedFeed(SyntheticFeed(1), speed, machine.wait, machine.clock)
    batches = sum(1 for _ in feed.batches(0))
    assert batches == {1.0: 0, 60.0: 29, None: 0}[speed]
    assert machine.waits[-1] <= 60.0


def test_a_long_hole_is_waited_out_in_pieces() -> None:
    machine = Machine()
    feed = PacedFeed(Minutes([0, 1_000]), 1.0, machine.wait, machine.clock)
    assert len(list(feed.batches(0))) == 2
    assert max(machine.waits) <= 60.0
    assert machine.now == 1_000 + 1_001 * MINUTE


def test_the_feed_inside_shows_through() -> None:
    machine = Machine()
    feed = PacedFeed(Minutes([0]), None, machine.wait, machine.clock)
    assert (feed.market, feed.synthetic, feed.total_bars) == ("minutes", True, 1)


def test_speeds_are_numbers_above_zero_or_max() -> None:
    assert (parse_speed("max"), parse_speed("60"), parse_speed("0.5")) == (None, 60.0, 0.5)
    for text in ("0", "-1", "fast", "inf", "nan", ""):
        with pytest.raises(ConfigError, match="positive number"):
            parse_speed(text)
    with pytest.raises(ConfigError, match="speed -2"):
        PacedFeed(Minutes([0]), -2.0, Machine().wait, Machine().clock)

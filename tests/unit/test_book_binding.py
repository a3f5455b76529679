"""Depth streams, tapes and the replay of level 2, from Python."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smc_trading_agent._core import BookReplay, BookTape, DepthSync, Instrument

BTC = Instrument("test", "BTCUSDT", "1", "1", "0")


def tape() -> BookTape:
    made = BookTape()
    made.push_snapshot(100, 150, [(100, 10), (99, 20)], [(102, 10)])
    made.push_trade(300, 350, -1, 100, 14)
    made.push_depth(400, 450, [(100, 3)], [(102, 0), (103, 5)])
    made.push_funding(500, 550, 1_000_000, 100)
    return made


def test_a_depth_stream_is_readable_from_its_snapshot_to_its_gap() -> None:
    sync = DepthSync("spot")
    assert sync.on_diff(11, 12, 0, [(100, 4)], []) == "buffered"
    assert (sync.readable, sync.best_bid, sync.levels(1, 5)) == (False, None, None)
    assert sync.on_snapshot(5, [(99, 1)], []) == "too_old"
    assert sync.on_snapshot(11, [(99, 1)], [(101, 2)]) == "synced"
    assert (sync.best_bid, sync.best_ask, sync.last_id) == ((100, 4), (101, 2), 12)
    assert sync.on_diff(13, 13, 0, [], [(101, 0)]) == "applied"
    assert sync.levels(-1, 5) == []
    assert sync.on_diff(15, 16, 0, [], []) == "gap"
    assert (sync.readable, sync.buffered, sync.counts["gaps"]) == (False, 1, 1)
    sync.invalidate()
    assert sync.buffered == 0


def test_a_replay_shows_the_book_late_and_fills_behind_the_queue() -> None:
    replay = BookReplay(tape(), BTC, maker_fee_ppm=10_000, entry_ns=10, response_ns=20, cash=10_000)
    assert (replay.advance(149), replay.best_bid) == ([], None)
    assert (replay.advance(160), replay.best_bid, replay.best_ask) == ([], (100, 10), (102, 10))
    replay.submit("a", "limit", 1, 6, 100)
    known = replay.advance(200)
    assert [(at, event.kind, event.time) for at, event in known] == [(190, "accepted", 170)]
    assert (replay.queue_ahead("a"), replay.open_orders(), replay.order_status("a")) == (10, ["a"], "open")
    filled = replay.advance(350)
    assert [(at, event.kind, event.quantity, event.price, event.fee) for at, event in filled] == [
        (320, "filled", 4, 100, 4)
    ]
    replay.cancel("a")
    assert [event.reason for _, event in replay.advance(400)] == ["requested"]
    replay.advance(600)
    # One percent of 400 quote units in fees, and as much in funding.
    assert (replay.position, replay.fees, replay.funding, replay.cash) == (4, 4, 4, 9_992)
    assert (replay.ended, replay.now, replay.levels(-1, 3)) == (True, 600, [(103, 5)])


def test_a_clock_that_is_behind_is_put_right() -> None:
    late = BookTape()
    late.push_trade(1_000, 400, 1, 5, 1)
    late.push_trade(1_100, 520, 1, 5, 1)
    assert (late.correct_local_clock(50), late.correct_local_clock(50)) == (650, 0)
    assert (len(late), late.row_count) == (2, 2)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: DepthSync("swap"), "swap"),
        (lambda: DepthSync("spot", 0), "buffer_limit"),
        (lambda: DepthSync("spot").on_diff(3, 2, 0, [], []), "3"),
        (lambda: BookTape().push_trade(1, 1, 0, 5, 1), "side 0"),
        (lambda: BookTape().push_depth(1, 1, [(0, 1)], []), "price 0"),
        (lambda: BookReplay(tape(), BTC, queue="lifo"), "lifo"),
        (lambda: BookReplay(tape(), BTC, queue="power_law", exponent=0.0), "exponent"),
        (lambda: BookReplay(tape(), BTC, jitter_ns=-1), "jitter_ns"),
        (lambda: BookReplay(tape(), BTC, impact=(1.0, 0.0, 1.0, 1.0)), "volatility"),
        (lambda: BookReplay(tape(), BTC).advance(-5), "-5"),
    ],
)
def test_bad_arguments_are_named(call: Callable[[], object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        call()

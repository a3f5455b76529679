"""The router, the schedules and the microstructure: one decision, one schedule, one event at a time, through Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row, row_of, took
from smc_trading_agent._core import (
    AlmgrenChriss,
    KyleLambda,
    Markouts,
    MicroPrice,
    ObizhaevaWang,
    OrderBook,
    OrderFlowImbalance,
    Resilience,
    Router,
    VenueState,
    VenueTerms,
    Vpin,
    twap,
)

VENUES, LEVELS = 5, 20
SECOND = 1_000_000_000
PLENTY = 10**18


def measure_execution(count: int) -> list[Row]:
    """Rows of ``count`` samples each; the schedules, which are asked for seldom, of a tenth."""
    return [*_router(count), *_schedules(count // 10), *_microstructure(count)]


def _samples(count: int, work: Callable[[int], object]) -> NDArray[np.float64]:
    """Microseconds of ``count`` calls, after a hundredth as many that aren't counted."""
    for number in range(count // 100):
        work(number)
    return np.array([took(partial(work, number)) for number in range(count)]) / 1e3


def _books(random: np.random.Generator) -> list[OrderBook]:
    books = []
    for _ in range(VENUES):
        book = OrderBook()
        middle = 1_000_000 + int(random.integers(-5, 5))
        for level in range(1, LEVELS + 1):
            for side in (1, -1):
                book.apply(side, middle - side * level * int(random.integers(1, 3)), int(random.integers(1, 500)))
        books.append(book)
    return books


def _router(count: int) -> list[Row]:
    """A set of books for each hundredth decision; sizes from one level to most of the depth."""
    random = np.random.default_rng(3)
    sets = [_books(random) for _ in range(max(count // 100, 1))]
    sizes = random.integers(50, 15_000, count).tolist()
    plain = [VenueTerms(taker_fee_ppm=100 * venue, latency_ns=venue * 5_000_000) for venue in range(VENUES)]
    asking = [
        VenueTerms(
            taker_fee_ppm=100 * venue,
            latency_ns=venue * 5_000_000,
            fade_per_second=1.0,
            lot=(1, 1, 5, 1, 10)[venue],
            min_notional=20_000_000,
        )
        for venue in range(VENUES)
    ]
    states = [VenueState(PLENTY) for _ in range(VENUES)]
    rows = []
    for name, terms in (("plain terms", plain), ("fade, lots, smallest orders", asking)):
        decide = partial(_decide, Router(terms, 50_000_000), sizes, sets, states)
        taken = _samples(count, decide)
        rows.append(row_of(f"router, {VENUES} venues by {LEVELS} levels, {name}", "us", taken, 6.0))
    return rows


def _decide(
    router: Router, sizes: list[int], sets: list[list[OrderBook]], states: list[VenueState], number: int
) -> object:
    return router.route(1, sizes[number], sets[number % len(sets)], states)


def _schedules(count: int) -> list[Row]:
    chriss = AlmgrenChriss(volatility=20.0, temporary=0.02, risk_aversion=1e-7, step=60.0, slices=60)
    wang = ObizhaevaWang(0.01, 60.0, 60)
    return [
        row_of("TWAP, 60 slices", "us", _samples(count, lambda k: twap(1_000_000 + k, 60))),
        row_of(
            "Almgren-Chriss, 60 slices, best in whole lots", "us", _samples(count, lambda k: chriss.lots(100_000 + k))
        ),
        row_of("Obizhaeva-Wang, 60 slices, whole lots", "us", _samples(count, lambda k: wang.lots(100_000 + k))),
    ]


def _microstructure(count: int) -> list[Row]:
    random = np.random.default_rng(4)
    bids = (1_000_000 + random.integers(-1, 2, count).cumsum()).tolist()
    lots = random.integers(1, 500, (count, 2)).tolist()
    sides = (2 * random.integers(0, 2, count) - 1).tolist()
    book = _books(random)[0]
    micro, flow = MicroPrice(10, 3), OrderFlowImbalance(5, 10 * SECOND)
    marks = Markouts([SECOND // 10, SECOND, 10 * SECOND, 60 * SECOND])
    kyle, resilience, vpin = KyleLambda(500.0), Resilience(1.0, 0.05, 60 * SECOND), Vpin(10_000, 50)
    clock = iter(range(0, 10**18, SECOND // 20))

    def quote(k: int) -> None:
        time, bid = next(clock), bids[k]
        micro.on_quote((bid, lots[k][0]), (bid + 1, lots[k][1]))
        marks.on_quote(time, bid, bid + 1)
        resilience.observe(time, 1.0 + lots[k][0] % 3)

    def trade(k: int) -> None:
        marks.on_trade(next(clock), sides[k], bids[k])
        vpin.on_trade(sides[k], lots[k][0])
        kyle.observe(sides[k] * lots[k][0], sides[k] * 0.5)

    return [
        row_of("a quote: micro-price, markouts, resilience", "us", _samples(count, quote)),
        row_of("a trade: markouts, VPIN, Kyle's lambda", "us", _samples(count, trade)),
        row_of(
            "a book: order-flow imbalance, 5 levels", "us", _samples(count, lambda k: flow.on_book(next(clock), book))
        ),
    ]

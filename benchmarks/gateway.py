"""The risk gateway from Python: an intent through sizing and every check, approved or refused; and the schedules.

Each intent is a new decision on a fresh clock reading, over an account and a market that let it pass; approvals are
booked between two measurements, as the coordinator does it. Sequential and pooled run the checks alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
import numpy as np

from benchmarks.rows import Row, row_of
from smc_trading_agent._core import Bar, Instrument
from smc_trading_agent.domain.clock import MarketClock, monotonic_ns
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.reasons import OrderPurpose
from smc_trading_agent.domain.risk_settings import RiskSettings
from smc_trading_agent.domain.seal import ApprovalSeal
from smc_trading_agent.domain.types import AccountView, Approval, Intent
from smc_trading_agent.risk_manager.checks.catalogue import ENTRY_CHECKS
from smc_trading_agent.risk_manager.checks.question import Question
from smc_trading_agent.risk_manager.evaluation import Evaluate, Pool, evaluate
from smc_trading_agent.risk_manager.gateway import RiskGateway

NS = 1_000_000_000
MINUTE = 60 * NS
START = 1_700_000_000 * NS
STEP = 60 * MINUTE
DAY = 24 * STEP
NAME = "risk gateway, all checks and value at risk"
PRICE = 500_000
EQUITY = 100_000_000
WARM_UP = 500
BARS = 1_001
"""Closes before the first intent: a whole window of scenarios."""
SEED = 7
TARGET_US = 100.0


def measure_gateway(count: int) -> list[Row]:
    """Microseconds an intent that is approved, one that is refused, and all checks of one, by schedule."""
    return [
        row_of(f"{NAME}: approved, sized, sealed", "us", _reviews(count, 0), TARGET_US),
        row_of(f"{NAME}: the same, each on a new bar", "us", _reviews(count, 0, STEP), TARGET_US),
        row_of(f"{NAME}: refused for two reasons", "us", _reviews(count, 1), TARGET_US),
        *_schedules(count),
    ]


class _Desk:
    """A gateway whose breaker trades at full size, with a clock that its intents move."""

    def __init__(self, bar_ns: int = DAY) -> None:
        self.bar_ns = bar_ns
        self.clock = MarketClock(START - BARS * bar_ns)
        instrument = Instrument("bench", "BTCUSDT", "0.1", "0.001", "5")
        costs = CostModel(maker_fee_ppm=200, taker_fee_ppm=500, half_spread_ticks=1, slippage_ppm=100)
        seal = ApprovalSeal(bytes(range(32)))
        limits = RiskSettings(max_executions=1_000, max_orders_per_fill=10_000_000.0)
        self.gateway = RiskGateway(instrument, limits, costs, self.clock, seal, lambda _: None, further=(self._see,))
        self.seen: list[Question] = []
        self.chance = np.random.default_rng(SEED)
        for number in range(-BARS, 0):
            self.clock.advance_to(START + number * bar_ns)
            self._mark(self.clock.now())
        breaker = self.gateway.breaker
        breaker.ready()
        for _ in range(limits.probe_orders):
            breaker.probe_sent()
        breaker.tick(working_entries=0)

    def _mark(self, now: int) -> None:
        bar = None
        if (now - START) % self.bar_ns == 0:
            close = PRICE + int(self.chance.integers(-200, 201))
            bar = Bar(now - self.bar_ns, now, close, close, close, close, 1_000)
        self.gateway.mark(account(0), now, bar)

    def _see(self, question: Question) -> tuple[()]:
        self.seen = [question]
        return ()

    def next(self, number: int) -> Intent:
        """Another decision, an hour after the one before."""
        now = START + (number + WARM_UP) * STEP
        self.clock.advance_to(now)
        self._mark(now)
        return Intent(
            decision_id=f"d{number + WARM_UP:020}",
            instrument="bench:BTCUSDT",
            purpose=OrderPurpose.ENTRY,
            side=1,
            price=PRICE - number % 50,
            stop=PRICE - 5_000,
            target=PRICE + 10_000,
            created_at=now,
            expires_at=now + MINUTE,
            probability=0.55,
        )


def account(open_entries: int) -> AccountView:
    """Flat, with as many entries working."""
    return AccountView(EQUITY, EQUITY, 0, 0.0, PRICE, 0, 0, 0, 0, open_entries, 0, 0, open_entries)


def _reviews(count: int, open_entries: int, bar_ns: int = DAY) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    desk, books = _Desk(bar_ns), account(open_entries)
    taken = np.empty(count)
    for number in range(-WARM_UP, count):
        intent = desk.next(number)
        began = monotonic_ns()
        outcome = desk.gateway.review(intent, books)
        ended = monotonic_ns()
        desk.gateway.booked(intent.decision_id, 0)
        if isinstance(outcome, Approval) is bool(open_entries):
            raise RuntimeError(f"the gateway was to answer otherwise: {outcome}")
        if number >= 0:
            taken[number] = (ended - began) / 1_000.0
    return taken


def _schedules(count: int) -> list[Row]:
    desk = _Desk()
    desk.gateway.review(desk.next(0), account(0))
    question = msgspec.structs.replace(desk.seen[0])
    pool = Pool(4)
    try:
        ways: dict[str, Evaluate] = {"one after another": evaluate, "in a pool of 4 threads": pool.evaluate}
        return [
            row_of(
                f"the {len(ENTRY_CHECKS)} checks alone, {name}", "us", _runs(partial(way, ENTRY_CHECKS, question), n)
            )
            for (name, way), n in zip(ways.items(), (count, max(1_000, count // 10)), strict=True)
        ]
    finally:
        pool.close()


def _runs(run: Callable[[], object], count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    taken = np.empty(count)
    for number in range(-WARM_UP, count):
        began = monotonic_ns()
        run()
        if number >= 0:
            taken[number] = (monotonic_ns() - began) / 1_000.0
    return taken

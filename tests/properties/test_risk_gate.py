"""A hundred thousand random orders to the gate against its rules written out plainly: same verdict, same reasons.

Each episode has limits, a market and books of its own; its orders come in a row, so that what was sent before counts.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from smc_trading_agent._core import Bar
from smc_trading_agent.domain.types import AccountView, Approval, Intent
from tests.factories import EQUITY, NOW, NS, PRICE, QUARTER, Gate, account, intent
from tests.risk_reference import ORDER, Entry, World, lots_of, reasons

ORDERS, EPISODES, PARTS = 100_000, 200, 4
Random = random.Random


def near(chance: Random, value: int, spread: int) -> int:
    """Around a boundary, often on it."""
    return value + chance.choice((0, 0, chance.randint(-2, 2), chance.randint(-spread, spread)))


def rarely(chance: Random, usual: Any, odd: Any, once_in: int = 12) -> Any:
    return odd if chance.randrange(once_in) == 0 else usual


def mostly(chance: Random, lax: Any, *tight: Any) -> Any:
    """A limit that seldom binds, so that every other one has its turn."""
    return chance.choice(tight) if chance.randrange(5) == 0 else lax


def random_limits(chance: Random) -> dict[str, Any]:
    return {
        "allowed_instruments": rarely(chance, ("*",), ("test:BTCUSDT",)),
        "risk_per_trade": chance.choice((0.005, 0.01, 0.1)),
        "kelly_fraction": chance.choice((None, 0.02, 0.25, 1.0)),
        "volatility_target": mostly(chance, 1.0, 0.002, 0.1),
        "min_history_bars": mostly(chance, 2, 31, 61, 131),
        "max_jump_sigmas": mostly(chance, 25.0, 0.5, 2.0),
        "max_order_quantity": mostly(chance, "1000", "0.05", "0.1"),
        "max_order_notional": mostly(chance, 1.0, 0.2),
        "max_volume_share": mostly(chance, None, 0.0001, 0.01),
        "max_position_quantity": mostly(chance, "1000", "0.25"),
        "max_position_notional": mostly(chance, 3.0, 0.5, 1.0),
        "max_leverage": mostly(chance, 20.0, 1.0, 2.0),
        "initial_margin": mostly(chance, 0.1, 0.9),
        "min_liquidation_distance": mostly(chance, 0.0, 0.1, 0.7),
        "max_value_at_risk": rarely(chance, 1.0, chance.choice((0.0002, 0.001, 0.002)), 25),
        "max_shortfall": rarely(chance, 1.0, chance.choice((0.0002, 0.001, 0.002)), 25),
        "max_stress_loss": rarely(chance, 30.0, chance.choice((0.1, 0.5)), 25),
        "max_asset_share": rarely(chance, 1.0, 0.99, 25),
        "max_herfindahl": rarely(chance, 1.0, 0.99, 25),
        "max_cluster_exposure": rarely(chance, 30.0, chance.choice((0.2, 0.5)), 25),
        "max_risk_age_bars": rarely(chance, 2_000, 1, 25),
        "min_scenarios": rarely(chance, 29, 31, 25),
        "max_open_orders": mostly(chance, 10_000, 6),
        "max_open_entries": mostly(chance, 10_000, 1),
        "max_positions": mostly(chance, 3, 1),
        "price_drift": mostly(chance, 0.05, 0.001),
        "max_messages": mostly(chance, 10_000, 3, 6),
        "max_orders_per_fill": mostly(chance, 200.0, 6.0),
        "max_executions": mostly(chance, 10_000, 12),
        "max_similar_orders": mostly(chance, 10_000, 2),
        "max_losing_trades": mostly(chance, 1_000, 2),
        "cool_down_after_exit_seconds": mostly(chance, 0.0, 30.0),
        "max_daily_loss": chance.choice((0.03, 1.0)),
        "halt_daily_loss": 1.0,
        "max_drawdown": chance.choice((0.25, 1.0)),
    }


def random_bars(chance: Random) -> list[Bar]:
    bars, close = [], PRICE
    # Fewer than a hundred tested forecasts, so that the tests of value at risk tighten nothing here.
    count = chance.choice((30, 31, 60, 120))
    for index in range(count):
        close = max(1, round(close * (1 + chance.gauss(0, 0.001))))
        opened = NOW - (count - index) * QUARTER
        bars.append(Bar(opened, opened + QUARTER, close, close, close, close, chance.randint(0, 5_000)))
    return bars


class Episode:
    """A gate with the world that the reference sees of it."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = Random(seed)
        self.gate = Gate(**random_limits(chance))
        self.bars = random_bars(chance)
        for bar in self.bars:
            self.gate.gateway.mark(account(), NOW, bar)
        breaker = self.gate.gateway.breaker
        breaker.ready()
        if chance.randrange(3):
            for _ in range(2):
                breaker.probe_sent()
            breaker.tick(working_entries=0)
        self.entries: list[Entry] = []
        self.exits: list[int] = []
        self.losses: list[int] = []
        self.sent: set[str] = set()
        self.booked = 0
        self.marked = 0
        self.data_time = NOW

    def world(self) -> World:
        breaker = self.gate.gateway.breaker
        return World(
            self.gate.settings,
            self.bars,
            self.entries,
            self.exits,
            self.losses,
            self.sent,
            self.gate.clock.now(),
            self.data_time,
            EQUITY,
            EQUITY,
            self.marked,
            0,
            0,
            breaker.lets_exposure_grow,
            breaker.size_factor,
        )

    def order(self, number: int) -> tuple[Intent, AccountView]:
        chance, now = self.chance, self.gate.clock.now()
        side = rarely(chance, chance.choice((1, -1)), 0, 40)
        price = near(chance, rarely(chance, PRICE, PRICE + chance.choice((10_000, -10_000)), 6), 1_000)
        stop = rarely(chance, price - side * near(chance, 4_000, 3_900), near(chance, 0, 3), 25)
        target = rarely(chance, price + side * near(chance, 9_000, 8_000), near(chance, 0, 3), 25)
        wish = intent(
            decision_id=f"d{rarely(chance, number, chance.randrange(number + 1), 20)}",
            instrument=rarely(chance, "test:BTCUSDT", "test:ETHUSDT", 40),
            side=side,
            price=price,
            stop=stop,
            target=target,
            created_at=now - rarely(chance, 0, near(chance, 60 * NS, 3), 8),
            probability=rarely(chance, chance.uniform(0.3, 0.9), chance.uniform(-0.5, 1.5), 20),
            size_multiplier=rarely(chance, 1.0, chance.choice((0.25, 0.249999, 0.5, 1.0, 1.000001)), 4),
        )
        return wish, self.books()

    def books(self) -> AccountView:
        chance = self.chance
        return account(
            equity=(
                rarely(chance, near(chance, EQUITY, 5_000), near(chance, EQUITY * 97 // 100, 3), 8)
                if chance.randrange(20)
                else chance.choice((0, -1, EQUITY // 2, EQUITY * 3 // 4, EQUITY * 3 // 4 + 1))
            ),
            mark=near(chance, PRICE, 500),
            position=rarely(chance, 0, chance.randint(-5, 5)),
            worst_long=rarely(chance, 0, chance.randint(0, 400), 3),
            worst_short=rarely(chance, 0, chance.randint(0, 400), 3),
            open_orders=rarely(chance, 0, chance.randint(0, 5), 4),
            open_entries=rarely(chance, 0, 1, 10),
            unknown_orders=rarely(chance, 0, 1, 30),
            unprotected=rarely(chance, 0, 1, 30),
            own_buy=rarely(chance, 0, near(chance, PRICE, 300)),
            own_sell=rarely(chance, 0, near(chance, PRICE, 300)),
            orders_sent=rarely(chance, self.booked, max(0, self.booked - 3), 15),
            fills=self.booked // 6,
        )

    def pass_on(self) -> None:
        """Time passes; sometimes the account is marked, a trade of it lost."""
        chance, gate = self.chance, self.gate
        gate.clock.advance_to(gate.clock.now() + chance.choice((0, 0, 1, NS, 10 * NS, 20 * NS)))
        if chance.randrange(12) == 0:
            now = gate.clock.now()
            self.data_time, self.marked = now - rarely(chance, 0, near(chance, 60 * NS, 5)), self.booked
            lost = rarely(chance, False, True, 3)
            books = account(orders_sent=self.booked, fills=self.booked // 6, fees=0)
            if lost:
                self.lost_so_far = getattr(self, "lost_so_far", 0) + 1
                self.losses.append(now)
                self.exits.append(now)
            total = getattr(self, "lost_so_far", 0)
            gate.gateway.mark(account(orders_sent=self.booked, fills=books.fills, realised=-total), self.data_time)

    def remember(self, wish: Intent, lots: int) -> None:
        """An approval; its orders are in the books at once, or not for the rest of the episode."""
        self.sent.add(wish.decision_id)
        seen_at = None
        if self.chance.randrange(30):
            self.booked += 3
            seen_at = self.booked
            self.gate.gateway.booked(wish.decision_id, seen_at)
        self.entries.append(Entry(wish.decision_id, self.gate.clock.now(), wish.side, wish.price, lots, seen_at))


def run(seed: int, orders: int) -> Counter[str]:
    """How often each reason was told, and how often none."""
    episode, told = Episode(seed), Counter[str]()
    for number in range(orders):
        episode.pass_on()
        wish, books = episode.order(number)
        world = episode.world()
        lots = lots_of(wish, books, world)
        outcome = episode.gate.gateway.review(wish, books)
        found = [] if isinstance(outcome, Approval) else [detail.reason for detail in outcome.details]
        assert found == reasons(wish, books, lots, world), (seed, number, lots, wish, books, outcome)
        told.update(reason.value for reason in found)
        if isinstance(outcome, Approval):
            told["approved"] += 1
            assert [order.quantity for order in outcome.orders] == [lots] * 3
            episode.remember(wish, lots)
    return told


@pytest.mark.parametrize("part", range(PARTS))
def test_the_verdict_and_every_reason_are_those_of_the_plain_rules(part: int) -> None:
    told: Counter[str] = Counter()
    for seed in range(part * EPISODES // PARTS, (part + 1) * EPISODES // PARTS):
        told += run(seed, ORDERS // EPISODES)
    # Nothing was compared in vain; only a share of the volume is never exceeded, as sizes are cut to fit it.
    assert {reason.value for reason in ORDER} - set(told) <= {"max_volume_share"}
    assert told["approved"] > ORDERS // PARTS // 25

"""The risk of one order on top of a book: the core by itself, from Python, and beside the same quantile by NumPy."""

from __future__ import annotations

import subprocess  # nosec B404
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.peers import PeerMissing
from benchmarks.rows import UNITS, Row, row_of
from smc_trading_agent.domain.clock import MarketClock, monotonic_ns
from smc_trading_agent.risk_manager.value_at_risk import ValueAtRisk, ValueAtRiskSettings

PROGRAM = Path(__file__).parents[1] / "target" / "peers" / "release" / "risk-kernel"
SCENARIOS = 1_000
SEED = 7
MINUTE = 60_000_000_000
MONEY = 100_000_000
SIZES = (1, 8)
"""Instruments held."""

KERNEL_P99_US, PYTHON_P99_US = 3.0, 5.0
"""The design's figure for the kernel; a twentieth of the gateway's 100 us for this one check."""

DIFFERS = (
    "theirs: np.partition of book plus order, value at risk alone; ours also has expected shortfall, two parametric "
    "figures, eight stresses, and looks at the age of every close"
)


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What risk-kernel prints: nanoseconds of each order, and of reading the timer with nothing between."""

    orders_ns: list[float]
    timer_ns: list[float]


class Desk:
    """A book of ``wide`` instruments after a whole window of bars, and orders to judge."""

    def __init__(self, wide: int, orders: int) -> None:
        chance = np.random.default_rng(SEED)
        self.keys = [f"bench:{number}" for number in range(wide)]
        clock = MarketClock()
        settings = ValueAtRiskSettings(window=SCENARIOS, min_scenarios=SCENARIOS)
        self.risk = ValueAtRisk(dict.fromkeys(self.keys, "BTC"), settings, clock)
        steps = chance.normal(0.0, 0.005, (SCENARIOS + 1, 1)) + chance.normal(0.0, 0.005, (SCENARIOS + 1, wide))
        prices = (np.exp(np.cumsum(steps, axis=0)) * 10_000_000).astype(np.int64)
        for bar, row in enumerate(prices.tolist(), start=1):
            clock.advance_to(bar * MINUTE)
            self.risk.on_bar(bar * MINUTE, dict(zip(self.keys, row, strict=True)))
        self.returns = prices[1:] / prices[:-1] - 1.0
        self.positions = {key: int(chance.integers(-MONEY, MONEY)) for key in self.keys}
        self.profits = self.returns @ np.array(list(self.positions.values()), dtype=np.float64)
        self.orders = [(number % wide, int(size)) for number, size in enumerate(chance.integers(-MONEY, MONEY, orders))]

    def judge(self, order: tuple[int, int]) -> object:
        """As the gateway asks."""
        return self.risk.assess(self.positions, self.keys[order[0]], order[1])

    def judge_by_numpy(self, order: tuple[int, int]) -> float:
        """The tenth worst of a thousand."""
        return -float(np.partition(self.profits + order[1] * self.returns[:, order[0]], 9)[9])


def measure_risk(orders: int) -> list[Row]:
    """Over ``orders`` orders; `PeerMissing` where the Rust program isn't built."""
    if not PROGRAM.exists():
        raise PeerMissing(f"{PROGRAM} is not built; run `make bench`, which builds benchmarks/peers_rust")
    rows = [_in_rust(wide, orders) for wide in SIZES]
    for wide in SIZES:
        desk = Desk(wide, orders)
        _compare(desk)
        rows.append(_from_python(desk, wide))
    return rows


def _in_rust(wide: int, orders: int) -> Row:
    ran = subprocess.run([str(PROGRAM), str(wide), str(orders)], capture_output=True, check=True)  # nosec
    report = msgspec.json.decode(ran.stdout, type=Report)
    row = row_of(_name(wide, "in Rust"), "us", np.array(report.orders_ns) / UNITS["us"], KERNEL_P99_US)
    timer = float(np.median(report.timer_ns))
    return msgspec.structs.replace(row, note=f"each sample holds one reading of the timer, {timer:.0f} ns by itself")


def _from_python(desk: Desk, wide: int) -> Row:
    for order in desk.orders:
        desk.judge(order)
    ours = np.array([_timed(desk.judge, order) for order in desk.orders]) / UNITS["us"]
    theirs = np.array([_timed(desk.judge_by_numpy, order) for order in desk.orders]) / UNITS["us"]
    row, peer = row_of(_name(wide, "from Python"), "us", ours, PYTHON_P99_US), float(np.median(theirs))
    return msgspec.structs.replace(row, peer="NumPy", peer_p50=peer, ratio=peer / float(np.median(ours)), note=DIFFERS)


def _timed(judge: Callable[[tuple[int, int]], object], order: tuple[int, int]) -> float:
    began = monotonic_ns()
    judge(order)
    return float(monotonic_ns() - began)


def _name(wide: int, where: str) -> str:
    return f"risk of an order, {SCENARIOS:,} scenarios, {wide} instrument{'s' * (wide > 1)}, {where}"


def _compare(desk: Desk) -> None:
    """Both give the same value at risk, ours rounded up to a unit of money."""
    for order in desk.orders[:100]:
        ours = desk.risk.assess(desk.positions, desk.keys[order[0]], order[1]).value_at_risk
        theirs = desk.judge_by_numpy(order)
        if abs(ours - theirs) > 2.0 + 1e-8 * MONEY * (len(desk.keys) + 1):
            raise RuntimeError(f"value at risk of {order} is {ours}, by NumPy {theirs}")

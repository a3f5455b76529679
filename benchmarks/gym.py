"""The environment that PPO learns in, in steps of single positions a second, features written for each."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from benchmarks.parts import synthetic_bars
from benchmarks.rows import Row, rate_row, took_each
from smc_trading_agent._core import FEATURE_NAMES, GYM_SIZES, Bars, TradeGym
from smc_trading_agent.decision_engine.ensemble.inputs import CONTEXT_COLUMNS, Normaliser, Scaling
from smc_trading_agent.decision_engine.training.samples import Labels, Samples, Tape, Trades

NS = 1_000_000_000
BARS, EVERY, LANES = 30_000, 50, 256
TARGET = 1_000_000.0
F, C = len(FEATURE_NAMES), len(CONTEXT_COLUMNS)


def measure_gym(steps: int, runs: int) -> list[Row]:
    """Runs of ``steps`` steps of `LANES` positions that are held at full size; random features of the real number.

    Without the extra ``train`` there is no row of stable-baselines3's interface.
    """
    _, bars = synthetic_bars(BARS)
    rows = [_core(bars, steps, runs)]
    return rows if find_spec("stable_baselines3") is None else [*rows, _interface(bars, steps, runs)]


def _core(bars: Bars, steps: int, runs: int) -> Row:
    samples, labels, trades = _trades(bars)
    view = np.ascontiguousarray(samples.tapes[0].features, dtype=np.float32)
    gym = TradeGym(
        bars,
        view,
        -view,
        (samples.position.astype(np.int64), trades.first_bar),
        samples.side,
        (trades.entry, trades.stop, trades.target),
        trades.deadline,
        trades.cost.astype(np.float32),
        labels.break_even.astype(np.float32),
        LANES,
        1,
        True,
    )
    shown, last = np.zeros((LANES, gym.width), np.float32), np.zeros((LANES, gym.width), np.float32)
    rewards, dones, ended = np.zeros(LANES, np.float32), np.zeros(LANES, np.uint8), np.zeros(LANES, np.int64)
    size, hold = np.full(LANES, len(GYM_SIZES) - 1), np.zeros(LANES, dtype=np.int64)
    gym.reset(shown)

    def run() -> None:
        actions = hold
        for _ in range(steps):
            gym.step(actions, shown, last, rewards, dones, ended)
            actions = np.where(dones == 1, size, hold)

    return rate_row("PPO environment, the core's", "steps/s", _rates(took_each(runs, run), steps), TARGET)


def _interface(bars: Bars, steps: int, runs: int) -> Row:
    from smc_trading_agent.decision_engine.training.gym_environment import TradeEnvironment

    plain = Normaliser(Scaling((0.0,) * C, (1.0,) * C), Scaling((0.0,) * F, (1.0,) * F))
    environment = TradeEnvironment(*_trades(bars), plain, LANES, 1)
    actions = np.tile([len(GYM_SIZES) - 1, 0], (LANES, 1))
    environment.reset()

    def run() -> None:
        for _ in range(steps):
            environment.step_async(actions)
            environment.step_wait()

    name = "PPO environment, as stable-baselines3 sees it"
    return rate_row(name, "steps/s", _rates(took_each(runs, run), steps), TARGET)


def _rates(took_ns: list[float], steps: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return steps * LANES * NS / np.array(took_ns)


def _trades(bars: Bars) -> tuple[Samples, Labels, Trades]:
    """A trade every `EVERY` bars, entered at the next open, sides in turn, four thousandths of the price at risk."""
    columns = bars.columns()
    position = np.arange(EVERY, BARS - 2 * EVERY, EVERY)
    first, count = position + 1, len(position)
    entry = columns["open"][first]
    side = np.where(np.arange(count) % 2 == 0, 1, -1)
    risk = np.maximum(entry // 250, 1)
    even = np.full(count, 0.37)
    nothing = np.zeros(count, dtype=np.int64)
    features = np.random.default_rng(7).normal(0.0, 1.0, (BARS, F))
    tape = Tape("bench:SYN", "1m", "", bars, features)
    names, known = tuple(map(str, range(count))), columns["close_time"][position]
    samples = Samples((tape,), names, np.zeros((count, C)), np.zeros(count, np.intp), position, side, known)
    labels = Labels(nothing, nothing, 0.0 * even, 0.0 * even, even, even, 1.0 + 0.0 * even)
    deadline = columns["open_time"][first] + 96 * 60 * NS
    return (
        samples,
        labels,
        Trades(first, entry, entry - side * risk, entry + 2 * side * risk, deadline, 0.1 + 0.0 * even),
    )

"""The environment from Python: arrays are written in place, a seed gives the same run, what does not fit is named."""

from __future__ import annotations

import numpy as np
import pytest

from smc_trading_agent._core import GYM_SIZES, GYM_STATE_NAMES, Bars, TradeGym
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed

LANES = 8
TRADES = 50
FEATURES = 3


@pytest.fixture(scope="module")
def bars() -> Bars:
    return Bars.concat(list(SyntheticFeed(seed=3, length=3_000).batches(0)))


def made(bars: Bars, seed: int = 1, side: int = 1) -> TradeGym:
    columns = bars.columns()
    first = np.arange(1, TRADES + 1, dtype=np.int64) * 40
    entry = columns["open"][first]
    risk = np.maximum(entry // 400, 1)
    view = np.arange(len(bars) * FEATURES, dtype=np.float32).reshape(-1, FEATURES)
    sides = np.full(TRADES, side, dtype=np.int64)
    levels = (entry, entry - sides * risk, entry + 2 * sides * risk)
    deadline = columns["open_time"][first] + 90 * 60 * 10**9
    cost, break_even = np.full(TRADES, 0.1, np.float32), np.full(TRADES, 0.4, np.float32)
    return TradeGym(bars, view, -view, (first - 1, first), sides, levels, deadline, cost, break_even, LANES, seed, True)


def run(gym: TradeGym, steps: int) -> tuple[np.ndarray, list[int]]:
    shape = (LANES, gym.width)
    observations, terminal = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    rewards, dones, ended = np.zeros(LANES, np.float32), np.zeros(LANES, np.uint8), np.zeros(LANES, np.int64)
    gym.reset(observations)
    earned, order = [], []
    for _ in range(steps):
        gym.step(np.zeros(LANES, np.int64), observations, terminal, rewards, dones, ended)
        earned.append(rewards.copy())
        order += ended[dones == 1].tolist()
    return np.array(earned), order


def test_a_seed_gives_the_same_run_and_another_seed_another(bars: Bars) -> None:
    (one, order), (again, same), (_, other) = run(made(bars), 300), run(made(bars), 300), run(made(bars, seed=2), 300)
    assert np.array_equal(one, again)
    assert order == same
    assert order != other
    assert set(order) <= set(range(TRADES))


def test_an_observation_is_features_then_state(bars: Bars) -> None:
    gym = made(bars, side=-1)
    observations = np.zeros((LANES, gym.width), np.float32)
    gym.reset(observations)
    assert gym.width == FEATURES + len(GYM_STATE_NAMES)
    state = observations[:, FEATURES:]
    assert (observations[:, :FEATURES] < 0).all()  # a short trade sees the short view
    assert (state[:, GYM_STATE_NAMES.index("at_entry")] == 1).all()
    assert (state[:, GYM_STATE_NAMES.index("reward_risk")] == 2).all()
    assert GYM_SIZES == (0.25, 0.5, 0.75, 1.0)


def test_what_does_not_fit_is_named(bars: Bars) -> None:
    gym = made(bars)
    with pytest.raises(ValueError, match="observations has"):
        gym.reset(np.zeros((LANES, gym.width + 1), np.float32))
    one, ratio = np.ones(1, np.int64), np.zeros(1, np.float32)
    view = np.zeros((len(bars), FEATURES), np.float32)
    levels = (one * 5, one * 6, one * 7)
    with pytest.raises(ValueError, match="trade 0: stop, entry and target"):
        TradeGym(bars, view, view, (one - 1, one), one, levels, one, ratio, ratio, 1, 0, True)

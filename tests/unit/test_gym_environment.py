"""The environment keeps stable-baselines3's contract, repeats itself by seed, and pays what the labels say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from smc_trading_agent._core import FEATURE_NAMES, GYM_SIZES, GYM_STATE_NAMES, BarrierTracker, Bars
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.decision_engine.ensemble.inputs import MIRROR
from smc_trading_agent.decision_engine.training.ppo import play
from smc_trading_agent.decision_engine.training.samples import Labels, Samples, Tape, Trades
from smc_trading_agent.domain.costs import CostModel
from tests.planted_trades import LIFE, NOISE, SIGNAL, C, F, as_they_are, planted

if TYPE_CHECKING:
    from smc_trading_agent.decision_engine.training.gym_environment import TradeEnvironment

pytestmark = pytest.mark.usefixtures("training_extra")
LANES = 16
STATE = F
HOLD = np.tile([len(GYM_SIZES) - 1, 0], (LANES, 1))


def made(seed: int = 1, lanes: int = LANES, markets: int = 2, shuffled: bool = True) -> TradeEnvironment:
    from smc_trading_agent.decision_engine.training.gym_environment import TradeEnvironment

    return TradeEnvironment(*planted(40, NOISE, 5, markets), as_they_are(), lanes, seed, shuffled)


def state(observations: np.ndarray, name: str) -> np.ndarray:
    return observations[:, STATE + GYM_STATE_NAMES.index(name)]


def test_shapes_types_and_spaces_are_as_declared() -> None:
    environment = made()
    observations = environment.reset()
    assert observations.shape == (LANES, F + len(GYM_STATE_NAMES))
    assert observations.dtype == np.float32
    for _ in range(10):
        assert all(environment.observation_space.contains(row) for row in observations)
        actions = np.array([environment.action_space.sample() for _ in range(LANES)])
        observations, rewards, dones, infos = environment.step(actions)
        assert rewards.dtype == np.float32
        assert dones.dtype == np.bool_
        assert len(infos) == rewards.size == dones.size == LANES
    assert environment.get_attr("render_mode") == [None] * LANES
    assert environment.env_is_wrapped(object, [0, 3]) == [False, False]
    environment.close()


def test_an_ended_lane_tells_its_trade_its_return_and_its_last_observation() -> None:
    environment = made(shuffled=False)
    _, labels, _ = planted(40, NOISE, 5, 2)
    environment.reset()
    earned, seen = np.zeros(LANES), []
    for _ in range(LIFE):
        observations, rewards, dones, infos = environment.step(HOLD)
        earned += rewards
        for lane in np.flatnonzero(dones):
            info = infos[lane]
            assert info["episode"] == {"r": pytest.approx(earned[lane]), "l": 3}
            assert earned[lane] == pytest.approx(labels.net_return[info["trade"]], abs=1e-5)
            assert state(info["terminal_observation"][None], "at_entry") == 0.0
            assert state(observations[[lane]], "at_entry") == 1.0
            seen.append(info["trade"])
            earned[lane] = 0.0
    assert sorted(seen) == [*range(LANES // 2), *range(40, 40 + LANES // 2)]


def test_an_answer_outlives_the_next_step() -> None:
    environment = made()
    first = environment.reset()
    kept = first.copy()
    second, rewards, dones, _ = environment.step(HOLD)
    assert np.array_equal(first, kept)
    before = second.copy(), rewards.copy(), dones.copy()
    environment.step(HOLD)
    assert all(np.array_equal(now, then) for now, then in zip((second, rewards, dones), before, strict=True))


def test_a_seed_gives_the_same_run_and_seeding_begins_anew() -> None:
    def run(environment: TradeEnvironment) -> np.ndarray:
        observations = [environment.reset().copy()]
        observations += [environment.step(HOLD)[0].copy() for _ in range(20)]
        return np.array(observations)

    environment = made(seed=1)
    one = run(environment)
    assert np.array_equal(one, run(made(seed=1)))
    assert not np.array_equal(one, run(made(seed=2)))
    assert environment.seed(1) == [1] * LANES
    assert np.array_equal(one, run(environment))


def test_only_the_action_that_is_due_counts() -> None:
    environment = made()
    environment.reset()
    sized, *_ = environment.step(np.tile([1, 1], (LANES, 1)))
    assert (state(sized, "size") == 0.5).all()
    assert not environment.step(np.tile([3, 0], (LANES, 1)))[2].any()
    *_, dones, infos = environment.step(np.tile([0, 1], (LANES, 1)))
    assert dones.all()
    assert {info["episode"]["l"] for info in infos} == {3}


def test_features_are_seen_from_the_side_of_the_trade_at_the_close_that_knew_it() -> None:
    samples, *_ = planted(40, NOISE, 5, 2)
    observations = made(shuffled=False).reset()
    rows = [*range(LANES // 2), *range(40, 40 + LANES // 2)]
    expected = np.clip(samples.context[rows, :F], -5.0, 5.0).astype(np.float32)
    assert np.array_equal(observations[:, :F], expected)
    assert (samples.side[rows] < 0).any()
    assert MIRROR.sign[SIGNAL] == 1.0


def test_lanes_are_shared_out_by_trades_and_too_few_are_refused() -> None:
    from smc_trading_agent.decision_engine.training.gym_environment import lanes_by_market

    assert lanes_by_market([100, 300, 1], 16).tolist() == [4, 11, 1]
    assert lanes_by_market([5], 3).tolist() == [3]
    with pytest.raises(ValueError, match="2 lanes can't be shared out to 3 markets"):
        lanes_by_market([1, 1, 1], 2)


def test_lanes_have_nothing_of_their_own() -> None:
    environment = made()
    with pytest.raises(AttributeError, match="no attribute speed"):
        environment.set_attr("speed", 2)
    with pytest.raises(AttributeError, match="no method jump"):
        environment.env_method("jump")


def test_full_size_held_earns_what_the_labels_of_a_synthetic_market_say() -> None:
    samples, labels, trades, on_level = synthetic_trades()
    earned = play(None, samples, labels, trades, as_they_are(), LANES)
    assert len(labels) > 300
    assert 0.2 < on_level.mean() < 1.0
    # Off the levels (deadlines, gaps) fees are due on another price than the stop's; they are a thousandth of it.
    assert earned[on_level] == pytest.approx(labels.net_return[on_level], abs=1e-4)
    assert earned[~on_level] == pytest.approx(labels.net_return[~on_level], abs=0.01)


def synthetic_trades() -> tuple[Samples, Labels, Trades, np.ndarray]:
    """A limit entry every 20 bars at random, labelled by the barrier tracker; and whose exit was at stop or target."""
    bars = Bars.concat(list(SyntheticFeed(seed=3, length=12_000).batches(0)))
    chance, columns = np.random.default_rng(4), bars.columns()
    costs = CostModel(maker_fee_ppm=200, taker_fee_ppm=500, half_spread_ticks=1, slippage_ppm=100)
    tracker, asked = BarrierTracker(), {}
    for number, known in enumerate(range(100, len(bars) - 400, 20)):
        close, side = int(columns["close"][known]), int(chance.choice([1, -1]))
        risk = int(close * chance.uniform(0.002, 0.01))
        entry = close - side * int(risk * chance.uniform(-0.1, 0.5))
        bracket = (entry, entry - side * risk, entry + side * int(risk * chance.uniform(1.0, 3.0)))
        begins = int(columns["close_time"][known])
        limit = int(chance.integers(20, 200)) * 60_000_000_000
        asked[f"s{number}"] = (known, side, *bracket, begins, limit)
        tracker.add(f"s{number}", side, *bracket, begins, begins + 10 * 60_000_000_000, limit)
    rows = []
    for ended in tracker.on_bars(bars, 101, len(bars)):
        known, side, entry, stop, target, begins, limit = asked[ended.key]
        if ended.outcome == "unfilled":
            continue
        risk = abs(entry - stop)
        out = ended.exit_price
        leaving = costs.maker_ticks(out) if ended.outcome == "target" else costs.taker_ticks(out)
        net = (side * (out - entry) - costs.maker_ticks(entry) - leaving) / risk
        first = int(np.searchsorted(columns["open_time"], ended.entered_at))
        stopped = costs.loss_ticks(entry, stop) / risk - 1.0
        even, plain = costs.break_even(entry, stop, target), risk / (risk + abs(target - entry))
        won = ended.outcome == "target"
        times = (begins, ended.entered_at, ended.exited_at, ended.entered_at + limit)
        rows.append(
            (known, side, entry, stop, target, *times, first, stopped, even, plain, net, won or out == stop, won)
        )
    known, side, entry, stop, target, begins, start, end, due, first, cost, even, plain, net, level, won = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    tape = Tape("test:SYN", "1m", "0" * 64, bars, np.zeros((len(bars), len(FEATURE_NAMES))))
    count, flat = len(known), np.zeros(len(known), dtype=np.intp)
    samples = Samples((tape,), tuple(map(str, range(count))), np.zeros((count, C)), flat, known, side, begins)
    labels = Labels(start, end, won * 1.0, net, even, plain, np.ones(count))
    return samples, labels, Trades(first, entry, stop, target, due, cost), level

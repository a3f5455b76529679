"""The policy that leaves: it sees what the gym showed it, answers for what it was told of, and resumes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from smc_trading_agent._core import GYM_SIZES, Bar, Bars, TradeGym
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.decision_engine.ensemble.bundle import Bundle, load_bundle
from smc_trading_agent.decision_engine.ensemble.exit_policy import PolicyExit, load_exit
from smc_trading_agent.decision_engine.ensemble.inputs import MIRROR
from smc_trading_agent.decision_engine.training.policy_network import with_exit
from smc_trading_agent.domain.errors import BundleError
from smc_trading_agent.domain.types import Decision, HeldTrade
from tests import bundles
from tests.factories import DAY, MINUTE, NOW, forecast, setup
from tests.policies import OBSERVED, exit_onnx, leaving_onnx, sized_onnx

F = bundles.F
NOTHING = np.zeros(F)


def bundle_of(folder: Path, policy: bytes) -> Bundle:
    return load_bundle(bundles.written(folder, files={"ppo.onnx": policy}), allow_unsigned=True)


def told(policy: PolicyExit, decision_id: str = "d0", **of_setup: int) -> HeldTrade:
    """A decision that was taken, and its position a minute later."""
    made = setup(**({"detected_at": NOW, "entry_expires_at": NOW + DAY} | of_setup))
    policy.taken(Decision(decision_id, made.detected_at, made, forecast(), None))
    return HeldTrade(decision_id, made.side, made.detected_at + MINUTE)


def bar(close: int, minutes: int) -> Bar:
    end = NOW + minutes * MINUTE
    return Bar(end - MINUTE, end, close, close, close, close)


def test_it_sees_what_the_gym_shows_at_every_close(tmp_path: Path) -> None:
    """One short trade held in the gym, and the same position followed as the agent does."""
    bars = Bars.concat(list(SyntheticFeed(seed=3, length=300).batches(0)))
    columns, known = bars.columns(), 100
    features = np.random.default_rng(1).normal(0.0, 2.0, (len(bars), F))
    features[140, 0] = np.nan
    entry = int(columns["close"][known]) + 5
    stop, target, limit = entry + entry // 40, entry - entry // 40, 90 * MINUTE
    first = known + 1 + int(np.argmax(columns["high"][known + 1 :] > entry)) + 1  # after the bar that it fills inside
    opened = int(columns["open_time"][first])
    long_view = np.nan_to_num(np.clip(features, -5, 5)).astype(np.float32)
    mirrored = MIRROR.offset + MIRROR.sign * features[:, MIRROR.index]
    short_view = np.nan_to_num(np.clip(mirrored, -5, 5)).astype(np.float32)
    one = np.ones(1, dtype=np.int64)
    gym = TradeGym(
        bars, long_view, short_view, (known * one, first * one), -one, (entry * one, stop * one, target * one),
        (opened + limit) * one, np.zeros(1, np.float32), np.full(1, 0.5, np.float32), 1, 0, False,
    )  # fmt: skip
    shown, last = np.zeros((1, OBSERVED), np.float32), np.zeros((1, OBSERVED), np.float32)
    rewards, dones, ended = np.zeros(1, np.float32), np.zeros(1, np.uint8), np.zeros(1, np.int64)
    policy = load_exit(bundle_of(tmp_path, leaving_onnx(-1.0)))
    made = setup(side=-1, entry=entry, stop=stop, target=target, detected_at=NOW, time_limit_ns=limit)
    policy.taken(Decision("d0", NOW, made, forecast(break_even=0.5), None))
    held, bracket = HeldTrade("d0", -1, opened), policy._state.brackets["d0"]
    gym.reset(shown)
    action, place, seen = len(GYM_SIZES) - 1, first - 1, 0
    while place < len(bars) - 1:
        gym.step(np.array([action]), shown, last, rewards, dones, ended)
        if dones[0]:
            break
        observed = policy.observe(held, bracket, bars[place], features[place])
        assert observed == pytest.approx(shown[0], abs=1e-6)
        action, place, seen = 0, place + 1, seen + 1
    assert seen > 30


def test_it_leaves_what_it_was_told_of_by_its_own_state(tmp_path: Path) -> None:
    policy = load_exit(bundle_of(tmp_path, leaving_onnx(-0.5, best_r=1.0)))
    held = told(policy, entry=1_000, stop=900, target=1_200)
    assert not policy.leaves(held, bar(1_040, 2), NOTHING)
    assert policy.leaves(held, bar(1_060, 3), NOTHING)
    assert policy.leaves(held, bar(1_000, 4), NOTHING)  # the best is remembered
    again = told(policy, "d1", entry=1_000, stop=900, target=1_200)
    assert not policy.leaves(again, bar(1_010, 5), NOTHING)  # and is each trade's own
    assert not policy.leaves(HeldTrade("d9", 1, NOW), bar(1_190, 6), NOTHING)


def test_features_are_seen_from_the_side_of_the_position_and_no_number_holds(tmp_path: Path) -> None:
    policy = load_exit(bundle_of(tmp_path, leaving_onnx(math.nan)))
    held = told(policy)
    assert not policy.leaves(held, bar(1_000, 2), NOTHING)


def test_a_snapshot_goes_on_where_it_was(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, leaving_onnx(-0.5, best_r=1.0))
    policy, other = load_exit(bundle), load_exit(bundle)
    held = told(policy, entry=1_000, stop=900, target=1_200)
    policy.leaves(held, bar(1_060, 2), NOTHING)
    other.restore(policy.snapshot())
    assert other.leaves(held, bar(1_000, 3), NOTHING)
    assert other.snapshot() == policy.snapshot()


def test_what_can_no_longer_be_held_is_forgotten_and_what_is_held_is_not(tmp_path: Path) -> None:
    policy = load_exit(bundle_of(tmp_path, leaving_onnx(1.0)))
    held = told(policy, "d0")
    told(policy, "d1")
    assert policy.leaves(held, bar(1_000, 2), NOTHING)
    told(policy, "d2", detected_at=NOW + DAY, entry_expires_at=NOW + 2 * DAY)
    assert set(policy._state.brackets) == {"d0", "d2"}


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (sized_onnx(1.0), "says nothing of exits"),
        (with_exit(sized_onnx(1.0), b"no graph"), "exit_graph of ppo.onnx is no ONNX model"),
        (with_exit(sized_onnx(1.0), exit_onnx(0.0, width=OBSERVED + 1)), "expected observation"),
        (with_exit(sized_onnx(1.0), sized_onnx(1.0)), "expected observation"),
    ],
)
def test_an_exit_of_another_form_is_refused(tmp_path: Path, policy: bytes, problem: str) -> None:
    with pytest.raises(BundleError, match=problem):
        load_exit(bundle_of(tmp_path, policy))


def test_a_bundle_without_a_policy_can_not_be_asked(tmp_path: Path) -> None:
    alone = load_bundle(bundles.written(tmp_path, experts=("logistic",)), allow_unsigned=True)
    with pytest.raises(BundleError, match="has no policy to ask for exits"):
        load_exit(alone)

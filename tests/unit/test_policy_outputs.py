"""A policy's size: bounded, from the setup's own row, only where its vote counts, and carried to the intent."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from smc_trading_agent.decision_engine.ensemble.bundle import load_bundle
from smc_trading_agent.decision_engine.ensemble.policy_outputs import load_sizer
from smc_trading_agent.decision_engine.policy import BreakEvenPolicy
from smc_trading_agent.domain.reasons import DriftLevel, ForecastSource, VoteStatus
from smc_trading_agent.domain.settings import DecisionSettings
from smc_trading_agent.domain.types import Intent, Vote
from tests import bundles
from tests.policies import sized_onnx
from tests.unit.test_ensemble_forecaster import Table


@pytest.mark.parametrize(
    ("given", "taken"),
    [(0.75, 0.75), (0.25, 0.25), (1.0, 1.0), (0.2, 0.25), (-3.0, 0.25), (1.5, 1.0), (math.inf, 1.0), (math.nan, 0.25)],
)
def test_a_size_is_bounded_whatever_the_graph_says(tmp_path: Path, given: float, taken: float) -> None:
    bundle = load_bundle(bundles.written(tmp_path, files={"ppo.onnx": sized_onnx(given)}), allow_unsigned=True)
    sizer = load_sizer(bundle)
    assert sizer is not None
    assert sizer.size(np.zeros(bundles.C, dtype=np.float32)) == taken


def test_the_size_follows_the_row_of_the_setup(tmp_path: Path) -> None:
    bundle = load_bundle(bundles.written(tmp_path, files={"ppo.onnx": sized_onnx(0.5, 0.25)}), allow_unsigned=True)
    sizer = load_sizer(bundle)
    assert sizer is not None
    rows = np.zeros((3, bundles.C), dtype=np.float32)
    rows[:, 0] = -1.0, 0.0, 1.0
    assert [sizer.size(row) for row in rows] == [0.25, 0.5, 0.75]


def test_without_a_size_in_the_graph_or_without_a_policy_there_is_no_sizer(tmp_path: Path) -> None:
    plain = load_bundle(bundles.written(tmp_path), allow_unsigned=True)
    assert load_sizer(plain) is None
    alone = load_bundle(bundles.written(tmp_path, experts=("logistic",)), allow_unsigned=True)
    assert load_sizer(alone) is None
    told = Table(plain).judge()
    assert told.size_multiplier == 1.0
    assert b"size_multiplier" not in msgspec.json.encode(told)
    full = load_bundle(bundles.written(tmp_path, files={"ppo.onnx": sized_onnx(1.0)}), allow_unsigned=True)
    assert b"size_multiplier" not in msgspec.json.encode(Table(full).judge())


def test_the_size_is_the_forecasts_and_the_intents_where_the_vote_counts(tmp_path: Path) -> None:
    bundle = load_bundle(bundles.written(tmp_path, files={"ppo.onnx": sized_onnx(0.5)}), allow_unsigned=True)
    table = Table(bundle, dict.fromkeys(bundles.EXPERTS, 3.0))
    told = table.judge()
    assert told.source == ForecastSource.ENSEMBLE
    assert told.size_multiplier == 0.5
    again = table.forecaster.forecast(table.setup())
    assert table.cache.hits == 1
    assert again.size_multiplier == 0.5
    wish = BreakEvenPolicy(DecisionSettings()).decide(table.setup(), told)
    assert isinstance(wish, Intent)
    assert wish.size_multiplier == 0.5
    assert table.judge(1, ppo=math.nan).size_multiplier == 1.0


def test_a_vote_that_was_late_then_sizes_nothing_in_the_replay(tmp_path: Path) -> None:
    bundle = load_bundle(bundles.written(tmp_path, files={"ppo.onnx": sized_onnx(0.5)}), allow_unsigned=True)
    table = Table(bundle)
    told = table.judge()
    votes = tuple(Vote(vote.expert, VoteStatus.LATE) if vote.expert == "ppo" else vote for vote in told.votes)
    recorded = msgspec.structs.replace(told, votes=votes, size_multiplier=1.0)
    assert table.forecaster.forecast(table.setup(), recorded).size_multiplier == 1.0


def test_base_rates_that_decide_alone_take_full_size(tmp_path: Path) -> None:
    folder = bundles.written(
        tmp_path,
        files={
            "ppo.onnx": sized_onnx(0.5),
            "drift.json": bundles.encoded(bundles.drift(memory=5.0, stop_share=0.1, shrink_share=0.1)),
        },
    )
    table = Table(load_bundle(folder, allow_unsigned=True))
    for _ in range(400):
        table.close(50.0)
    assert table.forecaster.health().drift == DriftLevel.STOP
    told = table.judge()
    assert told.source == ForecastSource.BASE_RATE
    assert told.size_multiplier == 1.0

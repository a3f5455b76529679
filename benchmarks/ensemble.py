"""A decision by all experts, everything on, and the step that a new bar costs; with the full window beside it.

The models have the sizes that are served (`benchmarks.models`): logistic regression, 300 trees of depth 6, an LSTM with
64 units, attention over 64 closes, a policy network. Each decision is a cache miss: votes, calibration, pool, conformal
set, top features. The schedule is the one that start-up chose on this machine, and the row says which.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from benchmarks.models import attention, lstm, policy, trees
from benchmarks.rows import Row, row_of
from smc_trading_agent._core import FEATURE_NAMES
from smc_trading_agent.decision_engine.base_rate import BaseRateForecaster
from smc_trading_agent.decision_engine.ensemble.bundle import Bundle, load_bundle, write_bundle
from smc_trading_agent.decision_engine.ensemble.cache import VoteCache
from smc_trading_agent.decision_engine.ensemble.calibrators import encode_calibrators, fit_isotonic, fit_platt
from smc_trading_agent.decision_engine.ensemble.conformal import fit_conformal
from smc_trading_agent.decision_engine.ensemble.drift import fit_column_reference, fit_loss_reference
from smc_trading_agent.decision_engine.ensemble.experts import LogisticModel, load_experts
from smc_trading_agent.decision_engine.ensemble.forecaster import EnsembleForecaster
from smc_trading_agent.decision_engine.ensemble.inputs import (
    CONTEXT_COLUMNS,
    FEATURE_SCHEMA,
    Normaliser,
    Scaling,
    fit_scaling,
)
from smc_trading_agent.decision_engine.ensemble.manifest import (
    CALIBRATORS,
    CARD,
    DRIFT,
    ENSEMBLE,
    NORMALISER,
    ExpertEntry,
    Manifest,
    Provenance,
    TrainingRange,
)
from smc_trading_agent.decision_engine.ensemble.parameters import DriftReference, EnsembleParameters
from smc_trading_agent.decision_engine.ensemble.pooling import PoolParameters, PoolState
from smc_trading_agent.decision_engine.ensemble.signing import canonical_json
from smc_trading_agent.domain.clock import MarketClock, monotonic_ns
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.reasons import SetupKind, VoteStatus
from smc_trading_agent.domain.settings import DecisionSettings, EnsembleSettings, ModelSettings
from smc_trading_agent.domain.types import Setup

F, C = len(FEATURE_NAMES), len(CONTEXT_COLUMNS)
HIDDEN, WINDOW = 64, 64
WARM_UP, ROWS = 500, 2_000
CLOSES_BETWEEN = 3
"""Closes without a setup between two decisions."""
PAUSE, PAUSE_S = threading.Event(), 0.0005
"""Decisions are minutes apart: what is done off the path is done by then, and threads have gone to sleep."""
EXPERTS = (
    ExpertEntry("logistic", "logistic", "logistic.json"),
    ExpertEntry("lightgbm", "row", "lightgbm.onnx"),
    ExpertEntry("lstm", "stream", "lstm.onnx"),
    ExpertEntry("transformer", "stream", "transformer.onnx"),
    ExpertEntry("ppo", "row", "ppo.onnx"),
)


def measure_ensemble(folder: Path, decisions: int) -> list[Row]:
    """Decisions by each schedule, by none, and steps beside the whole window of them; the bundle is in ``folder``."""
    bundle = _bundle(folder)
    return [
        *_decisions(bundle, decisions, 20.0, EnsembleSettings(), "as chosen"),
        *_decisions(bundle, decisions, 20.0, EnsembleSettings(schedule="fused"), "always"),
        *_decisions(bundle, decisions, 20.0, EnsembleSettings(schedule="one after another"), "always"),
        *_decisions(bundle, decisions, 20.0, EnsembleSettings(schedule="threads"), "always"),
        *_decisions(bundle, decisions, 0.0, EnsembleSettings(), "without a deadline"),
        *_steps(bundle, decisions),
    ]


def _decisions(bundle: Bundle, count: int, deadline_ms: float, ensemble: EnsembleSettings, how: str) -> list[Row]:
    costs = CostModel(maker_fee_ppm=200, taker_fee_ppm=500, half_spread_ticks=1, slippage_ppm=100)
    base = BaseRateForecaster(costs, DecisionSettings())
    forecaster = EnsembleForecaster(
        bundle, base, VoteCache(MarketClock(), 60.0), ModelSettings(deadline_ms=deadline_ms), ensemble
    )
    rows = [tuple(row) for row in np.random.default_rng(5).normal(0.0, 1.0, (ROWS, F)).tolist()]
    closes, asked, late = np.empty(count), np.empty(count), 0
    for number in range(-WARM_UP, count):
        for silent in range(CLOSES_BETWEEN):
            forecaster.on_close(rows[(number + silent) % ROWS])
            forecaster.settle()
        PAUSE.wait(PAUSE_S)
        features = rows[number % ROWS]
        setup = _setup(number, features)
        began = monotonic_ns()
        forecaster.on_close(features)
        shown = monotonic_ns()
        forecast = forecaster.forecast(setup)
        ended = monotonic_ns()
        forecaster.settle()
        if number >= 0:
            closes[number], asked[number] = (shown - began) / 1_000.0, (ended - shown) / 1_000.0
            late += any(vote.status is VoteStatus.LATE for vote in forecast.votes)
    chosen = forecaster.health().schedule.chosen
    forecaster.close()
    name = f"ensemble, {chosen} {how} ({late} of {count:,} with a late vote)"
    return [
        row_of(f"{name}: a decision, cache miss", "us", asked, 500.0),
        row_of(f"{name}: a close shown to models and drift watch", "us", closes),
    ]


def _steps(bundle: Bundle, count: int) -> list[Row]:
    """One close through each model with state; and what the whole window costs where no state is carried."""
    rows = np.random.default_rng(6).normal(0.0, 1.0, (ROWS, F)).astype(np.float32)
    context = np.zeros(C, dtype=np.float32)
    measured = []
    for expert in load_experts(bundle):
        if not expert.streaming:
            continue
        taken = np.empty(count)
        for number in range(-WARM_UP, count):
            expert.on_close(rows[number % ROWS])
            began = monotonic_ns()
            expert.vote(context)
            if number >= 0:
                taken[number] = (monotonic_ns() - began) / 1_000.0
        measured.append(row_of(f"{expert.name}: a new bar and its vote, state carried", "us", taken))
        windows, cold = np.empty(count // WINDOW), expert.snapshot()
        for number in range(len(windows)):
            expert.restore(cold)
            for row in rows[:WINDOW]:
                expert.on_close(row)
            began = monotonic_ns()
            expert.vote(context)
            windows[number] = (monotonic_ns() - began) / 1_000.0
        measured.append(row_of(f"{expert.name}: the same over a window of {WINDOW} bars, step by step", "us", windows))
    return measured


def _setup(number: int, features: tuple[float, ...]) -> Setup:
    return Setup(
        setup_id=f"s{number}",
        instrument="bench:BTCUSDT",
        timeframe="15m",
        kind=SetupKind.REVERSAL,
        side=1 if number % 2 else -1,
        entry=500_000,
        stop=495_000 if number % 2 else 505_000,
        target=510_000 if number % 2 else 490_000,
        detected_at=(number + WARM_UP + 1) * 900_000_000_000,
        entry_expires_at=(number + WARM_UP + 4) * 900_000_000_000,
        time_limit_ns=0,
        higher_timeframe_bias=1,
        evidence=(),
        features=features,
    )


def _bundle(folder: Path) -> Bundle:
    """Random models, with calibrators and sets of the size that a fit over 4,000 labels has."""
    chance = np.random.default_rng(7)
    score = chance.normal(-0.6, 1.0, 4_000)
    won = (chance.random(4_000) < 1.0 / (1.0 + np.exp(-score))).astype(np.float64)
    isotonic = fit_isotonic(score, won)
    p, even = isotonic.apply_many(score), np.full(4_000, 0.38)
    rows, names = chance.normal(0.0, 1.0, (ROWS, F)), [expert.name for expert in EXPERTS]
    stream = fit_scaling(rows)
    own = C - F
    files = {
        "logistic.json": canonical_json(LogisticModel(tuple(chance.normal(0.0, 0.05, C).tolist()), -0.5)),
        "lightgbm.onnx": trees(C, 1),
        "lstm.onnx": lstm(F, C, HIDDEN, 2),
        "transformer.onnx": attention(F, C, HIDDEN, WINDOW, 3),
        "ppo.onnx": policy(C, 4),
        CALIBRATORS: encode_calibrators(dict.fromkeys(names, isotonic)),
        ENSEMBLE: canonical_json(
            EnsembleParameters(
                pool=PoolParameters(caps={"ppo": 0.1}),
                weights=PoolState(dict.fromkeys(names, 1.0 / len(names))),
                recalibration=fit_platt(score, won),
                conformal=fit_conformal(p, even, won),
                max_disagreement=5.0,
            )
        ),
        NORMALISER: canonical_json(
            Normaliser(Scaling((*stream.centre, *(0.0,) * own), (*stream.scale, *(1.0,) * own)), stream)
        ),
        DRIFT: canonical_json(
            DriftReference(fit_column_reference(rows), dict.fromkeys(names, fit_loss_reference(p, even, won)))
        ),
        CARD: b"# Random models for the benchmark\n",
    }
    manifest = Manifest(
        feature_schema=FEATURE_SCHEMA,
        experts=EXPERTS,
        instruments=("bench:BTCUSDT",),
        timeframes=("15m",),
        training=TrainingRange(0, 1, 4_000),
        provenance=Provenance({}, "", (7,)),
        verdict="random weights; it knows nothing of any market",
    )
    return load_bundle(write_bundle(folder, manifest, files), allow_unsigned=True)

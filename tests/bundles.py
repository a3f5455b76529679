"""Small bundles with real models: a logistic one in JSON, and ONNX graphs of a row, an LSTM and an attention expert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import helper

from benchmarks.models import attention, graph, linear, lstm, tensors
from smc_trading_agent._core import FEATURE_NAMES
from smc_trading_agent.decision_engine.ensemble.bundle import write_bundle
from smc_trading_agent.decision_engine.ensemble.calibrators import PlattCalibrator, encode_calibrators
from smc_trading_agent.decision_engine.ensemble.conformal import fit_conformal
from smc_trading_agent.decision_engine.ensemble.experts import LogisticModel
from smc_trading_agent.decision_engine.ensemble.inputs import CONTEXT_COLUMNS, FEATURE_SCHEMA, Normaliser, Scaling
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
from smc_trading_agent.decision_engine.ensemble.parameters import (
    ColumnReference,
    DriftReference,
    EnsembleParameters,
    LossReference,
)
from smc_trading_agent.decision_engine.ensemble.pooling import PoolParameters, PoolState
from smc_trading_agent.decision_engine.ensemble.signing import canonical_json

F, C = len(FEATURE_NAMES), len(CONTEXT_COLUMNS)
HIDDEN, WINDOW = 16, 8
EXPERTS = ("logistic", "lightgbm", "lstm", "transformer", "ppo")
KINDS = dict(zip(EXPERTS, ("logistic", "row", "stream", "stream", "row"), strict=True))


def scale(columns: int) -> Scaling:
    """Leaves rows as they are, but for the clipping."""
    return Scaling((0.0,) * columns, (1.0,) * columns)


def logistic_json(seed: int = 1, strength: float = 0.1) -> bytes:
    weights = np.random.default_rng(seed).normal(0.0, strength, C)
    return canonical_json(LogisticModel(tuple(weights.tolist()), -0.5))


def row_onnx(seed: int = 2, width: int = C, bias: float = -0.4) -> bytes:
    """logit = context @ w + bias."""
    return linear(width, seed, bias)


def pair_onnx() -> bytes:
    """A row expert that says two numbers where one is asked for."""
    return graph(
        [helper.make_node("Gemm", ["context", "w"], ["logit"])],
        {"context": [1, C]},
        {"logit": [1, 2]},
        tensors(w=np.ones((C, 2), dtype=np.float32)),
    )


def unrunnable_onnx() -> bytes:
    """A row expert that looks up a place that is not there."""
    return graph(
        [helper.make_node("Gather", ["context", "place"], ["logit"], axis=1)],
        {"context": [1, C]},
        {"logit": [1, 1]},
        tensors(place=np.array([C])),
    )


def slow_onnx(size: int = 1_500) -> bytes:
    """A row expert that multiplies two matrices of ``size`` squared before it says what it knew at once."""
    given = tensors(
        w=np.full((C, 1), 0.01, dtype=np.float32),
        b=np.zeros(1, dtype=np.float32),
        shape=np.array([size, size]),
        nothing=np.zeros((1, 1), dtype=np.float32),
    )
    make = helper.make_node
    nodes = [
        make("Gemm", ["context", "w", "b"], ["quick"]),
        make("Expand", ["quick", "shape"], ["big"]),
        make("MatMul", ["big", "big"], ["product"]),
        make("ReduceMean", ["product"], ["mean"], axes=[0, 1], keepdims=1),
        make("Mul", ["mean", "nothing"], ["zero"]),
        make("Add", ["quick", "zero"], ["logit"]),
    ]
    return graph(nodes, {"context": [1, C]}, {"logit": [1, 1]}, given)


def lstm_onnx() -> bytes:
    """One step of an LSTM."""
    return lstm(F, C, HIDDEN, seed=3)


def attention_onnx() -> bytes:
    """One step of attention over a ring."""
    return attention(F, C, HIDDEN, WINDOW, seed=4)


def models() -> dict[str, bytes]:
    """Model files by expert."""
    return {
        "logistic": logistic_json(),
        "lightgbm": row_onnx(),
        "lstm": lstm_onnx(),
        "transformer": attention_onnx(),
        "ppo": row_onnx(seed=5),
    }


def parameters(experts: tuple[str, ...] = EXPERTS, **changes: Any) -> EnsembleParameters:
    """Equal weights, PPO capped, and sets from forecasts that mean what they say."""
    chance = np.random.default_rng(6)
    believed = chance.uniform(0.1, 0.9, 2_000)
    fields: dict[str, Any] = {
        "pool": PoolParameters(caps={"ppo": 0.1} if "ppo" in experts else {}),
        "weights": PoolState(dict.fromkeys(experts, 1.0 / len(experts))),
        "recalibration": PlattCalibrator(1.0, 0.0, 2_000),
        "conformal": fit_conformal(believed, np.full(2_000, 0.4), (chance.random(2_000) < believed) * 1.0),
        "max_disagreement": 5.0,
    }
    return EnsembleParameters(**(fields | changes))


def drift(experts: tuple[str, ...] = EXPERTS, **changes: Any) -> DriftReference:
    """Columns of which a quarter each lay below -1, up to 0, up to 1 and above."""
    fields: dict[str, Any] = {
        "columns": (ColumnReference((-1.0, 0.0, 1.0), (0.25,) * 4),) * F,
        "losses": dict.fromkeys(experts, LossReference(-0.02, 0.3)),
    }
    return DriftReference(**(fields | changes))


def manifest(experts: tuple[str, ...] = EXPERTS, **changes: Any) -> Manifest:
    """For BTCUSDT of the test venue at 15 minutes."""
    entries = tuple(
        ExpertEntry(name, KINDS[name], f"{name}.{'json' if KINDS[name] == 'logistic' else 'onnx'}") for name in experts
    )
    fields: dict[str, Any] = {
        "feature_schema": FEATURE_SCHEMA,
        "experts": entries,
        "instruments": ("test:BTCUSDT",),
        "timeframes": ("15m",),
        "training": TrainingRange(0, 1, 2_000),
        "provenance": Provenance({"bars.csv": "0" * 64}, "0" * 40, (1, 2, 3)),
        "verdict": "made for a test; it knows nothing of any market",
    }
    return Manifest(**(fields | changes))


def contents(experts: tuple[str, ...] = EXPERTS, **replaced: bytes) -> dict[str, bytes]:
    """All files of a bundle; ``replaced`` are other models, by expert."""
    made = models() | replaced
    files = {entry.file: made[entry.name] for entry in manifest(experts).experts}
    return files | {
        CALIBRATORS: encode_calibrators({name: PlattCalibrator(1.0, 0.0, 500) for name in experts}),
        ENSEMBLE: canonical_json(parameters(experts)),
        NORMALISER: canonical_json(Normaliser(context=scale(C), stream=scale(F))),
        DRIFT: canonical_json(drift(experts)),
        CARD: b"# A bundle for tests\n",
    }


def written(
    parent: Path,
    key: Ed25519PrivateKey | None = None,
    experts: tuple[str, ...] = EXPERTS,
    files: dict[str, bytes] | None = None,
    **changes: Any,
) -> Path:
    """A bundle on disk; ``changes`` are fields of its manifest, ``files`` replace or join its files."""
    return write_bundle(parent, manifest(experts, **changes), contents(experts) | (files or {}), key)


def encoded(value: msgspec.Struct) -> bytes:
    """A JSON file of a bundle."""
    return canonical_json(value)

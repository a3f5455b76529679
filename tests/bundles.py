"""Small bundles with real models: a logistic one in JSON, and ONNX graphs of a row, an LSTM and an attention expert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper, numpy_helper

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


def _tensors(**arrays: np.ndarray) -> list[TensorProto]:
    return [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]


def _model(nodes: list[Any], inputs: dict[str, list[int]], outputs: dict[str, list[int]], tensors: list[Any]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "expert",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def row_onnx(seed: int = 2, width: int = C, bias: float = -0.4) -> bytes:
    """logit = context @ w + bias."""
    w = np.random.default_rng(seed).normal(0.0, 0.05, (width, 1)).astype(np.float32)
    return _model(
        [helper.make_node("Gemm", ["context", "w", "b"], ["logit"])],
        {"context": [1, width]},
        {"logit": [1, 1]},
        _tensors(w=w, b=np.array([bias], dtype=np.float32)),
    )


def slow_onnx(size: int = 1_500) -> bytes:
    """A row expert that multiplies two matrices of ``size`` squared before it says what it knew at once."""
    tensors = _tensors(
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
    return _model(nodes, {"context": [1, C]}, {"logit": [1, 1]}, tensors)


def lstm_onnx(seed: int = 3) -> bytes:
    """One step of an LSTM, with a linear head over its hidden state and the context."""
    chance = np.random.default_rng(seed)
    tensors = _tensors(
        w=chance.normal(0.0, 0.2, (1, 4 * HIDDEN, F)).astype(np.float32),
        r=chance.normal(0.0, 0.2, (1, 4 * HIDDEN, HIDDEN)).astype(np.float32),
        head=chance.normal(0.0, 0.1, (HIDDEN + C, 1)).astype(np.float32),
        first=np.array([0]),
    )
    nodes = [
        helper.make_node("Unsqueeze", ["x", "first"], ["steps"]),
        helper.make_node("LSTM", ["steps", "w", "r", "", "", "h", "c"], ["", "h_next", "c_next"], hidden_size=HIDDEN),
        helper.make_node("Squeeze", ["h_next", "first"], ["hidden"]),
        helper.make_node("Concat", ["hidden", "context"], ["seen"], axis=1),
        helper.make_node("MatMul", ["seen", "head"], ["logit"]),
    ]
    state = [1, 1, HIDDEN]
    return _model(
        nodes,
        {"x": [1, F], "h": state, "c": state, "context": [1, C]},
        {"logit": [1, 1], "h_next": state, "c_next": state},
        tensors,
    )


def attention_onnx(seed: int = 4) -> bytes:
    """One causal attention step over a ring of keys and values; ``filled`` marks places of the ring that are in use."""
    chance = np.random.default_rng(seed)
    tensors = _tensors(
        wq=chance.normal(0.0, 0.1, (F, HIDDEN)).astype(np.float32),
        wk=chance.normal(0.0, 0.1, (F, HIDDEN)).astype(np.float32),
        wv=chance.normal(0.0, 0.1, (F, HIDDEN)).astype(np.float32),
        head=chance.normal(0.0, 0.1, (HIDDEN + C, 1)).astype(np.float32),
        one=np.ones((1, 1), dtype=np.float32),
        huge=np.array([1e9], dtype=np.float32),
        start=np.array([1]),
        end=np.array([WINDOW]),
        axis0=np.array([0]),
        axis1=np.array([1]),
    )
    make = helper.make_node
    nodes = [
        make("MatMul", ["x", "wq"], ["q"]),
        make("MatMul", ["x", "wk"], ["k"]),
        make("MatMul", ["x", "wv"], ["v"]),
        make("Slice", ["keys", "start", "end", "axis0"], ["old_keys"]),
        make("Concat", ["old_keys", "k"], ["keys_next"], axis=0),
        make("Slice", ["values", "start", "end", "axis0"], ["old_values"]),
        make("Concat", ["old_values", "v"], ["values_next"], axis=0),
        make("Slice", ["filled", "start", "end", "axis1"], ["old_filled"]),
        make("Concat", ["old_filled", "one"], ["filled_next"], axis=1),
        make("Transpose", ["keys_next"], ["turned"], perm=[1, 0]),
        make("MatMul", ["q", "turned"], ["scores"]),
        make("Sub", ["filled_next", "one"], ["empty"]),
        make("Mul", ["empty", "huge"], ["mask"]),
        make("Add", ["scores", "mask"], ["masked"]),
        make("Softmax", ["masked"], ["attention"], axis=1),
        make("MatMul", ["attention", "values_next"], ["read"]),
        make("Concat", ["read", "context"], ["seen"], axis=1),
        make("MatMul", ["seen", "head"], ["logit"]),
    ]
    ring, filled = [WINDOW, HIDDEN], [1, WINDOW]
    return _model(
        nodes,
        {"x": [1, F], "keys": ring, "values": ring, "filled": filled, "context": [1, C]},
        {"logit": [1, 1], "keys_next": ring, "values_next": ring, "filled_next": filled},
        tensors,
    )


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

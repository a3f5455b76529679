"""Models of the sizes that are served, with random weights: their cost does not depend on what they know."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, checker, helper, numpy_helper

Array = NDArray[Any]


def tensors(**arrays: Array) -> list[Any]:
    """Initialisers by name."""
    return [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]


def graph(
    nodes: list[Any], inputs: dict[str, list[int]], outputs: dict[str, list[int]], initialisers: list[Any]
) -> bytes:
    """A checked float graph with these inputs and outputs (shapes by name)."""
    made = helper.make_graph(
        nodes,
        "expert",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        initialisers,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=8)
    checker.check_model(model)
    return bytes(model.SerializeToString())


def linear(context: int, seed: int, bias: float = -0.4) -> bytes:
    """logit = context @ w + bias."""
    w = np.random.default_rng(seed).normal(0.0, 0.05, (context, 1)).astype(np.float32)
    return graph(
        [helper.make_node("Gemm", ["context", "w", "b"], ["logit"])],
        {"context": [1, context]},
        {"logit": [1, 1]},
        tensors(w=w, b=np.array([bias], dtype=np.float32)),
    )


def policy(context: int, seed: int, hidden: int = 64) -> bytes:
    """Two hidden layers, as a PPO policy has them."""
    chance = np.random.default_rng(seed)

    def weights(rows: int, columns: int) -> Array:
        return chance.normal(0.0, 0.1, (rows, columns)).astype(np.float32)

    nodes = [
        helper.make_node("MatMul", ["context", "w1"], ["a"]),
        helper.make_node("Tanh", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "w2"], ["c"]),
        helper.make_node("Tanh", ["c"], ["d"]),
        helper.make_node("MatMul", ["d", "w3"], ["logit"]),
    ]
    given = tensors(w1=weights(context, hidden), w2=weights(hidden, hidden), w3=weights(hidden, 1))
    return graph(nodes, {"context": [1, context]}, {"logit": [1, 1]}, given)


def trees(context: int, seed: int, count: int = 300, depth: int = 6) -> bytes:
    """Boosted trees: ``count`` full trees of ``depth`` splits, summed."""
    chance = np.random.default_rng(seed)
    inner = 2**depth - 1
    every = [(tree, node) for tree in range(count) for node in range(2 * inner + 1)]
    leaves = [(tree, node) for tree, node in every if node >= inner]
    regressor = helper.make_node(
        "TreeEnsembleRegressor",
        ["context"],
        ["logit"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[tree for tree, _ in every],
        nodes_nodeids=[node for _, node in every],
        nodes_featureids=chance.integers(0, context, len(every)).tolist(),
        nodes_modes=["LEAF" if node >= inner else "BRANCH_LEQ" for _, node in every],
        nodes_values=chance.normal(0.0, 1.0, len(every)).tolist(),
        nodes_truenodeids=[0 if node >= inner else 2 * node + 1 for _, node in every],
        nodes_falsenodeids=[0 if node >= inner else 2 * node + 2 for _, node in every],
        target_treeids=[tree for tree, _ in leaves],
        target_nodeids=[node for _, node in leaves],
        target_ids=[0] * len(leaves),
        target_weights=chance.normal(0.0, 0.02, len(leaves)).tolist(),
    )
    return graph([regressor], {"context": [1, context]}, {"logit": [1, 1]}, [])


def lstm(features: int, context: int, hidden: int, seed: int) -> bytes:
    """One step of an LSTM, with a linear head over its hidden state and the context."""
    chance = np.random.default_rng(seed)
    given = tensors(
        w=chance.normal(0.0, 0.2, (1, 4 * hidden, features)).astype(np.float32),
        r=chance.normal(0.0, 0.2, (1, 4 * hidden, hidden)).astype(np.float32),
        head=chance.normal(0.0, 0.1, (hidden + context, 1)).astype(np.float32),
        first=np.array([0]),
    )
    nodes = [
        helper.make_node("Unsqueeze", ["x", "first"], ["steps"]),
        helper.make_node("LSTM", ["steps", "w", "r", "", "", "h", "c"], ["", "h_next", "c_next"], hidden_size=hidden),
        helper.make_node("Squeeze", ["h_next", "first"], ["hidden"]),
        helper.make_node("Concat", ["hidden", "context"], ["seen"], axis=1),
        helper.make_node("MatMul", ["seen", "head"], ["logit"]),
    ]
    state = [1, 1, hidden]
    return graph(
        nodes,
        {"x": [1, features], "h": state, "c": state, "context": [1, context]},
        {"logit": [1, 1], "h_next": state, "c_next": state},
        given,
    )


def attention(features: int, context: int, hidden: int, window: int, seed: int) -> bytes:
    """One causal attention step over a ring of keys and values; ``filled`` marks places of the ring that are in use."""
    chance = np.random.default_rng(seed)
    weights = {name: chance.normal(0.0, 0.1, (features, hidden)).astype(np.float32) for name in ("wq", "wk", "wv")}
    given = tensors(
        **weights,
        head=chance.normal(0.0, 0.1, (hidden + context, 1)).astype(np.float32),
        one=np.ones((1, 1), dtype=np.float32),
        huge=np.array([1e9], dtype=np.float32),
        start=np.array([1]),
        end=np.array([window]),
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
    ring, filled = [window, hidden], [1, window]
    return graph(
        nodes,
        {"x": [1, features], "keys": ring, "values": ring, "filled": filled, "context": [1, context]},
        {"logit": [1, 1], "keys_next": ring, "values_next": ring, "filled_next": filled},
        given,
    )

"""A policy network as plain arrays: what PPO fitted, read with NumPy, and written as the ONNX graphs that serve it.

Dense layers with tanh between them see an observation and give a logit for each of `GYM_SIZES` and for holding and
leaving. At entry, before any state of a position exists, the observation follows from the setup's context row alone;
`at_entry` folds that map, which is linear, into the first layer, so that the served graph takes the same row as every
other expert.
"""

from __future__ import annotations

import base64

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import GYM_SIZES, GYM_STATE_NAMES
from smc_trading_agent.decision_engine.ensemble.exit_policy import EXIT_GRAPH, OBSERVATION
from smc_trading_agent.decision_engine.ensemble.experts import CONTEXT, LOGIT
from smc_trading_agent.decision_engine.ensemble.inputs import SETUP_COLUMNS, Scaling
from smc_trading_agent.decision_engine.ensemble.policy_outputs import SIZE
from smc_trading_agent.decision_engine.training.graphs import Graph

Singles = NDArray[np.float32]
Stack = tuple[tuple[Singles, Singles], ...]
"""Layers in order, each (weights (inputs, outputs), bias (outputs,))."""
SIZES = np.array(GYM_SIZES, dtype=np.float32)
HOLD, LEAVE = len(GYM_SIZES), len(GYM_SIZES) + 1
"""Places of the actor's outputs after those of the sizes."""
LEAST_EVEN, MOST_EVEN = 0.01, 0.99


class PolicyNetwork(msgspec.Struct, frozen=True):
    """``actor`` gives (sizes + 2) logits for an observation (F + state)."""

    actor: Stack

    def actions(self, observations: Singles) -> NDArray[np.int64]:
        """The likeliest actions (lanes, 2) for observations (lanes, F + state)."""
        logits = forward(self.actor, observations)
        leaves = logits[:, LEAVE] > logits[:, HOLD]
        return np.column_stack([logits[:, :HOLD].argmax(axis=1), leaves]).astype(np.int64)

    def at_entry(self, scaling: Scaling) -> EntryNetwork:
        """The same network as it sees a setup; ``scaling`` is that of context rows."""
        columns = len(scaling.centre)
        features = columns - len(SETUP_COLUMNS)
        select = np.zeros((columns, features + len(GYM_STATE_NAMES)))
        offset = np.zeros(select.shape[1])
        select[:features, :features] = np.eye(features)
        for name in ("reward_risk", "break_even"):
            place, state = features + SETUP_COLUMNS.index(name), features + GYM_STATE_NAMES.index(name)
            select[place, state], offset[state] = scaling.scale[place], scaling.centre[place]
        offset[features + GYM_STATE_NAMES.index("at_entry")] = 1.0
        even = features + GYM_STATE_NAMES.index("break_even")
        (weights, bias), *rest = self.actor
        first = (select @ weights).astype(np.float32), (offset @ weights + bias).astype(np.float32)
        return EntryNetwork(
            actor=(first, *rest),
            even=(select[:, [even]].astype(np.float32), offset[[even]].astype(np.float32)),
        )

    def exit_graph(self) -> bytes:
        """ONNX: ``observation[1, F + state] -> logit[1, 1]``, the log-odds of leaving against holding."""
        graph = Graph()
        logits = _dense(graph, OBSERVATION, self.actor)
        graph.node("MatMul", [logits, graph.constant("against", _difference(LEAVE, HOLD))], LOGIT)
        return graph.encode({OBSERVATION: (1, self.actor[0][0].shape[0])}, {LOGIT: (1, 1)})


class EntryNetwork(msgspec.Struct, frozen=True):
    """A policy network over scaled context rows (C columns); ``even`` is the map from them to break-even."""

    actor: Stack
    even: tuple[Singles, Singles]

    def log_odds(self, rows: Singles) -> Singles:
        """Raw log-odds of a win (n,) for scaled context rows (n, C): those of break-even, and how the policy leans.

        Full size pays where P(win) is above break-even, the smallest where it is below; so the policy's log-odds of
        full against smallest size are its distance from break-even, on a scale that the calibrator finds. The critic
        might be asked instead, but it learns the training trades by heart long before the actor does.
        """
        logits = forward(self.actor, rows)
        even = np.clip((rows @ self.even[0] + self.even[1])[:, 0], np.float32(LEAST_EVEN), np.float32(MOST_EVEN))
        found: Singles = np.log(even / (1.0 - even)) + logits[:, HOLD - 1] - logits[:, 0]
        return found

    def sizes(self, rows: Singles) -> Singles:
        """The likeliest of `GYM_SIZES` (n,) for scaled context rows (n, C)."""
        chosen: Singles = SIZES[forward(self.actor, rows)[:, :HOLD].argmax(axis=1)]
        return chosen

    def graph(self) -> bytes:
        """ONNX: ``context[1, C] -> logit[1, 1], size[1, 1]``, as `log_odds` and `sizes` have them."""
        graph = Graph()
        node, constant = graph.node, graph.constant
        logits = _dense(graph, CONTEXT, self.actor)
        any_even = node("Gemm", [CONTEXT, constant("even_w", self.even[0]), constant("even_b", self.even[1])], "any")
        ends = [constant("least", np.array(LEAST_EVEN)), constant("most", np.array(MOST_EVEN))]
        even = node("Clip", [any_even, *ends], "even")
        against = node("Sub", [constant("unit", np.ones((1, 1))), even], "against")
        at_even = node("Log", [node("Div", [even, against], "ratio")], "at_even")
        leaning = node("MatMul", [logits, constant("full_against_least", _difference(HOLD - 1, 0))], "leaning")
        node("Add", [at_even, leaning], LOGIT)
        bounds = [constant("first", np.array([0])), constant("last", np.array([HOLD])), constant("axis", np.array([1]))]
        choice = node("ArgMax", [node("Slice", [logits, *bounds], "of_sizes")], "choice", axis=1, keepdims=0)
        node("Gather", [constant("sizes", SIZES[:, None]), choice], SIZE, axis=0)
        return graph.encode({CONTEXT: (1, self.actor[0][0].shape[0])}, {LOGIT: (1, 1), SIZE: (1, 1)})


def with_exit(entry_graph: bytes, exit_graph: bytes) -> bytes:
    """The one file of a policy: the graph that votes and sizes, with the one that leaves in its metadata."""
    from onnx import load_model_from_string

    model = load_model_from_string(entry_graph)
    kept = model.metadata_props.add()
    kept.key, kept.value = EXIT_GRAPH, base64.b64encode(exit_graph).decode()
    return bytes(model.SerializeToString())


def forward(stack: Stack, rows: Singles) -> Singles:
    """Rows (n, inputs) through the layers, tanh between them."""
    for weights, bias in stack[:-1]:
        rows = np.tanh(rows @ weights + bias)
    weights, bias = stack[-1]
    last: Singles = rows @ weights + bias
    return last


def _difference(one: int, other: int) -> Singles:
    """Column (sizes + 2, 1) by which the actor's logits become the log-odds of one choice against another."""
    column = np.zeros((len(SIZES) + 2, 1), dtype=np.float32)
    column[[one, other], 0] = 1.0, -1.0
    return column


def _dense(graph: Graph, given: str, stack: Stack) -> str:
    """The stack over the tensor ``given``; the name of what it gives."""
    for number, (weights, bias) in enumerate(stack):
        inputs = [given, graph.constant(f"w{number}", weights), graph.constant(f"b{number}", bias)]
        given = graph.node("Gemm", inputs, f"sum{number}")
        if number + 1 < len(stack):
            given = graph.node("Tanh", [given], f"out{number}")
    return given

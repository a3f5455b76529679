"""Policy networks for tests: sizes and exits that follow from one column, so that what they say is known."""

from __future__ import annotations

import numpy as np
from onnx import helper

from benchmarks.models import graph, tensors
from smc_trading_agent._core import GYM_STATE_NAMES
from smc_trading_agent.decision_engine.training.policy_network import with_exit
from tests.bundles import C, F

OBSERVED = F + len(GYM_STATE_NAMES)


def sized_onnx(size: float, of_first_column: float = 0.0) -> bytes:
    """logit = -0.4; size = ``size`` + ``of_first_column`` * context[0]."""
    first = np.zeros((C, 1), dtype=np.float32)
    first[0] = of_first_column
    given = tensors(
        w=np.zeros((C, 1), dtype=np.float32),
        b=np.array([-0.4], dtype=np.float32),
        first=first,
        size_b=np.array([size], dtype=np.float32),
    )
    nodes = [
        helper.make_node("Gemm", ["context", "w", "b"], ["logit"]),
        helper.make_node("Gemm", ["context", "first", "size_b"], ["size"]),
    ]
    return graph(nodes, {"context": [1, C]}, {"logit": [1, 1], "size": [1, 1]}, given)


def exit_onnx(bias: float, width: int = OBSERVED, **of_state: float) -> bytes:
    """logit = ``bias`` + the sum of ``of_state`` by `GYM_STATE_NAMES`."""
    weights = np.zeros((width, 1), dtype=np.float32)
    for name, weight in of_state.items():
        weights[F + GYM_STATE_NAMES.index(name)] = weight
    nodes = [helper.make_node("Gemm", ["observation", "w", "b"], ["logit"])]
    given = tensors(w=weights, b=np.array([bias], dtype=np.float32))
    return graph(nodes, {"observation": [1, width]}, {"logit": [1, 1]}, given)


def leaving_onnx(bias: float, **of_state: float) -> bytes:
    """The file of a policy of full size that leaves as `exit_onnx` says."""
    return with_exit(sized_onnx(1.0), exit_onnx(bias, **of_state))

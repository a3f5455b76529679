"""Policy networks for tests: their size is a constant plus the first context column."""

from __future__ import annotations

import numpy as np
from onnx import helper

from benchmarks.models import graph, tensors
from tests.bundles import C


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

"""ONNX graphs of fitted experts, built node by node: what a step costs is what stands here, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPSET, ML_OPSET, IR_VERSION = 17, 3, 8
"""Pinned: the oldest that have every node used here, so that any newer runtime reads them."""


class Graph:
    """Collects nodes and constants; `encode` gives the checked file."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, NDArray[Any]] = {}

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """A constant by name: float32, or int64 for axes and places."""
        array = np.asarray(value)
        self._constants[name] = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: Any) -> str:
        """One node with one output; gives its name."""
        self.nodes(kind, inputs, [output], domain, **attributes)
        return output

    def nodes(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], domain: str = "", **attributes: Any
    ) -> None:
        """One node with several outputs; an empty name leaves one out."""
        from onnx import helper

        self._nodes.append(helper.make_node(kind, list(inputs), list(outputs), domain=domain, **attributes))

    def encode(self, inputs: Mapping[str, Sequence[int]], outputs: Mapping[str, Sequence[int]]) -> bytes:
        """The file, with float inputs and outputs of these shapes."""
        from onnx import TensorProto, checker, helper, numpy_helper

        made = helper.make_graph(
            self._nodes,
            "expert",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name, shape in outputs.items()],
            [numpy_helper.from_array(value, name) for name, value in self._constants.items()],
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        model = helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION, producer_name="smc-agent")
        checker.check_model(model)
        return bytes(model.SerializeToString())

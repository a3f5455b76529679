"""ONNX Runtime as experts use it: sessions of one thread, and graphs whose inputs and outputs lie in fixed arrays.

ONNX Runtime is imported when the first session is opened, so only where a bundle has graphs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from smc_trading_agent.domain.errors import BundleError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, IOBinding

Row = NDArray[np.float32]
Tensors = dict[str, Row]
CPU = "CPUExecutionProvider"
PROVIDERS = ("CUDAExecutionProvider", CPU)
"""In the order of preference."""
ALIGNED = 16
"""Floats in 64 bytes, a cache line."""


def chosen_providers(available: Iterable[str]) -> list[str]:
    """Those of `PROVIDERS` that there are: CUDA first where this build of ONNX Runtime and the machine have it."""
    there = set(available)
    return [provider for provider in PROVIDERS if provider in there]


def open_session(file: str, data: bytes) -> InferenceSession:
    """A session over an ONNX model; `BundleError` naming ``file`` where it is none.

    One thread, no spinning: on tiny graphs a hand-off costs more than the work, and spinning starves the rest.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    providers = chosen_providers(onnxruntime.get_available_providers())
    try:
        return onnxruntime.InferenceSession(data, options, providers=providers)
    except Exception as error:  # ONNX Runtime's own error types are generated and have no common base but this
        raise BundleError(f"{file} is no ONNX model that can be loaded: {error}; export it again") from error


def output_of(session: InferenceSession, file: str, name: str, inputs: Mapping[str, Row]) -> Row:
    """An array for the output ``name``, of the shape that a run over ``inputs`` gives it.

    `BundleError` naming ``file`` where the graph doesn't run, or that output is not a single number.
    """
    try:
        found = np.asarray(session.run([name], dict(inputs))[0])
    except Exception as error:
        raise BundleError(f"{file} can't be run: {error}; export it again") from error
    if found.size != 1:
        raise BundleError(f"{file} gives {name} of shape {found.shape}, expected a single number; export it again")
    return np.zeros(found.shape, dtype=np.float32)


def packed(shapes: Mapping[str, tuple[int, ...]]) -> tuple[Row, dict[str, Row]]:
    """One array of zeros, and by name a part of it in each of ``shapes``, each part on a cache line of its own."""
    sizes = {name: int(np.prod(shape)) for name, shape in shapes.items()}
    starts, total = {}, 0
    for name, size in sizes.items():
        starts[name], total = total, total + -(-size // ALIGNED) * ALIGNED
    whole = np.zeros(total, dtype=np.float32)
    return whole, {name: whole[start : start + sizes[name]].reshape(shapes[name]) for name, start in starts.items()}


class BoundGraph:
    """A graph whose inputs and outputs lie in arrays made once: fill them, `run`, read them; nothing is allocated.

    On the CPU the arrays themselves are bound (I/O binding). Elsewhere inputs are copied to the device when they are
    bound, and later changes would not be seen: there each run hands them over.
    """

    def __init__(self, session: InferenceSession, inputs: Mapping[str, Row], outputs: Mapping[str, Row]) -> None:
        self._session = session
        self._inputs, self._outputs = dict(inputs), dict(outputs)
        self._binding = _binding_of(session, inputs, outputs) if session.get_providers()[0] == CPU else None

    def run(self) -> None:
        """From the inputs' present values to the outputs."""
        if self._binding is not None:
            self._session.run_with_iobinding(self._binding)
            return
        found = self._session.run(list(self._outputs), self._inputs)
        for array, value in zip(self._outputs.values(), found, strict=True):
            array[...] = value


def _binding_of(session: InferenceSession, inputs: Mapping[str, Row], outputs: Mapping[str, Row]) -> IOBinding:
    from onnxruntime import OrtValue

    binding = session.io_binding()
    for name, array in inputs.items():
        binding.bind_ortvalue_input(name, OrtValue.ortvalue_from_numpy(array))
    for name, array in outputs.items():
        binding.bind_ortvalue_output(name, OrtValue.ortvalue_from_numpy(array))
    return binding

"""The experts of a bundle behind one interface: a context row in, raw log-odds of a win out.

Three kinds. ``logistic``: JSON, a linear model of the scaled context row. ``row``: an ONNX graph ``context[1, C] ->
logit``. ``stream``: an ONNX graph that steps once for each decision close, ``(x[1, F], state..., context[1, C]) ->
(logit, state...)``: apart from ``x``, ``context`` and ``logit``, inputs and outputs are state, paired in order and
alike in shape, all zeros at first. An LSTM carries h and c this way, a Transformer its ring of keys and values.
Its state must not depend on ``context``. ONNX Runtime is imported only where a bundle has such graphs.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent.decision_engine.ensemble.bundle import Bundle
from smc_trading_agent.decision_engine.ensemble.inputs import Floats
from smc_trading_agent.decision_engine.ensemble.manifest import ExpertEntry
from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.errors import BundleError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Row = NDArray[np.float32]
Tensors = dict[str, Row]
WARM_UP_RUNS = 20
WARM_UP_NS = 200_000_000
MOST_WAITING = 10_000
PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
X, CONTEXT, LOGIT = "x", "context", "logit"


class Expert(Protocol):
    """One member of the ensemble. `vote` and `advance` may run on any thread, one of them at a time."""

    @property
    def name(self) -> str: ...
    @property
    def streaming(self) -> bool:
        """Whether it keeps a state that closes must be shown to."""

    def on_close(self, row: Row) -> None:
        """Hands over the scaled stream row (F,) of a decision close; only notes it."""

    def advance(self) -> None:
        """Steps through the closes that wait; what a vote has stepped through already is not done again."""

    def vote(self, context: Row) -> float:
        """Raw log-odds for the scaled context row (C,) as of the last close; NaN where the model gave none."""

    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes) -> None: ...


class LogisticModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a logistic expert: one weight for each scaled context column, and the intercept."""

    weights: tuple[float, ...]
    intercept: float


class Stateless:
    """What experts without state share."""

    streaming = False

    def __init__(self, name: str) -> None:
        self.name = name

    def on_close(self, row: Row) -> None:
        """Nothing to note."""

    def advance(self) -> None:
        """Nothing to step."""

    def snapshot(self) -> bytes:
        """Empty."""
        return b""

    def restore(self, data: bytes) -> None:
        """Nothing to resume."""


class LogisticExpert(Stateless):
    """Logistic regression on the context row, in double precision."""

    def __init__(self, name: str, model: LogisticModel) -> None:
        super().__init__(name)
        self._weights = np.array(model.weights, dtype=np.float64)
        self._intercept = model.intercept

    def vote(self, context: Row) -> float:
        """Intercept plus the sum of `contributions`."""
        return float(self._weights @ context) + self._intercept

    def contributions(self, context: Row) -> Floats:
        """What each column (C,) adds to the log-odds."""
        return self._weights * context


class OnnxRowExpert(Stateless):
    """An ONNX graph of the context row, such as boosted trees or a policy network."""

    def __init__(self, name: str, session: InferenceSession) -> None:
        super().__init__(name)
        self._session = session

    def vote(self, context: Row) -> float:
        """The graph's first number under ``logit``."""
        return float(self._session.run([LOGIT], {CONTEXT: context[None, :]})[0].item())


class StreamState(msgspec.Struct):
    """Carried tensors as bytes by name, and the rows that wait to be stepped through."""

    tensors: dict[str, bytes]
    waiting: list[bytes]
    overrun: bool = False


class OnnxStreamExpert:
    """An ONNX graph with carried state; a new close costs one step, whatever the length of the history.

    A vote reads out at the last close with its context, from the state before that close, and gives the state after it
    too; where no vote came, `advance` makes that state when nobody waits for it. So a close costs one run whether or
    not there is a setup, and a vote one run. Rows come from the trading thread while an earlier step may still run
    elsewhere; the short lock guards what both touch, never a run of the graph.
    """

    streaming = True

    def __init__(self, name: str, session: InferenceSession, state: Mapping[str, str], width: int) -> None:
        """``state`` maps each state input to the output that replaces it; ``width`` is C."""
        self.name = name
        self._session = session
        self._outputs = [LOGIT, *state.values()]
        shapes = {node.name: node.shape for node in session.get_inputs()}
        self._state: Tensors = {key: np.zeros(shapes[key], dtype=np.float32) for key in state}
        self._after: Tensors | None = None
        self._waiting: deque[Row] = deque(maxlen=MOST_WAITING)
        self._overrun = False
        self._no_context = np.zeros((1, width), dtype=np.float32)
        self._lock, self._running = threading.Lock(), threading.Lock()

    def on_close(self, row: Row) -> None:
        """Notes a close. Rows with values that are no numbers are passed over: they would poison the state."""
        if not np.isfinite(row).all():
            return
        with self._lock:
            self._overrun |= len(self._waiting) == MOST_WAITING
            self._waiting.append(row[None, :])

    def advance(self) -> None:
        """Makes the state after the last close known, and keeps the one before it for votes that may still come."""
        with self._running:
            row = self._catch_up()
            with self._lock:
                known = self._after is not None or row is None or row is not self._waiting[-1]
            if not known and row is not None:
                _, after = self._run(row, self._no_context)
                with self._lock:
                    self._after = after

    def vote(self, context: Row) -> float:
        """Reads out at the last close; NaN before the first one, or where the state would become no number."""
        with self._running:
            row = self._catch_up()
            if row is None:
                return math.nan
            logit, after = self._run(row, context[None, :])
            with self._lock:
                self._after = after
            return logit if after is not None else math.nan

    def snapshot(self) -> bytes:
        """State and waiting rows; what resumes from it is the same however far the steps are behind."""
        with self._lock:
            tensors = {key: value.tobytes() for key, value in self._state.items()}
            return msgspec.msgpack.encode(StreamState(tensors, [row.tobytes() for row in self._waiting], self._overrun))

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        found = msgspec.msgpack.decode(data, type=StreamState)
        with self._running, self._lock:
            self._state = {
                key: np.frombuffer(found.tensors[key], dtype=np.float32).reshape(value.shape).copy()
                for key, value in self._state.items()
            }
            rows = [np.frombuffer(row, dtype=np.float32)[None, :].copy() for row in found.waiting]
            self._waiting, self._after, self._overrun = deque(rows, MOST_WAITING), None, found.overrun

    def _catch_up(self) -> Row | None:
        """Steps until one close is left, and returns that one."""
        while True:
            with self._lock:
                if self._overrun:
                    raise RuntimeError(f"{self.name} fell {MOST_WAITING:,} closes behind; restart to resume it")
                count = len(self._waiting)
                row, after = (self._waiting[0] if count else None), self._after
            if row is None or count == 1:
                return row
            if after is None:
                _, after = self._run(row, self._no_context)
            with self._lock:
                self._waiting.popleft()
                self._state = after or self._state
                self._after = None

    def _run(self, row: Row, context: Row) -> tuple[float, Tensors | None]:
        """Log-odds, and the state after ``row``, None where that holds values that are no numbers."""
        logit, *after = self._session.run(self._outputs, {X: row, CONTEXT: context, **self._state})
        # The square of a tensor is finite where its values are; four times faster than asking each value.
        sound = all(math.isfinite(np.vdot(value, value)) for value in after)
        return float(logit.item()), dict(zip(self._state, after, strict=True)) if sound else None


def load_experts(bundle: Bundle) -> tuple[Expert, ...]:
    """All experts of a bundle, loaded and warmed; `BundleError` where a model does not have the form it must have."""
    experts: list[Expert] = []
    for entry in bundle.manifest.experts:
        width = len(bundle.normaliser.context.centre)
        if entry.kind == "logistic":
            experts.append(_logistic(entry, bundle.contents[entry.file], width))
        else:
            experts.append(_onnx(entry, bundle.contents[entry.file], width, len(bundle.normaliser.stream.centre)))
    return tuple(experts)


def _logistic(entry: ExpertEntry, data: bytes, width: int) -> LogisticExpert:
    try:
        model = msgspec.json.decode(data, type=LogisticModel)
    except msgspec.MsgspecError as error:
        raise BundleError(f"{entry.file} can't be read: {error}; train the bundle again") from error
    if len(model.weights) != width:
        raise BundleError(f"{entry.file} has {len(model.weights)} weights, expected {width}; train the bundle again")
    return LogisticExpert(entry.name, model)


def _onnx(entry: ExpertEntry, data: bytes, width: int, stream_width: int) -> Expert:
    session = _session(entry, data)
    inputs = {node.name: node.shape for node in session.get_inputs()}
    outputs = {node.name: node.shape for node in session.get_outputs()}
    kinds = {node.type for node in (*session.get_inputs(), *session.get_outputs())}
    row = {CONTEXT: width} if entry.kind == "row" else {CONTEXT: width, X: stream_width}
    sound = (
        LOGIT in outputs
        and kinds == {"tensor(float)"}
        and all(
            name in inputs and len(inputs[name]) == 2 and inputs[name][1] == columns for name, columns in row.items()
        )
    )
    carried, replaced = [n for n in inputs if n not in row], [n for n in outputs if n != LOGIT]
    state = dict(zip(carried, replaced, strict=False)) if entry.kind == "stream" else {}
    sound = sound and (len(carried) == len(replaced) > 0 if entry.kind == "stream" else not carried)
    sound = sound and all(_fixed(inputs[old]) and inputs[old] == outputs[new] for old, new in state.items())
    if not sound:
        raise BundleError(
            f"{entry.file} is no {entry.kind} expert: found inputs {inputs} and outputs {outputs}, expected float "
            f"tensors {row} (columns) and {LOGIT}, and state in pairs of fixed shape for a stream; export it again"
        )
    expert: Expert = (
        OnnxRowExpert(entry.name, session)
        if entry.kind == "row"
        else OnnxStreamExpert(entry.name, session, state, width)
    )
    _warm(expert, width, stream_width)
    return expert


def _session(entry: ExpertEntry, data: bytes) -> InferenceSession:
    """One thread, no spinning: on tiny graphs a hand-off costs more than the work, and spinning starves the rest."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    available = onnxruntime.get_available_providers()
    try:
        return onnxruntime.InferenceSession(
            data, options, providers=[provider for provider in PROVIDERS if provider in available]
        )
    except Exception as error:  # ONNX Runtime's own error types are generated and have no common base but this
        raise BundleError(f"{entry.file} is no ONNX model that can be loaded: {error}; export it again") from error


def _fixed(shape: list[object]) -> bool:
    return all(isinstance(size, int) for size in shape)


def _warm(expert: Expert, width: int, stream_width: int) -> None:
    """Runs the graph with values in the usual range, so that no decision pays for first-time work."""
    cold, enough = expert.snapshot(), monotonic_ns() + WARM_UP_NS
    for run in range(WARM_UP_RUNS):
        if run and monotonic_ns() > enough:
            break
        expert.on_close(np.full(stream_width, 0.1, dtype=np.float32))
        expert.vote(np.full(width, 0.1, dtype=np.float32))
    expert.restore(cold)

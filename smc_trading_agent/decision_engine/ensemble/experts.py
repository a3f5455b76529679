"""The experts of a bundle behind one interface: a context row in, raw log-odds of a win out.

Three kinds. ``logistic``: JSON, a linear model of the scaled context row. ``row``: an ONNX graph ``context[1, C] ->
logit``. ``stream``: an ONNX graph that steps once for each decision close, ``(x[1, F], state..., context[1, C]) ->
(logit, state...)``: apart from ``x``, ``context`` and ``logit``, inputs and outputs are state, paired in order and
alike in shape, all zeros at first. An LSTM carries h and c this way, a Transformer its ring of keys and values.
Its state must not depend on ``context``.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np

from smc_trading_agent.decision_engine.ensemble.bundle import Bundle
from smc_trading_agent.decision_engine.ensemble.inputs import Floats
from smc_trading_agent.decision_engine.ensemble.manifest import ExpertEntry
from smc_trading_agent.decision_engine.ensemble.sessions import (
    BoundGraph,
    Row,
    Tensors,
    open_session,
    output_of,
    packed,
)
from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.errors import BundleError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

WARM_UP_RUNS = 20
WARM_UP_NS = 200_000_000
MOST_WAITING = 10_000
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

    def __init__(self, name: str, session: InferenceSession, width: int) -> None:
        """``width`` is C. Raises `BundleError` where the graph doesn't run."""
        super().__init__(name)
        self._context = np.zeros((1, width), dtype=np.float32)
        self.logit = output_of(session, name, LOGIT, {CONTEXT: self._context})
        self._graph = BoundGraph(session, {CONTEXT: self._context}, {LOGIT: self.logit})

    def vote(self, context: Row) -> float:
        """The graph's number under ``logit``."""
        self._context[0] = context
        self._graph.run()
        return float(self.logit.item())


class StreamState(msgspec.Struct):
    """Carried tensors as bytes by name, and the rows that wait to be stepped through."""

    tensors: dict[str, bytes]
    waiting: list[bytes]
    overrun: bool = False


class OnnxStreamExpert:
    """An ONNX graph with carried state; a new close costs one step, whatever the length of the history.

    A vote reads out at the last close with its context, from the state before that close, and gives the state after it
    too; where no vote came, `advance` makes that state when nobody waits for it. So a close costs one run whether or
    not there is a setup, and a vote one run. There are two places for the state: a run reads one, ``side``, and writes
    the other. Whoever runs the graph holds ``running``. Rows come from the trading thread while a step may still run
    elsewhere; the short lock guards what both touch, never a run of the graph.
    """

    streaming = True

    def __init__(self, name: str, session: InferenceSession, state: Mapping[str, str], width: int) -> None:
        """``state`` maps each state input to the output that replaces it; ``width`` is C.

        Raises `BundleError` where the graph doesn't run.
        """
        self.name = name
        self._session = session
        self._replaced = dict(state)
        shapes = {node.name: tuple(node.shape) for node in session.get_inputs()}
        places = [packed({key: shapes[key] for key in state}) for _ in range(2)]
        self._states = [whole for whole, _ in places]
        self._tensors = [tensors for _, tensors in places]
        self.side = 0
        self._ahead = False  # whether the other side holds the state after the last close
        self._x = np.zeros((1, shapes[X][1]), dtype=np.float32)
        self._context = np.zeros((1, width), dtype=np.float32)
        given = {X: self._x, CONTEXT: self._context}
        self.logit = output_of(session, name, LOGIT, given | self._tensors[0])
        self._graphs = []
        for side in range(2):
            before, after = self.state_of(side)
            self._graphs.append(BoundGraph(session, given | before, {LOGIT: self.logit} | after))
        self._waiting: deque[Row] = deque(maxlen=MOST_WAITING)
        self._overrun = False
        self._no_context = np.zeros(width, dtype=np.float32)
        self._lock, self.running = threading.Lock(), threading.Lock()

    def state_of(self, side: int) -> tuple[Tensors, Tensors]:
        """The state inputs and outputs, by their names, of a run that reads ``side``."""
        after = self._tensors[1 - side]
        return dict(self._tensors[side]), {self._replaced[key]: array for key, array in after.items()}

    def on_close(self, row: Row) -> None:
        """Notes a close. Rows with values that are no numbers are passed over: they would poison the state."""
        if not np.isfinite(row).all():
            return
        with self._lock:
            self._overrun |= len(self._waiting) == MOST_WAITING
            self._waiting.append(row)

    def advance(self) -> None:
        """Makes the state after the last close known, and keeps the one before it for votes that may still come."""
        with self.running:
            row = self.catch_up()
            with self._lock:
                known = self._ahead or row is None or row is not self._waiting[-1]
            if not known and row is not None:
                self._run(row, self._no_context)

    def vote(self, context: Row) -> float:
        """Reads out at the last close; NaN before the first one, or where the state would become no number."""
        with self.running:
            row = self.catch_up()
            return math.nan if row is None else self._run(row, context)

    def snapshot(self) -> bytes:
        """State and waiting rows; what resumes from it is the same however far the steps are behind."""
        with self._lock:
            tensors = {key: value.tobytes() for key, value in self._tensors[self.side].items()}
            return msgspec.msgpack.encode(StreamState(tensors, [row.tobytes() for row in self._waiting], self._overrun))

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        found = msgspec.msgpack.decode(data, type=StreamState)
        with self.running, self._lock:
            for key, array in self._tensors[self.side].items():
                array[...] = np.frombuffer(found.tensors[key], dtype=np.float32).reshape(array.shape)
            rows = [np.frombuffer(row, dtype=np.float32) for row in found.waiting]
            self._waiting, self._ahead, self._overrun = deque(rows, MOST_WAITING), False, found.overrun

    def catch_up(self) -> Row | None:
        """Steps until one close is left, and returns that one. Call it with ``running`` held."""
        while True:
            with self._lock:
                if self._overrun:
                    raise RuntimeError(f"{self.name} fell {MOST_WAITING:,} closes behind; restart to resume it")
                count = len(self._waiting)
                row = self._waiting[0] if count else None
            if row is None or count == 1:
                return row
            if not self._ahead:
                self._run(row, self._no_context)
            with self._lock:
                self._waiting.popleft()
                if self._ahead:
                    self.side = 1 - self.side
            self._ahead = False

    def read(self) -> float:
        """Log-odds after a run, and NaN where the state it wrote holds values that are no numbers.

        Call it with ``running`` held, after each run.
        """
        after = self._states[1 - self.side]
        # The square of a state is finite where its values are; four times faster than asking each value.
        self._ahead = math.isfinite(np.vdot(after, after))
        return float(self.logit.item()) if self._ahead else math.nan

    def _run(self, row: Row, context: Row) -> float:
        self._x[0] = row
        self._context[0] = context
        self._graphs[self.side].run()
        return self.read()


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
    session = open_session(entry.file, data)
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
        OnnxRowExpert(entry.name, session, width)
        if entry.kind == "row"
        else OnnxStreamExpert(entry.name, session, state, width)
    )
    _warm(expert, width, stream_width)
    return expert


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

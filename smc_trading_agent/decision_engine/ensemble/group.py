"""All ONNX experts of a bundle in one run, on the state and the buffers that each of them has for itself.

So a decision may be made in one run and the next by each expert alone, and nothing has to be carried over. Offered
only where it gives the same bits as the experts apart: which schedule is chosen must not show in a vote.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from smc_trading_agent.decision_engine.ensemble.bundle import Bundle
from smc_trading_agent.decision_engine.ensemble.experts import (
    CONTEXT,
    LOGIT,
    Expert,
    OnnxRowExpert,
    OnnxStreamExpert,
    X,
)
from smc_trading_agent.decision_engine.ensemble.fusing import Unfusable, fused
from smc_trading_agent.decision_engine.ensemble.sessions import BoundGraph, Row, open_session
from smc_trading_agent.domain.errors import BundleError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

GraphExpert = OnnxRowExpert | OnnxStreamExpert
MOST_STREAMS = 4
"""A binding is made for each combination of sides of the experts with state."""
TRIALS = 4


class FusedExperts:
    """Row and stream experts that vote together; see the module."""

    def __init__(
        self, session: InferenceSession, rows: Sequence[OnnxRowExpert], streams: Sequence[OnnxStreamExpert]
    ) -> None:
        """``session`` is over the graph that `fused` made of these experts' files."""
        self.experts: tuple[GraphExpert, ...] = (*rows, *streams)
        self._rows, self._streams = tuple(rows), tuple(streams)
        shapes = {node.name: node.shape for node in session.get_inputs()}
        shared = {name: np.zeros(shapes[name], dtype=np.float32) for name in (X, CONTEXT) if name in shapes}
        self._x, self._context = shared.get(X), shared[CONTEXT]
        logits = {f"{expert.name}/{LOGIT}": expert.logit for expert in self.experts}
        self._graphs = {}
        for sides in itertools.product((0, 1), repeat=len(streams)):
            inputs, outputs = dict(shared), dict(logits)
            for expert, side in zip(streams, sides, strict=True):
                before, after = expert.state_of(side)
                inputs |= {f"{expert.name}/{name}": array for name, array in before.items()}
                outputs |= {f"{expert.name}/{name}": array for name, array in after.items()}
            self._graphs[sides] = BoundGraph(session, inputs, outputs)

    def vote(self, context: Row) -> list[float] | None:
        """What each of ``experts`` says of the scaled context row (C,); None where they are not at the same close."""
        held = 0
        try:
            for stream in self._streams:
                stream.running.acquire()
                held += 1
            rows = [stream.catch_up() for stream in self._streams]
            if rows and self._x is not None:
                if rows[0] is None or any(row is not rows[0] for row in rows):
                    return None
                self._x[0] = rows[0]
            self._context[0] = context
            self._graphs[tuple([stream.side for stream in self._streams])].run()
            return [float(row.logit.item()) for row in self._rows] + [stream.read() for stream in self._streams]
        finally:
            for stream in self._streams[:held]:
                stream.running.release()


def fuse_experts(bundle: Bundle, experts: Sequence[Expert]) -> FusedExperts | None:
    """The ONNX experts among a bundle's loaded ``experts`` as one; None for fewer than two, or where it can't be had.

    That is where renaming does not merge the graphs, or a vote differs in a bit from the experts' own.
    """
    rows = [expert for expert in experts if isinstance(expert, OnnxRowExpert)]
    streams = [expert for expert in experts if isinstance(expert, OnnxStreamExpert)]
    if len(rows) + len(streams) < 2 or len(streams) > MOST_STREAMS:
        return None
    names = [expert.name for expert in rows] + [expert.name for expert in streams]
    files = {entry.name: bundle.contents[entry.file] for entry in bundle.manifest.experts}
    width, stream_width = len(bundle.normaliser.context.centre), len(bundle.normaliser.stream.centre)
    shapes = {CONTEXT: (1, width)} | ({X: (1, stream_width)} if streams else {})
    try:
        model = fused({name: files[name] for name in names}, shapes)
        made = FusedExperts(open_session("the fused graph", model), rows, streams)
    except (Unfusable, BundleError):
        return None
    return made if _says_the_same(made, width, stream_width) else None


def _says_the_same(made: FusedExperts, width: int, stream_width: int) -> bool:
    """Whether votes over a few closes have the same bits together and apart; the experts' state is as before."""
    chance = np.random.default_rng(1)
    states = [expert.snapshot() for expert in made.experts]
    same = True
    for _ in range(TRIALS):
        close = chance.normal(0.0, 1.0, stream_width).astype(np.float32)
        context = chance.normal(0.0, 1.0, width).astype(np.float32)
        for expert in made.experts:
            expert.on_close(close)
        together = made.vote(context)
        apart = [expert.vote(context) for expert in made.experts]
        same &= together is not None and all(map(_alike, together, apart))
    for expert, state in zip(made.experts, states, strict=True):
        expert.restore(state)
    return same


def _alike(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))

"""The head of a model with state: from what it reads out at a setup's close, and the context row, to log-odds.

The tape is told as it is, the context row as seen from the setup's side; so the head has to know the side. It finds it
where the two meet: columns that change sign with the side have the product of both readings above 0 for a long setup
and below for a short one. Then, with r the readout (H,) and c the context row (C,)

    turn = tanh(sharpness * sum_k x_k c_k),   log-odds = turn * (r @ turned) + r @ plain + c @ context + intercept

which starts as the log-odds of chance: ``turned`` and ``plain`` 0, the rest those of `offset.ChanceOffset`.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent.decision_engine.ensemble.experts import CONTEXT, LOGIT, X
from smc_trading_agent.decision_engine.ensemble.inputs import MIRROR, Normaliser, Scaling
from smc_trading_agent.decision_engine.training.graphs import Graph
from smc_trading_agent.decision_engine.training.samples import Floats

Rows = NDArray[np.float32]
SIGNED = np.flatnonzero((MIRROR.sign < 0.0) & (MIRROR.offset == 0.0) & (MIRROR.index == np.arange(MIRROR.sign.size)))
"""Columns of a feature vector that change sign with the side, and nothing else."""
SHARPNESS = 3.0


class Turn(msgspec.Struct, frozen=True):
    """``stream`` and ``context`` (K,): what brings scaled columns `SIGNED` back to where 0 is no direction.

    ``used`` (K,) is 0 for a column that never varied.
    """

    stream: Floats
    context: Floats
    used: Floats

    def apply(self, stream: Rows, context: Rows) -> Floats:
        """The side (n,) in (-1, 1), of scaled stream rows (n, F) and context rows (n, C) of the same closes."""
        product = (stream[:, SIGNED] + self.stream) * (context[:, SIGNED] + self.context)
        return np.asarray(np.tanh(SHARPNESS * (product @ self.used)))


def turn_of(normaliser: Normaliser) -> Turn:
    """From the two scalings."""
    (stream, varied), (context, also) = _zero(normaliser.stream), _zero(normaliser.context)
    return Turn(stream, context, varied * also)


class Head(msgspec.Struct, frozen=True):
    """Weights of the formula above."""

    turn: Turn
    turned: Floats
    plain: Floats
    context: Floats
    intercept: float

    def apply(self, readout: Rows, stream: Rows, context: Rows) -> Floats:
        """Log-odds (n,) of readouts (n, H) at closes with these scaled rows."""
        turn = self.turn.apply(stream, context)
        return np.asarray(
            turn * (readout @ self.turned) + readout @ self.plain + context @ self.context + self.intercept
        )

    def append(self, graph: Graph, readout: str) -> None:
        """Adds the nodes from ``readout`` (1, H) to the output; inputs are `X` and `CONTEXT`."""
        count, features = len(SIGNED), MIRROR.sign.size
        for side, shift, width in (
            ("stream", self.turn.stream, features),
            ("context", self.turn.context, len(self.context)),
        ):
            chosen = np.zeros((width, count))
            chosen[SIGNED, np.arange(count)] = self.turn.used
            graph.constant(f"{side}_signed", chosen)
            graph.constant(f"{side}_shift", shift * self.turn.used)
        seen = graph.node("Gemm", [X, "stream_signed", "stream_shift"], "stream_seen")
        meant = graph.node("Gemm", [CONTEXT, "context_signed", "context_shift"], "context_seen")
        product = graph.node("Gemm", [seen, meant], "product", transB=1, alpha=SHARPNESS)
        turn = graph.node("Tanh", [product], "turn")
        turned = graph.node("Mul", [readout, turn], "turned")
        joined = graph.node("Concat", [turned, readout, CONTEXT], "joined", axis=1)
        graph.constant("head", np.concatenate([self.turned, self.plain, self.context])[:, None])
        graph.constant("head_start", np.array([self.intercept]))
        graph.node("Gemm", [joined, "head", "head_start"], LOGIT)


def _zero(scaling: Scaling) -> tuple[Floats, Floats]:
    centre, scale = np.array(scaling.centre)[SIGNED], np.array(scaling.scale)[SIGNED]
    varied = scale > 0.0
    return np.divide(centre, scale, out=np.zeros_like(centre), where=varied), varied.astype(np.float64)

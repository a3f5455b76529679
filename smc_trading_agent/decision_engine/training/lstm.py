"""An LSTM that steps once a bar, its state carried along the whole tape, in training as in serving.

Training cuts the tape into lanes that step side by side: after a burn-in that only brings up the state, updates come
every ``chunk`` bars, the state is carried over and gradients end there (truncated back-propagation through time). The
input weights are a product of low rank, multiplied out for serving: few labels can't tell thousands of weights apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from smc_trading_agent.decision_engine.ensemble.experts import CONTEXT, LOGIT, X
from smc_trading_agent.decision_engine.ensemble.inputs import Normaliser
from smc_trading_agent.decision_engine.ensemble.manifest import ExpertKind
from smc_trading_agent.decision_engine.training.graphs import Graph
from smc_trading_agent.decision_engine.training.head import Head, Rows
from smc_trading_agent.decision_engine.training.normaliser import scaled_context
from smc_trading_agent.decision_engine.training.samples import Floats, Indices, Labels, Samples, Trades
from smc_trading_agent.decision_engine.training.sequence import (
    Arrays,
    Shuffle,
    Stream,
    fit_sequence,
    stream_of,
    torch_threads,
    without_columns,
)
from smc_trading_agent.decision_engine.training.settings import LstmSettings, TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor

GATES = (0, 3, 1, 2)
"""PyTorch stacks the gates as input, forget, cell, output; ONNX as input, output, forget, cell."""


class FittedLstm(msgspec.Struct, frozen=True):
    """See `expert.FittedExpert`. ``weights``: ``input`` (4H, F), ``state`` (4H, H), ``bias`` (4H,), as in PyTorch."""

    weights: Arrays
    head: Head
    normaliser: Normaliser
    epoch: int
    name: str = "lstm"
    kind: ExpertKind = "stream"

    def log_odds(self, samples: Samples) -> Floats:
        """Raw log-odds (n,), each tape stepped through from its first bar."""
        stream = stream_of(samples, self.normaliser)
        readout = readouts(self.weights, stream)
        return self.head.apply(readout, stream.rows[stream.close], scaled_context(samples, self.normaliser))

    def export(self) -> bytes:
        """ONNX: one step, state h and c."""
        graph, hidden = Graph(), self.weights["state"].shape[1]

        def stacked(name: str) -> Rows:
            return np.concatenate([self.weights[name].reshape(4, hidden, -1)[gate] for gate in GATES])

        graph.constant("w", stacked("input")[None])
        graph.constant("r", stacked("state")[None])
        graph.constant("b", np.concatenate([stacked("bias")[:, 0], np.zeros(4 * hidden)])[None])
        graph.constant("first", np.array([0]))
        steps = graph.node("Unsqueeze", [X, "first"], "steps")
        graph.nodes("LSTM", [steps, "w", "r", "b", "", "h", "c"], ["", "h_next", "c_next"], hidden_size=hidden)
        self.head.append(graph, graph.node("Squeeze", ["h_next", "first"], "readout"))
        state, width = [1, 1, hidden], len(self.head.context)
        return graph.encode(
            {X: [1, self.weights["input"].shape[1]], "h": state, "c": state, CONTEXT: [1, width]},
            {LOGIT: [1, 1], "h_next": state, "c_next": state},
        )


def fit_lstm(
    samples: Samples,
    labels: Labels,
    trades: Trades,
    normaliser: Normaliser,
    seed: int,
    *,
    settings: TrainingSettings,
) -> FittedLstm:
    """See `expert.ExpertFitter`."""
    del trades
    build = partial(LstmTrunk, settings=settings.lstm)
    fit = fit_sequence(build, samples, labels, normaliser, seed, settings.lstm, settings.threads, settings.tail)
    weights = {
        "input": fit.weights["wide"] @ fit.weights["narrow"],
        "state": fit.weights["state"],
        "bias": fit.weights["bias"],
    }
    return FittedLstm(weights, fit.head, normaliser, fit.epoch)


class LstmTrunk:
    """See `sequence.Trunk`; ``lanes`` as the module says."""

    def __init__(self, stream: Stream, settings: LstmSettings) -> None:
        import torch

        self._settings = settings
        hidden, features = settings.hidden, stream.rows.shape[1]

        def made(*shape: int, spread: float) -> Tensor:
            return (torch.randn(shape) * spread).requires_grad_()

        self._weights = {
            "narrow": made(settings.rank, features, spread=features**-0.5),
            "wide": made(4 * hidden, settings.rank, spread=settings.rank**-0.5),
            "state": made(4 * hidden, hidden, spread=hidden**-0.5),
            "bias": torch.zeros(4 * hidden).index_fill_(0, torch.arange(hidden, 2 * hidden), 1.0).requires_grad_(),
        }
        self._rows = torch.from_numpy(np.concatenate([stream.rows, np.zeros((1, features), dtype=np.float32)]))
        self._places, self._begun, self._step, self._lane = _lanes(stream, settings)

    def weights(self) -> dict[str, Tensor]:
        """``narrow`` (rank, F) and ``wide`` (4H, rank) make the input weights; ``state`` and ``bias`` as in PyTorch."""
        return self._weights

    def batches(self, rows: Indices, shuffle: Shuffle | None) -> Iterator[tuple[Indices, Tensor]]:
        """In the order of the tape, which is the same for training."""
        import torch

        burn_in, chunk = self._settings.burn_in, self._settings.chunk
        with torch.no_grad():
            zeros = torch.zeros(1, len(self._begun), self._settings.hidden)
            _, (h, c) = self._run(0, burn_in, (zeros, zeros), False)
            begun = torch.from_numpy(self._begun)[None, :, None]
            h, c = h * begun, c * begun
        number = (self._step[rows] - burn_in) // chunk
        for index in range(int(number.max(initial=-1)) + 1):
            chosen = rows[number == index]
            first = burn_in + index * chunk
            out, (h, c) = self._run(first, first + chunk, (h, c), shuffle is not None)
            if len(chosen):
                yield chosen, out[self._step[chosen] - first, self._lane[chosen]]
            h, c = h.detach(), c.detach()

    def _run(
        self, first: int, last: int, state: tuple[Tensor, Tensor], training: bool
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        import torch

        weights, rows = self._weights, self._rows[self._places[first:last]]
        if training:
            rows = without_columns(rows, self._settings.column_dropout, pieces=1)
        narrow = torch.nn.functional.linear(rows, weights["narrow"])
        return run_lstm(narrow, state, weights["wide"], weights["state"], weights["bias"])


def run_lstm(
    rows: Tensor, state: tuple[Tensor, Tensor], w: Tensor, r: Tensor, b: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Hidden states (steps, lanes, H) and the last state, for rows (steps, lanes, columns)."""
    import torch

    out, h, c = torch.lstm(rows, state, [w, r, b, torch.zeros_like(b)], True, 1, 0.0, False, False, False)
    return out, (h, c)


def readouts(weights: Arrays, stream: Stream) -> Rows:
    """Hidden states (n, H) at the setups' closes, every tape run from its start."""
    import torch

    w, r, b = (torch.from_numpy(weights[name]) for name in ("input", "state", "bias"))
    hidden = r.shape[1]
    found = np.zeros((len(stream.close), hidden), dtype=np.float32)
    with torch_threads(1), torch.no_grad():
        for first, last in zip(stream.first[:-1].tolist(), stream.first[1:].tolist(), strict=True):
            here = (stream.close >= first) & (stream.close < last)
            if not here.any():
                continue
            end, zeros = int(stream.close[here].max()) + 1, torch.zeros(1, 1, hidden)
            out, _ = run_lstm(torch.from_numpy(stream.rows[first:end])[:, None], (zeros, zeros), w, r, b)
            found[here] = out[:, 0].numpy()[stream.close[here] - first]
    return found


def _lanes(stream: Stream, settings: LstmSettings) -> tuple[Indices, Rows, Indices, Indices]:
    """Places in the rows (steps, lanes), the last row standing for none; 1 for lanes with a past (lanes,);
    and for each setup its step and lane.

    Lanes are of one length, a multiple of the chunk, and end at their tape's end.
    """
    bars, burn_in, none = int(stream.first[-1]), settings.burn_in, len(stream.rows)
    length = -(-bars // (settings.lanes * settings.chunk)) * settings.chunk
    columns: list[Indices] = []
    begun: list[float] = []
    step, lane = np.zeros(len(stream.close), dtype=np.intp), np.zeros(len(stream.close), dtype=np.intp)
    for first, last in zip(stream.first[:-1].tolist(), stream.first[1:].tolist(), strict=True):
        for start in range(first, last, length):
            here = (stream.close >= start) & (stream.close < min(start + length, last))
            step[here], lane[here] = stream.close[here] - start + burn_in, len(columns)
            places = np.arange(start - burn_in, start + length)
            columns.append(np.where((places >= first) & (places < last), places, none))
            begun.append(float(start > first))
    return np.stack(columns, axis=1), np.array(begun, dtype=np.float32), step, lane

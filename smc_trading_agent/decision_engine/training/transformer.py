"""A small causal Transformer whose every layer sees the last ``window`` closes through a ring of keys and values.

A layer, with d the width and k_j, v_j the keys and values of the window (zeros before the first close):

    a = norm(h),  o = sum_j softmax_j(q . k_j / sqrt(d / heads) - slope * (t - j)) v_j  for each head,
    h <- h + [o, relu(a @ up + bias)] @ down

Attention and feed-forward stand side by side, so a step needs one matrix product into both and one out of both.
Nearness is a linear bias (Press et al., 2022), so no position is ever counted, and stepping for years is the same as a
fresh start as many windows ago as there are layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

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
from smc_trading_agent.decision_engine.training.settings import TrainingSettings, TransformerSettings

if TYPE_CHECKING:
    from torch import Tensor

NORM_EPSILON = 1e-5
FAR = -1e9


class FittedTransformer(msgspec.Struct, frozen=True):
    """See `expert.FittedExpert`. ``weights`` as `TransformerTrunk.weights` names them."""

    weights: Arrays
    head: Head
    normaliser: Normaliser
    shape: TransformerSettings
    epoch: int
    name: str = "transformer"
    kind: ExpertKind = "stream"

    def log_odds(self, samples: Samples) -> Floats:
        """Raw log-odds (n,), by windows over each whole tape."""
        stream = stream_of(samples, self.normaliser)
        readout = readouts(self.weights, stream, self.shape)
        return self.head.apply(readout, stream.rows[stream.close], scaled_context(samples, self.normaliser))

    def export(self) -> bytes:
        """ONNX: one step, state a ring (window, 2 d) of keys beside values for each layer, oldest first."""
        graph, shape = Graph(), self.shape
        for name in ("embed", "embed_bias"):
            graph.constant(name, self.weights[name])
        graph.constant("newer", np.array([1]))
        graph.constant("end", np.array([shape.window]))
        graph.constant("rows", np.array([0]))
        graph.constant("by_head", np.array([shape.heads, 2 * shape.hidden]))
        graph.constant("flat", np.array([1, shape.heads * 2 * shape.hidden]))
        graph.constant("nearness", nearness(shape)[:, ::-1])
        h = graph.node("Gemm", [X, "embed", "embed_bias"], "h0")
        for layer in range(shape.layers):
            h = self._append_layer(graph, layer, h)
        self.head.append(graph, h)
        ring, width = [shape.window, 2 * shape.hidden], len(self.head.context)
        rings = range(shape.layers)
        return graph.encode(
            {X: [1, len(self.weights["embed"])]} | {f"ring{i}": ring for i in rings} | {CONTEXT: [1, width]},
            {LOGIT: [1, 1]} | {f"ring{i}_next": ring for i in rings},
        )

    def _append_layer(self, graph: Graph, layer: int, h: str) -> str:
        """Keys and values stay side by side: queries are 0 where values are, what is read of keys meets weights 0."""
        d, heads = self.shape.hidden, self.shape.heads
        given = {name: self.weights[f"{name}{layer}"] for name in ("norm", "shift", "into", "into_bias", "down")}
        each, up = d // heads, given["into"].shape[1] - 3 * d
        queries, out = np.zeros((d, heads, 2 * d)), np.zeros((heads, 2 * d, d))
        for head in range(heads):
            part = slice(head * each, (head + 1) * each)
            queries[:, head, part] = given["into"][:, part] * each**-0.5
            out[head, d + part.start : d + part.stop] = given["down"][part]
        into = np.concatenate([queries.reshape(d, -1), given["into"][:, d:]], axis=1)
        graph.constant(f"norm{layer}", given["norm"])
        graph.constant(f"shift{layer}", given["shift"])
        graph.constant(f"into{layer}", into)
        graph.constant(
            f"into_bias{layer}", np.concatenate([np.zeros(heads * 2 * d), np.zeros(2 * d), given["into_bias"]])
        )
        graph.constant(f"down{layer}", np.concatenate([out.reshape(-1, d), given["down"][d:]]))
        graph.constant(f"parts{layer}", np.array([heads * 2 * d, 2 * d, up]))
        names = [h, f"norm{layer}", f"shift{layer}"]
        a = graph.node("LayerNormalization", names, f"a{layer}", axis=-1, epsilon=NORM_EPSILON)
        all_of = graph.node("Gemm", [a, f"into{layer}", f"into_bias{layer}"], f"all{layer}")
        graph.nodes("Split", [all_of, f"parts{layer}"], [f"q{layer}", f"kv{layer}", f"up{layer}"], axis=1)
        q = graph.node("Reshape", [f"q{layer}", "by_head"], f"queries{layer}")
        old = graph.node("Slice", [f"ring{layer}", "newer", "end", "rows"], f"old{layer}")
        ring = graph.node("Concat", [old, f"kv{layer}"], f"ring{layer}_next", axis=0)
        scores = graph.node("Gemm", [q, ring, "nearness"], f"scores{layer}", transB=1)
        share = graph.node("Softmax", [scores], f"share{layer}", axis=1)
        read = graph.node("MatMul", [share, ring], f"read{layer}")
        flat = graph.node("Reshape", [read, "flat"], f"flat{layer}")
        active = graph.node("Relu", [f"up{layer}"], f"active{layer}")
        both = graph.node("Concat", [flat, active], f"both{layer}", axis=1)
        return graph.node("Gemm", [both, f"down{layer}", h], f"h{layer + 1}")


def fit_transformer(
    samples: Samples,
    labels: Labels,
    trades: Trades,
    normaliser: Normaliser,
    seed: int,
    *,
    settings: TrainingSettings,
) -> FittedTransformer:
    """See `expert.ExpertFitter`."""
    del trades
    shape = settings.transformer
    build = partial(TransformerTrunk, settings=shape)
    fit = fit_sequence(build, samples, labels, normaliser, seed, shape, settings.threads, settings.tail)
    return FittedTransformer(fit.weights, fit.head, normaliser, shape, fit.epoch)


def nearness(shape: TransformerSettings) -> Floats:
    """The linear bias (heads, window) by age of a close, the newest first; slopes 2^(-8 i / heads), i = 1 .. heads."""
    slopes = 2.0 ** (-8.0 * np.arange(1, shape.heads + 1) / shape.heads)
    return np.asarray(-slopes[:, None] * np.arange(shape.window))


class TransformerTrunk:
    """See `sequence.Trunk`: pieces of ``chunk`` bars, after enough bars that their readouts are those of the tape."""

    def __init__(self, stream: Stream, settings: TransformerSettings) -> None:
        import torch

        self._settings = settings
        d, features = settings.hidden, stream.rows.shape[1]

        def made(rows: int, columns: int) -> Tensor:
            return (torch.randn(rows, columns) * rows**-0.5).requires_grad_()

        self._weights = {"embed": made(features, d), "embed_bias": torch.zeros(d, requires_grad=True)}
        for layer in range(settings.layers):
            self._weights |= {
                f"norm{layer}": torch.ones(d, requires_grad=True),
                f"shift{layer}": torch.zeros(d, requires_grad=True),
                f"into{layer}": made(d, 5 * d),
                f"into_bias{layer}": torch.zeros(2 * d, requires_grad=True),
                f"down{layer}": made(3 * d, d),
            }
        self._rows = torch.from_numpy(np.concatenate([stream.rows, np.zeros((1, features), dtype=np.float32)]))
        self._places, self._real, self._piece, self._step = _pieces(stream, settings)

    def weights(self) -> dict[str, Tensor]:
        """For each layer ``into`` (d, 5 d) for query, key, value and feed-forward, ``down`` (3 d, d), and norms."""
        return self._weights

    def batches(self, rows: Indices, shuffle: Shuffle | None) -> Iterator[tuple[Indices, Tensor]]:
        """Pieces with setups among ``rows``, ``lanes`` at a time, in an order of ``shuffle``."""
        import torch

        pieces = np.unique(self._piece[rows])
        if shuffle is not None:
            pieces = np.random.default_rng(shuffle).permutation(pieces)
        for first in range(0, len(pieces), self._settings.lanes):
            some = pieces[first : first + self._settings.lanes]
            place = np.full(len(self._places), -1)
            place[some] = np.arange(len(some))
            chosen = rows[place[self._piece[rows]] >= 0]
            real = torch.from_numpy(self._real[some])
            lanes = torch.from_numpy(place[self._piece[chosen]])
            steps = torch.from_numpy(self._step[chosen])
            given = self._rows[self._places[some]]
            if shuffle is not None:
                given = without_columns(given, self._settings.column_dropout, pieces=0)
            yield chosen, read_out(self._weights, given, real, lanes, steps, self._settings)


def read_out(
    weights: dict[str, Any], rows: Tensor, real: Tensor, lanes: Tensor, steps: Tensor, shape: TransformerSettings
) -> Tensor:
    """Readouts (n, d) at ``steps`` (n,) of ``lanes`` (n,), for rows (lanes, bars, F), bars a multiple of the window.

    ``real`` (lanes, bars) is 0 before a tape's first close, 1 else. The last layer is run where it is read only.
    """
    import torch

    bias, d = torch.from_numpy(nearness(shape).astype(np.float32)), shape.hidden
    h = rows @ weights["embed"] + weights["embed_bias"]
    for layer in range(shape.layers):
        into, norm = weights[f"into{layer}"], (weights[f"norm{layer}"], weights[f"shift{layer}"])
        a = torch.nn.functional.layer_norm(h, (d,), *norm, NORM_EPSILON)
        kv = (a @ into[:, d : 3 * d]) * real[..., None]
        if layer < shape.layers - 1:
            read = _blocks(a @ into[:, :d], kv, bias, shape)
        else:
            padded = torch.nn.functional.pad(kv, (0, 0, shape.window - 1, 0))
            window = steps[:, None] + torch.arange(shape.window - 1, -1, -1)
            h, a = h[lanes, steps], a[lanes, steps]
            read = _attend((a @ into[:, :d])[:, None], padded[lanes[:, None], window], bias[:, None], shape)[:, 0]
        active = torch.relu(a @ into[:, 3 * d :] + weights[f"into_bias{layer}"])
        h = h + torch.cat([read, active], dim=-1) @ weights[f"down{layer}"]
    return h


def readouts(weights: Arrays, stream: Stream, shape: TransformerSettings) -> Rows:
    """Readouts (n, d) at the setups' closes, over whole tapes."""
    import torch

    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    found = np.zeros((len(stream.close), shape.hidden), dtype=np.float32)
    with torch_threads(1), torch.no_grad():
        for first, last in zip(stream.first[:-1].tolist(), stream.first[1:].tolist(), strict=True):
            here = np.flatnonzero((stream.close >= first) & (stream.close < last))
            if not len(here):
                continue
            rows = torch.from_numpy(stream.rows[first:last])
            rows = torch.nn.functional.pad(rows, (0, 0, 0, -len(rows) % shape.window))[None]
            steps = torch.from_numpy(stream.close[here] - first)
            lanes, real = torch.zeros_like(steps), torch.ones(rows.shape[:2])
            found[here] = read_out(tensors, rows, real, lanes, steps, shape).numpy()
    return found


def _blocks(queries: Tensor, kv: Tensor, bias: Tensor, shape: TransformerSettings) -> Tensor:
    """Attention of every close (lanes, bars, d) to its window: by blocks of a window, each seeing the block before."""
    import torch

    window, d = shape.window, shape.hidden
    lanes, bars = queries.shape[:2]
    blocks = kv.reshape(lanes, bars // window, window, 2 * d)
    before = torch.nn.functional.pad(blocks[:, :-1], (0, 0, 0, 0, 1, 0))
    both = torch.cat([before, blocks], dim=2).flatten(0, 1)
    age = window + torch.arange(window)[:, None] - torch.arange(2 * window)
    seen = (age >= 0) & (age < window)
    near = torch.where(seen, bias[:, age.clamp(0, window - 1)], FAR)
    return _attend(queries.reshape(-1, window, d), both, near, shape).reshape(lanes, bars, d)


def _attend(queries: Tensor, kv: Tensor, bias: Tensor, shape: TransformerSettings) -> Tensor:
    """Heads of queries (n, q, d) over keys and values (n, k, 2 d), with a bias (heads, q, k): (n, q, d)."""
    import torch

    def heads(rows: Any) -> Any:
        return rows.unflatten(-1, (shape.heads, -1)).transpose(1, 2)

    keys, values = kv.chunk(2, dim=-1)
    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(heads(queries), heads(keys), heads(values), attn_mask=bias).transpose(1, 2).flatten(2)


def _pieces(stream: Stream, shape: TransformerSettings) -> tuple[Indices, Rows, Indices, Indices]:
    """Places in the rows (pieces, bars), the last row standing for none; what is real; each setup's piece and step."""
    past, none = shape.layers * shape.window, len(stream.rows)
    found: list[Indices] = []
    piece, step = np.zeros(len(stream.close), dtype=np.intp), np.zeros(len(stream.close), dtype=np.intp)
    for first, last in zip(stream.first[:-1].tolist(), stream.first[1:].tolist(), strict=True):
        for start in range(first, last, shape.chunk):
            here = (stream.close >= start) & (stream.close < min(start + shape.chunk, last))
            piece[here], step[here] = len(found), stream.close[here] - start + past
            places = np.arange(start - past, start + shape.chunk)
            found.append(np.where((places >= first) & (places < last), places, none))
    places = np.stack(found)
    return places, (places != none).astype(np.float32), piece, step

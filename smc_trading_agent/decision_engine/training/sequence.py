"""Fitting a model with carried state: updates as the tape goes by, stopped by a purged tail, back to the best epoch.

The loss is the weighted cross-entropy on fractional outcomes at the closes of training setups. Before the first update
the model says chance; if no epoch beats that on the tail, it stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent.decision_engine.ensemble.inputs import Normaliser
from smc_trading_agent.decision_engine.training.head import Head, Rows, turn_of
from smc_trading_agent.decision_engine.training.normaliser import mean_weight_one, scaled_context, scaled_stream
from smc_trading_agent.decision_engine.training.offset import fit_offset, mean_loss
from smc_trading_agent.decision_engine.training.samples import Floats, Indices, Labels, Samples, Tape
from smc_trading_agent.decision_engine.training.settings import SequenceSettings
from smc_trading_agent.decision_engine.training.tail import purged_tail

if TYPE_CHECKING:
    from torch import Tensor

Arrays = dict[str, NDArray[np.float32]]
Shuffle = tuple[int, int]
"""Seed of the fit, and the epoch."""


class Stream(msgspec.Struct, frozen=True):
    """All tapes one after another: scaled ``rows`` (bars, F), ``first`` (tapes + 1,) where each begins.

    ``close`` (n,) is the place in ``rows`` of each setup's close.
    """

    rows: Rows
    first: Indices
    close: Indices


class Trunk(Protocol):
    """The part of a model that steps through the tape."""

    def weights(self) -> dict[str, Tensor]:
        """What is fitted, by name."""
        ...

    def batches(self, rows: Indices, shuffle: Shuffle | None) -> Iterator[tuple[Indices, Tensor]]:
        """Some of the setups ``rows`` at a time with their readouts (k, H); the weights may change in between.

        With a seed ``shuffle`` it is for training: the order may be random, and columns are left out.
        """
        ...


class Fit(msgspec.Struct, frozen=True):
    """The weights of the best epoch, which one that was (0: chance), and its loss on the tail beyond chance's."""

    weights: Arrays
    head: Head
    epoch: int
    gained: float


def stream_of(samples: Samples, normaliser: Normaliser) -> Stream:
    """Scaled tapes, joined."""
    rows = _joined(samples.tapes, normaliser)
    first = np.cumsum([0, *(len(tape.features) for tape in samples.tapes)])
    return Stream(rows, first, first[samples.market] + samples.position)


_newest: list[tuple[tuple[Tape, ...], Normaliser, Rows]] = []
"""The tapes that were scaled last: a fit and what it says of other rows, and the fits of one fold, share them."""


def _joined(tapes: tuple[Tape, ...], normaliser: Normaliser) -> Rows:
    for kept, scaled_by, rows in _newest:
        if kept is tapes and scaled_by == normaliser:
            return rows
    rows = np.concatenate([scaled_stream(tape, normaliser) for tape in tapes])
    _newest[:] = [(tapes, normaliser, rows)]
    return rows


def fit_sequence(
    build: Callable[[Stream], Trunk],
    samples: Samples,
    labels: Labels,
    normaliser: Normaliser,
    seed: int,
    settings: SequenceSettings,
    threads: int,
    tail: float,
) -> Fit:
    """Fits trunk and head together; the same seed, rows and threads give the same weights."""
    import torch

    stream = stream_of(samples, normaliser)
    with torch_threads(threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        loop = _Loop(build(stream), stream, samples, labels, normaliser, settings)
        return loop.run(*purged_tail(samples, labels, tail), seed)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """PyTorch on ``count`` threads, and afterwards on as many as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def without_columns(rows: Tensor, share: float, pieces: int) -> Tensor:
    """Rows with a random ``share`` of their columns (the last axis) left out, the same over all time of a piece.

    Pieces are the axis ``pieces``; what is left is scaled up as in dropout. Few labels then can't hang on one column.
    """
    import torch

    shape = [rows.shape[axis] if axis in (pieces, rows.dim() - 1) else 1 for axis in range(rows.dim())]
    return rows * torch.nn.functional.dropout(torch.ones(shape), share)


class _Loop:
    """One fit: the head's tensors, the optimiser, and what each epoch came to."""

    def __init__(
        self,
        trunk: Trunk,
        stream: Stream,
        samples: Samples,
        labels: Labels,
        normaliser: Normaliser,
        settings: SequenceSettings,
    ) -> None:
        import torch

        context = scaled_context(samples, normaliser)
        self._offset = fit_offset(context, labels)
        self._turn = turn_of(normaliser)
        self._trunk, self._settings, self._labels = trunk, settings, labels
        self._rows = torch.from_numpy(context)
        self._start = torch.from_numpy(self._offset.apply(context).astype(np.float32))
        self._side = torch.from_numpy(self._turn.apply(stream.rows[stream.close], context).astype(np.float32))
        self._outcome = torch.from_numpy(labels.outcome.astype(np.float32))
        self._weight = torch.from_numpy(mean_weight_one(labels.weight).astype(np.float32))
        width, columns = settings.hidden, context.shape[1]
        self._head: dict[str, Any] = {
            "turned": torch.zeros(width, requires_grad=True),
            "plain": torch.zeros(width, requires_grad=True),
            "context": torch.zeros(columns, requires_grad=True),
            "intercept": torch.zeros((), requires_grad=True),
        }
        self._optimiser = torch.optim.AdamW(
            [
                {"params": list(trunk.weights().values()), "weight_decay": settings.weight_decay},
                {"params": list(self._head.values()), "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
        )

    def run(self, early: Indices, late: Indices, seed: int) -> Fit:
        start = self._tail_loss(late) if len(early) and len(late) else 0.0
        best, epoch, kept = start, 0, self._copy()
        for number in range(1, self._settings.epochs + 1 if len(early) and len(late) else 1):
            for rows, readout in self._trunk.batches(early, (seed, number)):
                self._update(rows, readout)
            loss = self._tail_loss(late)
            if loss < best:
                best, epoch, kept = loss, number, self._copy()
            elif number - epoch >= self._settings.patience:
                break
        weights, head = kept
        fitted = Head(
            self._turn,
            head["turned"].astype(np.float64),
            head["plain"].astype(np.float64),
            self._offset.weights + head["context"],
            self._offset.intercept + float(head["intercept"]),
        )
        return Fit(weights, fitted, epoch, best - start)

    def _logit(self, rows: Indices, readout: Any) -> Any:
        head = self._head
        return (
            self._start[rows]
            + self._side[rows] * (readout @ head["turned"])
            + readout @ head["plain"]
            + self._rows[rows] @ head["context"]
            + head["intercept"]
        )

    def _update(self, rows: Indices, readout: Any) -> None:
        import torch

        functional, settings = torch.nn.functional, self._settings
        logit = self._logit(rows, functional.dropout(readout, settings.dropout))
        weight = self._weight[rows]
        fit = functional.binary_cross_entropy_with_logits(logit, self._outcome[rows], weight, reduction="mean")
        loss = fit + 0.5 * settings.context_penalty * self._head["context"].square().sum()
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()

    def _tail_loss(self, late: Indices) -> float:
        import torch

        order: list[Indices] = []
        logits: list[Floats] = []
        with torch.no_grad():
            for rows, readout in self._trunk.batches(late, None):
                order.append(rows)
                logits.append(self._logit(rows, readout).numpy().astype(np.float64))
        rows = np.concatenate(order)
        return mean_loss(np.concatenate(logits), self._labels.outcome[rows], self._labels.weight[rows])

    def _copy(self) -> tuple[Arrays, Arrays]:
        def copied(tensors: dict[str, Any]) -> Arrays:
            return {name: tensor.detach().numpy().copy() for name, tensor in tensors.items()}

        return copied(self._trunk.weights()), copied(self._head)

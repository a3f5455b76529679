"""The scaling of a fold, from what the fold may know: its training rows, and closes outside its test intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smc_trading_agent.decision_engine.ensemble.inputs import Normaliser, Scaler, fit_scaling
from smc_trading_agent.decision_engine.training.samples import Floats, Integers, Labels, Samples, Tape
from smc_trading_agent.domain.errors import SampleError

NO_INTERVALS: Integers = np.empty((0, 2), dtype=np.int64)


def fit_normaliser(samples: Samples, labels: Labels, held_out: Integers = NO_INTERVALS) -> Normaliser:
    """Context from the training rows ``samples``, each by its weight; stream from all closes outside ``held_out``.

    ``held_out`` (k, 2): first and last time in ns, both included, of what the fold is tested on, on every market.
    Raises `SampleError` where nothing is left, or a row holds a value that is no number.
    """
    if not len(samples):
        raise SampleError("a normaliser needs one training row at least; the fold has none, make fewer folds")
    stream = np.concatenate([tape.features[~covered(tape, held_out)] for tape in samples.tapes])
    if not len(stream):
        raise SampleError("the test intervals cover every close, none is left to fit the scaling on; make more folds")
    if not (np.isfinite(stream).all() and np.isfinite(samples.context).all()):
        raise SampleError("features must be finite numbers; build the dataset again from clean data")
    return Normaliser(context=fit_scaling(samples.context, labels.weight), stream=fit_scaling(stream))


def covered(tape: Tape, intervals: Integers) -> NDArray[np.bool_]:
    """Which closes (bars,) of a tape lie in an interval; ``intervals`` (k, 2) in ns, ends included."""
    closes = tape.bars.columns()["close_time"]
    begun = np.searchsorted(np.sort(intervals[:, 0]), closes, side="right")
    ended = np.searchsorted(np.sort(intervals[:, 1]), closes, side="left")
    return np.asarray(begun > ended)


def scaled_context(samples: Samples, normaliser: Normaliser) -> NDArray[np.float32]:
    """The rows (n, C) as experts get them in serving."""
    return Scaler(normaliser.context).apply(samples.context)


def scaled_stream(tape: Tape, normaliser: Normaliser) -> NDArray[np.float32]:
    """The rows (bars, F) as experts get them in serving."""
    return Scaler(normaliser.stream).apply(tape.features)


def mean_weight_one(weight: Floats) -> Floats:
    """Weights (n,) brought to a mean of 1, so that penalties count in labels."""
    return np.asarray(weight / weight.mean())

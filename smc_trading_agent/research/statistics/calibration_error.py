"""The calibration error in one figure, its interval, and how much of it chance alone would show.

ECE by Naeini, Cooper and Hauskrecht (AAAI, 2015), on bins of equal mass as in `calibration`. It can't be negative, so
it is above 0 for a perfect forecaster too, the more so the fewer samples; `calibration_noise` says by how much.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.arrays import Floats, Indices, probabilities_of, weights_of
from smc_trading_agent.research.statistics.bootstrap import (
    Interval,
    Resampling,
    block_length,
    row_chunks,
    stationary_rows,
    tail_of,
)
from smc_trading_agent.research.statistics.calibration import equal_mass_bins, forecasts_of


class CalibrationNoise(msgspec.Struct, frozen=True):
    """The calibration error that a perfect forecaster would show: its mean, and what it exceeds with 1 - confidence."""

    mean: float
    high: float
    confidence: float


def calibration_error(
    probabilities: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None = None, bins: int = 10
) -> float:
    """ECE: the mean over ``bins`` bins, by mass, of abs(mean forecast - observed frequency). In [0, 1]."""
    f = forecasts_of(probabilities, outcomes, weights)
    bin_of = equal_mass_bins(f.probabilities, f.weights, bins)
    gaps = f.weights * (f.probabilities - f.outcomes)
    return float(_errors(gaps[None, :], bin_of[None, :], f.weights[None, :], bins)[0])


def calibration_error_interval(
    probabilities: ArrayLike,
    outcomes: ArrayLike,
    resampling: Resampling,
    weights: ArrayLike | None = None,
    bins: int = 10,
) -> Interval:
    """ECE with an interval from the stationary bootstrap, samples in order of time. The bins stay as they are.

    Resampling lifts the ECE about as much above the estimate as sampling lifted the estimate above the truth; the basic
    interval [2 estimate - high quantile, 2 estimate - low quantile] takes that lift off. Close to 0 it takes off too
    little, so the interval starts at 0 wherever a perfect forecaster may show such an estimate (`calibration_noise`).
    """
    f = forecasts_of(probabilities, outcomes, weights)
    bin_of = equal_mass_bins(f.probabilities, f.weights, bins)
    gaps = f.weights * (f.probabilities - f.outcomes)
    tail = tail_of(resampling)
    block = resampling.block
    if block is None:
        block = block_length(gaps) if gaps.size > 1 else 1.0
    parts = stationary_rows(gaps.size, block, resampling.resamples, resampling.seed)
    drawn = [_errors(gaps[rows], bin_of[rows], f.weights[rows], bins) for rows in parts]
    low, high = np.quantile(np.concatenate(drawn), [tail, 1.0 - tail])
    estimate = calibration_error(f.probabilities, f.outcomes, f.weights, bins)
    noise = calibration_noise(f.probabilities, resampling.seed, f.weights, bins, resampling.resamples, 1.0 - tail)
    return Interval(
        estimate=estimate,
        low=0.0 if estimate <= noise.high else max(0.0, 2.0 * estimate - float(high)),
        high=max(0.0, 2.0 * estimate - float(low)),
        confidence=resampling.confidence,
        block=block,
        resamples=resampling.resamples,
    )


def calibration_noise(
    probabilities: ArrayLike,
    seed: int,
    weights: ArrayLike | None = None,
    bins: int = 10,
    draws: int = 1000,
    confidence: float = 0.95,
) -> CalibrationNoise:
    """ECE where the probabilities are exactly right and each outcome is drawn from its own, independently.

    Consistency resampling of Bröcker and Smith (Weather and Forecasting, 2007). Overlapping labels are not independent:
    there the true noise is larger.
    """
    forecast = probabilities_of(probabilities)
    weight = weights_of(weights, forecast.size)
    if draws < 1 or not 0.0 < confidence < 1.0:
        raise SampleError(f"draws={draws} must be 1 or more and confidence={confidence} in (0, 1)")
    bin_of = equal_mass_bins(forecast, weight, bins)
    generator = np.random.default_rng(seed)
    drawn = []
    for size in row_chunks(draws, forecast.size):
        happened: NDArray[np.bool_] = generator.random((size, forecast.size)) < forecast
        rows = np.broadcast_to(bin_of, happened.shape)
        drawn.append(_errors(weight * (forecast - happened), rows, np.broadcast_to(weight, happened.shape), bins))
    errors = np.concatenate(drawn)
    return CalibrationNoise(float(errors.mean()), float(np.quantile(errors, confidence)), confidence)


def _errors(gaps: Floats, bin_of: Indices, weights: Floats, bins: int) -> Floats:
    """ECE of each row: the sum over bins of abs(sum of weight * (p - y)), over the weight. Shape (rows,)."""
    rows = len(gaps)
    key = (bin_of + bins * np.arange(rows)[:, None]).ravel()
    totals = np.bincount(key, gaps.ravel(), rows * bins).reshape(rows, bins)
    mass = weights.sum(axis=1)
    errors: Floats = np.divide(np.abs(totals).sum(axis=1), mass, out=np.zeros(rows), where=mass > 0.0)
    return errors

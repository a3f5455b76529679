"""Whether a forecast of 60 % comes true 60 times in 100: log-loss, Brier score, reliability curve.

Brier score: Monthly Weather Review (1950), decomposed as by Murphy (1973) with the within-bin part of Stephenson,
Coelho and Jolliffe (2008), so that the sum is exact. Outcomes are 0 or 1; all arrays have shape (n,); weights are
ones where None. `calibration_error` has one figure for the curve.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.arrays import (
    Floats,
    Indices,
    outcomes_of,
    probabilities_of,
    same_length,
    weights_of,
)
from smc_trading_agent.research.statistics.distributions import normal_quantile

# A certain forecast that fails costs 27.6 nats, not infinitely many.
CLIP = 1e-12


class Forecasts(NamedTuple):
    """Forecast probabilities, what came of them, and sample weights, checked; see `forecasts_of`."""

    probabilities: Floats
    outcomes: Floats
    weights: Floats


class Brier(msgspec.Struct, frozen=True):
    """score = reliability - resolution + uncertainty + within; ``within`` is what binning hides."""

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


class ReliabilityCurve(NamedTuple):
    """Points of the curve, one for each bin that isn't empty, by rising forecast. All of shape (bins,).

    ``low`` and ``high`` are the Wilson interval of the observed frequency.
    """

    forecast: Floats
    observed: Floats
    low: Floats
    high: Floats
    weight: Floats
    samples: Indices


def forecasts_of(probabilities: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None = None) -> Forecasts:
    """Checks the three arrays; raises `SampleError` where one can't be used."""
    forecast, happened = probabilities_of(probabilities), outcomes_of(outcomes)
    same_length(probabilities=forecast, outcomes=happened)
    return Forecasts(forecast, happened, weights_of(weights, forecast.size))


def log_losses(probabilities: ArrayLike, outcomes: ArrayLike) -> Floats:
    """-ln of the probability given to what happened, in nats, for each sample; kept 1e-12 away from 0 and 1."""
    f = forecasts_of(probabilities, outcomes)
    given = np.where(f.outcomes == 1.0, f.probabilities, 1.0 - f.probabilities)
    losses: Floats = -np.log(np.clip(given, CLIP, 1.0 - CLIP))
    return losses


def log_loss(probabilities: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Weighted mean of `log_losses`."""
    losses = log_losses(probabilities, outcomes)
    return float(np.average(losses, weights=weights_of(weights, losses.size)))


def brier(probabilities: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None = None, bins: int = 10) -> Brier:
    """Weighted mean of (p - y)^2 and its parts over ``bins`` bins of equal mass."""
    f = forecasts_of(probabilities, outcomes, weights)
    mass, forecast, observed = _bin_means(f, equal_mass_bins(f.probabilities, f.weights, bins), bins)
    share = mass / mass.sum()
    base = float(np.average(f.outcomes, weights=f.weights))
    score = float(np.average(np.square(f.probabilities - f.outcomes), weights=f.weights))
    reliability = float((share * np.square(forecast - observed)).sum())
    resolution = float((share * np.square(observed - base)).sum())
    uncertainty = base * (1.0 - base)
    return Brier(score, reliability, resolution, uncertainty, score - reliability + resolution - uncertainty)


def reliability_curve(
    probabilities: ArrayLike,
    outcomes: ArrayLike,
    weights: ArrayLike | None = None,
    bins: int = 10,
    confidence: float = 0.95,
) -> ReliabilityCurve:
    """Mean forecast against observed frequency over ``bins`` bins of equal mass.

    Wilson's interval (JASA, 1927) with Kish's effective count (sum w)^2 / sum w^2 in each bin.
    """
    f = forecasts_of(probabilities, outcomes, weights)
    bin_of = equal_mass_bins(f.probabilities, f.weights, bins)
    mass, forecast, observed = _bin_means(f, bin_of, bins)
    kept = np.flatnonzero(mass > 0.0)
    mass, forecast, observed = mass[kept], forecast[kept], observed[kept]
    effective = np.square(mass) / _sums(bin_of, np.square(f.weights), bins)[kept]
    z = normal_quantile(0.5 + confidence / 2.0)
    widened = 1.0 + z**2 / effective
    middle = (observed + z**2 / (2.0 * effective)) / widened
    reach = z * np.sqrt(observed * (1.0 - observed) / effective + np.square(z / (2.0 * effective))) / widened
    samples = np.bincount(bin_of, minlength=bins)[kept].astype(np.intp)
    return ReliabilityCurve(forecast, observed, middle - reach, middle + reach, mass, samples)


def equal_mass_bins(probabilities: Floats, weights: Floats, bins: int) -> Indices:
    """Bin of each sample, 0 to ``bins`` - 1 by rising probability, each holding about the same weight.

    Equal probabilities share a bin, the one in which their mass begins; so a forecast that never varies has one bin.
    """
    if bins < 1:
        raise SampleError(f"bins={bins} must be 1 or more")
    order = np.argsort(probabilities, kind="stable")
    ordered = probabilities[order]
    before = np.concatenate([[0.0], np.cumsum(weights[order])])
    begins = before[np.searchsorted(ordered, ordered, side="left")]
    bin_of = np.empty(order.size, dtype=np.intp)
    bin_of[order] = np.minimum(np.floor(begins * bins / before[-1]).astype(np.intp), bins - 1)
    return bin_of


def _bin_means(f: Forecasts, bin_of: Indices, bins: int) -> tuple[Floats, Floats, Floats]:
    """Weight, mean forecast and observed frequency of each bin; means of an empty bin are 0."""
    mass = _sums(bin_of, f.weights, bins)
    scale = np.divide(1.0, mass, out=np.zeros(bins), where=mass > 0.0)
    forecast = _sums(bin_of, f.weights * f.probabilities, bins) * scale
    observed = _sums(bin_of, f.weights * f.outcomes, bins) * scale
    return mass, forecast, observed


def _sums(bin_of: Indices, values: Floats, bins: int) -> Floats:
    return np.bincount(bin_of, values, bins).astype(np.float64, copy=False)

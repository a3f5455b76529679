"""From an expert's raw log-odds to P(win): fitted on labels the expert has not seen, applied by the same code.

Below `ISOTONIC_FROM` labels Platt scaling (two parameters), from there on isotonic regression. Both never
decrease in the raw log-odds: a calibrator may flatten what an expert says but not turn it round.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from smc_trading_agent.decision_engine.ensemble.odds import sigmoid

Floats = NDArray[np.float64]
ISOTONIC_FROM = 1_000
NEWTON_STEPS = 100
CONVERGED = 1e-10


class PlattCalibrator(msgspec.Struct, frozen=True, tag="platt", tag_field="kind", forbid_unknown_fields=True):
    """P = sigmoid(slope * log-odds + intercept), slope >= 0. ``samples`` is the number of labels it was fitted on."""

    slope: float
    intercept: float
    samples: int

    def __post_init__(self) -> None:
        if not (self.slope >= 0.0 and math.isfinite(self.slope) and math.isfinite(self.intercept)):
            raise ValueError(f"a Platt calibrator needs a finite slope >= 0, found {self.slope}, {self.intercept}")

    def apply(self, log_odds: float) -> float:
        """P(win) of one raw log-odds; NaN stays NaN."""
        return sigmoid(self.slope * log_odds + self.intercept)

    def apply_many(self, log_odds: ArrayLike) -> Floats:
        """`apply` on each of ``log_odds``, shape (n,)."""
        return _each(self.apply, log_odds)


class IsotonicCalibrator(msgspec.Struct, frozen=True, tag="isotonic", tag_field="kind", forbid_unknown_fields=True):
    """Piecewise linear between ``knots`` (ascending log-odds) and ``values`` (P, never falling), flat outside."""

    knots: tuple[float, ...]
    values: tuple[float, ...]
    samples: int

    def __post_init__(self) -> None:
        ascending = all(first < second for first, second in zip(self.knots, self.knots[1:], strict=False))
        rising = all(first <= second for first, second in zip(self.values, self.values[1:], strict=False))
        inside = all(0.0 < value < 1.0 for value in self.values) and all(map(math.isfinite, self.knots))
        if not (self.knots and len(self.knots) == len(self.values) and ascending and rising and inside):
            raise ValueError(
                "an isotonic calibrator needs ascending knots and as many values in (0, 1) that never fall"
            )

    def apply(self, log_odds: float) -> float:
        """P(win) of one raw log-odds; NaN stays NaN."""
        if log_odds != log_odds:
            return log_odds
        knots, values = self.knots, self.values
        right = bisect_right(knots, log_odds)
        if right == 0:
            return values[0]
        if right == len(knots):
            return values[-1]
        low, high = values[right - 1], values[right]
        share = (log_odds - knots[right - 1]) / (knots[right] - knots[right - 1])
        # Rounding must not leave the two values, or the line could fall by an ulp at a knot.
        return min(high, low + (high - low) * share)

    def apply_many(self, log_odds: ArrayLike) -> Floats:
        """`apply` on each of ``log_odds``, shape (n,)."""
        return _each(self.apply, log_odds)


Calibrator = PlattCalibrator | IsotonicCalibrator


def fit_calibrator(
    log_odds: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None = None, isotonic_from: int = ISOTONIC_FROM
) -> Calibrator:
    """Platt below ``isotonic_from`` labels, isotonic from there on; other arguments as for `fit_platt`."""
    fit = fit_platt if np.size(log_odds) < isotonic_from else fit_isotonic
    return fit(log_odds, outcomes, weights)


def fit_platt(log_odds: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None = None) -> PlattCalibrator:
    """Platt scaling by iteratively re-weighted least squares with step halving.

    ``log_odds`` (n,), ``outcomes`` (n,) in [0, 1], ``weights`` (n,) not negative. Targets are drawn in from 0 and 1
    as in Platt (1999), so that separable data has a finite fit. A slope that comes out negative becomes 0, and
    the intercept is fitted alone: the constrained optimum, as the loss is convex. Raises `ValueError` on
    unequal lengths, values that are no numbers, outcomes outside [0, 1], or no weight at all.
    """
    x, y, w = _checked(log_odds, outcomes, weights)
    wins, losses = float(w @ y), float(w @ (1.0 - y))
    high, low = (wins + 1.0) / (wins + 2.0), 1.0 / (losses + 2.0)
    target = y * high + (1.0 - y) * low
    slope, intercept = _newton(np.column_stack([x, np.ones_like(x)]), target, w)
    if slope < 0.0:
        slope, intercept = 0.0, float(_newton(np.ones((x.size, 1)), target, w)[0])
    return PlattCalibrator(float(slope), float(intercept), x.size)


def fit_isotonic(log_odds: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None = None) -> IsotonicCalibrator:
    """Isotonic regression by pooling adjacent violators; arguments and errors as for `fit_platt`.

    Equal log-odds are one point. Each pooled block is two knots, its first and its last point. Values are
    kept half a label's weight away from 0 and 1, so that no finite sample makes certainty.
    """
    x, y, w = _checked(log_odds, outcomes, weights)
    points, place = np.unique(x, return_inverse=True)
    mass = np.bincount(place, weights=w)
    means = np.bincount(place, weights=w * y) / np.where(mass > 0.0, mass, 1.0)
    points, means, mass = points[mass > 0.0], means[mass > 0.0], mass[mass > 0.0]
    blocks: list[tuple[float, float, int, int]] = []  # mean, weight, first point, last point
    for index, (mean, weight) in enumerate(zip(means.tolist(), mass.tolist(), strict=True)):
        first = index
        while blocks and blocks[-1][0] >= mean:
            before, heavy, first, _ = blocks.pop()
            mean = (before * heavy + mean * weight) / (heavy + weight)
            weight += heavy
        blocks.append((mean, weight, first, index))
    margin = 0.5 / (x.size + 1.0)
    knots, values = [], []
    for mean, _, first, last in blocks:
        ends = points[[first, last]] if last > first else points[[first]]
        knots += ends.tolist()
        values += [min(max(mean, margin), 1.0 - margin)] * len(ends)
    return IsotonicCalibrator(tuple(knots), tuple(values), x.size)


def encode_calibrators(calibrators: dict[str, Calibrator]) -> bytes:
    """The file ``calibrators.json``: one calibrator for each expert, by name."""
    return msgspec.json.format(msgspec.json.encode(calibrators, order="deterministic"), indent=1)


def _newton(design: Floats, target: Floats, weights: Floats) -> Floats:
    """Minimises the weighted log-loss of sigmoid(design @ b); ``design`` (n, k), answer (k,)."""
    found = np.zeros(design.shape[1])
    loss = _mean_loss(design @ found, target, weights)
    for _ in range(NEWTON_STEPS):
        p = 0.5 * (1.0 + np.tanh(0.5 * (design @ found)))
        gradient = design.T @ (weights * (p - target))
        curvature = (design * (weights * p * (1.0 - p))[:, None]).T @ design
        # A constant input leaves the curvature singular; the ridge then picks the smaller parameters.
        curvature += 1e-9 * (np.trace(curvature) + 1e-12) * np.eye(len(found))
        step = np.linalg.solve(curvature, gradient)
        share = 1.0
        while (trial := _mean_loss(design @ (found - share * step), target, weights)) > loss and share > 1e-6:
            share *= 0.5
        if trial > loss:
            break
        found, gained, loss = found - share * step, loss - trial, trial
        if gained < CONVERGED and float(np.max(np.abs(step))) < 1e-8:
            break
    return found


def _mean_loss(scores: Floats, target: Floats, weights: Floats) -> float:
    return float(weights @ (np.logaddexp(0.0, scores) - target * scores) / weights.sum())


def _checked(log_odds: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    x, y = np.asarray(log_odds, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or x.shape != w.shape:
        raise ValueError(f"log-odds, outcomes and weights must be (n,) alike, found {x.shape}, {y.shape}, {w.shape}")
    if not (np.isfinite(x).all() and np.isfinite(w).all() and (w >= 0.0).all() and float(w.sum()) > 0.0):
        raise ValueError("log-odds and weights must be finite numbers, and some weight above 0; leave such rows out")
    if not ((y >= 0.0) & (y <= 1.0)).all():
        raise ValueError("outcomes must lie in [0, 1]; they are shares of the way from stop to target")
    return x, y, w


def _each(apply: Callable[[float], float], log_odds: ArrayLike) -> Floats:
    # One definition for one value and for many: arrays of labels are small enough for it.
    return np.array([apply(value) for value in np.asarray(log_odds, dtype=np.float64).tolist()], dtype=np.float64)

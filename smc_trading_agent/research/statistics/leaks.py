"""Which features know the future: one proof, and three symptoms.

The proof is causal: compute a feature again from nothing but the data up to t0, and it must be the same. Whatever
differs knows the future, however weakly it predicts; whatever is equal can only know it if the raw data carries wrong
times. The symptoms need no recomputation, and are read off out-of-fold AUCs of single features:

- *implausible*: alone, out of fold, it separates wins from losses better than anything in a market does;
- *outlier*: it stands far above what its peers show, in standard errors;
- *ahead*: it knows the next label that starts after its own has ended better than the last one that had ended before,
  where an honest feature, which has seen the past and not the future, is no worse backwards.

A strong honest edge can look like an outlier; so outlier and ahead are suspicions, implausible and the proof are leaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.arrays import Floats, Indices, Times, intervals_of, outcomes_of, same_length
from smc_trading_agent.research.statistics.separation import bin_columns, out_of_fold_auc
from smc_trading_agent.research.statistics.splits import uniqueness_weights

Recompute = Callable[[int], Floats]
"""Given the row of a sample, its features from data up to its t0 alone, shape (m,)."""


class Symptom(StrEnum):
    """Why a feature is named; see the module's text."""

    NOT_CAUSAL = "not causal"
    IMPLAUSIBLE = "implausible"
    OUTLIER = "outlier"
    AHEAD = "ahead"


LEAKS = {Symptom.NOT_CAUSAL, Symptom.IMPLAUSIBLE}


class AuditLimits(msgspec.Struct, frozen=True):
    """Where a symptom begins. AUCs are of one feature alone; ``sigmas`` are standard errors at the number of labels
    that don't overlap.
    """

    implausible_auc: float = 0.70
    suspicious_auc: float = 0.55
    sigmas: float = 5.0
    suspicious_sigmas: float = 3.0
    folds: int = 6
    recomputed: int = 100
    tolerance: float = 0.0


class FeatureAudit(msgspec.Struct, frozen=True):
    """What was found on one feature. ``standard_error`` is that of an AUC of 0.5; ``differing`` the share of recomputed
    rows that came out otherwise, None where nothing was recomputed. ``ahead`` and ``behind`` are AUCs against the next
    and the previous disjoint label, None where too few samples have one.
    """

    name: str
    auc: float
    standard_error: float
    ahead: float | None
    behind: float | None
    differing: float | None
    symptoms: tuple[Symptom, ...]

    @property
    def leaks(self) -> bool:
        """Whether it knows the future, beyond suspicion."""
        return any(symptom in LEAKS for symptom in self.symptoms)


class LeakAudit(msgspec.Struct, frozen=True):
    """One entry for each feature, in order; ``recomputed`` rows were compared."""

    features: tuple[FeatureAudit, ...]
    recomputed: int

    @property
    def leaks(self) -> tuple[str, ...]:
        """Features that know the future; training must stop on any."""
        return tuple(feature.name for feature in self.features if feature.leaks)

    @property
    def suspects(self) -> tuple[str, ...]:
        """Features that only recomputation can clear, and that it did not."""
        return tuple(
            feature.name
            for feature in self.features
            if feature.symptoms and not feature.leaks and feature.differing is None
        )


def audit_leaks(
    features: ArrayLike,
    outcomes: ArrayLike,
    starts: ArrayLike,
    ends: ArrayLike,
    names: Sequence[str],
    baseline: ArrayLike | None = None,
    recompute: Recompute | None = None,
    limits: AuditLimits | None = None,
) -> LeakAudit:
    """Looks at every column of ``features``, shape (n, m), finite or NaN, known at ``starts`` (ns, ascending).

    ``outcomes`` (0 or 1) are resolved at ``ends``. Missing values are a value of their own: absence may leak as well.
    ``baseline``, shape (n,), is the win rate that the barriers alone imply at t0, such as the break-even probability:
    only samples of about the same baseline are then compared. Without it the distance to target and stop, which decides
    much of who wins and nothing of who earns, looks like foresight.
    """
    bounds = limits or AuditLimits()
    table, happened = np.asarray(features, dtype=np.float64), outcomes_of(outcomes)
    first, last = intervals_of(starts, ends)
    if table.ndim != 2 or table.shape[1] != len(names) or table.shape[1] == 0:
        raise SampleError(f"features have shape {table.shape}; {len(names)} columns are named")
    same_length(features=table, outcomes=happened, starts=first)
    label = _Label(happened, _strata(baseline, first.size), first, last)
    binned = bin_columns(table)
    own = out_of_fold_auc(binned, *label, bounds.folds)
    ahead = _shifted_auc(binned, label, _next_disjoint(first, last), bounds.folds)
    behind = _shifted_auc(binned, label, _previous_disjoint(first, last), bounds.folds)
    error = _standard_error(happened, first, last)
    rows = _spread_rows(first.size, bounds.recomputed) if recompute else np.empty(0, dtype=np.intp)
    differing = _differing(table, rows, recompute, bounds.tolerance)
    signs = {
        Symptom.NOT_CAUSAL: differing > 0.0,
        Symptom.IMPLAUSIBLE: (own >= bounds.implausible_auc) & (own - 0.5 > bounds.sigmas * error),
        Symptom.OUTLIER: _outliers(own, error, bounds),
        Symptom.AHEAD: (ahead >= bounds.suspicious_auc)
        & (ahead - behind > bounds.suspicious_sigmas * np.sqrt(2.0) * error),
    }
    audits = (
        FeatureAudit(
            name=name,
            auc=float(own[column]),
            standard_error=error,
            ahead=_known(ahead[column]),
            behind=_known(behind[column]),
            differing=_known(differing[column]),
            symptoms=tuple(symptom for symptom, present in signs.items() if present[column]),
        )
        for column, name in enumerate(names)
    )
    return LeakAudit(tuple(audits), rows.size)


class _Label(NamedTuple):
    outcomes: Floats
    strata: Indices
    first: Times
    last: Times


def _strata(baseline: ArrayLike | None, samples: int) -> Indices:
    """Samples of about the same baseline, as numbers; all 0 where there is none."""
    if baseline is None:
        return np.zeros(samples, dtype=np.intp)
    expected = np.asarray(baseline, dtype=np.float64)
    if expected.shape != (samples,):
        raise SampleError(f"the baseline has shape {expected.shape}; ({samples},) is expected")
    return bin_columns(expected[:, None])[:, 0]


def _shifted_auc(binned: Indices, label: _Label, other: Indices, folds: int) -> Floats:
    """AUC of each feature against the label of sample ``other``; NaN where too few have one (``other`` is -1)."""
    rows = np.flatnonzero(other >= 0)
    if rows.size == 0:
        return np.full(binned.shape[1], np.nan)
    target = other[rows]
    opened = np.minimum(label.first[rows], label.first[target])
    closed = np.maximum(label.first[rows], label.last[target])
    try:
        return out_of_fold_auc(binned[rows], label.outcomes[target], label.strata[target], opened, closed, folds)
    except SampleError:
        return np.full(binned.shape[1], np.nan)


def _next_disjoint(first: Times, last: Times) -> Indices:
    """For each sample the first one that starts after its label has ended; -1 where there is none."""
    following = np.searchsorted(first, last, side="right")
    return np.where(following < first.size, following, -1)


def _previous_disjoint(first: Times, last: Times) -> Indices:
    """For each sample the latest one whose label had ended before it started; -1 where there is none."""
    order = np.argsort(last, kind="stable")
    latest = np.concatenate([[-1], np.maximum.accumulate(order)])
    previous: Indices = latest[np.searchsorted(last[order], first, side="left")]
    return previous


def _standard_error(outcomes: Floats, first: Times, last: Times) -> float:
    """Of an AUC of 0.5, sqrt((W + L + 1)/(12 W L)) for W wins and L losses (Hanley and McNeil, Radiology, 1982),
    after overlapping labels are counted by their uniqueness.
    """
    count = float(uniqueness_weights(first, last).sum())
    wins = float(outcomes.mean()) * count
    return float(np.sqrt((count + 1.0) / (12.0 * wins * (count - wins))))


def _outliers(own: Floats, error: float, bounds: AuditLimits) -> NDArray[np.bool_]:
    """Features far above the median one: by robust deviations of the peers, each a standard error at least."""
    middle = float(np.median(own))
    deviation = max(error, 1.4826 * float(np.median(np.abs(own - middle))))
    return (own >= bounds.suspicious_auc) & (own - middle > bounds.suspicious_sigmas * deviation)


def _spread_rows(samples: int, wanted: int) -> Indices:
    """At most ``wanted`` rows, spread evenly from the first to the last."""
    return np.unique(np.linspace(0, samples - 1, min(samples, wanted)).round().astype(np.intp))


def _differing(table: Floats, rows: Indices, recompute: Recompute | None, tolerance: float) -> Floats:
    """Share of ``rows`` at which each feature isn't what recomputation gives; NaN where nothing is recomputed."""
    if recompute is None:
        return np.full(table.shape[1], np.nan)
    again = np.stack([np.asarray(recompute(int(row)), dtype=np.float64) for row in rows])
    if again.shape != (rows.size, table.shape[1]):
        raise SampleError(f"recomputed features have shape {again.shape}; ({rows.size}, {table.shape[1]}) is expected")
    was = table[rows]
    same = (np.abs(again - was) <= tolerance) | (np.isnan(again) & np.isnan(was))
    share: Floats = (~same).mean(axis=0)
    return share


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)

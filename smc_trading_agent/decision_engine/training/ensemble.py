"""From what experts said of rows that they were not fitted on to calibrators, pool, sets, and the files of a bundle.

All of it is written with the classes that serving reads with, and judged by the very pool and sets that serve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent.decision_engine.ensemble.calibrators import (
    ISOTONIC_FROM,
    Calibrator,
    encode_calibrators,
    fit_calibrator,
    fit_platt,
)
from smc_trading_agent.decision_engine.ensemble.conformal import AdaptiveConformal, fit_conformal
from smc_trading_agent.decision_engine.ensemble.drift import fit_column_reference, fit_loss_reference
from smc_trading_agent.decision_engine.ensemble.inputs import Normaliser
from smc_trading_agent.decision_engine.ensemble.manifest import (
    CALIBRATORS,
    CARD,
    DRIFT,
    ENSEMBLE,
    NORMALISER,
    ExpertEntry,
)
from smc_trading_agent.decision_engine.ensemble.odds import log_odds as log_odds_of
from smc_trading_agent.decision_engine.ensemble.parameters import DriftReference, EnsembleParameters, LossReference
from smc_trading_agent.decision_engine.ensemble.pooling import LogOddsPool, PoolParameters
from smc_trading_agent.decision_engine.ensemble.signing import canonical_json
from smc_trading_agent.decision_engine.training.expert import ExportedExpert
from smc_trading_agent.decision_engine.training.normaliser import NO_INTERVALS, covered
from smc_trading_agent.decision_engine.training.samples import Floats, Integers, Labels, Samples
from smc_trading_agent.decision_engine.training.settings import EnsembleFitSettings
from smc_trading_agent.decision_engine.training.tail import purged_blocks
from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.domain.reasons import PredictionSet

LogOdds = Mapping[str, Floats]
"""Raw log-odds (n,) by expert; NaN where one gave none."""
FEWEST_LABELS = 20
SMALLEST_DISAGREEMENT = 0.05
"""In log-odds: experts that always agreed must not abstain at the first difference."""


class Judgement(msgspec.Struct, frozen=True):
    """The ensemble on n setups; arrays (n,). ``admitted``: neither disagreement nor the conformal set abstains."""

    probability: Floats
    disagreement: Floats
    admitted: NDArray[np.bool_]


class FittedEnsemble(msgspec.Struct, frozen=True):
    """Calibrators by expert, the rest of the ensemble, and what each expert's losses were beyond chance's."""

    calibrators: dict[str, Calibrator]
    parameters: EnsembleParameters
    losses: dict[str, LossReference]

    def probabilities(self, log_odds: LogOdds) -> Floats:
        """Pooled P(win) (n,) of raw log-odds; NaN where no expert without a cap on its weight gave any."""
        return self._pooled(log_odds)[0]

    def calibrated(self, log_odds: LogOdds) -> dict[str, Floats]:
        """Each expert's own P(win) (n,)."""
        return {name: self.calibrators[name].apply_many(scores) for name, scores in log_odds.items()}

    def judge(self, log_odds: LogOdds, break_even: Floats) -> Judgement:
        """As the forecaster judges a setup that it sees first: weights and sets as fitted, not yet adapted."""
        probability, disagreement = self._pooled(log_odds)
        sets = AdaptiveConformal(deepcopy(self.parameters.conformal))
        pairs = zip(probability.tolist(), break_even.tolist(), strict=True)
        win = np.array([sets.predict(p, even) is PredictionSet.WIN for p, even in pairs], dtype=np.bool_)
        return Judgement(probability, disagreement, win & (disagreement <= self.parameters.max_disagreement))

    def _pooled(self, log_odds: LogOdds) -> tuple[Floats, Floats]:
        start = self.parameters
        return _pool(LogOddsPool(deepcopy(start.weights), start.pool, start.recalibration), self.calibrated(log_odds))


def fit_ensemble(log_odds: LogOdds, samples: Samples, labels: Labels, settings: EnsembleFitSettings) -> FittedEnsemble:
    """Fits on n setups that no expert was fitted on; ``samples`` say when they were, and nothing else is asked of them.

    Pool, recalibration, sets and losses are fitted on calibrated probabilities by cross-fitting in purged blocks, so
    that no label judges a calibrator that it helped to fit; the calibrators that serve are fitted on all labels.
    Raises `SampleError` on fewer than `FEWEST_LABELS` labels, unequal lengths, or log-odds that are no numbers.
    """
    _check(log_odds, samples, labels)
    names = tuple(log_odds)
    crossed = {name: np.full(len(labels), np.nan) for name in names}
    for apart, block in purged_blocks(samples, labels, settings.blocks):
        if not len(apart):
            raise SampleError("labels overlap so much that no block stands apart; use fewer blocks or more data")
        fitted = calibrate(log_odds, labels, apart, settings.isotonic_from)
        for name in names:
            crossed[name][block] = fitted[name].apply_many(log_odds[name][block])
    rule = PoolParameters(caps={name: cap for name, cap in settings.caps.items() if name in names})
    plain = LogOddsPool.equal(names, rule)
    pooled, disagreement = _pool(plain, crossed)
    recalibration = fit_platt([log_odds_of(p) for p in pooled.tolist()], labels.outcome, labels.weight)
    final = recalibration.apply_many([log_odds_of(p) for p in pooled.tolist()])
    parameters = EnsembleParameters(
        pool=rule,
        weights=plain.state,
        recalibration=recalibration,
        conformal=fit_conformal(final, labels.break_even, labels.outcome, settings.alpha, settings.gamma),
        max_disagreement=max(float(np.quantile(disagreement, settings.disagreement)), SMALLEST_DISAGREEMENT),
    )
    calibrators = calibrate(log_odds, labels, np.arange(len(labels)), settings.isotonic_from)
    losses = {name: fit_loss_reference(crossed[name], labels.chance, labels.outcome) for name in names}
    return FittedEnsemble(calibrators, parameters, losses)


def calibrate(
    log_odds: LogOdds, labels: Labels, rows: NDArray[np.intp], isotonic_from: int = ISOTONIC_FROM
) -> dict[str, Calibrator]:
    """A calibrator for each expert, fitted on some rows: Platt, or isotonic from ``isotonic_from`` rows on."""
    known = labels.take(rows)
    return {
        name: fit_calibrator(scores[rows], known.outcome, known.weight, isotonic_from)
        for name, scores in log_odds.items()
    }


def bundle_contents(
    experts: Sequence[ExportedExpert],
    fitted: FittedEnsemble,
    normaliser: Normaliser,
    samples: Samples,
    card: bytes,
    held_out: Integers = NO_INTERVALS,
) -> dict[str, bytes]:
    """Bytes by name of every file but the manifest; ``card`` is model_card.md.

    The watch over the inputs refers to all closes of the tapes of ``samples`` outside ``held_out`` (k, 2) in ns.
    """
    closes = np.concatenate([tape.features[~covered(tape, held_out)] for tape in samples.tapes])
    return {expert_file(expert): expert.export() for expert in experts} | {
        CALIBRATORS: encode_calibrators({expert.name: fitted.calibrators[expert.name] for expert in experts}),
        ENSEMBLE: canonical_json(fitted.parameters),
        NORMALISER: canonical_json(normaliser),
        DRIFT: canonical_json(DriftReference(fit_column_reference(closes), fitted.losses)),
        CARD: card,
    }


def expert_entries(
    experts: Sequence[ExportedExpert], metrics: Mapping[str, dict[str, float]]
) -> tuple[ExpertEntry, ...]:
    """The manifest's entries; ``metrics`` by expert."""
    return tuple(
        ExpertEntry(expert.name, expert.kind, expert_file(expert), metrics.get(expert.name, {})) for expert in experts
    )


def expert_file(expert: ExportedExpert) -> str:
    """The name of an expert's file."""
    return f"{expert.name}.{'json' if expert.kind == 'logistic' else 'onnx'}"


def _pool(pool: LogOddsPool, probabilities: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """Pooled P(win) and disagreement, each (n,), without the experts that gave no number."""
    names = tuple(probabilities)
    rows = zip(*(probabilities[name].tolist() for name in names), strict=True)
    found = []
    for row in rows:
        given = {name: p for name, p in zip(names, row, strict=True) if p == p}
        if all(pool.is_capped(name) for name in given):
            found.append((np.nan, np.nan))
            continue
        pooled = pool.pool(given)
        found.append((pooled.probability, pooled.disagreement))
    table = np.array(found, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _check(log_odds: LogOdds, samples: Samples, labels: Labels) -> None:
    if len(labels) < FEWEST_LABELS:
        raise SampleError(
            f"an ensemble is fitted on {FEWEST_LABELS} labels or more, found {len(labels)}; use more data"
        )
    lengths = {name: len(scores) for name, scores in log_odds.items()}
    if not lengths or set(lengths.values()) != {len(labels)} or len(samples) != len(labels):
        raise SampleError(f"log-odds must be of {len(labels)} setups like the labels, found {lengths}; align them")
    wrong = [name for name, scores in log_odds.items() if not np.isfinite(scores).all()]
    if wrong:
        raise SampleError(f"log-odds of {', '.join(wrong)} hold values that are no numbers; leave such rows out")

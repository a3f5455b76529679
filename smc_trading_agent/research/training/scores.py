"""How good forecasts are, out of fold: losses, calibration, and the paired test between ensemble and best expert.

Forecasts are (paths, n): each label is judged once in each path, by fits that had not seen it, and figures are means
over the paths. Outcomes between 0 and 1 count as part win and part loss.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from smc_trading_agent.decision_engine.ensemble.odds import SMALLEST
from smc_trading_agent.decision_engine.training.samples import Floats, Integers, Labels
from smc_trading_agent.research.base_rates import wilson
from smc_trading_agent.research.statistics.calibration import reliability_curve
from smc_trading_agent.research.statistics.calibration_error import calibration_error, calibration_noise
from smc_trading_agent.research.statistics.comparison import diebold_mariano
from smc_trading_agent.research.training.findings import ForecastScore, PairedTest, ReliabilityBin

NOISE_DRAWS = 200
MOST_BINS, LEAST_IN_BIN = 10, 200
"""So many labels a bin that a perfect forecaster shows an error of about 0.02."""


def losses(probability: Floats, outcome: Floats) -> Floats:
    """Log-loss in nats of each forecast (..., n) against outcomes (n,) in [0, 1]."""
    kept = np.clip(probability, SMALLEST, 1.0 - SMALLEST)
    return np.asarray(-(outcome * np.log(kept) + (1.0 - outcome) * np.log(1.0 - kept)))


def score(
    name: str, probability: Floats, labels: Labels, seed: int, by_seed: Mapping[int, Floats] | None = None
) -> ForecastScore:
    """All figures of forecasts (paths, n); ``by_seed`` are those of each seed's fits alone."""
    outcome = labels.outcome
    errors = [calibration_error(*as_events(path, outcome), bins_of(len(outcome))) for path in probability]
    noise = [calibration_noise(path, seed, None, bins_of(len(outcome)), NOISE_DRAWS).mean for path in probability]
    return ForecastScore(
        name=name,
        log_loss=float(losses(probability, outcome).mean()),
        chance_log_loss=float(losses(labels.chance, outcome).mean()),
        brier=float(np.square(probability - outcome).mean()),
        calibration_error=float(np.mean(errors)),
        calibration_noise=float(np.mean(noise)),
        reliability=reliability(probability, outcome),
        by_seed={str(key): float(losses(given, outcome).mean()) for key, given in (by_seed or {}).items()},
    )


def bins_of(labels: int) -> int:
    """How many bins of equal mass a number of labels is cut into."""
    return min(MOST_BINS, max(2, labels // LEAST_IN_BIN))


def reliability(probability: Floats, outcome: Floats) -> tuple[ReliabilityBin, ...]:
    """Bins over all paths; counts are labels, so a label that several paths put in a bin counts once."""
    paths = len(probability)
    forecasts, events, weights = as_events(probability.ravel(), np.tile(outcome, paths))
    curve = reliability_curve(forecasts, events, weights, bins_of(len(outcome)))
    made = []
    for forecast, observed, weight in zip(
        curve.forecast.tolist(), curve.observed.tolist(), curve.weight.tolist(), strict=True
    ):
        low, high = wilson(min(1.0, max(0.0, observed)), weight / paths)
        made.append(ReliabilityBin(forecast, observed, round(weight / paths), low, high))
    return tuple(made)


def as_events(probability: Floats, outcome: Floats) -> tuple[Floats, Floats, Floats]:
    """Forecasts, events (0 or 1) and weights, each (2n,): an outcome of 0.3 is a win by 0.3, a loss by 0.7."""
    events = np.concatenate([np.ones(len(outcome)), np.zeros(len(outcome))])
    return np.tile(probability, 2), events, np.concatenate([outcome, 1.0 - outcome])


def paired(ensemble: Floats, experts: Mapping[str, Floats], labels: Labels, known_at: Integers) -> PairedTest:
    """The ensemble's loss less the best single expert's, label by label (means over the paths), by Diebold-Mariano."""
    means = {name: losses(given, labels.outcome).mean(axis=0) for name, given in experts.items()}
    rival = min(means, key=lambda name: float(means[name].mean()))
    own = losses(ensemble, labels.outcome).mean(axis=0)
    found = diebold_mariano(own, means[rival], overlap(known_at, labels.end))
    return PairedTest(rival, found.difference, found.statistic, found.p_two_sided)


def overlap(known_at: Integers, ends: Integers) -> int:
    """How many later labels begin before one ends, on average and rounded up; what a variance has to reach over."""
    later = np.searchsorted(known_at, ends, side="right") - np.arange(1, len(ends) + 1)
    return int(min(np.ceil(later.mean()), len(ends) // 4))

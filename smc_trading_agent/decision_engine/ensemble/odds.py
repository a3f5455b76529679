"""Probabilities and log-odds, with one set of limits everywhere."""

from __future__ import annotations

import math

SMALLEST = 1e-6
"""Probabilities are kept this far from 0 and 1, so that log-odds stay finite (|log-odds| <= 13.8)."""


def sigmoid(log_odds: float) -> float:
    """1 / (1 + exp(-x)) without overflow; NaN stays NaN."""
    if log_odds >= 0.0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    grown = math.exp(log_odds)
    return grown / (1.0 + grown)


def log_odds(probability: float) -> float:
    """ln(p / (1 - p)) of a probability kept within `SMALLEST` of 0 and 1; NaN stays NaN."""
    if probability != probability:
        return probability
    kept = min(max(probability, SMALLEST), 1.0 - SMALLEST)
    return math.log(kept / (1.0 - kept))


def log_loss(probability: float, outcome: float) -> float:
    """Negative log-likelihood in nats of an outcome in [0, 1], a share counting as part win and part loss."""
    kept = min(max(probability, SMALLEST), 1.0 - SMALLEST)
    return -(outcome * math.log(kept) + (1.0 - outcome) * math.log(1.0 - kept))

"""Several calibrated probabilities of one event become one: a pool in log-odds whose weights adapt slowly.

    log-odds(P) = intercept + slope * sum(w_i * log-odds(p_i))

Weights start equal, the hardest baseline there is. They learn by fixed-share exponential weights (Herbster and
Warmuth, 1998) from labels once these are resolved, and are shrunk towards equal by how few have been:

    v_i <- (1 - share) * v_i exp(-eta * loss_i) / Z + share / K        w_i = (1 - L) / K + L * v_i,  L = n / (n + m)

As the log-loss is convex in log-odds, the pool's loss is never above the weighted mean of its experts' losses; so,
with losses in [0, B], over T labels the loss under v exceeds the best expert's by at most
(ln K + T ln(1 / (1 - share))) / eta + eta * T * B^2 / 8. An expert that gave no vote keeps its weight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from smc_trading_agent.decision_engine.ensemble.calibrators import PlattCalibrator
from smc_trading_agent.decision_engine.ensemble.odds import log_loss, log_odds

LARGEST_LOSS = 4.0
"""Losses above this (P of what happened under 2 %) count as this much: one surprise must not silence an expert."""
IDENTITY = PlattCalibrator(slope=1.0, intercept=0.0, samples=0)


class PoolParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the pool learns. ``shrinkage`` is m above, in labels; ``caps`` the largest weight of single experts."""

    eta: float = 0.1
    share: float = 0.01
    shrinkage: float = 200.0
    caps: dict[str, float] = {}

    def __post_init__(self) -> None:
        sound = self.eta >= 0.0 and 0.0 <= self.share < 1.0 and self.shrinkage >= 0.0
        if not sound or not math.isfinite(self.eta + self.shrinkage):
            raise ValueError(f"a pool needs eta >= 0, share in [0, 1), shrinkage >= 0, found {self}")
        if not all(0.0 <= cap <= 1.0 for cap in self.caps.values()):
            raise ValueError(f"caps of weights lie in [0, 1], found {self.caps}")


class PoolState(msgspec.Struct, forbid_unknown_fields=True):
    """The learned weights (v above, summing to 1) and the number of labels they were learned from."""

    weights: dict[str, float]
    resolved: int = 0


class Pooled(msgspec.Struct, frozen=True):
    """One pooled forecast. ``disagreement`` is the weighted standard deviation of the experts' log-odds."""

    probability: float
    weights: dict[str, float]
    disagreement: float


class LogOddsPool:
    """Pools votes and learns from resolved labels; see the module for the formulas."""

    def __init__(self, state: PoolState, parameters: PoolParameters, recalibration: PlattCalibrator = IDENTITY) -> None:
        """Raises `ValueError` unless the weights are positive and sum to 1."""
        total = sum(state.weights.values())
        if not state.weights or not all(weight > 0.0 for weight in state.weights.values()) or abs(total - 1.0) > 1e-6:
            raise ValueError(f"weights of a pool are positive and sum to 1, found {state.weights}")
        self._state = state
        self._parameters = parameters
        self._recalibration = recalibration
        self._known: dict[tuple[bool, tuple[str, ...]], dict[str, float]] = {}  # weights until the next label

    @classmethod
    def equal(
        cls, experts: tuple[str, ...], parameters: PoolParameters, recalibration: PlattCalibrator = IDENTITY
    ) -> LogOddsPool:
        """A pool that has learned nothing."""
        return cls(PoolState(dict.fromkeys(experts, 1.0 / len(experts))), parameters, recalibration)

    @property
    def state(self) -> PoolState:
        """What has been learned so far."""
        return self._state

    def is_capped(self, expert: str) -> bool:
        """Whether an expert's weight has a cap; such an expert can't carry a pool alone."""
        return expert in self._parameters.caps

    def weights(self, present: Mapping[str, float], learned: bool = True) -> dict[str, float]:
        """Weights of those in ``present``, renormalised, then capped; what a cap takes goes to the uncapped.

        Without ``learned`` they are equal before the caps. Raises `ValueError` where nobody without a cap is present.
        """
        state = self._state
        seen = state.resolved if learned else 0
        trust = seen / (seen + self._parameters.shrinkage) if seen else 0.0
        equal = (1.0 - trust) / len(state.weights)
        shrunk = {expert: equal + trust * state.weights[expert] for expert in present}
        total = sum(shrunk.values())
        caps = self._parameters.caps
        capped = {expert: min(caps[expert], weight / total) for expert, weight in shrunk.items() if expert in caps}
        free = sum(weight for expert, weight in shrunk.items() if expert not in caps)
        if free <= 0.0:
            raise ValueError("no expert without a cap on its weight gave a vote; the quorum must ask for one")
        left = (1.0 - sum(capped.values())) / free
        return {expert: capped.get(expert, weight * left) for expert, weight in shrunk.items()}

    def pool(self, probabilities: Mapping[str, float], learned: bool = True) -> Pooled:
        """Pools calibrated probabilities by expert; experts that are missing are left out."""
        present = learned, tuple(probabilities)
        weights = self._known.get(present)
        if weights is None:
            weights = self._known[present] = self.weights(probabilities, learned)
        votes = [(weights[expert], log_odds(probability)) for expert, probability in probabilities.items()]
        mean = sum([weight * score for weight, score in votes])
        spread = sum([weight * (score - mean) ** 2 for weight, score in votes])
        return Pooled(self._recalibration.apply(mean), weights, math.sqrt(spread))

    def resolve(self, probabilities: Mapping[str, float], outcome: float) -> None:
        """Learns from a label that became known: the votes as they were given, and the outcome in [0, 1].

        Experts without a vote sleep: the others share among themselves the weight that they had together.
        """
        state, rule = self._state, self._parameters
        self._known.clear()
        awake = {expert: p for expert, p in probabilities.items() if expert in state.weights}
        if not awake:
            return
        held = sum(state.weights[expert] for expert in awake)
        grown = {
            expert: state.weights[expert] * math.exp(-rule.eta * min(log_loss(p, outcome), LARGEST_LOSS))
            for expert, p in awake.items()
        }
        scale = held / sum(grown.values())
        for expert, weight in grown.items():
            state.weights[expert] = weight * scale
        count = len(state.weights)
        moved = {expert: (1.0 - rule.share) * w + rule.share / count for expert, w in state.weights.items()}
        total = sum(moved.values())
        state.weights = {expert: weight / total for expert, weight in moved.items()}
        state.resolved += 1

    def snapshot(self) -> bytes:
        """The whole state."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        self._state = msgspec.msgpack.decode(data, type=PoolState)
        self._known.clear()

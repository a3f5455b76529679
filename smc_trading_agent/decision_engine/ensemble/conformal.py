"""Which outcomes a forecast can't rule out: split conformal sets for each outcome, adapted on resolved labels.

The score of a forecast is its surplus z = log-odds(P) - log-odds(break-even): setups of any reward and risk are on
one scale, and a rare but well paid win is not mistaken for a forecast of a loss. "lose" leaves the set where z lies
above the (1 - alpha) conformal quantile of z among setups that lost (the k-th smallest of n, k = ceil((n + 1)(1 -
alpha))); "win" leaves it where z lies below the mirrored quantile among those that won. So of setups that lose, at
most alpha are called {win}, whatever the models are worth, as long as the future is exchangeable with the past; and
where it is not, each alpha adapts (Gibbs and Candes, 2021): alpha_t <- alpha_t + gamma * (alpha - err_t).
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from smc_trading_agent.decision_engine.ensemble.odds import log_odds
from smc_trading_agent.domain.reasons import PredictionSet

WON = 0.5
"""An outcome of at least this share of the way counts as won: a conformal set knows two outcomes only."""
MOST_SCORES = 2_000


class OutcomeScores(msgspec.Struct, forbid_unknown_fields=True):
    """Calibration scores of one outcome, ascending, and the present alpha. Larger scores fit the outcome worse."""

    scores: tuple[float, ...]
    alpha: float

    def __post_init__(self) -> None:
        pairs = zip(self.scores, self.scores[1:], strict=False)
        if not all(map(math.isfinite, self.scores)) or not all(first <= second for first, second in pairs):
            raise ValueError("scores of a conformal set are finite and ascending")
        if not math.isfinite(self.alpha):
            raise ValueError(f"alpha must be a number, found {self.alpha}")

    def admits(self, score: float) -> bool:
        """Whether the outcome stays in the set; a NaN score stays in, so that nothing is ruled out by it."""
        count = len(self.scores)
        rank = math.ceil((count + 1) * (1.0 - self.alpha) - 1e-9)
        if rank > count:
            return True
        return rank >= 1 and not score > self.scores[rank - 1]


class ConformalState(msgspec.Struct, forbid_unknown_fields=True):
    """Both outcomes' scores and alphas. ``target`` is the share of each outcome that may be ruled out wrongly."""

    target: float
    gamma: float
    win: OutcomeScores
    lose: OutcomeScores
    resolved: int = 0

    def __post_init__(self) -> None:
        if not (0.0 < self.target < 1.0 and 0.0 <= self.gamma < 1.0):
            raise ValueError(
                f"conformal sets need target in (0, 1), gamma in [0, 1), found {self.target}, {self.gamma}"
            )


class AdaptiveConformal:
    """Makes sets and adapts to what came of them; see the module for the formulas."""

    def __init__(self, state: ConformalState) -> None:
        self._state = state

    @property
    def state(self) -> ConformalState:
        """Scores and present alphas."""
        return self._state

    def predict(self, probability: float, break_even: float) -> PredictionSet:
        """The set for a pooled P beside its break-even probability; NaN rules nothing out."""
        surplus = log_odds(probability) - log_odds(break_even)
        win, lose = self._state.win.admits(-surplus), self._state.lose.admits(surplus)
        if win:
            return PredictionSet.BOTH if lose else PredictionSet.WIN
        return PredictionSet.LOSE if lose else PredictionSet.NEITHER

    def resolve(self, given: PredictionSet, outcome: float) -> None:
        """Learns from a label that became known: the set as it was given, and the outcome in [0, 1]."""
        state, won = self._state, outcome >= WON
        side = state.win if won else state.lose
        held = given is PredictionSet.BOTH or given is (PredictionSet.WIN if won else PredictionSet.LOSE)
        side.alpha += state.gamma * (state.target - (0.0 if held else 1.0))
        state.resolved += 1

    def snapshot(self) -> bytes:
        """The whole state."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        self._state = msgspec.msgpack.decode(data, type=ConformalState)


def fit_conformal(
    probabilities: ArrayLike,
    break_evens: ArrayLike,
    outcomes: ArrayLike,
    alpha: float = 0.1,
    gamma: float = 0.01,
) -> ConformalState:
    """Scores of out-of-fold forecasts; all arguments (n,), outcomes in [0, 1].

    Of more than `MOST_SCORES` scores of an outcome, that many evenly spaced order statistics are kept.
    An outcome that never happened has no scores and is never ruled out. Raises `ValueError` on unequal lengths
    or values that are no numbers.
    """
    p, b, y = (np.asarray(given, dtype=np.float64) for given in (probabilities, break_evens, outcomes))
    if p.ndim != 1 or p.shape != b.shape or p.shape != y.shape:
        raise ValueError(
            f"forecasts, break-evens and outcomes must be (n,) alike, found {p.shape}, {b.shape}, {y.shape}"
        )
    if not (np.isfinite(p).all() and np.isfinite(b).all() and np.isfinite(y).all()):
        raise ValueError("forecasts, break-evens and outcomes must be finite numbers; leave such rows out")
    pairs = zip(p.tolist(), b.tolist(), strict=True)
    surplus = np.array([log_odds(forecast) - log_odds(needed) for forecast, needed in pairs])
    won = y >= WON
    return ConformalState(
        target=alpha,
        gamma=gamma,
        win=OutcomeScores(_kept(-surplus[won]), alpha),
        lose=OutcomeScores(_kept(surplus[~won]), alpha),
    )


def _kept(scores: NDArray[np.float64]) -> tuple[float, ...]:
    ordered = np.sort(scores)
    if ordered.size > MOST_SCORES:
        # The k-th of MOST_SCORES stands where k / (MOST_SCORES + 1) of all lie below it.
        ranks = np.ceil(np.arange(1, MOST_SCORES + 1) * (ordered.size + 1) / (MOST_SCORES + 1)).astype(int)
        ordered = ordered[np.minimum(ranks, ordered.size) - 1]
    return tuple(ordered.tolist())

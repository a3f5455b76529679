"""Conformal sets: coverage where the past resembles the future, adaptation where it does not, caution throughout."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smc_trading_agent.decision_engine.ensemble.conformal import (
    MOST_SCORES,
    AdaptiveConformal,
    ConformalState,
    OutcomeScores,
    fit_conformal,
)
from smc_trading_agent.domain.reasons import PredictionSet


def market(count: int, seed: int, skill: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forecasts, break-evens around one third, and outcomes; with ``skill`` 0 forecasts say nothing."""
    chance = np.random.default_rng(seed)
    believed = chance.normal(-0.6, 1.0, count)
    true = 1.0 / (1.0 + np.exp(-np.where(chance.random(count) < skill, believed, -0.6)))
    return 1.0 / (1.0 + np.exp(-believed)), chance.uniform(0.25, 0.45, count), (chance.random(count) < true) * 1.0


def shares(conformal: AdaptiveConformal, p: np.ndarray, b: np.ndarray, won: np.ndarray) -> tuple[float, float]:
    """Share of losers whose set leaves out losing, and of winners whose set leaves out winning."""
    sets = [conformal.predict(one, other) for one, other in zip(p.tolist(), b.tolist(), strict=True)]
    lose_out = np.array([s in (PredictionSet.WIN, PredictionSet.NEITHER) for s in sets])
    win_out = np.array([s in (PredictionSet.LOSE, PredictionSet.NEITHER) for s in sets])
    return float(lose_out[won == 0].mean()), float(win_out[won == 1].mean())


@pytest.mark.parametrize("skill", [1.0, 0.0])
def test_each_outcome_is_ruled_out_wrongly_as_often_as_promised(skill: float) -> None:
    conformal = AdaptiveConformal(fit_conformal(*market(4_000, 1, skill), alpha=0.1))
    losers, winners = shares(conformal, *market(20_000, 2, skill))
    assert losers == pytest.approx(0.1, abs=0.02)
    assert winners == pytest.approx(0.1, abs=0.02)


def test_a_rare_but_well_paid_win_can_be_called_one() -> None:
    conformal = AdaptiveConformal(fit_conformal(*market(4_000, 1)))
    assert conformal.predict(0.45, 0.10) is PredictionSet.WIN
    assert conformal.predict(0.45, 0.45) is PredictionSet.BOTH
    assert conformal.predict(0.10, 0.60) is PredictionSet.LOSE


def test_without_scores_nothing_is_ruled_out() -> None:
    never_won = AdaptiveConformal(fit_conformal([0.2] * 50, [0.3] * 50, [0.0] * 50))
    assert never_won.predict(0.001, 0.5) is PredictionSet.BOTH
    nothing = AdaptiveConformal(fit_conformal([], [], []))
    assert nothing.predict(0.99, 0.3) is PredictionSet.BOTH


def test_not_a_number_rules_nothing_out() -> None:
    conformal = AdaptiveConformal(fit_conformal(*market(500, 3)))
    assert conformal.predict(math.nan, 0.3) is PredictionSet.BOTH
    assert conformal.predict(0.6, math.nan) is PredictionSet.BOTH


def test_alpha_falls_with_each_loser_called_a_winner_and_coverage_returns() -> None:
    conformal = AdaptiveConformal(fit_conformal(*market(4_000, 1), alpha=0.1, gamma=0.02))
    p, b, _ = market(6_000, 7)
    wrong = []
    for one, other in zip(p.tolist(), b.tolist(), strict=True):
        # The regime broke: whatever looks good loses.
        given = conformal.predict(one, other)
        conformal.resolve(given, 0.0)
        wrong.append(given in (PredictionSet.WIN, PredictionSet.NEITHER))
    assert conformal.state.lose.alpha <= 0.12
    assert np.mean(wrong) == pytest.approx(0.1, abs=0.01)
    assert conformal.state.win.alpha == 0.1


def test_alpha_moves_by_the_formula() -> None:
    conformal = AdaptiveConformal(fit_conformal(*market(500, 3), alpha=0.2, gamma=0.05))
    conformal.resolve(PredictionSet.WIN, 0.0)
    assert conformal.state.lose.alpha == pytest.approx(0.2 + 0.05 * (0.2 - 1.0))
    conformal.resolve(PredictionSet.BOTH, 1.0)
    assert conformal.state.win.alpha == pytest.approx(0.2 + 0.05 * 0.2)
    assert conformal.state.resolved == 2


def test_an_alpha_outside_of_0_and_1_means_always_or_never() -> None:
    scores = (0.1, 0.2, 0.3)
    assert OutcomeScores(scores, -0.1).admits(99.0)
    assert not OutcomeScores(scores, 1.1).admits(-99.0)


def test_many_scores_are_thinned_without_moving_the_quantile() -> None:
    p, b, won = market(60_000, 11)
    state = fit_conformal(p, b, won)
    assert len(state.lose.scores) == MOST_SCORES
    losers, winners = shares(AdaptiveConformal(state), *market(20_000, 12))
    assert losers == pytest.approx(0.1, abs=0.01)
    assert winners == pytest.approx(0.1, abs=0.015)


def test_a_set_resumes_exactly() -> None:
    one = AdaptiveConformal(fit_conformal(*market(300, 3)))
    one.resolve(PredictionSet.WIN, 0.0)
    other = AdaptiveConformal(fit_conformal([], [], []))
    other.restore(one.snapshot())
    assert other.state == one.state


@pytest.mark.parametrize("wrong", [([0.5], [0.5, 0.4], [1.0]), ([math.nan], [0.5], [1.0])])
def test_forecasts_that_cannot_be_scored_are_refused(wrong: tuple[list[float], list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match="alike|finite"):
        fit_conformal(*wrong)


def test_states_out_of_range_are_refused() -> None:
    fine = OutcomeScores((0.0,), 0.1)
    with pytest.raises(ValueError, match="target"):
        ConformalState(1.5, 0.01, fine, fine)
    with pytest.raises(ValueError, match="ascending"):
        OutcomeScores((1.0, 0.0), 0.1)
    with pytest.raises(ValueError, match="alpha"):
        OutcomeScores((), math.nan)

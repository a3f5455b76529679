"""Value at risk in the gate: fed by decision bars, asked on entries, tightened by its own tests, kept over restarts."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from smc_trading_agent._core import Bar
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.reasons import BreakerState, RefusalReason
from smc_trading_agent.domain.types import Approval, Refusal
from smc_trading_agent.risk_manager.book_risk import BookRisk
from smc_trading_agent.risk_manager.model_test import standing_of
from smc_trading_agent.risk_manager.numbers import Cents, cents_of
from smc_trading_agent.risk_manager.risk_figures import RiskFigures, concentration
from smc_trading_agent.risk_manager.var_backtest import ForecastRecord, Verdict, verdict_of
from tests.factories import (
    EQUITY,
    NOW,
    PRICE,
    QUARTER,
    Gate,
    account,
    exit_intent,
    history,
    instrument,
    intent,
    risk_settings,
)

R = RefusalReason


def reasons(outcome: Approval | Refusal) -> list[RefusalReason]:
    assert isinstance(outcome, Refusal), outcome
    return [detail.reason for detail in outcome.details]


def bars_of(returns: list[float]) -> list[Bar]:
    """Quarter-hour bars up to now with these returns from close to close."""
    closes = [PRICE]
    for move in returns:
        closes.append(max(1, round(closes[-1] * (1 + move))))
    begin = NOW - len(closes) * QUARTER
    return [
        Bar(begin + at * QUARTER, begin + (at + 1) * QUARTER, close, close, close, close, 1)
        for at, close in enumerate(closes)
    ]


def fed(returns: list[float], **settings: Any) -> BookRisk:
    clock = MarketClock()
    risk = BookRisk(instrument(), risk_settings(**settings), clock)
    for bar in bars_of(returns):
        clock.advance_to(bar.close_time)
        risk.on_bar(bar, 0)
    return risk


def random_returns(count: int, seed: int = 1, sigma: float = 0.001) -> list[float]:
    return [float(value) for value in np.random.default_rng(seed).normal(0.0, sigma, count)]


def clustered(count: int) -> list[float]:
    """Calm, but for shocks that come in threes and grow: each exceeds what was forecast, and brings the next."""
    returns = random_returns(count)
    for number, start in enumerate(range(60, count - 3, 60)):
        for step in range(3):
            returns[start + step] = (0.02 + 0.01 * number + 0.002 * step) * (-1 if step % 2 else 1)
    return returns


def test_figures_are_those_of_the_closes_in_cents() -> None:
    figures = Gate().started().gateway._risk.figures(True, 0, 0, 20 * PRICE, 0.7)
    # 20 lots are 1,000 USDT; 39 scenarios: the worst of them.
    worst = round(Fraction(1_000 * 10**8, PRICE + 500))
    assert figures.value_at_risk == math.ceil(Fraction(100_000 * worst, 10**8)) == 200
    assert (figures.value_at_risk_before, figures.shortfall_before) == (0, 0)
    assert (figures.worst_stress, figures.stress_loss) == ("venue_loss", 100_000)
    assert (figures.largest_share_ppm, figures.herfindahl_ppm) == (1_000_000, 1_000_000)
    assert (figures.cluster, figures.cluster_exposure) == ("test:BTCUSDT", 100_000)
    assert (figures.scenarios, figures.data_time, figures.bar_ns) == (39, NOW, QUARTER)


def test_of_two_sides_that_may_fill_the_worse_counts() -> None:
    risk = fed([0.01] * 20 + [-0.002] * 20)
    long_only = risk.figures(True, 0, 0, PRICE, 0.7)
    facing = risk.figures(True, 0, 10 * PRICE, PRICE, 0.7)
    assert facing.value_at_risk == facing.value_at_risk_before > long_only.value_at_risk
    assert facing.stress_loss == 50_000
    assert facing.cluster_exposure == 55_000


def test_the_gate_refuses_at_its_limit_and_says_what_it_was() -> None:
    wish, gate = intent(), Gate().active()
    approved = gate.gateway.review(wish, account())
    assert isinstance(approved, Approval)
    notional = approved.orders[0].quantity * PRICE
    figures = gate.gateway._risk.figures(True, 0, 0, notional, 0.7)
    at_limit = figures.value_at_risk / (EQUITY // 100)
    # In parts per million: at 0.09 % of equity a ppm is a cent.
    assert isinstance(Gate(max_value_at_risk=at_limit).active().gateway.review(wish, account()), Approval)
    below = Gate(max_value_at_risk=at_limit - 0.000001).active().gateway.review(wish, account())
    assert reasons(below) == [R.MAX_VALUE_AT_RISK]
    assert isinstance(below, Refusal)
    assert below.details[0].context["scenarios"] == "39"


def test_too_few_closes_refuse_entries_with_a_remedy_and_never_exits() -> None:
    gate = Gate(min_scenarios=40).active()
    outcome = gate.gateway.review(intent(), account())
    assert reasons(outcome) == [R.RISK_UNKNOWN]
    assert isinstance(outcome, Refusal)
    assert outcome.details[0].context["why"] == "few_scenarios"
    assert outcome.details[0].context["remedy"]
    assert gate.gateway.breaker.state is BreakerState.ACTIVE
    assert isinstance(gate.gateway.review(exit_intent(), account(position=7)), Approval)


def test_without_a_limit_on_it_risk_need_not_be_known() -> None:
    unlooked: dict[str, Any] = {"max_value_at_risk": None, "max_shortfall": None, "max_stress_loss": None}
    assert isinstance(Gate(min_scenarios=40, **unlooked).active().gateway.review(intent(), account()), Approval)


def test_closes_that_have_stopped_refuse() -> None:
    gate = Gate(max_risk_age_bars=1, max_data_age_seconds=10**6, signal_ttl_seconds=10**6).active()
    gate.clock.advance_to(NOW + QUARTER)
    gate.gateway.mark(account(), NOW + QUARTER)
    assert isinstance(gate.settled(intent(created_at=NOW + QUARTER)), Approval)
    gate.clock.advance_to(NOW + QUARTER + 1)
    stale = gate.gateway.review(intent(decision_id="d2", created_at=NOW), account())
    assert reasons(stale) == [R.RISK_UNKNOWN]
    assert isinstance(stale, Refusal)
    assert stale.details[0].context["why"] == "stale"


def test_a_close_that_is_wild_refuses_until_the_next_good_one() -> None:
    gate = Gate(max_jump_sigmas=10**6).active()
    for number, close in enumerate((PRICE * 200, PRICE), start=1):
        now = NOW + number * QUARTER
        gate.clock.advance_to(now)
        gate.gateway.mark(account(), now, Bar(now - QUARTER, now, close, close, close, close, 10_000))
        gate = gate.restarted()
        figures = gate.gateway._risk.figures(True, 0, 0, PRICE, 0.7)
        assert figures.unknown == ("wild_return" if number == 1 else "")


def test_a_model_that_raises_refuses_and_halts(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate().active()

    def broken(*_: object) -> RiskFigures:
        raise ZeroDivisionError("the model is gone")

    monkeypatch.setattr(gate.gateway._risk, "figures", broken)
    assert reasons(gate.gateway.review(intent(), account())) == [R.RISK_ENGINE_ERROR]
    assert gate.gateway.breaker.state is BreakerState.HALTED


@pytest.mark.parametrize("at", [0, 1, 11, 150, 399])
def test_a_restart_at_any_bar_changes_nothing(at: int) -> None:
    bars, clock = bars_of(clustered(400)), MarketClock()
    whole, cut = (BookRisk(instrument(), risk_settings(), clock) for _ in range(2))
    for number, bar in enumerate(bars):
        clock.advance_to(bar.close_time)
        whole.on_bar(bar, number * PRICE)
        cut.on_bar(bar, number * PRICE)
        if number == at:
            saved, cut = cut.snapshot(), BookRisk(instrument(), risk_settings(), clock)
            cut.restore(saved)
    assert cut.snapshot() == whole.snapshot()
    assert cut.standing == whole.standing
    assert cut.figures(False, 3, 4, PRICE, 0.7) == whole.figures(False, 3, 4, PRICE, 0.7)


def test_a_bar_that_was_seen_before_changes_nothing() -> None:
    risk = fed(random_returns(50))
    before = risk.snapshot()
    risk.on_bar(history()[-1], PRICE)
    assert risk.snapshot() == before


def test_the_model_is_tested_live_whether_anything_is_held_or_not() -> None:
    calm = fed(random_returns(400), min_scenarios=100)
    assert {name: verdict.forecasts for name, verdict in calm.standing.verdicts.items()} == {
        "held": 0,
        "long": 250,
        "short": 250,
    }
    assert (calm.standing.trusted, calm.standing.tighten_ppm) == (True, 1_000_000)


def test_a_model_that_fails_tightens_its_limits_and_is_not_believed_alone() -> None:
    risk = fed(clustered(400), min_scenarios=20)
    assert not risk.standing.trusted
    assert risk.standing.tighten_ppm == 1_333_334
    figures = risk.figures(True, 0, 0, 20 * PRICE, 0.7)
    believed = risk._model.assess({}, "test:BTCUSDT", 100_000)
    normal = max(believed.parametric, believed.ewma)
    assert figures.value_at_risk == max(believed.value_at_risk, math.ceil(normal))
    # Of a normal loss, expected shortfall at 97.5 % over value at risk at 99 %: 2.33780 / 2.32635.
    assert figures.shortfall == max(believed.shortfall, math.ceil(normal * 1.004923))


def test_what_tests_found_is_shown_and_divides_the_limits_of_the_gate() -> None:
    gate = Gate(min_scenarios=20, max_jump_sigmas=10**6)
    for bar in bars_of(clustered(400)):
        gate.gateway.mark(account(), NOW, bar)
    for shown in (gate.gateway.limits.risk_model, gate.restarted().gateway.limits.risk_model):
        assert (shown.scenarios, shown.min_scenarios, shown.trusted) == (400, 20, False)
        assert shown.tighten_by == 1.333334
        assert shown.tests["long"].forecasts == 250
        assert not all(test.trusted for test in shown.tests.values())
    amounts = gate.gateway._amounts_for(EQUITY, NOW)
    # 5 % and 6 % of 10,000 USDT in cents; stresses rest on no model and are not divided.
    assert amounts.value_at_risk == 50_000 * 1_000_000 // 1_333_334
    assert amounts.shortfall == 60_000 * 1_000_000 // 1_333_334
    assert amounts.stress == 20_000_000
    assert gate.gateway.limits.limits["max_value_at_risk"] == 0.05


def test_what_is_held_is_tested_beside_what_could_be() -> None:
    clock = MarketClock()
    risk = BookRisk(instrument(), risk_settings(min_scenarios=20), clock)
    for bar in bars_of(random_returns(60)):
        clock.advance_to(bar.close_time)
        risk.on_bar(bar, -7 * PRICE)
    held, short = risk.standing.verdicts["held"], risk.standing.verdicts["short"]
    assert held.forecasts == short.forecasts == 40
    assert held.exceedances == short.exceedances


def verdict(exceedances: int, spread: bool = True) -> Verdict:
    places = {10 + at * (230 // max(1, exceedances) if spread else 1) for at in range(exceedances)}
    return verdict_of(ForecastRecord(0.99, 250, [at in places for at in range(250)]))


@pytest.mark.parametrize(
    ("exceedances", "tighten_ppm"), [(0, 1_000_000), (4, 1_000_000), (5, 1_133_334), (10, 1_333_334)]
)
def test_limits_are_divided_by_the_traffic_light_of_the_worst_book(exceedances: int, tighten_ppm: int) -> None:
    standing = standing_of({"held": verdict(0), "long": verdict(exceedances), "short": verdict(1)})
    assert standing.tighten_ppm == tighten_ppm
    assert standing.trusted is (exceedances < 10)


def test_exceedances_that_come_together_count_as_red() -> None:
    standing = standing_of({"long": verdict(3, spread=False), "short": verdict(0)})
    assert not standing.trusted
    assert standing.tighten_ppm == 1_333_334


def test_a_unit_is_a_tick_of_a_lot_and_exposure_is_never_rounded_down() -> None:
    cents = cents_of(instrument())
    assert (cents.floor(199), cents.ceil(199), cents.ceil(200), cents.floor(-1)) == (1, 2, 2, -1)
    assert Cents(250, 1).ceil(3) == 750


@pytest.mark.parametrize(
    ("exposures", "largest", "index"),
    [([], 0, 0), ([0, 0], 0, 0), ([7], 1_000_000, 1_000_000), ([5, 5], 500_000, 500_000), ([2, 1], 666_667, 555_556)],
)
def test_concentration_is_rounded_up(exposures: list[int], largest: int, index: int) -> None:
    assert concentration(exposures) == (largest, index)

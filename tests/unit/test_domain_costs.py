"""Costs, and break-even against the expectation of a trade written out."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent.domain.costs import PPM, CostModel
from tests.factories import costs

models = st.builds(
    CostModel,
    maker_fee_ppm=st.integers(0, 5_000),
    taker_fee_ppm=st.integers(0, 5_000),
    half_spread_ticks=st.integers(0, 20),
    slippage_ppm=st.integers(0, 5_000),
)


def expectation(model: CostModel, probability: Fraction, entry: int, stop: int, target: int) -> Fraction:
    """Mean result of one lot in ticks: a limit entry; then a limit exit at the target, or a market exit at the stop."""
    maker, taker = Fraction(model.maker_fee_ppm, PPM), Fraction(model.taker_fee_ppm + model.slippage_ppm, PPM)
    won = abs(target - entry) - maker * entry - maker * target
    lost = -abs(entry - stop) - maker * entry - taker * stop - model.half_spread_ticks
    return probability * won + (1 - probability) * lost


@given(
    model=models,
    entry=st.integers(1_000, 10**7),
    risk=st.integers(1, 500),
    reward=st.integers(1, 5_000),
    side=st.sampled_from([1, -1]),
)
def test_break_even_is_where_the_expectation_changes_sign(
    model: CostModel, entry: int, risk: int, reward: int, side: int
) -> None:
    entry += 5_000
    stop, target = entry - side * risk, entry + side * reward
    even = model.break_even(entry, stop, target)
    assert 0.0 < even <= 1.0
    if even == 1.0:
        # A win does not pay its own costs, so no probability helps.
        assert expectation(model, Fraction(1), entry, stop, target) <= 0
        return
    here, step = Fraction(even), Fraction(1, 10**9)
    assert expectation(model, here - step, entry, stop, target) < 0
    assert expectation(model, here + step, entry, stop, target) > 0


def test_without_costs_break_even_is_chance() -> None:
    free = CostModel(0, 0, 0, 0)
    assert free.break_even(1_000, 900, 1_200) == 100 / 300
    assert free.break_even(1_000, 1_100, 800) == 100 / 300


@pytest.mark.parametrize(("target", "even"), [(1_000, 1.0), (1_001, 1.0), (1_002, 1.0)])
def test_a_win_that_only_pays_its_costs_never_breaks_even(target: int, even: float) -> None:
    # Two maker fills of about one tick each.
    assert costs(maker_fee_ppm=1_000).break_even(1_000, 900, target) == even
    assert costs(maker_fee_ppm=1_000).break_even(1_000, 900, 1_003) < 1.0


@given(model=models, entry=st.integers(10_000, 10**6))
def test_costs_only_ever_raise_break_even(model: CostModel, entry: int) -> None:
    stop, target = entry - 100, entry + 300
    assert model.break_even(entry, stop, target) >= CostModel(0, 0, 0, 0).break_even(entry, stop, target)


def test_each_fill_costs_what_it_says() -> None:
    model = CostModel(maker_fee_ppm=200, taker_fee_ppm=500, half_spread_ticks=3, slippage_ppm=100)
    assert model.maker_ticks(1_000_000) == 200.0
    assert model.taker_ticks(1_000_000) == 603.0
    assert model.loss_ticks(1_000_000, 990_000) == 10_000 + 200.0 + 594.0 + 3
    assert model.loss_millionths(1_000_000, 990_000) == 10_797_000_000
    assert model.gain_ticks(1_000_000, 1_020_000) == 20_000 - 200.0 - 204.0
    assert model.round_trip_ppm(1_000_000) == 803

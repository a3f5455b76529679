"""Sizes against a plain model in exact fractions: never above a limit, and the largest that is not."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent.domain.costs import PPM, CostModel
from smc_trading_agent.domain.settings import RiskSettings
from smc_trading_agent.risk_manager.sizing import Sizing, share_of, size_entry
from tests.factories import risk_settings

# Shares are what a person writes: at most six decimals.
shares = st.integers(0, 3 * PPM)
prices = st.integers(1, 10**12)
models = st.builds(
    CostModel,
    maker_fee_ppm=st.integers(0, 100_000),
    taker_fee_ppm=st.integers(0, 100_000),
    half_spread_ticks=st.integers(0, 50),
    slippage_ppm=st.integers(0, 100_000),
)


def limits(risk: int, order: int, position: int, leverage: int) -> RiskSettings:
    return risk_settings(
        risk_per_trade=risk / PPM,
        max_order_notional=order / PPM,
        max_position_notional=position / PPM,
        max_leverage=leverage / PPM,
    )


def loss_per_lot(costs: CostModel, entry: int, stop: int) -> Fraction:
    """A maker entry, then a taker exit at the stop: distance, fees, slippage and half the spread, in ticks."""
    entry_fee = Fraction(costs.maker_fee_ppm, PPM) * entry
    exit_cost = Fraction(costs.taker_fee_ppm + costs.slippage_ppm, PPM) * stop + costs.half_spread_ticks
    return abs(entry - stop) + entry_fee + exit_cost


@given(
    equity=st.integers(1, 10**20),
    entry=prices,
    stop=prices,
    exposure=st.integers(0, 10**20),
    costs=models,
    risk=st.integers(0, PPM // 10),
    order=shares,
    position=shares,
    leverage=shares,
    probe=st.integers(1, PPM),
)
def test_the_size_is_the_largest_that_exceeds_no_limit(
    equity: int,
    entry: int,
    stop: int,
    exposure: int,
    costs: CostModel,
    risk: int,
    order: int,
    position: int,
    leverage: int,
    probe: int,
) -> None:
    if entry == stop:
        stop += 1
    settings = limits(risk, order, position, leverage)

    def within_limits(lots: int) -> bool:
        return (
            lots * loss_per_lot(costs, entry, stop) <= Fraction(risk, PPM) * equity
            and lots * entry <= Fraction(order, PPM) * equity
            and exposure + lots * entry <= Fraction(position, PPM) * equity
            and exposure + lots * entry <= Fraction(leverage, PPM) * equity
        )

    normal = size_entry(equity, entry, stop, exposure, costs, settings, 1.0).lots
    assert normal >= 0
    assert normal == 0 or within_limits(normal)
    assert not within_limits(normal + 1)
    half_open = size_entry(equity, entry, stop, exposure, costs, settings, probe / PPM).lots
    assert half_open <= Fraction(probe, PPM) * normal < half_open + 1


@given(amount=st.integers(-(10**24), 10**24), share=shares)
def test_a_share_is_exact_to_a_millionth_and_rounded_down(amount: int, share: int) -> None:
    exact = Fraction(share, PPM) * amount
    assert share_of(amount, share / PPM) <= exact < share_of(amount, share / PPM) + 1


@given(entry=prices, stop=prices, costs=models)
def test_the_loss_that_sizes_is_the_loss_that_breaks_even(entry: int, stop: int, costs: CostModel) -> None:
    exact = loss_per_lot(costs, entry, stop)
    assert Fraction(costs.loss_millionths(entry, stop), PPM) == exact
    assert costs.loss_ticks(entry, stop) == pytest.approx(float(exact), rel=1e-15)


@pytest.mark.parametrize("name", ["risk_per_trade", "max_order_notional", "max_position_notional", "max_leverage"])
def test_a_limit_of_zero_means_none(name: str) -> None:
    settings = risk_settings(**{name: 0.0})
    assert size_entry(10**8, 500_000, 495_000, 0, CostModel(0, 0, 0, 0), settings, 1.0).lots == 0


@pytest.mark.parametrize(
    ("equity", "entry", "stop"), [(0, 10, 9), (-1, 10, 9), (100, 0, 9), (100, -1, 9), (100, 10, 0), (100, 10, 10)]
)
def test_what_can_not_be_sized_gets_nothing(equity: int, entry: int, stop: int) -> None:
    sized = size_entry(equity, entry, stop, 0, CostModel(0, 0, 0, 0), risk_settings(), 1.0)
    assert sized == Sizing(0, 0, 0, 0, 1.0)
    assert sized.lots == 0


def test_exposure_beyond_the_limit_is_not_a_negative_size() -> None:
    sized = size_entry(10**8, 500_000, 495_000, 10**9, CostModel(0, 0, 0, 0), risk_settings(), 1.0)
    assert sized.by_exposure < 0
    assert sized.lots == 0

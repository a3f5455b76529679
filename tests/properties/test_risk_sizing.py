"""Sizes against a plain model in exact fractions: never above what a rule allows, and the largest that is not."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent.domain.costs import PPM, CostModel
from smc_trading_agent.risk_manager.limits import Limits, limits_of
from smc_trading_agent.risk_manager.sizing import SizeFacts, SizeRule, Sizing, size_entry
from tests.factories import costs, instrument, risk_settings

prices = st.integers(1, 10**12)
shares = st.integers(0, 3 * PPM)
models = st.builds(
    CostModel,
    maker_fee_ppm=st.integers(0, 100_000),
    taker_fee_ppm=st.integers(0, 100_000),
    half_spread_ticks=st.integers(0, 50),
    slippage_ppm=st.integers(0, 100_000),
)
limits = st.builds(
    lambda **given: msgspec.structs.replace(limits_of(risk_settings(), instrument()), **given),
    risk_ppm=st.integers(0, PPM // 10),
    kelly_ppm=st.one_of(st.none(), st.integers(0, PPM)),
    volatility_ppm=shares,
    order_ppm=shares,
    position_ppm=shares,
    leverage_ppm=shares,
    volume_ppm=st.one_of(st.none(), st.integers(0, PPM)),
)
facts = st.builds(
    SizeFacts,
    equity=st.integers(1, 10**20),
    entry=prices,
    stop=prices,
    target=prices,
    worst=prices,
    side_exposure=st.integers(0, 10**20),
    gross_exposure=st.integers(0, 10**20),
    probability=st.floats(0, 1),
    day_sigma_ppm=st.integers(1, PPM),
    day_volume=st.integers(0, 10**9),
)


def loss_per_lot(model: CostModel, entry: int, stop: int) -> Fraction:
    """A maker entry, then a taker exit at the stop: distance, fees, slippage and half the spread, in ticks."""
    entry_fee = Fraction(model.maker_fee_ppm, PPM) * entry
    exit_cost = Fraction(model.taker_fee_ppm + model.slippage_ppm, PPM) * stop + model.half_spread_ticks
    return abs(entry - stop) + entry_fee + exit_cost


def allowed(f: SizeFacts, model: CostModel, rules: Limits) -> dict[SizeRule, int]:
    """Lots by each rule, rounded down from exact fractions of a quote unit."""
    loss = loss_per_lot(model, f.entry, f.stop)
    gain = abs(f.target - f.entry) - Fraction(model.maker_fee_ppm, PPM) * (f.entry + f.target)

    def whole(share: int) -> int:
        return share * f.equity // PPM

    lots = {
        SizeRule.RISK: math.floor(Fraction(rules.risk_ppm, PPM) * f.equity / loss),
        SizeRule.VOLATILITY: rules.volatility_ppm * f.equity // (f.day_sigma_ppm * f.worst),
        SizeRule.ORDER_NOTIONAL: whole(rules.order_ppm) // f.worst,
        SizeRule.POSITION_NOTIONAL: (whole(rules.position_ppm) - f.side_exposure) // f.worst,
        SizeRule.EXPOSURE: (whole(rules.leverage_ppm) - f.gross_exposure) // f.worst,
    }
    if rules.kelly_ppm is not None:
        p = Fraction(math.floor(f.probability * PPM), PPM)
        bet = p - (1 - p) * loss / gain if gain > 0 else Fraction(0)
        lots[SizeRule.KELLY] = math.floor(max(Fraction(0), bet) * Fraction(rules.kelly_ppm, PPM) * f.equity / loss)
    if rules.volume_ppm is not None:
        lots[SizeRule.VOLUME] = rules.volume_ppm * f.day_volume // PPM
    return lots


@given(f=facts, model=models, rules=limits, share=st.integers(1, PPM))
def test_the_smallest_rule_wins_and_is_named(f: SizeFacts, model: CostModel, rules: Limits, share: int) -> None:
    if f.entry == f.stop:
        f = msgspec.structs.replace(f, stop=f.stop + 1)
    sized = size_entry(f, model, rules, (PPM,))
    lots = allowed(f, model, rules)
    assert sized.lots == max(0, min(lots.values()))
    assert lots[sized.bound_by] == min(lots.values())
    smaller = size_entry(f, model, rules, (share,)).lots
    assert smaller <= Fraction(share, PPM) * sized.lots < smaller + 1


@given(entry=prices, stop=prices, target=prices, model=models)
def test_what_sizes_is_what_breaks_even(entry: int, stop: int, target: int, model: CostModel) -> None:
    exact = loss_per_lot(model, entry, stop)
    assert Fraction(model.loss_millionths(entry, stop), PPM) == exact
    assert model.loss_ticks(entry, stop) == pytest.approx(float(exact), rel=1e-15)
    gained = Fraction(model.gain_millionths(entry, target), PPM)
    assert model.gain_ticks(entry, target) == pytest.approx(float(gained), rel=1e-9, abs=1e-3)


def ten_percent(**changes: Any) -> SizeFacts:
    plain = SizeFacts(10**8, 500_000, 495_000, 510_000, 500_000, 0, 0, 0.6, 20_000, 10**6)
    return msgspec.structs.replace(plain, **changes)


def sized(f: SizeFacts, shares_ppm: tuple[int, ...] = (PPM,), **settings: Any) -> Sizing:
    return size_entry(f, costs(), limits_of(risk_settings(**settings), instrument()), shares_ppm)


RULES = {
    "risk_per_trade": SizeRule.RISK,
    "kelly_fraction": SizeRule.KELLY,
    "volatility_target": SizeRule.VOLATILITY,
    "max_order_notional": SizeRule.ORDER_NOTIONAL,
    "max_position_notional": SizeRule.POSITION_NOTIONAL,
    "max_leverage": SizeRule.EXPOSURE,
    "max_volume_share": SizeRule.VOLUME,
}


@pytest.mark.parametrize(("name", "rule"), RULES.items())
def test_a_limit_of_zero_means_none_and_is_named(name: str, rule: SizeRule) -> None:
    found = sized(ten_percent(), **{name: 0.0})
    assert (found.lots, found.bound_by) == (0, rule)


def test_kelly_at_the_break_even_probability_is_nothing_and_grows_from_there() -> None:
    # Loses 5,398 ticks or gains 9,798: P breaks even at 5,398 / 15,196.
    even = 5_398 / 15_196
    by = [sized(ten_percent(probability=even + edge), kelly_fraction=1.0).by_kelly for edge in (-0.1, -1e-6, 0.01, 0.2)]
    assert by[:2] == [0, 0]
    # 0.01 above: f = 0.01 * (gain + loss) / gain of the equity, over the loss of a lot.
    assert by[2] == pytest.approx(0.01 * 15_196 / 9_798 * 10**8 / 5_398, rel=1e-2)
    assert by[3] == pytest.approx(20 * by[2], rel=1e-2)


@pytest.mark.parametrize("probability", [math.nan, -0.1, 1.1, math.inf])
def test_a_probability_that_is_none_gets_nothing_from_kelly(probability: float) -> None:
    assert sized(ten_percent(probability=probability)).by_kelly == 0


def test_without_kelly_the_probability_does_not_matter() -> None:
    assert sized(ten_percent(probability=0.0), kelly_fraction=None).by_kelly is None
    assert sized(ten_percent(probability=0.0), kelly_fraction=None).lots > 0


def test_while_the_volatility_is_not_known_there_is_no_size() -> None:
    found = sized(ten_percent(day_sigma_ppm=0))
    assert (found.lots, found.bound_by) == (0, SizeRule.VOLATILITY)


def test_a_volatility_target_is_met_by_the_value_at_one_standard_deviation() -> None:
    # 1 % of 10^8 a day, at 2 % a day: worth half the equity, 100 lots of 500,000.
    assert sized(ten_percent(), volatility_target=0.01).by_volatility == 100


@pytest.mark.parametrize(
    "broken", [{"equity": 0}, {"equity": -1}, {"entry": 0}, {"entry": -1}, {"stop": 0}, {"stop": 500_000}, {"worst": 0}]
)
def test_what_can_not_be_sized_gets_nothing(broken: dict[str, int]) -> None:
    found = sized(ten_percent(**broken))
    assert (found.lots, found.bound_by) == (0, SizeRule.NOTHING)


def test_exposure_beyond_the_limit_is_not_a_negative_size() -> None:
    found = sized(ten_percent(side_exposure=10**9, gross_exposure=10**9))
    assert found.by_exposure < 0
    assert found.lots == 0


def test_shares_are_taken_one_after_another_and_rounded_down() -> None:
    assert sized(ten_percent(), (PPM // 2, PPM // 4, PPM)).lots == sized(ten_percent()).lots // 2 // 4

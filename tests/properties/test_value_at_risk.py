"""Value at risk of random books over random closes is that of the sorted scenarios, however the book was reached."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from smc_trading_agent._core import RETURN_UNIT, var_rank
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.risk_manager.value_at_risk import Assessment, ValueAtRisk, ValueAtRiskSettings

MINUTE = 60_000_000_000
KEYS = ("test:A", "test:B", "test:C")
MONEY = 10**9

notionals = st.integers(-MONEY, MONEY)
books = st.dictionaries(st.sampled_from(KEYS), notionals)
orders = st.tuples(st.sampled_from(KEYS), notionals)


def fed(seed: int, bars: int, window: int, wild: bool) -> ValueAtRisk:
    """A desk with closes of three instruments; ``wild`` ones have fat tails, the others many ties."""
    clock = MarketClock()
    limits = ValueAtRiskSettings(window=window, min_scenarios=1)
    risk = ValueAtRisk(dict.fromkeys(KEYS, "BTC"), limits, clock)
    chance = np.random.default_rng(seed)
    moves = chance.standard_t(2, (bars, 3)) * 0.02 if wild else chance.integers(-1, 2, (bars, 3)) * 0.01
    prices = np.exp(np.cumsum(np.clip(moves, -1, 1), axis=0)) * 10**12
    for number, closes in enumerate(prices.astype(np.int64).tolist(), start=1):
        clock.advance_to(number * MINUTE)
        risk.on_bar(number * MINUTE, dict(zip(KEYS, closes, strict=True)))
    return risk


def losses(returns: np.ndarray, positions: dict[str, int]) -> tuple[int, int]:
    """Value at risk at 99 % and expected shortfall at 97.5 %, by sorting; in Python's integers."""
    held = [positions.get(key, 0) for key in KEYS]
    profits = sorted(sum(h * r for h, r in zip(held, row, strict=True)) for row in returns.T.tolist())
    rank, count = var_rank(len(profits), 0.99), var_rank(len(profits), 0.975)
    return -(profits[rank - 1] // RETURN_UNIT), -(sum(profits[:count]) // (count * RETURN_UNIT))


def figures(seen: Assessment) -> tuple[int, int]:
    return seen.value_at_risk, seen.shortfall


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(2, 1_200), st.booleans(), books, orders)
def test_an_order_is_judged_as_by_sorting_all_scenarios(
    seed: int, bars: int, wild: bool, book: dict[str, int], order: tuple[str, int]
) -> None:
    risk = fed(seed, bars, 1_000, wild)
    returns = np.array([risk._book.returns(key) for key in KEYS])
    seen = risk.assess(book, *order)
    assert (seen.value_at_risk_before, seen.shortfall_before) == losses(returns, book)
    with_order = {**book, order[0]: book.get(order[0], 0) + order[1]}
    assert figures(seen) == losses(returns, with_order)
    profits = (np.array([float(with_order.get(key, 0)) for key in KEYS]) @ returns) / RETURN_UNIT
    rank = var_rank(profits.size, 0.99)
    assert abs(seen.value_at_risk + np.sort(profits)[rank - 1]) <= 1.0 + 1e-6 * MONEY


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.booleans(), st.lists(st.tuples(books, orders), min_size=1, max_size=12))
def test_the_way_to_a_book_leaves_no_trace(
    seed: int, wild: bool, way: list[tuple[dict[str, int], tuple[str, int]]]
) -> None:
    walked = fed(seed, 300, 200, wild)
    for book, order in way:
        last = walked.assess(book, *order)
    book, order = way[-1]
    assert fed(seed, 300, 200, wild).assess(book, *order) == last


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.booleans(), books, books, st.integers(1, 50))
def test_shortfall_is_coherent(seed: int, wild: bool, one: dict[str, int], other: dict[str, int], factor: int) -> None:
    """Subadditive and positively homogeneous, up to the rounding of each figure by less than one unit of money."""
    risk = fed(seed, 300, 200, wild)
    both = {key: one.get(key, 0) + other.get(key, 0) for key in KEYS}
    alone = [risk.assess(book, KEYS[0], 0) for book in (one, other)]
    assert risk.assess(both, KEYS[0], 0).shortfall <= alone[0].shortfall + alone[1].shortfall
    scaled = risk.assess({key: factor * held for key, held in one.items()}, KEYS[0], 0)
    assert -factor < scaled.shortfall - factor * alone[0].shortfall <= 0
    assert -factor < scaled.value_at_risk - factor * alone[0].value_at_risk <= 0
    assert abs(scaled.parametric - factor * alone[0].parametric) <= 1e-9 * scaled.parametric


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.booleans(), books)
def test_more_confidence_never_means_less_risk(seed: int, wild: bool, book: dict[str, int]) -> None:
    risk = fed(seed, 300, 200, wild)
    returns = np.array([risk._book.returns(key) for key in KEYS])
    held = np.array([book.get(key, 0) for key in KEYS], dtype=object)
    profits = sorted((held @ returns.astype(object)).tolist())
    at_quantile = [-profits[var_rank(200, confidence) - 1] for confidence in (0.9, 0.95, 0.975, 0.99, 0.999)]
    assert at_quantile == sorted(at_quantile)
    seen = risk.assess(book, KEYS[0], 0)
    assert seen.shortfall >= -(profits[var_rank(200, 0.975) - 1] // RETURN_UNIT)

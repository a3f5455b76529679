"""The base-rate forecaster over hand-made bars: chance without a record, and the documented formula with one."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent._core import Bar, Bars
from smc_trading_agent.decision_engine.base_rate import BaseRateForecaster
from smc_trading_agent.domain.reasons import SetupKind
from smc_trading_agent.domain.settings import DecisionSettings
from smc_trading_agent.domain.types import Setup
from tests.factories import DAY, MINUTE, NOW, costs, setup

PRIOR = 60.0
ENTRY, STOP, TARGET = 1_000, 900, 1_200
CHANCE = 1 / 3
FILL = (ENTRY + 5, ENTRY + 5, ENTRY - 5, ENTRY)
# What the market does after the fill, and the share of the way from stop to target that the exit is worth.
WIN = (ENTRY, TARGET + 5, ENTRY, TARGET)
LOSS = (ENTRY, ENTRY, STOP - 5, STOP)
QUIET = (ENTRY, ENTRY + 2, ENTRY - 2, ENTRY)


class Market:
    """A forecaster and the bars it sees, one minute each."""

    def __init__(self, **changes: Any) -> None:
        self.forecaster = self.new(**changes)
        self.time = NOW
        self.count = 0

    @staticmethod
    def new(**changes: Any) -> BaseRateForecaster:
        return BaseRateForecaster(costs(), DecisionSettings(**({"prior_strength": PRIOR} | changes)))

    def show(self, *shapes: tuple[int, int, int, int]) -> None:
        bars = []
        for shape in shapes:
            bars.append(Bar(self.time, self.time + MINUTE, *shape))
            self.time += MINUTE
        self.forecaster.observe(Bars.from_list("1m", bars), 0, len(bars))

    def setup(self, **changes: Any) -> Setup:
        """A new setup, known at the last close."""
        self.count += 1
        plain = {"setup_id": f"s{self.count}", "entry": ENTRY, "stop": STOP, "target": TARGET}
        times = {"detected_at": self.time, "entry_expires_at": self.time + 5 * MINUTE, "time_limit_ns": DAY}
        return setup(**(plain | times | changes))

    def end(self, how: tuple[int, int, int, int], **changes: Any) -> None:
        """Follows a new setup to its end."""
        self.forecaster.follow(self.setup(**changes))
        self.show(FILL, how)

    def restart(self) -> None:
        saved = self.forecaster.snapshot()
        self.forecaster = self.new()
        self.forecaster.restore(saved)


def by_formula(chance: float, outcomes: list[float], prior: float = PRIOR) -> float:
    """The module's formula written out, for setups of one shape."""
    surplus = sum(outcome - chance for outcome in outcomes)
    information = len(outcomes) * chance * (1 - chance)
    odds = math.log(chance / (1 - chance)) + surplus / (information + prior / 4)
    return 1 / (1 + math.exp(-odds))


def test_without_a_record_the_probability_is_chance() -> None:
    found = Market().forecaster.forecast(setup(entry=ENTRY, stop=STOP, target=TARGET))
    assert found.probability == pytest.approx(CHANCE, rel=1e-15)
    assert (found.chance, found.samples, found.wins, found.source) == (CHANCE, 0, 0.0, "base_rate")
    assert found.break_even == costs().break_even(ENTRY, STOP, TARGET)


@pytest.mark.parametrize(
    ("outcomes", "direction"), [([WIN], 1), ([LOSS], -1), ([WIN, WIN, LOSS], 1), ([WIN, LOSS, LOSS], 0)]
)
def test_the_record_moves_the_probability_by_the_formula(outcomes: list[Any], direction: int) -> None:
    market = Market()
    for how in outcomes:
        market.end(how)
    found = market.forecaster.forecast(market.setup())
    assert found.samples == len(outcomes)
    assert found.wins == outcomes.count(WIN)
    expected = by_formula(CHANCE, [1.0 if how is WIN else 0.0 for how in outcomes])
    assert found.probability == pytest.approx(expected, rel=1e-12)
    # One win in three is what chance gives at twice the risk, so it teaches nothing.
    assert found.probability == pytest.approx(CHANCE, rel=1e-12) or (found.probability > CHANCE) is (direction > 0)
    assert (direction == 0) is math.isclose(found.probability, CHANCE, rel_tol=1e-12)


def test_the_probability_goes_to_the_evidence_and_a_stronger_prior_holds_it_back() -> None:
    weak, strong = Market(prior_strength=1.0), Market(prior_strength=1_000.0)
    last = {weak: CHANCE, strong: CHANCE}
    for _ in range(30):
        for market, before in last.items():
            market.end(WIN)
            last[market] = market.forecaster.forecast(market.setup()).probability
            assert last[market] > before
    assert CHANCE < last[strong] < last[weak] < 1.0


@given(
    risk=st.integers(50, 400),
    reward=st.integers(50, 900),
    side=st.sampled_from([1, -1]),
    ends=st.lists(st.booleans(), max_size=12),
)
def test_the_formula_holds_for_any_shape_and_side(risk: int, reward: int, side: int, ends: list[bool]) -> None:
    market = Market()
    levels = {"side": side, "stop": ENTRY - side * risk, "target": ENTRY + side * reward}
    touch = (ENTRY + side, ENTRY + 5, ENTRY - 5, ENTRY)
    for won in ends:
        market.forecaster.follow(market.setup(**levels))
        end = ENTRY + side * (reward + 5) if won else ENTRY - side * (risk + 5)
        market.show(touch, (ENTRY, max(ENTRY, end), min(ENTRY, end), end))
    found = market.forecaster.forecast(market.setup(**levels))
    chance = risk / (risk + reward)
    assert found.samples == len(ends)
    assert found.probability == pytest.approx(by_formula(chance, [float(won) for won in ends]), rel=1e-9)
    assert 0.0 < found.probability < 1.0


def test_an_exit_in_between_counts_as_its_share_of_the_way() -> None:
    market = Market()
    market.forecaster.follow(market.setup(time_limit_ns=2 * MINUTE))
    middle = (STOP + TARGET) // 2
    market.show(FILL, QUIET, QUIET, (middle, middle, middle, middle), QUIET)
    found = market.forecaster.forecast(market.setup())
    assert found.samples == 1
    assert 0.0 < found.wins < 1.0
    assert found.probability == pytest.approx(by_formula(CHANCE, [found.wins]), rel=1e-12)


def test_a_stop_that_was_jumped_over_is_no_worse_than_a_loss() -> None:
    market = Market()
    market.forecaster.follow(market.setup())
    crash = (STOP // 2, STOP // 2, STOP // 2, STOP // 2)
    market.show(FILL, crash)
    assert market.forecaster.forecast(market.setup()).wins == 0.0


def test_a_setup_that_never_filled_teaches_nothing() -> None:
    market = Market()
    market.forecaster.follow(market.setup())
    away = (ENTRY + 50, ENTRY + 60, ENTRY + 40, ENTRY + 50)
    market.show(*[away] * 10)
    found = market.forecaster.forecast(market.setup())
    assert (found.samples, found.probability) == (0, pytest.approx(CHANCE, rel=1e-15))


def test_nothing_is_learned_before_the_end() -> None:
    market = Market()
    market.forecaster.follow(market.setup())
    market.show(FILL, QUIET, QUIET)
    assert market.forecaster.forecast(market.setup()).samples == 0
    market.show(WIN)
    assert market.forecaster.forecast(market.setup()).samples == 1


def test_each_kind_has_a_record_of_its_own() -> None:
    market = Market()
    market.end(WIN, kind=SetupKind.REVERSAL)
    market.end(LOSS, kind=SetupKind.CONTINUATION)
    market.end(LOSS, kind=SetupKind.CONTINUATION)
    reversal = market.forecaster.forecast(market.setup(kind=SetupKind.REVERSAL))
    continuation = market.forecaster.forecast(market.setup(kind=SetupKind.CONTINUATION))
    assert (reversal.samples, continuation.samples) == (1, 2)
    assert continuation.probability < CHANCE < reversal.probability


def test_what_one_shape_taught_moves_another_by_its_odds() -> None:
    market = Market()
    market.end(WIN)
    shift = (1 - CHANCE) / (CHANCE * (1 - CHANCE) + PRIOR / 4)
    even = market.forecaster.forecast(market.setup(target=ENTRY + 100))
    assert even.chance == 0.5
    assert even.probability == pytest.approx(1 / (1 + math.exp(-shift)), rel=1e-12)


def test_a_setup_that_is_judged_again_is_learned_from_once() -> None:
    market = Market()
    first, second = market.setup(), market.setup(side=-1, stop=ENTRY + 100, target=ENTRY - 200)
    for wish in (first, second, first, second):
        market.forecaster.follow(wish)
    market.show(FILL, WIN)
    learned = market.forecaster.forecast(market.setup()).samples
    assert learned == 2
    # Again after it has ended, and after a restart.
    market.forecaster.follow(first)
    market.restart()
    market.forecaster.follow(second)
    market.show(FILL, WIN)
    assert market.forecaster.forecast(market.setup()).samples == learned


def test_an_old_setup_is_not_followed_after_a_newer_one() -> None:
    market = Market()
    old = market.setup()
    market.end(WIN)
    market.end(WIN)
    market.forecaster.follow(old)
    market.show(FILL, WIN)
    assert market.forecaster.forecast(market.setup()).samples == 2


def test_a_snapshot_mid_way_goes_on_exactly() -> None:
    kept, restarted = Market(), Market()
    for market in (kept, restarted):
        market.end(WIN)
        market.forecaster.follow(market.setup(setup_id="open"))
        market.show(FILL, QUIET)
    restarted.restart()
    assert restarted.forecaster.snapshot() == kept.forecaster.snapshot()
    for market in (kept, restarted):
        market.show(QUIET, LOSS)
        market.end(WIN)
    assert restarted.forecaster.snapshot() == kept.forecaster.snapshot()
    one, other = (market.forecaster.forecast(market.setup(setup_id="next")) for market in (kept, restarted))
    assert msgspec.json.encode(one) == msgspec.json.encode(other)
    assert one.samples == 3

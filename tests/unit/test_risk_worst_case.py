"""What counts before the books show it, and what the gate remembers: approvals, windows, trades, the market."""

from __future__ import annotations

import itertools
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from smc_trading_agent._core import Bar
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, InstrumentState, RefusalReason
from smc_trading_agent.domain.types import Approval, Refusal
from smc_trading_agent.risk_manager.activity import Activity, SentOrders
from smc_trading_agent.risk_manager.checks.question import Question, Refusals, refuse
from smc_trading_agent.risk_manager.limits import limits_of
from smc_trading_agent.risk_manager.market_memory import MarketMemory
from tests.factories import DAY, NOW, NS, PRICE, QUARTER, Gate, account, exit_intent, instrument, intent, risk_settings

R = RefusalReason
MANY: dict[str, Any] = {"max_open_entries": 10**6, "max_open_orders": 10**6, "max_positions": 10**6}


def lots_of(outcome: Approval | Refusal) -> int:
    return outcome.orders[0].quantity if isinstance(outcome, Approval) else 0


def reasons(outcome: Approval | Refusal) -> list[RefusalReason]:
    assert isinstance(outcome, Refusal), outcome
    return [detail.reason for detail in outcome.details]


def race(gate: Gate, side: int, count: int) -> list[Approval | Refusal]:
    """So many intents from eight threads at once, all with the same view of an empty account."""
    books, barrier = account(), threading.Barrier(8)

    def ask(thread: int) -> list[Approval | Refusal]:
        barrier.wait()
        found = []
        for number in range(thread, count, 8):
            wish = intent(decision_id=f"d{number}", side=side, stop=PRICE - side * 5_000, target=PRICE + side * 10_000)
            found.append(gate.gateway.review(wish, books))
        return found

    with ThreadPoolExecutor(8) as pool:
        return [outcome for found in pool.map(ask, range(8)) for outcome in found]


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("limit", ["0.100", "0.150", "0.180"])
def test_a_thousand_intents_that_race_one_limit_never_exceed_it_by_a_lot(side: int, limit: str) -> None:
    gate = Gate(max_position_quantity=limit, max_messages=10**6, **MANY).active()
    outcomes = race(gate, side, 1_000)
    total, allowed = sum(map(lots_of, outcomes)), int(limit.replace(".", ""))
    # Sizes of 92 lots (sells, whose fees weigh more, of fewer) until the next one would not fit.
    size = max(map(lots_of, outcomes))
    assert allowed - size < total <= allowed
    assert all(R.MAX_POSITION_QUANTITY in reasons(outcome) for outcome in outcomes if not lots_of(outcome))


def test_a_thousand_intents_that_race_the_exposure_use_it_up_to_the_last_lot() -> None:
    gate = Gate(max_messages=10**6, max_leverage=1.0, min_liquidation_distance=0, initial_margin=0.001, **MANY).active()
    outcomes = race(gate, 1, 1_000)
    assert sum(map(lots_of, outcomes)) == 200


def test_with_one_entry_allowed_a_race_approves_one() -> None:
    gate = Gate().active()
    outcomes = race(gate, 1, 1_000)
    assert sum(isinstance(outcome, Approval) for outcome in outcomes) == 1


def test_an_approval_counts_until_the_books_show_it_and_never_twice() -> None:
    gate = Gate(max_position_quantity="0.150", **MANY).active()
    first = lots_of(gate.gateway.review(intent(), account()))
    assert reasons(gate.gateway.review(intent(decision_id="d2"), account())) == [R.MAX_POSITION_QUANTITY]
    gate.gateway.booked(intent().decision_id, 3)
    # A view that was taken before the booking still needs the reservation.
    assert R.MAX_POSITION_QUANTITY in reasons(gate.gateway.review(intent(decision_id="d2"), account(orders_sent=0)))
    shown = account(orders_sent=3, worst_long=first)
    assert R.MAX_POSITION_QUANTITY in reasons(gate.gateway.review(intent(decision_id="d2"), shown))
    gone = account(orders_sent=3)
    assert lots_of(gate.gateway.review(intent(decision_id="d2"), gone)) == first


def test_a_view_older_than_the_last_mark_is_refused() -> None:
    gate = Gate(**MANY).active()
    gate.gateway.review(intent(), account())
    gate.gateway.booked(intent().decision_id, 3)
    gate.gateway.mark(account(orders_sent=3), NOW)
    assert reasons(gate.gateway.review(intent(decision_id="d2"), account(orders_sent=2))) == [R.STALE_ACCOUNT]


def test_both_sides_are_counted_each_by_itself() -> None:
    gate = Gate(max_position_quantity="0.150", **MANY).active()
    bought = lots_of(gate.gateway.review(intent(), account()))
    short = intent(decision_id="d2", side=-1, stop=PRICE + 5_000, target=PRICE - 10_000)
    assert bought
    assert lots_of(gate.gateway.review(short, account()))
    again = intent(decision_id="d3", side=-1, stop=PRICE + 5_000, target=PRICE - 10_000)
    assert reasons(gate.gateway.review(again, account())) == [R.MAX_POSITION_QUANTITY]


def test_a_second_exit_that_is_not_in_the_books_yet_is_refused() -> None:
    gate = Gate().active()
    assert isinstance(gate.gateway.review(exit_intent(), account(position=7)), Approval)
    assert reasons(gate.gateway.review(exit_intent(decision_id="x2"), account(position=7))) == [R.REDUCE_ONLY_VIOLATION]
    larger = gate.gateway.review(exit_intent(decision_id="x2"), account(position=9))
    assert lots_of(larger) == 2


def test_an_exit_is_neither_throttled_nor_held_by_loss_or_age() -> None:
    gate = Gate(max_messages=0, max_executions=0, max_losing_trades=0).active()
    gate.clock.advance_to(NOW + DAY)
    assert isinstance(gate.gateway.review(exit_intent(), account(position=7, equity=1)), Approval)


def test_messages_leave_the_window_exactly_at_its_end() -> None:
    gate = Gate(max_messages=6, **MANY).active()
    assert lots_of(gate.settled(intent(decision_id="d1")))
    gate.clock.advance_to(NOW + 4 * NS)
    assert lots_of(gate.settled(intent(decision_id="d2")))
    gate.clock.advance_to(NOW + 10 * NS - 1)
    assert reasons(gate.settled(intent(decision_id="d3"))) == [R.MESSAGE_RATE]
    gate.clock.advance_to(NOW + 10 * NS)
    assert lots_of(gate.settled(intent(decision_id="d3")))
    assert reasons(gate.settled(intent(decision_id="d4"))) == [R.MESSAGE_RATE]


def test_no_window_ever_holds_more_messages_than_its_limit() -> None:
    gate = Gate(max_messages=30, max_open_entries=10**6, max_open_orders=10**6).active()
    sent = []
    for step in range(2_000):
        gate.clock.advance_to(NOW + step * NS // 20)
        if lots_of(gate.settled(intent(decision_id=f"d{step}", created_at=gate.clock.now()))):
            sent.append(gate.clock.now())
    assert len(sent) > 50
    assert max(sum(at <= other < at + 10 * NS for other in sent) for at in sent) * 3 == 30


def test_repeated_execution_halts_until_a_person_comes_and_a_restart_is_none() -> None:
    gate = Gate(max_executions=3, **MANY).active()
    for number in range(3):
        assert lots_of(gate.settled(intent(decision_id=f"d{number}")))
    assert reasons(gate.settled(intent(decision_id="d3"))) == [R.REPEATED_EXECUTION]
    assert gate.changes[-1].cause is BreakerCause.REPEATED_EXECUTION
    gate.clock.advance_to(NOW + 2 * 3_600 * NS)
    assert gate.restarted().gateway.breaker.state is BreakerState.HALTED


def test_similar_orders_are_those_of_one_side_size_and_nearly_one_price() -> None:
    gate = Gate(max_similar_orders=2, **MANY).active()
    for number in range(2):
        assert lots_of(gate.settled(intent(decision_id=f"d{number}")))
    assert reasons(gate.settled(intent(decision_id="d2"))) == [R.SIMILAR_ORDERS]
    far = intent(decision_id="d3", price=PRICE + 400, stop=PRICE - 4_601)
    assert lots_of(gate.settled(far))
    gate.clock.advance_to(NOW + 3_600 * NS)
    gate.gateway.mark(account(), gate.clock.now())
    assert lots_of(gate.settled(intent(decision_id="d4", created_at=gate.clock.now())))


def test_losing_trades_lock_until_they_leave_the_window_and_survive_a_restart() -> None:
    gate = Gate(max_losing_trades=2, cool_down_after_exit_seconds=60).active()
    for number, net in enumerate((-5, -9)):
        gate.gateway.mark(account(position=3, realised=net + 4), NOW)
        gate.gateway.mark(account(realised=net), NOW)
        told = reasons(gate.restarted().gateway.review(intent(decision_id=f"d{number}"), account()))
        assert told == ([R.COOL_DOWN_AFTER_EXIT] if number == 0 else [R.LOSING_TRADES, R.COOL_DOWN_AFTER_EXIT])
    gate.clock.advance_to(NOW + DAY)
    gate.gateway.mark(account(realised=-9), gate.clock.now())
    assert lots_of(gate.settled(intent(created_at=gate.clock.now())))


@pytest.mark.parametrize(("realised", "fees", "lost"), [(10, 9, 0), (10, 10, 0), (10, 11, 1), (-1, 0, 1)])
def test_a_trade_loses_after_its_fees(realised: int, fees: int, lost: int) -> None:
    activity, limits = Activity(), limits_of(risk_settings(), instrument())
    activity.follow(account(position=3), NOW, "", limits)
    activity.follow(account(realised=realised, fees=fees), NOW, "", limits)
    assert (len(activity.losses), activity.trades) == (lost, {"": 1})


def test_entries_that_no_window_reaches_are_forgotten() -> None:
    activity, limits = Activity(), limits_of(risk_settings(), instrument())
    for number in range(5_000):
        activity.add(SentOrders(NOW + number * NS, 3, 1, PRICE, 10), limits)
    assert len(activity.sent) == 3_600


def test_new_models_trade_smaller_until_enough_of_their_trades_ended() -> None:
    gate = Gate(models="bundle-a", launch_trades=2).active()
    normal = lots_of(Gate().active().settled(intent()))
    for number in range(3):
        outcome = gate.restarted().settled(intent(decision_id=f"d{number}"))
        assert lots_of(outcome) == (normal // 4 if number < 2 else normal)
        gate.gateway.mark(account(position=3), NOW)
        gate.gateway.mark(account(), NOW)
    other = Gate(models="bundle-b", launch_trades=2)
    other.gateway.restore(gate.gateway.snapshot())
    assert lots_of(other.settled(intent(decision_id="d9"))) == normal // 4


@pytest.mark.parametrize("multiplier", [0.25, 0.5, 1.0])
def test_the_policys_multiplier_is_a_share_of_the_size(multiplier: float) -> None:
    normal = lots_of(Gate().active().settled(intent()))
    assert lots_of(Gate().active().settled(intent(size_multiplier=multiplier))) == math.floor(normal * multiplier)


@pytest.mark.parametrize("state", [state for state in InstrumentState if state is not InstrumentState.TRADING])
def test_an_instrument_that_does_not_trade_takes_no_order_after_a_restart_either(state: InstrumentState) -> None:
    gate = Gate().active()
    gate.gateway.set_instrument_state(state)
    for wish, books in ((intent(), account()), (exit_intent(), account(position=3))):
        assert reasons(gate.restarted().gateway.review(wish, books)) == [R.INSTRUMENT_NOT_TRADING]


def test_a_jump_refuses_until_the_next_bar() -> None:
    gate = Gate().active()
    for number, close in enumerate((PRICE * 11 // 10, PRICE * 11 // 10)):
        opened = NOW + number * QUARTER
        gate.clock.advance_to(opened + QUARTER)
        gate.gateway.mark(
            account(), gate.clock.now(), Bar(opened, opened + QUARTER, close, close, close, close, 10_000)
        )
        outcome = gate.settled(intent(decision_id=f"d{number}", created_at=gate.clock.now()))
        assert (reasons(outcome) == [R.PRICE_JUMP]) if number == 0 else lots_of(outcome)


def test_what_is_remembered_of_the_market_is_what_the_bars_say() -> None:
    memory = MarketMemory()
    closes = [1_000, 1_010, 1_005, 1_200]
    for index, close in enumerate(closes):
        bar = Bar(index * QUARTER, (index + 1) * QUARTER, close, close, close, close, 7)
        memory.add(bar)
        memory.add(bar)
    moves = [math.log(b / a) for a, b in itertools.pairwise(closes)]
    variance = 0.94 * (0.94 * moves[0] ** 2 + 0.06 * moves[1] ** 2) + 0.06 * moves[2] ** 2
    typical = 0.94 * abs(moves[0]) + 0.06 * abs(moves[1])
    assert memory.day_sigma_ppm == math.ceil(math.sqrt(variance * 96) * 10**6)
    assert memory.jump_millis == math.ceil(abs(moves[2]) / (math.sqrt(math.pi / 2) * typical) * 1_000)
    assert (memory.closes, memory.day_volume) == (4, 28)


def test_a_days_volume_forgets_what_is_older_and_shares_out_what_is_longer() -> None:
    memory = MarketMemory()
    for index in range(200):
        memory.add(Bar(index * QUARTER, (index + 1) * QUARTER, 10, 10, 10, 10, index))
    assert memory.day_volume == sum(range(104, 200))
    weekly = MarketMemory()
    weekly.add(Bar(0, 7 * DAY, 10, 10, 10, 10, 70))
    assert weekly.day_volume == 10


def test_a_flat_market_that_moves_at_last_has_jumped() -> None:
    memory = MarketMemory()
    for index, close in enumerate([10] * 40 + [11]):
        memory.add(Bar(index * QUARTER, (index + 1) * QUARTER, close, close, close, close))
    assert memory.jump_millis >= 10**9


def test_further_checks_are_asked_and_fail_closed_like_the_rest() -> None:
    def too_risky(question: Question) -> Refusals:
        return refuse(R.MAX_ORDER_NOTIONAL, lots=question.quantity)

    def broken(_: Question) -> Refusals:
        raise RuntimeError("no scenarios")

    gate = Gate(further=(broken, too_risky)).active()
    assert reasons(gate.gateway.review(intent(), account())) == [R.RISK_ENGINE_ERROR, R.MAX_ORDER_NOTIONAL]
    assert gate.gateway.limits.check_errors == {"broken": 1}
    assert gate.gateway.breaker.state is BreakerState.HALTED

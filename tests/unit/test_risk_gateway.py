"""The gate as a whole: sealed brackets out of sound intents, refusals out of the rest, and a memory that restarts."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from smc_trading_agent.domain.errors import UnsealedOrder
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, OrderPurpose, RefusalReason
from smc_trading_agent.domain.seal import ApprovalSeal
from smc_trading_agent.domain.types import Approval, Refusal
from smc_trading_agent.risk_manager import gateway as gateway_module
from smc_trading_agent.risk_manager.checks.catalogue import ENTRY_CHECKS, check_name
from smc_trading_agent.risk_manager.checks.question import Question, Refusals
from tests.factories import DAY, EQUITY, KEY, NOW, NS, PRICE, QUARTER, Gate, account, exit_intent, history, intent

R = RefusalReason


def approved(outcome: Approval | Refusal) -> Approval:
    assert isinstance(outcome, Approval), outcome
    return outcome


def reasons(outcome: Approval | Refusal) -> list[RefusalReason]:
    assert isinstance(outcome, Refusal), outcome
    return [detail.reason for detail in outcome.details]


# Loss per lot at the stop: 5,000 ticks, maker fee 100, taker fee and slippage 297, half spread 1. Budget 500,000.
LOTS = 500_000 // 5_398


@pytest.mark.parametrize("side", [1, -1])
def test_a_sound_intent_becomes_a_sealed_bracket(side: int) -> None:
    gate = Gate().active()
    wish = intent(side=side, stop=PRICE - side * 5_000, target=PRICE + side * 10_000)
    approval = approved(gate.gateway.review(wish, account()))
    entry, stop, target = approval.orders
    lots = LOTS if side > 0 else 500_000 // 5_404
    assert [(o.purpose, o.kind, o.side, o.quantity, o.price, o.reduce_only, o.expires_at) for o in approval.orders] == [
        (OrderPurpose.ENTRY, "limit", side, lots, PRICE, False, wish.expires_at),
        (OrderPurpose.STOP, "stop_market", -side, lots, wish.stop, True, 0),
        (OrderPurpose.TARGET, "take_profit", -side, lots, wish.target, True, 0),
    ]
    assert entry.parent == ""
    assert stop.parent == target.parent == entry.client_order_id
    assert len({order.client_order_id for order in approval.orders}) == 3
    assert {order.decision_id for order in approval.orders} == {wish.decision_id}
    for order in approval.orders:
        gate.seal.verify(order)
        with pytest.raises(UnsealedOrder):
            ApprovalSeal(KEY[::-1]).verify(order)
    assert (approval.time, approval.time_limit_ns) == (NOW, wish.time_limit_ns)


def test_the_approval_shows_what_the_size_came_from() -> None:
    shown = approved(Gate().active().gateway.review(intent(), account())).limits
    assert shown["equity"] == "10000.0000"
    assert shown["risk_budget"] == "50.0000"
    assert shown["size"] == shown["size_by_risk"] == "0.092"
    assert shown["size_by_order_notional"] == "0.200"
    assert shown["size_by_exposure"] == "0.400"
    assert shown["notional"] == "4600.0000"
    assert shown["breaker"] == "active"


def test_every_reason_is_reported_not_only_the_first() -> None:
    nothing = {"max_open_orders": 0, "max_positions": 0, "max_leverage": 0, "max_order_notional": 0}
    gate = Gate(**nothing, max_position_notional=0, max_messages=0, allowed_instruments=())
    gate.gateway.mark(account(), NOW)
    gate.clock.advance_to(NOW + 121 * NS)
    worst = account(
        equity=EQUITY // 2, position=1, worst_long=1, open_orders=1, open_entries=1, unknown_orders=1, mark=PRICE * 2
    )
    outcome = gate.gateway.review(intent(stop=PRICE + 1), worst)
    assert reasons(outcome) == [
        R.BREAKER_NOT_ACTIVE,
        R.INSTRUMENT_NOT_ALLOWED,
        R.STALE_DATA,
        R.SIGNAL_EXPIRED,
        R.MARKET_HISTORY,
        R.INVALID_PRICE,
        R.PRICE_COLLAR,
        R.SIZE_BELOW_MINIMUM,
        R.MAX_POSITION_NOTIONAL,
        R.MAX_GROSS_EXPOSURE,
        R.RISK_UNKNOWN,
        R.MAX_OPEN_ORDERS,
        R.POSITION_ALREADY_OPEN,
        R.ENTRY_ALREADY_PENDING,
        R.MESSAGE_RATE,
        R.DAILY_LOSS,
        R.MAX_DRAWDOWN,
        R.UNKNOWN_ORDER_OUTSTANDING,
    ]
    assert gate.gateway.breaker.state is BreakerState.STARTING


@pytest.mark.parametrize(
    "broken",
    [{"price": 0}, {"price": -1}, {"stop": 0}, {"stop": -5}, {"stop": PRICE}, {"target": 0}, {"side": 0}],
    ids=str,
)
def test_prices_that_make_no_bracket_are_refused_without_halting(broken: dict[str, Any]) -> None:
    gate = Gate().active()
    assert R.INVALID_PRICE in reasons(gate.gateway.review(intent(**broken), account()))
    assert gate.gateway.breaker.state is BreakerState.ACTIVE


@pytest.mark.parametrize("equity", [0, -1, -EQUITY])
def test_without_equity_nothing_is_approved(equity: int) -> None:
    gate = Gate().active()
    assert R.SIZE_BELOW_MINIMUM in reasons(gate.gateway.review(intent(), account(equity=equity)))


def test_a_gate_that_was_never_marked_refuses() -> None:
    gate = Gate()
    gate.gateway.breaker.ready()
    assert {R.STALE_DATA, R.DAILY_LOSS, R.MAX_DRAWDOWN} <= set(reasons(gate.gateway.review(intent(), account())))


ACCOUNT_FIELDS = list(account().__struct_fields__)
INTENT_NUMBERS = [name for name, value in msgspec.structs.asdict(intent()).items() if isinstance(value, int | float)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", [*ACCOUNT_FIELDS, *(f"intent.{name}" for name in INTENT_NUMBERS)])
def test_no_number_anywhere_halts_instead_of_passing(field: str, value: float) -> None:
    gate = Gate().active()
    part, _, name = field.rpartition(".")
    wish = intent(**{name: value}) if part else intent()
    books = account() if part else account(**{name: value})
    assert reasons(gate.gateway.review(wish, books)) == [R.RISK_ENGINE_ERROR]
    assert gate.gateway.breaker.state is BreakerState.HALTED
    assert [(change.cause, change.before) for change in gate.changes] == [
        (BreakerCause.RISK_ENGINE_ERROR, BreakerState.ACTIVE)
    ]
    assert name in gate.changes[0].detail


@pytest.mark.parametrize("field", ACCOUNT_FIELDS)
def test_an_account_that_is_no_number_halts_at_the_mark_and_leaves_the_references_alone(field: str) -> None:
    gate = Gate().active()
    before = gate.gateway.snapshot()
    gate.gateway.mark(account(**{field: math.nan}), NOW)
    assert gate.gateway.breaker.state is BreakerState.HALTED
    kept = {"day", "day_start_equity", "peak_equity", "data_time"}
    old, new = msgspec.json.decode(before), msgspec.json.decode(gate.gateway.snapshot())
    assert {name: old[name] for name in kept} == {name: new[name] for name in kept}


@pytest.mark.parametrize("index", range(len(ENTRY_CHECKS)))
def test_a_check_that_raises_refuses_and_halts(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Question) -> Refusals:
        raise ZeroDivisionError("the reference is gone")

    broken.__name__ = name = check_name(ENTRY_CHECKS[index])
    replaced = (*ENTRY_CHECKS[:index], broken, *ENTRY_CHECKS[index + 1 :])
    gate = Gate().active()
    monkeypatch.setattr(gate.gateway, "_entry_checks", replaced)
    outcome = gate.gateway.review(intent(), account())
    assert reasons(outcome) == [R.RISK_ENGINE_ERROR]
    assert isinstance(outcome, Refusal)
    assert outcome.details[0].context == {"check": name, "error": "ZeroDivisionError: the reference is gone"}
    assert gate.gateway.limits.check_errors == {name: 1}
    assert gate.gateway.breaker.state is BreakerState.HALTED
    # Journalled, with its cause, while the state was still the old one.
    assert [(c.before, c.after, c.cause) for c in gate.changes] == [
        (BreakerState.ACTIVE, BreakerState.HALTED, BreakerCause.RISK_ENGINE_ERROR)
    ]
    assert gate.state_at_record == [BreakerState.ACTIVE]
    # Sound checks don't bring it back: a person must.
    monkeypatch.setattr(gate.gateway, "_entry_checks", ENTRY_CHECKS)
    assert reasons(gate.gateway.review(intent(), account())) == [R.BREAKER_NOT_ACTIVE]


def test_a_refused_decision_may_be_asked_again_and_an_approved_one_may_not() -> None:
    gate = Gate().active()
    assert reasons(gate.gateway.review(intent(), account(open_entries=1))) == [R.ENTRY_ALREADY_PENDING]
    first = approved(gate.settled(intent()))
    assert reasons(gate.gateway.review(intent(), account())) == [R.DUPLICATE_DECISION]
    other = approved(gate.settled(intent(decision_id="d2")))
    assert {order.client_order_id for order in first.orders}.isdisjoint(order.client_order_id for order in other.orders)


def test_a_hundred_repeats_across_restarts_make_one_order() -> None:
    gate = Gate().active()
    outcomes = [gate.restarted().gateway.review(intent(), account()) for _ in range(100)]
    assert sum(isinstance(outcome, Approval) for outcome in outcomes) == 1


def test_the_memory_of_sent_decisions_is_bounded_and_drops_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "REMEMBERED_DECISIONS", 3)
    gate = Gate().active()
    for name in "abcd":
        approved(gate.settled(intent(decision_id=name)))
    for name in "bcd":
        assert reasons(gate.gateway.review(intent(decision_id=name), account())) == [R.DUPLICATE_DECISION]
    approved(gate.settled(intent(decision_id="a")))


def test_an_exit_is_one_reduce_only_order_for_the_whole_position() -> None:
    gate = Gate().active()
    approval = approved(gate.gateway.review(exit_intent(), account(position=7)))
    (order,) = approval.orders
    assert (order.purpose, order.kind, order.side, order.quantity) == (OrderPurpose.EXIT, "market", -1, 7)
    assert order.reduce_only
    gate.seal.verify(order)
    assert reasons(gate.gateway.review(exit_intent(), account(position=7))) == [
        R.REDUCE_ONLY_VIOLATION,
        R.DUPLICATE_DECISION,
    ]
    gate.gateway.booked(exit_intent().decision_id, 1)
    seen = account(position=7, orders_sent=1)
    assert reasons(gate.gateway.review(exit_intent(), seen)) == [R.DUPLICATE_DECISION]


@pytest.mark.parametrize(("position", "side"), [(0, -1), (0, 1), (-3, -1), (3, 1), (3, 0), (3, -2), (-3, 2)])
def test_an_exit_that_would_not_shrink_the_position_is_refused(position: int, side: int) -> None:
    gate = Gate().active()
    outcome = gate.gateway.review(exit_intent(side=side), account(position=position))
    assert reasons(outcome) == [R.REDUCE_ONLY_VIOLATION]


@pytest.mark.parametrize("state", [BreakerState.REDUCING, BreakerState.HALTED])
def test_a_breaker_that_forbids_growth_lets_exits_pass(state: BreakerState) -> None:
    gate = Gate().active()
    gate.gateway.breaker.trip(state, BreakerCause.OPERATOR, "test")
    assert reasons(gate.gateway.review(intent(), account())) == [R.BREAKER_NOT_ACTIVE]
    approved(gate.gateway.review(exit_intent(), account(position=7)))


def test_nothing_passes_before_the_start_is_over() -> None:
    gate = Gate()
    gate.gateway.mark(account(), NOW)
    for bar in history():
        gate.gateway.mark(account(), NOW, bar)
    assert reasons(gate.gateway.review(intent(), account())) == [R.BREAKER_NOT_ACTIVE]
    assert reasons(gate.gateway.review(exit_intent(), account(position=7))) == [R.BREAKER_NOT_ACTIVE]


@pytest.mark.parametrize(
    ("stop", "binding"), [(PRICE - 5_000, "size_by_risk"), (PRICE - 100, "size_by_order_notional")]
)
def test_a_probe_has_its_share_of_the_normal_size_whatever_limit_binds(stop: int, binding: str) -> None:
    probe = approved(Gate().started().gateway.review(intent(stop=stop), account()))
    normal = approved(Gate().active().gateway.review(intent(stop=stop), account()))
    assert probe.orders[0].quantity == normal.orders[0].quantity // 2
    assert probe.limits["breaker"] == "half_open"
    assert normal.limits["size"] == normal.limits[binding]


def test_probes_that_end_bring_the_normal_size_back() -> None:
    gate = Gate().started()
    for name in ("first", "second"):
        assert approved(gate.settled(intent(decision_id=name))).orders[0].quantity == LOTS // 2
        gate.gateway.mark(account(open_entries=1), NOW)
        assert gate.gateway.breaker.state is BreakerState.HALF_OPEN
        gate.gateway.mark(account(), NOW)
    assert gate.gateway.breaker.state is BreakerState.ACTIVE
    assert approved(gate.gateway.review(intent(decision_id="third"), account())).orders[0].quantity == LOTS


@pytest.mark.parametrize(
    ("loss", "state"),
    [
        (EQUITY * 3 // 100 - 1, BreakerState.ACTIVE),
        (EQUITY * 3 // 100, BreakerState.REDUCING),
        (EQUITY * 6 // 100 - 1, BreakerState.REDUCING),
        (EQUITY * 6 // 100, BreakerState.HALTED),
    ],
)
def test_the_loss_of_the_day_counts_open_positions_and_survives_a_restart(loss: int, state: BreakerState) -> None:
    gate = Gate().active()
    # Nothing was closed: cash is whole and the loss is all on paper.
    open_loss = account(equity=EQUITY - loss, unrealised=-loss, position=7, worst_long=7)
    gate.restarted().gateway.mark(open_loss, NOW)
    assert gate.gateway.breaker.state is state
    assert gate.restarted().gateway.breaker.state is state
    refused = isinstance(gate.gateway.review(intent(), account(equity=EQUITY - loss)), Refusal)
    assert refused is (state is not BreakerState.ACTIVE)


def test_a_new_day_forgives_the_loss_after_the_cool_down_and_not_before() -> None:
    gate = Gate().active()
    gate.gateway.mark(account(equity=EQUITY * 96 // 100), NOW)
    midnight = NOW // DAY * DAY + DAY
    gate.clock.advance_to(midnight - 1)
    gate.restarted().gateway.mark(account(equity=EQUITY * 96 // 100), midnight - 1)
    assert gate.gateway.breaker.state is BreakerState.REDUCING
    gate.clock.advance_to(midnight)
    gate.restarted().gateway.mark(account(equity=EQUITY * 96 // 100), midnight)
    assert gate.gateway.breaker.state is BreakerState.HALF_OPEN
    # The day is measured from where it began.
    gate.gateway.mark(account(equity=EQUITY * 96 // 100 * 97 // 100), midnight)
    assert gate.gateway.breaker.state is BreakerState.REDUCING


def test_a_halt_by_loss_is_not_forgiven_by_a_new_day() -> None:
    gate = Gate().active()
    gate.gateway.mark(account(equity=EQUITY * 94 // 100), NOW)
    gate.clock.advance_to(NOW + 3 * DAY)
    gate.gateway.mark(account(equity=EQUITY), NOW + 3 * DAY)
    assert gate.gateway.breaker.state is BreakerState.HALTED


@pytest.mark.parametrize(
    ("fall", "state"), [(EQUITY // 2 - 1, BreakerState.ACTIVE), (EQUITY // 2, BreakerState.HALTED)]
)
def test_drawdown_is_measured_from_a_peak_that_survives_a_restart(fall: int, state: BreakerState) -> None:
    gate = Gate(max_daily_loss=1, halt_daily_loss=1).active()
    gate.gateway.mark(account(equity=2 * EQUITY), NOW)
    gate.clock.advance_to(NOW + 40 * DAY)
    gate.restarted().gateway.mark(account(equity=2 * EQUITY - fall, position=1), NOW + 40 * DAY)
    assert gate.gateway.breaker.state is state


def test_unknown_orders_reduce_until_they_are_known() -> None:
    gate = Gate().active()
    gate.gateway.mark(account(unknown_orders=2), NOW)
    assert gate.gateway.breaker.state is BreakerState.REDUCING
    assert gate.changes[-1].detail == "2 orders are UNKNOWN"
    gate.clock.advance_to(NOW + 3_600 * NS)
    gate.gateway.mark(account(unknown_orders=1), NOW)
    assert gate.gateway.breaker.state is BreakerState.REDUCING
    gate.gateway.mark(account(), NOW)
    assert gate.gateway.breaker.state is BreakerState.HALF_OPEN


def test_a_snapshot_holds_amounts_beyond_64_bits() -> None:
    gate = Gate().active()
    gate.gateway.mark(account(equity=10**24), NOW)
    gate.restarted().gateway.mark(account(equity=10**24 * 3 // 4), NOW)
    assert gate.gateway.breaker.state is BreakerState.HALTED


def test_the_age_of_the_data_is_that_of_the_last_mark() -> None:
    gate = Gate().active()
    gate.clock.advance_to(NOW + QUARTER)
    gate.gateway.mark(account(), NOW)
    stale = gate.gateway.review(intent(created_at=NOW + QUARTER), account())
    assert reasons(stale) == [R.STALE_DATA]
    gate.gateway.mark(account(), NOW + QUARTER)
    approved(gate.restarted().gateway.review(intent(created_at=NOW + QUARTER), account()))

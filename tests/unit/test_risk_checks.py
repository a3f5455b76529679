"""Every check of the gate at its boundary, one step below and one above, and with numbers that are none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from smc_trading_agent.domain.reasons import BreakerState, RefusalReason
from smc_trading_agent.domain.settings import RiskSettings
from smc_trading_agent.risk_manager import checks
from smc_trading_agent.risk_manager.checks import ENTRY_CHECKS, Check, Question
from tests.factories import EQUITY, NOW, NS, PRICE, question, risk_settings

R = RefusalReason
COLLAR = PRICE * 2 // 100
THIRD_OF_PERCENT = 3 * EQUITY // 100


def held(lots: int, **more: Any) -> dict[str, Any]:
    return {"position": lots, "worst_long": max(0, lots), "worst_short": max(0, -lots)} | more


# Check, what it says of the question (None: passes), and the question. At the boundary, below and above.
CASES: list[tuple[Check, R | None, Question]] = [
    (checks.breaker, None, question(lets_exposure_grow=True)),
    (checks.breaker, R.BREAKER_NOT_ACTIVE, question(lets_exposure_grow=False, breaker=BreakerState.HALTED)),
    (checks.fresh_data, None, question(data_time=NOW)),
    (checks.fresh_data, None, question(data_time=NOW - 120 * NS)),
    (checks.fresh_data, None, question(data_time=NOW - 120 * NS + 1)),
    (checks.fresh_data, R.STALE_DATA, question(data_time=NOW - 120 * NS - 1)),
    (checks.fresh_data, R.STALE_DATA, question(data_time=NOW + 1)),
    (checks.fresh_data, R.STALE_DATA, question(data_time=0)),
    (checks.fresh_data, None, question(settings=risk_settings(max_data_age_seconds=0))),
    (checks.fresh_data, R.STALE_DATA, question(settings=risk_settings(max_data_age_seconds=0), data_time=NOW - 1)),
    (checks.fresh_signal, None, question(of_intent={"created_at": NOW - 60 * NS})),
    (checks.fresh_signal, None, question(of_intent={"created_at": NOW - 60 * NS + 1})),
    (checks.fresh_signal, R.SIGNAL_EXPIRED, question(of_intent={"created_at": NOW - 60 * NS - 1})),
    (checks.fresh_signal, R.SIGNAL_EXPIRED, question(of_intent={"created_at": NOW + 1})),
    (checks.price_order, None, question(of_intent={"stop": PRICE - 1, "target": PRICE + 1})),
    (checks.price_order, R.INVALID_PRICE, question(of_intent={"stop": PRICE})),
    (checks.price_order, R.INVALID_PRICE, question(of_intent={"stop": PRICE + 1})),
    (checks.price_order, R.INVALID_PRICE, question(of_intent={"target": PRICE})),
    (checks.price_order, R.INVALID_PRICE, question(of_intent={"target": PRICE - 1})),
    (checks.price_order, None, question(of_intent={"stop": 1})),
    (checks.price_order, R.INVALID_PRICE, question(of_intent={"stop": 0})),
    (checks.price_order, R.INVALID_PRICE, question(of_intent={"stop": -1})),
    (checks.price_order, None, question(of_intent={"side": -1, "stop": PRICE + 1, "target": PRICE - 1})),
    (checks.price_order, R.INVALID_PRICE, question(of_intent={"side": -1})),
    (checks.price_order, R.INVALID_PRICE, question(of_intent={"side": -1, "stop": PRICE + 1, "target": 0})),
    (checks.price_order, R.INVALID_PRICE, question(of_intent={"side": 0})),
    (checks.price_order, R.INVALID_PRICE, question(of_intent={"side": 2})),
    (checks.price_collar, None, question(of_intent={"price": PRICE + COLLAR})),
    (checks.price_collar, None, question(of_intent={"price": PRICE + COLLAR - 1})),
    (checks.price_collar, R.PRICE_COLLAR, question(of_intent={"price": PRICE + COLLAR + 1})),
    (checks.price_collar, None, question(of_intent={"price": PRICE - COLLAR})),
    (checks.price_collar, R.PRICE_COLLAR, question(of_intent={"price": PRICE - COLLAR - 1})),
    (checks.price_collar, R.PRICE_COLLAR, question(of_account={"mark": 0}, of_intent={"price": 0})),
    (checks.price_collar, None, question(settings=risk_settings(price_collar=0))),
    (
        checks.price_collar,
        R.PRICE_COLLAR,
        question(settings=risk_settings(price_collar=0), of_intent={"price": PRICE + 1}),
    ),
    (checks.minimum_size, None, question(quantity=1)),
    (checks.minimum_size, R.SIZE_BELOW_MINIMUM, question(quantity=0)),
    (checks.minimum_size, R.SIZE_BELOW_MINIMUM, question(quantity=0, min_notional=0)),
    (checks.minimum_size, R.SIZE_BELOW_MINIMUM, question(quantity=-1, min_notional=-PRICE)),
    (checks.minimum_size, None, question(min_notional=10 * PRICE)),
    (checks.minimum_size, None, question(min_notional=10 * PRICE - 1)),
    (checks.minimum_size, R.SIZE_BELOW_MINIMUM, question(min_notional=10 * PRICE + 1)),
    (checks.order_notional, None, question(quantity=200)),
    (checks.order_notional, None, question(quantity=199)),
    (checks.order_notional, R.MAX_ORDER_NOTIONAL, question(quantity=201)),
    (checks.order_notional, R.MAX_ORDER_NOTIONAL, question(quantity=200, of_account={"equity": EQUITY - 1})),
    (checks.order_notional, R.MAX_ORDER_NOTIONAL, question(quantity=1, settings=risk_settings(max_order_notional=0))),
    (checks.position_notional, None, question(of_account=held(190))),
    (checks.position_notional, None, question(of_account=held(189))),
    (checks.position_notional, R.MAX_POSITION_NOTIONAL, question(of_account=held(191))),
    (checks.position_notional, R.MAX_POSITION_NOTIONAL, question(of_account=held(-191))),
    (checks.position_notional, R.MAX_POSITION_NOTIONAL, question(of_account=held(0, worst_long=191))),
    (checks.position_notional, R.MAX_POSITION_NOTIONAL, question(of_account=held(190, equity=EQUITY - 1))),
    (checks.position_notional, R.MAX_POSITION_NOTIONAL, question(settings=risk_settings(max_position_notional=0))),
    (checks.gross_exposure, None, question(of_account=held(390))),
    (checks.gross_exposure, None, question(of_account=held(389))),
    (checks.gross_exposure, R.MAX_GROSS_EXPOSURE, question(of_account=held(391))),
    (checks.gross_exposure, R.MAX_GROSS_EXPOSURE, question(of_account=held(0, worst_short=391))),
    (checks.gross_exposure, R.MAX_GROSS_EXPOSURE, question(settings=risk_settings(max_leverage=0))),
    (checks.open_orders, None, question(of_account={"open_orders": 3})),
    (checks.open_orders, None, question(of_account={"open_orders": 2})),
    (checks.open_orders, R.MAX_OPEN_ORDERS, question(of_account={"open_orders": 4})),
    (checks.open_orders, R.MAX_OPEN_ORDERS, question(settings=risk_settings(max_open_orders=0))),
    (checks.one_position, None, question()),
    (checks.one_position, R.POSITION_ALREADY_OPEN, question(of_account=held(1))),
    (checks.one_position, R.POSITION_ALREADY_OPEN, question(of_account=held(-1))),
    (checks.one_position, None, question(of_account=held(1), settings=risk_settings(max_positions=2))),
    (checks.one_position, R.POSITION_ALREADY_OPEN, question(settings=risk_settings(max_positions=0))),
    (checks.one_entry, None, question()),
    (checks.one_entry, R.ENTRY_ALREADY_PENDING, question(of_account={"open_entries": 1})),
    (checks.daily_loss, None, question(of_account={"equity": EQUITY - THIRD_OF_PERCENT + 1})),
    (checks.daily_loss, R.DAILY_LOSS, question(of_account={"equity": EQUITY - THIRD_OF_PERCENT})),
    (checks.daily_loss, R.DAILY_LOSS, question(of_account={"equity": EQUITY - THIRD_OF_PERCENT - 1})),
    (checks.daily_loss, R.DAILY_LOSS, question(settings=risk_settings(max_daily_loss=0))),
    (checks.daily_loss, R.DAILY_LOSS, question(day_start_equity=0)),
    (checks.daily_loss, R.DAILY_LOSS, question(day_start_equity=-EQUITY)),
    (checks.drawdown, None, question(of_account={"equity": EQUITY * 3 // 4 + 1})),
    (checks.drawdown, R.MAX_DRAWDOWN, question(of_account={"equity": EQUITY * 3 // 4})),
    (checks.drawdown, R.MAX_DRAWDOWN, question(of_account={"equity": EQUITY * 3 // 4 - 1})),
    (checks.drawdown, R.MAX_DRAWDOWN, question(settings=risk_settings(max_drawdown=0))),
    (checks.drawdown, R.MAX_DRAWDOWN, question(peak_equity=0)),
    (checks.no_unknown_orders, None, question()),
    (checks.no_unknown_orders, R.UNKNOWN_ORDER_OUTSTANDING, question(of_account={"unknown_orders": 1})),
    (checks.not_sent_before, None, question(seen=False)),
    (checks.not_sent_before, R.DUPLICATE_DECISION, question(seen=True)),
]


@pytest.mark.parametrize(("check", "reason", "asked"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_boundary(check: Check, reason: R | None, asked: Question) -> None:
    answer = check(asked)
    assert (answer and answer.reason) == reason


def test_every_check_has_a_case_that_passes_and_one_that_refuses() -> None:
    passed = {check for check, reason, _ in CASES if reason is None}
    refused = {check for check, reason, _ in CASES if reason is not None}
    assert passed == refused == set(ENTRY_CHECKS)


def test_each_check_has_a_reason_of_its_own() -> None:
    reasons = {(check, reason) for check, reason, _ in CASES if reason is not None}
    assert len(reasons) == len({reason for _, reason in reasons}) == len(ENTRY_CHECKS)


def test_a_harmless_question_passes_every_check() -> None:
    assert [check(question()) for check in ENTRY_CHECKS] == [None] * len(ENTRY_CHECKS)


@pytest.mark.parametrize(("check", "reason", "asked"), [case for case in CASES if case[1] is not None])
def test_a_refusal_shows_the_numbers_it_was_decided_on(check: Check, reason: R, asked: Question) -> None:
    answer = check(asked)
    assert answer is not None
    assert answer.context
    assert all(isinstance(text, str) and text for text in answer.context.values())


def test_the_numbers_shown_are_those_compared() -> None:
    answer = checks.position_notional(question(of_account=held(191)))
    assert answer is not None
    assert answer.context == {"total": str(201 * PRICE), "limit": str(EQUITY)}


# Which fields a check compares. In each of them a value that is no number must not pass.
COMPARED: list[tuple[Check, str, tuple[str, ...]]] = [
    (checks.fresh_data, "question", ("now", "data_time")),
    (checks.fresh_signal, "question", ("now",)),
    (checks.fresh_signal, "intent", ("created_at",)),
    (checks.price_order, "intent", ("price", "stop", "target", "side")),
    (checks.price_collar, "intent", ("price",)),
    (checks.price_collar, "account", ("mark",)),
    (checks.minimum_size, "intent", ("price",)),
    (checks.minimum_size, "question", ("quantity", "min_notional")),
    (checks.order_notional, "intent", ("price",)),
    (checks.order_notional, "account", ("equity",)),
    (checks.order_notional, "question", ("quantity",)),
    (checks.position_notional, "account", ("equity", "mark", "worst_long")),
    (checks.position_notional, "question", ("quantity",)),
    (checks.gross_exposure, "account", ("equity", "mark", "worst_long")),
    (checks.gross_exposure, "question", ("quantity",)),
    (checks.open_orders, "account", ("open_orders",)),
    (checks.one_position, "account", ("position",)),
    (checks.one_entry, "account", ("open_entries",)),
    (checks.daily_loss, "account", ("equity",)),
    (checks.daily_loss, "question", ("day_start_equity",)),
    (checks.drawdown, "account", ("equity",)),
    (checks.drawdown, "question", ("peak_equity",)),
    (checks.no_unknown_orders, "account", ("unknown_orders",)),
]


@pytest.mark.parametrize(
    ("check", "part", "field"), [(check, part, field) for check, part, fields in COMPARED for field in fields]
)
def test_a_value_that_is_no_number_refuses(check: Check, part: str, field: str) -> None:
    changes: dict[str, Any] = {field: math.nan}
    asked = question(**(changes if part == "question" else {f"of_{part}": changes}))
    assert check(asked) is not None


@pytest.mark.parametrize(
    "field", [name for name, info in RiskSettings.model_fields.items() if info.annotation is float]
)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.01])
def test_a_limit_that_is_no_number_can_not_be_set(field: str, value: float) -> None:
    with pytest.raises(ValidationError):
        RiskSettings(**{field: value})

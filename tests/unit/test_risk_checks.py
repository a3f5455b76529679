"""Every check of the gate at its boundary, one step below and one above; with numbers that are none; and failing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.domain.settings import RiskScheduleSettings, RiskSettings
from smc_trading_agent.domain.types import Refusal
from smc_trading_agent.risk_manager.checks import exposure
from smc_trading_agent.risk_manager.checks.catalogue import CATALOGUE, CONTROLS, REMARKS, CheckEntry, check_name
from smc_trading_agent.risk_manager.checks.conservation import ChildOrder, parent_quantity
from smc_trading_agent.risk_manager.checks.question import Check, Question
from smc_trading_agent.risk_manager.evaluation import Pool, choose, evaluate
from tests.factories import EQUITY, PRICE, Gate, account, exit_intent, intent, question
from tests.risk_cases import CASES, held

R = RefusalReason
BY_CHECK = {entry.check: entry for entry in CATALOGUE}


def each(passing: bool) -> list[Any]:
    """One parameter for each question of each check."""
    return [
        pytest.param(check, asked, id=f"{check_name(check)}-{number}")
        for check, cases in CASES.items()
        for number, asked in enumerate(cases.passes if passing else cases.refuses)
    ]


def test_every_check_has_boundary_and_fault_cases() -> None:
    assert set(CASES) == set(BY_CHECK)
    assert all(cases.passes and cases.refuses for cases in CASES.values())


def test_each_check_has_a_name_and_a_reason_of_its_own() -> None:
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE)
    for kind in ("entries", "exits"):
        reasons = [entry.reason for entry in CATALOGUE if getattr(entry, kind)]
        assert len(set(reasons)) == len(reasons)


def test_every_control_has_a_check_or_a_remark_that_says_why_not() -> None:
    checked = {control for entry in CATALOGUE for control in entry.controls}
    assert checked <= set(CONTROLS)
    assert set(CONTROLS) - checked <= set(REMARKS) <= set(CONTROLS)
    assert [f"PT-{number:02}" for number in range(1, 36)] == list(CONTROLS)


@pytest.mark.parametrize(("check", "asked"), each(passing=True))
def test_at_the_boundary_and_below_it_passes(check: Check, asked: Question) -> None:
    assert check(asked) == ()


@pytest.mark.parametrize(("check", "asked"), each(passing=False))
def test_above_the_boundary_is_refused_with_the_numbers_it_was_decided_on(check: Check, asked: Question) -> None:
    (detail,) = check(asked)
    assert detail.reason is BY_CHECK[check].reason
    assert detail.context
    assert all(isinstance(text, str) and text for text in detail.context.values())


def no_numbers() -> Iterator[Any]:
    for check, cases in CASES.items():
        for place in cases.compared:
            yield pytest.param(check, *place.split("."), id=f"{check_name(check)}-{place}")


@pytest.mark.parametrize(("check", "part", "field"), list(no_numbers()))
def test_a_value_that_is_no_number_refuses(check: Check, part: str, field: str) -> None:
    exits = not BY_CHECK[check].entries
    asked = question(of_account=held(7), intent=exit_intent(), quantity=7) if exits else question()
    if part == "question":
        asked = msgspec.structs.replace(asked, **{field: math.nan})
    elif part == "intent":
        asked = msgspec.structs.replace(asked, intent=msgspec.structs.replace(asked.intent, **{field: math.nan}))
    elif part == "risk":
        asked = question(of_risk={field: math.nan})
    else:
        asked = question(of_account={field: math.nan})
    assert check(asked) != ()


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_a_check_that_fails_is_a_refusal_named_after_it(entry: CheckEntry) -> None:
    nothing: Any = object()
    sound: Check = exposure.open_orders
    full = evaluate([entry.check, sound], nothing)
    assert [detail.reason for detail in full] == [R.RISK_ENGINE_ERROR, R.RISK_ENGINE_ERROR]
    assert full[0].context["check"] == entry.name
    assert "AttributeError" in full[0].context["error"]


@pytest.mark.parametrize("entry", [e for e in CATALOGUE if e.entries], ids=lambda entry: entry.name)
def test_a_check_that_fails_is_counted_beside_the_reasons_of_the_others(
    entry: CheckEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: Question) -> tuple[()]:
        raise OverflowError("no reference")

    failing.__name__ = entry.name
    gate = Gate(max_open_orders=0).active()
    checks = [failing if check is entry.check else check for check in gate.gateway._entry_checks]
    monkeypatch.setattr(gate.gateway, "_entry_checks", checks)
    outcome = gate.gateway.review(intent(), account())
    assert isinstance(outcome, Refusal)
    others = set() if entry.check is exposure.open_orders else {R.MAX_OPEN_ORDERS}
    assert {detail.reason for detail in outcome.details} == {R.RISK_ENGINE_ERROR} | others
    assert gate.gateway.limits.check_errors == {entry.name: 1}


def test_a_harmless_question_passes_every_check_of_an_entry() -> None:
    assert evaluate([entry.check for entry in CATALOGUE if entry.entries], question()) == []


def test_the_numbers_shown_are_those_compared() -> None:
    (detail,) = exposure.position_notional(question(of_account=held(191)))
    assert detail.context == {"total": str(201 * PRICE), "other_side": "0", "limit": str(EQUITY)}


def test_a_pool_gives_the_same_reasons_in_the_same_order() -> None:
    checks = [entry.check for entry in CATALOGUE]
    asked = question(of_account=held(500, open_entries=2, unknown_orders=1), seen=True, closes=0)
    pool = Pool(3)
    try:
        assert pool.evaluate(checks, asked) == evaluate(checks, asked) != []
    finally:
        pool.close()


@pytest.mark.parametrize(("step", "chosen", "lanes"), [(1, "sequential", 0), (-1, "pooled", 2)])
def test_the_faster_schedule_is_chosen(step: int, chosen: str, lanes: int) -> None:
    # A clock whose intervals grow, so that what is measured second looks slower; or shrink.
    ticks = iter(range(10_000))

    def clock() -> int:
        number = next(ticks)
        return 10**9 * number + step * number * number

    schedule = choose(RiskScheduleSettings(max_workers=2), [exposure.margin], question(), clock)
    try:
        assert (schedule.report.chosen, schedule.report.lanes) == (chosen, lanes)
        assert set(schedule.report.measured) == {"sequential", "pooled"}
        assert schedule.evaluate([exposure.margin], question()) == []
    finally:
        schedule.close()


def test_without_parallel_calculation_nothing_is_measured() -> None:
    schedule = choose(RiskScheduleSettings(parallel_calculation=False), [exposure.margin], question(), lambda: 0)
    assert (schedule.report.chosen, schedule.report.measured) == ("sequential", {})


def child(**changes: Any) -> ChildOrder:
    return msgspec.structs.replace(ChildOrder("c", 1, 10, 20), **changes)


@pytest.mark.parametrize(
    ("parent", "children", "new", "passes"),
    [
        (100, [], 100, True),
        (100, [], 99, True),
        (100, [], 101, False),
        (100, [child(), child(filled=0, leaves=60)], 10, True),
        (100, [child(), child(filled=0, leaves=60)], 9, True),
        (100, [child(), child(filled=0, leaves=60)], 11, False),
        (100, [child(filled=100, leaves=0)], 1, False),
        (100, [child(side=-1)], 10, False),
        (100, [child(filled=-50)], 100, False),
        (100, [child(leaves=-1)], 10, False),
        (100, [], 0, False),
        (100, [], -1, False),
        (0, [], 1, False),
        (100, [child(leaves=math.nan)], 1, False),
        (math.nan, [], 1, False),
    ],
)
def test_children_never_exceed_their_parent(parent: Any, children: list[ChildOrder], new: int, passes: bool) -> None:
    found = parent_quantity(parent, 1, children, new)
    assert [detail.reason for detail in found] == ([] if passes else [R.PARENT_QUANTITY])


@pytest.mark.parametrize(
    "field", [name for name, info in RiskSettings.model_fields.items() if info.annotation in (float, float | None)]
)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.01])
def test_a_limit_that_is_no_number_can_not_be_set(field: str, value: float) -> None:
    with pytest.raises(ValidationError):
        RiskSettings(**{field: value})


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1e3", "", "1.", ".5"])
@pytest.mark.parametrize("field", ["max_order_quantity", "max_position_quantity"])
def test_a_quantity_that_is_no_plain_decimal_can_not_be_set(field: str, value: str) -> None:
    with pytest.raises(ValidationError):
        RiskSettings(**{field: value})

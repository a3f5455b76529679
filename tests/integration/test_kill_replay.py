"""A kill at any moment of a decision: nothing goes out after it, what was open is taken back, and a replay agrees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smc_trading_agent.coordinator import COMMAND_KIND
from smc_trading_agent.domain.breaker import BreakerAction, BreakerOrder, KillReport
from smc_trading_agent.domain.reasons import BreakerState
from smc_trading_agent.execution_engine.guarded_venue import BLOCKED
from smc_trading_agent.runtime.kill_switch import KILL_FILE, KillSwitch
from tests.accounts import Account, Process
from tests.runs import decoded, eager, facts_of, synthetic

BARS = 3_000
SETTINGS = eager(checkpoint_bars=100_000, min_reward_risk=0.3)
KILL = BreakerOrder(BreakerAction.KILL, "global", "ada", "drill")
ANSWERS = {"policy": "decide", "forecaster": "forecast", "gate": "review", "engine": "submit", "detector": "advance"}


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path, lambda: synthetic(BARS, seed=61), SETTINGS)


def switch_of(process: Process, folder: Path) -> KillSwitch:
    return KillSwitch(process.assembly, (folder / KILL_FILE,), folder / "requests", process.runner.order)


def strike_at(process: Process, owner: str, number: int, before: bool, strike: Callable[[], Any]) -> None:
    """Strikes right before or right after the stage's call of that number, as a thread beside it could."""
    stage = getattr(process.assembly.coordinator._stages, owner)
    original, calls = getattr(stage, ANSWERS[owner]), iter(range(1_000_000))

    def method(*args: Any, **kwargs: Any) -> Any:
        now = next(calls) == number
        if now and before:
            strike()
        result = original(*args, **kwargs)
        if now and not before:
            strike()
        return result

    setattr(stage, ANSWERS[owner], method)


def sends_after_the_kill(process: Process) -> list[str]:
    facts = facts_of(process.assembly)
    at = next(index for index, fact in enumerate(facts) if fact.kind == COMMAND_KIND)
    return [fact.payload.decode() for fact in facts[at:] if b'"event":"send"' in fact.payload]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("owner", "number"),
    [(owner, number) for owner in ("policy", "forecaster", "gate", "engine") for number in (0, 1, 2)]
    + [("detector", 700), ("detector", 701), ("detector", 999)],
)
def test_a_kill_beside_any_stage_stops_all_and_comes_out_again(
    account: Account, tmp_path: Path, owner: str, number: int, before: bool
) -> None:
    process, reports = account.process(), list[KillReport]()
    switch = switch_of(process, tmp_path)
    strike_at(process, owner, number, before, lambda: reports.append(switch.kill(KILL)))
    process.run()
    assembly = process.assembly
    assert len(reports) == 1
    assert assembly.gate.breaker.state is BreakerState.KILLED
    assert len(decoded(assembly, COMMAND_KIND)) == 1
    assert sends_after_the_kill(process) == []
    assert assembly.engine.reconcile() == []
    left = assembly.venue.open_orders()
    assert left == assembly.engine.working_orders()
    assert all(key.endswith(("-stop", "-target")) for key in left)
    head = assembly.journal.head_hash
    assert replayed(account).assembly.journal.head_hash == head


def replayed(account: Account) -> Process:
    """The next process, with no checkpoint: the whole run comes out again, without the kill file."""
    account.close()
    process = account.process()
    process.journal._db.execute("DELETE FROM checkpoint")
    process.run()
    assert process.assembly.gate.breaker.state is BreakerState.KILLED
    assert process.assembly.latch.engaged
    return process


def test_an_order_between_gate_and_venue_is_kept_back_and_its_replay_too(account: Account, tmp_path: Path) -> None:
    process = account.process()
    switch = switch_of(process, tmp_path)
    strike_at(process, "engine", 1, True, lambda: switch.kill(KILL))
    process.run()
    blocked = [told for told in decoded(process.assembly, "order_event") if told["reason"] == BLOCKED]
    assert [(told["event"], told["state"]) for told in blocked] == [("reject", "rejected")] * 3
    head = process.assembly.journal.head_hash
    assert replayed(account).assembly.journal.head_hash == head


def test_what_the_kill_cancelled_at_the_venue_is_booked(account: Account, tmp_path: Path) -> None:
    process, reports = account.process(), list[KillReport]()
    switch = switch_of(process, tmp_path)
    strike_at(process, "engine", 0, False, lambda: reports.append(switch.kill(KILL)))
    process.run()
    (report,) = reports
    assert {key.rpartition("-")[2] for key in report.cancelled} == {"entry", "stop", "target"}
    assert report.open_orders == ()
    (command,) = decoded(process.assembly, COMMAND_KIND)
    assert set(command["gone"]) == set(report.cancelled)
    states = {told["client_order_id"]: told["state"] for told in decoded(process.assembly, "order_event")}
    assert {states[key] for key in report.cancelled} == {"canceled"}
    assert process.assembly.engine.working_orders() == []


def test_protective_orders_of_a_position_stay_and_are_listed(account: Account, tmp_path: Path) -> None:
    process, reports = account.process(), list[KillReport]()
    switch = switch_of(process, tmp_path)
    engine = process.assembly.engine

    def strike(_: int) -> None:
        if not reports and engine.account(1).position:
            reports.append(switch.kill(KILL))

    process.after_batch = strike
    process.run()
    assert reports[0].cancelled == ()
    assert {key.rpartition("-")[2] for key in reports[0].open_orders} == {"stop", "target"}
    assert replayed(account).assembly.journal.length > 0


def test_a_killed_account_stays_so_until_two_people_agree_and_the_file_is_gone(
    account: Account, tmp_path: Path
) -> None:
    process = account.process()
    switch = switch_of(process, tmp_path)
    strike_at(process, "gate", 0, True, lambda: switch.kill(KILL))
    process.run()
    answers = []
    for actor in ("ada", "grace", "ada"):
        process = account.process()
        future = process.runner.order(BreakerOrder(BreakerAction.REARM, "global", actor, "the drill is over"))
        process.run()
        answers.append(future.result())
    assert [answer.state for answer in answers] == [BreakerState.KILLED, BreakerState.HALF_OPEN, BreakerState.HALF_OPEN]
    assert [answer.accepted for answer in answers] == [True, True, False]
    assert not process.assembly.latch.engaged
    assert process.assembly.gate.breaker.epoch == 1
    process = account.process()
    process.journal._db.execute("DELETE FROM checkpoint")
    process.run()
    assert process.assembly.gate.breaker.state is BreakerState.HALF_OPEN
    assert not process.assembly.latch.engaged


def test_a_request_that_arrives_twice_takes_effect_once(account: Account) -> None:
    process = account.process()
    halt = BreakerOrder(BreakerAction.TRIP, "account", "ada", "look", BreakerState.HALTED, "r1")
    rearm = BreakerOrder(BreakerAction.REARM, "account", "ada", "looked", request="r2")
    futures = [process.runner.order(order) for order in (halt, rearm, halt, rearm)]
    process.run()
    assert [future.result().message for future in futures[2:]] == ["took effect before"] * 2
    assert [told["after"] for told in decoded(process.assembly, "breaker")][:3] == ["half_open", "halted", "half_open"]


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (BreakerOrder(BreakerAction.TRIP, "venue:nowhere", "ada", "r"), "no scope of this agent"),
        (BreakerOrder(BreakerAction.TRIP, "account", "ada", "r", BreakerState.ACTIVE), "not to active"),
        (BreakerOrder(BreakerAction.REARM, "global", "ada", "r"), "the breaker is active"),
        (BreakerOrder(BreakerAction.REARM, "account", "ada", ""), "a person and a reason"),
    ],
)
def test_what_can_not_be_done_is_refused_journalled_and_changes_nothing(
    account: Account, order: BreakerOrder, told: str
) -> None:
    process = account.process()
    future = process.runner.order(order)
    process.run()
    assert not future.result().accepted
    assert told in future.result().message
    assert len(decoded(process.assembly, COMMAND_KIND)) == 1
    head = process.assembly.journal.head_hash
    process = account.process()
    process.journal._db.execute("DELETE FROM checkpoint")
    process.run()
    assert process.assembly.journal.head_hash == head


def test_a_kill_of_a_scope_that_nobody_knows_is_a_kill_of_all(account: Account, tmp_path: Path) -> None:
    process = account.process()
    switch = switch_of(process, tmp_path)
    odd = BreakerOrder(BreakerAction.KILL, "venue:nowhere", "ada", "typing in a hurry")
    strike_at(process, "gate", 0, True, lambda: switch.kill(odd))
    process.run()
    assert process.assembly.gate.breaker.scopes["global"] is BreakerState.KILLED

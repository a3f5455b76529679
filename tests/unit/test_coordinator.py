"""The coordinator where stages fail: the decision is refused, counted, journalled, and the loop goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from smc_trading_agent.domain.errors import JournalError
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, RefusalReason
from smc_trading_agent.domain.types import Approval, Command, Refusal
from smc_trading_agent.monitoring.latency import LatencyStage
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.research.tally import Tally
from smc_trading_agent.runtime.assembly import Assembly
from tests.runs import assembled, decoded, eager, run_whole, synthetic

BARS = 3_000
"""Enough for three decisions, trades among them."""


class Broken(RuntimeError):
    """What a stage raises here."""


@pytest.fixture
def assembly() -> Iterator[Assembly]:
    with SqliteJournal() as journal:
        yield assembled(synthetic(BARS), eager(), journal)[0]


def raising(error: Exception, after: int = 0, original: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """A method that raises on each call, or only on the one that follows ``after`` good ones."""
    calls = iter(range(1_000_000))

    def method(*args: Any, **kwargs: Any) -> Any:
        number = next(calls)
        if original is None or number == after:
            raise error
        return original(*args, **kwargs)

    return method


def stage(assembly: Assembly, name: str) -> Any:
    return getattr(assembly.coordinator._stages, name)


def feed_all(assembly: Assembly) -> None:
    for batch in assembly.market.feed.batches(0):
        assembly.coordinator.process(batch)


def failures_told(assembly: Assembly) -> set[tuple[str, str]]:
    return {(told["stage"], told["error"]) for told in decoded(assembly, "stage_failure")}


@pytest.mark.parametrize("method", ["forecast", "follow"])
def test_a_forecaster_that_raises_costs_the_decision_and_nothing_else(assembly: Assembly, method: str) -> None:
    judged = len(decoded(run_whole(synthetic(BARS), eager()), "decision"))
    setattr(stage(assembly, "forecaster"), method, raising(Broken("no")))
    feed_all(assembly)
    assert assembly.coordinator.failures == {"decision_engine": judged}
    assert failures_told(assembly) == {("decision_engine", "Broken: no")}
    refusals = decoded(assembly, "refusal")
    assert [told["details"][0]["reason"] for told in refusals] == ["stage_error"] * judged
    assert [told["decision_id"] for told in refusals] == [told["decision_id"] for told in decoded(assembly, "decision")]
    assert decoded(assembly, "order_event") == []
    assert assembly.gate.breaker.state is BreakerState.HALF_OPEN


def test_a_policy_that_raises_once_refuses_one_decision_and_the_next_ones_trade(assembly: Assembly) -> None:
    policy = stage(assembly, "policy")
    policy.decide = raising(Broken("once"), after=0, original=policy.decide)
    feed_all(assembly)
    refused = decoded(assembly, "refusal")[0]
    assert (refused["stage"], refused["details"][0]["context"]) == (
        "decision_engine",
        {"stage": "decision_engine", "error": "Broken: once"},
    )
    assert assembly.coordinator.failures == {"decision_engine": 1}
    assert decoded(assembly, "approval") != []


def test_a_setup_finder_that_raises_finds_nothing_and_the_loop_goes_on(assembly: Assembly) -> None:
    stage(assembly, "setups").find = raising(Broken("no"))
    feed_all(assembly)
    assert assembly.coordinator.failures == {"decision_engine": BARS // 3}
    assert decoded(assembly, "decision") == []
    assert assembly.coordinator.last_close > 0


def test_a_forecaster_that_can_not_learn_is_told_and_trading_goes_on(assembly: Assembly) -> None:
    stage(assembly, "forecaster").observe = raising(Broken("no"))
    feed_all(assembly)
    assert failures_told(assembly) == {("decision_engine", "Broken: no")}
    assert decoded(assembly, "approval") != []


def test_a_gate_that_raises_approves_nothing_and_halts(assembly: Assembly) -> None:
    stage(assembly, "gate").review = raising(Broken("no"))
    feed_all(assembly)
    judged = decoded(assembly, "decision")
    assert assembly.coordinator.failures == {"risk_manager": len(judged)}
    assert {told["details"][0]["reason"] for told in decoded(assembly, "refusal")} == {RefusalReason.STAGE_ERROR}
    assert decoded(assembly, "order_event") == []
    assert assembly.gate.breaker.state is BreakerState.HALTED
    assert BreakerCause.RISK_ENGINE_ERROR in assembly.gate.breaker.causes


def test_a_gate_that_refuses_by_its_own_error_is_counted(assembly: Assembly) -> None:
    assembly.gate._review_entry = raising(Broken("inside"))  # type: ignore[method-assign]
    feed_all(assembly)
    assert assembly.coordinator.failures["risk_manager"] == len(decoded(assembly, "decision"))
    assert decoded(assembly, "refusal")[0]["details"][0]["reason"] == "risk_engine_error"


@pytest.mark.parametrize(
    ("owner", "method", "counted", "cause"),
    [
        ("detector", "advance", "smc_detector", BreakerCause.EXECUTION_ERROR),
        ("engine", "on_market", "execution_engine", BreakerCause.EXECUTION_ERROR),
        ("engine", "due_exits", "execution_engine", BreakerCause.EXECUTION_ERROR),
        ("engine", "account", "execution_engine", BreakerCause.EXECUTION_ERROR),
        ("engine", "submit", "execution_engine", BreakerCause.EXECUTION_ERROR),
        ("gate", "mark", "risk_manager", BreakerCause.RISK_ENGINE_ERROR),
    ],
)
def test_a_stage_that_money_rests_on_halts_the_breaker_and_the_loop_goes_on(
    assembly: Assembly, owner: str, method: str, counted: str, cause: BreakerCause
) -> None:
    setattr(stage(assembly, owner), method, raising(Broken("no")))
    feed_all(assembly)
    assert assembly.coordinator.failures[counted] > 0
    assert (counted, "Broken: no") in failures_told(assembly)
    assert assembly.gate.breaker.state is BreakerState.HALTED
    assert cause in assembly.gate.breaker.causes
    assert assembly.clock.now() == 1_704_067_200_000_000_000 + BARS * 60_000_000_000
    assert all(told["state"] != "open" for told in decoded(assembly, "order_event"))


def test_unknown_orders_that_can_not_be_asked_about_halt(assembly: Assembly) -> None:
    engine = stage(assembly, "engine")
    truth = engine.account

    def with_an_unknown_order(mark: int) -> Any:
        return msgspec.structs.replace(truth(mark), unknown_orders=1)

    engine.account, engine.resolve_unknown = with_an_unknown_order, raising(Broken("no"))
    feed_all(assembly)
    assert failures_told(assembly) == {("execution_engine", "Broken: no")}
    assert assembly.gate.breaker.state is BreakerState.HALTED


def test_entries_that_can_not_be_cancelled_halt_instead(assembly: Assembly) -> None:
    stage(assembly, "engine").cancel_entries = raising(Broken("no"))
    assembly.gate.breaker.trip(BreakerState.REDUCING, BreakerCause.OPERATOR, "test")
    feed_all(assembly)
    assert assembly.gate.breaker.state is BreakerState.HALTED
    assert assembly.coordinator.failures["execution_engine"] >= 1


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        ("detector", "advance"),
        ("forecaster", "forecast"),
        ("forecaster", "observe"),
        ("engine", "on_market"),
        ("engine", "submit"),
        ("gate", "review"),
    ],
)
def test_without_a_journal_nothing_goes_on(assembly: Assembly, owner: str, method: str) -> None:
    setattr(stage(assembly, owner), method, raising(JournalError("disk full")))
    with pytest.raises(JournalError, match="disk full"):
        feed_all(assembly)


def test_a_journal_that_fails_stops_before_the_order_is_sent(assembly: Assembly) -> None:
    sent: list[object] = []
    assembly.venue.submit = lambda order, now: sent.append(order) or []
    append = assembly.journal.append

    def full(kind: str, *args: Any) -> None:
        if kind == "order_event":
            raise JournalError("disk full")
        append(kind, *args)

    assembly.journal.append = full  # type: ignore[method-assign]
    with pytest.raises(JournalError):
        feed_all(assembly)
    assert sent == []


@pytest.mark.parametrize("method", ["on_step", "on_decision", "on_order_event", "on_account", "on_breaker"])
def test_a_listener_that_raises_changes_nothing(method: str) -> None:
    undisturbed = run_whole(synthetic(BARS), eager())
    listener = Tally()
    setattr(listener, method, raising(Broken("no")))
    disturbed = run_whole(synthetic(BARS), eager(), [listener])
    assert disturbed.journal.head_hash == undisturbed.journal.head_hash
    assert disturbed.coordinator.failures["listener"] > 0


def one_bar_at_a_time(assembly: Assembly) -> Iterator[None]:
    for batch in assembly.market.feed.batches(0):
        for at in range(len(batch)):
            assembly.coordinator.process(batch.slice(at, at + 1))
            yield


def test_a_breaker_that_forbids_growth_takes_working_entries_back(assembly: Assembly) -> None:
    bars = one_bar_at_a_time(assembly)
    while assembly.engine.account(1).open_entries == 0:
        next(bars)
    assembly.gate.breaker.trip(BreakerState.REDUCING, BreakerCause.OPERATOR, "test")
    while decoded(assembly, "order_event")[-1]["event"] != "cancel":
        next(bars)
    account = assembly.engine.account(1)
    assert (account.open_entries, account.open_orders, account.position) == (0, 0, 0)
    assert assembly.venue.open_orders() == []
    approved = len(decoded(assembly, "approval"))
    for _ in bars:
        pass
    assert len(decoded(assembly, "approval")) == approved
    assert {told["details"][0]["reason"] for told in decoded(assembly, "refusal")} == {"breaker_not_active"}


def test_a_cycle_that_is_asked_for_can_not_double_an_order(assembly: Assembly) -> None:
    bars = one_bar_at_a_time(assembly)
    while not decoded(assembly, "approval"):
        next(bars)
    at_the_venue, orders = assembly.venue.open_orders(), len(decoded(assembly, "order_event"))
    outcomes = assembly.coordinator.run_cycle(Command("trigger_cycle", "test", 1, assembly.clock.now()))
    assert [type(outcome) for outcome in outcomes] == [Refusal]
    assert RefusalReason.DUPLICATE_DECISION in {detail.reason for detail in outcomes[0].details}
    assert assembly.venue.open_orders() == at_the_venue
    assert len(decoded(assembly, "order_event")) == orders
    assert decoded(assembly, "command") == [
        {"name": "trigger_cycle", "actor": "test", "cursor": 1, "time": assembly.clock.now()}
    ]


def test_a_cycle_passes_the_gate_as_it_stands_now(assembly: Assembly) -> None:
    gate = stage(assembly, "gate")
    review, gate.review = gate.review, raising(Broken("once"))
    halt, assembly.coordinator._halt = assembly.coordinator._halt, lambda *_: None  # type: ignore[method-assign]
    bars = one_bar_at_a_time(assembly)
    while not decoded(assembly, "refusal"):
        next(bars)
    gate.review, assembly.coordinator._halt = review, halt  # type: ignore[method-assign]
    outcomes = assembly.coordinator.run_cycle(Command("trigger_cycle", "test", 1, assembly.clock.now()))
    assert [type(outcome) for outcome in outcomes] == [Approval]
    assert len(assembly.venue.open_orders()) == 3


def test_the_state_holds_what_a_cycle_needs(assembly: Assembly) -> None:
    bars = one_bar_at_a_time(assembly)
    while not decoded(assembly, "decision"):
        next(bars)
    saved = assembly.coordinator.state()
    with SqliteJournal() as journal:
        other = assembled(synthetic(BARS), eager(), journal)[0]
        other.coordinator.restore(saved)
        assert other.coordinator.state() == saved
        outcomes = other.coordinator.run_cycle(Command("trigger_cycle", "test", 1, other.clock.now()))
        assert len(outcomes) == 1


def test_every_stage_is_timed(assembly: Assembly) -> None:
    feed_all(assembly)
    timed = {row.stage: row.count for row in assembly.latency.rows()}
    assert timed[LatencyStage.TOTAL] == BARS // 3
    assert timed[LatencyStage.RISK_MANAGER] >= len(decoded(assembly, "decision"))
    assert timed[LatencyStage.EXECUTION_ENGINE] == len(decoded(assembly, "approval"))
    assert timed[LatencyStage.JOURNAL] >= BARS // 3

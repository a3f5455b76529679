"""The runner: what it resumes, what it refuses to resume, and when the books are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import msgspec
import pytest

from smc_trading_agent.domain.errors import JournalDivergence, JournalError, StateConflict
from smc_trading_agent.domain.reasons import BreakerState
from smc_trading_agent.domain.settings import ExecutionSettings, Settings, StructureSettings
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.runtime.assembly import Assembly
from smc_trading_agent.runtime.runner import TRIGGER_CYCLE, CycleOutcome
from tests.accounts import Account
from tests.runs import assembled, decoded, eager, run_whole, synthetic

BARS = 6_000
NEVER_SAVED = eager(checkpoint_bars=1_000_000)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    """An account whose processes hand out the market in batches of 64."""
    kept = Account(tmp_path, lambda: synthetic(BARS))
    yield kept
    kept.close()


@pytest.fixture
def slow_account(tmp_path: Path) -> Iterator[Account]:
    """An account that reads bar by bar and saves its state only at an orderly end."""
    kept = Account(tmp_path, lambda: synthetic(BARS, batch=1), NEVER_SAVED)
    yield kept
    kept.close()


def holds_a_position(assembly: Assembly) -> Callable[[], bool]:
    return lambda: assembly.engine.account(1).position != 0


def test_a_stop_and_a_new_process_are_the_same_run(account: Account) -> None:
    whole = run_whole(synthetic(BARS), eager())
    first = account.process()
    first.run(lambda: first.runner.cursor >= 2_500)
    second = account.process()
    recovery = second.runner.recover()
    assert (recovery.cursor, recovery.facts_to_replay) == (2_560, 0)
    second.runner.run(lambda: False)
    assert second.journal.head_hash == whole.journal.head_hash
    assert second.journal.length == whole.journal.length
    assert second.assembly.engine.account(1) == whole.engine.account(1)


def test_running_on_at_the_end_of_a_tape_adds_nothing(account: Account) -> None:
    account.process().run()
    process = account.process()
    length, head = process.journal.length, process.journal.head_hash
    process.run()
    assert (process.journal.length, process.journal.head_hash, process.runner.cursor) == (length, head, BARS)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (eager(min_reward_risk=2.0), "settings_hash"),
        (
            eager().model_copy(
                update={"structure": StructureSettings(decision_timeframe="5m", context_timeframes=("30m",))}
            ),
            "decision_timeframe '3m', this run has '5m'",
        ),
        (eager().model_copy(update={"execution": ExecutionSettings(start_cash="500")}), "start_cash"),
    ],
)
def test_other_settings_are_refused_by_the_name_of_what_differs(
    account: Account, settings: Settings, field: str
) -> None:
    first = account.process()
    first.run(lambda: first.runner.cursor >= 1_000)
    with pytest.raises(StateConflict, match=f"belongs to {field}.*--fresh"):
        account.process(settings=settings).runner.recover()


def test_another_market_is_refused(account: Account) -> None:
    first = account.process()
    first.run(lambda: first.runner.cursor >= 1_000)
    with pytest.raises(StateConflict, match="belongs to market 'synthetic seed=11"):
        account.process(market=synthetic(BARS, seed=12)).runner.recover()


def test_a_ledger_without_its_journal_is_refused(account: Account) -> None:
    account.process().run()
    account.lose("journal.db")
    with pytest.raises(StateConflict, match="the venue's ledger beside it has traded already"):
        account.process().runner.recover()


def test_a_market_that_ends_before_the_recorded_facts_is_told(slow_account: Account) -> None:
    first = slow_account.process()
    first.run_and_be_killed(lambda: first.runner.cursor == BARS)
    second = slow_account.process(market=synthetic(2_000))
    with pytest.raises(JournalError, match="the market ended at bar 2,000, before the facts"):
        second.run()


def test_a_stop_while_the_past_is_gone_through_again_is_no_error_and_saves_nothing(slow_account: Account) -> None:
    first = slow_account.process()
    first.run_and_be_killed(lambda: first.journal.length > 50)
    second = slow_account.process()
    second.run(lambda: second.runner.cursor >= 1_000)
    third = slow_account.process()
    assert third.runner.recover().cursor == 0
    third.runner.run(lambda: False)
    assert third.journal.head_hash == run_whole(synthetic(BARS), eager()).journal.head_hash


def test_a_market_that_gives_other_facts_diverges(slow_account: Account) -> None:
    first = slow_account.process()
    first.run_and_be_killed(lambda: first.journal.length > 50)
    name, other = first.assembly.market.feed.market, synthetic(BARS, seed=12)

    class Disguised:
        market, synthetic, total_bars, batches = name, True, BARS, other.feed.batches

    second = slow_account.process(market=msgspec.structs.replace(other, feed=Disguised()))
    with pytest.raises(JournalDivergence):
        second.run()


def test_books_that_differ_after_a_stop_halt_the_breaker_and_keep_it_so(slow_account: Account) -> None:
    first = slow_account.process()
    first.run(holds_a_position(first.assembly))
    held = first.assembly.engine.account(1).position
    slow_account.lose("venue.db")
    second = slow_account.process()
    second.runner.recover()
    assert second.runner.differences[0] == f"position: ours {held} lots, the venue's 0"
    assert second.assembly.gate.breaker.state is BreakerState.HALTED
    approved = len(decoded(second.assembly, "approval"))
    second.run_and_be_killed(lambda: second.runner.cursor == BARS)
    third = slow_account.process()
    third.run()
    assert third.assembly.gate.breaker.state is BreakerState.HALTED
    entries = [told for told in decoded(third.assembly, "approval") if len(told["orders"]) == 3]
    assert len(entries) == approved
    assert decoded(third.assembly, "reconciliation")[0]["differences"] == list(second.runner.differences)


def test_books_that_differ_after_a_crash_are_found_again_at_the_same_place(slow_account: Account) -> None:
    first = slow_account.process()
    first.run_and_be_killed(holds_a_position(first.assembly))
    second = slow_account.process()
    second.assembly.engine.reconcile = lambda: ["the venue has another position"]  # type: ignore[method-assign]
    second.run_and_be_killed(lambda: bool(second.runner.differences))
    assert second.assembly.gate.breaker.state is BreakerState.HALTED
    third = slow_account.process()
    third.run()
    found = decoded(third.assembly, "reconciliation")
    assert [(told["cursor"], told["differences"]) for told in found] == [
        (first.runner.cursor, ["the venue has another position"])
    ]
    assert third.assembly.gate.breaker.state is BreakerState.HALTED


def test_a_first_start_over_foreign_orders_halts_and_is_replayed_so(slow_account: Account) -> None:
    first = slow_account.process()
    first.assembly.engine.reconcile = lambda: ["order x is open at the venue and not in our books"]
    first.run_and_be_killed(lambda: first.runner.cursor == 2_000)
    second = slow_account.process()
    assert [told["after"] for told in decoded(second.assembly, "breaker")] == ["halted"]
    second.run()
    assert [told["after"] for told in decoded(second.assembly, "breaker")] == ["halted"]
    assert decoded(second.assembly, "approval") == []


def test_a_fill_that_the_venue_kept_and_the_journal_did_not_is_met_before_the_books_are_compared(
    slow_account: Account,
) -> None:
    first = slow_account.process()
    on_market = first.assembly.venue.on_market

    def killed_after_the_fill(*arguments: object) -> object:
        reports = on_market(*arguments)  # type: ignore[arg-type]
        if any(report.kind == "filled" for report in reports):
            raise KeyboardInterrupt
        return reports

    first.assembly.venue.on_market = killed_after_the_fill  # type: ignore[method-assign,assignment]
    with pytest.raises(KeyboardInterrupt):
        first.run()
    first.kill()
    second = slow_account.process()
    second.run()
    assert second.runner.differences == ()
    assert second.journal.head_hash == run_whole(synthetic(BARS), eager()).journal.head_hash


def test_commands_are_answered_between_batches_and_replayed_at_their_place(slow_account: Account) -> None:
    first = slow_account.process()
    asked: list[Future[CycleOutcome]] = [first.runner.ask(TRIGGER_CYCLE, "at the start")]

    def ask_after_decisions() -> bool:
        if len(decoded(first.assembly, "decision")) >= len(asked) and len(asked) < 3:
            asked.append(first.runner.ask(TRIGGER_CYCLE, f"at {first.runner.cursor}"))
        return first.runner.cursor == 4_000

    first.run_and_be_killed(ask_after_decisions)
    assert [len(future.result(0)) for future in asked] == [0, 1, 1]
    second = slow_account.process()
    recorded = decoded(second.assembly, "command")
    assert [told["actor"].split()[0] for told in recorded] == ["at"] * 3
    length = second.journal.length
    assert second.runner.recover().facts_to_replay == length
    second.runner.run(lambda: second.runner.cursor == 4_000)
    assert second.journal.length == length
    assert decoded(second.assembly, "command") == recorded


def test_a_command_given_right_after_a_restart_judges_the_last_setups(slow_account: Account) -> None:
    first = slow_account.process()
    first.run(lambda: bool(decoded(first.assembly, "decision")))
    second = slow_account.process()
    asked = second.runner.ask(TRIGGER_CYCLE, "test")
    second.run_and_be_killed(lambda: True)
    assert len(asked.result(0)) == 1
    third = slow_account.process()
    recorded = third.journal.length
    third.run(lambda: True)
    assert third.journal.length == recorded
    assert len(decoded(third.assembly, "decision")) == 2


def test_a_command_that_was_given_up_is_not_run() -> None:
    with SqliteJournal() as journal:
        assembly, runner = assembled(synthetic(64), eager(), journal)
        runner.ask(TRIGGER_CYCLE, "test").cancel()
        runner.run(lambda: False)
        assert decoded(assembly, "command") == []


def test_a_command_that_meets_a_broken_journal_hears_of_it_and_the_run_stops() -> None:
    with SqliteJournal() as journal:
        _, runner = assembled(synthetic(64), eager(), journal)
        asked = runner.ask(TRIGGER_CYCLE, "test")

        def full(*_: object) -> None:
            raise JournalError("disk full")

        journal.append = full  # type: ignore[method-assign]
        with pytest.raises(JournalError, match="disk full"):
            runner.run(lambda: False)
        with pytest.raises(JournalError, match="disk full"):
            asked.result(0)


def test_state_is_saved_every_so_many_bars_and_at_the_end() -> None:
    with SqliteJournal() as journal:
        saved: list[object] = []
        keep = journal.save_checkpoint

        def save(cursor: int, state: bytes) -> None:
            saved.append(cursor)
            keep(cursor, state)

        assembly, runner = assembled(synthetic(1_000), eager(checkpoint_bars=256), journal)
        journal.save_checkpoint = save  # type: ignore[method-assign]
        assembly.venue.persist = lambda: saved.append("venue")  # type: ignore[method-assign]
        runner.run(lambda: False)
        assert saved == ["venue", 256, "venue", 512, "venue", 768, "venue", 1_000]

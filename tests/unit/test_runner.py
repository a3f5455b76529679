"""The runner: what it resumes, what it refuses to resume, and when the books are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from smc_trading_agent.domain.errors import AgentError, JournalDivergence, JournalError, StateConflict
from smc_trading_agent.domain.reasons import BreakerState
from smc_trading_agent.domain.settings import ExecutionSettings, Settings, StructureSettings
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.persistence.venue_store import SqliteVenueStore
from smc_trading_agent.runtime.assembly import Assembly, Market, assemble
from smc_trading_agent.runtime.runner import TRIGGER_CYCLE, Runner
from tests.runs import assembled, decoded, eager, run_whole, synthetic

BARS = 6_000


class Account:
    """A journal and a venue's ledger on disk, opened anew by each process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: list[SqliteJournal | SqliteVenueStore] = []

    def process(
        self, market: Market | None = None, settings: Settings | None = None, new_venue: bool = False
    ) -> tuple[Assembly, Runner]:
        """A process over the account, not yet recovered; the one before it is gone."""
        self.close()
        if new_venue:
            for file in self.folder.glob("venue.db*"):
                file.unlink()
        journal = SqliteJournal(self.folder / "journal.db")
        store = SqliteVenueStore(self.folder / "venue.db")
        self._opened = [journal, store]
        assembly = assemble(market or synthetic(BARS), settings or eager(), journal, store, [])
        return assembly, Runner(assembly)

    def close(self) -> None:
        for opened in self._opened:
            opened.close()
        self._opened = []


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    kept = Account(tmp_path)
    yield kept
    kept.close()


def until(runner: Runner, cursor: int) -> Callable[[], bool]:
    return lambda: runner.cursor >= cursor


def test_a_stop_and_a_new_process_are_the_same_run(account: Account) -> None:
    whole = run_whole(synthetic(BARS), eager())
    _, runner = account.process()
    runner.recover()
    runner.run(until(runner, 2_500))
    assembly, runner = account.process()
    recovery = runner.recover()
    assert (recovery.cursor, recovery.facts_to_replay) == (2_560, 0)
    runner.run(lambda: False)
    assert assembly.journal.head_hash == whole.journal.head_hash
    assert assembly.journal.length == whole.journal.length
    assert assembly.engine.snapshot() == whole.engine.snapshot()


def test_running_on_at_the_end_of_a_tape_adds_nothing(account: Account) -> None:
    assembly, runner = account.process()
    runner.recover()
    runner.run(lambda: False)
    length, head = assembly.journal.length, assembly.journal.head_hash
    assembly, runner = account.process()
    runner.recover()
    runner.run(lambda: False)
    assert (assembly.journal.length, assembly.journal.head_hash, runner.cursor) == (length, head, BARS)


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
        (
            eager().model_copy(update={"execution": ExecutionSettings(start_cash="500")}),
            "start_cash",
        ),
    ],
)
def test_other_settings_are_refused_by_the_name_of_what_differs(
    account: Account, settings: Settings, field: str
) -> None:
    _, runner = account.process()
    runner.recover()
    runner.run(until(runner, 1_000))
    _, runner = account.process(settings=settings)
    with pytest.raises(StateConflict, match=f"belongs to {field}.*--fresh"):
        runner.recover()


def test_another_market_is_refused(account: Account) -> None:
    _, runner = account.process()
    runner.recover()
    runner.run(until(runner, 1_000))
    _, runner = account.process(market=synthetic(BARS, seed=12))
    with pytest.raises(StateConflict, match="belongs to market 'synthetic seed=11"):
        runner.recover()


def test_a_ledger_without_its_journal_is_refused(account: Account) -> None:
    _, runner = account.process()
    runner.recover()
    runner.run(lambda: False)
    account.close()
    for file in account.folder.glob("journal.db*"):
        file.unlink()
    _, runner = account.process()
    with pytest.raises(StateConflict, match="the venue's ledger beside it has traded already"):
        runner.recover()


def test_a_market_that_ends_before_the_recorded_facts_is_told(account: Account) -> None:
    plan = eager(checkpoint_bars=1_000_000)
    assembly, runner = account.process(settings=plan)
    runner.recover()
    for batch in assembly.market.feed.batches(0):
        assembly.coordinator.process(batch)
    _, runner = account.process(market=synthetic(2_000), settings=plan)
    runner.recover()
    with pytest.raises(JournalError, match="the market ended at bar 2,000, before the facts"):
        runner.run(lambda: False)


def test_a_market_that_gives_other_facts_diverges(account: Account) -> None:
    plan = eager(checkpoint_bars=1_000_000)
    assembly, runner = account.process(settings=plan)
    runner.recover()
    for batch in assembly.market.feed.batches(0):
        assembly.coordinator.process(batch)
    other = synthetic(BARS, seed=12)
    disguised = msgspec.structs.replace(assembly.market, feed=other.feed)
    market_name = assembly.market.feed.market
    assembly, runner = account.process(settings=plan, market=disguised)
    object.__setattr__(assembly.session, "market", market_name) if False else None
    runner._same_session = lambda _: None  # type: ignore[method-assign]
    with pytest.raises(JournalDivergence):
        runner.recover()


def trading(runner: Runner, assembly: Assembly) -> Callable[[], bool]:
    """Stops as soon as a position is held."""
    return lambda: assembly.venue.position != 0


def test_books_that_differ_after_a_stop_halt_the_breaker_for_good(account: Account) -> None:
    assembly, runner = account.process(market=synthetic(BARS, batch=1))
    runner.recover()
    runner.run(trading(runner, assembly))
    held = assembly.engine.account(1).position
    assert held != 0
    for _ in range(2):
        assembly, runner = account.process(market=synthetic(BARS, batch=1), new_venue=_ == 0)
        runner.recover()
        assert runner.differences[0] == f"position: ours {held} lots, the venue's 0"
        assert assembly.gate.breaker.state is BreakerState.HALTED
    assert len(decoded(assembly, "reconciliation")) == 2
    approved = len(decoded(assembly, "approval"))
    runner.run(lambda: False)
    assert len(decoded(assembly, "approval")) == approved


def test_books_that_differ_after_a_crash_are_found_again_by_the_next_replay(account: Account) -> None:
    plan = eager(checkpoint_bars=1_000_000)
    assembly, runner = account.process(market=synthetic(BARS, batch=1), settings=plan)
    runner.recover()
    for batch in assembly.market.feed.batches(0):
        assembly.coordinator.process(batch)
        if assembly.venue.position:
            break
    recorded = assembly.journal.length
    assembly, runner = account.process(market=synthetic(BARS, batch=1), settings=plan)
    assembly.engine.reconcile = lambda: ["the venue has another position"]  # type: ignore[method-assign]
    assert runner.recover().facts_to_replay == recorded
    for batch in runner._batches():
        if assembly.gate.breaker.state is BreakerState.HALTED:
            break
        caught_up = not runner._catching_up
        assembly.coordinator.process(batch)
        runner.cursor += 1
        if not caught_up and not runner._catching_up:
            runner._reconcile()
    found = decoded(assembly, "reconciliation")
    assert [told["differences"] for told in found] == [["the venue has another position"]]
    length = assembly.journal.length
    assembly, runner = account.process(market=synthetic(BARS, batch=1), settings=plan)
    assert runner.recover().facts_to_replay == length
    runner.run(lambda: not assembly.journal.replaying)
    assert assembly.gate.breaker.state is BreakerState.HALTED


def test_books_are_not_compared_before_the_market_is_where_the_venue_is(account: Account) -> None:
    """A crash after the venue kept a fill and before the journal did: the replay meets the fill, then compares."""
    plan = eager(checkpoint_bars=1_000_000)
    assembly, runner = account.process(market=synthetic(BARS, batch=1), settings=plan)
    runner.recover()
    for batch in assembly.market.feed.batches(0):
        if assembly.venue.open_orders() and assembly.venue.position == 0:
            assembly.venue.on_market(batch, 0, 1)
            if assembly.venue.position:
                break
            account.close()
            assembly, runner = account.process(market=synthetic(BARS, batch=1), settings=plan)
            runner.recover()
            runner.run(until(runner, BARS))
            break
        assembly.coordinator.process(batch)
    pytest.fail("x")


def test_commands_are_answered_in_the_trading_thread_and_replayed_at_their_place(account: Account) -> None:
    plan = eager(checkpoint_bars=1_000_000)
    assembly, runner = account.process(settings=plan)
    runner.recover()
    asked = [runner.ask(TRIGGER_CYCLE, "test")]

    def ask_at_decisions() -> bool:
        if decoded(assembly, "decision") and len(asked) < 3:
            asked.append(runner.ask(TRIGGER_CYCLE, f"test {runner.cursor}"))
        return runner.cursor >= 4_000

    for batch in runner._batches():
        runner._answer_commands(True)
        assembly.coordinator.process(batch)
        runner.cursor += len(batch)
        if ask_at_decisions():
            break
    assert [len(future.result(0)) for future in asked] == [0, 1, 0]
    recorded = decoded(assembly, "command")
    length, head = assembly.journal.length, assembly.journal.head_hash
    assembly, runner = account.process(settings=plan)
    assert runner.recover().facts_to_replay == length
    runner.run(until(runner, 4_000))
    assert decoded(assembly, "command") == recorded
    assert (assembly.journal.length, assembly.journal.head_hash) == (length, head)


def test_a_command_given_right_after_a_checkpoint_has_its_setups(account: Account) -> None:
    assembly, runner = account.process(market=synthetic(BARS, batch=1), settings=eager(checkpoint_bars=1_000_000))
    runner.recover()
    runner.run(lambda: bool(decoded(assembly, "decision")))
    asked = runner.ask(TRIGGER_CYCLE, "test")
    runner._answer_commands(True)
    assert len(asked.result(0)) == 1
    head, cursor = assembly.journal.head_hash, runner.cursor
    assembly, runner = account.process(market=synthetic(BARS, batch=1), settings=eager(checkpoint_bars=1_000_000))
    recovery = runner.recover()
    assert (recovery.cursor, recovery.facts_to_replay) == (cursor, 3)
    runner._answer_commands(False)
    assert assembly.journal.head_hash == head


def test_a_command_that_was_given_up_is_not_run() -> None:
    with SqliteJournal() as journal:
        assembly, runner = assembled(synthetic(64), eager(), journal)
        runner.ask(TRIGGER_CYCLE, "test").cancel()
        runner.run(lambda: False)
        assert decoded(assembly, "command") == []


def test_a_command_that_meets_a_broken_journal_hears_of_it_and_the_run_stops() -> None:
    with SqliteJournal() as journal:
        assembly, runner = assembled(synthetic(64), eager(), journal)
        asked = runner.ask(TRIGGER_CYCLE, "test")

        def full(*_: object) -> None:
            raise JournalError("disk full")

        assembly.journal.append = full  # type: ignore[method-assign]
        with pytest.raises(AgentError, match="disk full"):
            runner.run(lambda: False)
        with pytest.raises(JournalError, match="disk full"):
            asked.result(0)


def test_state_is_saved_every_so_many_bars_and_at_the_end() -> None:
    with SqliteJournal() as journal:
        saved: list[int] = []
        assembly, runner = assembled(synthetic(1_000), eager(checkpoint_bars=256), journal)
        keep = journal.save_checkpoint
        journal.save_checkpoint = lambda cursor, state: saved.append(cursor) or keep(cursor, state)  # type: ignore
        runner.run(lambda: False)
        assert saved == [256, 512, 768, 1_000]

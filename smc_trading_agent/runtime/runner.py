"""Runs an assembly over its market: resumes where a crash or a stop left it, saves its state, takes commands.

After a crash the newest checkpoint is restored and the market after it is run again, bar by bar, until the
journal's end: every fact must come out as it was recorded. When the market is also where the venue had matched it
to, the books are reconciled, and only then does anything new happen. What came from outside, commands and
differences between the books, is taken from the journal at the place where it was recorded.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import msgspec

from smc_trading_agent._core import Bars
from smc_trading_agent.coordinator import COMMAND_KIND
from smc_trading_agent.domain.breaker import (
    SYSTEM,
    BreakerAction,
    BreakerAnswer,
    BreakerCommand,
    BreakerOrder,
    ScopeLevel,
)
from smc_trading_agent.domain.errors import AgentError, JournalError, StateConflict
from smc_trading_agent.domain.reasons import BreakerState
from smc_trading_agent.domain.types import Approval, Command, LimitsChange, Reconciliation, Refusal, SessionStart
from smc_trading_agent.persistence.journal import Fact
from smc_trading_agent.runtime.assembly import Assembly
from smc_trading_agent.runtime.limits import change_of, demand_reason, effective_risk

TRIGGER_CYCLE = "trigger_cycle"
CycleOutcome = list[Approval | Refusal]
Input = Command | Reconciliation | LimitsChange | BreakerCommand
INPUTS: dict[str, type[Command] | type[Reconciliation] | type[LimitsChange] | type[BreakerCommand]] = {
    "command": Command,
    "reconciliation": Reconciliation,
    "limits": LimitsChange,
    COMMAND_KIND: BreakerCommand,
}
"""Kinds of facts that came from outside the market, and what they hold."""


class Recovery(msgspec.Struct, frozen=True):
    """How the run began: from which bar, with how many facts behind it, and how many that must come out again."""

    cursor: int
    facts_restored: int
    facts_to_replay: int


class Runner:
    """One run of one assembly, in the thread that calls it."""

    def __init__(
        self,
        assembly: Assembly,
        progress: Callable[[int], None] = lambda _: None,
        kill_file: Callable[[], Path | None] = lambda: None,
    ) -> None:
        """``progress`` hears the number of bars read; ``kill_file`` names the kill file that is there, if one is."""
        self._assembly = assembly
        self._progress = progress
        self._kill_file = kill_file
        self._commands: queue.Queue[tuple[str, str, Future[CycleOutcome]]] = queue.Queue()
        self._orders: queue.Queue[tuple[BreakerOrder, Future[BreakerAnswer]]] = queue.Queue()
        self._recorded: list[Input] = []
        self._saved_at = 0
        self.cursor = 0
        self.differences: tuple[str, ...] = ()

    def ask(self, name: str, actor: str) -> Future[CycleOutcome]:
        """Queues a command for the trading thread; callable from any thread."""
        future: Future[CycleOutcome] = Future()
        self._commands.put((name, actor, future))
        return future

    def order(self, order: BreakerOrder) -> Future[BreakerAnswer]:
        """Queues an order to the breaker for the trading thread; callable from any thread."""
        future: Future[BreakerAnswer] = Future()
        self._orders.put((order, future))
        return future

    def recover(self) -> Recovery:
        """Restores the newest checkpoint; `StateConflict` when the state belongs to another market or settings.

        Raises `LimitsLoosened` where production would loosen a limit without a reason.
        """
        journal, venue = self._assembly.journal, self._assembly.venue
        recorded = journal.length
        first = next(journal.facts(kind="session"), None)
        if first is not None:
            self._same_session(first)
        elif venue.last_time:
            raise StateConflict(
                f"{journal.path} is new, but the venue's ledger beside it has traded already; "
                "restore the journal that belongs to it, or use --fresh to begin anew"
            )
        demand_reason(self._assembly.settings, journal)
        checkpoint = journal.rewind()
        if checkpoint is not None:
            self._assembly.coordinator.restore(checkpoint.state)
            self.cursor = self._saved_at = checkpoint.cursor
        length = 0 if checkpoint is None else checkpoint.length
        self._recorded = [
            msgspec.json.decode(fact.payload, type=INPUTS[fact.kind])
            for fact in journal.facts(after=length)
            if fact.kind in INPUTS and not fact.ref
        ]
        if length == 0:
            journal.append("session", 0, self._assembly.session)
            self._first_limits()
        if not self._catching_up:
            self._reconcile()
        elif length == 0:
            self._release_as_recorded()
        return Recovery(self.cursor, length, recorded - length)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Runs until the feed ends or ``stopping``; saves the state at the end.

        Raises `JournalError` when the feed ends before the recorded facts do.
        """
        assembly = self._assembly
        for batch in self._batches():
            self._lead(batch)
            if self.cursor - self._saved_at >= assembly.settings.journal.checkpoint_bars:
                self.save()
            if stopping():
                break
        behind = self._catching_up
        self._replay_inputs()
        if not self._catching_up:
            if behind:
                self._reconcile()
            self._answer_orders()
        if assembly.journal.replaying and not stopping():
            raise JournalError(
                f"the market ended at bar {self.cursor:,}, before the facts that {assembly.journal.path} recorded; "
                "resume it on the market that was recorded, or start with another --state-dir"
            )
        self.save()

    def _lead(self, batch: Bars) -> None:
        """A batch through the stages, and what people ask in between; a kill interrupts it."""
        done = 0
        while done < len(batch):
            caught_up = not self._catching_up
            self._answer_commands(caught_up)
            taken = self._assembly.coordinator.process(batch.slice(done, len(batch)) if done else batch)
            done += taken
            self.cursor += taken
            self._progress(self.cursor)
            if not caught_up and not self._catching_up:
                self._reconcile()

    def save(self) -> None:
        """Saves the whole state beside the journal; nothing while the past is gone through again."""
        assembly = self._assembly
        if self._catching_up:
            return
        assembly.venue.persist()
        assembly.journal.save_checkpoint(self.cursor, assembly.coordinator.state())
        self._saved_at = self.cursor

    @property
    def _catching_up(self) -> bool:
        """Whether facts that were recorded, or bars that the venue has matched, are still to come again."""
        assembly = self._assembly
        return assembly.journal.replaying or assembly.venue.last_time > assembly.clock.now()

    def _batches(self) -> Iterator[Bars]:
        """The feed's batches; bar by bar while the past is gone through again."""
        for batch in self._assembly.market.feed.batches(self.cursor):
            start = 0
            while start < len(batch) and self._catching_up:
                yield batch.slice(start, start + 1)
                start += 1
            if start < len(batch):
                yield batch.slice(start, len(batch)) if start else batch

    def _same_session(self, fact: Fact) -> None:
        recorded = msgspec.json.decode(fact.payload, type=SessionStart)
        present = self._assembly.session
        for field in present.__struct_fields__:
            ours, theirs = getattr(present, field), getattr(recorded, field)
            if ours != theirs:
                raise StateConflict(
                    f"the state in {self._assembly.journal.path} belongs to {field} {theirs!r}, this run has {ours!r}; "
                    "use the same settings and market, another --state-dir, or --fresh to begin anew"
                )

    def _first_limits(self) -> None:
        """An account begins with limits: those of the settings, or those that its journal began with."""
        first = self._recorded[0] if self._recorded else None
        if isinstance(first, LimitsChange):
            change: LimitsChange | None = first
            self._recorded.pop(0)
        else:
            change = change_of({}, effective_risk(self._assembly.settings), 0, 0)
        if change is not None:
            self._assembly.coordinator.adopt(change)

    def _adopt_limits(self) -> None:
        """Limits that the settings changed since the last run take effect, once the past has been gone through."""
        assembly = self._assembly
        change = change_of(
            assembly.gate.limit_values, effective_risk(assembly.settings), self.cursor, assembly.clock.now()
        )
        if change is not None:
            assembly.coordinator.adopt(change)

    def _reconcile(self) -> None:
        self.differences = tuple(self._assembly.engine.reconcile())
        found = Reconciliation(self.cursor, self._assembly.clock.now(), self.differences)
        self._assembly.coordinator.release(found)
        self._adopt_limits()
        self._assembly.journal.commit()
        self._assembly.latch.go_live(self._assembly.gate.breaker.state is BreakerState.KILLED)

    def _release_as_recorded(self) -> None:
        """The first reconciliation of a journal that is gone through again from its start."""
        if self._recorded and isinstance(self._recorded[0], Reconciliation) and self._recorded[0].cursor == 0:
            self._replay_inputs()
        else:
            self._assembly.coordinator.release(Reconciliation(self.cursor, self._assembly.clock.now(), ()))

    def _answer_commands(self, caught_up: bool) -> None:
        self._replay_inputs()
        if caught_up:
            self._answer_orders()
        while caught_up:
            try:
                name, actor, future = self._commands.get_nowait()
            except queue.Empty:
                return
            if not future.set_running_or_notify_cancel():
                continue
            command = Command(name, actor, self.cursor, self._assembly.clock.now())
            try:
                future.set_result(self._assembly.coordinator.run_cycle(command))
            except AgentError as error:
                future.set_exception(error)
                raise
            self._assembly.journal.commit()

    def _answer_orders(self) -> None:
        """A kill first, then what else was asked of the breaker, in order."""
        latch = self._assembly.latch
        if latch.pending:
            kept = BreakerOrder(BreakerAction.KILL, ScopeLevel.GLOBAL.value, SYSTEM, "kept state")
            self._obey(latch.order or kept)
        while not self._orders.empty():
            order, future = self._orders.get_nowait()
            if future.set_running_or_notify_cancel():
                future.set_result(self._obey(order))

    def _obey(self, order: BreakerOrder) -> BreakerAnswer:
        """An order takes effect here and now; one whose request took effect before is only acknowledged."""
        assembly = self._assembly
        if order.request and order.request in self._requests_before():
            return BreakerAnswer(True, assembly.gate.breaker.state, "took effect before")
        own, open_orders = assembly.engine.working_orders(), set(assembly.venue.open_orders())
        gone = tuple(key for key in own if key not in open_orders) if order.action is BreakerAction.KILL else ()
        differences = tuple(assembly.engine.reconcile()) if order.action is BreakerAction.REARM else ()
        if order.action is BreakerAction.REARM and self._kill_file() is not None:
            differences += (f"{self._kill_file()} is still there; remove it first",)
        command = BreakerCommand(order, self.cursor, assembly.clock.now(), gone, differences)
        return assembly.coordinator.obey(command)

    def _requests_before(self) -> set[str]:
        facts = self._assembly.journal.facts(kind=COMMAND_KIND)
        return {msgspec.json.decode(fact.payload, type=BreakerCommand).order.request for fact in facts}

    def _replay_inputs(self) -> None:
        """What came from outside in the recorded run takes effect again at the same place in the market."""
        while self._recorded and self._recorded[0].cursor == self.cursor:
            given = self._recorded.pop(0)
            if isinstance(given, Command):
                self._assembly.coordinator.run_cycle(given)
            elif isinstance(given, LimitsChange):
                self._assembly.coordinator.adopt(given)
            elif isinstance(given, BreakerCommand):
                self._assembly.coordinator.obey(given)
            else:
                self._assembly.coordinator.release(given)

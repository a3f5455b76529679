"""One market event through the five stages. Read this file first.

Base bars come in batches (stage 1, a feed). For each batch the coordinator repeats one step until it is used up:

    2 smc_detector       reads bars up to the next close of the decision timeframe
    5 execution_engine   lets the venue match the same bars, and books what it reports
    3 decision_engine    learns from setups that ended; at the close, finds setups, says what to leave, forecasts each
    4 risk_manager       judges each intent: approved orders, or a refusal with every reason
    5 execution_engine   sends what was approved

Orders sent at a close can only meet bars that come after it. Every fact is journalled before it takes effect.
Backtest, paper and live run this same code; only feed, clock and venue differ. A stage that raises refuses
the decision it was working on, is counted, and never ends the loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from smc_trading_agent._core import Bar, Bars, Step
from smc_trading_agent.domain.breaker import (
    SYSTEM,
    BreakerAction,
    BreakerAnswer,
    BreakerCommand,
    BreakerOrder,
    PeakReference,
    ScopeLevel,
    scope_on,
)
from smc_trading_agent.domain.clock import MarketClock, monotonic_ns
from smc_trading_agent.domain.errors import BreakerRefusal, JournalError
from smc_trading_agent.domain.ids import content_id
from smc_trading_agent.domain.kill_latch import KillLatch
from smc_trading_agent.domain.ports import (
    DecisionPolicy,
    Executor,
    Forecaster,
    Journal,
    Listener,
    RiskGate,
    SetupFinder,
    StructureReader,
)
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, RefusalReason, severity
from smc_trading_agent.domain.types import (
    AccountView,
    Approval,
    Command,
    Decision,
    Forecast,
    Intent,
    LimitsChange,
    OrderEvent,
    Reconciliation,
    Refusal,
    RefusalDetail,
    Setup,
    StageFailure,
)
from smc_trading_agent.monitoring.latency import LatencyBook, LatencyStage

Result = TypeVar("Result")
COMMAND_KIND = "breaker_command"
NO_CURSOR = -1
"""The place in the market of what took effect between two decisions of one close; its reference says which."""


class Stages(msgspec.Struct, frozen=True):
    """The five stages behind their ports; stage 1, the feed, is what calls `process`."""

    detector: StructureReader
    setups: SetupFinder
    forecaster: Forecaster
    policy: DecisionPolicy
    gate: RiskGate
    engine: Executor


class CoordinatorState(msgspec.Struct):
    """All state behind the ports, saved and restored together."""

    detector: bytes
    setups: bytes
    forecaster: bytes
    gate: bytes
    engine: bytes
    clock: int
    last_close: int
    data_time: int
    last_setups: list[Setup]


class OptimizedTradingCoordinator:
    """Leads market data through the stages; see the module."""

    def __init__(
        self,
        stages: Stages,
        journal: Journal,
        clock: MarketClock,
        latency: LatencyBook,
        listeners: Sequence[Listener],
        latch: KillLatch | None = None,
    ) -> None:
        self._stages = stages
        self._journal = journal
        self._clock = clock
        self._latency = latency
        self._listeners = tuple(listeners)
        self._latch = latch or KillLatch()
        self._last_close = 0  # ticks
        self._data_time = 0
        self._last_setups: list[Setup] = []
        self.failures: Counter[str] = Counter()

    @property
    def last_close(self) -> int:
        """Last price seen, in ticks."""
        return self._last_close

    def process(self, bars: Bars) -> int:
        """Leads a batch of base bars through the stages; raises only `JournalError`: nothing goes on without one.

        Returns how many bars that were: not all where a kill is waiting to take its place.
        """
        cursor = 0
        while cursor < len(bars) and not self._latch.pending:
            began = monotonic_ns()
            step = self._read(bars, cursor)
            self._follow_market(bars, cursor, len(bars) if step is None else step.end)
            if step is not None:
                self._tell_step(step)
                if step.decision_bar is not None:
                    self._decide(step, step.decision_bar)
                    self._latency.record(LatencyStage.TOTAL, monotonic_ns() - began)
            self._timed(LatencyStage.JOURNAL, self._journal.commit)
            cursor = len(bars) if step is None else step.end
        return cursor

    def run_cycle(self, command: Command) -> list[Approval | Refusal]:
        """Leads the setups of the last decision close through forecast, gate and engine again, now.

        What was sent before keeps its ids and is refused as a duplicate, so this can't double an order.
        """
        self._journal.append("command", command.time, command)
        return [self._judge(setup) for setup in self._last_setups]

    def obey(self, command: BreakerCommand, ref: str = "") -> BreakerAnswer:
        """What a person asks of the breaker, journalled first; says what became of it.

        A kill takes all orders of ours back but those that protect a position; the answer lists what is left.
        """
        self._journal.append(COMMAND_KIND, command.time, command, ref)
        breaker = self._stages.gate.breaker
        try:
            message, accepted = self._obey(command, self._scope_of(command.order)), True
        except BreakerRefusal as refusal:
            message, accepted = str(refusal), False
        self._follow_breaker()
        self._journal.commit()
        left = tuple(self._stages.engine.working_orders()) if command.order.action is BreakerAction.KILL else ()
        return BreakerAnswer(accepted, breaker.state, message, left)

    def state(self) -> bytes:
        """Everything behind the ports."""
        stages = self._stages
        return msgspec.msgpack.encode(
            CoordinatorState(
                detector=stages.detector.snapshot(),
                setups=stages.setups.snapshot(),
                forecaster=stages.forecaster.snapshot(),
                gate=stages.gate.snapshot(),
                engine=stages.engine.snapshot(),
                clock=self._clock.now(),
                last_close=self._last_close,
                data_time=self._data_time,
                last_setups=self._last_setups,
            )
        )

    def restore(self, data: bytes) -> None:
        """Continues exactly from a saved state."""
        state = msgspec.msgpack.decode(data, type=CoordinatorState)
        stages = self._stages
        stages.detector.restore(state.detector)
        stages.setups.restore(state.setups)
        stages.forecaster.restore(state.forecaster)
        stages.gate.restore(state.gate)
        stages.engine.restore(state.engine)
        self._clock.advance_to(state.clock)
        self._last_close, self._data_time = state.last_close, state.data_time
        self._last_setups = state.last_setups

    def _read(self, bars: Bars, start: int) -> Step | None:
        """Structure up to the next decision close; None where the detector failed and the batch is unreadable."""
        began = monotonic_ns()
        step = self._guard("smc_detector", lambda: self._stages.detector.advance(bars, start), None)
        self._latency.record(LatencyStage.SMC_DETECTOR, monotonic_ns() - began)
        return step

    def _follow_market(self, bars: Bars, start: int, stop: int) -> None:
        """Bars that have passed: the venue matches them, ended setups teach, the clock moves."""
        if stop <= start:
            return
        last = bars[stop - 1]
        self._last_close, self._data_time = last.close, last.close_time
        self._clock.advance_to(last.close_time)
        engine, forecaster = self._stages.engine, self._stages.forecaster
        self._tell_order_events(self._guard("execution_engine", lambda: engine.on_market(bars, start, stop), []))
        self._guard("decision_engine", lambda: forecaster.observe(bars, start, stop), None)

    def _decide(self, step: Step, bar: Bar) -> None:
        """At a close of the decision timeframe: mark the account, close what is overdue, judge each new setup."""
        self._clock.advance_to(bar.close_time)
        self._mark(bar)
        engine = self._stages.engine
        for intent in self._guard("execution_engine", lambda: engine.due_exits(self._clock.now()), list[Intent]()):
            self._carry_out(intent)
        finder, reader, forecaster = self._stages.setups, self._stages.detector, self._stages.forecaster
        began = monotonic_ns()
        self._guard("decision_engine", lambda: forecaster.on_close(reader.features()), None)
        self._last_setups = self._guard("decision_engine", lambda: finder.find(step, bar, reader), [])
        self._latency.record(LatencyStage.DECISION_ENGINE, monotonic_ns() - began)
        if self._guard("decision_engine", lambda: self._leaves(bar), False):
            for intent in self._guard("execution_engine", lambda: engine.leave(self._clock.now()), list[Intent]()):
                self._carry_out(intent)
        for setup in self._last_setups:
            self._judge(setup)
        self._guard("decision_engine", forecaster.settle, None)

    def _mark(self, bar: Bar) -> None:
        account = self._guard("execution_engine", self._resolved_account, None)
        if account is None:
            return
        self._guard("risk_manager", lambda: self._stages.gate.mark(account, self._data_time, bar), None)
        self._follow_breaker()
        self._tell(lambda listener: listener.on_account(account, self._clock.now()))

    def _resolved_account(self) -> AccountView:
        """The account, once the venue was asked about orders whose outcome is not known."""
        account = self._account()
        if account.unknown_orders:
            self._tell_order_events(self._stages.engine.resolve_unknown(self._clock.now()))
            account = self._account()
        return account

    def _leaves(self, bar: Bar) -> bool:
        held = self._stages.engine.held()
        return held is not None and self._stages.forecaster.leaves(held, bar)

    def _judge(self, setup: Setup) -> Approval | Refusal:
        """One setup through forecast, policy, gate and engine; the outcome is journalled before it takes effect."""
        decision_id = content_id("d", setup.setup_id)
        try:
            forecast = self._forecast(setup, decision_id)
            wish = self._stages.policy.decide(setup, forecast)
            self._stages.forecaster.follow(setup)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001  the decision is refused, the loop goes on
            failed = self._failed("decision_engine", error, decision_id)
            return self._settle(Decision(decision_id, self._clock.now(), setup, None, None), failed)
        intent = wish if isinstance(wish, Intent) else None
        decision = Decision(decision_id, self._clock.now(), setup, forecast, intent)
        outcome = wish if isinstance(wish, Refusal) else self._review(wish)
        return self._settle(decision, outcome)

    def _forecast(self, setup: Setup, decision_id: str) -> Forecast:
        """Only how long models took can't be replayed: what the journal holds of it is handed over."""
        fact = self._journal.expected("decision", decision_id)
        recorded = None if fact is None else msgspec.json.decode(fact, type=Decision).forecast
        forecaster = self._stages.forecaster
        return self._timed(LatencyStage.DECISION_ENGINE, lambda: forecaster.forecast(setup, recorded))

    def _settle(self, decision: Decision, outcome: Approval | Refusal) -> Approval | Refusal:
        self._journal.append("decision", decision.time, decision, decision.decision_id)
        self._record_outcome(outcome)
        if isinstance(outcome, Approval):
            self._send(outcome)
            self._guard("decision_engine", lambda: self._stages.forecaster.taken(decision), None)
        self._tell(lambda listener: listener.on_decision(decision, outcome))
        return outcome

    def _carry_out(self, intent: Intent) -> None:
        """An intent without a setup (an exit): through the same gate."""
        self._journal.append("exit_intent", intent.created_at, intent, intent.decision_id)
        outcome = self._review(intent)
        self._record_outcome(outcome)
        if isinstance(outcome, Approval):
            self._send(outcome)

    def _scope_of(self, order: BreakerOrder) -> str:
        """The scope that is meant; a kill of one that we don't know is a kill of all."""
        path = self._stages.gate.breaker.path
        try:
            return scope_on(path, order.scope)
        except BreakerRefusal:
            if order.action is BreakerAction.KILL:
                return path[0]
            raise

    def _obey(self, command: BreakerCommand, scope: str) -> str:
        order, breaker = command.order, self._stages.gate.breaker
        if order.action is BreakerAction.REARM:
            return self._rearm(command, scope)
        if order.action is BreakerAction.KILL:
            engine = self._stages.engine
            self._tell_order_events(
                self._guard("execution_engine", lambda: engine.adopt(command.gone, command.time), list[OrderEvent]())
            )
            breaker.trip(BreakerState.KILLED, BreakerCause.KILL_SWITCH, order.reason, order.actor, scope)
            self._latch.taken = True
        elif order.state in (BreakerState.REDUCING, BreakerState.HALTED):
            breaker.trip(order.state, BreakerCause.OPERATOR, order.reason, order.actor, scope)
        else:
            raise BreakerRefusal(f"a person can trip the breaker to reducing or halted, not to {order.state.value}")
        return f"{scope}: {breaker.state_on([scope]).value}"

    def _rearm(self, command: BreakerCommand, scope: str) -> str:
        """A person's word; where drawdown was among the causes it is measured anew from the present equity."""
        order, gate = command.order, self._stages.gate
        drawn_down = BreakerCause.DRAWDOWN.value in gate.breaker.causes_of(scope)
        killed = gate.breaker.state_on([scope]) is BreakerState.KILLED
        message = gate.breaker.rearm(order.actor, order.reason, scope, command.differences)
        still_killed = gate.breaker.state_on([scope]) is BreakerState.KILLED
        if drawn_down and not still_killed:
            equity = self._account().equity
            reference = PeakReference(command.time, gate.peak_equity, equity, order.actor, order.reason)
            self._journal.append("peak_reference", command.time, reference)
            gate.rebase_peak(equity)
        if killed and not still_killed:
            gate.breaker.ready()
            if gate.breaker.state is not BreakerState.KILLED and self._latch.live:
                self._latch.release()
        return message

    def _kill_at(self, decision_id: str) -> None:
        """A kill that is noticed when a decision is about to be judged takes its place before it."""
        recorded = self._journal.upcoming(COMMAND_KIND, decision_id)
        if recorded is not None:
            self.obey(msgspec.json.decode(recorded, type=BreakerCommand), decision_id)
        elif self._latch.pending and not self._journal.replaying:
            order = self._latch.order or BreakerOrder(BreakerAction.KILL, ScopeLevel.GLOBAL.value, SYSTEM, "kept state")
            self.obey(BreakerCommand(order, NO_CURSOR, self._clock.now()), decision_id)

    def _review(self, intent: Intent) -> Approval | Refusal:
        self._kill_at(intent.decision_id)
        try:
            account = self._account()
            outcome = self._timed(LatencyStage.RISK_MANAGER, lambda: self._stages.gate.review(intent, account))
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001  fails closed: without a judgement there is no order
            outcome = self._failed("risk_manager", error, intent.decision_id)
            self._halt("risk_manager", error)
        else:
            details = outcome.details if isinstance(outcome, Refusal) else ()
            if any(detail.reason is RefusalReason.RISK_ENGINE_ERROR for detail in details):
                self.failures["risk_manager"] += 1
        self._follow_breaker()
        return outcome

    def _record_outcome(self, outcome: Approval | Refusal) -> None:
        if isinstance(outcome, Approval):
            shown = msgspec.structs.replace(
                outcome, orders=tuple(msgspec.structs.replace(order, seal=b"") for order in outcome.orders)
            )
            self._journal.append("approval", outcome.time, shown, outcome.decision_id)
        else:
            self._journal.append("refusal", outcome.time, outcome, outcome.decision_id)

    def _send(self, approval: Approval) -> None:
        began = monotonic_ns()
        try:
            events = self._stages.engine.submit(approval)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001  orders may be out: nothing grows until the books agree
            self._failed("execution_engine", error, approval.decision_id)
            self._halt("execution_engine", error)
            return
        finally:
            self._booked(approval)
        self._latency.record(LatencyStage.EXECUTION_ENGINE, monotonic_ns() - began)
        self._tell_order_events(events)

    def _booked(self, approval: Approval) -> None:
        """From here on the account shows what became of an approval; until then the gate counts it by itself."""
        self._guard(
            "risk_manager", lambda: self._stages.gate.booked(approval.decision_id, self._account().orders_sent), None
        )

    def _trip(self, state: BreakerState, cause: BreakerCause, detail: str) -> None:
        self._stages.gate.breaker.trip(state, cause, detail)
        self._follow_breaker()

    def _follow_breaker(self) -> None:
        """Tells of breaker changes; one that forbids growth takes working entries back."""
        for change in self._stages.gate.breaker.drain():
            self._tell(lambda listener, change=change: listener.on_breaker(change))  # type: ignore[misc]
            if change.after is BreakerState.KILLED:
                self._tell_order_events(self._guard("execution_engine", self._cancel_for_kill, []))
            elif severity(change.after) >= severity(BreakerState.REDUCING):
                self._tell_order_events(self._guard("execution_engine", self._cancel_entries, []))

    def _cancel_entries(self) -> list[OrderEvent]:
        return self._stages.engine.cancel_entries(self._clock.now())

    def _cancel_for_kill(self) -> list[OrderEvent]:
        return self._stages.engine.cancel_for_kill(self._clock.now())

    def release(self, found: Reconciliation) -> None:
        """Lets the breaker leave STARTING where our books agree with the venue's; halts it where they differ.

        Differences are journalled: they come from outside, so a replay could not find them again.
        """
        if found.differences:
            self._journal.append("reconciliation", found.time, found)
            self._trip(BreakerState.HALTED, BreakerCause.RECONCILIATION, "; ".join(found.differences))
        else:
            self._stages.gate.breaker.ready()
            self._follow_breaker()

    def adopt(self, change: LimitsChange) -> None:
        """Limits take effect from here on; journalled first, with what changed and who let it."""
        self._journal.append("limits", change.time, change)
        self._stages.gate.adopt(change.limits)

    def _account(self) -> AccountView:
        return self._stages.engine.account(self._last_close)

    def _guard(self, stage: str, work: Callable[[], Result], otherwise: Result) -> Result:
        """Runs a stage; an error is journalled and counted, and halts the breaker unless it only cost a decision."""
        try:
            return work()
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it is counted and journalled
            self._failed(stage, error, "")
            if stage != "decision_engine":
                self._halt(stage, error)
            return otherwise

    def _halt(self, stage: str, error: Exception) -> None:
        cause = BreakerCause.RISK_ENGINE_ERROR if stage == "risk_manager" else BreakerCause.EXECUTION_ERROR
        self._trip(BreakerState.HALTED, cause, f"{type(error).__name__}: {error}")

    def _failed(self, stage: str, error: Exception, decision_id: str) -> Refusal:
        now, text = self._clock.now(), f"{type(error).__name__}: {error}"
        self.failures[stage] += 1
        self._journal.append("stage_failure", now, StageFailure(stage, now, text, decision_id), decision_id)
        detail = RefusalDetail(RefusalReason.STAGE_ERROR, {"stage": stage, "error": text})
        return Refusal(decision_id, stage, now, (detail,))

    def _timed(self, stage: LatencyStage, work: Callable[[], Result]) -> Result:
        began = monotonic_ns()
        result = work()
        self._latency.record(stage, monotonic_ns() - began)
        return result

    def _tell_step(self, step: Step) -> None:
        self._tell(lambda listener: listener.on_step(step, self._stages.detector))

    def _tell_order_events(self, events: Sequence[OrderEvent]) -> None:
        for event in events:
            self._tell(lambda listener, event=event: listener.on_order_event(event))  # type: ignore[misc]

    def _tell(self, call: Callable[[Listener], None]) -> None:
        for listener in self._listeners:
            try:
                call(listener)
            except Exception:  # noqa: BLE001  a listener can't change a decision; its failure is counted
                self.failures["listener"] += 1

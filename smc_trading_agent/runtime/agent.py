"""The running agent: a trading thread over an assembly, and what others may ask of it from any thread."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path

from smc_trading_agent._core import Instrument
from smc_trading_agent.domain.breaker import BreakerAction, BreakerAnswer, BreakerOrder, BreakerView, KillReport
from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.errors import AgentError, BreakerRefusal
from smc_trading_agent.domain.reasons import BreakerState
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.domain.types import Approval, LimitsView, ModelsHealth
from smc_trading_agent.monitoring.health import AgentState, AgentStatus
from smc_trading_agent.monitoring.latency import LatencyBook, LatencyStage
from smc_trading_agent.monitoring.views import ViewStore
from smc_trading_agent.runtime.assembly import PAPER, Assembly, assemble
from smc_trading_agent.runtime.history import orders_hash, retell
from smc_trading_agent.runtime.kill_switch import KILL_FILE, REQUESTS, KillSwitch, write_whole
from smc_trading_agent.runtime.markets import OpenedMarket, Pace, paced
from smc_trading_agent.runtime.runner import TRIGGER_CYCLE, CycleOutcome, Runner
from smc_trading_agent.runtime.state_dir import StateDir

log = logging.getLogger("smc_trading_agent")
STOP_TIMEOUT_S = 30.0
NS = 1_000_000_000


class Agent:
    """One paper-trading agent; see `smc_trading_agent.api.handle.AgentHandle` for what it offers."""

    def __init__(
        self, settings: Settings, opened: OpenedMarket, state: StateDir, pace: Pace, key_hash: str | None
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._state_dir = state
        self._stopping = threading.Event()
        self._views = ViewStore(opened.market.instrument)
        latency = LatencyBook()
        market = paced(
            opened, pace, self._stopping.wait, lambda taken: latency.record(LatencyStage.DATA_PIPELINE, taken)
        )
        self._assembly = assemble(market, settings, state.journal, state.venue_store, [self._views], latency)
        files = (state.path.parent / KILL_FILE, state.path / KILL_FILE)
        self._runner = Runner(self._assembly, self._advanced, lambda: self._kill_switch.present())
        self._kill_switch = KillSwitch(self._assembly, files, state.path / REQUESTS, self._runner.order)
        self._thread = threading.Thread(target=self._run, name="trading", daemon=True)
        self._state = AgentState.STARTING
        self._error = ""
        self._key_hash = key_hash
        self._last_advance = 0
        self._orders_hash = ""
        self._closed = False
        self.ended = threading.Event()

    @property
    def assembly(self) -> Assembly:
        """The stages and what stands beside them."""
        return self._assembly

    @property
    def views(self) -> ViewStore:
        """What a person may see."""
        return self._views

    @property
    def latency(self) -> LatencyBook:
        """How long each stage takes."""
        return self._assembly.latency

    @property
    def instrument(self) -> Instrument:
        """What is traded."""
        return self._opened.market.instrument

    @property
    def label(self) -> str:
        """What kind of market this is: SYNTHETIC or REPLAY."""
        return self._opened.label

    @property
    def mode(self) -> str:
        """What kind of money this is."""
        return PAPER

    @property
    def target_ms(self) -> float:
        """Latency target of one decision."""
        return self._settings.app.latency_target_ms

    @property
    def cache_hit_rate(self) -> float:
        """Base rates are a lookup of their own sums; only votes of models are cached, so only they hit."""
        models = self._assembly.models
        return 0.0 if models is None else models.cache_hit_rate

    @property
    def models(self) -> ModelsHealth | None:
        """The models that are served and how they do, None where base rates alone forecast."""
        return None if self._assembly.models is None else self._assembly.models.health()

    @property
    def limits(self) -> LimitsView:
        """The limits in force."""
        return self._assembly.gate.limits

    @property
    def api_key_hash(self) -> str | None:
        """SHA-256 of the key that commands need."""
        return self._key_hash

    @property
    def total_bars(self) -> int | None:
        """Base bars in all, None for a market without end."""
        return self._opened.market.feed.total_bars

    @property
    def state_path(self) -> Path:
        """Where the account is kept."""
        return self._state_dir.path

    @property
    def cursor(self) -> int:
        """Base bars read so far."""
        return self._runner.cursor

    @property
    def orders_hash(self) -> str:
        """Hash over every step of every order of this account; empty before the agent has stopped."""
        return self._orders_hash

    def recover(self) -> None:
        """Takes over the kept state. Raises `AgentError` when it can't be resumed."""
        recovery = self._runner.recover()
        retell(self._assembly.journal, self._views, recovery.facts_restored)
        if recovery.cursor or recovery.facts_to_replay:
            log.info(
                "resuming %s at bar %s, replaying %s facts to prove the state",
                self._opened.market.feed.market,
                f"{recovery.cursor:,}",
                f"{recovery.facts_to_replay:,}",
            )

    def start(self) -> None:
        """Starts trading from the recovered state, under the kill switch."""
        self._kill_switch.start()
        self._thread.start()

    def stop(self) -> None:
        """Ends after the present batch, saves the state and closes it. Safe to call twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)
        if not self._thread.is_alive() and not self._closed:
            self._closed = True
            self._kill_switch.stop()
            if self._assembly.models is not None:
                self._assembly.models.close()
            self._assembly.gate.close()
            self._orders_hash = orders_hash(self._assembly.journal)
            self._state_dir.close()

    def status(self) -> AgentStatus:
        """How the agent is at this moment."""
        journal, report = self._assembly.journal, self._opened.quality
        age = None if self._last_advance == 0 else (monotonic_ns() - self._last_advance) / NS
        return AgentStatus(
            state=self._state,
            market=self._opened.market.feed.market,
            error=self._error,
            breaker=self._breaker_state(),
            data_age_seconds=age,
            journal_length=journal.length,
            journal_hash=journal.head_hash,
            quality={} if report is None else dict(report.rejected),
        )

    def breaker_view(self) -> BreakerView:
        """The circuit breaker, scope by scope."""
        breaker = self._assembly.gate.breaker
        return BreakerView(
            state=breaker.state,
            scopes=breaker.scopes,
            causes={scope: breaker.causes_of(scope) for scope in breaker.path},
            epoch=breaker.epoch,
            kill_switch=self._assembly.latch.engaged,
            open_orders=tuple(self._assembly.engine.working_orders()),
        )

    def kill(self, scope: str, actor: str, reason: str) -> KillReport:
        """Writes the account's kill file and acts on it at once, in the caller's thread. Safe to call again."""
        order = BreakerOrder(BreakerAction.KILL, scope, actor, reason)
        write_whole(self._state_dir.path / KILL_FILE, order)
        return self._kill_switch.kill(order)

    def order(self, order: BreakerOrder, timeout_s: float) -> BreakerAnswer:
        """Trips or re-arms the breaker from the trading thread.

        Raises `BreakerRefusal` where it can't be as asked, `TimeoutError` when the market was quiet for ``timeout_s``:
        it then takes effect at the next bar. `AgentError` when the loop isn't running.
        """
        if self._state is not AgentState.RUNNING:
            raise AgentError(f"the trading loop is {self._state.value}; the breaker is moved while it is running")
        try:
            answer = self._runner.order(order).result(timeout_s)
        except FutureTimeout:
            raise TimeoutError(f"no bar came within {timeout_s} s; it takes effect at the next one") from None
        if not answer.accepted:
            raise BreakerRefusal(answer.message)
        return answer

    def trigger_cycle(self, actor: str, timeout_s: float) -> dict[str, str | int | float | bool | None]:
        """Runs one decision cycle now and says what it did.

        Raises `TimeoutError` when it didn't run within ``timeout_s``, `AgentError` when the loop isn't running.
        """
        if self._state is not AgentState.RUNNING:
            raise AgentError(f"the trading loop is {self._state.value}; a cycle can only run while it is running")
        future: Future[CycleOutcome] = self._runner.ask(TRIGGER_CYCLE, actor)
        try:
            outcomes = future.result(timeout_s)
        except FutureTimeout:
            future.cancel()
            raise TimeoutError(f"no cycle ran within {timeout_s} s; the market may be quiet, try again") from None
        approved = sum(isinstance(outcome, Approval) for outcome in outcomes)
        return {"setups": len(outcomes), "approved": approved, "refused": len(outcomes) - approved, "bar": self.cursor}

    def _run(self) -> None:
        self._state = AgentState.RUNNING
        try:
            self._runner.run(self._stopping.is_set)
            self._state = AgentState.STOPPED if self._stopping.is_set() else AgentState.FINISHED
        except Exception as error:  # the thread's last word: shown in health, logged, never swallowed
            self._state, self._error = AgentState.FAILED, f"{type(error).__name__}: {error}"
            log.exception("the trading loop stopped")
        finally:
            self.ended.set()

    def _advanced(self, _cursor: int) -> None:
        self._last_advance = monotonic_ns()

    def _breaker_state(self) -> BreakerState:
        return self._assembly.gate.breaker.state

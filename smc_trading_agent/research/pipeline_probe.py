"""Drives the real pipeline one base bar at a time, as live, and times it: for benchmarks and latency validation.

The market is synthetic and every setup is traded, so that the whole path is walked; journal and venue ledger are
files, in the process-crash grade. One bar follows the other without pause: service time, not response time.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from smc_trading_agent._core import Step
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.ports import StructureReader
from smc_trading_agent.domain.settings import DecisionSettings, RiskSettings, Settings, StructureSettings
from smc_trading_agent.domain.types import AccountView, Approval, BreakerChange, Decision, OrderEvent, Refusal
from smc_trading_agent.monitoring.latency import LatencyBook, LatencyStage
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.persistence.venue_store import SqliteVenueStore
from smc_trading_agent.runtime.assembly import Market, assemble
from smc_trading_agent.runtime.runner import Runner

SEED = 11


class Timed(msgspec.Struct, frozen=True):
    """One base bar: how long it took, how many setups were judged at its close, and whether orders were sent."""

    nanoseconds: int
    judged: int
    sent: bool


class PipelineProbe:
    """The whole agent on the fastest decision timeframe, with its files in ``folder``."""

    def __init__(self, folder: Path) -> None:
        feed = SyntheticFeed(SEED, batch=1)
        settings = Settings(
            structure=StructureSettings(decision_timeframe="1m", context_timeframes=("5m", "15m")),
            decision=DecisionSettings(take_every_setup=True),
            risk=RiskSettings(
                max_drawdown=1.0,
                max_daily_loss=1.0,
                halt_daily_loss=1.0,
                max_losing_trades=1_000,
                max_executions=10_000,
            ),
        )
        self.latency = LatencyBook()
        self._journal = SqliteJournal(folder / "journal.db")
        self._store = SqliteVenueStore(folder / "venue.db")
        self._seen = _Seen()
        market = Market(feed.instrument, feed.timeframe, feed)
        assembly = assemble(market, settings, self._journal, self._store, [self._seen], self.latency)
        Runner(assembly).recover()
        self._coordinator = assembly.coordinator
        self._bars = feed.batches(0)

    def warm_up(self, bars: int) -> None:
        """Reads ``bars`` and forgets what they took."""
        for _ in range(bars):
            self.step()
        self.latency.reset()

    def step(self) -> Timed:
        """Reads the next base bar and leads it through all stages."""
        asked = monotonic_ns()
        bars = next(self._bars)
        began = monotonic_ns()
        self.latency.record(LatencyStage.DATA_PIPELINE, began - asked)
        self._seen.judged, self._seen.sent = 0, False
        self._coordinator.process(bars)
        return Timed(monotonic_ns() - began, self._seen.judged, self._seen.sent)

    def close(self) -> None:
        """Closes the files."""
        self._journal.close()
        self._store.close()


class _Seen:
    """A listener that notes what the present bar led to."""

    def __init__(self) -> None:
        self.judged = 0
        self.sent = False

    def on_step(self, step: Step, reader: StructureReader) -> None:
        pass

    def on_decision(self, decision: Decision, outcome: Approval | Refusal) -> None:
        self.judged += 1
        self.sent = self.sent or isinstance(outcome, Approval)

    def on_order_event(self, event: OrderEvent) -> None:
        pass

    def on_account(self, account: AccountView, now: int) -> None:
        pass

    def on_breaker(self, change: BreakerChange) -> None:
        pass

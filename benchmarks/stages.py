"""The latency of each stage, taken from the coordinator itself while it reads one base bar at a time, as live.

The market is synthetic, every setup is traded so that the whole path is walked, and the journal is on disk in
the process-crash grade. Bars come one by one without pause: this is service time, not response time under load.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.rows import Row, row_of
from smc_trading_agent._core import Step
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.ports import StructureReader
from smc_trading_agent.domain.settings import DecisionSettings, RiskSettings, Settings
from smc_trading_agent.domain.types import AccountView, Approval, BreakerChange, Decision, OrderEvent, Refusal
from smc_trading_agent.monitoring.latency import LatencyStage
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.persistence.venue_store import SqliteVenueStore
from smc_trading_agent.runtime.assembly import Market, assemble
from smc_trading_agent.runtime.runner import Runner

US = 1_000.0
TARGETS_US = {
    LatencyStage.SMC_DETECTOR: 10.0,
    LatencyStage.DECISION_ENGINE: 20_000.0,
    LatencyStage.RISK_MANAGER: 5_000.0,
    LatencyStage.TOTAL: 50_000.0,
}
"""The design's first bar for the detector; the seed's targets, in microseconds, for the rest."""


class SentOrders:
    """A listener that notes whether the bar just processed sent an order."""

    def __init__(self) -> None:
        self.sent = False

    def on_step(self, step: Step, reader: StructureReader) -> None:
        """Nothing to note."""

    def on_decision(self, decision: Decision, outcome: Approval | Refusal) -> None:
        """An approval sends orders."""
        self.sent = self.sent or isinstance(outcome, Approval)

    def on_order_event(self, event: OrderEvent) -> None:
        """Nothing to note."""

    def on_account(self, account: AccountView, now: int) -> None:
        """Nothing to note."""

    def on_breaker(self, change: BreakerChange) -> None:
        """Nothing to note."""


def measure_stages(folder: Path, bars: int, warm_up: int) -> list[Row]:
    """Runs ``warm_up`` bars unmeasured, then ``bars`` measured; journal and venue ledger lie in ``folder``."""
    feed = SyntheticFeed(seed=11, batch=1)
    market = Market(feed.instrument, feed.timeframe, feed)
    settings = Settings(
        decision=DecisionSettings(take_every_setup=True), risk=RiskSettings(max_drawdown=1.0, max_daily_loss=1.0)
    )
    noted = SentOrders()
    with SqliteJournal(folder / "journal.db") as journal:
        store = SqliteVenueStore(folder / "venue.db")
        assembly = assemble(market, settings, journal, store, [noted])
        Runner(assembly).recover()
        source = feed.batches(0)
        for _ in range(warm_up):
            assembly.coordinator.process(next(source))
        assembly.latency.reset()
        every, with_order = [], []
        for _ in range(bars):
            bar, noted.sent = next(source), False
            began = monotonic_ns()
            assembly.coordinator.process(bar)
            taken = monotonic_ns() - began
            every.append(taken)
            if noted.sent:
                with_order.append(taken)
        store.close()
        rows = [
            Row(
                name=f"stage {row.stage}",
                unit="us",
                p50=row.p50_ms * US,
                p99=row.p99_ms * US if row.count >= US else None,
                p999=row.p999_ms * US if row.count >= 10 * US else None,
                max=row.max_ms * US,
                n=row.count,
                target=TARGETS_US.get(LatencyStage(row.stage)),
                met=_met(row.p99_ms * US, TARGETS_US.get(LatencyStage(row.stage))),
            )
            for row in assembly.latency.rows()
            if row.count
        ]
    rows.append(row_of("base bar through all stages", "us", np.array(every) / US))
    rows.append(row_of("base bar to a bracket of three orders sent", "us", np.array(with_order) / US, 50_000.0))
    return rows


def _met(p99: float, target: float | None) -> bool | None:
    return None if target is None else p99 <= target

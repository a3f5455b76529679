"""Puts the stages together for one market. Backtest, paper and live differ only in what is passed in here."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec

from smc_trading_agent._core import Instrument
from smc_trading_agent.config import settings_hash
from smc_trading_agent.coordinator import OptimizedTradingCoordinator, Stages
from smc_trading_agent.decision_engine.ensemble.forecaster import EnsembleForecaster
from smc_trading_agent.decision_engine.policy import BreakEvenPolicy
from smc_trading_agent.decision_engine.setups import StructureSetups
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.kill_latch import KillLatch
from smc_trading_agent.domain.ports import Feed, Listener, VenueStore
from smc_trading_agent.domain.seal import ApprovalSeal
from smc_trading_agent.domain.settings import ExecutionSettings, Settings
from smc_trading_agent.domain.types import BreakerChange, SessionStart
from smc_trading_agent.execution_engine.engine import ExecutionEngine
from smc_trading_agent.execution_engine.guarded_venue import GuardedVenue
from smc_trading_agent.execution_engine.venues.paper import PaperVenue
from smc_trading_agent.monitoring.latency import LatencyBook
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.risk_manager.gateway import RiskGateway
from smc_trading_agent.runtime.limits import effective_risk
from smc_trading_agent.runtime.models import forecaster_of
from smc_trading_agent.smc_detector.reader import MarketReader

PAPER = "paper"
NS_PER_MS = 1_000_000


class Market(msgspec.Struct, frozen=True):
    """What is traded and where its bars come from. ``base_timeframe`` is the length of the feed's bars."""

    instrument: Instrument
    base_timeframe: str
    feed: Feed


class Assembly(msgspec.Struct, frozen=True):
    """A coordinator with what a runner needs beside it."""

    market: Market
    settings: Settings
    coordinator: OptimizedTradingCoordinator
    engine: ExecutionEngine
    gate: RiskGateway
    journal: SqliteJournal
    venue: GuardedVenue
    latch: KillLatch
    clock: MarketClock
    latency: LatencyBook
    session: SessionStart
    models: EnsembleForecaster | None


def cost_model(execution: ExecutionSettings) -> CostModel:
    """The costs that labels, break-even, sizing and the paper venue all use."""
    return CostModel(
        maker_fee_ppm=execution.maker_fee_ppm,
        taker_fee_ppm=execution.taker_fee_ppm,
        half_spread_ticks=execution.half_spread_ticks,
        slippage_ppm=execution.slippage_ppm,
    )


def assemble(
    market: Market,
    settings: Settings,
    journal: SqliteJournal,
    venue_store: VenueStore | None,
    listeners: Sequence[Listener],
    latency: LatencyBook | None = None,
) -> Assembly:
    """Builds the stages and the coordinator over them; `ConfigError` where settings don't fit the market."""
    instrument, structure = market.instrument, settings.structure
    if not structure.context_timeframes:
        raise ConfigError("structure.context_timeframes is empty; name at least one timeframe above the decision's")
    start_cash = instrument.quote_from_str(settings.execution.start_cash)
    if start_cash <= 0:
        raise ConfigError("execution.start_cash is 0; give the paper account an amount to begin with")
    clock, costs = MarketClock(), cost_model(settings.execution)
    latency = latency or LatencyBook()
    seal = ApprovalSeal(secrets.token_bytes(32))

    def record(change: BreakerChange) -> None:
        journal.append("breaker", change.time, change)
        journal.commit()

    latch = KillLatch()
    paper = PaperVenue(instrument, costs, round(settings.execution.latency_ms * NS_PER_MS), venue_store)
    venue = GuardedVenue(paper, latch)
    engine = ExecutionEngine(instrument, venue, journal, clock, seal, start_cash)
    forecaster = forecaster_of(settings, instrument.key, costs, clock)
    models = forecaster if isinstance(forecaster, EnsembleForecaster) else None
    bundle = "" if models is None else models.bundle_id
    gate = RiskGateway(instrument, effective_risk(settings), costs, clock, seal, record, bundle)
    gate.schedule(settings.performance.risk_manager)
    stages = Stages(
        detector=MarketReader(instrument, market.base_timeframe, structure),
        setups=StructureSetups(
            instrument.key, structure.decision_timeframe, structure.context_timeframes[0], settings.decision
        ),
        forecaster=forecaster,
        policy=BreakEvenPolicy(settings.decision),
        gate=gate,
        engine=engine,
    )
    return Assembly(
        market=market,
        settings=settings,
        coordinator=OptimizedTradingCoordinator(stages, journal, clock, latency, listeners, latch),
        engine=engine,
        gate=gate,
        journal=journal,
        venue=venue,
        latch=latch,
        clock=clock,
        latency=latency,
        session=_session(market, settings, start_cash, bundle),
        models=models,
    )


def _session(market: Market, settings: Settings, start_cash: int, models: str) -> SessionStart:
    return SessionStart(
        venue=market.instrument.venue,
        symbol=market.instrument.symbol,
        tick_size=market.instrument.tick_size,
        lot_size=market.instrument.lot_size,
        market=market.feed.market,
        mode=PAPER,
        settings_hash=settings_hash(settings),
        decision_timeframe=settings.structure.decision_timeframe,
        start_cash=start_cash,
        models=models,
    )

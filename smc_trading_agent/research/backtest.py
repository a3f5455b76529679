"""A backtest is the paper agent run flat out: same coordinator, same stages, same venue, no pace.

Beside its result stand two that need no skill: holding the instrument, and entering at random with the
same exits, the same risk and the same costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import numpy as np

from smc_trading_agent._core import Bars, random_entry_returns, timeframe_ns
from smc_trading_agent.data_pipeline.wrapped import WrappedFeed
from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.ports import Feed
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.domain.types import Decision
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.research.overlap import ModelsUsed, models_used
from smc_trading_agent.research.tally import Tally, max_drawdown
from smc_trading_agent.runtime.assembly import Assembly, Market, assemble, cost_model
from smc_trading_agent.runtime.history import orders_hash
from smc_trading_agent.runtime.models import without_deadlines
from smc_trading_agent.runtime.runner import Runner

RANDOM_RUNS = 200
NS = 1_000_000_000


class RandomEntries(msgspec.Struct, frozen=True):
    """Net returns of random entries with the run's own exits, and how many of them the run beat."""

    runs: int
    mean: float
    p05: float
    p50: float
    p95: float
    beaten_share: float


class BacktestResult(msgspec.Struct, frozen=True):
    """All figures of one backtest. Returns and drawdown are shares; money is exact decimal text."""

    instrument: str
    market: str
    synthetic: bool
    timeframe: str
    first_bar: int
    last_bar: int
    bars: int
    seconds: float
    bars_per_second: float
    setups: dict[str, int]
    decisions: int
    refusals: dict[str, int]
    orders: int
    trades: int
    wins: int
    orders_hash: str
    journal_hash: str
    start_equity: str
    end_equity: str
    net_return: float
    buy_and_hold_return: float
    random_entries: RandomEntries | None
    max_drawdown: float
    costs: str
    exposure: float
    breaker: str
    models: ModelsUsed | None
    stage_failures: dict[str, int]


def run_backtest(
    market: Market, settings: Settings, journal: SqliteJournal, progress: Callable[[int], None] = lambda _: None
) -> tuple[BacktestResult, Tally]:
    """Runs ``market`` to its end. ``journal`` is new or in memory; raises `AgentError` as the stages do."""
    tally, feed = Tally(), _WatchedFeed(market.feed)
    timeless = without_deadlines(settings)
    assembly = assemble(msgspec.structs.replace(market, feed=feed), timeless, journal, None, [tally])
    runner = Runner(assembly, progress)
    began = monotonic_ns()
    runner.recover()
    runner.run(lambda: False)
    seconds = (monotonic_ns() - began) / NS
    return _result(assembly, tally, Bars.concat(feed.seen), seconds), tally


class _WatchedFeed(WrappedFeed):
    """The same feed, remembering the batches that it handed out."""

    def __init__(self, feed: Feed) -> None:
        super().__init__(feed)
        self.seen: list[Bars] = []

    def batches(self, start: int) -> Iterator[Bars]:
        for batch in self._feed.batches(start):
            self.seen.append(batch)
            yield batch


def _result(assembly: Assembly, tally: Tally, bars: Bars, seconds: float) -> BacktestResult:
    instrument, settings = assembly.market.instrument, assembly.settings
    account = assembly.engine.account(assembly.coordinator.last_close)
    start = instrument.quote_from_str(settings.execution.start_cash)
    net_return = account.equity / start - 1.0
    first, last = bars[0], bars[len(bars) - 1]
    return BacktestResult(
        instrument=instrument.key,
        market=assembly.session.market,
        synthetic=assembly.market.feed.synthetic,
        timeframe=settings.structure.decision_timeframe,
        first_bar=first.open_time,
        last_bar=last.close_time,
        bars=len(bars),
        seconds=round(seconds, 3),
        bars_per_second=round(len(bars) / seconds, 1),
        setups=dict(sorted(tally.decisions.items())),
        decisions=sum(tally.decisions.values()),
        refusals=dict(sorted(tally.refusals.items())),
        orders=tally.orders,
        trades=len(tally.trades),
        wins=sum(trade.net > 0 for trade in tally.trades),
        orders_hash=orders_hash(assembly.journal),
        journal_hash=assembly.journal.head_hash,
        start_equity=instrument.format_quote(start),
        end_equity=instrument.format_quote(account.equity),
        net_return=net_return,
        buy_and_hold_return=last.close / first.open - 1.0,
        random_entries=_random_entries(assembly, tally, bars, net_return),
        max_drawdown=max_drawdown(tally.equity),
        costs=instrument.format_quote(account.fees),
        exposure=tally.exposure,
        breaker=assembly.gate.breaker.state.value,
        models=_models(assembly, first.open_time, last.close_time),
        stage_failures=dict(assembly.coordinator.failures),
    )


def _models(assembly: Assembly, first: int, last: int) -> ModelsUsed | None:
    models = assembly.models
    return None if models is None else models_used(models.bundle_id, models.manifest.training, first, last)


def _random_entries(assembly: Assembly, tally: Tally, bars: Bars, net_return: float) -> RandomEntries | None:
    traded = {trade.decision_id for trade in tally.trades}
    decisions = [decision for decision in tally.approved if decision.decision_id in traded]
    if not decisions:
        return None
    settings = assembly.settings
    returns = random_entry_returns(
        bars,
        np.array([decision.setup.risk_ticks for decision in decisions], dtype=np.int64),
        np.array([decision.setup.reward_ticks for decision in decisions], dtype=np.int64),
        np.array([_risk_taken(decision, settings) for decision in decisions]),
        settings.decision.time_limit_bars * timeframe_ns(settings.structure.decision_timeframe),
        cost_model(settings.execution).round_trip_ppm(bars[0].open),
        RANDOM_RUNS,
        0,
    )
    p05, p50, p95 = (float(value) for value in np.percentile(returns, [5, 50, 95]))
    return RandomEntries(
        runs=RANDOM_RUNS,
        mean=float(returns.mean()),
        p05=p05,
        p50=p50,
        p95=p95,
        beaten_share=float((returns < net_return).mean()),
    )


def _risk_taken(decision: Decision, settings: Settings) -> float:
    """Share of equity lost at the stop: the risk budget, or less where the order limit binds first."""
    setup = decision.setup
    return min(settings.risk.risk_per_trade, settings.risk.max_order_notional * setup.risk_ticks / setup.entry)

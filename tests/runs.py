"""Whole runs over the synthetic market, as the tests of coordinator, runner, recovery and parity start them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from smc_trading_agent._core import Bars
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.domain.ports import Listener, VenueStore
from smc_trading_agent.domain.settings import DecisionSettings, JournalSettings, RiskSettings, Settings
from smc_trading_agent.persistence.journal import Fact, SqliteJournal
from smc_trading_agent.runtime.assembly import Assembly, Market, assemble
from smc_trading_agent.runtime.runner import Runner

SEED = 11


def eager(checkpoint_bars: int = 500, **decision: Any) -> Settings:
    """Trades every setup without a loss limit; positions close at stop, at target and, after 10 bars, by time."""
    return Settings(
        decision=DecisionSettings(**({"take_every_setup": True, "time_limit_bars": 10} | decision)),
        # As many scenarios as there are returns in the market history that is demanded anyway.
        risk=RiskSettings(
            max_daily_loss=1.0, halt_daily_loss=1.0, max_drawdown=1.0, max_losing_trades=1_000, min_scenarios=29
        ),
        journal=JournalSettings(checkpoint_bars=checkpoint_bars),
    )


def synthetic(length: int, batch: int = 64, seed: int = SEED) -> Market:
    feed = SyntheticFeed(seed, length=length, batch=batch)
    return Market(feed.instrument, feed.timeframe, feed)


def tape(length: int, seed: int = SEED) -> Bars:
    """The bars of `synthetic`, all at once."""
    return Bars.concat(list(SyntheticFeed(seed, length=length).batches(0)))


class CutFeed:
    """The same bars, handed out in pieces of the given sizes, over and over."""

    def __init__(self, bars: Bars, sizes: Sequence[int]) -> None:
        self._bars, self._sizes = bars, sizes
        self.market, self.synthetic, self.total_bars = "cut", True, len(bars)

    def batches(self, start: int) -> Iterator[Bars]:
        while start < len(self._bars):
            for size in self._sizes:
                if start < len(self._bars):
                    yield self._bars.slice(start, min(start + size, len(self._bars)))
                start += size


def cut(bars: Bars, sizes: Sequence[int]) -> Market:
    feed = SyntheticFeed(SEED)
    return Market(feed.instrument, feed.timeframe, CutFeed(bars, sizes))


def assembled(
    market: Market,
    settings: Settings,
    journal: SqliteJournal,
    store: VenueStore | None = None,
    listeners: Sequence[Listener] = (),
) -> tuple[Assembly, Runner]:
    """An assembly and its runner, recovered."""
    assembly = assemble(market, settings, journal, store, listeners)
    runner = Runner(assembly)
    runner.recover()
    return assembly, runner


def run_whole(market: Market, settings: Settings, listeners: Sequence[Listener] = ()) -> Assembly:
    """A run to the market's end with nothing kept on disk. The journal is left open, in memory."""
    assembly, runner = assembled(market, settings, SqliteJournal(), None, listeners)
    runner.run(lambda: False)
    return assembly


def decoded(assembly: Assembly, kind: str) -> list[dict[str, Any]]:
    """The payloads of all facts of a kind."""
    return [msgspec.json.decode(fact.payload) for fact in assembly.journal.facts(kind=kind)]


def facts_of(assembly: Assembly) -> list[Fact]:
    return list(assembly.journal.facts())

"""Opens the market that was asked for: the built-in synthetic one, or a recorded file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from smc_trading_agent._core import Bars
from smc_trading_agent.data_pipeline.instruments import Overrides
from smc_trading_agent.data_pipeline.pacing import PacedFeed, Waiter
from smc_trading_agent.data_pipeline.quality import QualityReport
from smc_trading_agent.data_pipeline.replay import ReplayFeed
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.data_pipeline.wrapped import WrappedFeed
from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.ports import Feed
from smc_trading_agent.domain.settings import SyntheticSettings
from smc_trading_agent.runtime.assembly import Market


class OpenedMarket(msgspec.Struct, frozen=True):
    """A market, the label that must stand wherever it shows, and what its data was worth."""

    market: Market
    label: str
    quality: QualityReport | None


class Pace(msgspec.Struct, frozen=True):
    """Market seconds per real second (None: flat out), after so many bars flat out."""

    speed: float | None
    fast_forward: int = 0


class FileOptions(msgspec.Struct, frozen=True):
    """How a recorded file is to be read; empty texts are inferred from the file."""

    overrides: Overrides = Overrides()
    ignore_unknown: bool = False


BATCH = 64
"""Bars a synthetic batch: small enough that making one is a fair sample of the data pipeline's latency."""


class MeasuredFeed(WrappedFeed):
    """The same feed, telling how long each batch took to come."""

    def __init__(self, feed: Feed, record: Callable[[int], None]) -> None:
        super().__init__(feed)
        self._record = record

    def batches(self, start: int) -> Iterator[Bars]:
        """The batches of the feed inside, each measured in nanoseconds."""
        source = self._feed.batches(start)
        while True:
            began = monotonic_ns()
            batch = next(source, None)
            if batch is None:
                return
            self._record(monotonic_ns() - began)
            yield batch


def open_synthetic(settings: SyntheticSettings, length: int | None = None) -> OpenedMarket:
    """The synthetic market of the settings; without end unless ``length`` 1-minute bars are asked for."""
    feed = SyntheticFeed(settings.seed, length=length, batch=BATCH, planted_strength=settings.planted_strength)
    return OpenedMarket(Market(feed.instrument, feed.timeframe, feed), "SYNTHETIC", None)


def open_file(path: Path, options: FileOptions) -> OpenedMarket:
    """A recorded file; `DataError` where it can't be used."""
    feed = ReplayFeed.open(path, overrides=options.overrides, ignore_unknown=options.ignore_unknown)
    label = "SYNTHETIC" if feed.synthetic else "REPLAY"
    return OpenedMarket(Market(feed.instrument, feed.timeframe, feed), label, feed.report)


def paced(opened: OpenedMarket, pace: Pace, wait: Waiter, record: Callable[[int], None]) -> Market:
    """The same market at a pace; ``record`` hears how long each batch of the feed took, in nanoseconds."""
    market = opened.market
    measured = MeasuredFeed(market.feed, record)
    feed = PacedFeed(measured, pace.speed, wait, monotonic_ns, pace.fast_forward)
    return msgspec.structs.replace(market, feed=feed)

"""Opens the market that was asked for: the built-in synthetic one, or a recorded file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from smc_trading_agent.data_pipeline.instruments import Overrides
from smc_trading_agent.data_pipeline.pacing import PacedFeed, Waiter
from smc_trading_agent.data_pipeline.quality import QualityReport
from smc_trading_agent.data_pipeline.replay import ReplayFeed
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.domain.settings import SyntheticSettings
from smc_trading_agent.runtime.assembly import Market


class OpenedMarket(msgspec.Struct, frozen=True):
    """A market, the label that must stand wherever it shows, and what its data was worth."""

    market: Market
    label: str
    quality: QualityReport | None


class FileOptions(msgspec.Struct, frozen=True):
    """How a recorded file is to be read; empty texts are inferred from the file."""

    overrides: Overrides = Overrides()
    ignore_unknown: bool = False


def open_synthetic(settings: SyntheticSettings, length: int | None = None) -> OpenedMarket:
    """The synthetic market of the settings; without end unless ``length`` 1-minute bars are asked for."""
    feed = SyntheticFeed(settings.seed, length=length, planted_strength=settings.planted_strength)
    return OpenedMarket(Market(feed.instrument, feed.timeframe, feed), "SYNTHETIC", None)


def open_file(path: Path, options: FileOptions) -> OpenedMarket:
    """A recorded file; `DataError` where it can't be used."""
    feed = ReplayFeed.open(path, overrides=options.overrides, ignore_unknown=options.ignore_unknown)
    label = "SYNTHETIC" if feed.synthetic else "REPLAY"
    return OpenedMarket(Market(feed.instrument, feed.timeframe, feed), label, feed.report)


def paced(
    opened: OpenedMarket, speed: float | None, fast_forward: int, wait: Waiter, clock: Callable[[], int]
) -> Market:
    """The same market at ``speed`` market seconds per second (None: flat out), after ``fast_forward`` bars flat out."""
    market = opened.market
    return msgspec.structs.replace(market, feed=PacedFeed(market.feed, speed, wait, clock, fast_forward))

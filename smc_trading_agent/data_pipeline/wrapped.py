"""A feed around another feed: the same market, handed out differently."""

from __future__ import annotations

from smc_trading_agent.domain.ports import Feed


class WrappedFeed:
    """What every wrapper answers as the feed inside does; `batches` is the wrapper's own."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    @property
    def market(self) -> str:
        """The market of the feed inside: wrapping changes no bar."""
        return self._feed.market

    @property
    def synthetic(self) -> bool:
        """Whether the feed inside is synthetic."""
        return self._feed.synthetic

    @property
    def total_bars(self) -> int | None:
        """Number of bars of the feed inside."""
        return self._feed.total_bars

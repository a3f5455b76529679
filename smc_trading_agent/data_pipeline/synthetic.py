"""The embedded market: seeded bars that were never traded, labelled so, resumable at any bar."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from smc_trading_agent._core import Bars, Instrument, SyntheticMarket
from smc_trading_agent.data_pipeline.instruments import SYNTHETIC, instrument_named
from smc_trading_agent.domain.errors import ConfigError, DataError

BATCH = 4_096
SNAPSHOT_EVERY = 65_536  # bars between kept snapshots: a resume skips at most this many
START_TIME = 1_704_067_200_000_000_000  # 2024-01-01 00:00 UTC
TIMEFRAME = "1m"
SYMBOL = "SYNUSDT"  # no venue lists it


class SyntheticFeed:
    """A `Feed` of 1-minute bars from `SyntheticMarket`; never-ending unless ``length`` is given.

    The same seed, start, instrument and ``planted_strength`` (how strong its one documented tendency is; 0
    leaves no edge) give the same bars, wherever reading starts. Snapshots of the market are kept in memory
    as it is read, so that going back costs little.
    """

    def __init__(
        self,
        seed: int,
        *,
        instrument: Instrument | None = None,
        start_time: int = START_TIME,
        length: int | None = None,
        planted_strength: float = 1.0,
        batch: int = BATCH,
    ) -> None:
        if batch < 1:
            raise DataError(f"batch {batch} is no number of bars; give 1 or more")
        if length is not None and length < 1:
            raise DataError(f"length {length} is no number of bars; give 1 or more, or none for a market without end")
        self._seed = seed
        self._start_time = start_time
        self._length = length
        self._planted_strength = planted_strength
        self._batch = batch
        self.instrument = instrument or instrument_named(SYNTHETIC, SYMBOL)
        try:
            config = msgspec.json.encode({"planted_strength": planted_strength}).decode()
            market = SyntheticMarket(self.instrument, seed, start_time, config)
        except (ValueError, OverflowError) as error:
            raise ConfigError(
                f"no synthetic market has seed {seed}, start time {start_time} and planted strength "
                f"{planted_strength}: {error}; a seed is a whole number from 0 on"
            ) from error
        self._snapshots = {0: market.snapshot()}

    @property
    def market(self) -> str:
        """``synthetic seed=<seed> planted=<strength> start=<ns> <symbol> tick=<tick> lot=<lot>``."""
        made = f"seed={self._seed} planted={float(self._planted_strength)!r} start={self._start_time}"
        traded = self.instrument
        return f"synthetic {made} {traded.symbol} tick={traded.tick_size} lot={traded.lot_size}"

    @property
    def synthetic(self) -> bool:
        """Always true: these prices were made."""
        return True

    @property
    def timeframe(self) -> str:
        """The timeframe of the bars handed out."""
        return TIMEFRAME

    @property
    def total_bars(self) -> int | None:
        """The length, None for a market without end."""
        return self._length

    def batches(self, start: int) -> Iterator[Bars]:
        """The bars from the ``start``-th on; `DataError` when it lies outside the market's length."""
        if start < 0 or (self._length is not None and start > self._length):
            raise DataError(f"the synthetic market has {self._length} bars; it can't be resumed at bar {start}")
        return self._generate(start)

    def _generate(self, start: int) -> Iterator[Bars]:
        nearest = max(made for made in list(self._snapshots) if made <= start)
        market = SyntheticMarket.from_snapshot(self._snapshots[nearest])
        while market.bars_made < start:
            self._advance(market, start)
        while self._length is None or market.bars_made < self._length:
            yield self._advance(market, self._length)

    def _advance(self, market: SyntheticMarket, limit: int | None) -> Bars:
        """One batch, up to bar ``limit`` and to the next snapshot, which is kept when it is reached."""
        to_snapshot = SNAPSHOT_EVERY - market.bars_made % SNAPSHOT_EVERY
        to_limit = self._batch if limit is None else limit - market.bars_made
        bars = market.next_bars(min(self._batch, to_snapshot, to_limit))
        if market.bars_made % SNAPSHOT_EVERY == 0:
            self._snapshots.setdefault(market.bars_made, market.snapshot())
        return bars

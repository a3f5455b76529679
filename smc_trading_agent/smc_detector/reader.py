"""The detector as a stage: base bars in, structure up to each close of the decision timeframe out."""

from __future__ import annotations

import json
from collections.abc import Sequence

from smc_trading_agent._core import Analyzer, Bars, Instrument, Step, Zone, timeframe_ns
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.settings import StructureSettings


class MarketReader:
    """Several timeframes read at once by the Rust core; see `smc_trading_agent.domain.ports.StructureReader`."""

    def __init__(self, instrument: Instrument, base_timeframe: str, settings: StructureSettings) -> None:
        """Raises `ConfigError` when the timeframes don't fit together or a detector setting is unknown."""
        decision = settings.decision_timeframe
        if timeframe_ns(decision) % timeframe_ns(base_timeframe):
            raise ConfigError(
                f"structure.decision_timeframe {decision} can't be built from {base_timeframe} bars; "
                f"use a multiple of {base_timeframe}, or finer data"
            )
        for context in settings.context_timeframes:
            if timeframe_ns(context) <= timeframe_ns(decision) or timeframe_ns(context) % timeframe_ns(decision):
                raise ConfigError(
                    f"structure.context_timeframes holds {context}, which is not a larger multiple of the decision "
                    f"timeframe {decision}; use one that is, such as 4 times it"
                )
        try:
            self._analyzer = Analyzer(
                instrument, base_timeframe, decision, list(settings.context_timeframes), json.dumps(settings.detector)
            )
        except ValueError as error:
            raise ConfigError(f"structure.detector: {error}") from error

    @property
    def timeframes(self) -> Sequence[str]:
        """Decision timeframe first, then the context timeframes."""
        return self._analyzer.timeframes

    def advance(self, bars: Bars, start: int) -> Step:
        """Consumes bars from index ``start`` until the decision timeframe closes, or all of them."""
        return self._analyzer.advance(bars, start)

    def zones(self, timeframe: str) -> list[Zone]:
        """Live order blocks, fair value gaps and liquidity pools."""
        return self._analyzer.zones(timeframe)

    def bias(self, timeframe: str, scope: str) -> int:
        """Running bias of ``scope`` (internal or swing): +1, -1, or 0 before the first break."""
        return self._analyzer.bias(timeframe, scope)

    def dealing_range(self, timeframe: str) -> tuple[int, int] | None:
        """(low, high) in ticks of the present dealing range."""
        return self._analyzer.dealing_range(timeframe)

    def atr(self, timeframe: str) -> float:
        """Wilder's average true range over 14 bars, in ticks; NaN before warm-up."""
        return self._analyzer.atr(timeframe)

    def features(self) -> tuple[float, ...]:
        """The feature vector as of the last decision close; columns in `FEATURE_NAMES`."""
        return tuple(self._analyzer.features().tolist())

    def snapshot(self) -> bytes:
        """The whole state."""
        return self._analyzer.snapshot()

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        self._analyzer = Analyzer.from_snapshot(data)

"""Replays a recorded file: every row passes one quality gate before the first bar is handed out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from smc_trading_agent._core import Bars, Instrument, QualityGate
from smc_trading_agent.data_pipeline.files import CandleTable, MarketFile, read_market_file
from smc_trading_agent.data_pipeline.instruments import Overrides, checked_timeframe, instrument_of, timeframe_of
from smc_trading_agent.data_pipeline.quality import QualityReport, report_of
from smc_trading_agent.data_pipeline.trades import bars_of_trades
from smc_trading_agent.domain.errors import DataError

BATCH = 4_096
MAX_REJECTED = 0.05


class ReplayFeed:
    """A `Feed` over one file; the same bars from any start, whatever the batch size.

    ``market`` names the file, the hash of its bytes and how it was read, so that a state can't be resumed
    on another tape, or on the same tape read differently.
    """

    def __init__(
        self, file: MarketFile, instrument: Instrument, bars: Bars, report: QualityReport, batch: int = BATCH
    ) -> None:
        if batch < 1:
            raise DataError(f"batch {batch} is no number of bars; give 1 or more")
        self._file = file
        self._bars = bars
        self._batch = batch
        self.instrument = instrument
        self.report = report

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        overrides: Overrides | None = None,
        base_timeframe: str = "1m",
        batch: int = BATCH,
        max_rejected: float = MAX_REJECTED,
        ignore_unknown: bool = False,
    ) -> ReplayFeed:
        """Reads and gates the whole file; ``base_timeframe`` is that of the bars built from a file of trades.

        Raises `DataError` as `read_market_file` does, when no bar is left, or when more than the share
        ``max_rejected`` of the rows was turned away.
        """
        overrides = overrides or Overrides()
        file = read_market_file(path, ignore_unknown=ignore_unknown)
        instrument = instrument_of(file, overrides)
        if isinstance(file.rows, CandleTable):
            timeframe = timeframe_of(path, file.rows.open_time, overrides.timeframe)
            bars, report = _admit(file, file.rows, instrument, timeframe)
        else:
            timeframe = checked_timeframe(overrides.timeframe or base_timeframe)
            bars, report = bars_of_trades(file, file.rows, instrument, timeframe)
        _refuse_unusable(report, max_rejected)
        return cls(file, instrument, bars, report, batch)

    @property
    def market(self) -> str:
        """``replay <file> <hash> <timeframe> tick=<tick> lot=<lot>``."""
        grids = f"tick={self.instrument.tick_size} lot={self.instrument.lot_size}"
        return f"replay {self._file.path.name} {self._file.content_hash} {self.timeframe} {grids}"

    @property
    def synthetic(self) -> bool:
        """Whether the file says of itself that its market was made, not recorded."""
        return self._file.labels.get("synthetic") == "true"

    @property
    def timeframe(self) -> str:
        """The timeframe of the bars handed out."""
        return self._bars.timeframe

    @property
    def total_bars(self) -> int:
        """Number of admitted bars."""
        return len(self._bars)

    def batches(self, start: int) -> Iterator[Bars]:
        """The bars from the ``start``-th on; nothing when ``start`` is the end, `DataError` beyond it."""
        if not 0 <= start <= len(self._bars):
            raise DataError(
                f"{self._file.path} has {len(self._bars):,} bars, so it can't be resumed at bar {start:,}; "
                "the state belongs to another tape"
            )
        return self._slices(start)

    def _slices(self, start: int) -> Iterator[Bars]:
        for position in range(start, len(self._bars), self._batch):
            yield self._bars.slice(position, min(position + self._batch, len(self._bars)))


def _admit(file: MarketFile, rows: CandleTable, instrument: Instrument, timeframe: str) -> tuple[Bars, QualityReport]:
    gate = QualityGate(instrument, timeframe)
    bars = gate.admit(
        rows.open_time, rows.open, rows.high, rows.low, rows.close, rows.volume, rows.taker_buy_volume, rows.trades
    )
    return bars, report_of(gate, str(file.path), instrument.key, timeframe, file.notes)


def _refuse_unusable(report: QualityReport, max_rejected: float) -> None:
    if report.rejected_rows > max_rejected * report.rows:
        raise DataError(
            f"{report.source}: {report.rejected_rows:,} of {report.rows:,} rows can't be used ({report.reasons()}), "
            f"more than the {max_rejected:.0%} allowed; {report.remedy()}"
        )
    if report.bars == 0:
        why = report.reasons() or "its trades do not reach the end of a single bar"
        raise DataError(
            f"{report.source}: no usable bar in {report.rows:,} rows ({why}); {report.remedy() or 'give more data'}"
        )

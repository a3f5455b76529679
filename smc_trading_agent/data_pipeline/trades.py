"""Bars of a base timeframe from a file of trades, with the trades that can't be used counted and named."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import Bars, Instrument, TradeBarBuilder, timeframe_ns
from smc_trading_agent.data_pipeline.files import MarketFile, TradeTable
from smc_trading_agent.data_pipeline.instruments import steps_of
from smc_trading_agent.data_pipeline.quality import KEPT, Gap, QualityReport, QuarantinedRow


def bars_of_trades(
    file: MarketFile, trades: TradeTable, instrument: Instrument, timeframe: str
) -> tuple[Bars, QualityReport]:
    """The bars that the admitted trades close, and the account of all of them.

    A trade is turned away when its price or quantity is no number ("nan"), not positive, off the tick grid
    or smaller than a lot, or when it is older than a trade before it ("out_of_order"). Identical trades are
    kept: one match can fill several orders. The last bar is left out, because no later trade closed it.
    """
    prices, on_grid = steps_of(trades.price, instrument.tick_size)
    lots, _ = steps_of(trades.quantity, instrument.lot_size)
    verdict = _verdicts(trades, prices, on_grid, lots)
    good = verdict == ""
    side = None if trades.taker_side is None else trades.taker_side[good]
    bars = TradeBarBuilder(timeframe).update(trades.time[good], prices[good], lots[good], side)
    gaps = _gaps(bars.columns()["open_time"], timeframe_ns(timeframe))
    bad = np.flatnonzero(~good)
    names, counts = np.unique(verdict[bad], return_counts=True)
    report = QualityReport(
        source=str(file.path),
        instrument=instrument.key,
        timeframe=timeframe,
        rows=len(trades.time),
        admitted=int(good.sum()),
        bars=len(bars),
        rejected={str(name): int(count) for name, count in zip(names, counts, strict=True)},
        gap_count=len(gaps),
        missing_bars=sum(gap.missing for gap in gaps),
        gaps=tuple(gaps[:KEPT]),
        quarantine=tuple(QuarantinedRow(int(row), int(trades.time[row]), str(verdict[row])) for row in bad[:KEPT]),
        notes=(*file.notes, f"{timeframe} bars are built from trades; the last, unfinished one is left out"),
    )
    return bars, report


def _verdicts(
    trades: TradeTable, prices: NDArray[np.int64], on_grid: NDArray[np.bool_], lots: NDArray[np.int64]
) -> NDArray[np.str_]:
    """The rejection name of each trade, "" for the good ones; the first that applies counts."""
    finite = np.isfinite(trades.price) & np.isfinite(trades.quantity)
    verdict = np.select(
        [~finite, trades.price <= 0, trades.quantity <= 0, ~on_grid | (prices <= 0), lots <= 0],
        ["nan", "non_positive_price", "non_positive_quantity", "off_tick_grid", "quantity_below_lot"],
        default="",
    ).astype("U24")
    candidates = np.flatnonzero(verdict == "")
    times = trades.time[candidates]
    if times.size:
        late = times < np.maximum.accumulate(times)
        verdict[candidates[late]] = "out_of_order"
    return verdict


def _gaps(open_times: NDArray[np.int64], length: int) -> list[Gap]:
    missing = np.diff(open_times) // length - 1
    return [Gap(int(open_times[at]), int(missing[at])) for at in np.flatnonzero(missing > 0)]

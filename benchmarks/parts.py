"""Single parts of the dense path, and the whole backtest, in bars a second."""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.rows import Row, rate_row, row_of
from smc_trading_agent._core import Analyzer, Bars, Detector, QualityGate
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.research.backtest import run_backtest
from smc_trading_agent.runtime.assembly import Market

NS = 1_000_000_000
RUNS = 5


def synthetic_bars(count: int) -> tuple[SyntheticFeed, Bars]:
    """One run of synthetic bars."""
    feed = SyntheticFeed(seed=11, length=count)
    return feed, Bars.concat(list(feed.batches(0)))


def measure_parts(count: int) -> list[Row]:
    """Gate, aggregation beside Polars, detector, and the whole backtest, over ``count`` bars."""
    feed, bars = synthetic_bars(count)
    return [
        _gate(feed, bars),
        _aggregation(feed, bars),
        *_detector(bars),
        rate_row("backtest, full path", "bars/s", _backtests(count), 1_000_000.0),
    ]


def _gate(feed: SyntheticFeed, bars: Bars) -> Row:
    columns = bars.columns()
    tick, lot = float(feed.instrument.tick_size), float(feed.instrument.lot_size)
    decimal = {
        name: (columns[name] * (lot if name == "volume" else tick)).astype(np.float64)
        for name in ("open", "high", "low", "close", "volume")
    }
    rates = []
    for _ in range(RUNS):
        began = monotonic_ns()
        admitted = QualityGate(feed.instrument, "1m").admit(
            columns["open_time"],
            decimal["open"],
            decimal["high"],
            decimal["low"],
            decimal["close"],
            decimal["volume"],
        )
        rates.append(len(admitted) * NS / (monotonic_ns() - began))
    return rate_row("quality gate, batch", "rows/s", np.array(rates))


def _aggregation(feed: SyntheticFeed, bars: Bars) -> Row:
    """1-minute bars to 15-minute bars, with structure read on both sides left out: ours also detects."""
    ours, theirs = [], []
    frame = pl.DataFrame(bars.columns()).with_columns(pl.from_epoch("open_time", time_unit="ns").alias("at"))
    for _ in range(RUNS):
        began = monotonic_ns()
        closes = _closed_by_analyzer(feed, bars)
        ours.append(len(bars) * NS / (monotonic_ns() - began))
        began = monotonic_ns()
        resampled = (
            frame.group_by_dynamic("at", every="15m")
            .agg(pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last())
            .get_column("close")
        )
        theirs.append(len(bars) * NS / (monotonic_ns() - began))
        if resampled[: len(closes)].to_list() != closes:
            raise RuntimeError("the analyzer's 15-minute closes differ from Polars'")
    return Row(
        name="1m to 15m bars with all structure read",
        unit="bars/s",
        n=RUNS,
        p50=float(np.median(ours)),
        max=max(ours),
        peer="polars resampling only",
        peer_p50=float(np.median(theirs)),
        ratio=float(np.median(ours) / np.median(theirs)),
    )


def _closed_by_analyzer(feed: SyntheticFeed, bars: Bars) -> list[int]:
    analyzer = Analyzer(feed.instrument, "1m", "15m", [])
    closes, position = [], 0
    while position < len(bars):
        step = analyzer.advance(bars, position)
        if step.decision_bar is not None:
            closes.append(step.decision_bar.close)
        position = step.end
    return closes


def _detector(bars: Bars) -> list[Row]:
    """One closed bar at a time, early and late in the history: the cost must not grow."""
    detector = Detector("1m")
    taken = np.empty(len(bars))
    for index in range(len(bars)):
        bar = bars[index]
        began = monotonic_ns()
        detector.update(bar)
        taken[index] = (monotonic_ns() - began) / 1_000.0
    third = len(bars) // 3
    first = row_of("detector, one closed bar, first third", "us", taken[1_000:third], 10.0)
    last = row_of("detector, one closed bar, last third", "us", taken[-third:], 10.0)
    return [first, last]


def _backtests(count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    rates = []
    for _ in range(3):
        feed = SyntheticFeed(seed=11, length=count)
        with SqliteJournal() as journal:
            result, _ = run_backtest(Market(feed.instrument, feed.timeframe, feed), Settings(), journal)
        rates.append(result.bars_per_second)
    return np.array(rates)

"""The other concepts beside pyvsmc's functions over NumPy columns, and the whole beside market-analyzer's analysis."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.detectors import TIMEFRAME, read_all
from benchmarks.peers import Unequal, peer, titled
from benchmarks.rows import Row, alternate, duel_row
from benchmarks.walk import Walk, random_walk
from smc_trading_agent._core import Detector
from smc_trading_agent.smc_detector.compat import HindsightWarning, smc

SEED = 7
SIZE = 5


def measure_vectorised(count: int, runs: int) -> list[Row]:
    """Over ``count`` bars; what both define alike is compared before it is timed."""
    walk = random_walk(count, SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HindsightWarning)
        return [*_beside_pyvsmc(walk, runs), _beside_market_analyzer(walk, runs)]


def _beside_pyvsmc(walk: Walk, runs: int) -> list[Row]:
    pyvsmc, bars = peer("pyvsmc"), walk.frame()
    high, low, close = walk.high, walk.low, walk.close
    _require_equal_gaps(smc.fvg(bars), pyvsmc.detect_fvg(high, low, compute_mitigation=True, close=close))

    def swings() -> Any:
        return smc.swing_highs_lows(bars, SIZE, causal=True)

    how = {"window_size": SIZE, "tie": "first"}
    blocks = {**how, "compute_mitigation": True}
    looks_ahead = "nearest equal concept: theirs uses swings before they are known, ours when they are"
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object], str]] = {
        "fair value gaps with mitigation": (
            lambda: smc.fvg(bars),
            lambda: pyvsmc.detect_fvg(high, low, compute_mitigation=True, close=close),
            "equal gaps and mitigations where the middle bar has the gap's direction, which only ours asks",
        ),
        "swings": (swings, lambda: pyvsmc.detect_swings(high, low, **how), looks_ahead),
        "structure": (
            lambda: smc.bos_choch(bars, swings(), causal=True),
            lambda: pyvsmc.detect_structure(high, low, close, **how),
            looks_ahead,
        ),
        "liquidity": (
            lambda: smc.liquidity(bars, swings(), causal=True),
            lambda: pyvsmc.detect_liquidity(high, low, close, **how),
            "nearest equal concept: ours pools of any number of swings and their sweep, theirs neighbouring pairs",
        ),
        "zones": (
            lambda: smc.retracements(bars, swings(), causal=True),
            lambda: pyvsmc.detect_zones(high, low, close, **how),
            "nearest equal concept: both say where in the range of the last swings the bar is",
        ),
        "order blocks with mitigation": (
            lambda: smc.ob(bars, swings(), causal=True),
            lambda: pyvsmc.detect_order_blocks(walk.open, high, low, close, **blocks),
            looks_ahead,
        ),
    }
    title, count = titled("pyvsmc"), len(walk.time)
    return [
        duel_row(f"{name}, {count:,} bars", "ms", *alternate(runs, ours, theirs), title, 1.0, note)
        for name, (ours, theirs, note) in pairs.items()
    ]


def _require_equal_gaps(ours: Any, theirs: Any) -> None:
    """Each of our gaps, on its middle bar, is theirs on the third, with the same edges and the same first touch."""
    side, top, bottom, touch = (ours[name].to_numpy(float) for name in ("FVG", "Top", "Bottom", "MitigatedIndex"))
    upper = np.where(theirs.bullish, theirs.bullish_upper, theirs.bearish_upper)
    lower = np.where(theirs.bullish, theirs.bullish_lower, theirs.bearish_lower)
    third = np.flatnonzero(~np.isnan(side)) + 1
    middle = third - 1
    same = (
        (np.where(theirs.bullish, 1, np.where(theirs.bearish, -1, 0))[third] == side[middle])
        & (upper[third] == top[middle])
        & (lower[third] == bottom[middle])
        & (np.maximum(theirs.mitigated_index[third], 0) == touch[middle])
    )
    if not same.all():
        raise Unequal(
            f"fair value gap on row {int(middle[~same][0])} differs from pyvsmc's, {int((~same).sum())} in all"
        )


def _beside_market_analyzer(walk: Walk, runs: int) -> Row:
    """Theirs reads two structures with order blocks, equal highs and lows, gaps and the range; ours everything."""
    analysis, frame, bars = peer("market_analyzer.smc_analysis"), walk.frame(), walk.bars(TIMEFRAME)

    def theirs() -> Any:
        concepts = analysis.SmartMoneyConcepts("walk", df=frame.copy(), print_details=False)
        concepts.fetch_ohlcv_sync()
        concepts.prepare_data()
        concepts.run_smc_analysis()
        return concepts

    _require_equal_breaks(walk, theirs().swing_breaks)
    name = f"whole analysis, {len(walk.time):,} bars"
    times = alternate(runs, lambda: read_all(bars), theirs)
    note = "equal swing breaks; ours reads every concept, theirs five"
    return duel_row(name, "ms", *times, titled("market-analyzer"), 1.0, note)


def _require_equal_breaks(walk: Walk, theirs: list[dict[str, Any]]) -> None:
    """Our breaks of swing structure are theirs, from our first on: they also take a pivot before the first leg."""
    step = int(walk.time[1] - walk.time[0])
    events = [event for event in Detector(TIMEFRAME).run(walk.bars(TIMEFRAME)) if event.scope == "swing"]
    broken = {
        ((event.confirmed_at - int(walk.time[0])) // step - 1, event.direction, event.low)
        for event in events
        if event.kind in ("bos", "choch")
    }
    first = min(row for row, _, _ in broken)
    expected = {
        (int(found["break_bar_index"]), 1 if found["direction"] == "bullish" else -1, round(found["price"] / walk.tick))
        for found in theirs
        if found["break_bar_index"] >= first
    }
    if broken != expected:
        raise Unequal(f"{len(broken ^ expected)} breaks of swing structure differ from market-analyzer's")

"""The drop-in beside the library whose place it takes, function by function; and how it scales."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.peers import Unequal, library, titled
from benchmarks.rows import Row, alternate, duel_row, scaling_row, time_row, took_each
from benchmarks.walk import random_walk
from smc_trading_agent.smc_detector.compat import HindsightWarning, smc

SEED = 7
EXPONENT = 1.05

CALLS: dict[str, Callable[..., Any]] = {
    "fvg": lambda module, bars, _, **how: module.fvg(bars, **how),
    "swing_highs_lows": lambda module, bars, _, **how: module.swing_highs_lows(bars, **how),
    "bos_choch": lambda module, bars, swings, **how: module.bos_choch(bars, swings, **how),
    "ob": lambda module, bars, swings, **how: module.ob(bars, swings, **how),
    "liquidity": lambda module, bars, swings, **how: module.liquidity(bars, swings, **how),
    "previous_high_low": lambda module, bars, _, **how: module.previous_high_low(bars, **how),
    "sessions": lambda module, bars, _, **how: module.sessions(bars, "London", **how),
    "retracements": lambda module, bars, swings, **how: module.retracements(bars, swings, **how),
}
"""Module, bars, swings, and causal or not; the rest is the library's default, a swing length of 50 for one."""

TARGETS = dict.fromkeys(CALLS, 1.0) | dict.fromkeys(("fvg", "bos_choch", "ob", "sessions", "retracements"), 50.0)
"""How many times faster than the library each must be."""


def measure_legacy(small: int, large: int, runs: int) -> list[Row]:
    """Each function over ``small`` bars beside the library's; time, its causal twin's at ``large``, exponents."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HindsightWarning)
        return [*_beside_the_library(small, runs), *_scaling(small, large, runs)]


def _beside_the_library(count: int, runs: int) -> Iterator[Row]:
    theirs, name = library(), titled("smartmoneyconcepts")
    bars = random_walk(count, SEED).frame()
    swings = theirs.swing_highs_lows(bars)
    for function, call in CALLS.items():
        require_equal(function, call(smc, bars, swings), call(theirs, bars, swings))
        ours_ns, theirs_ns = alternate(runs, partial(call, smc, bars, swings), partial(call, theirs, bars, swings))
        title = f"compat {function}, {count:,} bars"
        yield duel_row(title, "ms", ours_ns, theirs_ns, name, TARGETS[function], "equal outputs")


def _scaling(small: int, large: int, runs: int) -> Iterator[Row]:
    markets = {count: random_walk(count, SEED).frame() for count in (small, large)}
    for causal in (False, True):
        swings = {count: smc.swing_highs_lows(bars, causal=causal) for count, bars in markets.items()}
        for function, call in CALLS.items():
            medians = []
            for count, bars in markets.items():
                times = took_each(runs, partial(call, smc, bars, swings[count], causal=causal))
                medians.append((count, float(np.median(times))))
            title = f"compat {function}{', causal' if causal else ''}"
            yield time_row(f"{title}, {large:,} bars", "ms", times)
            yield scaling_row(f"{title}, {small:,} to {large:,} bars", medians[0], medians[1], runs, EXPONENT)


def require_equal(name: str, found: Any, expected: Any) -> None:
    """`Unequal`, naming the first column and row, unless two pandas frames hold the same columns, kinds and values."""
    if [*found.dtypes.items()] != [*expected.dtypes.items()]:
        raise Unequal(f"{name}: columns {dict(found.dtypes)} where {dict(expected.dtypes)} were expected")
    for column in expected.columns:
        ours, theirs = found[column].to_numpy(float), expected[column].to_numpy(float)
        differing = np.flatnonzero(~((ours == theirs) | (np.isnan(ours) & np.isnan(theirs))))
        if len(ours) != len(theirs) or differing.size:
            row = int(differing[0]) if differing.size else min(len(ours), len(theirs))
            raise Unequal(f"{name}: column {column} differs from row {row} on, in {differing.size} rows")

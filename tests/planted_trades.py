"""Trades whose results are known before they are played: flat bars, and a last bar that reaches target or stop."""

from __future__ import annotations

import numpy as np

from smc_trading_agent._core import FEATURE_NAMES, Bar, Bars
from smc_trading_agent.decision_engine.ensemble.inputs import (
    CONTEXT_COLUMNS,
    MIRROR,
    Normaliser,
    Scaling,
)
from smc_trading_agent.decision_engine.training.samples import Labels, Samples, Tape, Trades

F, C = len(FEATURE_NAMES), len(CONTEXT_COLUMNS)
BAR_NS = 60_000_000_000
PRICE, RISK, REWARD = 10_000, 100, 200
LIFE = 4
"""Bars from one setup to the next; the third after it decides."""
COST = 0.05
SIGNAL = FEATURE_NAMES.index("volume_ratio")
"""Its sign, at the close of the setup, tells how a planted trade ends; it reads the same from either side."""

# What `planted` takes: P(win) where the signal is positive, and where it is not.
PLANTED, NOISE = (0.8, 0.1), (0.35, 0.35)


def planted(count: int, wins: tuple[float, float], seed: int, markets: int = 1) -> tuple[Samples, Labels, Trades]:
    """``count`` trades on each market, sides at random; costs are the same wherever a trade is left."""
    chance = np.random.default_rng(seed)
    parts = [_market(count, wins, chance, market) for market in range(markets)]
    tapes = tuple(part[0] for part in parts)
    market = np.repeat(np.arange(markets), count)
    position, side, won = (np.concatenate([part[place] for part in parts]) for place in (1, 2, 3))
    n = len(side)
    ratio = REWARD / RISK
    even = (1.0 + COST) / (1.0 + ratio)
    raw = np.concatenate([tape.features[part[1]] for tape, part in zip(tapes, parts, strict=True)])
    mirrored = MIRROR.offset + MIRROR.sign * raw[:, MIRROR.index]
    own = np.tile([1.0, 0.0, ratio, 1.0, even, 1.0 / (1.0 + ratio)], (n, 1))
    context = np.column_stack([np.where(side[:, None] > 0, raw, mirrored), own])
    known_at = (position + 1) * BAR_NS
    samples = Samples(tapes, tuple(map(str, range(n))), context, market, position, side, known_at)
    start, end = known_at, known_at + 3 * BAR_NS
    labels = Labels(
        start=start,
        end=end,
        outcome=won * 1.0,
        net_return=np.where(won, ratio, -1.0) - COST,
        break_even=np.full(n, even),
        chance=np.full(n, 1.0 / (1.0 + ratio)),
        weight=np.ones(n),
    )
    entry = np.full(n, PRICE)
    trades = Trades(
        position + 1, entry, entry - side * RISK, entry + side * REWARD, end + 100 * BAR_NS, np.full(n, COST)
    )
    return samples, labels, trades


def as_they_are() -> Normaliser:
    """Leaves rows as they are, but for the clipping, and the setup's columns for those that say something."""
    return Normaliser(Scaling((0.0,) * C, (1.0,) * C), Scaling((0.0,) * F, (1.0,) * F))


def _market(
    count: int, wins: tuple[float, float], chance: np.random.Generator, market: int
) -> tuple[Tape, np.ndarray, np.ndarray, np.ndarray]:
    bars = LIFE * (count + 1)
    features = chance.normal(0.0, 1.0, (bars, F))
    position = LIFE * np.arange(count) + 1
    side = np.where(chance.random(count) < 0.5, 1, -1).astype(np.int64)
    won = chance.random(count) < np.where(features[position, SIGNAL] > 0.0, *wins)
    open_time = np.arange(bars, dtype=np.int64) * BAR_NS
    high, low = np.full(bars, PRICE + 1), np.full(bars, PRICE - 1)
    last = position + 3
    up = (won & (side > 0)) | (~won & (side < 0))
    far = np.where(won, REWARD, RISK) + 10
    high[last[up]] += far[up]
    low[last[~up]] -= far[~up]
    rows = zip(open_time.tolist(), high.tolist(), low.tolist(), strict=True)
    made = Bars.from_list("1m", [Bar(begun, begun + BAR_NS, PRICE, most, least, PRICE) for begun, most, least in rows])
    return Tape(f"test:M{market}", "1m", "0" * 64, made, features), position, side, won

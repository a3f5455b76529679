"""Samples for tests of training: tapes of random features, setups on them, and outcomes with a signal or without."""

from __future__ import annotations

from functools import cache

import numpy as np

from smc_trading_agent._core import FEATURE_NAMES, Bar, Bars
from smc_trading_agent.decision_engine.ensemble.inputs import CONTEXT_COLUMNS, MIRROR, Normaliser
from smc_trading_agent.decision_engine.training.expert import ExpertFitter
from smc_trading_agent.decision_engine.training.samples import Floats, Labels, Samples, Tape, Trades
from smc_trading_agent.decision_engine.training.tail import purged_blocks

F, C = len(FEATURE_NAMES), len(CONTEXT_COLUMNS)
BAR_NS = 900_000_000_000
HELD = 6
"""Bars that a label lives."""
SIGNAL = FEATURE_NAMES.index("volume_ratio")
DIRECTION = FEATURE_NAMES.index("return_4")


@cache
def bars(count: int) -> Bars:
    """Flat bars of 15 minutes."""
    return Bars.from_list("15m", [Bar(i * BAR_NS, (i + 1) * BAR_NS, 100, 100, 100, 100) for i in range(count)])


def tape(count: int, seed: int) -> Tape:
    """Independent normal features on flat bars."""
    features = np.random.default_rng(seed).normal(0.0, 1.0, (count, F))
    return Tape(f"test:M{seed}", "15m", f"{seed:064d}", bars(count), features)


def samples(count: int, every: int, markets: int = 1, seed: int = 1) -> Samples:
    """A setup every ``every`` bars of each market, sides and kinds at random, reward over risk between 1 and 3."""
    chance = np.random.default_rng(seed)
    tapes = tuple(tape(count, 100 * seed + market) for market in range(markets))
    position = np.tile(np.arange(every, count - HELD - 1, every), markets)
    market = np.repeat(np.arange(markets), len(position) // markets)
    n = len(position)
    side = np.where(chance.random(n) < 0.5, 1, -1)
    raw = np.stack([tapes[m].features[p] for m, p in zip(market, position, strict=True)])
    mirrored = MIRROR.offset + MIRROR.sign * raw[:, MIRROR.index]
    reward = chance.uniform(1.0, 3.0, n)
    reversal = (chance.random(n) < 0.5) * 1.0
    own = [reversal, 1.0 - reversal, reward, chance.uniform(0.5, 2.0, n), 1.1 / (1.0 + reward), 1.0 / (1.0 + reward)]
    context = np.column_stack([np.where(side[:, None] > 0, raw, mirrored), *own])
    known_at = (position + 1) * BAR_NS
    order = np.argsort(known_at, kind="stable")
    made = Samples(tapes, tuple(f"s{i}" for i in range(n)), context, market, position, side.astype(np.int64), known_at)
    return made.take(order)


def labels(given: Samples, tilt: np.ndarray, seed: int = 1_001) -> Labels:
    """Outcomes won with the log-odds of chance plus ``tilt`` (n,); every tenth ends half way."""
    chance = np.random.default_rng(seed)
    fair = given.context[:, CONTEXT_COLUMNS.index("chance")]
    p = 1.0 / (1.0 + np.exp(-(np.log(fair / (1.0 - fair)) + tilt)))
    outcome = (chance.random(len(given)) < p) * 1.0
    outcome[::10] = 0.5 * outcome[::10] + 0.5 * p[::10]
    return Labels(
        start=given.known_at,
        end=given.known_at + HELD * BAR_NS,
        outcome=outcome,
        net_return=outcome / fair - 1.05,
        break_even=1.1 * fair,
        chance=fair,
        weight=chance.uniform(0.5, 1.0, len(given)),
    )


def trades(given: Samples) -> Trades:
    """Brackets around the flat price; nothing steps through them here."""
    n = len(given)
    return Trades(
        first_bar=given.position + 1,
        entry=np.full(n, 100),
        stop=100 - 10 * given.side,
        target=100 + 20 * given.side,
        deadline=given.known_at + HELD * BAR_NS,
        cost=np.full(n, 0.05),
    )


def context_tilt(given: Samples, strength: float = 1.2) -> np.ndarray:
    """A signal in the context row."""
    return strength * given.context[:, SIGNAL]


def memory_tilt(given: Samples, strength: float = 1.5, span: int = 8) -> np.ndarray:
    """A signal in the past of the stream only: the mean direction of the bars before the last, seen from the side."""
    means = [
        given.tapes[m].features[max(p - span, 0) : p, DIRECTION].mean() * np.sqrt(span)
        for m, p in zip(given.market, given.position, strict=True)
    ]
    return strength * given.side * np.array(means)


def excess_loss(log_odds: np.ndarray, given: Labels) -> float:
    """Mean cross-entropy beyond that of chance; below 0 is better than chance."""

    def loss(scores: np.ndarray) -> np.ndarray:
        return np.logaddexp(0.0, scores) - given.outcome * scores

    return float((loss(log_odds) - loss(np.log(given.chance / (1.0 - given.chance)))).mean())


def cross_fitted(
    fitter: ExpertFitter,
    samples: Samples,
    labels: Labels,
    trades: Trades,
    normaliser: Normaliser,
    seed: int,
    blocks: int,
) -> Floats:
    """Log-odds (n,) of a fold's training rows, each from a fit on the rows apart in time from its block.

    NaN where a block leaves no row.
    """
    found = np.full(len(samples), np.nan)
    for apart, block in purged_blocks(samples, labels, blocks):
        if len(apart):
            expert = fitter(samples.take(apart), labels.take(apart), trades.take(apart), normaliser, seed)
            found[block] = expert.log_odds(samples.take(block))
    return found

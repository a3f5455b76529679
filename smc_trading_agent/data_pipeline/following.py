"""A synthetic market that moves with another one: what takes two instruments to be seen needs two of a kind."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import Bar, Bars
from smc_trading_agent.domain.errors import ConfigError

SYMBOL = "SYN2USDT"  # no venue lists it
PRICES = ("open", "high", "low", "close")


def following(leader: Bars, own: Bars, correlation: float) -> Bars:
    """Bars at the times and with the volumes of ``own``, whose prices move with ``leader`` as the correlation says.

    Every price is counted from the close before, as a share of it; the new bar's is ``correlation`` times the leader's
    plus sqrt(1 - correlation^2) times its own. Of two independent markets of equal volatility this keeps the volatility
    and gives returns of that correlation; weights are not negative, so highs stay highest. Rounded to ticks in the end.
    `ConfigError` for a correlation outside 0 to 1, and for bars that don't open together.
    """
    if not 0.0 <= correlation <= 1.0:
        raise ConfigError(f"--correlation is {correlation:g}; give a number from 0 to 1")
    columns = own.columns()
    if not np.array_equal(leader.columns()["open_time"], columns["open_time"]):
        raise ConfigError("a market follows another whose bars open at the same times; give it the same length")
    weight = math.sqrt(1.0 - correlation * correlation)
    moves = {name: correlation * _moves(leader, name) + weight * _moves(own, name) for name in PRICES}
    closes = columns["open"][:1].sum() * np.cumprod(1.0 + moves["close"])
    before = np.concatenate([columns["open"][:1].astype(float), closes[:-1]])
    prices = [np.maximum(1, np.rint(before * (1.0 + moves[name]))).astype(np.int64).tolist() for name in PRICES]
    rest = [columns[name].tolist() for name in ("volume", "taker_buy_volume", "trades")]
    times = [columns[name].tolist() for name in ("open_time", "close_time")]
    return Bars.from_list(own.timeframe, [Bar(*row) for row in zip(*times, *prices, *rest, strict=True)])


def _moves(bars: Bars, name: str) -> NDArray[np.float64]:
    """A price of each bar as a share of the close before it, less one; the first bar's is counted from its open."""
    columns = bars.columns()
    before = np.concatenate([columns["open"][:1], columns["close"][:-1]])
    return np.asarray(columns[name] / before - 1.0, dtype=np.float64)

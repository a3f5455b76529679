"""Findings as a training run of five experts would make them: drawn from a seed, consistent with each other."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import msgspec
import numpy as np

from smc_trading_agent.research.training.findings import (
    Findings,
    FoldFacts,
    ForecastScore,
    GateLine,
    Interval,
    MarketFacts,
    PairedTest,
    PathFacts,
    PlaceboFacts,
    ReliabilityBin,
    TradingFacts,
)

START = 1_690_848_000_000_000_000
QUARTER_HOUR = 900 * 1_000_000_000
BARS = 52_000
EXPERTS = ("logistic", "lightgbm", "lstm", "transformer", "ppo")


def market(symbol: str, digit: str, setups: int) -> MarketFacts:
    return MarketFacts(
        file=f"{symbol}-15m-2023-08_2025-01.csv.gz",
        sha256=f"{digit}3f9{symbol.encode().hex()}".ljust(64, digit)[:64],
        instrument=f"binance_usdm:{symbol}",
        timeframe="15m",
        bars=BARS,
        first=START,
        last=START + BARS * QUARTER_HOUR,
        setups=setups,
        unfilled=setups // 5,
        labels=setups - setups // 5,
        label="REPLAY",
    )


def reliability(seed: int) -> tuple[ReliabilityBin, ...]:
    chance = np.random.default_rng(seed)
    forecasts = np.linspace(0.19, 0.47, 10)
    outcomes = np.clip(0.06 + 0.82 * forecasts + chance.normal(0.0, 0.012, 10), 0.0, 1.0)
    counts = (60 + 420 * np.exp(-(((forecasts - 0.31) / 0.07) ** 2))).astype(int)
    half = 1.96 * np.sqrt(outcomes * (1.0 - outcomes) / counts)
    return tuple(
        ReliabilityBin(float(f), float(o), int(n), float(o - h), float(o + h))
        for f, o, n, h in zip(forecasts, outcomes, counts, half, strict=True)
    )


def score(name: str, log_loss: float, seed: int, seeded: bool = True) -> ForecastScore:
    spread = np.random.default_rng(seed).normal(0.0, 0.0011, 3)
    by_seed = {str(index + 1): float(log_loss + offset) for index, offset in enumerate(spread)}
    return ForecastScore(name, log_loss, 0.6218, 0.2143, 0.0187, 0.0162, reliability(seed), by_seed if seeded else {})


def path(number: int, drift: float) -> PathFacts:
    chance = np.random.default_rng(100 + number)
    trades = 260 + 9 * number
    won = chance.random(trades) < 0.31 + drift
    returns = np.where(won, chance.uniform(1.5, 3.2, trades), -1.0) - 0.08
    times = np.sort(chance.integers(START, START + BARS * QUARTER_HOUR, trades))
    equity = tuple(accumulate(returns.tolist()))
    fall = float(np.max(np.maximum.accumulate(equity) - np.array(equity)))
    doubled = float(equity[-1]) - 0.08 * trades
    sharpe = float(returns.mean() / returns.std() * np.sqrt(200.0))
    return PathFacts(number, trades, float(equity[-1]), doubled, sharpe, fall, tuple(times.tolist()), equity)


def fold(number: int) -> FoldFacts:
    chance = np.random.default_rng(200 + number)
    return FoldFacts(
        f"cpcv-{number:02}",
        2_900 + int(chance.integers(0, 90)),
        1_420 + int(chance.integers(0, 60)),
        0.6171 + float(chance.normal(0.0, 0.004)),
        0.021 + float(chance.uniform(0.0, 0.015)),
        int(chance.integers(60, 150)),
        float(chance.normal(0.01, 0.06)),
    )


def gate() -> tuple[GateLine, ...]:
    return (
        GateLine("Deflated Sharpe ratio", "0.412", "at least 0.950", False),
        GateLine("Probability of backtest overfitting", "0.371", "at most 0.200", False),
        GateLine("Median path at doubled costs", "−18.40 R", "above 0 R", False),
        GateLine("Calibration error", "0.019", "at most 0.030", True),
        GateLine("Largest trade's share of the profit", "11.2 %", "at most 30.0 %", True),
        GateLine("Leaks found", "0", "0", True),
    )


def placebos() -> tuple[PlaceboFacts, ...]:
    return (
        PlaceboFacts("shuffled labels", "log-loss no better than chance", "0.6219 against 0.6218", True),
        PlaceboFacts("lagged entry", "no gain over the real entry", "−0.041 R a trade", True),
        PlaceboFacts("random entry, same exits", "expectancy not above 0", "−0.078 R a trade (−0.11 to −0.05)", True),
        PlaceboFacts("planted leak", "the audit names the column", "planted_future_return was named", True),
    )


def realistic(**changes: Any) -> Findings:
    """No edge after costs on two markets; ``changes`` replace fields."""
    found = Findings(
        run="2025-01-31-a41c",
        made_at=1_738_330_980_000_000_000,
        command="smc-agent train --data BTCUSDT-15m-2023-08_2025-01.csv.gz --data ETHUSDT-15m-2023-08_2025-01.csv.gz "
        "--timeframe 15m --seeds 1,2,3 --out bundles",
        commit="21ef81a0c4b8e6f2d7a9b1c3e5f708192a3b4c5d",
        seconds=412.6,
        seeds=(1, 2, 3),
        settings={"decision.time_limit_bars": "96", "decision.min_reward_risk": "1.5", "cpcv.groups": "6"},
        markets=(market("BTCUSDT", "a", 2_710), market("ETHUSDT", "b", 2_844)),
        baseline=Interval(-0.0613, -0.0942, -0.0287),
        win_share=0.3121,
        mean_break_even=0.3367,
        experts=tuple(score(name, 0.6184 + 0.0011 * index, index) for index, name in enumerate(EXPERTS)),
        ensemble=score("ensemble", 0.6171, 9, seeded=False),
        weights={"logistic": 0.241, "lightgbm": 0.262, "lstm": 0.204, "transformer": 0.193, "ppo": 0.1},
        paired=PairedTest("logistic", -0.0013, -1.31, 0.1903),
        folds=tuple(fold(number) for number in range(15)),
        paths=tuple(path(number, 0.012 * (number - 2)) for number in range(5)),
        trading=TradingFacts(4_444, 1_390, Interval(0.0084, -0.0391, 0.0562), 0.634, 0.412, 23, 345, 0.371, 0.112),
        conformal_coverage=0.914,
        placebos=placebos(),
        leaks=(),
        gate=gate(),
        verdict="No edge after costs: a chosen trade made +0.008 R (−0.039 to +0.056), which can't be told from 0.",
        bundle="b0123456789abcdef0123",
    )
    return msgspec.structs.replace(found, **changes)


def bare(**changes: Any) -> Findings:
    """A run that came to next to nothing: no expert, fold, path or trade, and nothing that could be measured."""
    nan = float("nan")
    empty = ForecastScore("ensemble", nan, nan, nan, nan, nan, ())
    found = realistic(
        markets=(),
        baseline=Interval(nan, nan, nan),
        win_share=nan,
        mean_break_even=nan,
        experts=(),
        ensemble=empty,
        weights={},
        paired=PairedTest("nobody", nan, nan, nan),
        folds=(),
        paths=(),
        trading=TradingFacts(0, 0, None, None, None, 0, 0, None, None),
        conformal_coverage=nan,
        placebos=(),
        gate=(),
        settings={},
        seeds=(),
        bundle="",
        verdict="",
    )
    return msgspec.structs.replace(found, **changes)

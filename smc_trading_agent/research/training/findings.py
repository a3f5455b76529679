"""What a training run found, as numbers: the file ``findings.json``; card and report are drawn from it alone.

Returns are in R, the risk of a trade, after costs, unless a name says otherwise. Intervals are 95 %.
"""

from __future__ import annotations

import msgspec


class Interval(msgspec.Struct, frozen=True):
    """An estimate with the bounds of its 95 % interval (stationary block bootstrap)."""

    value: float
    low: float
    high: float


class MarketFacts(msgspec.Struct, frozen=True):
    """One data file, and what was found in it. Times in ns; ``timeframe`` and ``bars`` are those of decisions.

    ``label`` is REPLAY or SYNTHETIC, empty where not told.
    """

    file: str
    sha256: str
    instrument: str
    timeframe: str
    bars: int
    first: int
    last: int
    setups: int
    unfilled: int
    labels: int
    label: str = ""


class ReliabilityBin(msgspec.Struct, frozen=True):
    """Forecasts of one bin: their mean, the mean outcome, how many, and the 95 % interval of the outcome."""

    forecast: float
    outcome: float
    count: int
    low: float
    high: float


class ForecastScore(msgspec.Struct, frozen=True):
    """Out-of-fold forecasts of one expert or of the ensemble; losses in nats a label.

    ``calibration_error`` is the expected one; ``calibration_noise`` what a perfectly calibrated forecaster would show
    on as many labels. ``by_seed`` is the log-loss of each seed's fits, empty where seeds were pooled.
    """

    name: str
    log_loss: float
    chance_log_loss: float
    brier: float
    calibration_error: float
    calibration_noise: float
    reliability: tuple[ReliabilityBin, ...]
    by_seed: dict[str, float] = {}


class PairedTest(msgspec.Struct, frozen=True):
    """Log-loss of the ensemble less that of the best single expert (Diebold-Mariano), in nats; below 0 is better.

    ``p_value`` is two-sided.
    """

    rival: str
    difference: float
    statistic: float
    p_value: float


class FoldFacts(msgspec.Struct, frozen=True):
    """One split of the cross-validation; means over the seeds."""

    fold: str
    train: int
    test: int
    log_loss: float
    calibration_error: float
    traded: int
    mean_return: float


class PathFacts(msgspec.Struct, frozen=True):
    """One full path through all groups. ``equity`` is the sum of returns in R after each trade, ``times`` the ends."""

    path: int
    trades: int
    total_return: float
    total_return_double_costs: float
    sharpe: float
    max_drawdown: float
    times: tuple[int, ...]
    equity: tuple[float, ...]


class TradingFacts(msgspec.Struct, frozen=True):
    """What was traded by the policy on out-of-fold forecasts, over all paths. None where there were too few trades."""

    setups: int
    traded: int
    expectancy: Interval | None
    probabilistic_sharpe: float | None
    deflated_sharpe: float | None
    trials: int
    fits: int
    overfitting_probability: float | None
    largest_trade_share: float | None


class PlaceboFacts(msgspec.Struct, frozen=True):
    """A trial that must fail. ``expected`` and ``found`` are sentences; ``passed`` where it failed as it must."""

    name: str
    expected: str
    found: str
    passed: bool


class GateLine(msgspec.Struct, frozen=True):
    """One condition for going live: what was found, the limit, and whether it holds."""

    condition: str
    found: str
    limit: str
    passed: bool


class Findings(msgspec.Struct, frozen=True):
    """Everything that card and report say. ``baseline`` is every setup traded, without any model."""

    run: str
    made_at: int
    command: str
    commit: str
    seconds: float
    seeds: tuple[int, ...]
    settings: dict[str, str]
    markets: tuple[MarketFacts, ...]
    baseline: Interval
    win_share: float
    mean_break_even: float
    experts: tuple[ForecastScore, ...]
    ensemble: ForecastScore
    weights: dict[str, float]
    paired: PairedTest
    folds: tuple[FoldFacts, ...]
    paths: tuple[PathFacts, ...]
    trading: TradingFacts
    conformal_coverage: float
    placebos: tuple[PlaceboFacts, ...]
    leaks: tuple[str, ...]
    gate: tuple[GateLine, ...]
    verdict: str
    bundle: str = ""

"""What the policy would have traded on forecasts out of fold, and what is left of it after costs and after doubt.

Returns are in R. A path is one way through all groups of time; where a figure is of all paths, each label counts by
the share of the paths that traded it. Sharpe ratios are per day: returns are added up by the UTC day of the exit, days
without one are 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from smc_trading_agent.decision_engine.training.samples import Floats, Integers, Labels, Trades
from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.bootstrap import Resampling, expectancy_interval, mean_interval
from smc_trading_agent.research.statistics.calibration_error import calibration_error
from smc_trading_agent.research.statistics.overfitting import overfitting_probability
from smc_trading_agent.research.statistics.sharpe import deflated_sharpe, sharpe_ratio
from smc_trading_agent.research.statistics.splits import Split
from smc_trading_agent.research.statistics.trials import TrialCounts
from smc_trading_agent.research.training.findings import FoldFacts, Interval, PathFacts, TradingFacts
from smc_trading_agent.research.training.judging import Judged, Mask
from smc_trading_agent.research.training.scores import as_events, bins_of, losses

DAY = 86_400_000_000_000
FEW_TRADES = 20
"""Below this many trades over all paths nothing is estimated of them."""
PBO_BLOCKS = 10


def baseline(labels: Labels, resampling: Resampling) -> Interval:
    """Every setup traded, without any model."""
    found = mean_interval(labels.net_return, resampling)
    return Interval(found.estimate, found.low, found.high)


def fold_facts(split: Split, judged: Judged, labels: Labels) -> FoldFacts:
    """One split of the cross-validation."""
    rows = labels.take(split.test)
    chosen = judged.taken
    return FoldFacts(
        fold=f"cpcv-{'.'.join(map(str, split.groups))}",
        train=len(split.train),
        test=len(split.test),
        log_loss=float(losses(judged.probability, rows.outcome).mean()),
        calibration_error=calibration_error(*as_events(judged.probability, rows.outcome), bins_of(len(rows))),
        traded=int(chosen.sum()),
        mean_return=float(rows.net_return[chosen].mean()) if chosen.any() else 0.0,
    )


def path_facts(path: int, chosen: Mask, labels: Labels, trades: Trades) -> PathFacts:
    """One path (n,); doubled costs take another round trip of a maker's entry and a taker's exit from each trade."""
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(labels.end[rows], kind="stable")]
    returns = labels.net_return[rows]
    equity = np.cumsum(returns)
    fallen = np.maximum.accumulate(np.concatenate([[0.0], equity])) - np.concatenate([[0.0], equity])
    return PathFacts(
        path=path,
        trades=len(rows),
        total_return=float(returns.sum()),
        total_return_double_costs=float((returns - trades.cost[rows]).sum()),
        sharpe=_sharpe(daily(chosen, labels)),
        max_drawdown=float(fallen.max()),
        times=tuple(labels.end[rows].tolist()),
        equity=tuple(equity.tolist()),
    )


def trading_facts(
    chosen: Mask, tried: Sequence[Floats], labels: Labels, counts: TrialCounts, resampling: Resampling
) -> TradingFacts:
    """All paths (paths, n); ``tried`` are the daily returns of every configuration that was fitted."""
    share = chosen.mean(axis=0)
    earned = share * labels.net_return
    facts = TradingFacts(
        setups=chosen.size,
        traded=int(chosen.sum()),
        expectancy=None,
        probabilistic_sharpe=None,
        deflated_sharpe=None,
        trials=counts.trials,
        fits=counts.fits,
        overfitting_probability=None,
        largest_trade_share=None,
    )
    if facts.traded < FEW_TRADES:
        return facts
    interval = expectancy_interval(labels.net_return, share, resampling)
    spread = float(np.std([_sharpe(days) for days in tried], ddof=1)) if len(tried) > 1 else 0.0
    doubts = [deflated_sharpe(daily(path, labels), max(1, counts.trials), spread) for path in chosen if path.sum() > 1]
    total = float(earned.sum())
    return TradingFacts(
        setups=facts.setups,
        traded=facts.traded,
        expectancy=Interval(interval.estimate, interval.low, interval.high),
        probabilistic_sharpe=float(np.median([doubt.probabilistic for doubt in doubts])) if doubts else None,
        deflated_sharpe=float(np.median([doubt.deflated for doubt in doubts])) if doubts else None,
        trials=facts.trials,
        fits=facts.fits,
        overfitting_probability=_overfitting(tried),
        largest_trade_share=float(earned.max()) / total if total > 0.0 else None,
    )


def tried_returns(judged: Judged, labels: Labels, margin: float) -> list[Floats]:
    """Daily returns, means over the paths: of each expert and seed alone by the margin, of the ensemble, and of every
    setup traded.
    """
    configurations: Mapping[object, Mask] = {
        key: given >= labels.break_even + margin for key, given in judged.seeds.items()
    }
    chosen = [*configurations.values(), judged.taken, np.ones_like(judged.taken)]
    return [np.mean([daily(path, labels) for path in given], axis=0) for given in chosen]


def daily(chosen: Mask, labels: Labels) -> Floats:
    """Returns of the chosen labels (n,) by UTC day, from the first day of all labels to the last, (days,)."""
    day: Integers = labels.end // DAY
    return np.bincount(day - day.min(), np.where(chosen, labels.net_return, 0.0)).astype(np.float64)


def _sharpe(days: Floats) -> float:
    try:
        return sharpe_ratio(days)
    except SampleError:
        return 0.0


def _overfitting(tried: Sequence[Floats]) -> float | None:
    performance = np.stack(tried, axis=1)
    if performance.shape[1] < 2 or len(performance) < 2 * PBO_BLOCKS:
        return None
    return overfitting_probability(performance, PBO_BLOCKS).probability

"""Whether a run may go live: the conditions, each with what was found, and the verdict in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smc_trading_agent.research.training.findings import (
    ForecastScore,
    GateLine,
    Interval,
    PathFacts,
    PlaceboFacts,
    TradingFacts,
)

LEAST_DEFLATED = 0.95
MOST_OVERFIT = 0.2
MOST_MISCALIBRATED = 0.03
LARGEST_TRADE = 0.3


def gate_lines(
    trading: TradingFacts,
    paths: Sequence[PathFacts],
    ensemble: ForecastScore,
    placebos: Sequence[PlaceboFacts],
    leaks: Sequence[str],
    too_good: Sequence[str] = (),
) -> tuple[GateLine, ...]:
    """Every condition; one that could not be measured does not hold."""
    doubled = float(np.median([path.total_return_double_costs for path in paths]))
    expectancy = trading.expectancy
    failed = [placebo.name for placebo in placebos if not placebo.passed]
    error = ensemble.calibration_error
    return (
        GateLine(
            "Expectancy of a chosen trade, lower bound",
            "too few trades" if expectancy is None else f"{expectancy.low:+.3f} R",
            "above 0 R",
            expectancy is not None and expectancy.low > 0.0,
        ),
        _line("Deflated Sharpe ratio", trading.deflated_sharpe, f"at least {LEAST_DEFLATED}", LEAST_DEFLATED, True),
        _line(
            "Probability of backtest overfitting",
            trading.overfitting_probability,
            f"at most {MOST_OVERFIT}",
            MOST_OVERFIT,
            False,
        ),
        GateLine("Median path at doubled costs", f"{doubled:+.2f} R", "above 0 R", doubled > 0.0),
        GateLine("Calibration error", f"{error:.4f}", f"at most {MOST_MISCALIBRATED}", error <= MOST_MISCALIBRATED),
        _line(
            "Largest trade's share of the profit",
            trading.largest_trade_share,
            f"at most {LARGEST_TRADE}",
            LARGEST_TRADE,
            False,
        ),
        GateLine("Placebos that did not fail", ", ".join(failed) or "none", "none", not failed),
        GateLine("Leaks", ", ".join(leaks) or "none", "none", not leaks),
        GateLine("Columns too good to be true", ", ".join(too_good) or "none", "none", not too_good),
    )


def verdict_of(trading: TradingFacts, baseline: Interval, gate: Sequence[GateLine], leaks: Sequence[str]) -> str:
    """What it all comes to, from the numbers."""
    if leaks:
        return f"A leak was found ({', '.join(leaks)}): no figure of this run can be trusted."
    found, share = trading.expectancy, trading.traded / trading.setups
    every = f"every setup traded would have made {_r(baseline)}"
    if found is None:
        return (
            f"No edge after costs: {every}, and the policy found {trading.traded:,} of {trading.setups:,} forecasts "
            f"({share:.1%}) worth a trade, so the agent abstains."
        )
    failed = [line.condition for line in gate if not line.passed]
    if found.low > 0.0 and not failed:
        return f"Edge: a chosen trade made {_r(found)} after costs, on {share:.1%} of forecasts; {every}."
    if found.low > 0.0:
        return (
            f"Edge not proven: a chosen trade made {_r(found)} after costs, on {share:.1%} of forecasts, but the gate "
            f"fails on {_listed(failed)}."
        )
    return (
        f"No edge after costs: a chosen trade made {_r(found)} on {share:.1%} of forecasts, which can't be told from "
        f"nothing; {every}."
    )


def _line(condition: str, found: float | None, limit: str, bound: float, at_least: bool) -> GateLine:
    if found is None:
        return GateLine(condition, "not measurable", limit, False)
    return GateLine(condition, f"{found:.3f}", limit, found >= bound if at_least else found <= bound)


def _r(interval: Interval) -> str:
    return f"{interval.value:+.3f} R ({interval.low:+.3f} to {interval.high:+.3f})"


def _listed(conditions: Sequence[str]) -> str:
    lowered = [condition[0].lower() + condition[1:] for condition in conditions]
    return " and ".join([", ".join(lowered[:-1]), lowered[-1]] if len(lowered) > 1 else lowered)

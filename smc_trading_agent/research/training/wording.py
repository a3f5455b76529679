"""How card and report write numbers, and what a statistic says in plain words. Nothing here prints NaN or infinity."""

from __future__ import annotations

import math

from smc_trading_agent.domain.clock import utc_text
from smc_trading_agent.research.training.findings import Findings, Interval, PairedTest

UNKNOWN = "not measured"
UNBOUNDED = "no finite value"
MINUS = "−"
SIGNIFICANCE = 0.05
SMALLEST_P = 0.001


def number(value: float | None, decimals: int, signed: bool = False, unit: str = "") -> str:
    """``value`` with thousands separators; words where there is no number to print."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return UNBOUNDED
    text = f"{abs(value):,.{decimals}f}"
    nothing = not text.strip("0,.")
    sign = "" if nothing else MINUS if value < 0 else "+" if signed else ""
    return f"{sign}{text}{unit}"


def count(value: int) -> str:
    """A whole number, however large."""
    return f"{MINUS if value < 0 else ''}{abs(value):,}"


def nats(value: float | None) -> str:
    """A log-loss or a difference of two."""
    return number(value, 4)


def score(value: float | None) -> str:
    """A calibration error, a Brier score, a weight, a probability of a hypothesis."""
    return number(value, 3)


def percent(value: float | None) -> str:
    """A share as per cent."""
    return number(None if value is None else 100.0 * value, 1, unit=" %")


def in_r(value: float | None, decimals: int = 3) -> str:
    """A return, with its sign."""
    return number(value, decimals, signed=True, unit=" R")


def interval_in_r(interval: Interval | None) -> str:
    """An estimate with its bounds, as ``+0.021 R (−0.004 to +0.047)``."""
    if interval is None or math.isnan(interval.value):
        return UNKNOWN
    low, high = (number(bound, 3, signed=True) for bound in (interval.low, interval.high))
    return f"{in_r(interval.value)} ({low} to {high})"


def moment(time_ns: int) -> str:
    """A time to the minute."""
    text = utc_text(time_ns)
    return f"{text[:-7]} UTC" if text.endswith(" UTC") else text


def day(time_ns: int) -> str:
    """A date (UTC); out-of-range times as their number."""
    text = utc_text(time_ns)
    return text.split(" ", 1)[0] if text.endswith(" UTC") else text


def p_value(value: float) -> str:
    """A p-value, as ``p = 0.034``; very small ones only as below the limit."""
    return f"p < {SMALLEST_P}" if value < SMALLEST_P else f"p = {score(value)}"


def seed_spread(losses: dict[str, float]) -> str:
    """The range of the seeds' log-losses."""
    known = [loss for loss in losses.values() if math.isfinite(loss)]
    if not known:
        return "seeds pooled" if not losses else UNKNOWN
    return f"{nats(min(known))} to {nats(max(known))}"


def against_zero(interval: Interval | None) -> str:
    """What an interval of a mean return says of its sign."""
    if interval is None or not all(map(math.isfinite, (interval.value, interval.low, interval.high))):
        return "too few trades for an interval"
    if interval.low > 0.0:
        return "above 0 with 95 % confidence"
    if interval.high < 0.0:
        return "below 0 with 95 % confidence, a loss"
    return "can't be told from 0"


def compared(test: PairedTest) -> str:
    """The paired test in a word: better, worse, no worse, or not compared."""
    if math.isnan(test.difference) or math.isnan(test.p_value):
        return "not compared"
    if test.p_value >= SIGNIFICANCE:
        return "no worse"
    return "better" if test.difference < 0.0 else "worse"


def comparison(test: PairedTest) -> str:
    """The paired test as a sentence."""
    word = compared(test)
    if word == "not compared":
        return f"The ensemble could not be compared with the best single expert, {test.rival}."
    facts = f"{number(test.difference, 4, signed=True)} nats a label, Diebold-Mariano statistic "
    facts += f"{number(test.statistic, 2, signed=True)}, {p_value(test.p_value)}"
    if word == "no worse":
        return (
            f"The ensemble is no worse than the best single expert, {test.rival}, and no better either: the "
            f"difference ({facts}) can't be told from chance."
        )
    return f"The ensemble is {word} than the best single expert, {test.rival} ({facts})."


def beside_chance(log_loss: float, chance: float) -> str:
    """Whether a log-loss is below that of chance; no test."""
    if not (math.isfinite(log_loss) and math.isfinite(chance)):
        return UNKNOWN
    return "lower" if log_loss < chance else "not lower"


def gate_open(findings: Findings) -> bool:
    """Whether every condition for going live holds; a gate without conditions is closed."""
    return bool(findings.gate) and all(line.passed for line in findings.gate)


def gate_words(findings: Findings) -> str:
    """The gate to go live in a clause."""
    if not findings.gate:
        return "closed: no condition was checked"
    held, all_lines = sum(line.passed for line in findings.gate), len(findings.gate)
    return f"{'open' if held == all_lines else 'closed'}: {held} of {all_lines} conditions hold"

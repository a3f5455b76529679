"""The page `docs/reference/base-rates.md`, from a stored report: `smc-agent base-rates` measures, this only renders."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from smc_trading_agent.domain.clock import utc_text
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.research.base_rates import Baseline, BaseRate, BaseRateReport, MarketRates

NOTE = "<!-- Generated from base-rates.json by `make docs-tables`; don't edit this file. -->\n"
FEW = 30
"""Outcomes below which a rate is shown and not counted."""
FAR = 2.0
"""Standard deviations from which a rate counts as far from a baseline."""

TESTS = {
    "from_close": "{k} ATR in its direction before {k} ATR against it, from the close that confirmed it",
    "from_touch": "one zone height in favour before the far edge trades, from the first touch",
}

COLUMNS = ("kind", "scope", "n", "open", "ties", "rate", "95 %", "shuffled (sd), z", "mirrored (sd), z")
HEAD = f"| {' | '.join(COLUMNS)} |\n|---|---|---:|---:|---:|---:|---|---|---|"

RULES = """\
**How it is counted.** A record with a direction (a break, a shift, the sweep of a level) hits if price goes {k}
ATR({atr}) its way, counted from the close that confirmed it, before {k} ATR the other way. A zone with a direction
(a block, a gap) hits if, after its first touch, price goes one zone height in its favour, counted from the near
edge, before the far edge trades. Levels have no direction until they are taken: their `_swept`, `_run` and `_taken`
records have. Both prices in one bar count as a miss (*ties*, part of *n*); neither within {limit} bars, or by the
end of the file, leaves the record out of *n* (*open*). The JSON beside this page also counts zones that were never
touched. What says no direction is not here.

**Clocks.** Sessions, days and weeks go by the times in the file, read as UTC.{clocks}

**The interval** is Wilson's 95 %, on the effective number of outcomes: records come in clusters, so *n* is divided
by the design effect over blocks of {block} bars, where that exceeds 1.

**The baselines** are the same count on {surrogates} surrogate markets of each form, made from the market's own
bars. *Shuffled*: bars in random order, each mirrored with a chance of one half; nothing but their shapes is left.
*Mirrored*: bars in their order, each mirrored with a chance of one half; volatility clusters and follows the clock
as it did, only direction is lost. *z* is the distance of the rate from their mean in their standard deviations.
Shuffled alone misleads: a tie of both prices in a bar is a miss, and ties are as frequent as volatility is
clustered, so a rate can lie far from it without any direction in it."""

PAIRS = """\
**Two instruments.** An SMT divergence implies a direction of the first instrument, so what follows is looked for on the
first one's prices; the scope tells which of the two led. In its baselines the second instrument alone is shuffled or
mirrored: the first keeps its bars, its trends and its pivots, and what is lost is that the two belong together."""

UNSURE_CLOCKS = {
    "EURUSD_15M.csv.gz": (
        " EURUSD_15M.csv.gz does not say its\nzone (it looks like a broker's, two or three hours ahead), "
        "so its rows by the clock are not about the sessions\nthey name."
    )
}
"""Public files whose times are in a zone that they don't tell."""

VERDICT = """\
**What it says.** Of {rates} rates with {few} outcomes or more, {shuffled} lie {far} or more standard deviations
from the shuffled baseline and {mirrored} from the mirrored one, where chance alone would give about {expected} of
each; {both} do both, {above} of them above. The largest distance above the mirrored baseline is {gain} percentage
points ({leader}), the highest rate {highest} %. All of this is before costs, without a filter, and over one
stretch of each market; kinds share bars and records, so rows are not independent. {closing}"""

MOSTLY_CHANCE = "Most of these readings, taken raw, are\nwhat chance gives: read a rate only beside its baselines."
NOT_CHANCE = "Many of these rates are not what chance gives here: ask what made\nthe data before believing it."


def load_report(path: Path) -> BaseRateReport:
    """A report that the command wrote; `DataError` where it can't be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=BaseRateReport)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path} is no report of smc-agent base-rates: {error}; measure it again") from error


def markdown(report: BaseRateReport) -> str:
    """The whole page."""
    study = report.study
    rules = RULES.format(
        k=f"{study.atr_multiple:g}",
        atr=study.detector.get("atr_period", 14),
        limit=study.time_limit,
        block=study.block,
        surrogates=study.surrogates,
        clocks="".join(UNSURE_CLOCKS.get(file, "") for file in dict.fromkeys(market.file for market in report.markets)),
    )
    head = [NOTE + "# Base rates", "", "Measured by", "", f"    {report.command}", "", verdict(report), "", rules]
    head += ["", PAIRS] if any(market.beside for market in report.markets) else []
    return "\n".join(head + [line for market in report.markets for line in _market(market, study.atr_multiple)]) + "\n"


def verdict(report: BaseRateReport) -> str:
    """What the tables say, counted, in words."""
    rates = [rate for market in report.markets for rate in market.rates if rate.resolved >= FEW]
    shuffled, mirrored = (far_from(rates, kind) for kind in ("shuffled", "mirrored"))
    both = [rate for rate in shuffled if rate in mirrored]
    above = [rate for rate in both if _z(rate, "mirrored") > 0]
    expected = chance_of_far(report.study.surrogates) * len(rates)
    leader = max(rates, key=_gain, default=None)
    highest = max((rate.rate or 0.0 for rate in rates), default=0.0)
    return VERDICT.format(
        rates=len(rates),
        few=FEW,
        shuffled=len(shuffled),
        mirrored=len(mirrored),
        far=f"{FAR:g}",
        expected=f"{expected:.0f}",
        both=len(both),
        above=len(above),
        gain=f"{0.0 if leader is None else 100 * _gain(leader):.1f}",
        leader="none" if leader is None else f"`{leader.kind}`, n {leader.resolved:,}",
        highest=f"{100 * highest:.0f}",
        closing=MOSTLY_CHANCE if 4 * len(mirrored) < len(rates) else NOT_CHANCE,
    )


def far_from(rates: list[BaseRate], kind: str) -> list[BaseRate]:
    """The rates that lie far from a baseline."""
    return [rate for rate in rates if abs(_z(rate, kind)) >= FAR]


def chance_of_far(surrogates: int) -> float:
    """How often one more surrogate would lie so far from the mean of ``surrogates``, were they normal.

    Student's t with one degree less; over the angle atan(t / sqrt(freedom)) its density is a power of the cosine.
    """
    freedom = surrogates - 1
    limit = math.atan(FAR / math.sqrt(1 + 1 / surrogates) / math.sqrt(freedom))
    return _area(limit, freedom - 1) / _area(0.0, freedom - 1)


def _area(start: float, power: int, steps: int = 10_000) -> float:
    """The integral of a power of the cosine from ``start`` to a right angle, by midpoints."""
    width = (math.pi / 2 - start) / steps
    return width * math.fsum(math.cos(start + (step + 0.5) * width) ** power for step in range(steps))


def row_texts(rate: BaseRate) -> list[str]:
    """The cells under `COLUMNS`, as text."""
    interval = "" if rate.low is None or rate.high is None else f"{_share(rate.low)} to {_share(rate.high)}"
    shown = "" if rate.rate is None else _share(rate.rate)
    baselines = [baseline_text(rate.baselines[kind]) for kind in ("shuffled", "mirrored")]
    counts = [f"{number:,}" for number in (rate.resolved, rate.unresolved, rate.ambiguous)]
    return [rate.kind, rate.scope, *counts, shown, interval, *baselines]


def baseline_text(baseline: Baseline) -> str:
    """``.500 (.021), -2.1``."""
    if baseline.mean is None or baseline.deviation is None:
        return "too few"
    z = "" if baseline.z is None else f", {baseline.z:+.1f}"
    return f"{_share(baseline.mean)} ({_share(baseline.deviation)}){z}"


def test_in_words(test: str, atr_multiple: float) -> str:
    """The test in words."""
    return TESTS[test].format(k=f"{atr_multiple:g}")


def title(market: MarketRates) -> str:
    """``EURUSD 15m``, of an instrument such as ``fx:EURUSD``; with the second instrument, where there is one."""
    name = f"{market.instrument.partition(':')[2]} {market.timeframe}"
    return f"{name} with {market.beside.partition(':')[2]}" if market.beside else name


def tested(market: MarketRates) -> dict[str, list[BaseRate]]:
    """The rows that have outcomes, by test; tests without rows are left out."""
    rows = {test: [rate for rate in market.rates if rate.test == test and rate.resolved] for test in TESTS}
    return {test: rates for test, rates in rows.items() if rates}


def span_text(market: MarketRates) -> str:
    """The first and the last bar's time."""
    return f"{utc_text(market.first_bar)} to {utc_text(market.last_bar)}"


def _market(market: MarketRates, atr_multiple: float) -> list[str]:
    beside = f" with `{market.beside_file}` ({market.beside_label})" if market.beside else ""
    about = f"`{market.file}` ({market.label}){beside}, {market.bars:,} bars, {span_text(market)}."
    lines = ["", f"## {title(market)}", "", about]
    for test, rates in tested(market).items():
        lines += ["", f"*{test_in_words(test, atr_multiple)}*", "", HEAD, *map(table_row, rates)]
    return lines


def table_row(rate: BaseRate) -> str:
    """A row under `HEAD`."""
    kind, *rest = row_texts(rate)
    return f"| `{kind}` | {' | '.join(rest)} |"


def _z(rate: BaseRate, kind: str) -> float:
    return rate.baselines[kind].z or 0.0


def _gain(rate: BaseRate) -> float:
    mean = rate.baselines["mirrored"].mean
    return 0.0 if mean is None or rate.rate is None else rate.rate - mean


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")

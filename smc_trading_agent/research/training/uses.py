"""The end of card and report: what a bundle may be used for and what not, and how to make each figure again."""

from __future__ import annotations

from smc_trading_agent.research.training import wording as say
from smc_trading_agent.research.training.document import (
    Bullets,
    Code,
    Commands,
    Inline,
    Paragraph,
    Section,
    Table,
    plain,
)
from smc_trading_agent.research.training.findings import Findings


def limits(findings: Findings) -> Section:
    """What the models may be used for, and what not."""
    markets = sorted({f"{plain(market.instrument)} at {plain(market.timeframe)}" for market in findings.markets})
    traded = ", ".join(markets) or "nothing: no market is named"
    may: list[tuple[Inline, ...]] = [(f"Backtests and paper trading of {traded}.",)]
    may_not: list[tuple[Inline, ...]] = [
        ("Other instruments, timeframes or feature schemas; the agent refuses to load it for them.",),
        ("Any promise about times after the data: every figure is about the range in the table of files.",),
        (
            "Sizes that move the market: fills, fees, spread and slippage are those of the cost settings, and the book "
            "is not modelled.",
        ),
    ]
    if say.gate_open(findings):
        may.append(
            ("The step to live trading, as far as the models are concerned: every condition of the gate holds.",)
        )
    else:
        may_not.append((f"Live trading: the gate is {say.gate_words(findings)}.",))
    expectancy = findings.trading.expectancy
    if expectancy is None or not expectancy.low > 0.0:
        may_not.append((f"A claim of an edge. Expectancy after costs: {say.against_zero(expectancy)}.",))
    if findings.leaks or not all(placebo.passed for placebo in findings.placebos):
        may_not.append(("Any conclusion, before the leak or the placebo that came out wrong is explained.",))
    if any(market.label == "SYNTHETIC" for market in findings.markets):
        may_not.append(("Any conclusion about real markets: some of the data is SYNTHETIC.",))
    blocks = (Paragraph(("It may be used for:",)), Bullets(tuple(may)), Paragraph(("It may not be used for:",)))
    return Section("limits", "What it may be used for, and what not", (*blocks, Bullets(tuple(may_not))))


def reproduction(findings: Findings) -> Section:
    """The command with everything that decides what comes out of it."""
    seeds = ", ".join(str(seed) for seed in findings.seeds) or "none"
    facts: list[tuple[Inline, Inline]] = [
        ("commit", Code(plain(findings.commit))),
        ("seeds", seeds),
        ("run", Code(plain(findings.run))),
        ("took", say.number(findings.seconds, 0, unit=" s")),
    ]
    if findings.bundle:  # a card inside the bundle can't name it: the name is a hash over the card too
        facts.append(("bundle", plain(findings.bundle)))
    facts += [(f"data, {plain(market.file)}", Code(plain(market.sha256))) for market in findings.markets]
    settings = tuple((Code(plain(name)), Code(plain(value))) for name, value in findings.settings.items())
    words = (
        "One command makes every figure again, from this commit, these seeds and data with these hashes; it writes "
        "them to findings.json, from whose fields each section here is drawn."
    )
    blocks = (
        Paragraph((words,)),
        Commands((f"git checkout {plain(findings.commit)}", plain(findings.command))),
        Table("What decides the outcome", ("what", "value"), tuple(facts)),
        Table("Settings of the run", ("setting", "value"), settings, folded=True),
    )
    return Section("reproduce", "How to reproduce each figure", blocks, ("command", "commit", "seeds", "settings"))

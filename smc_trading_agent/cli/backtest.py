"""`smc-agent backtest`: the paper agent over a recorded file, as fast as it goes, beside two baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from smc_trading_agent.cli.options import (
    AsJson,
    ConfigFile,
    Context,
    DataFile,
    IgnoreUnknown,
    LotSize,
    Symbol,
    TickSize,
    Timeframe,
    errors_as_exit_codes,
    file_options,
    progress_bar,
    settings_for,
)
from smc_trading_agent.cli.output import console, emit, results
from smc_trading_agent.domain.clock import utc_text
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.persistence.database import MEMORY
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.research.backtest import BacktestResult, run_backtest
from smc_trading_agent.runtime.markets import OpenedMarket, open_file

Every = Annotated[bool, typer.Option("--take-every-setup", help="Research: trade every setup, to see raw base rates.")]
JournalOut = Annotated[Path | None, typer.Option("--journal", help="Keep the journal here, for smc-agent explain.")]


def backtest(
    data: DataFile,
    timeframe: Timeframe = None,
    context: Context = None,
    config: ConfigFile = None,
    take_every_setup: Every = False,
    journal: JournalOut = None,
    symbol: Symbol = "",
    tick_size: TickSize = "",
    lot_size: LotSize = "",
    ignore_unknown: IgnoreUnknown = False,
    as_json: AsJson = False,
) -> None:
    """Run the agent over a file as fast as it goes, and set its result beside holding and random entries."""
    with errors_as_exit_codes(as_json):
        overrides: dict[str, dict[str, object]] = {"decision": {"take_every_setup": take_every_setup or None}}
        settings = settings_for(config, timeframe, context, overrides)
        opened = open_file(data, file_options(symbol, tick_size, lot_size, ignore_unknown))
        if journal is not None and journal.exists():
            raise DataError(f"{journal} exists already; name a new file with --journal")
        kept = SqliteJournal(MEMORY if journal is None else journal)
        try:
            with progress_bar(as_json) as progress:
                task = progress.add_task("backtest", total=opened.market.feed.total_bars)
                result, _ = run_backtest(
                    opened.market, settings, kept, lambda bars: progress.update(task, completed=bars)
                )
        finally:
            kept.close()
    if as_json:
        emit(payload(opened, result), True)
    else:
        show(opened, result)


def payload(opened: OpenedMarket, result: BacktestResult) -> dict[str, object]:
    """The result with the label and the quality of its data, for `--json`."""
    report = opened.quality
    quality = {} if report is None else {"rejected": report.rejected, "missing_bars": report.missing_bars}
    return {**msgspec.to_builtins(result), "label": opened.label, "quality": quality}


def show(opened: OpenedMarket, result: BacktestResult) -> None:
    """The result for a person, with its warnings."""
    for line in [] if opened.quality is None else opened.quality.sentences():
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    span = f"{utc_text(result.first_bar)} to {utc_text(result.last_bar)}"
    title = f"{opened.label} {result.instrument} {result.timeframe}, {span}"
    table = Table("what", "value", title=title, title_justify="left")
    table.columns[1].justify = "right"
    for name, value in _lines(result):
        table.add_row(name, value)
    results.print(table)
    if result.models is not None and result.models.warning:
        results.print(result.models.warning, style="bold", markup=False, highlight=False, soft_wrap=True)
    if result.trades == 0:
        results.print(
            f"No setup {_hurdle(result)}, so nothing was traded. "
            "--take-every-setup shows what trading them all would have given.",
            soft_wrap=True,
        )


def _hurdle(result: BacktestResult) -> str:
    if result.models is None:
        return "beat break-even after costs on the evidence of its own past"
    return "passed what the models demand (refusals above)"


def _lines(result: BacktestResult) -> list[tuple[str, str]]:
    random = result.random_entries
    lines = [
        ("bars", f"{result.bars:,} in {result.seconds:.2f} s ({result.bars_per_second:,.0f} a second)"),
        ("setups judged", ", ".join(f"{kind} {count:,}" for kind, count in result.setups.items()) or "none"),
        *((f"refused: {reason}", f"{count:,}") for reason, count in result.refusals.items()),
        ("orders sent", f"{result.orders:,}"),
        ("trades", f"{result.trades:,} ({result.wins:,} won)"),
        ("equity", f"{_money(result.start_equity)} to {_money(result.end_equity)}"),
        ("net return", f"{result.net_return:+.2%}"),
        ("buy and hold", f"{result.buy_and_hold_return:+.2%}"),
        ("max drawdown", f"{result.max_drawdown:.2%}"),
        ("costs paid", _money(result.costs)),
        ("time in the market", f"{result.exposure:.1%}"),
        ("breaker at the end", result.breaker),
        ("judged by", "base rates" if result.models is None else f"bundle {result.models.bundle}"),
        ("orders hash", result.orders_hash),
        ("journal hash", result.journal_hash),
    ]
    if random is not None:
        spread = f"{random.p05:+.2%} .. {random.p50:+.2%} .. {random.p95:+.2%}"
        lines.insert(8, ("random entries, same exits", f"{spread}; this run beats {random.beaten_share:.0%}"))
    if result.stage_failures:
        lines.append(("stage failures", ", ".join(f"{name} {n}" for name, n in result.stage_failures.items())))
    return lines


def _money(text: str) -> str:
    return f"{float(text):,.2f}"

"""`smc-agent verify`: proof on your own data that nothing repaints and that two runs are the same run."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
import typer
from rich.progress import Progress

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
from smc_trading_agent.cli.output import CHECK_FAILED, OK, console, emit
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.research.backtest import run_backtest
from smc_trading_agent.research.prefixes import sample_prefixes, verify_prefixes
from smc_trading_agent.runtime.assembly import Market
from smc_trading_agent.runtime.markets import open_file

Prefixes = Annotated[int, typer.Option("--prefixes", min=1, help="How many prefixes to replay.")]
Window = Annotated[int, typer.Option("--window", min=2, help="Replay prefixes of at most this many bars, the newest.")]


def verify(
    data: DataFile,
    timeframe: Timeframe = None,
    context: Context = None,
    prefixes: Prefixes = 1_000,
    window: Window = 20_000,
    config: ConfigFile = None,
    symbol: Symbol = "",
    tick_size: TickSize = "",
    lot_size: LotSize = "",
    ignore_unknown: IgnoreUnknown = False,
    as_json: AsJson = False,
) -> None:
    """Replay prefixes of a file and count readings that were rewritten or vanished; 0 or a non-zero exit.

    Then the whole file is run twice through the agent, and both journals must have the same hash.
    """
    with errors_as_exit_codes(as_json):
        opened = open_file(data, file_options(symbol, tick_size, lot_size, ignore_unknown))
        settings = settings_for(config, timeframe, context)
        with progress_bar(as_json) as progress:
            sampled = sample_prefixes(opened.market.feed.total_bars or 0, window, prefixes)
            task = progress.add_task("prefixes", total=len(sampled.lengths))
            audit = verify_prefixes(
                opened.market, settings.structure, sampled, lambda n: progress.update(task, completed=n)
            )
            hashes = [_journal_hash(opened.market, settings, progress, f"run {number} of 2") for number in (1, 2)]
    equal = hashes[0] == hashes[1]
    passed = audit.rewritten == 0 and audit.vanished == 0 and audit.stream_equals_batch and equal
    emit(
        {
            **json.loads(msgspec.json.encode(audit)),
            "journal_hashes_equal": equal,
            "journal_hash": hashes[0],
            "label": opened.label,
            "passed": passed,
        },
        as_json,
    )
    if not as_json:
        verdict = "nothing was rewritten" if passed else "the detector or the run is not reproducible: this is a bug"
        console.print(verdict, style="green" if passed else "bold red")
    raise typer.Exit(OK if passed else CHECK_FAILED)


def _journal_hash(market: Market, settings: Settings, progress: Progress, title: str) -> str:
    task = progress.add_task(title, total=market.feed.total_bars)
    with SqliteJournal() as journal:
        return run_backtest(market, settings, journal, lambda n: progress.update(task, completed=n))[0].journal_hash

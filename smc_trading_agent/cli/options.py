"""Options that several commands share, and the one way in which errors become exit codes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from smc_trading_agent.cli.output import BAD_INPUT, CHECK_FAILED, INTERNAL, STATE_CONFLICT, console, fail
from smc_trading_agent.config import load_settings
from smc_trading_agent.data_pipeline.instruments import Overrides
from smc_trading_agent.domain.errors import AgentError, ConfigError, GateClosed, JournalError, StateConflict
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.runtime.markets import FileOptions

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
DataFile = Annotated[Path, typer.Option("--data", help="A recorded market: Parquet, CSV, gzipped CSV or archive zip.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings; config.yaml here when left out.")]
Timeframe = Annotated[str | None, typer.Option("--timeframe", help="Decision timeframe, such as 15m.")]
Context = Annotated[str | None, typer.Option("--context", help="Higher timeframes, comma-separated; 4 and 16 times.")]
IgnoreUnknown = Annotated[bool, typer.Option("--ignore-unknown-columns", help="Read past columns we don't know.")]
Symbol = Annotated[str, typer.Option("--symbol", help="Told from the file when left out.")]
TickSize = Annotated[str, typer.Option("--tick-size", help="Price step; told from the file when left out.")]
LotSize = Annotated[str, typer.Option("--lot-size", help="Quantity step; told from the file when left out.")]
SecondFile = Annotated[Path | None, typer.Option("--with", help="A second instrument: SMT divergences of the two.")]
Inverse = Annotated[bool, typer.Option("--inverse", help="The instrument of --with falls where the first one rises.")]
StateRoot = Annotated[Path | None, typer.Option("--state-dir", help="Where accounts and journals are kept.")]

CONTEXT_OF = {
    "1m": ("5m", "15m"),
    "3m": ("15m", "1h"),
    "5m": ("30m", "2h"),
    "15m": ("1h", "4h"),
    "30m": ("2h", "8h"),
    "1h": ("4h", "1d"),
    "2h": ("8h", "1d"),
    "4h": ("1d", "1w"),
    "6h": ("1d", "1w"),
    "8h": ("1d", "1w"),
    "12h": ("1d", "1w"),
    "1d": ("1w",),
}


def file_options(symbol: str, tick_size: str, lot_size: str, ignore_unknown: bool) -> FileOptions:
    """How a recorded file is read."""
    return FileOptions(Overrides(symbol=symbol, tick_size=tick_size, lot_size=lot_size), ignore_unknown)


def settings_for(
    config: Path | None,
    timeframe: str | None,
    context: str | None,
    overrides: dict[str, dict[str, object]] | None = None,
) -> Settings:
    """Settings from file, environment and options. A decision timeframe brings its usual context with it."""
    merged: dict[str, dict[str, object]] = dict(overrides or {})
    structure = merged.setdefault("structure", {})
    if timeframe is not None:
        structure["decision_timeframe"] = timeframe
        structure["context_timeframes"] = list(CONTEXT_OF.get(timeframe, ()))
    if context is not None:
        structure["context_timeframes"] = [part.strip() for part in context.split(",") if part.strip()]
    return load_settings(config, os.environ, merged)


def refuse_lone_inverse(second: Path | None, inverse: bool) -> None:
    """`ConfigError` where --inverse stands without --with."""
    if inverse and second is None:
        raise ConfigError("--inverse says how the instrument of --with moves; give --with too, or leave both out")


@contextmanager
def errors_as_exit_codes(as_json: bool) -> Iterator[None]:
    """Ends the command with the exit code that an expected error stands for."""
    try:
        yield
    except GateClosed as error:
        fail(error, as_json, CHECK_FAILED)
    except StateConflict as error:
        fail(error, as_json, STATE_CONFLICT)
    except JournalError as error:
        fail(error, as_json, INTERNAL)
    except AgentError as error:
        fail(error, as_json, BAD_INPUT)


def progress_bar(as_json: bool) -> Progress:
    """A progress bar on stderr, on terminals only."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=as_json or not console.is_terminal,
    )

"""`smc-agent data`: is this file usable, what does it hold, and files of the synthetic market."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import polars as pl
import typer
from rich.progress import Progress
from rich.table import Table

from smc_trading_agent._core import Bars, Instrument
from smc_trading_agent.cli.options import AsJson, IgnoreUnknown, LotSize, Symbol, TickSize, errors_as_exit_codes
from smc_trading_agent.cli.output import OK, QUARANTINED, console, emit, replaced_whole, results
from smc_trading_agent.data_pipeline.following import SYMBOL as FOLLOWER
from smc_trading_agent.data_pipeline.following import following
from smc_trading_agent.data_pipeline.instruments import SYNTHETIC, Overrides, instrument_named, values_of
from smc_trading_agent.data_pipeline.quality import QualityReport
from smc_trading_agent.data_pipeline.replay import ReplayFeed
from smc_trading_agent.data_pipeline.synthetic import SYMBOL, SyntheticFeed
from smc_trading_agent.domain.clock import utc_text
from smc_trading_agent.domain.errors import DataError

app = typer.Typer(help="Check, describe and make market data files.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A Parquet, CSV, gzipped CSV or archive zip file of candles or trades.")]
Timeframe = Annotated[str, typer.Option("--timeframe", help="Of the bars; told from the file when left out.")]
Venue = Annotated[str, typer.Option("--venue", help="Told from the file when left out.")]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@app.command()
def check(
    file: File,
    as_json: AsJson = False,
    ignore_unknown: IgnoreUnknown = False,
    timeframe: Timeframe = "",
    symbol: Symbol = "",
    venue: Venue = "",
    tick_size: TickSize = "",
    lot_size: LotSize = "",
) -> None:
    """Report the quality of a file. Exits 0 when every row is usable (gaps are allowed), 3 when some are not."""
    overrides = Overrides(venue, symbol, tick_size, lot_size, timeframe)
    with errors_as_exit_codes(as_json):
        report = ReplayFeed.open(file, overrides=overrides, max_rejected=1.0, ignore_unknown=ignore_unknown).report
    if as_json:
        emit({**msgspec.to_builtins(report), "rejected_rows": report.rejected_rows, "clean": report.clean}, True)
    else:
        _show(report)
    raise typer.Exit(OK if report.clean else QUARANTINED)


@app.command()
def info(
    file: File,
    as_json: AsJson = False,
    ignore_unknown: IgnoreUnknown = False,
    timeframe: Timeframe = "",
    symbol: Symbol = "",
    venue: Venue = "",
    tick_size: TickSize = "",
    lot_size: LotSize = "",
) -> None:
    """Tell what a file holds: instrument, timeframe, range, rows."""
    overrides = Overrides(venue, symbol, tick_size, lot_size, timeframe)
    with errors_as_exit_codes(as_json):
        feed = ReplayFeed.open(file, overrides=overrides, max_rejected=1.0, ignore_unknown=ignore_unknown)
    emit(_description(file, feed), as_json)


@app.command()
def synthesize(
    out: Annotated[Path, typer.Option("--out", help="The Parquet file to write.")],
    bars: Annotated[int, typer.Option("--bars", min=1, max=10_000_000, help="How many 1-minute bars.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same bars.")] = 7,
    closed_hours: Annotated[
        int, typer.Option("--closed-hours", min=0, max=23, help="Leave out the last hours of each day (UTC).")
    ] = 0,
    planted_strength: Annotated[
        float, typer.Option("--planted-strength", min=0.0, max=5.0, help="Of its one tendency; 0 leaves none.")
    ] = 1.0,
    follow: Annotated[
        int | None, typer.Option("--follow", min=0, help="Move with the market of this seed, as a second instrument.")
    ] = None,
    correlation: Annotated[float, typer.Option("--correlation", help="Of its returns with that one's, 0 to 1.")] = 0.9,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write bars of the synthetic market to a file that is labelled as synthetic."""
    with errors_as_exit_codes(as_json):
        _refuse_target(out, force)
        feed = _feed(seed, bars, SYMBOL if follow is None else FOLLOWER, planted_strength)
        made, market = _synthesized(feed, bars), feed.market
        if follow is not None:
            made = following(_synthesized(_feed(follow, bars, SYMBOL, planted_strength), bars), made, correlation)
            market = f"{market} follow={follow} correlation={correlation!r}"
        open_ms = pl.col("open_time") % DAY_MS < DAY_MS - closed_hours * HOUR_MS
        table = _frame(made, feed.instrument).filter(open_ms)
        labels = {"synthetic": "true", "venue": feed.instrument.venue, "symbol": feed.instrument.symbol}
        write_atomically(table, out, labels)
    emit({"file": str(out), "bars": table.height, "seed": seed, "market": market, "synthetic": True}, as_json)


def write_atomically(table: pl.DataFrame, out: Path, metadata: dict[str, str]) -> None:
    """Writes Parquet beside ``out`` and renames it, so that ``out`` is never half-written; `DataError` if it can't."""
    with replaced_whole(out) as temporary:
        table.write_parquet(temporary, metadata=metadata)


def _refuse_target(out: Path, force: bool) -> None:
    if out.suffix != ".parquet":
        raise DataError(f"{out} must end in .parquet, the only format whose metadata can say that it is synthetic")
    if out.is_dir():
        raise DataError(f"{out} is a directory; name a file in it")
    if out.exists() and not force:
        raise DataError(f"{out} exists already; choose another --out, or pass --force to replace it")


def _feed(seed: int, bars: int, symbol: str, strength: float) -> SyntheticFeed:
    instrument = instrument_named(SYNTHETIC, symbol)
    return SyntheticFeed(seed, instrument=instrument, length=bars, planted_strength=strength)


def _synthesized(feed: SyntheticFeed, bars: int) -> Bars:
    parts: list[Bars] = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("synthesizing bars", total=bars)
        for batch in feed.batches(0):
            parts.append(batch)
            progress.advance(task, len(batch))
    return Bars.concat(parts)


def _frame(bars: Bars, instrument: Instrument) -> pl.DataFrame:
    """Bars as the columns of a kline file: times in ms, decimal prices and quantities."""
    columns = bars.columns()
    tick, lot = instrument.tick_size, instrument.lot_size
    return pl.DataFrame(
        {
            "open_time": columns["open_time"] // 1_000_000,
            **{name: values_of(columns[name], tick) for name in ("open", "high", "low", "close")},
            "volume": values_of(columns["volume"], lot),
            "trades": columns["trades"],
            "taker_buy_base": values_of(columns["taker_buy_volume"], lot),
        }
    )


def _description(file: Path, feed: ReplayFeed) -> Mapping[str, object]:
    last = feed.total_bars - 1
    edges = [next(feed.batches(position))[0] for position in (0, last)]
    return {
        "file": str(file),
        "instrument": feed.instrument.key,
        "tick_size": feed.instrument.tick_size,
        "lot_size": feed.instrument.lot_size,
        "timeframe": feed.timeframe,
        "rows": feed.report.rows,
        "bars": feed.total_bars,
        "first": utc_text(edges[0].open_time),
        "last": utc_text(edges[1].open_time),
        "first_ns": edges[0].open_time,
        "last_ns": edges[1].open_time,
        "missing_bars": feed.report.missing_bars,
        "synthetic": feed.synthetic,
        "market": feed.market,
        "notes": list(feed.report.notes),
    }


def _show(report: QualityReport) -> None:
    """The report as a table, and below it what a person should do or know."""
    table = Table("what", "count", title=f"{report.instrument} {report.timeframe}", title_justify="left")
    table.columns[1].justify = "right"
    for what, count in (
        ("rows", report.rows),
        ("admitted", report.admitted),
        *((f"rejected: {name}", number) for name, number in report.rejected.items()),
        ("bars", report.bars),
        ("gaps", report.gap_count),
        ("missing bars", report.missing_bars),
    ):
        table.add_row(what, f"{count:,}")
    results.print(table)
    for line in report.sentences():
        results.print(line, markup=False, highlight=False, soft_wrap=True)

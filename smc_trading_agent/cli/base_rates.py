"""`smc-agent base-rates`: how often each reading is followed by what it is said to mean, beside chance alone."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import Progress, TaskID
from rich.table import Table

from smc_trading_agent._core import Bars
from smc_trading_agent.cli.options import (
    AsJson,
    ConfigFile,
    IgnoreUnknown,
    Inverse,
    LotSize,
    SecondFile,
    Symbol,
    TickSize,
    errors_as_exit_codes,
    file_options,
    progress_bar,
    refuse_lone_inverse,
    settings_for,
)
from smc_trading_agent.cli.output import console, emit, results
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.research.base_rate_table import (
    COLUMNS,
    markdown,
    row_texts,
    span_text,
    test_in_words,
    tested,
    title,
)
from smc_trading_agent.research.base_rates import (
    BaseRate,
    BaseRateReport,
    MarketRates,
    Study,
    markets_of,
    measure,
    measure_pair,
)
from smc_trading_agent.research.pairs import Pair, bars_of, pair_of
from smc_trading_agent.runtime.markets import FileOptions, OpenedMarket, open_file

Data = Annotated[list[Path], typer.Option("--data", help="A recorded market; may be given several times.")]
Timeframe = Annotated[
    str | None, typer.Option("--timeframe", help="Of the bars measured; the file's own when left out.")
]
Surrogates = Annotated[int, typer.Option("--surrogates", min=2, max=10_000, help="Surrogate markets of each form.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same surrogates.")]
Multiple = Annotated[float, typer.Option("--atr-multiple", help="Distance of both prices from the close, in ATR.")]
Limit = Annotated[int, typer.Option("--time-limit", min=1, help="Bars within which the outcome must be known.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the report to this .json, or its table to this .md.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing file.")]


def base_rates(
    data: Data,
    second: SecondFile = None,
    inverse: Inverse = False,
    timeframe: Timeframe = None,
    surrogates: Surrogates = Study().surrogates,
    seed: Seed = Study().seed,
    atr_multiple: Multiple = Study().atr_multiple,
    time_limit: Limit = Study().time_limit,
    out: Out = None,
    force: Force = False,
    config: ConfigFile = None,
    symbol: Symbol = "",
    tick_size: TickSize = "",
    lot_size: LotSize = "",
    ignore_unknown: IgnoreUnknown = False,
    as_json: AsJson = False,
) -> None:
    """Measure how often each reading of the detector is followed by what it is said to mean.

    Beside each rate stand its interval and the rates of surrogate markets: the same bars shuffled and mirrored, and the
    same bars in their order, mirrored at random. docs/reference/base-rates.md explains the columns.

    SMT divergences are measured between --with and each --data file whose bars are as long as its own; with
    --timeframe, each of them.
    """
    with errors_as_exit_codes(as_json):
        refuse_lone_inverse(second, inverse)
        if out is not None:
            _refuse_target(out, force)
        detector = settings_for(config, timeframe, None).structure.detector
        study = Study(surrogates, seed, atr_multiple, time_limit, detector=dict(detector))
        options = file_options(symbol, tick_size, lot_size, ignore_unknown)
        markets = [_measured(path, timeframe, study, options, as_json) for path in data]
        if second is not None:
            other = open_file(second, FileOptions(ignore_unknown=ignore_unknown))
            opened = [(path, open_file(path, options)) for path in data]
            markets += _measured_pairs(opened, (second, other, inverse), timeframe, study, as_json)
        report = BaseRateReport(_command(data, second, inverse, timeframe, study, out), study, tuple(markets))
        if out is not None:
            _write(report, out)
    if as_json:
        emit(msgspec.to_builtins(report), True)
        return
    for market in markets:
        _show(market, study)


def _measured(path: Path, timeframe: str | None, study: Study, options: FileOptions, quiet: bool) -> MarketRates:
    opened = open_file(path, options)
    bars = bars_of(opened.market.feed.batches(0), timeframe)
    with progress_bar(quiet) as progress:
        task = progress.add_task(path.name, total=markets_of(study))
        rates = measure(bars, study, partial(_tell, progress, task))
    return _market_rates(path, opened, bars, rates, None)


def _market_rates(
    path: Path, opened: OpenedMarket, bars: Bars, rates: tuple[BaseRate, ...], pair: Pair | None
) -> MarketRates:
    return MarketRates(
        file=path.name,
        label=opened.label,
        instrument=opened.market.instrument.key,
        timeframe=bars.timeframe,
        bars=len(bars),
        first_bar=bars[0].open_time if len(bars) else 0,
        last_bar=bars[len(bars) - 1].open_time if len(bars) else 0,
        rates=rates,
        beside="" if pair is None else pair.instrument.key,
        beside_file="" if pair is None else pair.file,
        beside_label="" if pair is None else pair.label,
    )


def _measured_pairs(
    opened: list[tuple[Path, OpenedMarket]],
    beside: tuple[Path, OpenedMarket, bool],
    timeframe: str | None,
    study: Study,
    quiet: bool,
) -> list[MarketRates]:
    """The divergences of each market whose bars are as long as those of the second, or have been made so."""
    second, other, inverse = beside
    wanted = timeframe or other.market.base_timeframe
    found = []
    for path, market in opened:
        if timeframe is None and market.market.base_timeframe != wanted:
            continue
        pair = pair_of(bars_of(market.market.feed.batches(0), timeframe), second.name, other, inverse)
        with progress_bar(quiet) as progress:
            task = progress.add_task(f"{path.name} with {second.name}", total=markets_of(study))
            rates = measure_pair(pair, study, partial(_tell, progress, task))
        found.append(_market_rates(path, market, pair.first, rates, pair))
    if not found:
        raise DataError(
            f"--with {second}: no --data file has bars of {wanted} as it has; give one, or --timeframe for all of them"
        )
    return found


def _tell(progress: Progress, task: TaskID, done: int) -> None:
    progress.update(task, completed=done)


def _command(
    data: list[Path], second: Path | None, inverse: bool, timeframe: str | None, study: Study, out: Path | None
) -> str:
    """The command that gives this report, with file names for paths."""
    default = Study()
    words = ["smc-agent base-rates", *(f"--data {path.name}" for path in data)]
    words += [f"--with {second.name}"] if second else []
    words += ["--inverse"] if second and inverse else []
    words += [f"--timeframe {timeframe}"] if timeframe else []
    words += [f"--surrogates {study.surrogates}", f"--seed {study.seed}"]
    words += [f"--atr-multiple {study.atr_multiple:g}"] if study.atr_multiple != default.atr_multiple else []
    words += [f"--time-limit {study.time_limit}"] if study.time_limit != default.time_limit else []
    words += [f"--out {out.name}"] if out else []
    return " ".join(words)


def _refuse_target(out: Path, force: bool) -> None:
    if out.suffix not in {".json", ".md"}:
        raise DataError(f"{out} must end in .json (the whole report) or .md (its table)")
    if out.exists() and not force:
        raise DataError(f"{out} exists already; choose another --out, or pass --force to replace it")


def _write(report: BaseRateReport, out: Path) -> None:
    text = markdown(report) if out.suffix == ".md" else report_json(report)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{out} can't be written: {error.strerror or error}; choose another --out") from error


def report_json(report: BaseRateReport) -> str:
    """The report as indented JSON, a row of the table a few lines, so that differences can be read."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"


def _show(market: MarketRates, study: Study) -> None:
    results.print(f"{market.label} {title(market)}, {market.bars:,} bars, {span_text(market)}", soft_wrap=True)
    for test, rates in tested(market).items():
        table = Table(*COLUMNS, title=test_in_words(test, study.atr_multiple), title_justify="left")
        for rate in rates:
            table.add_row(*row_texts(rate))
        results.print(table)
    if not tested(market):
        console.print("nothing in this file was read and followed to its end; give it more bars")

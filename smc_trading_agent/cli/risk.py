"""`smc-agent risk`: the limits that orders are judged by, and whether the figures behind them have been right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from smc_trading_agent.cli.limits import limits
from smc_trading_agent.cli.options import AsJson, IgnoreUnknown, errors_as_exit_codes, file_options, progress_bar
from smc_trading_agent.cli.output import CHECK_FAILED, OK, emit, results
from smc_trading_agent.domain.clock import utc_text
from smc_trading_agent.research.pairs import bars_of
from smc_trading_agent.research.var_backtest import Market, VarReport, backtest_var
from smc_trading_agent.risk_manager.value_at_risk import asset_of
from smc_trading_agent.risk_manager.var_backtest import LikelihoodRatio
from smc_trading_agent.runtime.markets import open_file

app = typer.Typer(help="Limits, risk figures and their tests.", no_args_is_help=True)
app.command()(limits)

Data = Annotated[
    list[Path], typer.Option("--data", help="A recorded market; several make one book of equal notionals.")
]
Confidence = Annotated[float, typer.Option("--confidence", min=0.5, max=0.9999, help="Of value at risk.")]
Horizon = Annotated[str | None, typer.Option("--horizon", help="Such as 1d; the file's own timeframe when left out.")]
Window = Annotated[int, typer.Option("--window", min=2, max=100_000, help="Scenarios.")]

COLUMNS = (
    "book", "model", "forecasts", "exceeded", "expected", "rate", "mean VaR", "worst loss",
    "Kupiec p", "independence p", "joint p", "zone", "tighten by", "trusted",
)  # fmt: skip


@app.callback()
def _risk() -> None:
    """Limits, risk figures and their tests."""


@app.command()
def backtest(
    data: Data,
    confidence: Confidence = 0.99,
    horizon: Horizon = None,
    window: Window = 1_000,
    ignore_unknown: IgnoreUnknown = False,
    as_json: AsJson = False,
) -> None:
    """Forecast value at risk at every bar from the closes before it, and test how often it was exceeded.

    Of a book long, and one short, the same notional of each market. Exit code 1 where the historical model, by which
    orders are judged, is not to be trusted for one of them.
    """
    with errors_as_exit_codes(as_json):
        markets = []
        for path in data:
            market = open_file(path, file_options("", "", "", ignore_unknown)).market
            asset = asset_of(market.instrument.symbol)
            markets.append(Market(market.instrument.key, asset, bars_of(market.feed.batches(0), None)))
        with progress_bar(as_json) as progress:
            task = progress.add_task("value at risk", total=max(len(market.bars) for market in markets))
            report = backtest_var(
                markets, horizon, confidence, window, lambda done: progress.update(task, completed=done)
            )
    if as_json:
        emit(msgspec.to_builtins(report), True)
    else:
        _show(report)
    trusted = all(result.verdict.trusted for result in report.results if result.model == "historical")
    raise typer.Exit(OK if trusted else CHECK_FAILED)


def _show(report: VarReport) -> None:
    span = f"{utc_text(report.first_forecast)} to {utc_text(report.last_forecast)}"
    title = (
        f"{' + '.join(report.instruments)}, {report.timeframe} bars, VaR {report.confidence:g} over {report.horizon}, "
        f"{report.window:,} scenarios, {span}"
    )
    table = Table(*COLUMNS, title=title, title_justify="left")
    for result in report.results:
        verdict = result.verdict
        table.add_row(
            result.side,
            result.model,
            f"{verdict.forecasts:,}",
            f"{verdict.exceedances:,}",
            f"{verdict.expected:,.1f}",
            f"{verdict.exceedances / verdict.forecasts:.2%}",
            f"{result.mean_forecast:.2%}",
            f"{result.worst_loss:.2%}",
            _p(verdict.coverage),
            _p(verdict.independence),
            _p(verdict.conditional_coverage),
            verdict.zone.value,
            f"{verdict.tighten_by:.2f}",
            "yes" if verdict.trusted else "NO",
        )
    results.print(table)


def _p(test: LikelihoodRatio) -> str:
    return f"{test.p_value:.4f}" + ("*" if test.rejects else "")

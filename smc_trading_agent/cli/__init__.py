"""The command line, `smc-agent`: every command has `--json`, stable exit codes, and errors that name the remedy."""

from __future__ import annotations

import typer

from smc_trading_agent import __version__
from smc_trading_agent.cli.backtest import backtest
from smc_trading_agent.cli.base_rates import base_rates
from smc_trading_agent.cli.breaker import app as breaker_app
from smc_trading_agent.cli.breaker import kill
from smc_trading_agent.cli.chart import chart
from smc_trading_agent.cli.data import app as data_app
from smc_trading_agent.cli.doctor import doctor
from smc_trading_agent.cli.explain import explain
from smc_trading_agent.cli.models import app as models_app
from smc_trading_agent.cli.risk import app as risk_app
from smc_trading_agent.cli.run import run
from smc_trading_agent.cli.simex import simex
from smc_trading_agent.cli.train import train
from smc_trading_agent.cli.verify import verify

app = typer.Typer(
    name="smc-agent",
    help="A Smart Money Concepts trading agent that does not repaint, explains itself, and fails closed.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command()(run)
app.command()(backtest)
app.command()(train)
app.command()(verify)
app.command("base-rates")(base_rates)
app.command()(explain)
app.command()(chart)
app.command()(simex)
app.add_typer(data_app, name="data")
app.add_typer(models_app, name="models")
app.add_typer(risk_app, name="risk")
app.add_typer(breaker_app, name="breaker")
app.command()(kill)
app.command()(doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Say which.")
) -> None:
    """Options before the command."""


def main() -> None:
    """Entry point of `smc-agent`."""
    app()

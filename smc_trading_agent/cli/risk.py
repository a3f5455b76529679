"""`smc-agent risk`: what the risk gateway judges by."""

from __future__ import annotations

import typer

from smc_trading_agent.cli.limits import limits

app = typer.Typer(help="What the risk gateway judges by.", no_args_is_help=True)
app.command()(limits)


@app.callback()
def _risk() -> None:
    """What the risk gateway judges by."""

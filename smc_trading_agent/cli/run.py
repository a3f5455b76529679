"""`smc-agent run`: the agent in paper mode, with its API and page, on the synthetic market or a recorded tape."""

from __future__ import annotations

import getpass
import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from smc_trading_agent.cli.options import (
    AsJson,
    ConfigFile,
    Context,
    IgnoreUnknown,
    LotSize,
    StateRoot,
    Symbol,
    TickSize,
    Timeframe,
    errors_as_exit_codes,
    file_options,
    progress_bar,
    settings_for,
)
from smc_trading_agent.cli.output import INTERNAL, console, emit
from smc_trading_agent.launcher import serve
from smc_trading_agent.runtime.agent import Agent
from smc_trading_agent.runtime.launch import LaunchOptions, launch_agent, summary

Data = Annotated[Path | None, typer.Option("--data", help="Trade on this recorded tape; the synthetic market else.")]
Speed = Annotated[str | None, typer.Option("--speed", help="Market seconds per real second, or max.")]
FastForward = Annotated[
    int | None, typer.Option("--fast-forward", min=0, help="Run this many base bars flat out first.")
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of the synthetic market.")]
Length = Annotated[int | None, typer.Option("--bars", min=1, help="End the synthetic market after so many bars.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin a new account; the old one is moved aside.")]
NoApi = Annotated[bool, typer.Option("--no-api", help="No API and no page.")]
ExitAtEnd = Annotated[bool, typer.Option("--exit-at-end", help="Stop when the tape ends, instead of serving on.")]
Port = Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Port of the API; 8008.")]
Every = Annotated[bool, typer.Option("--take-every-setup", help="Research: trade every setup.")]

Reason = Annotated[
    str | None, typer.Option("--reason", help="Why limits are changed; production demands it to loosen.")
]


def run(
    data: Data = None,
    speed: Speed = None,
    fast_forward: FastForward = None,
    timeframe: Timeframe = None,
    context: Context = None,
    seed: Seed = None,
    bars: Length = None,
    fresh: Fresh = False,
    no_api: NoApi = False,
    exit_at_end: ExitAtEnd = False,
    port: Port = None,
    take_every_setup: Every = False,
    reason: Reason = None,
    state_dir: StateRoot = None,
    config: ConfigFile = None,
    symbol: Symbol = "",
    tick_size: TickSize = "",
    lot_size: LotSize = "",
    ignore_unknown: IgnoreUnknown = False,
    as_json: AsJson = False,
) -> None:
    """Trade on paper until Ctrl-C; state is kept, and the next run goes on where this one stopped."""
    overrides: dict[str, dict[str, object]] = {
        "app": {"port": port, "state_dir": None if state_dir is None else str(state_dir)},
        "synthetic": {"seed": seed},
        "decision": {"take_every_setup": take_every_setup or None},
        "risk": {"change_reason": reason, "change_actor": None if reason is None else getpass.getuser()},
    }
    with errors_as_exit_codes(as_json):
        settings = settings_for(config, timeframe, context, overrides)
        options = LaunchOptions(
            data=data,
            file=file_options(symbol, tick_size, lot_size, ignore_unknown),
            speed=speed,
            fast_forward=fast_forward,
            length=bars,
            fresh=fresh,
        )
        agent = launch_agent(settings, options, os.environ)
        if no_api:
            _run_here(agent, as_json)
        else:
            console.print(
                f"{agent.label} market, {agent.mode} money: http://{settings.app.host}:{settings.app.port} "
                "(Ctrl-C stops, the account is kept)",
                highlight=False,
            )
            serve(agent, settings, exit_at_end)
        result = summary(agent)
    emit(result, as_json)
    if agent.status().error:
        raise typer.Exit(INTERNAL)


def _run_here(agent: Agent, as_json: bool) -> None:
    """Runs without API; the first Ctrl-C or TERM stops cleanly."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    agent.start()
    with progress_bar(as_json) as progress:
        task = progress.add_task("bars", total=agent.total_bars)
        while not agent.ended.wait(0.2) and not stopping.is_set():
            progress.update(task, completed=agent.cursor)
    agent.stop()

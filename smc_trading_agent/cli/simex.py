"""`smc-agent simex`: a simulated exchange that public Binance clients can trade on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from smc_trading_agent.cli.options import AsJson, errors_as_exit_codes
from smc_trading_agent.cli.output import emit
from smc_trading_agent.domain.clock import SystemClock
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.simex.faults import read_faults
from smc_trading_agent.simex.keys import derived
from smc_trading_agent.simex.rules import Kind, listed
from smc_trading_agent.simex.serve import bind, described, serve, server_of
from smc_trading_agent.simex.venue import Options, Venue

TOKEN = "SMC_SIMEX_TOKEN"  # nosec B105


def tapes_of(entries: list[str]) -> dict[str, Path]:
    """``SYMBOL=FILE`` entries as a mapping; a file alone is BTCUSDT's."""
    tapes = {}
    for entry in entries:
        symbol, given, file = entry.rpartition("=")
        symbol = symbol if given else "BTCUSDT"
        if symbol not in listed(Kind.FUTURES):
            raise ConfigError(f"--tape {entry}: {symbol} is not listed; listed are {', '.join(listed(Kind.FUTURES))}")
        tapes[symbol] = Path(file)
    return tapes


def simex(
    port: Annotated[int, typer.Option("--port", help="0 takes a free one.", min=0, max=65535)] = 9470,
    host: Annotated[str, typer.Option("--host", help="Other machines reach it only by another address.")] = "127.0.0.1",
    seed: Annotated[int, typer.Option("--seed", help="Of the market, the keys and the faults.", min=0)] = 1,
    tape: Annotated[
        list[str] | None, typer.Option("--tape", help="[SYMBOL=]FILE of recorded 1-minute candles.")
    ] = None,
    faults: Annotated[Path | None, typer.Option("--faults", help="A JSON list of fault rules.")] = None,
    step_ms: Annotated[int, typer.Option("--step-ms", help="The market's pace; 0: only when asked.", min=0)] = 100,
    weight: Annotated[int | None, typer.Option("--weight-limit", help="Request weight a minute.", min=1)] = None,
    session_s: Annotated[int, typer.Option("--session-s", help="When sockets are dropped.", min=1)] = 86_400,
    as_json: AsJson = False,
) -> None:
    """A simulated exchange: Binance USD-M futures and spot, by REST and websocket, with faults on demand."""
    with errors_as_exit_codes(as_json):
        options = Options(
            seed=seed,
            tapes=tapes_of(tape or []),
            faults=read_faults(faults),
            weight=weight,
            session_ms=session_s * 1000,
        )
        venue = Venue(SystemClock(), options)
        token = os.environ.get(TOKEN) or derived(seed, "control")
        with bind(host, port) as listener:
            payload = described(venue, token, listener)
            serve(server_of(venue, token, step_ms, lambda: emit(payload, as_json)), listener)

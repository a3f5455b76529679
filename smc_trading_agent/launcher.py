"""Starts agent and API together: what `main_optimized.py` and `smc-agent run` both do."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading

import uvicorn
from fastapi import FastAPI
from rich.console import Console

from smc_trading_agent.api.app import create_app
from smc_trading_agent.config import load_settings
from smc_trading_agent.domain.errors import AgentError
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.runtime.agent import Agent
from smc_trading_agent.runtime.launch import LaunchOptions, configure_logging, launch_agent

BAD_INPUT = 2
SWITCH_INTERVAL_S = 0.0005
"""How long the API may hold the interpreter from the trading thread; at the default, 5 ms, it is felt in the tail."""
console = Console(stderr=True, highlight=False, soft_wrap=True)


def create_service() -> FastAPI:
    """The API over an agent on the synthetic market, with settings from `config.yaml` and the environment.

    The agent is made when the server starts, not when this module is imported. Raises `ConfigError`.
    """
    settings = load_settings(None, os.environ)
    configure_logging(settings)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    return create_app(
        lambda: launch_agent(settings, LaunchOptions(), os.environ),
        production=settings.app.environment == "production",
    )


def serve(agent: Agent, settings: Settings, exit_at_end: bool = False) -> None:
    """Serves one agent until a signal, or until its tape ends; the agent is stopped and its state kept."""
    configure_logging(settings)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = create_app(lambda: agent, production=settings.app.environment == "production")
    server = uvicorn.Server(_server_config(app, settings))
    if exit_at_end:
        threading.Thread(target=_stop_at_end, args=(agent, server), daemon=True).start()
    # uvicorn raises a signal again once it has shut down: a TERM then ends like Ctrl-C, with the last word said.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()


def main() -> None:
    """`python main_optimized.py`: the agent on the synthetic market, its API on the configured port."""
    try:
        settings = load_settings(None, os.environ)
        agent = launch_agent(settings, LaunchOptions(), os.environ)
    except AgentError as error:
        console.print(f"error: {error}", style="bold red", markup=False)
        raise SystemExit(BAD_INPUT) from error
    app = settings.app
    console.print(
        f"{agent.label} market, {agent.mode} money: http://{app.host}:{app.port} (Ctrl-C stops, the account is kept)"
    )
    serve(agent, settings)
    console.print(f"stopped at bar {agent.cursor:,}; the account is kept in {agent.state_path}")


def _server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.app.host,
        port=settings.app.port,
        loop="asyncio" if os.environ.get("UVLOOP_ENABLED") == "0" else "auto",
        log_level="info" if settings.app.debug else "warning",
        access_log=settings.app.debug,
        timeout_graceful_shutdown=5,
    )


def _stop_at_end(agent: Agent, server: uvicorn.Server) -> None:
    agent.ended.wait()
    server.should_exit = True

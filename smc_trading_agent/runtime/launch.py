"""Starts an agent from settings: opens market and state, and serves it where an API is wanted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec

from smc_trading_agent.config import api_key_hash
from smc_trading_agent.data_pipeline.pacing import parse_speed
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.runtime.agent import Agent
from smc_trading_agent.runtime.markets import FileOptions, OpenedMarket, Pace, open_file, open_synthetic
from smc_trading_agent.runtime.state_dir import StateDir


class LaunchOptions(msgspec.Struct, frozen=True):
    """What to run on. ``speed`` None means the settings' speed, for a tape its recorded speed."""

    data: Path | None = None
    file: FileOptions = FileOptions()
    speed: str | None = None
    fast_forward: int | None = None
    length: int | None = None
    fresh: bool = False


def launch_agent(settings: Settings, options: LaunchOptions, environment: Mapping[str, str]) -> Agent:
    """An agent that is ready to start. Raises `AgentError` where market, settings or state can't be used."""
    speed = None if options.speed is None else parse_speed(options.speed)
    opened = _open(settings, options)
    pace = _pace(settings, options, speed)
    durable = settings.journal.durability == "power_loss"
    state = StateDir(Path(settings.app.state_dir), f"paper {opened.market.feed.market}", durable, options.fresh)
    try:
        agent = Agent(settings, opened, state, pace, api_key_hash(environment))
        agent.recover()
        return agent
    except BaseException:
        state.close()
        raise


def _pace(settings: Settings, options: LaunchOptions, speed: float | None) -> Pace:
    """A tape runs at its recorded speed unless told otherwise; the synthetic market as the settings say."""
    synthetic = settings.synthetic
    usual = (1.0, 0) if options.data is not None else (synthetic.speed, synthetic.fast_forward_bars)
    fast_forward = usual[1] if options.fast_forward is None else options.fast_forward
    return Pace(usual[0] if options.speed is None else speed, fast_forward)


def configure_logging(settings: Settings) -> None:
    """One line a record on stderr."""
    level = "DEBUG" if settings.app.debug else settings.app.log_level
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def summary(agent: Agent) -> dict[str, object]:
    """How a run stands: position in the market, account, hashes."""
    assembly, status = agent.assembly, agent.status()
    account = assembly.engine.account(assembly.coordinator.last_close)
    instrument = agent.instrument
    return {
        "state": status.state.value,
        "label": agent.label,
        "market": status.market,
        "bars": agent.cursor,
        "equity": instrument.format_quote(account.equity),
        "position": instrument.format_quantity(account.position),
        "venue_position": instrument.format_quantity(assembly.venue.position),
        "open_orders": account.open_orders,
        "breaker": status.breaker.value,
        "facts": status.journal_length,
        "journal_hash": status.journal_hash,
        "orders_hash": agent.orders_hash,
        "error": status.error,
    }


def _open(settings: Settings, options: LaunchOptions) -> OpenedMarket:
    if options.data is None:
        return open_synthetic(settings.synthetic, options.length)
    return open_file(options.data, options.file)

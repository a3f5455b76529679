"""`smc-agent risk limits`: the limits of the settings, and those that the kept accounts run under."""

from __future__ import annotations

import msgspec
from rich.table import Table

from smc_trading_agent.cli.options import AsJson, ConfigFile, StateRoot, errors_as_exit_codes, settings_for
from smc_trading_agent.cli.output import console, emit, results
from smc_trading_agent.runtime.limits import LimitsInForce, limits_in_force


def limits(config: ConfigFile = None, state_dir: StateRoot = None, as_json: AsJson = False) -> None:
    """Show the limits of the settings and those in force in each kept account, with their hashes."""
    override = None if state_dir is None else str(state_dir)
    with errors_as_exit_codes(as_json):
        found = limits_in_force(settings_for(config, None, None, {"app": {"state_dir": override}}))
    if as_json:
        emit({"limits": msgspec.to_builtins(found)}, True)
    else:
        _show(found)


def _show(found: list[LimitsInForce]) -> None:
    settings, *accounts = found
    table = Table("limit", "settings", *(account.source for account in accounts))
    table.add_row("hash", settings.limits_hash, *(account.limits_hash for account in accounts))
    for name, value in settings.limits.items():
        table.add_row(name, _text(value), *(_text(account.limits.get(name)) for account in accounts))
    results.print(table)
    for account in accounts:
        loosened = ", ".join(account.loosened) or "nothing"
        said = f"{account.source}: by {account.actor} ({account.reason or 'no reason given'}), loosened {loosened}"
        console.print(said, style="dim", markup=False)


def _text(value: object) -> str:
    if value is None:
        return "not looked at"
    return ", ".join(str(item) for item in value) or "none" if isinstance(value, list) else str(value)

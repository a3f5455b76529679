"""`smc-agent breaker` and `smc-agent kill`: look at the circuit breaker, open it, re-arm it, and the kill switch."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from smc_trading_agent.cli.options import AsJson, StateRoot, errors_as_exit_codes, settings_for
from smc_trading_agent.cli.output import CHECK_FAILED, console, emit, results
from smc_trading_agent.domain.breaker import BreakerAction, BreakerAnswer, BreakerOrder, ScopeLevel
from smc_trading_agent.domain.clock import SystemClock
from smc_trading_agent.domain.errors import AgentError, BreakerRefusal
from smc_trading_agent.domain.reasons import BreakerState
from smc_trading_agent.runtime.breaker_desk import (
    KeptBreaker,
    accounts_under,
    answer_to,
    kept_breaker,
)
from smc_trading_agent.runtime.breaker_desk import kill as write_kill_files
from smc_trading_agent.runtime.breaker_desk import kill_files_of, killed_within, send, the_account

app = typer.Typer(help="Look at the circuit breaker, open it, or re-arm it.", no_args_is_help=True)

Account = Annotated[str | None, typer.Option("--account", help="Folder of the account below the state folder.")]
Scope = Annotated[str, typer.Option("--scope", help="global, venue, account, instrument, strategy; or in full.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is journalled.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who; the user of this session when left out.")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the agent's answer.")]
ToState = Annotated[BreakerState, typer.Option("--state", help="reducing or halted.")]


@app.command()
def show(account: Account = None, state_dir: StateRoot = None, as_json: AsJson = False) -> None:
    """Show the breaker of every kept account, scope by scope, also while an agent runs."""
    with errors_as_exit_codes(as_json):
        kept = [kept_breaker(folder) for folder in accounts_under(_root(state_dir), account)]
    if as_json:
        emit({"accounts": msgspec.to_builtins(kept)}, True)
    else:
        _show(kept)


@app.command()
def trip(
    reason: Reason,
    scope: Scope = ScopeLevel.ACCOUNT.value,
    state: ToState = BreakerState.HALTED,
    actor: Actor = None,
    account: Account = None,
    wait: Wait = 5.0,
    state_dir: StateRoot = None,
    as_json: AsJson = False,
) -> None:
    """Open the breaker: reducing lets exposure only shrink, halted waits for a re-arm."""
    _order(BreakerOrder(BreakerAction.TRIP, scope, _who(actor), reason, state), account, wait, state_dir, as_json)


@app.command()
def rearm(
    reason: Reason,
    scope: Scope = ScopeLevel.ACCOUNT.value,
    actor: Actor = None,
    account: Account = None,
    wait: Wait = 5.0,
    state_dir: StateRoot = None,
    as_json: AsJson = False,
) -> None:
    """Re-arm a halted scope; a killed one needs this from two different people, and its kill file removed."""
    _order(BreakerOrder(BreakerAction.REARM, scope, _who(actor), reason), account, wait, state_dir, as_json)


def kill(
    reason: Reason,
    scope: Scope = ScopeLevel.GLOBAL.value,
    actor: Actor = None,
    account: Account = None,
    wait: Wait = 5.0,
    state_dir: StateRoot = None,
    as_json: AsJson = False,
) -> None:
    """Stop everything: nothing new is sent, our orders are cancelled but those that protect a position. It stays."""
    with errors_as_exit_codes(as_json):
        root, everywhere = _root(state_dir), scope == ScopeLevel.GLOBAL.value and account is None
        folders = [] if everywhere else accounts_under(root, account)
        files = write_kill_files(root, folders, BreakerOrder(BreakerAction.KILL, scope, _who(actor), reason))
        watched = folders or [file.parent for file in root.glob("*/journal.db")]
        confirmed = killed_within(watched, wait)
        kept = [kept_breaker(folder) for folder in watched]
    told = {
        "kill_files": [str(file) for file in files],
        "journalled": confirmed,
        "open_orders": {breaker.account: breaker.open_orders for breaker in kept},
    }
    emit(told, as_json)
    if not confirmed and not as_json:
        console.print("not every agent has journalled it: one that does not run is killed when it starts", style="dim")


def _order(order: BreakerOrder, account: str | None, wait: float, state_dir: Path | None, as_json: bool) -> None:
    with errors_as_exit_codes(as_json):
        folder = the_account(_root(state_dir), account)
        _demand_no_kill_file(order, folder)
        answer = answer_to(send(folder, order, SystemClock()), wait)
        if answer is not None and not answer.accepted:
            raise BreakerRefusal(answer.message)
    _tell(answer, as_json)


def _demand_no_kill_file(order: BreakerOrder, folder: Path) -> None:
    there = [str(file) for file in kill_files_of(folder) if file.exists()]
    if order.action is BreakerAction.REARM and there:
        raise BreakerRefusal(f"{', '.join(there)} is there, so everything stays killed; remove it first")


def _tell(answer: BreakerAnswer | None, as_json: bool) -> None:
    if answer is None:
        emit({"accepted": None, "message": "no agent has answered; it takes this at its next bar or start"}, as_json)
        raise typer.Exit(CHECK_FAILED)
    emit({"accepted": answer.accepted, "state": answer.state.value, "message": answer.message}, as_json)


def _who(actor: str | None) -> str:
    if actor is not None:
        return actor
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise AgentError("this session has no user name; name yourself with --actor") from error


def _root(state_dir: Path | None) -> Path:
    return Path(settings_for(None, None, None).app.state_dir) if state_dir is None else state_dir


def _show(kept: list[KeptBreaker]) -> None:
    for breaker in kept:
        table = Table("scope", "state", title=f"{breaker.account}: {breaker.state.value} ({breaker.public})")
        for scope, state in breaker.scopes.items():
            table.add_row(scope, state.value)
        results.print(table)
        if breaker.last is not None:
            said = f"last: {breaker.last.cause.value}, {breaker.last.detail} (by {breaker.last.actor})"
            results.print(said, markup=False, highlight=False, soft_wrap=True)
        for file in breaker.kill_files:
            results.print(f"kill file: {file}", style="bold red", markup=False, highlight=False, soft_wrap=True)
        if breaker.open_orders:
            results.print(f"open orders: {', '.join(breaker.open_orders)}", markup=False, highlight=False)
        if breaker.waiting:
            results.print(f"orders to the breaker that wait for an agent: {breaker.waiting}", highlight=False)

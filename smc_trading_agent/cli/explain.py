"""`smc-agent explain`: why a decision was taken or refused, from the journal alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smc_trading_agent.cli.options import AsJson, StateRoot, errors_as_exit_codes, settings_for
from smc_trading_agent.cli.output import console, emit, results
from smc_trading_agent.runtime.explanation import Explanation, explain_in, journals_under

Id = Annotated[str, typer.Argument(help="A decision, setup, client order or trade id; `last` for the newest decision.")]
JournalFile = Annotated[Path | None, typer.Option("--journal", help="One journal; all under the state folder else.")]


def explain(wanted: Id, journal: JournalFile = None, state_dir: StateRoot = None, as_json: AsJson = False) -> None:
    """Tell why a decision was taken or refused: setup, evidence, probability, limits, orders, fills."""
    with errors_as_exit_codes(as_json):
        root = Path(settings_for(None, None, None).app.state_dir) if state_dir is None else state_dir
        files = [journal] if journal is not None else journals_under(root)
        found = explain_in(files, wanted, root)
    if as_json:
        emit(found.as_mapping(), True)
    else:
        _show(found)


def _show(found: Explanation) -> None:
    results.print(found.headline, style="bold", markup=False, highlight=False, soft_wrap=True)
    for title, lines in found.sections:
        results.print(f"\n{title}", style="bold", markup=False)
        for line in lines:
            results.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"\nfrom {found.journal}", style="dim", markup=False)

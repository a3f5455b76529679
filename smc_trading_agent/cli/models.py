"""`smc-agent models`: which bundles are there, what they are worth, which one the agent loads, and the signing keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, TableElement
from rich.markup import escape
from rich.table import Table

from smc_trading_agent.cli.options import AsJson, ConfigFile, errors_as_exit_codes, settings_for
from smc_trading_agent.cli.output import CHECK_FAILED, OK, console, emit, results
from smc_trading_agent.decision_engine.ensemble.bundle import Bundle
from smc_trading_agent.decision_engine.ensemble.manifest import CARD, REPORT, Manifest
from smc_trading_agent.decision_engine.ensemble.signing import create_key
from smc_trading_agent.domain.clock import SystemClock, utc_text
from smc_trading_agent.domain.errors import BundleError
from smc_trading_agent.domain.settings import ModelSettings
from smc_trading_agent.runtime.model_registry import (
    PROMOTED,
    Judgement,
    Listed,
    ModelRegistry,
    judgement_of,
    registry_of,
)
from smc_trading_agent.runtime.promotions import Promotion

app = typer.Typer(help="List, judge, promote and verify bundles of models; make signing keys.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="A bundle's id, the beginning of one, or `promoted`.")]
Folder = Annotated[Path | None, typer.Option("--folder", help="Folder of bundles; decision.models.folder else.")]
Trust = Annotated[
    Path | None, typer.Option("--trust", help="Folder of public keys; decision.models.trust_folder else.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]
Despite = Annotated[str, typer.Option("--despite-gate", help="Why to promote though the gate is closed; recorded.")]
PrivateFile = Annotated[Path, typer.Argument(help="Where the private key goes; outside of any repository.")]


class _WholeTable(TableElement):
    """A table that wraps what is too wide for the screen; Rich would cut hashes short."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in super().__rich_console__(console, options):
            if isinstance(part, Table):
                for column in part.columns:
                    column.overflow = "fold"
            yield part


class _Card(Markdown):
    elements = {**Markdown.elements, "table_open": _WholeTable}  # noqa: RUF012 - as Rich declares it


@app.command("list")
def list_bundles(
    folder: Folder = None, trust: Trust = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Show every bundle of the folder: made when, on what, what came out, who signed it, which one is promoted."""
    with errors_as_exit_codes(as_json):
        registry = _registry(folder, trust, config)
        found, history = registry.bundles(), registry.history()
    if as_json:
        rows = [_facts(row) for row in found]
        emit({"folder": str(registry.folder), "promoted": registry.promoted(), "bundles": rows}, True)
        return
    table = Table()
    table.add_column("bundle", no_wrap=True, min_width=len(found[0].bundle) if found else None)
    for name in ("made", "trained on", "verdict", "gate", "signed by"):
        table.add_column(name, overflow="fold")
    for row in found:
        table.add_row(*(escape(cell) for cell in _row(row)))
    results.print(table)
    if history:
        console.print(_told(history[-1]), markup=False, highlight=False, soft_wrap=True)


@app.command()
def show(
    wanted: Id = PROMOTED,
    folder: Folder = None,
    trust: Trust = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the card of a bundle, after verifying it."""
    with errors_as_exit_codes(as_json):
        registry = _registry(folder, trust, config)
        bundle = registry.checked(registry.find(wanted))
        card, judged = bundle.contents[CARD].decode(errors="replace"), judgement_of(bundle)
    if as_json:
        row = Listed(
            bundle.bundle_id, bundle.manifest, judged, bundle.signed_by, bundle.bundle_id == registry.promoted(), ""
        )
        emit({**_facts(row), "card": card}, True)
    else:
        results.print(_Card(card))


@app.command()
def verify(
    wanted: Id = PROMOTED,
    folder: Folder = None,
    trust: Trust = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Check signature, hashes and feature schema of a bundle. Exits 0 when it would be loaded, 1 when not."""
    with errors_as_exit_codes(as_json):
        registry = _registry(folder, trust, config)
        bundle_id = registry.find(wanted)
        problem, signed_by, files = "", "", 0
        try:
            bundle = registry.checked(bundle_id)
            signed_by, files = bundle.signed_by, len(bundle.manifest.files)
        except BundleError as error:
            problem = str(error)
    answer = {"bundle": bundle_id, "verified": not problem, "signed_by": signed_by, "files": files, "problem": problem}
    emit(answer if as_json else {name: value for name, value in answer.items() if value != ""}, as_json)
    raise typer.Exit(CHECK_FAILED if problem else OK)


@app.command()
def report(
    wanted: Id = PROMOTED,
    folder: Folder = None,
    trust: Trust = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print where the report of a bundle is, a page for the browser, after verifying the bundle."""
    with errors_as_exit_codes(as_json):
        registry = _registry(folder, trust, config)
        bundle = registry.checked(registry.find(wanted))
        path = registry.folder / bundle.bundle_id / REPORT
        if REPORT not in bundle.contents:
            raise BundleError(
                f"{bundle.bundle_id} has no {REPORT}; smc-agent models show {bundle.bundle_id} has its card"
            )
    if as_json:
        emit({"bundle": bundle.bundle_id, "report": str(path.resolve())}, True)
    else:
        typer.echo(path.resolve())


@app.command()
def promote(
    wanted: Id,
    yes: Yes = False,
    despite_gate: Despite = "",
    folder: Folder = None,
    trust: Trust = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a bundle the one that `decision.models.bundle: promoted` loads. Exits 1 when its gate is closed."""
    with errors_as_exit_codes(as_json):
        registry = _registry(folder, trust, config)
        bundle = registry.checked(registry.find(wanted))
        if as_json and not yes:
            raise BundleError(f"{bundle.bundle_id} is not promoted: with --json nobody can be asked; pass --yes")
        judged = judgement_of(bundle)
        if not as_json:
            _show_gate(bundle, judged)
        if not yes and (despite_gate.strip() or (judged is not None and judged.open)):
            typer.confirm(f"Promote {bundle.bundle_id}?", abort=True, err=True)
        promotion = registry.promote(bundle.bundle_id, SystemClock(), despite_gate)
    _tell(registry, promotion, bundle.bundle_id, as_json)


@app.command()
def rollback(folder: Folder = None, trust: Trust = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Go back to the bundle that was promoted before, after verifying it."""
    with errors_as_exit_codes(as_json):
        registry = _registry(folder, trust, config)
        promotion = registry.rollback(SystemClock())
    _tell(registry, promotion, promotion.bundle, as_json)


@app.command()
def keygen(private: PrivateFile, trust: Trust = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Make a key pair: the private key for signing, readable by its owner alone, the public one among the trusted."""
    with errors_as_exit_codes(as_json):
        models = _models(None, trust, config)
        inside = next((place for place in private.absolute().parents if (place / ".git").exists()), None)
        if inside is not None:
            raise BundleError(
                f"{private} is inside the repository {inside}; name a file outside of it for a private key"
            )
        identity = create_key(private, Path(models.trust_folder))
    emit({"key": identity, "private_key": str(private), "trust_folder": models.trust_folder}, as_json)


def _models(folder: Path | None, trust: Path | None, config: Path | None) -> ModelSettings:
    models = settings_for(config, None, None).decision.models
    named = {"folder": folder, "trust_folder": trust}
    return models.model_copy(update={name: str(path) for name, path in named.items() if path is not None})


def _registry(folder: Path | None, trust: Path | None, config: Path | None) -> ModelRegistry:
    return registry_of(_models(folder, trust, config))


def _facts(row: Listed) -> dict[str, object]:
    """A bundle for `--json`; null what is not known of it."""
    manifest, judged = row.manifest, row.judgement
    known: dict[str, object] = {} if manifest is None else _of_manifest(manifest)
    return {
        "bundle": row.bundle,
        "promoted": row.promoted,
        "made_at": None if judged is None else judged.made_at,
        "gate_open": None if judged is None else judged.open,
        "signed_by": row.signed_by,
        "problem": row.problem,
        **known,
    }


def _of_manifest(manifest: Manifest) -> dict[str, object]:
    return {
        "verdict": manifest.verdict,
        "instruments": manifest.instruments,
        "timeframes": manifest.timeframes,
        "trained_from": manifest.training.start,
        "trained_to": manifest.training.end,
        "labels": manifest.training.labels,
        "experts": [expert.name for expert in manifest.experts],
        "commit": manifest.provenance.commit,
    }


def _row(row: Listed) -> tuple[str, ...]:
    name, manifest, judged = f"{row.bundle}\n{PROMOTED if row.promoted else ''}".strip(), row.manifest, row.judgement
    if manifest is None:
        return (name, "", "", f"would be refused: {row.problem}", "", "")
    training = manifest.training
    trained = f"{', '.join(manifest.instruments)} at {', '.join(manifest.timeframes)}, {training.labels:,} labels, "
    trained += f"{utc_text(training.start)[:10]} to {utc_text(training.end)[:10]}"
    made = "not told" if judged is None else utc_text(judged.made_at)
    gate = "not told" if judged is None else "open" if judged.open else "closed"
    return (name, made, trained, manifest.verdict, gate, row.signed_by or "nobody trusted")


def _show_gate(bundle: Bundle, judged: Judgement | None) -> None:
    results.print(bundle.manifest.verdict, style="bold", markup=False, highlight=False, soft_wrap=True)
    if judged is None:
        results.print("Nothing is known of its gate: the bundle has no findings.", markup=False)
        return
    table = Table("condition", "found", "limit", "holds")
    for line in judged.gate:
        table.add_row(*map(escape, (line.condition, line.found, line.limit, "yes" if line.passed else "no")))
    results.print(table)


def _tell(registry: ModelRegistry, promotion: Promotion | None, promoted: str, as_json: bool) -> None:
    """What was done; ``promotion`` None where ``promoted`` was the promoted one already."""
    if as_json:
        facts = dict.fromkeys(("action", "previous", "despite_gate"))
        if promotion is not None:
            facts = {name: getattr(promotion, name) for name in facts}
        emit({"promoted": promoted, "changed": promotion is not None, **facts}, True)
        return
    done = f"{promoted} is promoted already" if promotion is None else _told(promotion)
    results.print(done, markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"an agent with decision.models.bundle: {PROMOTED} and decision.models.folder: {registry.folder} loads it when "
        "it starts next",
        style="dim",
        markup=False,
        soft_wrap=True,
    )


def _told(promotion: Promotion) -> str:
    how = "promoted" if promotion.action == "promote" else f"gone back to from {promotion.previous}"
    reason = f", though its gate was closed: {promotion.despite_gate}" if promotion.despite_gate else ""
    return f"{promotion.bundle} was {how} on {utc_text(promotion.at)}{reason}"

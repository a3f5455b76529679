"""`smc-agent train`: from data files to a signed bundle of models, with a card that says what they are worth."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

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
    settings_for,
)
from smc_trading_agent.cli.output import INTERRUPTED, console, emit, results
from smc_trading_agent.cli.progress import StageProgress
from smc_trading_agent.decision_engine.training.settings import NANO, TrainingSettings
from smc_trading_agent.domain.clock import SystemClock
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.research.training.bundle import train_bundle
from smc_trading_agent.research.training.executors import EXECUTORS, ExecutorName
from smc_trading_agent.research.training.findings import Findings
from smc_trading_agent.research.training.needs import experts_named, need_extra
from smc_trading_agent.research.training.run import TrainRequest

Data = Annotated[list[Path], typer.Option("--data", help="A recorded market; may be given several times.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for the bundle; decision.models.folder when left out.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The first seed; the others count up from it.")]
Seeds = Annotated[int | None, typer.Option("--seeds", min=1, max=20, help="How many: 3, and 1 with --quick.")]
Folds = Annotated[int, typer.Option("--folds", min=4, max=12, help="Groups of time; each split judges two of them.")]
Models = Annotated[str, typer.Option("--models", help="Comma-separated; all that there are when left out.")]
Quick = Annotated[bool, typer.Option("--quick", help="Tiny models: shows that all works, and is worth nothing else.")]
Where = Annotated[str, typer.Option("--executor", help="process: a pool on this machine; ray: with the extra ray.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Fits at the same time; one a core.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Make every fit again, also what this run has made before.")]
Key = Annotated[Path | None, typer.Option("--key", help="Private key to sign with; else our own, made on first use.")]
RUNS = "training"


def train(
    data: Data,
    out: Out = None,
    timeframe: Timeframe = None,
    context: Context = None,
    seed: Seed = 1,
    seeds: Seeds = None,
    folds: Folds = 6,
    models: Models = "",
    quick: Quick = False,
    executor: Where = "process",
    workers: Workers = None,
    fresh: Fresh = False,
    key: Key = None,
    state_dir: StateRoot = None,
    config: ConfigFile = None,
    symbol: Symbol = "",
    tick_size: TickSize = "",
    lot_size: LotSize = "",
    ignore_unknown: IgnoreUnknown = False,
    as_json: AsJson = False,
) -> None:
    """Fit models on the setups of recorded markets, judge them out of fold, and write a signed bundle.

    A run that was interrupted goes on where it stopped when the same command is given again.
    """
    overrides: dict[str, dict[str, object]] = {"app": {"state_dir": None if state_dir is None else str(state_dir)}}
    with errors_as_exit_codes(as_json):
        settings = settings_for(config, timeframe, context, overrides)
        count = seeds or (1 if quick else 3)
        request = TrainRequest(
            data=tuple(data),
            options=file_options(symbol, tick_size, lot_size, ignore_unknown),
            settings=settings,
            experts=experts_named(models),
            seeds=tuple(range(seed, seed + count)),
            groups=folds,
            sizes=NANO if quick else TrainingSettings(),
            executor=_executor(executor),
            workers=workers or os.cpu_count() or 1,
            state=Path(settings.app.state_dir) / RUNS,
            fresh=fresh,
            command=_command(data, timeframe, context, seed, count, folds, models, quick),
        )
        need_extra(request.experts)
        where = Path(settings.decision.models.folder) if out is None else out
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with StageProgress(console, as_json) as progress:
                bundle, findings = train_bundle(request, where, key, SystemClock(), progress)
        except KeyboardInterrupt:
            console.print("stopped; what was fitted is kept, and the same command goes on from here", highlight=False)
            raise typer.Exit(INTERRUPTED) from None
        finally:
            signal.signal(signal.SIGTERM, before)
    if as_json:
        emit({**msgspec.to_builtins(findings), "bundle": str(bundle)}, True)
    else:
        show(findings, bundle, settings)


def show(findings: Findings, bundle: Path, settings: Settings) -> None:
    """What was found for a person, and what to do with it."""
    results.print(findings.verdict, style="bold", markup=False, highlight=False, soft_wrap=True)
    table = Table("forecasts", "log-loss", "chance", "calibration error", "of which chance", title_justify="left")
    for score in (*findings.experts, findings.ensemble):
        losses = f"{score.log_loss:.4f}", f"{score.chance_log_loss:.4f}"
        table.add_row(score.name, *losses, f"{score.calibration_error:.4f}", f"{score.calibration_noise:.4f}")
    results.print(table)
    gate = Table("gate", "found", "limit", "holds", title_justify="left")
    for line in findings.gate:
        gate.add_row(line.condition, line.found, line.limit, "yes" if line.passed else "no")
    results.print(gate)
    free = len(findings.experts) - ("ppo" in {score.name for score in findings.experts})
    quorum = "" if settings.decision.models.quorum <= free else f", and decision.models.quorum: {free}"
    for text in (
        f"bundle: {bundle} (model_card.md, report.html, findings.json)",
        f"to use it, set decision.models.bundle: {bundle}{quorum}",
    ):
        results.print(text, markup=False, highlight=False, soft_wrap=True)


def _executor(name: str) -> ExecutorName:
    for known in EXECUTORS:
        if known == name:
            return known
    raise ConfigError(f"--executor {name} is unknown; use {' or '.join(EXECUTORS)}")


def _command(
    data: list[Path],
    timeframe: str | None,
    context: str | None,
    seed: int,
    seeds: int,
    folds: int,
    models: str,
    quick: bool,
) -> str:
    """The command that gives these findings, with file names for paths."""
    words = ["smc-agent train", *(f"--data {path.name}" for path in data)]
    words += [f"--timeframe {timeframe}"] if timeframe else []
    words += [f"--context {context}"] if context else []
    words += [f"--seed {seed}", f"--seeds {seeds}", f"--folds {folds}"]
    words += [f"--models {models}"] if models else []
    return " ".join([*words, *(["--quick"] if quick else [])])

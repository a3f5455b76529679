"""Does the decision path keep its latency target on this machine? Exit 0 only if it does.

Drives the real pipeline (synthetic market, journal and venue ledger on disk, every setup traded) until
``--iterations`` bars have had a setup judged, warm-up apart, and prints percentiles beside the targets.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from smc_trading_agent.monitoring.latency import LatencyRow, LatencyStage
from smc_trading_agent.research.pipeline_probe import PipelineProbe

WARM_UP_BARS = 20_000
P99_NEEDS = 1_000
COMPONENT_TARGETS_MS = {
    LatencyStage.DATA_PIPELINE: 10.0,
    LatencyStage.DECISION_ENGINE: 20.0,
    LatencyStage.RISK_MANAGER: 5.0,
}
progress_console = Console(stderr=True)
results = Console(width=None if Console().is_terminal else 120)


class Verdict(msgspec.Struct, frozen=True):
    """The measured path against its target. ``statistic`` is p99, or max where there are too few samples for it."""

    target_ms: float
    iterations: int
    statistic: str
    value_ms: float
    p50_ms: float
    max_ms: float
    met: bool
    components: tuple[LatencyRow, ...]


def main(
    target_ms: Annotated[
        float, typer.Option("--target-ms", min=0, help="Of one decision, market event to orders.")
    ] = 50,
    iterations: Annotated[int, typer.Option("--iterations", min=1, help="Bars with a judged setup to measure.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Validate the latency of the decision path."""
    with tempfile.TemporaryDirectory() as folder:
        verdict = measure(Path(folder), target_ms, iterations, as_json)
    if as_json:
        typer.echo(msgspec.json.encode(verdict).decode())
    else:
        show(verdict)
    raise typer.Exit(0 if verdict.met else 1)


def measure(folder: Path, target_ms: float, iterations: int, quiet: bool) -> Verdict:
    """Runs the pipeline until ``iterations`` bars have had a setup judged."""
    probe = PipelineProbe(folder)
    samples: list[int] = []
    with Progress(console=progress_console, transient=True, disable=quiet) as progress:
        task = progress.add_task(f"warming up over {WARM_UP_BARS:,} bars", total=None)
        probe.warm_up(WARM_UP_BARS)
        progress.update(task, description="measuring", total=iterations)
        while len(samples) < iterations:
            timed = probe.step()
            if timed.judged:
                samples.append(timed.nanoseconds)
                progress.advance(task)
    probe.close()
    taken = np.array(samples) / 1e6
    enough = len(samples) >= P99_NEEDS
    value = float(np.percentile(taken, 99) if enough else taken.max())
    return Verdict(
        target_ms=target_ms,
        iterations=iterations,
        statistic="p99" if enough else "max",
        value_ms=value,
        p50_ms=float(np.median(taken)),
        max_ms=float(taken.max()),
        met=value <= target_ms,
        components=tuple(row for row in probe.latency.rows() if row.count),
    )


def show(verdict: Verdict) -> None:
    """The table and the verdict for a person."""
    table = Table(
        "component", "n", "p50 ms", "p99 ms", "max ms", "target ms", title="every bar read", title_justify="left"
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for row in verdict.components:
        target = COMPONENT_TARGETS_MS.get(LatencyStage(row.stage))
        p99 = f"{row.p99_ms:.3f}" if row.count >= P99_NEEDS else ""
        shown = "" if target is None else f"{target:g}"
        table.add_row(row.stage, f"{row.count:,}", f"{row.p50_ms:.3f}", p99, f"{row.max_ms:.3f}", shown)
    results.print(table)
    few = (
        "" if verdict.statistic == "p99" else f" (fewer than {P99_NEEDS:,} samples carry no p99, so their max decides)"
    )
    results.print(
        f"bars with a judged setup: n {verdict.iterations:,}, p50 {verdict.p50_ms:.3f} ms, {verdict.statistic} "
        f"{verdict.value_ms:.3f} ms against a target of {verdict.target_ms:g} ms{few}",
        soft_wrap=True,
    )
    results.print("target met" if verdict.met else "target MISSED", style="bold green" if verdict.met else "bold red")


if __name__ == "__main__":
    typer.run(main)

"""`python -m benchmarks`: measures, prints, keeps the results and their page; less with `--only` and `--quick`."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.books import measure_books
from benchmarks.detectors import measure_detectors
from benchmarks.ensemble import measure_ensemble
from benchmarks.execution import measure_execution
from benchmarks.floor import measure_floor
from benchmarks.gateway import measure_gateway
from benchmarks.gym import measure_gym
from benchmarks.legacy import measure_legacy
from benchmarks.parts import measure_parts
from benchmarks.report import PAGE, Report, page_of, show, surroundings, write
from benchmarks.risk import measure_risk
from benchmarks.rows import Row
from benchmarks.stages import measure_stages
from benchmarks.structure import measure_structure
from benchmarks.vectorised import measure_vectorised

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Scale:
    """How much is measured: base bars through the pipeline, bars of single parts, of columns, and runs of each."""

    staged: int = 300_000
    warm_up: int = 20_000
    parts: int = 300_000
    small: int = 100_000
    large: int = 1_000_000
    runs: int = 7
    decisions: int = 10_000


QUICK = Scale(staged=20_000, warm_up=2_000, parts=30_000, small=10_000, large=100_000, runs=3, decisions=500)

GROUPS: dict[str, Callable[[Scale, Path], list[Row]]] = {
    "floor": lambda scale, folder: [measure_floor()],
    "stages": lambda scale, folder: measure_stages(folder, scale.staged, scale.warm_up),
    "parts": lambda scale, folder: measure_parts(scale.parts),
    "risk": lambda scale, folder: measure_risk(scale.decisions),
    "execution": lambda scale, folder: measure_execution(scale.decisions * 10),
    "ensemble": lambda scale, folder: measure_ensemble(folder, scale.decisions),
    "gateway": lambda scale, folder: measure_gateway(scale.decisions),
    "gym": lambda scale, folder: measure_gym(scale.decisions, scale.runs),
    "detectors": lambda scale, folder: measure_detectors(scale.small, scale.large, scale.runs),
    "legacy": lambda scale, folder: measure_legacy(scale.small, scale.large, scale.runs),
    "structure": lambda scale, folder: measure_structure(folder, scale.small, scale.runs),
    "books": lambda scale, folder: measure_books(folder, scale.runs),
    "vectorised": lambda scale, folder: measure_vectorised(scale.small, scale.runs),
}
"""What can be measured by itself, in the order of a whole run."""


def main() -> None:
    """Measures the groups asked for, all without `--only`; only a whole run at full scale replaces the results."""
    arguments = _arguments()
    scale = QUICK if arguments.quick else Scale()
    chosen = [name for name in GROUPS if not arguments.only or name in arguments.only]
    console = Console(width=None if Console().is_terminal else 200)
    rows: list[Row] = []
    for name in chosen:
        console.print(f"measuring {name}")
        with tempfile.TemporaryDirectory() as folder:
            rows += GROUPS[name](scale, Path(folder))
    show(rows, console)
    options = "".join(f" --only {name}" for name in arguments.only or []) + (" --quick" if arguments.quick else "")
    report = Report(rows=rows, **surroundings(f"python -m benchmarks{options}"))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("part.json" if options else "latest.json")
    write(path, report)
    console.print(f"written to {path}")
    if not options:
        PAGE.write_text(page_of(report), encoding="utf-8")
        console.print(f"written to {PAGE}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(GROUPS), help="a part to measure; may be repeated")
    parser.add_argument("--quick", action="store_true", help="a tenth of the bars, three runs: to see that it works")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""The results as a table on the screen, as a file, and as a page of the documentation."""

from __future__ import annotations

import os
import platform
import subprocess  # nosec B404
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.rows import Row
from smc_trading_agent._core import build_info

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "benchmarks.md"
MET = {None: "", True: "yes", False: "NO"}
VERSIONS = ("numpy", "pandas", "polars")
COLUMNS = ("what", "unit", "p50", "p99", "p99.9", "max", "n", "peer", "peer p50", "ratio", "target", "met")


class Surroundings(TypedDict):
    """Machine, versions, commit and command: what a figure means nothing without."""

    machine: dict[str, str | int | None]
    versions: dict[str, str]
    core: dict[str, str]
    commit: str
    command: str
    markets: str
    durability: str
    load: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A run's rows, and what they were measured on."""

    rows: list[Row]
    machine: dict[str, str | int | None]
    versions: dict[str, str]
    core: dict[str, str]
    commit: str
    command: str
    markets: str
    durability: str
    load: str


def surroundings(command: str) -> Surroundings:
    """See `Surroundings`; a commit with changes on top of it says so."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )  # nosec
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "machine": {"cpu": model[0].split(":")[1].strip(), "cores": os.cpu_count(), "system": platform.system()},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}},
        "core": build_info(),
        "commit": commit.stdout.strip() or "unknown",
        "command": command,
        "markets": "pipeline: synthetic, seed 11; columns: log random walk of 8 steps a bar, seed 7",
        "durability": "process_crash",
        "load": "closed loop, one event after another: service time",
    }


def write(path: Path, report: Report) -> None:
    """Keeps the report whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
    partial.replace(path)


def show(rows: list[Row], console: Console) -> None:
    """The table on the screen."""
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)


def page_of(report: Report) -> str:
    """The results as a page in Markdown."""
    lines = [
        "# Benchmark results",
        "",
        f"Written by `make bench` (`{report.command}`) at commit `{report.commit}`, on {report.machine['cpu']} with",
        f"{report.machine['cores']} cores, {report.machine['system']}; "
        + ", ".join(f"{name} {value}" for name, value in report.versions.items())
        + ".",
        "How each row is measured: docs/operations/benchmarks.md. Service time, one event after another.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
    ]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in report.rows]
    notes = list(dict.fromkeys((row.note, row.peer) for row in report.rows if row.note))
    lines += ["", "Notes on what is compared:", ""]
    for note, peer in notes:
        names = ", ".join(row.name for row in report.rows if (row.note, row.peer) == (note, peer))
        lines.append(f"- {names}" + (f", beside {peer}" if peer else "") + f": {note}.")
    return "\n".join(lines) + "\n"


def _cells(row: Row) -> list[str]:
    figures = [_figure(value) for value in (row.p50, row.p99, row.p999, row.max)]
    against = [row.peer or "", _figure(row.peer_p50), _figure(row.ratio), _figure(row.target)]
    return [row.name, row.unit, *figures, f"{row.n:,}", *against, MET[row.met]]


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1_000 else f"{value:,.3f}" if value < 10 else f"{value:,.1f}"

"""`python -m benchmarks`: measures, prints, writes the results file."""

from __future__ import annotations

import os
import platform
import subprocess  # nosec B404
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.ensemble import measure_ensemble
from benchmarks.floor import measure_floor
from benchmarks.parts import measure_parts
from benchmarks.rows import Row
from benchmarks.stages import measure_stages
from smc_trading_agent._core import build_info

RESULTS = Path(__file__).parent / "results" / "latest.json"
MEASURED_BARS = 300_000
WARM_UP_BARS = 20_000
PART_BARS = 300_000
DECISIONS = 10_000
console = Console(width=None if Console().is_terminal else 160)


def main() -> None:
    """Measures everything in order and keeps the result whole or not at all."""
    console.print("measuring the jitter floor of this machine")
    rows = [measure_floor()]
    console.print(f"measuring each stage over {MEASURED_BARS:,} bars, after {WARM_UP_BARS:,} to warm up")
    with tempfile.TemporaryDirectory() as folder:
        rows += measure_stages(Path(folder), MEASURED_BARS, WARM_UP_BARS)
    console.print(f"measuring single parts and the backtest over {PART_BARS:,} bars")
    rows += measure_parts(PART_BARS)
    console.print(f"measuring {DECISIONS:,} decisions by all models")
    with tempfile.TemporaryDirectory() as folder:
        rows += measure_ensemble(Path(folder), DECISIONS)
    show(rows)
    RESULTS.parent.mkdir(exist_ok=True)
    partial = RESULTS.with_suffix(".partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode({"rows": rows, **surroundings()}), indent=1))
    partial.replace(RESULTS)
    console.print(f"written to {RESULTS}")


def surroundings() -> dict[str, object]:
    """Machine, versions, commit and command: what a figure means nothing without."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # nosec
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "machine": {"cpu": model[0].split(":")[1].strip(), "cores": os.cpu_count(), "system": platform.platform()},
        "versions": {"python": platform.python_version(), "core": build_info(), "polars": version("polars")},
        "commit": commit.stdout.strip() or "unknown",
        "command": f"{Path(sys.executable).name} -m benchmarks",
        "market": "synthetic, seed 11",
        "durability": "process_crash",
        "load": "closed loop, one event after another: service time",
    }


def show(rows: list[Row]) -> None:
    """The table."""
    table = Table("what", "unit", "p50", "p99", "p99.9", "max", "n", "peer", "ratio", "target", "met")
    for row in rows:
        figures = [_figure(value) for value in (row.p50, row.p99, row.p999, row.max)]
        met = {None: "", True: "yes", False: "NO"}[row.met]
        peer, ratio, target = row.peer or "", _figure(row.ratio), _figure(row.target)
        table.add_row(row.name, row.unit, *figures, f"{row.n:,}", peer, ratio, target, met)
    console.print(table)


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1_000 else f"{value:,.2f}"


if __name__ == "__main__":
    main()

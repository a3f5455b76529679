"""The latency of each stage, taken from the coordinator itself while it reads one base bar at a time, as live."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.rows import LEAST_BEYOND, Row, row_of
from smc_trading_agent.monitoring.latency import LatencyRow, LatencyStage
from smc_trading_agent.research.pipeline_probe import PipelineProbe

US = 1_000.0
TARGETS_US = {
    LatencyStage.DATA_PIPELINE: 10_000.0,
    LatencyStage.SMC_DETECTOR: 10.0,
    LatencyStage.DECISION_ENGINE: 20_000.0,
    LatencyStage.RISK_MANAGER: 5_000.0,
    LatencyStage.TOTAL: 50_000.0,
}
"""The design's first bar for the detector; the seed's targets, in microseconds, for the rest."""


def measure_stages(folder: Path, bars: int, warm_up: int) -> list[Row]:
    """Runs ``warm_up`` bars unmeasured, then ``bars`` measured; journal and venue ledger lie in ``folder``."""
    probe = PipelineProbe(folder)
    probe.warm_up(warm_up)
    timed = [probe.step() for _ in range(bars)]
    rows = [_stage_row(row) for row in probe.latency.rows() if row.count]
    probe.close()
    every = np.array([bar.nanoseconds for bar in timed]) / US
    with_orders = np.array([bar.nanoseconds for bar in timed if bar.sent]) / US
    rows.append(row_of("base bar through all stages", "us", every))
    rows.append(row_of("base bar to a bracket of three orders sent", "us", with_orders, 50_000.0))
    return rows


def _stage_row(row: LatencyRow) -> Row:
    target = TARGETS_US.get(LatencyStage(row.stage))
    p99 = row.p99_ms * US if row.count * 0.01 >= LEAST_BEYOND else None
    return Row(
        name=f"stage {row.stage}",
        unit="us",
        p50=row.p50_ms * US,
        p99=p99,
        p999=row.p999_ms * US if row.count * 0.001 >= LEAST_BEYOND else None,
        max=row.max_ms * US,
        n=row.count,
        target=target,
        met=None if target is None or p99 is None else p99 <= target,
    )

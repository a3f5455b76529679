"""How long each stage takes, in HdrHistograms; recording costs well under a microsecond."""

from __future__ import annotations

from collections import deque
from enum import StrEnum

import msgspec

from smc_trading_agent._core import LatencyHistogram

RECENT = 600
NS_PER_MS = 1_000_000


class LatencyStage(StrEnum):
    """The parts of the decision path that are timed; `TOTAL` runs from received bars to the last order sent."""

    DATA_PIPELINE = "data_pipeline"
    SMC_DETECTOR = "smc_detector"
    DECISION_ENGINE = "decision_engine"
    RISK_MANAGER = "risk_manager"
    EXECUTION_ENGINE = "execution_engine"
    JOURNAL = "journal"
    TOTAL = "total"


class LatencyRow(msgspec.Struct, frozen=True):
    """Percentiles of one stage in milliseconds, with the number of samples they rest on."""

    stage: str
    count: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    last_ms: float


class LatencyBook:
    """One histogram for each stage, and the recent totals in order for trends."""

    def __init__(self) -> None:
        self._histograms = {stage: LatencyHistogram() for stage in LatencyStage}
        self._last = dict.fromkeys(LatencyStage, 0)
        self._recent_totals: deque[int] = deque(maxlen=RECENT)

    def record(self, stage: LatencyStage, nanoseconds: int) -> None:
        """Adds one duration."""
        self._histograms[stage].record(nanoseconds)
        self._last[stage] = nanoseconds
        if stage is LatencyStage.TOTAL:
            self._recent_totals.append(nanoseconds)

    def reset(self) -> None:
        """Forgets everything, as after a warm-up."""
        for histogram in self._histograms.values():
            histogram.reset()
        self._recent_totals.clear()

    def row(self, stage: LatencyStage) -> LatencyRow:
        """Percentiles of ``stage``; zeros while it has no sample."""
        histogram = self._histograms[stage]
        p50, p90, p99, p999 = (histogram.percentile(q) / NS_PER_MS for q in (50.0, 90.0, 99.0, 99.9))
        return LatencyRow(
            stage=stage.value,
            count=histogram.count,
            mean_ms=histogram.mean / NS_PER_MS,
            p50_ms=p50,
            p90_ms=p90,
            p99_ms=p99,
            p999_ms=p999,
            max_ms=histogram.max / NS_PER_MS,
            last_ms=self._last[stage] / NS_PER_MS,
        )

    def rows(self) -> list[LatencyRow]:
        """All stages, in the order of the path."""
        return [self.row(stage) for stage in LatencyStage]

    def last_ms(self, stage: LatencyStage) -> float:
        """The newest duration of ``stage``."""
        return self._last[stage] / NS_PER_MS

    def recent_totals_ms(self) -> list[float]:
        """The newest totals, oldest first, at most `RECENT`."""
        return [value / NS_PER_MS for value in self._recent_totals]

    def share_within(self, target_ms: float) -> float:
        """Percent of the recent totals that were at most ``target_ms``; 100 while there is none."""
        totals = self.recent_totals_ms()
        return 100.0 if not totals else 100.0 * sum(value <= target_ms for value in totals) / len(totals)

"""What a source of bars was worth: rows read, rows turned away and why, and the holes that are left."""

from __future__ import annotations

import msgspec

from smc_trading_agent._core import QualityGate
from smc_trading_agent.domain.clock import utc_text

KEPT = 1_000  # how many gaps and quarantined rows a report lists; the counts are complete

REMEDIES: dict[str, str] = {
    "nan": "fill in or remove the rows whose price or volume is missing or no number",
    "non_positive_price": "remove the rows whose price is zero or negative; rates and spreads are no prices",
    "non_positive_quantity": "remove the trades without a positive quantity",
    "quantity_below_lot": "name a finer lot with lot_size",
    "negative_volume": "correct the negative volumes",
    "high_below_low": "correct the rows whose high is below their low",
    "open_or_close_outside_range": "correct the rows whose open or close lies outside low..high",
    "off_tick_grid": "round the prices to the instrument's tick, or name the right one with tick_size",
    "beyond_range": "name a coarser tick_size, or correct the unit of the times",
    "misaligned_open_time": "name the right timeframe; times must be the starts of bars, in UTC",
    "duplicate": "keep one row for each open_time",
    "out_of_order": "sort the rows by time, oldest first",
}
"""What to do about each rejection name."""


class Gap(msgspec.Struct, frozen=True):
    """A hole between two bars: the open time of the last bar before it, and how many bars are missing."""

    after: int
    missing: int


class QuarantinedRow(msgspec.Struct, frozen=True):
    """A row that was turned away: its number in the file (the first is 0), its time in ns, and the reason."""

    row: int
    time: int
    reason: str


class QualityReport(msgspec.Struct, frozen=True):
    """The account of one source. ``rows == admitted + sum(rejected)``; in a file of trades rows are trades.

    ``gaps`` and ``quarantine`` list at most the first 1,000. ``notes`` are choices made while reading that
    a reader of the results should know.
    """

    source: str
    instrument: str
    timeframe: str
    rows: int
    admitted: int
    bars: int
    rejected: dict[str, int]
    gap_count: int
    missing_bars: int
    gaps: tuple[Gap, ...] = ()
    quarantine: tuple[QuarantinedRow, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def rejected_rows(self) -> int:
        """Rows turned away, for whatever reason."""
        return sum(self.rejected.values())

    @property
    def clean(self) -> bool:
        """Whether every row was admitted; gaps are admitted facts, not faults of a row."""
        return not self.rejected

    def reasons(self) -> str:
        """The rejections in words, most frequent first: ``nan 12, duplicate 1``."""
        ordered = sorted(self.rejected.items(), key=lambda item: (-item[1], item[0]))
        return ", ".join(f"{name} {count}" for name, count in ordered)

    def remedy(self) -> str:
        """What to do about the most frequent rejection; empty when there is none."""
        if not self.rejected:
            return ""
        worst = min(self.rejected, key=lambda name: (-self.rejected[name], name))
        return REMEDIES.get(worst, "correct the rows")

    def sentences(self) -> list[str]:
        """The report as lines for a person."""
        lines = [
            f"{self.source}: {self.rows:,} rows read, {self.admitted:,} admitted, {self.bars:,} {self.timeframe} bars"
        ]
        if self.rejected:
            lines.append(f"rows quarantined: {self.rejected_rows:,} ({self.reasons()}); {self.remedy()}")
        lines.extend(f"row {bad.row} at {utc_text(bad.time)}: {bad.reason}" for bad in self.quarantine[:5])
        if self.gap_count:
            longest = max(self.gaps, key=lambda gap: gap.missing)
            lines.append(
                f"gaps: {self.gap_count:,}, bars missing in all: {self.missing_bars:,}; "
                f"the longest: {longest.missing:,} after {utc_text(longest.after)}"
            )
        return lines + list(self.notes)


def report_of(gate: QualityGate, source: str, instrument: str, timeframe: str, notes: tuple[str, ...]) -> QualityReport:
    """The report of a gate that has seen all rows of ``source``."""
    return QualityReport(
        source=source,
        instrument=instrument,
        timeframe=timeframe,
        rows=gate.rows,
        admitted=gate.admitted,
        bars=gate.admitted,
        rejected=dict(sorted(gate.rejected.items())),
        gap_count=gate.gap_count,
        missing_bars=gate.missing_bars,
        gaps=tuple(Gap(after, missing) for after, missing in gate.gaps[:KEPT]),
        quarantine=tuple(QuarantinedRow(row, time, reason) for row, time, reason in gate.quarantine[:KEPT]),
        notes=notes,
    )

"""The quality report says in words what its counts mean."""

from __future__ import annotations

import msgspec

from smc_trading_agent.data_pipeline.quality import REMEDIES, Gap, QualityReport, QuarantinedRow
from smc_trading_agent.domain.clock import utc_text

MINUTE = 60_000_000_000
REPORT = QualityReport(
    source="tape.csv",
    instrument="file:TAPE",
    timeframe="1m",
    rows=1_003,
    admitted=1_000,
    bars=1_000,
    rejected={"duplicate": 1, "nan": 2},
    gap_count=2,
    missing_bars=12,
    gaps=(Gap(0, 2), Gap(5 * MINUTE, 10)),
    quarantine=(QuarantinedRow(4, 4 * MINUTE, "nan"),),
    notes=("a note",),
)


def test_the_sentences_name_counts_remedy_rows_gaps_and_notes() -> None:
    assert REPORT.sentences() == [
        "tape.csv: 1,003 rows read, 1,000 admitted, 1,000 1m bars",
        f"rows quarantined: 3 (nan 2, duplicate 1); {REMEDIES['nan']}",
        "row 4 at 1970-01-01 00:04:00 UTC: nan",
        "gaps: 2, bars missing in all: 12; the longest: 10 after 1970-01-01 00:05:00 UTC",
        "a note",
    ]


def test_a_clean_report_has_one_sentence() -> None:
    clean = msgspec.structs.replace(REPORT, rejected={}, gap_count=0, missing_bars=0, gaps=(), quarantine=(), notes=())
    assert clean.clean
    assert clean.remedy() == ""
    assert len(clean.sentences()) == 1
    assert not REPORT.clean
    assert REPORT.rejected_rows == 3


def test_every_rejection_of_the_gate_has_a_remedy() -> None:
    names = {"nan", "non_positive_price", "negative_volume", "high_below_low", "open_or_close_outside_range",
             "off_tick_grid", "beyond_range", "misaligned_open_time", "duplicate", "out_of_order"}  # fmt: skip
    assert names <= set(REMEDIES)


def test_times_beyond_the_calendar_are_shown_as_numbers() -> None:
    assert utc_text(1_679_661_540_000_000_000) == "2023-03-24 12:39:00 UTC"
    assert utc_text(-(2**63)).endswith("UTC") or utc_text(-(2**63)).endswith("ns")


def test_a_report_travels_as_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(REPORT), type=QualityReport) == REPORT

"""How the benchmark makes rows, ratios and exponents of samples, and a page of rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.peers import PeerMissing, peer
from benchmarks.report import Report, page_of
from benchmarks.rows import Row, alternate, duel_row, row_of, scaling_row, time_row


def test_ratio_is_theirs_over_ours_by_medians() -> None:
    row = duel_row("x", "ms", [1e6, 9e6, 2e6], [50e6, 60e6, 1_000e6], "peer 1", 30.0)
    assert (row.p50, row.max, row.peer_p50, row.ratio, row.n, row.met) == (2.0, 9.0, 60.0, 30.0, 3, True)
    assert duel_row("x", "ms", [1e6], [29e6], "peer 1", 30.0).met is False
    assert duel_row("x", "ms", [1e6], [29e6], "peer 1").met is None


def test_exponent_is_one_where_time_grows_like_bars() -> None:
    linear = scaling_row("x", (100, 5.0), (1_000, 50.0), 7, 1.05)
    square = scaling_row("x", (100, 5.0), (1_000, 500.0), 7, 1.05)
    assert linear.p50 == pytest.approx(1.0)
    assert linear.met is True
    assert square.p50 == pytest.approx(2.0)
    assert square.met is False


def test_a_percentile_without_samples_beyond_it_is_left_out() -> None:
    row = row_of("x", "us", np.arange(1_000.0), 990.0)
    assert row.p99 == pytest.approx(989.01)
    assert row.p999 is None
    assert row.met is True
    assert row_of("x", "us", np.arange(999.0), 990.0).p99 is None


def test_the_median_time_meets_the_target() -> None:
    assert time_row("x", "s", [0.5e9, 1.5e9, 0.9e9], 1.0).met is True
    assert time_row("x", "s", [1.5e9, 1.5e9, 0.9e9], 1.0).met is False


def test_runs_alternate_after_one_of_each_that_is_not_counted() -> None:
    calls: list[str] = []
    ours: Callable[[], object] = lambda: calls.append("ours")  # noqa: E731
    theirs: Callable[[], object] = lambda: calls.append("theirs")  # noqa: E731
    first, second = alternate(2, ours, theirs)
    assert calls == ["ours", "theirs"] * 3
    assert len(first) == len(second) == 2


def test_a_missing_peer_says_how_to_install_it() -> None:
    with pytest.raises(PeerMissing, match="no_such_peer is not installed; run `make bench`"):
        peer("no_such_peer")


def test_the_page_holds_each_row_and_note() -> None:
    rows = [
        duel_row("fast", "ms", [1e6], [2e6], "peer 1", 3.0, "as like as can be"),
        Row(name="alone", unit="us", n=5, p50=1_234.5),
    ]
    report = Report(
        rows=rows, machine={"cpu": "C", "cores": 2, "system": "Linux"}, versions={"python": "3"}, core={},
        commit="abc", command="python -m benchmarks", markets="m", durability="d", load="l",
    )  # fmt: skip
    page = page_of(report)
    assert "| fast | ms | 1.000 |  |  | 1.000 | 1 | peer 1 | 2.000 | 2.000 | 3.000 | NO |" in page
    assert "| alone | us | 1,234 |  |  |  | 5 |  |  |  |  |  |" in page
    assert "- fast, beside peer 1: as like as can be." in page
    assert "commit `abc`" in page

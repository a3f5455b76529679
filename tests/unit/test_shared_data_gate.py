"""The gate that keeps a machine with recorded data from passing by skipping what needs it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CASE = "def test_reads(shared_data):\n    assert (shared_data / 'README.md').is_file()\n"


@pytest.fixture
def case(pytester: pytest.Pytester, repository: Path) -> pytest.Pytester:
    pytester.makeconftest((repository / "tests" / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(CASE)
    return pytester


@pytest.mark.parametrize(("required", "outcome"), [("0", "skipped"), ("1", "errors")])
def test_absent_data_skips_or_fails(
    case: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, required: str, outcome: str
) -> None:
    monkeypatch.setenv("SMC_SHARED_DATA", str(case.path / "nowhere"))
    monkeypatch.setenv("SMC_REQUIRE_SHARED_DATA", required)
    result = case.runpytest_inprocess("-rs")
    result.assert_outcomes(**{outcome: 1})
    assert "recorded market data is absent" in result.stdout.str()


def test_present_data_is_found(case: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = case.mkdir("recordings")
    (folder / "README.md").write_text("# Recorded data\n", encoding="utf-8")
    monkeypatch.setenv("SMC_SHARED_DATA", str(folder))
    case.runpytest_inprocess().assert_outcomes(passed=1)

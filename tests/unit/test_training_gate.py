"""The gate that keeps a machine that must train from passing by skipping what fits models."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(("required", "outcome"), [("0", "skipped"), ("1", "errors")])
def test_an_absent_extra_skips_or_fails(
    pytester: pytest.Pytester, repository: Path, monkeypatch: pytest.MonkeyPatch, required: str, outcome: str
) -> None:
    conftest = (repository / "tests" / "conftest.py").read_text(encoding="utf-8")
    pytester.makeconftest(conftest.replace('"torch")', '"no_such_torch")'))
    pytester.makepyfile("def test_fits(training_extra):\n    assert training_extra is None\n")
    monkeypatch.setenv("SMC_REQUIRE_TRAINING", required)
    result = pytester.runpytest_inprocess("-rs")
    result.assert_outcomes(**{outcome: 1})
    assert "no_such_torch" in result.stdout.str()

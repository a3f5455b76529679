"""`scripts/validate_latency.py` measures the real pipeline and judges by its target; no absolute time is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from smc_trading_agent._core import Detector
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed


def validate(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/validate_latency.py", *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(("target", "code"), [("60000", 0), ("0.000001", 1)])
def test_the_exit_code_is_the_verdict(repository: Path, target: str, code: int) -> None:
    done = validate(repository, "--target-ms", target, "--iterations", "25", "--json")
    assert done.returncode == code, done.stderr
    verdict = json.loads(done.stdout)
    assert (verdict["iterations"], verdict["statistic"], verdict["met"]) == (25, "max", code == 0)
    assert verdict["value_ms"] == verdict["max_ms"] >= verdict["p50_ms"] > 0
    measured = {row["stage"]: row["count"] for row in verdict["components"]}
    for stage in ("data_pipeline", "smc_detector", "decision_engine", "risk_manager", "execution_engine", "total"):
        assert measured[stage] > 0, stage


def test_it_shows_each_component_beside_its_target(repository: Path) -> None:
    done = validate(repository, "--target-ms", "60000", "--iterations", "5")
    assert done.returncode == 0, done.stderr
    for said in ("component", "decision_engine", "n 5", "against a target of 60000 ms", "target met"):
        assert said in done.stdout


def test_the_detectors_memory_does_not_grow_with_history() -> None:
    """A state that stays as small can't make a bar dearer the longer the history is."""
    detector, sizes = Detector("1m"), []
    for bars in SyntheticFeed(3, length=240_000, batch=40_000).batches(0):
        detector.run(bars)
        sizes.append(len(detector.snapshot()))
    assert max(sizes[3:]) < 1.5 * max(sizes[:3])

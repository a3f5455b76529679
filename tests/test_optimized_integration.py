"""The launcher as a stranger uses it: `python main_optimized.py`, the contract's endpoints, Ctrl-C, and again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import facts_in, free_port, get, start, wait_until

KEY = "a key for this test"


class Launched:
    """A running `main_optimized.py`."""

    def __init__(self, state: Path) -> None:
        self.port = free_port()
        self.process = start(
            [sys.executable, "main_optimized.py"],
            SMC_STATE_DIR=str(state),
            SMC_PORT=str(self.port),
            SMC_API_KEY=KEY,
        )
        wait_until(lambda: self.get("/api/optimized/health")[0] == 200, self.process)

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, dict[str, object]]]:
        return get(f"http://127.0.0.1:{self.port}{path}", method, **headers)

    def stop(self) -> str:
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err.decode()
        return err.decode()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def launched(state: Path) -> Iterator[Launched]:
    agent = Launched(state)
    try:
        yield agent
    finally:
        if agent.process.poll() is None:
            agent.process.kill()
            agent.process.communicate()


def test_the_launcher_names_the_coordinator_and_an_app(tmp_path: Path) -> None:
    code = (
        "import main_optimized as m; from fastapi import FastAPI;"
        "assert isinstance(m.app, FastAPI); assert m.OptimizedTradingCoordinator.process"
    )
    process = start([sys.executable, "-c", code], SMC_STATE_DIR=str(tmp_path))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    assert list(tmp_path.iterdir()) == [], "importing the app must open no state"


def test_decisions_and_paper_trades_appear(launched: Launched) -> None:
    def traded() -> bool:
        return launched.get("/api/python/paper-trades")[1]["data"]["count"] != 0

    wait_until(traded, launched.process)
    counts = launched.get("/api/optimized/performance")[1]["data"]["counts"]
    assert isinstance(counts, dict)
    assert counts["decisions"] > counts["taken"] > 0


def test_health_has_the_contracts_shape(launched: Launched) -> None:
    for path in ("/api/optimized/health", "/api/python/health"):
        status, body = launched.get(path)
        assert (status, body["success"]) == (200, True)
        data = body["data"]
        assert {"overall_status", "circuit_breaker", "cache_hit_rate", "last_latency_ms"} <= data.keys()
        assert data["circuit_breaker"] in ("closed", "open", "half_open")
        assert (data["label"], data["mode"]) == ("SYNTHETIC", "paper")


def test_every_get_endpoint_of_the_contract_answers(launched: Launched) -> None:
    metrics = launched.get("/api/optimized/metrics")[1]["data"]
    assert {"total_latency_ms", "data_pipeline_latency_ms", "ml_inference_latency_ms", "risk_check_latency_ms"} <= (
        metrics["system_metrics"].keys()  # type: ignore[attr-defined]
    )
    assert {"avg_total_latency_ms", "target_achievement_rate", "avg_cache_hit_rate"} == (
        metrics["performance_summary"].keys()  # type: ignore[attr-defined]
    )
    for path in ("/api/python/positions", "/api/python/account", "/api/optimized/performance"):
        status, body = launched.get(path)
        assert (status, body["success"]) == (200, True), path
    rows = launched.get("/api/system/latency-breakdown")[1]["data"]["components"]
    measured = {row["component"]: row["count"] for row in rows}  # type: ignore[attr-defined]
    assert measured["total"] > 0
    assert measured["data_pipeline"] > 0


def test_a_cycle_needs_the_key(launched: Launched) -> None:
    path = "/api/test/trigger-trading-cycle"
    assert launched.get(path, "POST")[0] == 401
    assert launched.get(path, "POST", X_API_Key="another")[0] == 401
    status, body = launched.get(path, "POST", X_API_Key=KEY)
    assert (status, body["success"]) == (200, True)


def test_a_second_agent_on_the_same_account_is_refused(launched: Launched, state: Path) -> None:
    second = start([sys.executable, "main_optimized.py"], SMC_STATE_DIR=str(state), SMC_PORT=str(free_port()))
    _, err = second.communicate(timeout=60)
    assert second.returncode not in (0, None)
    assert f"in use by process {launched.process.pid}" in err.decode().replace("\n", " ")


def test_ctrl_c_keeps_the_account_and_the_next_start_goes_on(launched: Launched, state: Path) -> None:
    said = launched.stop()
    assert "the account is kept in" in said.replace("\n", " ")
    kept = facts_in(state)
    assert kept > 0
    again = Launched(state)
    try:
        health = again.get("/api/optimized/health")[1]["data"]
        assert health["journal_length"] >= kept  # type: ignore[operator]
        assert again.get("/api/python/paper-trades")[1]["data"]["count"] != 0
    finally:
        if again.process.poll() is None:
            again.stop()
    assert isinstance(again.process, subprocess.Popen)

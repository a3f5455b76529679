"""The public endpoints: the shapes that the contract names, with the values that the agent has."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from fastapi.testclient import TestClient

from smc_trading_agent.api.app import create_app
from smc_trading_agent.domain.errors import AgentError
from smc_trading_agent.domain.reasons import BreakerState
from smc_trading_agent.domain.types import DriftHealth, ModelsHealth, ScheduleReport, SharedCacheHealth, Timing
from smc_trading_agent.monitoring.health import AgentState
from smc_trading_agent.monitoring.latency import LatencyStage
from tests.unit.api_client import served
from tests.unit.api_scene import Scene, SceneAgent

ENDPOINTS = [
    "/api/python/health",
    "/api/optimized/health",
    "/api/optimized/metrics",
    "/api/optimized/performance",
    "/api/python/paper-trades",
    "/api/python/positions",
    "/api/python/account",
    "/api/system/latency-breakdown",
    "/api/risk/limits",
]


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("bars", [0, 120])
def test_every_endpoint_answers_from_the_first_moment(path: str, bars: int) -> None:
    with served(bars) as (client, _, _):
        answer = client.get(path)
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert set(answer.json()) == {"success", "data"}


def test_the_agent_starts_and_stops_with_the_app() -> None:
    with served(0) as (_, agent, _):
        assert (agent.started, agent.stopped) == (1, 0)
    assert (agent.started, agent.stopped) == (1, 1)


def test_an_agent_that_fails_to_start_is_stopped_so_that_it_lets_go_of_its_state() -> None:
    agent = SceneAgent(Scene())
    agent.start_error = AgentError("another process owns this state folder")
    app = create_app(lambda: agent)
    with pytest.raises(AgentError, match="owns this state folder"), TestClient(app):
        pytest.fail("the app must not start")
    assert agent.stopped == 1


def test_health_has_the_contracts_shape() -> None:
    with served() as (client, agent, _):
        data = client.get("/api/optimized/health").json()["data"]
        last = agent.latency.last_ms(LatencyStage.TOTAL)
    contract = {"overall_status", "circuit_breaker", "cache_hit_rate", "last_latency_ms"}
    assert contract <= set(data)
    assert data["overall_status"] == "healthy"
    assert data["circuit_breaker"] == "closed"
    assert data["cache_hit_rate"] == 0.25
    assert data["last_latency_ms"] == last > 0
    assert (data["label"], data["mode"], data["market"]) == ("SYNTHETIC", "paper", "synthetic seed=11")


def test_the_limits_in_force_are_shown_with_the_hash_that_health_has() -> None:
    with served() as (client, agent, _):
        data = client.get("/api/risk/limits").json()["data"]
        health = client.get("/api/optimized/health").json()["data"]
    assert data["limits_hash"] == health["limits_hash"] == agent.limits.limits_hash
    assert data["limits"] == agent.limits.limits
    assert (data["schedule"]["chosen"], data["check_errors"]) == ("sequential", {})
    assert data["risk_model"] == msgspec.to_builtins(agent.limits.risk_model)
    assert (health["risk_model_trusted"], health["risk_limits_divided_by"]) == (False, 1.33)


def test_health_names_the_models_that_are_served() -> None:
    with served() as (client, agent, _):
        assert client.get("/api/optimized/health").json()["data"]["models"] is None
        agent.models = ModelsHealth(
            bundle="b0",
            signed_by="k0",
            verdict="no edge after costs",
            schedule=ScheduleReport("threads", 2, {"threads": Timing(90.5, 210.0, 200)}),
            votes={"lstm": {"counted": 3, "late": 1}},
            weights={"lstm": 1.0},
            resolved=7,
            cache_hit_rate=0.5,
            drift="none",
            drifted_columns=("atr_share",),
            dropped=(),
            lose_alpha=0.1,
            drift_detail=DriftHealth("none", {"atr_share": 0.31}, 0.25, 1, 170, {"lstm": 2.5}, 12.0),
            shared_cache=SharedCacheHealth(True, 5, 4, 1, 0, 2),
        )
        data = client.get("/api/optimized/health").json()["data"]["models"]
    assert data == msgspec.json.decode(msgspec.json.encode(agent.models))
    assert data["schedule"]["measured"]["threads"] == {"p50": 90.5, "p99": 210.0, "n": 200}
    assert data["drift_detail"]["experts"] == {"lstm": 2.5}
    assert data["shared_cache"]["hits"] == 2


@pytest.mark.parametrize(
    ("state", "breaker", "word", "status", "alive"),
    [
        (AgentState.RUNNING, BreakerState.HALF_OPEN, "half_open", "degraded", 200),
        (AgentState.RUNNING, BreakerState.REDUCING, "open", "degraded", 200),
        (AgentState.RUNNING, BreakerState.HALTED, "open", "unhealthy", 200),
        (AgentState.FAILED, BreakerState.ACTIVE, "closed", "unhealthy", 503),
        (AgentState.STOPPED, BreakerState.ACTIVE, "closed", "unhealthy", 503),
    ],
)
def test_only_a_dead_loop_fails_the_liveness_probe(
    state: AgentState, breaker: BreakerState, word: str, status: str, alive: int
) -> None:
    with served(3) as (client, agent, _):
        agent.state, agent.breaker, agent.error = state, breaker, "DataError: gone" if alive == 503 else ""
        liveness, health = client.get("/api/python/health"), client.get("/api/optimized/health")
    assert liveness.status_code == alive
    assert health.status_code == 200
    for answer in (liveness, health):
        data = answer.json()["data"]
        assert (data["circuit_breaker"], data["overall_status"]) == (word, status)
        assert data["error"] == agent.error


def test_metrics_have_the_contracts_shape_and_the_histograms_values() -> None:
    with served() as (client, agent, _):
        data = client.get("/api/optimized/metrics").json()["data"]
        latency = agent.latency
    assert data == {
        "system_metrics": {
            "total_latency_ms": latency.last_ms(LatencyStage.TOTAL),
            "data_pipeline_latency_ms": latency.last_ms(LatencyStage.DATA_PIPELINE),
            "ml_inference_latency_ms": latency.last_ms(LatencyStage.DECISION_ENGINE),
            "risk_check_latency_ms": latency.last_ms(LatencyStage.RISK_MANAGER),
            "cache_hit_rate": 0.25,
            "circuit_breaker_status": "closed",
        },
        "performance_summary": {
            "avg_total_latency_ms": latency.row(LatencyStage.TOTAL).mean_ms,
            "target_achievement_rate": 100.0,
            "avg_cache_hit_rate": 0.25,
        },
    }


def test_latency_is_broken_down_by_component() -> None:
    with served(80) as (client, agent, _):
        data = client.get("/api/system/latency-breakdown").json()["data"]
    assert data["target_ms"] == agent.target_ms
    assert [row["component"] for row in data["components"]] == [stage.value for stage in LatencyStage]
    for row in data["components"]:
        assert row["count"] == 80
        assert 0 < row["p50_ms"] <= row["p90_ms"] <= row["p99_ms"] <= row["p999_ms"] <= row["max_ms"]


def test_performance_tells_a_trend_once_there_is_enough_to_compare() -> None:
    with served(0) as (client, _, scene):
        trend = client.get("/api/optimized/performance").json()["data"]["trend"]
        assert trend["direction"] == "insufficient_data"
        for duration in [1_000_000] * 40 + [3_000_000] * 40:
            scene.latency.record(LatencyStage.TOTAL, duration)
        data = client.get("/api/optimized/performance").json()["data"]
    assert data["trend"]["direction"] == "worsening"
    assert data["trend"]["z"] > 3
    assert (data["trend"]["median_before_ms"], data["trend"]["median_recent_ms"]) == (1.0, 3.0)
    assert data["performance_summary"]["target_achievement_rate"] == 100.0
    assert data["counts"]["decisions"] == 0


def test_trades_are_newest_first_with_exact_amounts() -> None:
    with served(300) as (client, agent, _):
        data = client.get("/api/python/paper-trades").json()["data"]
        newest = client.get("/api/python/paper-trades", params={"limit": 2}).json()["data"]["trades"]
        kept = agent.views.read().trades
    assert data["count"] == len(kept) > 5
    assert [trade["number"] for trade in data["trades"]] == [trade.number for trade in reversed(kept)]
    assert newest == data["trades"][:2]
    for shown, trade in zip(data["trades"], reversed(kept), strict=True):
        assert Decimal(shown["net_pnl"]) == Decimal(shown["gross_pnl"]) - Decimal(shown["fees"])
        assert shown["net_pnl"] == agent.instrument.format_quote(trade.net)
        assert shown["entry_price"] == agent.instrument.format_price(round(trade.entry_price))
        assert shown["entry_time"].endswith("Z")
        assert shown["closed_by"] in {"stop", "target"}


def test_a_position_is_shown_with_the_orders_that_guard_it() -> None:
    with served(0) as (client, agent, scene):
        assert client.get("/api/python/positions").json()["data"] == {"positions": []}
        while agent.views.read().open_trade is None:
            scene.run(1)
        (position,) = client.get("/api/python/positions").json()["data"]["positions"]
        reading = agent.views.read()
    assert reading.account is not None
    assert position["side"] == ("buy" if reading.account.account.position > 0 else "sell")
    assert position["quantity"] == "0.250"
    assert position["unrealised_pnl"] == agent.instrument.format_quote(reading.account.account.unrealised)
    prices = [Decimal(position[name]) for name in ("stop_price", "entry_price", "target_price")]
    assert prices in (sorted(prices), sorted(prices, reverse=True))
    assert position["decision_id"] == reading.decisions[-1].decision.decision_id


def test_the_account_adds_up() -> None:
    with served(0) as (client, _, scene):
        assert client.get("/api/python/account").json()["data"] == {"account": None}
        scene.run(200)
        account = client.get("/api/python/account").json()["data"]["account"]
    equity, cash, open_profit = (Decimal(account[name]) for name in ("equity", "cash", "unrealised_pnl"))
    assert equity == cash + open_profit
    assert cash == 10_000 + Decimal(account["realised_pnl"]) - Decimal(account["fees"])
    assert 0 <= account["drawdown"] <= account["max_drawdown"] < 1

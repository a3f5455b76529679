"""The breaker over HTTP: everyone may look, only who has the key may move it, and a kill needs nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from smc_trading_agent.domain.breaker import BreakerAction, BreakerOrder
from smc_trading_agent.domain.errors import AgentError, BreakerRefusal
from smc_trading_agent.domain.reasons import PUBLIC_BREAKER_WORD, BreakerState
from tests.unit.api_client import served
from tests.unit.api_scene import API_KEY
from tests.unit.test_api_security import problem

KEY = {"X-API-Key": API_KEY}
TRIP, REARM, KILL = "/api/risk/breaker/trip", "/api/risk/breaker/rearm", "/api/risk/kill"
COMMANDS = [TRIP, REARM, KILL]


@pytest.mark.parametrize("state", list(BreakerState))
def test_the_view_has_every_scope_in_the_words_of_the_contract(state: BreakerState) -> None:
    with served(5) as (client, agent, _):
        agent.breaker = state
        data = client.get("/api/risk/breaker").json()["data"]
    assert (data["state"], data["circuit_breaker"]) == (state.value, PUBLIC_BREAKER_WORD[state])
    assert [scope["scope"].partition(":")[0] for scope in data["scopes"]] == [
        "global",
        "venue",
        "account",
        "instrument",
        "strategy",
    ]
    assert data["scopes"][2]["circuit_breaker"] == PUBLIC_BREAKER_WORD[state]
    assert (data["kill_switch"], data["open_orders"]) == (False, ["d1-stop"])


@pytest.mark.parametrize("production", [False, True])
@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize("headers", [{}, {"X-API-Key": ""}, {"X-API-Key": "wrong"}])
def test_without_the_key_nothing_moves(path: str, headers: dict[str, str], production: bool) -> None:
    with served(5, production=production) as (client, agent, _):
        problem(client.post(path, json={"reason": "why"}, headers=headers), 401)
    assert (agent.orders, agent.kills) == ([], [])


@pytest.mark.parametrize("path", COMMANDS)
def test_without_a_configured_key_no_key_is_the_right_one(path: str) -> None:
    with served(5, key=None) as (client, agent, _):
        problem(client.post(path, json={"reason": "why"}, headers=KEY), 503)
    assert (agent.orders, agent.kills) == ([], [])


def test_a_trip_and_a_rearm_are_the_keys_and_not_the_callers() -> None:
    with served(5, production=True) as (client, agent, _):
        first = client.post(TRIP, json={"reason": "news", "scope": "venue", "state": "reducing"}, headers=KEY)
        second = client.post(REARM, json={"reason": "over"}, headers=KEY)
    actor = f"api:{(agent.api_key_hash or '')[:8]}"
    assert agent.orders == [
        BreakerOrder(BreakerAction.TRIP, "venue", actor, "news", BreakerState.REDUCING),
        BreakerOrder(BreakerAction.REARM, "account", actor, "over"),
    ]
    assert first.json()["data"] == {
        "actor": actor,
        "state": "reducing",
        "circuit_breaker": "open",
        "message": "taken within 10 s",
    }
    assert second.status_code == 200


def test_a_kill_tells_what_it_cancelled_and_what_is_open_and_is_harmless_again() -> None:
    with served(5) as (client, agent, _):
        told = [client.post(KILL, json={"reason": "runaway"}, headers=KEY).json()["data"] for _ in range(2)]
    assert [answer["first"] for answer in told] == [True, False]
    assert (told[0]["cancelled"], told[0]["open_orders"]) == (["d1-entry"], ["d1-stop"])
    assert agent.kills == [("global", told[0]["actor"], "runaway")] * 2


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize(
    "body",
    [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}, {"reason": "why", "actor": "ada"}, {"reason": 7}],
)
def test_a_reason_is_needed_and_nothing_else_is_believed(path: str, body: dict[str, Any]) -> None:
    with served(5) as (client, agent, _):
        problem(client.post(path, json=body, headers=KEY), 422)
    assert (agent.orders, agent.kills) == ([], [])


@pytest.mark.parametrize("state", ["active", "half_open", "killed", "starting"])
def test_a_trip_goes_to_reducing_or_halted_and_nowhere_else(state: str) -> None:
    with served(5) as (client, agent, _):
        problem(client.post(TRIP, json={"reason": "why", "state": state}, headers=KEY), 422)
    assert agent.orders == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BreakerRefusal("what holds it has not ended"), 409),
        (AgentError("the trading loop is finished"), 409),
        (TimeoutError("no bar came within 10 s"), 504),
    ],
)
def test_what_can_not_be_done_says_why(error: Exception, status: int) -> None:
    with served(5) as (client, agent, _):
        agent.order_error = error
        document = problem(client.post(REARM, json={"reason": "why"}, headers=KEY), status)
    assert str(error) in document["detail"]

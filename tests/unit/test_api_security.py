"""Commands need the key, errors name their remedy, and a browser may do nothing that the page doesn't need."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.websockets import WebSocketDisconnect

from smc_trading_agent.api.headers import HEADERS, same_origin
from smc_trading_agent.api.security import key_matches
from smc_trading_agent.domain.errors import AgentError
from tests.unit.api_client import served
from tests.unit.api_scene import API_KEY

TRIGGER = "/api/test/trigger-trading-cycle"


def problem(answer: Response, status: int) -> dict[str, Any]:
    """The problem document of an answer, after checking that it is one."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert set(document) == {"type", "title", "status", "detail", "instance", "remedy"}
    assert document["status"] == status
    assert document["remedy"]
    return document


def test_a_cycle_runs_with_the_key_and_is_told_who_asked() -> None:
    with served(5) as (client, agent, _):
        answer = client.post(TRIGGER, headers={"X-API-Key": API_KEY})
    assert answer.status_code == 200
    assert answer.json()["data"]["result"] == {"setups": 1, "approved": 0, "refused": 1, "timeout_s": 10.0}
    assert agent.api_key_hash is not None
    assert agent.cycles == [f"api:{agent.api_key_hash[:8]}"]
    assert API_KEY not in answer.text


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": ""}, {"X-API-Key": "wrong"}, {"Authorization": API_KEY}])
def test_without_the_key_nothing_runs(headers: dict[str, str]) -> None:
    with served(5) as (client, agent, _):
        document = problem(client.post(TRIGGER, headers=headers), 401)
    assert "X-API-Key" in document["remedy"]
    assert agent.cycles == []


def test_without_a_configured_key_no_key_is_the_right_one() -> None:
    with served(5, key=None) as (client, agent, _):
        document = problem(client.post(TRIGGER, headers={"X-API-Key": API_KEY}), 503)
    assert "SMC_API_KEY" in document["remedy"]
    assert agent.cycles == []


def test_the_test_command_is_absent_in_production() -> None:
    with served(5, production=True) as (client, agent, _):
        problem(client.post(TRIGGER, headers={"X-API-Key": API_KEY}), 404)
        assert TRIGGER not in client.get("/openapi.json").json()["paths"]
    assert agent.cycles == []


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (TimeoutError(), 504, "within 10 s"),
        (AgentError("the trading loop is finished"), 409, "the trading loop is finished"),
        (RuntimeError("secret detail"), 500, "RuntimeError"),
    ],
)
def test_a_cycle_that_fails_says_so_without_inner_details(error: Exception, status: int, told: str) -> None:
    with served(5) as (client, agent, _):
        agent.cycle_error = error
        answer = client.post(TRIGGER, headers={"X-API-Key": API_KEY})
    document = problem(answer, status)
    assert told in document["detail"]
    assert "secret detail" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/no-such-file.js", 404),
        ("DELETE", "/api/python/account", 405),
        ("GET", "/api/python/paper-trades?limit=0", 422),
        ("GET", "/api/python/paper-trades?limit=many", 422),
    ],
)
def test_every_error_is_a_problem_document(method: str, path: str, status: int) -> None:
    with served(0) as (client, _, _):
        document = problem(client.request(method, path), status)
    assert document["instance"] == path.partition("?")[0]
    assert status != 422 or "query.limit" in document["detail"]


@pytest.mark.parametrize("path", ["/", "/api/python/health", "/api/nothing", "/openapi.json"])
def test_every_answer_carries_the_security_headers(path: str) -> None:
    with served(0) as (client, _, _):
        answer = client.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "access-control-allow-origin" not in answer.headers
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers.get("cache-control") == "no-store" or not path.startswith("/api/")


def test_every_route_documents_its_answers() -> None:
    with served(0) as (client, _, _):
        document = client.get("/openapi.json").json()
    routes = {
        (path, method): operation for path, item in document["paths"].items() for method, operation in item.items()
    }
    for (path, method), operation in routes.items():
        assert method == "get" or operation["security"] == [{"APIKeyHeader": []}], f"anyone may {method} {path}"
    for operation in routes.values():
        assert operation["summary"]
        assert operation["description"]
        assert "$ref" in operation["responses"]["200"]["content"]["application/json"]["schema"]
    command = routes[(TRIGGER, "post")]
    assert command["security"] == [{"APIKeyHeader": []}]
    assert {"200", "401", "409", "503", "504"} <= set(command["responses"])


@given(st.text(), st.text())
def test_only_the_key_itself_matches(key: str, other: str) -> None:
    import hashlib

    expected = hashlib.sha256(key.encode()).hexdigest()
    assert key_matches(key, expected)
    assert key_matches(key, expected.upper())
    assert key_matches(other, expected) == (other == key)


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"host": "localhost:8008"}, True),
        ({"host": "localhost:8008", "origin": "http://localhost:8008"}, True),
        ({"host": "agent.example", "origin": "https://agent.example"}, True),
        ({"host": "localhost:8008", "origin": "http://localhost:9999"}, False),
        ({"host": "localhost:8008", "origin": "https://evil.example"}, False),
        ({"host": "localhost:8008", "origin": "null"}, False),
    ],
)
def test_a_socket_belongs_to_our_own_page_or_to_no_page(headers: dict[str, str], ours: bool) -> None:
    assert same_origin(Headers(headers)) is ours


def test_another_sites_page_gets_no_stream() -> None:
    with served(5) as (client, _, _):
        refused = client.websocket_connect("/api/stream", headers={"origin": "https://evil.example"})
        with pytest.raises(WebSocketDisconnect), refused:
            pass

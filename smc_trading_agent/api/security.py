"""Who may send a command."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader

from smc_trading_agent.api.problems import ProblemError

api_key_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="the key that commands need")


def key_matches(key: str, expected_hash: str) -> bool:
    """Whether SHA-256 of ``key`` is ``expected_hash`` (hex), compared in constant time."""
    given = hashlib.sha256(key.encode()).hexdigest()
    return hmac.compare_digest(given.encode(), expected_hash.lower().encode())


def authorised_actor(request: Request, key: Annotated[str | None, Depends(api_key_header)]) -> str:
    """Who sends a command, as it is recorded: ``api:`` and the start of the key's hash. Raises a problem otherwise."""
    expected: str | None = request.app.state.handle.api_key_hash
    if expected is None:
        raise ProblemError(
            503,
            "Commands are off",
            "no API key is configured, so no command is taken",
            "set SMC_API_KEY in the environment (.env.example) and restart the agent",
        )
    if key is None or not key_matches(key, expected):
        detail = "the X-API-Key header is missing" if key is None else "the X-API-Key header holds another key"
        remedy = "send the key that SMC_API_KEY had when the agent started, in the X-API-Key header"
        raise ProblemError(401, "Not authorised", detail, remedy, {"WWW-Authenticate": "APIKey"})
    return f"api:{expected[:8]}"

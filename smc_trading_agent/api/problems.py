"""Errors as problem documents (RFC 9457), each with the remedy that a person can take."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from smc_trading_agent.api.headers import HEADERS
from smc_trading_agent.domain.errors import AgentError

MEDIA_TYPE = "application/problem+json"
logger = logging.getLogger(__name__)

REMEDIES = {
    404: "GET /openapi.json lists every route",
    405: "GET /openapi.json lists the methods of every route",
}


class Problem(BaseModel):
    """A problem document of RFC 9457 with one extension, ``remedy``."""

    type: str = Field("about:blank", description="kind of problem; about:blank where the status says it all")
    title: str = Field(description="short and the same for every problem of this kind")
    status: int = Field(description="the HTTP status again")
    detail: str = Field(description="what happened this time")
    instance: str = Field(description="the path that was asked for")
    remedy: str = Field(description="what to do about it")


class ProblemError(Exception):
    """Ends a request with a problem document."""

    def __init__(
        self, status: int, title: str, detail: str, remedy: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.remedy = status, title, detail, remedy
        self.headers = headers or {}


def problem_response(request: Request, error: ProblemError) -> Response:
    """The answer for ``error``."""
    problem = Problem(
        title=error.title, status=error.status, detail=error.detail, instance=request.url.path, remedy=error.remedy
    )
    return Response(
        problem.model_dump_json(), status_code=error.status, media_type=MEDIA_TYPE, headers={**HEADERS, **error.headers}
    )


def install(app: FastAPI) -> None:
    """Makes every error of ``app`` a problem document."""

    @app.exception_handler(ProblemError)
    async def known(request: Request, error: ProblemError) -> Response:
        return problem_response(request, error)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        title = str(error.detail)
        detail = f"{request.method} {request.url.path}: {title}"
        remedy = REMEDIES.get(error.status_code, "see the detail")
        headers = dict(error.headers or {})
        return problem_response(request, ProblemError(error.status_code, title, detail, remedy, headers))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        parts = [f"{'.'.join(str(step) for step in item['loc'])}: {item['msg']}" for item in error.errors()]
        remedy = "correct the named fields; GET /openapi.json has their types and ranges"
        return problem_response(request, ProblemError(422, "Invalid request", "; ".join(parts), remedy))

    @app.exception_handler(AgentError)
    async def refused(request: Request, error: AgentError) -> Response:
        remedy = "the detail says what the agent needs; GET /api/optimized/health shows its state"
        return problem_response(request, ProblemError(409, "The agent refused", str(error), remedy))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        detail = f"{type(error).__name__} while answering; the log has the traceback"
        remedy = "read the agent's log; the trading loop is not affected by a failed request"
        return problem_response(request, ProblemError(500, "Internal error", detail, remedy))

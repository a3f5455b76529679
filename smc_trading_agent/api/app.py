"""Puts the API together: lifespan, routes, errors, headers, and the built page at the root."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from smc_trading_agent import __version__
from smc_trading_agent.api import contract, live, problems
from smc_trading_agent.api.handle import AgentHandle
from smc_trading_agent.api.headers import SecurityHeaders

PAGE_DIR = Path(__file__).parent / "static"
NO_PAGE = "The page is not built: run `make setup`. The API works without it; GET /openapi.json lists its routes.\n"

DESCRIPTION = """A Smart Money Concepts trading agent. Amounts are exact decimal text, moments are ISO 8601 in UTC,
and every error is a problem document (RFC 9457) with its remedy."""


class Page(StaticFiles):
    """The built page. Names under ``assets/`` hold a hash of their content, so they never change; the rest may."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        parts = Path(path).parts
        if parts[:1] == ("api",):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        hashed = parts[:1] == ("assets",)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response


def create_app(
    handle_factory: Callable[[], AgentHandle], *, production: bool = False, page_dir: Path = PAGE_DIR
) -> FastAPI:
    """The API over one agent, which starts and stops with the app.

    ``production`` leaves out the test routes. Nothing is opened or started before the app's lifespan begins.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        handle = handle_factory()
        await run_in_threadpool(handle.start)
        app.state.handle = handle
        try:
            yield
        finally:
            await run_in_threadpool(handle.stop)

    app = FastAPI(
        title="SMC Trading Agent",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # both load scripts from another host
        redoc_url=None,
    )
    app.add_middleware(SecurityHeaders)
    problems.install(app)
    app.include_router(contract.router)
    app.include_router(live.router)
    if not production:
        app.include_router(contract.test_router)
    if (page_dir / "index.html").is_file():
        app.mount("/", Page(directory=page_dir, html=True), name="page")
    else:
        app.add_api_route("/", _no_page, include_in_schema=False)
    return app


async def _no_page() -> PlainTextResponse:
    return PlainTextResponse(NO_PAGE, status_code=503)

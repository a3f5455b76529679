"""Puts the API together: lifespan, routes, errors, headers, and the built page at the root."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, PlainTextResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from smc_trading_agent import __version__
from smc_trading_agent.api import breaker, contract, live, problems
from smc_trading_agent.api.handle import AgentHandle
from smc_trading_agent.api.headers import SecurityHeaders

PAGE_DIR = Path(__file__).parent / "static"
NO_PAGE = "The page is not built: run `make setup`. The API works without it; GET /openapi.json lists its routes.\n"

DESCRIPTION = """A Smart Money Concepts trading agent. Amounts are exact decimal text, moments are ISO 8601 in UTC,
and every error is a problem document (RFC 9457) with its remedy."""


def create_app(
    handle_factory: Callable[[], AgentHandle], *, production: bool = False, page_dir: Path = PAGE_DIR
) -> FastAPI:
    """The API over one agent, which starts and stops with the app.

    ``production`` leaves out the test routes. Nothing is opened or started before the app's lifespan begins.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        handle = handle_factory()
        try:
            await run_in_threadpool(handle.start)
            app.state.handle = handle
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
    app.include_router(breaker.router)
    if not production:
        app.include_router(contract.test_router)
    _add_page(app, page_dir)
    return app


def _add_page(app: FastAPI, page_dir: Path) -> None:
    """Serves what is built: the files beside ``index.html`` one by one, and the folder of hashed assets."""
    if not (page_dir / "index.html").is_file():
        app.add_api_route("/", lambda: PlainTextResponse(NO_PAGE, status_code=503), include_in_schema=False)
        return
    for file in sorted(page_dir.iterdir()):
        if file.is_file():
            path = "/" if file.name == "index.html" else f"/{file.name}"
            app.add_api_route(path, _file(file), methods=["GET", "HEAD"], include_in_schema=False)
    if (page_dir / "assets").is_dir():
        app.mount("/assets", HashedAssets(directory=page_dir / "assets"), name="assets")


def _file(path: Path) -> Callable[[], FileResponse]:
    return lambda: FileResponse(path, headers={"Cache-Control": "no-cache"})


class HashedAssets(StaticFiles):
    """Files whose names hold a hash of their content: what a browser has under a name never changes."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

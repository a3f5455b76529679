"""The process: one port for REST, streams and controls, the market's pace, and an orderly end on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.simex.control import Control
from smc_trading_agent.simex.sockets import Sockets
from smc_trading_agent.simex.venue import Venue
from smc_trading_agent.simex.web import DROP, Rest

PING_S = 20.0
PONG_S = 60.0
GRACE_S = 2


class DroppingProtocol(HttpToolsProtocol):
    """HTTP that lets the application cut a connection instead of answering: the ASGI extension ``simex.drop``."""

    def on_message_begin(self) -> None:
        """Adds the extension to the request's scope."""
        super().on_message_begin()
        self.scope["extensions"] = {DROP: self.transport.abort}  # type: ignore[dict-item]


class App:
    """The whole as an ASGI application. Its lifespan moves the market every ``step_ms``; 0 leaves that to tests."""

    def __init__(self, venue: Venue, token: str, step_ms: int) -> None:
        self._venue = venue
        self._step_ms = step_ms
        self.failure: BaseException | None = None
        self._rest, self._sockets, self._control = Rest(venue), Sockets(venue), Control(venue, token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await self._sockets(scope, receive, send)
        elif scope["path"].startswith("/simex/"):
            await self._control(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        pace: asyncio.Task[None] | None = None
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._venue.hub.later = asyncio.get_running_loop().call_later
                if self._step_ms:
                    pace = asyncio.create_task(self._pace())
                    pace.add_done_callback(self._ended)
                await send({"type": "lifespan.startup.complete"})
                continue
            if pace is not None:
                pace.cancel()
                await asyncio.wait([pace])
            await send({"type": "lifespan.shutdown.complete"})
            return

    def _ended(self, pace: asyncio.Task[None]) -> None:
        """A market that fails ends the process: a venue that stands still without a word would prove nothing."""
        if not pace.cancelled() and (failure := pace.exception()) is not None:
            self.failure = failure
            signal.raise_signal(signal.SIGTERM)

    async def _pace(self) -> None:
        while True:
            self._venue.step()
            await asyncio.sleep(self._step_ms / 1000)


class Server(uvicorn.Server):
    """A server that says when it listens, and closes the streams before it ends."""

    def __init__(self, config: uvicorn.Config, app: App, venue: Venue, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self.app = app
        self._venue = venue
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then says so."""
        await super().startup(sockets)
        if self.started:
            self._listening()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end the server, and are not raised again: an asked-for end is no failure.

        Signals belong to the main thread; on another one the server ends by ``should_exit``.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes every stream, then stops."""
        self._venue.hub.disconnect(1001)
        await super().shutdown(sockets)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. `ConfigError` when the address can't be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"simex can't listen on {host} port {port}: {error}; choose another --host or --port"
        ) from error
    return listener


def server_of(venue: Venue, token: str, step_ms: int, listening: Callable[[], None]) -> Server:
    """A server of the venue, to be run on a listening socket. ``listening`` is called once requests are answered."""
    app = App(venue, token, step_ms)
    config = uvicorn.Config(
        app,
        http=DroppingProtocol,
        ws="websockets-sansio",
        ws_ping_interval=PING_S,
        ws_ping_timeout=PONG_S,
        log_level="error",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_S,
    )
    return Server(config, app, venue, listening)


def serve(server: Server, listener: socket.socket) -> None:
    """Serves until SIGTERM, SIGINT or ``server.should_exit``; raises what the market failed of."""
    server.run(sockets=[listener])
    if server.app.failure is not None:
        raise server.app.failure


def described(venue: Venue, token: str, listener: socket.socket) -> dict[str, object]:
    """What a client needs to know: addresses, the accounts' keys, and the control token."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return {
        "port": port,
        "rest": f"http://{shown}:{port}",
        "futures_streams": f"ws://{shown}:{port}/futures",
        "spot_streams": f"ws://{shown}:{port}/spot",
        "control_token": token,
        "accounts": {
            name: dict(zip(("api_key", "secret"), venue.credentials(name), strict=True))
            for name in venue.options.accounts
        },
    }

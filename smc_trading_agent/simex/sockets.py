"""The venue's websocket side: market and user data streams, and requests over a socket."""

from __future__ import annotations

import asyncio
import contextlib
import urllib.parse
from collections.abc import Awaitable, Callable

import msgspec
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from smc_trading_agent.simex.hub import Subscriber
from smc_trading_agent.simex.rules import Kind
from smc_trading_agent.simex.socket_api import SocketApi
from smc_trading_agent.simex.venue import Venue

MAX_STREAMS = {Kind.FUTURES: 200, Kind.SPOT: 1_024}
CONTROL_A_SECOND = {Kind.FUTURES: 10, Kind.SPOT: 5}
POLICY = 1008
Handler = Callable[[str], Awaitable[str | None]]


class StreamControl:
    """Subscribing and unsubscribing over a stream connection."""

    def __init__(self, venue: Venue, one: Subscriber, name: Callable[[str], str]) -> None:
        self._venue = venue
        self._one = one
        self._name = name
        self._second = 0
        self._sent = 0

    async def handle(self, text: str) -> str | None:
        """The answer to a control message; a connection that sends too many is closed."""
        second = self._venue.true_ms() // 1000
        self._sent = self._sent + 1 if second == self._second else 1
        self._second = second
        if self._sent > CONTROL_A_SECOND[self._one.kind]:
            self._one.close(POLICY)
            return None
        try:
            message = msgspec.json.decode(text, type=dict[str, object])
        except msgspec.DecodeError as error:
            return _encode({"error": {"code": 3, "msg": f"Invalid JSON: {error}"}})
        number, method, params = message.get("id"), message.get("method"), message.get("params") or []
        if not isinstance(params, list):
            return _encode({"error": {"code": 2, "msg": "Invalid request: params must be an array"}, "id": number})
        return _encode(self._apply(str(method), params) | {"id": number})

    def _apply(self, method: str, params: list[object]) -> dict[str, object]:
        names = {self._name(str(param)) for param in params}
        one = self._one
        if method == "SUBSCRIBE":
            if len(one.streams | names) > MAX_STREAMS[one.kind]:
                one.close(POLICY)
            one.streams |= names
        elif method == "UNSUBSCRIBE":
            one.streams -= names
        elif method == "LIST_SUBSCRIPTIONS":
            return {"result": sorted(one.streams)}
        elif method == "SET_PROPERTY" and len(params) == 2 and params[0] == "combined":
            one.combined = bool(params[1])
        elif method == "GET_PROPERTY":
            return {"result": one.combined}
        else:
            return {"error": {"code": 2, "msg": f"Invalid request: unknown variant {method}"}}
        return {"result": None}


def _encode(body: dict[str, object]) -> str:
    return msgspec.json.encode(body).decode()


class Sockets:
    """The websocket endpoints as an ASGI application.

    Paths begin with ``/futures`` or ``/spot``; then ``ws``, ``ws/<stream>/...`` or ``stream?streams=a/b``, with
    ``public``, ``market`` or ``private`` before it where a client says so; or ``ws-fapi`` and ``ws-api``, for requests.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        parts = [part for part in scope["path"].split("/") if part]
        if self._venue.down or not parts or parts[0] not in {"futures", "spot"}:
            await socket.close(POLICY)
            return
        await socket.accept()
        kind = Kind(parts[0])
        if parts[1:2] in (["ws-fapi"], ["ws-api"]):
            one = self._subscriber(kind, False)
            await self._run(socket, one, SocketApi(self._venue, one, scope["client"][0]).handle)
            return
        rest = [part for part in parts[1:] if part not in {"public", "market", "private"}]
        one = self._subscriber(kind, rest[:1] == ["stream"])
        query = urllib.parse.parse_qs(scope["query_string"].decode())
        named = query.get("streams", [""])[0].split("/") if one.combined else rest[1:]
        named += query.get("listenKey", [])
        one.streams |= {self._name(stream) for stream in named if stream}
        await self._run(socket, one, StreamControl(self._venue, one, self._name).handle)

    def _subscriber(self, kind: Kind, combined: bool) -> Subscriber:
        return Subscriber(kind, combined, self._venue.true_ms(), lambda: None)

    def _name(self, stream: str) -> str:
        """A stream by its name; the market's streams begin with a symbol in small letters."""
        symbol, at, channel = stream.partition("@")
        return f"{symbol.lower()}@{channel}" if at else stream

    async def _run(self, socket: WebSocket, one: Subscriber, handle: Handler) -> None:
        """Reads and writes until either side ends."""
        event = asyncio.Event()
        one.wake = event.set
        self._venue.hub.subscribers.add(one)
        writer = asyncio.create_task(self._write(socket, one, event))
        try:
            while True:
                message = await socket.receive()
                if message["type"] != "websocket.receive":
                    break
                text = message.get("text") or (message.get("bytes") or b"").decode("utf-8", "replace")
                answer = await handle(text)
                if answer is not None:
                    one.send(answer)
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            self._venue.hub.subscribers.discard(one)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer

    async def _write(self, socket: WebSocket, one: Subscriber, event: asyncio.Event) -> None:
        try:
            while True:
                await event.wait()
                event.clear()
                while one.waiting:
                    await socket.send_text(one.waiting.popleft())
                if one.closing:
                    await socket.close(one.closing)
                    return
        except (WebSocketDisconnect, RuntimeError):
            return

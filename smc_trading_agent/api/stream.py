"""One websocket's conversation: a message, its acknowledgement, and never more than one message under way.

A client that is slow acknowledges late; what happened meanwhile comes as one message, so it skips to the newest
instead of falling behind, and the server holds nothing for it but a cursor.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from smc_trading_agent.monitoring.views import Cursor

MESSAGE_INTERVAL_S = 0.1
HEARTBEAT_S = 1.0
ACK_TIMEOUT_S = 20.0
MAX_ACK_LENGTH = 32

CLOSE_POLICY = 1008
CLOSE_TRY_AGAIN = 1013

Build = Callable[[Cursor | None], tuple[str, Cursor]]


class ChangeSignal:
    """Wakes an event loop from the trading thread, at most once until it is cleared."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self._raised = False

    def raise_from_any_thread(self) -> None:
        """Costs a comparison while the loop hasn't answered the last call yet."""
        if not self._raised and not self._loop.is_closed():
            self._raised = True
            try:
                self._loop.call_soon_threadsafe(self._event.set)
            except RuntimeError:
                return  # the loop closed in between; nobody is left to be woken

    async def wait(self, timeout_s: float) -> None:
        """Returns when a change came, or after ``timeout_s``; changes from here on count anew."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        self._event.clear()
        self._raised = False


class StreamSession:
    """Sends what `build` makes until the client leaves, breaks the protocol, or stops acknowledging."""

    def __init__(
        self,
        websocket: WebSocket,
        signal: ChangeSignal,
        build: Build,
        interval_s: float = MESSAGE_INTERVAL_S,
        ack_timeout_s: float = ACK_TIMEOUT_S,
    ) -> None:
        self._websocket = websocket
        self._signal = signal
        self._build = build
        self._interval_s = interval_s
        self._ack_timeout_s = ack_timeout_s

    async def run(self) -> None:
        """Returns when the conversation is over; the socket is closed then."""
        acknowledgements: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
        tasks = {
            asyncio.create_task(self._send(acknowledgements)),
            asyncio.create_task(self._listen(acknowledgements)),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in done:
            task.result()

    async def _send(self, acknowledgements: asyncio.Queue[str]) -> None:
        cursor: Cursor | None = None
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            message, here = await asyncio.to_thread(self._build, cursor)
            cursor = here
            try:
                await self._websocket.send_text(message)
                async with asyncio.timeout(self._ack_timeout_s):
                    answer = await acknowledgements.get()
            except WebSocketDisconnect:
                return
            except TimeoutError:
                await self._websocket.close(CLOSE_TRY_AGAIN, "no acknowledgement came; connect again")
                return
            if answer != str(here.revision):
                await self._websocket.close(CLOSE_POLICY, "acknowledge each message with its revision, as text")
                return
            await asyncio.sleep(self._interval_s - (loop.time() - started))
            await self._signal.wait(HEARTBEAT_S)

    async def _listen(self, acknowledgements: asyncio.Queue[str]) -> None:
        """Ends when the client leaves or sends what nobody asked for."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text") or ""
            if not 0 < len(text) <= MAX_ACK_LENGTH or acknowledgements.full():
                await self._websocket.close(CLOSE_POLICY, "send one acknowledgement, as text, for each message")
                return
            acknowledgements.put_nowait(text)

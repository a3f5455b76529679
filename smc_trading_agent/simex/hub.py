"""Who listens to what: subscriptions, the messages of every stream, and the faults that strike them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from smc_trading_agent.simex.faults import STREAM_KINDS, Faults
from smc_trading_agent.simex.rules import Kind

QUEUE = 10_000
PRIVATE = "user:"
"""What the streams of spot accounts begin with: they are had by signed subscription, never by name."""

Later = Callable[[float, Callable[[], None]], object]


@dataclass(slots=True, eq=False)
class Subscriber:
    """One connection: what it listens to, and what waits to be sent. ``wake`` is called when something does."""

    kind: Kind
    combined: bool
    opened_ms: int
    wake: Callable[[], None]
    streams: set[str] = field(default_factory=set)
    waiting: deque[str] = field(default_factory=deque)
    closing: int = 0
    subscriptions: dict[int, str] = field(default_factory=dict)

    def send(self, text: str) -> None:
        """Queues a message; a connection that never reads is closed."""
        if len(self.waiting) >= QUEUE:
            self.close(1008)
            return
        self.waiting.append(text)
        self.wake()

    def close(self, code: int) -> None:
        """Asks for the connection to be closed with a code once everything was sent."""
        self.closing = self.closing or code
        self.wake()


class Hub:
    """Delivers messages to subscribers of one market's streams."""

    def __init__(self, faults: Faults, now_ms: Callable[[], int]) -> None:
        self._faults = faults
        self._now_ms = now_ms
        self._held: dict[tuple[Kind, str], list[tuple[str, dict[str, object]]]] = defaultdict(list)
        self.subscribers: set[Subscriber] = set()
        self.later: Later | None = None

    def wanted(self, kind: Kind) -> set[str]:
        """Streams of a market that someone listens to."""
        return {stream for one in self.subscribers if one.kind is kind for stream in one.streams}

    def publish(self, kind: Kind, stream: str, data: dict[str, object] | list[object], label: str) -> None:
        """Sends a message to a stream's listeners, unless a fault has it otherwise. ``label`` tells faults its kind."""
        struck = {rule.kind: rule for rule in self._faults.strike(STREAM_KINDS, f"{stream} {label}", self._now_ms())}
        body: dict[str, object] = {"stream": stream, "data": data}
        if "mute" in struck or "skip" in struck:
            return
        if "reorder" in struck:
            self._held[kind, stream].append((stream, body))
            return
        if "late" in struck and self.later is not None:
            self.later(struck["late"].delay_ms / 1000, lambda: self._deliver(kind, stream, body))
            return
        self._deliver(kind, stream, body)
        if "double" in struck:
            self._deliver(kind, stream, body)
        for _, held in self._held.pop((kind, stream), []):
            self._deliver(kind, stream, held)

    def _deliver(self, kind: Kind, stream: str, body: dict[str, object]) -> None:
        single = combined = ""
        private = stream.startswith(PRIVATE)
        for one in list(self.subscribers):
            if one.kind is not kind:
                continue
            if stream in one.streams and not private:
                if one.combined:
                    combined = combined or msgspec.json.encode(body).decode()
                    one.send(combined)
                else:
                    single = single or msgspec.json.encode(body["data"]).decode()
                    one.send(single)
            for number, account in one.subscriptions.items():
                if PRIVATE + account == stream:
                    one.send(msgspec.json.encode({"subscriptionId": number, "event": body["data"]}).decode())

    def announce(self, data: dict[str, object]) -> None:
        """Sends a message to every connection."""
        for one in self.subscribers:
            body = {"stream": "!serverShutdown", "data": data} if one.combined else data
            one.send(msgspec.json.encode(body).decode())

    def disconnect(self, code: int = 1012) -> None:
        """Closes every connection."""
        for one in list(self.subscribers):
            one.close(code)

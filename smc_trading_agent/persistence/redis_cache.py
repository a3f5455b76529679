"""Votes that processes share through Redis, behind each one's own cache; nothing ever waits for Redis.

One thread of its own talks to Redis. What is to be stored waits in a bounded queue, and is dropped, and counted, when
that is full; what is asked for is fetched for later, and what has arrived by then is given. A place is a hash in
Redis: all that is known of one bar comes in one answer. Where Redis doesn't answer within its time, it is left alone
for a while, and what comes meanwhile is dropped. Needs the extra ``redis``. Votes are plain bytes here; whoever may
write to that Redis can vote, so let no one else write to it.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.types import SharedCacheHealth

if TYPE_CHECKING:
    from redis import Redis

NS_PER_S = 1_000_000_000
MOST_CONNECTIONS = 20
MOST_JOBS = 256
MOST_PLACES = 64
TIMEOUT_S = 0.25
LEFT_ALONE_S = 1.0
PREFIX = "smc:votes:"


class Store(NamedTuple):
    """A value to be stored."""

    place: str
    member: str
    value: bytes
    ttl_seconds: float


class Counts(msgspec.Struct):
    """What became of jobs; each written by one thread. ``dropped`` and ``skipped`` are of values only."""

    up: bool = False
    stored: int = 0
    fetched: int = 0
    failed: int = 0
    dropped: int = 0
    skipped: int = 0


class RedisCache:
    """A cache of bytes by place and member; see the module. Called from one thread, `health` from any."""

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_S, left_alone_seconds: float = LEFT_ALONE_S) -> None:
        """``url`` such as ``redis://localhost:6379``; nothing is connected yet, so Redis may be down or come later.

        Raises `ConfigError` where the extra is not installed, or the address can't be one.
        """
        self._client = _client_of(url, timeout_seconds)
        self._left_alone_ns = round(left_alone_seconds * NS_PER_S)
        self._again_at = 0
        self._jobs: queue.Queue[Store | str | None] = queue.Queue(MOST_JOBS)
        self._arrived: OrderedDict[str, dict[bytes, bytes]] = OrderedDict()
        self._lock = threading.Lock()  # of what has arrived; held for a look-up, never for an answer
        self._counts = Counts()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="redis-cache", daemon=True)
        self._thread.start()

    def prefetch(self, place: str) -> None:
        """Begins to fetch all that is stored under ``place``."""
        self._ask(place)

    def recall(self, place: str, member: str) -> bytes | None:
        """What has arrived by now; None where nothing has, and then it begins to fetch."""
        with self._lock:
            found = self._arrived.get(place)
        value = None if found is None else found.get(member.encode())
        if value is None:
            self._ask(place)
        return value

    def offer(self, place: str, member: str, value: bytes, ttl_seconds: float) -> None:
        """Takes note of a value; the whole place lives ``ttl_seconds`` from its newest value."""
        self._ask(Store(place, member, value, ttl_seconds))

    def health(self) -> SharedCacheHealth:
        """Whether Redis answered last, and what became of values and questions."""
        counts = self._counts
        return SharedCacheHealth(
            counts.up, counts.stored, counts.fetched, counts.failed, counts.dropped + counts.skipped
        )

    def close(self) -> None:
        """Ends the thread once its present job is done; what still waits is dropped."""
        self._closing = True
        with suppress(queue.Full):  # where it is full, the thread is not waiting for a job
            self._jobs.put_nowait(None)
        self._thread.join()
        self._client.close()

    def _ask(self, job: Store | str) -> None:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._counts.dropped += isinstance(job, Store)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None and not self._closing:
            if monotonic_ns() < self._again_at:
                self._counts.skipped += isinstance(job, Store)
                continue
            try:
                self._do(job)
                self._counts.up = True
            except Exception:  # noqa: BLE001  whatever Redis or the network does, the thread goes on, and it is counted
                self._counts.failed += 1
                self._counts.up = False
                self._again_at = monotonic_ns() + self._left_alone_ns

    def _do(self, job: Store | str) -> None:
        if isinstance(job, Store):
            with self._client.pipeline(transaction=False) as pipeline:
                pipeline.hset(PREFIX + job.place, job.member, job.value)
                pipeline.pexpire(PREFIX + job.place, max(1, round(job.ttl_seconds * 1_000)))
                pipeline.execute()
            self._counts.stored += 1
            return
        answer = self._client.hgetall(PREFIX + job)
        found = {name: value for name, value in answer.items() if isinstance(name, bytes) and isinstance(value, bytes)}
        self._counts.fetched += 1
        if found:
            with self._lock:
                self._arrived[job] = found
                self._arrived.move_to_end(job)
                if len(self._arrived) > MOST_PLACES:
                    self._arrived.popitem(last=False)


def _client_of(url: str, timeout_seconds: float) -> Redis:
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise ConfigError(
            "performance.ml_ensemble.redis_url is set, and the Redis client is not installed; install it with "
            "pip install 'smc-trading-agent[redis]', or leave the setting empty"
        ) from error
    try:
        return Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            max_connections=MOST_CONNECTIONS,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:  # the address is not repeated: it may hold a password
        raise ConfigError(
            "performance.ml_ensemble.redis_url (or REDIS_URL) is no address of a Redis; write it as redis://host:port, "
            "rediss:// for TLS, or unix:// for a socket"
        ) from error

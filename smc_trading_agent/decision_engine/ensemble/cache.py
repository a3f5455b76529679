"""Votes on the same setup at the same bar are asked for once: a bounded cache, and one that may stand behind it.

What is kept are raw votes, pure functions of the key: bundle, input columns, instrument, bar, the closes that models
with state have seen, and setup. Weights and conformal sets move with every label and are applied anew, so a hit can't
give a stale decision. Only complete answers are kept: who was late may be in time when asked again.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import msgspec

from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.types import SharedCacheHealth

NS_PER_S = 1_000_000_000
CAPACITY = 1_024


class CacheKey(NamedTuple):
    """Everything that raw votes depend on.

    ``bar`` is the close time of the decision bar in nanoseconds; ``history`` stands for all closes up to it.
    """

    bundle: str
    feature_schema: str
    instrument: str
    bar: int
    history: str
    setup_id: str

    def place(self) -> str:
        """All but the setup, as text: caches behind this one keep the setups of a bar together."""
        return ":".join(map(str, self[:-1]))


class SecondCache(Protocol):
    """A cache behind this one, shared by processes. It is never waited for."""

    def prefetch(self, place: str) -> None:
        """May begin to fetch what is kept under ``place``."""

    def recall(self, place: str, member: str) -> bytes | None:
        """What has arrived by now, None where nothing has; may begin to fetch it."""

    def offer(self, place: str, member: str, value: bytes, ttl_seconds: float) -> None:
        """Takes note of a value, to be stored when there is time."""

    def health(self) -> SharedCacheHealth: ...

    def close(self) -> None: ...


class VoteCache:
    """Raw log-odds by expert, for as long as they live by the given clock."""

    def __init__(
        self, clock: Clock, ttl_seconds: float, second: SecondCache | None = None, capacity: int = CAPACITY
    ) -> None:
        self._clock = clock
        self._ttl_seconds = ttl_seconds
        self._ttl_ns = round(ttl_seconds * NS_PER_S)
        self._second = second
        self._capacity = capacity
        self._held: OrderedDict[CacheKey, tuple[int, dict[str, float]]] = OrderedDict()
        self.hits = 0
        self.misses = 0
        self.hits_behind = 0

    @property
    def shared(self) -> bool:
        """Whether another cache stands behind this one."""
        return self._second is not None and self._ttl_ns > 0

    @property
    def hit_rate(self) -> float:
        """Share of lookups that were answered, 0.0 before the first."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0

    def get(self, key: CacheKey) -> Mapping[str, float] | None:
        """Votes kept under ``key`` that still live."""
        kept = self._held.get(key)
        if kept is not None and self._clock.now() < kept[0]:
            self._held.move_to_end(key)
            self.hits += 1
            return kept[1]
        if kept is not None:
            del self._held[key]
        found = self._recalled(key)
        if found is None:
            self.misses += 1
            return None
        self._keep(key, found)
        self.hits += 1
        self.hits_behind += 1
        return found

    def expect(self, key: CacheKey) -> None:
        """Tells the cache behind that setups of this bar may be asked for soon; the key's setup doesn't matter."""
        if self._second is not None and self._ttl_ns > 0:
            self._second.prefetch(key.place())

    def put(self, key: CacheKey, votes: Mapping[str, float]) -> None:
        """Keeps complete votes; the least recently used go once there are more than the capacity."""
        if self._ttl_ns == 0:
            return
        self._keep(key, dict(votes))
        if self._second is not None:
            self._second.offer(key.place(), key.setup_id, msgspec.msgpack.encode(votes), self._ttl_seconds)

    def health(self) -> SharedCacheHealth | None:
        """How the cache behind does, None where there is none."""
        if self._second is None:
            return None
        return msgspec.structs.replace(self._second.health(), hits=self.hits_behind)

    def close(self) -> None:
        """Ends what the cache behind needs to run."""
        if self._second is not None:
            self._second.close()

    def _keep(self, key: CacheKey, votes: dict[str, float]) -> None:
        if key in self._held:
            self._held.move_to_end(key)
        self._held[key] = (self._clock.now() + self._ttl_ns, votes)
        if len(self._held) > self._capacity:
            self._held.popitem(last=False)

    def _recalled(self, key: CacheKey) -> dict[str, float] | None:
        if self._second is None or self._ttl_ns == 0:
            return None
        data = self._second.recall(key.place(), key.setup_id)
        if data is None:
            return None
        try:
            votes = msgspec.msgpack.decode(data, type=dict[str, float])
        except msgspec.MsgspecError:  # whatever stands there, it is none of ours: a miss
            return None
        return votes if all(map(math.isfinite, votes.values())) else None

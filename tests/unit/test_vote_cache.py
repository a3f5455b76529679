"""The cache of votes: lives as long as told by the clock it is given, bounded, and never waits for the one behind."""

from __future__ import annotations

import math

import msgspec
import pytest

from smc_trading_agent.decision_engine.ensemble.cache import CacheKey, VoteCache
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.types import SharedCacheHealth

NS = 1_000_000_000
VOTES = {"lstm": 0.3, "logistic": -0.1}


def key(**changes: object) -> CacheKey:
    return CacheKey("b0", "f0", "test:BTCUSDT", 900 * NS, "h0", "s0")._replace(**changes)  # type: ignore[arg-type]


class Shelf:
    """A second cache that has what was put there, and notes what it is offered and told to expect."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], bytes] = {}
        self.offered: list[tuple[str, str, float]] = []
        self.expected: list[str] = []
        self.closed = False

    def prefetch(self, place: str) -> None:
        self.expected.append(place)

    def recall(self, place: str, member: str) -> bytes | None:
        return self.held.get((place, member))

    def offer(self, place: str, member: str, value: bytes, ttl_seconds: float) -> None:
        self.held[place, member] = value
        self.offered.append((place, member, ttl_seconds))

    def health(self) -> SharedCacheHealth:
        return SharedCacheHealth(True, len(self.offered), 0, 0, 0)

    def close(self) -> None:
        self.closed = True


def test_votes_live_until_their_time_is_over() -> None:
    clock = MarketClock(100 * NS)
    cache = VoteCache(clock, 60.0)
    assert cache.get(key()) is None
    cache.put(key(), VOTES)
    clock.advance_to(160 * NS - 1)
    assert cache.get(key()) == VOTES
    clock.advance_to(160 * NS)
    assert cache.get(key()) is None
    assert (cache.hits, cache.misses, cache.hit_rate) == (1, 2, pytest.approx(1 / 3))


@pytest.mark.parametrize(
    "other",
    [
        {"bundle": "b1"},
        {"feature_schema": "f1"},
        {"instrument": "x"},
        {"bar": 1},
        {"history": "h1"},
        {"setup_id": "s1"},
    ],
)
def test_every_part_of_the_key_counts(other: dict[str, object]) -> None:
    cache = VoteCache(MarketClock(), 60.0)
    cache.put(key(), VOTES)
    assert cache.get(key(**other)) is None
    assert (key(**other).place() != key().place()) is ("setup_id" not in other)


def test_the_least_recently_used_goes_first() -> None:
    cache = VoteCache(MarketClock(), 60.0, capacity=2)
    cache.put(key(bar=1), VOTES)
    cache.put(key(bar=2), VOTES)
    cache.get(key(bar=1))
    cache.put(key(bar=3), VOTES)
    assert [bar for bar in (1, 2, 3) if cache.get(key(bar=bar)) is not None] == [1, 3]


def test_a_life_of_nothing_keeps_nothing() -> None:
    shelf = Shelf()
    cache = VoteCache(MarketClock(), 0.0, shelf)
    cache.put(key(), VOTES)
    assert cache.get(key()) is None
    assert cache.hit_rate == 0.0
    assert shelf.offered == []


def test_what_the_cache_behind_has_by_now_is_a_hit_and_is_kept() -> None:
    shelf = Shelf()
    VoteCache(MarketClock(), 60.0, shelf).put(key(), VOTES)
    assert shelf.offered == [(key().place(), "s0", 60.0)]
    other_process = VoteCache(MarketClock(), 60.0, shelf)
    assert other_process.get(key()) == VOTES
    shelf.held.clear()
    assert other_process.get(key()) == VOTES
    assert other_process.get(key(bar=1)) is None
    assert (other_process.hits, other_process.hits_behind) == (2, 1)
    health = other_process.health()
    assert health is not None
    assert (health.stored, health.hits) == (1, 1)


@pytest.mark.parametrize(
    "noise",
    [
        b"",
        b"\xff",
        msgspec.msgpack.encode({"lstm": "high"}),
        msgspec.msgpack.encode([1]),
        msgspec.msgpack.encode({"lstm": math.inf}),
    ],
)
def test_noise_in_the_cache_behind_is_a_miss(noise: bytes) -> None:
    shelf = Shelf()
    shelf.held[key().place(), "s0"] = noise
    assert VoteCache(MarketClock(), 60.0, shelf).get(key()) is None


def test_a_bar_is_expected_by_the_cache_behind_and_alone_there_is_nothing_to_tell() -> None:
    shelf = Shelf()
    cache = VoteCache(MarketClock(), 60.0, shelf)
    cache.expect(key(setup_id=""))
    assert shelf.expected == [key().place()]
    cache.close()
    assert shelf.closed
    alone = VoteCache(MarketClock(), 60.0)
    alone.expect(key())
    alone.close()
    assert (alone.shared, alone.health()) == (False, None)
    short = VoteCache(MarketClock(), 0.0, shelf)
    short.expect(key())
    assert (short.shared, len(shelf.expected)) == (False, 1)

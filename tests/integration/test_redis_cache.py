"""Votes shared through a real Redis: used where it has them, and never waited for, whatever state it is in."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis

from smc_trading_agent._core import FEATURE_NAMES, Bar, Bars
from smc_trading_agent.decision_engine.base_rate import BaseRateForecaster
from smc_trading_agent.decision_engine.ensemble.bundle import Bundle, load_bundle
from smc_trading_agent.decision_engine.ensemble.cache import CacheKey, VoteCache
from smc_trading_agent.decision_engine.ensemble.experts import Stateless
from smc_trading_agent.decision_engine.ensemble.forecaster import EnsembleForecaster
from smc_trading_agent.decision_engine.ensemble.sessions import Row
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.settings import DecisionSettings, EnsembleSettings, ModelSettings, Settings
from smc_trading_agent.domain.types import Forecast
from smc_trading_agent.persistence.redis_cache import MOST_JOBS, PREFIX, RedisCache
from smc_trading_agent.runtime.models import without_deadlines
from tests import bundles
from tests.factories import MINUTE, NOW, costs, setup
from tests.processes import free_port, wait_until

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed (the package of that name)"
)
VOTES = {"lstm": 0.3, "logistic": -0.1}
KEY = CacheKey("b0", "f0", "test:BTCUSDT", NOW, "h0", "s0")
LONG_S = 60.0


class Server:
    """A Redis of this test's own, on a free port of this machine, that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        self.url = f"redis://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
            "dir": str(self._folder),
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            ["redis-server", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self.answers, self._process)

    def answers(self) -> bool:
        try:
            with redis.Redis(port=self.port) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def stop(self) -> None:
        if self._process is not None:
            self.signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait()
            self._process = None


@pytest.fixture(name="server")
def make_server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.stop()


@pytest.fixture(name="opened")
def make_opened() -> Iterator[list[RedisCache]]:
    opened: list[RedisCache] = []
    yield opened
    for shared in opened:
        shared.close()


def caches(server: Server, opened: list[RedisCache], timeout_s: float = LONG_S) -> tuple[VoteCache, RedisCache]:
    """The caches of one process; Redis is tried again at once after a failure."""
    shared = RedisCache(server.url, timeout_s, 0.0)
    opened.append(shared)
    return VoteCache(MarketClock(NOW), 60.0, shared), shared


@needs_redis
def test_what_one_process_stored_another_fetches_ahead_and_uses(server: Server, opened: list[RedisCache]) -> None:
    server.start()
    (one, stored), (other, fetched) = caches(server, opened), caches(server, opened)
    one.put(KEY, VOTES)
    wait_until(lambda: stored.health().stored == 1)
    other.expect(KEY._replace(setup_id=""))
    wait_until(lambda: fetched.health().fetched == 1)
    assert other.get(KEY) == VOTES
    assert other.get(KEY) == VOTES
    assert (other.hits, other.misses, other.hits_behind) == (2, 0, 1)
    health = other.health()
    assert health is not None
    assert (health.up, health.hits, health.failed) == (True, 1, 0)


@needs_redis
def test_in_redis_votes_are_messages_of_a_bar_with_a_minute_to_live(server: Server, opened: list[RedisCache]) -> None:
    server.start()
    cache, shared = caches(server, opened)
    cache.put(KEY, VOTES)
    cache.put(KEY._replace(setup_id="s1"), VOTES)
    wait_until(lambda: shared.health().stored == 2)
    with redis.Redis(port=server.port) as client:
        (name,) = client.keys()
        assert name == f"{PREFIX}b0:f0:test:BTCUSDT:{NOW}:h0".encode()
        assert client.hkeys(name) == [b"s0", b"s1"]
        assert msgspec.msgpack.decode(client.hget(name, "s0") or b"") == VOTES
        assert 0 < client.pttl(name) <= 60_000


@needs_redis
def test_what_is_not_there_is_a_miss_and_not_asked_for_twice_in_vain(server: Server, opened: list[RedisCache]) -> None:
    server.start()
    (one, stored), (other, fetched) = caches(server, opened), caches(server, opened)
    assert other.get(KEY) is None
    wait_until(lambda: fetched.health().fetched == 1)
    one.put(KEY, VOTES)
    wait_until(lambda: stored.health().stored == 1)
    assert other.get(KEY) is None
    wait_until(lambda: fetched.health().fetched == 2)
    assert other.get(KEY) == VOTES


@needs_redis
def test_votes_are_gone_from_redis_when_their_time_is_over(server: Server, opened: list[RedisCache]) -> None:
    server.start()
    shared = RedisCache(server.url, LONG_S)
    opened.append(shared)
    shared.offer("place", "member", b"value", 0.05)
    wait_until(lambda: shared.health().stored == 1)
    with redis.Redis(port=server.port) as client:
        wait_until(lambda: client.exists(PREFIX + "place") == 0)


@needs_redis
def test_a_redis_that_comes_later_is_used_from_then_on(server: Server, opened: list[RedisCache]) -> None:
    cache, shared = caches(server, opened)
    cache.put(KEY, VOTES)
    assert cache.get(KEY) == VOTES
    assert cache.get(KEY._replace(setup_id="s1")) is None
    wait_until(lambda: shared.health().failed == 2)
    assert not shared.health().up
    server.start()
    cache.put(KEY, VOTES)
    wait_until(lambda: shared.health().stored == 1)
    assert shared.health().up


@needs_redis
def test_a_redis_that_hangs_is_not_waited_for_and_what_it_can_not_take_is_counted(
    server: Server, opened: list[RedisCache]
) -> None:
    server.start()
    cache, shared = caches(server, opened)
    cache.put(KEY, VOTES)
    wait_until(lambda: shared.health().stored == 1)
    server.signal(signal.SIGSTOP)
    for number in range(2 * MOST_JOBS):
        key = KEY._replace(setup_id=f"n{number}")
        assert cache.get(key) is None
        cache.put(key, VOTES)
        assert cache.get(key) == VOTES
    health = shared.health()
    # Its one thread is still in the first job, which may take a minute: nobody has waited for that.
    assert (health.stored, health.failed) == (1, 0)
    assert health.dropped >= MOST_JOBS
    server.signal(signal.SIGCONT)
    wait_until(lambda: shared.health().stored > 1)


@needs_redis
def test_a_redis_that_is_slow_is_left_alone_for_a_while(server: Server, opened: list[RedisCache]) -> None:
    server.start()
    shared = RedisCache(server.url, 0.05, LONG_S)
    opened.append(shared)
    shared.offer("place", "member", b"value", 60.0)
    wait_until(lambda: shared.health().stored == 1)
    server.signal(signal.SIGSTOP)
    for _ in range(5):
        shared.offer("place", "member", b"value", 60.0)
    wait_until(lambda: shared.health().dropped == 4)
    assert (shared.health().failed, shared.health().up) == (1, False)


@needs_redis
def test_a_restarted_redis_has_forgotten_and_is_used_again(server: Server, opened: list[RedisCache]) -> None:
    server.start()
    (one, stored), (other, _) = caches(server, opened), caches(server, opened)
    one.put(KEY, VOTES)
    wait_until(lambda: stored.health().stored == 1)
    server.stop()
    one.put(KEY, VOTES)
    wait_until(lambda: stored.health().failed == 1)
    server.start()
    assert other.get(KEY) is None
    one.put(KEY, VOTES)
    wait_until(lambda: stored.health().stored == 2)

    def found() -> bool:
        return other.get(KEY) == VOTES

    wait_until(found)


@needs_redis
def test_what_others_put_in_its_place_costs_nothing_but_a_miss(server: Server, opened: list[RedisCache]) -> None:
    server.start()
    cache, shared = caches(server, opened)
    with redis.Redis(port=server.port) as client:
        client.set(PREFIX + KEY.place(), "text")
        assert cache.get(KEY) is None
        wait_until(lambda: shared.health().failed == 1)
        client.delete(PREFIX + KEY.place())
        client.hset(PREFIX + KEY.place(), "s0", msgspec.msgpack.encode({"lstm": float("nan")}))
        assert cache.get(KEY) is None
        wait_until(lambda: shared.health().fetched == 1)
        assert cache.get(KEY) is None
    assert cache.hits_behind == 0


class Says(Stateless):
    """Votes a number and counts how often it is asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.asked = 0

    def vote(self, context: Row) -> float:
        self.asked += 1
        return 0.25


class Process:
    """What one process of the agent does with a setup at a close."""

    def __init__(self, bundle: Bundle, server: Server, opened: list[RedisCache], timeout_s: float = LONG_S) -> None:
        self.cache, self.shared = caches(server, opened, timeout_s)
        self.experts = tuple(Says(name) for name in bundles.EXPERTS)
        self.forecaster = EnsembleForecaster(
            bundle,
            BaseRateForecaster(costs(), DecisionSettings()),
            self.cache,
            ModelSettings(deadline_ms=0.0),
            EnsembleSettings(),
            self.experts,
            "test:BTCUSDT",
        )
        self._at_start = self.asked

    @property
    def asked(self) -> int:
        return sum(expert.asked for expert in self.experts)

    @property
    def voted(self) -> int:
        return self.asked - self._at_start

    def close(self, value: float = 0.1) -> None:
        bars = Bars.from_list("1m", [Bar(NOW - MINUTE, NOW, 1_000, 1_010, 990, 1_000)])
        self.forecaster.observe(bars, 0, 1)
        self.forecaster.on_close((value,) * len(FEATURE_NAMES))

    def judge(self) -> Forecast:
        return self.forecaster.forecast(setup(detected_at=NOW, features=(0.1,) * len(FEATURE_NAMES)))


@pytest.fixture(name="bundle", scope="module")
def make_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(bundles.written(tmp_path_factory.mktemp("bundle")), allow_unsigned=True)


@needs_redis
def test_a_second_process_decides_alike_without_asking_its_models(
    server: Server, opened: list[RedisCache], bundle: Bundle
) -> None:
    server.start()
    one, other, elsewhere = (Process(bundle, server, opened) for _ in range(3))
    one.close()
    first = one.judge()
    assert one.voted == len(bundles.EXPERTS)
    wait_until(lambda: one.shared.health().stored == 1)
    other.close()
    wait_until(lambda: other.shared.health().fetched == 1)
    assert other.judge() == first
    assert (other.voted, other.forecaster.cache_hit_rate) == (0, 1.0)
    told = other.forecaster.health().shared_cache
    assert told is not None
    assert told.hits == 1
    elsewhere.close(0.2)
    wait_until(lambda: elsewhere.shared.health().fetched == 1)
    elsewhere.judge()
    assert elsewhere.voted == len(bundles.EXPERTS)


@needs_redis
def test_decisions_go_on_whether_redis_is_up_hangs_or_is_gone(
    server: Server, opened: list[RedisCache], bundle: Bundle
) -> None:
    server.start()
    expected = Process(bundle, server, opened).judge()
    server.signal(signal.SIGSTOP)
    hanging = Process(bundle, server, opened)
    hanging.close()
    assert hanging.judge() == expected
    assert hanging.shared.health().failed == 0
    server.stop()
    gone = Process(bundle, server, opened)
    gone.close()
    assert gone.judge() == expected
    wait_until(lambda: gone.shared.health().failed > 0)
    gone.forecaster.close()


def test_an_address_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError, match="redis_url .* is no address of a Redis") as refused:
        RedisCache("http://user:secret@host")
    assert "secret" not in str(refused.value)
    assert "secret" not in repr(Settings.model_validate({"performance": {"ml_ensemble": {"redis_url": "secret"}}}))


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigError, match=r"pip install 'smc-trading-agent\[redis\]'"):
        RedisCache("redis://localhost")


def test_a_run_that_must_come_out_the_same_shares_no_votes() -> None:
    settings = Settings.model_validate({"performance": {"ml_ensemble": {"redis_url": "redis://localhost"}}})
    assert without_deadlines(settings).performance.ml_ensemble.redis_url == ""

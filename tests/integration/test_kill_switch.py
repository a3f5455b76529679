"""The kill switch on a running agent: event loop blocked, trading thread wedged, venue failing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from smc_trading_agent.api.app import create_app
from smc_trading_agent.coordinator import COMMAND_KIND
from smc_trading_agent.domain.breaker import BreakerAction, BreakerOrder
from smc_trading_agent.domain.errors import VenueTimeout
from smc_trading_agent.domain.kill_latch import KillLatch
from smc_trading_agent.domain.reasons import BreakerState
from smc_trading_agent.domain.settings import AppSettings, Settings, SyntheticSettings
from smc_trading_agent.execution_engine.guarded_venue import GuardedVenue, OrderBlocked
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.runtime.agent import Agent
from smc_trading_agent.runtime.kill_switch import KILL_FILE, read_kill_file
from smc_trading_agent.runtime.launch import LaunchOptions, launch_agent
from tests.desk import ScriptedVenue
from tests.factories import NOW, order
from tests.processes import facts_in, wait_until
from tests.runs import eager


def settings_in(folder: Path) -> Settings:
    synthetic, app = SyntheticSettings(seed=61), AppSettings(state_dir=str(folder))
    return eager(min_reward_risk=0.3).model_copy(update={"app": app, "synthetic": synthetic})


def launched(folder: Path, speed: str = "max") -> Agent:
    return launch_agent(settings_in(folder), LaunchOptions(speed=speed, fast_forward=0), {})


@contextmanager
def blocked_loop(agent: Agent) -> Iterator[None]:
    """The agent trades and its API is up, and a task has taken its event loop and never gives it back."""
    busy, free = threading.Event(), threading.Event()

    async def serve_and_hog() -> None:
        app = create_app(lambda: agent)
        async with app.router.lifespan_context(app):
            busy.set()
            while not free.is_set():
                sum(range(1_000))

    thread = threading.Thread(target=lambda: asyncio.run(serve_and_hog()))
    thread.start()
    try:
        wait_until(busy.is_set)
        yield
    finally:
        free.set()
        thread.join()


def journalled(root: Path, kind: str) -> list[tuple[int, dict[str, Any]]]:
    """Facts of a kind with their number, of the one account below a state folder."""
    (file,) = root.glob("*/journal.db")
    with SqliteJournal(file) as journal:
        return [(fact.seq, msgspec.json.decode(fact.payload)) for fact in journal.facts(kind=kind)]


def sends(root: Path) -> list[int]:
    return [seq for seq, told in journalled(root, "order_event") if told["event"] == "send"]


def test_with_the_loop_blocked_a_kill_file_stops_a_busy_agent(tmp_path: Path) -> None:
    agent = launched(tmp_path)
    with blocked_loop(agent):
        wait_until(lambda: facts_in(tmp_path) > 60)
        (tmp_path / KILL_FILE).touch()
        wait_until(lambda: agent.assembly.gate.breaker.state is BreakerState.KILLED)
        reached = agent.cursor
        wait_until(lambda: agent.cursor > reached + 2_000)
    ((killed_at, command),) = journalled(tmp_path, COMMAND_KIND)
    assert command["order"]["actor"] == "file KILL"
    assert len(sends(tmp_path)) > 3
    assert all(seq < killed_at for seq in sends(tmp_path))


def test_a_wedged_trading_thread_sends_nothing_more_and_its_orders_are_cancelled(tmp_path: Path) -> None:
    agent, wedged, freed = launched(tmp_path), threading.Event(), threading.Event()
    hang_with_an_entry_out(agent, wedged, freed)
    agent.start()
    wait_until(wedged.is_set)
    before = agent.assembly.venue.open_orders()
    assert len(before) == 3
    (tmp_path / KILL_FILE).touch()
    wait_until(lambda: agent.assembly.venue.open_orders() == [])
    assert journalled(tmp_path, COMMAND_KIND) == [], "the trading thread hangs: it has not journalled the kill yet"
    sent_before = len(sends(tmp_path))
    freed.set()
    wait_until(lambda: agent.assembly.gate.breaker.state is BreakerState.KILLED)
    agent.stop()
    states = {told["client_order_id"]: told["state"] for _, told in journalled(tmp_path, "order_event")}
    assert {states[key] for key in before} == {"canceled"}
    assert len(sends(tmp_path)) == sent_before
    again = launched(tmp_path)
    assert again.assembly.engine.reconcile() == []
    assert again.assembly.latch.engaged
    again.start()
    again.stop()


def hang_with_an_entry_out(agent: Agent, wedged: threading.Event, freed: threading.Event) -> None:
    """The strategy hangs at the first close at which an entry is open."""
    forecaster: Any = agent.assembly.coordinator._stages.forecaster
    on_close = forecaster.on_close

    def hang(features: Any) -> None:
        if any(key.endswith("-entry") for key in agent.assembly.venue.open_orders()) and not freed.is_set():
            wedged.set()
            freed.wait()
        on_close(features)

    forecaster.on_close = hang


def test_the_kill_of_the_handle_acts_in_the_callers_thread_and_survives_a_restart(tmp_path: Path) -> None:
    agent = launched(tmp_path)
    agent.start()
    report = agent.kill("account", "ada", "drill")
    assert report.first
    assert agent.assembly.latch.engaged
    assert not agent.kill("account", "ada", "again").first
    wait_until(lambda: agent.assembly.gate.breaker.state is BreakerState.KILLED)
    agent.stop()
    again = launched(tmp_path)
    assert again.breaker_view().scopes["account:paper"] is BreakerState.KILLED
    assert again.breaker_view().kill_switch
    reached = again.cursor
    again.start()
    wait_until(lambda: again.cursor > reached + 100)
    again.stop()
    assert len(journalled(tmp_path, COMMAND_KIND)) == 1, "a kill file that is still there adds nothing"


def test_without_a_trading_loop_the_breaker_is_not_moved_and_says_so(tmp_path: Path) -> None:
    agent = launched(tmp_path)
    with pytest.raises(Exception, match="the trading loop is starting"):
        agent.order(BreakerOrder(BreakerAction.TRIP, "account", "ada", "why"), 1.0)
    agent.start()
    agent.stop()


@pytest.mark.parametrize("content", [b"", b"stop!", b"{", b'{"action": "rearm"}', b"\xff\xfe"])
def test_a_kill_file_that_says_nothing_kills_everything(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / KILL_FILE
    assert read_kill_file(file) is None
    file.write_bytes(content)
    read = read_kill_file(file)
    assert read is not None
    assert (read.action, read.scope) == (BreakerAction.KILL, "global")


def test_a_file_that_asks_for_something_else_still_kills(tmp_path: Path) -> None:
    file = tmp_path / KILL_FILE
    file.write_bytes(b'{"action": "rearm", "scope": "strategy", "actor": "ada", "reason": "oops"}')
    read = read_kill_file(file)
    assert read is not None
    assert (read.action, read.scope, read.actor) == (BreakerAction.KILL, "strategy", "ada")


def test_no_order_can_follow_a_kill_whoever_is_sending() -> None:
    venue, latch = ScriptedVenue(), KillLatch()
    guarded, together = GuardedVenue(venue, latch), threading.Barrier(5)
    venue.on_submit = lambda sent_order: [venue.open.append(sent_order.client_order_id) or venue.tell(sent_order, "a")]
    venue.on_cancel = lambda key: [venue.open.remove(key)]  # type: ignore[func-returns-value]
    blocked = []

    def send(name: int) -> None:
        together.wait()
        for number in range(200):
            try:
                guarded.submit(order(client_order_id=f"d{name}-{number}"), NOW)
            except OrderBlocked:
                blocked.append(number)

    threads = [threading.Thread(target=send, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    together.wait()
    wait_until(lambda: len(venue.submitted) > 10)
    latch.engage()
    guarded.cancel_all([f"d{name}-{number}" for name in range(4) for number in range(200)], NOW)
    after_the_kill = len(venue.submitted)
    for thread in threads:
        thread.join()
    assert len(venue.submitted) == after_the_kill
    assert len(blocked) == 800 - after_the_kill
    assert venue.open == []


def test_foreign_orders_are_left_alone_and_a_failing_venue_is_named() -> None:
    venue, latch = ScriptedVenue(), KillLatch()
    venue.open = ["mine-1", "mine-2", "foreign"]

    def cancel(key: str) -> list[Any]:
        if key == "mine-2":
            raise VenueTimeout("no answer")
        venue.open.remove(key)
        return []

    venue.on_cancel = cancel
    assert GuardedVenue(venue, latch).cancel_all(["mine-1", "mine-2", "ended"], NOW) == (["mine-1"], ["mine-2"])
    assert venue.open == ["mine-2", "foreign"]


def test_an_order_that_the_venue_has_already_is_answered_also_under_the_latch() -> None:
    venue, latch = ScriptedVenue(), KillLatch()
    known = order()
    venue.on_query = lambda key: [venue.tell(known, "accepted")] if key == known.client_order_id else []
    latch.engage()
    assert GuardedVenue(venue, latch).submit(known, NOW)[0].kind == "accepted"
    with pytest.raises(OrderBlocked, match="nothing new is sent"):
        GuardedVenue(venue, latch).submit(order(client_order_id="new"), NOW)

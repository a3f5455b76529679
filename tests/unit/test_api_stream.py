"""The websocket: everything first, then only news; a client that is slow skips to the newest."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest
from starlette.websockets import WebSocketDisconnect

from smc_trading_agent.api.live_models import ViewState
from smc_trading_agent.api.present_live import ZONES_EACH, view_state
from smc_trading_agent.api.stream import CLOSE_POLICY, CLOSE_TRY_AGAIN, ChangeSignal, StreamSession
from smc_trading_agent.domain.reasons import PredictionSet, VoteStatus
from smc_trading_agent.domain.types import FeatureShare, Vote
from smc_trading_agent.monitoring.views import Cursor
from tests.unit.api_client import served
from tests.unit.api_scene import Scene, SceneAgent


class Socket:
    """The client's end of a conversation, in memory."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[str] = asyncio.Queue()
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.closed: int | None = None

    async def send_text(self, text: str) -> None:
        self.sent.put_nowait(text)

    async def receive(self) -> dict[str, Any]:
        return await self.incoming.get()

    async def close(self, code: int, reason: str) -> None:
        assert reason
        self.closed = code

    def say(self, text: str) -> None:
        self.incoming.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        self.incoming.put_nowait({"type": "websocket.disconnect"})


class Counter:
    """Something that grows, and a stream of it: each message holds what was added since the last."""

    def __init__(self) -> None:
        self.value = 0

    def build(self, cursor: Cursor | None) -> tuple[str, Cursor]:
        seen = cursor.bars if cursor else 0
        here = Cursor(revision=self.value, bars=self.value)
        return str(self.value - seen), here


def broken(_: Cursor | None) -> tuple[str, Cursor]:
    raise ZeroDivisionError


class Conversation:
    """A session with a client that the test plays."""

    def __init__(self, ack_timeout_s: float = 30.0, interval_s: float = 0.0) -> None:
        self.socket, self.counter = Socket(), Counter()
        self.signal = ChangeSignal(asyncio.get_running_loop())
        session = StreamSession(self.socket, self.signal, self.counter.build, interval_s, ack_timeout_s)
        self.task = asyncio.create_task(session.run())

    def grow(self, by: int = 1) -> None:
        for _ in range(by):
            self.counter.value += 1
            self.signal.raise_from_any_thread()

    async def next(self) -> int:
        return int(await asyncio.wait_for(self.socket.sent.get(), 10))

    async def ends(self) -> int | None:
        await asyncio.wait_for(self.task, 10)
        return self.socket.closed


def run(conversation: Coroutine[Any, Any, None]) -> None:
    asyncio.run(conversation)


def test_a_slow_client_gets_one_message_with_all_that_it_missed() -> None:
    async def talk() -> None:
        talk = Conversation()
        talk.grow(3)
        assert await talk.next() == 3
        talk.grow(50)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(talk.socket.sent.get(), 0.05)
        talk.socket.say("3")
        assert await talk.next() == 50
        talk.socket.say("53")
        talk.grow()
        assert await talk.next() == 1
        talk.socket.leave()
        assert await talk.ends() is None

    run(talk())


def test_messages_keep_their_distance() -> None:
    async def talk() -> None:
        clock = asyncio.get_running_loop()
        began = clock.time()
        talk = Conversation(interval_s=0.05)
        for _ in range(5):
            talk.grow()
            await talk.next()
            talk.socket.say(str(talk.counter.value))
        assert clock.time() - began >= 4 * 0.05
        talk.socket.leave()
        await talk.ends()

    run(talk())


@pytest.mark.parametrize("answer", ["4", "x", "", "9" * 40])
def test_a_wrong_acknowledgement_ends_the_conversation(answer: str) -> None:
    async def talk() -> None:
        talk = Conversation()
        talk.grow(3)
        await talk.next()
        talk.socket.say(answer)
        assert await talk.ends() == CLOSE_POLICY

    run(talk())


def test_a_client_that_talks_without_being_asked_is_sent_away() -> None:
    async def talk() -> None:
        talk = Conversation(interval_s=5.0)
        await talk.next()
        for _ in range(3):
            talk.socket.say("0")
        assert await talk.ends() == CLOSE_POLICY

    run(talk())


def test_a_client_that_never_acknowledges_is_let_go() -> None:
    async def talk() -> None:
        talk = Conversation(ack_timeout_s=0.01)
        await talk.next()
        assert await talk.ends() == CLOSE_TRY_AGAIN

    run(talk())


def test_an_error_while_building_ends_the_session_and_is_not_swallowed() -> None:
    async def talk() -> None:
        talk = Conversation()
        await talk.next()
        session = StreamSession(Socket(), talk.signal, broken)
        with pytest.raises(ZeroDivisionError):
            await session.run()
        talk.socket.leave()
        await talk.ends()

    run(talk())


def test_a_signal_wakes_the_loop_from_another_thread_and_outlives_it() -> None:
    signals: list[ChangeSignal] = []

    async def wait() -> None:
        signal = ChangeSignal(asyncio.get_running_loop())
        signals.append(signal)
        thread = threading.Thread(target=signal.raise_from_any_thread)
        thread.start()
        before = asyncio.get_running_loop().time()
        await signal.wait(30)
        assert asyncio.get_running_loop().time() - before < 25
        thread.join()

    asyncio.run(wait())
    signals[0].raise_from_any_thread()  # the loop is closed by then


def test_the_state_is_whole_and_valid() -> None:
    with served(150) as (client, agent, _):
        answer = client.get("/api/view/state")
        reading = agent.views.read()
    state = ViewState.model_validate_json(answer.text)
    assert state.reset
    assert len(state.bars.time) == len(state.bars.close) == len(reading.bars) == 150
    assert state.bars.close[-1] == agent.instrument.ticks_to_price(reading.bars[-1].close)
    assert len(state.equity.time) == 150
    assert [decision.id for decision in state.decisions] == [r.decision.decision_id for r in reading.decisions]
    assert state.market.timeframe == "15m"
    refused = next(decision for decision in state.decisions if not decision.taken)
    assert (
        refused.reasons[0].meaning
        == "P(win) does not beat break-even after costs by decision.min_edge, or with models by decision.models.margin"
    )
    assert refused.reasons[0].context["break_even"] == "0.352"
    taken = next(decision for decision in state.decisions if decision.taken)
    assert [order.rpartition("-")[2] for order in taken.orders] == ["entry", "stop", "target"]
    assert taken.quantity == "0.250"


def test_a_decision_by_models_is_sent_with_its_votes() -> None:
    scene = Scene()
    scene.run(150)
    record = scene.views.read().decisions[0]
    assert record.decision.forecast is not None
    by_models = msgspec.structs.replace(
        record.decision.forecast,
        bundle="b0",
        prediction_set=PredictionSet.BOTH,
        votes=(Vote("lstm", VoteStatus.COUNTED, 0.1, 0.52, 1.0), Vote("ppo", VoteStatus.LATE)),
        top_features=(FeatureShare("atr_share", 0.4, -0.2),),
        size_multiplier=0.5,
    )
    scene.views.on_decision(msgspec.structs.replace(record.decision, forecast=by_models), record.outcome)
    state, _ = view_state(SceneAgent(scene))
    plain, sent = state.decisions[0], state.decisions[-1]
    assert (plain.bundle, plain.prediction_set, plain.votes, plain.top_features) == ("", "", [], [])
    assert (sent.bundle, sent.prediction_set) == ("b0", "both")
    assert (plain.size_multiplier, sent.size_multiplier) == (1.0, 0.5)
    assert [vote.model_dump() for vote in sent.votes] == [
        {"expert": "lstm", "status": "counted", "probability": 0.52, "weight": 1.0},
        {"expert": "ppo", "status": "late", "probability": None, "weight": 0.0},
    ]
    assert [share.model_dump() for share in sent.top_features] == [
        {"column": "atr_share", "value": 0.4, "log_odds": -0.2}
    ]


def test_only_the_zones_nearest_to_the_price_are_sent() -> None:
    scene = Scene()
    scene.run(900)
    state, _ = view_state(SceneAgent(scene))
    assert state.zones is not None
    live = scene.views.read().zones or []
    mark = state.bars.close[-1]
    for kind in ("order_block", "fair_value_gap", "liquidity_pool"):
        shown = [zone for zone in state.zones if zone.kind == kind]
        assert 0 < len(shown) <= 2 * ZONES_EACH
        above = sorted(scene.instrument.ticks_to_price(zone.low) for zone in live if zone.kind == kind)
        nearest = [low for low in above if low > mark][:1]
        assert all(low in [zone.low for zone in shown] for low in nearest)


def test_the_stream_begins_with_everything_and_goes_on_with_what_is_new() -> None:
    with served(60) as (client, agent, scene), client.websocket_connect("/api/stream") as socket:
        first = socket.receive_json()
        assert first["reset"]
        assert len(first["bars"]["time"]) == 60
        scene.run(7)
        socket.send_text(str(first["revision"]))
        second = socket.receive_json()
        assert not second["reset"]
        assert second["bars"]["time"] == [bar.open_time // 10**9 for bar in agent.views.read().bars[-7:]]
        assert second["zones"] is not None
        socket.send_text(str(second["revision"]))
        heartbeat = socket.receive_json()
        assert heartbeat["bars"]["time"] == []
        assert heartbeat["zones"] is heartbeat["orders"] is None
        assert heartbeat["status"]["data_age_seconds"] == 0.25
    assert agent.views._watchers == ()


def test_the_stream_says_goodbye_to_a_client_that_breaks_the_protocol() -> None:
    with served(5) as (client, agent, _), client.websocket_connect("/api/stream") as socket:
        socket.receive_json()
        socket.send_bytes(b"binary")
        with pytest.raises(WebSocketDisconnect) as gone:
            socket.receive_json()
        assert gone.value.code == CLOSE_POLICY
    assert agent.views._watchers == ()

"""What the page lives on: one object with everything, and a websocket with what is new."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, WebSocket

from smc_trading_agent.api.contract import Agent
from smc_trading_agent.api.handle import AgentHandle
from smc_trading_agent.api.headers import same_origin
from smc_trading_agent.api.live_models import ViewState
from smc_trading_agent.api.present_live import view_state
from smc_trading_agent.api.stream import CLOSE_POLICY, ChangeSignal, StreamSession
from smc_trading_agent.monitoring.views import Cursor

router = APIRouter()


@router.get("/api/view/state", tags=["page"], summary="Everything the page shows")
def state(handle: Agent) -> ViewState:
    """The same object that the websocket `/api/stream` sends first; afterwards it sends what is new.

    The websocket sends at most ten messages a second and waits for each to be acknowledged, by a text message that
    holds its ``revision``; changes in between come as one message. Without news it sends the status once a second.
    """
    return view_state(handle)[0]


@router.websocket("/api/stream")
async def stream(websocket: WebSocket) -> None:
    """Sends `ViewState` objects as they change; see `StreamSession` for the conversation."""
    if not same_origin(websocket.headers):
        await websocket.close(CLOSE_POLICY, "another site may not read this stream")
        return
    handle: AgentHandle = websocket.app.state.handle

    def build(cursor: Cursor | None) -> tuple[str, Cursor]:
        message, after = view_state(handle, cursor)
        return message.model_dump_json(), after

    await websocket.accept()
    signal = ChangeSignal(asyncio.get_running_loop())
    unsubscribe = handle.views.subscribe(signal.raise_from_any_thread)
    try:
        await StreamSession(websocket, signal, build).run()
    finally:
        unsubscribe()

"""The circuit breaker over HTTP: its view for everyone; trips, re-arms and the kill switch for who has the key.

What changes anything needs the key, in production too. The actor is the key's, never the caller's word for it: two
re-arms with one key are one person's, so the second signature that a killed breaker needs comes from elsewhere.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from smc_trading_agent.api.answers import BreakerWord, Envelope
from smc_trading_agent.api.contract import Agent, problems
from smc_trading_agent.api.handle import AgentHandle
from smc_trading_agent.api.problems import ProblemError
from smc_trading_agent.api.security import authorised_actor
from smc_trading_agent.domain.breaker import BreakerAction, BreakerOrder, ScopeLevel
from smc_trading_agent.domain.errors import BreakerRefusal
from smc_trading_agent.domain.reasons import PUBLIC_BREAKER_WORD, BreakerState

ORDER_TIMEOUT_S = 10.0
MAX_TEXT = 500

router = APIRouter(tags=["risk"])


class ScopeOut(BaseModel):
    """One scope of the breaker."""

    scope: str
    circuit_breaker: BreakerWord
    state: str
    causes: dict[str, str] = Field(description="what holds it there")


class BreakerData(BaseModel):
    """The circuit breaker: the most severe scope counts."""

    circuit_breaker: BreakerWord
    state: str = Field(description="starting, active, half_open, reducing, halted, killed")
    scopes: list[ScopeOut]
    epoch: int = Field(description="how often it was started anew after a kill")
    kill_switch: bool = Field(description="the latch is set: nothing new is sent, whatever the state says yet")
    open_orders: list[str] = Field(description="our orders that may still fill, by client id")


class OrderIn(BaseModel):
    """What is asked of a scope, and why."""

    model_config = ConfigDict(extra="forbid")

    scope: str = Field(ScopeLevel.ACCOUNT.value, max_length=MAX_TEXT)
    reason: str = Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")


class TripIn(OrderIn):
    """How far the breaker is to open."""

    state: Literal["reducing", "halted"] = "halted"


class KillIn(OrderIn):
    """A kill is of everything unless a scope is named."""

    scope: str = Field(ScopeLevel.GLOBAL.value, max_length=MAX_TEXT)


class OrderData(BaseModel):
    """What became of it."""

    actor: str
    state: str
    circuit_breaker: BreakerWord
    message: str


class KillData(BaseModel):
    """What the kill did at once; the journal has it at the next bar."""

    actor: str
    first: bool = Field(description="whether nothing had been killed before")
    cancelled: list[str]
    open_orders: list[str] = Field(description="what protects a position, or the venue would not cancel")


Actor = Annotated[str, Depends(authorised_actor)]
DENIED = problems(_401="no key, or another one", _503="no API key is configured")
REFUSED = DENIED | problems(
    _409="it can't be moved so, or the agent is not running", _504="the market is quiet: it is taken at the next bar"
)


@router.get("/api/risk/breaker", summary="The circuit breaker, scope by scope")
def breaker(handle: Agent) -> Envelope[BreakerData]:
    """`closed` is active, `half_open` probes, everything else is `open`."""
    view = handle.breaker_view()
    scopes = [
        ScopeOut(scope=scope, circuit_breaker=_word(state), state=state.value, causes=view.causes[scope])
        for scope, state in view.scopes.items()
    ]
    return Envelope(
        data=BreakerData(
            circuit_breaker=_word(view.state),
            state=view.state.value,
            scopes=scopes,
            epoch=view.epoch,
            kill_switch=view.kill_switch,
            open_orders=list(view.open_orders),
        )
    )


@router.post("/api/risk/breaker/trip", tags=["commands"], summary="Open the breaker", responses=REFUSED)
def trip(wish: TripIn, handle: Agent, actor: Actor) -> Envelope[OrderData]:
    """`reducing` lets exposure only shrink; `halted` waits for a re-arm. Never laxer than it is."""
    order = BreakerOrder(BreakerAction.TRIP, wish.scope, actor, wish.reason, BreakerState(wish.state))
    return _ordered(handle, order)


@router.post("/api/risk/breaker/rearm", tags=["commands"], summary="Re-arm a halted breaker", responses=REFUSED)
def rearm(wish: OrderIn, handle: Agent, actor: Actor) -> Envelope[OrderData]:
    """After a drawdown the peak is set anew to the present equity. A killed breaker needs a second person."""
    return _ordered(handle, BreakerOrder(BreakerAction.REARM, wish.scope, actor, wish.reason))


@router.post(
    "/api/risk/kill", tags=["commands"], summary="Kill: nothing new, orders cancelled, latched", responses=DENIED
)
def kill(wish: KillIn, handle: Agent, actor: Actor) -> Envelope[KillData]:
    """Acts in the caller's thread, whatever the trading thread does. Again is harmless."""
    report = handle.kill(wish.scope, actor, wish.reason)
    return Envelope(
        data=KillData(
            actor=actor,
            first=report.first,
            cancelled=list(report.cancelled),
            open_orders=list(report.open_orders),
        )
    )


def _ordered(handle: AgentHandle, order: BreakerOrder) -> Envelope[OrderData]:
    try:
        answer = handle.order(order, ORDER_TIMEOUT_S)
    except TimeoutError as error:
        remedy = "wait for the next bar, and look at /api/risk/breaker"
        raise ProblemError(504, "Not yet taken", str(error), remedy) from error
    except BreakerRefusal as refusal:
        remedy = "see /api/risk/breaker for what holds it, and docs/operations/breaker.md for who may do what"
        raise ProblemError(409, "The breaker can't be moved so", str(refusal), remedy) from refusal
    return Envelope(
        data=OrderData(
            actor=order.actor,
            state=answer.state.value,
            circuit_breaker=_word(answer.state),
            message=answer.message,
        )
    )


def _word(state: BreakerState) -> BreakerWord:
    return BreakerWord(PUBLIC_BREAKER_WORD[state])

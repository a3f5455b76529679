"""Records that more than one answer shows: trades, positions, the account, latency. Amounts are exact decimal text."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

SideWord = Literal["buy", "sell"]


class TradeOut(BaseModel):
    """A completed round trip, from flat to flat."""

    number: int = Field(description="1, 2, 3 ... since the process started")
    decision_id: str = Field(description="`smc-agent explain` tells why it was taken")
    symbol: str
    side: SideWord
    quantity: str
    entry_time: datetime
    exit_time: datetime
    entry_price: str = Field(description="average fill price")
    exit_price: str = Field(description="average fill price")
    gross_pnl: str = Field(description="before fees")
    fees: str
    net_pnl: str = Field(description="after fees")
    closed_by: str = Field(description="purpose of the order that closed it: stop, target, exit")
    reason: str


class PositionOut(BaseModel):
    """An open position, marked to the last price."""

    symbol: str
    side: SideWord
    quantity: str
    entry_price: str = Field(description="average entry price")
    mark_price: str
    unrealised_pnl: str
    stop_price: str | None = Field(description="of the working stop order; None when there is none")
    target_price: str | None = Field(description="of the working target order; None when there is none")
    opened_at: datetime | None = Field(description="None when the position is older than this process")
    decision_id: str | None = Field(description="None when the position is older than this process")


class AccountOut(BaseModel):
    """The account, marked to the last price. Drawdown is the share lost from the highest equity so far."""

    time: datetime = Field(description="market time of this reading")
    equity: str
    cash: str
    unrealised_pnl: str
    realised_pnl: str = Field(description="before fees")
    fees: str
    drawdown: float
    max_drawdown: float
    open_orders: int
    unknown_orders: int = Field(description="orders whose state the venue has not proved")


class LatencyOut(BaseModel):
    """One component of the decision path; milliseconds since the process started, zeros while it has no sample."""

    component: str
    count: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    last_ms: float

"""What a run adds up to: a listener that counts, and keeps the equity at each decision close."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import Step
from smc_trading_agent.domain.ports import StructureReader
from smc_trading_agent.domain.types import AccountView, Approval, BreakerChange, Decision, OrderEvent, Refusal
from smc_trading_agent.monitoring.round_trips import RoundTrip, RoundTripBook


class Tally:
    """Counts decisions, refusals, orders and trades; equity in quote units at each decision close."""

    def __init__(self) -> None:
        self.bars: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.decisions: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.approved: list[Decision] = []
        self.trades: list[RoundTrip] = []
        self.orders = 0
        self.breaker_changes: list[BreakerChange] = []
        self._book = RoundTripBook()
        self._equity: list[int] = []
        self._times: list[int] = []
        self._exposed = 0
        self.last_account: AccountView | None = None

    def on_step(self, step: Step, reader: StructureReader) -> None:
        """Counts closed bars and structure events."""
        for closed in step.closed:
            self.bars[closed.timeframe] += 1
        self.events.update(event.kind for event in step.events)

    def on_decision(self, decision: Decision, outcome: Approval | Refusal) -> None:
        """Counts a judged setup, by kind, and its refusal by every reason."""
        self.decisions[decision.setup.kind.value] += 1
        if isinstance(outcome, Refusal):
            self.refusals.update(detail.reason.value for detail in outcome.details)
        else:
            self.approved.append(decision)

    def on_order_event(self, event: OrderEvent) -> None:
        """Counts sent orders and collects completed trades."""
        if event.event == "send":
            self.orders += 1
        trade = self._book.on_order_event(event)
        if trade is not None:
            self.trades.append(trade)

    def on_account(self, account: AccountView, now: int) -> None:
        """Keeps the equity."""
        self._equity.append(account.equity)
        self._times.append(now)
        self._exposed += account.position != 0
        self.last_account = account

    def on_breaker(self, change: BreakerChange) -> None:
        """Keeps breaker changes."""
        self.breaker_changes.append(change)

    @property
    def equity(self) -> NDArray[np.float64]:
        """Equity at each decision close, quote units. Shape (decision closes,)."""
        return np.array([float(value) for value in self._equity])

    @property
    def times(self) -> NDArray[np.int64]:
        """Times of `equity`, ns."""
        return np.array(self._times, dtype=np.int64)

    @property
    def exposure(self) -> float:
        """Share of decision closes with an open position."""
        return self._exposed / len(self._equity) if self._equity else 0.0


def max_drawdown(equity: NDArray[np.float64]) -> float:
    """Largest fall from a peak, as a share of that peak; 0.0 for an empty curve."""
    if equity.size == 0:
        return 0.0
    peaks = np.maximum.accumulate(equity)
    return float(np.max((peaks - equity) / peaks))

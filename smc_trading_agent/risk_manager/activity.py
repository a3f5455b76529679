"""What the gate itself did: entries it sent, trades that ended, and what it approved that the books don't show yet."""

from __future__ import annotations

import msgspec

from smc_trading_agent.domain.types import AccountView, Intent
from smc_trading_agent.risk_manager.limits import Limits

MAX_REMEMBERED = 10_000
BRACKET = 3
"""Orders of an entry: itself, its stop and its target."""


class SentOrders(msgspec.Struct, frozen=True, array_like=True):
    """An approval: when, how many orders, and of an entry its side, price and lots (an exit's are 0)."""

    time: int
    orders: int
    side: int
    price: int
    lots: int


class Recent(msgspec.Struct, frozen=True):
    """What was sent within the windows of the limits."""

    messages: int = 0
    executions: int = 0
    similar: int = 0
    lowest_price: int = 0
    highest_price: int = 0


class Activity(msgspec.Struct):
    """Everything of the gate's past that limits look at. Times are those of the market."""

    sent: list[SentOrders] = []
    losses: list[int] = []
    last_exit: int = 0
    held: int = 0
    realised: int = 0
    fees: int = 0
    net_when_flat: int = 0
    day_sent: int = 0
    day_fills: int = 0
    trades: dict[str, int] = {}

    def new_day(self, account: AccountView) -> None:
        """The UTC day begins with these counts."""
        self.day_sent, self.day_fills = account.orders_sent, account.fills

    def follow(self, account: AccountView, now: int, models: str, limits: Limits) -> None:
        """Notices trades that ended since the last look; two that ended in between count as one."""
        ended = account.position == 0 and (self.held != 0 or account.realised != self.realised)
        if ended:
            self.last_exit = now
            self.trades[models] = self.trades.get(models, 0) + 1
            if account.realised - account.fees < self.net_when_flat:
                self.losses.append(now)
        if account.position == 0:
            self.net_when_flat = account.realised - account.fees
        self.held, self.realised, self.fees = account.position, account.realised, account.fees
        while self.losses and self.losses[0] <= now - limits.losing_ns:
            del self.losses[0]

    def add(self, sent: SentOrders, limits: Limits) -> None:
        """Takes note of an approval, and forgets those that no limit looks at any more."""
        self.sent.append(sent)
        oldest = sent.time - limits.longest_ns
        drop = max(0, len(self.sent) - MAX_REMEMBERED)
        while drop < len(self.sent) and self.sent[drop].time <= oldest:
            drop += 1
        if drop:
            del self.sent[:drop]

    def recent(self, now: int, intent: Intent, lots: int, limits: Limits) -> Recent:
        """What counts towards the limits of an intent of ``lots``; a window includes its whole length but its start."""
        if not self.sent or self.sent[-1].time <= now - limits.longest_ns:
            return NOTHING
        near = abs(intent.price) * limits.similar_ppm // 1_000_000
        messages = executions = similar = low = high = 0
        for sent in reversed(self.sent):
            age = now - sent.time
            if age >= limits.longest_ns:
                break
            if age < limits.message_ns:
                messages += sent.orders
            if not sent.side:
                continue
            executions += age < limits.execution_ns
            if age < limits.drift_ns:
                low = min(low, sent.price) if low else sent.price
                high = max(high, sent.price)
            if age < limits.similar_ns and sent.side == intent.side and sent.lots == lots:
                similar += abs(sent.price - intent.price) <= near
        return Recent(messages, executions, similar, low, high)


NOTHING = Recent()


class Reservation(msgspec.Struct):
    """An approval that an account view may not have seen. ``seen_at`` is its `orders_sent` from which on it has."""

    side: int
    lots: int
    orders: int
    entry: bool
    seen_at: int | None = None

    def seen_in(self, account: AccountView) -> bool:
        """Whether an account view includes it."""
        return self.seen_at is not None and account.orders_sent >= self.seen_at


class Reservations:
    """Counts what was approved from the moment of approval, until the books that are looked at count it."""

    def __init__(self) -> None:
        self._open: dict[str, Reservation] = {}

    def __len__(self) -> int:
        return len(self._open)

    def reserve(self, decision_id: str, reservation: Reservation) -> None:
        """An approval that is about to be sent."""
        self._open[decision_id] = reservation

    def booked(self, decision_id: str, orders_sent: int) -> None:
        """Account views with so many orders sent, or more, include the approval."""
        if decision_id in self._open:
            self._open[decision_id].seen_at = orders_sent

    def forget(self, account: AccountView) -> None:
        """Drops what an account view includes; views older than this one must not be judged any more."""
        for decision_id in [key for key, held in self._open.items() if held.seen_in(account)]:
            del self._open[decision_id]

    def with_reserved(self, account: AccountView) -> AccountView:
        """The account as it is once everything reserved is in the books, at its worst."""
        if not self._open:
            return account
        waiting = [held for held in self._open.values() if not held.seen_in(account)]
        if not waiting:
            return account
        entries = [held for held in waiting if held.entry]
        return msgspec.structs.replace(
            account,
            worst_long=account.worst_long + sum(held.lots for held in entries if held.side > 0),
            worst_short=account.worst_short + sum(held.lots for held in entries if held.side < 0),
            open_orders=account.open_orders + sum(held.orders for held in waiting),
            open_entries=account.open_entries + len(entries),
            closing=account.closing + sum(held.lots for held in waiting if not held.entry),
        )

"""The checks of the gate, each a pure function: None when it passes, the reason with its numbers when it refuses.

Every check is written so that a value that is no number refuses. All of them are evaluated, and all
reasons are reported.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from smc_trading_agent.domain.reasons import BreakerState, RefusalReason
from smc_trading_agent.domain.settings import RiskSettings
from smc_trading_agent.domain.types import AccountView, Intent, RefusalDetail
from smc_trading_agent.risk_manager.sizing import share_of

NS = 1_000_000_000


class Question(msgspec.Struct, frozen=True):
    """All that a check may look at. ``quantity`` is the size in lots that would be sent."""

    intent: Intent
    account: AccountView
    settings: RiskSettings
    quantity: int
    min_notional: int
    breaker: BreakerState
    lets_exposure_grow: bool
    now: int
    data_time: int
    day_start_equity: int
    peak_equity: int
    seen: bool

    @property
    def notional(self) -> int:
        """Value of the order at its limit price, quote units."""
        return self.quantity * self.intent.price

    @property
    def worst_exposure(self) -> int:
        """Value at the last price of what is held or could still fill, on its worse side."""
        return max(self.account.worst_long, self.account.worst_short) * self.account.mark


Check = Callable[[Question], RefusalDetail | None]


def _no(reason: RefusalReason, **context: object) -> RefusalDetail:
    return RefusalDetail(reason, {key: str(value) for key, value in context.items()})


def breaker(q: Question) -> RefusalDetail | None:
    """The circuit breaker must let exposure grow."""
    return None if q.lets_exposure_grow else _no(RefusalReason.BREAKER_NOT_ACTIVE, state=q.breaker.value)


def fresh_data(q: Question) -> RefusalDetail | None:
    """The newest market data must be young."""
    age = (q.now - q.data_time) / NS
    if 0 <= age <= q.settings.max_data_age_seconds:
        return None
    return _no(RefusalReason.STALE_DATA, age_seconds=f"{age:.3f}", max_seconds=q.settings.max_data_age_seconds)


def fresh_signal(q: Question) -> RefusalDetail | None:
    """The setup must be young."""
    age = (q.now - q.intent.created_at) / NS
    if 0 <= age <= q.settings.signal_ttl_seconds:
        return None
    return _no(RefusalReason.SIGNAL_EXPIRED, age_seconds=f"{age:.3f}", max_seconds=q.settings.signal_ttl_seconds)


def price_order(q: Question) -> RefusalDetail | None:
    """Stop, entry and target must be positive and in the order that the side demands."""
    i = q.intent
    low, high = (i.stop, i.target) if i.side > 0 else (i.target, i.stop)
    if i.side in (1, -1) and 0 < low < i.price < high:
        return None
    return _no(RefusalReason.INVALID_PRICE, side=i.side, entry=i.price, stop=i.stop, target=i.target)


def price_collar(q: Question) -> RefusalDetail | None:
    """The entry must be near the last price."""
    mark = q.account.mark
    if mark > 0 and abs(q.intent.price - mark) <= share_of(mark, q.settings.price_collar):
        return None
    return _no(RefusalReason.PRICE_COLLAR, entry=q.intent.price, last=mark, collar=q.settings.price_collar)


def minimum_size(q: Question) -> RefusalDetail | None:
    """The size must be at least one lot and the venue's smallest value."""
    if q.quantity >= 1 and q.notional >= q.min_notional:
        return None
    return _no(RefusalReason.SIZE_BELOW_MINIMUM, lots=q.quantity, notional=q.notional, min_notional=q.min_notional)


def order_notional(q: Question) -> RefusalDetail | None:
    """The order must not be worth more than its limit."""
    limit = share_of(q.account.equity, q.settings.max_order_notional)
    return None if q.notional <= limit else _no(RefusalReason.MAX_ORDER_NOTIONAL, notional=q.notional, limit=limit)


def position_notional(q: Question) -> RefusalDetail | None:
    """Position, open orders and this order together must not be worth more than the limit."""
    limit = share_of(q.account.equity, q.settings.max_position_notional)
    total = q.worst_exposure + q.notional
    return None if total <= limit else _no(RefusalReason.MAX_POSITION_NOTIONAL, total=total, limit=limit)


def gross_exposure(q: Question) -> RefusalDetail | None:
    """Exposure must not exceed the leverage limit."""
    limit = share_of(q.account.equity, q.settings.max_leverage)
    total = q.worst_exposure + q.notional
    return None if total <= limit else _no(RefusalReason.MAX_GROSS_EXPOSURE, total=total, limit=limit)


def open_orders(q: Question) -> RefusalDetail | None:
    """The three orders of a bracket must fit under the cap."""
    total, limit = q.account.open_orders + 3, q.settings.max_open_orders
    return None if total <= limit else _no(RefusalReason.MAX_OPEN_ORDERS, would_be=total, limit=limit)


def one_position(q: Question) -> RefusalDetail | None:
    """No entry on top of a position beyond the number allowed."""
    held = 1 if q.account.position else 0
    if held < q.settings.max_positions:
        return None
    return _no(RefusalReason.POSITION_ALREADY_OPEN, position=q.account.position, limit=q.settings.max_positions)


def one_entry(q: Question) -> RefusalDetail | None:
    """No entry while another one is working."""
    count = q.account.open_entries
    return None if count == 0 else _no(RefusalReason.ENTRY_ALREADY_PENDING, working=count)


def daily_loss(q: Question) -> RefusalDetail | None:
    """Today's loss, open positions included, must be below its limit."""
    loss, limit = q.day_start_equity - q.account.equity, share_of(q.day_start_equity, q.settings.max_daily_loss)
    return None if q.day_start_equity > 0 and loss < limit else _no(RefusalReason.DAILY_LOSS, loss=loss, limit=limit)


def drawdown(q: Question) -> RefusalDetail | None:
    """The fall from peak equity must be below its limit."""
    fall, limit = q.peak_equity - q.account.equity, share_of(q.peak_equity, q.settings.max_drawdown)
    return None if q.peak_equity > 0 and fall < limit else _no(RefusalReason.MAX_DRAWDOWN, drawdown=fall, limit=limit)


def no_unknown_orders(q: Question) -> RefusalDetail | None:
    """Nothing new while an order's outcome is unknown."""
    count = q.account.unknown_orders
    return None if count == 0 else _no(RefusalReason.UNKNOWN_ORDER_OUTSTANDING, unknown=count)


def not_sent_before(q: Question) -> RefusalDetail | None:
    """A decision is sent once."""
    return None if not q.seen else _no(RefusalReason.DUPLICATE_DECISION, decision_id=q.intent.decision_id)


ENTRY_CHECKS: tuple[Check, ...] = (
    breaker,
    fresh_data,
    fresh_signal,
    price_order,
    price_collar,
    minimum_size,
    order_notional,
    position_notional,
    gross_exposure,
    open_orders,
    one_position,
    one_entry,
    daily_loss,
    drawdown,
    no_unknown_orders,
    not_sent_before,
)

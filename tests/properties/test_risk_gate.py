"""Random questions to the gate against the limits written out plainly: same verdict, same reasons."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.domain.settings import RiskSettings
from smc_trading_agent.domain.types import AccountView, Approval, Intent
from tests.factories import EQUITY, NOW, NS, PRICE, Gate, account, costs, instrument, intent

R = RefusalReason


def near(value: int, spread: int) -> st.SearchStrategy[int]:
    """Values around a boundary, often on it."""
    return st.one_of(st.just(value), st.integers(value - 2, value + 2), st.integers(value - spread, value + spread))


def mostly(value: int, odd: st.SearchStrategy[int]) -> st.SearchStrategy[int]:
    """``value`` nine times in ten, so that whole questions are sound often enough."""
    return st.integers(0, 9).flatmap(lambda roll: odd if roll == 0 else st.just(value))


accounts = st.builds(
    account,
    equity=mostly(
        EQUITY, st.one_of(near(EQUITY, EQUITY), near(EQUITY * 97 // 100, 50), near(EQUITY * 3 // 4, 50), near(0, 5))
    ),
    mark=near(PRICE, PRICE // 100),
    position=mostly(0, st.integers(-5, 5)),
    worst_long=mostly(0, st.integers(0, 500)),
    worst_short=mostly(0, st.integers(0, 500)),
    open_orders=st.integers(0, 4),
    open_entries=mostly(0, st.integers(0, 2)),
    unknown_orders=mostly(0, st.integers(0, 2)),
)
intents = st.builds(
    intent,
    side=mostly(1, st.integers(-1, 1)),
    price=near(PRICE, PRICE // 100),
    stop=mostly(PRICE - 6_000, st.one_of(near(PRICE - 5_000, 6_000), near(0, 2))),
    target=mostly(PRICE + 10_000, st.one_of(near(PRICE + 10_000, 12_000), near(0, 2))),
    created_at=mostly(NOW, st.one_of(near(NOW, 5), near(NOW - 60 * NS, 5))),
)
ages = mostly(0, near(120 * NS, 5))


def lots_of(wish: Intent, books: AccountView, limits: RiskSettings) -> int:
    """The largest size within every limit, found by bisection over exact fractions."""
    if books.equity <= 0 or wish.price <= 0 or wish.stop <= 0 or wish.price == wish.stop:
        return 0
    fees = costs()
    exit_cost = Fraction(fees.taker_fee_ppm + fees.slippage_ppm, 10**6) * wish.stop + fees.half_spread_ticks
    loss = abs(wish.price - wish.stop) + Fraction(fees.maker_fee_ppm, 10**6) * wish.price + exit_cost
    exposure = max(books.worst_long, books.worst_short) * books.mark

    def within(lots: int) -> bool:
        value = lots * wish.price
        return (
            lots * loss <= share(limits.risk_per_trade) * books.equity
            and value <= share(limits.max_order_notional) * books.equity
            and exposure + value <= share(limits.max_position_notional) * books.equity
            and exposure + value <= share(limits.max_leverage) * books.equity
        )

    low, high = 0, 10**6
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if within(middle) else (low, middle - 1)
    return low


def share(value: float) -> Fraction:
    return Fraction(str(value))


def expected(wish: Intent, books: AccountView, age: int, limits: RiskSettings, lots: int) -> list[RefusalReason]:
    equity, value = books.equity, lots * wish.price
    exposure = max(books.worst_long, books.worst_short) * books.mark + value
    rising = wish.stop < wish.price < wish.target if wish.side > 0 else wish.target < wish.price < wish.stop
    day_loss, fall = EQUITY - equity, max(EQUITY, equity) - equity
    verdicts: dict[RefusalReason, Any] = {
        R.STALE_DATA: age > limits.max_data_age_seconds * NS,
        R.SIGNAL_EXPIRED: not 0 <= NOW - wish.created_at <= limits.signal_ttl_seconds * NS,
        R.INVALID_PRICE: not (wish.side and rising and min(wish.price, wish.stop, wish.target) > 0),
        R.PRICE_COLLAR: abs(wish.price - books.mark) > share(limits.price_collar) * books.mark,
        R.SIZE_BELOW_MINIMUM: lots < 1 or value < instrument().min_notional,
        R.MAX_ORDER_NOTIONAL: value > share(limits.max_order_notional) * equity,
        R.MAX_POSITION_NOTIONAL: exposure > share(limits.max_position_notional) * equity,
        R.MAX_GROSS_EXPOSURE: exposure > share(limits.max_leverage) * equity,
        R.MAX_OPEN_ORDERS: books.open_orders + 3 > limits.max_open_orders,
        R.POSITION_ALREADY_OPEN: books.position != 0,
        R.ENTRY_ALREADY_PENDING: books.open_entries,
        R.DAILY_LOSS: day_loss >= share(limits.max_daily_loss) * EQUITY,
        R.MAX_DRAWDOWN: fall >= share(limits.max_drawdown) * EQUITY,
        R.UNKNOWN_ORDER_OUTSTANDING: books.unknown_orders,
    }
    return [reason for reason, refused in verdicts.items() if refused]


@settings(max_examples=800)
@given(wish=intents, books=accounts, age=ages)
def test_the_verdict_and_every_reason_are_those_of_the_plain_rules(wish: Intent, books: AccountView, age: int) -> None:
    gate = Gate().active()
    gate.gateway.mark(account(), NOW - age)
    outcome = gate.gateway.review(wish, books)
    lots = lots_of(wish, books, gate.settings)
    reasons = expected(wish, books, age, gate.settings, lots)
    if isinstance(outcome, Approval):
        assert reasons == []
        assert [order.quantity for order in outcome.orders] == [lots] * 3
    else:
        assert [detail.reason for detail in outcome.details] == reasons

"""Matching on a book that the test alone makes: priority, self-trade prevention, triggers, liquidation."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smc_trading_agent.simex.exchange import MAKER, Exchange
from smc_trading_agent.simex.futures_shapes import ledger_of
from smc_trading_agent.simex.orders import Order
from smc_trading_agent.simex.refusals import Refusal
from smc_trading_agent.simex.requests import NewOrder
from smc_trading_agent.simex.rules import MONEY, Kind, listed

NOW = 1_700_000_000_000
SYMBOL = "BTCUSDT"
MID = 300_000  # 30,000.0


@pytest.fixture
def exchange() -> Exchange:
    """A futures market with ten lots at each of five prices on both sides, and two accounts of 10,000 USDT."""
    made = Exchange(Kind.FUTURES, listed(Kind.FUTURES))
    made.open_account(MAKER, {"USDT": 10**9 * MONEY}, unlimited=True)
    for name in ("ann", "bob"):
        made.open_account(name, {"USDT": 10_000 * MONEY})
    made.marks = dict.fromkeys(made.symbols, MID)
    made.last = dict.fromkeys(made.symbols, MID)
    for step in range(1, 6):
        made.quote(MAKER, SYMBOL, True, MID - step, 10, "GTC", NOW)
        made.quote(MAKER, SYMBOL, False, MID + step, 10, "GTC", NOW)
    return made


def send(exchange: Exchange, account: str, buy: bool, lots: int, price: int = 0, **more: object) -> Order:
    symbol = exchange.symbols[SYMBOL]
    wanted: dict[str, object] = {"type": "LIMIT" if price else "MARKET", "tif": "GTC" if price else None} | more
    ticks = price * symbol.tick if price else None
    sizes = {"quantity": lots * symbol.lot, "price": ticks} | wanted
    request = NewOrder(account=account, symbol=symbol, buy=buy, **sizes)
    return exchange.place(request, NOW)


def held(exchange: Exchange, account: str) -> int:
    return ledger_of(exchange).wallets[account].positions[SYMBOL].lots


def test_the_better_price_trades_first_and_then_the_earlier_order(exchange: Exchange) -> None:
    first = send(exchange, "ann", True, 4, MID)
    second = send(exchange, "bob", True, 4, MID)
    exchange.quote(MAKER, SYMBOL, False, MID - 1, 6, "IOC", NOW)
    assert (first.filled, second.filled) == (4, 2)
    assert (first.status, second.status) == ("FILLED", "PARTIALLY_FILLED")


def test_a_market_order_walks_the_book_and_expires_at_its_end(exchange: Exchange) -> None:
    order = send(exchange, "ann", True, 60)
    unit = exchange.symbols[SYMBOL].unit
    assert (order.status, order.filled) == ("EXPIRED", 50)
    assert order.cost == sum((MID + step) * 10 for step in range(1, 6)) * unit


@pytest.mark.parametrize(
    ("mode", "resting", "taking"),
    [
        ("NONE", "FILLED", "FILLED"),
        ("EXPIRE_MAKER", "EXPIRED_IN_MATCH", "FILLED"),
        ("EXPIRE_TAKER", "NEW", "EXPIRED_IN_MATCH"),
        ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
    ],
)
def test_an_order_that_would_meet_itself(exchange: Exchange, mode: str, resting: str, taking: str) -> None:
    own = send(exchange, "ann", False, 5, MID)
    order = send(exchange, "ann", True, 5, MID + 1, self_trade=mode)
    assert (own.status, order.status) == (resting, taking)


def test_reduce_only_never_turns_a_position(exchange: Exchange) -> None:
    send(exchange, "ann", True, 8)
    capped = send(exchange, "ann", False, 20, reduce_only=True)
    assert (capped.lots, capped.status, held(exchange, "ann")) == (8, "FILLED", 0)
    with pytest.raises(Refusal, match="-2022"):
        send(exchange, "ann", False, 5, reduce_only=True)


def test_a_resting_reduce_only_order_expires_once_there_is_nothing_to_reduce(exchange: Exchange) -> None:
    send(exchange, "ann", True, 5)
    resting = send(exchange, "ann", False, 5, MID + 3, reduce_only=True)
    send(exchange, "ann", False, 5)
    exchange.quote(MAKER, SYMBOL, True, MID + 3, 40, "IOC", NOW)
    assert (resting.status, resting.filled, held(exchange, "ann")) == ("EXPIRED", 0, 0)


def test_a_stop_is_sent_when_its_price_trades(exchange: Exchange) -> None:
    symbol = exchange.symbols[SYMBOL]
    request = NewOrder(
        account="ann", symbol=symbol, buy=True, type="STOP_MARKET", quantity=Decimal("0.005"),
        stop=(MID + 2) * symbol.tick,
    )  # fmt: skip
    stop = exchange.place_conditional(request, NOW)
    exchange.quote(MAKER, SYMBOL, True, MID + 1, 10, "IOC", NOW)
    assert stop.status == "NEW"
    exchange.quote(MAKER, SYMBOL, True, MID + 2, 1, "IOC", NOW)
    assert (stop.status, held(exchange, "ann")) == ("FINISHED", 5)
    with pytest.raises(Refusal, match="-2021"):
        exchange.place_conditional(request, NOW)


def test_a_stop_that_closes_a_position_closes_what_there_is_then(exchange: Exchange) -> None:
    symbol = exchange.symbols[SYMBOL]
    send(exchange, "ann", True, 7)
    request = NewOrder(
        account="ann", symbol=symbol, buy=False, type="STOP_MARKET", close_position=True,
        stop=(MID - 2) * symbol.tick, working_type="MARK_PRICE",
    )  # fmt: skip
    stop = exchange.place_conditional(request, NOW)
    send(exchange, "ann", True, 4)
    exchange.set_mark(SYMBOL, MID - 2, NOW)
    assert (stop.status, held(exchange, "ann")) == ("FINISHED", 0)


def test_an_account_that_can_carry_its_position_no_longer_is_closed_by_the_venue(exchange: Exchange) -> None:
    exchange.quote(MAKER, SYMBOL, False, MID + 1, 5_000, "GTC", NOW)
    exchange.quote(MAKER, SYMBOL, True, MID - 19_500, 50_000, "GTC", NOW)
    ledger_of(exchange).wallets["ann"].positions[SYMBOL].leverage = 20
    send(exchange, "ann", True, 5_000)
    assert held(exchange, "ann") == 5_000
    exchange.set_mark(SYMBOL, MID - 19_500, NOW)
    assert held(exchange, "ann") == 0
    forced = list(exchange.orders["ann"].values())[-1]
    assert forced.client_id.startswith("autoclose-")
    assert ledger_of(exchange).imbalance() == (0, 0)


def test_a_countdown_cancels_conditional_orders_too(exchange: Exchange) -> None:
    symbol = exchange.symbols[SYMBOL]
    order = send(exchange, "ann", True, 5, MID - 100)
    stop = exchange.place_conditional(
        NewOrder(
            account="ann", symbol=symbol, buy=True, type="STOP_MARKET", quantity=Decimal("0.005"),
            stop=(MID + 50) * symbol.tick,
        ),
        NOW,
    )  # fmt: skip
    exchange.countdowns["ann", SYMBOL] = NOW + 1_000
    exchange.advance(NOW + 999)
    assert (order.status, stop.status) == ("NEW", "NEW")
    exchange.advance(NOW + 1_000)
    assert (order.status, stop.status) == ("CANCELED", "CANCELED")

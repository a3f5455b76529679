"""The simulated venue's ledgers balance, and its filters take exactly what lies on the grids, whatever is sent."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smc_trading_agent.simex.exchange import MAKER, Exchange
from smc_trading_agent.simex.futures_shapes import ledger_of
from smc_trading_agent.simex.refusals import Refusal
from smc_trading_agent.simex.requests import NewOrder
from smc_trading_agent.simex.rules import MONEY, Kind, Symbol, listed
from smc_trading_agent.simex.spot_shapes import ledger_of as spot_ledger_of

NOW = 1_700_000_000_000
NAME = "BTCUSDT"
ACCOUNTS = ("ann", "bob")

moves = st.lists(
    st.tuples(
        st.sampled_from(["limit", "market", "cancel", "mark", "fund", "reduce"]),
        st.sampled_from(ACCOUNTS),
        st.booleans(),
        st.integers(1, 3_000),
        st.integers(-40, 40),
        st.sampled_from(["GTC", "IOC", "FOK", "GTX"]),
    ),
    max_size=60,
)


def market(kind: Kind) -> tuple[Exchange, int]:
    """A market with makers on both sides of a round price, and two accounts; and that price in ticks."""
    exchange = Exchange(kind, listed(kind))
    exchange.open_account(MAKER, dict.fromkeys(("USDT", "BTC", "ETH"), 10**9 * MONEY), unlimited=True)
    for name in ACCOUNTS:
        exchange.open_account(name, {"USDT": 5_000 * MONEY, "BTC": MONEY // 5})
    mid = int(Decimal(30_000) / exchange.symbols[NAME].tick)
    exchange.marks = dict.fromkeys(exchange.symbols, mid)
    exchange.last = dict.fromkeys(exchange.symbols, mid)
    for step in range(1, 21):
        exchange.quote(MAKER, NAME, True, mid - step, 400, "GTC", NOW)
        exchange.quote(MAKER, NAME, False, mid + step, 400, "GTC", NOW)
    return exchange, mid


def apply(exchange: Exchange, mid: int, move: tuple[str, str, bool, int, int, str]) -> None:
    what, account, buy, lots, shift, tif = move
    symbol = exchange.symbols[NAME]
    if what == "mark":
        exchange.set_mark(NAME, mid + 100 * shift, NOW)
        return
    if what == "fund":
        exchange.fund(NAME, NOW)
        return
    if what == "cancel":
        for order in list(exchange.live[account].values())[:1]:
            exchange.cancel(order, NOW)
        return
    limit = what == "limit"
    exchange.place(
        NewOrder(
            account=account,
            symbol=symbol,
            buy=buy,
            type="LIMIT" if limit else "MARKET",
            tif=tif if limit else None,
            price=(mid + shift) * symbol.tick if limit else None,
            quantity=lots * symbol.lot,
            reduce_only=what == "reduce" and symbol.kind is Kind.FUTURES,
        ),
        NOW,
    )


def check_books(exchange: Exchange) -> None:
    book = exchange.books[NAME]
    assert not book.best(True) or not book.best(False) or book.best(True) < book.best(False)
    for pool in exchange.live.values():
        assert all(order.open and 0 <= order.filled < order.lots for order in pool.values())


@settings(max_examples=120)
@given(moves)
def test_futures_money_and_lots_are_conserved(sequence: list[tuple[str, str, bool, int, int, str]]) -> None:
    exchange, mid = market(Kind.FUTURES)
    for move in sequence:
        with contextlib.suppress(Refusal):
            apply(exchange, mid, move)
        assert ledger_of(exchange).imbalance() == (0, 0)
        check_books(exchange)
    for account in ACCOUNTS:
        position = ledger_of(exchange).wallets[account].positions[NAME]
        fills = exchange.fills.get(account, [])
        assert position.lots == sum(fill.lots if fill.buy else -fill.lots for fill in fills)
        assert (position.lots == 0) == (position.cost == 0)


@settings(max_examples=120)
@given(moves)
def test_spot_assets_are_conserved_and_nothing_stays_locked(
    sequence: list[tuple[str, str, bool, int, int, str]],
) -> None:
    exchange, mid = market(Kind.SPOT)
    ledger = spot_ledger_of(exchange)
    for move in sequence:
        if move[0] == "fund" or (move[0] == "limit" and move[5] == "GTX"):
            continue
        with contextlib.suppress(Refusal):
            apply(exchange, mid, (*move[:3], move[3] * 100, *move[4:]))
        assert not any(ledger.imbalance().values())
        check_books(exchange)
        balances = [b for account in ACCOUNTS for b in ledger.purses[account].balances.values()]
        assert all(balance.free >= 0 and balance.locked >= 0 for balance in balances)
    for account in ACCOUNTS:
        for order in list(exchange.live[account].values()):
            exchange.cancel(order, NOW)
        assert not any(balance.locked for balance in ledger.purses[account].balances.values())


@pytest.mark.parametrize("kind", list(Kind))
@given(price=st.decimals(-10, 10**9, places=4), quantity=st.decimals(-1, 10**7, places=7))
def test_filters_take_what_lies_on_the_grids_and_nothing_else(kind: Kind, price: Decimal, quantity: Decimal) -> None:
    symbol = listed(kind)[NAME]
    on_price = price > 0 and price % symbol.tick == 0 and price / symbol.tick <= symbol.max_ticks
    on_lots = symbol.min_lots <= quantity / symbol.lot <= symbol.max_lots and quantity % symbol.lot == 0
    assert taken(symbol, price=price) == on_price
    assert taken(symbol, quantity=quantity) == on_lots


def taken(symbol: Symbol, price: Decimal | None = None, quantity: Decimal | None = None) -> bool:
    try:
        if price is not None:
            return symbol.ticks_of(price) * symbol.tick == price
        assert quantity is not None
        return symbol.lots_of(quantity, market=False) * symbol.lot == quantity
    except Refusal:
        return False

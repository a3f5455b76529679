"""ccxt, as it is published, trades futures and spot on simex; what it sees is what the ledger says."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.simex import Simex, running

PERPETUAL = "BTC/USDT:USDT"


@pytest.fixture(scope="module")
def venue() -> Iterator[Simex]:
    with running("--seed", "5") as simex:
        yield simex


@pytest.fixture
def futures(venue: Simex) -> Any:
    exchange = venue.ccxt()
    exchange.load_markets()
    return exchange


def held(venue: Simex) -> Decimal:
    return Decimal(venue.ledger()["futures"]["main"]["positions"]["BTCUSDT"])


def in_balance(venue: Simex) -> bool:
    imbalance = venue.ledger()["imbalance"]
    return imbalance["futures_money"] == imbalance["futures_lots"] == 0 and not any(imbalance["spot"].values())


def test_market_data_reaches_ccxt(futures: Any) -> None:
    ticker, book = futures.fetch_ticker(PERPETUAL), futures.fetch_order_book(PERPETUAL)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert ticker["low"] <= ticker["last"] <= ticker["high"]
    candles = futures.fetch_ohlcv(PERPETUAL, "5m", limit=20)
    assert len(candles) == 20
    assert all(later[0] - earlier[0] == 300_000 for earlier, later in itertools.pairwise(candles))
    assert futures.market(PERPETUAL)["precision"] == {"amount": 0.001, "price": 0.1, "base": 1e-8, "quote": 1e-8}


def test_market_orders_move_the_position_by_what_was_filled(venue: Simex, futures: Any) -> None:
    before = held(venue)
    order = futures.create_order(PERPETUAL, "market", "buy", 0.01)
    assert (order["status"], order["filled"]) == ("closed", 0.01)
    assert held(venue) == before + Decimal("0.01")
    mine = futures.fetch_my_trades(PERPETUAL, params={"orderId": order["id"]})
    assert sum(Decimal(trade["info"]["qty"]) for trade in mine) == Decimal("0.01")
    position = next(p for p in futures.fetch_positions() if p["symbol"] == PERPETUAL)
    assert Decimal(position["info"]["positionAmt"]) == held(venue)
    assert in_balance(venue)


def test_resting_orders_are_seen_cancelled_and_found_again(venue: Simex, futures: Any) -> None:
    price = round(futures.fetch_ticker(PERPETUAL)["last"] * 0.97, 1)
    order = futures.create_order(PERPETUAL, "limit", "buy", 0.01, price, {"clientOrderId": "resting-1"})
    assert [o["id"] for o in futures.fetch_open_orders(PERPETUAL)] == [order["id"]]
    assert futures.fetch_order(order["id"], PERPETUAL)["clientOrderId"] == "resting-1"
    assert futures.cancel_order(order["id"], PERPETUAL)["status"] == "canceled"
    assert futures.fetch_open_orders(PERPETUAL) == []
    with pytest.raises(ccxt.OrderNotFound):
        futures.cancel_order(order["id"], PERPETUAL)


def test_conditional_orders_wait_on_their_own_service(venue: Simex, futures: Any) -> None:
    trigger = round(futures.fetch_ticker(PERPETUAL)["last"] * 0.9, 1)
    order = futures.create_order(PERPETUAL, "STOP_MARKET", "sell", 0.01, None, {"stopPrice": trigger})
    waiting = venue.ledger()["futures"]["main"]["conditionals"]
    assert [(str(o["algoId"]), o["algoStatus"]) for o in waiting] == [(order["id"], "NEW")]
    futures.cancel_order(order["id"], PERPETUAL, {"trigger": True})
    assert venue.ledger()["futures"]["main"]["conditionals"][0]["algoStatus"] == "CANCELED"


def test_refusals_are_ccxts_own_errors(futures: Any) -> None:
    last = futures.fetch_ticker(PERPETUAL)["last"]
    with pytest.raises(ccxt.ExchangeError, match="-2019"):
        futures.create_order(PERPETUAL, "limit", "buy", 900, round(last * 0.99, 1))
    with pytest.raises(ccxt.ExchangeError, match="-4024"):
        futures.create_order(PERPETUAL, "limit", "sell", 0.01, round(last * 0.5, 1))
    with pytest.raises(ccxt.ExchangeError, match="-2022"):
        futures.create_order("ETH/USDT:USDT", "market", "sell", 0.1, None, {"reduceOnly": True})
    with pytest.raises(ccxt.ExchangeError, match="-5022"):
        futures.create_order(PERPETUAL, "limit", "buy", 0.01, round(last * 1.02, 1), {"timeInForce": "GTX"})


def test_the_user_stream_tells_of_every_fill(venue: Simex) -> None:
    async def trade() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        exchange = venue.ccxt(pro=True)
        try:
            await exchange.load_markets()
            watching = asyncio.create_task(exchange.watch_my_trades(PERPETUAL))
            await exchange.watch_ticker(PERPETUAL)
            order: dict[str, Any] = {}
            while not watching.done():  # the stream may come up after an order: then the next one is told of
                order = await exchange.create_order(PERPETUAL, "market", "buy", 0.005)
                await asyncio.wait([watching], timeout=0.2)
            return order, await watching
        finally:
            await exchange.close()

    _, seen = asyncio.run(trade())
    fills = {str(fill["id"]): fill for fill in venue.ledger()["futures"]["main"]["fills"]}
    assert seen
    for trade_seen in seen:
        fill = fills[trade_seen["id"]]
        assert (trade_seen["order"], trade_seen["info"]["l"]) == (str(fill["orderId"]), fill["qty"])
        assert Decimal(trade_seen["info"]["n"]) == Decimal(fill["commission"])


def test_the_book_that_ccxt_keeps_from_diffs_is_the_venues(venue: Simex) -> None:
    async def watch() -> tuple[Any, Any]:
        exchange = venue.ccxt(pro=True)
        try:
            await exchange.load_markets()
            for _ in range(5):
                book = await exchange.watch_order_book(PERPETUAL)
            return book["bids"][:5], book["asks"][:5]
        finally:
            await exchange.close()

    bids, asks = asyncio.run(watch())
    assert len(bids) == len(asks) == 5
    assert bids[0][0] < asks[0][0]


def test_spot_buys_pay_their_fee_in_what_they_buy(venue: Simex) -> None:
    spot = venue.ccxt("binance")
    spot.load_markets()
    before = venue.ledger()["spot"]["main"]["balances"]
    order = spot.create_order("BTC/USDT", "market", "buy", 0.01)
    after = venue.ledger()["spot"]["main"]["balances"]
    assert order["status"] == "closed"
    gained = Decimal(after["BTC"]["free"]) - Decimal(before["BTC"]["free"])
    assert gained == Decimal("0.01") - Decimal("0.00001")
    paid = Decimal(before["USDT"]["free"]) - Decimal(after["USDT"]["free"])
    assert paid == Decimal(order["info"]["cummulativeQuoteQty"])
    assert spot.fetch_balance()["BTC"]["free"] == float(after["BTC"]["free"])
    assert in_balance(venue)

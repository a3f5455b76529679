"""The fields and types of simex's answers and messages, against payloads recorded from the venue."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.simex import Simex, hosted

NOT_OURS = {
    "activatePrice", "priceRate", "callbackRate", "AP", "cr", "act",  # of trailing stops, which simex has not
    "rm",  # of a conditional order that was refused
    "st", "ps",  # what newer market streams add
    "b", "a",  # of spot trades, the order ids that are no longer sent
    "notionalCoef",  # of accounts with brackets of their own
}  # fmt: skip
Payload = dict[str, Any] | list[Any]


@pytest.fixture(scope="module")
def venue() -> Iterator[Simex]:
    with hosted(seed=9) as simex:
        yield simex


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> dict[str, Payload]:
    """Recorded payloads by the tail of their path: ``UsdFutures/Trading/PlaceOrder``, ``user_data_json/trade_lite``."""
    found: dict[str, Payload] = {}
    folder = shared_data / "fixtures" / "binance"
    for name in ("binance_net_rest", "binance_net_streams", "nautilus_payloads"):
        with gzip.open(folder / f"{name}.jsonl.gz", "rt") as lines:
            for line in lines:
                row = json.loads(line)
                body = re.search(r"^[\[{].*\Z", row["text"].rpartition("\n= ")[2], re.MULTILINE | re.DOTALL)
                key = re.sub(r"\.(txt|json)$", "", "/".join(row["path"].split("/")[-3:]))
                try:
                    found[key] = json.loads(body.group()) if body else {}
                except json.JSONDecodeError:
                    continue
    return found


def kind(value: object) -> str:
    if isinstance(value, bool):
        return "truth"
    return {str: "text", int: "number", float: "number"}.get(type(value), type(value).__name__)


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """What the recorded payload has that ours lacks or has as another type; of lists, the first rows are compared."""
    if theirs is None or ours is None:
        return []
    if kind(ours) != kind(theirs):
        return [f"{where}: {kind(ours)} for {kind(theirs)}"]
    if isinstance(theirs, list):
        return differences(ours[0], theirs[0], f"{where}[]") if ours and theirs else []
    if not isinstance(theirs, dict):
        return []
    found: list[str] = []
    for name, value in theirs.items():
        if name not in ours:
            found += [] if name in NOT_OURS else [f"{where}.{name}: absent"]
        elif name not in NOT_OURS:
            found += differences(ours[name], value, f"{where}.{name}")
    return found


def resting(venue: Simex, root: str) -> dict[str, object]:
    price = venue.request("GET", f"{root}/ticker/price", signed=False, symbol="BTCUSDT")[1]["price"]
    low = (Decimal(price) * Decimal("0.98")).quantize(Decimal("0.1"))
    return {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": low}


def test_futures_answers_have_the_recorded_fields(venue: Simex, recorded: dict[str, Payload]) -> None:
    def ask(method: str, path: str, signed: bool = True, **params: object) -> Any:
        status, body, _ = venue.request(method, f"/fapi/{path}", signed=signed, **params)
        assert status == 200, body
        return body

    btc = {"symbol": "BTCUSDT"}
    ask("POST", "v1/order", **btc, side="BUY", type="MARKET", quantity="0.01")
    placed = ask("POST", "v1/order", **resting(venue, "/fapi/v1"))
    stop = {
        "side": "SELL",
        "type": "STOP_MARKET",
        "quantity": "0.01",
        "triggerPrice": "20000",
        "algoType": "CONDITIONAL",
    }
    named = btc | {"orderId": placed["orderId"]}
    ours = {
        "UsdFutures/Trading/PlaceOrder": placed,
        "UsdFutures/Trading/GetOrder": ask("GET", "v1/order", **named),
        "UsdFutures/Trading/GetOpenOrders": ask("GET", "v1/openOrders", **btc),
        "UsdFutures/Trading/GetOrders": ask("GET", "v1/allOrders", **btc),
        "UsdFutures/Trading/CancelOrder": ask("DELETE", "v1/order", **named),
        "UsdFutures/Trading/CancelAllOrders": ask("DELETE", "v1/allOpenOrders", **btc),
        "UsdFutures/Trading/GetUserTrades": ask("GET", "v1/userTrades", **btc),
        "UsdFutures/Trading/GetPositions": ask("GET", "v3/positionRisk", **btc),
        "UsdFutures/Trading/CancelAllOrdersAfterTimeout": ask(
            "POST", "v1/countdownCancelAll", **btc, countdownTime=100_000
        ),
        "UsdFutures/Trading/PlaceConditionalOrder": ask("POST", "v1/algoOrder", **btc, **stop),
        "UsdFutures/Trading/GetOpenConditionalOrders": ask("GET", "v1/openAlgoOrders", **btc),
        "UsdFutures/Account/GetPositionInformation": ask("GET", "v2/positionRisk", **btc),
        "UsdFutures/Account/GetBalances": ask("GET", "v3/balance"),
        "UsdFutures/Account/GetBrackets": ask("GET", "v1/leverageBracket", **btc),
        "UsdFutures/Account/ChangeInitialLeverage": ask("POST", "v1/leverage", **btc, leverage=21),
        "UsdFutures/Account/StartUserStream": ask("POST", "v1/listenKey", signed=False),
        "UsdFutures/Account/GetUserCommissionRate": ask("GET", "v1/commissionRate", **btc),
        "UsdFutures/ExchangeData/GetExchangeInfo": ask("GET", "v1/exchangeInfo", signed=False),
        "UsdFutures/ExchangeData/GetOrderBook": ask("GET", "v1/depth", signed=False, **btc),
        "UsdFutures/ExchangeData/GetKlines": ask("GET", "v1/klines", signed=False, **btc, interval="1m"),
        "UsdFutures/ExchangeData/GetBookPrice": ask("GET", "v1/ticker/bookTicker", signed=False, **btc),
        "UsdFutures/ExchangeData/GetPrice": ask("GET", "v2/ticker/price", signed=False, **btc),
        "UsdFutures/ExchangeData/GetTicker": ask("GET", "v1/ticker/24hr", signed=False, **btc),
        "UsdFutures/ExchangeData/GetRecentTrades": ask("GET", "v1/trades", signed=False, **btc),
        "UsdFutures/ExchangeData/GetAggregatedTradeHistory": ask("GET", "v1/aggTrades", signed=False, **btc),
        "UsdFutures/ExchangeData/GetMarkPrice": ask("GET", "v1/premiumIndex", signed=False, **btc),
        "futures/http_json/account_info_v2": ask("GET", "v2/account"),
        "futures/http_json/order_response": ask("GET", "v1/order", **named),
    }
    assert {name: found for name, body in ours.items() if (found := differences(body, recorded[name]))} == {}


def test_spot_answers_have_the_recorded_fields(venue: Simex, recorded: dict[str, Payload]) -> None:
    def ask(method: str, path: str, signed: bool = True, **params: object) -> Any:
        status, body, _ = venue.request(method, f"/api/v3/{path}", signed=signed, **params)
        assert status == 200, body
        return body

    btc = {"symbol": "BTCUSDT"}
    bought = ask("POST", "order", **btc, side="BUY", type="MARKET", quantity="0.01")
    placed = ask("POST", "order", **resting(venue, "/api/v3"))
    named = btc | {"orderId": placed["orderId"]}
    ours = {
        "spot/http_json/new_order_full_response": bought,
        "Spot/Trading/PlaceOrder": placed,
        "Spot/Trading/GetOrder": ask("GET", "order", **named),
        "Spot/Trading/GetOpenOrders": ask("GET", "openOrders", **btc),
        "spot/http_json/all_orders_response": ask("GET", "allOrders", **btc),
        "spot/http_json/cancel_order_response": ask("DELETE", "order", **named),
        "spot/http_json/account_trades_response": ask("GET", "myTrades", **btc),
        "spot/http_json/account_response": ask("GET", "account"),
        "spot/http_json/depth_response": ask("GET", "depth", signed=False, **btc),
        "spot/http_json/klines_response": ask("GET", "klines", signed=False, **btc, interval="1m"),
        "spot/http_json/book_ticker_response": ask("GET", "ticker/bookTicker", signed=False, **btc),
        "spot/http_json/ticker_24hr_response": ask("GET", "ticker/24hr", signed=False, **btc),
        "spot/http_json/trades_response": ask("GET", "trades", signed=False, **btc),
        "spot/http_json/avg_price_response": ask("GET", "avgPrice", signed=False, **btc),
    }
    assert {name: found for name, body in ours.items() if (found := differences(body, recorded[name]))} == {}


def collect(venue: Simex, market: str, path: str, wanted: set[str]) -> dict[str, Any]:
    """The first message of each wanted event; an event without a name is a spot book ticker."""
    found: dict[str, Any] = {}
    with connect(f"{venue.info[f'{market}_streams']}/{path}") as socket:
        while wanted - found.keys():
            message = json.loads(socket.recv(timeout=20))
            found.setdefault(message.get("e", "bookTicker"), message)
    return found


def test_stream_messages_have_the_recorded_fields(venue: Simex, recorded: dict[str, Payload]) -> None:
    names = {
        "aggTrade": "aggTrade", "trade": "trade", "bookTicker": "bookTicker", "depthUpdate": "depth@100ms",
        "kline": "kline_1m",
    }  # fmt: skip
    futures = names | {"markPriceUpdate": "markPrice@1s", "24hrTicker": "ticker"}
    path = "/".join(f"btcusdt@{name}" for name in futures.values())
    seen = collect(venue, "futures", f"ws/{path}", set(futures))
    files = {
        "aggTrade": "agg_trade_stream", "trade": "trade_stream", "bookTicker": "book_ticker_stream",
        "depthUpdate": "depth_update_stream", "kline": "kline_stream_open", "markPriceUpdate": "mark_price_stream",
        "24hrTicker": "ticker_stream",
    }  # fmt: skip
    ours = {f"futures/market_data_json/{file}": seen[event] for event, file in files.items()}
    assert {name: found for name, body in ours.items() if (found := differences(body, recorded[name]))} == {}
    path = "/".join(f"btcusdt@{name}" for name in names.values())
    seen = collect(venue, "spot", f"ws/{path}", set(names))
    spot = {"aggTrade": "AggregatedTrades", "kline": "Klines", "bookTicker": "BookTicker", "trade": "Trades"}
    for event, file in spot.items():
        payload = recorded[f"Spot/ExchangeData/{file}"]
        assert isinstance(payload, dict)
        assert differences(seen[event], payload["data"]) == [], event


def test_user_events_have_the_recorded_fields(venue: Simex, recorded: dict[str, Payload]) -> None:
    key = venue.request("POST", "/fapi/v1/listenKey", signed=False)[1]["listenKey"]
    seen: dict[str, Any] = {}
    with connect(f"{venue.info['futures_streams']}/ws/{key}") as socket:
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        venue.request("POST", "/fapi/v1/order", **order)
        stop = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.01"}
        venue.request("POST", "/fapi/v1/algoOrder", **stop, triggerPrice="20000", algoType="CONDITIONAL")
        while "ALGO_UPDATE" not in seen:
            message = json.loads(socket.recv(timeout=20))
            seen[f"{message['e']} {message['o']['x'] if message['e'] == 'ORDER_TRADE_UPDATE' else ''}".strip()] = (
                message
            )
    files = {
        "ORDER_TRADE_UPDATE NEW": "order_update_new", "ORDER_TRADE_UPDATE TRADE": "order_update_trade",
        "ACCOUNT_UPDATE": "account_update", "ALGO_UPDATE": "algo_update_new",
    }  # fmt: skip
    ours = {f"futures/user_data_json/{file}": seen[event] for event, file in files.items()}
    assert {name: found for name, body in ours.items() if (found := differences(body, recorded[name]))} == {}

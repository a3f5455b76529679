"""python-binance, as it is published, trades futures and spot on simex; what it sees is what the ledger says."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.simex import Simex, hosted

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # python-binance imports names that websockets deprecates
    from binance import AsyncClient, BinanceSocketManager
    from binance.exceptions import BinanceAPIException
    from binance.ws.reconnecting_websocket import ReconnectingWebsocket

PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def venue() -> Iterator[Simex]:
    with hosted(seed=6) as simex:
        yield simex


@pytest.fixture(autouse=True)
def soon_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing a socket waits for its read loop, which looks up only this often, in seconds."""
    monkeypatch.setattr(ReconnectingWebsocket, "TIMEOUT", 0.5)


async def close(client: Any) -> None:
    """Closes what a client has opened; its own closing leaves out the futures socket."""
    await client.close_connection()
    await client.ws_future.close()


async def pointed(venue: Simex, key: str, secret: str | None, **more: object) -> tuple[Any, Any]:
    """A client and its socket manager whose addresses are this simex's; nothing else about them is changed."""

    class Client(AsyncClient):
        API_URL = f"{venue.rest}/api"
        FUTURES_URL = f"{venue.rest}/fapi"
        WS_API_URL = f"{venue.info['spot_streams']}/ws-api/v3"
        WS_FUTURES_URL = f"{venue.info['futures_streams']}/ws-fapi/v1"

    class Sockets(BinanceSocketManager):
        STREAM_URL = f"{venue.info['spot_streams']}/"
        FSTREAM_URL = f"{venue.info['futures_streams']}/"

    client = Client(key, secret, **more)
    return client, Sockets(client)


def with_client(venue: Simex, use: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        client, sockets = await pointed(venue, *venue.credentials())
        try:
            return await asyncio.wait_for(use(client, sockets), PATIENCE_S)
        finally:
            await close(client)

    return asyncio.run(run())


async def until(socket: Any, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Messages up to the first that is wanted."""
    seen: list[dict[str, Any]] = []
    while not seen or not wanted(seen[-1]):
        seen.append(await socket.recv())
        assert seen[-1].get("e") != "error", seen[-1]
    return seen


def test_futures_trade_stream_and_reconcile(venue: Simex) -> None:
    async def use(client: Any, sockets: Any) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
        async with sockets.futures_user_socket() as stream:
            order = await client.futures_create_order(
                symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.02", newOrderRespType="RESULT"
            )
            seen = await until(stream, lambda m: m["e"] == "ACCOUNT_UPDATE" and m["a"]["P"][0]["pa"] == "0.020")
            account = await client.futures_account()
            return seen, order, account

    seen, order, account = with_client(venue, use)
    ledger = venue.ledger()["futures"]["main"]
    updates = [m["o"] for m in seen if m["e"] == "ORDER_TRADE_UPDATE"]
    assert next(u["x"] for u in updates) == "NEW"
    assert {u["i"] for u in updates} == {order["orderId"]}
    fills = {f["id"]: f for f in ledger["fills"]}
    streamed = {u["t"]: u for u in updates if u["x"] == "TRADE"}
    assert streamed.keys() <= fills.keys()
    assert all(Decimal(u["n"]) == Decimal(fills[t]["commission"]) for t, u in streamed.items())
    assert order["status"] == "FILLED"
    assert ledger["positions"]["BTCUSDT"] == "0.020"
    assert Decimal(account["totalWalletBalance"]) == Decimal(ledger["wallet"])


def test_a_stop_order_becomes_an_order_when_its_price_is_reached(venue: Simex) -> None:
    async def use(client: Any, sockets: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        async with sockets.futures_user_socket() as stream:
            asks = (await client.futures_order_book(symbol="ETHUSDT", limit=10))["asks"]
            placed = await client.futures_create_order(
                symbol="ETHUSDT", side="BUY", type="STOP_MARKET", quantity="0.05", stopPrice=asks[2][0]
            )
            assert placed["algoStatus"] == "NEW"
            told = asyncio.create_task(until(stream, lambda m: m["e"] == "ALGO_UPDATE" and m["o"]["X"] == "FINISHED"))
            sweep = sum(Decimal(quantity) for _, quantity in asks[:6])
            while not told.done():  # quotes may have moved since they were seen: then the next sweep reaches the stop
                await client.futures_create_order(symbol="ETHUSDT", side="BUY", type="MARKET", quantity=str(sweep))
                await asyncio.wait([told], timeout=0.3)
            return placed, await told

    placed, seen = with_client(venue, use)
    statuses = [m["o"]["X"] for m in seen if m["e"] == "ALGO_UPDATE" and m["o"]["aid"] == placed["algoId"]]
    assert statuses == ["NEW", "TRIGGERED", "FINISHED"]
    order = next(o for o in venue.ledger()["futures"]["main"]["orders"] if str(o["orderId"]) == seen[-1]["o"]["ai"])
    assert (order["status"], order["executedQty"]) == ("FILLED", "0.050")


def test_spot_trades_and_streams_over_the_socket_api(venue: Simex) -> None:
    async def use(client: Any, sockets: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        async with sockets.user_socket() as stream:
            order = await client.create_order(symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01")
            seen = await until(stream, lambda m: m["e"] == "executionReport" and m["X"] == "FILLED")
            return order, seen

    order, seen = with_client(venue, use)
    reports = [m for m in seen if m["e"] == "executionReport"]
    assert reports[0]["x"] == "NEW"
    assert {r["i"] for r in reports} == {order["orderId"]}
    assert sum(Decimal(r["l"]) for r in reports) == Decimal("0.01")
    fees = sum(Decimal(f["commission"]) for f in order["fills"])
    assert fees == sum(Decimal(r["n"]) for r in reports)
    usdt = venue.ledger()["spot"]["main"]["balances"]["USDT"]
    assert Decimal(usdt["free"]) == 100_000 + Decimal(order["cummulativeQuoteQty"]) - fees
    assert usdt["locked"] == "0.00000000"


def test_orders_over_a_socket_are_the_same_orders(venue: Simex) -> None:
    async def use(client: Any, sockets: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        price = str(round(float((await client.futures_mark_price(symbol="BTCUSDT"))["markPrice"]) * 0.98, 1))
        placed = await client.ws_futures_create_order(
            symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price=price
        )
        queried = await client.futures_get_order(symbol="BTCUSDT", orderId=placed["orderId"])
        canceled = await client.ws_futures_cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])
        return placed, queried, canceled

    placed, queried, canceled = with_client(venue, use)
    assert (placed["status"], queried["status"], canceled["status"]) == ("NEW", "NEW", "CANCELED")


def test_depth_diffs_joined_to_a_snapshot_give_the_book(venue: Simex) -> None:
    """The venue's rule: the first diff straddles the snapshot, each later one names its predecessor."""

    async def use(client: Any, sockets: Any) -> None:
        async with sockets.futures_multiplex_socket(["btcusdt@depth@100ms"]) as stream:
            await stream.recv()
            snapshot = await client.futures_order_book(symbol="BTCUSDT", limit=1000)
            last, joined = snapshot["lastUpdateId"], 0
            while joined < 10:
                diff = (await stream.recv())["data"]
                if diff["u"] < last:
                    continue
                assert diff["pu"] == last or (joined == 0 and diff["U"] <= last <= diff["u"])
                last, joined = diff["u"], joined + 1

    with_client(venue, use)


def test_an_ed25519_key_signs_rest_and_socket_requests(venue: Simex) -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key = venue.control("POST", "keys", {"account": "other", "public_key": public})["api_key"]

    async def run() -> tuple[Any, Any]:
        client, _ = await pointed(venue, key, None, private_key=pem)
        try:
            balances = await client.futures_account_balance()
            account = await client.ws_get_account()
            return balances, account
        finally:
            await close(client)

    balances, account = asyncio.run(run())
    assert balances[0]["balance"] == venue.ledger()["futures"]["other"]["wallet"]
    assert {row["asset"]: row["free"] for row in account["balances"]}["BTC"] == "2.00000000"


def test_a_wrong_secret_is_refused(venue: Simex) -> None:
    async def run() -> None:
        client, _ = await pointed(venue, venue.credentials()[0], "wrong")
        try:
            with pytest.raises(BinanceAPIException) as caught:
                await client.futures_account_balance()
            assert (caught.value.code, caught.value.status_code) == (-1022, 400)
        finally:
            await close(client)

    asyncio.run(run())

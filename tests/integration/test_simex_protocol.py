"""The venue's rules at the wire: signatures, windows, filters, limits, settings, streams, controls."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.processes import wait_until
from tests.simex import Simex, hosted, running

ORDER = "/fapi/v1/order"


@pytest.fixture(scope="module")
def venue() -> Iterator[Simex]:
    with hosted(seed=8) as simex:
        yield simex


def mark(venue: Simex, symbol: str = "BTCUSDT") -> Decimal:
    return Decimal(venue.request("GET", "/fapi/v1/premiumIndex", signed=False, symbol=symbol)[1]["markPrice"])


def limit(venue: Simex, **changed: object) -> dict[str, object]:
    price = (mark(venue) * Decimal("0.98")).quantize(Decimal("0.1"))
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    return {name: value for name, value in ({**order, "price": price} | changed).items() if value is not None}


def code(answer: tuple[int, Any, Any]) -> int:
    status, body, _ = answer
    assert status >= 400, body
    assert set(body) == {"code", "msg"}
    return int(body["code"])


def read_on(socket: ClientConnection) -> None:
    while True:
        socket.recv(timeout=20)


def test_requests_must_be_signed_and_fresh(venue: Simex) -> None:
    now = int(time.time() * 1000)
    balance = "/fapi/v2/balance"
    assert venue.request("GET", balance)[0] == 200
    assert code(venue.request("GET", balance, signed=False)) == -1102
    assert code(venue.request("GET", balance, signed=False, timestamp=now)) == -1102
    assert code(venue.request("GET", balance, signed=False, timestamp=now, signature="0" * 64)) == -1022
    assert code(venue.request("GET", balance, timestamp=now - 6_000)) == -1021
    assert venue.request("GET", balance, timestamp=now - 6_000, recvWindow=20_000)[0] == 200
    assert code(venue.request("GET", balance, timestamp=now + 5_000)) == -1021
    assert code(venue.request("GET", balance, recvWindow=70_000)) == -1131
    assert code(venue.request("GET", "/fapi/v9/nothing", signed=False)) == -5000


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"symbol": "NOPEUSDT"}, -1121),
        ({"symbol": None}, -1102),
        ({"side": "HOLD"}, -1117),
        ({"type": "ICEBERG"}, -1116),
        ({"type": "STOP_MARKET", "stopPrice": "1"}, -4120),
        ({"timeInForce": None}, -1102),
        ({"timeInForce": "GTT"}, -1115),
        ({"price": None}, -1102),
        ({"price": "29000.55"}, -1111),
        ({"price": "1"}, -4164),
        ({"price": "0"}, -4001),
        ({"quantity": "0.0105"}, -1111),
        ({"quantity": "0"}, -4003),
        ({"quantity": "2000"}, -4005),
        ({"quantity": "0.001"}, -4164),
        ({"quantity": "x"}, -1100),
        ({"quantity": ""}, -1105),
        ({"newClientOrderId": "bad id!"}, -1100),
        ({"newClientOrderId": "x" * 37}, -1100),
        ({"positionSide": "LONG"}, -4061),
        ({"reduceOnly": "true"}, -2022),
        ({"reduceOnly": "maybe"}, -1100),
        ({"selfTradePreventionMode": "SOMETIMES"}, -1130),
        ({"quantity": "900"}, -2019),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused_by_its_code(
    venue: Simex, changed: dict[str, object], expected: int
) -> None:
    before = len(venue.ledger()["futures"]["main"]["orders"])
    assert code(venue.request("POST", ORDER, **limit(venue, **changed))) == expected
    assert len(venue.ledger()["futures"]["main"]["orders"]) == before


def test_client_ids_are_unique_among_open_orders_only(venue: Simex) -> None:
    first = venue.request("POST", ORDER, **limit(venue, newClientOrderId="mine"))[1]
    assert code(venue.request("POST", ORDER, **limit(venue, newClientOrderId="mine"))) == -4116
    venue.request("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="mine")
    second = venue.request("POST", ORDER, **limit(venue, newClientOrderId="mine"))[1]
    assert second["orderId"] != first["orderId"]
    venue.request("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")


def test_time_in_force_is_kept(venue: Simex) -> None:
    above = (mark(venue) * Decimal("1.02")).quantize(Decimal("0.1"))
    assert code(venue.request("POST", ORDER, **limit(venue, timeInForce="GTX", price=above))) == -5022
    assert code(venue.request("POST", ORDER, **limit(venue, timeInForce="FOK"))) == -5021
    full = {"newOrderRespType": "RESULT"}
    assert venue.request("POST", ORDER, **limit(venue, timeInForce="IOC"), **full)[1]["status"] == "EXPIRED"
    filled = venue.request("POST", ORDER, **limit(venue, timeInForce="FOK", price=above), **full)[1]
    assert (filled["status"], filled["executedQty"]) == ("FILLED", "0.010")
    resting = venue.request("POST", ORDER, **limit(venue, timeInForce="GTX"), **full)[1]
    assert resting["status"] == "NEW"
    venue.request("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")


def test_a_batch_answers_order_by_order(venue: Simex) -> None:
    good = {name: str(value) for name, value in limit(venue).items()}
    orders = json.dumps([good, good | {"quantity": "0"}])
    first, second = venue.request("POST", "/fapi/v1/batchOrders", batchOrders=orders)[1]
    assert (first["status"], second["code"]) == ("NEW", -4003)
    ids = json.dumps([first["orderId"], 1])
    gone, unknown = venue.request("DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=ids)[1]
    assert (gone["status"], unknown["code"]) == ("CANCELED", -2011)


def test_settings_answer_as_the_venue_does(venue: Simex) -> None:
    symbol = {"symbol": "ETHUSDT"}
    assert venue.request("POST", "/fapi/v1/leverage", **symbol, leverage=7)[1]["leverage"] == 7
    assert code(venue.request("POST", "/fapi/v1/leverage", **symbol, leverage=200)) == -4028
    assert code(venue.request("POST", "/fapi/v1/marginType", **symbol, marginType="CROSSED")) == -4046
    done = venue.request("POST", "/fapi/v1/marginType", **symbol, marginType="ISOLATED")[1]
    assert done == {"code": 200, "msg": "success"}
    assert code(venue.request("POST", "/fapi/v1/positionSide/dual", dualSidePosition="false")) == -4059
    risk = venue.request("GET", "/fapi/v2/positionRisk", **symbol)[1][0]
    assert (risk["leverage"], risk["marginType"]) == ("7", "isolated")


def test_a_countdown_that_is_not_renewed_cancels(venue: Simex) -> None:
    order = venue.request("POST", ORDER, **limit(venue))[1]
    answer = venue.request("POST", "/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=400)[1]
    assert answer == {"symbol": "BTCUSDT", "countdownTime": "400"}

    def status() -> str:
        return str(venue.request("GET", ORDER, symbol="BTCUSDT", orderId=order["orderId"])[1]["status"])

    assert status() == "NEW"
    wait_until(lambda: status() == "CANCELED")


def test_weights_are_told_and_enforced_with_429_and_then_418() -> None:
    with hosted(weight=30) as venue:
        seen = [venue.request("GET", "/fapi/v1/depth", signed=False, symbol="BTCUSDT") for _ in range(20)]
    statuses = [status for status, _, _ in seen]
    assert statuses[0] == 200
    assert seen[0][2]["X-MBX-USED-WEIGHT-1M"] == "5"
    first = statuses.index(429)
    assert set(statuses[:first]) == {200}
    assert 418 in statuses
    assert {body["code"] for status, body, _ in seen if status in {418, 429}} == {-1003}
    assert all(int(headers["Retry-After"]) > 0 for status, _, headers in seen if status in {418, 429})


def test_sockets_are_dropped_when_their_day_is_over() -> None:
    with running("--session-s", "1") as venue, connect(f"{venue.info['spot_streams']}/ws/btcusdt@trade") as socket:
        with pytest.raises(ConnectionClosed) as caught:
            read_on(socket)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001


def test_streams_are_subscribed_over_the_socket(venue: Simex) -> None:
    with connect(f"{venue.info['futures_streams']}/ws") as socket:
        names = ["btcusdt@kline_1m", "btcusdt@markPrice@1s", "btcusdt@aggTrade", "btcusdt@depth5@100ms"]
        socket.send(json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}))
        events: set[str] = set()
        answered = False
        while events < {"kline", "markPriceUpdate", "aggTrade", "depthUpdate"}:
            message = json.loads(socket.recv(timeout=20))
            answered = answered or message == {"result": None, "id": 1}
            events |= {message["e"]} if "e" in message else set()
        assert answered
        socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 2}))
        while (message := json.loads(socket.recv(timeout=20))).get("id") != 2:
            continue
        assert message["result"] == sorted(names)


def test_too_many_control_messages_close_the_connection(venue: Simex) -> None:
    with connect(f"{venue.info['spot_streams']}/ws") as socket:
        for number in range(20):
            socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        with pytest.raises(ConnectionClosed):
            read_on(socket)


def test_the_controls_need_their_token(venue: Simex) -> None:
    stranger = Simex(venue.info | {"control_token": "guess"})
    with pytest.raises(OSError, match="401"):
        stranger.ledger()
    with pytest.raises(OSError, match="400"):
        venue.fault(kind="no such fault")
    with pytest.raises(OSError, match="400"):
        venue.fault(kind="deleverage", account="nobody", symbol="BTCUSDT")
    assert venue.control("GET", "faults") == []


def test_a_spot_account_is_not_listened_to_by_name(venue: Simex) -> None:
    names = "user:main/btcusdt@bookTicker"
    with connect(f"{venue.info['spot_streams']}/stream?streams={names}") as socket:
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
        assert venue.request("POST", "/api/v3/order", **order)[0] == 200
        seen = {json.loads(socket.recv(timeout=20))["stream"] for _ in range(5)}
    assert seen == {"btcusdt@bookTicker"}


def test_a_tape_sets_the_price_and_time_stands_still_without_steps(tmp_path: Any) -> None:
    tape = tmp_path / "tape.csv"
    tape.write_text("1685577600000,27210.30,27210.30,27210.30,27210.30,56.3,1685577659999,0,1,0,0,0\n")
    with running("--step-ms", "0", "--tape", str(tape)) as venue:

        def trades() -> list[Any]:
            return list(venue.request("GET", "/fapi/v1/trades", signed=False, symbol="BTCUSDT")[1])

        assert mark(venue) == Decimal("27210.3")
        before = trades()
        assert trades() == before
        while trades() == before:
            venue.control("POST", "step")
        assert mark(venue) == Decimal("27210.3")


def test_a_script_strikes_from_the_start_as_often_as_it_says(tmp_path: Any) -> None:
    script = tmp_path / "faults.json"
    script.write_text(json.dumps([{"kind": "error", "on": "GET /fapi/v1/time", "skip": 1, "times": 2, "status": 502}]))
    with running("--faults", str(script)) as venue:
        asked = [venue.request("GET", "/fapi/v1/time", signed=False)[0] for _ in range(5)]
        rule = venue.control("GET", "faults")[0]
    assert asked == [200, 502, 502, 200, 200]
    assert (rule["struck"], rule["seen"]) == (2, 3)


def test_spot_stops_wait_on_the_order_and_quote_amounts_are_spent(venue: Simex) -> None:
    btc = {"symbol": "BTCUSDT"}
    price = Decimal(venue.request("GET", "/api/v3/ticker/price", signed=False, **btc)[1]["price"])
    below = {"stopPrice": (price * Decimal("0.9")).quantize(Decimal("0.01"))}
    stop = {"side": "SELL", "type": "STOP_LOSS_LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    placed = venue.request("POST", "/api/v3/order", **btc, **stop, **below, price=below["stopPrice"])[1]
    waiting = venue.request("GET", "/api/v3/openOrders", **btc)[1]
    assert [(o["orderId"], o["isWorking"]) for o in waiting] == [(placed["orderId"], False)]
    assert venue.ledger()["spot"]["main"]["balances"]["BTC"]["locked"] == "0.01000000"
    venue.request("DELETE", "/api/v3/openOrders", **btc)
    assert venue.ledger()["spot"]["main"]["balances"]["BTC"]["locked"] == "0.00000000"
    bought = venue.request("POST", "/api/v3/order", **btc, side="BUY", type="MARKET", quoteOrderQty="500")[1]
    assert bought["status"] == "FILLED"
    assert Decimal("490") < Decimal(bought["cummulativeQuoteQty"]) <= Decimal("500")
    above = {"stopPrice": (price * Decimal("1.1")).quantize(Decimal("0.01"))}
    at_once = venue.request("POST", "/api/v3/order", **btc, **stop, **above, price=above["stopPrice"])
    assert (code(at_once), at_once[1]["msg"]) == (-2010, "Stop price would trigger immediately.")


@pytest.mark.parametrize(
    ("changed", "expected", "message"),
    [
        ({"price": "29000.555"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.0001", "price": "10000"}, -1013, "Filter failure: NOTIONAL"),
        ({"price": "900000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"quantity": "50", "price": "20000"}, -2010, "Account has insufficient balance for requested action."),
        (
            {"type": "LIMIT_MAKER", "timeInForce": None, "price": "40000"},
            -2010,
            "Order would immediately match and take.",
        ),
    ],
)
def test_spot_refuses_in_its_own_words(
    venue: Simex, changed: dict[str, object], expected: int, message: str
) -> None:  # fmt: skip
    answer = venue.request("POST", "/api/v3/order", **limit(venue, **changed))
    assert (code(answer), answer[1]["msg"]) == (expected, message)


def test_conditional_orders_are_kept_by_their_own_service(venue: Simex) -> None:
    path, btc = "/fapi/v1/algoOrder", {"symbol": "BTCUSDT"}
    stop = btc | {"side": "SELL", "type": "STOP_MARKET", "quantity": "0.01", "algoType": "CONDITIONAL"}
    below = (mark(venue) * Decimal("0.9")).quantize(Decimal("0.1"))
    above = (mark(venue) * Decimal("1.1")).quantize(Decimal("0.1"))
    assert code(venue.request("POST", path, **stop)) == -1102
    assert code(venue.request("POST", path, **stop, triggerPrice=above)) == -2021
    assert code(venue.request("POST", path, **(stop | {"type": "LIMIT"}), price=below, timeInForce="GTC")) == -1116
    assert code(venue.request("POST", path, **(stop | {"algoType": "TWAP"}), triggerPrice=below)) == -1130
    placed = venue.request("POST", path, **stop, triggerPrice=below, clientAlgoId="stop-1")[1]
    assert code(venue.request("POST", path, **stop, triggerPrice=below, clientAlgoId="stop-1")) == -4116
    assert venue.request("GET", path, clientAlgoId="stop-1")[1]["algoId"] == placed["algoId"]
    assert venue.request("DELETE", path, algoId=placed["algoId"])[1]["msg"] == "success"
    assert code(venue.request("DELETE", path, algoId=placed["algoId"])) == -2011
    assert code(venue.request("GET", path, algoId=1)) == -2013
    assert code(venue.request("GET", path)) == -1102
    for _ in range(10):
        assert venue.request("POST", path, **stop, triggerPrice=below)[0] == 200
    assert code(venue.request("POST", path, **stop, triggerPrice=below)) == -4045
    assert len(venue.request("GET", "/fapi/v1/openAlgoOrders", **btc)[1]) == 10
    venue.request("DELETE", "/fapi/v1/algoOpenOrders", **btc)
    assert venue.request("GET", "/fapi/v1/openAlgoOrders", **btc)[1] == []
    assert {o["algoStatus"] for o in venue.request("GET", "/fapi/v1/allAlgoOrders", **btc)[1]} == {"CANCELED"}


def test_an_account_sees_its_income_and_settings(venue: Simex) -> None:
    order = {"symbol": "ETHUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
    venue.request("POST", ORDER, **order, account="other")
    venue.request("POST", ORDER, **(order | {"side": "SELL"}), account="other")
    rows = venue.request("GET", "/fapi/v1/income", account="other")[1]
    ledger = venue.ledger()["futures"]["other"]
    assert sum(Decimal(r["income"]) for r in rows) == Decimal(ledger["wallet"]) - Decimal(ledger["deposited"])
    fees = venue.request("GET", "/fapi/v1/income", account="other", incomeType="COMMISSION")[1]
    assert -sum(Decimal(r["income"]) for r in fees) == sum(Decimal(f["commission"]) for f in ledger["fills"])
    assert venue.request("GET", "/fapi/v1/positionSide/dual")[1] == {"dualSidePosition": False}
    assert venue.request("GET", "/fapi/v1/multiAssetsMargin")[1] == {"multiAssetsMargin": False}
    assert [row["symbol"] for row in venue.request("GET", "/fapi/v1/symbolConfig")[1]] == ["BTCUSDT", "ETHUSDT"]
    assert code(venue.request("GET", "/fapi/v1/openOrder", symbol="ETHUSDT", orderId=1)) == -2013
    key = venue.request("POST", "/fapi/v1/listenKey", signed=False, account="other")[1]
    assert venue.request("PUT", "/fapi/v1/listenKey", signed=False, account="other")[1] == key
    assert venue.request("DELETE", "/fapi/v1/listenKey", signed=False, account="other")[1] == {}


def test_a_session_that_is_logged_on_need_not_sign_again(venue: Simex) -> None:
    key, secret = venue.credentials()

    def ask(socket: ClientConnection, method: str, **params: object) -> Any:
        socket.send(json.dumps({"id": method, "method": method, "params": params}))
        while (answer := json.loads(socket.recv(timeout=20))).get("id") != method:
            continue
        return answer

    now = int(time.time() * 1000)
    signed = {"apiKey": key, "timestamp": now}
    text = "&".join(f"{name}={value}" for name, value in sorted(signed.items()))
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    with connect(f"{venue.info['spot_streams']}/ws-api/v3") as socket:
        assert ask(socket, "account.status", timestamp=now)["error"]["code"] == -2014
        assert ask(socket, "session.logon", **signed, signature="0" * 64)["error"]["code"] == -1022
        assert ask(socket, "session.logon", **signed, signature=signature)["status"] == 200
        assert ask(socket, "account.status", timestamp=now)["result"]["accountType"] == "SPOT"
        assert ask(socket, "userDataStream.subscribe")["result"] == {"subscriptionId": 0}
        assert ask(socket, "userDataStream.subscribe")["error"]["code"] == -2035
        assert ask(socket, "userDataStream.unsubscribe", subscriptionId=0)["result"] == {}
        assert ask(socket, "userDataStream.unsubscribe", subscriptionId=0)["error"]["code"] == -2036
        assert ask(socket, "no.such.method")["error"]["code"] == -1000
        assert ask(socket, "depth", symbol="BTCUSDT", limit=5)["rateLimits"][0]["count"] > 0

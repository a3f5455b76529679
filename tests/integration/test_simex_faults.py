"""Each fault, seen by a client that it strikes, beside the ledger that knows better."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.processes import wait_until
from tests.simex import Simex, hosted

ORDER = "/fapi/v1/order"
BUY = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.005"}


@pytest.fixture(scope="module")
def simex() -> Iterator[Simex]:
    with hosted(seed=7) as venue:
        yield venue


@pytest.fixture
def venue(simex: Simex) -> Iterator[Simex]:
    yield simex
    simex.heal()


def orders(venue: Simex, client_id: str) -> list[dict[str, Any]]:
    return [o for o in venue.ledger()["futures"]["main"]["orders"] if o["clientOrderId"] == client_id]


def fills(venue: Simex, client_id: str) -> Decimal:
    found = venue.ledger()["futures"]["main"]["fills"]
    return sum((Decimal(f["qty"]) for f in found if f["clientOrderId"] == client_id), Decimal(0))


def stream(venue: Simex, path: str) -> ClientConnection:
    return connect(f"{venue.info['futures_streams']}/{path}")


def user_stream(venue: Simex) -> ClientConnection:
    key = venue.request("POST", "/fapi/v1/listenKey", signed=False)[1]["listenKey"]
    return stream(venue, f"ws/{key}")


def until(socket: ClientConnection, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    while not seen or not wanted(seen[-1]):
        seen.append(json.loads(socket.recv(timeout=20)))
    return seen


def is_fill(message: dict[str, Any]) -> bool:
    return bool(message.get("e") == "ORDER_TRADE_UPDATE" and message["o"]["x"] == "TRADE")


def test_a_lost_answer_leaves_an_order_that_the_client_was_never_told_of(venue: Simex) -> None:
    venue.fault(kind="lost_answer", on=f"POST {ORDER}")
    assert venue.request("POST", ORDER, **BUY, newClientOrderId="lost-1")[0] == 0
    assert [o["status"] for o in orders(venue, "lost-1")] == ["FILLED"]
    status, body, _ = venue.request("GET", ORDER, symbol="BTCUSDT", origClientOrderId="lost-1")
    assert (status, body["status"]) == (200, "FILLED")


def test_a_lost_request_leaves_nothing(venue: Simex) -> None:
    venue.fault(kind="lost_request", on=f"POST {ORDER}")
    assert venue.request("POST", ORDER, **BUY, newClientOrderId="lost-2")[0] == 0
    assert orders(venue, "lost-2") == []
    assert venue.request("GET", ORDER, symbol="BTCUSDT", origClientOrderId="lost-2")[1]["code"] == -2013


def test_a_doubled_request_buys_twice_since_ids_are_unique_among_open_orders_only(venue: Simex) -> None:
    venue.fault(kind="doubled_request", on=f"POST {ORDER}")
    venue.request("POST", ORDER, **BUY, newClientOrderId="twice")
    assert fills(venue, "twice") == Decimal("0.010")
    assert len(orders(venue, "twice")) == 2


def test_a_fill_comes_before_a_late_acknowledgement(venue: Simex) -> None:
    venue.fault(kind="late_answer", on=f"POST {ORDER}", delay_ms=400)
    with user_stream(venue) as user:
        began = time.monotonic()
        status, body, _ = venue.request("POST", ORDER, **BUY, newClientOrderId="late", newOrderRespType="RESULT")
        assert (status, body["status"]) == (200, "FILLED")
        assert time.monotonic() - began >= 0.4
        told = [m for m in until(user, is_fill) if m["e"] == "ORDER_TRADE_UPDATE"]
        assert told[-1]["o"]["c"] == "late"
        assert told[-1]["E"] <= body["updateTime"]


def test_a_late_request_is_refused_by_the_second_look_at_its_window(venue: Simex) -> None:
    venue.fault(kind="late_request", on=f"POST {ORDER}", delay_ms=400)
    status, body, _ = venue.request("POST", ORDER, **BUY, newClientOrderId="stale", recvWindow=200)
    assert (status, body["code"]) == (400, -1021)
    assert orders(venue, "stale") == []


@pytest.mark.parametrize("handled", [True, False])
def test_a_server_error_says_nothing_about_the_order(venue: Simex, handled: bool) -> None:
    name = f"error-{handled}"
    venue.fault(kind="error", on=f"POST {ORDER}", status=503, code=-1007, message="unknown", handled=handled)
    status, body, _ = venue.request("POST", ORDER, **BUY, newClientOrderId=name)
    assert (status, body) == (503, {"code": -1007, "msg": "unknown"})
    assert len(orders(venue, name)) == int(handled)


@pytest.mark.parametrize("status", [429, 418])
def test_a_limit_that_is_not_reached_can_be_claimed(venue: Simex, status: int) -> None:
    venue.fault(kind="error", on="GET /fapi/v1/time", status=status, code=-1003)
    answer, body, headers = venue.request("GET", "/fapi/v1/time", signed=False)
    assert (answer, body["code"], headers["Retry-After"]) == (status, -1003, "1")
    assert venue.request("GET", "/fapi/v1/time", signed=False)[0] == 200


def test_a_clock_that_is_ahead_refuses_honest_timestamps(venue: Simex) -> None:
    venue.fault(kind="clock_skew", delay_ms=60_000)
    assert venue.request("GET", "/fapi/v2/balance")[1]["code"] == -1021
    venue.fault(kind="clock_skew", delay_ms=0)
    assert venue.request("GET", "/fapi/v2/balance")[0] == 200


def depth_chain(socket: ClientConnection, length: int) -> list[bool]:
    """Whether each of ``length`` diffs names the one before it as its predecessor."""
    messages = [json.loads(socket.recv(timeout=20)) for _ in range(length + 1)]
    return [after["pu"] == before["u"] for before, after in itertools.pairwise(messages)]


def test_depth_diffs_are_a_chain_that_skipping_breaks(venue: Simex) -> None:
    with stream(venue, "ws/btcusdt@depth@100ms") as socket:
        assert depth_chain(socket, 5) == [True] * 5
        venue.fault(kind="skip", on="btcusdt@depth", skip=2)
        assert False in depth_chain(socket, 6)


def test_diffs_come_twice_and_out_of_order(venue: Simex) -> None:
    with stream(venue, "ws/ethusdt@depth@100ms") as socket:
        venue.fault(kind="double", on="ethusdt@depth")
        seen = until(socket, lambda m: m["e"] == "depthUpdate")
        while len({m["u"] for m in seen}) == len(seen):
            seen.append(json.loads(socket.recv(timeout=20)))
        assert seen[-1] == seen[-2]
        venue.fault(kind="reorder", on="ethusdt@depth")
        ids = [seen[-1]["u"]]
        while ids == sorted(ids):
            ids.append(json.loads(socket.recv(timeout=20))["u"])
        assert ids[-1] < ids[-2]


def test_a_mute_stream_still_answers_pings(venue: Simex) -> None:
    with stream(venue, "ws/btcusdt@bookTicker") as socket:
        socket.recv(timeout=20)
        venue.fault(kind="mute", on="btcusdt", times=0)
        socket.ping(b"a").wait(timeout=20)
        for _ in range(100):  # what was on its way
            try:
                socket.recv(timeout=0.3)
            except TimeoutError:
                break
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.5)
        assert socket.ping(b"b").wait(timeout=20)
        venue.heal()
        assert json.loads(socket.recv(timeout=20))["e"] == "bookTicker"


def test_a_fill_can_be_told_twice_or_only_by_the_trades_query(venue: Simex) -> None:
    with user_stream(venue) as user:
        venue.fault(kind="double", on="ORDER_TRADE_UPDATE TRADE")
        venue.request("POST", ORDER, **BUY, newClientOrderId="told-twice")
        first = until(user, is_fill)[-1]
        assert until(user, is_fill)[-1] == first
        until(user, lambda m: m["e"] == "ACCOUNT_UPDATE")
        venue.fault(kind="skip", on="ORDER_TRADE_UPDATE TRADE", times=0)
        answer = venue.request("POST", ORDER, **BUY, newClientOrderId="hidden")[1]
        seen = until(user, lambda m: m["e"] == "ACCOUNT_UPDATE")
        assert not any(is_fill(m) for m in seen)
    trades = venue.request("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", orderId=answer["orderId"])[1]
    assert sum(Decimal(t["qty"]) for t in trades) == Decimal("0.005")


def test_a_fill_that_is_late_comes_after_the_cancel(venue: Simex) -> None:
    with user_stream(venue) as user:
        venue.fault(kind="late", on="ORDER_TRADE_UPDATE TRADE", delay_ms=500, times=0)
        mark = Decimal(venue.request("GET", "/fapi/v1/premiumIndex", signed=False, symbol="BTCUSDT")[1]["markPrice"])
        sweep = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "8"}
        limit = str((mark * Decimal("1.0001")).quantize(Decimal("0.1")))
        placed = venue.request("POST", ORDER, **sweep, price=limit, newClientOrderId="partly")[1]
        cancel = venue.request("DELETE", ORDER, symbol="BTCUSDT", orderId=placed["orderId"])[1]
        assert cancel["status"] == "CANCELED"
        assert Decimal(cancel["executedQty"]) > 0
        kinds = [m["o"]["x"] for m in until(user, is_fill) if m["e"] == "ORDER_TRADE_UPDATE"]
        assert "CANCELED" in kinds[:-1]


def test_a_restart_drops_everything_but_the_ledger(venue: Simex) -> None:
    venue.request("POST", ORDER, **BUY, newClientOrderId="before")
    with user_stream(venue) as user:
        venue.fault(kind="restart", delay_ms=300)
        with pytest.raises(ConnectionClosed):
            until(user, lambda m: False)
    assert venue.request("GET", "/fapi/v1/time", signed=False)[0] in {0, 200}
    wait_until(lambda: venue.request("GET", "/fapi/v1/time", signed=False)[0] == 200)
    assert venue.request("PUT", "/fapi/v1/listenKey", signed=False)[1]["code"] == -1125
    assert [o["status"] for o in orders(venue, "before")] == ["FILLED"]


def test_listen_keys_end_and_say_so(venue: Simex) -> None:
    with user_stream(venue) as user:
        venue.fault(kind="expire_listen_keys")
        assert until(user, lambda m: m["e"] == "listenKeyExpired")
    assert venue.request("PUT", "/fapi/v1/listenKey", signed=False)[1]["code"] == -1125


def test_a_shutdown_is_announced_and_sockets_are_dropped(venue: Simex) -> None:
    with stream(venue, "stream?streams=btcusdt@aggTrade") as socket:
        venue.fault(kind="shutdown_notice")
        until(socket, lambda m: m["stream"] == "!serverShutdown")
        venue.fault(kind="disconnect")
        with pytest.raises(ConnectionClosed):
            until(socket, lambda m: False)


def test_a_symbol_can_be_halted_to_cancels_only(venue: Simex) -> None:
    low = {"symbol": "ETHUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
    mark = Decimal(venue.request("GET", "/fapi/v1/premiumIndex", signed=False, symbol="ETHUSDT")[1]["markPrice"])
    price = str((mark * Decimal("0.97")).quantize(Decimal("0.1")))
    resting = venue.request("POST", ORDER, **low, price=price)[1]
    venue.fault(kind="symbol_status", symbol="ETHUSDT", value="CANCEL_ONLY")
    assert venue.request("POST", ORDER, **low, price=price)[1]["code"] == -4140
    assert venue.request("DELETE", ORDER, symbol="ETHUSDT", orderId=resting["orderId"])[1]["status"] == "CANCELED"
    venue.fault(kind="symbol_status", symbol="ETHUSDT", value="TRADING")
    assert venue.request("POST", f"{ORDER}/test", **low, price=price)[0] == 200


def test_the_venue_deleverages_and_pays_funding_by_itself(venue: Simex) -> None:
    venue.request("POST", ORDER, **BUY, newClientOrderId="to-be-cut")
    with user_stream(venue) as user:
        before = Decimal(venue.ledger()["futures"]["main"]["wallet"])
        venue.fault(kind="fund", symbol="BTCUSDT")
        paid = until(user, lambda m: m["e"] == "ACCOUNT_UPDATE" and m["a"]["m"] == "FUNDING_FEE")[-1]["a"]["B"][0]
        assert Decimal(paid["wb"]) == before + Decimal(paid["bc"])
        assert Decimal(paid["bc"]) < 0
        venue.fault(kind="deleverage", account="main", symbol="BTCUSDT")
        told = until(user, is_fill)[-1]["o"]
        assert told["c"].startswith("adl_autoclose")
    wait_until(lambda: venue.ledger()["futures"]["main"]["positions"]["BTCUSDT"] == "0.000")
    imbalance = venue.ledger()["imbalance"]
    assert (imbalance["futures_money"], imbalance["futures_lots"]) == (0, 0)

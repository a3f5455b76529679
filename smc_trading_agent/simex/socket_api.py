"""Requests over a websocket: the same endpoints as REST, and the spot user data stream."""

from __future__ import annotations

import msgspec

from smc_trading_agent.simex.endpoints import Params
from smc_trading_agent.simex.hub import Subscriber
from smc_trading_agent.simex.keys import check_window
from smc_trading_agent.simex.refusals import Refusal
from smc_trading_agent.simex.rules import Kind
from smc_trading_agent.simex.venue import Request, Venue
from smc_trading_agent.simex.web import Lost, Rest

SHARED = {
    "ping": ("GET", "ping"),
    "time": ("GET", "time"),
    "exchangeInfo": ("GET", "exchangeInfo"),
    "depth": ("GET", "depth"),
    "ticker.price": ("GET", "ticker/price"),
    "ticker.book": ("GET", "ticker/bookTicker"),
    "klines": ("GET", "klines"),
    "order.place": ("POST", "order"),
    "order.test": ("POST", "order/test"),
    "order.status": ("GET", "order"),
    "order.cancel": ("DELETE", "order"),
    "openOrders.status": ("GET", "openOrders"),
    "openOrders.cancelAll": ("DELETE", "openOrders"),
    "allOrders": ("GET", "allOrders"),
}
METHODS = {
    Kind.SPOT: SHARED
    | {"myTrades": ("GET", "myTrades"), "account.status": ("GET", "account"), "avgPrice": ("GET", "avgPrice")},
    Kind.FUTURES: SHARED
    | {
        "account.status": ("GET", "account"),
        "v2/account.status": ("GET", "account"),
        "account.balance": ("GET", "balance"),
        "v2/account.balance": ("GET", "balance"),
        "account.position": ("GET", "positionRisk"),
        "v2/account.position": ("GET", "positionRisk"),
        "algoOrder.place": ("POST", "algoOrder"),
        "algoOrder.cancel": ("DELETE", "algoOrder"),
        "userDataStream.start": ("POST", "listenKey"),
        "userDataStream.ping": ("PUT", "listenKey"),
        "userDataStream.stop": ("DELETE", "listenKey"),
    },
}
NEWER = {"account": "v2", "balance": "v2", "positionRisk": "v2"}


class SocketApi:
    """Answers the requests of one connection."""

    def __init__(self, venue: Venue, one: Subscriber, address: str) -> None:
        self._venue = venue
        self._one = one
        self._address = address
        self._rest = Rest(venue)
        self._session_key: str | None = None
        self._numbers = 0

    async def handle(self, text: str) -> str | None:
        """The answer to a request; None when a fault lost it."""
        number: object = None
        try:
            message = msgspec.json.decode(text, type=dict[str, object])
            number = message.get("id")
            params = message.get("params") or {}
            if not isinstance(params, dict):
                raise Refusal(-1135, "Invalid JSON Request")
            values = {name: _text(value) for name, value in params.items()}
            status, result = await self._answer(str(message.get("method")), values)
        except msgspec.DecodeError:
            status, result = 400, Refusal(-1135, "Invalid JSON Request").body()
        except Refusal as refusal:
            status, result = refusal.status, refusal.body()
        except Lost:
            return None
        body = {"id": number, "status": status, ("result" if status == 200 else "error"): result}
        limits = self._venue.limits[self._one.kind].counted(self._address, self._venue.now_ms())
        return msgspec.json.encode(body | {"rateLimits": limits}).decode()

    async def _answer(self, method: str, values: dict[str, str]) -> tuple[int, object]:
        if method in {"session.logon", "userDataStream.subscribe.signature"}:
            account = self._log_on(values)
            if method == "session.logon":
                self._session_key = values["apiKey"]
                return 200, {"apiKey": values["apiKey"], "serverTime": self._venue.now_ms()}
            return 200, {"subscriptionId": self._subscribe(account)}
        if method == "userDataStream.subscribe":
            return 200, {"subscriptionId": self._subscribe(self._venue.keys.find(self._session_key).account)}
        if method == "userDataStream.unsubscribe":
            self._unsubscribe(Params(values).integer("subscriptionId"))
            return 200, {}
        if method not in METHODS[self._one.kind]:
            raise Refusal(-1000, "Unknown method.")
        verb, name = METHODS[self._one.kind][method]
        if method == "openOrders.cancelAll" and self._one.kind is Kind.FUTURES:
            name = "allOpenOrders"
        response = await self._rest.answer(self._request(verb, self._path(name), values))
        return response.status_code, msgspec.json.decode(bytes(response.body))

    def _path(self, name: str) -> str:
        if self._one.kind is Kind.SPOT:
            return f"/api/v3/{name}"
        return f"/fapi/{NEWER.get(name, 'v1')}/{name}"

    def _request(self, verb: str, path: str, values: dict[str, str]) -> Request:
        """The request as REST would see it. A session that is logged on need not sign again."""
        logged_on = self._session_key is not None and "signature" not in values
        key = values.get("apiKey") or self._session_key
        return Request(
            method=verb,
            path=path,
            params=Params({name: value for name, value in values.items() if name != "apiKey"}),
            payload="" if logged_on else _payload(values),
            signature=None if logged_on else values.get("signature"),
            api_key=key,
            address=self._address,
            trusted=logged_on,
        )

    def _log_on(self, values: dict[str, str]) -> str:
        """Checks a signature that came over the socket; whose it is."""
        key = self._venue.keys.find(values.get("apiKey"))
        check_window(Params(values), self._venue.now_ms())
        self._venue.keys.check_signature(key, _payload(values), values.get("signature"))
        return key.account

    def _subscribe(self, account: str) -> int:
        if account in self._one.subscriptions.values():
            raise Refusal(-2035, "User Data Stream subscription already active.")
        number, self._numbers = self._numbers, self._numbers + 1
        self._one.subscriptions[number] = account
        return number

    def _unsubscribe(self, number: int | None) -> None:
        if number is None:
            self._one.subscriptions.clear()
        elif self._one.subscriptions.pop(number, None) is None:
            raise Refusal(-2036, "User Data Stream subscription not active.")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _payload(values: dict[str, str]) -> str:
    """What a socket request's signature is over: its parameters by name, without the signature."""
    return "&".join(f"{name}={value}" for name, value in sorted(values.items()) if name != "signature")

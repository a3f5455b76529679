"""The venue's HTTP side: requests read, admitted, made to go wrong where a fault says so, and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from smc_trading_agent.simex.endpoints import Params
from smc_trading_agent.simex.faults import REQUEST_KINDS, Fault
from smc_trading_agent.simex.keys import parameters, unsigned
from smc_trading_agent.simex.refusals import Refusal
from smc_trading_agent.simex.venue import Request, Venue

DROP = "simex.drop"
"""The ASGI extension that cuts a connection without an answer; `serve.DroppingProtocol` offers it."""


class Lost(Exception):
    """The connection is to be cut: the client gets no answer."""


def json_response(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")


async def read_request(http: HttpRequest) -> Request:
    """What was asked for, with the text that the signature is over."""
    query = http.scope["query_string"].decode("latin-1")
    body = (await http.body()).decode("utf-8", "replace")
    values = parameters(query, body)
    return Request(
        method=http.method,
        path=http.scope["path"],
        params=Params(values),
        payload=unsigned(query) + unsigned(body),
        signature=values.get("signature"),
        api_key=http.headers.get("x-mbx-apikey"),
        address=http.client.host if http.client else "",
    )


class Rest:
    """The REST endpoints as an ASGI application."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read_request(HttpRequest(scope, receive))
        try:
            if self._venue.down:
                raise Lost
            answer = await self.answer(request)
        except Lost:
            drop(scope)()
            while (await receive())["type"] != "http.disconnect":
                continue
            return
        await answer(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """The answer to a request, after the faults that strike it."""
        venue = self._venue
        subject = f"{request.method} {request.path}"
        struck: dict[str, Fault] = {
            rule.kind: rule for rule in venue.faults.strike(REQUEST_KINDS, subject, venue.true_ms())
        }
        if "lost_request" in struck:
            raise Lost
        error = struck.get("error")
        if error is not None and not error.handled:
            return failed(error)
        response = await self._respond(request, struck)
        if "late_answer" in struck:
            await asyncio.sleep(struck["late_answer"].delay_ms / 1000)
        if "lost_answer" in struck:
            raise Lost
        return response if error is None else failed(error)

    async def _respond(self, request: Request, struck: dict[str, Fault]) -> Response:
        venue = self._venue
        limits = venue.limits[venue.kind_of(request.path)]
        account, headers = "", {}
        try:
            endpoint, account = venue.admit(request)
            if "late_request" in struck:
                await asyncio.sleep(struck["late_request"].delay_ms / 1000)
            status, content = 200, venue.carry_out(request, endpoint, account)
            if "doubled_request" in struck:
                content = venue.carry_out(request, endpoint, account)
        except Refusal as refusal:
            status, content, headers = refusal.status, refusal.body(), refusal.headers
        used = limits.headers(request.address, account, venue.now_ms())
        return json_response(content, status, headers | used)


def failed(rule: Fault) -> Response:
    """The error that a fault answers with."""
    headers = {"Retry-After": "1"} if rule.status in {418, 429} else {}
    return json_response({"code": rule.code, "msg": rule.message}, rule.status, headers)


def drop(scope: Scope) -> Callable[[], None]:
    """What cuts the connection of a request."""
    cut: Callable[[], None] = scope["extensions"][DROP]
    return cut

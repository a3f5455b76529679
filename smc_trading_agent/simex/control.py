"""The controls outside the venue's protocol: the ledger as the truth, faults, time steps. By their own token only."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from smc_trading_agent.domain.errors import AgentError, ConfigError
from smc_trading_agent.simex import futures_shapes, spot_shapes
from smc_trading_agent.simex.exchange import Exchange
from smc_trading_agent.simex.faults import decode_faults
from smc_trading_agent.simex.keys import ApiKey, derived, public_key
from smc_trading_agent.simex.rules import Kind, money_text
from smc_trading_agent.simex.venue import Venue
from smc_trading_agent.simex.web import json_response

TOKEN_HEADER = "x-simex-token"  # nosec B105
BEYOND_LOOPBACK = {"error": "the controls answer loopback addresses only"}
WRONG_TOKEN = {"error": f"the header {TOKEN_HEADER} must carry the control token that simex printed when it started"}


class Control:
    """The control endpoints as an ASGI application."""

    def __init__(self, venue: Venue, token: str) -> None:
        self._venue = venue
        self._token = token
        self._handlers: dict[tuple[str, str], Callable[[bytes], object]] = {
            ("GET", "/simex/ledger"): lambda body: ledger(venue),
            ("GET", "/simex/faults"): lambda body: venue.faults.rules,
            ("POST", "/simex/faults"): self._add_faults,
            ("DELETE", "/simex/faults"): self._clear_faults,
            ("POST", "/simex/step"): self._step,
            ("POST", "/simex/keys"): self._add_key,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(scope, receive)
        answer = self._answer(request, await request.body())
        await answer(scope, receive, send)

    def _answer(self, request: HttpRequest, body: bytes) -> Response:
        if request.client is None or not ipaddress.ip_address(request.client.host).is_loopback:
            return json_response(BEYOND_LOOPBACK, 403)
        if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), self._token.encode()):
            return json_response(WRONG_TOKEN, 401)
        handler = self._handlers.get((request.method, request.url.path))
        if handler is None:
            known = sorted(f"{method} {path}" for method, path in self._handlers)
            return json_response({"error": f"there is no {request.method} {request.url.path}; there are {known}"}, 404)
        try:
            return json_response(handler(body))
        except AgentError as error:
            return json_response({"error": str(error)}, 400)

    def _add_faults(self, body: bytes) -> object:
        """Adds rules; venue-wide ones that are due act at once."""
        rules = decode_faults(body)
        self._venue.check_rules(rules)
        self._venue.faults.rules += rules
        for rule in self._venue.faults.due(self._venue.true_ms()):
            self._venue.act(rule)
        return {"rules": len(self._venue.faults.rules)}

    def _clear_faults(self, body: bytes) -> object:
        self._venue.faults.rules.clear()
        return {"rules": 0}

    def _step(self, body: bytes) -> object:
        """One step of the market, for tests that let time pass themselves."""
        self._venue.step()
        return {"now": self._venue.now_ms()}

    def _add_key(self, body: bytes) -> object:
        """Makes an Ed25519 public key known: ``{"account": ..., "public_key": PEM}``; the API key for it."""
        try:
            wanted = msgspec.json.decode(body, type=dict[str, str])
            account, pem = wanted["account"], wanted["public_key"]
        except (msgspec.MsgspecError, KeyError) as error:
            raise ConfigError(f"no key: {error}; give an account and a public_key in PEM") from error
        if account not in self._venue.options.accounts:
            raise ConfigError(f"there is no account {account!r}; there are {list(self._venue.options.accounts)}")
        key = ApiKey(derived(self._venue.options.seed, "ed25519", account, pem), account, public=public_key(pem))
        self._venue.keys.add(key)
        return {"api_key": key.key}


def ledger(venue: Venue) -> dict[str, object]:
    """Everything that the venue knows of every account, with the conservation of money, which must be zero."""
    futures, spot = venue.exchanges[Kind.FUTURES], venue.exchanges[Kind.SPOT]
    money, lots = futures_shapes.ledger_of(futures).imbalance()
    return {
        "now": venue.now_ms(),
        "imbalance": {
            "futures_money": money,
            "futures_lots": lots,
            "spot": spot_shapes.ledger_of(spot).imbalance(),
        },
        "futures": {account: futures_account(futures, account) for account in venue.options.accounts},
        "spot": {account: spot_account(spot, account) for account in venue.options.accounts},
    }


def futures_account(exchange: Exchange, account: str) -> dict[str, object]:
    """Wallet, positions, orders, conditional orders and fills of a margin account."""
    wallet = futures_shapes.ledger_of(exchange).wallets[account]
    symbols = exchange.symbols
    return {
        "wallet": money_text(wallet.balance),
        "deposited": money_text(wallet.deposited),
        "positions": {name: symbols[name].quantity(p.lots) for name, p in wallet.positions.items()},
        "orders": [futures_shapes.queried(symbols[o.symbol], o) for o in exchange.orders[account].values()],
        "conditionals": [
            futures_shapes.conditional_shape(symbols[o.symbol], o) for o in exchange.conditionals[account].values()
        ],
        "fills": [
            futures_shapes.fill_shape(symbols[f.symbol], f) | {"clientOrderId": f.client_id}
            for f in exchange.fills.get(account, [])
        ],
    }


def spot_account(exchange: Exchange, account: str) -> dict[str, object]:
    """Balances, orders and fills of a spot account."""
    purse = spot_shapes.ledger_of(exchange).purses[account]
    symbols = exchange.symbols
    return {
        "balances": {
            asset: {"free": money_text(balance.free), "locked": money_text(balance.locked)}
            for asset, balance in purse.balances.items()
        },
        "orders": [spot_shapes.queried(symbols[o.symbol], o) for o in exchange.orders[account].values()],
        "fills": [
            spot_shapes.fill_shape(symbols[f.symbol], f) | {"clientOrderId": f.client_id}
            for f in exchange.fills.get(account, [])
        ],
    }

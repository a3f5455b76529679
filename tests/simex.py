"""A simulated exchange as a process of its own, for tests: its clients, its ledger, its faults."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import ccxt
import ccxt.pro

from smc_trading_agent.domain.clock import SystemClock
from smc_trading_agent.simex.serve import bind, described, serve, server_of
from smc_trading_agent.simex.venue import Options, Venue
from tests.processes import PATIENCE_S, smc_agent


class Simex:
    """A running simex. ``info`` is what it printed when it began to listen."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info
        self.rest = str(info["rest"])

    def control(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"x-simex-token": self.info["control_token"]}
        request = urllib.request.Request(f"{self.rest}/simex/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())

    def ledger(self) -> dict[str, Any]:
        return dict(self.control("GET", "ledger"))

    def fault(self, **rule: object) -> None:
        self.control("POST", "faults", [rule])

    def heal(self) -> None:
        self.control("DELETE", "faults")

    def credentials(self, account: str = "main") -> tuple[str, str]:
        known = self.info["accounts"][account]
        return known["api_key"], known["secret"]

    def request(self, method: str, path: str, *, account: str = "main", signed: bool = True, **params: object) -> Any:
        """Status, body and headers of a plain request, with status 0 when the connection was cut."""
        key, secret = self.credentials(account)
        if signed:
            params = {"timestamp": int(time.time() * 1000), **params}
        query = urllib.parse.urlencode(params)
        if signed:
            query += "&signature=" + hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        request = urllib.request.Request(f"{self.rest}{path}?{query}", headers={"X-MBX-APIKEY": key}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, json.loads(answer.read()), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), error.headers
        except OSError:
            return 0, None, {}

    def pointed(self, exchange: Any) -> Any:
        """A ccxt exchange whose addresses are this simex's; nothing else about it is changed."""
        addresses = exchange.urls["api"]
        for name, url in addresses.items():
            for root in ("/fapi/", "/api/"):
                if isinstance(url, str) and root in url:
                    addresses[name] = self.rest + url[url.index(root) :]
        if "ws" in addresses:
            sockets = {"future": self.info["futures_streams"], "spot": self.info["spot_streams"]}
            addresses["ws"] |= {market: f"{url}/ws" for market, url in sockets.items()}
            addresses["ws"]["ws-api"] |= {
                "future": f"{sockets['future']}/ws-fapi/v1",
                "spot": f"{sockets['spot']}/ws-api/v3",
            }
        exchange.options["fetchCurrencies"] = False
        exchange.has["fetchCurrencies"] = False
        exchange.options["fetchMargins"] = False
        exchange.options["fetchMarkets"] = {"types": ["spot"] if exchange.id == "binance" else ["linear"]}
        return exchange

    def ccxt(self, kind: str = "binanceusdm", account: str = "main", pro: bool = False) -> Any:
        key, secret = self.credentials(account)
        made = getattr(ccxt.pro if pro else ccxt, kind)({"apiKey": key, "secret": secret, "enableRateLimit": False})
        return self.pointed(made)


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Simex]:
    """A simex with these options on a free port; it is asked to end afterwards, and must end well."""
    process = smc_agent("simex", "--port", "0", "--json", *arguments)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.communicate()[1].decode()
        yield Simex(json.loads(line))
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, errors.decode()) == (0, ""), errors.decode()


@contextlib.contextmanager
def hosted(**options: Any) -> Iterator[Simex]:
    """A simex on a thread of this process: the same server, which ends when it is asked to."""
    venue, ready = Venue(SystemClock(), Options(**options)), threading.Event()
    listener = bind("127.0.0.1", 0)
    server = server_of(venue, "token", 100, ready.set)
    thread = threading.Thread(target=serve, args=(server, listener))
    with listener:
        thread.start()
        try:
            assert ready.wait(PATIENCE_S)
            yield Simex(described(venue, "token", listener))
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert server.app.failure is None

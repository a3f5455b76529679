"""The venue as a whole: two markets on one set of accounts and keys, with limits, faults and streams, on one clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.simex import futures_listing, futures_settings, spot_rest
from smc_trading_agent.simex.broadcast import Broadcast
from smc_trading_agent.simex.driver import Driver, open_market_accounts
from smc_trading_agent.simex.endpoints import Call, Endpoint, Params, Security
from smc_trading_agent.simex.exchange import Exchange
from smc_trading_agent.simex.faults import Fault, Faults
from smc_trading_agent.simex.hub import Hub
from smc_trading_agent.simex.keys import ApiKey, KeyRing, ListenKeys, check_window, derived
from smc_trading_agent.simex.limits import usual
from smc_trading_agent.simex.market_rest import FUTURES, SPOT
from smc_trading_agent.simex.refusals import Refusal
from smc_trading_agent.simex.rules import MONEY, Kind, listed

ROUTES = {Kind.FUTURES: FUTURES.entries, Kind.SPOT: SPOT.entries}
FACES = (futures_listing, futures_settings, spot_rest)
"""The modules that fill the routes; importing them is what registers their endpoints."""

DEPOSITS = {
    Kind.FUTURES: {"USDT": 100_000 * MONEY},
    Kind.SPOT: {"USDT": 100_000 * MONEY, "BTC": 2 * MONEY, "ETH": 20 * MONEY},
}
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Options:
    """How a venue is set up. ``tapes``: price paths by symbol; ``weight``: the request weight a minute."""

    seed: int = 1
    accounts: tuple[str, ...] = ("main", "other")
    tapes: dict[str, Path] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    weight: int | None = None
    session_ms: int = DAY_MS


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in. ``payload`` is the text that was signed; a ``trusted`` one comes over a session."""

    method: str
    path: str
    params: Params
    payload: str
    signature: str | None
    api_key: str | None
    address: str
    trusted: bool = False


class Venue:
    """Answers requests, moves the markets, and applies the venue-wide faults."""

    def __init__(self, clock: Clock, options: Options) -> None:
        self._clock = clock
        self.options = options
        self.check_rules(options.faults)
        self.skew_ms = 0
        self.down_until_ms = 0
        self.keys = KeyRing()
        self.listen_keys = ListenKeys(options.seed)
        self.faults = Faults(options.seed, list(options.faults))
        self.hub = Hub(self.faults, self.true_ms)
        self.limits = {kind: usual(kind, options.weight) for kind in Kind}
        self.exchanges = {kind: Exchange(kind, listed(kind)) for kind in Kind}
        self._broadcasts = []
        self._drivers = []
        for number, (kind, exchange) in enumerate(self.exchanges.items()):
            open_market_accounts(exchange)
            self._drivers.append(Driver(exchange, options.seed + 100 * number, self.now_ms(), options.tapes))
            self._broadcasts.append(Broadcast(exchange, self.hub, self._key_of))
            for account in options.accounts:
                exchange.open_account(account, DEPOSITS[kind])
        for account in options.accounts:
            key, secret = self.credentials(account)
            self.keys.add(ApiKey(key, account, secret=secret))

    def _key_of(self, account: str) -> str | None:
        return self.listen_keys.key_of(account, self.now_ms())

    def credentials(self, account: str) -> tuple[str, str]:
        """The HMAC key and secret of an account: what the seed stands for."""
        return derived(self.options.seed, "key", account), derived(self.options.seed, "secret", account)

    def true_ms(self) -> int:
        """The clock's time in ms."""
        return self._clock.now() // 1_000_000

    def now_ms(self) -> int:
        """The venue's own time in ms: the clock's, and what it is off by."""
        return self.true_ms() + self.skew_ms

    def kind_of(self, path: str) -> Kind:
        """Which market a REST path belongs to."""
        return Kind.FUTURES if path.startswith("/fapi") else Kind.SPOT

    def endpoint(self, request: Request) -> Endpoint:
        """What answers a request."""
        found = ROUTES[self.kind_of(request.path)].get((request.method, request.path))
        if found is None:
            raise Refusal(-5000, f"Path {request.path}, Method {request.method} is invalid", 404)
        return found

    def admit(self, request: Request) -> tuple[Endpoint, str]:
        """Counts a request against the limits and checks its key, window and signature; whose account it is."""
        now_ms = self.now_ms()
        endpoint = self.endpoint(request)
        limits = self.limits[self.kind_of(request.path)]
        limits.charge(request.address, endpoint.weight, now_ms)
        if endpoint.security is Security.NONE:
            return endpoint, ""
        key = self.keys.find(request.api_key)
        if endpoint.security is Security.SIGNED:
            check_window(request.params, now_ms)
            if not request.trusted:
                self.keys.check_signature(key, request.payload, request.signature)
        if endpoint.orders:
            limits.charge_orders(key.account, endpoint.orders, now_ms)
        return endpoint, key.account

    def carry_out(self, request: Request, endpoint: Endpoint, account: str) -> object:
        """Does what an admitted request asks. The window is checked again: this is where the market begins."""
        now_ms = self.now_ms()
        if endpoint.security is Security.SIGNED:
            check_window(request.params, now_ms)
        exchange = self.exchanges[self.kind_of(request.path)]
        return endpoint.handle(Call(self, exchange, account, request.params, now_ms))

    def step(self) -> None:
        """Lets time act: due faults, the markets, the streams, listen keys and connections that are too old."""
        for rule in self.faults.due(self.true_ms()):
            self.act(rule)
        now_ms = self.now_ms()
        for driver in self._drivers:
            driver.step(now_ms)
        self.flush()
        for _, key in self.listen_keys.expired(now_ms):
            event: dict[str, object] = {"e": "listenKeyExpired", "E": now_ms, "listenKey": key}
            self.hub.publish(Kind.FUTURES, key, event, "listenKeyExpired")
        for one in list(self.hub.subscribers):
            if self.true_ms() - one.opened_ms >= self.options.session_ms:
                one.close(1001)

    def flush(self) -> None:
        """Sends what the streams have due."""
        for broadcast in self._broadcasts:
            broadcast.flush(self.now_ms())

    def check_rules(self, rules: list[Fault]) -> None:
        """`ConfigError` for rules about symbols or accounts that there are not."""
        symbols = listed(Kind.FUTURES)
        for rule in rules:
            if rule.kind in {"symbol_status", "deleverage", "fund"} and rule.symbol not in symbols:
                raise ConfigError(f"fault {rule.kind}: {rule.symbol!r} is not listed; listed are {', '.join(symbols)}")
            if rule.kind == "deleverage" and rule.account not in self.options.accounts:
                known = ", ".join(self.options.accounts)
                raise ConfigError(f"fault deleverage: there is no account {rule.account!r}; there are {known}")
            if rule.kind == "deleverage" and rule.value and not rule.value.isdigit():
                raise ConfigError(f"fault deleverage: value {rule.value!r} is no number of lots")

    def act(self, rule: Fault) -> None:
        """Applies a venue-wide fault."""
        now_ms = self.now_ms()
        futures = self.exchanges[Kind.FUTURES]
        if rule.kind == "clock_skew":
            self.skew_ms = rule.delay_ms
        elif rule.kind == "restart":
            self.down_until_ms = self.true_ms() + rule.delay_ms
            self.listen_keys.forget()
            for limits in self.limits.values():
                limits.forget()
            self.hub.disconnect()
        elif rule.kind == "disconnect":
            self.hub.disconnect(1001)
        elif rule.kind == "expire_listen_keys":
            self.listen_keys.expire_now()
        elif rule.kind == "shutdown_notice":
            self.hub.announce({"e": "serverShutdown", "E": now_ms})
        elif rule.kind == "symbol_status":
            for exchange in self.exchanges.values():
                exchange.status[rule.symbol] = rule.value
        elif rule.kind == "deleverage":
            lots = int(rule.value) if rule.value else 10**12
            futures.close_by_force(rule.account, rule.symbol, lots, "adl_autoclose", now_ms)
        elif rule.kind == "fund":
            futures.fund(rule.symbol, now_ms)

    @property
    def down(self) -> bool:
        """Whether the venue is restarting: it answers nothing."""
        return self.true_ms() < self.down_until_ms

"""What a request is to a handler: parameters read strictly, the account behind the key, and the venue's time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING

from smc_trading_agent.simex.exchange import Exchange
from smc_trading_agent.simex.refusals import Refusal, illegal, invalid_symbol, missing
from smc_trading_agent.simex.rules import Symbol

if TYPE_CHECKING:
    from smc_trading_agent.simex.venue import Venue

DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
DAY_MS = 86_400_000


class Security(StrEnum):
    """What a request must carry."""

    NONE = "none"
    KEY = "key"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of a request, as they were sent."""

    values: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """A parameter; `Refusal` when it was sent empty."""
        value = self.values.get(name)
        if value == "":
            raise Refusal(-1105, f"Parameter '{name}' was empty.")
        return value

    def need(self, name: str) -> str:
        """A parameter that must be there."""
        value = self.values.get(name)
        if not value:
            raise missing(name)
        return value

    def integer(self, name: str) -> int | None:
        """A whole number, None when it was not sent."""
        value = self.text(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit()):
            raise illegal(name, r"^[0-9]{1,20}$")
        return int(value)

    def need_integer(self, name: str) -> int:
        """A whole number that must be there."""
        self.need(name)
        return self.integer(name) or 0

    def decimal(self, name: str) -> Decimal | None:
        """A plain decimal, None when it was not sent."""
        value = self.text(name)
        if value is None:
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise illegal(name, DECIMAL) from None
        if not number.is_finite() or "e" in value.lower() or len(value) > 41:
            raise illegal(name, DECIMAL)
        return number

    def flag(self, name: str) -> bool:
        """A truth value, false when it was not sent."""
        value = (self.text(name) or "false").lower()
        if value not in {"true", "false"}:
            raise illegal(name, "^(true|false)$")
        return value == "true"

    def window(self) -> tuple[int, int]:
        """``startTime`` and ``endTime`` in ms, open where they were not sent."""
        return self.integer("startTime") or 0, self.integer("endTime") or 2**62

    def limit(self, default: int, most: int) -> int:
        """``limit`` within 1 and ``most``."""
        value = self.integer("limit")
        if value is not None and not 1 <= value <= most:
            raise Refusal(-1130, "Data sent for parameter 'limit' is not valid.")
        return value or default


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a handler sees it. ``now_ms`` is the venue's time when the request reaches the market."""

    venue: Venue
    exchange: Exchange
    account: str
    params: Params
    now_ms: int

    def symbol(self) -> Symbol:
        """The symbol that the request must name."""
        found = self.exchange.symbols.get(self.params.need("symbol"))
        if found is None:
            raise invalid_symbol()
        return found

    def symbols(self) -> list[Symbol]:
        """The symbol that the request names, or all of them."""
        return [self.symbol()] if self.params.text("symbol") is not None else list(self.exchange.symbols.values())


Handler = Callable[[Call], object]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handler with what it asks for and what it costs."""

    handle: Handler
    security: Security = Security.NONE
    weight: int = 1
    orders: int = 0


@dataclass(slots=True)
class Table:
    """Endpoints by method and path."""

    entries: dict[tuple[str, str], Endpoint] = field(default_factory=dict)

    def add(
        self, method: str, *paths: str, security: Security = Security.NONE, weight: int = 1, orders: int = 0
    ) -> Callable[[Handler], Handler]:
        """Registers a handler under one method and some paths."""

        def register(handle: Handler) -> Handler:
            for path in paths:
                self.entries[method, path] = Endpoint(handle, security, weight, orders)
            return handle

        return register

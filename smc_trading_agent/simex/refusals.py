"""What the venue refuses, in the venue's own codes and words."""

from __future__ import annotations

from collections.abc import Mapping

from smc_trading_agent.domain.errors import AgentError


class Refusal(AgentError):
    """A request that is answered with ``{"code": code, "msg": message}`` under HTTP ``status``."""

    def __init__(self, code: int, message: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """The error body."""
        return {"code": self.code, "msg": self.message}


def missing(name: str) -> Refusal:
    """A parameter that is needed was left out, is empty or can't be read."""
    return Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str, legal: str) -> Refusal:
    """A parameter holds characters outside ``legal``, a regular expression."""
    return Refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def invalid_symbol() -> Refusal:
    """No such symbol is listed."""
    return Refusal(-1121, "Invalid symbol.")


def no_such_order() -> Refusal:
    """The query names no order of the account."""
    return Refusal(-2013, "Order does not exist.")


def unknown_order() -> Refusal:
    """The cancel names no open order of the account."""
    return Refusal(-2011, "Unknown order sent.")


def filter_failure(name: str) -> Refusal:
    """Spot: an order breaks the filter ``name``."""
    return Refusal(-1013, f"Filter failure: {name}")


def rejected(message: str) -> Refusal:
    """Spot: the matching engine refuses a new order."""
    return Refusal(-2010, message)

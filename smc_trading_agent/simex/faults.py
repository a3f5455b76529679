"""Misbehaviour on demand: which requests and which stream messages go wrong, by script, counted and seeded."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Literal

import msgspec

from smc_trading_agent.domain.errors import ConfigError

RequestKind = Literal["late_request", "late_answer", "lost_request", "lost_answer", "doubled_request", "error"]
StreamKind = Literal["skip", "double", "reorder", "late", "mute"]
VenueKind = Literal[
    "clock_skew",
    "restart",
    "disconnect",
    "expire_listen_keys",
    "shutdown_notice",
    "symbol_status",
    "deleverage",
    "fund",
]

REQUEST_KINDS = frozenset({"late_request", "late_answer", "lost_request", "lost_answer", "doubled_request", "error"})
STREAM_KINDS = frozenset({"skip", "double", "reorder", "late", "mute"})


class Fault(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One rule. It counts what matches ``on``; lets the first ``skip`` through; then strikes ``times`` times.

    ``on``: part of ``METHOD /path`` for requests (``POST /fapi/v1/order``); part of ``stream event`` for stream
    messages (``btcusdt@depth``, or ``ORDER_TRADE_UPDATE TRADE`` for fills of the user stream). Empty: all.
    ``times``: 0 strikes for ever. ``chance``: of each strike, by the script's seed. ``after_ms``: since the start.
    ``delay_ms``: how late; how long a restart takes; by how much the clock is off (may be negative).
    ``status``, ``code``, ``message``, ``handled``: of an ``error``, and whether the request was carried out before it.
    ``symbol``, ``account``, ``value``: what a status, deleveraging or funding is about.
    """

    kind: RequestKind | StreamKind | VenueKind
    on: str = ""
    skip: int = 0
    times: int = 1
    chance: float = 1.0
    after_ms: int = 0
    delay_ms: int = 0
    status: int = 503
    code: int = -1001
    message: str = "Internal error; unable to process your request. Please try again."
    handled: bool = False
    symbol: str = ""
    account: str = ""
    value: str = ""
    seen: int = 0
    struck: int = 0


class Faults:
    """The rules in force."""

    def __init__(self, seed: int, rules: list[Fault]) -> None:
        self._random = Random(seed)  # nosec B311
        self.rules = rules
        self._start_ms: int | None = None

    def strike(self, kinds: frozenset[str], subject: str, now_ms: int) -> list[Fault]:
        """The rules of these kinds that strike this request or message, counted as struck."""
        if self._start_ms is None:
            self._start_ms = now_ms
        return [rule for rule in self.rules if rule.kind in kinds and self._strikes(rule, subject, now_ms)]

    def due(self, now_ms: int) -> list[Fault]:
        """The venue-wide rules whose time has come, each once."""
        if self._start_ms is None:
            self._start_ms = now_ms
        others = [rule for rule in self.rules if rule.kind not in REQUEST_KINDS | STREAM_KINDS and not rule.struck]
        ready = [rule for rule in others if now_ms >= self._start_ms + rule.after_ms]
        for rule in ready:
            rule.struck = 1
        return ready

    def _strikes(self, rule: Fault, subject: str, now_ms: int) -> bool:
        if rule.on not in subject or (self._start_ms is not None and now_ms < self._start_ms + rule.after_ms):
            return False
        if rule.times and rule.struck >= rule.times:
            return False
        rule.seen += 1
        if rule.seen <= rule.skip or self._random.random() >= rule.chance:
            return False
        rule.struck += 1
        return True


def decode_faults(text: bytes) -> list[Fault]:
    """Rules from a JSON list; `ConfigError` naming what is wrong."""
    try:
        return msgspec.json.decode(text, type=list[Fault])
    except msgspec.MsgspecError as error:
        raise ConfigError(f"no fault script: {error}; docs/operations/simex.md lists what a rule may say") from error


def read_faults(file: Path | None) -> list[Fault]:
    """Rules from a JSON file, none without one."""
    if file is None:
        return []
    try:
        return decode_faults(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"the fault script {file} can't be read: {error}") from error

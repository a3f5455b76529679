"""Rate limits: request weight by address and new orders by account, with 429, then 418 for those who go on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from smc_trading_agent.simex.refusals import Refusal
from smc_trading_agent.simex.rules import Kind

MINUTE_MS = 60_000
PATIENCE = 10
"""Requests that an address may send after its first 429 of a minute, before it is banned."""

FIRST_BAN_MS = 120_000
LETTERS = {10_000: "10S", MINUTE_MS: "1M", 86_400_000: "1D"}


@dataclass(slots=True)
class Offender:
    """An address that went on after a 429."""

    refused: int = 0
    window: int = -1
    banned_until: int = 0
    bans: int = 0


@dataclass(slots=True)
class RateLimits:
    """The limits of one market. Windows are whole minutes (or 10 s, days) of the venue's clock."""

    kind: Kind
    weight: int
    orders: dict[int, int]
    _used: dict[tuple[str, int, int], int] = field(default_factory=lambda: defaultdict(int))
    _offenders: dict[str, Offender] = field(default_factory=dict)

    def charge(self, address: str, weight: int, now_ms: int) -> None:
        """Counts a request; `Refusal` with 429 above the limit, with 418 when the address goes on."""
        window, offender = now_ms // MINUTE_MS, self._offenders.setdefault(address, Offender())
        if now_ms < offender.banned_until:
            raise self._banned(offender, now_ms)
        used = self._count(address, MINUTE_MS, weight, now_ms)
        if used <= self.weight:
            return
        if offender.window != window:
            offender.window, offender.refused = window, 0
        offender.refused += 1
        if offender.refused > PATIENCE:
            offender.banned_until = now_ms + FIRST_BAN_MS * 2**offender.bans
            offender.bans = min(offender.bans + 1, 10)
            raise self._banned(offender, now_ms)
        wait = MINUTE_MS - now_ms % MINUTE_MS
        raise Refusal(
            -1003,
            f"Too many requests; current limit is {self.weight} request weight per 1 MINUTE. "
            "Please use the websocket for live updates to avoid polling the API.",
            429,
            {"Retry-After": str(-(-wait // 1000))},
        )

    def charge_orders(self, account: str, orders: int, now_ms: int) -> None:
        """Counts new orders; `Refusal` with 429 above a limit."""
        for length, limit in self.orders.items():
            if self._count(account, length, orders, now_ms) > limit:
                text = {10_000: "10 SECOND", MINUTE_MS: "1 MINUTE"}.get(length, "1 DAY")
                wait = length - now_ms % length
                raise Refusal(
                    -1015,
                    f"Too many new orders; current limit is {limit} orders per {text}.",
                    429,
                    {"Retry-After": str(-(-wait // 1000))},
                )

    def headers(self, address: str, account: str, now_ms: int) -> dict[str, str]:
        """What is used of the limits, as the venue's answers say it."""
        used = {"X-MBX-USED-WEIGHT-1M": str(self._used[address, MINUTE_MS, now_ms // MINUTE_MS])}
        if account:
            for length in self.orders:
                count = self._used[account, length, now_ms // length]
                used[f"X-MBX-ORDER-COUNT-{LETTERS[length]}"] = str(count)
        return used

    def counted(self, address: str, now_ms: int) -> list[dict[str, object]]:
        """The weight limit with what is used of it, as answers over a socket say it."""
        used = self._used[address, MINUTE_MS, now_ms // MINUTE_MS]
        return [row | {"count": used} for row in self.described() if row["rateLimitType"] == "REQUEST_WEIGHT"]

    def forget(self) -> None:
        """Forgets everything counted, as a restart does."""
        self._used.clear()
        self._offenders.clear()

    def described(self) -> list[dict[str, object]]:
        """The limits as the venue lists them."""
        rows: list[dict[str, object]] = [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": self.weight}
        ]
        names = {10_000: ("SECOND", 10), MINUTE_MS: ("MINUTE", 1), 86_400_000: ("DAY", 1)}
        for length, limit in self.orders.items():
            interval, number = names[length]
            rows.append({"rateLimitType": "ORDERS", "interval": interval, "intervalNum": number, "limit": limit})
        return rows

    def _count(self, who: str, length: int, amount: int, now_ms: int) -> int:
        window = now_ms // length
        for old in [key for key in self._used if key[1] == length and key[2] < window]:
            del self._used[old]
        self._used[who, length, window] += amount
        return self._used[who, length, window]

    @staticmethod
    def _banned(offender: Offender, now_ms: int) -> Refusal:
        wait = -(-(offender.banned_until - now_ms) // 1000)
        return Refusal(
            -1003,
            f"Way too much request weight used; IP banned until {offender.banned_until}. "
            "Please use the websocket for live updates to avoid bans.",
            418,
            {"Retry-After": str(wait)},
        )


def usual(kind: Kind, weight: int | None = None) -> RateLimits:
    """The venue's published limits, or another weight a minute."""
    if kind is Kind.FUTURES:
        return RateLimits(kind, weight or 2_400, {10_000: 300, MINUTE_MS: 1_200})
    return RateLimits(kind, weight or 6_000, {10_000: 100, 86_400_000: 200_000})

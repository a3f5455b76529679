"""The dead-man switch: a countdown at the venue that cancels everything, renewed only while the whole agent is well.

A process that crashed renews nothing, and neither does one whose heartbeat lives on while its strategy is wedged: what
renews here asks every part of the health predicate first, and each must say that it is well and that it has moved since
the last time within its own patience. The countdown cancels protective stops too: that is the venue's doing, and why
its time-out should be long against the renewals, and short against what an unwatched position may lose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from smc_trading_agent.domain.ports import CountdownVenue

RENEWALS_A_TIMEOUT = 4
"""A renewal may be lost or late three times before the countdown ends."""


class HealthPart(Protocol):
    """One part of the agent; ``now`` is the reading of the same clock that the switch is ticked with."""

    def well(self, now: int) -> bool:
        """Whether it works and has moved lately."""


class Progress:
    """A counter that must move: bars read, decisions taken, facts journalled."""

    def __init__(self, patience_ns: int, now: int) -> None:
        self._patience = patience_ns
        self._value: int | None = None
        self._moved_at = now

    def see(self, value: int, now: int) -> None:
        """The counter's present value."""
        if value != self._value:
            self._value, self._moved_at = value, now

    def well(self, now: int) -> bool:
        """Whether it moved within its patience, to the nanosecond."""
        return now - self._moved_at <= self._patience


class Renewal(msgspec.Struct, frozen=True):
    """What a tick did: renewed, or not and because of whom; ``due`` is False where it was not yet time."""

    due: bool
    renewed: bool
    unwell: tuple[str, ...] = ()


class DeadManSwitch:
    """Renews a venue's countdown. Single-threaded: whoever ticks it owns it."""

    def __init__(self, venue: CountdownVenue, timeout_ns: int, parts: Mapping[str, HealthPart]) -> None:
        """``timeout_ns`` is the countdown's length; raises `ValueError` without parts, or where it is not positive."""
        if timeout_ns <= 0 or not parts:
            raise ValueError(
                f"a dead-man switch needs a time-out above 0 and parts to ask, got {timeout_ns} ns, {parts}"
            )
        self._venue = venue
        self._timeout = timeout_ns
        self._parts = dict(parts)
        self._renewed_at: int | None = None
        self.missed = 0

    @property
    def interval_ns(self) -> int:
        """Time between two renewals at the most."""
        return self._timeout // RENEWALS_A_TIMEOUT

    def tick(self, now: int) -> Renewal:
        """Renews where it is due and all parts are well; one that raises is not. What the venue raises is passed on."""
        if self._renewed_at is not None and now - self._renewed_at < self.interval_ns:
            return Renewal(due=False, renewed=False)
        unwell = tuple(name for name, part in self._parts.items() if not _is_well(part, now))
        if unwell:
            self.missed += 1
            return Renewal(True, False, unwell)
        self._venue.renew_countdown(now, self._timeout)
        self._renewed_at = now
        return Renewal(True, True)

    def stand_down(self, now: int) -> None:
        """Ends the countdown: an orderly stop leaves protective orders where they are."""
        self._venue.renew_countdown(now, 0)
        self._renewed_at = None


def _is_well(part: HealthPart, now: int) -> bool:
    try:
        return part.well(now) is True
    except Exception:  # noqa: BLE001  what can't say how it is, is not well
        return False

"""The kill latch: one flag that every place which sends orders looks at, whatever else hangs."""

from __future__ import annotations

import threading

from smc_trading_agent.domain.breaker import BreakerOrder


class KillLatch:
    """Set from any thread at any time; from then on nothing new is sent. Only two people's re-arm releases it.

    ``live`` says that the past has been gone through again: a kill takes its place in the journal only after that.
    ``taken`` says that it has.
    """

    def __init__(self) -> None:
        self._set = threading.Event()
        self._lock = threading.Lock()
        self._order: BreakerOrder | None = None
        self.live = False
        self.taken = False

    @property
    def engaged(self) -> bool:
        """Whether anything new is forbidden."""
        return self._set.is_set()

    @property
    def order(self) -> BreakerOrder | None:
        """Who asked for it first, where and why; None where a kept state did."""
        return self._order

    @property
    def pending(self) -> bool:
        """Whether it has yet to be journalled and to take its place."""
        return self._set.is_set() and self.live and not self.taken

    def engage(self, order: BreakerOrder | None = None) -> bool:
        """Forbids everything new, at once; says whether it did not before. Calling it again changes nothing."""
        with self._lock:
            first = not self._set.is_set()
            if first:
                self._order = order
                self._set.set()
            return first

    def go_live(self, killed: bool) -> None:
        """The past is gone through; ``killed`` says that it ended so."""
        if killed:
            self.engage()
        self.taken = killed
        self.live = True

    def release(self) -> None:
        """Two people ended it."""
        with self._lock:
            self._set.clear()
            self._order = None
            self.taken = False

"""The one way to a venue: one call at a time, and nothing new once the kill latch is set.

The latch is looked at under the same lock that the send holds. So when a kill has cancelled what was open, no
order can come after it, whichever thread was about to send one.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from smc_trading_agent._core import Bars
from smc_trading_agent.domain.errors import VenueError
from smc_trading_agent.domain.kill_latch import KillLatch
from smc_trading_agent.domain.ports import Venue
from smc_trading_agent.domain.types import ApprovedOrder, VenueReport

BLOCKED = "kill switch: nothing new is sent"
LONGEST_WAIT_S = 0.5


class OrderBlocked(VenueError):
    """The kill latch is set: the order was not sent."""


class GuardedVenue:
    """A `smc_trading_agent.domain.ports.Venue` in front of another one; any thread may call."""

    def __init__(self, venue: Venue, latch: KillLatch) -> None:
        self._venue = venue
        self._latch = latch
        self._lock = threading.RLock()

    @property
    def inner(self) -> Venue:
        """The venue that stands behind; only what measures it looks at it."""
        return self._venue

    @property
    def position(self) -> int:
        """Signed lots, by the venue's own books."""
        with self._lock:
            return self._venue.position

    @property
    def last_time(self) -> int:
        """Close of the last bar that the venue was shown."""
        with self._lock:
            return self._venue.last_time

    def submit(self, order: ApprovedOrder, now: int) -> list[VenueReport]:
        """Sends an order; `OrderBlocked` once the latch is set, unless the venue has this very order already."""
        with self._lock:
            if self._latch.engaged and not self._venue.order_reports(order.client_order_id):
                raise OrderBlocked(BLOCKED)
            return self._venue.submit(order, now)

    def cancel(self, client_order_id: str, now: int) -> list[VenueReport]:
        """Cancels an order; no latch and no breaker is asked."""
        with self._lock:
            return self._venue.cancel(client_order_id, now)

    def cancel_all(self, client_order_ids: Sequence[str], now: int) -> tuple[list[str], list[str]]:
        """Cancels these orders where they are open: (cancelled, not cancelled).

        The second are those that the venue did not cancel, or all where another thread hangs in a call to it.
        """
        if not self._lock.acquire(timeout=LONGEST_WAIT_S):
            return [], list(client_order_ids)
        try:
            still = set(self._venue.open_orders())
            done = {key: self._cancelled(key, now) for key in client_order_ids if key in still}
        except VenueError:
            return [], list(client_order_ids)
        finally:
            self._lock.release()
        return [key for key, gone in done.items() if gone], [key for key, gone in done.items() if not gone]

    def on_market(self, bars: Bars, start: int, stop: int) -> list[VenueReport]:
        """What the venue made of our orders over these bars."""
        with self._lock:
            return self._venue.on_market(bars, start, stop)

    def order_reports(self, client_order_id: str) -> list[VenueReport]:
        """All that the venue ever said of an order."""
        with self._lock:
            return self._venue.order_reports(client_order_id)

    def open_orders(self) -> list[str]:
        """Client ids of the orders that may still fill."""
        with self._lock:
            return self._venue.open_orders()

    def persist(self) -> None:
        """Keeps the venue's present state."""
        with self._lock:
            self._venue.persist()

    def _cancelled(self, client_order_id: str, now: int) -> bool:
        try:
            self._venue.cancel(client_order_id, now)
        except VenueError:
            return False
        return True

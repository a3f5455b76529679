"""The paper venue: the simulated matching of the core, with a ledger of its own that outlives the agent.

With a store it behaves as a real venue does across a crash of the agent: what it accepted stays accepted, a
client id is never accepted twice, and asking again gives the same answers. While the agent catches up on a
market that the venue has already seen, it hands out the reports it made then.
"""

from __future__ import annotations

from collections.abc import Callable

from smc_trading_agent._core import Bars, Instrument, SimVenue, VenueEvent
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.ports import VenueStore
from smc_trading_agent.domain.types import ApprovedOrder, VenueReport


class PaperVenue:
    """A `smc_trading_agent.domain.ports.Venue` that no real money can reach."""

    def __init__(
        self, instrument: Instrument, costs: CostModel, latency_ns: int, store: VenueStore | None = None
    ) -> None:
        saved = None if store is None else store.load()
        self._sim = (
            SimVenue(
                instrument,
                costs.maker_fee_ppm,
                costs.taker_fee_ppm,
                costs.half_spread_ticks,
                costs.slippage_ppm,
                latency_ns,
            )
            if saved is None
            else SimVenue.from_snapshot(saved)
        )
        self._store = store
        self._countdown_ends: int | None = None

    @property
    def position(self) -> int:
        """Signed lots, by the venue's own books."""
        return self._sim.position

    @property
    def last_time(self) -> int:
        """Close of the last bar that was matched; 0 before the first."""
        return self._sim.last_time

    def submit(self, order: ApprovedOrder, now: int) -> list[VenueReport]:
        """Accepts or rejects an order; a client id seen before is answered as it was the first time."""
        key = f"submit {order.client_order_id}"
        return self._once(
            key,
            lambda: self._sim.submit(
                order.client_order_id,
                order.kind,
                order.side,
                order.quantity,
                order.price,
                now,
                order.expires_at,
                order.reduce_only,
                order.parent,
            ),
        )

    def cancel(self, client_order_id: str, now: int) -> list[VenueReport]:
        """Cancels an order; nothing to report when it has ended."""
        return self._once(f"cancel {client_order_id} {now}", lambda: self._sim.cancel(client_order_id, now))

    def renew_countdown(self, now: int, timeout_ns: int) -> None:
        """Cancels every open order once the market is past ``now + timeout_ns``; 0 ends the countdown."""
        self._countdown_ends = now + timeout_ns if timeout_ns > 0 else None

    def on_market(self, bars: Bars, start: int, stop: int) -> list[VenueReport]:
        """Matches bars ``start`` to ``stop``; those it has seen before are answered from its ledger."""
        if self._countdown_ends is None or stop <= start or bars[stop - 1].close_time < self._countdown_ends:
            return self._match(bars, start, stop)
        before = _first_after(bars, start, stop, self._countdown_ends - 1)
        reports = self._match(bars, start, before)
        ended, self._countdown_ends = self._countdown_ends, None
        for client_order_id in self.open_orders():
            reports += self.cancel(client_order_id, ended)
        return reports + self._match(bars, before, stop)

    def _match(self, bars: Bars, start: int, stop: int) -> list[VenueReport]:
        if stop <= start:
            return []
        if self._store is None:
            return [_report(event) for event in self._sim.on_bars(bars, start, stop)]
        reports: list[VenueReport] = []
        seen = _first_after(bars, start, stop, self._sim.last_time)
        if seen > start:
            until = bars[seen - 1].close_time
            reports += self._store.market_reports(bars[start].open_time, until)
        for index in range(seen, stop):  # one at a time: each report is kept with the close that made it known
            made = [_report(event) for event in self._sim.on_bars(bars, index, index + 1)]
            if made:
                self._store.save(self._sim.snapshot(), made, bars[index].close_time)
                reports += made
        return reports

    def order_reports(self, client_order_id: str) -> list[VenueReport]:
        """All that was ever said of an order; needs a store."""
        return [] if self._store is None else self._store.order_reports(client_order_id)

    def open_orders(self) -> list[str]:
        """Client ids of the orders that may still fill."""
        return self._sim.open_orders()

    def persist(self) -> None:
        """Keeps the present state, so that a restart need not match again what has passed."""
        if self._store is not None:
            self._store.save(self._sim.snapshot(), [])

    def _once(self, key: str, call: Callable[[], list[VenueEvent]]) -> list[VenueReport]:
        if self._store is None:
            return [_report(event) for event in call()]
        answered = self._store.answer(key)
        if answered is not None:
            return answered
        made = [_report(event) for event in call()]
        self._store.save(self._sim.snapshot(), made, call=key)
        return made


def _first_after(bars: Bars, start: int, stop: int, time: int) -> int:
    """First index in [start, stop) whose bar closes after ``time``; ``stop`` where there is none."""
    low, high = start, stop
    while low < high:
        middle = (low + high) // 2
        if bars[middle].close_time > time:
            high = middle
        else:
            low = middle + 1
    return low


def _report(event: VenueEvent) -> VenueReport:
    return VenueReport(
        sequence=event.sequence,
        time=event.time,
        kind=event.kind,
        client_order_id=event.client_order_id,
        side=event.side,
        quantity=event.quantity,
        price=event.price,
        fee=event.fee,
        liquidity=event.liquidity,
        trade_id=event.trade_id,
        reason=event.reason,
    )

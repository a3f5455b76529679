"""Depth streams, book tapes and the venue of level 2 (crates/smc-python/src/book_venue.rs). Prices are ticks,
quantities lots, times nanoseconds; levels are (price, quantity)."""

from __future__ import annotations

from smc_trading_agent._core import Instrument, VenueEvent

class DepthSync:
    """A book kept in step with Binance's depth stream: snapshot, buffered diffs, and unreadable after a gap."""

    def __init__(self, rule: str, buffer_limit: int = 10_000) -> None: ...  # spot or futures
    def on_diff(
        self,
        first_id: int,  # U
        last_id: int,  # u
        previous_id: int,  # pu; ignored for spot
        bids: list[tuple[int, int]],
        asks: list[tuple[int, int]],
    ) -> str: ...  # applied, buffered, stale, gap; ValueError, with nothing changed, for a message that is none
    def on_snapshot(
        self, last_id: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]
    ) -> str: ...  # synced, too_old (ask again), stale (the book is newer)
    def invalidate(self) -> None: ...  # the connection was lost
    @property
    def readable(self) -> bool: ...
    @property
    def last_id(self) -> int | None: ...  # None while unreadable, as are the levels
    @property
    def buffered(self) -> int: ...
    @property
    def best_bid(self) -> tuple[int, int] | None: ...
    @property
    def best_ask(self) -> tuple[int, int] | None: ...
    def levels(self, side: int, depth: int) -> list[tuple[int, int]] | None: ...
    @property
    def counts(self) -> dict[str, int]: ...  # applied, stale, gaps, snapshots, too_old, overflowed

class BookTape:
    """A recorded market: messages in the order received, each with the time it happened at the venue."""

    def __init__(self) -> None: ...
    def push_depth(
        self, exchange_time: int, local_time: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]
    ) -> None: ...  # quantity 0 removes a level
    def push_snapshot(
        self, exchange_time: int, local_time: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]
    ) -> None: ...
    def push_trade(self, exchange_time: int, local_time: int, taker: int, price: int, quantity: int) -> None: ...
    def push_funding(self, exchange_time: int, local_time: int, rate_e8: int, mark: int) -> None: ...
    def correct_local_clock(self, least_ns: int) -> int: ...  # the shift, 0 where no message was received too early
    def __len__(self) -> int: ...
    @property
    def row_count(self) -> int: ...  # level changes and trades

class BookReplay:
    """A tape played to an agent: the venue at the venue's time, its book as the agent sees it, orders and answers after
    their latency. What fills an order: docs/concepts/execution/simulated_venue.md."""

    def __init__(
        self,
        tape: BookTape,
        instrument: Instrument,
        *,
        maker_fee_ppm: int = 0,
        taker_fee_ppm: int = 0,
        entry_ns: int = 0,
        response_ns: int = 0,
        jitter_ns: int = 0,  # mean of an exponential delay on top of each way
        seed: int = 0,
        queue: str = "risk_averse",  # risk_averse, logarithmic, power_law
        exponent: float = 1.0,  # of the power law
        impact: tuple[float, float, float, float] | None = None,  # coefficient, volatility and lots of a day, half-life
        cash: int = 0,
    ) -> None: ...
    def advance(self, until: int) -> list[tuple[int, VenueEvent]]: ...  # what became known by then, and when
    def submit(
        self,
        client_order_id: str,
        kind: str,
        side: int,
        quantity: int,
        price: int,
        expires_at: int = 0,
        reduce_only: bool = False,
        parent: str = "",
    ) -> None: ...
    def cancel(self, client_order_id: str) -> None: ...
    def order_status(self, client_order_id: str) -> str | None: ...
    def queue_ahead(self, client_order_id: str) -> int | None: ...  # lots; None unless it rests
    def open_orders(self) -> list[str]: ...
    def levels(self, side: int, depth: int) -> list[tuple[int, int]]: ...
    @property
    def best_bid(self) -> tuple[int, int] | None: ...
    @property
    def best_ask(self) -> tuple[int, int] | None: ...
    @property
    def now(self) -> int: ...
    @property
    def ended(self) -> bool: ...
    @property
    def position(self) -> int: ...  # at the venue
    @property
    def cash(self) -> int: ...  # after fees and funding
    @property
    def fees(self) -> int: ...
    @property
    def funding(self) -> int: ...

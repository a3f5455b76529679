"""Typed face of the Rust core (crates/smc-python). Units: prices are integer ticks, quantities integer lots, quote
amounts integer quote units (tick times lot), times nanoseconds since the Unix epoch (UTC). ``side`` and ``direction``
are +1 (buy, bullish), -1 (sell, bearish) or 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core_audit import *  # noqa: F403
from smc_trading_agent._core_book import *  # noqa: F403
from smc_trading_agent._core_detector import *  # noqa: F403
from smc_trading_agent._core_execution_algos import *  # noqa: F403
from smc_trading_agent._core_gym import *  # noqa: F403
from smc_trading_agent._core_legacy import *  # noqa: F403
from smc_trading_agent._core_multi import *  # noqa: F403
from smc_trading_agent._core_readings import *  # noqa: F403
from smc_trading_agent._core_readings import VolumeProfile
from smc_trading_agent._core_risk import *  # noqa: F403
from smc_trading_agent._core_rows import *  # noqa: F403
from smc_trading_agent._core_study import *  # noqa: F403

# ---------------------------------------------------------------- market

class Instrument:
    """One tradable symbol with exact price and quantity grids."""

    def __init__(self, venue: str, symbol: str, tick_size: str, lot_size: str, min_notional: str = "0") -> None: ...
    @property
    def venue(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def key(self) -> str: ...  # "venue:symbol"
    @property
    def tick_size(self) -> str: ...
    @property
    def lot_size(self) -> str: ...
    @property
    def min_notional(self) -> int: ...  # quote units
    def price_to_ticks(self, price: float) -> int: ...  # ValueError when off the grid, NaN or not positive
    def round_price(self, price: float) -> int: ...  # nearest tick
    def ticks_to_price(self, ticks: int) -> float: ...
    def ticks_to_prices(self, ticks: NDArray[np.int64]) -> NDArray[np.float64]: ...
    def quantity_to_lots(self, quantity: float) -> int: ...  # floor to a lot
    def lots_to_quantity(self, lots: int) -> float: ...
    def quote_from_str(self, amount: str) -> int: ...  # "1000.50" -> quote units, floor
    def quote_to_float(self, units: int) -> float: ...
    def format_price(self, ticks: int) -> str: ...  # exact decimal text
    def format_quantity(self, lots: int) -> str: ...
    def format_quote(self, units: int) -> str: ...

def timeframe_ns(timeframe: str) -> int:
    """Length of "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w"; ValueError else."""

class Bar:
    """One closed candle. ``close_time`` is exclusive: open_time + length."""

    def __init__(
        self,
        open_time: int,
        close_time: int,
        open: int,
        high: int,
        low: int,
        close: int,
        volume: int = 0,
        taker_buy_volume: int = 0,
        trades: int = 0,
    ) -> None: ...  # ValueError on an inverted bar
    @property
    def open_time(self) -> int: ...
    @property
    def close_time(self) -> int: ...
    @property
    def open(self) -> int: ...
    @property
    def high(self) -> int: ...
    @property
    def low(self) -> int: ...
    @property
    def close(self) -> int: ...
    @property
    def volume(self) -> int: ...
    @property
    def taker_buy_volume(self) -> int: ...
    @property
    def trades(self) -> int: ...

class Bars:
    """An immutable run of bars of one timeframe, oldest first."""

    @staticmethod
    def from_list(timeframe: str, bars: Sequence[Bar]) -> Bars: ...
    @staticmethod
    def concat(parts: Sequence[Bars]) -> Bars: ...  # ValueError unless of one timeframe and in order
    @property
    def timeframe(self) -> str: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Bar: ...
    def slice(self, start: int, stop: int) -> Bars: ...
    def columns(self) -> dict[str, NDArray[np.int64]]: ...  # keys: the Bar property names

class QualityGate:
    """Admits raw candle rows in order; quarantines what cannot be a bar. A gap is admitted and counted, never filled.

    Rejection names: "nan", "non_positive_price", "negative_volume", "high_below_low", "open_or_close_outside_range",
    "off_tick_grid", "beyond_range", "misaligned_open_time", "duplicate", "out_of_order"."""

    def __init__(self, instrument: Instrument, timeframe: str) -> None: ...
    def admit(
        self,
        open_time: NDArray[np.int64],
        open: NDArray[np.float64],
        high: NDArray[np.float64],
        low: NDArray[np.float64],
        close: NDArray[np.float64],
        volume: NDArray[np.float64],
        taker_buy_volume: NDArray[np.float64] | None = None,
        trades: NDArray[np.int64] | None = None,
    ) -> Bars: ...  # open_time in ns; ValueError on unequal lengths
    @property
    def rows(self) -> int: ...
    @property
    def admitted(self) -> int: ...
    @property
    def rejected(self) -> dict[str, int]: ...  # by name, only the non-zero ones
    @property
    def quarantine(self) -> list[tuple[int, int, str]]: ...  # (row, open_time, name), the first 1,000
    @property
    def gaps(self) -> list[tuple[int, int]]: ...  # (open_time of the last bar before, missing bars), the first 1,000
    @property
    def gap_count(self) -> int: ...
    @property
    def missing_bars(self) -> int: ...

class TradeBarBuilder:
    """Builds bars of one timeframe from trades; a bar closes when a trade of a later one arrives."""

    def __init__(self, timeframe: str) -> None: ...
    def update(
        self,
        time: NDArray[np.int64],
        price: NDArray[np.int64],
        quantity: NDArray[np.int64],
        taker_side: NDArray[np.int8] | None = None,
    ) -> Bars: ...  # the bars closed by these trades; ValueError when time goes backwards
    def close_until(self, now: int) -> Bars: ...  # closes a bar whose end has passed

class OrderBook:
    """L2 book: absolute quantities by price level, best first."""

    def __init__(self) -> None: ...
    def apply(self, side: int, price: int, quantity: int) -> None: ...  # quantity 0 removes the level
    def clear(self) -> None: ...
    @property
    def best_bid(self) -> tuple[int, int] | None: ...
    @property
    def best_ask(self) -> tuple[int, int] | None: ...
    @property
    def crossed(self) -> bool: ...
    def levels(self, side: int, depth: int) -> list[tuple[int, int]]: ...

# ---------------------------------------------------------------- smc

class Event:
    """One fact about market structure, appended and never edited.

    ``formed_at`` is the open time of the bar it is anchored on, ``confirmed_at`` the close time of the bar that made it
    knowable. ``low == high`` for a level. ``zone_id`` is the id of the event that created the zone, pool or pivot this
    event speaks of (its own id when it creates one), ``source_id`` the event that caused it (the pivot a break broke,
    the break that made a block), or 0."""

    @property
    def id(self) -> int: ...  # 1, 2, 3 ... within a timeframe
    @property
    def kind(self) -> str: ...  # see EVENT_KINDS
    @property
    def direction(self) -> int: ...  # the implied market direction
    @property
    def side(self) -> int: ...  # +1 the upper side (pivot high, buy-side pool), -1 the lower, 0 none
    @property
    def scope(self) -> str: ...  # "internal", "swing"; "day", "week", "month"; a session or reference open; or ""
    @property
    def timeframe(self) -> str: ...
    @property
    def formed_at(self) -> int: ...
    @property
    def confirmed_at(self) -> int: ...
    @property
    def low(self) -> int: ...
    @property
    def high(self) -> int: ...
    @property
    def zone_id(self) -> int: ...
    @property
    def source_id(self) -> int: ...
    @property
    def ambiguous(self) -> bool: ...  # touched and invalidated inside one bar

class Zone:
    """A live zone or level, of a kind with a life but judas_swing."""

    @property
    def id(self) -> int: ...  # the id of the event that created it
    @property
    def kind(self) -> str: ...  # the kind of the event that created it
    @property
    def direction(self) -> int: ...
    @property
    def side(self) -> int: ...
    @property
    def scope(self) -> str: ...
    @property
    def timeframe(self) -> str: ...
    @property
    def state(self) -> str: ...  # fresh, touched, mitigated / half_filled / resting
    @property
    def touches(self) -> int: ...
    @property
    def formed_at(self) -> int: ...
    @property
    def confirmed_at(self) -> int: ...
    @property
    def low(self) -> int: ...
    @property
    def high(self) -> int: ...
    @property
    def source_id(self) -> int: ...

class Detector:
    """All concepts on one timeframe, streaming: one closed bar in, the facts it made knowable out."""

    def __init__(self, timeframe: str, config_json: str = "{}") -> None: ...  # ValueError names an unknown key
    def update(self, bar: Bar) -> list[Event]: ...
    def run(self, bars: Bars) -> list[Event]: ...  # the same, over a batch
    def run_columns(self, bars: Bars) -> tuple[int, dict[str, NDArray[Any]]]: ...  # see smc_detector.Detection.columns
    def run_features(self, bars: Bars) -> NDArray[np.float64]: ...  # shape (bars, len(FEATURE_NAMES))
    def zones(self) -> list[Zone]: ...
    def features(self) -> NDArray[np.float64]: ...  # shape (len(FEATURE_NAMES),), at the last close
    def bias(self, scope: str) -> int: ...
    def dealing_range(self) -> tuple[int, int] | None: ...  # (low, high) in ticks
    def region(self, price: int) -> str | None: ...  # premium, equilibrium or discount of that range
    def trailing_extreme(self, scope: str, side: int) -> tuple[int, int, bool] | None: ...  # price, open time, strong
    def draw_on_liquidity(self, scope: str) -> Zone | None: ...  # the nearest level ahead, by that scope's bias
    def reference_open(self, scope: str) -> int | None: ...  # day, week, new_york_midnight, new_york_morning; in ticks
    def in_session(self, scope: str) -> bool: ...  # whether the last bar belongs to the session of that key
    def volume_profile(self) -> VolumeProfile | None: ...  # of the present period; None where no volume is told
    @property
    def timeframe(self) -> str: ...
    @property
    def config_json(self) -> str: ...  # every parameter
    @property
    def bars_seen(self) -> int: ...
    def snapshot(self) -> bytes: ...
    @staticmethod
    def from_snapshot(data: bytes) -> Detector: ...

# ---------------------------------------------------------------- execution

ORDER_STATES: tuple[str, ...]
"""intent, denied, sending, open, partial, filled, pending_cancel, pending_replace, canceled, expired, rejected, ..."""
ORDER_EVENTS: tuple[str, ...]
"""deny, send, accept, reject, timeout, fill_partial, fill_complete, cancel_request, cancel, expire, ..."""

def order_transition(state: str, event: str) -> str | None:
    """The next order state, or None where the pair is illegal. Total over both enumerations."""

def is_terminal(state: str) -> bool: ...

class Ledger:
    """Exact position and cash of one instrument from its fills (linear contract, average cost)."""

    def __init__(self, instrument: Instrument, cash: int) -> None: ...
    def apply_fill(self, fill_id: str, side: int, quantity: int, price: int, fee: int) -> bool: ...  # False: known
    @property
    def cash(self) -> int: ...  # start cash + realised - fees
    @property
    def position(self) -> int: ...  # signed lots
    @property
    def average_price(self) -> float: ...  # ticks; NaN when flat
    @property
    def realised(self) -> int: ...
    @property
    def fees(self) -> int: ...
    def unrealised(self, mark: int) -> int: ...
    def equity(self, mark: int) -> int: ...
    def snapshot(self) -> bytes: ...
    @staticmethod
    def from_snapshot(data: bytes) -> Ledger: ...

# ---------------------------------------------------------------- sim

class VenueEvent:
    """What the venue says of an order, in the order it happened."""

    @property
    def sequence(self) -> int: ...  # 1, 2, 3 ... for the venue's life
    @property
    def time(self) -> int: ...
    @property
    def kind(self) -> str: ...  # accepted, rejected, filled, canceled, expired
    @property
    def client_order_id(self) -> str: ...
    @property
    def side(self) -> int: ...
    @property
    def quantity(self) -> int: ...  # filled quantity for "filled", else the order's
    @property
    def price(self) -> int: ...  # fill price, else 0
    @property
    def fee(self) -> int: ...  # quote units, rounded up
    @property
    def liquidity(self) -> str: ...  # maker, taker or ""
    @property
    def trade_id(self) -> str: ...  # "" unless filled
    @property
    def reason(self) -> str: ...  # for rejected and canceled

class SimVenue:
    """A simulated venue: market, limit, stop_market and take_profit orders, brackets, one position.

    On bars, matching is pessimistic: an order works from the bar that it arrives in (time + latency; a delay shorter
    than a bar is what the slippage stands for), a limit needs a trade through its price, a stop fills at the worse of
    its price and the open, and of a stop and a target reached in one bar the stop is taken. Children of a bracket
    (``parent``) rest inactive until the parent fills, then cancel each other."""

    def __init__(
        self,
        instrument: Instrument,
        maker_fee_ppm: int,
        taker_fee_ppm: int,
        half_spread_ticks: int,
        slippage_ppm: int,
        latency_ns: int,
    ) -> None: ...
    def submit(
        self,
        client_order_id: str,
        kind: str,
        side: int,
        quantity: int,
        price: int,
        now: int,
        expires_at: int = 0,
        reduce_only: bool = False,
        parent: str = "",
    ) -> list[VenueEvent]: ...
    # kind: market, limit, stop_market, take_profit (a limit at price); a client id seen before gets its first answer
    def cancel(self, client_order_id: str, now: int) -> list[VenueEvent]: ...  # [] when unknown or terminal
    def on_bars(self, bars: Bars, start: int, stop: int) -> list[VenueEvent]: ...
    def on_trades(
        self, time: NDArray[np.int64], price: NDArray[np.int64], quantity: NDArray[np.int64]
    ) -> list[VenueEvent]: ...
    def order_status(self, client_order_id: str) -> str | None: ...  # held, open, filled, canceled, expired, rejected
    def open_orders(self) -> list[str]: ...
    @property
    def position(self) -> int: ...
    @property
    def last_time(self) -> int: ...  # close of the last bar (or time of the last trade) matched
    @property
    def last_sequence(self) -> int: ...
    def snapshot(self) -> bytes: ...
    @staticmethod
    def from_snapshot(data: bytes) -> SimVenue: ...

class BarrierOutcome:
    @property
    def key(self) -> str: ...
    @property
    def outcome(self) -> str: ...  # target, stop, timeout, unfilled
    @property
    def entered_at(self) -> int: ...
    @property
    def exited_at(self) -> int: ...
    @property
    def exit_price(self) -> int: ...

class BarrierTracker:
    """Follows virtual brackets to their first barrier, by the same bar rules as SimVenue."""

    def __init__(self) -> None: ...
    def add(
        self,
        key: str,
        side: int,
        entry: int,
        stop: int,
        target: int,
        now: int,
        entry_expires_at: int,
        time_limit_ns: int,
    ) -> None: ...  # limit entry at ``entry``; time_limit counts from the entry fill
    def on_bars(self, bars: Bars, start: int, stop: int) -> list[BarrierOutcome]: ...
    @property
    def open_count(self) -> int: ...
    def snapshot(self) -> bytes: ...
    @staticmethod
    def from_snapshot(data: bytes) -> BarrierTracker: ...

def random_entry_returns(
    bars: Bars,
    stop_distance: NDArray[np.int64],
    target_distance: NDArray[np.int64],
    risk_fraction: NDArray[np.float64],
    time_limit_ns: int,
    cost_ppm: int,
    runs: int,
    seed: int,
) -> NDArray[np.float64]:
    """Net return of ``runs`` portfolios that enter at random bars and sides with the given exits. Shape (runs,).

    Each run draws one entry for each element of the distance arrays (ticks), in random order; risk_fraction is the
    share of equity risked at the stop, cost_ppm the round-trip cost in parts per million of notional."""

class SyntheticMarket:
    """A seeded synthetic market of 1-minute bars: regimes, volatility clustering, flow, a mild planted tendency."""

    def __init__(self, instrument: Instrument, seed: int, start_time: int, config_json: str = "{}") -> None: ...
    def next_bars(self, count: int) -> Bars: ...
    @property
    def bars_made(self) -> int: ...
    def snapshot(self) -> bytes: ...
    @staticmethod
    def from_snapshot(data: bytes) -> SyntheticMarket: ...

# ---------------------------------------------------------------- measurement

class LatencyHistogram:
    """HdrHistogram over nanoseconds, 1 ns to 60 s (saturates), three significant digits."""

    def __init__(self) -> None: ...
    def record(self, value_ns: int) -> None: ...
    def percentile(self, q: float) -> int: ...  # q in [0, 100]; 0 when empty
    @property
    def count(self) -> int: ...
    @property
    def max(self) -> int: ...
    @property
    def mean(self) -> float: ...
    def merge(self, other: LatencyHistogram) -> None: ...
    def reset(self) -> None: ...

def build_info() -> dict[str, str]:
    """Version, profile and target of the compiled core."""

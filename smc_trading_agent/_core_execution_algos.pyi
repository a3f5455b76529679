"""Schedules, the router and microstructure (crates/smc-python/src/execution_algos.rs). Every constructor and call that
takes a number refuses one out of range with a ValueError that names it."""

from __future__ import annotations

from collections.abc import Sequence

from smc_trading_agent._core import OrderBook

# ---------------------------------------------------------------- schedules

def twap(total: int, slices: int) -> list[int]:
    """Equal lots by cumulative rounding; they sum to ``total``."""

def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Lots in the proportions of ``weights`` (a VWAP schedule from others' expected volumes)."""

def vwap_next(remaining: int, expected: Sequence[float]) -> int:
    """Lots of the next slice, from others' expected volume in it and in each later one."""

def least_lots(min_notional: int, price: int, lot: int) -> int:
    """Fewest lots worth ``min_notional`` quote units, in whole ``lot``s."""

def square_root_impact(coefficient: float, volatility: float, quantity: float, volume: float) -> float:
    """Expected cost a lot in ticks; volatility and volume are those of the same period."""

class AlmgrenChriss:
    """Units: ticks, lots, seconds; ``step`` seconds a slice."""

    def __init__(
        self,
        *,
        volatility: float,  # ticks, over one second
        temporary: float,  # ticks per (lot a second)
        risk_aversion: float,  # per (tick lot)
        step: float,
        slices: int,
        permanent: float = 0.0,  # ticks per lot
        fixed: float = 0.0,  # ticks
    ) -> None: ...
    @property
    def urgency(self) -> float: ...  # kappa, per second
    def holdings(self) -> list[float]: ...  # shares of the parent at each step, slices + 1
    def lots(self, total: int) -> list[int]: ...  # the optimum in whole lots
    def expected_cost(self, trades: Sequence[float]) -> float: ...  # tick lots
    def variance(self, trades: Sequence[float]) -> float: ...

class ObizhaevaWang:
    """``resilience`` per second; ``trades`` at equal steps of ``step`` seconds, both ends included."""

    def __init__(self, resilience: float, step: float, trades: int) -> None: ...
    def weights(self) -> list[float]: ...
    def lots(self, total: int) -> list[int]: ...
    def cost(self, trades: Sequence[float]) -> float: ...

class AdaptiveShortfall:
    """Solves Almgren and Chriss anew before each slice; never further behind ``baseline`` than ``band`` lots, save
    where ``most_participation`` (of all volume) forbids."""

    def __init__(
        self, baseline: Sequence[int], *, risk_aversion: float, step: float, band: int, most_participation: float
    ) -> None: ...
    def slice(
        self,
        number: int,
        done: int,
        *,
        volatility: float,
        temporary: float,
        others_volume: float,
        permanent: float = 0.0,
        adverse_drift: float = 0.0,  # ticks a second, positive where waiting is dearer
    ) -> tuple[int, str]: ...  # lots, and what decided: optimum, band or participation

class Schedule:
    """Slices in equal slots of ``[start, end)`` (ns)."""

    def __init__(self, start: int, end: int, lots: Sequence[int]) -> None: ...
    @property
    def slices(self) -> list[tuple[int, int, int]]: ...  # (at, deadline, lots)
    @property
    def total(self) -> int: ...
    def planned(self, now: int) -> int: ...
    def jittered(self, seed: int, time_share: float = 0.3, size_share: float = 0.2) -> Schedule: ...
    def merged(self, least: int) -> Schedule: ...

class Pacer:
    """What is due of a schedule; behind it, up to ``most_of_slice`` slices in a slot."""

    def __init__(self, schedule: Schedule, most_of_slice: float, finish: bool) -> None: ...
    def due(self, now: int, committed: int) -> int: ...

class Iceberg:
    """Shown parts of ``shown * (1 +- variation)`` lots, none below ``least``."""

    def __init__(self, total: int, shown: int, variation: float, least: int, seed: int) -> None: ...
    @property
    def remaining(self) -> int: ...
    def refill(self) -> int: ...
    def expected_seconds(self, queue: float, outflow: float) -> float: ...

class Pov:
    """Keeps to a share of all volume, by what others trade."""

    def __init__(
        self,
        *,
        total: int,
        rate_ppm: int,
        most_ppm: int,  # within the window
        window_ns: int,
        band: int,
        stale_ns: int,
        start: int,
        end: int,
        progress_ppm: int = 0,
    ) -> None: ...
    def on_print(self, time: int, lots: int) -> None: ...  # the tape, our own prints among them
    def on_fill(self, time: int, lots: int) -> None: ...
    @property
    def others(self) -> int: ...
    def due(self, now: int, working: int) -> tuple[int, str]: ...  # lots; target, window, stale or done

class VolumeCurve:
    """Others' volume by the hour of the week (0 is Monday, 00:00 UTC); an hour counts once it is over."""

    def __init__(self, memory_weeks: int, persistence: float) -> None: ...
    def record(self, time: int, market: int, own: int) -> None: ...
    def mean(self, hour: int) -> float | None: ...
    def expected(self, start: int, end: int) -> float | None: ...
    def slots(self, start: int, end: int, slices: int) -> list[float] | None: ...

# ---------------------------------------------------------------- router

class VenueTerms:
    """What a venue charges and asks of an order."""

    def __init__(
        self,
        *,
        taker_fee_ppm: int,
        latency_ns: int = 0,
        fade_per_second: float = 0.0,
        lot: int = 1,
        min_notional: int = 0,
    ) -> None: ...

class VenueState:
    """``balance`` is in quote units for a buy, in lots for a sell; ``latency_cost`` in micro-ticks a lot."""

    def __init__(
        self, balance: int, *, latency_cost: int = 0, penalty_ppm: int = 0, available: bool = True
    ) -> None: ...

class Route:
    """A split of one order; ``cost`` is all-in, in micro-ticks times lots, negative for a sell."""

    @property
    def legs(self) -> list[tuple[int, int, int]]: ...  # (venue, lots, nanoseconds to hold back)
    @property
    def unfilled(self) -> int: ...
    @property
    def cost(self) -> int: ...
    @property
    def proven(self) -> bool: ...

class Router:
    """Splits orders over a fixed set of venues by all-in cost."""

    def __init__(self, venues: Sequence[VenueTerms], longest_hold_ns: int) -> None: ...
    def route(
        self,
        side: int,
        lots: int,
        books: Sequence[OrderBook],
        states: Sequence[VenueState],
        limit: int | None = None,
        depth: int = 20,
    ) -> Route: ...

class PassiveVenue:
    """What resting at a venue's best price is like; money in ticks a lot."""

    def __init__(
        self,
        *,
        queue: int,
        outflow: float,
        event_lots: float,
        half_spread: float,
        rebate: float,
        cross_cost: float,
        adverse_selection: float,
        most: int,
        lot: int = 1,
        least: int = 1,
    ) -> None: ...
    def fill_probability(self, lots: int, seconds: float) -> float: ...
    def score(self, lots: int, seconds: float) -> float: ...

class VenueHealth:
    """Whether a venue may be sent to, and what its failures add to its cost."""

    def __init__(self, *, weight: float, most_failures: int, rest_ns: int, stale_ns: int, penalty_ppm: int) -> None: ...
    def on_data(self, time: int) -> None: ...
    def on_answer(self, time: int, ok: bool) -> None: ...
    def state(self, now: int) -> tuple[str, int]: ...  # up, stale or resting; penalty in ppm

def split_convex(lots: int, venues: Sequence[tuple[float, float, float]]) -> list[int]:
    """The cheapest split in whole lots where a venue costs ``price * q + impact * q**2`` up to a cap."""

def place_passively(
    total: int, seconds: float, cross_now: float, venues: Sequence[PassiveVenue]
) -> tuple[list[int], int]:
    """Lots to rest at each venue, and lots that are better crossed at once."""

# ---------------------------------------------------------------- microstructure; a level is (price, lots)

def weighted_mid(bid: tuple[int, int], ask: tuple[int, int]) -> float: ...
def effective_spread(side: int, price: int, bid: int, ask: int) -> int: ...  # ticks

class MicroPrice:
    """Counts what quotes turn into; ``fit`` makes the model."""

    def __init__(self, buckets: int, spreads: int) -> None: ...
    def on_quote(self, bid: tuple[int, int], ask: tuple[int, int]) -> None: ...
    def fit(self, iterations: int = 100) -> MicroPriceModel: ...

class MicroPriceModel:
    """The middle expected far ahead."""

    def price(self, bid: tuple[int, int], ask: tuple[int, int]) -> float: ...
    @property
    def adjustments(self) -> list[float]: ...  # ticks, spread by spread, each by bucket

class OrderFlowImbalance:
    """Sums of each level over a sliding window."""

    def __init__(self, levels: int, window_ns: int) -> None: ...
    def on_book(self, time: int, book: OrderBook) -> None: ...
    @property
    def sums(self) -> list[int]: ...

class KyleLambda:
    """Ticks a lot of signed volume, by an exponentially weighted regression."""

    def __init__(self, half_life: float) -> None: ...
    def observe(self, signed_lots: float, ticks: float) -> None: ...
    @property
    def estimate(self) -> tuple[float, float, float] | None: ...  # lambda, standard error, observations

class Markouts:
    """What trades were worth later, seen from the taker."""

    def __init__(self, horizons_ns: Sequence[int]) -> None: ...
    def on_quote(self, time: int, bid: int, ask: int) -> None: ...
    def on_trade(self, time: int, side: int, price: int) -> bool: ...
    @property
    def effective_spread(self) -> float | None: ...
    @property
    def horizons(self) -> list[tuple[int, int, float | None, float | None]]: ...  # ns, trades, mean, z-score

class Resilience:
    """Half-lives of a spread's (or a missing depth's) excess over normal after a sweep."""

    def __init__(self, trigger: float, weight: float, longest_ns: int) -> None: ...
    def observe(self, time: int, value: float) -> float | None: ...  # ns where an episode ends
    @property
    def half_life(self) -> float | None: ...  # seconds
    @property
    def rate(self) -> float | None: ...  # per second
    @property
    def episodes(self) -> tuple[int, int]: ...  # ended, given up

class Vpin:
    """For display only: with true signs it forecasts nothing."""

    def __init__(self, bucket: int, buckets: int) -> None: ...
    def on_trade(self, side: int, lots: int) -> None: ...
    @property
    def value(self) -> float | None: ...

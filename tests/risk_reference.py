"""The rules of the gate once more, over exact fractions and whole lists: plain, slow, and apart from it."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from smc_trading_agent._core import Bar
from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.domain.settings import RiskSettings
from smc_trading_agent.domain.types import AccountView, Intent
from tests.factories import DAY, NS, QUARTER, costs

R = RefusalReason
LOT = Fraction(1, 1_000)
MIN_NOTIONAL = 50_000


class Entry(NamedTuple):
    """An entry that was approved, and the `orders_sent` from which on an account view includes it."""

    decision_id: str
    time: int
    side: int
    price: int
    lots: int
    seen_at: int | None


def share(value: float) -> Fraction:
    return Fraction(str(value))


def per_million(value: Fraction) -> Fraction:
    """Rounded down to a millionth."""
    return Fraction(math.floor(value * 10**6), 10**6)


class World(NamedTuple):
    """Everything beside the order and its account that the rules look at."""

    limits: RiskSettings
    bars: list[Bar]
    entries: list[Entry]
    exits: list[int]
    losses: list[int]
    sent: set[str]
    now: int
    data_time: int
    day_start: int
    peak: int
    marked_sent: int
    orders_at_midnight: int
    fills_at_midnight: int
    grows: bool
    breaker_share: float


def with_unseen(books: AccountView, world: World) -> dict[str, int]:
    """Long, short, open orders and open entries at worst, with what was approved and the view does not show."""
    # What the last mark showed is forgotten: a view that is older is refused for it.
    seen = max(books.orders_sent, world.marked_sent)
    unseen = [e for e in world.entries if e.seen_at is None or seen < e.seen_at]
    return {
        "long": books.worst_long + sum(e.lots for e in unseen if e.side > 0),
        "short": books.worst_short + sum(e.lots for e in unseen if e.side < 0),
        "orders": books.open_orders + 3 * len(unseen),
        "entries": books.open_entries + len(unseen),
    }


def day_sigma(bars: list[Bar]) -> Fraction:
    moves = [math.log(b.close / a.close) for a, b in itertools.pairwise(bars)]
    variance = moves[0] ** 2
    for move in moves[1:]:
        variance = 0.94 * variance + 0.06 * move**2
    length = bars[-1].close_time - bars[-1].open_time
    return Fraction(math.ceil(math.sqrt(variance * DAY / length) * 10**6), 10**6)


def jump(bars: list[Bar]) -> float:
    sizes = [abs(math.log(b.close / a.close)) for a, b in itertools.pairwise(bars)]
    typical = sizes[0]
    for size in sizes[1:-1]:
        typical = 0.94 * typical + 0.06 * size
    return sizes[-1] / (typical * math.sqrt(math.pi / 2))


def day_volume(bars: list[Bar]) -> int:
    return sum(bar.volume for bar in bars if bar.close_time > bars[-1].close_time - DAY)


def lots_of(wish: Intent, books: AccountView, world: World) -> int:
    """The smallest that a rule allows, and of that the breaker's and the policy's share."""
    limits, worst = world.limits, worst_price(wish, books)
    if books.equity <= 0 or wish.price <= 0 or wish.stop <= 0 or worst <= 0 or wish.price == wish.stop:
        return 0
    fees, unseen = costs(), with_unseen(books, world)
    maker = Fraction(fees.maker_fee_ppm, 10**6)
    taker = Fraction(fees.taker_fee_ppm + fees.slippage_ppm, 10**6)
    loss = abs(wish.price - wish.stop) + maker * wish.price + taker * wish.stop + fees.half_spread_ticks
    gain = abs(wish.target - wish.price) - maker * (wish.price + wish.target)
    equity, mark = books.equity, books.mark
    own = unseen["long"] if wish.side > 0 else unseen["short"]
    allowed = [
        share(limits.risk_per_trade) * equity / loss,
        share(limits.volatility_target) * equity / (day_sigma(world.bars) * worst),
        math.floor(share(limits.max_order_notional) * equity) / Fraction(worst),
        (math.floor(share(limits.max_position_notional) * equity) - own * mark) / Fraction(worst),
        (math.floor(share(limits.max_leverage) * equity) - (unseen["long"] + unseen["short"]) * mark) / Fraction(worst),
    ]
    if limits.kelly_fraction is not None:
        p = per_million(Fraction(wish.probability)) if 0 <= wish.probability <= 1 else Fraction(0)
        bet = p - (1 - p) * loss / gain if gain > 0 else Fraction(0)
        allowed.append(share(limits.kelly_fraction) * max(Fraction(0), bet) * equity / loss)
    if limits.max_volume_share is not None:
        allowed.append(share(limits.max_volume_share) * day_volume(world.bars))
    lots = max(0, math.floor(min(allowed)))
    for part in (world.breaker_share, round(wish.size_multiplier, 6)):
        lots = math.floor(lots * share(part))
    return lots


class Tail(NamedTuple):
    """Value at risk and expected shortfall of a book, in cents."""

    value_at_risk: int
    shortfall: int


@lru_cache
def moves_of(closes: tuple[int, ...]) -> list[int]:
    """Returns from close to close in units of 10^-8, to the nearest, halves to even."""
    return [round(Fraction((after - before) * 10**8, before)) for before, after in itertools.pairwise(closes)]


def tail_of(notional: int, bars: list[Bar]) -> Tail:
    """Of a signed notional in cents: every scenario's loss in order, the worst first."""
    losses = sorted((-notional * move for move in moves_of(tuple(bar.close for bar in bars))), reverse=True)
    quantile, worst = max(1, len(losses) // 100), max(1, len(losses) // 40)
    return Tail(
        math.ceil(Fraction(losses[quantile - 1], 10**8)), math.ceil(Fraction(sum(losses[:worst]), worst * 10**8))
    )


def worst_price(wish: Intent, books: AccountView) -> int:
    return wish.price if wish.side > 0 else max(wish.price, books.mark)


def reasons(wish: Intent, books: AccountView, lots: int, world: World) -> list[RefusalReason]:
    """Every rule that the order breaks, in the order of the rules."""
    refused = (
        _validity(wish, books, lots, world)
        | _amounts(wish, books, lots, world)
        | _tail_risk(wish, books, lots, world)
        | _history(wish, books, lots, world)
    )
    return [reason for reason in ORDER if refused.get(reason)]


def _validity(wish: Intent, books: AccountView, lots: int, world: World) -> dict[RefusalReason, bool]:
    limits, now = world.limits, world.now
    rising = wish.stop < wish.price < wish.target if wish.side > 0 else wish.target < wish.price < wish.stop
    crossing = books.own_sell and wish.price >= books.own_sell
    if wish.side <= 0:
        crossing = books.own_buy and wish.price <= books.own_buy
    return {
        R.BREAKER_NOT_ACTIVE: not world.grows,
        R.UNKNOWN_INSTRUMENT: wish.instrument != "test:BTCUSDT",
        R.INSTRUMENT_NOT_ALLOWED: not {"*", wish.instrument} & set(limits.allowed_instruments),
        R.STALE_DATA: not 0 <= now - world.data_time <= limits.max_data_age_seconds * NS,
        R.SIGNAL_EXPIRED: not 0 <= now - wish.created_at <= limits.signal_ttl_seconds * NS,
        R.STALE_ACCOUNT: books.orders_sent < world.marked_sent,
        R.MARKET_HISTORY: len(world.bars) < limits.min_history_bars,
        R.PRICE_JUMP: jump(world.bars) > limits.max_jump_sigmas,
        R.INVALID_PRICE: not (wish.side and rising and min(wish.price, wish.stop, wish.target) > 0),
        R.INVALID_PROBABILITY: not 0 <= wish.probability <= 1,
        R.INVALID_SIZE_MULTIPLIER: not 0.25 <= wish.size_multiplier <= 1,
        R.PRICE_COLLAR: abs(wish.price - books.mark) > share(limits.price_collar) * books.mark,
        R.SELF_TRADE: bool(crossing),
        R.DUPLICATE_DECISION: wish.decision_id in world.sent,
    }


def _amounts(wish: Intent, books: AccountView, lots: int, world: World) -> dict[RefusalReason, bool]:
    limits, equity, unseen = world.limits, books.equity, with_unseen(books, world)
    value = lots * worst_price(wish, books)
    own, other = ("long", "short") if wish.side > 0 else ("short", "long")
    gross = (unseen["long"] + unseen["short"]) * books.mark + value
    largest = max(unseen[own] * books.mark + value, unseen[other] * books.mark)
    fees = Fraction(2 * (costs().taker_fee_ppm + costs().slippage_ppm), 10**6)
    kept = share(limits.min_liquidation_distance) + share(limits.maintenance_margin)
    return {
        R.SIZE_BELOW_MINIMUM: lots < 1 or lots * wish.price < MIN_NOTIONAL,
        R.MAX_ORDER_QUANTITY: lots * LOT > Fraction(limits.max_order_quantity),
        R.MAX_ORDER_NOTIONAL: value > share(limits.max_order_notional) * equity,
        R.MAX_VOLUME_SHARE: limits.max_volume_share is not None
        and lots > share(limits.max_volume_share) * day_volume(world.bars),
        R.MAX_POSITION_QUANTITY: max(unseen[own] + lots, unseen[other]) * LOT > Fraction(limits.max_position_quantity),
        R.MAX_POSITION_NOTIONAL: largest > share(limits.max_position_notional) * equity,
        R.MAX_GROSS_EXPOSURE: gross > share(limits.max_leverage) * equity,
        R.INSUFFICIENT_MARGIN: gross * share(limits.initial_margin) + value * fees > equity,
        R.LIQUIDATION_DISTANCE: gross * kept > equity,
        R.MAX_OPEN_ORDERS: unseen["orders"] + 3 > limits.max_open_orders,
        R.POSITION_ALREADY_OPEN: (books.position != 0) >= limits.max_positions,
        R.ENTRY_ALREADY_PENDING: unseen["entries"] >= limits.max_open_entries,
        R.UNKNOWN_ORDER_OUTSTANDING: books.unknown_orders > 0,
        R.UNPROTECTED_POSITION: books.unprotected > 0,
    }


def _tail_risk(wish: Intent, books: AccountView, lots: int, world: World) -> dict[RefusalReason, bool]:
    """A cent is a hundred quote units here. Without scenarios only what needs none is judged."""
    limits, unseen, bars = world.limits, with_unseen(books, world), world.bars
    own, other = ("long", "short") if wish.side > 0 else ("short", "long")
    held, against = (-(-unseen[side] * books.mark // 100) for side in (own, other))
    held_after = -(-(unseen[own] * books.mark + lots * worst_price(wish, books)) // 100)
    order, worth = held_after - held, books.equity // 100
    gross = held + against + order
    stale = world.now - bars[-1].close_time > limits.max_risk_age_bars * QUARTER
    told = {
        R.RISK_UNKNOWN: len(bars) - 1 < limits.min_scenarios or stale,
        R.CONCENTRATION: gross > 0 and (limits.max_asset_share < 1 or limits.max_herfindahl < 1),
        R.MAX_CLUSTER_EXPOSURE: beyond(gross, limits.max_cluster_exposure, worth),
    }
    if len(bars) - 1 < limits.min_scenarios:
        return told
    sign = 1 if wish.side > 0 else -1
    facing = tail_of(-sign * against, bars)
    before, after = (Tail(*map(max, facing, tail_of(sign * side, bars))) for side in (held, held + order))
    value = beyond(after.value_at_risk, limits.max_value_at_risk, worth)
    shortfall = beyond(after.shortfall, limits.max_shortfall, worth)
    # No named stress is worse for one asset than losing all of it.
    return told | {
        R.MAX_VALUE_AT_RISK: value and after.value_at_risk >= before.value_at_risk,
        R.MAX_SHORTFALL: shortfall and after.shortfall >= before.shortfall,
        R.MAX_STRESS_LOSS: beyond(max(held + order, against), limits.max_stress_loss, worth),
    }


def beyond(amount: int, limit: float | None, worth: int) -> bool:
    """Whether an amount exceeds a share of equity, in cents rounded down."""
    assert limit is not None
    return amount > math.floor(share(limit) * worth)


def _history(wish: Intent, books: AccountView, lots: int, world: World) -> dict[RefusalReason, bool]:
    limits, now = world.limits, world.now

    def since(seconds: float) -> list[Entry]:
        return [entry for entry in world.entries if now - entry.time < seconds * NS]

    ours = [entry.price for entry in since(limits.price_drift_seconds)]
    alike = [
        entry
        for entry in since(limits.similar_window_seconds)
        if (entry.side, entry.lots) == (wish.side, lots)
        and abs(entry.price - wish.price) <= share(limits.similar_price) * abs(wish.price)
    ]
    far = [price for price in ours if abs(wish.price - price) > share(limits.price_drift) * price]
    orders, fills = books.orders_sent - world.orders_at_midnight, books.fills - world.fills_at_midnight
    last_exit = max(world.exits, default=None)
    return {
        R.PRICE_DRIFT: bool(far),
        R.MESSAGE_RATE: 3 * len(since(limits.message_window_seconds)) + 3 > limits.max_messages,
        R.ORDER_TO_TRADE: orders + 3 > share(limits.max_orders_per_fill) * max(1, fills),
        R.REPEATED_EXECUTION: len(since(limits.execution_window_seconds)) >= limits.max_executions,
        R.SIMILAR_ORDERS: len(alike) >= limits.max_similar_orders,
        R.DAILY_LOSS: world.day_start - books.equity >= share(limits.max_daily_loss) * world.day_start,
        R.MAX_DRAWDOWN: world.peak - books.equity >= share(limits.max_drawdown) * world.peak,
        R.LOSING_TRADES: len(world.losses) >= limits.max_losing_trades,
        R.COOL_DOWN_AFTER_EXIT: last_exit is not None and now - last_exit < limits.cool_down_after_exit_seconds * NS,
    }


ORDER = (
    R.BREAKER_NOT_ACTIVE,
    R.UNKNOWN_INSTRUMENT,
    R.INSTRUMENT_NOT_ALLOWED,
    R.STALE_DATA,
    R.SIGNAL_EXPIRED,
    R.STALE_ACCOUNT,
    R.MARKET_HISTORY,
    R.PRICE_JUMP,
    R.INVALID_PRICE,
    R.INVALID_PROBABILITY,
    R.INVALID_SIZE_MULTIPLIER,
    R.PRICE_COLLAR,
    R.PRICE_DRIFT,
    R.SELF_TRADE,
    R.SIZE_BELOW_MINIMUM,
    R.MAX_ORDER_QUANTITY,
    R.MAX_ORDER_NOTIONAL,
    R.MAX_VOLUME_SHARE,
    R.MAX_POSITION_QUANTITY,
    R.MAX_POSITION_NOTIONAL,
    R.MAX_GROSS_EXPOSURE,
    R.INSUFFICIENT_MARGIN,
    R.LIQUIDATION_DISTANCE,
    R.RISK_UNKNOWN,
    R.MAX_VALUE_AT_RISK,
    R.MAX_SHORTFALL,
    R.MAX_STRESS_LOSS,
    R.CONCENTRATION,
    R.MAX_CLUSTER_EXPOSURE,
    R.MAX_OPEN_ORDERS,
    R.POSITION_ALREADY_OPEN,
    R.ENTRY_ALREADY_PENDING,
    R.MESSAGE_RATE,
    R.ORDER_TO_TRADE,
    R.REPEATED_EXECUTION,
    R.SIMILAR_ORDERS,
    R.DAILY_LOSS,
    R.MAX_DRAWDOWN,
    R.LOSING_TRADES,
    R.COOL_DOWN_AFTER_EXIT,
    R.UNKNOWN_ORDER_OUTSTANDING,
    R.UNPROTECTED_POSITION,
    R.DUPLICATE_DECISION,
)
"""In which reasons are told."""

"""Amounts for people: exact decimal text of ticks, lots and quote units, and times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from smc_trading_agent._core import Instrument

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NS_PER_SECOND = 1_000_000_000
AVERAGE_DECIMALS = 2


def utc(time_ns: int) -> datetime:
    """The moment, to the microsecond."""
    return EPOCH + timedelta(microseconds=time_ns // 1_000)


def seconds(time_ns: int) -> int:
    """Whole seconds since the epoch, the unit of the chart."""
    return time_ns // NS_PER_SECOND


def average_price(instrument: Instrument, ticks: float) -> str:
    """An average price, which need not lie on a tick: with up to two decimals more than the tick has."""
    tick = Decimal(instrument.tick_size)
    step = tick.scaleb(-AVERAGE_DECIMALS)
    price = (Decimal(ticks) * tick).quantize(step)
    on_tick = price.quantize(tick)
    return format(on_tick if on_tick == price else price, "f")


def chart_price(instrument: Instrument, ticks: float) -> float:
    """A price as a float, for drawing only."""
    return ticks * float(instrument.tick_size)

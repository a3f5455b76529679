"""What a check is asked, and how it answers: nothing where it passes, its reasons with their numbers where not."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from smc_trading_agent.domain.costs import PPM
from smc_trading_agent.domain.reasons import BreakerState, InstrumentState, RefusalReason
from smc_trading_agent.domain.types import AccountView, Intent, RefusalDetail
from smc_trading_agent.risk_manager.activity import Recent
from smc_trading_agent.risk_manager.limits import Limits
from smc_trading_agent.risk_manager.numbers import Cents
from smc_trading_agent.risk_manager.risk_figures import RiskFigures
from smc_trading_agent.risk_manager.sizing import SizeRule


class Amounts(msgspec.Struct, frozen=True):
    """What shares of equity come to, in quote units; ``equity``, ``day_start`` and ``peak`` are their sources.

    From ``value_at_risk`` on they are whole cents, None where not looked at; those on value at risk and shortfall are
    divided by ``tighten_ppm`` parts per million. ``looks_at_risk`` says whether a limit needs a scenario.
    """

    equity: int
    day_start: int
    peak: int
    order: int
    position: int
    leverage: int
    daily_loss: int
    drawdown: int
    tighten_ppm: int
    looks_at_risk: bool
    value_at_risk: int | None
    shortfall: int | None
    stress: int | None
    cluster: int | None


def amounts_of(equity: int, day_start: int, peak: int, limits: Limits, cents: Cents, tighten_ppm: int = PPM) -> Amounts:
    """Each rounded down."""
    worth = cents.floor(equity)

    def part(share: int | None, divisor: int) -> int | None:
        return None if share is None else worth * share // divisor

    tail = (part(limits.value_at_risk_ppm, tighten_ppm), part(limits.shortfall_ppm, tighten_ppm))
    stress = part(limits.stress_ppm, PPM)
    return Amounts(
        equity,
        day_start,
        peak,
        equity * limits.order_ppm // PPM,
        equity * limits.position_ppm // PPM,
        equity * limits.leverage_ppm // PPM,
        day_start * limits.daily_loss_ppm // PPM,
        peak * limits.drawdown_ppm // PPM,
        tighten_ppm,
        tail != (None, None) or stress is not None,
        *tail,
        stress,
        part(limits.cluster_ppm, PPM),
    )


class Question(msgspec.Struct, frozen=True):
    """All that a check may look at. ``account`` counts what was approved and is not in the books yet.

    ``quantity`` are the lots that would be sent and ``bound_by`` the rule that they came from; ``notional`` is their
    value at the worst price. ``side_exposure`` and ``other_exposure`` are what is held or could fill on the order's
    side and on the other, in quote units at the last price. ``risk`` is of all of it with this order.
    """

    intent: Intent
    account: AccountView
    limits: Limits
    amounts: Amounts
    instrument: str
    instrument_state: InstrumentState
    min_notional: int
    fee_ppm: int
    quantity: int
    bound_by: SizeRule
    notional: int
    side_exposure: int
    other_exposure: int
    breaker: BreakerState
    lets_exposure_grow: bool
    lets_exposure_shrink: bool
    now: int
    data_time: int
    marked_sent: int
    closes: int
    jump_millis: int
    day_volume: int
    recent: Recent
    sent_today: int
    fills_today: int
    losses: int
    last_exit: int
    seen: bool
    risk: RiskFigures

    @property
    def gross(self) -> int:
        """Both sides and this order, in quote units."""
        return self.side_exposure + self.other_exposure + self.notional


Refusals = tuple[RefusalDetail, ...]
Check = Callable[[Question], Refusals]
PASS: Refusals = ()


def refuse(reason: RefusalReason, **context: object) -> Refusals:
    """One reason with the numbers that it was decided on."""
    return (RefusalDetail(reason, {key: str(value) for key, value in context.items()}),)


def seconds(ns: float) -> str:
    """A duration for people."""
    return f"{ns / 1_000_000_000:.3f}"


def percent(ppm: int) -> str:
    """Parts per million for people."""
    return f"{ppm / 10_000:g}%"

"""Plausible values of what travels between the stages; a test changes the field that it is about.

Amounts: one tick is 0.1 USDT and one lot 0.001 BTC, so a quote unit is 0.0001 USDT. The account holds 10,000 USDT,
200 lots at the price of 50,000 USDT.
"""

from __future__ import annotations

from typing import Any

import msgspec

from smc_trading_agent._core import Instrument
from smc_trading_agent.domain.breaker_settings import BreakerSettings
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.reasons import BreakerState, OrderPurpose, SetupKind
from smc_trading_agent.domain.seal import ApprovalSeal
from smc_trading_agent.domain.settings import RiskSettings
from smc_trading_agent.domain.types import (
    AccountView,
    ApprovedOrder,
    BreakerChange,
    Evidence,
    Forecast,
    Intent,
    Setup,
    VenueReport,
)
from smc_trading_agent.risk_manager.checks import Question
from smc_trading_agent.risk_manager.gateway import RiskGateway

NS = 1_000_000_000
MINUTE = 60 * NS
QUARTER = 15 * MINUTE
DAY = 86_400 * NS
NOW = 19_700 * DAY + 10 * 3_600 * NS
EQUITY = 100_000_000
PRICE = 500_000
KEY = bytes(range(32))


def instrument() -> Instrument:
    return Instrument("test", "BTCUSDT", "0.1", "0.001", "5")


def costs(**changes: Any) -> CostModel:
    fields = {"maker_fee_ppm": 200, "taker_fee_ppm": 500, "half_spread_ticks": 1, "slippage_ppm": 100}
    return CostModel(**(fields | changes))


def risk_settings(**changes: Any) -> RiskSettings:
    """Limits written out, so that tuning a default moves no boundary here."""
    fields = {
        "breaker": BreakerSettings(debounce_seconds=0, half_open_seconds=0),
        "risk_per_trade": 0.005,
        "max_order_notional": 1.0,
        "max_position_notional": 1.0,
        "max_leverage": 2.0,
        "max_open_orders": 6,
        "max_positions": 1,
        "price_collar": 0.02,
        "max_data_age_seconds": 120.0,
        "signal_ttl_seconds": 60.0,
        "max_daily_loss": 0.03,
        "halt_daily_loss": 0.06,
        "max_drawdown": 0.25,
        "cool_down_seconds": 3_600.0,
        "probe_orders": 2,
        "probe_size": 0.5,
        "probe_timeout_seconds": 604_800.0,
    }
    return RiskSettings(**(fields | changes))


def account(**changes: Any) -> AccountView:
    flat = AccountView(
        equity=EQUITY,
        cash=EQUITY,
        position=0,
        average_price=0.0,
        mark=PRICE,
        unrealised=0,
        realised=0,
        fees=0,
        open_orders=0,
        open_entries=0,
        worst_long=0,
        worst_short=0,
        unknown_orders=0,
    )
    return msgspec.structs.replace(flat, **changes)


def intent(**changes: Any) -> Intent:
    """Buy at 50,000 with a stop 1 % below and a target 2 % above."""
    entry = Intent(
        decision_id="d0123456789abcdef0123",
        instrument="test:BTCUSDT",
        purpose=OrderPurpose.ENTRY,
        side=1,
        price=PRICE,
        stop=PRICE - 5_000,
        target=PRICE + 10_000,
        created_at=NOW,
        expires_at=NOW + 3 * QUARTER,
        probability=0.6,
        time_limit_ns=DAY,
    )
    return msgspec.structs.replace(entry, **changes)


def exit_intent(**changes: Any) -> Intent:
    """Sell what is held, at the market."""
    plain = {"decision_id": "x0123456789abcdef0123", "purpose": OrderPurpose.EXIT, "side": -1}
    return intent(**(plain | {"price": 0, "stop": 0, "target": 0, "expires_at": 0, "time_limit_ns": 0} | changes))


def question(
    *, of_account: dict[str, Any] | None = None, of_intent: dict[str, Any] | None = None, **changes: Any
) -> Question:
    """Ten lots that every check lets pass."""
    harmless = Question(
        intent=intent(**(of_intent or {})),
        account=account(**(of_account or {})),
        settings=risk_settings(),
        quantity=10,
        min_notional=50_000,
        breaker=BreakerState.ACTIVE,
        lets_exposure_grow=True,
        now=NOW,
        data_time=NOW,
        day_start_equity=EQUITY,
        peak_equity=EQUITY,
        seen=False,
    )
    return msgspec.structs.replace(harmless, **changes)


def order(**changes: Any) -> ApprovedOrder:
    unsealed = ApprovedOrder(
        client_order_id="d0123456789abcdef0123-entry",
        decision_id="d0123456789abcdef0123",
        instrument="test:BTCUSDT",
        purpose=OrderPurpose.ENTRY,
        kind="limit",
        side=1,
        quantity=10,
        price=PRICE,
        expires_at=NOW + QUARTER,
        reduce_only=False,
        parent="",
        seal=b"",
    )
    return msgspec.structs.replace(unsealed, **changes)


def evidence(**changes: Any) -> Evidence:
    sweep = Evidence(
        role="sweep",
        kind="liquidity_pool_swept",
        timeframe="15m",
        event_id=1,
        direction=1,
        formed_at=NOW - QUARTER,
        confirmed_at=NOW,
        low=PRICE - 6_000,
        high=PRICE - 6_000,
    )
    return msgspec.structs.replace(sweep, **changes)


def setup(**changes: Any) -> Setup:
    """A long worth twice its risk."""
    found = Setup(
        setup_id="s0123456789abcdef0123",
        instrument="test:BTCUSDT",
        timeframe="15m",
        kind=SetupKind.REVERSAL,
        side=1,
        entry=1_000,
        stop=900,
        target=1_200,
        detected_at=NOW,
        entry_expires_at=NOW + 3 * QUARTER,
        time_limit_ns=DAY,
        higher_timeframe_bias=1,
        evidence=(evidence(),),
    )
    return msgspec.structs.replace(found, **changes)


def forecast(**changes: Any) -> Forecast:
    made = Forecast(
        setup_id="s0123456789abcdef0123",
        source="base_rate",
        probability=0.5,
        break_even=0.4,
        chance=0.35,
        samples=100,
        wins=50.0,
    )
    return msgspec.structs.replace(made, **changes)


def report(sequence: int, **changes: Any) -> VenueReport:
    accepted = VenueReport(
        sequence=sequence,
        time=NOW,
        kind="accepted",
        client_order_id="d0123456789abcdef0123-entry",
        side=1,
        quantity=10,
        price=0,
        fee=0,
        liquidity="",
        trade_id="",
        reason="",
    )
    return msgspec.structs.replace(accepted, **changes)


class Gate:
    """A gateway with its clock, and the breaker changes it recorded with the state each was recorded in."""

    def __init__(self, costs_of: CostModel | None = None, **limits: Any) -> None:
        self.clock = MarketClock(NOW)
        self.seal = ApprovalSeal(KEY)
        self.settings = risk_settings(**limits)
        self.costs = costs_of or costs()
        self.changes: list[BreakerChange] = []
        self.state_at_record: list[BreakerState] = []
        self.gateway = self._new()

    def _new(self) -> RiskGateway:
        return RiskGateway(instrument(), self.settings, self.costs, self.clock, self.seal, self._recorded)

    def _recorded(self, change: BreakerChange) -> None:
        self.changes.append(change)
        self.state_at_record.append(self.gateway.breaker.state)

    def started(self) -> Gate:
        """Probing, as after the first start ever."""
        self.gateway.mark(account(), NOW)
        self.gateway.breaker.ready()
        return self

    def active(self) -> Gate:
        """Past its probes."""
        self.started()
        for _ in range(self.settings.probe_orders):
            self.gateway.breaker.probe_sent()
        self.gateway.breaker.tick(working_entries=0)
        assert self.gateway.breaker.state is BreakerState.ACTIVE
        self.changes.clear()
        self.state_at_record.clear()
        return self

    def restarted(self) -> Gate:
        """The same state in a new gateway."""
        saved = self.gateway.snapshot()
        self.gateway = self._new()
        self.gateway.restore(saved)
        return self

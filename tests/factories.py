"""Plausible values of what travels between the stages; a test changes the field that it is about.

Amounts: one tick is 0.1 USDT and one lot 0.001 BTC, so a quote unit is 0.0001 USDT. The account holds 10,000 USDT,
200 lots at the price of 50,000 USDT.
"""

from __future__ import annotations

from typing import Any

import msgspec

from smc_trading_agent._core import Bar, Instrument
from smc_trading_agent.domain.breaker_settings import BreakerSettings
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.reasons import BreakerState, InstrumentState, OrderPurpose, SetupKind
from smc_trading_agent.domain.seal import ApprovalSeal
from smc_trading_agent.domain.settings import RiskSettings
from smc_trading_agent.domain.types import (
    AccountView,
    Approval,
    ApprovedOrder,
    BreakerChange,
    Evidence,
    Forecast,
    Intent,
    Refusal,
    Setup,
    VenueReport,
)
from smc_trading_agent.risk_manager.activity import Recent
from smc_trading_agent.risk_manager.checks.question import Check, Question, amounts_of
from smc_trading_agent.risk_manager.gateway import RiskGateway
from smc_trading_agent.risk_manager.limits import limits_of
from smc_trading_agent.risk_manager.numbers import cents_of
from smc_trading_agent.risk_manager.risk_figures import RiskFigures
from smc_trading_agent.risk_manager.sizing import SizeRule

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
        "allowed_instruments": ("*",),
        "kelly_fraction": 0.5,
        "volatility_target": 0.1,
        "min_history_bars": 30,
        "max_jump_sigmas": 25.0,
        "max_order_quantity": "1000",
        "max_volume_share": None,
        "max_position_quantity": "1000",
        "initial_margin": 0.1,
        "maintenance_margin": 0.005,
        "min_liquidation_distance": 0.1,
        "max_value_at_risk": 0.05,
        "max_shortfall": 0.06,
        "max_stress_loss": 20.0,
        "max_asset_share": 1.0,
        "max_herfindahl": 1.0,
        "max_cluster_exposure": 20.0,
        "cluster_correlation": 0.7,
        "max_risk_age_bars": 2_000,
        "scenarios": 1_000,
        "min_scenarios": 10,
        "scenario_bars": 1,
        "max_open_orders": 6,
        "max_open_entries": 1,
        "max_positions": 1,
        "price_collar": 0.02,
        "price_drift": 0.05,
        "price_drift_seconds": 3_600.0,
        "max_messages": 1_000,
        "message_window_seconds": 10.0,
        "max_orders_per_fill": 1_000.0,
        "max_executions": 1_000,
        "execution_window_seconds": 3_600.0,
        "max_similar_orders": 1_000,
        "similar_window_seconds": 3_600.0,
        "similar_price": 0.0005,
        "max_losing_trades": 10,
        "losing_window_seconds": 86_400.0,
        "cool_down_after_exit_seconds": 0.0,
        "launch_trades": 20,
        "launch_size": 0.25,
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


def history(closes: int = 40) -> list[Bar]:
    """Quarter-hour bars up to now, each a thousandth away from the price, up and down by turns."""
    begin = NOW - closes * QUARTER
    bars = []
    for index in range(closes):
        close, opened = PRICE + (PRICE // 1_000) * (1 if index % 2 else -1), begin + index * QUARTER
        bars.append(Bar(opened, opened + QUARTER, close, close, close, close, 10_000))
    return bars


def question(
    *,
    of_account: dict[str, Any] | None = None,
    of_intent: dict[str, Any] | None = None,
    settings: RiskSettings | None = None,
    quantity: Any = 10,
    day_start_equity: Any = EQUITY,
    peak_equity: Any = EQUITY,
    tighten_ppm: int = 1_000_000,
    of_risk: dict[str, Any] | None = None,
    **changes: Any,
) -> Question:
    """Ten lots that every check lets pass."""
    wish, books = intent(**(of_intent or {})), account(**(of_account or {}))
    limits = limits_of(settings or risk_settings(), instrument())
    buying = wish.side > 0
    harmless = Question(
        intent=wish,
        account=books,
        limits=limits,
        amounts=amounts_of(books.equity, day_start_equity, peak_equity, limits, cents_of(instrument()), tighten_ppm),
        instrument="test:BTCUSDT",
        instrument_state=InstrumentState.TRADING,
        min_notional=50_000,
        fee_ppm=1_200,
        quantity=quantity,
        bound_by=SizeRule.RISK,
        notional=quantity * (wish.price if buying else max(wish.price, books.mark)),
        side_exposure=(books.worst_long if buying else books.worst_short) * books.mark,
        other_exposure=(books.worst_short if buying else books.worst_long) * books.mark,
        breaker=BreakerState.ACTIVE,
        lets_exposure_grow=True,
        lets_exposure_shrink=True,
        now=NOW,
        data_time=NOW,
        marked_sent=0,
        closes=40,
        jump_millis=1_000,
        day_volume=1_000_000,
        recent=Recent(),
        sent_today=0,
        fills_today=0,
        losses=0,
        last_exit=0,
        seen=False,
        risk=risk_figures(**(of_risk or {})),
    )
    return msgspec.structs.replace(harmless, **changes)


def risk_figures(**changes: Any) -> RiskFigures:
    """Of 500 USDT, in cents: 1 % value at risk, all lost in the worst stress."""
    figures = RiskFigures(
        value_at_risk=500,
        value_at_risk_before=0,
        shortfall=600,
        shortfall_before=0,
        worst_stress="venue_loss",
        stress_loss=50_000,
        largest_share_ppm=1_000_000,
        herfindahl_ppm=1_000_000,
        cluster="test:BTCUSDT",
        cluster_exposure=50_000,
        scenarios=1_000,
        data_time=NOW,
        bar_ns=QUARTER,
    )
    return msgspec.structs.replace(figures, **changes)


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

    def __init__(
        self, costs_of: CostModel | None = None, models: str = "", further: tuple[Check, ...] = (), **limits: Any
    ) -> None:
        self.models, self.further = models, further
        self.clock = MarketClock(NOW)
        self.seal = ApprovalSeal(KEY)
        self.settings = risk_settings(**limits)
        self.costs = costs_of or costs()
        self.changes: list[BreakerChange] = []
        self.state_at_record: list[BreakerState] = []
        self.gateway = self._new()

    def _new(self) -> RiskGateway:
        return RiskGateway(
            instrument(),
            self.settings,
            self.costs,
            self.clock,
            self.seal,
            self._recorded,
            self.models,
            self.further,
        )

    def _recorded(self, change: BreakerChange) -> None:
        self.changes.append(change)
        self.state_at_record.append(self.gateway.breaker.state)

    def started(self) -> Gate:
        """Probing, as after the first start ever, once enough of the market was seen."""
        for bar in history():
            self.gateway.mark(account(), NOW, bar)
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

    def settled(self, wish: Intent, **books: Any) -> Approval | Refusal:
        """The answer to an intent whose orders are in the books at once, and done."""
        outcome = self.gateway.review(wish, account(**books))
        self.gateway.booked(wish.decision_id, 0)
        return outcome

    def restarted(self) -> Gate:
        """The same state in a new gateway."""
        saved = self.gateway.snapshot()
        self.gateway = self._new()
        self.gateway.restore(saved)
        return self

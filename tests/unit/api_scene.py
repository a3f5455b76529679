"""A small market for the tests of views and API: seeded bars through the real analyzer, hand-made trading on top."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from smc_trading_agent._core import Analyzer, Bar, Bars, Event, Instrument, Step
from smc_trading_agent.domain.breaker import BreakerAnswer, BreakerOrder, BreakerView, KillReport, scope_path
from smc_trading_agent.domain.reasons import BreakerState, OrderPurpose, RefusalReason, SetupKind
from smc_trading_agent.domain.types import (
    AccountView,
    Approval,
    ApprovedOrder,
    Decision,
    Evidence,
    Forecast,
    Intent,
    LimitsView,
    ModelsHealth,
    ModelTestView,
    OrderEvent,
    Refusal,
    RefusalDetail,
    RiskModelView,
    ScheduleReport,
    Setup,
)
from smc_trading_agent.monitoring.health import AgentState, AgentStatus
from smc_trading_agent.monitoring.latency import LatencyBook, LatencyStage
from smc_trading_agent.monitoring.views import ViewStore

API_KEY = "correct horse battery staple"
START = 1_704_067_200_000_000_000
MINUTE = 60_000_000_000
QUARTER = 15 * MINUTE
START_CASH = "10000"


def instrument() -> Instrument:
    return Instrument("test", "SYNUSDT", "0.01", "0.001", "5")


class Reader:
    """The real analyzer behind the port that listeners are given."""

    def __init__(self, traded: Instrument) -> None:
        self._analyzer = Analyzer(traded, "5m", "15m", ["1h", "4h"], "{}")

    @property
    def timeframes(self) -> Sequence[str]:
        return self._analyzer.timeframes

    def advance(self, bars: Bars, start: int) -> Step:
        return self._analyzer.advance(bars, start)

    def __getattr__(self, name: str) -> object:
        return getattr(self._analyzer, name)


def random_bars(count: int, seed: int, first_time: int = START, first_price: int = 4_000_000) -> Bars:
    """Five-minute bars of a random walk whose volatility comes in waves."""
    draw = np.random.default_rng(seed)
    price, bars = first_price, []
    for index in range(count):
        size = 0.0011 * (1.0 + 0.8 * np.sin(index / 190.0)) * price
        path = price + np.cumsum(draw.standard_normal(4) * size / 2.0 + 0.0002 * size * np.sin(index / 400.0))
        close = max(1, round(path[-1]))
        low, high = max(1, min(price, close, round(path.min()))), max(price, close, round(path.max()))
        opened = first_time + index * 5 * MINUTE
        volume = int(draw.integers(1_000, 90_000))
        bars.append(Bar(opened, opened + 5 * MINUTE, price, high, low, close, volume, volume // 2, 10))
        price = close
    return Bars.from_list("5m", bars)


def setup_of(events: Sequence[Event], at: Bar, side: int, number: int) -> Setup:
    """A setup at the close of a bar, resting on the newest events."""
    risk = max(1, at.close // 250)
    evidence = tuple(
        Evidence(
            role=role,
            kind=event.kind,
            timeframe=event.timeframe,
            event_id=event.id,
            direction=event.direction,
            formed_at=event.formed_at,
            confirmed_at=event.confirmed_at,
            low=event.low,
            high=event.high,
        )
        for role, event in zip(("sweep", "choch", "order_block"), events, strict=False)
    )
    return Setup(
        setup_id=f"s{number:020d}",
        instrument="test:SYNUSDT",
        timeframe="15m",
        kind=SetupKind.REVERSAL if number % 3 else SetupKind.CONTINUATION,
        side=side,
        entry=at.close,
        stop=at.close - side * risk,
        target=at.close + 2 * side * risk,
        detected_at=at.close_time,
        entry_expires_at=at.close_time + 3 * QUARTER,
        time_limit_ns=96 * QUARTER,
        higher_timeframe_bias=side,
        evidence=evidence,
    )


def decision_of(setup: Setup, probability: float, taken: bool) -> Decision:
    forecast = Forecast(setup.setup_id, "base_rate", probability, 0.352, 1 / 3, 128, 47.5)
    decision_id = f"d{setup.setup_id[1:]}"
    intent = Intent(
        decision_id=decision_id,
        instrument=setup.instrument,
        purpose=OrderPurpose.ENTRY,
        side=setup.side,
        price=setup.entry,
        stop=setup.stop,
        target=setup.target,
        created_at=setup.detected_at,
        expires_at=setup.entry_expires_at,
        probability=probability,
    )
    return Decision(decision_id, setup.detected_at, setup, forecast, intent if taken else None)


def approval_of(decision: Decision, quantity: int = 250) -> Approval:
    setup = decision.setup
    prices = {OrderPurpose.ENTRY: setup.entry, OrderPurpose.STOP: setup.stop, OrderPurpose.TARGET: setup.target}
    kinds = {OrderPurpose.ENTRY: "limit", OrderPurpose.STOP: "stop_market", OrderPurpose.TARGET: "take_profit"}
    entry_id = f"{decision.decision_id}-entry"
    orders = tuple(
        ApprovedOrder(
            client_order_id=f"{decision.decision_id}-{purpose.value}",
            decision_id=decision.decision_id,
            instrument=setup.instrument,
            purpose=purpose,
            kind=kinds[purpose],
            side=setup.side if purpose is OrderPurpose.ENTRY else -setup.side,
            quantity=quantity,
            price=price,
            expires_at=setup.entry_expires_at if purpose is OrderPurpose.ENTRY else 0,
            reduce_only=purpose is not OrderPurpose.ENTRY,
            parent="" if purpose is OrderPurpose.ENTRY else entry_id,
            seal=b"sealed",
        )
        for purpose, price in prices.items()
    )
    limits = {"risk_at_stop": "50.00", "equity": "10000.00"}
    return Approval(decision.decision_id, decision.time, orders, setup.time_limit_ns, limits)


def refusal_of(decision: Decision, reason: RefusalReason = RefusalReason.BELOW_BREAK_EVEN) -> Refusal:
    context = {"probability": "0.341", "break_even": "0.352"}
    return Refusal(decision.decision_id, "decision_engine", decision.time, (RefusalDetail(reason, context),))


def order_event(order: ApprovedOrder, event: str, state: str, time: int, price: int = 0, fee: int = 0) -> OrderEvent:
    """One step of an order; with a price it is a fill of the whole quantity."""
    return OrderEvent(
        client_order_id=order.client_order_id,
        decision_id=order.decision_id,
        instrument=order.instrument,
        purpose=order.purpose,
        event=event,
        state=state,
        time=time,
        side=order.side,
        quantity=order.quantity,
        price=price or order.price,
        fee=fee,
        liquidity="maker" if price else "",
        trade_id=f"t-{order.client_order_id}" if price else "",
        reason="",
    )


def account_of(traded: Instrument, realised: int, fees: int, position: int, average: float, mark: int) -> AccountView:
    cash = traded.quote_from_str(START_CASH) + realised - fees
    unrealised = round(position * (mark - average)) if position else 0
    return AccountView(
        equity=cash + unrealised,
        cash=cash,
        position=position,
        average_price=average if position else float("nan"),
        mark=mark,
        unrealised=unrealised,
        realised=realised,
        fees=fees,
        open_orders=2 if position else 0,
        open_entries=0,
        worst_long=max(0, position),
        worst_short=min(0, position),
        unknown_orders=0,
    )


class Scene:
    """Bars through the analyzer into a `ViewStore`, with a setup every few bars that is taken or refused by turns."""

    def __init__(self, seed: int = 11) -> None:
        self.instrument = instrument()
        self.views = ViewStore(self.instrument)
        self.latency = LatencyBook()
        self.reader = Reader(self.instrument)
        self._seed = seed
        self._bars_made = 0
        self._price = 4_000_000
        self._recent: list[Event] = []
        self._decisions = 0
        self._realised = self._fees = 0
        self._open: tuple[Approval, Setup] | None = None

    def run(self, decision_bars: int) -> None:
        """Goes on by so many bars of the decision timeframe."""
        seed = self._seed + self._bars_made
        bars = random_bars(3 * decision_bars, seed, START + self._bars_made * 5 * MINUTE, self._price)
        self._bars_made += len(bars)
        self._price = bars[len(bars) - 1].close
        cursor = 0
        while cursor < len(bars):
            step = self.reader.advance(bars, cursor)
            cursor = step.end
            self.views.on_step(step, self.reader)  # type: ignore[arg-type]
            self._recent = (list(step.events) + self._recent)[:30]
            if step.decision_bar is not None:
                self._trade(step.decision_bar)

    def _trade(self, bar: Bar) -> None:
        for number, stage in enumerate(LatencyStage, start=1):
            self.latency.record(stage, 7_000 * number + bar.volume % 5_000)
        if self._open is not None:
            self._close_if_reached(bar)
        index = bar.open_time // QUARTER
        if index % 7 == 0:
            self._judge(bar, side=1 if index % 2 else -1)
        position, average = 0, 0.0
        if self._open is not None:
            position, average = self._open[1].side * 250, float(self._open[1].entry)
        account = account_of(self.instrument, self._realised, self._fees, position, average, bar.close)
        self.views.on_account(account, bar.close_time)

    def _judge(self, bar: Bar, side: int) -> None:
        self._decisions += 1
        setup = setup_of(self._recent[:3], bar, side, self._decisions)
        taken = self._open is None and self._decisions % 2 == 0
        decision = decision_of(setup, 0.41 if taken else 0.341, taken)
        if not taken:
            self.views.on_decision(decision, refusal_of(decision))
            return
        approval = approval_of(decision)
        self.views.on_decision(decision, approval)
        for order in approval.orders:
            self.views.on_order_event(order_event(order, "accept", "open", bar.close_time))
        entry = approval.orders[0]
        self._fees += 200
        self.views.on_order_event(order_event(entry, "fill_complete", "filled", bar.close_time, setup.entry, fee=200))
        self._open = (approval, setup)

    def _close_if_reached(self, bar: Bar) -> None:
        assert self._open is not None
        approval, setup = self._open
        reached = {
            "stop": (bar.low <= setup.stop) if setup.side > 0 else (bar.high >= setup.stop),
            "target": (bar.high >= setup.target) if setup.side > 0 else (bar.low <= setup.target),
        }
        if not any(reached.values()):
            return
        index, other = (1, 2) if reached["stop"] else (2, 1)
        closing, cancelled = approval.orders[index], approval.orders[other]
        self._realised += setup.side * 250 * (closing.price - setup.entry)
        self._fees += 500
        self.views.on_order_event(
            order_event(closing, "fill_complete", "filled", bar.close_time, closing.price, fee=500)
        )
        self.views.on_order_event(order_event(cancelled, "cancel", "canceled", bar.close_time))
        self._open = None


class SceneAgent:
    """A scene as the agent that the API stands before."""

    label, mode, target_ms, cache_hit_rate = "SYNTHETIC", "paper", 50.0, 0.25
    models: ModelsHealth | None = None
    limits = LimitsView(
        "5a" * 8,
        {"max_leverage": 2.0, "allowed_instruments": ["*"]},
        ScheduleReport("sequential", 0),
        RiskModelView(1_000, 250, 1.33, False, {"held": ModelTestView(250, 10, 2.5, "red", 0.0003, 0.5, 1.33, False)}),
    )

    def __init__(self, scene: Scene, key: str | None = API_KEY) -> None:
        self.views, self.latency, self.instrument = scene.views, scene.latency, scene.instrument
        self.api_key_hash = None if key is None else hashlib.sha256(key.encode()).hexdigest()
        self.state, self.breaker, self.error = AgentState.RUNNING, BreakerState.ACTIVE, ""
        self.started = self.stopped = 0
        self.cycles: list[str] = []
        self.orders: list[BreakerOrder] = []
        self.kills: list[tuple[str, str, str]] = []
        self.order_error: Exception | None = None
        self.start_error: Exception | None = None
        self.cycle_error: Exception | None = None

    def start(self) -> None:
        if self.start_error is not None:
            raise self.start_error
        self.started += 1

    def stop(self) -> None:
        self.stopped += 1

    def status(self) -> AgentStatus:
        return AgentStatus(
            state=self.state,
            market="synthetic seed=11",
            error=self.error,
            breaker=self.breaker,
            data_age_seconds=0.25,
            journal_length=321,
            journal_hash="ab" * 32,
            quality={"duplicate": 2},
        )

    def breaker_view(self) -> BreakerView:
        path = scope_path("test", "paper", "BTCUSDT")
        scopes = dict.fromkeys(path, BreakerState.ACTIVE) | {path[2]: self.breaker}
        return BreakerView(self.breaker, scopes, {scope: {} for scope in path}, 0, bool(self.kills), ("d1-stop",))

    def order(self, order: BreakerOrder, timeout_s: float) -> BreakerAnswer:
        if self.order_error is not None:
            raise self.order_error
        self.orders.append(order)
        return BreakerAnswer(True, order.state, f"taken within {timeout_s:g} s")

    def kill(self, scope: str, actor: str, reason: str) -> KillReport:
        self.kills.append((scope, actor, reason))
        return KillReport(len(self.kills) == 1, ("d1-entry",), ("d1-stop",))

    def trigger_cycle(self, actor: str, timeout_s: float) -> dict[str, str | int | float | bool | None]:
        if self.cycle_error is not None:
            raise self.cycle_error
        self.cycles.append(actor)
        return {"setups": 1, "approved": 0, "refused": 1, "timeout_s": timeout_s}

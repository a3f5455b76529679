"""The risk gateway: the only place where an approved order is made.

An intent is sized, put to every check, and either sealed into orders or refused with every reason.
A check that raises, or meets a value that is no number, refuses by its name and halts the breaker. What is approved
counts from that moment on, before any account view shows it. Any thread may ask; one answer is made at a time.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from smc_trading_agent._core import Bar, Instrument
from smc_trading_agent.domain.breaker import scope_path
from smc_trading_agent.domain.clock import Clock, monotonic_ns
from smc_trading_agent.domain.costs import PPM, CostModel
from smc_trading_agent.domain.reasons import (
    BreakerCause,
    BreakerState,
    InstrumentState,
    OrderPurpose,
    RefusalReason,
)
from smc_trading_agent.domain.risk_settings import RiskSettings
from smc_trading_agent.domain.seal import ApprovalSeal
from smc_trading_agent.domain.settings import RiskScheduleSettings
from smc_trading_agent.domain.types import (
    AccountView,
    Approval,
    BreakerChange,
    Intent,
    LimitsView,
    Refusal,
    RefusalDetail,
)
from smc_trading_agent.risk_manager.activity import BRACKET, Activity, Reservation, Reservations, SentOrders
from smc_trading_agent.risk_manager.book_risk import BookRisk
from smc_trading_agent.risk_manager.checks.catalogue import ENTRY_CHECKS, EXIT_CHECKS
from smc_trading_agent.risk_manager.checks.question import Amounts, Check, Question, amounts_of
from smc_trading_agent.risk_manager.circuit_breaker import CircuitBreaker
from smc_trading_agent.risk_manager.evaluation import choose, engine_error, one_after_another
from smc_trading_agent.risk_manager.limits import NS, limit_values, limits_hash, limits_of, ppm
from smc_trading_agent.risk_manager.market_memory import DAY_NS, MarketMemory
from smc_trading_agent.risk_manager.numbers import cents_of, demand_numbers
from smc_trading_agent.risk_manager.orders import bracket, exit_order, shown_limits
from smc_trading_agent.risk_manager.risk_figures import RiskFigures
from smc_trading_agent.risk_manager.sizing import SizeFacts, SizeRule, Sizing, size_entry

STAGE = "risk_manager"
REMEMBERED_DECISIONS = 10_000
NO_SIZE = Sizing(0, None, 0, 0, 0, 0, None, (), 0, SizeRule.NOTHING)
NO_FIGURES = RiskFigures()
SIZE_OF_AN_EXIT = msgspec.structs.replace(NO_SIZE, bound_by=SizeRule.POSITION)


class GatewayRecord(msgspec.Struct):
    """What must survive a restart: references of loss, what was sent, what the market did, the limits in force."""

    day: int = -1
    day_start_equity: int = 0
    peak_equity: int = 0
    data_time: int = 0
    marked_sent: int = 0
    instrument_state: InstrumentState = InstrumentState.TRADING
    sent: dict[str, int] = {}
    activity: Activity = msgspec.field(default_factory=Activity)
    market: MarketMemory = msgspec.field(default_factory=MarketMemory)
    limits: dict[str, Any] = {}
    breaker: bytes = b""
    risk: bytes = b""


class RiskGateway:
    """See the module.

    ``record`` journals each breaker change before it takes effect. ``models`` is the hash of the bundle that forecasts,
    empty where none does. ``further`` are checks that need more than this room knows; they fail closed like the rest.
    """

    def __init__(
        self,
        instrument: Instrument,
        settings: RiskSettings,
        costs: CostModel,
        clock: Clock,
        seal: ApprovalSeal,
        record: Callable[[BreakerChange], None],
        models: str = "",
        further: Sequence[Check] = (),
    ) -> None:
        self._instrument = instrument
        self._key, self._min_notional = instrument.key, instrument.min_notional
        self._costs = costs
        self._fee_ppm = 2 * (costs.taker_fee_ppm + costs.slippage_ppm)
        self._clock = clock
        self._seal = seal
        self._models = models
        self._record = GatewayRecord()
        self._market = self._record.market.readings()
        self._cents = cents_of(instrument)
        self._risk = BookRisk(instrument, settings, clock)
        self._lock = threading.RLock()
        self._reserved = Reservations()
        self._entry_checks: Sequence[Check] = (*ENTRY_CHECKS, *further)
        self._schedule = one_after_another()
        self._amounts_ttl_ns = 0
        self._settings = settings
        self._adopt(settings)
        path = scope_path(instrument.venue, "paper", instrument.key)
        self._breaker = CircuitBreaker(settings, clock, record, path)
        self.check_errors: Counter[str] = Counter()

    @property
    def breaker(self) -> CircuitBreaker:
        """The circuit breaker of this account."""
        return self._breaker

    @property
    def limits(self) -> LimitsView:
        """The limits in force, their hash, and how the checks are run."""
        values = self._record.limits
        errors = dict(self.check_errors)
        return LimitsView(limits_hash(values), dict(values), self._schedule.report, self._risk.view, errors)

    @property
    def limit_values(self) -> dict[str, Any]:
        """The limits in force."""
        return self._record.limits

    def adopt(self, values: dict[str, Any]) -> None:
        """Limits take effect. Raises `pydantic.ValidationError` where one is unknown or out of range."""
        with self._lock:
            self._adopt(RiskSettings.model_validate(self._settings.model_dump() | values))

    def set_instrument_state(self, state: InstrumentState) -> None:
        """What the venue says of the instrument; every other state than `TRADING` takes no new order."""
        with self._lock:
            self._record.instrument_state = state

    def schedule(self, settings: RiskScheduleSettings) -> None:
        """Chooses how checks are run, by measuring them on a question that nothing is known for."""
        with self._lock:
            self.close()
            self._amounts_ttl_ns = round(settings.cache_ttl_seconds * NS)
            question = self._question(EMPTY_INTENT, EMPTY_ACCOUNT, NO_SIZE, 0, self._clock.now())
            self._schedule = choose(settings, self._entry_checks, question, monotonic_ns)

    def close(self) -> None:
        """Ends the threads of the checks, if there are any."""
        self._schedule.close()
        self._schedule = one_after_another()

    def mark(self, account: AccountView, data_time: int, bar: Bar | None = None) -> None:
        """Takes note of the account, the age of the data and the closed decision bar; moves the breaker accordingly."""
        with self._lock:
            try:
                demand_numbers(account)
            except ValueError as error:
                self._halt(engine_error("numbers", error))
                return
            self._mark(account, data_time, bar)

    def review(self, intent: Intent, account: AccountView) -> Approval | Refusal:
        """Approves the intent as sealed orders, or refuses it with every reason."""
        with self._lock:
            check = "numbers"
            try:
                demand_numbers(intent, account)
                check = "gateway"
                if intent.purpose is OrderPurpose.EXIT:
                    return self._review_exit(intent, self._reserved.with_reserved(account))
                return self._review_entry(intent, self._reserved.with_reserved(account))
            except Exception as error:  # noqa: BLE001  fails closed: whatever it is, it is a refusal
                detail = engine_error(check, error)
                self._halt(detail)
                return Refusal(intent.decision_id, STAGE, self._clock.now(), (detail,))

    def booked(self, decision_id: str, orders_sent: int) -> None:
        """The orders of an approval are in the books: account views with so many orders sent include them."""
        with self._lock:
            self._reserved.booked(decision_id, orders_sent)

    @property
    def peak_equity(self) -> int:
        """What drawdown is measured from, in quote units."""
        return self._record.peak_equity

    def rebase_peak(self, equity: int) -> None:
        """Drawdown is measured from ``equity`` on: a person has taken note of the one before."""
        self._record.peak_equity = equity

    def snapshot(self) -> bytes:
        """The whole state, breaker included."""
        self._record.breaker, self._record.risk = self._breaker.snapshot(), self._risk.snapshot()
        return msgspec.json.encode(self._record)

    def restore(self, data: bytes) -> None:
        """Takes over a persisted state as it was, the limits of that time included."""
        self._record = msgspec.json.decode(data, type=GatewayRecord)
        self._breaker.restore(self._record.breaker)
        self._market = self._record.market.readings()
        self._risk.restore(self._record.risk)
        self._adopt(RiskSettings.model_validate(self._settings.model_dump() | self._record.limits))

    def _adopt(self, settings: RiskSettings) -> None:
        self._limits = limits_of(settings, self._instrument)
        self._record.limits = limit_values(settings)
        self._amounts = amounts_of(0, 0, 0, self._limits, self._cents)
        self._amounts_at = 0

    def _halt(self, detail: RefusalDetail) -> None:
        self.check_errors[detail.context["check"]] += 1
        self._breaker.trip(BreakerState.HALTED, BreakerCause.RISK_ENGINE_ERROR, detail.context["error"])

    def _mark(self, account: AccountView, data_time: int, bar: Bar | None) -> None:
        record, now = self._record, self._clock.now()
        record.data_time = data_time
        record.marked_sent = account.orders_sent
        self._reserved.forget(account)
        if now // DAY_NS != record.day:
            record.day, record.day_start_equity = now // DAY_NS, account.equity
            record.activity.new_day(account)
            self._breaker.clear(BreakerCause.DAILY_LOSS)
        record.peak_equity = max(record.peak_equity, account.equity)
        record.activity.follow(account, now, self._models, self._limits)
        if bar is not None:
            record.market.add(bar)
            self._market = record.market.readings()
            self._risk.on_bar(bar, account.position * account.mark)
        if account.unknown_orders == 0:
            self._breaker.clear(BreakerCause.UNKNOWN_ORDERS)
        self._check_losses(account)
        self._breaker.tick(account.open_entries)
        self._amounts_for(account.equity, now)  # ahead of the order that may follow

    def _check_losses(self, account: AccountView) -> None:
        limits, start, peak = self._limits, self._record.day_start_equity, self._record.peak_equity
        loss, fall = start - account.equity, peak - account.equity
        if loss >= start * limits.daily_loss_ppm // PPM:
            self._trip(BreakerState.REDUCING, BreakerCause.DAILY_LOSS, loss)
        if loss >= start * limits.halt_loss_ppm // PPM:
            self._trip(BreakerState.HALTED, BreakerCause.DAILY_LOSS, loss)
        if fall >= peak * limits.drawdown_ppm // PPM:
            self._trip(BreakerState.HALTED, BreakerCause.DRAWDOWN, fall)
        if account.unknown_orders:
            count = account.unknown_orders
            self._breaker.trip(BreakerState.REDUCING, BreakerCause.UNKNOWN_ORDERS, f"{count} orders are UNKNOWN")

    def _trip(self, state: BreakerState, cause: BreakerCause, amount: int) -> None:
        self._breaker.trip(state, cause, f"{cause.value} of {self._instrument.format_quote(amount)}")

    def _review_entry(self, intent: Intent, account: AccountView) -> Approval | Refusal:
        now = self._clock.now()
        worst = intent.price if intent.side > 0 else max(intent.price, account.mark)
        sizing = self._sized(intent, account, worst)
        question = self._question(intent, account, sizing, sizing.lots, now, worst)
        details = self._schedule.evaluate(self._entry_checks, question)
        if details:
            return self._refused(intent, now, details)
        self._remember(intent, now, BRACKET, sizing.lots)
        self._breaker.probe_sent()
        orders = tuple(self._seal.sign(order) for order in bracket(intent, sizing.lots))
        shown = shown_limits(sizing, question, self._limits, self._instrument)
        return Approval(intent.decision_id, now, orders, intent.time_limit_ns, shown)

    def _review_exit(self, intent: Intent, account: AccountView) -> Approval | Refusal:
        now, lots = self._clock.now(), abs(account.position) - account.closing
        question = self._question(intent, account, SIZE_OF_AN_EXIT, lots, now)
        details = self._schedule.evaluate(EXIT_CHECKS, question)
        if details:
            return self._refused(intent, now, details)
        self._remember(intent, now, 1, lots)
        order = self._seal.sign(exit_order(intent, lots))
        return Approval(intent.decision_id, now, (order,), 0, {"position": str(account.position)})

    def _refused(self, intent: Intent, now: int, details: list[RefusalDetail]) -> Refusal:
        for detail in details:
            if detail.reason is RefusalReason.RISK_ENGINE_ERROR:
                self._halt(detail)
            elif detail.reason is RefusalReason.REPEATED_EXECUTION:
                text = f"{detail.context['sent']} entries within {detail.context['window_seconds']} s"
                self._breaker.trip(BreakerState.HALTED, BreakerCause.REPEATED_EXECUTION, text)
        return Refusal(intent.decision_id, STAGE, now, tuple(details))

    def _sized(self, intent: Intent, account: AccountView, worst: int) -> Sizing:
        market, buying = self._market, intent.side > 0
        facts = SizeFacts(
            account.equity,
            intent.price,
            intent.stop,
            intent.target,
            worst,
            (account.worst_long if buying else account.worst_short) * account.mark,
            (account.worst_long + account.worst_short) * account.mark,
            intent.probability,
            market.day_sigma_ppm,
            market.day_volume,
        )
        shares = (ppm(self._breaker.size_factor), self._launch_ppm(), ppm(intent.size_multiplier))
        return size_entry(facts, self._costs, self._limits, shares)

    def _launch_ppm(self) -> int:
        """Share of the normal size that the launch envelope leaves to these models."""
        limits, models = self._limits, self._models
        if not models or self._record.activity.trades.get(models, 0) >= limits.launch_trades:
            return PPM
        return limits.launch_ppm

    def _question(
        self, intent: Intent, account: AccountView, sizing: Sizing, lots: int, now: int, worst: int = 0
    ) -> Question:
        record, breaker, buying = self._record, self._breaker, intent.side > 0
        activity, market, mark = record.activity, self._market, account.mark
        own = (account.worst_long if buying else account.worst_short) * mark
        other = (account.worst_short if buying else account.worst_long) * mark
        notional = lots * worst
        risk = NO_FIGURES
        if intent.purpose is OrderPurpose.ENTRY:
            risk = self._risk.figures(buying, own, other, notional, self._limits.cluster_correlation)
        return Question(
            intent,
            account,
            self._limits,
            self._amounts_for(account.equity, now),
            self._key,
            record.instrument_state,
            self._min_notional,
            self._fee_ppm,
            lots,
            sizing.bound_by,
            notional,
            own,
            other,
            breaker.state,
            breaker.lets_exposure_grow,
            breaker.lets_exposure_shrink,
            now,
            record.data_time,
            record.marked_sent,
            market.closes,
            market.jump_millis,
            market.day_volume,
            activity.recent(now, intent, lots, self._limits),
            account.orders_sent - activity.day_sent,
            account.fills - activity.day_fills,
            len(activity.losses),
            activity.last_exit,
            intent.decision_id in record.sent,
            risk,
        )

    def _amounts_for(self, equity: int, now: int) -> Amounts:
        """What limits work out to; kept while equity and references are the same and it is younger than its time."""
        record, kept = self._record, self._amounts
        start, peak, tighten = record.day_start_equity, record.peak_equity, self._risk.standing.tighten_ppm
        fresh = now - self._amounts_at <= self._amounts_ttl_ns
        if fresh and kept.equity == equity and (kept.day_start, kept.peak, kept.tighten_ppm) == (start, peak, tighten):
            return kept
        self._amounts, self._amounts_at = amounts_of(equity, start, peak, self._limits, self._cents, tighten), now
        return self._amounts

    def _remember(self, intent: Intent, now: int, orders: int, lots: int) -> None:
        entry, sent = orders == BRACKET, self._record.sent
        sent[intent.decision_id] = now
        while len(sent) > REMEMBERED_DECISIONS:
            del sent[next(iter(sent))]
        self._reserved.reserve(intent.decision_id, Reservation(intent.side, lots, orders, entry))
        told = SentOrders(now, orders, intent.side, intent.price, lots) if entry else SentOrders(now, 1, 0, 0, 0)
        self._record.activity.add(told, self._limits)


EMPTY_INTENT = Intent("", "", OrderPurpose.ENTRY, 1, 1, 1, 1, 0, 0, 0.0)
EMPTY_ACCOUNT = AccountView(0, 0, 0, 0.0, 1, 0, 0, 0, 0, 0, 0, 0, 0)

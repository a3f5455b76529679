"""The risk gateway: the only place where an approved order is made.

An intent is sized, put to every check, and either sealed into orders or refused with every reason.
A check that raises, or meets a value that is no number, refuses and halts the breaker.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from smc_trading_agent._core import Instrument
from smc_trading_agent.domain.breaker import scope_path
from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.ids import client_order_id
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState, OrderPurpose, RefusalReason
from smc_trading_agent.domain.seal import ApprovalSeal
from smc_trading_agent.domain.settings import RiskSettings
from smc_trading_agent.domain.types import (
    AccountView,
    Approval,
    ApprovedOrder,
    BreakerChange,
    Intent,
    Refusal,
    RefusalDetail,
)
from smc_trading_agent.risk_manager.checks import ENTRY_CHECKS, Question
from smc_trading_agent.risk_manager.circuit_breaker import CircuitBreaker
from smc_trading_agent.risk_manager.sizing import Sizing, share_of, size_entry

STAGE = "risk_manager"
DAY_NS = 86_400_000_000_000
REMEMBERED_DECISIONS = 10_000


class GatewayRecord(msgspec.Struct):
    """What must survive a restart: the loss of the day, the peak, and which decisions were sent."""

    day: int = -1
    day_start_equity: int = 0
    peak_equity: int = 0
    data_time: int = 0
    sent: dict[str, int] = {}
    breaker: bytes = b""


class RiskGateway:
    """See the module. ``record`` journals each breaker change before it takes effect."""

    def __init__(
        self,
        instrument: Instrument,
        settings: RiskSettings,
        costs: CostModel,
        clock: Clock,
        seal: ApprovalSeal,
        record: Callable[[BreakerChange], None],
    ) -> None:
        self._instrument = instrument
        self._settings = settings
        self._costs = costs
        self._clock = clock
        self._seal = seal
        self._record = GatewayRecord()
        path = scope_path(instrument.venue, "paper", instrument.key)
        self._breaker = CircuitBreaker(settings, clock, record, path)

    @property
    def breaker(self) -> CircuitBreaker:
        """The circuit breaker of this account."""
        return self._breaker

    def mark(self, account: AccountView, data_time: int) -> None:
        """Takes note of the account and the age of the data; trips or releases the breaker accordingly."""
        try:
            _demand_numbers(account)
        except ValueError as error:
            self._halt(error)
            return
        record, now = self._record, self._clock.now()
        record.data_time = data_time
        if now // DAY_NS != record.day:
            record.day, record.day_start_equity = now // DAY_NS, account.equity
            self._breaker.clear(BreakerCause.DAILY_LOSS)
        record.peak_equity = max(record.peak_equity, account.equity)
        if account.unknown_orders == 0:
            self._breaker.clear(BreakerCause.UNKNOWN_ORDERS)
        self._check_losses(account)
        self._breaker.tick(account.open_entries)

    def review(self, intent: Intent, account: AccountView) -> Approval | Refusal:
        """Approves the intent as sealed orders, or refuses it with every reason."""
        try:
            _demand_numbers(intent, account)
            if intent.purpose is OrderPurpose.EXIT:
                return self._review_exit(intent, account)
            return self._review_entry(intent, account)
        except Exception as error:  # noqa: BLE001  fails closed: whatever it is, it is a refusal
            detail = RefusalDetail(RefusalReason.RISK_ENGINE_ERROR, {"error": self._halt(error)})
            return Refusal(intent.decision_id, STAGE, self._clock.now(), (detail,))

    @property
    def peak_equity(self) -> int:
        """What drawdown is measured from, in quote units."""
        return self._record.peak_equity

    def rebase_peak(self, equity: int) -> None:
        """Drawdown is measured from ``equity`` on: a person has taken note of the one before."""
        self._record.peak_equity = equity

    def snapshot(self) -> bytes:
        """The whole state, breaker included."""
        self._record.breaker = self._breaker.snapshot()
        return msgspec.json.encode(self._record)

    def restore(self, data: bytes) -> None:
        """Takes over a persisted state as it was."""
        self._record = msgspec.json.decode(data, type=GatewayRecord)
        self._breaker.restore(self._record.breaker)

    def _halt(self, error: Exception) -> str:
        text = f"{type(error).__name__}: {error}"
        self._breaker.trip(BreakerState.HALTED, BreakerCause.RISK_ENGINE_ERROR, text)
        return text

    def _check_losses(self, account: AccountView) -> None:
        settings, start, peak = self._settings, self._record.day_start_equity, self._record.peak_equity
        loss, fall = start - account.equity, peak - account.equity
        if loss >= share_of(start, settings.max_daily_loss):
            self._trip(BreakerState.REDUCING, BreakerCause.DAILY_LOSS, loss)
        if loss >= share_of(start, settings.halt_daily_loss):
            self._trip(BreakerState.HALTED, BreakerCause.DAILY_LOSS, loss)
        if fall >= share_of(peak, settings.max_drawdown):
            self._trip(BreakerState.HALTED, BreakerCause.DRAWDOWN, fall)
        if account.unknown_orders:
            count = account.unknown_orders
            self._breaker.trip(BreakerState.REDUCING, BreakerCause.UNKNOWN_ORDERS, f"{count} orders are UNKNOWN")

    def _trip(self, state: BreakerState, cause: BreakerCause, amount: int) -> None:
        self._breaker.trip(state, cause, f"{cause.value} of {self._instrument.format_quote(amount)}")

    def _review_entry(self, intent: Intent, account: AccountView) -> Approval | Refusal:
        exposure = max(account.worst_long, account.worst_short) * account.mark
        factor = self._breaker.size_factor
        sizing = size_entry(account.equity, intent.price, intent.stop, exposure, self._costs, self._settings, factor)
        question = self._question(intent, account, sizing.lots)
        details = tuple(detail for check in ENTRY_CHECKS if (detail := check(question)) is not None)
        now = self._clock.now()
        if details:
            return Refusal(intent.decision_id, STAGE, now, details)
        self._remember(intent.decision_id, now)
        self._breaker.probe_sent()
        return Approval(
            decision_id=intent.decision_id,
            time=now,
            orders=tuple(self._seal.sign(order) for order in self._bracket(intent, sizing.lots)),
            time_limit_ns=intent.time_limit_ns,
            limits=self._shown(sizing, question),
        )

    def _review_exit(self, intent: Intent, account: AccountView) -> Approval | Refusal:
        now = self._clock.now()
        details = []
        if not self._breaker.lets_exposure_shrink:
            details.append(RefusalDetail(RefusalReason.BREAKER_NOT_ACTIVE, {"state": self._breaker.state.value}))
        if intent.side not in (1, -1) or account.position * intent.side >= 0:
            context = {"position": str(account.position), "side": str(intent.side)}
            details.append(RefusalDetail(RefusalReason.REDUCE_ONLY_VIOLATION, context))
        if intent.decision_id in self._record.sent:
            details.append(RefusalDetail(RefusalReason.DUPLICATE_DECISION, {"decision_id": intent.decision_id}))
        if details:
            return Refusal(intent.decision_id, STAGE, now, tuple(details))
        self._remember(intent.decision_id, now)
        order = self._order(intent, OrderPurpose.EXIT, "market", intent.side, abs(account.position), 0)
        return Approval(intent.decision_id, now, (self._seal.sign(order),), 0, {"position": str(account.position)})

    def _question(self, intent: Intent, account: AccountView, quantity: int) -> Question:
        return Question(
            intent=intent,
            account=account,
            settings=self._settings,
            quantity=quantity,
            min_notional=self._instrument.min_notional,
            breaker=self._breaker.state,
            lets_exposure_grow=self._breaker.lets_exposure_grow,
            now=self._clock.now(),
            data_time=self._record.data_time,
            day_start_equity=self._record.day_start_equity,
            peak_equity=self._record.peak_equity,
            seen=intent.decision_id in self._record.sent,
        )

    def _remember(self, decision_id: str, now: int) -> None:
        sent = self._record.sent
        sent[decision_id] = now
        while len(sent) > REMEMBERED_DECISIONS:
            del sent[next(iter(sent))]

    def _bracket(self, intent: Intent, lots: int) -> tuple[ApprovedOrder, ...]:
        entry = self._order(intent, OrderPurpose.ENTRY, "limit", intent.side, lots, intent.price)
        parent = entry.client_order_id
        return (
            entry,
            self._order(intent, OrderPurpose.STOP, "stop_market", -intent.side, lots, intent.stop, parent),
            self._order(intent, OrderPurpose.TARGET, "take_profit", -intent.side, lots, intent.target, parent),
        )

    def _order(
        self, intent: Intent, purpose: OrderPurpose, kind: str, side: int, lots: int, price: int, parent: str = ""
    ) -> ApprovedOrder:
        return ApprovedOrder(
            client_order_id=client_order_id(intent.decision_id, purpose),
            decision_id=intent.decision_id,
            instrument=intent.instrument,
            purpose=purpose,
            kind=kind,
            side=side,
            quantity=lots,
            price=price,
            expires_at=intent.expires_at if purpose is OrderPurpose.ENTRY else 0,
            reduce_only=purpose is not OrderPurpose.ENTRY,
            parent=parent,
            seal=b"",
        )

    def _shown(self, sizing: Sizing, question: Question) -> dict[str, str]:
        quantity, quote = self._instrument.format_quantity, self._instrument.format_quote
        return {
            "equity": quote(question.account.equity),
            "risk_budget": quote(share_of(question.account.equity, self._settings.risk_per_trade)),
            "size": quantity(sizing.lots),
            "share_of_normal_size": f"{sizing.factor:g}",
            "size_by_risk": quantity(sizing.by_risk),
            "size_by_order_notional": quantity(sizing.by_order_notional),
            "size_by_position_notional": quantity(sizing.by_position_notional),
            "size_by_exposure": quantity(sizing.by_exposure),
            "notional": quote(question.notional),
            "breaker": question.breaker.value,
        }


def _demand_numbers(*parts: msgspec.Struct) -> None:
    """Raises `ValueError` where a field is NaN or infinite: compared as a size or a price, it could pass."""
    for part in parts:
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{type(part).__name__}.{name} is {value}, not a number that can be judged")

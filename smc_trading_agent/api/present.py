"""From what the views hold to what people read: ticks become prices, states become words."""

from __future__ import annotations

import msgspec

from smc_trading_agent._core import Instrument
from smc_trading_agent.api.answers import ModelsOut
from smc_trading_agent.api.money import average_price, utc
from smc_trading_agent.api.records import AccountOut, LatencyOut, PositionOut, SideWord, TradeOut
from smc_trading_agent.domain.reasons import OrderPurpose
from smc_trading_agent.domain.types import ModelsHealth
from smc_trading_agent.monitoring.latency import LatencyBook
from smc_trading_agent.monitoring.order_board import OrderLine
from smc_trading_agent.monitoring.round_trips import RoundTrip
from smc_trading_agent.monitoring.views import AccountSample, Reading


def side_word(side: int) -> SideWord:
    """+1 is buy, -1 is sell."""
    return "buy" if side > 0 else "sell"


def models_out(models: ModelsHealth | None) -> ModelsOut | None:
    """The models that are served, None where there are none."""
    return None if models is None else ModelsOut.model_validate(msgspec.to_builtins(models))


def trade_out(instrument: Instrument, trade: RoundTrip) -> TradeOut:
    """A round trip for people."""
    return TradeOut(
        number=trade.number,
        decision_id=trade.decision_id,
        symbol=instrument.symbol,
        side=side_word(trade.side),
        quantity=instrument.format_quantity(trade.quantity),
        entry_time=utc(trade.entry_time),
        exit_time=utc(trade.exit_time),
        entry_price=average_price(instrument, trade.entry_price),
        exit_price=average_price(instrument, trade.exit_price),
        gross_pnl=instrument.format_quote(trade.gross),
        fees=instrument.format_quote(trade.fees),
        net_pnl=instrument.format_quote(trade.net),
        closed_by=trade.closed_by.value,
        reason=trade.reason,
    )


def account_out(instrument: Instrument, sample: AccountSample) -> AccountOut:
    """The account for people."""
    account = sample.account
    return AccountOut(
        time=utc(sample.time),
        equity=instrument.format_quote(account.equity),
        cash=instrument.format_quote(account.cash),
        unrealised_pnl=instrument.format_quote(account.unrealised),
        realised_pnl=instrument.format_quote(account.realised),
        fees=instrument.format_quote(account.fees),
        drawdown=sample.drawdown,
        max_drawdown=sample.max_drawdown,
        open_orders=account.open_orders,
        unknown_orders=account.unknown_orders,
    )


def positions_out(instrument: Instrument, reading: Reading) -> list[PositionOut]:
    """The open position, with the stop and target that guard it; an empty list when flat."""
    sample = reading.account
    if sample is None or sample.account.position == 0:
        return []
    account, trade, orders = sample.account, reading.open_trade, reading.working_orders
    return [
        PositionOut(
            symbol=instrument.symbol,
            side=side_word(account.position),
            quantity=instrument.format_quantity(abs(account.position)),
            entry_price=average_price(instrument, account.average_price),
            mark_price=instrument.format_price(account.mark),
            unrealised_pnl=instrument.format_quote(account.unrealised),
            stop_price=_working_price(instrument, orders, OrderPurpose.STOP),
            target_price=_working_price(instrument, orders, OrderPurpose.TARGET),
            opened_at=utc(trade.entry_time) if trade else None,
            decision_id=trade.decision_id if trade else None,
        )
    ]


def latency_out(book: LatencyBook) -> list[LatencyOut]:
    """Every component of the decision path, in its order."""
    return [
        LatencyOut(
            component=row.stage,
            count=row.count,
            mean_ms=row.mean_ms,
            p50_ms=row.p50_ms,
            p90_ms=row.p90_ms,
            p99_ms=row.p99_ms,
            p999_ms=row.p999_ms,
            max_ms=row.max_ms,
            last_ms=row.last_ms,
        )
        for row in book.rows()
    ]


def _working_price(instrument: Instrument, orders: list[OrderLine], purpose: OrderPurpose) -> str | None:
    prices = [line.price for line in orders if line.purpose is purpose]
    return instrument.format_price(prices[-1]) if prices else None

"""Builds the page's object from what the views hold; every function here runs on an API thread."""

from __future__ import annotations

from collections.abc import Sequence

from smc_trading_agent._core import Bar, Event, Instrument, Zone
from smc_trading_agent.api.answers import BreakerWord, CountsOut
from smc_trading_agent.api.handle import AgentHandle
from smc_trading_agent.api.live_models import (
    BarColumns,
    BreakerChangeOut,
    ContextOut,
    DecisionOut,
    EquityColumns,
    EvidenceOut,
    FeatureOut,
    FillOut,
    MarketOut,
    OrderOut,
    ReasonOut,
    StatusOut,
    StructureOut,
    ViewState,
    VoteOut,
    ZoneOut,
)
from smc_trading_agent.api.money import average_price, chart_price, seconds, utc
from smc_trading_agent.api.present import (
    account_out,
    latency_out,
    positions_out,
    side_word,
    trade_out,
)
from smc_trading_agent.domain.reasons import PUBLIC_BREAKER_WORD, REFUSAL_MEANINGS, OrderPurpose
from smc_trading_agent.domain.types import Approval, BreakerChange, Forecast, OrderEvent, Refusal
from smc_trading_agent.monitoring.health import AgentStatus, overall_health
from smc_trading_agent.monitoring.order_board import OrderLine
from smc_trading_agent.monitoring.round_trips import FILL_EVENTS
from smc_trading_agent.monitoring.views import AccountSample, Context, Counts, Cursor, DecisionRecord, Limits, Reading

PAGE = Limits(bars=2_000, structure=600, decisions=150, order_events=1_000, orders_over=60, trades=200)
DRAWN_KINDS = frozenset({"order_block", "fair_value_gap", "liquidity_pool"})
ZONES_EACH = 4  # of each kind, on each side of the price: more would hide the candles


def view_state(handle: AgentHandle, cursor: Cursor | None = None) -> tuple[ViewState, Cursor]:
    """What came after ``cursor`` (everything the page holds, without one), and the cursor to ask with next."""
    instrument = handle.instrument
    reading = handle.views.read(cursor, PAGE)
    status = handle.status()
    state = ViewState(
        revision=reading.cursor.revision,
        reset=reading.reset,
        market=_market(handle, status.market),
        status=_status(handle, status),
        counts=_counts(reading.counts),
        context=[_context(instrument, context) for context in reading.context],
        bars=_bars(instrument, reading.bars),
        equity=_equity(instrument, reading),
        structure=[_structure(instrument, event) for event in reading.structure],
        zones=None if reading.zones is None else _zones(instrument, reading.zones, reading.account),
        decisions=[_decision(instrument, record) for record in reading.decisions],
        orders=None if reading.orders is None else [_order(instrument, line) for line in reading.orders],
        fills=[_fill(instrument, event) for event in reading.order_events if event.event in FILL_EVENTS],
        trades=[trade_out(instrument, trade) for trade in reading.trades],
        positions=positions_out(instrument, reading),
        account=account_out(instrument, reading.account) if reading.account else None,
        breaker_changes=[_breaker_change(change) for change in reading.breaker_changes],
        latency=latency_out(handle.latency),
    )
    return state, reading.cursor


def _market(handle: AgentHandle, market: str) -> MarketOut:
    instrument = handle.instrument
    return MarketOut(
        label=handle.label,
        mode=handle.mode,
        market=market,
        venue=instrument.venue,
        symbol=instrument.symbol,
        timeframe=handle.views.decision_timeframe,
        tick_size=instrument.tick_size,
    )


def _status(handle: AgentHandle, status: AgentStatus) -> StatusOut:
    return StatusOut(
        health=overall_health(status.state, status.breaker),
        state=status.state,
        error=status.error,
        circuit_breaker=BreakerWord(PUBLIC_BREAKER_WORD[status.breaker]),
        breaker_state=status.breaker.value,
        data_age_seconds=status.data_age_seconds,
        journal_length=status.journal_length,
        journal_hash=status.journal_hash,
        target_ms=handle.target_ms,
    )


def _counts(counts: Counts) -> CountsOut:
    return CountsOut(
        bars=counts.bars,
        decisions=counts.decisions,
        taken=counts.taken,
        refused=counts.refused,
        order_events=counts.order_events,
        trades=counts.trades,
        refusals=counts.refusals,
    )


def _context(instrument: Instrument, context: Context) -> ContextOut:
    low, high = context.dealing_range or (None, None)
    return ContextOut(
        timeframe=context.timeframe,
        internal_bias=context.internal_bias,
        swing_bias=context.swing_bias,
        range_low=None if low is None else chart_price(instrument, low),
        range_high=None if high is None else chart_price(instrument, high),
    )


def _bars(instrument: Instrument, bars: Sequence[Bar]) -> BarColumns:
    return BarColumns(
        time=[seconds(bar.open_time) for bar in bars],
        open=[instrument.ticks_to_price(bar.open) for bar in bars],
        high=[instrument.ticks_to_price(bar.high) for bar in bars],
        low=[instrument.ticks_to_price(bar.low) for bar in bars],
        close=[instrument.ticks_to_price(bar.close) for bar in bars],
        volume=[instrument.lots_to_quantity(bar.volume) for bar in bars],
    )


def _equity(instrument: Instrument, reading: Reading) -> EquityColumns:
    return EquityColumns(
        reset=reading.equity_reset,
        time=[seconds(point.time) for point in reading.equity],
        equity=[instrument.quote_to_float(point.equity) for point in reading.equity],
    )


def _structure(instrument: Instrument, event: Event) -> StructureOut:
    return StructureOut(
        id=event.id,
        kind=event.kind,
        timeframe=event.timeframe,
        direction=event.direction,
        side=event.side,
        scope=event.scope,
        formed_at=seconds(event.formed_at),
        confirmed_at=seconds(event.confirmed_at),
        level=instrument.ticks_to_price(event.low),
    )


def _zones(instrument: Instrument, zones: list[Zone], sample: AccountSample | None) -> list[ZoneOut]:
    """Of the kinds that the page draws, the `ZONES_EACH` nearest to the last price, above it and below it."""
    mark = sample.account.mark if sample else 0
    groups: dict[tuple[str, bool], list[tuple[int, Zone]]] = {}
    for zone in zones:
        if zone.kind not in DRAWN_KINDS:
            continue
        low, high = zone.low, zone.high
        distance = max(low - mark, mark - high, 0)
        groups.setdefault((zone.kind, low + high >= 2 * mark), []).append((distance, zone))
    nearest = [
        zone for group in groups.values() for _, zone in sorted(group, key=lambda candidate: candidate[0])[:ZONES_EACH]
    ]
    return [
        ZoneOut(
            id=zone.id,
            kind=zone.kind,
            timeframe=zone.timeframe,
            direction=zone.direction,
            side=zone.side,
            scope=zone.scope,
            state=zone.state,
            touches=zone.touches,
            formed_at=seconds(zone.formed_at),
            confirmed_at=seconds(zone.confirmed_at),
            low=instrument.ticks_to_price(zone.low),
            high=instrument.ticks_to_price(zone.high),
        )
        for zone in nearest
    ]


def _decision(instrument: Instrument, record: DecisionRecord) -> DecisionOut:
    decision, outcome = record.decision, record.outcome
    setup, forecast = decision.setup, decision.forecast
    approval = outcome if isinstance(outcome, Approval) else None
    refusal = outcome if isinstance(outcome, Refusal) else None
    entries = [order for order in approval.orders if order.purpose is OrderPurpose.ENTRY] if approval else []
    return DecisionOut(
        number=record.number,
        id=decision.decision_id,
        time=utc(decision.time),
        kind=setup.kind.value,
        timeframe=setup.timeframe,
        side=side_word(setup.side),
        entry=instrument.format_price(setup.entry),
        stop=instrument.format_price(setup.stop),
        target=instrument.format_price(setup.target),
        reward_risk=setup.reward_ticks / setup.risk_ticks if setup.risk_ticks else 0.0,
        higher_timeframe_bias=setup.higher_timeframe_bias,
        entry_expires_at=utc(setup.entry_expires_at),
        probability=forecast.probability if forecast else None,
        break_even=forecast.break_even if forecast else None,
        chance=forecast.chance if forecast else None,
        samples=forecast.samples if forecast else 0,
        wins=forecast.wins if forecast else 0.0,
        source=forecast.source if forecast else "",
        bundle=forecast.bundle if forecast else "",
        prediction_set=forecast.prediction_set.value if forecast and forecast.prediction_set else "",
        votes=_votes(forecast),
        top_features=_features(forecast),
        size_multiplier=forecast.size_multiplier if forecast else 1.0,
        taken=approval is not None,
        quantity=instrument.format_quantity(entries[0].quantity) if entries else "",
        orders=[order.client_order_id for order in approval.orders] if approval else [],
        limits=approval.limits if approval else {},
        stage=refusal.stage if refusal else "",
        reasons=_reasons(refusal),
        evidence=[
            EvidenceOut(
                role=fact.role,
                kind=fact.kind,
                timeframe=fact.timeframe,
                event_id=fact.event_id,
                direction=fact.direction,
                formed_at=seconds(fact.formed_at),
                confirmed_at=seconds(fact.confirmed_at),
                low=instrument.format_price(fact.low),
                high=instrument.format_price(fact.high),
            )
            for fact in setup.evidence
        ],
    )


def _votes(forecast: Forecast | None) -> list[VoteOut]:
    votes = forecast.votes if forecast else ()
    return [
        VoteOut(expert=vote.expert, status=vote.status.value, probability=vote.probability, weight=vote.weight)
        for vote in votes
    ]


def _features(forecast: Forecast | None) -> list[FeatureOut]:
    shares = forecast.top_features if forecast else ()
    return [FeatureOut(column=share.column, value=share.value, log_odds=share.log_odds) for share in shares]


def _reasons(refusal: Refusal | None) -> list[ReasonOut]:
    details = refusal.details if refusal else ()
    return [
        ReasonOut(reason=detail.reason.value, meaning=REFUSAL_MEANINGS[detail.reason], context=detail.context)
        for detail in details
    ]


def _order(instrument: Instrument, line: OrderLine) -> OrderOut:
    average = line.average_price
    return OrderOut(
        client_order_id=line.client_order_id,
        decision_id=line.decision_id,
        purpose=line.purpose.value,
        side=side_word(line.side),
        state=line.state,
        working=line.working,
        quantity=instrument.format_quantity(line.quantity),
        filled=instrument.format_quantity(line.filled),
        price=instrument.format_price(line.price) if line.price else None,
        average_price=None if average is None else average_price(instrument, average),
        fees=instrument.format_quote(line.fees),
        created_at=utc(line.created_at),
        updated_at=utc(line.updated_at),
        reason=line.reason,
    )


def _fill(instrument: Instrument, event: OrderEvent) -> FillOut:
    return FillOut(
        time=seconds(event.time),
        price=instrument.ticks_to_price(event.price),
        side=event.side,
        purpose=event.purpose.value,
        decision_id=event.decision_id,
    )


def _breaker_change(change: BreakerChange) -> BreakerChangeOut:
    return BreakerChangeOut(
        time=utc(change.time),
        before=change.before.value,
        after=change.after.value,
        cause=change.cause.value,
        detail=change.detail,
        actor=change.actor,
        scope=change.scope,
    )

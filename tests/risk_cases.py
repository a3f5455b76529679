"""Every check of the gate at its boundary: questions that pass (at it, one step below) and that refuse (one above).

Beside them the fields that a check compares, in which a value that is no number must not pass.
"""

from __future__ import annotations

from typing import Any

from smc_trading_agent.domain.reasons import BreakerState, InstrumentState
from smc_trading_agent.risk_manager.activity import Recent
from smc_trading_agent.risk_manager.checks import (
    duplicates,
    exposure,
    freshness,
    loss,
    order_shape,
    price,
    rate,
    size,
    state,
)
from smc_trading_agent.risk_manager.checks.question import Check, Question
from tests.factories import DAY, EQUITY, NOW, NS, PRICE, exit_intent, question, risk_settings
from tests.risk_tail_cases import TAIL_RISK, Cases

COLLAR = PRICE * 2 // 100
DRIFT = PRICE * 5 // 100
DAY_LOSS = 3 * EQUITY // 100
FEES = 1_200


def held(lots: int, **more: Any) -> dict[str, Any]:
    return {"position": lots, "worst_long": max(0, lots), "worst_short": max(0, -lots)} | more


def ask(of_intent: dict[str, Any] | None = None, of_account: dict[str, Any] | None = None, **limits: Any) -> Question:
    """A harmless question but for some fields of the intent, the account, or some limits."""
    return question(of_intent=of_intent, of_account=of_account, settings=risk_settings(**limits))


def closing(position: int, lots: Any, side: int = -1, **of_account: Any) -> Question:
    return question(of_account=held(position, **of_account), quantity=lots, intent=exit_intent(side=side))


def sent(**counts: int) -> dict[str, Recent]:
    return {"recent": Recent(**counts)}


STATE: dict[Check, Cases] = {
    state.breaker: Cases(
        [question(lets_exposure_grow=True)],
        [question(lets_exposure_grow=False, breaker=BreakerState.HALTED)],
        ("question.lets_exposure_grow",),
    ),
    state.exit_breaker: Cases(
        [question(lets_exposure_shrink=True)],
        [question(lets_exposure_shrink=False, breaker=BreakerState.STARTING)],
        ("question.lets_exposure_shrink",),
    ),
    state.instrument_state: Cases(
        [question()],
        [question(instrument_state=other) for other in InstrumentState if other is not InstrumentState.TRADING],
        ("question.instrument_state",),
    ),
    state.known_instrument: Cases(
        [question()],
        [ask({"instrument": "test:ETHUSDT"}), ask({"instrument": ""}), question(instrument="other:BTCUSDT")],
        ("question.instrument",),
    ),
    state.allow_list: Cases(
        [ask(), ask(allowed_instruments=("test:BTCUSDT",)), ask(allowed_instruments=("a:B", "test:BTCUSDT"))],
        [ask(allowed_instruments=()), ask(allowed_instruments=("test:BTCUSD",)), ask(allowed_instruments=("test:*",))],
        (),
    ),
}

FRESHNESS: dict[Check, Cases] = {
    freshness.fresh_data: Cases(
        [
            question(data_time=NOW),
            question(data_time=NOW - 120 * NS),
            question(data_time=NOW - 120 * NS + 1),
            ask(max_data_age_seconds=0),
        ],
        [
            question(data_time=NOW - 120 * NS - 1),
            question(data_time=NOW + 1),
            question(data_time=0),
            question(data_time=NOW - 1, settings=risk_settings(max_data_age_seconds=0)),
        ],
        ("question.now", "question.data_time"),
    ),
    freshness.fresh_signal: Cases(
        [ask({"created_at": NOW}), ask({"created_at": NOW - 60 * NS}), ask({"created_at": NOW - 60 * NS + 1})],
        [ask({"created_at": NOW - 60 * NS - 1}), ask({"created_at": NOW + 1})],
        ("question.now", "intent.created_at"),
    ),
    freshness.fresh_account: Cases(
        [
            question(of_account={"orders_sent": 6}, marked_sent=6),
            question(of_account={"orders_sent": 7}, marked_sent=6),
        ],
        [question(of_account={"orders_sent": 5}, marked_sent=6)],
        ("question.marked_sent", "account.orders_sent"),
    ),
    freshness.market_history: Cases(
        [question(closes=30), question(closes=31)], [question(closes=29), question(closes=0)], ("question.closes",)
    ),
    freshness.price_jump: Cases(
        [question(jump_millis=25_000), question(jump_millis=24_999), ask(max_jump_sigmas=1)],
        [question(jump_millis=25_001), ask(max_jump_sigmas=0)],
        ("question.jump_millis",),
    ),
}

SHORT = {"side": -1, "stop": PRICE + 5_000, "target": PRICE - 10_000}
SHAPE: dict[Check, Cases] = {
    order_shape.price_order: Cases(
        [
            ask({"stop": PRICE - 1, "target": PRICE + 1}),
            ask({"stop": 1}),
            ask({"side": -1, "stop": PRICE + 1, "target": PRICE - 1}),
        ],
        [
            ask({"stop": PRICE}),
            ask({"stop": PRICE + 1}),
            ask({"target": PRICE}),
            ask({"target": PRICE - 1}),
            ask({"stop": 0}),
            ask({"stop": -1}),
            ask({"side": -1}),
            ask({"side": -1, "stop": PRICE + 1, "target": 0}),
            ask({"side": 0}),
            ask({"side": 2}),
        ],
        ("intent.price", "intent.stop", "intent.target", "intent.side"),
    ),
    order_shape.grid: Cases(
        [question()],
        [ask({"price": PRICE + 0.5}), ask({"stop": 1.0}), ask({"target": PRICE * 2.0}), question(quantity=10.0)],
        ("intent.price", "intent.stop", "intent.target", "question.quantity"),
    ),
    order_shape.probability: Cases(
        [ask({"probability": 0.0}), ask({"probability": 1.0}), ask({"probability": 0.5})],
        [ask({"probability": -1e-12}), ask({"probability": 1.0 + 1e-12})],
        ("intent.probability",),
    ),
    order_shape.size_multiplier: Cases(
        [ask({"size_multiplier": 0.25}), ask({"size_multiplier": 1.0}), ask({"size_multiplier": 0.2500001})],
        [ask({"size_multiplier": 0.2499999}), ask({"size_multiplier": 1.0000001}), ask({"size_multiplier": 0.0})],
        ("intent.size_multiplier",),
    ),
}

PRICES: dict[Check, Cases] = {
    price.price_collar: Cases(
        [
            ask({"price": PRICE + COLLAR}),
            ask({"price": PRICE + COLLAR - 1}),
            ask({"price": PRICE - COLLAR}),
            ask(price_collar=0),
        ],
        [
            ask({"price": PRICE + COLLAR + 1}),
            ask({"price": PRICE - COLLAR - 1}),
            ask({"price": 0}, {"mark": 0}),
            ask({"price": PRICE + 1}, price_collar=0),
        ],
        ("intent.price", "account.mark"),
    ),
    price.price_drift: Cases(
        [
            question(),
            question(**sent(lowest_price=PRICE, highest_price=PRICE), of_intent={"price": PRICE + DRIFT}),
            question(**sent(lowest_price=PRICE, highest_price=PRICE), of_intent={"price": PRICE + DRIFT - 1}),
            question(**sent(lowest_price=PRICE, highest_price=PRICE), of_intent={"price": PRICE - DRIFT}),
        ],
        [
            question(**sent(lowest_price=PRICE, highest_price=PRICE), of_intent={"price": PRICE + DRIFT + 1}),
            question(**sent(lowest_price=PRICE, highest_price=PRICE), of_intent={"price": PRICE - DRIFT - 1}),
            question(**sent(lowest_price=PRICE, highest_price=PRICE + 500), of_intent={"price": PRICE - DRIFT}),
        ],
        (),
    ),
    price.self_trade: Cases(
        [
            ask(of_account={"own_sell": PRICE + 1}),
            ask(of_account={"own_buy": PRICE + 1}),
            ask(SHORT, {"own_buy": PRICE - 1}),
            ask(SHORT, {"own_sell": PRICE - 1}),
        ],
        [
            ask(of_account={"own_sell": PRICE}),
            ask(of_account={"own_sell": PRICE - 1}),
            ask(SHORT, {"own_buy": PRICE}),
            ask(SHORT, {"own_buy": PRICE + 1}),
        ],
        ("account.own_sell",),
    ),
}

VOLUME = {"max_volume_share": 0.01}
SIZES: dict[Check, Cases] = {
    size.minimum_size: Cases(
        [question(quantity=1), question(min_notional=10 * PRICE), question(min_notional=10 * PRICE - 1)],
        [
            question(quantity=0),
            question(quantity=0, min_notional=0),
            question(quantity=-1, min_notional=-PRICE),
            question(min_notional=10 * PRICE + 1),
        ],
        ("intent.price", "question.quantity", "question.min_notional"),
    ),
    size.order_quantity: Cases(
        [ask(max_order_quantity="0.010"), ask(max_order_quantity="0.011"), ask(max_order_quantity="0.0109")],
        [ask(max_order_quantity="0.009"), ask(max_order_quantity="0.0099"), ask(max_order_quantity="0")],
        ("question.quantity",),
    ),
    size.order_notional: Cases(
        [question(quantity=200), question(quantity=199)],
        [
            question(quantity=201),
            question(quantity=200, of_account={"equity": EQUITY - 1}),
            question(quantity=200, of_intent=SHORT, of_account={"mark": PRICE + 1}),
            question(quantity=1, settings=risk_settings(max_order_notional=0)),
        ],
        ("question.notional", "account.equity"),
    ),
    size.volume_share: Cases(
        [
            question(day_volume=0),
            question(day_volume=1_000, settings=risk_settings(**VOLUME)),
            question(day_volume=1_001, settings=risk_settings(**VOLUME)),
        ],
        [
            question(day_volume=999, settings=risk_settings(**VOLUME)),
            question(day_volume=0, settings=risk_settings(**VOLUME)),
            question(settings=risk_settings(max_volume_share=0)),
        ],
        (),
    ),
}

GROSS = {"max_leverage": 0.1}
MARGIN_OF_TEN = 10 * PRICE * (100_000 + FEES) // 1_000_000
DISTANCE_OF_TEN = 10 * PRICE * 105_000 // 1_000_000
EXPOSURES: dict[Check, Cases] = {
    exposure.position_quantity: Cases(
        [
            ask(max_position_quantity="0.010"),
            ask(max_position_quantity="0.011"),
            ask(of_account=held(0, worst_long=2), max_position_quantity="0.012"),
            ask(of_account=held(-12), max_position_quantity="0.012"),
            ask(SHORT, held(2), max_position_quantity="0.010"),
        ],
        [
            ask(max_position_quantity="0.009"),
            ask(max_position_quantity="0"),
            ask(of_account=held(0, worst_long=2), max_position_quantity="0.011"),
            ask(of_account=held(-12), max_position_quantity="0.011"),
            ask(SHORT, held(-2), max_position_quantity="0.011"),
        ],
        ("account.worst_long", "account.worst_short", "question.quantity"),
    ),
    exposure.position_notional: Cases(
        [
            ask(of_account=held(190)),
            ask(of_account=held(189)),
            ask(of_account=held(-200)),
            ask(SHORT, held(-190)),
        ],
        [
            ask(of_account=held(191)),
            ask(of_account=held(-201)),
            ask(of_account=held(0, worst_long=191)),
            ask(of_account=held(190, equity=EQUITY - 1)),
            ask(SHORT, held(-191)),
            ask(max_position_notional=0),
        ],
        ("question.side_exposure", "question.other_exposure", "question.notional", "account.equity"),
    ),
    exposure.gross_exposure: Cases(
        [
            ask(of_account=held(390)),
            ask(of_account=held(389)),
            ask(of_account=held(0, worst_long=190, worst_short=200)),
        ],
        [
            ask(of_account=held(391)),
            ask(of_account=held(0, worst_short=391)),
            ask(of_account=held(0, worst_long=191, worst_short=200)),
            ask(max_leverage=0),
        ],
        ("question.side_exposure", "question.other_exposure", "question.notional", "account.equity"),
    ),
    exposure.margin: Cases(
        [ask(of_account={"equity": MARGIN_OF_TEN}), ask(of_account={"equity": MARGIN_OF_TEN + 1})],
        [ask(of_account={"equity": MARGIN_OF_TEN - 1}), ask(of_account={"equity": 0})],
        ("question.side_exposure", "question.notional", "account.equity"),
    ),
    exposure.liquidation_distance: Cases(
        [ask(of_account={"equity": DISTANCE_OF_TEN}), ask(of_account={"equity": DISTANCE_OF_TEN + 1})],
        [ask(of_account={"equity": DISTANCE_OF_TEN - 1}), ask(of_account=held(1, equity=DISTANCE_OF_TEN))],
        ("question.side_exposure", "question.notional", "account.equity"),
    ),
    exposure.open_orders: Cases(
        [ask(of_account={"open_orders": 3}), ask(of_account={"open_orders": 2})],
        [ask(of_account={"open_orders": 4}), ask(max_open_orders=0)],
        ("account.open_orders",),
    ),
    exposure.one_position: Cases(
        [ask(), ask(of_account=held(1), max_positions=2)],
        [ask(of_account=held(1)), ask(of_account=held(-1)), ask(max_positions=0)],
        ("account.position",),
    ),
    exposure.one_entry: Cases(
        [ask(), ask(of_account={"open_entries": 1}, max_open_entries=2)],
        [
            ask(of_account={"open_entries": 1}),
            ask(of_account={"open_entries": 2}, max_open_entries=2),
            ask(max_open_entries=0),
        ],
        ("account.open_entries",),
    ),
    exposure.no_unknown_orders: Cases([ask()], [ask(of_account={"unknown_orders": 1})], ("account.unknown_orders",)),
    exposure.protected_position: Cases([ask()], [ask(of_account=held(1, unprotected=1))], ("account.unprotected",)),
    exposure.reduce_only: Cases(
        [closing(7, 7), closing(7, 6), closing(7, 5, closing=2), closing(-3, 3, side=1)],
        [
            closing(7, 8),
            closing(7, 6, closing=2),
            closing(7, 0, closing=7),
            closing(0, 1),
            closing(-3, 3),
            closing(3, 3, side=1),
            closing(3, 3, side=0),
            closing(3, 3, side=-2),
        ],
        ("account.position", "question.quantity"),
    ),
}

RATES: dict[Check, Cases] = {
    rate.message_rate: Cases(
        [question(**sent(messages=997)), question(**sent(messages=996))],
        [question(**sent(messages=998)), ask(max_messages=2), ask(max_messages=0)],
        (),
    ),
    rate.order_to_trade: Cases(
        [question(sent_today=997), question(sent_today=996), question(sent_today=1_997, fills_today=2)],
        [question(sent_today=998), question(sent_today=1_998, fills_today=2), ask(max_orders_per_fill=0)],
        ("question.sent_today", "question.fills_today"),
    ),
    rate.repeated_execution: Cases(
        [question(**sent(executions=999)), question(**sent(executions=998))],
        [question(**sent(executions=1_000)), question(**sent(executions=1_001)), ask(max_executions=0)],
        (),
    ),
    duplicates.similar_orders: Cases(
        [question(**sent(similar=999)), question(**sent(similar=998))],
        [question(**sent(similar=1_000)), question(**sent(similar=1_001)), ask(max_similar_orders=0)],
        (),
    ),
    duplicates.not_sent_before: Cases([question(seen=False)], [question(seen=True)], ("question.seen",)),
}

LOSSES: dict[Check, Cases] = {
    loss.daily_loss: Cases(
        [ask(of_account={"equity": EQUITY - DAY_LOSS + 1})],
        [
            ask(of_account={"equity": EQUITY - DAY_LOSS}),
            ask(of_account={"equity": EQUITY - DAY_LOSS - 1}),
            ask(max_daily_loss=0),
            question(day_start_equity=0),
            question(day_start_equity=-EQUITY),
        ],
        ("account.equity",),
    ),
    loss.drawdown: Cases(
        [ask(of_account={"equity": EQUITY * 3 // 4 + 1})],
        [
            ask(of_account={"equity": EQUITY * 3 // 4}),
            ask(of_account={"equity": EQUITY * 3 // 4 - 1}),
            ask(max_drawdown=0),
            question(peak_equity=0),
        ],
        ("account.equity",),
    ),
    loss.losing_trades: Cases(
        [question(losses=9), question(losses=8)],
        [question(losses=10), question(losses=11), ask(max_losing_trades=0)],
        ("question.losses",),
    ),
    loss.cool_down: Cases(
        [
            question(last_exit=0, settings=risk_settings(cool_down_after_exit_seconds=60)),
            question(last_exit=NOW - 60 * NS, settings=risk_settings(cool_down_after_exit_seconds=60)),
            question(last_exit=NOW - 60 * NS - 1, settings=risk_settings(cool_down_after_exit_seconds=60)),
            question(last_exit=NOW),
        ],
        [
            question(last_exit=NOW - 60 * NS + 1, settings=risk_settings(cool_down_after_exit_seconds=60)),
            question(last_exit=NOW + DAY, settings=risk_settings(cool_down_after_exit_seconds=60)),
        ],
        ("question.last_exit",),
    ),
}

CASES: dict[Check, Cases] = STATE | FRESHNESS | SHAPE | PRICES | SIZES | EXPOSURES | TAIL_RISK | RATES | LOSSES
"""By check. `tests/unit/test_risk_checks.py` fails where the catalogue has a check that is not here."""

"""The signed and descriptive endpoints of USD-M futures: orders, positions, balances, settings, listen keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from smc_trading_agent.simex import futures_shapes as shapes
from smc_trading_agent.simex.endpoints import Call, Handler, Params, Security
from smc_trading_agent.simex.futures_shapes import ledger_of
from smc_trading_agent.simex.market_rest import FUTURES
from smc_trading_agent.simex.orders import CONDITIONAL_TYPES, Fill, Order
from smc_trading_agent.simex.refusals import Refusal, missing
from smc_trading_agent.simex.requests import FUTURES_TYPES, NewOrder
from smc_trading_agent.simex.rules import Symbol, money_text

SIGNED = Security.SIGNED
DONE = {"code": 200, "msg": "The operation of cancel all open order is done."}
SELF_TRADE = frozenset({"NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"})
MAX_BATCH = 5


def side_of(params: Params) -> bool:
    """True for a buy."""
    side = params.need("side")
    if side not in {"BUY", "SELL"}:
        raise Refusal(-1117, "Invalid side.")
    return side == "BUY"


def self_trade_of(params: Params) -> str | None:
    """The self-trade prevention mode that was asked for."""
    mode = params.text("selfTradePreventionMode")
    if mode is not None and mode not in SELF_TRADE:
        raise Refusal(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
    return mode


def new_order(call: Call, *, stop: str, client_id: str) -> NewOrder:
    """The order that a request asks for; ``stop`` and ``client_id`` are what those two parameters are called."""
    params = call.params
    if params.text("positionSide") not in {None, "BOTH"}:
        raise Refusal(-4061, "Order's position side does not match user's setting.")
    working = params.text("workingType") or "CONTRACT_PRICE"
    if working not in {"CONTRACT_PRICE", "MARK_PRICE"}:
        raise Refusal(-1130, "Data sent for parameter 'workingType' is not valid.")
    return NewOrder(
        account=call.account,
        symbol=call.symbol(),
        buy=side_of(params),
        type=params.need("type"),
        tif=params.text("timeInForce"),
        price=params.decimal("price"),
        quantity=params.decimal("quantity"),
        stop=params.decimal(stop),
        client_id=params.text(client_id),
        reduce_only=params.flag("reduceOnly"),
        close_position=params.flag("closePosition"),
        working_type=working,
        self_trade=self_trade_of(params),
    )


def place(call: Call) -> dict[str, object]:
    """Places an order; conditional types belong to the conditional order service."""
    kind = call.params.need("type")
    if kind in CONDITIONAL_TYPES & FUTURES_TYPES:
        raise Refusal(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
        )
    request = new_order(call, stop="stopPrice", client_id="newClientOrderId")
    order = call.exchange.place(request, call.now_ms)
    shown = shapes.order_shape if call.params.text("newOrderRespType") == "RESULT" else shapes.acknowledged
    return shown(request.symbol, order)


FUTURES.add("POST", "/fapi/v1/order", security=SIGNED, weight=0, orders=1)(place)


@FUTURES.add("POST", "/fapi/v1/order/test", security=SIGNED)
def test_order(call: Call) -> object:
    """Checks an order without placing it."""
    request = new_order(call, stop="stopPrice", client_id="newClientOrderId")
    name = request.symbol.name
    order = request.checked(0, request.client_id or "test", call.exchange.reference(name), call.now_ms)
    return shapes.acknowledged(request.symbol, order)


def found_order(call: Call) -> tuple[Symbol, Order]:
    """The order that a query or cancel names."""
    order_id, client_id = call.params.integer("orderId"), call.params.text("origClientOrderId")
    if order_id is None and client_id is None:
        raise missing("orderId")
    symbol = call.symbol()
    return symbol, call.exchange.find(call.account, symbol.name, order_id, client_id)


@FUTURES.add("GET", "/fapi/v1/order", security=SIGNED)
def query(call: Call) -> object:
    """One order of the account. Like the venue's: those that ended without a fill are kept as long as the rest."""
    return shapes.queried(*found_order(call))


@FUTURES.add("GET", "/fapi/v1/openOrder", security=SIGNED)
def query_open(call: Call) -> object:
    """One open order of the account."""
    symbol, order = found_order(call)
    if not order.open:
        raise Refusal(-2013, "Order does not exist.")
    return shapes.queried(symbol, order)


def cancel(call: Call) -> dict[str, object]:
    """Cancels one order."""
    try:
        symbol, order = found_order(call)
    except Refusal as refusal:
        raise Refusal(-2011, "Unknown order sent.") if refusal.code == -2013 else refusal from None
    return shapes.order_shape(symbol, call.exchange.cancel(order, call.now_ms))


FUTURES.add("DELETE", "/fapi/v1/order", security=SIGNED)(cancel)


@FUTURES.add("DELETE", "/fapi/v1/allOpenOrders", security=SIGNED)
def cancel_all(call: Call) -> object:
    """Cancels every open order in a symbol."""
    call.exchange.cancel_all(call.account, call.symbol().name, call.now_ms)
    return DONE


def _each(call: Call, requests: Sequence[Mapping[str, object]], handle: Handler) -> list[object]:
    answers: list[object] = []
    for values in requests:
        sent = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}
        try:
            answers.append(handle(Call(call.venue, call.exchange, call.account, Params(sent), call.now_ms)))
        except Refusal as refusal:
            answers.append(refusal.body())
    return answers


def _listed(params: Params, name: str) -> list[object]:
    try:
        found = msgspec.json.decode(params.need(name), type=list[object])
    except msgspec.DecodeError:
        raise Refusal(-1130, f"Data sent for parameter '{name}' is not valid.") from None
    return found


@FUTURES.add("POST", "/fapi/v1/batchOrders", security=SIGNED, weight=5, orders=5)
def place_batch(call: Call) -> object:
    """Places up to five orders; each answers for itself."""
    orders = [order for order in _listed(call.params, "batchOrders") if isinstance(order, dict)]
    if not 1 <= len(orders) <= MAX_BATCH:
        raise Refusal(-4082, "Invalid number of batch place orders.")
    return _each(call, orders, place)


@FUTURES.add("DELETE", "/fapi/v1/batchOrders", security=SIGNED)
def cancel_batch(call: Call) -> object:
    """Cancels several orders of a symbol; each answers for itself."""
    name = "orderIdList" if call.params.text("orderIdList") else "origClientOrderIdList"
    key = "orderId" if name == "orderIdList" else "origClientOrderId"
    symbol = call.symbol().name
    return _each(call, [{"symbol": symbol, key: value} for value in _listed(call.params, name)], cancel)


@FUTURES.add("GET", "/fapi/v1/openOrders", security=SIGNED)
def open_orders(call: Call) -> object:
    """Open orders, of one symbol or of all."""
    return [shapes.queried(call.exchange.symbols[order.symbol], order) for order in own_open_orders(call)]


@FUTURES.add("GET", "/fapi/v1/allOrders", security=SIGNED, weight=5)
def all_orders(call: Call) -> object:
    """Orders of a symbol, over or not, from an id or a time on."""
    return [shapes.queried(call.symbol(), order) for order in own_orders(call)]


def own_open_orders(call: Call) -> list[Order]:
    """The account's open orders, of one symbol or of all."""
    names = {symbol.name for symbol in call.symbols()}
    return [order for order in call.exchange.live[call.account].values() if order.symbol in names]


def own_orders(call: Call) -> list[Order]:
    """The account's orders of a symbol, over or not, from an id or a time on."""
    symbol, (start, end) = call.symbol(), call.params.window()
    first, limit = call.params.integer("orderId") or 0, call.params.limit(500, 1000)
    found = [
        order
        for order in call.exchange.orders[call.account].values()
        if order.symbol == symbol.name and order.id >= first and start <= order.created_ms <= end
    ]
    return found[:limit] if first or start else found[-limit:]


def own_fills(call: Call, most: int) -> list[Fill]:
    """The account's trades in a symbol, from an id or a time on, or of one order."""
    symbol, (start, end) = call.symbol(), call.params.window()
    first, order_id = call.params.integer("fromId") or 0, call.params.integer("orderId")
    limit = call.params.limit(500, most)
    found = [
        fill
        for fill in call.exchange.fills.get(call.account, [])
        if fill.symbol == symbol.name
        and fill.trade_id >= first
        and start <= fill.time_ms <= end
        and order_id in {None, fill.order_id}
    ]
    return found[:limit] if first or start else found[-limit:]


@FUTURES.add("GET", "/fapi/v1/userTrades", security=SIGNED, weight=5)
def user_trades(call: Call) -> object:
    """The account's trades."""
    return [shapes.fill_shape(call.symbol(), fill) for fill in own_fills(call, 1000)]


@FUTURES.add(
    "GET", "/fapi/v2/positionRisk", "/fapi/v3/positionRisk", "/fapi/v1/positionRisk", security=SIGNED, weight=5
)
def position_risk(call: Call) -> object:
    """Positions, of one symbol or of all."""
    wallet = ledger_of(call.exchange).wallets[call.account]
    return [shapes.risk_shape(call.exchange, call.account, wallet.positions[s.name]) for s in call.symbols()]


@FUTURES.add("GET", "/fapi/v2/account", security=SIGNED, weight=5)
def account_v2(call: Call) -> object:
    """The account, with every position."""
    return shapes.account_shape(call.exchange, call.account, 2)


@FUTURES.add("GET", "/fapi/v3/account", security=SIGNED, weight=5)
def account_v3(call: Call) -> object:
    """The account, with the positions that are held."""
    return shapes.account_shape(call.exchange, call.account, 3)


@FUTURES.add("GET", "/fapi/v2/balance", "/fapi/v3/balance", security=SIGNED, weight=5)
def balance(call: Call) -> object:
    """The margin asset's balance."""
    return shapes.balance_shape(call.exchange, call.account)


@FUTURES.add("GET", "/fapi/v1/income", security=SIGNED, weight=30)
def income(call: Call) -> object:
    """Realised profit, fees and funding."""
    start, end = call.params.window()
    kind, symbol = call.params.text("incomeType"), call.params.text("symbol")
    return [
        row | {"income": money_text(int(str(row["income"]))), "asset": "USDT", "info": row["incomeType"]}
        for row in ledger_of(call.exchange).wallets[call.account].income
        if start <= int(str(row["time"])) <= end
        and kind in {None, row["incomeType"]}
        and symbol in {None, row["symbol"]}
    ][-call.params.limit(100, 1000) :]

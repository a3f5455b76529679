"""What an account sets and keeps at USD-M futures: conditional orders, leverage, countdowns, listen keys."""

from __future__ import annotations

from smc_trading_agent.simex import futures_shapes as shapes
from smc_trading_agent.simex.endpoints import Call, Security
from smc_trading_agent.simex.futures_ledger import MAKER_FEE, MAX_LEVERAGE, RATE, TAKER_FEE
from smc_trading_agent.simex.futures_rest import new_order
from smc_trading_agent.simex.futures_shapes import ledger_of
from smc_trading_agent.simex.market_rest import FUTURES
from smc_trading_agent.simex.orders import CONDITIONAL_TYPES, Order
from smc_trading_agent.simex.refusals import Refusal, missing

SIGNED, KEY = Security.SIGNED, Security.KEY
SUCCESS = {"code": 200, "msg": "success"}
DONE = {"code": 200, "msg": "The operation of cancel all open order is done."}


@FUTURES.add("POST", "/fapi/v1/algoOrder", security=SIGNED, weight=0, orders=1)
def place_conditional(call: Call) -> object:
    """Places an order that waits for its trigger price."""
    if call.params.need("algoType") != "CONDITIONAL":
        raise Refusal(-1130, "Data sent for parameter 'algoType' is not valid.")
    request = new_order(call, stop="triggerPrice", client_id="clientAlgoId")
    if request.type not in CONDITIONAL_TYPES:
        raise Refusal(-1116, "Invalid orderType.")
    if request.stop is None:
        raise missing("triggerPrice")
    return shapes.conditional_shape(request.symbol, call.exchange.place_conditional(request, call.now_ms))


def found_conditional(call: Call) -> Order:
    """The conditional order that a query or cancel names."""
    order_id, client_id = call.params.integer("algoId"), call.params.text("clientAlgoId")
    if order_id is None and client_id is None:
        raise missing("algoId")
    return call.exchange.find_conditional(call.account, order_id, client_id)


def _shown(call: Call, order: Order) -> dict[str, object]:
    return shapes.conditional_shape(call.exchange.symbols[order.symbol], order)


@FUTURES.add("GET", "/fapi/v1/algoOrder", security=SIGNED)
def query_conditional(call: Call) -> object:
    """One conditional order."""
    return _shown(call, found_conditional(call))


@FUTURES.add("DELETE", "/fapi/v1/algoOrder", security=SIGNED)
def cancel_conditional(call: Call) -> object:
    """Cancels one conditional order."""
    try:
        order = found_conditional(call)
    except Refusal as refusal:
        raise Refusal(-2011, "Unknown order sent.") if refusal.code == -2013 else refusal from None
    call.exchange.cancel_conditional(order, call.now_ms)
    return {"algoId": order.id, "clientAlgoId": order.client_id, "code": "200", "msg": "success"}


@FUTURES.add("DELETE", "/fapi/v1/algoOpenOrders", security=SIGNED)
def cancel_all_conditional(call: Call) -> object:
    """Cancels every waiting conditional order in a symbol."""
    symbol = call.symbol().name
    for order in list(call.exchange.conditionals[call.account].values()):
        if order.open and order.symbol == symbol:
            call.exchange.cancel_conditional(order, call.now_ms)
    return DONE


@FUTURES.add("GET", "/fapi/v1/openAlgoOrders", security=SIGNED)
def open_conditional(call: Call) -> object:
    """Conditional orders that wait."""
    names = {symbol.name for symbol in call.symbols()}
    waiting = call.exchange.conditionals[call.account].values()
    return [_shown(call, order) for order in waiting if order.open and order.symbol in names]


@FUTURES.add("GET", "/fapi/v1/allAlgoOrders", security=SIGNED, weight=5)
def all_conditional(call: Call) -> object:
    """Conditional orders of a symbol, waiting or over."""
    symbol = call.symbol().name
    return [_shown(call, o) for o in call.exchange.conditionals[call.account].values() if o.symbol == symbol]


@FUTURES.add("POST", "/fapi/v1/leverage", security=SIGNED)
def leverage(call: Call) -> object:
    """Sets the leverage of a symbol."""
    wanted = call.params.need_integer("leverage")
    if not 1 <= wanted <= MAX_LEVERAGE:
        raise Refusal(-4028, f"Leverage {wanted} is not valid")
    position = ledger_of(call.exchange).wallets[call.account].positions[call.symbol().name]
    position.leverage = wanted
    return {"leverage": wanted, "maxNotionalValue": shapes.MAX_NOTIONAL, "symbol": position.symbol}


@FUTURES.add("POST", "/fapi/v1/marginType", security=SIGNED)
def margin_type(call: Call) -> object:
    """Sets the margin type of a symbol. Isolated margin is recorded and shown; margin is reckoned across."""
    wanted = call.params.need("marginType").upper()
    if wanted not in {"ISOLATED", "CROSSED", "CROSS"}:
        raise Refusal(-1130, "Data sent for parameter 'marginType' is not valid.")
    symbol, wanted = call.symbol().name, "isolated" if wanted == "ISOLATED" else "cross"
    position = ledger_of(call.exchange).wallets[call.account].positions[symbol]
    if position.margin_type == wanted:
        raise Refusal(-4046, "No need to change margin type.")
    if any(order.symbol == symbol for order in call.exchange.live[call.account].values()):
        raise Refusal(-4047, "Margin type cannot be changed if there exists open orders.")
    if position.lots:
        raise Refusal(-4048, "Margin type cannot be changed if there exists position.")
    position.margin_type = wanted
    return SUCCESS


@FUTURES.add("GET", "/fapi/v1/positionSide/dual", security=SIGNED, weight=30)
def position_mode(call: Call) -> object:
    """Positions are one-way."""
    return {"dualSidePosition": False}


@FUTURES.add("POST", "/fapi/v1/positionSide/dual", security=SIGNED)
def set_position_mode(call: Call) -> object:
    """Positions stay one-way: asking for that changes nothing, and for the other is refused."""
    if call.params.flag("dualSidePosition"):
        raise Refusal(-1020, "This operation is not supported.")
    raise Refusal(-4059, "No need to change position side.")


@FUTURES.add("GET", "/fapi/v1/multiAssetsMargin", security=SIGNED, weight=30)
def asset_mode(call: Call) -> object:
    """There is one margin asset."""
    return {"multiAssetsMargin": False}


@FUTURES.add("POST", "/fapi/v1/countdownCancelAll", security=SIGNED, weight=10)
def countdown(call: Call) -> object:
    """Cancels all open orders of a symbol unless renewed in time; 0 stops the countdown."""
    symbol, wait = call.symbol().name, call.params.need_integer("countdownTime")
    call.exchange.countdowns.pop((call.account, symbol), None)
    if wait:
        call.exchange.countdowns[call.account, symbol] = call.now_ms + wait
    return {"symbol": symbol, "countdownTime": str(wait)}


@FUTURES.add("GET", "/fapi/v1/commissionRate", security=SIGNED, weight=20)
def commission_rate(call: Call) -> object:
    """The account's fees."""
    rates = {"makerCommissionRate": MAKER_FEE, "takerCommissionRate": TAKER_FEE}
    return {"symbol": call.symbol().name} | {name: f"{rate / RATE:.6f}" for name, rate in rates.items()}


@FUTURES.add("GET", "/fapi/v1/symbolConfig", security=SIGNED, weight=5)
def symbol_config(call: Call) -> object:
    """Leverage and margin type by symbol."""
    positions = ledger_of(call.exchange).wallets[call.account].positions
    return [
        {
            "symbol": s.name,
            "marginType": "ISOLATED" if positions[s.name].margin_type == "isolated" else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": positions[s.name].leverage,
            "maxNotionalValue": shapes.MAX_NOTIONAL,
        }
        for s in call.symbols()
    ]


@FUTURES.add("GET", "/fapi/v1/leverageBracket", security=SIGNED)
def brackets(call: Call) -> object:
    """One bracket for every size."""
    bracket = {
        "bracket": 1,
        "initialLeverage": MAX_LEVERAGE,
        "notionalCap": int(shapes.MAX_NOTIONAL),
        "notionalFloor": 0,
        "maintMarginRatio": 0.004,
        "cum": 0.0,
    }
    return [{"symbol": symbol.name, "brackets": [bracket]} for symbol in call.symbols()]


# ---------------------------------------------------------------- listen keys


@FUTURES.add("POST", "/fapi/v1/listenKey", security=KEY)
def listen_key(call: Call) -> object:
    """The account's listen key, made new or renewed for an hour."""
    return {"listenKey": call.venue.listen_keys.create(call.account, call.now_ms)}


@FUTURES.add("PUT", "/fapi/v1/listenKey", security=KEY)
def keep_listening(call: Call) -> object:
    """Renews the listen key for an hour."""
    return {"listenKey": call.venue.listen_keys.renew(call.account, call.now_ms)}


@FUTURES.add("DELETE", "/fapi/v1/listenKey", security=KEY)
def stop_listening(call: Call) -> object:
    """Closes the listen key and its streams."""
    call.venue.listen_keys.close(call.account)
    return {}

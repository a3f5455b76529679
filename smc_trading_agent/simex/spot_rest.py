"""The endpoints of spot: orders, the account, its trades, and what is listed."""

from __future__ import annotations

from smc_trading_agent.simex import spot_shapes as shapes
from smc_trading_agent.simex.endpoints import Call, Security
from smc_trading_agent.simex.futures_rest import (
    found_order,
    own_fills,
    own_open_orders,
    own_orders,
    self_trade_of,
    side_of,
)
from smc_trading_agent.simex.market_rest import SPOT
from smc_trading_agent.simex.orders import Order
from smc_trading_agent.simex.refusals import Refusal
from smc_trading_agent.simex.requests import SPOT_TYPES, NewOrder
from smc_trading_agent.simex.rules import Symbol, plain

SIGNED = Security.SIGNED
ANSWERS = frozenset({"ACK", "RESULT", "FULL"})


def new_order(call: Call) -> NewOrder:
    """The order that a request asks for."""
    params = call.params
    return NewOrder(
        account=call.account,
        symbol=call.symbol(),
        buy=side_of(params),
        type=params.need("type"),
        tif=params.text("timeInForce"),
        price=params.decimal("price"),
        quantity=params.decimal("quantity"),
        quote_quantity=params.decimal("quoteOrderQty"),
        stop=params.decimal("stopPrice"),
        client_id=params.text("newClientOrderId"),
        self_trade=self_trade_of(params),
    )


def place(call: Call) -> object:
    """Places an order. Limit and market orders answer in full, others with an acknowledgement."""
    request = new_order(call)
    wanted = call.params.text("newOrderRespType") or ("FULL" if request.type in {"LIMIT", "MARKET"} else "ACK")
    if wanted not in ANSWERS:
        raise Refusal(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
    order = call.exchange.place(request, call.now_ms)
    if wanted == "ACK":
        return shapes.acknowledged(order)
    if wanted == "RESULT":
        return shapes.result(request.symbol, order)
    return shapes.full(request.symbol, order, call.exchange.fills.get(call.account, []))


SPOT.add("POST", "/api/v3/order", security=SIGNED, orders=1)(place)


@SPOT.add("POST", "/api/v3/order/test", security=SIGNED)
def test_order(call: Call) -> object:
    """Checks an order without placing it."""
    request = new_order(call)
    name = request.symbol.name
    request.checked(0, request.client_id or "test", call.exchange.reference(name), call.now_ms)
    return {}


@SPOT.add("GET", "/api/v3/order", security=SIGNED, weight=4)
def query(call: Call) -> object:
    """One order of the account."""
    return shapes.queried(*found_order(call))


def _cancel(call: Call, symbol: Symbol, order: Order) -> dict[str, object]:
    order.cancel_id = call.params.text("newClientOrderId") or ""
    return shapes.canceled(symbol, call.exchange.cancel(order, call.now_ms))


@SPOT.add("DELETE", "/api/v3/order", security=SIGNED)
def cancel(call: Call) -> object:
    """Cancels one order."""
    try:
        symbol, order = found_order(call)
    except Refusal as refusal:
        raise Refusal(-2011, "Unknown order sent.") if refusal.code == -2013 else refusal from None
    return _cancel(call, symbol, order)


@SPOT.add("DELETE", "/api/v3/openOrders", security=SIGNED)
def cancel_all(call: Call) -> object:
    """Cancels every open order in a symbol; refused when there is none."""
    symbol = call.symbol()
    mine = [o for o in call.exchange.live[call.account].values() if o.symbol == symbol.name]
    if not mine:
        raise Refusal(-2011, "Unknown order sent.")
    return [_cancel(call, symbol, order) for order in mine]


@SPOT.add("GET", "/api/v3/openOrders", security=SIGNED, weight=6)
def open_orders(call: Call) -> object:
    """Open orders, of one symbol or of all."""
    return [shapes.queried(call.exchange.symbols[order.symbol], order) for order in own_open_orders(call)]


@SPOT.add("GET", "/api/v3/allOrders", security=SIGNED, weight=20)
def all_orders(call: Call) -> object:
    """Orders of a symbol, over or not, from an id or a time on."""
    return [shapes.queried(call.symbol(), order) for order in own_orders(call)]


@SPOT.add("GET", "/api/v3/myTrades", security=SIGNED, weight=20)
def my_trades(call: Call) -> object:
    """The account's trades."""
    return [shapes.fill_shape(call.symbol(), fill) for fill in own_fills(call, 1000)]


@SPOT.add("GET", "/api/v3/account", security=SIGNED, weight=20)
def account(call: Call) -> object:
    """The account's balances."""
    return shapes.account_shape(call.exchange, call.account, call.params.flag("omitZeroBalances"))


@SPOT.add("GET", "/api/v3/avgPrice", weight=2)
def average_price(call: Call) -> object:
    """The mean price of the last five minutes."""
    symbol = call.symbol()
    candle = call.exchange.candles[symbol.name].window(call.now_ms - 300_000)
    ticks = candle.value // candle.lots if candle and candle.lots else call.exchange.last[symbol.name]
    return {"mins": 5, "price": symbol.full_price(ticks), "closeTime": call.now_ms}


def filters_of(symbol: Symbol) -> list[dict[str, object]]:
    """The filters of a symbol."""
    lot, tick = plain(symbol.lot), plain(symbol.tick)
    up, down = f"{symbol.band_up:.4f}", f"{symbol.band_down:.4f}"
    price: dict[str, object] = {"filterType": "PRICE_FILTER", "minPrice": tick}
    return [
        price | {"maxPrice": symbol.price(symbol.max_ticks), "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": symbol.quantity(symbol.max_lots), "stepSize": lot},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": lot,
            "maxQty": symbol.quantity(symbol.market_max_lots),
            "stepSize": lot,
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": up,
            "bidMultiplierDown": "0",
            "askMultiplierUp": "1000000",
            "askMultiplierDown": down,
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": plain(symbol.min_notional),
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": symbol.max_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": symbol.max_conditionals},
    ]


@SPOT.add("GET", "/api/v3/exchangeInfo", weight=20)
def exchange_info(call: Call) -> object:
    """Symbols, filters and limits."""
    exchange = call.exchange
    precisions = ("baseAssetPrecision", "quotePrecision", "quoteAssetPrecision")
    commissions = ("baseCommissionPrecision", "quoteCommissionPrecision")
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "rateLimits": call.venue.limits[exchange.kind].described(),
        "exchangeFilters": [],
        "symbols": [
            {
                "symbol": symbol.name,
                "status": exchange.status[symbol.name],
                "baseAsset": symbol.base,
                "quoteAsset": symbol.quote,
                **dict.fromkeys((*precisions, *commissions), 8),
                "orderTypes": sorted(SPOT_TYPES),
                "icebergAllowed": False,
                "ocoAllowed": False,
                "otoAllowed": False,
                "quoteOrderQtyMarketAllowed": True,
                "allowTrailingStop": False,
                "cancelReplaceAllowed": False,
                "isSpotTradingAllowed": True,
                "isMarginTradingAllowed": False,
                "filters": filters_of(symbol),
                "permissions": [],
                "permissionSets": [["SPOT"]],
                "defaultSelfTradePreventionMode": "NONE",
                "allowedSelfTradePreventionModes": ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
            }
            for symbol in exchange.symbols.values()
        ],
    }

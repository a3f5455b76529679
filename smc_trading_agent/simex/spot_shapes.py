"""How spot orders, trades and balances look in the venue's JSON."""

from __future__ import annotations

from smc_trading_agent.simex.exchange import Exchange
from smc_trading_agent.simex.orders import CONDITIONAL_TYPES, Fill, Order
from smc_trading_agent.simex.rules import Symbol, money_text
from smc_trading_agent.simex.spot_ledger import FEE, SpotLedger

RATE_TEXT = f"{FEE / 1_000_000:.8f}"


def ledger_of(exchange: Exchange) -> SpotLedger:
    """The ledger of a spot market."""
    if not isinstance(exchange.ledger, SpotLedger):
        raise TypeError("a spot ledger was asked for of the futures market")
    return exchange.ledger


def acknowledged(order: Order) -> dict[str, object]:
    """The ``ACK`` answer to a new order."""
    return {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "transactTime": order.updated_ms,
    }


def result(symbol: Symbol, order: Order) -> dict[str, object]:
    """The ``RESULT`` answer to a new order."""
    shape = acknowledged(order) | {
        "price": symbol.price(order.price),
        "origQty": symbol.quantity(order.lots),
        "executedQty": symbol.quantity(order.filled),
        "origQuoteOrderQty": money_text(order.quote_wanted),
        "cummulativeQuoteQty": money_text(order.cost),
        "status": order.status,
        "timeInForce": order.tif,
        "type": order.type,
        "side": order.side,
        "workingTime": order.created_ms,
        "selfTradePreventionMode": order.self_trade,
    }
    return shape | ({"stopPrice": symbol.price(order.stop)} if order.stop else {})


def full(symbol: Symbol, order: Order, fills: list[Fill]) -> dict[str, object]:
    """The ``FULL`` answer to a new order."""
    rows = [
        {
            "price": symbol.price(fill.price),
            "qty": symbol.quantity(fill.lots),
            "commission": money_text(fill.fee),
            "commissionAsset": fill.fee_asset,
            "tradeId": fill.trade_id,
        }
        for fill in fills
        if fill.order_id == order.id
    ]
    return result(symbol, order) | {"fills": rows}


def queried(symbol: Symbol, order: Order) -> dict[str, object]:
    """An order as queries give it."""
    waits = order.type in CONDITIONAL_TYPES and not order.triggered_ms
    shape = result(symbol, order) | {
        "stopPrice": symbol.price(order.stop),
        "icebergQty": symbol.quantity(0),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": not waits,
    }
    del shape["transactTime"]
    return shape


def canceled(symbol: Symbol, order: Order) -> dict[str, object]:
    """The answer to a cancel: the order's id moves aside for that of the cancel."""
    return result(symbol, order) | {
        "origClientOrderId": order.client_id,
        "clientOrderId": order.cancel_id or f"simex-x{order.id}",
    }


def fill_shape(symbol: Symbol, fill: Fill) -> dict[str, object]:
    """A trade of the account."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": symbol.price(fill.price),
        "qty": symbol.quantity(fill.lots),
        "quoteQty": money_text(fill.quote),
        "commission": money_text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time_ms,
        "isBuyer": fill.buy,
        "isMaker": fill.maker,
        "isBestMatch": True,
    }


def account_shape(exchange: Exchange, account: str, skip_empty: bool) -> dict[str, object]:
    """The account query."""
    purse = ledger_of(exchange).purses[account]
    rows = [
        {"asset": asset, "free": money_text(balance.free), "locked": money_text(balance.locked)}
        for asset, balance in sorted(purse.balances.items())
        if balance.free or balance.locked or not skip_empty
    ]
    hundredths = FEE // 100
    return {
        "makerCommission": hundredths,
        "takerCommission": hundredths,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": RATE_TEXT,
            "taker": RATE_TEXT,
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": purse.updated_ms,
        "accountType": "SPOT",
        "balances": rows,
        "permissions": ["SPOT"],
        "uid": 354_937_868,
    }

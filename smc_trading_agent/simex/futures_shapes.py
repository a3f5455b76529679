"""How futures orders, positions and balances look in the venue's JSON."""

from __future__ import annotations

from decimal import Decimal

from smc_trading_agent.simex.exchange import Exchange
from smc_trading_agent.simex.futures_ledger import MAINTENANCE, RATE, FuturesLedger, Position, Wallet
from smc_trading_agent.simex.orders import Fill, Order
from smc_trading_agent.simex.rules import MONEY, Symbol, money_text, plain

MAX_NOTIONAL = "1000000000"


def ledger_of(exchange: Exchange) -> FuturesLedger:
    """The margin ledger of a futures market."""
    if not isinstance(exchange.ledger, FuturesLedger):
        raise TypeError("a futures ledger was asked for of the spot market")
    return exchange.ledger


def average(symbol: Symbol, cost: int, lots: int) -> str:
    """The mean price of ``lots`` that cost money, with the tick's places and three more."""
    places = symbol.places(symbol.tick) + 3
    if not lots:
        return "0.00"
    return plain(round(Decimal(cost) / MONEY / (lots * symbol.lot), places))


def order_shape(symbol: Symbol, order: Order) -> dict[str, object]:
    """An order as every order endpoint gives it; queries add ``time``."""
    return {
        "orderId": order.id,
        "symbol": order.symbol,
        "status": order.status,
        "clientOrderId": order.client_id,
        "price": symbol.price(order.price),
        "avgPrice": average(symbol, order.cost, order.filled),
        "origQty": symbol.quantity(order.lots),
        "executedQty": symbol.quantity(order.filled),
        "cumQty": symbol.quantity(order.filled),
        "cumQuote": money_text(order.cost),
        "timeInForce": order.tif,
        "type": order.type,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": order.side,
        "positionSide": "BOTH",
        "stopPrice": symbol.price(order.stop),
        "workingType": order.working_type,
        "priceProtect": False,
        "origType": order.original_type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": order.self_trade,
        "goodTillDate": 0,
        "updateTime": order.updated_ms,
    }


def acknowledged(symbol: Symbol, order: Order) -> dict[str, object]:
    """The answer to a new order that says only that it was taken, whatever has been filled since."""
    nothing = {"status": "NEW", "executedQty": symbol.quantity(0), "cumQty": symbol.quantity(0)}
    return order_shape(symbol, order) | nothing | {"cumQuote": money_text(0), "avgPrice": "0.00"}


def queried(symbol: Symbol, order: Order) -> dict[str, object]:
    """An order as queries give it."""
    shape = order_shape(symbol, order) | {"time": order.created_ms}
    del shape["cumQty"]
    return shape


def conditional_shape(symbol: Symbol, order: Order) -> dict[str, object]:
    """A conditional order as the conditional order service gives it."""
    return {
        "algoId": order.id,
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": order.type,
        "symbol": order.symbol,
        "side": order.side,
        "positionSide": "BOTH",
        "timeInForce": order.tif,
        "quantity": symbol.quantity(order.lots),
        "algoStatus": order.status,
        "actualOrderId": str(order.actual_id) if order.actual_id else "",
        "actualPrice": "0.00000",
        "triggerPrice": symbol.price(order.stop),
        "price": symbol.price(order.price),
        "icebergQuantity": None,
        "tpTriggerPrice": "0.000",
        "tpPrice": "0.000",
        "slTriggerPrice": "0.000",
        "slPrice": "0.000",
        "tpOrderType": "",
        "selfTradePreventionMode": order.self_trade,
        "workingType": order.working_type,
        "priceMatch": "NONE",
        "closePosition": order.close_position,
        "priceProtect": False,
        "reduceOnly": order.reduce_only,
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.triggered_ms,
        "goodTillDate": 0,
    }


def fill_shape(symbol: Symbol, fill: Fill) -> dict[str, object]:
    """A trade of the account."""
    return {
        "buyer": fill.buy,
        "commission": money_text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "id": fill.trade_id,
        "maker": fill.maker,
        "marginAsset": symbol.quote,
        "orderId": fill.order_id,
        "price": symbol.price(fill.price),
        "qty": symbol.quantity(fill.lots),
        "quoteQty": money_text(fill.quote),
        "realizedPnl": money_text(fill.realised),
        "side": "BUY" if fill.buy else "SELL",
        "positionSide": "BOTH",
        "symbol": fill.symbol,
        "time": fill.time_ms,
    }


def entry_price(symbol: Symbol, position: Position) -> str:
    """Mean entry price, ``0.0`` for a flat position."""
    return average(symbol, position.cost, position.lots) if position.lots else "0.0"


def risk_shape(exchange: Exchange, account: str, position: Position) -> dict[str, object]:
    """A position as the risk query gives it."""
    ledger, symbol = ledger_of(exchange), exchange.symbols[position.symbol]
    wallet = ledger.wallets[account]
    notional = ledger.value(position.symbol, position.lots, exchange.marks[position.symbol])
    margin = ledger.position_margin(position)
    return {
        "symbol": position.symbol,
        "positionSide": "BOTH",
        "positionAmt": symbol.quantity(position.lots),
        "entryPrice": entry_price(symbol, position),
        "breakEvenPrice": entry_price(symbol, position),
        "markPrice": symbol.full_price(exchange.marks[position.symbol]),
        "unRealizedProfit": money_text(ledger.unrealised(position)),
        "liquidationPrice": liquidation_price(ledger, symbol, wallet, position),
        "leverage": str(position.leverage),
        "maxNotionalValue": MAX_NOTIONAL,
        "marginType": position.margin_type,
        "isolatedMargin": "0.00000000",
        "isAutoAddMargin": "false",
        "notional": money_text(notional),
        "isolatedWallet": "0",
        "marginAsset": symbol.quote,
        "initialMargin": money_text(margin),
        "maintMargin": money_text(abs(notional) * MAINTENANCE // RATE),
        "positionInitialMargin": money_text(margin),
        "openOrderInitialMargin": money_text(0),
        "adl": 1 if position.lots else 0,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": position.updated_ms,
    }


def liquidation_price(ledger: FuturesLedger, symbol: Symbol, wallet: Wallet, position: Position) -> str:
    """Where a cross position alone would use up the margin: wallet + value - cost = maintenance of the value."""
    if not position.lots:
        return "0"
    others = sum(ledger.unrealised(p) for p in wallet.positions.values() if p is not position)
    side = 1 if position.lots > 0 else -1
    free = wallet.balance + others - position.cost
    factor = Decimal(1) - side * Decimal(MAINTENANCE) / RATE
    price = -Decimal(free) / (position.lots * factor) / MONEY / symbol.lot
    return plain(round(price, symbol.places(symbol.tick) + 3)) if price > 0 else "0"


def account_shape(exchange: Exchange, account: str, version: int) -> dict[str, object]:
    """The account query, version 2 or 3: version 3 lists only positions that are held."""
    ledger = ledger_of(exchange)
    wallet = ledger.wallets[account]
    totals = totals_of(exchange, account)
    asset = {
        "asset": ledger.asset,
        "walletBalance": totals["wallet"],
        "unrealizedProfit": totals["unrealised"],
        "marginBalance": totals["margin"],
        "maintMargin": totals["maintenance"],
        "initialMargin": totals["initial"],
        "positionInitialMargin": totals["positions"],
        "openOrderInitialMargin": totals["orders"],
        "crossWalletBalance": totals["wallet"],
        "crossUnPnl": totals["unrealised"],
        "availableBalance": totals["available"],
        "maxWithdrawAmount": totals["available"],
        "marginAvailable": True,
        "updateTime": wallet.updated_ms,
    }
    held = [p for p in wallet.positions.values() if version == 2 or p.lots]
    head: dict[str, object] = {}
    if version == 2:
        head = {"feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True, "updateTime": 0}
        head |= {"multiAssetsMargin": False, "tradeGroupId": -1}
    return head | {
        "totalInitialMargin": totals["initial"],
        "totalMaintMargin": totals["maintenance"],
        "totalWalletBalance": totals["wallet"],
        "totalUnrealizedProfit": totals["unrealised"],
        "totalMarginBalance": totals["margin"],
        "totalPositionInitialMargin": totals["positions"],
        "totalOpenOrderInitialMargin": totals["orders"],
        "totalCrossWalletBalance": totals["wallet"],
        "totalCrossUnPnl": totals["unrealised"],
        "availableBalance": totals["available"],
        "maxWithdrawAmount": totals["available"],
        "assets": [asset],
        "positions": [_account_position(exchange, account, p, version) for p in held],
    }


def _account_position(exchange: Exchange, account: str, position: Position, version: int) -> dict[str, object]:
    risk = risk_shape(exchange, account, position)
    shared = ("symbol", "positionSide", "positionAmt", "initialMargin", "maintMargin", "updateTime", "notional")
    shape = {name: risk[name] for name in shared} | {
        "unrealizedProfit": risk["unRealizedProfit"],
        "isolatedWallet": "0",
    }
    if version == 3:
        return shape | {"isolatedMargin": "0.00000000"}
    return shape | {
        "positionInitialMargin": risk["positionInitialMargin"],
        "openOrderInitialMargin": risk["openOrderInitialMargin"],
        "leverage": risk["leverage"],
        "isolated": position.margin_type == "isolated",
        "entryPrice": risk["entryPrice"],
        "breakEvenPrice": risk["breakEvenPrice"],
        "maxNotional": MAX_NOTIONAL,
        "bidNotional": "0",
        "askNotional": "0",
    }


def totals_of(exchange: Exchange, account: str) -> dict[str, str]:
    """The sums of an account as text."""
    ledger = ledger_of(exchange)
    wallet = ledger.wallets[account]
    orders = list(exchange.live[account].values())
    positions = sum(ledger.position_margin(p) for p in wallet.positions.values())
    initial = sum(ledger.initial_margin(p, orders) for p in wallet.positions.values())
    return {
        "wallet": money_text(wallet.balance),
        "unrealised": money_text(sum(ledger.unrealised(p) for p in wallet.positions.values())),
        "margin": money_text(ledger.margin_balance(wallet)),
        "maintenance": money_text(ledger.maintenance(wallet)),
        "positions": money_text(positions),
        "orders": money_text(max(0, initial - positions)),
        "initial": money_text(max(initial, positions)),
        "available": money_text(ledger.available(wallet, orders)),
    }


def balance_shape(exchange: Exchange, account: str) -> list[dict[str, object]]:
    """The balance query."""
    totals, wallet = totals_of(exchange, account), ledger_of(exchange).wallets[account]
    return [
        {
            "accountAlias": "simex",
            "asset": ledger_of(exchange).asset,
            "balance": totals["wallet"],
            "crossWalletBalance": totals["wallet"],
            "crossUnPnl": totals["unrealised"],
            "availableBalance": totals["available"],
            "maxWithdrawAmount": totals["available"],
            "marginAvailable": True,
            "updateTime": wallet.updated_ms,
        }
    ]

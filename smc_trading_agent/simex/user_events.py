"""What the user data streams say: orders, balances and positions, in the forms of both markets."""

from __future__ import annotations

from smc_trading_agent.simex.exchange import Exchange
from smc_trading_agent.simex.futures_shapes import average, entry_price, ledger_of
from smc_trading_agent.simex.orders import CONDITIONAL_TYPES, Fill, Order
from smc_trading_agent.simex.rules import Symbol, money_text
from smc_trading_agent.simex.spot_shapes import ledger_of as spot_ledger_of


def futures_order(exchange: Exchange, order: Order, what: str, fill: Fill | None, now_ms: int) -> dict[str, object]:
    """``ORDER_TRADE_UPDATE``."""
    symbol = exchange.symbols[order.symbol]
    mine = [o for o in exchange.live[order.account].values() if o.symbol == order.symbol]
    bids = sum(o.left * o.price * symbol.unit for o in mine if o.buy)
    asks = sum(o.left * o.price * symbol.unit for o in mine if not o.buy)
    body: dict[str, object] = {
        "s": order.symbol,
        "c": order.client_id,
        "S": order.side,
        "o": order.type,
        "f": order.tif,
        "q": symbol.quantity(order.lots),
        "p": symbol.price(order.price),
        "ap": average(symbol, order.cost, order.filled),
        "sp": symbol.price(order.stop),
        "x": what,
        "X": order.status,
        "i": order.id,
        "l": symbol.quantity(fill.lots if fill else 0),
        "z": symbol.quantity(order.filled),
        "L": symbol.price(fill.price if fill else 0),
        "N": symbol.quote,
        "n": money_text(fill.fee if fill else 0),
        "T": now_ms,
        "t": fill.trade_id if fill else 0,
        "b": money_text(bids),
        "a": money_text(asks),
        "m": bool(fill and fill.maker),
        "R": order.reduce_only,
        "wt": order.working_type,
        "ot": order.original_type,
        "ps": "BOTH",
        "cp": order.close_position,
        "pP": False,
        "si": 0,
        "ss": 0,
        "rp": money_text(fill.realised if fill else 0),
        "V": order.self_trade,
        "pm": "NONE",
        "gtd": 0,
    }
    return {"e": "ORDER_TRADE_UPDATE", "T": now_ms, "E": now_ms, "o": body}


def futures_account(exchange: Exchange, account: str, reason: str, symbol: str, now_ms: int) -> dict[str, object]:
    """``ACCOUNT_UPDATE``."""
    ledger, rules = ledger_of(exchange), exchange.symbols[symbol]
    wallet = ledger.wallets[account]
    position = wallet.positions[symbol]
    balance = money_text(wallet.balance)
    change = money_text(0)
    if reason == "FUNDING_FEE" and wallet.income:
        change = money_text(int(str(wallet.income[-1]["income"])))
    row = {
        "s": symbol,
        "pa": rules.quantity(position.lots),
        "ep": entry_price(rules, position),
        "bep": entry_price(rules, position),
        "cr": money_text(position.realised),
        "up": money_text(ledger.unrealised(position)),
        "mt": position.margin_type,
        "iw": money_text(0),
        "ps": "BOTH",
    }
    body = {
        "m": reason,
        "B": [{"a": ledger.asset, "wb": balance, "cw": balance, "bc": change}],
        "P": [] if reason == "FUNDING_FEE" else [row],
    }
    return {"e": "ACCOUNT_UPDATE", "T": now_ms, "E": now_ms, "a": body}


def conditional(symbol: Symbol, order: Order, now_ms: int) -> dict[str, object]:
    """``ALGO_UPDATE``."""
    body = {
        "caid": order.client_id,
        "aid": order.id,
        "at": "CONDITIONAL",
        "o": order.type,
        "s": order.symbol,
        "S": order.side,
        "ps": "BOTH",
        "f": order.tif,
        "q": symbol.quantity(order.lots),
        "X": order.status,
        "ai": str(order.actual_id) if order.actual_id else "",
        "ap": "0.00000",
        "aq": "0.00000",
        "act": "0",
        "tp": symbol.price(order.stop),
        "p": symbol.price(order.price),
        "V": order.self_trade,
        "wt": order.working_type,
        "pm": "NONE",
        "cp": order.close_position,
        "pP": False,
        "R": order.reduce_only,
        "tt": order.triggered_ms,
        "gtd": 0,
    }
    return {"e": "ALGO_UPDATE", "T": now_ms, "E": now_ms, "o": body}


def spot_order(exchange: Exchange, order: Order, what: str, fill: Fill | None, now_ms: int) -> dict[str, object]:
    """``executionReport``."""
    symbol = exchange.symbols[order.symbol]
    canceled = what == "CANCELED"
    return {
        "e": "executionReport",
        "E": now_ms,
        "s": order.symbol,
        "c": order.cancel_id if canceled and order.cancel_id else order.client_id,
        "S": order.side,
        "o": order.type,
        "f": order.tif,
        "q": symbol.quantity(order.lots),
        "p": symbol.price(order.price),
        "P": symbol.price(order.stop),
        "F": symbol.quantity(0),
        "g": -1,
        "C": order.client_id if canceled else "",
        "x": what,
        "X": order.status,
        "r": "NONE",
        "i": order.id,
        "l": symbol.quantity(fill.lots if fill else 0),
        "z": symbol.quantity(order.filled),
        "L": symbol.price(fill.price if fill else 0),
        "n": money_text(fill.fee) if fill else "0",
        "N": fill.fee_asset if fill else None,
        "T": now_ms,
        "t": fill.trade_id if fill else -1,
        "I": order.id * 2 + order.filled,
        "w": (order.open and order.type not in CONDITIONAL_TYPES) or bool(order.triggered_ms),
        "m": bool(fill and fill.maker),
        "M": False,
        "O": order.created_ms,
        "Z": money_text(order.cost),
        "Y": money_text(fill.quote if fill else 0),
        "Q": money_text(0),
        "W": order.created_ms,
        "V": order.self_trade,
    }


def spot_account(exchange: Exchange, account: str, symbol: str, now_ms: int) -> dict[str, object]:
    """``outboundAccountPosition``."""
    rules = exchange.symbols[symbol]
    purse = spot_ledger_of(exchange).purses[account]
    rows = [
        {"a": asset, "f": money_text(purse.of(asset).free), "l": money_text(purse.of(asset).locked)}
        for asset in (rules.base, rules.quote)
    ]
    return {"e": "outboundAccountPosition", "E": now_ms, "u": now_ms, "B": rows}

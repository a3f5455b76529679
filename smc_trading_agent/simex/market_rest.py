"""Market data that both markets answer alike, but for a few fields: time, depth, trades, candles and tickers."""

from __future__ import annotations

from collections.abc import Sequence

from smc_trading_agent.simex.candles import INTERVALS, MINUTE_MS, Candle
from smc_trading_agent.simex.endpoints import DAY_MS, Call, Table
from smc_trading_agent.simex.futures_shapes import average
from smc_trading_agent.simex.orders import Aggregate, Trade
from smc_trading_agent.simex.refusals import Refusal
from smc_trading_agent.simex.rules import Kind, Symbol, money_text

FUTURES, SPOT = Table(), Table()
DEPTHS = (5, 10, 20, 50, 100, 500, 1000)


def ping(call: Call) -> object:
    """Connectivity."""
    return {}


def server_time(call: Call) -> object:
    """The venue's time."""
    return {"serverTime": call.now_ms}


def levels(symbol: Symbol, side: Sequence[tuple[int, int]]) -> list[list[str]]:
    """Book levels as price and quantity."""
    return [[symbol.price(price), symbol.quantity(lots)] for price, lots in side]


def depth(call: Call) -> object:
    """The book."""
    symbol = call.symbol()
    limit = call.params.integer("limit") or (500 if call.exchange.kind is Kind.FUTURES else 100)
    if call.exchange.kind is Kind.FUTURES and limit not in DEPTHS:
        raise Refusal(-4021, "Limit is not valid.")
    book = call.exchange.books[symbol.name]
    times = {"E": call.now_ms, "T": call.now_ms} if call.exchange.kind is Kind.FUTURES else {}
    sides = {name: levels(symbol, book.depth(bid, limit)) for name, bid in (("bids", True), ("asks", False))}
    return {"lastUpdateId": book.update_id} | times | sides


def candle_row(symbol: Symbol, interval: str, candle: Candle) -> list[object]:
    """A candle as the twelve fields of the candle query."""
    return [
        candle.open_ms,
        symbol.price(candle.open),
        symbol.price(candle.high),
        symbol.price(candle.low),
        symbol.price(candle.close),
        symbol.quantity(candle.lots),
        candle.open_ms + INTERVALS[interval] * MINUTE_MS - 1,
        money_text(candle.value * symbol.unit),
        candle.trades,
        symbol.quantity(candle.bought),
        money_text(candle.bought_value * symbol.unit),
        "0",
    ]


def klines(call: Call) -> object:
    """Candles."""
    symbol, interval = call.symbol(), call.params.need("interval")
    if interval not in INTERVALS:
        raise Refusal(-1120, "Invalid interval.")
    start, end = call.params.window()
    found = call.exchange.candles[symbol.name].of(interval, start, end, call.params.limit(500, 1500))
    return [candle_row(symbol, interval, candle) for candle in found]


def trade_row(symbol: Symbol, trade: Trade) -> dict[str, object]:
    """A public trade."""
    row: dict[str, object] = {
        "id": trade.id,
        "price": symbol.price(trade.price),
        "qty": symbol.quantity(trade.lots),
        "quoteQty": money_text(trade.price * trade.lots * symbol.unit),
        "time": trade.time_ms,
        "isBuyerMaker": trade.buyer_maker,
    }
    return row if symbol.kind is Kind.FUTURES else row | {"isBestMatch": True}


def trades(call: Call) -> object:
    """The newest public trades."""
    symbol = call.symbol()
    newest = list(call.exchange.trades[symbol.name])[-call.params.limit(500, 1000) :]
    return [trade_row(symbol, trade) for trade in newest]


def aggregate_row(symbol: Symbol, aggregate: Aggregate) -> dict[str, object]:
    """An aggregate trade."""
    row: dict[str, object] = {
        "a": aggregate.id,
        "p": symbol.price(aggregate.price),
        "q": symbol.quantity(aggregate.lots),
        "f": aggregate.first,
        "l": aggregate.last,
        "T": aggregate.time_ms,
        "m": aggregate.buyer_maker,
    }
    return row if symbol.kind is Kind.FUTURES else row | {"M": True}


def aggregates(call: Call) -> object:
    """Aggregate trades, the newest or those of a time or id range."""
    symbol, (start, end) = call.symbol(), call.params.window()
    first, limit = call.params.integer("fromId") or 0, call.params.limit(500, 1000)
    kept = call.exchange.aggregates[symbol.name]
    found = [a for a in kept if start <= a.time_ms <= end and a.id >= first]
    chosen = found[:limit] if first or start else found[-limit:]
    return [aggregate_row(symbol, aggregate) for aggregate in chosen]


def ticker_price(call: Call) -> object:
    """The last price, of one symbol or of all."""
    rows: list[dict[str, object]] = [
        {"symbol": s.name, "price": s.price(call.exchange.last[s.name])} for s in call.symbols()
    ]
    if call.exchange.kind is Kind.FUTURES:
        rows = [row | {"time": call.now_ms} for row in rows]
    return rows[0] if call.params.text("symbol") else rows


def book_ticker(call: Call) -> object:
    """Best bid and ask, of one symbol or of all."""
    rows = []
    for symbol in call.symbols():
        book = call.exchange.books[symbol.name]
        row: dict[str, object] = {"symbol": symbol.name}
        for side, bid in (("bid", True), ("ask", False)):
            best = book.best(bid)
            row |= {f"{side}Price": symbol.price(best), f"{side}Qty": symbol.quantity(book.lots_at(bid, best))}
        if symbol.kind is Kind.FUTURES:
            row |= {"time": call.now_ms, "lastUpdateId": book.update_id}
        rows.append(row)
    return rows[0] if call.params.text("symbol") else rows


def day_row(call: Call, symbol: Symbol) -> dict[str, object]:
    """The rolling day of a symbol."""
    since = call.now_ms - DAY_MS
    day = call.exchange.candles[symbol.name].window(since) or Candle(since, 0, 0, 0, 0)
    known = list(call.exchange.trades[symbol.name])
    change = day.close - day.open
    percent = 100 * change / day.open if day.open else 0.0
    row: dict[str, object] = {
        "symbol": symbol.name,
        "priceChange": symbol.price(change),
        "priceChangePercent": f"{percent:.3f}",
        "weightedAvgPrice": average(symbol, day.value * symbol.unit, day.lots),
        "lastPrice": symbol.price(day.close),
        "lastQty": symbol.quantity(known[-1].lots if known else 0),
        "openPrice": symbol.price(day.open),
        "highPrice": symbol.price(day.high),
        "lowPrice": symbol.price(day.low),
        "volume": symbol.quantity(day.lots),
        "quoteVolume": money_text(day.value * symbol.unit),
        "openTime": max(since, day.open_ms),
        "closeTime": call.now_ms,
        "firstId": known[0].id if known else -1,
        "lastId": known[-1].id if known else -1,
        "count": day.trades,
    }
    if symbol.kind is Kind.FUTURES:
        return row
    book = call.exchange.books[symbol.name]
    bid, ask = book.best(True), book.best(False)
    return row | {
        "prevClosePrice": symbol.price(day.open),
        "bidPrice": symbol.price(bid),
        "bidQty": symbol.quantity(book.lots_at(True, bid)),
        "askPrice": symbol.price(ask),
        "askQty": symbol.quantity(book.lots_at(False, ask)),
    }


def ticker_day(call: Call) -> object:
    """The rolling day, of one symbol or of all."""
    rows = [day_row(call, symbol) for symbol in call.symbols()]
    return rows[0] if call.params.text("symbol") else rows


for _table, _root in ((FUTURES, "/fapi/v1"), (SPOT, "/api/v3")):
    _table.add("GET", f"{_root}/ping")(ping)
    _table.add("GET", f"{_root}/time")(server_time)
    _table.add("GET", f"{_root}/depth", weight=5)(depth)
    _table.add("GET", f"{_root}/klines", weight=2)(klines)
    _table.add("GET", f"{_root}/trades", f"{_root}/historicalTrades", weight=5)(trades)
    _table.add("GET", f"{_root}/aggTrades", weight=4)(aggregates)
    _table.add("GET", f"{_root}/ticker/bookTicker", weight=2)(book_ticker)
    _table.add("GET", f"{_root}/ticker/24hr", weight=2)(ticker_day)
FUTURES.add("GET", "/fapi/v1/ticker/price", "/fapi/v2/ticker/price")(ticker_price)
SPOT.add("GET", "/api/v3/ticker/price", weight=2)(ticker_price)

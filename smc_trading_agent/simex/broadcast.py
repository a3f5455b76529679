"""Turns what happens in one market into stream messages: trades at once, books, candles and tickers by the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from smc_trading_agent.simex import user_events
from smc_trading_agent.simex.candles import INTERVALS, MINUTE_MS, Candle
from smc_trading_agent.simex.endpoints import DAY_MS
from smc_trading_agent.simex.exchange import Exchange
from smc_trading_agent.simex.futures_shapes import average
from smc_trading_agent.simex.hub import PRIVATE, Hub
from smc_trading_agent.simex.market_rest import levels
from smc_trading_agent.simex.orders import Aggregate, Fill, Order, Trade
from smc_trading_agent.simex.rules import Kind, Symbol, money_text

DEPTH_MS = {Kind.FUTURES: 250, Kind.SPOT: 1_000}
CANDLE_MS = 250
SECOND_MS = 1_000


@dataclass(slots=True)
class Diff:
    """What has changed in a book since a depth stream's last message."""

    last: int
    due_ms: int
    first: int = 0
    newest: int = 0
    touched: set[tuple[bool, int]] = field(default_factory=set)


class Broadcast:
    """The streams of one market. It watches the exchange for trades and orders, and is flushed by the clock."""

    def __init__(self, exchange: Exchange, hub: Hub, listener: Callable[[str], str | None]) -> None:
        self._exchange = exchange
        self._hub = hub
        self._listener = listener
        self._diffs: dict[str, Diff] = {}
        self._due: dict[str, int] = {}
        self._bests: dict[str, tuple[int, int, int, int]] = {}
        self._aggregates: dict[int, Aggregate] = {}
        self._drained: dict[str, int] = {}
        self._candles: dict[str, tuple[int, bool]] = {}
        exchange.watchers.append(self)

    # ------------------------------------------------------------ what the exchange tells

    def order_event(self, order: Order, what: str, fill: Fill | None, now_ms: int) -> None:
        """An order changed."""
        shape = user_events.futures_order if self._exchange.kind is Kind.FUTURES else user_events.spot_order
        event = shape(self._exchange, order, what, fill, now_ms)
        self._to_user(order.account, event, what)
        if self._exchange.kind is Kind.SPOT and fill is None:
            self.account_event(order.account, "ORDER", order.symbol, now_ms)

    def account_event(self, account: str, reason: str, symbol: str, now_ms: int) -> None:
        """A balance or position changed."""
        if self._exchange.kind is Kind.FUTURES:
            event = user_events.futures_account(self._exchange, account, reason, symbol, now_ms)
        else:
            event = user_events.spot_account(self._exchange, account, symbol, now_ms)
        self._to_user(account, event, reason)

    def conditional_event(self, order: Order, now_ms: int) -> None:
        """A conditional order changed."""
        event = user_events.conditional(self._exchange.symbols[order.symbol], order, now_ms)
        self._to_user(order.account, event, order.status)

    def _to_user(self, account: str, event: dict[str, object], what: str) -> None:
        label = f"{event['e']} {what}"
        if self._exchange.kind is Kind.SPOT:
            self._hub.publish(Kind.SPOT, PRIVATE + account, event, label)
        key = self._listener(account)
        if key is not None and self._exchange.kind is Kind.FUTURES:
            self._hub.publish(Kind.FUTURES, key, event, label)

    def trade_event(self, trade: Trade, aggregate: Aggregate | None) -> None:
        """A public trade."""
        symbol = self._exchange.symbols[trade.symbol]
        if aggregate is not None:
            self._aggregates[aggregate.id] = aggregate
        data: dict[str, object] = {
            "e": "trade",
            "E": trade.time_ms,
            "T": trade.time_ms,
            "s": trade.symbol,
            "t": trade.id,
            "p": symbol.price(trade.price),
            "q": symbol.quantity(trade.lots),
            "X": "MARKET",
            "m": trade.buyer_maker,
        }
        if symbol.kind is Kind.SPOT:
            del data["X"]
            data["M"] = True
        self._send(symbol, "trade", data)

    def _send(self, symbol: Symbol, channel: str, data: dict[str, object]) -> None:
        self._hub.publish(symbol.kind, f"{symbol.name.lower()}@{channel}", data, str(data.get("e", "")))

    # ------------------------------------------------------------ what the clock brings

    def flush(self, now_ms: int) -> None:
        """Sends everything that is due."""
        for aggregate in self._aggregates.values():
            self._send_aggregate(aggregate, now_ms)
        self._aggregates.clear()
        wanted = self._hub.wanted(self._exchange.kind)
        for symbol in self._exchange.symbols.values():
            self._collect(symbol, wanted, now_ms)
            self._send_best(symbol, now_ms)
            prefix = f"{symbol.name.lower()}@"
            for stream in sorted(wanted):
                if stream.startswith(prefix):
                    self._send_timed(symbol, stream, stream.removeprefix(prefix), now_ms)
        self._due = {stream: due for stream, due in self._due.items() if stream in wanted}
        self._diffs = {stream: diff for stream, diff in self._diffs.items() if stream in wanted}

    def _send_aggregate(self, aggregate: Aggregate, now_ms: int) -> None:
        symbol = self._exchange.symbols[aggregate.symbol]
        data: dict[str, object] = {
            "e": "aggTrade",
            "E": now_ms,
            "s": symbol.name,
            "a": aggregate.id,
            "p": symbol.price(aggregate.price),
            "q": symbol.quantity(aggregate.lots),
            "f": aggregate.first,
            "l": aggregate.last,
            "T": aggregate.time_ms,
            "m": aggregate.buyer_maker,
        }
        self._send(symbol, "aggTrade", data if symbol.kind is Kind.FUTURES else data | {"M": True})

    def _collect(self, symbol: Symbol, wanted: set[str], now_ms: int) -> None:
        """Hands the book's new changes to every depth stream of the symbol."""
        book, prefix = self._exchange.books[symbol.name], f"{symbol.name.lower()}@depth"
        changes = book.drain()
        before = self._drained.get(symbol.name, book.update_id if not changes else changes[0][0] - 1)
        self._drained[symbol.name] = book.update_id
        for stream in wanted:
            if not stream.startswith(prefix) or stream.removeprefix(prefix).split("@")[0]:
                continue
            diff = self._diffs.setdefault(stream, Diff(last=before, due_ms=now_ms))
            for number, bid, price in changes:
                diff.first = diff.first or number
                diff.newest = number
                diff.touched.add((bid, price))

    def _send_best(self, symbol: Symbol, now_ms: int) -> None:
        book = self._exchange.books[symbol.name]
        bid, ask = book.best(True), book.best(False)
        best = (bid, book.lots_at(True, bid), ask, book.lots_at(False, ask))
        if best == self._bests.get(symbol.name):
            return
        self._bests[symbol.name] = best
        data: dict[str, object] = {
            "u": book.update_id,
            "s": symbol.name,
            "b": symbol.price(bid),
            "B": symbol.quantity(best[1]),
            "a": symbol.price(ask),
            "A": symbol.quantity(best[3]),
        }
        if symbol.kind is Kind.FUTURES:
            data = {"e": "bookTicker", "E": now_ms, "T": now_ms} | data
        self._send(symbol, "bookTicker", data)

    def _is_due(self, stream: str, every_ms: int, now_ms: int) -> bool:
        if now_ms < self._due.get(stream, 0):
            return False
        self._due[stream] = now_ms + every_ms
        return True

    def _send_timed(self, symbol: Symbol, stream: str, channel: str, now_ms: int) -> None:
        name, _, speed = channel.partition("@")
        if name.startswith("depth"):
            every = int(speed.removesuffix("ms")) if speed.endswith("ms") else DEPTH_MS[symbol.kind]
            self._send_depth(symbol, stream, channel, name.removeprefix("depth"), every, now_ms)
        elif name.startswith("kline_") and name.removeprefix("kline_") in INTERVALS:
            if self._is_due(stream, CANDLE_MS, now_ms):
                self._send_candle(symbol, stream, channel, name.removeprefix("kline_"), now_ms)
        elif name == "markPrice" and symbol.kind is Kind.FUTURES:
            if self._is_due(stream, SECOND_MS if speed == "1s" else 3 * SECOND_MS, now_ms):
                self._send(symbol, channel, self._mark(symbol, now_ms))
        elif name in {"ticker", "miniTicker"} and self._is_due(stream, SECOND_MS, now_ms):
            self._send(symbol, channel, self._day(symbol, name == "miniTicker", now_ms))

    def _send_depth(
        self, symbol: Symbol, stream: str, channel: str, count: str, every_ms: int, now_ms: int
    ) -> None:  # fmt: skip
        book = self._exchange.books[symbol.name]
        futures = symbol.kind is Kind.FUTURES
        if count.isdigit():
            if self._is_due(stream, every_ms, now_ms):
                sides = (levels(symbol, book.depth(bid, int(count))) for bid in (True, False))
                bids, asks = sides
                head = {"e": "depthUpdate", "E": now_ms, "T": now_ms, "s": symbol.name, "U": book.update_id}
                tail = {"u": book.update_id, "pu": book.update_id, "b": bids, "a": asks}
                plain = {"lastUpdateId": book.update_id, "bids": bids, "asks": asks}
                self._send(symbol, channel, head | tail if futures else plain)
            return
        diff = self._diffs.get(stream)
        if diff is None or not diff.touched or now_ms < diff.due_ms:
            return
        sides = (
            [[symbol.price(p), symbol.quantity(book.lots_at(bid, p))] for b, p in sorted(diff.touched) if b is bid]
            for bid in (True, False)
        )
        bids, asks = sides
        data: dict[str, object] = {"e": "depthUpdate", "E": now_ms}
        data |= {"T": now_ms} if futures else {}
        data |= {"s": symbol.name, "U": diff.first if futures else diff.last + 1, "u": diff.newest}
        data |= {"pu": diff.last} if futures else {}
        self._send(symbol, channel, data | {"b": bids, "a": asks})
        self._diffs[stream] = Diff(last=diff.newest, due_ms=now_ms + every_ms)

    def _send_candle(self, symbol: Symbol, stream: str, channel: str, interval: str, now_ms: int) -> None:
        """Sends the candle being made; and the one before it once more when it was last sent unfinished."""
        sent, over = self._candles.get(stream, (0, True))
        for candle in self._exchange.candles[symbol.name].last_two(interval):
            body = candle_body(symbol, interval, candle, now_ms)
            if candle.open_ms < sent or (candle.open_ms == sent and over) or (not sent and body["x"]):
                continue
            self._send(symbol, channel, {"e": "kline", "E": now_ms, "s": symbol.name, "k": body})
            self._candles[stream] = (candle.open_ms, bool(body["x"]))

    def _mark(self, symbol: Symbol, now_ms: int) -> dict[str, object]:
        mark = symbol.full_price(self._exchange.marks[symbol.name])
        rate, due = money_text(self._exchange.funding_rate), self._exchange.next_funding_ms
        head = {"e": "markPriceUpdate", "E": now_ms, "s": symbol.name}
        return head | {"p": mark, "ap": mark, "i": mark, "P": mark, "r": rate, "T": due}

    def _day(self, symbol: Symbol, mini: bool, now_ms: int) -> dict[str, object]:
        day = self._exchange.candles[symbol.name].window(now_ms - DAY_MS) or Candle(now_ms, 0, 0, 0, 0)
        data: dict[str, object] = {
            "e": "24hrMiniTicker" if mini else "24hrTicker",
            "E": now_ms,
            "s": symbol.name,
            "c": symbol.price(day.close),
            "o": symbol.price(day.open),
            "h": symbol.price(day.high),
            "l": symbol.price(day.low),
            "v": symbol.quantity(day.lots),
            "q": money_text(day.value * symbol.unit),
        }
        if mini:
            return data
        change = day.close - day.open
        known = self._exchange.trades[symbol.name]
        return data | {
            "p": symbol.price(change),
            "P": f"{100 * change / day.open if day.open else 0.0:.3f}",
            "w": average(symbol, day.value * symbol.unit, day.lots),
            "Q": symbol.quantity(known[-1].lots if known else 0),
            "O": day.open_ms,
            "C": now_ms,
            "F": known[0].id if known else -1,
            "L": known[-1].id if known else -1,
            "n": day.trades,
        }


def candle_body(symbol: Symbol, interval: str, candle: Candle, now_ms: int) -> dict[str, object]:
    """The ``k`` of a kline message. ``x``: whether its time is over."""
    end = candle.open_ms + INTERVALS[interval] * MINUTE_MS - 1
    return {
        "t": candle.open_ms,
        "T": end,
        "s": symbol.name,
        "i": interval,
        "f": -1,
        "L": -1,
        "o": symbol.price(candle.open),
        "c": symbol.price(candle.close),
        "h": symbol.price(candle.high),
        "l": symbol.price(candle.low),
        "v": symbol.quantity(candle.lots),
        "n": candle.trades,
        "x": now_ms > end,
        "q": money_text(candle.value * symbol.unit),
        "V": symbol.quantity(candle.bought),
        "Q": money_text(candle.bought_value * symbol.unit),
        "B": "0",
    }

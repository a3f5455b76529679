"""The market around the clients: a price path from the core's synthetic market or a tape, makers and a crowd on it."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from smc_trading_agent._core import Instrument, SyntheticMarket
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.simex.candles import MINUTE_MS, Candle
from smc_trading_agent.simex.exchange import MAKER, TAKER, Exchange
from smc_trading_agent.simex.rules import Symbol, plain

HISTORY = 600
LEVELS = 12
START_PRICES = {"BTCUSDT": 30_000.0, "ETHUSDT": 2_000.0}
CROWD = 0.6
"""Chance of a crowd order in a step."""


class Minute(NamedTuple):
    """One minute of a price path, in ticks."""

    open: int
    high: int
    low: int
    close: int

    def at(self, part: float) -> int:
        """The price after ``part`` (0 to 1) of the minute: to the nearer extreme, to the other, to the close."""
        first, second = (self.low, self.high) if self.close >= self.open else (self.high, self.low)
        corners = (self.open, first, second, self.close)
        leg = min(2, int(part * 3))
        along = part * 3 - leg
        return round(corners[leg] + (corners[leg + 1] - corners[leg]) * along)


class SyntheticPath:
    """The core's seeded synthetic market as a price path without end."""

    def __init__(self, symbol: Symbol, seed: int) -> None:
        instrument = Instrument("simex", symbol.name, plain(symbol.tick), plain(symbol.lot))
        config = msgspec.json.encode({"start_price": START_PRICES.get(symbol.name, 1_000.0)}).decode()
        self._market = SyntheticMarket(instrument, seed, 0, config)
        self._minutes: list[Minute] = []

    def minute(self, index: int) -> Minute:
        """The ``index``-th minute."""
        while len(self._minutes) <= index:
            bars = self._market.next_bars(256).columns()
            rows = zip(bars["open"], bars["high"], bars["low"], bars["close"], strict=True)
            self._minutes += [Minute(*(int(value) for value in row)) for row in rows]
        return self._minutes[index]


class TapePath:
    """Recorded one-minute candles as a price path; after the last, its close stands."""

    def __init__(self, symbol: Symbol, file: Path) -> None:
        ticks = 1 / float(symbol.tick)
        try:
            rows = [row for row in csv.reader(io.StringIO(_tape_text(file))) if row and row[0].strip().isdigit()]
            self._minutes = [Minute(*(round(float(value) * ticks) for value in row[1:5])) for row in rows]
        except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
            raise DataError(f"the tape {file} can't be read: {error}; give candles as open time, open, ...") from error
        if not self._minutes:
            raise DataError(
                f"the tape {file} holds no candle; give a CSV, or a zip of one, in the venue's archive form"
            )

    def minute(self, index: int) -> Minute:
        """The ``index``-th minute."""
        if index < len(self._minutes):
            return self._minutes[index]
        close = self._minutes[-1].close
        return Minute(close, close, close, close)


def _tape_text(file: Path) -> str:
    if file.suffix != ".zip":
        return file.read_text(encoding="utf-8")
    with zipfile.ZipFile(file) as archive:
        return archive.read(archive.namelist()[0]).decode("utf-8")


class Driver:
    """Moves one market along its paths: quotes around the price of the moment, and crowd orders that hit them."""

    def __init__(self, exchange: Exchange, seed: int, start_ms: int, tapes: dict[str, Path]) -> None:
        self._exchange = exchange
        self._random = Random(seed)  # nosec B311
        self._paths: dict[str, SyntheticPath | TapePath] = {
            name: TapePath(symbol, tapes[name]) if name in tapes else SyntheticPath(symbol, seed + number)
            for number, (name, symbol) in enumerate(exchange.symbols.items())
        }
        self._start_ms = start_ms - start_ms % MINUTE_MS
        self._skip = dict.fromkeys(exchange.symbols, 0)
        for name in exchange.symbols:
            if name not in tapes:
                self._write_history(name)
                self._skip[name] = HISTORY
        self.step(start_ms)

    def _write_history(self, name: str) -> None:
        for index in range(HISTORY):
            minute = self._paths[name].minute(index)
            open_ms = self._start_ms - (HISTORY - index) * MINUTE_MS
            lots = 1_000 + self._random.randrange(9_000)
            bought = lots // 2
            value = lots * minute.close
            self._exchange.candles[name].put(
                Candle(open_ms, *minute, lots, value, 100 + lots // 100, bought, bought * minute.close)
            )
        self._exchange.last[name] = self._paths[name].minute(HISTORY - 1).close

    def price(self, name: str, now_ms: int) -> int:
        """The path's price at a time, in ticks."""
        index, rest = divmod(max(0, now_ms - self._start_ms), MINUTE_MS)
        return self._paths[name].minute(index + self._skip[name]).at(rest / MINUTE_MS)

    def step(self, now_ms: int) -> None:
        """Moves every symbol to the price of ``now_ms``."""
        for name in self._exchange.symbols:
            price = self.price(name, now_ms)
            self._requote(name, price, now_ms)
            self._exchange.set_mark(name, price, now_ms)
            if self._random.random() < CROWD:
                self._hit(name, now_ms)
        self._exchange.advance(now_ms)

    def _requote(self, name: str, price: int, now_ms: int) -> None:
        """Keeps a ladder of quotes on a fixed grid around ``price``; those on the wrong side or too far away go."""
        gap = max(1, price // 20_000)
        low = price // gap
        wanted = {True: {(low - i) * gap for i in range(LEVELS)}, False: {(low + 1 + i) * gap for i in range(LEVELS)}}
        mine = list(self._exchange.live[MAKER].values())
        for order in mine:
            if order.symbol == name and order.price not in wanted[order.buy]:
                self._exchange.cancel(order, now_ms)
        held = {(o.buy, o.price) for o in self._exchange.live[MAKER].values() if o.symbol == name}
        for buy in (True, False):
            for level in sorted(wanted[buy], reverse=buy):
                if (buy, level) not in held:
                    self._exchange.quote(MAKER, name, buy, level, self._lots(name, 400), "GTC", now_ms)

    def _hit(self, name: str, now_ms: int) -> None:
        buy = self._random.random() < 0.5
        limit = self._exchange.worst(name, buy)
        self._exchange.quote(TAKER, name, buy, limit, self._lots(name, 40), "IOC", now_ms)

    def _lots(self, name: str, scale: int) -> int:
        """A quantity worth up to ``scale`` thousandths of the base asset."""
        per_thousandth = max(1, int(1 / (self._exchange.symbols[name].lot * 1000)))
        return (1 + self._random.randrange(scale)) * per_thousandth


def open_market_accounts(exchange: Exchange) -> None:
    """Opens the accounts of the makers and the crowd, with means enough for anything."""
    means = {asset: 10**9 * 10**8 for s in exchange.symbols.values() for asset in (s.base, s.quote)}
    for name in (MAKER, TAKER):
        exchange.open_account(name, means, unlimited=True)

"""What accounts ask of one market: new orders, cancels, queries; and what time and the mark price bring about."""

from __future__ import annotations

from smc_trading_agent.simex.futures_ledger import FUNDING_RATE, FuturesLedger
from smc_trading_agent.simex.matching import Matching
from smc_trading_agent.simex.orders import Order
from smc_trading_agent.simex.refusals import Refusal, no_such_order, rejected, unknown_order
from smc_trading_agent.simex.requests import NewOrder
from smc_trading_agent.simex.rules import Kind, Symbol, money_of
from smc_trading_agent.simex.spot_ledger import SpotLedger

MAKER = "maker"
TAKER = "crowd"
FUNDING_EVERY_MS = 8 * 3_600_000


class Exchange(Matching):
    """One market, futures or spot: its ledger, its books and the orders of its accounts."""

    def __init__(self, kind: Kind, symbols: dict[str, Symbol]) -> None:
        ledger = FuturesLedger(symbols, self.mark) if kind is Kind.FUTURES else SpotLedger(symbols)
        super().__init__(symbols, ledger, frozenset({MAKER, TAKER}))
        self.kind = kind
        self.orders: dict[str, dict[int, Order]] = {}
        self.conditionals: dict[str, dict[int, Order]] = {}
        self.countdowns: dict[tuple[str, str], int] = {}
        self.status = dict.fromkeys(symbols, "TRADING")
        self.funding_rate = FUNDING_RATE
        self.next_funding_ms = 0

    def mark(self, symbol: str) -> int:
        """The mark price in ticks."""
        return self.marks[symbol]

    def open_account(self, name: str, deposits: dict[str, int], unlimited: bool = False) -> None:
        """Opens an account with deposits by asset, in 1e-8."""
        if isinstance(self.ledger, FuturesLedger):
            self.ledger.open(name, deposits.get(self.ledger.asset, 0), unlimited)
        else:
            self.ledger.open(name, deposits)
        self.live[name], self.orders[name], self.conditionals[name] = {}, {}, {}

    # ------------------------------------------------------------ new orders

    def place(self, request: NewOrder, now_ms: int) -> Order:
        """Takes a new order and matches it; the `Refusal` of the venue when it can't be taken."""
        name, account = request.symbol.name, request.account
        self._check_open_for_business(request)
        self.counters.order += 1
        client_id = request.client_id or f"simex-{self.counters.order}"
        order = request.checked(self.counters.order, client_id, self.reference(name), now_ms)
        if any(o.client_id == client_id and o.symbol == name for o in self.live[account].values()):
            raise self._duplicate()
        self._check_counts(order)
        self._size(order, request)
        if not order.working:
            self._check_trigger(order)
        self._check_immediate(order)
        self._fund_order(order)
        self.live[account][order.id] = order
        if account not in self.makers:
            self.orders[account][order.id] = order
        self.tell(order, "NEW", None, now_ms)
        if order.working:
            self.match(order, now_ms)
            self._run_triggers(name, now_ms)
        return order

    def _check_open_for_business(self, request: NewOrder) -> None:
        if self.status[request.symbol.name] == "TRADING" or request.account in self.makers:
            return
        if self.kind is Kind.SPOT:
            raise rejected("Market is closed.")
        raise Refusal(-4140, "Invalid symbol status for opening position.")

    def _duplicate(self) -> Refusal:
        if self.kind is Kind.SPOT:
            return rejected("Duplicate order sent.")
        return Refusal(-4116, "ClientOrderId is duplicated.")

    def _check_counts(self, order: Order) -> None:
        if order.account in self.makers:
            return
        mine = [o for o in self.live[order.account].values() if o.symbol == order.symbol]
        if len(mine) < self.symbols[order.symbol].max_orders:
            return
        if self.kind is Kind.SPOT:
            raise Refusal(-1013, "Filter failure: MAX_NUM_ORDERS")
        raise Refusal(-2025, "Reach max open order limit.")

    def _size(self, order: Order, request: NewOrder) -> None:
        """Settles the size of what was given as a quote amount, and that of reduce-only orders."""
        if order.reduce_only and order.working:
            order.lots = self.reducible(order, order.lots)
            if order.lots == 0:
                raise Refusal(-2022, "ReduceOnly Order is rejected.")
        if request.quote_quantity is not None and order.lots == 0:
            order.quote_wanted = money_of(request.quote_quantity)
            order.lots = self._lots_for(order, order.quote_wanted)
            self.symbols[order.symbol].check_notional(self.reference(order.symbol), order.lots, False)

    def _lots_for(self, order: Order, money: int) -> int:
        lots, unit = 0, self.symbols[order.symbol].unit
        for resting in self.books[order.symbol].against(order.buy, self.worst(order.symbol, order.buy)):
            part = min(resting.left, money // (resting.price * unit))
            lots += part
            money -= part * resting.price * unit
            if part < resting.left:
                break
        return lots

    def _fund_order(self, order: Order) -> None:
        if isinstance(self.ledger, FuturesLedger):
            self.ledger.check(order, list(self.live[order.account].values()))
            return
        price = order.price
        if not price:
            met, left = 0, order.lots
            for resting in self.books[order.symbol].against(order.buy, self.worst(order.symbol, order.buy)):
                met, left = resting.price, left - resting.left
                if left <= 0:
                    break
            price = met if order.working else max(order.stop, self.worst(order.symbol, order.buy))
        self.ledger.reserve(order, price)

    def _check_immediate(self, order: Order) -> None:
        """Post-only orders must not trade at once; futures also refuse what can't be filled or killed."""
        if not order.working or order.account in self.makers:
            return
        post_only = order.tif == "GTX" or order.type == "LIMIT_MAKER"
        if post_only and self.books[order.symbol].crosses(order.buy, order.price):
            if self.kind is Kind.SPOT:
                raise rejected("Order would immediately match and take.")
            raise Refusal(
                -5022,
                "Due to the order could not be executed as maker, the Post Only order will be rejected. "
                "The order will not be recorded in the order history",
            )
        if self.kind is Kind.FUTURES and order.tif == "FOK" and self.fillable(order) < order.lots:
            raise Refusal(
                -5021,
                "Due to the order could not be filled immediately, the FOK order has been rejected. "
                "The order will not be recorded in the order history",
            )

    def quote(self, account: str, symbol: str, buy: bool, price: int, lots: int, tif: str, now_ms: int) -> Order:
        """An order of the market around: taken without filters, and nobody's news."""
        self.counters.order += 1
        order = Order(
            id=self.counters.order,
            client_id=f"m{self.counters.order}",
            account=account,
            symbol=symbol,
            buy=buy,
            type="LIMIT",
            tif=tif,
            price=price,
            lots=lots,
            created_ms=now_ms,
            updated_ms=now_ms,
        )
        if isinstance(self.ledger, SpotLedger):
            self.ledger.reserve(order, price)
        self.live[account][order.id] = order
        self.match(order, now_ms)
        self._run_triggers(symbol, now_ms)
        return order

    # ------------------------------------------------------------ conditional orders

    def place_conditional(self, request: NewOrder, now_ms: int) -> Order:
        """Futures: takes an order that waits for its stop price, on the conditional order service."""
        account = request.account
        self._check_open_for_business(request)
        self.counters.conditional += 1
        client_id = request.client_id or f"simex-c{self.counters.conditional}"
        order = request.checked(self.counters.conditional, client_id, self.reference(request.symbol.name), now_ms)
        waiting = [o for o in self.conditionals[account].values() if o.open]
        if any(o.client_id == client_id for o in waiting):
            raise self._duplicate()
        if sum(o.symbol == order.symbol for o in waiting) >= request.symbol.max_conditionals:
            raise Refusal(-4045, "Reach max stop order limit.")
        self._check_trigger(order)
        self.conditionals[account][order.id] = order
        self._tell_conditional(order, now_ms)
        return order

    def _check_trigger(self, order: Order) -> None:
        if self.reached(order):
            if self.kind is Kind.SPOT:
                raise rejected("Stop price would trigger immediately.")
            raise Refusal(-2021, "Order would immediately trigger.")

    def _tell_conditional(self, order: Order, now_ms: int) -> None:
        order.updated_ms = now_ms
        for watcher in self.watchers:
            watcher.conditional_event(order, now_ms)

    def _run_triggers(self, symbol: str, now_ms: int) -> None:
        """Sends every conditional order that was reached into the book; what that trades may reach others."""
        while (order := self._next_reached(symbol)) is not None:
            order.triggered_ms = now_ms
            if self.kind is Kind.SPOT:
                order.working = True
                self.tell(order, "NEW", None, now_ms)
                self.match(order, now_ms)
            else:
                self._fire(order, now_ms)

    def _next_reached(self, symbol: str) -> Order | None:
        pools = self.live if self.kind is Kind.SPOT else self.conditionals
        waiting = (
            order
            for pool in pools.values()
            for order in pool.values()
            if order.stop and order.open and order.symbol == symbol and not order.triggered_ms
        )
        reached = [order for order in waiting if self.reached(order)]
        return min(reached, key=lambda order: order.id, default=None)

    def _fire(self, order: Order, now_ms: int) -> None:
        """Futures: the conditional order becomes an order of its own."""
        order.status = "TRIGGERED"
        self._tell_conditional(order, now_ms)
        symbol = self.symbols[order.symbol]
        held = 0
        if isinstance(self.ledger, FuturesLedger):
            held = self.ledger.wallets[order.account].positions[order.symbol].lots
        lots = abs(held) if order.close_position else order.lots
        request = NewOrder(
            account=order.account,
            symbol=symbol,
            buy=order.buy,
            type="LIMIT" if order.price else "MARKET",
            tif=order.tif if order.price else None,
            price=order.price * symbol.tick if order.price else None,
            quantity=lots * symbol.lot,
            client_id=order.client_id,
            reduce_only=order.reduce_only,
            self_trade=order.self_trade,
        )
        try:
            order.actual_id = self.place(request, now_ms).id
            order.status = "FINISHED"
        except Refusal:
            order.status = "REJECTED" if lots else "EXPIRED"
        self._tell_conditional(order, now_ms)

    # ------------------------------------------------------------ cancels and queries

    def find(self, account: str, symbol: str, order_id: int | None, client_id: str | None) -> Order:
        """An order of the account, by id or by client id: of those that shared one, the newest."""
        for order in reversed(self.orders[account].values()):
            if order.symbol == symbol and (order.id == order_id if order_id else order.client_id == client_id):
                return order
        raise no_such_order()

    def cancel(self, order: Order, now_ms: int) -> Order:
        """Cancels an open order; an order that is over is unknown."""
        if not order.open or order.id not in self.live[order.account]:
            raise unknown_order()
        self.end(order, "CANCELED", now_ms)
        return order

    def find_conditional(self, account: str, order_id: int | None, client_id: str | None) -> Order:
        """A conditional order of the account, by id or client id."""
        for order in reversed(self.conditionals[account].values()):
            if order.id == order_id if order_id else order.client_id == client_id:
                return order
        raise no_such_order()

    def cancel_conditional(self, order: Order, now_ms: int) -> Order:
        """Cancels a conditional order that still waits."""
        if not order.open:
            raise unknown_order()
        order.status = "CANCELED"
        self._tell_conditional(order, now_ms)
        return order

    def cancel_all(self, account: str, symbol: str, now_ms: int) -> list[Order]:
        """Cancels every open order of the account in a symbol."""
        mine = [order for order in self.live[account].values() if order.symbol == symbol]
        return [self.cancel(order, now_ms) for order in mine]

    # ------------------------------------------------------------ time and the mark price

    def set_mark(self, symbol: str, ticks: int, now_ms: int) -> None:
        """Sets the mark price; stops and margin are judged by it."""
        self.marks[symbol] = ticks
        self._run_triggers(symbol, now_ms)
        self._liquidate(now_ms)

    def _liquidate(self, now_ms: int) -> None:
        """Closes the positions of every account whose margin no longer covers maintenance."""
        if not isinstance(self.ledger, FuturesLedger):
            return
        for wallet in self.ledger.wallets.values():
            held = [p for p in wallet.positions.values() if p.lots]
            if wallet.unlimited or not held or self.ledger.margin_balance(wallet) >= self.ledger.maintenance(wallet):
                continue
            for order in list(self.live[wallet.name].values()):
                self.cancel(order, now_ms)
            for position in held:
                self.close_by_force(wallet.name, position.symbol, abs(position.lots), "autoclose", now_ms)

    def close_by_force(self, account: str, symbol: str, lots: int, why: str, now_ms: int) -> Order:
        """Futures: the venue itself reduces a position, with a client id that starts with ``why``."""
        if not isinstance(self.ledger, FuturesLedger):
            raise Refusal(-1020, "This operation is not supported.")
        held = self.ledger.wallets[account].positions[symbol].lots
        self.counters.order += 1
        order = Order(
            id=self.counters.order,
            client_id=f"{why}-{now_ms}{self.counters.order}",
            account=account,
            symbol=symbol,
            buy=held < 0,
            type="MARKET",
            original_type="MARKET",
            tif="GTC",
            price=0,
            lots=min(lots, abs(held)),
            created_ms=now_ms,
            updated_ms=now_ms,
            reduce_only=True,
        )
        self.live[account][order.id] = self.orders[account][order.id] = order
        self.tell(order, "NEW", None, now_ms)
        self.match(order, now_ms)
        return order

    def advance(self, now_ms: int) -> None:
        """Lets countdowns end and funding fall due."""
        for (account, symbol), deadline in list(self.countdowns.items()):
            if now_ms >= deadline:
                del self.countdowns[account, symbol]
                self.cancel_all(account, symbol, now_ms)
                for order in self.conditionals[account].values():
                    if order.open and order.symbol == symbol:
                        self.cancel_conditional(order, now_ms)
        if self.next_funding_ms == 0:
            self.next_funding_ms = now_ms - now_ms % FUNDING_EVERY_MS + FUNDING_EVERY_MS
        if now_ms >= self.next_funding_ms:
            self.next_funding_ms += FUNDING_EVERY_MS
            for symbol in self.symbols:
                self.fund(symbol, now_ms)

    def fund(self, symbol: str, now_ms: int) -> None:
        """Futures: pays the funding of a symbol."""
        if not isinstance(self.ledger, FuturesLedger):
            return
        for account in self.ledger.fund(symbol, self.funding_rate, now_ms):
            if account not in self.makers:
                for watcher in self.watchers:
                    watcher.account_event(account, "FUNDING_FEE", symbol, now_ms)

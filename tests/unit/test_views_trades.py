"""Round trips and orders, put together from order events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent._core import Ledger, is_terminal
from smc_trading_agent.domain.reasons import OrderPurpose
from smc_trading_agent.domain.types import OrderEvent
from smc_trading_agent.monitoring.order_board import TERMINAL_STATES, OrderBoard
from smc_trading_agent.monitoring.round_trips import RoundTrip, RoundTripBook
from tests.unit.api_scene import instrument


def fill(
    side: int, quantity: int, price: int, fee: int = 0, purpose: OrderPurpose = OrderPurpose.ENTRY, number: int = 1
) -> OrderEvent:
    return OrderEvent(
        client_order_id=f"d{number}-{purpose.value}",
        decision_id=f"d{number}",
        instrument="test:SYNUSDT",
        purpose=purpose,
        event="fill_complete",
        state="filled",
        time=1_000 * number,
        side=side,
        quantity=quantity,
        price=price,
        fee=fee,
        liquidity="maker",
        trade_id=f"t{number}",
        reason="",
    )


def step(event: str, state: str, quantity: int = 10, price: int = 500, order: str = "d1-entry") -> OrderEvent:
    base = fill(1, quantity, price)
    values = {name: getattr(base, name) for name in base.__struct_fields__}
    return OrderEvent(**(values | {"event": event, "state": state, "client_order_id": order}))


def test_a_trade_runs_from_flat_to_flat_in_exact_integers() -> None:
    book = RoundTripBook()
    assert book.on_order_event(fill(1, 3, 100, fee=2, number=1)) is None
    assert book.on_order_event(fill(1, 1, 104, fee=1, number=2)) is None
    assert book.open is not None
    assert book.open.decision_id == "d1"
    assert book.on_order_event(fill(-1, 2, 110, fee=1, purpose=OrderPurpose.TARGET, number=3)) is None
    trade = book.on_order_event(fill(-1, 2, 90, fee=5, purpose=OrderPurpose.STOP, number=4))
    assert trade == RoundTrip(
        number=1,
        decision_id="d1",
        side=1,
        quantity=4,
        entry_time=1_000,
        exit_time=4_000,
        entry_price=101.0,
        exit_price=100.0,
        gross=-4,
        fees=9,
        net=-13,
        closed_by=OrderPurpose.STOP,
        reason="",
    )
    assert book.open is None


def test_a_fill_that_flips_the_position_ends_one_trade_and_begins_the_next() -> None:
    book = RoundTripBook()
    book.on_order_event(fill(-1, 4, 200, fee=4, number=1))
    ended = book.on_order_event(fill(1, 6, 190, fee=7, purpose=OrderPurpose.EXIT, number=2))
    assert ended is not None
    assert (ended.side, ended.quantity, ended.gross, ended.fees) == (-1, 4, 40, 4 + 4)  # 7 * 4 // 6 of the second fee
    assert book.open is not None
    assert (book.open.side, book.open.decision_id) == (1, "d2")
    closed = book.on_order_event(fill(-1, 2, 195, number=3))
    assert closed is not None
    assert (closed.number, closed.gross, closed.fees) == (2, 10, 3)


def test_events_that_fill_nothing_change_no_trade() -> None:
    book = RoundTripBook()
    for event, state in (("send", "sending"), ("accept", "open"), ("cancel", "canceled")):
        assert book.on_order_event(step(event, state)) is None
    assert book.open is None


fills = st.lists(
    st.tuples(st.sampled_from([1, -1]), st.integers(1, 50), st.integers(1, 10_000), st.integers(0, 30)), max_size=40
)


@given(fills)
def test_the_trades_add_up_to_what_the_ledger_says(given_fills: list[tuple[int, int, int, int]]) -> None:
    ledger, book, trades = Ledger(instrument(), 10**9), RoundTripBook(), []
    position = sum(side * quantity for side, quantity, _, _ in given_fills)
    closing = [(-1 if position > 0 else 1, abs(position), 5_000, 3)] if position else []
    for number, (side, quantity, price, fee) in enumerate(given_fills + closing):
        ledger.apply_fill(f"t{number}", side, quantity, price, fee)
        trades.append(book.on_order_event(fill(side, quantity, price, fee, number=number)))
    completed = [trade for trade in trades if trade is not None]
    assert ledger.position == 0
    assert sum(trade.net for trade in completed) == ledger.realised - ledger.fees
    assert [trade.number for trade in completed] == list(range(1, len(completed) + 1))


def test_the_board_knows_the_same_ends_as_the_order_state_machine() -> None:
    states = ["intent", "denied", "sending", "open", "partial", "filled", "pending_cancel", "pending_replace"]
    states += ["canceled", "expired", "rejected", "unknown"]
    assert {state for state in states if is_terminal(state)} == TERMINAL_STATES


def test_an_order_is_put_together_from_its_events() -> None:
    board = OrderBoard(keep=5)
    board.on_order_event(step("send", "sending"))
    board.on_order_event(step("accept", "open", price=0))
    board.on_order_event(step("fill_partial", "partial", quantity=4, price=490))
    (line,) = board.working()
    assert (line.state, line.quantity, line.filled, line.price) == ("partial", 10, 4, 500)
    assert line.average_price == 490.0
    board.on_order_event(step("fill_complete", "filled", quantity=6, price=500))
    assert board.working() == []
    (line,) = board.over(5)
    assert (line.state, line.filled, line.average_price, line.working) == ("filled", 10, 496.0, False)


def test_an_unknown_order_counts_as_working_and_the_oldest_ended_ones_are_forgotten() -> None:
    board = OrderBoard(keep=2)
    board.on_order_event(step("timeout", "unknown", order="lost"))
    for order in ("a", "b", "c"):
        board.on_order_event(step("reject", "rejected", order=order))
    assert [line.client_order_id for line in board.working()] == ["lost"]
    assert [line.client_order_id for line in board.over(9)] == ["b", "c"]
    assert board.over(0) == []
    assert board.working()[0].average_price is None

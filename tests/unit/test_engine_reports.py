"""Whatever the order in which reports come, and however often: the books are what was filled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.desk import ENTRY, STOP, TARGET, Desk
from tests.factories import EQUITY, PRICE


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[int], list[int], bool]:
    """Sizes of the fills, an order in which reports 0 to n arrive, some again, and whether a cancel is among them."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    reports = list(range(len(sizes) + 1))
    again = draw(st.lists(st.sampled_from(reports), max_size=5))
    return sizes, draw(st.permutations(reports + again)), draw(st.booleans())


@given(deliveries())
def test_the_position_is_the_sum_of_the_fills_by_trade_id(given_deliveries: tuple[list[int], list[int], bool]) -> None:
    sizes, arriving, cancelled_first = given_deliveries
    desk = Desk()
    desk.venue.on_submit = lambda _: []
    entry = desk.bracket()[ENTRY]
    if cancelled_first:
        desk.engine.cancel_entries(desk.clock.now())
    reports = [desk.venue.tell(entry, "accepted"), *(desk.venue.fill(entry, size) for size in sizes)]
    for index in arriving:
        desk.bar(reports[index])
    account = desk.engine.account(PRICE + 3)
    assert account.position == sum(sizes)
    assert account.fees == 7 * len(sizes)
    assert account.equity == EQUITY + 3 * sum(sizes) - 7 * len(sizes)
    assert len(desk.steps(ENTRY)) == 1 + 2 * cancelled_first + len(reports)
    desk.journal.close()


@given(st.lists(st.sampled_from(["fill_entry", "fill_stop", "fill_target", "cancel_entries", "restore"]), max_size=12))
def test_no_sequence_of_events_leaves_protection_without_a_position_or_loses_a_lot(events: list[str]) -> None:
    desk = Desk()
    orders = desk.bracket()
    purposes = {"fill_entry": ENTRY, "fill_stop": STOP, "fill_target": TARGET}
    expected = 0
    for event in events:
        if event == "cancel_entries":
            desk.engine.cancel_entries(desk.clock.now())
        elif event == "restore":
            saved = desk.engine.snapshot()
            desk.engine = desk.new_engine()
            desk.engine.restore(saved)
        elif event == "fill_entry" or expected > 0:
            order = orders[purposes[event]]
            expected += order.side
            desk.bar(desk.venue.fill(order, 1, order.price))
        account = desk.engine.account(PRICE)
        assert account.position == expected
        assert account.equity == account.cash + account.unrealised
        if expected == 0 and account.open_entries == 0:
            assert account.open_orders == 0
        assert account.worst_long >= max(account.position, 0)
    desk.journal.close()

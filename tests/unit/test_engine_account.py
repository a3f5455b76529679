"""What the account says of orders beside the position: exits, missing stops, our own prices, and two counters."""

from __future__ import annotations

import pytest

from smc_trading_agent.domain.errors import VenueTimeout
from smc_trading_agent.domain.types import AccountView, ApprovedOrder
from tests.desk import ENTRY, STOP, TARGET, Desk
from tests.factories import PRICE, intent


@pytest.fixture
def desk() -> Desk:
    return Desk()


def account(desk: Desk) -> AccountView:
    return desk.engine.account(PRICE)


def times_out(_: object) -> list[object]:
    raise VenueTimeout("no answer")


def test_without_orders_a_position_has_no_protection_and_nothing_rests(desk: Desk) -> None:
    flat = account(desk)
    assert (flat.unprotected, flat.closing, flat.own_buy, flat.own_sell) == (0, 0, 0, 0)
    assert (flat.orders_sent, flat.fills) == (0, 0)


def test_a_bracket_rests_at_its_entry_and_its_target_and_its_stop_does_not(desk: Desk) -> None:
    desk.bracket()
    books = account(desk)
    assert (books.own_buy, books.own_sell) == (intent().price, intent().target)
    assert (books.orders_sent, books.fills) == (3, 0)


def test_a_sell_bracket_rests_on_the_other_sides(desk: Desk) -> None:
    wish = intent(side=-1, stop=PRICE + 5_000, target=PRICE - 10_000)
    desk.engine.submit(desk.approve(wish))
    assert (account(desk).own_buy, account(desk).own_sell) == (PRICE - 10_000, PRICE)


def test_a_filled_entry_is_protected_by_its_stop_until_that_is_gone(desk: Desk) -> None:
    orders = desk.long()
    held = orders[ENTRY].quantity
    assert (account(desk).unprotected, account(desk).fills) == (0, 1)
    desk.bar(desk.venue.tell(orders[STOP], "canceled", reason="by the venue"))
    assert account(desk).unprotected == held


def test_a_stop_whose_outcome_is_unknown_protects_nothing(desk: Desk) -> None:
    desk.venue.on_submit = lambda order: (
        times_out(order)
        if order.purpose is STOP
        else [desk.venue.tell(order, "accepted")]  # type: ignore[return-value]
    )
    approval = desk.approve()
    desk.engine.submit(approval)
    entry: ApprovedOrder = approval.orders[0]
    desk.bar(desk.venue.fill(entry, entry.quantity))
    assert account(desk).unknown_orders == 1
    assert account(desk).unprotected == entry.quantity


def test_an_exit_that_works_counts_as_closing_until_it_fills(desk: Desk) -> None:
    held = desk.long()[ENTRY].quantity
    order = desk.exit()
    assert account(desk).closing == held
    desk.bar(desk.venue.fill(order, held - 1))
    assert account(desk).closing == 1
    desk.bar(desk.venue.fill(order, 1))
    assert (account(desk).closing, account(desk).position) == (0, 0)
    assert (account(desk).orders_sent, account(desk).fills) == (4, 3)


def test_the_counters_survive_a_restart_and_a_fill_told_twice_counts_once(desk: Desk) -> None:
    orders = desk.bracket()
    fill = desk.venue.fill(orders[ENTRY], orders[ENTRY].quantity)
    desk.bar(fill, fill)
    successor = desk.new_engine()
    successor.restore(desk.engine.snapshot())
    assert successor.account(PRICE) == account(desk)
    assert (account(desk).orders_sent, account(desk).fills) == (3, 1)
    assert account(desk).own_sell == orders[TARGET].price

"""The execution engine at a venue that is slow, silent, repetitive or wrong."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from smc_trading_agent.domain.errors import UnsealedOrder, VenueError, VenueTimeout
from smc_trading_agent.domain.types import ApprovedOrder, VenueReport
from tests.desk import ENTRY, EXIT, STOP, TARGET, Desk
from tests.factories import DAY, EQUITY, MINUTE, NOW, PRICE, intent, order

TO_OPEN = ["send -> sending", "accept -> open"]


@pytest.fixture
def desk() -> Iterator[Desk]:
    opened = Desk()
    yield opened
    opened.journal.close()


def times_out(_: object) -> list[VenueReport]:
    raise VenueTimeout("no answer within 5 s")


def refuses(_: object) -> list[VenueReport]:
    raise VenueError("insufficient margin")


def only_for(desk: Desk, purpose: object, unusual: object) -> None:
    """The venue answers orders of one purpose in an unusual way."""
    accept = desk.venue.on_submit
    desk.venue.on_submit = lambda sent: unusual(sent) if sent.purpose is purpose else accept(sent)


def test_all_orders_are_journalled_and_committed_before_the_first_is_sent(desk: Desk) -> None:
    known_at_send: list[tuple[list[str], bool]] = []

    def look(sent: ApprovedOrder) -> list[VenueReport]:
        known_at_send.append((desk.steps()[:3], desk.journal._db.in_transaction))
        return []

    desk.venue.on_submit = look
    desk.bracket()
    assert known_at_send[0] == (["send -> sending"] * 3, False)
    assert len(known_at_send) == 3


@pytest.mark.parametrize("change", [{"quantity": 11}, {"price": PRICE + 1}, {"reduce_only": False}, {"seal": b""}])
def test_an_order_without_its_seal_stops_the_whole_approval(desk: Desk, change: dict[str, object]) -> None:
    approval = desk.approve()
    forged = msgspec.structs.replace(approval.orders[2], **change)
    with pytest.raises(UnsealedOrder, match=forged.client_order_id):
        desk.engine.submit(msgspec.structs.replace(approval, orders=(*approval.orders[:2], forged)))
    assert desk.venue.submitted == []
    assert desk.journal.length == 0
    assert desk.engine.account(PRICE).open_orders == 0


def test_a_client_order_id_is_sent_once(desk: Desk) -> None:
    approval = desk.approve()
    desk.engine.submit(approval)
    before = desk.journal.head_hash
    with pytest.raises(ValueError, match="-entry was sent before"):
        desk.engine.submit(approval)
    assert len(desk.venue.submitted) == 3
    assert desk.journal.head_hash == before


def test_a_bracket_lives_from_entry_to_target(desk: Desk) -> None:
    orders = desk.bracket()
    entry, target = orders[ENTRY], orders[TARGET]
    assert desk.engine.account(PRICE).open_orders == 3
    desk.bar(desk.venue.fill(entry, 4))
    desk.bar(desk.venue.fill(entry, entry.quantity - 4))
    held = desk.engine.account(PRICE)
    assert (held.position, held.average_price, held.fees) == (entry.quantity, PRICE, 14)
    desk.bar(
        desk.venue.fill(target, target.quantity, target.price), desk.venue.tell(orders[STOP], "canceled", reason="oco")
    )
    flat = desk.engine.account(PRICE)
    assert (flat.position, flat.open_orders, flat.average_price) == (0, 0, 0.0)
    assert flat.equity == flat.cash == EQUITY + entry.quantity * (target.price - PRICE) - 21
    assert desk.steps(ENTRY) == [*TO_OPEN, "fill_partial -> partial", "fill_complete -> filled"]
    assert desk.steps(STOP) == [*TO_OPEN, "cancel -> canceled"]
    assert desk.steps(TARGET) == [*TO_OPEN, "fill_complete -> filled"]
    assert desk.venue.cancelled == []


def test_a_send_that_times_out_is_exposure_until_the_venue_proves_otherwise(desk: Desk) -> None:
    only_for(desk, ENTRY, times_out)
    quantity = desk.bracket()[ENTRY].quantity
    assert desk.steps(ENTRY) == ["send -> sending", "timeout -> unknown"]
    account = desk.engine.account(PRICE)
    assert (account.unknown_orders, account.open_entries, account.worst_long, account.worst_short) == (
        1,
        1,
        quantity,
        0,
    )
    desk.venue.on_query = times_out
    assert desk.engine.resolve_unknown(desk.clock.now()) == []
    assert desk.engine.account(PRICE) == account


def test_an_unknown_order_resolves_by_what_the_venue_says_of_it(desk: Desk) -> None:
    only_for(desk, ENTRY, times_out)
    orders = desk.bracket()
    entry = orders[ENTRY]
    desk.venue.on_query = lambda _: [desk.venue.tell(entry, "accepted"), desk.venue.fill(entry, entry.quantity)]
    desk.engine.resolve_unknown(desk.clock.now())
    account = desk.engine.account(PRICE)
    assert (account.unknown_orders, account.position, account.open_orders) == (0, entry.quantity, 2)
    assert desk.steps(ENTRY)[2:] == ["accept -> open", "fill_complete -> filled"]


def test_an_unknown_order_that_the_venue_never_saw_is_rejected_and_its_protection_ended(desk: Desk) -> None:
    only_for(desk, ENTRY, times_out)
    orders = desk.bracket()
    desk.engine.resolve_unknown(desk.clock.now())
    account = desk.engine.account(PRICE)
    assert (account.unknown_orders, account.worst_long, account.open_orders) == (0, 0, 0)
    assert desk.steps(ENTRY)[2:] == ["resolve_absent -> rejected"]
    assert [key for key, _ in desk.venue.cancelled] == [orders[STOP].client_order_id, orders[TARGET].client_order_id]


def test_a_definite_refusal_is_a_rejection_with_its_reason(desk: Desk) -> None:
    only_for(desk, ENTRY, refuses)
    events = desk.engine.submit(desk.approve())
    refused = next(event for event in events if event.purpose is ENTRY and event.state == "rejected")
    assert refused.reason == "insufficient margin"
    account = desk.engine.account(PRICE)
    assert (account.unknown_orders, account.worst_long, account.open_orders) == (0, 0, 0)


def test_a_rejection_that_the_venue_reports_is_one_too(desk: Desk) -> None:
    desk.venue.on_submit = lambda sent: [desk.venue.tell(sent, "rejected", reason="below_min_notional")]
    desk.bracket()
    assert desk.steps(ENTRY) == ["send -> sending", "reject -> rejected"]
    assert desk.engine.account(PRICE).open_orders == 0
    assert desk.venue.cancelled == []


def test_a_fill_before_its_acknowledgement_counts_and_the_late_one_changes_nothing(desk: Desk) -> None:
    desk.venue.on_submit = lambda _: []
    entry = desk.bracket()[ENTRY]
    acknowledged = desk.venue.tell(entry, "accepted")
    desk.bar(desk.venue.fill(entry, entry.quantity), acknowledged)
    assert desk.steps(ENTRY) == ["send -> sending", "fill_complete -> filled", "accept -> filled"]
    assert desk.engine.account(PRICE).position == entry.quantity
    assert desk.failures() == []


def test_reports_that_come_again_are_applied_once(desk: Desk) -> None:
    entry = desk.bracket()[ENTRY]
    first, second = desk.venue.fill(entry, 4), desk.venue.fill(entry, 3)
    renumbered = msgspec.structs.replace(first, sequence=900)
    desk.bar(second, first, second)
    told = desk.journal.length
    desk.bar(first, second, renumbered)
    assert desk.journal.length == told
    account = desk.engine.account(PRICE)
    assert (account.position, account.fees) == (7, 14)
    assert desk.steps(ENTRY)[2:] == ["fill_partial -> partial"] * 2


def test_a_fill_that_comes_after_the_cancel_is_booked_and_its_time_limit_holds(desk: Desk) -> None:
    entry = desk.bracket()[ENTRY]
    desk.engine.cancel_entries(desk.clock.now())
    assert desk.engine.account(PRICE).open_orders == 0
    desk.bar(desk.venue.fill(entry, entry.quantity))
    assert desk.steps(ENTRY)[-2:] == ["cancel -> canceled", "fill_complete -> filled"]
    assert desk.engine.account(PRICE).position == entry.quantity
    assert desk.failures() == []
    assert [wish.side for wish in desk.engine.due_exits(desk.clock.now() + DAY)] == [-1]


def test_a_report_of_a_foreign_order_is_journalled_as_a_failure(desk: Desk) -> None:
    desk.bracket()
    stranger = order(client_order_id="somebody-elses")
    assert desk.bar(desk.venue.fill(stranger, 5)) == []
    assert desk.failures() == ["the venue reports filled for somebody-elses, an order that is not ours"]
    assert desk.engine.account(PRICE).position == 0
    assert len(desk.steps()) == 6


def test_a_contradiction_is_journalled_and_its_fill_booked(desk: Desk) -> None:
    only_for(desk, ENTRY, refuses)
    entry = desk.bracket()[ENTRY]
    desk.bar(desk.venue.fill(entry, entry.quantity))
    assert desk.failures() == [f"{entry.client_order_id}: fill_complete is illegal in state rejected"]
    assert desk.engine.account(PRICE).position == entry.quantity


def test_protection_ends_with_the_position_and_is_dated_by_the_bar_that_ended_it(desk: Desk) -> None:
    orders = desk.long()
    closing = desk.exit()
    bars = desk.next_bars(3)
    desk.venue.market[bars[1].close_time] = [desk.venue.fill(closing, closing.quantity)]
    desk.clock.advance_to(bars[2].close_time)
    desk.engine.on_market(bars, 0, 3)
    when = bars[1].close_time
    assert desk.venue.cancelled == [(orders[STOP].client_order_id, when), (orders[TARGET].client_order_id, when)]
    assert desk.steps(STOP)[2:] == ["cancel_request -> pending_cancel", "cancel -> canceled"]
    assert desk.engine.account(PRICE).open_orders == 0


def test_protection_whose_cancel_is_not_answered_is_asked_about_not_cancelled_over_and_over(desk: Desk) -> None:
    desk.long()
    desk.venue.on_cancel = times_out
    closing = desk.exit()
    desk.bar(desk.venue.fill(closing, closing.quantity))
    desk.bar(desk.venue.tell(closing, "accepted"))
    assert len(desk.venue.cancelled) == 2
    assert desk.engine.account(PRICE).unknown_orders == 2
    told = {sent.client_order_id: desk.venue.tell(sent, "canceled") for sent in desk.venue.submitted}
    desk.venue.on_query = lambda key: [told[key]]
    desk.engine.resolve_unknown(desk.clock.now())
    assert desk.engine.account(PRICE).open_orders == 0


@pytest.mark.parametrize("answer", [times_out, refuses])
def test_an_entry_whose_cancel_failed_still_works_if_the_venue_has_it_open(desk: Desk, answer: object) -> None:
    entry = desk.bracket()[ENTRY]
    desk.venue.on_cancel = answer  # type: ignore[assignment]
    desk.engine.cancel_entries(desk.clock.now())
    assert desk.steps(ENTRY)[-1].endswith("-> unknown")
    desk.venue.on_query = lambda _: [desk.venue.tell(entry, "accepted")]
    desk.engine.resolve_unknown(desk.clock.now())
    assert desk.steps(ENTRY)[-1] == "accept -> open"


def test_an_old_acknowledgement_proves_nothing_but_an_open_order_does(desk: Desk) -> None:
    entry = desk.bracket()[ENTRY]
    first_answer = msgspec.structs.replace(desk.venue.tell(entry, "accepted"), sequence=1)
    desk.venue.on_cancel = times_out
    desk.engine.cancel_entries(desk.clock.now())
    desk.venue.on_query = lambda _: [first_answer]
    desk.engine.resolve_unknown(desk.clock.now())
    assert desk.steps(ENTRY)[-1] == "timeout -> unknown"
    desk.venue.open = [entry.client_order_id]
    desk.engine.resolve_unknown(desk.clock.now())
    assert desk.steps(ENTRY)[-1] == "accept -> open"


def test_cancelling_entries_ends_their_protection_too(desk: Desk) -> None:
    desk.bracket()
    desk.engine.cancel_entries(desk.clock.now())
    assert desk.steps(ENTRY)[-1] == desk.steps(STOP)[-1] == desk.steps(TARGET)[-1] == "cancel -> canceled"


def test_cancelling_entries_leaves_the_protection_of_a_position_alone(desk: Desk) -> None:
    desk.long()
    assert desk.engine.cancel_entries(desk.clock.now()) == []
    assert desk.engine.account(PRICE).open_orders == 2


def test_the_time_limit_asks_for_an_exit_once_it_is_due_and_while_none_works(desk: Desk) -> None:
    orders = desk.long()
    entered = NOW
    assert desk.engine.due_exits(entered + DAY - 1) == []
    wish = desk.engine.due_exits(entered + DAY)[0]
    assert (wish.purpose, wish.side, wish.price) == (EXIT, -1, 0)
    assert wish.reason == f"time limit of {orders[ENTRY].decision_id}"
    approval = desk.approve(wish, desk.engine.account(PRICE).position)
    assert [(sent.kind, sent.reduce_only, sent.quantity) for sent in approval.orders] == [
        ("market", True, orders[ENTRY].quantity)
    ]
    desk.engine.submit(approval)
    assert desk.engine.due_exits(entered + 2 * DAY) == []


def test_an_exit_that_did_not_close_the_position_is_asked_for_again_ever_later_under_another_id(desk: Desk) -> None:
    desk.long()
    asked = [at for at in range(40) for _ in desk.engine.due_exits(NOW + DAY + at * MINUTE)]
    assert asked == [0, 1, 3, 7, 15, 31]
    late = [wish for hour in range(24, 2_400) for wish in desk.engine.due_exits(NOW + DAY + hour * 60 * MINUTE)]
    assert 100 < len(late) < 150
    assert len({wish.decision_id for wish in late}) == len(late)


def test_without_a_time_limit_no_exit_is_asked_for(desk: Desk) -> None:
    approval = desk.approve(intent(time_limit_ns=0))
    desk.engine.submit(approval)
    desk.bar(desk.venue.fill(approval.orders[0], 10))
    assert desk.engine.due_exits(desk.clock.now() + 365 * DAY) == []


def test_what_is_held_is_told_with_when_it_was_opened(desk: Desk) -> None:
    assert desk.engine.held() is None
    orders = desk.long()
    held = desk.engine.held()
    assert held is not None
    assert (held.decision_id, held.side, held.opened_at) == (orders[ENTRY].decision_id, 1, NOW)
    restored = desk.new_engine()
    restored.restore(desk.engine.snapshot())
    assert restored.held() == held


def test_a_policys_exit_is_asked_for_once_and_again_only_by_the_clock(desk: Desk) -> None:
    assert desk.engine.leave(desk.clock.now()) == []
    orders = desk.long()
    now = desk.clock.now()
    (wish,) = desk.engine.leave(now)
    assert (wish.purpose, wish.side, wish.reason) == (EXIT, -1, f"policy of {orders[ENTRY].decision_id}")
    assert desk.engine.leave(now) == []
    assert desk.engine.due_exits(now + MINUTE - 1) == []
    (again,) = desk.engine.due_exits(now + MINUTE)
    assert again.reason == wish.reason
    assert again.decision_id != wish.decision_id


def test_no_exit_is_asked_for_while_one_works(desk: Desk) -> None:
    desk.long()
    desk.exit()
    assert desk.engine.leave(desk.clock.now()) == []


def test_a_snapshot_in_the_middle_of_a_trade_continues_as_if_nothing_happened(desk: Desk) -> None:
    orders = desk.bracket()
    entry, target = orders[ENTRY], orders[TARGET]
    first, rest = desk.venue.fill(entry, 4), desk.venue.fill(entry, entry.quantity - 4)
    desk.bar(first)
    saved = desk.engine.snapshot()
    closing = [desk.venue.fill(target, target.quantity, target.price), desk.venue.tell(orders[STOP], "canceled")]
    restored = desk.new_engine()
    restored.restore(saved)
    assert restored.snapshot() == saved
    assert restored.account(PRICE) == desk.engine.account(PRICE)
    results = []
    for engine in (desk.engine, restored):
        desk.engine, begun = engine, desk.journal.length
        desk.bar(first, rest)
        desk.bar(*closing)
        told = [fact.payload for fact in desk.journal.facts(after=begun)]
        results.append((told, engine.account(PRICE), engine.snapshot()))
    assert results[0] == results[1]
    assert results[0][1].position == 0


def test_the_books_are_compared_by_position_and_by_open_orders(desk: Desk) -> None:
    orders = desk.long()
    stop, target = orders[STOP].client_order_id, orders[TARGET].client_order_id
    desk.venue.position, desk.venue.open = orders[ENTRY].quantity, [stop, target]
    assert desk.engine.reconcile() == []
    desk.venue.position, desk.venue.open = 1, [stop, "stranger"]
    assert desk.engine.reconcile() == [
        f"position: ours {orders[ENTRY].quantity} lots, the venue's 1",
        "order stranger is open at the venue and not in our books",
        f"order {target} is open in our books and not at the venue",
    ]


def test_ended_orders_are_forgotten_in_the_end_and_working_ones_never(desk: Desk) -> None:
    kept = desk.long()
    desk.venue.on_submit = lambda sent: [desk.venue.tell(sent, "rejected")]
    for number in range(200):
        desk.engine.submit(desk.approve(intent(decision_id=f"d{number:020}")))
    size = len(desk.engine.snapshot())
    for number in range(200, 400):
        desk.engine.submit(desk.approve(intent(decision_id=f"d{number:020}")))
    assert len(desk.engine.snapshot()) < 1.01 * size
    desk.bar(desk.venue.fill(kept[STOP], kept[STOP].quantity))
    assert desk.engine.account(PRICE).position == 0
    assert desk.failures() == []

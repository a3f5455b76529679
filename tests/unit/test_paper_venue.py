"""The paper venue across crashes of the agent: what it said once it says again, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smc_trading_agent._core import Bar, Bars
from smc_trading_agent.domain.reasons import OrderPurpose
from smc_trading_agent.domain.types import ApprovedOrder, VenueReport
from smc_trading_agent.execution_engine.venues.paper import PaperVenue
from smc_trading_agent.persistence.venue_store import SqliteVenueStore
from tests.factories import MINUTE, NOW, PRICE, costs, instrument, order

LATENCY = 50_000_000
ENTRY_ID = order().client_order_id


def protective(purpose: OrderPurpose, kind: str, price: int) -> ApprovedOrder:
    return order(
        client_order_id=f"d0123456789abcdef0123-{purpose.value}",
        purpose=purpose,
        kind=kind,
        side=-1,
        price=price,
        expires_at=0,
        reduce_only=True,
        parent=ENTRY_ID,
    )


STOP = protective(OrderPurpose.STOP, "stop_market", PRICE - 100)
TARGET = protective(OrderPurpose.TARGET, "take_profit", PRICE + 100)


def bars(*ranges: tuple[int, int]) -> Bars:
    """One-minute bars from `NOW` on with these lows and highs around `PRICE`."""
    return Bars.from_list(
        "1m",
        [
            Bar(NOW + at * MINUTE, NOW + (at + 1) * MINUTE, PRICE, PRICE + high, PRICE + low, PRICE)
            for at, (low, high) in enumerate(ranges)
        ],
    )


TAPE = bars((-5, 5), (-50, 10), (-10, 20), (-10, 150), (-5, 5))
"""The entry at `PRICE` fills in the first bar, the target in the fourth."""


class Ledgers:
    """Paper venues that open the same file one after another, as after crashes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.store = SqliteVenueStore(file)

    def venue(self) -> PaperVenue:
        """The venue as a new process finds it; the last one's connection is closed."""
        self.store.close()
        self.store = SqliteVenueStore(self.file)
        return PaperVenue(instrument(), costs(), LATENCY, self.store)


@pytest.fixture
def ledgers(tmp_path: Path) -> Iterator[Ledgers]:
    opened = Ledgers(tmp_path / "venue.db")
    yield opened
    opened.store.close()


def submit_bracket(venue: PaperVenue) -> list[VenueReport]:
    return [told for sent in (order(), STOP, TARGET) for told in venue.submit(sent, NOW)]


def live(venue: PaperVenue) -> list[VenueReport]:
    """The bracket and the whole tape, bar by bar."""
    told = submit_bracket(venue)
    return told + [report for at in range(len(TAPE)) for report in venue.on_market(TAPE, at, at + 1)]


def test_a_restart_answers_every_call_and_every_bar_as_before(ledgers: Ledgers) -> None:
    told = live(ledgers.venue())
    assert [(report.kind, report.client_order_id.rsplit("-")[-1]) for report in told] == [
        ("accepted", "entry"),
        ("accepted", "stop"),
        ("accepted", "target"),
        ("filled", "entry"),
        ("filled", "target"),
        ("canceled", "stop"),
    ]
    assert live(ledgers.venue()) == told
    assert ledgers.venue().position == 0


@pytest.mark.parametrize("cut", range(1, len(TAPE)))
def test_bars_already_seen_and_new_ones_in_one_call(ledgers: Ledgers, cut: int) -> None:
    told = live(PaperVenue(instrument(), costs(), LATENCY))
    first = ledgers.venue()
    submit_bracket(first)
    first.on_market(TAPE, 0, cut)
    first.persist()
    second = ledgers.venue()
    assert second.last_time == TAPE[cut - 1].close_time
    assert submit_bracket(second) + second.on_market(TAPE, 0, len(TAPE)) == told


def test_a_crash_before_anything_was_kept_of_quiet_bars_loses_nothing(ledgers: Ledgers) -> None:
    first = ledgers.venue()
    submit_bracket(first)
    first.on_market(TAPE, 0, 3)
    second = ledgers.venue()
    assert second.last_time == TAPE[0].close_time
    assert second.position == 10
    told = second.on_market(TAPE, 0, len(TAPE))
    assert [report.kind for report in told] == ["filled", "filled", "canceled"]


def test_an_order_that_rested_before_a_stop_still_rests_after_it(ledgers: Ledgers) -> None:
    """The next bar opens past its limit: a resting order is filled at its price as a maker, a new one at the open."""
    quiet_then_gap = Bars.from_list(
        "1m",
        [
            Bar(NOW, NOW + MINUTE, PRICE + 50, PRICE + 60, PRICE + 40, PRICE + 50),
            Bar(NOW + MINUTE, NOW + 2 * MINUTE, PRICE - 30, PRICE - 20, PRICE - 40, PRICE - 30),
        ],
    )
    first = ledgers.venue()
    first.submit(order(), NOW)
    assert first.on_market(quiet_then_gap, 0, 1) == []
    first.persist()
    (filled,) = ledgers.venue().on_market(quiet_then_gap, 1, 2)
    assert (filled.price, filled.liquidity) == (PRICE, "maker")


def test_a_client_id_is_never_a_second_order_whatever_it_asks_for(ledgers: Ledgers) -> None:
    venue = ledgers.venue()
    first = venue.submit(order(), NOW)
    assert venue.submit(order(quantity=99), NOW + MINUTE) == first
    assert ledgers.venue().submit(order(quantity=77), NOW + 2 * MINUTE) == first
    venue = ledgers.venue()
    assert venue.open_orders() == [ENTRY_ID]
    venue.on_market(TAPE, 0, 2)
    assert venue.position == 10


def test_without_a_store_it_is_the_same_venue_without_a_memory() -> None:
    first, second = (PaperVenue(instrument(), costs(), LATENCY) for _ in range(2))
    assert live(first) == live(second)
    assert first.order_reports(ENTRY_ID) == []
    first.persist()


def test_a_store_changes_nothing_of_what_is_said(ledgers: Ledgers) -> None:
    assert live(ledgers.venue()) == live(PaperVenue(instrument(), costs(), LATENCY))


def test_a_cancel_is_answered_again_after_a_restart(ledgers: Ledgers) -> None:
    venue = ledgers.venue()
    submit_bracket(venue)
    told = venue.cancel(ENTRY_ID, NOW)
    assert [report.kind for report in told] == ["canceled"] * 3
    assert ledgers.venue().cancel(ENTRY_ID, NOW) == told
    assert ledgers.venue().cancel(ENTRY_ID, NOW + MINUTE) == []
    assert ledgers.venue().open_orders() == []


def test_all_that_was_said_of_an_order_can_be_asked_for(ledgers: Ledgers) -> None:
    told = live(ledgers.venue())
    venue = ledgers.venue()
    assert venue.order_reports(ENTRY_ID) == [report for report in told if report.client_order_id == ENTRY_ID]
    assert venue.order_reports("never sent") == []


def test_reports_are_given_for_the_bars_asked_about_and_no_others(ledgers: Ledgers) -> None:
    told = live(ledgers.venue())
    venue = ledgers.venue()
    by_bar = [venue.on_market(TAPE, at, at + 1) for at in range(len(TAPE))]
    assert [len(reports) for reports in by_bar] == [1, 0, 0, 2, 0]
    assert [report for reports in by_bar for report in reports] == told[3:]

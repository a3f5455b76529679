"""The dead-man switch with a virtual clock: who is wedged renews nothing, and the venue takes the orders back."""

from __future__ import annotations

import pytest

from smc_trading_agent._core import Bar, Bars
from smc_trading_agent.domain.errors import VenueTimeout
from smc_trading_agent.execution_engine.dead_man import RENEWALS_A_TIMEOUT, DeadManSwitch, Progress, Renewal
from smc_trading_agent.execution_engine.venues.paper import PaperVenue
from tests.factories import MINUTE, NOW, PRICE, costs, instrument, order

TIMEOUT = 8 * MINUTE
PATIENCE = 3 * MINUTE


class Countdown:
    """A venue that only counts down, and notes when it was renewed."""

    def __init__(self) -> None:
        self.renewed: list[tuple[int, int]] = []
        self.error: Exception | None = None

    def renew_countdown(self, now: int, timeout_ns: int) -> None:
        if self.error is not None:
            raise self.error
        self.renewed.append((now, timeout_ns))


class Fixed:
    """A part that is as it is told."""

    def __init__(self, answer: object = True) -> None:
        self.answer = answer

    def well(self, now: int) -> bool:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]


def test_it_renews_four_times_within_its_time_out() -> None:
    venue = Countdown()
    switch = DeadManSwitch(venue, TIMEOUT, {"loop": Fixed()})
    for second in range(8 * 60 + 1):
        switch.tick(NOW + second * MINUTE // 60)
    gaps = [later - earlier for (earlier, _), (later, _) in zip(venue.renewed, venue.renewed[1:], strict=False)]
    assert gaps == [TIMEOUT // RENEWALS_A_TIMEOUT] * 4
    assert {timeout for _, timeout in venue.renewed} == {TIMEOUT}


@pytest.mark.parametrize("answer", [False, RuntimeError("gone"), None, 1, "yes"])
def test_one_part_that_is_not_well_is_enough(answer: object) -> None:
    venue, journal = Countdown(), Fixed(answer)
    switch = DeadManSwitch(venue, TIMEOUT, {"loop": Fixed(), "journal": journal})
    assert switch.tick(NOW) == Renewal(True, False, ("journal",))
    assert (venue.renewed, switch.missed) == ([], 1)
    journal.answer = True
    assert switch.tick(NOW + 1).renewed, "as soon as it is well again, without waiting for an interval"


def test_a_counter_that_stands_still_is_not_well_after_its_patience() -> None:
    progress = Progress(PATIENCE, NOW)
    progress.see(7, NOW)
    progress.see(7, NOW + PATIENCE)
    assert progress.well(NOW + PATIENCE)
    assert not progress.well(NOW + PATIENCE + 1)
    progress.see(8, NOW + PATIENCE + 1)
    assert progress.well(NOW + PATIENCE + 1)


def test_a_counter_that_never_moved_is_given_its_patience_and_no_more() -> None:
    progress = Progress(PATIENCE, NOW)
    assert progress.well(NOW + PATIENCE)
    assert not progress.well(NOW + PATIENCE + 1)


def test_what_the_venue_says_is_passed_on_and_tried_again_at_once() -> None:
    venue = Countdown()
    venue.error = VenueTimeout("no answer")
    switch = DeadManSwitch(venue, TIMEOUT, {"loop": Fixed()})
    with pytest.raises(VenueTimeout):
        switch.tick(NOW)
    venue.error = None
    assert switch.tick(NOW + 1).renewed


def test_an_orderly_stop_ends_the_countdown() -> None:
    venue = Countdown()
    switch = DeadManSwitch(venue, TIMEOUT, {"loop": Fixed()})
    switch.tick(NOW)
    switch.stand_down(NOW + 1)
    assert venue.renewed[-1] == (NOW + 1, 0)
    assert switch.tick(NOW + 2).renewed


@pytest.mark.parametrize(("timeout", "parts"), [(0, {"loop": Fixed()}), (-1, {"loop": Fixed()}), (TIMEOUT, {})])
def test_a_switch_that_would_ask_nobody_or_never_end_is_refused(timeout: int, parts: dict[str, Fixed]) -> None:
    with pytest.raises(ValueError, match="dead-man switch"):
        DeadManSwitch(Countdown(), timeout, parts)


class Life:
    """An agent with a resting order at the paper venue: heartbeat, strategy and switch, a minute at a time."""

    def __init__(self) -> None:
        self.venue = PaperVenue(instrument(), costs(), 0)
        self.venue.submit(order(price=PRICE - 5_000, expires_at=0), NOW)
        self.heartbeat, self.strategy = Progress(PATIENCE, NOW), Progress(PATIENCE, NOW)
        self.switch = DeadManSwitch(self.venue, TIMEOUT, {"heartbeat": self.heartbeat, "strategy": self.strategy})
        self.minute = self.beats = self.decisions = 0

    def minutes(self, count: int, strategy_moves: bool, process_lives: bool = True) -> Life:
        for _ in range(count):
            now = NOW + self.minute * MINUTE
            if process_lives:
                self.beats += 1
                self.decisions += strategy_moves
                self.heartbeat.see(self.beats, now)
                self.strategy.see(self.decisions, now)
                self.switch.tick(now)
            bar = Bar(now, now + MINUTE, PRICE, PRICE, PRICE, PRICE)
            self.venue.on_market(Bars.from_list("1m", [bar]), 0, 1)
            self.minute += 1
        return self

    @property
    def orders(self) -> int:
        return len(self.venue.open_orders())


def test_while_all_is_well_the_order_stays() -> None:
    assert Life().minutes(200, strategy_moves=True).orders == 1


def test_a_wedged_strategy_with_a_live_heartbeat_loses_its_orders() -> None:
    life = Life().minutes(20, strategy_moves=True)
    last = life.minute - 1
    life.minutes(PATIENCE // MINUTE, strategy_moves=False)
    assert life.orders == 1
    life.minutes(TIMEOUT // MINUTE, strategy_moves=False)
    assert life.orders == 0
    assert life.heartbeat.well(NOW + life.minute * MINUTE)
    assert life.switch.missed > 0
    assert last < life.minute


@pytest.mark.parametrize("died_after", [1, 7, 30])
def test_a_process_that_is_gone_loses_its_orders_when_the_time_is_over_and_not_before(died_after: int) -> None:
    life = Life().minutes(died_after, strategy_moves=True)
    renewed = (died_after - 1) // 2 * 2
    life.minutes(renewed + 8 - died_after - 1, strategy_moves=False, process_lives=False)
    assert life.orders == 1
    life.minutes(1, strategy_moves=False, process_lives=False)
    assert life.orders == 0


def test_a_countdown_that_ends_within_a_batch_cuts_it_there() -> None:
    """The bar that would fill the order comes after the end of the countdown, in the same batch."""
    venue = PaperVenue(instrument(), costs(), 0)
    venue.submit(order(price=PRICE - 100, expires_at=0), NOW)
    venue.renew_countdown(NOW, 2 * MINUTE)
    quiet = [Bar(NOW + at * MINUTE, NOW + (at + 1) * MINUTE, PRICE, PRICE, PRICE, PRICE) for at in range(3)]
    fall = Bar(NOW + 3 * MINUTE, NOW + 4 * MINUTE, PRICE, PRICE, PRICE - 500, PRICE - 500)
    reports = venue.on_market(Bars.from_list("1m", [*quiet, fall]), 0, 4)
    assert [(report.kind, report.time) for report in reports] == [("canceled", NOW + 2 * MINUTE)]
    assert venue.position == 0

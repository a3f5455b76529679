"""The paper venue's own memory: answers once given, reports by the time they became known, all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from smc_trading_agent.domain.errors import JournalError
from smc_trading_agent.persistence.venue_store import SqliteVenueStore
from tests.factories import report


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "venue.db"


def test_a_new_store_remembers_nothing(file: Path) -> None:
    store = SqliteVenueStore(file)
    assert store.load() is None
    assert store.answer("submit d1-entry") is None
    assert store.market_reports(-(2**62), 2**62) == []
    assert store.order_reports("d1-entry") == []
    store.close()


def test_everything_saved_is_there_in_the_next_process(file: Path) -> None:
    accepted = report(1, client_order_id="d1-entry")
    filled = report(2, client_order_id="d1-entry", kind="filled", price=500_000, fee=3, trade_id="t1")
    store = SqliteVenueStore(file)
    store.save(b"one", [accepted], call="submit d1-entry")
    store.save(b"two", [filled], known_at=60)
    # No close: the process was killed.
    again = SqliteVenueStore(file)
    assert again.load() == b"two"
    assert again.answer("submit d1-entry") == [accepted]
    assert again.market_reports(0, 60) == [filled]
    assert again.order_reports("d1-entry") == [accepted, filled]
    again.close()
    store.close()


def test_an_answer_without_reports_is_an_answer(file: Path) -> None:
    store = SqliteVenueStore(file)
    store.save(b"one", [], call="cancel d1-entry 5")
    assert store.answer("cancel d1-entry 5") == []
    assert store.answer("cancel d1-entry 6") is None
    store.close()


def test_a_call_is_answered_as_it_was_the_first_time(file: Path) -> None:
    store = SqliteVenueStore(file)
    store.save(b"one", [report(1)], call="submit")
    store.save(b"two", [report(2)], call="submit")
    assert store.answer("submit") == [report(1)]
    store.close()


def test_a_report_is_kept_once_by_its_sequence(file: Path) -> None:
    store = SqliteVenueStore(file)
    store.save(b"one", [report(1, kind="filled")], known_at=60)
    store.save(b"two", [report(1, kind="canceled"), report(2)], known_at=120)
    assert [(r.sequence, r.kind) for r in store.market_reports(0, 120)] == [(1, "filled"), (2, "accepted")]
    store.close()


@pytest.mark.parametrize(
    ("after", "until", "found"),
    [(0, 180, [2, 3, 4]), (60, 120, [3]), (59, 60, [2]), (60, 60, []), (120, 180, [4]), (180, 999, []), (61, 119, [])],
)
def test_market_reports_are_those_known_after_one_close_and_until_another(
    file: Path, after: int, until: int, found: list[int]
) -> None:
    store = SqliteVenueStore(file)
    store.save(b"", [report(1)], call="submit")  # an answer, which the market did not make known
    for sequence, known_at in ((2, 60), (3, 120), (4, 180)):
        store.save(b"", [report(sequence)], known_at=known_at)
    assert [r.sequence for r in store.market_reports(after, until)] == found
    store.close()


def test_reports_of_an_order_come_in_order_and_alone(file: Path) -> None:
    store = SqliteVenueStore(file)
    store.save(b"", [report(3, client_order_id="a"), report(1, client_order_id="a"), report(2, client_order_id="b")])
    assert [r.sequence for r in store.order_reports("a")] == [1, 3]
    store.close()


def test_a_save_that_fails_changes_nothing_and_the_next_one_works(file: Path) -> None:
    store = SqliteVenueStore(file)
    store.save(b"one", [report(1)], call="submit")
    # The second report can't be kept, so the first and the answer must not be either.
    with pytest.raises(OverflowError):
        store.save(b"two", [report(2), report(2**63)], call="cancel")
    assert store.load() == b"one"
    assert store.answer("cancel") is None
    assert [r.sequence for r in store.order_reports(report(1).client_order_id)] == [1]
    store.save(b"three", [report(2)], call="cancel")
    assert store.load() == b"three"
    store.close()


def test_a_file_that_is_no_store_is_refused(file: Path) -> None:
    file.write_bytes(b"not a database" * 100)
    with pytest.raises(JournalError, match=r"venue\.db can't be used as a database"):
        SqliteVenueStore(file)

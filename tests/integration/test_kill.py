"""kill -9 in the middle of a replay, again and again: it goes on, no order doubled, none lost."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path

import pytest

from smc_trading_agent.execution_engine.engine import EVENT_KIND
from smc_trading_agent.persistence.journal import SqliteJournal
from tests.processes import facts_in, finish, smc_agent, wait_until

BARS = "60000"
KILLS = 6


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tape") / "tape.parquet"
    finish(smc_agent("data", "synthesize", "--bars", BARS, "--seed", "3", "--out", str(file), "--json"))
    return file


def run_arguments(tape: Path, state: Path, *more: str) -> list[str]:
    base = ["run", "--data", str(tape), "--speed", "max", "--no-api", "--exit-at-end", "--take-every-setup", "--json"]
    return [*base, "--state-dir", str(state), *more]


@pytest.fixture(scope="module")
def uninterrupted(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return finish(smc_agent(*run_arguments(tape, tmp_path_factory.mktemp("whole"))))


def orders_at_venue(state: Path) -> list[str]:
    (file,) = state.glob("*/venue.db")
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        return [row[0] for row in connection.execute("SELECT key FROM call WHERE key LIKE 'submit %'")]


def orders_in_journal(state: Path) -> list[str]:
    (file,) = state.glob("*/journal.db")
    with SqliteJournal(file) as journal:
        journal.verify_chain()
        return [f.payload.decode() for f in journal.facts(kind=EVENT_KIND) if b'"event":"send"' in f.payload]


def test_killed_and_restarted_it_ends_where_an_uninterrupted_run_ends(
    tape: Path, uninterrupted: dict[str, object], tmp_path: Path
) -> None:
    total = int(str(uninterrupted["facts"]))
    struck = 0
    for number in range(1, KILLS + 1):
        process = smc_agent(*run_arguments(tape, tmp_path))
        wait_until(lambda limit=number * total // (KILLS + 2): facts_in(tmp_path) >= limit)  # type: ignore[misc]
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            struck += 1
        process.communicate()
    assert struck >= KILLS - 1
    ended = finish(smc_agent(*run_arguments(tape, tmp_path)))
    for same in ("journal_hash", "orders_hash", "equity", "position", "facts", "bars"):
        assert ended[same] == uninterrupted[same], same
    assert ended["position"] == ended["venue_position"]
    at_venue = orders_at_venue(tmp_path)
    assert len(at_venue) == len(set(at_venue)) == len(orders_in_journal(tmp_path)) > 100


def test_a_term_stops_cleanly_and_the_next_run_goes_on(
    tape: Path, uninterrupted: dict[str, object], tmp_path: Path
) -> None:
    process = smc_agent(*run_arguments(tape, tmp_path))
    wait_until(lambda: facts_in(tmp_path) > 50, process)
    process.send_signal(signal.SIGTERM)
    stopped = finish(process)
    assert stopped["state"] in ("stopped", "finished")
    assert stopped["position"] == stopped["venue_position"]
    ended = finish(smc_agent(*run_arguments(tape, tmp_path)))
    assert ended["journal_hash"] == uninterrupted["journal_hash"]
    once_more = finish(smc_agent(*run_arguments(tape, tmp_path)))
    assert once_more["facts"] == ended["facts"], "a restart at the end must add nothing"


def test_another_setting_on_the_same_account_is_refused_until_it_begins_anew(
    tape: Path, uninterrupted: dict[str, object], tmp_path: Path
) -> None:
    finish(smc_agent(*run_arguments(tape, tmp_path)))
    process = smc_agent(*[a for a in run_arguments(tape, tmp_path) if a != "--take-every-setup"])
    refused = finish(process, code=4)
    assert "settings_hash" in str(refused["message"])
    assert "--fresh" in str(refused["message"])
    fresh = finish(smc_agent(*run_arguments(tape, tmp_path, "--fresh")))
    assert fresh["journal_hash"] == uninterrupted["journal_hash"]
    assert list(tmp_path.glob("*/previous/journal.db"))

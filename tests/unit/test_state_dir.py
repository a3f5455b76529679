"""One folder a market, one process a folder, and nothing deleted in place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from smc_trading_agent.domain.errors import JournalError, StateConflict
from smc_trading_agent.runtime.state_dir import JOURNAL_FILE, VENUE_FILE, StateDir, folder_name

MARKET = "synthetic seed=7"
HOLD = """
import sys
from pathlib import Path
from smc_trading_agent.runtime.state_dir import StateDir
state = StateDir(Path(sys.argv[1]), sys.argv[2], durable=False)
print("held", flush=True)
sys.stdin.readline()
state.close()
"""


class Note(msgspec.Struct, frozen=True):
    text: str


def used(root: Path, text: str, fresh: bool = False) -> StateDir:
    """An open account with one more fact in it."""
    state = StateDir(root, MARKET, durable=False, fresh=fresh)
    state.journal.append("note", 1, Note(text))
    state.venue_store.save(text.encode(), [])
    return state


def texts(state: StateDir) -> list[str]:
    return [msgspec.json.decode(fact.payload, type=Note).text for fact in state.journal.facts()]


def test_an_account_is_there_again_when_it_is_opened_again(tmp_path: Path) -> None:
    used(tmp_path, "one").close()
    state = used(tmp_path, "two")
    assert texts(state) == ["one", "two"]
    assert state.venue_store.load() == b"two"
    state.close()


def test_markets_have_folders_of_their_own(tmp_path: Path) -> None:
    used(tmp_path, "one").close()
    other = StateDir(tmp_path, "synthetic seed=8", durable=False)
    assert texts(other) == []
    other.close()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "market",
    [MARKET, "replay /data/BTCUSDT 1m.parquet 0123", "../../etc", "", "ÄÖÜ/..", "x" * 500, "A", "a", "CON", "a\x00b"],
)
def test_a_folder_name_is_plain_and_stays_inside(market: str) -> None:
    name = folder_name(market)
    assert name == folder_name(market)
    assert len(name) < 64
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_names_that_read_alike_are_different_folders() -> None:
    assert len({folder_name(market) for market in ("a b", "a-b", "A b", "a  b", "x" * 60, "x" * 61)}) == 6


def test_a_second_opening_is_refused_until_the_first_is_closed(tmp_path: Path) -> None:
    first = used(tmp_path, "one")
    with pytest.raises(StateConflict, match="is in use by process"):
        StateDir(tmp_path, MARKET, durable=False)
    # Not even with --fresh: the account of a running agent is not moved from under it.
    with pytest.raises(StateConflict, match="is in use by process"):
        StateDir(tmp_path, MARKET, durable=False, fresh=True)
    assert texts(first) == ["one"]
    first.close()
    StateDir(tmp_path, MARKET, durable=False).close()


def test_another_process_keeps_us_out_and_its_death_lets_us_in(tmp_path: Path, repository: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), MARKET],
        cwd=repository,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StateConflict, match=f"in use by process {holder.pid}; .*--state-dir"):
            StateDir(tmp_path, MARKET, durable=False)
        holder.kill()
        holder.wait()
    state = used(tmp_path, "after")
    assert texts(state) == ["after"]
    state.close()


def test_fresh_moves_the_old_account_aside_until_the_next_time(tmp_path: Path) -> None:
    used(tmp_path, "first").close()
    state = used(tmp_path, "second", fresh=True)
    assert texts(state) == ["second"]
    state.close()
    aside = state.path / "previous"
    assert {file.name for file in aside.iterdir()} == {JOURNAL_FILE, VENUE_FILE}
    again = used(tmp_path, "third", fresh=True)
    again.close()
    # The one aside is the second account now, and can be read.
    assert {file.name for file in aside.iterdir()} == {JOURNAL_FILE, VENUE_FILE}
    for file in aside.iterdir():
        file.rename(again.path / file.name)
    restored = StateDir(tmp_path, MARKET, durable=False)
    assert texts(restored) == ["second"]
    restored.close()


def test_fresh_takes_what_a_crash_left_beside_the_files_along(tmp_path: Path) -> None:
    crashed = used(tmp_path, "first")
    crashed.journal.commit()
    crashed._lock.close()
    assert (crashed.path / f"{JOURNAL_FILE}-wal").exists()
    state = StateDir(tmp_path, MARKET, durable=False, fresh=True)
    assert texts(state) == []
    assert (state.path / "previous" / f"{JOURNAL_FILE}-wal").exists()
    state.close()
    crashed.journal.close()
    crashed.venue_store.close()


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "state"
    in_the_way.write_text("a file", encoding="utf-8")
    with pytest.raises(StateConflict, match=r"can't be written \(Not a directory\); choose another --state-dir"):
        StateDir(in_the_way, MARKET, durable=False)


def test_a_folder_that_can_not_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / folder_name(MARKET) / "lock").mkdir(parents=True)
    with pytest.raises(StateConflict, match="can't be written"):
        StateDir(tmp_path, MARKET, durable=False)


@pytest.mark.parametrize("broken", [JOURNAL_FILE, VENUE_FILE])
def test_a_damaged_account_leaves_nothing_open_or_locked(tmp_path: Path, broken: str) -> None:
    folder = tmp_path / folder_name(MARKET)
    folder.mkdir()
    (folder / broken).write_bytes(b"not a database" * 100)
    for _ in range(2):
        with pytest.raises(JournalError, match=broken):
            StateDir(tmp_path, MARKET, durable=False)
    # --fresh is the way out, and keeps the damaged file.
    state = StateDir(tmp_path, MARKET, durable=False, fresh=True)
    assert texts(state) == []
    assert (state.path / "previous" / broken).read_bytes() == b"not a database" * 100
    state.close()

"""The journal: a chain that shows damage, a replay that proves itself, errors that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent.domain.errors import JournalDivergence, JournalError
from smc_trading_agent.persistence.journal import Checkpoint, Fact, SqliteJournal


class Note(msgspec.Struct, frozen=True):
    text: str
    amount: int = 0


Entry = tuple[str, int, Note, str]
HISTORY: list[Entry] = [
    ("decision", 10, Note("first", 1), "d1"),
    ("approval", 10, Note("first"), "d1"),
    ("decision", 20, Note("second", 10**24), "d2"),
    ("breaker", 30, Note("tripped — wie gehabt"), ""),
    ("decision", 40, Note("third"), "d3"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def write(journal: SqliteJournal, history: list[Entry]) -> None:
    for kind, time, fact, ref in history:
        journal.append(kind, time, fact, ref)


def recorded(file: Path, history: list[Entry] = HISTORY) -> str:
    """Writes a history to a new journal; gives its hash."""
    with SqliteJournal(file) as journal:
        write(journal, history)
        return journal.head_hash


def tamper(file: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(file)
    with connection:
        assert connection.execute(statement, values).rowcount == 1
    connection.close()


def test_facts_come_back_as_they_were_given(file: Path) -> None:
    recorded(file)
    with SqliteJournal(file) as journal:
        assert journal.length == 5
        found = list(journal.facts())
        assert found[0] == Fact(1, "decision", 10, "d1", b'{"text":"first","amount":1}')
        assert [msgspec.json.decode(fact.payload, type=Note) for fact in found] == [entry[2] for entry in HISTORY]
        assert journal.verify_chain() == 5


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"kind": "decision"}, [1, 3, 5]),
        ({"ref": "d1"}, [1, 2]),
        ({"kind": "decision", "ref": "d1"}, [1]),
        ({"after": 3}, [4, 5]),
        ({"kind": "decision", "after": 1}, [3, 5]),
        ({"kind": "decision", "ref": "d2", "after": 3}, []),
        ({"kind": "no such kind"}, []),
        ({"ref": ""}, [4]),
    ],
)
def test_facts_by_kind_reference_and_position(file: Path, filters: dict[str, object], found: list[int]) -> None:
    recorded(file)
    with SqliteJournal(file) as journal:
        assert [fact.seq for fact in journal.facts(**filters)] == found  # type: ignore[arg-type]


def test_the_newest_reference_of_a_kind(file: Path) -> None:
    recorded(file)
    with SqliteJournal(file) as journal:
        assert journal.last_ref("decision") == "d3"
        assert journal.last_ref("breaker") == ""
        assert journal.last_ref("no such kind") == ""


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.integers(0, 3), st.builds(Note, st.text(max_size=3)), st.sampled_from("rs")
        ),
        max_size=5,
    ),
    st.integers(0, 4),
)
def test_the_hash_covers_everything_and_nothing_else(history: list[Entry], changed: int) -> None:
    one, same = SqliteJournal(), SqliteJournal()
    write(one, history)
    write(same, history)
    assert one.head_hash == same.head_hash
    assert one.verify_chain() == len(history)
    if changed < len(history):
        kind, time, note, ref = history[changed]
        for variant in ((kind + "x", time, note, ref), (kind, time + 1, note, ref), (kind, time, Note("other"), ref)):
            other = SqliteJournal()
            write(other, [*history[:changed], variant, *history[changed + 1 :]])
            assert other.head_hash != one.head_hash
            other.close()
    one.close()
    same.close()


def test_restarting_twice_adds_nothing_and_ends_at_the_same_hash(file: Path) -> None:
    head = recorded(file)
    before = file.read_bytes()
    for _ in range(2):
        with SqliteJournal(file) as journal:
            assert (journal.length, journal.head_hash, journal.replaying) == (5, head, False)
            assert journal.rewind() is None
            assert (journal.length, journal.replaying) == (0, True)
            write(journal, HISTORY)
            assert (journal.length, journal.head_hash, journal.replaying) == (5, head, False)
            assert len(list(journal.facts())) == 5
    assert file.read_bytes() == before


def test_a_replay_is_told_what_is_still_to_come_of_a_kind_and_reference(file: Path) -> None:
    again: list[Entry] = [("decision", 50, Note("first again"), "d1")]
    recorded(file, HISTORY + again)
    with SqliteJournal(file) as journal:
        assert journal.expected("decision", "d1") is None
        journal.rewind()
        assert b'"first"' in (journal.expected("decision", "d1") or b"")
        write(journal, HISTORY[:1])
        assert b'"first again"' in (journal.expected("decision", "d1") or b"")
        assert journal.expected("decision", "d9") is None
        write(journal, HISTORY[1:] + again)
        assert not journal.replaying
        assert journal.expected("decision", "d1") is None


def test_what_is_new_after_a_replay_is_added(file: Path) -> None:
    recorded(file)
    whole = [*HISTORY, ("decision", 50, Note("fourth"), "d4")]
    with SqliteJournal(file) as journal:
        journal.rewind()
        write(journal, whole)
        assert journal.verify_chain() == 6
        assert journal.head_hash == recorded(file.with_name("other.db"), whole)


@pytest.mark.parametrize(
    "different",
    [
        ("decision", 20, Note("another"), "d2"),
        ("refusal", 20, Note("second", 10**24), "d2"),
        ("decision", 21, Note("second", 10**24), "d2"),
        ("decision", 20, Note("second", 10**24), "d9"),
    ],
    ids=["payload", "kind", "time", "ref"],
)
def test_a_replay_that_differs_stops(file: Path, different: Entry) -> None:
    recorded(file)
    with SqliteJournal(file) as journal:
        journal.rewind()
        write(journal, HISTORY[:2])
        with pytest.raises(JournalDivergence, match=r"fact 3: recorded decision at 20: .*--state-dir"):
            write(journal, [different])
        # Nothing moved: the right fact still fits.
        write(journal, HISTORY[2:])
        assert journal.verify_chain() == 5


def test_a_difference_is_told_even_where_a_letter_is_cut_in_two(file: Path) -> None:
    recorded(file, [("decision", 1, Note("—" * 400), "")])
    with SqliteJournal(file) as journal:
        journal.rewind()
        with pytest.raises(JournalDivergence, match="—"):
            journal.append("decision", 1, Note("–" * 400))


def test_what_was_not_committed_is_not_there_after_a_crash(file: Path) -> None:
    crashed = SqliteJournal(file)
    write(crashed, HISTORY[:2])
    crashed.commit()
    write(crashed, HISTORY[2:])
    with SqliteJournal(file) as survivor:
        assert survivor.length == 2
        assert survivor.verify_chain() == 2
    crashed.close()


def test_a_checkpoint_is_where_the_replay_begins(file: Path) -> None:
    with SqliteJournal(file) as journal:
        write(journal, HISTORY[:3])
        journal.save_checkpoint(cursor=77, state=b"state")
        write(journal, HISTORY[3:])
        head = journal.head_hash
    with SqliteJournal(file) as journal:
        assert journal.rewind() == Checkpoint(cursor=77, length=3, state=b"state")
        assert (journal.length, journal.replaying) == (3, True)
        write(journal, HISTORY[3:])
        assert (journal.head_hash, journal.replaying) == (head, False)
        assert journal.verify_chain() == 5


def test_the_two_newest_checkpoints_are_kept(file: Path) -> None:
    with SqliteJournal(file) as journal:
        for index, entry in enumerate(HISTORY):
            write(journal, [entry])
            journal.save_checkpoint(index, bytes([index]))
        assert journal.rewind() == Checkpoint(cursor=4, length=5, state=b"\x04")
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT length, cursor FROM checkpoint ORDER BY length").fetchall() == [(4, 3), (5, 4)]
    connection.close()


def test_a_later_checkpoint_at_the_same_length_replaces_the_first(file: Path) -> None:
    with SqliteJournal(file) as journal:
        journal.save_checkpoint(1, b"one")
        journal.save_checkpoint(2, b"two")
        assert journal.rewind() == Checkpoint(cursor=2, length=0, state=b"two")
        assert journal.verify_chain() == 0


def test_no_checkpoint_is_made_of_a_replay(file: Path) -> None:
    recorded(file)
    with SqliteJournal(file) as journal:
        journal.rewind()
        write(journal, HISTORY[:2])
        journal.save_checkpoint(2, b"half")
        assert journal.rewind() is None


def flip(column: str) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        connection = sqlite3.connect(file)
        (found,) = connection.execute(f"SELECT {column} FROM fact WHERE seq = 3").fetchone()
        connection.close()
        tamper(file, f"UPDATE fact SET {column} = ? WHERE seq = 3", bytes([found[0] ^ 1]) + found[1:])

    return damage


def run(statement: str) -> Callable[[Path], None]:
    return lambda file: tamper(file, statement)


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (flip("payload"), 3),
        (flip("hash"), 3),
        (run("UPDATE fact SET time = time + 1 WHERE seq = 2"), 2),
        (run("UPDATE fact SET kind = 'x' WHERE seq = 2"), 2),
        (run("UPDATE fact SET ref = 'x' WHERE seq = 4"), 4),
        (run("DELETE FROM fact WHERE seq = 1"), 1),
        (run("DELETE FROM fact WHERE seq = 4"), 4),
        (run("UPDATE fact SET seq = 9 WHERE seq = 5"), 5),
        (run("DELETE FROM fact WHERE seq = 5"), 5),
        (run("UPDATE checkpoint SET head = x'00'"), 5),
    ],
)
def test_damage_is_found_and_placed(file: Path, damage: Callable[[Path], None], place: int) -> None:
    with SqliteJournal(file) as journal:
        write(journal, HISTORY)
        journal.save_checkpoint(9, b"state")
    damage(file)
    with (
        SqliteJournal(file) as journal,
        pytest.raises(JournalError, match=rf"journal.db is damaged at fact {place}: .*--state-dir"),
    ):
        journal.verify_chain()


def test_a_missing_number_is_damage_even_where_the_hashes_agree(file: Path) -> None:
    recorded(file)
    tamper(file, "UPDATE fact SET seq = 9 WHERE seq = 5")
    with SqliteJournal(file) as journal, pytest.raises(JournalError, match="damaged at fact 5"):
        journal.verify_chain()


def test_a_checkpoint_without_its_facts_is_not_resumed_from(file: Path) -> None:
    with SqliteJournal(file) as journal:
        write(journal, HISTORY)
        journal.save_checkpoint(9, b"state")
    tamper(file, "DELETE FROM fact WHERE seq = 5")
    with SqliteJournal(file) as journal, pytest.raises(JournalError, match="rests on facts that are not there"):
        journal.rewind()


def test_a_torn_page_is_a_journal_error_too(file: Path) -> None:
    recorded(file, [("decision", n, Note("x" * 500, n), "") for n in range(200)])
    content = bytearray(file.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xa5" * 4096
    file.write_bytes(content)
    with SqliteJournal(file) as journal, pytest.raises(JournalError, match=r"journal\.db"):
        journal.verify_chain()


def test_a_file_that_is_no_database_is_left_as_it_is(file: Path) -> None:
    file.write_text("these are the notes of somebody else, long enough to be read as a header", encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(JournalError, match=r"journal\.db can't be used as a database .*move it away"):
        SqliteJournal(file)
    assert file.read_bytes() == before


def test_a_folder_that_is_not_there_is_a_journal_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="unable to open"):
        SqliteJournal(tmp_path / "nowhere" / "journal.db")


def test_another_schema_version_is_refused(file: Path) -> None:
    recorded(file)
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalError, match="has schema version 99, this build reads 1"):
        SqliteJournal(file)


def test_a_database_without_the_tables_is_refused(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(JournalError, match="no such table"):
        SqliteJournal(file)


def test_a_commit_that_fails_stops_trading(file: Path) -> None:
    journal = SqliteJournal(file)
    # A constraint that SQLite can only check at the commit, and that no fact satisfies.
    journal._db.executescript("""
        PRAGMA foreign_keys = ON;
        CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER orphan AFTER INSERT ON fact BEGIN INSERT INTO child VALUES (new.seq); END;
        """)
    write(journal, HISTORY[:1])
    with pytest.raises(JournalError, match=r"could not be committed: FOREIGN KEY .*; trading stops"):
        journal.commit()
    # It is not forgotten: the next attempt fails as well, and no checkpoint rests on it.
    with pytest.raises(JournalError, match="trading stops"):
        journal.save_checkpoint(1, b"state")
    journal._db.close()
    with SqliteJournal(file) as reopened:
        assert reopened.length == 0


def test_a_fact_that_can_not_be_written_stops_trading(file: Path) -> None:
    recorded(file)
    journal = SqliteJournal(file)
    journal._db.execute("PRAGMA busy_timeout = 1")
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match=r"fact 6 could not be written .*locked; trading stops"):
        journal.append("decision", 50, Note("late"))
    assert journal.length == 5
    with pytest.raises(JournalError, match="locked"):
        journal.save_checkpoint(1, b"state")
    holder.execute("ROLLBACK")
    holder.close()
    journal.append("decision", 50, Note("in time"))
    assert journal.verify_chain() == 6
    journal.close()


@pytest.mark.parametrize(("durable", "level"), [(False, 1), (True, 2)])
def test_durability_is_what_was_asked_for(file: Path, durable: bool, level: int) -> None:
    with SqliteJournal(file, durable) as journal:
        assert journal._db.execute("PRAGMA synchronous").fetchone() == (level,)
        assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)

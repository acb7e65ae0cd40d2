"""Is what other processes ask durable, in order, once, and never in anybody's way?"""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from vastflow.errors import BatchRefused, StoreError, StoreTooNew, StoreUnreadable
from vastflow.ledger import inbox as page
from vastflow.ledger.inbox import Inbox, Letter
from vastflow.testing.samples import MORNING

LONG = 30.0

_PUT_MANY = """
import sys
from vastflow.ledger.inbox import Inbox

inbox = Inbox(sys.argv[1])
for number in range(int(sys.argv[3])):
    inbox.put("start", f"{sys.argv[2]}-{number}", b"{}", sys.argv[2], number)
"""

# Its changes do not fit into its memory, so a part of them is in the file, and the journal is hot, when it is killed.
_DIE_WHILE_WRITING = """
import os, signal, sqlite3, sys

link = sqlite3.connect(sys.argv[1], isolation_level=None)
link.execute("PRAGMA cache_size = 2")
link.execute("BEGIN")
link.execute("DELETE FROM letters")
link.executemany("INSERT INTO letters VALUES (NULL, 1, '', 'cancel', 'b', ?)", [(bytes(3000),)] * 50)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "flows.db"


@pytest.fixture
def file(store: Path) -> Path:
    return store.with_name("flows.db-inbox")


@pytest.fixture
def inbox(store: Path) -> Iterator[Inbox]:
    with closing(Inbox(store)) as made:
        yield made


def put(inbox: Inbox, flow: str = "a", kind: str = "start") -> int:
    return inbox.put(kind, flow, b'{"n":1}', "ann", MORNING)


def damage(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as link, link:
        link.execute(statement)


@pytest.mark.promise("11.2")
def test_a_letter_comes_back_as_it_was_put_with_increasing_numbers(inbox: Inbox, store: Path) -> None:
    first = inbox.put("start", "über \U0001f30a \x00", bytes(range(256)), "ann", MORNING)
    second = put(inbox, "b", "cancel")

    with closing(Inbox(store)) as another:
        assert another.letters() == [
            Letter(first, MORNING, "ann", "start", "über \U0001f30a \x00", bytes(range(256))),
            Letter(second, MORNING, "ann", "cancel", "b", b'{"n":1}'),
        ]
        assert another.id == inbox.id
    assert 0 < first < second


@pytest.mark.promise("11.2")
def test_letters_are_read_in_order_from_where_one_asks(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [put(inbox, str(number)) for number in range(5)]

    assert [letter.no for letter in inbox.letters(limit=2)] == numbers[:2]
    assert [letter.no for letter in inbox.letters(after=numbers[1])] == numbers[2:]
    monkeypatch.setattr(page, "_PORTION", 10)
    assert [letter.no for letter in inbox.letters()] == numbers[:2]


@pytest.mark.promise("11.2")
def test_the_start_of_a_flow_is_found_by_its_id(inbox: Inbox) -> None:
    assert inbox.letter_of("a") is None
    put(inbox, "a", "cancel")
    no = put(inbox, "a")

    found = inbox.letter_of("a")

    assert found is not None
    assert (found.no, found.kind) == (no, "start")
    assert inbox.letter_of("b") is None
    inbox.remove([no])
    assert inbox.letter_of("a") is None


@pytest.mark.promise("11.2")
def test_what_is_removed_is_gone_and_its_number_is_never_given_again(inbox: Inbox, store: Path) -> None:
    numbers = [put(inbox, str(number)) for number in range(3)]

    inbox.remove(numbers[1:])
    inbox.remove([])
    inbox.close()

    with closing(Inbox(store)) as again:
        assert [letter.no for letter in again.letters()] == numbers[:1]
        assert put(again) > numbers[-1]


def test_an_inbox_that_nobody_wrote_to_is_empty_and_no_file(inbox: Inbox, tmp_path: Path) -> None:
    assert (inbox.letters(), inbox.letter_of("a"), inbox.changed(), inbox.id) == ([], None, False, "")
    inbox.remove([])
    inbox.close()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("11.2")
def test_a_change_is_said_once_whoever_makes_it(inbox: Inbox, store: Path) -> None:
    with closing(Inbox(store)) as other:
        no = put(other)
        assert [inbox.changed() for _ in range(3)] == [True, False, False]

        put(other)
        put(other)
        assert [inbox.changed() for _ in range(2)] == [True, False]
        other.remove([no])
        assert [inbox.changed() for _ in range(2)] == [True, False]
        put(inbox)
        assert [inbox.changed() for _ in range(2)] == [True, False]


def test_an_inbox_that_was_replaced_or_removed_is_seen_at_once(inbox: Inbox, file: Path) -> None:
    put(inbox, "old")
    assert inbox.changed()
    before = inbox.id

    file.rename(file.with_name("elsewhere"))
    assert (inbox.changed(), inbox.letters(), inbox.id) == (False, [], "")

    put(inbox, "new")
    assert inbox.changed()
    assert [letter.flow for letter in inbox.letters()] == ["new"]
    assert inbox.id != before


@pytest.mark.promise("10.6", "11.2")
@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_all_files_are_private_whatever_the_umask(inbox: Inbox, file: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        put(inbox)
    finally:
        os.umask(before)

    modes = {each.name: each.stat().st_mode & 0o777 for each in file.parent.iterdir()}
    assert modes == {"flows.db-inbox": 0o600, "flows.db-inbox-journal": 0o600}


@pytest.mark.promise("10.6", "11.2")
def test_it_has_a_rollback_journal_and_is_synced_before_a_put_returns(inbox: Inbox) -> None:
    with inbox._writer.transaction(LONG) as link:  # noqa: SLF001 - its settings can be seen nowhere else
        assert link.execute("PRAGMA journal_mode").fetchone() == ("truncate",)
        assert link.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.promise("11.2")
def test_many_processes_and_threads_put_at_once_and_each_letter_is_there_once(inbox: Inbox, store: Path) -> None:
    def work(name: str) -> None:
        for number in range(20):
            put(inbox, f"{name}-{number}")

    command = [sys.executable, "-c", _PUT_MANY, str(store)]
    others = [subprocess.Popen([*command, name, "20"], env={**os.environ}) for name in ("x", "y")]
    threads = [threading.Thread(target=work, args=(name,)) for name in ("s", "t", "u", "v")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)

    assert [other.wait(LONG) for other in others] == [0, 0]
    found = [letter.flow for letter in inbox.letters()]
    assert sorted(found) == sorted(f"{name}-{number}" for name in "stuvxy" for number in range(20))


@pytest.mark.promise("11.2")
def test_a_process_killed_while_it_writes_leaves_what_was_there(inbox: Inbox, file: Path) -> None:
    no = put(inbox)

    killed = subprocess.run([sys.executable, "-c", _DIE_WHILE_WRITING, str(file)], check=False, timeout=LONG)

    assert killed.returncode < 0
    assert file.with_name("flows.db-inbox-journal").stat().st_size > 0
    assert [letter.no for letter in inbox.letters()] == [no]
    assert put(inbox, "b") > no


@pytest.mark.promise("11.2")
def test_whoever_puts_waits_for_another_program_that_locks_the_file(inbox: Inbox, file: Path) -> None:
    put(inbox)
    numbers: list[int] = []
    with closing(sqlite3.connect(file, isolation_level=None)) as intruder:
        intruder.execute("BEGIN EXCLUSIVE")
        thread = threading.Thread(target=lambda: numbers.append(put(inbox, "b")))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        intruder.execute("ROLLBACK")
    thread.join(LONG)

    assert [letter.no for letter in inbox.letters()][1:] == numbers


@pytest.mark.promise("11.2")
def test_nobody_is_told_that_a_database_is_locked(store: Path, file: Path) -> None:
    inbox = Inbox(store, patience=0.01)
    no = put(inbox)
    assert inbox.changed()
    with closing(sqlite3.connect(file, isolation_level=None)) as intruder:
        intruder.execute("BEGIN EXCLUSIVE")

        assert inbox.changed() is False
        for act in (
            lambda: put(inbox),
            inbox.letters,
            lambda: inbox.letter_of("a"),
            lambda: inbox.remove([no]),
        ):
            with pytest.raises(StoreError, match="another process has kept the store's inbox to itself") as caught:
                act()
            assert "locked" not in str(caught.value)

    assert [letter.no for letter in inbox.letters()] == [no]
    inbox.close()


@pytest.mark.parametrize("bad", [("a\ud800", b""), ("a", object())])
def test_what_cannot_be_stored_is_refused_and_hinders_none_beside_it(inbox: Inbox, bad: tuple[str, bytes]) -> None:
    flow, payload = bad

    with pytest.raises(BatchRefused, match="cannot hold what was to be written"):
        inbox.put("start", flow, payload, "ann", MORNING)

    assert inbox.letters() == []
    assert put(inbox) > 0


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(
    "change",
    [
        *("at = 'noon'", "at = 1.5", "at = x'31'", "who = x'ff'", "who = CAST(x'ff' AS TEXT)", "kind = x'00'"),
        *("flow = x'61'", "flow = CAST(x'61ff' AS TEXT)", "payload = '{}'", "payload = 1.5"),
    ],
)
def test_a_letter_that_cannot_be_read_keeps_its_number_and_says_nothing(inbox: Inbox, file: Path, change: str) -> None:
    no, other = put(inbox), put(inbox, "b")
    damage(file, f"UPDATE letters SET {change} WHERE no = {no}")  # noqa: S608 - the text above

    found = inbox.letters()

    assert found[0] == Letter(no, 0, "", "", "", b"")
    assert (found[1].no, found[1].flow) == (other, "b")


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(
    ("statement", "error", "advice"),
    [
        ("UPDATE inbox SET id = x'ff'", StoreUnreadable, "has no id that can be read"),
        ("DELETE FROM inbox", StoreUnreadable, "has no id that can be read"),
        ("DROP TABLE inbox", StoreError, "cannot be used now: no such table: inbox"),
        ("PRAGMA user_version = 2", StoreTooNew, "has form 2, this release knows 1"),
        ("PRAGMA application_id = 7", StoreError, "of another program, not an inbox"),
    ],
)
def test_an_inbox_that_something_else_wrote_to_says_so(
    inbox: Inbox, store: Path, file: Path, statement: str, error: type[StoreError], advice: str
) -> None:
    put(inbox)
    inbox.close()
    damage(file, statement)

    with closing(Inbox(store)) as again, pytest.raises(error, match=advice):
        assert again.id


@pytest.mark.promise("10.9")
def test_a_letter_without_a_number_is_an_error(inbox: Inbox, file: Path) -> None:
    put(inbox)
    damage(file, "DROP TABLE letters")
    damage(file, "CREATE TABLE letters (no, at, who, kind, flow, payload)")
    damage(file, "INSERT INTO letters VALUES ('one', 1, '', 'start', 'a', x'')")

    with pytest.raises(StoreUnreadable, match="holds a letter without a number"):
        inbox.letters()


@pytest.mark.parametrize("content", [b"a letter to somebody\n" * 100, b"SQLite format 3\0" + b"\xa5" * 8000])
def test_a_file_of_another_kind_is_refused_unchanged(inbox: Inbox, file: Path, content: bytes) -> None:
    file.write_bytes(content)

    for act in (lambda: put(inbox), inbox.letters, inbox.changed, lambda: inbox.id):
        with pytest.raises(StoreError, match=r"flows.db-inbox .*away"):
            act()

    assert file.read_bytes() == content


def test_an_inbox_whose_folder_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with closing(Inbox(tmp_path / "nowhere" / "flows.db")) as inbox:
        assert inbox.changed() is False
        with pytest.raises(StoreError, match=r"the folder .*nowhere of the store"):
            put(inbox)


def test_a_link_that_leads_nowhere_is_an_error(inbox: Inbox, file: Path) -> None:
    file.symlink_to(file.with_name("nowhere"))

    with pytest.raises(StoreError, match="look what lies there"):
        put(inbox)


def test_a_full_disk_writes_nothing_and_the_next_letter_is_written_when_there_is_room(inbox: Inbox) -> None:
    no = put(inbox)
    with inbox._writer.transaction(LONG) as link:  # noqa: SLF001 - the limit belongs to the writing connection
        link.execute("PRAGMA max_page_count = 8")

    with pytest.raises(StoreError, match="cannot be used now: database or disk is full") as caught:
        inbox.put("start", "b", bytes(1_000_000), "ann", MORNING)

    assert not isinstance(caught.value, BatchRefused)
    assert [letter.no for letter in inbox.letters()] == [no]
    assert put(inbox, "c") > no


def test_a_closed_inbox_says_that_it_is_closed(inbox: Inbox) -> None:
    put(inbox)
    inbox.close()
    inbox.close()

    for act in (lambda: put(inbox), inbox.letters):
        with pytest.raises(StoreError, match="was closed; open it again"):
            act()


def test_the_inbox_of_a_link_to_a_store_is_the_stores(inbox: Inbox, store: Path) -> None:
    store.touch()
    link = store.with_name("link.db")
    link.symlink_to(store)
    no = put(inbox)

    with closing(Inbox(link)) as other:
        assert [letter.no for letter in other.letters()] == [no]


def test_a_copy_of_an_inbox_is_read(inbox: Inbox, file: Path, tmp_path: Path) -> None:
    no = put(inbox)
    inbox.close()
    (tmp_path / "copy").mkdir()
    shutil.copy(file, tmp_path / "copy" / "flows.db-inbox")

    with closing(Inbox(tmp_path / "copy" / "flows.db")) as copy:
        assert [letter.no for letter in copy.letters()] == [no]

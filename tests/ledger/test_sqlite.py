"""Does the SQLite store keep the promises of all stores, and those of a file?"""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from vastflow.errors import BatchRefused, StoreError, StoreServed, StoreUnreadable
from vastflow.ledger import connection
from vastflow.ledger.contract import FlowQuery, Owner, Store
from vastflow.ledger.query import SQL
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.ledger.sqlite_reader import UNFINISHED, SQLiteReader, listing
from vastflow.testing.exam import StoreExam
from vastflow.testing.samples import EVENING, MORNING, answer, batch, fact, facts, flow, ids

Serve = Callable[[Path], "subprocess.Popen[str]"]


@pytest.mark.promise("10.2", "10.6", "10.7", "10.8", "10.11")
class TestSQLiteStore(StoreExam):
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.made = 0

    def make(self) -> Store:
        self.made += 1
        return SQLiteStore(self.folder / f"flows-{self.made}.db")

    def reopen(self, store: Store) -> Store:
        store.close()
        return SQLiteStore(cast("SQLiteStore", store).path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flows.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(path)) as made:
        yield made


@pytest.fixture
def owner(store: SQLiteStore) -> Owner:
    return store.take("engine", MORNING)


@pytest.mark.promise("10.6")
@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_all_files_are_private_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with closing(SQLiteStore(path)) as store:
            owner = store.take("engine", MORNING)
            store.commit(batch(owner, flows=[flow("a", owner)]))
            modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    finally:
        os.umask(before)

    assert modes == dict.fromkeys(("flows.db", "flows.db-lock", "flows.db-shm", "flows.db-wal"), 0o600)


@pytest.mark.promise("10.6")
def test_the_file_is_never_less_private_than_it_will_be(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    connect = sqlite3.connect

    def watched(*args: object, **options: object) -> sqlite3.Connection:
        seen.append(path.stat().st_mode & 0o777)
        return cast("Callable[..., sqlite3.Connection]", connect)(*args, **options)

    monkeypatch.setattr(sqlite3, "connect", watched)
    with closing(SQLiteStore(path)) as store:
        store.take("engine", MORNING)

    assert seen == [0o600]


@pytest.mark.promise("10.6")
@pytest.mark.parametrize(
    ("said", "level"),
    [("FULL", 2), ("power-loss-loses-the-last-commits", 1), ("power-loss-may-break-the-file", 0)],
)
def test_wal_and_full_unless_somebody_says_what_may_be_lost(path: Path, said: str, level: int) -> None:
    path.touch(0o600)

    with closing(connection.open_to_write(str(path), said)) as link:
        assert link.execute("PRAGMA synchronous").fetchone() == (level,)
        assert link.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.promise("10.6")
def test_full_is_what_one_gets_without_asking(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    open_to_write = connection.open_to_write

    def watched(place: str, synchronous: str) -> sqlite3.Connection:
        asked.append(synchronous)
        return open_to_write(place, synchronous)

    monkeypatch.setattr("vastflow.ledger.sqlite.open_to_write", watched)
    with closing(SQLiteStore(path)) as store:
        store.take("engine", MORNING)

    assert asked == ["FULL"]


@pytest.mark.promise("10.6")
@pytest.mark.parametrize("said", ["NORMAL", "OFF", "full", ""])
def test_a_level_that_does_not_say_what_it_risks_is_refused_with_those_that_do(path: Path, said: str) -> None:
    with pytest.raises(StoreError, match="FULL, power-loss-loses-the-last-commits, power-loss-may-break-the-file"):
        SQLiteStore(path, synchronous=said)


def test_a_missing_folder_is_named_and_not_made(tmp_path: Path) -> None:
    advice = r"the folder .*nowhere of the store .* is not there; make it"
    with closing(SQLiteStore(tmp_path / "nowhere" / "flows.db")) as store, pytest.raises(StoreError, match=advice):
        store.take("engine", MORNING)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("10.6")
def test_a_store_on_a_network_file_system_is_not_served(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "network_type", lambda _: "nfs4")

    advice = r"lies on a network file system \(nfs4\).*put it on a local disk"
    with closing(SQLiteStore(path)) as store, pytest.raises(StoreError, match=advice):
        store.take("engine", MORNING)

    assert not path.exists()


@pytest.mark.promise("11.1")
def test_a_second_engine_is_refused_until_the_first_has_closed(path: Path, store: SQLiteStore, owner: Owner) -> None:
    with closing(SQLiteStore(path)) as second:
        with pytest.raises(StoreServed, match="another engine of this process"):
            second.take("second", EVENING)

        store.close()
        assert second.take("second", EVENING).epoch == owner.epoch + 1


@pytest.mark.promise("11.1")
@pytest.mark.usefixtures("owner")
def test_a_store_is_taken_once(store: SQLiteStore) -> None:
    with pytest.raises(StoreServed, match=r"serves .* already"):
        store.take("engine", EVENING)


@pytest.mark.promise("11.1")
def test_a_link_to_a_store_is_the_same_store(path: Path, store: SQLiteStore, owner: Owner) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    store.commit(batch(owner, flows=[flow("a", owner)]))

    with closing(SQLiteStore(link)) as second:
        assert second.flow("a") == flow("a", owner)
        with pytest.raises(StoreServed):
            second.take("second", EVENING)


@pytest.mark.promise("11.1")
def test_a_store_served_elsewhere_is_refused_and_read_all_the_same(
    path: Path, store: SQLiteStore, serve: Serve
) -> None:
    server = serve(path)

    with pytest.raises(StoreServed, match=f"is served by process {server.pid}"):
        store.take("engine", EVENING)

    assert len(store.facts("a")) == 3


@pytest.mark.promise("10.6", "11.1")
def test_what_a_killed_server_committed_is_taken_over(path: Path, store: SQLiteStore, serve: Serve) -> None:
    server = serve(path)
    server.kill()
    server.wait()
    assert path.with_name("flows.db-wal").stat().st_size > 0

    owner = store.take("engine", EVENING)
    store.claim(["a"], owner)
    lost = store.commit(batch(owner, facts=[fact("a", 4, owner)]))

    assert (owner.epoch, lost) == (2, frozenset())
    assert [row.number for row in store.facts("a")] == [1, 2, 3, 4]
    assert ids(store.unfinished()) == ["a"]


@pytest.mark.promise("10.6")
def test_nothing_but_file_and_lock_is_left_after_closing(path: Path, store: SQLiteStore, owner: Owner) -> None:
    store.commit(batch(owner, flows=[flow("a", owner)]))
    assert store.flow("a") is not None

    store.close()

    assert sorted(each.name for each in path.parent.iterdir()) == ["flows.db", "flows.db-lock"]


def test_a_closed_store_says_that_it_is_closed(store: SQLiteStore, owner: Owner) -> None:
    store.close()

    with pytest.raises(StoreError, match="was closed; open it again"):
        store.flow("a")
    with pytest.raises(StoreError, match=r"take.. it first"):
        store.commit(batch(owner))


def test_a_store_that_is_not_there_yet_knows_no_time(store: SQLiteStore) -> None:
    assert store.latest() == 0
    with pytest.raises(StoreError, match="there is no store"):
        store.flows(FlowQuery())


@pytest.mark.promise("10.7")
@pytest.mark.parametrize(
    "bad",
    [
        {"number": 2**63},
        {"address": "\ud800"},
        {"payload": object()},
        {"kind": None},
    ],
)
def test_what_sqlite_cannot_hold_refuses_the_batch_and_hinders_none_after_it(
    store: SQLiteStore, owner: Owner, bad: dict[str, object]
) -> None:
    broken = fact("a", 1, owner, **bad)

    with pytest.raises(BatchRefused, match="cannot hold what was to be written"):
        store.commit(batch(owner, flows=[flow("a", owner)], facts=[broken]))

    assert store.flow("a") is None
    assert store.commit(batch(owner, flows=[flow("a", owner)], facts=facts("a", owner, 1))) == frozenset()


@pytest.mark.promise("10.7")
def test_a_full_disk_writes_nothing_and_the_same_batch_is_written_when_there_is_room(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        owner = store.take("engine", MORNING)
        big = batch(owner, flows=[flow("a", owner, cargo=bytes(1_000_000))], facts=facts("a", owner, 2))
        link = cast("sqlite3.Connection", store._link)  # noqa: SLF001 - the limit belongs to the one writing connection
        link.execute("PRAGMA max_page_count = 40")

        with pytest.raises(StoreError, match="cannot be used now: database or disk is full") as caught:
            store.commit(big)

        assert not isinstance(caught.value, BatchRefused)
        assert (store.flow("a"), store.last_batch(owner.epoch)) == (None, 0)
        link.execute("PRAGMA max_page_count = 1000000")
        assert store.commit(big) == frozenset()
        assert store.last_batch(owner.epoch) == 1


@pytest.mark.promise("10.7")
def test_a_store_that_another_program_locks_is_an_error_of_the_store(
    path: Path, store: SQLiteStore, owner: Owner
) -> None:
    cast("sqlite3.Connection", store._link).execute("PRAGMA busy_timeout = 0")  # noqa: SLF001 - not to wait 5 s
    with closing(sqlite3.connect(path, isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")

        with pytest.raises(
            StoreError, match=r"cannot be used now: another program keeps it locked \(`fuser .*flows.db`"
        ):
            store.commit(batch(owner, flows=[flow("a", owner)]))

        intruder.execute("ROLLBACK")
    assert store.commit(batch(owner, flows=[flow("a", owner)])) == frozenset()


@pytest.mark.promise("10.8")
def test_an_owner_that_was_followed_behind_its_back_writes_nothing(
    path: Path, store: SQLiteStore, owner: Owner
) -> None:
    store.commit(batch(owner, flows=[flow("a", owner)]))
    with closing(sqlite3.connect(path)) as intruder, intruder:
        intruder.execute("UPDATE owner SET epoch = epoch + 1")

    lost = store.commit(batch(owner, 2, flows=[flow("b", owner)], facts=facts("a", owner, 1)))

    assert lost == {"a", "b"}
    assert store.facts("a") == []


def _plan(path: Path, statement: str, values: list[object] | dict[str, str]) -> list[str]:
    with closing(sqlite3.connect(path)) as link:
        return [row[3] for row in link.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


# One row, and the list of states that was asked for.
_SMALL = ("SCAN owner", "SCAN json_each VIRTUAL TABLE INDEX 1:")


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("facts", {"flow": "x", "after": "1"}),
        ("flow_owner", ["x"]),
        ("claim_flow", ["x"] * 3),
        ("last_batch", {"epoch": "1"}),
        ("latest", []),
        ("chart", ["x"]),
        ("move_flow", ["x"] * 7),
        ("purge_facts", ["x"]),
        ("purge_cargo", ["x"]),
        ("purge_flow", ["x"]),
        ("answer", ["x", 1]),
        ("answered", ["x"]),
        ("insert_answer", ["x"] * 5),
        ("removable", {"before": "1", "states": "[]", "limit": "1"}),
    ],
)
def test_no_statement_on_the_way_of_a_flow_looks_at_all_rows(
    path: Path, name: str, values: list[object] | dict[str, str]
) -> None:
    plan = _plan(path, SQL[name], values)

    assert [step for step in plan if step.startswith("SCAN") and step not in _SMALL] == []


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        (FlowQuery(), "flows_by_start"),
        (FlowQuery(after="a"), "flows_by_start"),
        (FlowQuery(name="attach"), "flows_by_name"),
        (FlowQuery(states=("running", "fail")), "flows_by_state"),
        (FlowQuery(states=("running",), after="a"), "flows_by_state"),
    ],
)
def test_lists_go_by_an_index(path: Path, query: FlowQuery, index: str) -> None:
    plan = _plan(path, *listing(query))

    assert any(index in step for step in plan), plan


@pytest.mark.usefixtures("owner")
def test_the_unfinished_are_found_without_looking_at_what_ended_well(path: Path) -> None:
    plan = _plan(path, UNFINISHED, [])

    assert any("flows_by_state" in step for step in plan), plan


@pytest.mark.promise("10.6", "10.7")
@pytest.mark.parametrize(
    ("name", "happened"),
    [("flows.db", "was removed or renamed while it is being served"), ("flows.db-lock", "flows.db-lock was removed")],
)
def test_nothing_is_written_to_a_store_that_was_taken_away_until_it_is_back(
    path: Path, store: SQLiteStore, owner: Owner, name: str, happened: str
) -> None:
    file, away = path.with_name(name), path.with_name("away")
    store.commit(batch(owner, flows=[flow("a", owner)]))
    late = batch(owner, 2, facts=facts("a", owner, 1))
    file.rename(away)

    for write in (lambda: store.commit(late), lambda: store.beat(owner.epoch, EVENING), lambda: store.purge(["a"])):
        with pytest.raises(StoreError, match=f"{happened}.*Nothing is written meanwhile"):
            write()

    away.rename(file)
    assert (store.last_batch(owner.epoch), store.latest()) == (1, MORNING)
    assert store.commit(late) == frozenset()
    assert len(store.facts("a")) == 1


@pytest.mark.promise("10.6", "10.7")
def test_nothing_is_written_when_another_file_took_the_place_of_the_store(
    path: Path, store: SQLiteStore, owner: Owner
) -> None:
    store.commit(batch(owner, flows=[flow("a", owner)]))
    path.rename(path.with_name("away"))
    path.write_bytes(b"something else")

    with pytest.raises(StoreError, match=r"was replaced by another file .*put the very file .* back"):
        store.commit(batch(owner, 2, facts=facts("a", owner, 1)))

    assert path.read_bytes() == b"something else"
    path.with_name("away").replace(path)
    assert store.commit(batch(owner, 2, facts=facts("a", owner, 1))) == frozenset()


@pytest.mark.promise("10.6")
def test_a_reader_reads_the_file_that_lies_there_now(path: Path, store: SQLiteStore, owner: Owner) -> None:
    store.commit(batch(owner, flows=[flow("old", owner)]))
    store.close()
    with closing(SQLiteReader(path)) as reader:
        assert reader.flow("old") is not None
        path.unlink()
        with pytest.raises(StoreError, match="there is no store"):
            reader.flow("old")

        with closing(SQLiteStore(path)) as new:
            owner = new.take("engine", MORNING)
            new.commit(batch(owner, flows=[flow("new", owner)]))
            assert (reader.flow("old"), reader.flow("new")) == (None, flow("new", owner))


@pytest.mark.promise("10.9")
def test_an_answer_that_is_no_bytes_is_an_error_and_one_without_a_number_is_passed_over(
    path: Path, store: SQLiteStore, owner: Owner
) -> None:
    store.commit(batch(owner, answers=[answer(1), answer(2)]))
    with closing(sqlite3.connect(path)) as intruder, intruder:
        intruder.execute("UPDATE answer SET said = 'text' WHERE no = 1")
        intruder.execute("UPDATE answer SET no = 'two' WHERE no = 2")

    assert store.answered("inbox") == {1}
    with pytest.raises(StoreUnreadable, match="the answer to letter 1 cannot be read"):
        store.answer("inbox", 1)

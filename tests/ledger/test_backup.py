"""Is a store copied whole, while it is served, and never over anything?"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from vastflow.errors import StoreError
from vastflow.ledger import backup
from vastflow.ledger.contract import Owner
from vastflow.ledger.memory import MemoryStore
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.ledger.sqlite_reader import SQLiteReader
from vastflow.testing.samples import EVENING, MORNING, batch, facts, flow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flows.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(path)) as made:
        yield made


@pytest.fixture
def owner(store: SQLiteStore) -> Owner:
    owner = store.take("engine", MORNING)
    store.commit(batch(owner, flows=[flow("a", owner)], facts=facts("a", owner, 3)))
    return owner


def test_a_copy_holds_what_was_committed_and_is_private(store: SQLiteStore, owner: Owner, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"

    store.backup(target)

    assert target.stat().st_mode & 0o777 == 0o600
    with closing(SQLiteStore(target)) as copy:
        assert copy.flow("a") == flow("a", owner)
        assert copy.facts("a") == facts("a", owner, 3)
        assert copy.check_integrity() == ["1 flows have no chart, so they cannot go on"]
        assert copy.take("next", EVENING).epoch == owner.epoch + 1
    left = sorted(each.name for each in tmp_path.iterdir())
    assert [name for name in left if "copy" in name] == ["copy.db", "copy.db-lock"]


@pytest.mark.usefixtures("owner")
def test_anybody_who_may_read_a_store_may_copy_it(path: Path, tmp_path: Path) -> None:
    with closing(SQLiteReader(path)) as reader:
        reader.backup(str(tmp_path / "copy.db"))

    with closing(SQLiteReader(tmp_path / "copy.db")) as copy:
        assert len(copy.facts("a")) == 3


def test_commits_go_on_while_a_store_is_copied_and_the_copy_is_of_one_moment(
    store: SQLiteStore, owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.commit(batch(owner, 2, flows=[flow("big", owner, cargo=bytes(400_000))]))
    numbers = iter(range(3, 10_000))
    portions: list[int] = []

    def commit(_status: int, remaining: int, _total: int) -> None:
        number = next(numbers)
        store.commit(batch(owner, number, facts=facts("a", owner, number + 1, first=number + 1)))
        portions.append(remaining)

    monkeypatch.setattr(backup, "_PAGES", 10)
    monkeypatch.setattr(backup, "_listen", commit)
    store.backup(tmp_path / "copy.db")

    # Never begun anew, though something was committed between each two portions.
    assert portions == sorted(portions, reverse=True)
    assert len(portions) > 9
    with closing(SQLiteReader(tmp_path / "copy.db")) as copy:
        assert [fact.number for fact in copy.facts("a")] == [1, 2, 3]
    assert len(store.facts("a")) == len(portions) + 3


@pytest.mark.usefixtures("owner")
def test_a_file_that_is_there_is_never_replaced(
    store: SQLiteStore, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy.db"
    target.write_text("a letter")

    for taken in (target, path):
        with pytest.raises(StoreError, match="is there already, and a copy never replaces anything; name a new file"):
            store.backup(taken)
    target.unlink()
    monkeypatch.setattr(backup, "_listen", lambda *_: target.write_text("a letter"))
    with pytest.raises(StoreError, match="is there already"):
        store.backup(target)

    assert target.read_text() == "a letter"
    assert list(tmp_path.glob("*.part*")) == []


@pytest.mark.usefixtures("owner")
def test_a_copy_that_cannot_be_made_is_an_error_that_names_it_and_leaves_nothing(
    store: SQLiteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StoreError, match=r"nowhere/copy.db.*cannot be made: No such file"):
        store.backup(tmp_path / "nowhere" / "copy.db")
    monkeypatch.setattr(backup, "_listen", full)
    with pytest.raises(
        StoreError, match=r"the copy .*copy.db could not be made: .*full; the store itself is as it was"
    ):
        store.backup(tmp_path / "copy.db")

    assert [each.name for each in tmp_path.iterdir() if "copy" in each.name] == []
    assert store.flow("a") is not None


@pytest.mark.usefixtures("owner")
def test_an_interrupt_ends_it_and_leaves_nothing(
    store: SQLiteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backup, "_listen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.backup(tmp_path / "copy.db")

    assert [each.name for each in tmp_path.iterdir() if "copy" in each.name] == []


def test_the_wal_can_be_emptied_again_after_a_copy(store: SQLiteStore, owner: Owner, tmp_path: Path) -> None:
    store.backup(tmp_path / "copy.db")

    store.commit(batch(owner, 2, facts=facts("a", owner, 4, first=4)))
    store.close()
    assert not (tmp_path / "flows.db-wal").exists()


def test_a_store_in_memory_says_that_it_has_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"in memory has no file that could be copied to .*copy.db; use a sqlite:///"):
        MemoryStore().backup(str(tmp_path / "copy.db"))


def test_a_copied_file_is_the_one_that_is_read_when_it_takes_the_place_of_the_first(
    store: SQLiteStore, owner: Owner, path: Path, tmp_path: Path
) -> None:
    store.backup(tmp_path / "copy.db")
    store.commit(batch(owner, 2, flows=[flow("late", owner)]))
    store.close()
    with closing(SQLiteReader(path)) as reader:
        assert reader.flow("late") is not None

        shutil.move(tmp_path / "copy.db", path)

        assert reader.flow("late") is None
        assert reader.flow("a") is not None

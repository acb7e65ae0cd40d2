"""Is a file that is not ours refused, and left as it is?"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from vastflow.errors import StoreError, StoreTooNew
from vastflow.ledger.connection import APPLICATION
from vastflow.ledger.migration import VERSION
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.ledger.sqlite_reader import SQLiteReader
from vastflow.testing.samples import MORNING, batch, flow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flows.db"


def _refused_by_both(path: Path, error: type[StoreError], advice: str) -> None:
    before = path.read_bytes()
    with closing(SQLiteStore(path)) as store, pytest.raises(error, match=advice):
        store.take("engine", MORNING)
    with closing(SQLiteReader(path)) as reader, pytest.raises(error, match=advice):
        reader.flow("a")

    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_unchanged(path: Path) -> None:
    path.write_text("a letter to somebody\n" * 100)

    _refused_by_both(path, StoreError, "is not a vastflow store, but a file of another kind; nothing in it was changed")


def test_a_database_of_another_program_is_refused_unchanged(path: Path) -> None:
    with closing(sqlite3.connect(path)) as link, link:
        link.execute("CREATE TABLE flows (id TEXT)")

    _refused_by_both(path, StoreError, "a SQLite file of another program")


@pytest.mark.promise("10.9")
def test_a_store_of_a_newer_release_is_refused_unchanged(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        owner = store.take("engine", MORNING)
        store.commit(batch(owner, flows=[flow("a", owner)]))
    with closing(sqlite3.connect(path)) as link, link:
        link.execute(f"PRAGMA user_version = {VERSION + 1}")

    _refused_by_both(path, StoreTooNew, f"has form {VERSION + 1}, .* reads up to {VERSION}: install a newer one")


@pytest.mark.promise("10.9")
@pytest.mark.parametrize("form", [0, -7])
def test_a_store_of_a_form_that_never_was_is_refused_unchanged(path: Path, form: int) -> None:
    with closing(SQLiteStore(path)) as store:
        store.take("engine", MORNING)
    with closing(sqlite3.connect(path)) as link, link:
        link.execute(f"PRAGMA user_version = {form}")

    _refused_by_both(path, StoreError, f"says that it has form {form}, which never was: restore it")


def test_a_refused_file_is_free_for_the_next_try(path: Path) -> None:
    path.write_text("a letter to somebody\n" * 100)
    with closing(SQLiteStore(path)) as store:
        with pytest.raises(StoreError):
            store.take("engine", MORNING)
        path.unlink()

        assert store.take("engine", MORNING).epoch == 1


def test_an_empty_file_becomes_a_store_and_is_none_before(path: Path) -> None:
    path.touch()
    with closing(SQLiteReader(path)) as reader, pytest.raises(StoreError, match="there is no store at"):
        reader.flow("a")

    with closing(SQLiteStore(path)) as store:
        assert store.take("engine", MORNING).epoch == 1


def test_a_store_says_whose_it_is_and_in_which_form(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.take("engine", MORNING)

    with closing(sqlite3.connect(path)) as link:
        assert link.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
        assert link.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_damaged_store_is_an_error_that_says_to_keep_it(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        owner = store.take("engine", MORNING)
        store.commit(batch(owner, flows=[flow(str(number), owner) for number in range(2000)]))
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))

    with closing(SQLiteReader(path)) as reader, pytest.raises(StoreError, match=r"is damaged .*restore it from a copy"):
        reader.flow("7")

"""Does a store come to today's form whole or not at all, whenever its process dies?"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from vastflow.errors import StoreError
from vastflow.ledger.contract import FlowQuery
from vastflow.ledger.migration import VERSION, print_sql, steps
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.ledger.sqlite_reader import SQLiteReader
from vastflow.testing.samples import EVENING, answer, batch, ids

V1 = Path(__file__).parents[1] / "stores" / "v1.db"
LONG = 30.0

_DIE = """
import os, signal, sqlite3, sys
from vastflow.ledger import connection, migration
from vastflow.ledger.sqlite import SQLiteStore

path, deadly, when = sys.argv[1:]
connect = connection.connect


class Mortal(sqlite3.Connection):
    def execute(self, statement, *values):
        if statement == deadly and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = super().execute(statement, *values)
        if statement == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


plain = sqlite3.connect
sqlite3.connect = lambda *given, **options: plain(*given, factory=Mortal, **options)
SQLiteStore(path).take("engine", 1)
"""


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    return Path(shutil.copy(V1, tmp_path / "flows.db"))


def version_of(path: Path) -> int:
    with closing(SQLiteReader(path)) as reader:
        return reader.version()


@pytest.mark.promise("10.9")
def test_a_reader_reads_an_earlier_form_and_leaves_it_as_it_is(v1: Path) -> None:
    with closing(SQLiteReader(v1)) as reader:
        assert len(reader.flows(FlowQuery())) == 3
        assert reader.answer("inbox", 1) is None

    assert version_of(v1) == 1
    assert v1.read_bytes() == V1.read_bytes()


@pytest.mark.promise("10.9", "11.2")
def test_whoever_serves_it_moves_it_on_and_readers_of_before_see_the_answers(v1: Path) -> None:
    with closing(SQLiteReader(v1)) as reader, closing(SQLiteStore(v1)) as store:
        before = reader.flows(FlowQuery())
        assert reader.answer("inbox", 1) is None

        owner = store.take("engine", EVENING)
        store.commit(batch(owner, answers=[answer(1, said=b"done")]))

        assert reader.version() == VERSION
        assert reader.answer("inbox", 1) == b"done"
        assert reader.flows(FlowQuery()) == before


@pytest.mark.slow
@pytest.mark.promise("10.9")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", *steps(1, VERSION), "COMMIT"])
def test_a_process_killed_on_the_way_leaves_the_earlier_form_or_todays(v1: Path, statement: str, when: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _DIE, str(v1), statement, when], env={**os.environ}, check=False, timeout=LONG
    )

    assert killed.returncode == -signal.SIGKILL
    assert version_of(v1) == (VERSION if (statement, when) == ("COMMIT", "after") else 1)
    with closing(SQLiteStore(v1)) as store:
        assert store.answer("inbox", 1) is None
        store.take("engine", EVENING)
        assert store.version() == VERSION
        assert store.check_integrity() == []
        assert ids(store.unfinished()) == ["order-2", "über \U0001f30a"]


@pytest.mark.slow
@pytest.mark.promise("10.9")
@pytest.mark.parametrize("statement", [*steps(0, VERSION), "COMMIT"])
def test_a_process_killed_while_it_makes_a_store_leaves_none(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "flows.db"

    killed = subprocess.run(
        [sys.executable, "-c", _DIE, str(path), statement, "before"], env={**os.environ}, check=False, timeout=LONG
    )

    assert killed.returncode == -signal.SIGKILL
    with closing(SQLiteStore(path)) as store:
        with pytest.raises(StoreError, match="there is no store"):
            store.flow("a")
        assert store.take("engine", EVENING).epoch == 1


@pytest.mark.promise("10.9")
def test_a_step_that_cannot_be_done_leaves_the_earlier_form(v1: Path) -> None:
    with closing(sqlite3.connect(v1)) as link, link:
        link.execute("CREATE TABLE answer (inbox)")

    with closing(SQLiteStore(v1)) as store, pytest.raises(StoreError, match="table answer already exists"):
        store.take("engine", EVENING)

    assert version_of(v1) == 1


def test_the_printed_sql_does_the_same(v1: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(V1, tmp_path / "other.db"))
    with closing(SQLiteStore(v1)) as store:
        store.take("engine", EVENING)

    with closing(sqlite3.connect(other)) as link:
        link.executescript(print_sql(1))

    for path in (v1, other):
        assert version_of(path) == VERSION
    assert _form(other) == _form(v1)


def test_the_printed_sql_says_what_it_is_and_that_nobody_may_serve_the_store_meanwhile() -> None:
    text = print_sql(1, 2)

    assert "a vastflow store of form 1 becomes one of form 2" in text.lower()
    assert "while nobody does" in text
    assert text.index("BEGIN IMMEDIATE;") < text.index("CREATE TABLE answer") < text.index("PRAGMA user_version = 2;")
    assert text.endswith("COMMIT;\n")


@pytest.mark.parametrize(("first", "last"), [(2, 1), (1, VERSION + 1), (-1, 1)])
def test_a_way_that_there_is_not_is_an_error(first: int, last: int) -> None:
    with pytest.raises(StoreError, match=f"no way from form {first} to form {last}: .* no form leads back"):
        print_sql(first, last)


def test_from_todays_form_nothing_is_left_to_do() -> None:
    assert steps(VERSION, VERSION) == []


def _form(path: Path) -> list[object]:
    with closing(sqlite3.connect(path)) as link:
        return link.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()

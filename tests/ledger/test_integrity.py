"""Is damage of a store found, and nothing else called damage?"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from vastflow.ledger.sqlite import SQLiteStore
from vastflow.ledger.sqlite_reader import SQLiteReader
from vastflow.testing.samples import MORNING, batch, facts, flow

STORES = Path(__file__).parents[1] / "stores"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "flows.db"
    with closing(SQLiteStore(path)) as store:
        owner = store.take("engine", MORNING)
        flows = [flow(str(number), owner) for number in range(200)]
        store.commit(batch(owner, charts={"c" * 64: b"{}"}, flows=flows, facts=facts("1", owner, 3)))
    return path


@pytest.fixture
def reader(path: Path) -> Iterator[SQLiteReader]:
    with closing(SQLiteReader(path)) as made:
        yield made


def damage(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as link:
        for statement in statements:
            link.execute(statement)


def test_a_whole_store_has_no_faults(reader: SQLiteReader) -> None:
    assert reader.check_integrity() == []
    assert reader.check_integrity(quick=True) == []


@pytest.mark.parametrize("kept", ["v1b.db", "v2.db"])
def test_a_whole_store_of_any_form_has_no_faults(kept: str, tmp_path: Path) -> None:
    with closing(SQLiteReader(shutil.copy(STORES / kept, tmp_path))) as reader:
        assert reader.check_integrity() == []


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DELETE FROM cargoes WHERE flow < 3", "2 flows have no cargo, so they cannot go on"),
        ("DELETE FROM charts", "200 flows have no chart, so they cannot go on"),
        ("UPDATE cargoes SET flow = 900 WHERE flow = 1", "1 cargoes belong to no flow"),
        ("UPDATE facts SET flow = 900", "3 facts belong to no flow"),
        ("DROP TABLE facts", "it cannot be checked: no such table: facts"),
    ],
)
def test_rows_that_do_not_belong_together_are_counted(
    reader: SQLiteReader, path: Path, statement: str, fault: str
) -> None:
    damage(path, statement)

    assert fault in reader.check_integrity()


def test_an_index_that_does_not_fit_its_table_is_found(reader: SQLiteReader, path: Path) -> None:
    damage(
        path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE INDEX flows_by_name ON flows (owner, started, id)' "
        "WHERE name = 'flows_by_name'",
    )

    assert any("flows_by_name" in fault for fault in reader.check_integrity())


def test_a_damaged_file_is_said_to_be(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))

    with closing(SQLiteReader(path)) as reader:
        assert reader.check_integrity() != []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("PRAGMA application_id = 7", "is a SQLite file of another program"),
        ("PRAGMA user_version = 99", "has form 99, and this release"),
    ],
)
def test_a_file_that_is_not_ours_is_a_fault_too(path: Path, statement: str, fault: str) -> None:
    damage(path, statement)

    with closing(SQLiteReader(path)) as reader:
        (found,) = reader.check_integrity()
    assert fault in found


def test_a_store_that_is_not_there_is_a_fault_too(tmp_path: Path) -> None:
    with closing(SQLiteReader(tmp_path / "none.db")) as reader:
        (found,) = reader.check_integrity()
    assert "there is no store at" in found

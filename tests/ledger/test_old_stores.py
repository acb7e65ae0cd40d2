"""Do stores written by earlier releases open for ever?

`tests/stores/make_v1.py` says what is in `v1.db`; the file itself is never made anew.
"""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from vastflow.ledger import open_reader
from vastflow.ledger.contract import FactRow, FlowQuery, Owner, Period
from vastflow.ledger.query import SQL
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.testing.samples import batch, fact, ids

V1 = Path(__file__).parents[1] / "stores" / "v1.db"
BEGAN = 1_795_000_000_000_000
SECOND = 1_000_000


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    return Path(shutil.copy(V1, tmp_path / "v1.db"))


def test_the_file_is_the_one_that_was_kept() -> None:
    assert (
        hashlib.sha256(V1.read_bytes()).hexdigest()
        == "90732277e3e50312e923a90c3412011dffa8e0468af8e10ada5e487202aff824"
    )


@pytest.mark.promise("10.9")
def test_a_store_of_form_1_is_read(v1: Path) -> None:
    with closing(open_reader(f"sqlite:///{v1}")) as reader:
        assert ids(reader.flows(FlowQuery())) == ["über \U0001f30a", "order-2", "order-1"]
        assert reader.chart("d" * 64) == b'{"v":1}'
        assert reader.periods() == [
            Period(1, BEGAN, BEGAN + 3 * SECOND),
            Period(2, BEGAN + 10 * SECOND, BEGAN + 10 * SECOND),
        ]
        assert [row.number for row in reader.facts("order-1")] == [1, 2, 3]
        assert reader.facts("order-1")[2] == FactRow(
            "order-1", 3, 1, "", 1, 1, "ended", BEGAN + 2 * SECOND, 1, "ada", 1, bytes(range(256))
        )
        ended = reader.flow("order-1")
        full = reader.flow("über \U0001f30a")
    assert ended is not None
    assert (ended.state, ended.outcome, ended.ended) == ("success", "success", BEGAN + 2 * SECOND)
    assert full is not None
    assert (full.uid, full.name, full.state, full.stranded) == (
        "0b7c5c9a-5d0c-4f0e-9a39-6c7a5b1f0003",
        "Löschen",
        "undoing",
        "no class",
    )
    assert (full.flags, full.tags, full.labels) == (b'["cancelling","paused"]', b'{"team":"storage"}', b'{"a":"b"}')
    assert (full.not_before, full.deadline, full.parent, full.priority) == (
        BEGAN + 4 * SECOND,
        BEGAN + 5 * SECOND,
        "order-1",
        -3,
    )
    assert (full.epoch, full.rules, full.version, full.cargo) == (1, 1, 1, bytes(range(256)))


@pytest.mark.promise("10.9")
def test_a_store_of_form_1_is_served_on(v1: Path) -> None:
    with closing(SQLiteStore(v1)) as store:
        assert store.latest() == BEGAN + 10 * SECOND
        assert (store.last_batch(1), store.last_batch(2)) == (1, 0)

        owner = store.take("next", BEGAN + 20 * SECOND)
        before = store.flow("order-2")
        store.claim(["order-2"], owner)
        lost = store.commit(batch(owner, facts=[fact("order-2", 2, owner)]))

        assert owner == Owner(name="next", epoch=3, batch=0)
        assert lost == frozenset()
        assert ids(store.unfinished()) == ["order-2", "über \U0001f30a"]
        assert before is not None
        assert store.flow("order-2") == replace(before, owner="next", epoch=3)
        assert [row.number for row in store.facts("order-2")] == [1, 2]


def test_a_new_store_has_the_very_form_of_the_kept_one(tmp_path: Path) -> None:
    with closing(SQLiteStore(tmp_path / "new.db")) as store:
        store.take("engine", BEGAN)

    assert _form(tmp_path / "new.db") == _form(V1)
    assert len(_form(V1)) >= len([name for name in SQL if name.startswith("make_")]) - 3


def _form(path: Path) -> list[object]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as link:
        return link.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()

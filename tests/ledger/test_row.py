"""Does a row that something else wrote cost its own flow only?"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from vastflow.clock import LAST
from vastflow.errors import StoreError, StoreUnreadable
from vastflow.ledger.contract import FlowQuery, Owner
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.testing.samples import MORNING, batch, facts, flow, ids

Break = Callable[..., None]


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
    rows = [flow("bad", owner, tags=b'{"k":"v"}'), flow("good", owner, tags=b'{"k":"v"}')]
    store.commit(
        batch(owner, charts={"h": b"h"}, flows=rows, facts=[*facts("bad", owner, 3), *facts("good", owner, 3)])
    )
    return owner


@pytest.fixture
def breaking(path: Path) -> Break:
    def run(statement: str, *values: object) -> None:
        with closing(sqlite3.connect(path)) as link, link:
            link.execute(statement, values)

    return run


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", b"running"),
        ("started", "yesterday"),
        ("tags", '{"k":"v"}'),
        ("epoch", 1.5),
        ("name", b"\xff\xfe"),
        ("flags", 0),
    ],
)
def test_a_flow_with_a_wrong_column_is_unreadable_and_the_others_are_not(
    store: SQLiteStore, owner: Owner, breaking: Break, column: str, value: object
) -> None:
    breaking(f"UPDATE flows SET {column} = ? WHERE id = 'bad'", value)  # noqa: S608 - a column of the list above

    bad = store.flow("bad")

    assert bad is not None
    assert re.match(f"the row of flow 'bad' cannot be read: {column} is .* instead of", bad.unreadable)
    assert store.flow("good") == flow("good", owner, tags=b'{"k":"v"}')


@pytest.mark.promise("10.9")
def test_in_lists_an_unreadable_flow_stands_stranded_with_the_reason(
    store: SQLiteStore, owner: Owner, breaking: Break
) -> None:
    breaking("UPDATE flows SET rules = 'new' WHERE id = 'bad'")

    good, bad = store.flows(FlowQuery())

    assert good == flow("good", owner, tags=b'{"k":"v"}')
    assert (bad.id, bad.name, bad.rules) == ("bad", "attach-volume", 0)
    assert "rules is str instead of int" in bad.stranded
    assert store.unfinished() == [bad, good]
    assert ids(store.flows(FlowQuery(tags={"k": "v"}))) == ["good", "bad"]


@pytest.mark.promise("10.9")
def test_text_that_is_no_text_spoils_no_list(store: SQLiteStore, owner: Owner, breaking: Break) -> None:
    breaking("UPDATE flows SET name = CAST(x'fffe' AS TEXT) WHERE id = 'bad'")

    rows = store.flows(FlowQuery())

    assert [row.stranded != "" for row in rows] == [False, True]
    assert rows[0].epoch == owner.epoch


@pytest.mark.promise("10.9")
@pytest.mark.usefixtures("owner")
def test_a_flow_that_lost_its_cargo_is_unreadable(store: SQLiteStore, breaking: Break) -> None:
    breaking("DELETE FROM cargoes WHERE flow = (SELECT no FROM flows WHERE id = 'bad')")

    bad = store.flow("bad")

    assert bad is not None
    assert "cargo is NoneType instead of bytes" in bad.unreadable
    assert ids(store.unfinished()) == ["bad", "good"]


@pytest.mark.promise("10.9")
@pytest.mark.usefixtures("owner")
def test_a_flow_whose_id_is_no_text_still_shows_in_lists(store: SQLiteStore, breaking: Break) -> None:
    breaking("UPDATE flows SET id = ? WHERE id = 'bad'", b"\xff")

    shown = [row for row in store.flows(FlowQuery()) if row.stranded]

    assert [row.id for row in shown] == ["b'\\xff'"]


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(
    ("column", "value"),
    [("payload", "{}"), ("at", 1.5), ("kind", b"flowed"), ("number", "three"), ("address", b"\xff")],
)
def test_a_fact_with_a_wrong_column_makes_its_flow_unreadable_and_no_other(
    store: SQLiteStore, owner: Owner, breaking: Break, column: str, value: object
) -> None:
    bad = "number = 3 AND flow = (SELECT no FROM flows WHERE id = 'bad')"
    breaking(f"UPDATE facts SET {column} = ? WHERE {bad}", value)  # noqa: S608 - a column of the list above

    with pytest.raises(StoreUnreadable, match=f"fact .* of flow 'bad' cannot be read: {column} is"):
        store.facts("bad")
    assert store.facts("good") == facts("good", owner, 3)


@pytest.mark.promise("10.9")
@pytest.mark.usefixtures("owner")
def test_a_chart_that_is_no_bytes_is_unreadable(store: SQLiteStore, breaking: Break) -> None:
    breaking("UPDATE charts SET chart = 'text' WHERE hash = 'h'")

    with pytest.raises(StoreUnreadable, match="the chart h cannot be read"):
        store.chart("h")


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("started", -1),
        ("changed", 1 << 62),
        ("deadline", LAST + 1),
        ("epoch", -1),
        ("tags", b'{"k":1}'),
        ("flags", b"[" * 100_000),
        ("flags", b'["\xff"]'),
    ],
)
def test_what_is_of_its_type_and_yet_cannot_be_makes_its_row_unreadable(
    store: SQLiteStore, owner: Owner, breaking: Break, column: str, value: object
) -> None:
    breaking(f"UPDATE flows SET {column} = ? WHERE id = 'bad'", value)  # noqa: S608 - a column of the list above

    bad = store.flow("bad")

    assert bad is not None
    assert re.match(f"the row of flow 'bad' cannot be read: {column} is .*: restore it from a copy", bad.unreadable)
    assert bad.stranded == bad.unreadable
    assert store.flow("good") == flow("good", owner, tags=b'{"k":"v"}')


@pytest.mark.promise("10.9")
@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(
    "damage",
    [
        *(
            "UPDATE owner SET epoch = 'x'",
            "UPDATE owner SET epoch = 9223372036854775807",
            "UPDATE owner SET name = x'ff'",
        ),
        *("DELETE FROM owner", "UPDATE owner SET latest = -1", "UPDATE owner SET latest = x'00'"),
        *("UPDATE owner SET epoch = 0", "UPDATE owner SET batch = -1"),
    ],
)
def test_an_owner_who_cannot_be_read_is_an_error_with_advice_and_nothing_is_written(
    store: SQLiteStore, path: Path, breaking: Break, damage: str
) -> None:
    store.close()
    breaking(damage)

    with closing(SQLiteStore(path)) as again, pytest.raises(StoreError, match="restore it from a copy"):
        again.take("next", MORNING)
    with closing(sqlite3.connect(path)) as link:
        assert link.execute("SELECT count(*) FROM periods").fetchone() == (1,)


@pytest.mark.promise("10.9")
@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("damage", ["began = 'noon'", "ended = 9223372036854775807", "epoch = -1", "began = -1"])
def test_a_served_period_that_cannot_be_read_is_an_error_with_advice(
    store: SQLiteStore, breaking: Break, damage: str
) -> None:
    breaking(f"UPDATE periods SET {damage}")  # noqa: S608 - one of the list above

    with pytest.raises(StoreError, match=r"a served period cannot be read: .*restore it from a copy"):
        store.periods()


@pytest.mark.promise("10.9")
def test_a_new_flow_gets_no_number_under_which_anything_stands_that_lost_its_flow(
    store: SQLiteStore, owner: Owner, path: Path, breaking: Break
) -> None:
    breaking("DELETE FROM flows WHERE id = 'good'")
    breaking("UPDATE flows SET no = 9223372036854775807")
    store.close()

    with closing(SQLiteStore(path)) as again:
        second = again.take("next", MORNING)
        lost = again.commit(batch(second, flows=[flow("new", second)], facts=facts("new", second, 3)))

        assert lost == frozenset()
        assert again.facts("new") == facts("new", second, 3)
    assert second.epoch == owner.epoch + 1


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("tags", [b"no json", b"[1]", b'{"k":1}', b""])
def test_tags_that_cannot_be_read_are_none(store: SQLiteStore, breaking: Break, tags: bytes) -> None:
    breaking("UPDATE flows SET tags = ? WHERE id = 'bad'", tags)

    assert ids(store.flows(FlowQuery(tags={"k": "v"}))) == ["good"]
    assert ids(store.flows(FlowQuery())) == ["good", "bad"]

"""Do stores written by earlier releases open for ever?

`tests/stores/make_v1.py`, `make_v1b.py` and `make_v2.py` say what is in them; the files are never made anew.
"""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.scenes import LONG
from tests.stores.make_v1b import Kills, Waits
from vastflow import Engine
from vastflow.ledger import open_reader
from vastflow.ledger.contract import FactRow, FlowQuery, Owner, Period
from vastflow.ledger.inbox import Inbox, Letter
from vastflow.ledger.migration import VERSION, steps
from vastflow.ledger.reading import read_events, read_status
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.testing.samples import batch, fact, ids

V1 = Path(__file__).parents[1] / "stores" / "v1.db"
V1B = V1.with_name("v1b.db")
V2 = V1.with_name("v2.db")
V2_INBOX = V1.with_name("v2.db-inbox")
BEGAN = 1_795_000_000_000_000
SECOND = 1_000_000


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    return Path(shutil.copy(V1, tmp_path / "v1.db"))


@pytest.fixture
def v1b(tmp_path: Path) -> Path:
    return Path(shutil.copy(V1B, tmp_path / "v1b.db"))


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    shutil.copy(V2_INBOX, tmp_path / "v2.db-inbox")
    return Path(shutil.copy(V2, tmp_path / "v2.db"))


@pytest.fixture(params=[V1B, V2], ids=["v1b", "v2"])
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    kept: Path = request.param
    return Path(shutil.copy(kept, tmp_path / kept.name))


@pytest.mark.parametrize(
    ("file", "kept"),
    [
        (V1, "90732277e3e50312e923a90c3412011dffa8e0468af8e10ada5e487202aff824"),
        (V1B, "5a820ff519159c80ae2982b9c746083cea7ee3c8a16499c034c010b55344b179"),
        (V2, "1e95aeaec97ccccd9aea6ecb6dfbbe9090cf48a2c54a8412f59e550c6375170b"),
        (V2_INBOX, "3950dff46dfdfcd1202d9f5f7d63603c78dcf0626a84b8a7f8b6320098f7e7f7"),
    ],
    ids=["v1", "v1b", "v2", "v2-inbox"],
)
def test_the_file_is_the_one_that_was_kept(file: Path, kept: str) -> None:
    assert hashlib.sha256(file.read_bytes()).hexdigest() == kept


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


OLD_KINDS = {
    *("begun", "cancelled", "cancelling", "chosen", "completed", "conflicted", "continued", "cycled", "doubted"),
    *("dropped", "ended", "entered", "expanded", "failed", "failing", "flowed", "joined", "late", "left", "outcome"),
    *("paused", "poisoned", "polled", "resumed", "retried", "retrying", "saved", "set", "signalled", "skipped"),
    *("spared", "started", "undofailed", "undoing", "undone", "won"),
}

ENDS = {
    "conflicted": ("fail", {"parallel-river": "fail", "a": "success", "b": "success"}),
    "continued": ("success", {"east": "fail", "east/bad": "undone", "last": "success"}),
    "doubted": ("success", {"hangs": "success", "last": "success"}),
    "late": ("fail", {"one": "cancelled"}),
    "mended": ("cancelled", {"one": "success", "two": "skipped", "three": "cancelled"}),
    "paid": ("success", {"waits": "success"}),
    "poisoned": ("running", {"kills": "running"}),
    "spread-ill": ("fail", {"skipped": "skipped", "breaks": "fail"}),
    "spread-well": ("success", {"well": "success"}),
    "tolerated": ("success", {"parallel-river": "success", "bad": "undone", "good": "success"}),
    "undone": (
        "fail",
        {
            "first": "undone",
            "east": "success",
            "east/stubborn": "undo-failed",
            "east/polled": "success",
            "breaks": "fail",
        },
    ),
    "waiting": ("running", {"waits": "cycling"}),
    "won": ("success", {"parallel-river": "success", "slow": "undone", "fast": "success"}),
}


@pytest.mark.promise("10.9", "10.1")
def test_journals_of_any_form_with_every_kind_of_fact_are_read_as_on_the_first_day(full: Path) -> None:
    with closing(open_reader(f"sqlite:///{full}")) as reader:
        found = {row.id: read_status(reader, row.id) for row in reader.flows(FlowQuery())}
        kinds = {fact.kind for flow_id in found for fact in reader.facts(flow_id)}
        retried = [event.round for event in read_events(reader, "undone") if event.kind == "outcome"]
        told = [(event.kind, event.who) for event in read_events(reader, "mended") if event.who]

    assert {
        name: (status.state, {stream.address: stream.state for stream in status.streams if stream.kind != "atlantic"})
        for name, status in found.items()
    } == ENDS
    assert kinds == OLD_KINDS
    assert retried == [1, 2]
    commands = ["paused", "set", "completed", "resumed", "paused", "skipped", "resumed", "cancelling"]
    assert told == [(kind, "ann") for kind in commands]
    assert found["waiting"].flags == ("paused",)
    assert found["poisoned"].stranded.startswith("poison: ")


@pytest.mark.promise("10.9", "10.10")
def test_flows_of_any_form_that_wait_or_are_stranded_go_on(full: Path) -> None:
    assert {Waits.registered_as, Kills.registered_as} == {"tests.stores.waits", "tests.stores.kills"}
    with Engine(f"sqlite:///{full}") as engine:
        waiting = engine.flow("waiting")
        waiting.resume()
        waiting.signal("paid", 20)

        assert waiting.result(LONG) == {"image": "debian", "paid": 20}
        poisoned = engine.flow("poisoned")
        assert poisoned.status().stranded.startswith("poison: ")
        poisoned.cancel()
        assert poisoned.wait(LONG).state == "cancelled"


@pytest.mark.promise("11.2")
def test_letters_and_answers_of_form_2_are_read_and_no_letter_is_taken_in_twice(v2: Path) -> None:
    with closing(SQLiteStore(v2)) as store, closing(Inbox(v2)) as inbox:
        assert inbox.id == "62fc1945-8bb3-4d63-bbe6-7b26eff32634"
        assert inbox.letters() == [
            Letter(2, BEGAN + 1, "ann", "cancel", "won", b"{}"),
            Letter(3, BEGAN + 2, "", "signal", "waiting", b'{"name":"paid"}'),
            Letter(4, BEGAN + 3, "ann", "start", "über \U0001f30a", bytes(range(256))),
        ]
        assert store.answered(inbox.id) == {1, 2}
        said = b'{"what":"refused","reason":"it has ended","error":"CommandRefused"}'
        assert store.answer(inbox.id, 1) == said
        assert inbox.put("cancel", "won", b"{}", "ann", BEGAN) == 5


@pytest.mark.promise("10.9")
@pytest.mark.parametrize("kept", [V1, V1B, V2], ids=["v1", "v1b", "v2"])
def test_a_store_of_any_form_has_the_form_of_a_new_one_when_it_is_served(kept: Path, tmp_path: Path) -> None:
    old = Path(shutil.copy(kept, tmp_path / "old.db"))
    for path in (old, tmp_path / "new.db"):
        with closing(SQLiteStore(path)) as store:
            store.take("engine", BEGAN)
            assert store.version() == VERSION

    assert _form(old) == _form(tmp_path / "new.db") == _form(V2)


def test_the_form_1_that_is_made_first_is_that_of_the_kept_stores(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "one.db", isolation_level=None)) as link:
        for statement in steps(0, 1):
            link.execute(statement)

    assert _form(tmp_path / "one.db") == _form(V1) == _form(V1B)


def _form(path: Path) -> list[object]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as link:
        return link.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()

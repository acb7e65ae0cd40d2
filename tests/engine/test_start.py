"""Is a flow started once, and only when it is on disk?"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import LONG, Quiet, drawn, nothing, puts, river, simulated
from vastflow import (
    Andes,
    DrawingError,
    Engine,
    Flow,
    FlowConflict,
    FlowStranded,
    Headwaters,
    River,
)
from vastflow.drawing.launcher import Terms
from vastflow.engine import default_engine
from vastflow.errors import EngineError, StoreServed
from vastflow.ledger.contract import Batch
from vastflow.ledger.memory import MemoryStore
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.ledger.sqlite_reader import SQLiteReader
from vastflow.runtime import Simulated


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("memory:") as engine:
        yield engine


class Gate(MemoryStore):
    """A store whose commits wait at a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Event()
        self.open = threading.Event()

    def commit(self, batch: Batch) -> frozenset[str]:
        self.came.set()
        assert self.open.wait(LONG)
        return super().commit(batch)


@pytest.mark.promise("10.2")
def test_start_returns_when_the_whole_drawing_and_its_water_are_on_disk(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/flows.db") as engine:
        engine.start(drawn(river("a", nothing)), {"image": "debian"}, id="one")

        with closing(SQLiteReader(tmp_path / "flows.db")) as reader:
            row = reader.flow("one")

    assert row is not None
    assert b"debian" in row.cargo
    assert row.name == "drawn"


@pytest.mark.promise("10.2")
def test_start_does_not_return_before_the_commit_and_no_body_begins_before_it() -> None:
    store, begun = Gate(), threading.Event()
    with Engine(store=store) as engine, ThreadPoolExecutor(1) as pool:
        starting = pool.submit(engine.start, drawn(river("a", lambda _self, _water: begun.set())))
        assert store.came.wait(LONG)
        early = starting.done(), begun.is_set()
        store.open.set()
        starting.result(LONG).result(LONG)

    assert early == (False, False)
    assert begun.is_set()


@pytest.mark.promise("2.11")
def test_the_same_id_with_the_same_name_and_water_gives_the_flow_there_is(engine: Engine) -> None:
    calls: list[str] = []
    andes = drawn(river("a", lambda self, _water: calls.append(self.flow_id)))
    first = engine.start(andes, {"image": "debian"}, id="one")
    first.result(LONG)

    again = engine.start(andes, {"image": "debian"}, id="one")

    assert again.id == first.id
    assert again.result(LONG) == {"image": "debian"}
    assert calls == ["one"]


@pytest.mark.promise("2.11")
@pytest.mark.parametrize(
    ("name", "water", "said"),
    [
        ("other", {"image": "debian", "size": 1}, ["'drawn'", "'other'"]),
        ("drawn", {"image": "alpine", "size": 1}, ["'image'"]),
        ("drawn", {"image": "debian"}, ["'size'"]),
        ("drawn", {"image": "debian", "size": 1, "more": 2}, ["'more'"]),
        ("drawn", {"image": "debian", "size": 1.0}, ["'size'"]),
    ],
)
def test_the_same_id_for_another_flow_is_a_conflict_that_names_the_difference(
    engine: Engine, name: str, water: dict[str, Any], said: list[str]
) -> None:
    a = river("a", nothing)
    engine.start(drawn(a), {"image": "debian", "size": 1}, id="one")

    with pytest.raises(FlowConflict, match="give this one another id") as conflict:
        engine.start(drawn(a, name=name), water, id="one")

    assert conflict.value.flow == "one"
    assert all(word in str(conflict.value) for word in said)


@pytest.mark.promise("2.11")
def test_the_same_id_is_the_same_flow_after_it_has_ended_and_after_a_restart(tmp_path: Path) -> None:
    calls: list[str] = []
    andes = drawn(river("a", lambda self, _water: calls.append(self.flow_id)))
    with Engine(f"sqlite:///{tmp_path}/flows.db") as engine:
        engine.start(andes, id="one").result(LONG)

    with Engine(f"sqlite:///{tmp_path}/flows.db") as engine:
        engine.start(andes, id="one").result(LONG)

    assert calls == ["one"]


@pytest.mark.promise("2.11")
@pytest.mark.parametrize("turn", range(10))
def test_one_id_started_by_many_threads_at_once_is_one_flow(engine: Engine, turn: int) -> None:
    calls: list[str] = []
    andes = drawn(river("a", lambda self, _water: calls.append(self.key)), river("b", nothing))
    together = threading.Barrier(6)

    def start(_number: int) -> Flow[Headwaters]:
        together.wait(LONG)
        return engine.start(andes, {"turn": turn}, id="one")

    with ThreadPoolExecutor(6) as pool:
        flows = list(pool.map(start, range(6)))

    assert [flow.result(LONG)["turn"] for flow in flows] == [turn] * 6
    assert len(calls) == 1
    assert len(engine.flows()) == 1


@pytest.mark.promise("2.11")
@pytest.mark.parametrize("turn", range(10))
def test_one_id_started_as_two_flows_at_once_is_one_flow_and_one_conflict(engine: Engine, turn: int) -> None:
    drawings = [drawn(river("a", puts(by=name)), river("b", puts(turn=turn)), name=name) for name in ("x", "y")]
    together = threading.Barrier(2)

    def start(andes: Andes[Headwaters]) -> str:
        together.wait(LONG)
        try:
            return str(engine.start(andes, id="one").result(LONG)["by"])
        except FlowConflict:
            return "conflict"

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(start, drawings))

    assert said[0] == "conflict"
    assert said[1] == engine.flow("one").status().name


@pytest.mark.promise("2.11")
@pytest.mark.parametrize("seed", range(60))
def test_a_flow_whose_id_is_asked_for_a_second_time_at_any_moment_loses_nothing(seed: int) -> None:
    """Two starts that overtake each other in all orders: in one batch, in two, with facts of the first between them."""
    runtime = Simulated(seed)
    engine = simulated(runtime=runtime)
    begin = engine._admission.begin  # noqa: SLF001  # both must be under way before either is waited for
    one, other = drawn(river("a", puts(a=1)), river("b", puts(b=2)), name="one"), drawn(river("z", nothing), name="two")
    first = begin(one, None, {}, Terms("id"))
    for _ in range(seed % 12):
        runtime.pump()
    if engine.reader.flow("id") is None:
        second = begin(other if seed % 2 else one, None, {}, Terms("id"))
        assert second.written is not None
        with pytest.raises(FlowConflict):
            runtime.wait(second.written)

    assert first.written is not None
    runtime.wait(first.written)
    flow = engine.flow("id")
    assert flow.result() == {"a": 1, "b": 2}
    assert not flow.status().stranded
    assert engine.close()


@pytest.mark.promise("2.11")
def test_an_id_that_is_given_is_kept_and_one_that_is_made_sorts_by_time() -> None:
    engine = simulated()
    andes = drawn(river("a", nothing))
    flows = []
    for _ in range(3):
        flows.append(engine.start(andes))
        engine.runtime.advance(0.002)  # type: ignore[attr-defined]  # the simulated one's

    made = [flow.id for flow in flows]

    assert engine.start(andes, id="my-id").id == "my-id"
    assert made == sorted(made)
    assert all(each[14] == "7" for each in made)


@pytest.mark.promise("2.11")
@pytest.mark.parametrize(
    ("terms", "advice"),
    [
        ({"id": ""}, "id='order-17'"),
        ({"id": 17}, "id='order-17'"),
        ({"id": "\ud800"}, "id='order-17'"),
        ({"tags": {"n": 1}}, "'team': 'storage'"),
        ({"tags": {1: "n"}}, "'team': 'storage'"),
        ({"tags": "n"}, "tags={'team': 'storage'}"),
    ],
)
def test_an_id_or_a_tag_that_is_no_text_is_refused_before_anything_is_stored(
    engine: Engine, terms: dict[str, Any], advice: str
) -> None:
    with pytest.raises(DrawingError) as refused:
        engine.start(drawn(river("a", nothing)), **terms)

    assert advice in str(refused.value)
    assert engine.flows() == []


@pytest.mark.promise("2.7")
def test_an_exception_of_update_is_the_callers_and_nothing_is_started(engine: Engine) -> None:
    def update(_self: River, _attr: Any, _water: Any) -> None:
        raise LookupError("no such region")

    with pytest.raises(LookupError, match="no such region"):
        engine.start(drawn(river("a", nothing, update=update)))

    assert engine.flows() == []


@pytest.mark.promise("2.7")
def test_update_changes_the_attributes_of_this_flow_by_its_water(engine: Engine) -> None:
    def update(_self: River, attr: Any, water: Any) -> None:
        attr.retry_times = water["times"]

    def flow(self: River, _water: Any) -> None:
        attempts.append((self.flow_id, self.attempt))
        raise RuntimeError("again")

    attempts: list[tuple[str, int]] = []
    andes = drawn(river("a", flow, update=update, retry_interval=0.01))
    for name, times in (("none", 0), ("two", 2)):
        engine.start(andes, {"times": times}, id=name).wait(LONG)

    assert attempts == [("none", 1), ("two", 1), ("two", 2), ("two", 3)]


def test_many_flows_are_started_in_few_commits() -> None:
    class Counting(MemoryStore):
        commits = 0

        def commit(self, batch: Batch) -> frozenset[str]:
            self.commits += bool(batch.flows)
            return super().commit(batch)

    store = Counting()
    with Engine(store=store) as engine:
        flows = engine.start_many(drawn(river("a", puts(done=True))), ({"n": number} for number in range(300)))

        assert [flow.result(LONG)["n"] for flow in flows] == list(range(300))
    assert store.commits < 100


@pytest.mark.promise("11.1")
@pytest.mark.parametrize("second", ["store", "url"])
def test_a_second_engine_on_a_store_that_is_served_gets_a_clear_error_and_the_first_goes_on(
    tmp_path: Path, second: str
) -> None:
    url = f"sqlite:///{tmp_path}/flows.db"
    andes = drawn(river("a", nothing))
    with Engine(url) as engine:
        with pytest.raises(StoreServed, match="is served by") as served:
            Engine(url if second == "url" else f"sqlite:///{tmp_path}/../{tmp_path.name}/flows.db", serve=True)

        engine.start(andes, id="one").result(LONG)

    assert "close it" in str(served.value)
    with Engine(url) as engine:
        assert engine.flow("one").status().state == "success"


@pytest.mark.promise("10.8")
def test_an_engine_whose_store_was_taken_starts_nothing_and_tells_nothing_untrue() -> None:
    store, calls = MemoryStore(), iter(range(2))
    running, ends = threading.Event(), (threading.Event(), threading.Event())

    def flow(_self: River, _water: Any) -> None:
        call = next(calls)
        running.set()
        assert ends[call].wait(LONG)

    with Engine(store=store) as first:
        begun = first.start(drawn(river("a", flow), river("b", nothing)), id="one")
        assert running.wait(LONG)
        with Engine(store=store) as second:
            with pytest.raises(StoreServed, match="another engine has taken this store"):
                first.start(drawn(river("z", nothing)), id="two")
            ends[0].set()
            with pytest.raises(FlowStranded, match="another engine has taken this store"):
                begun.result(LONG)

            ends[1].set()
            assert second.flow("one").result(LONG) == {}
            assert [flow.id for flow in second.flows()] == ["one"]


@pytest.mark.promise("11.1")
def test_an_engine_that_is_not_to_serve_needs_a_store_that_others_can() -> None:
    with pytest.raises(EngineError, match="url of a sqlite:/// store"):
        Engine("memory:", serve=False)


def test_andes_start_uses_the_default_engine_whose_store_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VASTFLOW_STORE", f"sqlite:///{tmp_path}/mine.db")
    try:
        engine = default_engine()
        flow = drawn(river("a", puts(done=True))).start({"n": 1}, id="one")

        assert flow.result(LONG) == {"n": 1, "done": True}
        assert default_engine() is engine
        engine.close()
        assert default_engine() is not engine
    finally:
        default_engine().close()
    with closing(SQLiteReader(tmp_path / "mine.db")) as reader:
        row = reader.flow("one")
    assert row is not None
    assert row.state == "success"


def test_a_typed_water_is_the_one_the_result_has(engine: Engine) -> None:
    class Water(Headwaters):
        image: str

    def flow(_self: River, water: Water) -> None:
        water.image += "-12"

    flow.__annotations__["water"] = Water
    andes = Andes("typed", Water) >> river("a", flow) >> Quiet()

    assert engine.start(andes, Water(image="debian")).result(LONG).image == "debian-12"


@pytest.mark.promise("11.1")
def test_a_second_engine_on_the_very_same_store_is_refused_and_takes_nothing_from_the_first(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "flows.db")
    with Engine(store=store) as engine:
        with pytest.raises(StoreServed, match=r"serves .* already"):
            Engine(store=store)

        assert engine.start(drawn(river("a", puts(a=1)))).result(LONG) == {"a": 1}


@pytest.mark.promise("11.1")
def test_an_engine_of_another_process_gets_a_clear_error_and_may_serve_when_this_one_has_closed(tmp_path: Path) -> None:
    program = """
import sys
from vastflow import Engine
from vastflow.errors import StoreServed
try:
    with Engine(sys.argv[1], serve=True) as engine:
        print("served", [flow.id for flow in engine.flows()])
except StoreServed as error:
    print("refused", error)
"""
    url = f"sqlite:///{tmp_path}/flows.db"

    def other() -> str:
        command = [sys.executable, "-c", program, url]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout

    with Engine(url) as engine:
        engine.start(drawn(river("a", nothing)), id="one").result(LONG)
        refused = other()

    assert refused.startswith("refused")
    assert f"is served by process {os.getpid()}" in refused
    assert other() == "served ['one']\n"


def test_a_script_starts_a_flow_without_naming_an_engine_and_its_store_is_closed_at_its_end(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("""
from vastflow import Andes, Atlantic, River

class Create(River):
    def flow(self, water):
        water["vm"] = "vm-1"

class End(Atlantic):
    pass

print((Andes("script") >> Create() >> End()).start(id="one").result(20)["vm"])
""")

    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=dict(os.environ))

    assert (done.stdout, done.stderr) == ("vm-1\n", "")
    assert not (tmp_path / "vastflow.db-wal").exists()
    with Engine(f"sqlite:///{tmp_path}/vastflow.db") as engine:
        assert engine.flow("one").status().state == "success"

"""Does nothing that happens at once, is drawn oddly or cannot be opened end the process?

Faults 19 to 23 of the Go original.
"""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import LONG, Quiet, crashed, drawn, nothing, puts, raises, river, simulated
from tests.faults.scenes import kinds, moved, puts_and
from vastflow import Andes, Basin, Continue, DrawingError, Engine, Fail, FlowFailed, ParallelRiver, River
from vastflow.engine import default_engine
from vastflow.errors import CommandRefused, StoreError
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated


@pytest.mark.promise("5.4", "11.3")
def test_fault_19_the_water_may_be_looked_at_from_anywhere_while_rivers_and_basins_end() -> None:
    streams = [river(f"r{number}", puts(**{f"r{number}": number})) for number in range(6)]
    basins = [Basin(f"b{number}", *streams, outputs=["r0"], inputs=[]) for number in range(3)]
    andes = drawn(ParallelRiver(*streams), ParallelRiver(*basins, on_conflict="last"))
    over = threading.Event()
    with Engine("memory:") as engine, ThreadPoolExecutor(4) as pool:

        def look() -> int:
            looks = 0
            while not over.is_set():
                looks += 1
                for flow in engine.flows(limit=20):
                    status = flow.status()
                    assert len(status.streams) == 30, status
                    assert flow.events()[0].kind == "started"
            return looks

        looking = [pool.submit(look) for _ in range(4)]
        waters = [flow.result(LONG) for flow in engine.start_many(andes, [{}] * 60)]
        over.set()

        assert all(each.result(LONG) for each in looking)
    assert waters == [{f"r{number}": number for number in range(6)}] * 60


@pytest.mark.promise("5.4")
def test_fault_20_a_body_may_go_through_its_water_while_siblings_write_and_change_what_they_wrote() -> None:
    together = threading.Barrier(8)

    def writes(self: River, water: Any) -> None:
        together.wait(LONG)
        own = water["shared"]
        for number in range(300):
            own.append(number)
            water[f"{self.address}-{number % 7}"] = own
            assert all(key for key, _ in water.items())
        del water["shared"]
        own.append("after it was put")

    with Engine("memory:") as engine:
        water = engine.start(
            drawn(ParallelRiver(*(river(f"r{number}", writes) for number in range(8)))), {"shared": [0]}
        ).result(LONG)

    assert "shared" not in water
    assert len(water) == 8 * 7
    assert {len(value) for value in water.values()} <= set(range(1, 303))


@pytest.mark.promise("7.4", "5.9", "10.10")
@pytest.mark.parametrize("error", [Fail(""), RuntimeError(""), Continue("")], ids=["fail", "error", "poll"])
def test_fault_21_what_was_cancelled_for_no_stated_reason_can_be_reloaded_and_cancelled_again(error: Exception) -> None:
    answers: set[Any] = set()
    for moves in range(80):
        store, runtime = MemoryStore(), Simulated(moves)
        polled = [river(f"r{number}", nothing, raises(error), cycle_interval=1, cycle_times=99) for number in range(2)]
        held = river("held", nothing, raises(error), cycle_interval=1, cycle_times=5, atomic=True, deadline=99)
        basin = Basin("east", ParallelRiver(*polled, held), river("last", nothing))
        flow = simulated(store, runtime).start(drawn(basin), id="one")
        moved(runtime, moves // 4)
        cancelled(flow)
        moved(runtime, moves)
        engine = crashed(store, runtime)
        answers |= {cancelled(engine.flow("one")), cancelled(engine.flow("one"))}
        status = engine.flow("one").wait()

        assert status.state in ({"cancelled"} if isinstance(error, Continue) else {"cancelled", "fail"})
        assert (status.stranded, status.failure is None) == ("", False)
        assert kinds(store).count("cancelling") <= 1
        with pytest.raises(FlowFailed):
            crashed(store, runtime).flow("one").result()
    assert answers >= {False, "refused"}


def cancelled(flow: Any) -> Any:
    try:
        return flow.cancel()
    except CommandRefused:
        return "refused"


@pytest.mark.promise("2.1", "2.6", "2.9")
def test_fault_22_one_river_may_be_drawn_twice_and_an_empty_or_endless_drawing_is_refused(tmp_path: Path) -> None:
    calls: list[str] = []
    same = river("same", lambda self, _water: calls.append(self.address))

    simulated().start(drawn(same, same | same, Basin("east", same))).result()

    assert sorted(calls) == ["east/same", "same", "same-2", "same-3"]
    wrong = {
        "no stream": drawn(),
        "no Atlantic": Andes("endless") >> same,
        "empty": drawn(Basin("east")),
        "empty parallel": drawn(ParallelRiver()),
    }
    for andes in wrong.values():
        with pytest.raises(DrawingError):
            simulated().start(andes)
    with pytest.raises(StoreError, match="the folder"):
        Engine(f"sqlite:///{tmp_path}/nowhere/flows.db")
    with pytest.raises(StoreError, match="is not the URL of a store"):
        Engine("nonsense")


WRONG_PLACES: dict[str, Any] = {
    "no folder": (lambda _path: None, lambda path: path.parent.mkdir()),
    "no database": (
        lambda path: (path.parent.mkdir(), path.write_text("not a database, " * 99)),
        lambda path: path.unlink(),
    ),
    "a folder": (lambda path: (path.parent.mkdir(), path.mkdir()), lambda path: path.rmdir()),
}


@pytest.mark.promise("10.6", "11.3")
@pytest.mark.parametrize("what", WRONG_PLACES)
def test_fault_23_a_store_that_cannot_be_opened_says_so_each_time_until_it_can(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "place" / "flows.db"
    monkeypatch.setenv("VASTFLOW_STORE", f"sqlite:///{path}")
    andes = drawn(river("a", puts(a=1)))
    spoil, mend = WRONG_PLACES[what]
    spoil(path)

    for _ in range(3):
        with pytest.raises(StoreError) as first:
            Engine(f"sqlite:///{path}")
        with pytest.raises(StoreError) as second:
            andes.start(id="one")
        assert type(first.value) is type(second.value) is StoreError
    mend(path)
    try:
        assert andes.start(id="one").result(LONG) == {"a": 1}
    finally:
        default_engine().close()


def test_all_that_is_drawn_here_ends_in_any_order() -> None:
    """The faults above were found one at a time; this is all of them at once, with crashes."""
    for seed in range(30):
        store, runtime, chance = MemoryStore(), Simulated(seed), random.Random(seed)  # noqa: S311 - chance, not secrecy
        engine = simulated(store, runtime)
        tried = river("tried", raises(lambda: RuntimeError("no")), retry_times=1, retry_interval=1)
        polled = river("polled", nothing, raises(lambda: Continue("?")), cycle_interval=1, cycle_times=3)
        basins = [Basin(name, puts_and(name, stream)) for name, stream in (("x", tried), ("y", polled))]
        engine.start(drawn(ParallelRiver(*basins, max_failures=2), end=Quiet()), id="one")
        for _ in range(4):
            for _ in range(chance.randrange(50)):
                runtime.pump()
            engine = crashed(store, runtime)

        status = engine.flow("one").wait()

        assert (status.outcome, status.stranded) == ("success", "")
        assert {stream.state for stream in status.streams if stream.kind == "basin"} == {"fail"}

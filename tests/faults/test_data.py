"""Are no data lost or spoilt, however rivers end and wherever the process dies?

Faults 1 to 7 of the Go original.
"""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import LONG, calling, crashed, drawn, nothing, puts, raises, river, sea, simulated
from tests.faults.scenes import VALUES, counted, exactly, moved
from vastflow import Basin, Continue, Engine, Fail, FlowFailed, ParallelRiver, Retry, River
from vastflow.ledger.contract import Batch
from vastflow.ledger.memory import MemoryStore
from vastflow.ledger.reading import read_progress
from vastflow.runtime import Simulated


@pytest.mark.promise("5.6", "10.2")
@pytest.mark.parametrize("width", [2, 10, 50])
def test_fault_1_no_siblings_write_ever_leaves_a_finished_river_without_its_keys_on_disk(width: int) -> None:
    class Folded(MemoryStore):
        """A store that reads the flow back after every commit, as a restart would."""

        def commit(self, batch: Batch) -> frozenset[str]:
            lost = super().commit(batch)
            row = self.flow("one")
            assert row is not None
            progress = read_progress(self, row)
            done = {fact.address for fact in self.facts("one") if fact.kind == "flowed"}
            for branch in progress.inside.get("parallel-river", ()):
                missing.extend({branch.here()} & done - branch.tip.flat().keys())
            commits.append(len(done))
            return lost

    missing: list[str] = []
    commits: list[int] = []
    branches = [river(f"r{number}", puts(**{f"r{number}": number})) for number in range(width)]

    flow = simulated(Folded(), Simulated(width)).start(drawn(ParallelRiver(*branches)), id="one")

    assert flow.result() == {f"r{number}": number for number in range(width)}
    assert missing == []
    assert len(set(commits)) > 1


@pytest.mark.promise("5.4", "5.5", "10.5")
def test_fault_2_a_river_that_is_run_again_after_a_crash_never_sees_its_own_output() -> None:
    twice = 0
    for moves in range(60):
        store, runtime, calls = MemoryStore(), Simulated(moves), Counter[str]()
        engine = simulated(store, runtime)
        body = counted(calls)
        engine.start(drawn(river("a", body) | river("b", body), river("c", body)), id="one")
        for _ in range(moves):
            runtime.pump()
        water = crashed(store, runtime).flow("one").result()
        twice += max(calls.values()) > 1

        assert water == {"n-a": 1, "n-b": 1, "n-c": 1}
    assert twice > 5


def noting(told: list[dict[str, Any]]) -> Any:
    def body(_self: Any, water: Any) -> None:
        told.append(dict(water))

    return body


@pytest.mark.promise("5.4", "5.5", "7.3", "10.5")
def test_fault_2_nor_does_a_poll_a_branch_of_an_each_or_an_undo_that_is_run_again() -> None:
    def polls(_self: River, water: Any) -> None:
        water["polls"] = water.get("polls", 0) + 1
        if water["polls"] < 3:
            raise Continue("not yet")

    def undo(self: River, water: Any) -> None:
        undone[self.address] += 1
        water["undone"] = water.get("undone", 0) + 1

    def counts(_self: River, water: Any) -> None:
        water["row"] = water.get("row", 0) + water["item"]

    undone, twice = Counter[str](), 0
    for moves in range(120):
        store, runtime, told = MemoryStore(), Simulated(moves), list[dict[str, Any]]()
        undone.clear()
        end = sea(fail=noting(told))
        spread = ParallelRiver.each("items", river("count", counts), item="item", collect=["row"])
        polled = river("poll", nothing, polls, cycle_interval=1, cycle_times=99, undo=undo)
        simulated(store, runtime).start(
            drawn(spread, polled, river("no", raises(Fail("no"))), end=end), id="one", items=[1, 2]
        )
        moved(runtime, moves)
        crashed(store, runtime).flow("one").wait()
        twice += undone["poll"] > 1

        assert {tuple(sorted(each)) for each in told} == {("items", "polls", "row", "undone")}
        assert told[-1] == {"items": [1, 2], "row": [1, 2], "polls": 3, "undone": 1}
    assert twice > 0


@pytest.mark.promise("5.7", "10.2", "10.5")
def test_fault_3_what_a_basin_let_out_is_on_disk_as_soon_as_the_basin_has_ended() -> None:
    store, runtime, calls = MemoryStore(), Simulated(), Counter[str]()
    engine = simulated(store, runtime)
    basin = Basin("east", river("a", counted(calls)), outputs={"n-east/a": "vm"})
    engine.start(drawn(basin, river("z", puts(z=1))), id="one")
    while "left" not in [fact.kind for fact in store.facts("one")]:
        runtime.pump()

    water = crashed(store, runtime).flow("one").result()

    assert water == {"vm": 1, "z": 1}
    assert calls == {"east/a": 1}


@pytest.mark.promise("5.6", "5.7")
@pytest.mark.parametrize("seed", range(20))
def test_fault_4_basins_side_by_side_lose_neither_each_others_keys_nor_those_of_their_siblings(seed: int) -> None:
    store, runtime = MemoryStore(), Simulated(seed)
    engine = simulated(store, runtime)
    basins = [Basin(name, river("a", puts(vm=name)), outputs={"vm": f"vm-{name}"}) for name in ("east", "west")]
    plain = river("plain", puts(plain=1))
    engine.start(drawn(ParallelRiver(*basins, plain)), {"vm": "mine"}, id="one")
    for _ in range(seed):
        runtime.pump()

    water = crashed(store, runtime).flow("one").result()

    assert water == {"vm": "mine", "vm-east": "east", "vm-west": "west", "plain": 1}


@pytest.mark.promise("5.3", "10.9")
def test_fault_5_a_value_that_cannot_be_stored_fails_its_river_and_spoils_no_stored_water(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/flows.db"
    andes = drawn(river("a", puts(a=1)), river("b", puts(lock=threading.Lock())))
    with Engine(url) as engine, pytest.raises(FlowFailed, match="lock"):
        engine.start(andes, {"image": "debian"}, id="one").result(LONG)

    with Engine(url) as engine:
        status = engine.flow("one").status()

    assert (status.state, status.stranded, status.stream("b").state) == ("fail", "", "fail")


@pytest.mark.promise("5.3", "10.10")
def test_fault_6_values_come_back_from_disk_as_what_they_were(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/flows.db"
    with Engine(url) as engine:
        engine.start(drawn(river("a", puts(**VALUES)), river("b", nothing)), id="one").result(LONG)

    with Engine(url) as engine:
        water = engine.flow("one").result(LONG)

    assert exactly(dict(water)) == exactly(VALUES)


class Comparing:
    """A flow whose bodies look whether the values are what they were, wherever they come from."""

    def __init__(self) -> None:
        self.items = list(VALUES.values())
        self.looked: set[str] = set()
        self.wrong: list[tuple[str, Any]] = []

    def same(self, place: str, value: Any, other: Any) -> None:
        self.looked.add(place)
        if exactly(value) != exactly(other):
            self.wrong.append((place, value))

    def saves(self, called: Any, water: Any) -> None:
        if called.attempt == 1:
            water["saved"] = VALUES
            called.save()
            raise Retry("once more")
        self.same("save", water["saved"], VALUES)

    def collects(self, _called: Any, water: Any) -> None:
        water["row"] = water["item"]

    def looks(self, called: Any, water: Any) -> None:
        self.same(f"{called.address}{called.round}", {key: water[key] for key in VALUES}, VALUES)
        if called.address in {"after", "~"}:
            self.same("each", water["row"], self.items)

    def fails(self, called: Any, water: Any) -> None:
        self.looks(called, water)
        if called.round == 1:
            raise Fail("no")

    def drawing(self) -> Any:
        looks = calling(self.looks)
        spread = ParallelRiver.each("items", river("collect", calling(self.collects)), item="item", collect=["row"])
        first = river("first", puts(**VALUES), undo=looks)
        saved = river("save", calling(self.saves), retry_times=1, retry_interval=5)
        end = sea(success=looks, fail=looks)
        return drawn(first, saved, spread, river("after", calling(self.fails)), end=end)


@pytest.mark.promise("5.3", "5.5", "6.2", "7.3", "8.4", "10.10")
@pytest.mark.parametrize("seed", range(4))
def test_fault_6_what_is_saved_spread_collected_undone_or_begun_anew_sees_them_as_what_they_were(seed: int) -> None:
    comparing = Comparing()
    for moves in range(seed, 160, 4):
        store, runtime = MemoryStore(), Simulated(seed)
        engine = simulated(store, runtime)
        engine.start(comparing.drawing(), id="one", items=comparing.items)
        moved(runtime, moves)
        engine = crashed(store, runtime)
        assert engine.flow("one").wait().outcome == "fail"
        engine.flow("one").retry()
        moved(runtime, moves)
        water = crashed(store, runtime).flow("one").result()

        comparing.same("result", {key: water[key] for key in VALUES}, VALUES)
    assert comparing.wrong == []
    assert comparing.looked == {"save", "each", "first1", "after1", "~1", "after2", "~2", "result"}


@pytest.mark.promise("10.2", "10.5", "4.9")
@pytest.mark.parametrize("durable", [True, False])
def test_fault_7_no_result_of_a_river_vanishes_in_a_crash(*, durable: bool) -> None:
    """One with `durable = False` may be run again, and then it has its result again."""
    for moves in range(0, 40, 3):
        store, runtime = MemoryStore(), Simulated(moves)
        engine = simulated(store, runtime)
        rivers = [river(f"r{number}", puts(**{f"r{number}": number}), durable=durable) for number in range(5)]
        engine.start(drawn(*rivers), id="one")
        for _ in range(moves):
            runtime.pump()
        assert crashed(store, runtime).flow("one").result() == {f"r{number}": number for number in range(5)}

"""Has every flow one owner, whoever dies, and does it come back as it was?

Faults 15, 18 and 24 to 28 of the Go original, which are about its queue of jobs, its units and its reload.
"""

import asyncio
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.engine.deeds import Deeds, lasting
from tests.engine.scenes import LONG, Body, crashed, drawn, nothing, puts, raises, river, sea, simulated
from tests.faults.scenes import Photographed, counted, kinds, moved, raises_once
from vastflow import Basin, CommandRefused, Continue, Engine, Fail, FlowConflict, FlowStranded, ParallelRiver, Retry
from vastflow.ledger.memory import MemoryStore
from vastflow.log import CALL_FIELDS
from vastflow.runtime import Simulated

MINUTE = 60.0


@pytest.mark.promise("2.11", "8.4", "10.5")
@pytest.mark.parametrize("end", ["success", "fail"])
def test_fault_15_a_flow_that_runs_cannot_be_begun_again_beside_itself(end: str) -> None:
    refused = 0
    for moves in range(60):
        store, runtime, deeds = MemoryStore(), Simulated(moves), Deeds()
        engine = simulated(store, runtime)
        last = deeds.step("c", raises(Fail("no")) if end == "fail" else nothing)
        told = sea(success=deeds.note("success"), fail=deeds.note("fail"))
        andes = drawn(deeds.step("a") | deeds.step("b"), last, end=told)
        flow = engine.start(andes, id="one")
        moved(runtime, moves)
        try:
            engine.start(andes, id="one").retry()
        except CommandRefused:
            refused += 1
            flow.wait()
            undone = ["undo a", "undo b", "undo c"] if end == "fail" else []
            assert sorted(deeds) == sorted(["flow a", "flow b", "flow c", *undone, f"{end} ~"])
        else:
            assert "ended" in kinds(store)[: kinds(store).index("retried")]
    assert refused > 20


@pytest.mark.promise("10.8", "10.2")
@pytest.mark.parametrize("durable", [True, False])
def test_fault_15_an_owner_that_was_only_slow_writes_and_begins_nothing_after_another_took_its_flows(
    *, durable: bool
) -> None:
    store, slow = MemoryStore(), Simulated()
    deeds = Deeds()
    chain = [river(name, deeds.note("flow", lasting(10)), durable=durable) for name in "abc"]
    first = simulated(store, slow)
    flow = first.start(drawn(*chain, end=sea(success=deeds.note("success"))), id="one")
    slow.advance(5)
    other = Simulated(start=slow.clock.now())
    with first, simulated(store, other) as second:
        before, periods = store.facts("one"), store.periods()
        slow.advance(10 * MINUTE)

        assert deeds == ["flow a"]
        assert (store.facts("one"), store.periods()) == (before, periods)
        with pytest.raises(FlowStranded, match="another engine has taken this store"):
            flow.result()
        with pytest.raises(FlowStranded, match="another engine has taken this store"):
            flow.cancel()
        assert second.flow("one").wait().state == "success"
        slow.advance(10 * MINUTE)
        assert deeds == ["flow a", "flow a", "flow b", "flow c", "success ~"]
    assert kinds(store).count("outcome") == kinds(store).count("ended") == 1


@pytest.mark.promise("2.11")
def test_fault_18_one_id_is_one_flow_however_many_start_it_at_once(tmp_path: Path) -> None:
    calls, together = Counter[str](), threading.Barrier(8)
    andes = drawn(river("a", counted(calls)))
    other = drawn(river("a", counted(calls)), name="other")
    url = f"sqlite:///{tmp_path}/flows.db"
    with Engine(url) as engine, ThreadPoolExecutor(8) as pool:

        def start(number: int) -> Any:
            together.wait(LONG)
            try:
                return engine.start(andes if number % 2 else other, id="one").result(LONG)
            except FlowConflict:
                return "conflict"

        answers = Counter(str(answer) for answer in pool.map(start, range(8)))
    with Engine(url) as engine:
        (only,) = engine.flows()
        name = only.status().name
        assert engine.start({"drawn": andes, "other": other}[name], id="one").result(LONG) == {"n-a": 1}
        with pytest.raises(FlowConflict):
            engine.start({"other": andes, "drawn": other}[name], id="one")
        with pytest.raises(FlowConflict):
            engine.start({"drawn": andes, "other": other}[name], id="one", another="water")

    assert answers == {"Headwaters(n-a=1)": 4, "conflict": 4}
    assert calls == {"a": 1}


@pytest.mark.promise("10.5", "10.10")
def test_fault_18_every_flow_reloaded_after_a_crash_tells_its_own_end_and_no_others() -> None:
    store, runtime, told = MemoryStore(), Simulated(), Counter[tuple[str, str]]()

    def tells(word: str) -> Body:
        def body(self: Any, water: Any) -> None:
            told[self.flow_id, f"{word} {water['number']}"] += 1

        return body

    def fails_if_odd(_self: Any, water: Any) -> None:
        if water["number"] % 2:
            raise Fail("odd")

    waits = river("a", nothing, raises_each_flow_once(), cycle_interval=30, cycle_times=9)
    andes = drawn(waits, river("b", fails_if_odd), end=sea(success=tells("success"), fail=tells("fail")))
    engine = simulated(store, runtime)
    early = [engine.start(andes, id=f"early-{number}", number=number) for number in range(20)]
    for flow in early:
        flow.wait()
    late = [engine.start(andes, id=f"late-{number}", number=number).id for number in range(20)]
    engine = crashed(store, runtime)
    for name in late:
        engine.flow(name).wait()

    ends = {number: f"{'fail' if number % 2 else 'success'} {number}" for number in range(20)}
    assert told == {(f"{when}-{number}", end): 1 for number, end in ends.items() for when in ("early", "late")}


def raises_each_flow_once() -> Body:
    seen: set[str] = set()

    def body(self: Any, _water: Any) -> None:
        if self.flow_id not in seen:
            seen.add(self.flow_id)
            raise Continue("not yet")

    return body


@pytest.mark.promise("10.1", "10.2", "10.10")
def test_fault_24_whichever_write_is_the_last_of_a_process_every_flow_has_an_owner_and_is_ended_by_the_next() -> None:
    store, runtime = Photographed(), Simulated()
    andes = drawn(river("a", puts(a=1), undo=nothing) | river("b", puts(b=1)), Basin("east", river("c", nothing)))
    engine = simulated(store, runtime)
    for name in ("one", "two"):
        engine.start(andes, id=name)
        moved(runtime, 4)
        engine = crashed(store, runtime)
    for name in ("one", "two"):
        engine.flow(name).wait()

    assert len(store.photos) > 12
    for photo in store.photos:
        rows = photo.unfinished()
        for row in rows:
            assert row.owner
            assert row.epoch > 0
            assert photo.facts(row.id)[0].kind == "started"
        after = simulated(photo)
        assert [after.flow(row.id).result() for row in rows] == [{"a": 1, "b": 1}] * len(rows)


class Waiting:
    """Flows that wait, each for something else, and go on if time passes and they are let."""

    def __init__(self) -> None:
        async def hangs(_self: Any, _water: Any) -> None:
            await asyncio.sleep(MINUTE)

        polls: dict[str, Any] = {"cycle_interval": 20, "cycle_times": 9}
        slot = river("a", hangs, max_running=1)
        signalled = river("a", nothing, self.asks, signals=("go",), cycle_interval=None, deadline="1h")
        doubtful = river("a", raises_once(OSError("?")), reconcile=raises_once(Continue("?")), retry_interval=50)
        undone = river("a", nothing, undo=raises_once(Retry("not yet")), undo_interval=50)
        self.drawings = {
            "early": drawn(river("a", nothing)),
            "running": drawn(slot),
            "queued": drawn(slot),
            "retrying": drawn(river("a", raises_once(Retry("?")), retry_times=1, retry_interval=50)),
            "cycling": drawn(river("a", nothing, raises_each_flow_once(), **polls)),
            "in-doubt": drawn(doubtful),
            "signalled": drawn(signalled),
            "paused": drawn(river("a", nothing, raises_each_flow_once(), **polls), river("b", nothing)),
            "cancelling": drawn(
                river(
                    "a", nothing, raises_each_flow_once(), **{**polls, "cycle_interval": 50}, atomic=True, deadline="1h"
                )
            ),
            "trying": drawn(Basin("east", river("a", raises_once(Fail("once"))), retry_times=1, retry_interval=50)),
            "undoing": drawn(undone, river("b", raises(Fail("no")))),
            "ending": drawn(
                river("a", nothing), end=sea(success=raises_once(Retry("?")), retry_times=1, retry_interval=50)
            ),
        }

    @staticmethod
    def asks(called: Any, _water: Any) -> None:
        if called.signal("go") is None:
            raise Continue("nothing came")


@pytest.mark.promise("10.10", "7.4", "7.5")
def test_fault_25_a_flow_is_taken_over_whatever_it_waits_for() -> None:
    store, runtime, waiting = MemoryStore(), Simulated(), Waiting()
    engine = simulated(store, runtime)
    for name, andes in waiting.drawings.items():
        engine.start(andes, id=name, not_before="1m" if name == "early" else None)
    engine.flow("paused").pause()
    runtime.advance(10)
    engine.flow("cancelling").cancel()
    runtime.advance(20)
    before = {name: engine.flow(name).status() for name in waiting.drawings}
    with crashed(store, runtime) as engine:
        after = {name: engine.flow(name).status() for name in waiting.drawings}
        engine.flow("paused").resume()
        engine.flow("signalled").signal("go", 1)
        ends = {name: engine.flow(name).wait(10 * MINUTE).outcome for name in waiting.drawings}

    assert not [name for name, status in before.items() if status.state in {"success", "fail", "cancelled"}]
    assert {name: status.state for name, status in after.items()} == {name: each.state for name, each in before.items()}
    assert {status.state for status in before.values()} == {"init", "running", "undoing", "ending"}
    assert ends == {**dict.fromkeys(waiting.drawings, "success"), "undoing": "fail"}
    assert after["paused"].flags == ("paused",)


class Places:
    """Bodies that last, and how many of one name were out at once."""

    def __init__(self) -> None:
        self.out = Counter[str]()
        self.most = Counter[str]()

    def works(self, seconds: float) -> Body:
        async def body(called: Any, _water: Any) -> None:
            word = called.address.partition("[")[0]
            self.out[word] += 1
            self.most[word] = max(self.most[word], self.out[word])
            try:
                await asyncio.sleep(seconds)
            finally:
                self.out[word] -= 1

        return body


@pytest.mark.promise("6.4", "7.4", "6.2")
@pytest.mark.parametrize("seed", range(6))
def test_fault_26_no_flow_gives_back_a_slot_it_never_took_nor_keeps_one_it_took(seed: int) -> None:
    runtime, places = Simulated(seed), Places()
    slot = river("slot", places.works(10), max_running=1)
    others = [drawn(river("a", nothing)), drawn(river("a", raises(Fail("no"))))]
    failing = drawn(slot | river("b", lasting(15, raises(Fail("no")))))
    spread = ParallelRiver.each("items", river("item", places.works(10)), item="item", limit=1)
    with simulated(runtime=runtime) as engine:
        fanned = engine.start(drawn(spread), items=list(range(6)))
        users = [engine.start(drawn(slot)) for _ in range(6)]
        tied = engine.start(failing)
        for number in range(8):
            engine.start(others[number % 2]).wait()
            runtime.advance(3)
        users[2].cancel()
        users[5].cancel()
        ends = [flow.wait().outcome for flow in (*users, tied, fanned)]
        last = engine.start(drawn(slot)).wait(MINUTE)

    assert Counter(ends[:6]) == {"success": 4, "cancelled": 2}
    assert (ends[6:], last.outcome) == (["fail", "success"], "success")
    assert places.most == {"slot": 1, "item": 1}


@pytest.mark.promise("10.10", "11.1")
def test_fault_27_an_engine_comes_back_in_no_time_however_often_it_died() -> None:
    store, runtime, begun = MemoryStore(), Simulated(), list[float]()

    async def flow(_self: Any, _water: Any) -> None:
        begun.append(runtime.clock.now())
        await asyncio.sleep(10)

    simulated(store, runtime).start(drawn(river("a", flow)), id="one")
    died = []
    for _ in range(5):
        runtime.advance(2)
        died.append(runtime.clock.now())
        engine = crashed(store, runtime)
    with engine:
        assert engine.flow("one").result() == {}
    assert begun[1:] == died


_KILLED = """
import os, signal, sys
from vastflow import Engine

Engine(sys.argv[1])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.promise("11.1")
def test_fault_27_a_store_whose_server_was_killed_is_served_again_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/flows.db"
    for _ in range(2):
        killed = subprocess.run([sys.executable, "-c", _KILLED, url], capture_output=True, check=False, timeout=LONG)
        assert killed.returncode == -signal.SIGKILL

        with Engine(url) as engine:
            assert engine.start(drawn(river("a", puts(a=1)))).result(LONG) == {"a": 1}


@pytest.mark.promise("2.6", "10.10", "12.1")
def test_fault_28_a_basin_keeps_its_color_and_all_that_is_in_it_too_over_a_reload() -> None:
    seen: set[tuple[str, str]] = set()

    def looks(self: Any, _water: Any) -> None:
        fields = CALL_FIELDS.get()
        assert fields is not None
        seen.add((self.address, fields.color))

    def fails_at_first(self: Any, water: Any) -> None:
        looks(self, water)
        if self.run == 1:
            raise Fail("once")

    colors = {
        "east": "blue",
        "east/first": "blue",
        "east/own": "green",
        "east/inner": "red",
        "east/inner/deep": "red",
        "east/last": "blue",
        "plain": "",
    }
    for moves in range(60):
        store, runtime = MemoryStore(), Simulated(moves)
        inner = Basin("inner", river("deep", looks, undo=looks), color="red")
        rivers = [river("first", looks, looks, cycle_interval=1, cycle_times=3), river("own", looks, color="green")]
        last = river("last", fails_at_first)
        east = Basin("east", *rivers, inner, last, color="blue", retry_times=1, retry_interval=1)
        simulated(store, runtime).start(drawn(east, river("plain", looks)), id="one")
        moved(runtime, moves)
        engine = crashed(store, runtime)
        reloaded = {stream.address: stream.color or "" for stream in engine.flow("one").status().streams}
        assert engine.flow("one").wait().outcome == "success"
        stored = {stream.address: stream.color or "" for stream in engine.flow("one").status().streams}

        assert colors.items() <= reloaded.items()
        assert colors.items() <= stored.items()
    assert seen == {(address, color) for address, color in colors.items() if address not in {"east", "east/inner"}}

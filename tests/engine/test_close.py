"""Does an engine close whenever it is asked to, and is nothing lost by it?"""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pykka
import pytest

from tests.engine.scenes import LONG, drawn, nothing, puts, raises, river, sea, simulated
from vastflow import Continue, Engine, FlowFailed, River
from vastflow.errors import EngineClosed, StoreError, StoreTooNew
from vastflow.ledger.contract import Batch, Store
from vastflow.ledger.memory import MemoryStore
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.runtime import Simulated


@pytest.mark.promise("11.4")
def test_close_may_come_twice_and_before_use() -> None:
    engine = Engine("memory:")

    assert engine.close() is True
    assert engine.close() is True
    assert engine.closed


@pytest.mark.promise("11.4")
def test_close_gives_running_bodies_time_to_end_and_keeps_what_they_did() -> None:
    store, running, end = MemoryStore(), threading.Event(), threading.Event()

    def flow(_self: River, water: Any) -> None:
        running.set()
        assert end.wait(LONG)
        water["done"] = True

    calls: list[str] = []
    last = river("last", lambda self, _water: calls.append(self.address))
    engine = Engine(store=store)
    engine.start(drawn(river("a", flow), last), id="one")
    assert running.wait(LONG)
    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(engine.close, LONG)
        end.set()
        quiet = closing.result(LONG)
    after_close = [fact.kind for fact in store.facts("one")]

    with Engine(store=store) as engine:
        assert engine.flow("one").result(LONG) == {"done": True}
    assert quiet is True
    assert after_close == ["started", "flowed"]
    assert calls == ["last"]


@pytest.mark.promise("11.4")
def test_close_is_no_cancel_and_costs_a_running_body_nothing() -> None:
    store, running, end = MemoryStore(), threading.Event(), threading.Event()
    calls: list[tuple[int, str]] = []

    def flow(self: River, _water: Any) -> None:
        calls.append((self.attempt, self.key))
        if len(calls) == 1:
            running.set()
            assert end.wait(LONG)

    engine = Engine(store=store)
    engine.start(drawn(river("a", flow)), id="one")
    assert running.wait(LONG)

    quiet = engine.close(drain=0.0)

    with Engine(store=store) as engine:
        assert engine.flow("one").result(LONG) == {}
        end.set()
    assert quiet is False
    assert calls == [(1, calls[0][1])] * 2


@pytest.mark.promise("11.4")
def test_an_async_body_that_is_running_at_close_is_run_again() -> None:
    store, running = MemoryStore(), threading.Event()
    calls: list[int] = []

    async def flow(self: River, _water: Any) -> None:
        calls.append(self.attempt)
        if len(calls) == 1:
            running.set()
            await asyncio.get_running_loop().create_future()

    engine = Engine(store=store)
    engine.start(drawn(river("a", flow)), id="one")
    assert running.wait(LONG)
    engine.close(drain=0.0)

    with Engine(store=store) as engine:
        assert engine.flow("one").result(LONG) == {}
    assert calls == [1, 1]


@pytest.mark.promise("11.4", "10.4")
def test_a_close_neither_refills_nor_eats_the_polls_of_a_waiting_river() -> None:
    store, polls = MemoryStore(), []

    def cycle(_self: River, _water: Any) -> None:
        polls.append(1)
        raise Continue("not yet")

    andes = drawn(river("a", nothing, cycle, cycle_interval=0.4, cycle_times=12))
    engine = simulated(store)
    engine.start(andes, id="one")
    for _ in range(6):
        assert isinstance(engine.runtime, Simulated)
        now = engine.runtime.clock.now()
        engine.runtime.advance(0.85)
        now = engine.runtime.clock.now()
        engine.close()
        engine = simulated(store, Simulated(start=now + 3_600_000_000))

    with pytest.raises(FlowFailed, match="not done after 12 polls"):
        engine.flow("one").result()
    assert len(polls) == 12


@pytest.mark.promise("11.4")
def test_a_hung_body_keeps_neither_the_engine_nor_the_interpreter_alive(tmp_path: Path) -> None:
    program = """
import sys, threading
from vastflow import Andes, Atlantic, Engine, River

class Hangs(River):
    def flow(self, water):
        print("running", flush=True)
        running.set()
        threading.Event().wait()

class End(Atlantic):
    pass

running = threading.Event()
engine = Engine(sys.argv[1])
engine.start(Andes("hangs") >> Hangs() >> End(), id="one")
assert running.wait(20)
print("closed", engine.close(drain=0.0))
"""
    script = tmp_path / "hangs.py"
    script.write_text(program)

    ended = subprocess.run(
        [sys.executable, str(script), f"sqlite:///{tmp_path}/flows.db"],
        capture_output=True,
        text=True,
        timeout=40,
        check=True,
        env=dict(os.environ),
    )

    assert ended.stdout.split() == ["running", "closed", "False"]


@pytest.mark.promise("11.4")
@pytest.mark.parametrize("turn", range(20))
def test_whoever_starts_flows_or_asks_while_the_engine_closes_is_answered(turn: int) -> None:
    engine = Engine("memory:")
    andes = drawn(river("a", puts(turn=turn)), river("b", nothing))
    first = engine.start(andes, id="first")
    together = threading.Barrier(5)

    def start() -> None:
        engine.start(andes)

    def again_and_again(ask: Callable[[], object]) -> None:
        together.wait(LONG)
        while True:
            ask()

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(again_and_again, ask) for ask in (start, start, first.status, first.status)]
        together.wait(LONG)
        engine.close()

        assert [type(each.exception(LONG)) for each in asked] == [EngineClosed] * 4


@pytest.mark.promise("11.4")
def test_a_start_whose_commit_never_comes_ends_when_the_engine_closes() -> None:
    class Away(MemoryStore):
        tried = threading.Event()

        def commit(self, batch: Batch) -> frozenset[str]:
            self.tried.set()
            message = f"the disk is away; batch {batch.number} was not written"
            raise StoreError(message)

    store = Away()
    engine = Engine(store=store)
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(engine.start, drawn(river("a", nothing)))
        assert store.tried.wait(LONG)
        engine.close(drain=0.0)

        with pytest.raises(EngineClosed, match="make a new one"):
            starting.result(LONG)
    assert store.unfinished() == []


@pytest.mark.promise("11.4", "11.3")
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_whatever_is_asked_of_a_closed_engine_is_refused_and_said_by_the_next_one(tmp_path: Path, kind: str) -> None:
    def store() -> Store:
        return SQLiteStore(tmp_path / "flows.db") if kind == "sqlite" else memory

    memory = MemoryStore()
    engine = Engine(store=store())
    begun = engine.start(drawn(river("a", puts(a=1))), id="one")
    begun.result(LONG)
    flow = engine.flow("one")
    engine.close()

    assert begun.result() == {"a": 1}
    for ask in (flow.status, flow.events, flow.result, flow.wait, engine.flows, lambda: engine.flow("one")):
        with pytest.raises(EngineClosed, match="make a new one"):
            ask()
    with Engine(store=store()) as again:
        assert again.flow("one").result(LONG) == {"a": 1}


@pytest.mark.promise("11.4")
def test_nothing_is_left_of_an_engine_that_was_closed(tmp_path: Path) -> None:
    threads, actors = set(threading.enumerate()), len(pykka.ActorRegistry.get_all())

    async def later(_self: River, _water: Any) -> None:
        await asyncio.sleep(0)

    for _ in range(3):
        with Engine(f"sqlite:///{tmp_path}/flows.db") as engine:
            engine.start(drawn(river("a", nothing) | river("b", later))).result(LONG)

    left = [thread for thread in set(threading.enumerate()) - threads if "vastflow-body" not in thread.name]
    for thread in left:
        thread.join(LONG)
    assert [thread.name for thread in left if thread.is_alive()] == []
    assert len(pykka.ActorRegistry.get_all()) == actors


@pytest.mark.promise("11.4", "7.1")
def test_a_flow_that_ended_keeps_no_timer_and_no_memory_although_a_sibling_waited_for_an_hour() -> None:
    runtime = Simulated()
    engine = simulated(runtime=runtime)
    polls = river("slow", nothing, raises(lambda: Continue("not yet")), cycle_interval="1h", cycle_times=3)
    quick = river("quick", raises(lambda: RuntimeError("no")), retry_times=1, retry_interval="1m")
    flow = engine.start(drawn(polls | quick, end=sea()))
    begun = runtime.clock.now()

    status = flow.wait()

    assert [each.state for each in status.streams] == ["fail", "cancelled", "fail", "success"]
    assert runtime.clock.now() - begun == 60_000_000
    assert runtime.stats().timers == 1  # the beat
    assert len(engine._waiting) == 0  # noqa: SLF001  # nothing is kept


def test_an_engine_that_could_not_open_leaves_the_store_to_others(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/flows.db"

    class Sulking(MemoryStore):
        def unfinished(self) -> Any:
            message = "written by a newer release"
            raise StoreTooNew(message)

    threads = threading.active_count()
    with pytest.raises(StoreTooNew):
        Engine(store=Sulking())

    with Engine(url) as engine:
        engine.start(drawn(river("a", nothing))).result(LONG)
    assert threading.active_count() <= threads + 2


@pytest.mark.promise("11.4", "10.4")
def test_the_served_period_ends_when_the_engine_closes() -> None:
    store, runtime = MemoryStore(), Simulated()
    engine = simulated(store, runtime)
    engine.start(drawn(river("a", nothing, nothing, cycle_interval=60, cycle_times=1)))
    runtime.advance(2.7)
    now = runtime.clock.now()

    engine.close()

    (period,) = store.periods()
    assert (period.began, period.ended) == (now - 2_700_000, now)

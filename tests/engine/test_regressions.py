"""Does what was found broken once stay mended?"""

import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.scenes import LONG, crashed, drawn, nothing, puts, raises, river, simulated
from vastflow import Continue, Engine, FlowConflict, FlowStranded, Headwaters, ParallelRiver, Retry, River
from vastflow.drawing.launcher import Terms
from vastflow.errors import BatchRefused, StoreError
from vastflow.ledger.contract import Batch, Period
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Real, Simulated


class Forgetful(MemoryStore):
    """Loses the answer to a commit that dropped something."""

    def commit(self, batch: Batch) -> frozenset[str]:
        lost = super().commit(batch)
        if lost:
            message = "it is on disk, but nobody is told"
            raise StoreError(message)
        return lost


class Picky(MemoryStore):
    """Refuses some batches."""

    def __init__(self, refuses: Callable[[Batch], bool]) -> None:
        super().__init__()
        self.refuses = refuses

    def commit(self, batch: Batch) -> frozenset[str]:
        if self.refuses(batch):
            message = "this cannot be written"
            raise BatchRefused(message)
        return super().commit(batch)


def of_a(batch: Batch) -> bool:
    return any(fact.address == "a" for fact in batch.facts)


@pytest.mark.promise("2.11", "10.7")
def test_of_two_flows_with_one_id_only_one_is_run_although_the_answer_of_the_commit_was_lost() -> None:
    store, runtime, ran = Forgetful(), Simulated(), list[Any]()
    engine = simulated(store, runtime)
    andes = drawn(river("a", lambda _self, water: ran.append(water["who"])))
    begin = engine._admission.begin  # noqa: SLF001  # both at once
    begun = [begin(andes, None, {"who": who}, Terms("one")).written for who in (1, 2)]

    assert begun[0] is not None
    assert begun[1] is not None
    runtime.wait(begun[0])
    with pytest.raises(FlowConflict):
        runtime.wait(begun[1])
    runtime.run_until_idle()

    assert ran == [1]
    assert engine.flow("one").result()["who"] == 1


@pytest.mark.promise("10.7", "10.9")
@pytest.mark.parametrize("seed", range(10))
def test_after_a_fact_that_was_refused_none_is_written_so_the_flow_can_go_on_one_day(seed: int) -> None:
    store, runtime = Picky(of_a), Simulated(seed)
    engine = simulated(store, runtime)
    flow = engine.start(drawn(ParallelRiver(*(river(name, puts(**{name: 1})) for name in "abcd"))), id="one")
    with pytest.raises(FlowStranded):
        flow.result()
    runtime.run_until_idle()
    store.refuses = lambda _: False

    engine = crashed(store, runtime)

    assert engine.flow("one").result() == {"a": 1, "b": 1, "c": 1, "d": 1}


@pytest.mark.promise("7.6")
def test_a_body_that_waits_for_a_thread_is_not_run_after_its_flow_was_stranded() -> None:
    began, go, ran = threading.Event(), threading.Event(), list[str]()

    def hold(_self: River, _water: Headwaters) -> None:
        began.set()
        go.wait(LONG)

    async def at_once(_self: River, _water: Headwaters) -> None:
        pass

    waits = river("waits", lambda self, _water: ran.append(self.flow_id))
    with Engine(store=Picky(of_a), runtime=Real(threads=1)) as engine:
        holding = engine.start(drawn(river("hold", hold)))
        assert began.wait(LONG)
        stranded = engine.start(drawn(ParallelRiver(waits, river("a", at_once))), id="stranded")
        assert stranded.wait(LONG).stranded
        later = engine.start(drawn(waits), id="later")  # its body stands in the queue behind the stranded flow's
        go.set()
        holding.result(LONG)
        later.result(LONG)

    assert ran == ["later"]


@pytest.mark.promise("10.9")
def test_a_flow_that_cannot_be_read_for_an_odd_reason_keeps_no_engine_from_opening() -> None:
    class Broken(MemoryStore):
        def facts(self, flow_id: str, after: int = 0) -> Any:
            if flow_id == "odd":
                raise ValueError("\udcff")  # half of a surrogate pair
            return super().facts(flow_id, after)

        def commit(self, batch: Batch) -> frozenset[str]:
            for move in batch.moves:
                move.stranded.encode()  # as SQLite does
            return super().commit(batch)

    store, runtime = Broken(), Simulated()
    engine = simulated(store, runtime)
    waiting = drawn(river("a", nothing, raises(Continue), cycle_interval=60, cycle_times=2))
    for flow_id in ("odd", "good"):
        engine.start(waiting, id=flow_id)

    engine = crashed(store, runtime)

    row = store.flow("odd")
    assert row is not None
    assert row.stranded == r"ValueError: \udcff"
    assert not engine.flow("good").status().stranded


@pytest.mark.promise("10.7")
def test_a_start_that_was_refused_leaves_nothing() -> None:
    engine = simulated(Picky(lambda batch: bool(batch.flows)))

    with pytest.raises(BatchRefused):
        engine.start(drawn(river("a", nothing)))

    assert len(engine._waiting) == 0  # noqa: SLF001  # what is kept for nobody can be seen nowhere else


@pytest.mark.promise("12.5")
def test_what_a_body_says_of_its_progress_tells_no_secret_and_holds_no_control_characters() -> None:
    def body(self: River, water: Headwaters) -> None:
        self.progress(0.5, f"with {water['password']}\x1b[31m")
        raise Retry

    runtime = Simulated()
    engine = simulated(runtime=runtime)
    body_of_a = river("a", body, retry_times=1, retry_interval=60)
    flow = engine.start(drawn(body_of_a), password="hunter2-is-long")  # noqa: S106  # an invented one
    runtime.advance(1)

    answer = flow.status().stream("a").answer
    assert answer.startswith("with *")
    assert "hunter2" not in answer
    assert "\x1b" not in answer


@pytest.mark.promise("5.5")
def test_a_river_that_writes_at_every_poll_keeps_what_it_wrote_last_and_no_more() -> None:
    class Brief(MemoryStore):
        def commit(self, batch: Batch) -> frozenset[str]:
            batch.facts.clear()  # what the store holds is not what is weighed here
            return super().commit(batch)

    def cycle(_self: River, water: Headwaters) -> None:
        water["text"] = f"{runtime.clock.now()}" * 1_000
        raise Continue

    runtime = Simulated()
    engine = simulated(Brief(), runtime)
    engine.start(drawn(river("a", nothing, cycle, cycle_interval=1, cycle_times=10_000)))
    runtime.advance(10)
    tracemalloc.start()
    try:
        runtime.advance(200)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 1_000_000  # one text has 16 000 characters, 200 of them have 3 200 000


@pytest.mark.promise("10.10")
def test_a_recovery_looks_at_no_period_that_was_over_before_its_flows_began() -> None:
    class Old(MemoryStore):
        asked: list[int]

        def periods(self, since: int = 0) -> list[Period]:
            self.asked.append(since)
            return super().periods(since)

    store, runtime = Old(), Simulated()
    store.asked = []
    engine = simulated(store, runtime)
    begun = runtime.clock.now()
    engine.start(drawn(river("a", nothing, raises(Continue), cycle_interval=60, cycle_times=2)))

    crashed(store, runtime)

    assert store.asked[-1] == begun

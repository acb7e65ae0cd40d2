"""Is what an engine has under way bounded, and what is over the bound waits or is told so?"""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.engine.scenes import LONG, PATIENT, drawn, nothing, puts, raises, river, simulated
from tests.engine.standing import until
from vastflow import Continue, DrawingError, Engine, FlowConflict, FlowFailed
from vastflow.errors import EngineBusy, EngineClosed, StoreError
from vastflow.ledger.contract import Batch
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated

QUICK = drawn(river("a", puts(a=1)), name="quick")


def lasting(minutes: int) -> Any:
    """Return a drawing of a flow that is done after so many minutes."""
    return drawn(river("slow", nothing, nothing, cycle_interval=60 * minutes, deadline="9h"), name="slow")


@pytest.mark.promise("11.4")
def test_a_start_over_the_bound_is_told_so_at_once_if_it_is_not_to_wait() -> None:
    engine = simulated(max_flows=2)
    held = [engine.start(lasting(1)) for _ in range(2)]

    with pytest.raises(EngineBusy, match=r"2 flows are under way.*max_flows=2.*start\(wait=seconds\)"):
        engine.start(QUICK, id="third", wait=False)

    assert engine.reader.flow("third") is None
    assert len(engine._waiting.places._queue) == 0  # noqa: SLF001  # that nothing is kept of it is what is asked
    for flow in held:
        flow.result()
    assert engine.start(QUICK, id="third", wait=False).result() == {"a": 1}


@pytest.mark.promise("11.4")
def test_a_start_over_the_bound_waits_for_a_place_as_long_as_it_may() -> None:
    runtime = Simulated()
    engine = simulated(runtime=runtime, max_flows=1)
    engine.start(lasting(10))
    begun = runtime.clock.now()

    with pytest.raises(EngineBusy):
        engine.start(QUICK, wait=30)
    gave_up = runtime.clock.now()
    flow = engine.start(QUICK)

    assert gave_up - begun == 30_000_000
    assert len(engine._waiting.places._queue) == 0  # noqa: SLF001  # that nothing is kept of it is what is asked
    assert runtime.clock.now() - begun == pytest.approx(600_000_000, abs=1_000)
    assert flow.result() == {"a": 1}


@pytest.mark.promise("11.4")
def test_many_starts_keep_the_bound_and_all_are_run() -> None:
    runtime = Simulated()
    engine = simulated(runtime=runtime, max_flows=3)
    most: list[int] = []

    def note(_self: Any, _water: Any) -> None:
        most.append(len(engine.flows(state="running")))

    flows = engine.start_many(drawn(river("a", note, nothing, cycle_interval=60, deadline="9h")), [{}] * 20)

    assert [flow.result() for flow in flows] == [{}] * 20
    assert max(most) == 3
    engine.start(lasting(1)), engine.start(lasting(1))
    with pytest.raises(EngineBusy):
        engine.start_many(lasting(1), [{}] * 2, wait=False)


@pytest.mark.promise("11.4")
def test_places_are_given_in_the_order_they_were_asked_for() -> None:
    with Engine("memory:", max_flows=1) as engine, ThreadPoolExecutor(5) as pool:
        gate, order = threading.Event(), list[int]()
        engine.start(drawn(river("a", lambda *_: gate.wait(LONG) and None)))
        andes = drawn(river("b", lambda _self, water: order.append(water["n"])))
        asked = []
        for number in range(5):
            asked.append(pool.submit(engine.start, andes, n=number))
            until(lambda: len(engine._waiting.places._queue) == len(asked))  # noqa: SLF001  # who waits can be seen nowhere else
        gate.set()

        for each in asked:
            each.result(LONG).result(LONG)
    assert order == list(range(5))


@pytest.mark.promise("11.4", "10.10")
def test_recovery_is_exempt_and_counts() -> None:
    store, runtime = MemoryStore(), Simulated()
    simulated(store, runtime).start_many(lasting(1), [{}] * 5)
    runtime.crash()

    engine = simulated(store, runtime, max_flows=3, crash_limit=PATIENT)

    assert len(engine.flows(state="running")) == 5
    with pytest.raises(EngineBusy):
        engine.start(QUICK, wait=False)
    assert engine.start(QUICK).result() == {"a": 1}
    assert len(engine.flows(state="success")) == 6


@pytest.mark.promise("11.4")
def test_no_place_is_lost_by_whatever_ends_a_start_or_a_flow() -> None:
    engine = simulated(max_flows=1)
    broken = drawn(river("x", raises(RuntimeError("no"))), name="broken")
    for turn in range(3):
        with pytest.raises(DrawingError):
            engine.start(drawn(), wait=False)
        assert engine.start(QUICK, {"n": 1}, id="one", wait=False).result() == {"n": 1, "a": 1}
        with pytest.raises(FlowConflict):
            engine.start(QUICK, {"n": 2}, id="one", wait=False)
        with pytest.raises(FlowFailed):
            engine.start(broken, wait=False).result()
        cancelled = engine.start(lasting(60), id=f"c{turn}", wait=False)
        cancelled.cancel()
        cancelled.wait()

    assert len(engine._waiting) == 0  # noqa: SLF001  # that nothing is kept is what is asked


class Dry(Simulated):
    """A runtime without chance, once."""

    wet = 0

    def entropy(self, size: int) -> bytes:
        self.wet += 1
        if self.wet == 1:
            raise OSError("there is no entropy")
        return super().entropy(size)


@pytest.mark.promise("11.4")
def test_a_start_that_fails_after_its_place_was_booked_gives_it_back() -> None:
    engine = simulated(runtime=Dry(), max_flows=1)
    with pytest.raises(OSError, match="no entropy"):
        engine.start(QUICK)

    assert engine.start(QUICK, wait=False).result() == {"a": 1}


class Away(MemoryStore):
    """A store that cannot be written as long as it is away."""

    away = True

    def commit(self, batch: Batch) -> frozenset[str]:
        if self.away:
            raise StoreError("the disk is full")
        return super().commit(batch)


@pytest.mark.promise("11.4", "10.7")
def test_starts_against_a_store_that_refuses_to_write_are_bounded_and_all_run_when_it_can_be_written() -> None:
    store = Away()
    with Engine(store=store, max_flows=4) as engine, ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(engine.start, QUICK) for _ in range(12)]
        until(lambda: len(engine._waiting.places) == 4)  # noqa: SLF001  # what is kept can be seen nowhere else
        until(lambda: engine.trouble is not None and engine.trouble.waiting == 4)
        with pytest.raises(EngineBusy):
            engine.start(QUICK, wait=False)

        store.away = False
        flows = [each.result(LONG) for each in asked]
        assert [flow.result(LONG) for flow in flows] == [{"a": 1}] * 12


@pytest.mark.promise("11.4")
def test_whoever_waits_for_a_place_is_told_when_the_engine_closes() -> None:
    engine = Engine("memory:", max_flows=1)
    never = river("a", nothing, raises(lambda: Continue("not yet")), deadline="9h")
    engine.start(drawn(never))
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(engine.start, QUICK), pool.submit(engine.start, QUICK, wait=LONG)]
        until(lambda: len(engine._waiting.places._queue) == 2)  # noqa: SLF001  # who waits can be seen nowhere else
        engine.close()

        assert [type(each.exception(LONG)) for each in asked] == [EngineClosed] * 2


@pytest.mark.promise("11.4")
@pytest.mark.parametrize("wrong", [0, -1])
def test_a_bound_below_one_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="max_flows"):
        Engine("memory:", max_flows=wrong)

"""Does every flow come to its end, whatever fails, and give back what it took?

Faults 8 to 11 of the Go original.
"""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import LONG, crashed, drawn, nothing, puts, raises, river, sea, simulated
from tests.faults.scenes import EMOJI, kinds, moved
from vastflow import Continue, Engine, Fail, FlowStranded, ParallelRiver, River
from vastflow.errors import StoreError
from vastflow.ledger.contract import Batch
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated


class Ailing(MemoryStore):
    """A store that cannot be written at the commits in `away`."""

    def __init__(self, away: set[int]) -> None:
        super().__init__()
        self.away = away
        self.tried = 0

    def commit(self, batch: Batch) -> frozenset[str]:
        self.tried += 1
        if self.tried in self.away:
            message = "error 1040: too many connections"
            raise StoreError(message)
        return super().commit(batch)


@pytest.mark.parametrize("first", range(1, 8))
@pytest.mark.parametrize("failing", [False, True], ids=["success", "fail"])
def test_fault_8_a_store_that_is_away_for_a_while_keeps_no_flow_from_its_end(first: int, *, failing: bool) -> None:
    store, runtime = Ailing(set(range(first, first + 7))), Simulated()
    body = raises(Fail("no")) if failing else nothing
    flow = simulated(store, runtime).start(drawn(river("a", nothing) | river("b", nothing), river("c", body)))

    status = flow.wait()

    assert status.outcome == ("fail" if failing else "success")
    assert [stream.state for stream in status.streams[:3]] == ["success"] * 3


@pytest.mark.promise("5.3", "5.9")
def test_fault_8_one_emoji_in_the_water_or_in_an_error_keeps_no_flow_from_its_end(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/flows.db") as engine:
        well = engine.start(drawn(river("a", puts(text=EMOJI)), name=EMOJI), {"in": EMOJI}, id=EMOJI, tags={"t": EMOJI})
        ill = engine.start(drawn(river("a", raises(RuntimeError(f"{EMOJI} \ud800 \x00")))))

        assert well.result(LONG) == {"in": EMOJI, "text": EMOJI}
        failure = ill.wait(LONG).failure

    assert failure is not None
    assert EMOJI in failure.message
    assert r"\ud800" in failure.message


def hears(told: list[str]) -> Any:
    def fail(self: Any, _water: Any) -> None:
        told.append(self.failure.message)

    return fail


@pytest.mark.promise("7.4", "8.1", "8.2", "10.5")
@pytest.mark.parametrize("how", ["failed", "undone", "cancelled"])
def test_fault_9_a_process_that_dies_before_fail_has_ended_calls_it_again(how: str) -> None:
    for moves in range(200):
        store, runtime, told = MemoryStore(), Simulated(), list[str]()
        undo = {"undo": nothing} if how == "undone" else {}
        end = sea(fail=hears(told))
        body = Continue("not yet") if how == "cancelled" else Fail("no money")
        polled = river("a", nothing, raises(body), cycle_interval=1, cycle_times=99, **undo)
        flow = simulated(store, runtime).start(drawn(polled, end=end), id="one")
        if how == "cancelled":
            flow.cancel()
        while "outcome" not in kinds(store):
            runtime.pump()
        moved(runtime, moves)
        ended = store.facts("one")[-1].kind == "ended"
        before = len(told)
        status = crashed(store, runtime).flow("one").wait()

        assert set(told) == {"the flow was cancelled" if how == "cancelled" else "no money"}
        assert status.state == ("cancelled" if how == "cancelled" else "fail")
        assert len(told) == before + (not ended)
        if ended:
            return
    pytest.fail("the flow never ended before the crash: the test must go through all moments")


@pytest.mark.promise("7.6")
def test_fault_10_flows_that_never_reach_the_atlantic_leave_no_place_taken() -> None:
    """There is no window of slots here; what there is to be given back are threads, timers, waiters and records."""
    let_go = threading.Event()
    with Engine("memory:", cancel_grace=0.01) as engine:
        hung = river("a", lambda _self, _water: let_go.wait(LONG) and None)
        failing = drawn(ParallelRiver(hung, river("b", raises(Fail("no")))))
        for flow in engine.start_many(failing, [{}] * 80):  # more than there are threads
            flow.wait(LONG)
        status = engine.start(drawn(river("c", nothing))).wait(LONG)
        let_go.set()
        kept = len(engine._waiting), engine.runtime.stats().timers  # noqa: SLF001  # that nothing is kept is what is asked

    assert status.state == "success"
    assert kept == (0, 1)


@pytest.mark.promise("10.9")
def test_fault_11_a_class_that_is_not_there_after_a_restart_is_named_with_what_to_do() -> None:
    class Gone(River):
        registered_as = "tests.faults.gone"
        retry_times, retry_interval = 1, 60

        def flow(self, _water: Any) -> None:
            raise RuntimeError("once")

    store, runtime = MemoryStore(), Simulated()
    simulated(store, runtime).start(drawn(Gone()), id="one")
    runtime.advance(1)
    runtime.crash()

    class Gone(River):  # type: ignore[no-redef]  # the program has been changed
        registered_as = "tests.faults.renamed"

        def flow(self, water: Any) -> None:
            pass

    with pytest.raises(FlowStranded, match=r"the class tests\.faults\.gone is not known here: import the module"):
        simulated(store, runtime).flow("one").result()

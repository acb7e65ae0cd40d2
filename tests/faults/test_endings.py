"""Does every flow end once, as it should, and say why?

Faults 12, 13, 14, 16 and 17 of the Go original.
"""

import asyncio
from collections import Counter
from typing import Any, Literal

import pytest

from tests.engine.scenes import crashed, drawn, nothing, raises, river, sea, simulated
from tests.faults.scenes import counted, deepest, raises_once
from vastflow import Basin, Continue, Fail, FlowFailed, ParallelRiver, River
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated

FREE = ("retry_times", "retry_interval", "retry_backoff", "retry_max_interval", "deadline", "timeout", "undo_times")


@pytest.mark.promise("8.2")
@pytest.mark.parametrize("failed", [False, True])
def test_fault_12_an_atlantic_that_raises_is_never_overwritten_with_success_and_its_text_stays(*, failed: bool) -> None:
    store = MemoryStore()
    told: list[str] = []

    def tells(self: Any, _water: Any) -> None:
        told.append(self.address)
        raise RuntimeError("the handler broke")

    end = sea(success=tells, fail=tells)
    body = raises(Fail("no money")) if failed else nothing
    engine = simulated(store)
    engine.start(drawn(river("a", body), end=end), id="one").wait()
    engine.close()

    status = simulated(store).flow("one").status()
    row = store.flow("one")

    assert row is not None
    assert (row.state, status.state, status.outcome) == ("fail", "fail", "fail" if failed else "success")
    assert told == ["~"]
    assert status.failure is not None
    assert status.failure.message == "the handler broke"
    assert (status.failure.cause.message if status.failure.cause else "") == ("no money" if failed else "")


@pytest.mark.promise("8.1", "8.2", "10.5")
@pytest.mark.parametrize("how", ["success", "fail", "cancelled"])
def test_fault_13_no_flow_has_ended_on_disk_before_its_atlantic_has(how: str) -> None:
    store, runtime, seen = MemoryStore(), Simulated(), list[tuple[str, str, int]]()

    async def tells(_self: Any, _water: Any) -> None:
        row = store.flow("one")
        assert row is not None
        seen.append((row.state, row.outcome, row.ended))
        await asyncio.sleep(60)

    waits = river("a", nothing, raises(Continue("?")), cycle_interval=1, cycle_times=99)
    streams = {"success": river("a", nothing), "fail": river("a", raises(Fail("no"))), "cancelled": waits}
    flow = simulated(store, runtime).start(drawn(streams[how], end=sea(success=tells, fail=tells)), id="one")
    if how == "cancelled":
        flow.cancel()
    runtime.advance(30)
    with crashed(store, runtime) as engine:
        runtime.advance(30)
        early = engine.flow("one").status()
        runtime.advance(31)
        late = engine.flow("one").status()

    assert seen == [("ending", how, 0)] * 2
    assert (early.state, early.outcome) == ("ending", how)
    assert (late.state, late.outcome) == (how, how)


@pytest.mark.promise("8.2", "8.4")
@pytest.mark.parametrize("error", [RuntimeError("the handler broke"), Fail("the handler broke")], ids=["error", "fail"])
@pytest.mark.parametrize("how", ["success", "fail"])
def test_fault_13_a_flow_whose_atlantic_fails_has_failed_and_can_be_told_again(how: str, error: Exception) -> None:
    store, runtime, told = MemoryStore(), Simulated(), list[int]()

    def tells(self: Any, _water: Any) -> None:
        told.append(self.round)
        if self.round == 1:
            raise error

    calls = Counter[str]()
    body = counted(calls) if how == "success" else raises(Fail("no"))
    engine = simulated(store, runtime)
    engine.start(drawn(river("a", body), end=sea(success=tells, fail=tells)), id="one").wait()
    engine = crashed(store, runtime)
    first, listed = engine.flow("one").status(), [flow.id for flow in engine.flows(state="fail")]
    engine.flow("one").retry()
    second = engine.flow("one").wait()

    assert (first.state, first.outcome, listed) == ("fail", how, ["one"])
    assert first.failure is not None
    assert (first.failure.kind, first.failure.message) == ("atlantic", "the handler broke")
    assert second.state == second.outcome == how
    assert told == [1, 2]
    assert calls["a"] == (how == "success")


@pytest.mark.promise("6.1", "8.1", "8.2", "2.7")
@pytest.mark.parametrize("join", ["all", "settle", "any"])
@pytest.mark.parametrize("failing", [0, 1, 3])
def test_fault_14_no_update_and_no_later_append_makes_the_atlantic_be_told_more_than_once(
    failing: int, join: Literal["all", "settle", "any"]
) -> None:
    def update(_self: River, attr: Any, _water: Any) -> None:
        given = attr.values()
        for name in FREE:
            setattr(attr, name, given[name])

    for seed in range(8):
        told: list[str] = []
        end = sea(success=lambda *_, told=told: told.append("success"), fail=lambda *_, told=told: told.append("fail"))
        bodies = [raises(Fail("no")) if number < failing else nothing for number in range(3)]
        side = ParallelRiver(join=join)
        strays = []
        for number, body in enumerate(bodies):
            first = river(f"r{number}", body, update=update)
            side.append(first >> river(f"s{number}", nothing, update=update))
            strays.append(first >> river("stray", raises(Fail("it was never drawn"))))
        spread = ParallelRiver.each("items", river("item", nothing, update=update), item="item")
        flow = simulated(runtime=Simulated(seed)).start(drawn(side, spread, end=end), items=[1, 2])
        status = flow.wait()

        assert told == ["fail" if failing > (2 if join == "any" else 0) else "success"]
        assert status.outcome == told[0]
        assert [event.kind for event in flow.events()].count("ended") == 1


@pytest.mark.promise("6.3", "6.1")
@pytest.mark.parametrize("seed", range(10))
def test_fault_16_a_failing_basin_touches_no_basin_the_join_does_not_name_and_cancelled_is_not_failed(
    seed: int,
) -> None:
    def basins(most: int) -> ParallelRiver:
        slow = river(
            "slow", raises(lambda: RuntimeError("once")), retry_times=1, retry_interval=60, retry_max_interval=60
        )
        return ParallelRiver(
            Basin("bad", river("a", raises(Fail("no")))),
            Basin("good", river("a", nothing, nothing, cycle_interval=30, cycle_times=3), river("b", nothing)),
            Basin("late", slow),
            max_failures=most,
        )

    engine = simulated(runtime=Simulated(seed))
    tolerant = engine.start(drawn(Basin("first", river("a", nothing)), basins(2), river("last", nothing))).wait()
    strict = engine.start(drawn(Basin("first", river("a", nothing)), basins(0), river("last", nothing))).wait()

    assert {s.address: s.state for s in tolerant.streams if s.kind == "basin"} == {
        "first": "success",
        "bad": "fail",
        "good": "success",
        "late": "fail",
    }
    assert tolerant.outcome == "success"
    assert {s.address: s.state for s in strict.streams if s.kind == "basin"} == {
        "first": "success",
        "bad": "fail",
        "good": "cancelled",
        "late": "cancelled",
    }
    assert strict.stream("good/b").state == strict.stream("last").state == "init"


@pytest.mark.promise("6.1", "7.2")
@pytest.mark.parametrize("seed", range(10))
def test_fault_16_what_a_join_settles_or_lets_lose_is_never_called_failed(seed: int) -> None:
    def polls(name: str) -> River:
        return river(name, nothing, raises_once(Continue("?")), cycle_interval=30, cycle_times=3)

    bad, good, late = (
        Basin("bad", river("a", raises(Fail("no")))),
        Basin("good", polls("a")),
        Basin("late", polls("a")),
    )
    quick = Basin("quick", river("a", nothing))
    engine = simulated(runtime=Simulated(seed))
    settled = engine.start(drawn(ParallelRiver(bad, good, late, join="settle"))).wait()
    raced = engine.start(drawn(ParallelRiver(good, quick, late, join="any"))).wait()

    assert {stream.address: stream.state for stream in settled.streams if stream.kind == "basin"} == {
        "bad": "fail",
        "good": "success",
        "late": "success",
    }
    assert {stream.address: stream.state for stream in raced.streams if stream.kind == "basin"} == {
        "good": "cancelled",
        "quick": "success",
        "late": "cancelled",
    }
    assert (settled.outcome, raced.outcome) == ("fail", "success")


@pytest.mark.promise("5.9")
@pytest.mark.parametrize("where", ["basin", "parallel", "basin in parallel", "retry", "each", "any", "settle"])
def test_fault_17_the_text_of_an_error_reaches_fail_and_every_stream_it_ended(where: str) -> None:
    undone: list[str] = []
    told: list[Any] = []
    retries: dict[str, Any] = {"retry_times": 2 if where == "retry" else 0}
    first = river("first", nothing, undo=lambda self, _water: undone.append(str(deepest(self.failure))))
    paying = river("pay", raises(RuntimeError("card 4711 refused")), **retries)
    drawings: dict[str, Any] = {
        "basin": lambda: Basin("shop", paying),
        "parallel": lambda: ParallelRiver(paying, river("b", nothing)),
        "basin in parallel": lambda: ParallelRiver(Basin("shop", paying), Basin("other", river("b", nothing))),
        "retry": lambda: paying,
        "each": lambda: ParallelRiver.each("items", paying, item="item"),
        "any": lambda: ParallelRiver(paying, river("b", nothing, when=lambda *_: False), join="any"),
        "settle": lambda: ParallelRiver(paying, river("b", nothing), join="settle"),
    }
    end = sea(fail=lambda self, _water: told.append((str(deepest(self.failure)), dict(self.failures))))

    status = simulated().start(drawn(first, drawings[where](), end=end), items=[1]).wait()

    ((text, failures),) = told
    assert ["card 4711 refused" in each for each in undone] == [True]
    assert "card 4711 refused" in text
    assert any("card 4711 refused" in str(deepest(failure)) for failure in failures.values())
    for stream in status.streams:
        if stream.state == "fail":
            assert stream.failure is not None
            assert "card 4711 refused" in str(deepest(stream.failure))
    with pytest.raises(FlowFailed, match=r"pay|shop"):
        simulated().start(drawn(drawings[where]()), items=[1]).result()

"""Does a handle say how its flow stands and how it ended, to everybody who asks, in whatever way?"""

import asyncio
import dataclasses
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.engine.scenes import LONG, calling, drawn, nothing, puts, raises, river, sea, simulated
from vastflow import Basin, Continue, Engine, Fail, Failure, FlowFailed, FlowNotFound, FlowStranded, Headwaters, River
from vastflow.clock import from_moment
from vastflow.engine.flow import Flow
from vastflow.errors import EngineBlocked, EngineClosed, WaterError
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("memory:", jitter=0.0) as engine:
        yield engine
        assert len(engine._waiting) == 0  # noqa: SLF001  # nothing is kept of flows that ended and of those who left


class PaymentDeclined(RuntimeError):
    """What a body of these tests raises."""


class Gate:
    """A body that says that it runs, and ends when it is told to."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.end = threading.Event()

    def hold(self, _called: Any = None, _water: Any = None) -> None:
        self.running.set()
        assert self.end.wait(LONG)


def gated(gate: Gate) -> River:
    return river("gated", calling(gate.hold))


# result, wait, await


@pytest.mark.promise("8.3")
def test_the_result_is_the_final_water_and_cannot_be_changed(engine: Engine) -> None:
    end = sea(success=puts(told=True))

    water = engine.start(drawn(river("a", puts(a=[1, 2])), end=end), {"image": "debian"}).result(LONG)

    assert water == {"image": "debian", "a": [1, 2], "told": True}
    with pytest.raises(WaterError, match="read-only"):
        water["a"] = 3


@pytest.mark.promise("8.3")
def test_the_result_comes_only_after_the_atlantic_has_ended(engine: Engine) -> None:
    gate = Gate()
    flow = engine.start(drawn(river("a", nothing), end=sea(success=calling(gate.hold))))
    assert gate.running.wait(LONG)

    with pytest.raises(TimeoutError, match=r"has not ended within 0\.01 seconds"):
        flow.result(0.01)
    gate.end.set()

    assert flow.result(LONG) == {}


@pytest.mark.promise("8.3")
def test_the_result_can_be_asked_again_and_again_and_by_everybody_who_knows_the_id(engine: Engine) -> None:
    flow = engine.start(drawn(river("a", puts(a=1))), id="one")

    assert flow.result(LONG) == flow.result(LONG) == engine.flow("one").result(LONG) == {"a": 1}


@pytest.mark.promise("8.3")
def test_who_gives_up_waiting_is_not_kept_and_the_flow_goes_on(engine: Engine) -> None:
    gate = Gate()
    flow = engine.start(drawn(gated(gate)))
    for _ in range(20):
        with pytest.raises(TimeoutError, match="it goes on"):
            flow.result(0.001)
    kept = len(engine._waiting)  # noqa: SLF001  # that nothing is kept is what is asked
    gate.end.set()

    assert flow.wait(LONG).state == "success"
    assert kept == 1


@pytest.mark.promise("8.3")
def test_many_wait_for_one_flow_and_all_are_told(engine: Engine) -> None:
    gate = Gate()
    flow = engine.start(drawn(gated(gate), river("a", puts(a=1))))

    async def everybody() -> list[Any]:
        asked = [asyncio.create_task(one()) for _ in range(50)]
        await asyncio.sleep(0)
        gate.end.set()
        return await asyncio.gather(*asked)

    async def one() -> Any:
        return await flow

    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(flow.result, LONG) for _ in range(20)]
        awaited = asyncio.run(everybody())

    assert [each.result(LONG)["a"] for each in waiting] == [1] * 20
    assert [each["a"] for each in awaited] == [1] * 50


@pytest.mark.promise("8.3")
async def test_an_await_lets_the_loop_go_on(engine: Engine) -> None:
    gate = Gate()
    flow = engine.start(drawn(gated(gate)))

    waiting = asyncio.ensure_future(flow)
    for _ in range(100):
        await asyncio.sleep(0)
    early = waiting.done()
    gate.end.set()

    assert not early
    assert await asyncio.wait_for(waiting, LONG) == {}
    assert await flow == {}


@pytest.mark.promise("8.3")
async def test_an_await_that_is_cancelled_leaves_the_flow_alone(engine: Engine) -> None:
    gate = Gate()
    flow = engine.start(drawn(gated(gate)))
    waiting = asyncio.ensure_future(flow)
    await asyncio.sleep(0)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.end.set()

    assert await flow == {}


@pytest.mark.promise("8.3")
async def test_an_await_raises_what_the_flow_failed_with(engine: Engine) -> None:
    with pytest.raises(FlowFailed, match="declined"):
        await engine.start(drawn(river("pay", raises(PaymentDeclined("declined")))))


@pytest.mark.promise("8.3")
async def test_on_a_running_loop_result_and_wait_raise_and_name_await(engine: Engine) -> None:
    flow = engine.start(drawn(river("a", nothing)))

    for asked in (flow.result, flow.wait):
        with pytest.raises(EngineBlocked, match="`await`"):
            asked()

    await flow


@pytest.mark.promise("8.3")
@pytest.mark.parametrize("asked", ["result", "wait"])
@pytest.mark.parametrize("bodies", ["def", "async def"])
def test_inside_a_body_result_and_wait_raise_instead_of_holding_its_thread(
    engine: Engine, asked: str, bodies: str
) -> None:
    other = engine.start(drawn(river("a", nothing)), id="other")

    def flow(_self: River, _water: Any) -> None:
        getattr(engine.flow("other"), asked)()

    async def flow_async(self: River, water: Any) -> None:
        await asyncio.to_thread(flow, self, water)

    asking = engine.start(drawn(river("b", flow if bodies == "def" else flow_async)))

    with pytest.raises(FlowFailed, match="poll the other flow in a cycle") as failed:
        asking.result(LONG)
    assert failed.value.failure is not None
    assert failed.value.failure.matches(EngineBlocked)
    other.result(LONG)


@pytest.mark.promise("8.3")
def test_an_async_body_may_await_another_flow(engine: Engine) -> None:
    other = engine.start(drawn(river("a", puts(a=1))), id="other")

    async def flow(_self: River, water: Any) -> None:
        water["other"] = (await engine.flow("other"))["a"]

    assert engine.start(drawn(river("b", flow))).result(LONG) == {"other": 1}
    other.result(LONG)


@pytest.mark.promise("8.3", "10.10")
def test_the_result_is_there_after_a_restart_for_a_flow_that_ended_before_and_for_one_that_ends_after() -> None:
    store, runtime = MemoryStore(), Simulated()
    engine = simulated(store, runtime)
    polled = drawn(river("a", nothing, raises(lambda: Continue("building")), cycle_interval=60, cycle_times=3))
    engine.start(drawn(river("a", puts(a=1))), id="before").result()
    engine.start(polled, id="after")
    runtime.advance(70)

    runtime.crash()
    engine = simulated(store, runtime)

    assert engine.flow("before").result() == {"a": 1}
    with pytest.raises(FlowFailed, match="not done after 3 polls; the last one said: building"):
        engine.flow("after").result()


# Failures


@pytest.mark.promise("8.3", "5.9")
@pytest.mark.parametrize("bodies", ["def", "async def"])
def test_a_failed_flow_says_why_where_and_how(engine: Engine, bodies: str) -> None:
    def pay(_self: River, _water: Any) -> None:
        raise PaymentDeclined("card 4711 was refused") from KeyError("card")

    async def pay_async(self: River, water: Any) -> None:
        pay(self, water)

    paying = river("pay", pay if bodies == "def" else pay_async, retry_times=1, retry_interval=0.01)
    flow = engine.start(drawn(Basin("shop", paying)), id="one")

    with pytest.raises(FlowFailed) as failed:
        flow.result(LONG)

    outer = failed.value.failure
    assert outer is not None
    assert (outer.kind, outer.address, outer.exception) == ("retries-exhausted", "shop", "")
    inner = outer.cause
    assert inner is not None
    assert (inner.kind, inner.address, inner.attempt) == ("retries-exhausted", "shop/pay", 2)
    assert inner.exception == f"{__name__}.PaymentDeclined"
    assert inner.message == "card 4711 was refused"
    assert inner.traceback.splitlines()[-1] == f"{__name__}.PaymentDeclined: card 4711 was refused"
    assert "in pay" in inner.traceback
    assert "KeyError: 'card'" in inner.traceback
    assert "vastflow/actors" not in inner.traceback
    assert failed.value.flow == "one"
    for failure in (outer, inner, flow.status().failure):
        assert failure is not None
        assert failure.matches(PaymentDeclined)
        assert failure.matches(RuntimeError)
        assert not failure.matches(LookupError)


@pytest.mark.promise("5.9", "10.10")
def test_a_failure_reads_the_same_after_a_restart() -> None:
    store = MemoryStore()
    failures = []
    for _ in range(2):
        engine = simulated(store)
        if not engine.flows():
            engine.start(drawn(river("pay", raises(Fail("no money", code="broke")))), id="one")
        with pytest.raises(FlowFailed) as failed:
            engine.flow("one").result()
        failures.append(failed.value.failure)
        engine.close()

    assert failures[0] == failures[1]
    assert failures[0] is not None
    assert (failures[0].code, failures[0].message) == ("broke", "no money")


@pytest.mark.promise("5.9")
def test_bodies_see_the_failures_there_were_and_only_fail_the_one_of_the_flow(engine: Engine) -> None:
    seen: dict[str, Any] = {}

    def asks(self: River, _water: Any) -> None:
        seen["river"] = dict(self.failures)
        assert self.failure.kind

    def fail(self: Any, _water: Any) -> None:
        seen["fail"] = {address: failure.kind for address, failure in self.failures.items()}
        seen["failure"] = self.failure

    flow = engine.start(drawn(river("a", nothing), river("b", asks), end=sea(fail=fail)))

    assert flow.wait(LONG).outcome == "fail"
    assert seen["river"] == {}
    assert seen["fail"] == {"b": "error"}
    assert isinstance(seen["failure"], Failure)
    assert "ask it in `fail` or `undo`" in seen["failure"].message


# Status and events


@pytest.mark.promise("11.3")
def test_the_status_is_live_while_the_flow_runs() -> None:
    runtime = Simulated()
    engine = simulated(runtime=runtime)

    def cycle(self: River, _water: Any) -> None:
        self.progress(0.1, "looking")
        raise Continue(f"building, attempt {self.attempt}", progress=0.5)

    slow = river("slow", nothing, cycle, cycle_interval=60, cycle_times=10, retry_times=1)
    flow = engine.start(drawn(river("quick", puts(a=1)), slow, river("last", nothing)), tags={"team": "storage"})
    begun = runtime.clock.now()
    runtime.advance(150)

    status = flow.status()

    assert (status.state, status.outcome, status.stranded, status.failure) == ("running", "", "", None)
    assert (status.name, status.tags, status.ended) == ("drawn", {"team": "storage"}, None)
    assert from_moment(status.started) == begun
    assert [(each.address, each.state) for each in status.streams] == [
        ("quick", "success"),
        ("slow", "cycling"),
        ("last", "init"),
        ("~", "init"),
    ]
    polled = status.stream("slow")
    assert (polled.polls, polled.cycle_times, polled.attempt, polled.attempts) == (2, 10, 1, 2)
    assert (polled.answer, polled.share, polled.running) == ("building, attempt 1", 0.5, False)
    assert polled.due == datetime.fromtimestamp((begun + 180_000_000) / 1e6, UTC)
    with pytest.raises(KeyError, match="quick, slow, last, ~"):
        status.stream("nowhere")


@pytest.mark.promise("11.3")
def test_the_status_says_that_a_body_runs_and_how_far_it_says_it_is(engine: Engine) -> None:
    gate = Gate()

    def flow(self: River, _water: Any) -> None:
        self.progress(7, "almost")
        gate.hold()

    begun = engine.start(drawn(river("a", flow)))
    assert gate.running.wait(LONG)
    running = begun.status().stream("a")
    gate.end.set()
    ended = begun.wait(LONG)

    assert (running.state, running.running, running.share, running.answer) == ("running", True, 1.0, "almost")
    assert (ended.state, ended.outcome, ended.stream("a").running) == ("success", "success", False)
    assert ended.ended is not None
    assert ended.ended >= ended.started


@pytest.mark.promise("11.3")
def test_the_status_says_why_and_when_a_river_is_tried_again() -> None:
    runtime = Simulated()
    engine = simulated(runtime=runtime)
    flow = engine.start(drawn(river("a", raises(PaymentDeclined("no")), retry_times=2, retry_interval=60)))
    begun = runtime.clock.now()
    runtime.advance(1)

    retrying = flow.status().stream("a")

    assert (retrying.state, retrying.attempt, retrying.attempts, retrying.running) == ("retrying", 2, 3, False)
    assert retrying.failure is not None
    assert retrying.failure.message == "no"
    assert retrying.due == datetime.fromtimestamp((begun + 60_000_000) / 1e6, UTC)


@pytest.mark.promise("11.3", "12.2")
def test_the_status_is_the_same_from_the_serving_engine_and_from_the_journal_once_the_flow_has_ended() -> None:
    store = MemoryStore()
    engine = simulated(store)
    branches = river("b", puts(b=1)) | river("c", raises(Fail("no")))
    flow = engine.start(drawn(river("a", nothing), Basin("east", branches)), id="one")
    live = flow.wait()
    engine.close()

    assert simulated(store).flow("one").status() == live


@pytest.mark.promise("12.2")
def test_the_events_are_all_that_happened_in_order(engine: Engine) -> None:
    tries = iter([PaymentDeclined("no"), None])

    def flow(_self: River, water: Any) -> None:
        if error := next(tries):
            raise error
        water["paid"] = True

    paying = river("pay", flow, retry_times=1, retry_interval=0.01)
    begun = engine.start(drawn(river("a", nothing) | river("b", nothing), Basin("east", paying, outputs=["paid"])))
    begun.result(LONG)

    events = begun.events()

    said = [(event.address, event.kind, event.attempt) for event in events]
    assert sorted(said[1:3]) == [("a", "flowed", 1), ("b", "flowed", 1)]
    assert [said[0], *said[3:]] == [
        ("", "started", 0),
        ("parallel-river", "joined", 0),
        ("east", "entered", 1),
        ("east/pay", "retrying", 1),
        ("east/pay", "flowed", 2),
        ("east", "left", 1),
        ("", "outcome", 0),
        ("~", "ended", 1),
    ]
    assert [event.number for event in events] == list(range(1, 11))
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert events[5].details["failure"]["message"] == "no"
    assert events[6].details["delta"] == {"put": {"paid": True}}


@pytest.mark.promise("11.3")
def test_no_property_of_a_handle_asks_anybody(engine: Engine) -> None:
    flow = engine.start(drawn(river("a", nothing)), id="one")
    flow.result(LONG)
    engine.close()

    assert (flow.id, repr(flow)) == ("one", "<Flow one>")


@pytest.mark.promise("11.3")
def test_all_that_a_handle_has_besides_methods_is_its_id() -> None:
    has = [name for name in dir(Flow) if not name.startswith("_") and not callable(getattr(Flow, name))]

    assert has == ["id"]  # whatever else it had would have to be read somewhere


@pytest.mark.promise("11.3")
def test_a_status_cannot_be_changed(engine: Engine) -> None:
    status = engine.start(drawn(river("a", nothing))).wait(LONG)

    with pytest.raises(dataclasses.FrozenInstanceError):
        status.state = "fail"  # type: ignore[misc]  # that it is refused is what is asked
    with pytest.raises(dataclasses.FrozenInstanceError):
        status.stream("a").state = "fail"  # type: ignore[misc]  # that it is refused is what is asked


# Which flows are there


@pytest.mark.promise("11.3")
def test_flows_are_found_by_state_name_and_tags_the_newest_first_and_page_by_page() -> None:
    runtime = Simulated()
    engine = simulated(runtime=runtime)
    for number in range(6):
        body = raises(Fail("no")) if number % 3 == 0 else nothing
        tags = {"parity": "even" if number % 2 == 0 else "odd"}
        engine.start(drawn(river("a", body), name=f"name-{number % 2}"), id=str(number), tags=tags).wait()
        runtime.advance(1)
    engine.start(drawn(river("a", nothing, nothing, cycle_interval=60, cycle_times=1)), id="runs")

    def found(**asked: Any) -> list[str]:
        return [flow.id for flow in engine.flows(**asked)]

    assert found() == ["runs", "5", "4", "3", "2", "1", "0"]
    assert found(state="fail") == ["3", "0"]
    assert found(state=["fail", "running"]) == ["runs", "3", "0"]
    assert found(name="name-1") == ["5", "3", "1"]
    assert found(tags={"parity": "even"}, state="success") == ["4", "2"]
    assert found(limit=2) == ["runs", "5"]
    assert found(limit=2, after="5") == ["4", "3"]
    assert found(after="0") == []
    with pytest.raises(FlowNotFound, match="nobody"):
        found(after="nobody")


def test_a_flow_nobody_knows_is_said_to_be_unknown(engine: Engine) -> None:
    with pytest.raises(FlowNotFound, match=r"no flow 'nobody' in this store: `vastflow list`") as unknown:
        engine.flow("nobody")

    assert unknown.value.flow == "nobody"


# Stranded


@pytest.mark.promise("8.3", "10.9")
def test_a_stranded_flow_raises_with_its_reason_in_every_way_of_waiting() -> None:
    store = MemoryStore()

    class Gone(River):
        registered_as = "tests.flow.gone"
        cycle_interval, cycle_times = 60, 2

        def flow(self, water: Headwaters) -> None:
            pass

        def cycle(self, water: Headwaters) -> None:
            pass

    engine = simulated(store)
    engine.start(drawn(Gone()), id="one")
    runtime = engine.runtime
    assert isinstance(runtime, Simulated)
    runtime.crash()

    class Gone(River):  # type: ignore[no-redef]  # the program has been changed
        registered_as = "tests.flow.renamed"

        def flow(self, water: Headwaters) -> None:
            pass

    engine = simulated(store, runtime)
    flow = engine.flow("one")

    with pytest.raises(FlowStranded, match=r"tests\.flow\.gone") as stranded:
        flow.result()
    assert "import the module that defines it" in stranded.value.reason
    assert stranded.value.flow == "one"
    assert flow.wait().stranded == stranded.value.reason == flow.status().stranded
    assert len(engine._waiting) == 0  # noqa: SLF001  # nobody is left


@pytest.mark.promise("11.4")
def test_a_closed_engine_says_so_to_those_who_wait_and_to_those_who_come_later(engine: Engine) -> None:
    gate = Gate()
    flow = engine.start(drawn(gated(gate), river("b", nothing)))
    assert gate.running.wait(LONG)
    ending = engine.ending(flow.id)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(flow.result)
        engine.close(drain=0.0)
        gate.end.set()
        with pytest.raises(EngineClosed, match="the engine was closed"):
            waiting.result(LONG)

    with pytest.raises(EngineClosed, match="goes on when its store is served again"):
        ending.result(0)
    with pytest.raises(EngineClosed, match="make a new one"):
        flow.result()
    with pytest.raises(EngineClosed, match="make a new one"):
        engine.start(drawn(river("a", nothing)))


@pytest.mark.promise("7.5")
def test_a_flow_shows_its_flags_and_one_that_has_ended_has_none() -> None:
    runtime = Simulated()
    engine = simulated(runtime=runtime)
    flow = engine.start(drawn(river("a", nothing, nothing, cycle_interval=60, cycle_times=2)))
    runtime.advance(1)
    before = flow.status().flags
    flow.pause()
    paused = flow.status().flags
    flow.cancel()
    ended = flow.wait()

    assert (before, paused, ended.state, ended.flags) == ((), ("paused",), "cancelled", ())


def test_an_event_says_who_caused_it() -> None:
    runtime = Simulated()
    engine = simulated(runtime=runtime)
    flow = engine.start(drawn(river("a", nothing, nothing, cycle_interval=60, cycle_times=2)))
    runtime.advance(1)
    flow.pause(who="ann")
    flow.resume(who="bob")
    flow.wait()

    said = [(event.kind, event.who) for event in flow.events()]
    assert said == [
        ("started", ""),
        ("flowed", ""),
        ("paused", "ann"),
        ("resumed", "bob"),
        ("cycled", ""),
        ("outcome", ""),
        ("ended", ""),
    ]

"""Does trouble with one flow stay that flow's trouble?"""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import msgspec
import pykka
import pytest

from tests.engine.scenes import LONG, calling, crashed, drawn, nothing, puts, raises, river, sea
from vastflow import Basin, Continue, Engine, FlowStranded, Retry, River
from vastflow.actors.flow import FlowRecord
from vastflow.actors.messages import Abandon, Answered, Begin, Call, Enter, Look, Written
from vastflow.course.delta import spring
from vastflow.course.events import Again, Answer, Broken, Done
from vastflow.course.facts import Delta
from vastflow.engine.flow import Flow
from vastflow.errors import Failure
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated


def record_of(flow: Flow[Any]) -> FlowRecord:
    """Return the record of a flow that was started here, so that a test can name it in a message."""
    record = flow._record  # noqa: SLF001  # no user can send such
    assert record is not None
    return record


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def engine(store: MemoryStore) -> Iterator[Engine]:
    with Engine(store=store, jitter=0.0) as engine:
        yield engine


class Gate:
    """A body that says that it runs, and ends when it is told to."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.end = threading.Event()
        self.calls: list[tuple[str, int]] = []

    def body(self) -> Any:
        def flow(called: River, _water: Any) -> None:
            self.calls.append((called.flow_id, called.attempt))
            self.running.set()
            assert self.end.wait(LONG)

        return flow


def bad_messages(record: FlowRecord) -> dict[str, tuple[str, object]]:
    """Return messages whose handling raises, each with the actor it is for."""
    water = spring({"a": msgspec.Raw(b"1")})
    return {
        "andes": ("andes", Answered(record, "nowhere", 1, Done())),
        "andes, an answer that is none": ("andes", Answered(record, "gated", ticket_of(record), None)),  # type: ignore[arg-type]  # that is the fault
        "andes, a delta that cannot be written": (
            "andes",
            Answered(record, "gated", ticket_of(record), Done(Delta({"a": object()}))),  # type: ignore[dict-item]  # that is the fault
        ),
        "river": ("river", Call(record, "nowhere", "flow", 1, 1, 1, "", water)),
        "basin": ("basin", Enter(record, "east", 1, None, water, {})),  # type: ignore[arg-type]  # that is the fault
    }


def ticket_of(record: FlowRecord) -> int:
    now: Any = record.progress.records["gated"]
    ticket: int = now.now.ticket
    return ticket


@pytest.mark.promise("7.6")
@pytest.mark.parametrize("which", range(5))
def test_a_message_whose_handling_raises_strands_its_flow_and_no_other(engine: Engine, which: int) -> None:
    gate = Gate()
    one = engine.start(drawn(river("gated", gate.body())), id="one")
    record = record_of(one)
    assert gate.running.wait(LONG)
    other = engine.start(drawn(river("gated", gate.body()), river("b", puts(b=1))), id="other")

    name, (actor, message) = list(bad_messages(record).items())[which]
    refs = {"andes": record.supervisor, "basin": engine._works.directory.basin}  # noqa: SLF001  # no user can send such
    place: Any = record.progress.chart.streams[0]
    refs["river"] = engine._works.directory.river(place.river)  # noqa: SLF001  # no user can send such
    refs[actor].tell(message)
    with pytest.raises(FlowStranded, match="engine: ") as stranded:
        one.result(LONG)
    gate.end.set()

    assert other.result(LONG) == {"b": 1}, name
    assert "Traceback" in stranded.value.reason or actor != "andes"
    assert one.status().stranded == stranded.value.reason
    assert one.status().state == "running"
    assert engine.start(drawn(river("c", nothing))).result(LONG) == {}


@pytest.mark.promise("7.6", "10.9", "10.10")
def test_a_stranded_flow_goes_on_after_a_restart_where_it_had_come_to(engine: Engine, store: MemoryStore) -> None:
    gate, calls = Gate(), list[str]()
    first = river("first", lambda self, _water: calls.append(self.address))
    one = engine.start(drawn(first, river("gated", gate.body()), river("last", puts(last=1))), id="one")
    record = record_of(one)
    assert gate.running.wait(LONG)
    record.supervisor.tell(Answered(record, "nowhere", 1, Done()))
    with pytest.raises(FlowStranded):
        engine.flow("one").result(LONG)
    gate.end.set()
    engine.close()

    with Engine(store=store) as again:
        flow = again.flow("one")

        assert flow.result(LONG) == {"last": 1}
        assert flow.status().stranded == ""
    assert calls == ["first"]
    assert gate.calls == [("one", 1)] * 2


@pytest.mark.promise("7.6")
def test_a_late_message_about_a_flow_that_ended_changes_nothing(engine: Engine) -> None:
    flow = engine.start(drawn(river("gated", nothing)), id="one")
    before = flow.wait(LONG)
    record = record_of(flow)

    record.supervisor.tell(Answered(record, "nowhere", 1, Done()))
    record.supervisor.tell(Answered(record, "gated", 1, Done(Delta({"late": msgspec.Raw(b"1")}))))
    record.supervisor.tell(Abandon(record, "gated", 1))
    other = engine.start(drawn(river("gated", nothing))).wait(LONG)

    assert other.state == "success"
    assert flow.status() == before
    assert flow.result(LONG) == {}


@pytest.mark.promise("7.6")
def test_a_start_whose_handling_raises_is_told_so_and_leaves_nothing(engine: Engine) -> None:
    flow = engine.start(drawn(river("a", nothing)), id="one")
    flow.wait(LONG)
    record = record_of(flow)
    written: Future[None] = Future()

    record.supervisor.tell(Begin(record, None, b"", written))  # type: ignore[arg-type]  # that is the fault

    assert isinstance(written.exception(LONG), AttributeError)
    assert [flow.id for flow in engine.flows()] == ["one"]


@pytest.mark.promise("7.6")
def test_a_message_that_is_none_harms_nobody(engine: Engine) -> None:
    flow = engine.start(drawn(river("a", nothing)), id="one")
    flow.wait(LONG)
    record = record_of(flow)

    for message in (None, 17, "hello", Written([None], frozenset()), Look):  # type: ignore[list-item]  # that is the fault
        record.supervisor.tell(message)
        engine._works.directory.ledger.tell(message)  # noqa: SLF001  # no user can send such
        engine._works.directory.basin.tell(message)  # noqa: SLF001  # no user can send such

    assert engine.start(drawn(Basin("east", river("a", nothing)))).result(LONG) == {}


class Tally:
    """Bodies that count how often they were called, and say when a part of all calls was made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls: Counter[tuple[str, str, int]] = Counter()
        self.moments = [threading.Event() for _ in range(3)]

    def body(self, called: Any, water: Any) -> None:
        with self.lock:
            self.calls[called.flow_id, called.address, called.attempt] += 1
            for number, moment in enumerate(self.moments):
                if len(self.calls) > 60 * (number + 1):
                    moment.set()
        water[called.address] = called.attempt
        if called.address == "c" and called.attempt == 1:
            raise RuntimeError("again")

    def river(self, name: str, cycle: Any = None, **attributes: Any) -> River:
        return river(name, calling(self.body), cycle, **attributes)


def polls_thrice(_self: River, water: Any) -> None:
    water["polls"] = water.get("polls", 0) + 1
    if water["polls"] < 3:
        raise Continue


@pytest.mark.promise("7.6")
@pytest.mark.parametrize("turn", range(5))
def test_all_flows_end_and_no_body_runs_twice_although_all_actors_are_stopped(turn: int) -> None:
    tally, ends = Tally(), list[str]()
    polled = tally.river("b", polls_thrice, cycle_interval=0.01, cycle_times=9)
    tried = tally.river("c", retry_times=2, retry_interval=0.01)
    end = sea(success=lambda self, _water: ends.append(self.flow_id))
    andes = drawn(tally.river("a") | polled, tried, Basin("east", river("d", nothing)), end=end)
    with Engine("memory:", jitter=0.0) as engine:
        flows = engine.start_many(andes, [{"turn": turn}] * 60)
        for moment in tally.moments:
            assert moment.wait(LONG)
            pykka.ActorRegistry.stop_all()

        waters = [flow.result(LONG) for flow in flows]

    assert waters == [{"turn": turn, "a": 1, "b": 1, "c": 2, "polls": 3}] * 60
    assert set(tally.calls.values()) == {1}
    assert len(tally.calls) == 60 * 4
    assert sorted(ends) == sorted(flow.id for flow in flows)


@pytest.mark.promise("7.6", "10.5")
@pytest.mark.parametrize("seed", range(10))
def test_an_answer_that_comes_twice_counts_once(seed: int) -> None:
    runtime = Simulated(seed)
    engine = Engine(store=MemoryStore(), runtime=runtime, jitter=0.0)
    flow = engine.start(drawn(river("gated", puts(a=1)), river("b", puts(b=1)), river("c", puts(c=1))), id="one")
    record = record_of(flow)
    for _ in range(seed):
        runtime.pump()
    for ticket in range(1, 8):
        for address in record.progress.records.copy():
            record.supervisor.tell(Answered(record, address, ticket, Done(Delta({"twice": msgspec.Raw(b"1")}))))

    flow.wait()

    kinds = [event.kind for event in flow.events()]
    assert kinds == ["started", "flowed", "flowed", "flowed", "outcome", "ended"]


STALE: dict[str, Answer] = {
    "done": Done(Delta({"stale": msgspec.Raw(b"1")})),
    "again": Again(Failure("error", "again", "gated", 1)),
    "broken": Broken(Failure("error", "broken", "gated", 1)),
}


@pytest.mark.promise("10.5")
@pytest.mark.parametrize("said", STALE)
def test_a_stale_answer_changes_nothing_while_a_later_body_of_the_river_is_out(said: str) -> None:
    runtime, tickets, seen = Simulated(), list[int](), list[dict[str, Any]]()

    async def gated(called: River, water: Any) -> None:
        tickets.append(ticket_of(record))
        if called.attempt == 1:
            raise Retry("again", after=1)
        await asyncio.sleep(60)
        water["own"] = called.attempt

    last = river("last", calling(lambda _self, water: seen.append(dict(water))))
    engine = Engine(store=MemoryStore(), runtime=runtime, jitter=0.0)
    flow = engine.start(drawn(river("gated", gated, retry_times=3), last), id="one")
    record = record_of(flow)
    while len(tickets) < 2:
        assert runtime.pump()
    first, second = tickets
    stale = {0, 1, first, second - 1, second + 1, second + 2, 1_000_000} - {second}
    for ticket in sorted(stale):
        record.supervisor.tell(Answered(record, "gated", ticket, STALE[said]))

    assert flow.result() == {"own": 2}
    assert seen == [{"own": 2}]
    assert first < second
    assert len(tickets) == 2
    assert [event.kind for event in flow.events()] == ["started", "retrying", "flowed", "flowed", "outcome", "ended"]


@pytest.mark.promise("7.6")
def test_an_engine_that_stranded_a_flow_in_the_simulation_goes_on_too(store: MemoryStore) -> None:
    runtime = Simulated()
    engine = Engine(store=store, runtime=runtime)
    polled = river("a", nothing, raises(lambda: Continue("?")), cycle_interval=60, cycle_times=3)
    record = record_of(engine.start(drawn(polled), id="one"))
    record.supervisor.tell(Answered(record, "nowhere", 1, Done()))
    stranded = engine.flow("one").wait().stranded
    stats = runtime.stats()

    again = crashed(store, runtime)

    assert stranded.startswith("engine: KeyError")
    assert (stats.timers, stats.queued, stats.tasks) == (1, 0, 0)
    assert again.flow("one").wait().outcome == "fail"

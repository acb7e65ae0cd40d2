"""Does a flow go on after a crash as if there had been none?"""

import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.scenes import calling, crashed, drawn, nothing, puts, raises, river, sea, simulated
from vastflow import Basin, Continue, Engine, Fail, FlowFailed, FlowStranded, Headwaters, ParallelRiver, River
from vastflow.errors import StoreError
from vastflow.ledger.contract import Batch
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated

SECOND = 1_000_000
HOUR = 3600 * SECOND


def polls_at(moments: list[int], runtime: Simulated, error: Callable[[], BaseException] = Continue) -> Any:
    def cycle(_self: River, _water: Any) -> None:
        moments.append(runtime.clock.now())
        raise error()

    return cycle


@pytest.mark.promise("10.4", "10.10")
@pytest.mark.parametrize("seed", range(30))
def test_polls_are_counted_by_served_time_so_restarts_neither_refill_nor_eat_them(seed: int) -> None:
    store, runtime, chance, moments = MemoryStore(), Simulated(seed), random.Random(seed), list[int]()  # noqa: S311 - chance, not secrecy
    engine = simulated(store, runtime)
    polled = river("a", nothing, polls_at(moments, runtime), cycle_interval=10, cycle_times=20)
    engine.start(drawn(polled), id="one")
    begin = runtime.clock.now()
    for _ in range(5):
        runtime.advance(10 * chance.randrange(4))
        past = (runtime.clock.now() - begin) % (10 * SECOND)
        runtime.advance((15 * SECOND - past) / SECOND)  # half-way between two polls, so that a beat has told of both
        runtime.crash()
        runtime.clock.hold(runtime.clock.now() + chance.randrange(100) * SECOND)
        engine = simulated(store, runtime)

    with pytest.raises(FlowFailed, match="not done after 20 polls"):
        engine.flow("one").result()
    assert len(moments) == 20
    assert {(moment - begin) % (10 * SECOND) for moment in moments} == {0}


@pytest.mark.promise("10.4", "10.5")
@pytest.mark.parametrize("seed", range(30))
def test_wherever_a_crash_falls_it_gives_a_river_one_poll_at_most(seed: int) -> None:
    store, runtime, chance, moments = MemoryStore(), Simulated(seed), random.Random(seed), list[int]()  # noqa: S311 - chance, not secrecy
    engine = simulated(store, runtime)
    polled = river("a", nothing, polls_at(moments, runtime), cycle_interval=3, cycle_times=30)
    engine.start(drawn(polled), id="one")
    for _ in range(6):
        runtime.advance(chance.random() * 12)
        runtime.crash()
        runtime.clock.hold(runtime.clock.now() + chance.randrange(2) * HOUR)
        engine = simulated(store, runtime)

    engine.flow("one").wait()

    assert 30 - 1 <= len(moments) <= 30 + 6


@pytest.mark.promise("10.4", "4.2")
@pytest.mark.parametrize("seed", range(10))
def test_failed_polls_in_a_row_are_counted_over_restarts(seed: int) -> None:
    store, runtime, moments = MemoryStore(), Simulated(seed), list[int]()
    engine = simulated(store, runtime)
    failing = polls_at(moments, runtime, lambda: RuntimeError("the cloud is away"))
    engine.start(drawn(river("a", nothing, failing, cycle_interval=10, cycle_times=99, cycle_errors=3)), id="one")
    for _ in range(3):
        runtime.advance(12)
        engine = crashed(store, runtime)

    status = engine.flow("one").wait()

    assert status.failure is not None
    assert status.failure.message == "the cloud is away"
    assert len(moments) == 4


@pytest.mark.promise("10.5", "4.1")
@pytest.mark.parametrize("seed", range(10))
def test_retries_are_kept_over_restarts_and_their_waits_too(seed: int) -> None:
    store, runtime, attempts = MemoryStore(), Simulated(seed), list[tuple[int, int, str]]()

    def flow(self: River, _water: Any) -> None:
        attempts.append((runtime.clock.now(), self.attempt, self.key))
        raise RuntimeError("no")

    engine = simulated(store, runtime)
    engine.start(drawn(river("a", flow, retry_times=3, retry_interval=60, retry_max_interval="1h")), id="one")
    begin = runtime.clock.now()
    for _ in range(6):
        runtime.advance(30)
        engine = crashed(store, runtime)

    status = engine.flow("one").wait()

    assert [(moment - begin) // SECOND for moment, _, _ in attempts] == [0, 60, 180, 420]
    assert [attempt for _, attempt, _ in attempts] == [1, 2, 3, 4]
    assert len({key for _, _, key in attempts}) == 1
    assert status.failure is not None
    assert status.failure.kind == "retries-exhausted"


@pytest.mark.promise("10.11")
@pytest.mark.parametrize("back", [1, 3600, 86_400 * 365])
def test_a_clock_that_was_set_back_rewinds_no_flow(back: int) -> None:
    store, first, moments = MemoryStore(), Simulated(), list[int]()
    engine = simulated(store, first)
    slow = river("a", nothing, polls_at(moments, first), cycle_interval=60, cycle_times=5)
    engine.start(drawn(river("begin", puts(a=1)), slow), id="one")
    first.advance(150)
    last = store.facts("one")[-1].at
    second = Simulated(start=first.clock.now() - back * SECOND)

    engine = simulated(store, second)
    opened = second.clock.now()
    status = engine.flow("one").wait()

    assert opened >= last
    times = [fact.at for fact in store.facts("one")]
    assert times == sorted(times)
    assert status.ended is not None
    assert status.ended > status.started
    assert len(moments) == 5


class Everything:
    """A flow with everything in it, whose bodies look whether they should have been called."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.keys: dict[str, set[str]] = {}
        self.told: Counter[str] = Counter()

    def works(self, called: Any, water: Any) -> None:
        assert (called.address, called.attempt) not in self.on_disk()
        self.keys.setdefault(called.address, set()).add(called.key)
        key = f"by-{called.address}"
        water[key] = water.get(key, 0) + 1
        if called.attempt == 1 and called.address.endswith("tried"):
            raise RuntimeError("once")

    def polls(self, called: Any, water: Any) -> None:
        self.works(called, water)
        if water[f"by-{called.address}"] < 4:
            raise Continue

    def tells(self, called: Any, _water: Any) -> None:
        self.told["fail" if called.failures.get("") else "success"] += 1

    def drawing(self) -> Any:
        flow = calling(self.works)
        tried = river("tried", flow, retry_times=2, retry_interval=0.5)
        polled = river("polled", flow, calling(self.polls), cycle_interval=0.5, cycle_times=9)
        basin = Basin("east", tried, river("last", flow), outputs=["by-east/last"])
        end = sea(success=calling(self.tells))
        side = ParallelRiver(polled, basin, river("plain", flow))
        return drawn(river("first", flow), side, river("z", flow), end=end)

    def on_disk(self) -> set[tuple[str, int]]:
        """Return (address, attempt) of what has ended, for good or for this attempt; a poll has no end of its own."""
        found = set()
        for fact in self.store.facts("one"):
            if fact.kind in {"cycled", "retrying"} or (fact.kind == "flowed" and fact.address != "polled"):
                found.add((fact.address, fact.attempt))
        return found


@pytest.mark.promise("10.5", "5.2", "10.10")
@pytest.mark.parametrize("seed", range(60))
def test_no_body_whose_end_is_on_disk_is_run_again_wherever_the_process_dies(seed: int) -> None:
    store, runtime, chance = MemoryStore(), Simulated(seed), random.Random(seed)  # noqa: S311 - chance, not secrecy
    everything, ended = Everything(store), set[tuple[str, int]]()
    engine = simulated(store, runtime)
    engine.start(everything.drawing(), id="one")
    for _ in range(4):
        for _ in range(chance.randrange(60)):
            runtime.pump()
        ended |= everything.on_disk()
        engine = crashed(store, runtime)

    water = engine.flow("one").result()

    assert water == {"by-first": 1, "by-polled": 4, "by-plain": 1, "by-east/last": 1, "by-z": 1}
    assert ended <= everything.on_disk()
    assert {len(each) for each in everything.keys.values()} == {1}
    assert 1 <= everything.told["success"] <= 5


# What cannot be read strands its own flow


def stored_flows(store: MemoryStore) -> Simulated:
    """Start three flows that wait in a poll, and die."""
    runtime = Simulated()
    engine = simulated(store, runtime)
    waits = {"cycle_interval": 60, "cycle_times": 2}
    branches = river("b", nothing, nothing, **waits) | river("c", nothing, nothing, **waits)
    for name in ("one", "two", "three"):
        engine.start(drawn(river("a", puts(a=1)), branches, river("d", puts(d=1))), id=name)
    runtime.advance(30)
    runtime.crash()
    return runtime


def rewritten(store: MemoryStore, changes: dict[str, Any], which: int = 4) -> None:
    fact = store._facts["one"][which]  # noqa: SLF001  # as if by a fault of the disk, or another release
    store._facts["one"][which] = fact._replace(**changes)  # noqa: SLF001  # the same


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a newer version": ({"version": 99}, "has version 99, this release reads up to 1: install a newer vastflow"),
    "an unknown kind": ({"kind": "dreamt"}, "the kind 'dreamt' is unknown"),
    "a broken payload": ({"payload": b"{"}, "its record cannot be read"),
    "a payload of another form": ({"payload": b'{"delta":7}'}, "its record cannot be read"),
    "another address": ({"address": "nowhere"}, "the journal or the chart was changed"),
    "an address of another kind": ({"address": "parallel-river"}, "the journal or the chart was changed"),
    "an end that may not be": ({"kind": "cycled", "payload": b'{"polls":1}', "address": "d"}, "was not reached"),
    "branches there are none of": (
        {"kind": "joined", "payload": b'{"branches":[7]}', "address": "parallel-river"},
        "the journal or the chart was changed",
    ),
    "another number": ({"number": 7}, "is missing from its journal"),
}


@pytest.mark.promise("10.9")
@pytest.mark.parametrize("what", BROKEN)
def test_a_fact_that_cannot_be_read_strands_its_flow_and_no_other_and_it_goes_on_when_it_can(what: str) -> None:
    store = MemoryStore()
    runtime = stored_flows(store)
    whole = store._facts["one"][4]  # noqa: SLF001  # to be put back
    changes, said = BROKEN[what]
    rewritten(store, changes)

    engine = simulated(store, runtime)
    with pytest.raises(FlowStranded, match=said):
        engine.flow("one").result()
    others = [engine.flow(name).result() for name in ("two", "three")]
    listed = {flow.id: flow.status().stranded for flow in engine.flows()}
    engine.close()
    store._facts["one"][4] = whole  # noqa: SLF001  # the reason is gone
    engine = simulated(store)

    assert others == [{"a": 1, "d": 1}] * 2
    assert listed["two"] == listed["three"] == ""
    assert said in listed["one"]
    assert engine.flow("one").result() == {"a": 1, "d": 1}
    assert engine.flow("one").status().stranded == ""


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(
    ("chart", "said"),
    [(b"{", "a stored chart cannot be read"), (b'{"version":99}', "install a newer vastflow")],
)
def test_a_chart_that_cannot_be_read_strands_its_flows_with_the_reason(chart: bytes, said: str) -> None:
    store = MemoryStore()
    runtime = stored_flows(store)
    row = store.flow("one")
    assert row is not None
    store._charts[row.chart] = chart  # noqa: SLF001  # as if by a fault of the disk, or another release

    engine = simulated(store, runtime)

    assert engine.start(drawn(river("a", puts(a=1))), id="new").result() == {"a": 1}
    with pytest.raises(FlowStranded, match=said):
        engine.flow("one").result()


@pytest.mark.promise("10.9")
@pytest.mark.parametrize("undoes", [False, True])
def test_a_value_that_cannot_be_read_when_a_body_asks_for_it_strands_its_flow_which_fails_nothing(undoes: bool) -> None:  # noqa: FBT001  # a case
    store, runtime, undone = MemoryStore(), Simulated(), list[str]()
    engine = simulated(store, runtime)
    reads: Any = calling(lambda _self, water: undone.append(water["a"]) if undoes else water["a"])
    one = river("one", puts(a="x"), undo=reads) if undoes else river("one", puts(a="x"), undo=nothing)
    later = river("later", nothing, nothing, cycle_interval=60, cycle_times=2)
    last = river("last", raises(Fail("no"))) if undoes else river("last", reads, retry_times=3)
    engine.start(drawn(one, later, last), id="one")
    engine.start(drawn(later), id="two")
    runtime.advance(30)
    runtime.crash()
    (which,) = (number for number, fact in store._facts["one"].items() if b'"x"' in fact.payload)  # noqa: SLF001  # as if by a release that is not here
    whole = store._facts["one"][which]  # noqa: SLF001  # to be put back
    rewritten(store, {"payload": whole.payload.replace(b'"x"', b'{"$enum":["os.system","x"]}')}, which)

    engine = simulated(store, runtime)
    status = engine.flow("one").wait()
    other = engine.flow("two").wait()
    engine.close()
    store._facts["one"][which] = whole  # noqa: SLF001  # the reason is gone
    engine = simulated(store)

    assert re.search("(one|last): .*class os.system is not known here: import the module", status.stranded)
    assert status.state == ("undoing" if undoes else "running")
    assert other.state == "success"
    assert engine.flow("one").wait().state == ("fail" if undoes else "success")
    assert undone == (["x"] if undoes else [])


def version_one() -> type[River]:
    class Works(River):
        registered_as = "tests.recovery.works"
        cycle_interval, cycle_times = 60, 2
        size: int = 1

        def flow(self, water: Headwaters) -> None:
            water["size"] = self.size

        def cycle(self, water: Headwaters) -> None:
            water["polled"] = 1

    return Works


@pytest.mark.promise("10.9", "10.10")
def test_a_class_nobody_knows_strands_its_flows_naming_it_and_they_go_on_when_it_is_back() -> None:
    store, runtime = MemoryStore(), Simulated()
    engine = simulated(store, runtime)
    engine.start(drawn(version_one()(3)), id="one")
    engine.start(drawn(river("a", nothing, nothing, cycle_interval=60, cycle_times=2), river("b", puts(b=1))), id="two")
    runtime.advance(30)
    runtime.crash()
    move_class_away()

    engine = simulated(store, runtime)
    with pytest.raises(FlowStranded, match=r"works: the class tests\.recovery\.works is not known here: import"):
        engine.flow("one").result()
    other = engine.flow("two").result()
    runtime.crash()
    version_one()
    engine = simulated(store, runtime)

    assert other == {"b": 1}
    assert engine.flow("one").result() == {"size": 3, "polled": 1}


def move_class_away() -> None:
    """Let nobody know the class any more: what stands in its place of the program has another name now."""
    namespace = {"flow": nothing, "registered_as": "tests.recovery.moved", "__qualname__": version_one().__qualname__}
    type("Works", (River,), {**namespace, "__module__": __name__})


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(
    ("body", "annotations", "said"),
    [
        ({"more": "x"}, {"size": int, "more": str}, None),
        ({}, {"size": int, "more": str}, "give new parameters defaults"),
        ({}, {}, "size"),
    ],
    ids=["a new one with a default", "a new one without", "taken out"],
)
def test_changed_parameters_load_if_they_can_and_strand_the_flow_if_not(
    body: dict[str, Any], annotations: dict[str, type], said: str | None
) -> None:
    store, runtime = MemoryStore(), Simulated()
    engine = simulated(store, runtime)
    old = version_one()
    engine.start(drawn(old(3)), id="one")
    runtime.advance(30)
    runtime.crash()
    kept = {name: old.__dict__[name] for name in ("registered_as", "cycle_interval", "cycle_times", "cycle")}
    place = {"__module__": __name__, "__qualname__": old.__qualname__}
    type("Works", (River,), {**kept, **place, **body, "flow": nothing, "__annotations__": annotations})

    flow = simulated(store, runtime).flow("one")

    if said is None:
        assert flow.result() == {"size": 3, "polled": 1}
    else:
        with pytest.raises(FlowStranded, match=said):
            flow.result()


@pytest.mark.promise("10.5", "10.9")
@pytest.mark.parametrize("unclear", [False, True], ids=["before", "after"])
def test_the_first_commit_after_a_recovery_that_wrote_is_made_once_although_it_failed(*, unclear: bool) -> None:
    class Ailing(MemoryStore):
        fails = 0

        def commit(self, batch: Batch) -> frozenset[str]:
            failing = bool(batch.facts) and self.fails > 0
            self.fails -= failing
            lost = super().commit(batch) if unclear or not failing else frozenset[str]()
            if failing:
                message = "the disk is away"
                raise StoreError(message)
            return lost

    store = Ailing()
    runtime = stored_flows(store)
    whole = store._facts["one"][4]  # noqa: SLF001  # to be put back
    rewritten(store, {"version": 99})
    simulated(store, runtime)
    runtime.crash()
    store._facts["one"][4] = whole  # noqa: SLF001  # the reason is gone
    store.fails = 1

    engine = simulated(store, runtime)

    assert [engine.flow(name).result() for name in ("one", "two", "three")] == [{"a": 1, "d": 1}] * 3
    assert not store.fails
    runtime.crash()
    again = simulated(store, runtime)
    assert [again.flow(name).result() for name in ("one", "two", "three")] == [{"a": 1, "d": 1}] * 3


@pytest.mark.promise("10.10")
def test_a_restart_is_no_storm_of_polls() -> None:
    store, runtime, moments = MemoryStore(), Simulated(), list[int]()
    engine = Engine(store=store, runtime=runtime)
    andes = drawn(river("a", nothing, polls_at(moments, runtime), cycle_interval=60, cycle_times=99))
    for _ in range(60):
        engine.start(andes)
        runtime.advance(1)
    runtime.crash()
    runtime.clock.hold(runtime.clock.now() + 6 * HOUR)
    Engine(store=store, runtime=runtime)
    moments.clear()

    opened = runtime.clock.now()
    runtime.advance(61)

    assert len(moments) >= 55
    assert max(Counter((moment - opened) // SECOND for moment in moments).values()) < 10


@pytest.mark.promise("10.5", "6.1")
def test_a_join_is_passed_once_although_the_process_died_between_its_branches() -> None:
    for seed in range(30):
        store, runtime = MemoryStore(), Simulated(seed)
        engine = simulated(store, runtime)
        branches = ParallelRiver(*(river(f"r{number}", puts(**{f"k{number}": number})) for number in range(4)))
        engine.start(drawn(branches, river("last", puts(last=1))), id="one")
        while sum(fact.kind == "flowed" for fact in store.facts("one")) < 1 + seed % 4:
            runtime.pump()
        engine = crashed(store, runtime)

        assert engine.flow("one").result() == {"k0": 0, "k1": 1, "k2": 2, "k3": 3, "last": 1}
        assert [event.kind for event in engine.flow("one").events()].count("joined") == 1


@pytest.mark.promise("10.5", "7.1")
def test_a_crash_while_siblings_are_being_cancelled_changes_nothing_of_the_end() -> None:
    ends = set()
    for seed in range(40):
        store, runtime, chance = MemoryStore(), Simulated(seed), random.Random(seed)  # noqa: S311 - chance, not secrecy
        engine = simulated(store, runtime)
        slow = river("slow", nothing, raises(Continue), cycle_interval=60, cycle_times=9)
        inner = Basin("east", slow, river("never", nothing))
        engine.start(drawn(ParallelRiver(inner, river("no", raises(Fail("no"))), slow)), id="one")
        for _ in range(chance.randrange(40)):
            runtime.pump()
        engine = crashed(store, runtime)
        status = engine.flow("one").wait()
        assert status.failure is not None
        ends.add((status.outcome, status.failure.address, *(each.state for each in status.streams)))

    assert len({(outcome, failed) for outcome, failed, *_ in ends}) == 1
    assert ends

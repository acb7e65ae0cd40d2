"""Is everything written once, in order, whatever the store does meanwhile, and nothing that need not be?"""

import io
import json
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tests.engine.scenes import LONG, drawn, nothing, puts, raises, river, sea, simulated
from vastflow import Continue, Engine
from vastflow.clock import to_moment
from vastflow.drawing.launcher import Terms
from vastflow.errors import BatchRefused, StoreError
from vastflow.ledger.contract import Batch
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated


class Watched(MemoryStore):
    """A store that counts, and whose commits and beats may be made to fail.

    Attributes:
        before, after: called with the number of each commit, before and after it was made.
    """

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self.beats = 0
        self.before: Callable[[int], None] = lambda _: None
        self.after: Callable[[int], None] = lambda _: None
        self.on_beat: Callable[[int], None] = lambda _: None

    def commit(self, batch: Batch) -> frozenset[str]:
        self.commits += 1
        number = self.commits
        self.before(number)
        lost = super().commit(batch)
        self.after(number)
        return lost

    def beat(self, epoch: int, now: int) -> None:
        self.beats += 1
        self.on_beat(self.beats)
        super().beat(epoch, now)


def away(*numbers: int) -> Callable[[int], None]:
    def fail(number: int) -> None:
        if number in numbers:
            message = "the disk is full"
            raise StoreError(message)

    return fail


@pytest.mark.promise("10.4")
def test_a_waiting_flow_costs_no_writes_but_the_beats_of_the_store() -> None:
    store, runtime = Watched(), Simulated()
    engine = simulated(store, runtime)
    polled = river("a", nothing, raises(lambda: Continue("not yet", progress=0.5)), cycle_interval=60, cycle_times=999)
    tried = river("b", raises(lambda: RuntimeError("no")), retry_times=1, retry_interval="9h", retry_max_interval="9h")
    engine.start(drawn(polled | tried), id="one")
    runtime.advance(60)
    commits, beats, begun = store.commits, store.beats, runtime.clock.now()

    runtime.advance(2 * 3600)

    assert store.commits == commits
    assert (store.beats - beats) == (runtime.clock.now() - begun) // 1_000_000
    assert engine.flow("one").status().stream("a").polls == 121


@pytest.mark.promise("10.4")
def test_polls_that_write_or_fail_or_wait_long_are_facts_and_the_first_good_one_after_a_failed_one_is() -> None:
    runtime = Simulated()
    engine = simulated(runtime=runtime)
    polls = count(1)

    def cycle(_self: Any, water: Any) -> None:
        match next(polls):
            case 2:
                water["polls"] = 2
                raise Continue
            case 4:
                raise RuntimeError("no")
            case 7:
                raise Continue(after=11)
            case 10:
                return
            case _:
                raise Continue

    flow = engine.start(drawn(river("a", nothing, cycle, cycle_interval=10, cycle_times=100)))
    flow.result()

    polled = [(event.kind, event.details["polls"]) for event in flow.events() if event.kind in {"polled", "cycled"}]
    assert polled == [("polled", 2), ("polled", 4), ("polled", 5), ("polled", 7), ("cycled", 10)]


@pytest.mark.promise("10.2", "10.5")
@pytest.mark.parametrize("unclear", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 6))
def test_a_commit_that_failed_or_whose_answer_was_lost_is_made_once(number: int, *, unclear: bool) -> None:
    store, calls = Watched(), list[str]()
    if unclear:
        store.after = away(number)
    else:
        store.before = away(number, number + 1, number + 2)

    def flow(self: Any, water: Any) -> None:
        calls.append(self.address)
        water[calls[-1]] = len(calls)

    engine = simulated(store)
    begun = engine.start(drawn(river("a", flow), river("b", flow), river("c", flow)))

    assert begun.result() == {"a": 1, "b": 2, "c": 3}
    assert [event.kind for event in begun.events()] == ["started", "flowed", "flowed", "flowed", "outcome", "ended"]
    assert store.commits == (5 if unclear else 8)
    engine.close()
    assert simulated(store).flow(begun.id).result() == {"a": 1, "b": 2, "c": 3}


@pytest.mark.promise("10.4")
def test_beats_that_fail_hold_nothing_up() -> None:
    store, runtime = Watched(), Simulated()
    store.on_beat = away(*range(1, 100))
    engine = simulated(store, runtime)

    flow = engine.start(drawn(river("a", nothing, nothing, cycle_interval=30, cycle_times=3), river("b", puts(b=1))))

    assert flow.result() == {"b": 1}
    assert store.beats > 0


@pytest.mark.promise("10.2")
def test_the_next_body_begins_only_when_the_end_of_the_one_before_is_on_disk() -> None:
    store = Watched()
    seen: list[list[str]] = []
    waiting, let_go = threading.Event(), threading.Event()

    def notes(self: Any, _water: Any) -> None:
        seen.append([fact.kind for fact in store.facts(self.flow_id)])

    def hold(number: int) -> None:
        if number == 3:
            waiting.set()
            assert let_go.wait(LONG)

    store.before = hold
    end = sea(success=notes)
    with Engine(store=store) as engine:
        flow = engine.start(drawn(river("a", notes), river("b", notes), end=end))
        assert waiting.wait(LONG)
        held = len(seen)
        let_go.set()
        flow.result(LONG)

    assert held == 2
    assert seen == [["started"], ["started", "flowed"], ["started", "flowed", "flowed", "outcome"]]


def test_what_many_flows_do_at_once_is_written_in_few_commits() -> None:
    store = Watched()
    with Engine(store=store) as engine:
        flows = engine.start_many(drawn(river("a", nothing) | river("b", nothing), river("c", nothing)), [{}] * 500)
        for flow in flows:
            flow.result(LONG)

    assert store.commits < 500


@pytest.mark.promise("10.7")
def test_trouble_of_the_store_is_shown_while_it_lasts_and_told_when_it_is_over(lines: io.StringIO) -> None:
    store, runtime = Watched(), Simulated()
    store.before = away(*range(1, 6))
    engine = simulated(store, runtime)
    andes = drawn(river("a", puts(a=1)))
    begun = [engine._admission.begin(andes, None, {}, Terms()).written for _ in range(3)]  # noqa: SLF001  # none is waited for
    since = to_moment(runtime.clock.now())
    quiet = engine.trouble
    runtime.advance(0.3)

    trouble = engine.trouble
    for written in begun:
        assert written is not None
        runtime.wait(written)

    assert quiet is None
    assert trouble is not None
    assert (trouble.since, trouble.error, trouble.waiting) == (since, "StoreError: the disk is full", 3)
    assert 1 < trouble.tried < 5
    assert engine.trouble is None
    said = [json.loads(line) for line in lines.getvalue().splitlines() if '"ledger"' in line]
    assert [line["event"].partition(";")[0] for line in said] == [
        *["the store cannot be written"] * 5,
        "the store can be written again",
    ]
    assert said[-1]["tried"] == 5


@pytest.mark.promise("10.7")
def test_a_beat_that_goes_through_while_commits_do_not_is_no_end_of_the_trouble() -> None:
    store, runtime = Watched(), Simulated()
    store.before = away(*range(1, 10))
    engine = simulated(store, runtime)
    written = engine._admission.begin(drawn(river("a", nothing)), None, {}, Terms()).written  # noqa: SLF001  # not waited for
    begun = to_moment(runtime.clock.now())

    runtime.advance(3.5)

    assert store.beats >= 3
    assert engine.trouble is not None
    assert engine.trouble.since == begun
    assert written is not None
    runtime.wait(written)
    assert engine.trouble is None


class Picky(MemoryStore):
    """A store that refuses to write anything of the flows with these ids, whatever the disk does."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()

    def commit(self, batch: Batch) -> frozenset[str]:
        if bad := self.refused & {fact.flow for fact in batch.facts}:
            message = f"{bad} cannot be written"
            raise BatchRefused(message)
        return super().commit(batch)


@pytest.mark.promise("7.6")
@pytest.mark.parametrize("seed", range(20))
def test_facts_that_cannot_be_written_strand_their_flow_and_hold_no_other_up(seed: int) -> None:
    store, runtime = Picky(), Simulated(seed)
    engine = simulated(store, runtime)
    names = [f"flow-{number}" for number in range(10)]
    andes = drawn(river("a", puts(a=1)) | river("b", puts(b=1)), river("c", puts(c=1)))
    for name in names:
        engine.start(andes, id=name)
    store.refused = {"flow-3", "flow-7", "new"}

    with pytest.raises(BatchRefused, match="flow 'new': this was not written"):
        engine.start(andes, id="new")
    ends = {name: engine.flow(name).wait() for name in names}

    assert {name for name, end in ends.items() if end.stranded} <= store.refused
    assert {end.state for name, end in ends.items() if name not in store.refused} == {"success"}
    store.refused.clear()
    runtime.crash()
    again = simulated(store, runtime)
    assert [again.flow(name).result() for name in names] == [{"a": 1, "b": 1, "c": 1}] * 10

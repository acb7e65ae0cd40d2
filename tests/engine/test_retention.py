"""Are flows that have ended removed when somebody asks, those and no others, and is a store copied while it is used?"""

import asyncio
import stat
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import LONG, drawn, nothing, puts, raises, river, simulated
from tests.engine.standing import Crew, until
from vastflow import Continue, Engine, FlowNotFound
from vastflow.actors.messages import Beat, Purge
from vastflow.clock import SystemClock
from vastflow.course.commands import Retry
from vastflow.engine import retention
from vastflow.engine.twins import AsyncEngine
from vastflow.errors import StoreError, StoreServed
from vastflow.ledger.contract import PORTION, Batch
from vastflow.ledger.inbox import Inbox
from vastflow.ledger.locate import open_reader
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Ref, Simulated

QUICK = drawn(river("a", puts(a=1)), name="quick")
BROKEN = drawn(river("x", raises(RuntimeError("no"))), name="broken")
NEVER = drawn(river("s", nothing, raises(lambda: Continue("no")), cycle_interval="1h", deadline="9d"), name="never")
ALL = ("success", "fail", "cancelled")


def ids(engine: Engine) -> list[str]:
    return sorted(flow.id for flow in engine.flows(limit=10_000))


def test_flows_that_ended_long_enough_ago_are_removed_and_those_that_failed_only_if_that_is_said() -> None:
    runtime = Simulated()
    engine = simulated(runtime=runtime)
    for flow_id, andes in (("good", QUICK), ("bad", BROKEN)):
        engine.start(andes, id=flow_id).wait()
    held = engine.start(NEVER, id="held")
    stopped = engine.start(NEVER, id="stopped")
    stopped.cancel()
    stopped.wait()
    runtime.advance(3600)
    engine.start(QUICK, id="late").wait()

    assert engine.gc(older_than="2h", states=ALL) == 0
    assert engine.gc(older_than=timedelta(minutes=30)) == 2
    assert ids(engine) == ["bad", "held", "late"]
    assert engine.gc(older_than=1800.0, states=["fail"]) == 1
    assert engine.gc(older_than=0, states=ALL) == 1
    assert ids(engine) == ["held"]
    assert held.status().state == "running"


def test_of_what_was_removed_nothing_stays_and_its_id_is_free() -> None:
    store = MemoryStore()
    engine = simulated(store)
    flow = engine.start(QUICK, id="one")
    flow.result()
    row = store.flow("one")
    assert row is not None

    assert engine.gc(older_than=0) == 1

    assert (store.flow("one"), store.facts("one"), store.chart(row.chart)) == (None, [], None)
    with pytest.raises(FlowNotFound):
        flow.status()
    assert engine.start(QUICK, {"n": 2}, id="one").result() == {"n": 2, "a": 1}


class Watched(MemoryStore):
    """A store that says what is removed at once, and lets something happen meanwhile.

    Attributes:
        portions: how many flows each time.
        beats: how many portions were removed before each beat.
        asked: called before each removal.
        away: called instead of the next commit, which fails.
    """

    def __init__(self) -> None:
        super().__init__()
        self.portions: list[int] = []
        self.beats: list[int] = []
        self.asked: Callable[[], object] = lambda: None
        self.away: Callable[[], object] | None = None

    def removable(self, states: Collection[str], ended_before: int, limit: int) -> list[str]:
        self.asked()
        return super().removable(states, ended_before, limit)

    def purge(self, flow_ids: Iterable[str]) -> None:
        gone = list(flow_ids)
        self.portions.append(len(gone))
        super().purge(gone)

    def beat(self, epoch: int, now: int) -> None:
        self.beats.append(len(self.portions))
        super().beat(epoch, now)

    def commit(self, batch: Batch) -> frozenset[str]:
        if self.away is not None:
            away, self.away = self.away, None
            away()
            raise StoreError("the disk is away")
        return super().commit(batch)


def test_many_are_removed_in_portions_between_which_others_have_their_turns() -> None:
    store = Watched()
    engine = simulated(store)
    for flow in engine.start_many(QUICK, [{}] * (2 * PORTION + 10)):
        flow.wait()
    store.beats.clear()
    store.asked = lambda: ledger(engine).tell(Beat())

    assert engine.gc(older_than=0) == 2 * PORTION + 10

    assert store.portions == [PORTION, PORTION, 10]
    assert store.beats[:2] == [1, 2]


def ledger(engine: Engine) -> Ref:
    return engine._works.directory.ledger  # noqa: SLF001  # what comes in between is told to it


def test_a_flow_that_is_retried_meanwhile_is_not_removed_though_that_is_not_on_disk_yet() -> None:
    store = Watched()
    engine = simulated(store)
    flow = engine.start(BROKEN, id="one")
    flow.wait()
    row = store.flow("one")
    assert row is not None
    done: Future[int] = Future()
    store.away = lambda: ledger(engine).tell(Purge(("fail",), row.ended + 1, frozenset(), done))

    assert flow.retry() is True

    assert flow.wait().state == "fail"
    assert done.result(0) == 0
    assert [event.kind for event in flow.events()].count("outcome") == 2


def test_a_store_that_cannot_be_written_is_told_and_serving_goes_on() -> None:
    store = Watched()
    engine = simulated(store)
    engine.start(QUICK, id="one").wait()

    def fail() -> None:
        raise StoreError("the disk is away")

    store.asked = fail
    with pytest.raises(StoreError, match="away"):
        engine.gc(older_than=0)
    store.asked = lambda: None

    assert engine.start(QUICK).result() == {"a": 1}
    assert engine.gc(older_than=0) == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"older_than": "soon"}, "older_than='soon'.*90s"),
        ({"older_than": -1}, "below zero"),
        ({"older_than": 1, "states": ["running"]}, "'running' cannot be removed.*cancelled, fail, success"),
        ({"older_than": 1, "states": "lost"}, "'lost'"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        simulated().gc(**wrong)


@pytest.mark.promise("11.2")
def test_standing_by_whoever_serves_is_asked_and_says_how_many(crew: Crew) -> None:
    server, standby = crew.engine(), crew.engine()
    for _ in range(3):
        standby.start(QUICK).wait(LONG)
    standby.start(NEVER, id="held").status()

    assert standby.gc(older_than="1h") == 0
    assert standby.gc(older_than=0) == 3
    assert ids(server) == ["held"]
    inbox = Inbox(crew.path)
    until(lambda: not inbox.letters())
    inbox.close()


@pytest.mark.promise("11.2")
@pytest.mark.parametrize(
    "payload", [b"", b"{}", b'{"states": ["running"], "before": 9}', b'{"states": "all", "before": 9}']
)
def test_a_letter_that_asks_for_what_cannot_be_is_refused_and_removes_nothing(crew: Crew, payload: bytes) -> None:
    server = crew.engine()
    server.start(QUICK, id="one").wait(LONG)
    inbox = Inbox(crew.path)
    no = inbox.put("gc", "", payload, "anna", 1)
    until(lambda: server.reader.answer(inbox.id, no))

    said = server.reader.answer(inbox.id, no) or b""
    inbox.close()
    assert b'"error":"StoreUnreadable"' in said
    assert ids(server) == ["one"]


def test_while_nobody_serves_they_are_removed_by_whoever_takes_the_store_for_that_moment(crew: Crew) -> None:
    with Engine(crew.url) as engine:
        engine.start_many(QUICK, [{}] * 3)[2].wait(LONG)
        engine.start(NEVER, id="held")
        until(lambda: len(engine.flows(state="success")) == 3)
        kept = engine.flows(state="success")[0].id
    with crew.engine(serve=False) as standby:
        standby.command(kept, Retry({}))  # nobody answers: it lies in the inbox
    removal = retention.removal_of(0, ALL, SystemClock().now())

    with retention.taken(crew.url) as store:
        assert retention.countable(store, removal, 100) == 3
        assert retention.remove(store, removal) == 2
        with pytest.raises(StoreServed):
            crew.engine(serve=True)

    server = crew.engine(serve=True)
    assert ids(server) == sorted(["held", kept])
    assert server.flow("held").status().state == "running"


def test_a_store_is_taken_only_where_there_is_one_that_nobody_serves(crew: Crew) -> None:
    with pytest.raises(StoreError, match="no store"), retention.taken(crew.url):
        pass
    assert not crew.path.exists()
    with pytest.raises(StoreError, match="memory"), retention.taken("memory:"):
        pass
    crew.engine()
    with pytest.raises(StoreServed), retention.taken(crew.url):
        pass


def test_a_store_is_copied_while_it_is_served_by_whoever_serves_and_whoever_stands_by(
    crew: Crew, tmp_path: Path
) -> None:
    server, standby = crew.engine(), crew.engine()
    server.start(QUICK, id="one").wait(LONG)

    for number, engine in enumerate((server, standby)):
        copy = tmp_path / f"copy-{number}.db"
        engine.backup(copy)
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        reader = open_reader(f"sqlite:///{copy}")
        assert [fact.kind for fact in reader.facts("one")] == ["started", "flowed", "outcome", "ended"]
        reader.close()
        with pytest.raises(StoreError, match="there already"):
            engine.backup(str(copy))
    with Engine("memory:") as other, pytest.raises(StoreError, match="no file"):
        other.backup(tmp_path / "none.db")


def test_its_twin_does_both(crew: Crew, tmp_path: Path) -> None:
    async def ask() -> int | None:
        async with AsyncEngine(crew.url) as engine:
            await (await engine.start(QUICK)).wait(LONG)
            await engine.backup(tmp_path / "copy.db")
            return await engine.gc(older_than=0)

    assert asyncio.run(ask()) == 1
    assert (tmp_path / "copy.db").exists()

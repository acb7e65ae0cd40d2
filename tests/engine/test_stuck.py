"""Which flows are stuck, and which just wait by plan?"""

from typing import Any

import pytest

from tests.engine.scenes import LONG, drawn, nothing, raises, river
from tests.engine.standing import Crew, LeapClock, until
from vastflow import Continue, Engine, Fail
from vastflow.errors import EngineClosed
from vastflow.ledger.contract import FactRow, FlowQuery, FlowRow
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Real
from vastflow.why import Code, Why

LATER = raises(lambda: Continue("not yet", after=7200))
BY_PLAN = {
    "polls": drawn(river("a", nothing, LATER, cycle_interval=0.01, cycle_times=600)),
    "retries": drawn(river("a", raises(OSError("gone")), retry_times=1, retry_interval=7200, retry_max_interval=7200)),
}
STUCK = {
    "signal": drawn(river("a", nothing, LATER, signals=("ok",), cycle_interval=0.01)),
    "doubt": drawn(river("a", raises(OSError("gone")), reconcile=LATER)),
}


def codes(found: list[Why]) -> list[tuple[str, Code]]:
    return [(why.flow, why.reason.code) for why in found]


@pytest.fixture
def clock() -> LeapClock:
    return LeapClock()


def begin(engine: Engine) -> None:
    """Start flows that wait, one after another, one that ended, one that is paused, and one that begins later."""
    for name, andes in {**STUCK, **BY_PLAN}.items():
        engine.start(andes, id=name)
    engine.start(drawn(river("a", raises(Fail("no")))), id="failed").wait(LONG)
    engine.start(BY_PLAN["polls"], id="later", not_before=7200)
    engine.start(STUCK["signal"], id="paused").pause()
    until(lambda: engine.why("signal").reason.details.get("polls") == 1)
    until(lambda: engine.why("polls").reason.details.get("polls") == 1)
    until(lambda: engine.why("doubt").reason.code is Code.IN_DOUBT)
    until(lambda: engine.why("retries").reason.code is Code.RETRY_WAIT)


@pytest.mark.promise("12.4")
def test_flows_are_stuck_that_do_nothing_for_long_and_do_not_just_wait_by_plan(crew: Crew, clock: LeapClock) -> None:
    server = crew.engine(runtime=Real(clock), jitter=0.0)
    standby = crew.engine(serve=False, runtime=Real(clock))
    begin(server)
    young = server.stuck()
    clock.leap(3600)

    for engine in (server, standby):
        found = engine.stuck(older_than="30m")
        assert sorted(codes(found)) == [("doubt", Code.IN_DOUBT), ("signal", Code.WAITING_SIGNAL)]
        assert [why.idle for why in found] == sorted((why.idle for why in found), reverse=True)
        assert all(why.live for why in found)
        assert len(engine.stuck(older_than="30m", limit=1)) == 1
        assert engine.stuck(older_than="2h") == []
    assert young == []


@pytest.mark.promise("12.3", "12.4")
def test_of_a_store_that_nobody_serves_all_unfinished_flows_are_stuck(crew: Crew, clock: LeapClock) -> None:
    with Engine(crew.url, jitter=0.0) as engine:
        begin(engine)
    standby = crew.engine(serve=False, runtime=Real(clock))
    standby.start(BY_PLAN["polls"], id="asked-for")
    clock.leap(3600)

    found = standby.stuck()

    assert {why.flow for why in found} == {*BY_PLAN, *STUCK, "paused", "asked-for"}  # not what is to begin later
    assert {why.reason.code for why in found} == {Code.UNSERVED, Code.NOT_TAKEN_IN}
    assert len(standby.stuck(limit=2)) == 2


@pytest.mark.promise("12.4")
def test_a_duration_that_is_none_and_an_engine_that_was_closed_are_refused(crew: Crew) -> None:
    engine = crew.engine()

    for wrong in ("soon", -1):
        with pytest.raises(ValueError, match=f"older_than={wrong!r}"):
            engine.stuck(older_than=wrong)
    engine.close()
    with pytest.raises(EngineClosed):
        engine.stuck()


class Counting(MemoryStore):
    """A store that counts how many journals and rows are read."""

    journals = rows = 0

    def facts(self, flow_id: str, after: int = 0) -> list[FactRow]:
        self.journals += 1
        return super().facts(flow_id, after)

    def flows(self, query: FlowQuery) -> list[FlowRow]:
        found = super().flows(query)
        self.rows += len(found)
        return found


@pytest.mark.promise("12.4")
def test_what_has_ended_is_not_read_and_of_what_runs_here_no_journal_is(clock: LeapClock) -> None:
    store = Counting()
    with Engine(store=store, runtime=Real(clock), jitter=0.0) as engine:
        for flow in [engine.start(drawn(river("a", nothing))) for _ in range(20)]:
            flow.wait(LONG)
        begin_one(engine)
        clock.leap(3600)
        store.journals = store.rows = 0

        found = engine.stuck()

        assert (codes(found), store.journals, store.rows) == ([("one", Code.WAITING_SIGNAL)], 0, 1)


def begin_one(engine: Engine) -> Any:
    """Start a flow that waits for a signal."""
    flow = engine.start(STUCK["signal"], id="one")
    until(lambda: flow.why().reason.details.get("polls") == 1)
    return flow

"""Does a flow say why it stands where it stands, whoever is asked?

Each test brings a real flow into a situation and asks the engine that runs it and one that stands by.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest

from tests.engine.scenes import LONG, calling, drawn, nothing, raises, river, sea, simulated
from tests.engine.standing import Crew, LeapClock, until
from vastflow import AsyncEngine, Continue, Engine, Fail, ParallelRiver, River
from vastflow.actors.probing import write_inquiry
from vastflow.errors import EngineClosed, FlowNotFound, StoreError
from vastflow.ledger.contract import Batch
from vastflow.ledger.inbox import Inbox
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.runtime import Real
from vastflow.why import Code, Why
from vastflow.why.situation import MOST

WAITS = raises(lambda: Continue("still building", progress=0.4, after=3600))


class Gate:
    """Bodies that hold until they are let go, and say when they begin."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.begins = threading.Semaphore(0)

    def hold(self, _self: Any, _water: Any) -> None:
        self.begins.release()
        self.opened.wait(LONG)

    def river(self, name: str, **attributes: Any) -> River:
        return river(name, calling(self.hold), **attributes)

    def begun(self) -> None:
        assert self.begins.acquire(timeout=LONG)

    def open(self) -> None:
        self.opened.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()


class Asked:
    """An engine that serves, and one that stands by, on one store."""

    def __init__(self, crew: Crew, gate: Gate, **settings: Any) -> None:
        self.gate = gate
        self.clock = LeapClock()
        self.server = crew.engine(runtime=Real(self.clock, threads=4), jitter=0.0, **settings)
        self.standby = crew.engine(serve=False, runtime=Real(self.clock))

    def why(self, code: Code, flow_id: str = "one") -> Iterator[Why]:
        """Yield what both say, once the flow has come to stand so."""
        until(lambda: self.server.why(flow_id).reason.code is code)
        for engine in (self.server, self.standby):
            why = engine.flow(flow_id).why()
            assert why.live
            assert (why.reason.code, why.flow) == (code, flow_id)
            yield why


@pytest.fixture
def asked(crew: Crew, gate: Gate) -> Iterator[Asked]:
    made = Asked(crew, gate)
    yield made
    gate.open()


def building(**attributes: Any) -> River:
    return river("create", nothing, WAITS, cycle_interval=0.01, cycle_times=600, **attributes)


@pytest.mark.promise("12.3", "12.4")
def test_a_poll_that_is_due_later_is_told_with_its_number_its_last_answer_and_when_it_is_due(asked: Asked) -> None:
    asked.server.start(drawn(building()), id="one")
    until(lambda: asked.server.look("one").stream("create").polls == 1)

    for why in asked.why(Code.POLL_WAIT):
        reason = why.reason
        assert why.sentence.startswith('waits in poll 1 of 600 of create ("still building", 40 %), next in ')
        assert (reason.address, reason.details["share"], reason.unblock) == ("create", 0.4, "")
        assert reason.next is not None
        assert reason.since is not None
        assert 0 < (reason.next - why.at).total_seconds() <= 3600


@pytest.mark.promise("12.4")
def test_an_attempt_that_is_due_later_is_told_with_why_the_last_one_failed(asked: Asked) -> None:
    asked.server.start(drawn(river("call", raises(OSError("no route")), retry_times=3, retry_interval="1h")), id="one")

    for why in asked.why(Code.RETRY_WAIT):
        assert why.sentence.startswith("waits for attempt 2 of 4 of call after")
        assert "no route" in why.sentence
        assert why.reason.next is not None


@pytest.mark.promise("12.3", "12.4")
def test_a_body_that_runs_over_its_usual_time_is_told_with_its_thread_and_its_stack(asked: Asked) -> None:
    asked.server.start(drawn(asked.gate.river("copy")), id="one")
    asked.gate.begun()
    early = [why.reason.details for why in asked.why(Code.BODY_RUNNING)]
    asked.clock.leap(60)

    for why in asked.why(Code.BODY_RUNNING):
        details = why.reason.details
        assert why.sentence.startswith("flow() of copy runs in thread vastflow-body-1 for 1 min")
        assert any("in hold" in line for line in details["stack"])
        assert any("self.opened.wait(LONG)" in line for line in details["stack"])
        assert not any("call_body" in line for line in details["stack"])
        assert why.reason.unblock.endswith(" one")
    assert [(each["over"], "stack" in each) for each in early] == [(False, False)] * 2


@pytest.mark.promise("12.3", "12.4")
def test_an_async_body_is_told_with_its_loop_and_the_place_it_waits_at(asked: Asked) -> None:
    held = asyncio.Event()

    async def inner() -> None:
        await held.wait()

    async def flow(_self: Any, _water: Any) -> None:
        asked.gate.begins.release()
        await inner()

    asked.server.start(drawn(river("wait", flow)), id="one")
    asked.gate.begun()
    asked.clock.leap(60)

    for why in asked.why(Code.BODY_RUNNING):
        assert "runs in the event loop (vastflow-loop)" in why.sentence
        places = [line for line in why.reason.details["stack"] if line.startswith("File ")]
        assert [place.rpartition(" ")[2] for place in places][:2] == ["flow", "inner"]


@pytest.mark.promise("12.4")
def test_what_is_usual_is_learnt_from_earlier_calls_of_the_same_class(asked: Asked) -> None:
    made = asked.gate.river("copy")
    asked.server.start(drawn(made), id="before")
    asked.gate.begun()
    asked.clock.leap(100)
    asked.gate.open()
    asked.server.flow("before").wait(LONG)
    asked.gate.opened.clear()
    asked.server.start(drawn(made), id="one")
    asked.gate.begun()
    asked.clock.leap(60)

    for why in asked.why(Code.BODY_RUNNING):
        assert not why.reason.details["over"]
        assert why.reason.details["usual"] >= 100


@pytest.mark.promise("12.4")
def test_a_body_without_a_free_thread_says_so(asked: Asked) -> None:
    asked.server.start(drawn(ParallelRiver(*(asked.gate.river(f"b{number}") for number in range(4)))), id="all")
    for _ in range(4):
        asked.gate.begun()
    asked.server.start(drawn(river("late", nothing)), id="one")

    for why in asked.why(Code.WAITING_WORKER):
        assert why.sentence == "flow() of late waits for a free thread"


@pytest.mark.promise("12.4")
def test_a_body_without_a_slot_says_of_how_many_and_who_has_them(asked: Asked) -> None:
    andes = drawn(asked.gate.river("copy", max_running=1))
    asked.server.start(andes, id="first")
    asked.gate.begun()
    asked.server.start(andes, id="one")

    for why in asked.why(Code.WAITING_SLOT):
        assert why.sentence == "flow() of copy waits for one of 1 slots of its class (now first copy)"
        assert why.reason.details["slots"] == 1


@pytest.mark.promise("12.4")
def test_a_body_that_waits_for_another_one_that_is_run_alone_says_so(crew: Crew, gate: Gate) -> None:
    asked = Asked(crew, gate, crash_limit=0)  # all are run alone
    asked.server.start(drawn(gate.river("first")), id="first")
    gate.begun()
    asked.server.start(drawn(gate.river("second")), id="one")

    for why in asked.why(Code.WAITING_ALONE):
        assert "is to be run alone" in why.sentence
        assert why.reason.details["before"] == ["first first"]


@pytest.mark.promise("12.4")
def test_a_wait_for_a_signal_names_it_and_the_command_that_sends_it(asked: Asked) -> None:
    approve = river("approve", nothing, WAITS, signals=("ok", "no"), cycle_interval="1h")
    asked.server.start(drawn(approve), id="one")

    for why in asked.why(Code.WAITING_SIGNAL):
        assert why.sentence.startswith('waits in approve for the signal "ok" or "no"')
        assert why.reason.unblock.startswith("vastflow signal --store sqlite://")
        assert why.reason.unblock.endswith(" one ok")


@pytest.mark.promise("12.4")
def test_branches_that_are_open_are_told_below_the_one_that_waits_for_them(asked: Asked) -> None:
    approve = river("approve", nothing, WAITS, signals=("ok",), cycle_interval="1h")
    andes = drawn(ParallelRiver(building(), approve, river("done", nothing), name="both"))
    asked.server.start(andes, id="one")

    for why in asked.why(Code.WAITING_SIGNAL):
        (joining,) = why.tree
        assert (joining.code, joining.address) == (Code.JOINING, "both")
        assert joining.sentence == "both: 2 of 3 branches are open (create, approve)"
        assert [each.code for each in joining.below] == [Code.POLL_WAIT, Code.WAITING_SIGNAL]
        assert why.reason is joining.below[1]


@pytest.mark.promise("12.4")
def test_a_flow_that_is_to_begin_later_says_when(asked: Asked) -> None:
    asked.server.start(drawn(river("a", nothing)), id="one", not_before="1h")

    for why in asked.why(Code.NOT_BEFORE):
        assert why.sentence.startswith("is to begin in ")
        assert why.reason.next is not None


@pytest.mark.promise("12.4")
def test_a_flow_that_is_paused_says_by_whom_and_how_it_is_resumed(asked: Asked) -> None:
    asked.server.start(drawn(building()), id="one").pause(who="ann")

    for why in asked.why(Code.PAUSED):
        assert why.sentence.startswith("was paused by ann ")
        assert why.reason.unblock.endswith(" one")
        assert why.reason.unblock.startswith("vastflow resume ")
        assert [each.code for each in why.tree] == [Code.PAUSED, Code.POLL_WAIT]


@pytest.mark.promise("12.4")
def test_an_attempt_that_is_in_doubt_says_why_and_how_often_it_was_asked(asked: Asked) -> None:
    made = river("pay", raises(OSError("gone")), reconcile=raises(lambda: Continue("who knows", after=3600)))
    asked.server.start(drawn(made), id="one")
    until(lambda: asked.server.look("one").stream("pay").asked == 1)

    for why in asked.why(Code.IN_DOUBT):
        assert why.sentence.startswith("nobody knows whether pay was done (raised), reconcile was asked once")
        assert "vastflow pause" in why.reason.unblock
        assert "vastflow complete" in why.reason.unblock


@pytest.mark.promise("12.4")
def test_what_is_being_undone_is_told_with_the_undo_that_runs(asked: Asked) -> None:
    create = river("create", nothing, undo=calling(asked.gate.hold))
    asked.server.start(drawn(create, river("refuse", raises(Fail("no")))), id="one")
    asked.gate.begun()

    for why in asked.why(Code.UNDOING):
        assert why.sentence.startswith("what was done is being undone: undo() of create runs in thread ")
        assert [each.code for each in why.reason.below] == [Code.BODY_RUNNING]


@pytest.mark.promise("12.4")
def test_a_flow_at_its_end_is_told_with_the_body_of_its_atlantic(asked: Asked) -> None:
    asked.server.start(drawn(river("a", nothing), end=sea(success=calling(asked.gate.hold))), id="one")
    asked.gate.begun()

    for why in asked.why(Code.ENDING):
        assert "success() of the Atlantic runs in thread vastflow-end-1" in why.sentence


@pytest.mark.promise("12.4")
def test_a_cancel_says_by_whom_and_for_which_body_it_waits(asked: Asked) -> None:
    flow = asked.server.start(drawn(asked.gate.river("copy")), id="one")
    asked.gate.begun()
    flow.cancel(who="ann")

    for why in asked.why(Code.CANCELLING):
        assert why.sentence.startswith("is being cancelled by ann: flow() of copy runs in thread ")
        assert why.reason.since is not None


@pytest.mark.promise("12.4")
def test_bodies_that_were_given_up_are_told_beside_what_the_flow_waits_for(asked: Asked) -> None:
    copy = asked.gate.river("copy", timeout=0.05, retry_times=1, retry_interval="1h")
    asked.server.start(drawn(copy), id="one")

    for why in asked.why(Code.RETRY_WAIT):
        assert [each.code for each in why.tree] == [Code.RETRY_WAIT, Code.ABANDONED]
        assert why.tree[1].sentence.startswith("a body was given up in copy and has not come back, the first runs for")
        assert why.tree[1].details["abandoned"] == 1


@pytest.mark.promise("12.4")
def test_an_undo_that_waits_for_a_body_which_was_given_up_says_so(asked: Asked) -> None:
    copy = asked.gate.river("copy", timeout=0.05, undo=nothing)
    asked.server.start(drawn(copy), id="one")

    for why in asked.why(Code.UNDOING):
        assert why.sentence.endswith("undo() of copy waits until a body given up in it came back")
        assert [each.code for each in why.reason.below] == [Code.ABANDONED]


@pytest.mark.promise("12.4")
@pytest.mark.parametrize(("ends", "told"), [("fail", "has failed"), ("success", "has ended well")])
def test_a_flow_that_has_ended_says_how_and_what_tries_it_again(asked: Asked, ends: str, told: str) -> None:
    body = raises(Fail("card declined")) if ends == "fail" else nothing
    asked.server.start(drawn(river("pay", body)), id="one").wait(LONG)

    for engine in (asked.server, asked.standby):
        why = engine.why("one")
        assert (why.reason.code, why.state) == (Code.ENDED, ends)
        assert why.sentence.startswith(told)
        assert ("card declined" in why.sentence, why.reason.unblock.endswith(" one")) == ((ends == "fail"),) * 2


@pytest.mark.promise("12.4")
def test_a_stranded_flow_says_why_and_what_is_to_be_done(crew: Crew) -> None:
    with Engine(crew.url) as engine:
        engine.start(drawn(building()), id="one")
    with closing(sqlite3.connect(crew.path)) as link, link:
        link.execute("UPDATE cargoes SET cargo = x'00'")
    server, standby = crew.engine(), crew.engine()

    for engine in (server, standby):
        why = engine.why("one")
        assert why.reason.code is Code.STRANDED
        assert "its starting water cannot be read" in why.sentence
        assert "vastflow worker" in why.reason.unblock


@pytest.mark.promise("12.4")
def test_a_flow_that_lies_in_the_inbox_says_so(crew: Crew, gate: Gate) -> None:
    standby = crew.engine(serve=False)
    flow = standby.start(drawn(building()), id="early")
    unserved = flow.why()
    asked = Asked(crew, gate, max_flows=1)
    until(lambda: asked.server.why("early").reason.code is Code.POLL_WAIT)
    standby.start(drawn(building()), id="one")

    full = [engine.why("one") for engine in (asked.server, asked.standby)]

    assert unserved.sentence.startswith("was asked for ")
    assert [each.code for each in unserved.tree] == [Code.NOT_TAKEN_IN, Code.UNSERVED]
    assert unserved.reason.unblock == f"vastflow worker --store {crew.url} MODULE"
    assert [each.reason.code for each in full] == [Code.NOT_TAKEN_IN] * 2
    assert "as many flows are under way as may be" in full[0].sentence


@pytest.mark.promise("12.3", "12.4")
def test_if_nobody_serves_the_store_it_is_read_and_nothing_is_asked(crew: Crew) -> None:
    with Engine(crew.url) as engine:
        engine.start(drawn(building()), id="one")
        until(lambda: engine.look("one").stream("create").state == "cycling")
    standby = crew.engine(serve=False)
    before = Inbox(crew.path).letters()

    why = standby.why("one")

    assert (why.reason.code, why.live) == (Code.UNSERVED, False)
    assert why.sentence.startswith("nobody has served this store since ")
    assert [each.code for each in why.tree] == [Code.UNSERVED, Code.POLL_WAIT]
    assert Inbox(crew.path).letters() == before == []


@pytest.mark.promise("12.4")
def test_of_a_body_that_was_interrupted_nothing_is_known_to_hold_it(crew: Crew, gate: Gate) -> None:
    with Engine(crew.url) as engine:
        engine.start(drawn(gate.river("copy")), id="one")
        gate.begun()
        engine.close(0.0)

    why = crew.engine(serve=False).why("one")

    assert [each.code for each in why.tree] == [Code.UNSERVED, Code.GOING_ON]
    assert why.tree[1].sentence == "copy is next"


@pytest.mark.promise("12.3")
def test_an_owner_that_gives_no_sign_of_life_and_does_not_answer_is_told(crew: Crew) -> None:
    with Engine(crew.url) as engine:
        engine.start(drawn(building()), id="one")
    clock = LeapClock()
    with closing(SQLiteStore(crew.path)) as store:
        store.take("somebody", clock.now())
        standby = crew.engine(serve=False, runtime=Real(clock))
        young = standby.why("one")
        clock.leap(3600)
        why = standby.why("one")

    assert (young.reason.code, young.reason.details["beats"]) == (Code.OWNER_SILENT, True)
    assert "serves the store and does not answer" in young.sentence
    assert (why.reason.code, why.live) == (Code.OWNER_SILENT, False)
    assert "holds the store and has given no sign of life for 1 h" in why.sentence
    assert why.reason.unblock == f"kill -CONT {os.getpid()}"


class Away(SQLiteStore):
    """A store that cannot be written as long as it is away."""

    away = False

    def commit(self, batch: Batch) -> frozenset[str]:
        if self.away:
            raise StoreError("the disk is full")
        return super().commit(batch)


@pytest.mark.promise("12.4")
def test_a_store_that_cannot_be_written_is_told_and_what_waits_for_it(crew: Crew) -> None:
    store = Away(crew.path)

    def leave(_self: Any, _water: Any) -> None:
        store.away = True

    with closing(store), Engine(store=store) as server:
        andes = drawn(river("first", leave, durable=False), river("pay", nothing, at_most_once=True))
        server.start(andes, id="one")
        until(lambda: server.why("one").reason.code is Code.STORE_TROUBLE)
        until(lambda: len(server.why("one").tree) > 1 and server.why("one").tree[1].code is Code.WRITING)
        own, other = server.why("one"), crew.engine(serve=False).why("one")
        store.away = False
        server.flow("one").wait(LONG)

    assert '"StoreError: the disk is full"; nothing is lost' in own.sentence
    assert own.tree[1].sentence == "flow() of pay begins as soon as that is written to the store"
    assert (other.reason.code, other.live) == (Code.OWNER_SILENT, False)  # its answer cannot be written either


@pytest.mark.promise("12.3", "12.5")
def test_no_secret_of_a_flow_and_no_value_stands_in_a_stack_or_a_sentence(asked: Asked) -> None:
    canary = "s3cr3t-canary"

    def flow(_self: Any, water: Any) -> None:
        held = water["api_token"], "s3cr3t-canary"
        asked.gate.hold(held, water)  # s3cr3t-canary

    asked.server.start(drawn(river("copy", flow)), {"api_token": canary}, id="one")
    asked.gate.begun()
    asked.clock.leap(60)

    for why in asked.why(Code.BODY_RUNNING):
        assert any("asked.gate.hold(held, water)" in line for line in why.reason.details["stack"])
        assert canary not in msgspec.json.encode(why).decode()


@pytest.mark.promise("12.3")
def test_a_probe_that_nobody_waits_for_is_answered_and_harms_nothing(crew: Crew) -> None:
    with closing(Inbox(crew.path)) as inbox:
        crew.engine(serve=False).start(drawn(building()), id="one")
        for payload in (write_inquiry(("one", "none")), b"no question", b"\xff"):
            inbox.put("probe", "", payload, "ann", 1)
        server = crew.engine()

        until(lambda: not inbox.letters())

        until(lambda: server.why("one").reason.code is Code.POLL_WAIT)


@pytest.mark.promise("12.4")
def test_of_many_branches_the_most_telling_ones_are_told(asked: Asked) -> None:
    approve = river("approve", nothing, WAITS, signals=("ok",), cycle_interval=0.01)
    pay = river("pay", raises(OSError("gone")), reconcile=raises(lambda: Continue("who knows", after=3600)))
    fan = ParallelRiver(*(approve.options(name=f"a{number}", signals=(f"s{number}",)) for number in range(40)), pay)
    asked.server.start(drawn(fan), id="one")

    for why in asked.why(Code.IN_DOUBT):
        (joining,) = why.tree
        assert (len(joining.below), joining.details["more"]) == (MOST, 41 - MOST)
        assert "41 of 41 branches are open (pay, " in joining.sentence
        assert joining.sentence.endswith(" and 38 more)")


@pytest.mark.promise("12.4")
def test_in_simulated_time_the_same_is_said() -> None:
    flow = simulated().start(drawn(building()), id="one")

    first, later = flow.why(), flow.wait

    with pytest.raises(TimeoutError):
        later(30)
    assert first.reason.code in {Code.GOING_ON, Code.BODY_RUNNING, Code.WAITING_WORKER, Code.POLL_WAIT}
    assert flow.why().sentence == 'waits in poll 1 of 600 of create ("still building", 40 %), next in 59 min 30 s'


@pytest.mark.promise("12.4")
def test_what_is_asked_on_asyncio_is_answered_alike(asked: Asked) -> None:
    asked.server.start(drawn(building()), id="one")

    async def ask() -> tuple[Why, list[Why]]:
        async with AsyncEngine.of(asked.server) as engine:
            return await (await engine.flow("one")).why(), await engine.stuck(older_than=0)

    for why in asked.why(Code.POLL_WAIT):
        told, stuck = asyncio.run(ask())
        assert (told.reason.code, told.flow, stuck) == (why.reason.code, "one", [])


@pytest.mark.promise("12.4")
def test_whatever_is_asked_of_a_flow_that_is_not_there_is_refused(crew: Crew) -> None:
    server, standby = crew.engine(), crew.engine()

    for engine in (server, standby):
        with pytest.raises(FlowNotFound):
            engine.why("none")
    server.close()
    with pytest.raises(EngineClosed):
        server.why("none")

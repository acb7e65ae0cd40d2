"""Does all that can be asked of an engine work while another one serves the store?"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import LONG, calling, drawn, nothing, puts, raises, river
from tests.engine.standing import Crew, until
from vastflow import CommandRefused, Continue, DrawingError, Engine, FlowConflict, FlowFailed, FlowNotFound, River
from vastflow.course.commands import Cancel
from vastflow.errors import EngineClosed, StoreServed
from vastflow.ledger.inbox import Inbox

ANDES = drawn(river("a", puts(a=1)), name="quick")


def never() -> River:
    """Return a river that waits until it is told something."""
    return river("slow", nothing, raises(lambda: Continue("not yet")), cycle_interval="1h", deadline="9h")


@pytest.mark.promise("11.1")
def test_an_engine_serves_if_nobody_does_and_stands_by_else_and_insists_only_if_told_to(crew: Crew) -> None:
    first, second, reader = crew.engine(), crew.engine(), crew.engine(serve=False)

    assert (first.serves, second.serves, reader.serves) == (True, False, False)
    with pytest.raises(StoreServed, match=rf"another engine of this process \({os.getpid()}\)"):
        crew.engine(serve=True)


@pytest.mark.promise("11.1", "11.2")
def test_a_flow_that_is_started_standing_by_is_run_by_who_serves_and_its_result_is_told(crew: Crew) -> None:
    bodies: list[str] = []
    andes = drawn(river("a", calling(lambda _, water: bodies.append(water["n"]))))
    server, standby = crew.engine(), crew.engine()

    flows = [standby.start(andes, {"n": "one"}, id="one"), standby.start(andes, n="two")]
    flows += standby.start_many(andes, [{"n": "three"}, {"n": "four"}])

    assert [flow.result(LONG)["n"] for flow in flows] == ["one", "two", "three", "four"]
    assert sorted(bodies) == ["four", "one", "three", "two"]
    assert [flow.id for flow in standby.flows()] == [flow.id for flow in server.flows()]
    assert flows[0].wait(LONG).state == "success"
    assert [event.kind for event in flows[0].events()] == ["started", "flowed", "outcome", "ended"]
    assert standby.flow("one").result(LONG) == {"n": "one"}


def commits(inbox: Path) -> int:
    """Return how many transactions have been written into a file with a rollback journal, as its header counts."""
    return int.from_bytes(inbox.read_bytes()[24:28])


@pytest.mark.promise("11.2")
def test_many_flows_are_asked_for_in_one_commit_and_those_before_a_wrong_one_too(crew: Crew) -> None:
    standby = crew.engine(serve=False)
    standby.start(ANDES, id="one")
    inbox = crew.path.parent / "flows.db-inbox"
    before = commits(inbox)

    flows = standby.start_many(ANDES, [{"n": number} for number in range(20)])
    with pytest.raises(DrawingError, match="object"):
        standby.start_many(ANDES, [{"n": 20}, {"n": object()}, {"n": 21}])

    assert commits(inbox) == before + 2
    assert [flow.events() for flow in flows] == [[]] * 20
    with closing(Inbox(crew.path)) as letters:
        assert len(letters.letters()) == 22
    with Engine(crew.url) as server:
        assert [server.flow(flow.id).result(LONG)["n"] for flow in flows] == list(range(20))
        until(lambda: len(server.flows()) == 22)


@pytest.mark.promise("11.2")
def test_a_letter_that_is_written_alone_leaves_the_inbox_and_whoever_asked_hears_of_it(crew: Crew) -> None:
    crew.engine()
    standby, inbox = crew.engine(), Inbox(crew.path)
    flow = standby.start(drawn(never()), id="one")
    until(lambda: inbox.letters() == [])

    assert flow.pause() is True
    until(lambda: inbox.letters() == [])
    assert flow.cancel() is True
    until(lambda: inbox.letters() == [])
    inbox.close()


@pytest.mark.promise("11.2")
def test_a_flow_in_the_inbox_has_no_events_yet_whoever_asks(crew: Crew) -> None:
    crew.engine(serve=False).start(ANDES, id="one")

    assert crew.engine(serve=False).flow("one").events() == []


@pytest.mark.promise("11.2")
def test_with_no_server_a_start_is_durable_and_waits_for_the_next_one(crew: Crew) -> None:
    standby = crew.engine(serve=False)
    flow = standby.start(ANDES, {"x": 1}, id="one", tags={"team": "storage"})
    again = crew.engine(serve=False).flow("one")
    before = again.status()

    with Engine(crew.url) as server:
        assert flow.result(LONG) == {"x": 1, "a": 1}
        assert server.flow("one").status().tags == {"team": "storage"}

    assert (before.state, before.name, before.tags) == ("init", "quick", {"team": "storage"})
    assert [stream.state for stream in before.streams] == ["init", "init"]


@pytest.mark.promise("11.2")
def test_a_flow_without_a_row_and_without_a_letter_is_not_found(crew: Crew) -> None:
    standby = crew.engine(serve=False)
    for _ in range(2):
        for ask in (standby.flow, standby.look, standby.ending):
            with pytest.raises(FlowNotFound, match="there is no flow 'none'"):
                ask("none")
        crew.engine()


@pytest.mark.promise("11.2", "2.11")
def test_one_id_gives_one_flow_whoever_asks_for_it(crew: Crew) -> None:
    standby = crew.engine(serve=False)
    flows = [standby.start(ANDES, {"x": 1}, id="one") for _ in range(3)]
    server = crew.engine()
    first = [flow.result(LONG) for flow in flows]

    assert first == [{"x": 1, "a": 1}] * 3
    assert standby.start(ANDES, {"x": 1}, id="one").result(LONG) == server.start(ANDES, {"x": 1}, id="one").result(LONG)
    assert [flow.id for flow in server.flows()] == ["one"]
    with pytest.raises(FlowConflict, match="other water"):
        standby.start(ANDES, {"x": 2}, id="one")


@pytest.mark.promise("11.2")
@pytest.mark.parametrize("ask", ["result", "wait", "status", "await"])
def test_a_conflict_that_is_found_when_the_letter_is_taken_in_is_raised_by_the_handle(crew: Crew, ask: str) -> None:
    standby = crew.engine(serve=False)
    first = standby.start(drawn(never(), name="one"), id="id")
    other = standby.start(ANDES, id="id")
    crew.engine()
    until(lambda: first.status().state == "running")

    async def await_it() -> object:
        return await other

    asked: dict[str, Callable[[], object]] = {
        "result": lambda: other.result(LONG),
        "wait": lambda: other.wait(LONG),
        "status": other.status,
        "await": lambda: asyncio.run(await_it()),
    }
    for _ in range(2):
        with pytest.raises(FlowConflict, match="'one', not as 'quick'"):
            asked[ask]()
    assert first.status().state == "running"


@pytest.mark.promise("11.2")
def test_commands_and_signals_are_answered_across_and_refusals_are_raised(crew: Crew) -> None:
    def cycle(self: River, water: Any) -> None:
        if (told := self.signal("go")) is None:
            raise Continue("not yet")
        water["told"] = told

    listening = river("listens", nothing, cycle, cycle_interval=None, deadline="9h", signals=("go",))
    crew.engine()
    standby = crew.engine()
    flow = standby.start(drawn(listening, river("last", nothing)), id="one")
    until(lambda: flow.status().state == "running")

    assert flow.pause(who="anna") is True
    assert flow.pause() is False
    assert flow.set("x", [1, 2]) is True
    with pytest.raises(CommandRefused, match="it has not come to 'last'"):
        flow.skip("last")
    with pytest.raises(CommandRefused, match="retry was refused: it has not ended"):
        flow.retry()
    assert flow.resume() is True
    assert flow.signal("go", {"n": 1}, id="s") is True
    assert flow.result(LONG) == {"x": [1, 2], "told": {"n": 1}}
    with pytest.raises(CommandRefused, match="it has ended"):
        flow.signal("go")
    assert flow.signal("go", id="s") is False
    assert "anna" in {event.who for event in flow.events()}
    with pytest.raises(FlowNotFound):
        standby.command("none", Cancel())


@pytest.mark.promise("11.2", "8.4")
def test_a_flow_that_failed_is_mended_and_retried_from_a_process_that_stands_by(crew: Crew) -> None:
    crew.engine()
    standby = crew.engine()
    flow = standby.start(drawn(river("a", raises(lambda: RuntimeError("no"))), river("b", puts(b=1))), id="one")
    with pytest.raises(FlowFailed):
        flow.result(LONG)

    assert flow.complete("a", {"a": 5}) is True
    assert flow.retry() is True
    assert flow.result(LONG) == {"a": 5, "b": 1}


@pytest.mark.promise("11.2")
def test_a_command_that_nobody_answers_in_time_is_pending_and_done_when_the_store_is_served(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vastflow.engine.mail._PATIENCE", 0.05)
    standby = crew.engine(serve=False)
    flow = standby.start(drawn(never()), id="one")

    said = flow.cancel(who="anna")

    assert said is None
    crew.engine()
    assert flow.wait(LONG).state == "cancelled"
    assert [event.who for event in flow.events() if event.kind == "cancelling"] == ["anna"]


@pytest.mark.promise("11.2", "8.3")
async def test_many_flows_are_awaited_on_one_event_loop_while_standing_by(crew: Crew) -> None:
    crew.engine()
    standby = crew.engine()
    flows = standby.start_many(ANDES, [{"n": number} for number in range(20)])

    ends = await asyncio.gather(*flows)

    assert [end["n"] for end in ends] == list(range(20))


@pytest.mark.promise("11.1", "10.6")
def test_whoever_stands_by_writes_nothing_into_the_store(crew: Crew) -> None:
    server = crew.engine()
    standby = crew.engine()
    standby.start(ANDES, id="one").result(LONG)
    standby.close()

    assert len(server.reader.periods()) == 1
    assert {fact.epoch for fact in server.reader.facts("one")} == {1}


@pytest.mark.promise("11.4")
def test_closing_while_standing_by_ends_all_waits_and_may_come_twice_from_several_threads(crew: Crew) -> None:
    crew.engine()
    standby = crew.engine()
    flow = standby.start(drawn(never()), id="one")
    until(lambda: flow.status().state == "running")
    with ThreadPoolExecutor(4) as pool:
        waits: list[Future[Any]] = [pool.submit(flow.result), pool.submit(flow.wait)]
        until(lambda: len(standby._waiting) == 2)  # noqa: SLF001  # that they wait can be seen nowhere else
        closed = [pool.submit(standby.close) for _ in range(2)]

        assert [each.result(LONG) for each in closed] == [True, True]
        assert [type(each.exception(LONG)) for each in waits] == [EngineClosed] * 2
    for ask in (flow.status, flow.events, flow.cancel, standby.flows, lambda: standby.start(ANDES)):
        with pytest.raises(EngineClosed, match="make a new one"):
            ask()
    assert "vastflow-standby" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.promise("8.3")
def test_whoever_waits_no_longer_is_not_kept_while_standing_by(crew: Crew) -> None:
    crew.engine()
    standby = crew.engine()
    flow = standby.start(drawn(never()), id="one")

    for _ in range(3):
        with pytest.raises(TimeoutError, match="it goes on"):
            flow.result(0.02)

    assert len(standby._waiting) == 0  # noqa: SLF001  # that nothing is kept is what is asked


@pytest.mark.promise("11.2")
def test_an_inbox_that_cannot_be_written_is_told_to_whoever_starts(crew: Crew) -> None:
    standby = crew.engine(serve=False)
    inbox = Inbox(crew.path)
    (crew.path.parent / "flows.db-inbox").write_text("this is no inbox, but a text of some length" * 100)
    inbox.close()

    with pytest.raises(Exception, match="inbox"):
        standby.start(ANDES)

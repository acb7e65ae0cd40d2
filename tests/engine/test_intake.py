"""Is what other processes ask for taken in exactly once, in order, and answered whatever it is?"""

import threading
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import msgspec
import pytest

from tests.engine.scenes import LONG, calling, drawn, nothing, puts, raises, river
from tests.engine.standing import Crew, LeapClock, until
from vastflow import CommandRefused, Continue, Engine, FlowStranded, River, VastflowError
from vastflow.actors.letters import write_command
from vastflow.course.commands import Cancel, Pause
from vastflow.drawing import registry
from vastflow.errors import StoreError, StoreTooNew, StoreUnreadable
from vastflow.ledger.contract import Batch
from vastflow.ledger.inbox import Inbox
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.runtime import Real

ANDES = drawn(river("a", puts(a=1)), name="quick")


def never() -> River:
    """Return a river that waits until it is told something."""
    return river("slow", nothing, raises(lambda: Continue("not yet")), cycle_interval="1h", deadline="9h")


def letters(crew: Crew) -> int:
    with closing(Inbox(crew.path)) as inbox:
        return len(inbox.letters())


@pytest.mark.promise("11.2")
def test_letters_that_are_answered_but_not_removed_are_only_removed_by_the_next_who_serves(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies: list[int] = []
    andes = drawn(river("a", calling(lambda _, water: bodies.append(water["n"]))))
    standby = crew.engine(serve=False)

    def fail(_self: Inbox, nos: Iterable[int]) -> None:
        if list(nos):
            raise StoreError("the inbox cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "remove", fail)
        server = crew.engine()
        flows = [standby.start(andes, n=number) for number in range(3)]
        paused = standby.start(drawn(never()), id="slow")
        until(lambda: paused.status().state == "running")
        assert paused.pause() is True
        assert [flow.result(LONG)["n"] for flow in flows] == [0, 1, 2]
        server.close()
        left = letters(crew)

    crew.engine()
    until(lambda: letters(crew) == 0)

    assert left == 5
    assert sorted(bodies) == [0, 1, 2]
    assert [event.kind for event in paused.events()].count("paused") == 1


class Dying(SQLiteStore):
    """A store whose process dies right before a commit: from then on nothing is written."""

    last = 0

    def commit(self, batch: Batch) -> frozenset[str]:
        if batch.answers:
            raise StoreError("it is over")
        return super().commit(batch)


@pytest.mark.promise("11.2")
def test_a_letter_whose_answer_was_not_committed_is_taken_in_by_the_next_who_serves(crew: Crew) -> None:
    bodies: list[str] = []
    standby = crew.engine(serve=False)
    flow = standby.start(drawn(river("a", calling(lambda self, _: bodies.append(self.key)))), id="one")
    dying = Engine(store=Dying(crew.path))
    until(lambda: dying.trouble is not None)
    dying.close(0.0)

    crew.engine()

    assert flow.result(LONG) == {}
    assert len(bodies) == 1


@pytest.mark.promise("11.2", "10.9")
def test_letters_that_cannot_be_read_are_answered_and_hold_no_other_up(crew: Crew) -> None:
    standby = crew.engine(serve=False)
    good = standby.start(ANDES, id="good")
    with closing(Inbox(crew.path)) as inbox:
        (letter,) = inbox.letters()
        newer = letter.payload.replace(b'"version":1}', b'"version":99}')
        assert newer != letter.payload
        wrong = {
            "empty": (("start", "x1", b""), StoreUnreadable),
            "no chart": (("start", "x2", b'{"uid":"1","chart":{},"cargo":{}}'), StoreUnreadable),
            "newer": (("start", "x3", newer), StoreTooNew),
            "no flow": (("start", "", letter.payload), StoreUnreadable),
            "unknown kind": (("dance", "good", b"{}"), StoreUnreadable),
            "no command": (("set", "good", b"[]"), StoreUnreadable),
            "unknown flow": (("cancel", "nobody", b"{}"), VastflowError),
        }
        slips = {name: inbox.put(*put, "anna", 1) for name, (put, _) in wrong.items()}
        inbox_id = inbox.id
    last = standby.start(ANDES, id="last")
    server = crew.engine()

    assert [flow.result(LONG) for flow in (good, last)] == [{"a": 1}] * 2
    until(lambda: letters(crew) == 0)
    said = {name: msgspec.json.decode(server.reader.answer(inbox_id, no) or b"{}") for name, no in slips.items()}
    assert {name: each["what"] for name, each in said.items()} == dict.fromkeys(wrong, "failed")
    assert all(each["reason"] for each in said.values())
    assert {flow.id for flow in server.flows()} == {"good", "last"}


@pytest.mark.promise("11.2", "10.9")
def test_a_start_that_the_server_cannot_read_is_raised_to_whoever_asked_for_it(crew: Crew) -> None:
    standby = crew.engine(serve=False)
    with closing(Inbox(crew.path)) as inbox:
        before = inbox.put

        def put(kind: str, flow: str, payload: bytes, who: str, at: int) -> int:
            return before(kind, flow, payload[:-20], who, at)

        assert standby._mail.inbox is not None  # noqa: SLF001  # no user can write such a letter
        standby._mail.inbox.put = put  # type: ignore[method-assign]  # noqa: SLF001  # the same
        flow = standby.start(ANDES, id="one")
    crew.engine()

    with pytest.raises(StoreUnreadable, match="letter 1 of the inbox cannot be read"):
        flow.result(LONG)


@pytest.mark.promise("11.2", "10.9")
def test_a_flow_whose_class_is_not_known_where_it_is_taken_in_is_written_and_stranded(crew: Crew) -> None:
    standby = crew.engine(serve=False)
    flow = standby.start(ANDES, id="known")
    with closing(Inbox(crew.path)) as inbox:
        (letter,) = inbox.letters()
        (name,) = {place["river"] for place in msgspec.json.decode(letter.payload)["chart"]["streams"]}
        payload = letter.payload.replace(name.encode(), b"elsewhere.Unknown")
        inbox.put("start", "strange", payload, "anna", 1)
    waiting = standby.ending("strange")
    server = crew.engine()

    assert flow.result(LONG) == {"a": 1}
    assert waiting.result(LONG) is None
    with pytest.raises(FlowStranded, match=r"elsewhere\.Unknown is not known here"):
        standby.flow("strange").result(LONG)
    with pytest.raises(FlowStranded, match="cannot go on"):
        standby.flow("strange").pause()
    assert "import the module" in server.flow("strange").status().stranded
    until(lambda: letters(crew) == 0)


@pytest.mark.promise("11.2", "10.9")
def test_a_flow_that_was_stranded_when_it_was_taken_in_begins_where_its_classes_are_known(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    standby = crew.engine(serve=False)
    flow = standby.start(ANDES, {"n": 1}, id="one")
    with monkeypatch.context() as patch, crew.engine():
        patch.delitem(registry._classes, registry.name_of(type(ANDES.atlantic)))  # noqa: SLF001  # as in a process that has not imported it
        until(lambda: flow.status().stranded)
    assert flow.status().state == "init"

    crew.engine()

    until(lambda: not flow.status().stranded)
    assert flow.result(LONG) == {"n": 1, "a": 1}


@pytest.mark.promise("11.2")
def test_what_is_asked_of_a_flow_comes_after_its_start_and_in_the_order_it_was_asked(crew: Crew) -> None:
    standby = crew.engine(serve=False)
    flow = standby.start(drawn(never()), id="one")
    with closing(Inbox(crew.path)) as inbox:
        for name in "abc":
            payload = b'{"name":"%s","value":1,"id":null}' % name.encode()
            inbox.put("signal", "one", payload, "anna", 1)
        inbox.put("pause", "one", write_command(Pause()), "anna", 1)
        inbox.put("cancel", "one", write_command(Cancel()), "anna", 1)

    crew.engine()

    assert flow.wait(LONG).state == "cancelled"
    told = [event for event in flow.events() if event.who == "anna"]
    assert [event.kind for event in told] == ["signalled"] * 3 + ["paused", "cancelling"]
    assert [next(iter(event.details["put"])) for event in told[:3]] == ["a", "b", "c"]


@pytest.mark.promise("11.2")
def test_more_letters_than_are_read_at_once_are_all_taken_in(crew: Crew) -> None:
    standby = crew.engine(serve=False)
    first = standby.start(ANDES, id="0")
    with closing(Inbox(crew.path)) as inbox:
        (letter,) = inbox.letters()
        threads = [
            threading.Thread(
                target=lambda at=at: [inbox.put("start", f"{at}-{n}", letter.payload, "", 1) for n in range(60)]
            )
            for at in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
    server = crew.engine()

    until(lambda: letters(crew) == 0)
    until(lambda: not server.flows(state=("init", "running", "ending")))
    assert first.result(LONG) == {"a": 1}
    assert len(server.flows(state="success", limit=1000)) == 481


@pytest.mark.promise("11.4", "11.2")
def test_starts_wait_in_the_inbox_while_the_engine_is_full_but_commands_are_taken(crew: Crew) -> None:
    server = crew.engine(max_flows=2)
    held = [server.start(drawn(never()), id=f"held-{number}") for number in range(2)]
    standby = crew.engine()
    waiting = [standby.start(ANDES, id=f"waits-{number}") for number in range(3)]
    with pytest.raises(CommandRefused):
        standby.flow("held-1").resume() or standby.flow("held-1").retry()
    before = [flow.status().state for flow in waiting]

    assert standby.flow("held-0").cancel() is True

    assert [flow.result(LONG) for flow in waiting] == [{"a": 1}] * 3
    assert before == ["init"] * 3
    assert held[1].status().state == "running"


@pytest.mark.promise("11.4", "11.2")
def test_what_is_asked_of_a_flow_whose_start_waits_for_a_place_waits_behind_it(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vastflow.engine.mail._PATIENCE", 0.2)
    server = crew.engine(max_flows=1)
    held = server.start(drawn(never()), id="held")
    standby = crew.engine()
    flow = standby.start(drawn(never()), id="waits")
    asked = [flow.pause(), flow.pause(), flow.cancel()]

    held.cancel()

    assert flow.wait(LONG).state == "cancelled"
    assert asked == [None] * 3
    assert [event.kind for event in flow.events() if event.who] == ["paused", "cancelling"]


@pytest.mark.promise("11.2")
def test_old_answers_are_forgotten_when_their_letters_are_gone(crew: Crew) -> None:
    standby = crew.engine(serve=False)
    flow = standby.start(ANDES, id="one")
    with crew.engine():
        assert flow.result(LONG) == {"a": 1}
        until(lambda: letters(crew) == 0)
    with closing(Inbox(crew.path)) as inbox:
        inbox_id = inbox.id
    clock = LeapClock()
    clock.leap(601)

    server = crew.engine(runtime=Real(clock))

    until(lambda: server.reader.answer(inbox_id, 1) is None)
    assert flow.status().state == "success"


@pytest.mark.promise("11.2", "7.6")
@pytest.mark.parametrize("turn", range(3))
def test_an_inbox_that_is_replaced_is_read_from_its_beginning(crew: Crew, turn: int) -> None:
    server, standby = crew.engine(), crew.engine()
    assert standby.start(ANDES, id="one").result(LONG) == {"a": 1}
    until(lambda: letters(crew) == 0)

    (crew.path.parent / "flows.db-inbox").unlink()

    other: Any = crew.engine(serve=False)
    assert other.start(ANDES, {"turn": turn}, id="two").result(LONG) == {"turn": turn, "a": 1}
    assert len(server.flows()) == 2

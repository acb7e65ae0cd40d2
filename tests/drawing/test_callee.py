"""Does `self` know its call, and say so outside of one?"""

import uuid
from types import MappingProxyType
from typing import Any

import pytest

from tests.drawing.streams import Create, Tag
from vastflow.drawing import Call
from vastflow.errors import BodyCancelled, Failure, NotYetBuilt, OutsideFlow

UID = str(uuid.UUID(int=7))


def call(**more: Any) -> Call:
    known: dict[str, Any] = {
        "flow_id": "order-17",
        "uid": UID,
        "address": "east/create",
        "body": "flow",
        "attempt": 2,
        "run": 3,
        "round": 4,
        "cancelled": lambda: False,
        "report": lambda *_: None,
        "failures": MappingProxyType({}),
    }
    return Call(**{**known, **more})


@pytest.mark.promise("5.1")
def test_self_knows_its_parameters_and_its_call() -> None:
    drawn = Create("vm", size=2)

    river = drawn.in_call(call())

    assert (river.kind, river.size, river.flow_id, river.address) == ("vm", 2, "order-17", "east/create")
    assert (river.attempt, river.run, river.round, river.cancelled, dict(river.failures)) == (2, 3, 4, False, {})
    with pytest.raises(OutsideFlow):
        _ = drawn.key


@pytest.mark.promise("5.2")
def test_the_key_is_the_same_for_every_attempt_and_body_of_a_run() -> None:
    river = Create("vm").in_call(call())

    assert river.key == str(uuid.uuid5(uuid.UUID(UID), "east/create\n3"))
    assert len(river.key) == 36
    assert Create("x").in_call(call(attempt=9, body="undo", round=1)).key == river.key
    assert Create("vm").in_call(call(run=4)).key != river.key
    assert Create("vm").in_call(call(address="west/create")).key != river.key


@pytest.mark.promise("5.2")
def test_a_purpose_gives_another_key() -> None:
    river = Create("vm").in_call(call())

    assert len({river.key, river.key_for("refund"), river.key_for("notice")}) == 3


@pytest.mark.promise("5.1")
def test_a_cancelled_body_can_ask_and_can_be_ended() -> None:
    Create("vm").in_call(call()).check_cancelled()
    river = Create("vm").in_call(call(cancelled=lambda: True))

    assert river.cancelled
    with pytest.raises(BodyCancelled, match="east/create of flow order-17 is being cancelled"):
        river.check_cancelled()


@pytest.mark.promise("5.1")
def test_progress_is_told_as_a_share_and_a_text() -> None:
    told: list[tuple[float | None, str]] = []
    river = Create("vm").in_call(call(report=lambda share, text: told.append((share, text))))

    river.progress(0.5, "half")
    river.progress(None, "somewhere")
    river.progress(7)

    assert told == [(0.5, "half"), (None, "somewhere"), (1.0, "")]


@pytest.mark.promise("5.9")
def test_the_failure_is_known_where_something_failed() -> None:
    failure = Failure("error", "broken")

    assert Create("vm").in_call(call(failure=failure)).failure is failure
    with pytest.raises(OutsideFlow, match=r"in `flow` of east/create.*ask it in `fail` or `undo`"):
        _ = Create("vm").in_call(call()).failure


@pytest.mark.promise("5.1")
@pytest.mark.parametrize(
    "asked",
    ["key", "flow_id", "address", "attempt", "run", "round", "cancelled", "failure", "failures"],
)
def test_what_only_a_call_knows_raises_outside(asked: str) -> None:
    with pytest.raises(OutsideFlow, match=rf"self\.{asked} of Create is known only in a body that an engine calls"):
        getattr(Create("vm"), asked)


@pytest.mark.promise("5.1")
@pytest.mark.parametrize(
    ("asked", "args"),
    [
        ("key_for", ("x",)),
        ("check_cancelled", ()),
        ("progress", (0.5,)),
        ("signal", ("a",)),
        ("resource", ("a",)),
        ("save", ()),
    ],
)
def test_what_only_a_call_can_do_raises_outside(asked: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(OutsideFlow, match=rf"self\.{asked}"):
        getattr(Create("vm"), asked)(*args)


@pytest.mark.parametrize(("asked", "args"), [("signal", ("a",)), ("resource", ("a",)), ("save", ())])
def test_what_a_later_release_can_do_says_so(asked: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(NotYetBuilt, match=rf"east/create: self\.{asked}\(.*is not in this release yet"):
        getattr(Create("vm").in_call(call()), asked)(*args)


async def test_saving_asynchronously_is_for_a_later_release_too() -> None:
    with pytest.raises(NotYetBuilt, match="asave"):
        await Create("vm").in_call(call()).asave()
    with pytest.raises(OutsideFlow, match="asave"):
        await Create("vm").asave()


@pytest.mark.promise("4.4")
def test_no_two_calls_share_what_can_change() -> None:
    drawn = Tag(["a"])
    one, other = drawn.in_call(call()), drawn.in_call(call())

    one.tags.append("b")

    assert (one.tags, other.tags, drawn.tags) == (["a", "b"], ["a"], ["a"])


def test_what_a_later_release_can_do_is_told_in_one_sentence_about_the_call() -> None:
    with pytest.raises(NotYetBuilt) as refused:
        Create("vm").in_call(call()).save()

    assert str(refused.value).startswith("east/create: self.save() is not in this release yet: ")
    assert "\n" not in str(refused.value)
    assert "order-17" not in str(refused.value)


@pytest.mark.promise("5.1")
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("atempt", r"Create knows no self\.atempt \(did you mean 'attempt'\?\)"),
        ("knd", r"did you mean 'kind'"),
        ("volume", r"Create knows no self\.volume: .*water\['volume'\]"),
        ("_volume", "'Create' object has no attribute '_volume'"),
    ],
)
def test_what_self_does_not_know_is_refused_with_what_may_have_been_meant(asked: str, told: str) -> None:
    with pytest.raises(AttributeError, match=told):
        getattr(Create("vm").in_call(call()), asked)


def test_what_a_property_of_the_user_raises_is_seen() -> None:
    class Asking(Create):
        @property
        def client(self) -> Any:
            """Ask for what is not there."""
            return "".nowhere  # type: ignore[attr-defined]  # what is tested

    with pytest.raises(AttributeError, match="'str' object has no attribute 'nowhere'"):
        _ = Asking("vm").client

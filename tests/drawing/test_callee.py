"""Does `self` know its call, and say so outside of one?"""

import uuid
from functools import partial
from types import MappingProxyType
from typing import Any

import pytest

from tests.drawing.streams import Create, Tag
from vastflow.drawing import Call, River
from vastflow.drawing.call import resource_of
from vastflow.errors import AttributeFault, BodyCancelled, Failure, OutsideFlow, ResourceMissing, SaveRefused

UID = str(uuid.UUID(int=7))


class Waits(River):
    signals = ("paid", "sent")

    def flow(self, water: Any) -> None:
        """Ask for money."""

    def cycle(self, water: Any) -> None:
        """Wait for it."""


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


def waiting(**more: Any) -> Waits:
    return Waits().in_call(call(address="wait", **more))


@pytest.mark.promise("5.1", "9.2")
@pytest.mark.parametrize("body", ["flow", "cycle"])
def test_flow_and_cycle_take_the_signals_the_river_lists(body: str) -> None:
    taken: dict[str, list[Any]] = {"paid": [17, "twice"], "sent": []}
    river = waiting(body=body, signal=lambda name: taken[name].pop(0) if taken[name] else None)

    assert [river.signal("paid"), river.signal("paid"), river.signal("paid")] == [17, "twice", None]
    assert river.signal("sent") is None


@pytest.mark.promise("9.2")
def test_attributes_of_an_instance_say_which_signals_it_takes() -> None:
    river = Waits().options(signals=("refunded",)).in_call(call(signal=str.upper))

    assert river.signal("refunded") == "REFUNDED"
    with pytest.raises(AttributeFault):
        river.signal("paid")


@pytest.mark.promise("9.2")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("payed", r"wait: self\.signal\('payed'\).*no such signal \(did you mean 'paid'\?\): write signals = \("),
        ("zzz", r"write signals = \('paid', 'sent', 'zzz'\) into the class"),
    ],
)
def test_a_signal_that_the_river_does_not_list_is_refused_with_what_to_write(name: str, told: str) -> None:
    with pytest.raises(AttributeFault, match=told):
        waiting(signal=lambda _: 1).signal(name)


@pytest.mark.promise("9.2")
@pytest.mark.parametrize("body", ["when", "undo", "reconcile", "success", "fail"])
def test_other_bodies_take_no_signals(body: str) -> None:
    with pytest.raises(OutsideFlow, match=rf"asked in `{body}` of wait, flow order-17: only `flow` and `cycle` take"):
        waiting(body=body, signal=lambda _: 1).signal("paid")


@pytest.mark.promise("5.5")
def test_what_is_saved_is_saved_when_save_returns() -> None:
    saved: list[str] = []

    Create("vm").in_call(call(save=lambda: saved.append("all"))).save()

    assert saved == ["all"]


@pytest.mark.promise("5.5")
async def test_what_is_saved_asynchronously_is_saved_when_it_was_awaited() -> None:
    saved: list[str] = []

    async def save() -> None:
        saved.append("all")

    await Create("vm").in_call(call(asave=save)).asave()

    assert saved == ["all"]
    with pytest.raises(OutsideFlow, match=r"self\.asave\(\)"):
        await Create("vm").asave()


@pytest.mark.promise("5.5")
def test_a_save_that_is_refused_raises_in_the_body() -> None:
    def refuse() -> None:
        raise SaveRefused("too late")

    with pytest.raises(SaveRefused, match="too late"):
        Create("vm").in_call(call(save=refuse)).save()


@pytest.mark.promise("5.8")
def test_a_resource_is_the_very_object_the_engine_was_given() -> None:
    client = object()
    river = Create("vm").in_call(call(resource=partial(resource_of, {"ec2": client})))

    assert river.resource("ec2") is client


@pytest.mark.promise("5.8")
@pytest.mark.parametrize(
    ("resources", "known"), [({}, "it has none"), ({"ec2": 1, "s3": 2}, "it has 'ec2', 's3'")], ids=["none", "two"]
)
def test_a_missing_resource_is_named_with_how_to_hand_it_over(resources: dict[str, Any], known: str) -> None:
    river = Create("vm").in_call(call(resource=partial(resource_of, resources)))

    with pytest.raises(
        ResourceMissing, match=rf"no resource 'db' in this engine, {known}: .*={{'db': ...}}"
    ) as missing:
        river.resource("db")
    assert missing.value.name == "db"
    assert isinstance(missing.value, KeyError)


@pytest.mark.parametrize(
    ("asked", "args", "told"),
    [
        ("signal", ("paid",), "gave it no signals"),
        ("save", (), "nothing to save with"),
        ("resource", ("a",), "there is no resource 'a'"),
    ],
)
def test_a_call_made_without_them_says_what_to_hand_over(asked: str, args: tuple[Any, ...], told: str) -> None:
    with pytest.raises((OutsideFlow, ResourceMissing), match=told):
        getattr(waiting(), asked)(*args)


async def test_a_call_made_without_asave_says_what_to_hand_over() -> None:
    with pytest.raises(OutsideFlow, match="nothing to save with"):
        await waiting().asave()


@pytest.mark.promise("4.4")
def test_no_two_calls_share_what_can_change() -> None:
    drawn = Tag(["a"])
    one, other = drawn.in_call(call()), drawn.in_call(call())

    one.tags.append("b")

    assert (one.tags, other.tags, drawn.tags) == (["a", "b"], ["a"], ["a"])


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

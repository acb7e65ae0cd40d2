"""How is a fact stored, and is what was stored on the first day still read?"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastflow.course.facts import (
    KINDS,
    Begun,
    Cancelled,
    Cancelling,
    Chosen,
    Completed,
    Conflicted,
    Continued,
    Cycled,
    Delta,
    Doubted,
    Dropped,
    Ended,
    Entered,
    Expanded,
    Failed,
    Failing,
    Flowed,
    Joined,
    Late,
    Left,
    Outcome,
    Paused,
    Poisoned,
    Polled,
    Resumed,
    Retried,
    Retrying,
    Saved,
    Set,
    Signalled,
    Skipped,
    Spared,
    Started,
    UndoFailed,
    Undoing,
    Undone,
    What,
    Won,
)
from vastflow.drawing.chart import (
    Anchor,
    BasinPlace,
    Cargo,
    Chart,
    EachPlace,
    Mouth,
    ParallelPlace,
    RiverPlace,
    Waits,
)
from vastflow.errors import Failure, StoreTooNew, StoreUnreadable
from vastflow.ledger.codec import FACT_VERSION, decode_fact, decode_facts, encode_what, kind_of
from vastflow.ledger.contract import FactRow

GOLDEN = Path(__file__).parents[1] / "golden"
FORMAT = Path(__file__).parents[2] / "docs" / "format.md"


def raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


BOOM = Failure(
    "error",
    "the cloud said 503, später",
    "east/create-vm",
    2,
    "quota",
    "shop.cloud.Busy",
    ("shop.cloud.Busy", "builtins.Exception", "builtins.BaseException"),
    'Traceback (most recent call last):\n  File "shop.py", line 7, in flow\nshop.cloud.Busy: 503\n',
)
CHANGED = Delta({"vm": raw('{"id":"vm-1","at":{"$datetime":"2024-02-29T12:00:00"}}')}, ("old",))

FACTS: dict[str, What] = {
    "started": Started(),
    "flowed": Flowed(),
    "flowed, wrote and will be polled": Flowed(CHANGED, 1_700_000_001_000_000),
    "retrying": Retrying(1_700_000_002_000_000, BOOM),
    "polled, named its own wait": Polled(3, 1_700_000_060_000_000),
    "polled, wrote": Polled(4, 1_700_000_061_000_000, 0, Delta(drop=("old",))),
    "polled, failed": Polled(5, 1_700_000_062_000_000, 2, failure=BOOM),
    "cycled": Cycled(6, CHANGED),
    "failed": Failed(Failure("retries-exhausted", "", "a", 3)),
    "failed, of a basin": Failed(Failure("error", "basin east failed", "east", code="quota", cause=BOOM)),
    "failed, out of polls": Failed(Failure("cycles-exhausted", "not done after 9 polls", "a", 1), 9),
    "cancelled": Cancelled(),
    "cancelled, raised": Cancelled(BOOM),
    "cancelled, hung": Cancelled(abandoned=True),
    "failing": Failing(BOOM, (0, 2)),
    "joined": Joined((0, 1, 2)),
    "joined, nothing": Joined(),
    "conflicted": Conflicted(Failure("conflict", "two branches wrote water['x'] differently", "beside")),
    "entered": Entered({"zone": raw('"east"'), "n": raw("1")}),
    "left": Left(Delta({"east_vm": raw('"vm-1"')})),
    "left, nothing": Left(),
    "outcome, success": Outcome("success"),
    "outcome, fail": Outcome("fail", BOOM),
    "outcome, cancelled": Outcome("cancelled", Failure("cancelled", "the flow was cancelled")),
    "ended": Ended(CHANGED),
    "ended, for good": Ended(failure=Failure("atlantic", "no mail", "~", 3, cause=BOOM)),
    "begun": Begun("flow"),
    "begun, running alone": Begun("reconcile", running=True, alone=True),
    "spared": Spared(),
    "chosen": Chosen(),
    "chosen, wrote": Chosen(CHANGED),
    "skipped": Skipped(),
    "skipped, wrote": Skipped(CHANGED),
    "skipped, by somebody": Skipped(before="retrying"),
    "flowed, took signals": Flowed(took=(1, 3), began=1_700_000_000_500_000),
    "doubted, crash": Doubted(1_700_000_003_000_000, "crash"),
    "doubted, asked": Doubted(1_700_000_004_000_000, "timeout", 3, BOOM),
    "retrying, free": Retrying(1_700_000_002_000_000, BOOM, free=True, began=1_700_000_000_500_000),
    "polled, took a signal": Polled(4, 1_700_000_061_000_000, took=(2,)),
    "cycled, took a signal": Cycled(6, CHANGED, (2,), 1_700_000_000_500_000),
    "saved": Saved(CHANGED, (1,)),
    "failed, and when it began": Failed(BOOM, began=1_700_000_000_500_000),
    "late": Late("it was done"),
    "poisoned": Poisoned(Failure("poison", "its process died 3 times while this body ran", "east/a", 1)),
    "expanded": Expanded(17),
    "won": Won(1, (0, 2)),
    "won, alone": Won(0),
    "dropped": Dropped(12),
    "continued": Continued(Failure("error", "basin east failed", "east", cause=BOOM)),
    "undoing": Undoing(BOOM, 2, ("east/b", "east/a")),
    "undoing, to be tried again": Undoing(BOOM, 0, ("east/a",), again=True),
    "undone": Undone(),
    "undone, wrote": Undone(CHANGED),
    "undofailed": UndoFailed(BOOM),
    "signalled": Signalled({"paid": raw('{"by":"ann"}')}),
    "signalled, with an id": Signalled({"paid": raw("null")}, "hook-17"),
    "cancelling": Cancelling(),
    "cancelling, out of time": Cancelling("deadline"),
    "paused": Paused(),
    "resumed": Resumed(),
    "retried": Retried(),
    "retried, with other attributes": Retried({"create-vm": Anchor(Waits(9))}, 1_700_000_099_000_000),
    "completed": Completed(CHANGED, "in-doubt", Delta({"vm": raw("null")})),
    "completed, wrote nothing": Completed(before="fail"),
    "set": Set(Delta({"size": raw("20")}), Delta({"size": raw("10")})),
    "set, a new key": Set(Delta({"size": raw("20")}), Delta(drop=("size",))),
    "outcome, with undos": Outcome("fail", BOOM, ("b", "a")),
}

CREATE = RiverPlace(
    "create-vm",
    "shop.cloud.Create",
    ("flow", "cycle"),
    Anchor(Waits(3, 1.0, 2.0, 60.0), cycle_interval=1.0, cycle_times=600, fail_on=("builtins.KeyError",)),
    "green",
)
MOUTH = Mouth("attached", "shop.cloud.Attached", Waits(2, 5.0))
CHARTS: dict[str, Chart | Cargo] = {
    "chart of one river": Chart("one", "vastflow.Headwaters", (RiverPlace("a", "shop.A", ("flow",), Anchor()),), MOUTH),
    "chart of all that can be drawn": Chart(
        "attach-volume",
        "shop.Water",
        (
            ParallelPlace("create", ((CREATE,), (CREATE, CREATE)), "settle", 0.5, "last"),
            EachPlace("process", "files", "file", (CREATE,), 20, {"rows": "all_rows"}, 2),
            BasinPlace(
                "east",
                (CREATE,),
                {"image": "from"},
                {"vm": "east_vm"},
                ("zone",),
                continue_on_failure=True,
                retry=Waits(1),
                color="blue",
            ),
        ),
        MOUTH,
    ),
    "cargo of nothing": Cargo(),
    "cargo": Cargo(
        {"image": raw('"debian"')}, {"create-vm": {"kind": raw('"vm"')}, "~": {"to": raw('"a@example.org"')}}
    ),
    "cargo with changed attributes": Cargo(
        {"image": raw('"debian"')},
        {"create-vm": {"kind": raw('"vm"')}, "east": {"zone": raw('"e"')}},
        {"create-vm": Anchor(Waits(9))},
    ),
    "cargo with a span of time": Cargo(span=7_200_000_000),
}


def row(what: What, **other: Any) -> FactRow:
    plain = FactRow("order-17", 1, 1, "east/a", 1, 2, kind_of(what), 5, 3, "", FACT_VERSION, encode_what(what))
    return plain._replace(**other)


def golden(page: str) -> dict[str, dict[str, str]]:
    return {each["what"]: each for each in json.loads((GOLDEN / page).read_text(encoding="utf-8"))}


def stored(value: Chart | Cargo) -> bytes:
    return value.to_bytes() if isinstance(value, Chart) else msgspec.json.encode(value)


numbers = st.integers(0, 2**62)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | names, st.lists, max_leaves=4).map(
    lambda value: raw(json.dumps(value, separators=(",", ":")))
)
deltas = st.builds(Delta, st.dictionaries(names, values, max_size=3), st.lists(names, max_size=2).map(tuple))
failures: st.SearchStrategy[Failure] = st.deferred(
    lambda: st.builds(
        Failure,
        kind=names,
        message=names,
        address=names,
        attempt=st.integers(0, 9),
        code=st.none() | names,
        exception=names,
        types=st.lists(names, max_size=3).map(tuple),
        traceback=names,
        cause=st.none() | failures,
    )
)
branches = st.lists(st.integers(0, 10_000), max_size=5).map(tuple)
moments = st.integers(0, 2**53)
texts = st.lists(names, max_size=3).map(tuple)
bodies = st.sampled_from(("when", "flow", "cycle", "reconcile", "undo", "success", "fail"))
anchors = st.dictionaries(names, st.builds(Anchor, st.builds(Waits, st.integers(0, 9))), max_size=2)
puts = st.dictionaries(names, values, max_size=3)
whats: st.SearchStrategy[What] = st.one_of(
    st.just(Started()),
    st.just(Spared()),
    st.just(Paused()),
    st.just(Resumed()),
    st.builds(Begun, bodies, st.booleans(), st.booleans()),
    st.builds(Chosen, deltas),
    st.builds(Skipped, deltas, names),
    st.builds(Flowed, deltas, numbers, branches, moments),
    st.builds(Doubted, moments, names, st.integers(0, 9), st.none() | failures),
    st.builds(Retrying, numbers, failures, st.booleans(), moments),
    st.builds(Polled, numbers, numbers, st.integers(0, 9), deltas, st.none() | failures, branches),
    st.builds(Cycled, numbers, deltas, branches, moments),
    st.builds(Saved, deltas, branches),
    st.builds(Failed, failures, numbers, moments),
    st.builds(Cancelled, st.none() | failures, st.booleans()),
    st.builds(Late, names),
    st.builds(Poisoned, failures),
    st.builds(Expanded, numbers),
    st.builds(Failing, failures, branches),
    st.builds(Won, numbers, branches),
    st.builds(Dropped, numbers),
    st.builds(Joined, branches),
    st.builds(Conflicted, failures),
    st.builds(Entered, puts),
    st.builds(Left, deltas),
    st.builds(Continued, failures),
    st.builds(Undoing, failures, numbers, texts, st.booleans()),
    st.builds(Undone, deltas),
    st.builds(UndoFailed, failures),
    st.builds(Signalled, puts, st.none() | names),
    st.builds(Cancelling, st.sampled_from(("cancelled", "deadline"))),
    st.builds(Retried, anchors, moments),
    st.builds(Completed, deltas, names, deltas),
    st.builds(Set, deltas, deltas),
    st.builds(Outcome, st.sampled_from(("success", "fail", "cancelled")), st.none() | failures, texts),
    st.builds(Ended, deltas, st.none() | failures),
)


@pytest.mark.promise("10.9")
@given(whats)
def test_every_fact_comes_back_as_what_it_was(what: What) -> None:
    assert decode_fact(row(what)).what == what


@pytest.mark.promise("10.9")
def test_where_and_when_a_fact_happened_and_who_caused_it_comes_back() -> None:
    fact = decode_fact(row(Joined((1,)), who="ann"))

    told = (fact.at, fact.address, fact.run, fact.attempt, fact.what, fact.who)
    assert told == (5, "east/a", 1, 2, Joined((1,)), "ann")


def test_a_fact_with_nothing_to_tell_is_two_bytes() -> None:
    assert {encode_what(what) for what in (Started(), Flowed(), Cancelled(), Joined(), Entered(), Left(), Ended())} == {
        b"{}"
    }


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({"kind": "dreamt"}, r"the kind 'dreamt' is unknown: install the release that wrote it", id="kind"),
        pytest.param({"payload": b'{"branches":['}, r"its record cannot be read \(.*\): restore", id="cut off"),
        pytest.param({"payload": b""}, r"its record cannot be read \(.*\): restore", id="empty"),
        pytest.param({"payload": b"\xff\xfe"}, r"its record cannot be read \(.*\): restore", id="no JSON"),
        pytest.param(
            {"kind": "failed", "payload": b'{"failure":{"kind":"\xff","message":""}}'},
            r"its record cannot be read \(.*utf-8.*\): restore",
            id="no text",
        ),
        pytest.param(
            {"kind": "failed", "payload": b'{"failure":' * 9_000},
            r"its record cannot be read \(.*\): restore",
            id="too deep",
        ),
        pytest.param({"payload": b"[]"}, r"its record cannot be read \(Expected `object`", id="no object"),
        pytest.param(
            {"payload": b'{"branches":["a"]}'}, r"its record cannot be read \(Expected `int`.*branches", id="wrong type"
        ),
        pytest.param(
            {"payload": b'{"branches":{}}'}, r"its record cannot be read \(Expected `array`.*branches", id="wrong shape"
        ),
        pytest.param(
            {"kind": "failed"}, r"its record cannot be read \(.*missing required field `failure`", id="field missing"
        ),
        pytest.param(
            {"kind": "outcome", "payload": b'{"outcome":"draw"}'},
            r"its record cannot be read \(Invalid enum value 'draw'",
            id="no outcome",
        ),
    ],
)
def test_what_cannot_be_read_says_which_fact_of_which_flow_and_what_to_do(change: dict[str, Any], told: str) -> None:
    with pytest.raises(StoreUnreadable, match=rf"^flow 'order-17', fact 4: {told}"):
        decode_fact(row(Joined((1,)), number=4, **change))


@pytest.mark.promise("10.9")
def test_a_fact_of_a_newer_release_says_so() -> None:
    newer = row(Started(), number=4, version=FACT_VERSION + 1, kind="dreamt")

    with pytest.raises(
        StoreTooNew,
        match=r"^flow 'order-17', fact 4: has version 2, this release reads up to 1: install a newer vastflow",
    ):
        decode_fact(newer)


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(("numbers", "missing"), [((2, 3), 1), ((1, 3), 2), ((1, 2, 2), 3)])
def test_a_gap_in_a_journal_is_found(numbers: tuple[int, ...], missing: int) -> None:
    rows = [row(Started(), number=number) for number in numbers]

    with pytest.raises(StoreUnreadable, match=f"flow 'order-17': fact {missing} is missing .*restore the store"):
        decode_facts(rows)


def test_a_journal_is_read_in_order() -> None:
    rows = [row(Started(), number=1), row(Joined((2,)), number=2)]

    assert [fact.what for fact in decode_facts(rows)] == [Started(), Joined((2,))]


@pytest.mark.promise("10.9")
def test_there_is_a_golden_vector_of_every_kind_of_fact() -> None:
    assert list(golden("facts.json")) == list(FACTS)
    assert {kind_of(what) for what in FACTS.values()} == set(KINDS)


@pytest.mark.promise("10.9")
@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_written_and_read_as_on_the_first_day(name: str) -> None:
    what, vector = FACTS[name], golden("facts.json")[name]

    assert (kind_of(what), encode_what(what).decode()) == (vector["kind"], vector["stored"])
    read = decode_fact(row(what, kind=vector["kind"], payload=vector["stored"].encode()))
    assert read.what == what


@pytest.mark.promise("10.9")
def test_there_is_a_golden_vector_of_every_place_in_a_chart() -> None:
    vectors = golden("charts.json")
    written = " ".join(vector["stored"] for vector in vectors.values())

    assert list(vectors) == list(CHARTS)
    assert [kind for kind in ("river", "parallel", "each", "basin") if f'"kind":"{kind}"' not in written] == []


@pytest.mark.promise("2.8", "10.9")
@pytest.mark.parametrize("name", CHARTS)
def test_charts_and_cargo_are_written_and_read_as_on_the_first_day(name: str) -> None:
    value, vector = CHARTS[name], golden("charts.json")[name]

    assert stored(value).decode() == vector["stored"]
    if isinstance(value, Chart):
        assert Chart.from_bytes(vector["stored"].encode()) == value
        assert value.digest() == vector["hash"]
    else:
        assert msgspec.json.decode(vector["stored"].encode(), type=Cargo) == value


@pytest.mark.parametrize("kind", KINDS)
def test_the_format_page_tells_of_every_field_of_a_fact(kind: str) -> None:
    told = FORMAT.read_text(encoding="utf-8").partition("\n## Facts\n")[2].partition("\n## ")[0]
    (line,) = (line for line in told.splitlines() if line.startswith(f"| `{kind}` |"))

    assert [each.name for each in msgspec.structs.fields(KINDS[kind]) if f"`{each.name}`" not in line] == []


@pytest.mark.parametrize("form", [Waits, Anchor, RiverPlace, ParallelPlace, EachPlace, BasinPlace, Mouth, Chart, Cargo])
def test_the_format_page_tells_of_every_field_of_a_chart(form: type[msgspec.Struct]) -> None:
    told = FORMAT.read_text(encoding="utf-8").partition("\n## Charts and cargo\n")[2].partition("\n## ")[0]

    assert [each.name for each in msgspec.structs.fields(form) if f"`{each.name}`" not in told] == []


@pytest.mark.parametrize(("page", "heading"), [("facts.json", "Facts"), ("charts.json", "Charts and cargo")])
def test_the_format_page_shows_stored_forms_as_they_are(page: str, heading: str) -> None:
    section = FORMAT.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    shown = {line for line in section.splitlines() if line.startswith("    {")}

    assert shown
    assert {line.strip() for line in shown} <= {vector["stored"] for vector in golden(page).values()}

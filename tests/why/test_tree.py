"""Does the tree hold all reasons, and does the first sentence name the one that matters most?"""

import shlex

import pytest

from tests.why.situations import NOW, SECOND, around, first, out, poll, seen, spot
from vastflow.why import MEANING, Code, Silent, Spot, StoreTrouble, tell_why
from vastflow.why.around import Around


def test_every_code_has_a_meaning_and_is_written_with_hyphens() -> None:
    assert set(MEANING) == set(Code)
    assert all(code == code.lower() and code.replace("-", "").isalpha() for code in Code)


@pytest.mark.promise("12.4")
@pytest.mark.parametrize(
    ("stage", "code"),
    [
        ("slot", Code.WAITING_SLOT),
        ("turn", Code.WAITING_ALONE),
        ("writing", Code.WRITING),
        ("thread", Code.WAITING_WORKER),
        ("running", Code.BODY_RUNNING),
    ],
)
def test_a_body_that_is_out_is_told_by_where_it_stands(stage: str, code: Code) -> None:
    assert first(spot(doing="body", body="flow", out=out(stage=stage))).code is code


@pytest.mark.promise("12.4")
def test_a_body_over_its_usual_time_matters_more_than_a_poll_and_one_within_it_less() -> None:
    slow = spot(address="b", out=out(began=NOW - 60 * SECOND))
    quick = spot(address="b", out=out(began=NOW - SECOND, usual=5.0))

    assert first(poll(), slow).address == "b"
    assert first(poll(), quick).address == "a"


@pytest.mark.promise("12.4")
def test_what_holds_the_whole_flow_comes_first_in_this_order() -> None:
    told = tell_why(
        seen(poll(), paused=NOW - SECOND, last=NOW - 7 * SECOND),
        around(
            stranded="its class is gone\nTraceback",
            unserved=NOW - 60 * SECOND,
            silent=Silent(7, NOW),
            trouble=StoreTrouble(NOW, 1, "full", 2),
            who="a\x1bb",
        ),
    )

    assert [each.code for each in told.tree] == [
        *(Code.STRANDED, Code.UNSERVED, Code.OWNER_SILENT, Code.STORE_TROUBLE, Code.PAUSED, Code.POLL_WAIT),
    ]
    assert told.sentence == "cannot go on: its class is gone; mend that, then serve the store anew"
    assert "was paused by a\\x1bb 1 s ago" in [each.sentence for each in told.reasons()]
    assert told.idle == 7.0


@pytest.mark.promise("12.4")
def test_a_poisoned_flow_is_resumed() -> None:
    told = tell_why(seen(poison="a: crash-limit: it kills"), around())

    assert (told.reason.code, told.reason.unblock) == (Code.STRANDED, "vastflow resume one")


@pytest.mark.promise("12.4")
def test_a_part_that_is_cancelled_or_undone_is_told_as_that_in_a_flow_that_goes_on() -> None:
    loser, undone = spot(stopped=True, out=out()), spot(address="b", state="undoing", body="undo", out=out())
    join = Spot(address="p", kind="parallel", state="running", open=2, count=2, below=(loser, undone))

    told = tell_why(seen(join), around())

    assert [each.code for each in told.reasons()] == [
        *(Code.JOINING, Code.CANCELLING, Code.BODY_RUNNING, Code.UNDOING, Code.BODY_RUNNING)
    ]


@pytest.mark.promise("12.4")
def test_a_deadline_that_is_over_is_no_cancel_of_somebody() -> None:
    told = tell_why(seen(spot(out=out(began=NOW - SECOND)), cancelling="deadline"), around(who="ann"))

    assert told.sentence.startswith("is being ended: its deadline is over: flow() of a runs in thread t-1")


def test_a_flow_of_which_nothing_is_known_goes_on() -> None:
    assert first().code is Code.GOING_ON
    assert first(state="undoing").sentence == "what was done is being undone"


@pytest.mark.parametrize("word", ["two words", "$(rm)", "-x", "a'b", "a\x1bb"])
def test_a_command_can_be_pasted_whatever_the_id_is(word: str) -> None:
    told = Around(now=NOW, store="--store sqlite:///x.db").command("signal", word, "ok")

    words = shlex.split(told)
    assert words[:4] == ["vastflow", "signal", "--store", "sqlite:///x.db"]
    assert words[-1] == "ok"
    assert "\x1b" not in told
    assert "\x1b" in word or word in words

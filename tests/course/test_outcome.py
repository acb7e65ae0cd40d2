"""How does a flow end?"""

from typing import Any

import pytest

from tests.course.flows import (
    BAD,
    BOOM,
    CONTINUE,
    FAIL,
    KEY_ERROR,
    RETRY,
    SECOND,
    facts_of,
    kinds,
    raised,
    ran,
    river,
)
from tests.course.scripts import Call, Outside
from vastflow.course.facts import Ended, Outcome, Retrying
from vastflow.course.records import ATLANTIC
from vastflow.drawing.chart import Mouth, Waits
from vastflow.errors import Failure


def sea(times: int, **answers: Any) -> Mouth:
    return Mouth("sea", "app.Sea", Waits(times, 1.0, 2.0), **answers)


@pytest.mark.promise("8.1")
@pytest.mark.parametrize(("call", "outcome"), [(Call(10), "success"), (FAIL, "fail")])
def test_the_outcome_is_a_fact_of_its_own_before_the_atlantics_body_is_called(call: Call, outcome: str) -> None:
    run = ran(river("a"), a=(call,))

    outcomes = [number for number, fact in enumerate(run.facts, 1) if isinstance(fact.what, Outcome)]
    assert kinds(run)[-2:] == ["Outcome", "Ended"]
    assert [called.facts for called in run.called if called.address == ATLANTIC] == outcomes
    assert run.atlantic() == [outcome]


@pytest.mark.promise("8.1", "7.1")
def test_a_failed_flow_has_the_failure_of_its_last_stream() -> None:
    run = ran(river("a"), a=(FAIL,))

    assert facts_of(run.facts, "")[-1] == Outcome("fail", run.progress.failures["a"])
    assert (run.progress.state, run.progress.failure) == ("fail", run.progress.failures["a"])


@pytest.mark.promise("8.2")
@pytest.mark.parametrize("call", [RETRY, raised(BOOM)])
@pytest.mark.parametrize("times", [0, 2])
def test_the_atlantic_is_tried_again_as_often_as_drawn_and_no_more(call: Call, times: int) -> None:
    run = ran(river("a"), mouth=sea(times), atlantic={"success": (call,) * 9, "fail": ()})

    assert run.atlantic() == ["success"] * (times + 1)
    assert kinds(run, ATLANTIC) == ["Retrying"] * times + ["Ended"]


@pytest.mark.promise("8.2")
def test_the_atlantic_waits_between_its_attempts() -> None:
    calls = (RETRY, Call(10, answer="retry", after=5), RETRY, Call(10, {"told": True}))
    run = ran(river("a"), mouth=sea(3), atlantic={"success": calls, "fail": ()})

    waits = [what.due - fact.at for fact in run.facts if isinstance(what := fact.what, Retrying)]

    assert waits == [SECOND, 5, 4 * SECOND]
    assert (run.progress.state, run.water()) == ("success", {"told": True})


@pytest.mark.promise("8.2", "5.9")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(FAIL, "fail", id="Fail"),
        pytest.param(BAD, "returned an int", id="returned something"),
        pytest.param(CONTINUE, "raised Continue", id="Continue"),
        pytest.param(raised(KEY_ERROR), "raised", id="fail_on"),
    ],
)
def test_an_atlantic_that_fails_for_good_leaves_the_outcome_and_ends_the_flow_in_fail(call: Call, message: str) -> None:
    mouth = sea(5, fail_on=("builtins.LookupError",))
    run = ran(river("a"), mouth=mouth, atlantic={"success": (call,), "fail": ()})

    failure = run.progress.failure
    assert failure is not None
    assert (failure.kind, failure.address, failure.cause) == ("atlantic", ATLANTIC, None)
    assert message in failure.message
    assert (run.progress.outcome, run.progress.state, run.atlantic()) == ("success", "fail", ["success"])


@pytest.mark.promise("8.2", "5.9")
def test_the_earlier_failure_is_the_cause_of_the_atlantics() -> None:
    run = ran(river("a"), a=(FAIL,), atlantic={"success": (), "fail": (raised(BOOM),)})

    failure = run.progress.failures[ATLANTIC]
    assert failure == Failure("atlantic", "raised", ATLANTIC, 1, None, BOOM[0], BOOM, "", run.progress.failures["a"])
    assert run.progress.failure == failure
    assert run.atlantic() == ["fail"]


@pytest.mark.promise("8.2")
def test_fail_sees_what_was_written_before_it_and_may_write_itself() -> None:
    run = ran(
        river("a"),
        river("b"),
        a=(Call(10, {"x": 1}),),
        b=(FAIL,),
        atlantic={"success": (), "fail": (Call(10, {"y": 2}, drops=("x",)),)},
    )

    assert run.water() == {"y": 2}
    assert isinstance(run.facts[-1].what, Ended)


@pytest.mark.promise("7.4", "8.1")
def test_a_flow_whose_whole_chain_is_cancelled_has_the_outcome_cancelled_and_runs_fail() -> None:
    run = ran(river("a", retry=Waits(1)), river("b"), a=(RETRY, RETRY), outside=(Outside(500, "cancel"),))

    assert kinds(run)[-4:] == ["Cancelling", "Cancelled", "Outcome", "Ended"]
    failure = Failure("cancelled", "the flow was cancelled")
    assert (run.progress.outcome, run.progress.state, run.progress.failure) == ("cancelled", "cancelled", failure)
    assert run.atlantic() == ["fail"]


@pytest.mark.promise("7.4")
def test_a_cancelled_flow_whose_last_stream_ends_well_has_succeeded() -> None:
    run = ran(river("a"), a=(Call(900, {"x": 1}),), outside=(Outside(500, "cancel"),))

    assert (run.progress.outcome, run.water(), run.atlantic()) == ("success", {"x": 1}, ["success"])


@pytest.mark.promise("2.11", "8.1")
def test_a_flow_whose_deadline_is_over_fails_with_that_kind() -> None:
    run = ran(river("a"), river("b"), a=(FAIL,), b=(), deadline=5)

    assert (run.progress.outcome, run.rounds[0].failure) == ("fail", run.progress.failure)
    assert run.progress.failure is not None
    assert run.progress.failure.kind == "deadline"

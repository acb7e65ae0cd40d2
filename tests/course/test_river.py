"""What does a river's answer mean?"""

from typing import Any

import pytest

from tests.course.driver import MICRO, Run
from tests.course.flows import (
    BAD,
    BANG,
    BOOM,
    CONTINUE,
    FAIL,
    KEY_ERROR,
    RETRY,
    SYSTEM_EXIT,
    beside,
    facts_of,
    kinds,
    polled,
    raised,
    ran,
    river,
)
from tests.course.scripts import Call, Calls
from vastflow.course.facts import Cancelled, Cycled, Failed, Flowed, Polled, Retrying
from vastflow.course.failures import rewrite
from vastflow.course.records import RiverRecord
from vastflow.course.tries import listed
from vastflow.drawing.chart import Waits
from vastflow.errors import Failure

SECOND = MICRO


def record(run: Run, address: str = "a") -> RiverRecord:
    found = run.progress.records[address]
    assert isinstance(found, RiverRecord)
    return found


@pytest.mark.promise("4.1")
def test_a_body_that_returns_none_flowed() -> None:
    run = ran(river("a"), a=(Call(10, {"x": 1}),))

    assert kinds(run, "a") == ["Flowed"]
    assert (record(run).state, run.water()) == ("success", {"x": 1})


@pytest.mark.promise("4.1")
@pytest.mark.parametrize("times", [0, 1, 3])
@pytest.mark.parametrize("call", [RETRY, raised(BOOM)], ids=["Retry", "exception"])
def test_a_river_tries_again_as_often_as_drawn_and_no_more(call: Call, times: int) -> None:
    run = ran(river("a", retry=Waits(times)), a=(call,) * 9)

    assert kinds(run, "a") == ["Retrying"] * times + ["Failed"]
    assert run.calls["a", "flow"] == times + 1


@pytest.mark.promise("4.1", "5.9")
@pytest.mark.parametrize(("times", "kind"), [(0, "error"), (1, "retries-exhausted")])
def test_retries_are_said_to_be_exhausted_only_if_one_was_made(times: int, kind: str) -> None:
    run = ran(river("a", retry=Waits(times)), a=(RETRY,) * 9)

    assert run.progress.failures["a"] == Failure(kind, "again", "a", times + 1)


@pytest.mark.promise("4.1")
def test_an_attempt_waits_its_interval_or_as_long_as_its_body_said() -> None:
    calls = (RETRY, Call(10, answer="retry", after=5), RETRY)
    run = ran(river("a", retry=Waits(9, 1.0, 2.0)), a=calls)

    waits = [what.due - fact.at for fact in run.facts if isinstance(what := fact.what, Retrying)]

    assert waits == [SECOND, 5, 4 * SECOND]


@pytest.mark.promise("4.1")
@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        pytest.param(FAIL, "error", "fail", id="Fail"),
        pytest.param(raised(SYSTEM_EXIT), "error", "raised", id="not in retry_on"),
        pytest.param(raised(KEY_ERROR), "error", "raised", id="fail_on wins"),
        pytest.param(BAD, "bad-return", "returned an int", id="returned something"),
        pytest.param(CONTINUE, "bad-return", "Continue, which only cycle", id="Continue from flow"),
    ],
)
def test_what_is_not_tried_again_fails_at_once(call: Call, kind: str, message: str) -> None:
    run = ran(river("a", retry=Waits(9), fail_on=("builtins.LookupError",)), a=(call,))

    failure = run.progress.failures["a"]
    assert (run.calls["a", "flow"], failure.kind, failure.address, failure.attempt) == (1, kind, "a", 1)
    assert message in failure.message


@pytest.mark.promise("4.1")
@pytest.mark.parametrize(
    ("types", "retry_on", "fail_on", "again"),
    [
        (BANG, ("app.Boom",), (), True),
        (BOOM, ("app.Bang",), (), False),
        (BANG, ("app.Boom",), ("app.Bang",), False),
        (BANG, ("app.Bang",), ("builtins.Exception",), False),
        (SYSTEM_EXIT, ("builtins.Exception",), (), False),
        (BOOM, (), (), False),
    ],
)
def test_an_exception_is_judged_by_the_stored_names_of_its_bases(
    types: tuple[str, ...], retry_on: tuple[str, ...], fail_on: tuple[str, ...], *, again: bool
) -> None:
    assert listed(Failure("error", "", types=types), retry_on, fail_on) is again


@pytest.mark.promise("5.5")
@pytest.mark.parametrize("answer", ["retry", "raise", "fail"])
def test_an_attempt_that_did_not_return_drops_what_it_wrote(answer: Any) -> None:
    run = ran(river("a", retry=Waits(1)), a=(Call(10, {"x": 1}, answer=answer, types=BOOM), Call(10, {"y": 1})))

    assert "x" not in run.water()


@pytest.mark.promise("4.2")
def test_a_river_with_a_cycle_is_asked_until_it_is_done() -> None:
    run = ran(polled("a", cycle_interval=2.0), a=((Call(100),), (CONTINUE, CONTINUE, Call(10))))

    assert [type(what) for what in facts_of(run.facts, "a")] == [Flowed, Cycled]
    assert facts_of(run.facts, "a")[0] == Flowed(due=100 + 2 * SECOND)
    assert facts_of(run.facts, "a")[1] == Cycled(3, began=100 + 6 * SECOND)
    assert run.now == 100 + 6 * SECOND + 10 + 7


@pytest.mark.promise("10.4")
def test_a_poll_on_schedule_that_says_not_yet_is_no_fact() -> None:
    waiting = ran(polled("a", cycle_times=500), a=((), (CONTINUE,) * 400))

    assert kinds(waiting, "a") == ["Flowed", "Cycled"]
    assert waiting.calls["a", "cycle"] == 401


@pytest.mark.promise("5.5", "10.4")
def test_a_poll_that_wrote_something_is_a_fact() -> None:
    run = ran(polled("a"), a=((), (CONTINUE, Call(10, {"x": 1}, answer="continue"), CONTINUE)))

    assert kinds(run, "a") == ["Flowed", "Polled", "Cycled"]
    assert run.water() == {"x": 1}


@pytest.mark.promise("10.4")
def test_a_failed_poll_and_the_first_good_one_after_it_are_facts() -> None:
    run = ran(polled("a"), a=((), (CONTINUE, raised(BOOM), raised(BANG), CONTINUE, CONTINUE)))

    polls = [what for what in facts_of(run.facts, "a") if isinstance(what, Polled)]

    assert [(poll.polls, poll.failed, poll.failure is not None) for poll in polls] == [
        (2, 1, True),
        (3, 2, True),
        (4, 0, False),
    ]
    assert record(run).failure is None


@pytest.mark.promise("10.4")
@pytest.mark.parametrize(("after", "kept"), [(10 * SECOND, 0), (10 * SECOND + 1, 1)])
def test_a_wait_named_by_a_poll_is_kept_if_it_is_longer_than_ten_seconds(after: int, kept: int) -> None:
    run = ran(polled("a", cycle_interval=60.0), a=((), (Call(10, answer="continue", after=after),)))

    assert kinds(run, "a").count("Polled") == kept
    assert run.now == 7 + 60 * SECOND + 10 + after + 7 + 7


@pytest.mark.promise("10.4")
@pytest.mark.parametrize(("times", "missed", "kept"), [(10, 1, 0), (10, 2, 1), (100, 10, 0), (100, 11, 1)])
def test_a_poll_that_is_late_by_more_than_a_tenth_of_the_budget_is_kept(times: int, missed: int, kept: int) -> None:
    late = Call(missed * SECOND + 10, answer="continue")

    run = ran(polled("a", cycle_times=times), a=((), (late,)))

    assert kinds(run, "a").count("Polled") == kept


@pytest.mark.promise("4.2")
def test_nothing_moves_the_schedule_neither_an_after_nor_a_failed_nor_a_late_poll() -> None:
    calls = (Call(10, answer="continue", after=5), raised(BOOM), Call(1_700_000, answer="continue"))
    run = ran(polled("a", cycle_interval=1.0), a=((Call(50),), calls))

    # 1 s, 5 microseconds later, 2 s (until 3.7 s), 4 s
    assert run.calls["a", "cycle"] == 4
    assert run.now == 50 + 4 * SECOND + 7 + 7


@pytest.mark.promise("4.2")
@pytest.mark.parametrize("errors", [0, 1, 3])
def test_as_many_polls_in_a_row_may_raise_as_drawn_and_no_more(errors: int) -> None:
    row = (raised(BOOM),) * errors
    lasting = ran(polled("a", cycle_errors=errors), a=((), (*row, CONTINUE, *row)))
    lost = ran(polled("a", cycle_errors=errors), a=((), (CONTINUE, *row, raised(BOOM))))

    assert lasting.progress.outcome == "success"
    failed = facts_of(lost.facts, "a")[-1]
    assert isinstance(failed, Failed)
    assert failed.failure == Failure("error", "raised", "a", 1, None, BOOM[0], BOOM)
    assert failed.polls == errors + 2


@pytest.mark.promise("4.2")
@pytest.mark.parametrize("call", [RETRY, raised(KEY_ERROR), raised(SYSTEM_EXIT), FAIL, BAD])
def test_a_poll_that_is_not_tried_again_fails_the_river(call: Call) -> None:
    run = ran(polled("a", cycle_errors=9, fail_on=("builtins.LookupError",)), a=((), (CONTINUE, call)))

    failed = facts_of(run.facts, "a")[-1]
    assert isinstance(failed, Failed)
    assert (failed.polls, run.calls["a", "cycle"]) == (2, 2)


@pytest.mark.promise("4.2")
def test_a_retry_from_a_cycle_goes_back_to_flow_and_its_polls_start_anew() -> None:
    cycle = (CONTINUE, raised(BOOM), RETRY, raised(BOOM), CONTINUE)
    run = ran(
        polled("a", retry=Waits(1, 3.0), cycle_times=3, cycle_errors=1),
        a=((Call(10), Call(20, {"x": 1})), cycle),
    )

    assert kinds(run, "a") == ["Flowed", "Polled", "Retrying", "Flowed", "Polled", "Polled", "Cycled"]
    assert [fact.attempt for fact in run.facts if fact.address == "a"] == [1, 1, 1, 2, 2, 2, 2]
    assert run.water() == {"x": 1}


@pytest.mark.promise("4.2", "5.9")
@pytest.mark.parametrize(
    ("last", "message"),
    [
        pytest.param(CONTINUE, "not done after 3 polls; the last one said: building", id="Continue"),
        pytest.param(raised(BOOM), "not done after 3 polls; the last one said: raised", id="exception"),
    ],
)
def test_out_of_polls_a_river_fails_with_the_last_reason(last: Call, message: str) -> None:
    run = ran(polled("a", cycle_times=3), a=((), (CONTINUE, CONTINUE, last)))

    failure = run.progress.failures["a"]
    assert (failure.kind, failure.message) == ("cycles-exhausted", message)
    assert (failure.cause is not None) is (last is not CONTINUE)
    assert run.calls["a", "cycle"] == 3


@pytest.mark.promise("5.5")
def test_the_last_poll_of_a_budget_hands_over_what_it_wrote() -> None:
    run = ran(polled("a", cycle_times=1), a=((), (Call(10, {"x": 1}, answer="continue"),)))

    assert kinds(run, "a") == ["Flowed", "Polled", "Failed"]
    assert run.water() == {"x": 1}


@pytest.mark.promise("6.1")
@pytest.mark.parametrize(
    ("calls", "ends", "water"),
    [
        pytest.param((Call(500, {"x": 1}),), [Flowed], {"x": 1}, id="returned"),
        pytest.param((Call(500, answer="fail"),), [Cancelled], {}, id="Fail"),
        pytest.param((raised(BOOM, 500),), [Cancelled], {}, id="raised"),
        pytest.param((Call(500, answer="retry"),), [Cancelled], {}, id="Retry"),
        pytest.param((Call(500, {"x": 1}, answer="continue"),), [Cancelled], {}, id="Continue from flow"),
    ],
)
def test_in_a_cancelled_part_what_was_done_counts_and_nothing_is_tried_again(
    calls: Calls, ends: list[type], water: dict[str, int]
) -> None:
    run = ran(beside((river("a", retry=Waits(9)),), (river("b"),)), a=calls, b=(Call(100, answer="fail"),))

    assert [type(what) for what in facts_of(run.facts, "a")] == ends
    assert run.water() == water
    assert list(run.progress.failures) == ["b"]


@pytest.mark.promise("6.1")
@pytest.mark.parametrize(
    ("call", "ends", "water"),
    [
        pytest.param(Call(500, {"x": 1}), ["Flowed", "Cycled"], {"x": 1}, id="done"),
        pytest.param(Call(500, {"x": 1}, answer="continue"), ["Flowed", "Polled", "Cancelled"], {"x": 1}, id="wrote"),
        pytest.param(Call(500, answer="continue"), ["Flowed", "Cancelled"], {}, id="not yet"),
        pytest.param(Call(500, answer="retry"), ["Flowed", "Cancelled"], {}, id="Retry"),
    ],
)
def test_a_poll_that_is_out_when_its_part_is_cancelled_may_end_it_well(
    call: Call, ends: list[str], water: dict[str, int]
) -> None:
    run = ran(beside((polled("a"),), (river("b"),)), a=((), (call,)), b=(Call(SECOND + 100, answer="fail"),))

    assert kinds(run, "a") == ends
    assert run.water() == water


@pytest.mark.promise("6.1")
def test_a_river_that_flowed_in_a_cancelled_part_is_not_polled_any_more() -> None:
    run = ran(beside((polled("a"),), (river("b"),)), a=((Call(500, {"x": 1}),), ()), b=(Call(100, answer="fail"),))

    assert kinds(run, "a") == ["Flowed", "Cancelled"]
    assert (run.calls["a", "cycle"], run.water()) == (0, {"x": 1})


@pytest.mark.promise("5.9")
def test_what_a_cancelled_river_raised_is_kept_as_its_cause() -> None:
    run = ran(beside((river("a"),), (river("b"),)), a=(raised(BOOM, 500),), b=(Call(100, answer="fail"),))

    failure = record(run).failure
    assert failure is not None
    assert failure.exception == "app.Boom"


def test_a_failure_of_another_kind_is_the_same_in_all_else() -> None:
    failure = Failure("error", "no", "a", 3, "code", "app.Boom", BOOM, "Traceback", Failure("timeout", "slow"))

    told = rewrite(failure, "retries-exhausted")

    assert told.kind == "retries-exhausted"
    assert rewrite(told, "error") == failure

"""How does a fact change the progress?"""

import pytest
from hypothesis import given, settings

from tests.course.driver import UID, Run
from tests.course.flows import FAIL, basin, beside, drawn, ran, river
from tests.course.scripts import Case, cases
from tests.course.snapshots import snapshot
from vastflow.course import Fact, Progress, fold
from vastflow.course.delta import spring
from vastflow.course.facts import Entered, Flowed, Joined, Outcome, Started
from vastflow.errors import CourseError


def begun(case: Case) -> Progress:
    return fold(Progress(case.chart, UID, spring({})), [Fact(5, "", 1, 0, Started())])


@pytest.mark.promise("10.1")
@settings(max_examples=50)
@given(cases())
def test_folding_the_facts_one_by_one_or_at_once_is_the_same_and_decides_nothing(drawn_case: Case) -> None:
    run = Run(drawn_case, check=False)
    single = run.fresh()

    for fact in run.facts:
        fold(single, [fact])

    assert snapshot(single) == snapshot(fold(run.fresh(), run.facts)) == snapshot(run.progress)
    assert (list(single.begins), single.ends) == ([], [])


def test_facts_are_counted_and_the_latest_time_is_kept() -> None:
    run = ran(river("a"))

    assert (run.progress.number, run.progress.last) == (len(run.facts), run.facts[-1].at)


def test_the_failures_of_all_streams_stand_under_their_addresses() -> None:
    run = ran(beside((river("a"),), (basin("east", river("b")),), max_failures=2), a=(FAIL,), east_b=(FAIL,))

    assert {address: failure.address for address, failure in run.progress.failures.items()} == {
        "a": "a",
        "east/b": "east/b",
        "east": "east",
    }


@pytest.mark.parametrize(
    ("address", "what", "message"),
    [
        pytest.param("nowhere", Flowed(), "'nowhere', which was not reached", id="unknown"),
        pytest.param("beside", Flowed(), "'beside' for a RiverRecord", id="a join is no river"),
        pytest.param("a", Joined(), "'a' for a JoinRecord", id="a river is no join"),
        pytest.param("a", Entered(), "'a' for a BasinRecord", id="a river is no basin"),
        pytest.param(
            "beside", Joined((0, 2)), r"branches \(0, 2\) of 'beside', which has 2: the journal", id="no branch"
        ),
        pytest.param("", Started(), "a flow cannot move from running to running", id="started twice"),
    ],
)
def test_a_fact_that_cannot_follow_is_refused_by_name(address: str, what: Flowed, message: str) -> None:
    progress = begun(drawn(beside((river("a"),), (river("b"),))))

    with pytest.raises(CourseError, match=message):
        fold(progress, [Fact(6, address, 1, 1, what)])


def test_an_outcome_is_never_changed() -> None:
    run = ran(river("a"))

    with pytest.raises(CourseError, match="the outcome fail, but the round has had one: the journal was changed"):
        fold(run.progress, [Fact(99, "", 1, 0, Outcome("fail"))])

"""Does a flow end rightly wherever its process dies?"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.course.deaths import assert_ended_once, assert_nothing_done_twice, assert_survived, calm, differences
from tests.course.driver import MICRO, Run
from tests.course.flows import basin, beside, drawn, polled, river
from tests.course.scripts import Call, Case, case, cases
from vastflow.drawing.chart import Waits

SHARE = 1_000  # seeds of one slow test

deaths = st.dictionaries(st.integers(1, 40), st.integers(0, 4), min_size=1, max_size=4)
absences = st.sampled_from((0, 1, 777_777, 100 * MICRO))


@pytest.mark.timeout(600)
@pytest.mark.promise("10.1", "10.5")
@settings(max_examples=300)
@given(cases(), deaths, absences)
def test_wherever_the_process_dies_the_flow_ends_once_and_does_nothing_twice(
    each: Case, died: dict[int, int], away: int
) -> None:
    run = Run(each, died, away=away)

    assert_ended_once(run)
    assert_nothing_done_twice(run)


@pytest.mark.timeout(600)
@pytest.mark.promise("10.1", "10.5", "10.10")
@settings(max_examples=300)
@given(cases(), deaths, absences)
def test_where_time_changes_nothing_neither_does_a_death(each: Case, died: dict[int, int], away: int) -> None:
    run = Run(calm(each), died, away=away, check=False)

    assert differences(run) == {}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.promise("10.1", "10.5", "10.10")
@pytest.mark.parametrize("first", range(0, 4_000, SHARE))
def test_thousands_of_flows_survive_their_deaths(first: int) -> None:
    died = [assert_survived(case(seed), seed) for seed in range(first, first + SHARE)]

    print(f"{SHARE} cases, {sum(died)} deaths")  # noqa: T201 - a figure to report
    assert sum(map(bool, died)) > 0.9 * SHARE


NESTED = (
    beside(
        (beside((river("a", retry=Waits(1)),), (basin("east", polled("b"), outputs={"b": "b"}),), name="inner"),),
        (beside((river("c"),), (beside((river("d"),), name="deepest"),), name="other"), river("e")),
        name="outer",
    ),
    river("f"),
)


@pytest.mark.promise("10.1", "10.5", "10.10")
@pytest.mark.parametrize("failing", ["", "a", "east_b", "d", "f"])
def test_wherever_the_journal_of_a_nested_flow_is_cut_it_ends_once_and_as_without_a_death(failing: str) -> None:
    names = ("a", "east_b", "c", "d", "e", "f")
    calls = {name: (Call(100 * number, {name[-1]: number}),) for number, name in enumerate(names, 1)}
    calls |= {failing: (Call(50, answer="fail"),)} if failing else {}
    whole = drawn(*NESTED, **calls)
    end = Run(whole)

    for step in range(1, end.steps + 1):
        for kept in range(6):
            run = Run(whole, {step: kept, step + 1: kept}, check=False)
            assert_ended_once(run)
            assert_nothing_done_twice(run)
            assert (run.progress.outcome, run.progress.failures) == (end.progress.outcome, end.progress.failures)
            assert failing or run.water() == end.water()

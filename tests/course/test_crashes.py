"""Does a flow end rightly wherever its process dies?"""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.course.deaths import (
    AWAY,
    assert_ended_once,
    assert_nothing_done_twice,
    assert_sound,
    assert_survived,
    rounds,
)
from tests.course.driver import Run
from tests.course.flows import basin, beside, drawn, each, polled, river
from tests.course.scripts import Call, case
from vastflow.course.facts import Doubted, Failed, Poisoned, Spared
from vastflow.drawing.chart import Waits

SHARE = 500  # seeds of one slow test
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a number says all

seeds = st.integers(10_000, 1 << 40)
deaths = st.dictionaries(st.integers(1, 60), st.integers(0, 4), min_size=1, max_size=4)


@pytest.mark.timeout(600)
@pytest.mark.promise("7.2", "7.3", "10.1", "10.3", "10.5")
@settings(max_examples=150, phases=PHASES)
@given(seeds, deaths, st.sampled_from(AWAY), st.booleans())
def test_wherever_the_process_dies_the_flow_ends_once_and_does_nothing_twice(
    seed: int,
    died: dict[int, int],
    away: int,
    orderly: bool,  # noqa: FBT001  # drawn, not chosen
) -> None:
    assert_sound(Run(case(seed), died, away=away, orderly=orderly))


@pytest.mark.timeout(600)
@pytest.mark.promise("10.1", "10.5", "10.10")
@settings(max_examples=100, phases=PHASES)
@given(seeds)
def test_where_time_changes_nothing_neither_does_a_death(seed: int) -> None:
    assert_survived(case(seed), seed)


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
        (
            beside(
                (river("a", "undo", retry=Waits(1)),), (basin("east", polled("b"), outputs={"b": "b"}),), name="inner"
            ),
        ),
        (beside((river("c"),), (beside((river("d", "undo"),), name="deepest"),), name="other"), river("e")),
        name="outer",
    ),
    each("files", "list", river("g", "undo"), river("h"), limit=2, collect={"g": "all"}, max_failures=1),
    basin("west", river("k", "undo"), river("l"), retry=Waits(1), continue_on_failure=True),
    river("f"),
)


@pytest.mark.timeout(300)
@pytest.mark.promise("10.1", "10.5", "10.10")
@pytest.mark.parametrize("failing", ["", "a", "east_b", "d", "f", "files_h", "west_l"])
def test_wherever_the_journal_of_a_nested_flow_is_cut_it_ends_once_and_as_without_a_death(failing: str) -> None:
    names = ("a", "east_b", "c", "d", "e", "f", "files_g", "files_h", "west_k", "west_l")
    calls: dict[str, tuple[Call, ...]] = {
        name: (Call(100 * number, {name[-1]: number}),) for number, name in enumerate(names, 1)
    }
    calls |= {failing: (Call(50, answer="fail"),) * 9} if failing else {}
    whole = drawn(*NESTED, water={"list": [1, 2, 3]}, **calls)
    end = Run(whole)

    for step in range(1, end.steps + 1):
        for kept in range(6):
            run = Run(whole, {step: kept, step + 1: kept}, check=False)
            assert_ended_once(run)
            assert_nothing_done_twice(run)
            assert (run.progress.outcome, run.progress.failures) == (end.progress.outcome, end.progress.failures)
            assert failing or run.water() == end.water()


@pytest.mark.promise("4.8", "10.3")
def test_a_body_whose_begin_is_on_disk_and_whose_end_is_not_is_in_doubt() -> None:
    asked = drawn(river("a", "reconcile"), a={"flow": (Call(100),), "reconcile": (Call(5, {"x": 1}),)})
    once = drawn(river("a", at_most_once=True), a=(Call(100),))

    known, unknown = Run(asked, {2: 0}), Run(once, {3: 0})

    assert [type(fact.what).__name__ for fact in known.facts][2:4] == ["Doubted", "Flowed"]
    assert (known.water(), known.calls["a", "flow"], len([1 for each in known.called if each.body == "flow"])) == (
        {"x": 1},
        0,
        1,
    )
    assert unknown.progress.failures["a"].kind == "in-doubt"
    assert [type(fact.what) for fact in known.facts if isinstance(fact.what, Doubted | Failed)] == [Doubted]


@pytest.mark.promise("4.10")
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_body_that_is_interrupted_too_often_while_it_runs_strands_its_flow(limit: int) -> None:
    slow = drawn(river("a", at_most_once=False), river("b"), a=(Call(100),))

    run = Run(slow, dict.fromkeys(range(2, 60, 3), 0), crash_limit=limit)  # each answer is lost

    assert isinstance(run.facts[-1].what, Poisoned)
    assert run.progress.poison is not None
    assert run.progress.poison.kind == "poison"


@pytest.mark.promise("4.10", "11.4")
def test_an_orderly_close_is_no_interruption() -> None:
    slow = drawn(river("a"), river("b"), a=(Call(100),))

    run = Run(slow, dict.fromkeys(range(2, 40, 2), 5), orderly=True, crash_limit=1)

    assert [type(fact.what) for fact in run.facts].count(Poisoned) == 0
    assert Spared in {type(fact.what) for fact in run.facts}


def test_rounds_are_told_apart() -> None:
    assert len(list(rounds(Run(drawn(river("a")))))) == 1

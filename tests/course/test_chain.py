"""What comes after what, and how is an end carried upward?"""

import pytest

from tests.course.flows import FAIL, RETRY, basin, beside, kinds, ran, river
from tests.course.scripts import Call
from vastflow.course import events, step
from vastflow.course.chain import ask_again
from vastflow.drawing.chart import Waits


@pytest.mark.promise("7.1")
def test_a_chain_runs_one_stream_after_another_and_carries_the_water_on() -> None:
    run = ran(
        river("a"), river("b"), river("c"), a=(Call(10, {"x": 1}),), b=(Call(5, {"x": 2}),), c=(Call(1, {"y": 3}),)
    )

    assert [fact.address for fact in run.facts if fact.address] == ["a", "b", "c", "~"]
    assert run.water() == {"x": 2, "y": 3}


@pytest.mark.promise("7.1")
def test_a_stream_that_fails_for_good_ends_its_chain_and_the_flow() -> None:
    run = ran(river("a"), river("b"), a=(FAIL,))

    assert "b" not in run.progress.records
    assert (run.progress.outcome, run.progress.failure) == ("fail", run.progress.failures["a"])


@pytest.mark.promise("7.1")
def test_a_failure_stops_at_a_join_that_tolerates_it() -> None:
    run = ran(
        beside((beside((river("a"),), (river("b"),), name="inner"), river("c")), (river("d"),), max_failures=1),
        river("e"),
        a=(FAIL,),
    )

    assert run.progress.outcome == "success"
    assert "c" not in run.progress.records
    assert run.progress.records["e"].state == "success"
    assert list(run.progress.failures) == ["a"]


@pytest.mark.promise("6.3", "7.1", "5.9")
def test_a_failed_basin_is_one_failed_stream_with_the_rivers_failure_as_cause() -> None:
    run = ran(basin("east", river("a"), river("b")), river("c"), east_a=(Call(10, answer="bad"),))

    failure = run.progress.failures["east"]
    assert (failure.kind, failure.address, failure.cause) == ("bad-return", "east", run.progress.failures["east/a"])
    assert run.progress.failure == failure
    assert {"east/b", "c"}.isdisjoint(run.progress.records)


@pytest.mark.promise("8.2")
def test_the_sea_gets_what_ended_branches_left_even_of_joins_that_did_not_pass_the_later_drawn_winning() -> None:
    inner = beside((river("a"), river("b")), (river("c"),), name="inner")
    run = ran(
        river("first"),
        beside((inner,), (river("d"),)),
        first=(Call(1, {"w": 1}),),
        a=(Call(10, {"x": 1, "y": 1}),),
        b=(FAIL,),
        c=(Call(30, {"x": 2}, drops=("w",)),),
        d=(Call(40, {"z": 3}),),
    )

    assert run.water() == {"x": 2, "y": 1, "z": 3}


@pytest.mark.promise("10.10")
def test_what_is_live_is_asked_again_and_what_ended_is_not() -> None:
    run = ran(beside((river("a"),), (river("b"),)), river("c"))

    ask_again(run.progress, run.progress.root)

    assert list(run.progress.begins) == []
    assert step(run.progress, events.Closing(run.now), run.rules) == ([], [])


def test_a_cancel_reaches_what_is_nested_in_what_is_cancelled() -> None:
    run = ran(
        beside(
            (basin("east", beside((river("a", retry=Waits(1)),), (basin("in", river("b")),))),), (river("c"),), name="p"
        ),
        east_a=(RETRY,),
        east_in_b=(Call(900),),
        c=(Call(100, answer="fail"),),
    )

    assert [kinds(run, each)[-1] for each in ("east/a", "east/in/b", "east/in", "east/beside", "east")] == [
        "Cancelled",
        "Flowed",
        "Left",
        "Cancelled",
        "Cancelled",
    ]


def test_the_water_of_a_chain_that_goes_well_is_its_own() -> None:
    run = ran(river("a"), a=(Call(10, {"x": 1}),))

    assert run.progress.water is run.progress.root.tip
    assert ran(river("a"), a=(FAIL,)).progress.water is not run.progress.root.tip

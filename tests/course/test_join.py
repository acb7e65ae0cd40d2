"""When does a parallel river pass, and when does it fail?"""

import pytest

from tests.course.driver import Run
from tests.course.flows import FAIL, RETRY, beside, drawn, facts_of, kinds, polled, ran, river
from tests.course.scripts import Call
from vastflow.course.facts import Cancelled, Conflicted, Failed, Failing, Joined
from vastflow.course.join import consider_join
from vastflow.course.records import JoinRecord
from vastflow.drawing.chart import Waits


def join(run: Run, address: str = "beside") -> JoinRecord:
    record = run.progress.records[address]
    assert isinstance(record, JoinRecord)
    return record


@pytest.mark.promise("6.1")
def test_a_join_passes_when_the_last_branch_has_ended_and_once() -> None:
    run = ran(beside((river("a"),), (river("b"), river("c"))), a=(Call(500),), b=(Call(10),), c=(Call(20),))

    assert facts_of(run.facts, "beside") == [Joined((0, 1))]
    assert kinds(run)[-4:] == ["Flowed", "Joined", "Outcome", "Ended"]
    assert run.now == 500 + 7


@pytest.mark.promise("5.6")
def test_every_branch_starts_from_the_water_at_the_fork() -> None:
    run = ran(
        river("a"),
        beside((river("b"),), (river("c"), river("d"))),
        a=(Call(5, {"x": 1}),),
        b=(Call(10, {"y": 1}),),
        c=(Call(20, drops=("x", "y")),),
        d=(Call(20, {"z": 1}, drops=("x",)),),
    )

    assert run.water() == {"y": 1, "z": 1}


@pytest.mark.promise("6.1")
@pytest.mark.parametrize(
    ("most", "branches", "fatal"),
    [(0, 2, 1), (1, 3, 2), (2, 3, 3), (0.5, 4, 3), (0.25, 4, 2), (0.24, 4, 1), (0.3, 10, 4), (0.29, 100, 30)],
)
def test_a_join_fails_when_more_branches_failed_than_are_tolerated(most: float, branches: int, fatal: int) -> None:
    names = [f"r{number}" for number in range(branches)]
    streams = beside(*((river(name),) for name in names), max_failures=most)

    def outcome(failing: int) -> str:
        calls = {name: (Call(10 + number, answer="fail"),) for number, name in enumerate(names[:failing])}
        return ran(streams, **calls).progress.outcome

    assert (outcome(fatal - 1), outcome(fatal)) == ("success", "fail")


@pytest.mark.promise("6.1")
def test_one_failure_too_many_cancels_the_others_and_waits_until_all_have_ended() -> None:
    run = ran(
        beside(
            (river("runs"), river("next")),
            (river("waits", retry=Waits(1)),),
            (polled("polls"),),
            (river("fails"),),
            (river("ended"),),
        ),
        runs=(Call(500, {"x": 1}),),
        waits=(RETRY,),
        fails=(Call(100, answer="fail"),),
        ended=(Call(90),),
    )

    assert [type(what) for what in facts_of(run.facts, "beside")] == [Failing, Failed]
    assert facts_of(run.facts, "beside")[0] == Failing(run.progress.failures["fails"], (0, 1, 2))
    assert [kinds(run, name)[-1] for name in ("runs", "next", "waits", "polls")] == ["Flowed"] + ["Cancelled"] * 3
    assert [fact.at for fact in run.facts if fact.address == "beside"] == [100, 500]


@pytest.mark.promise("6.1")
def test_a_join_fails_with_the_cause_that_came_first_even_if_its_branch_ended_last() -> None:
    inner = beside((river("a"),), (river("b"),), name="inner")
    run = ran(beside((inner,), (river("c"),)), a=(FAIL,), b=(Call(500),), c=(Call(50, answer="fail"),))

    failing, failed = facts_of(run.facts, "beside")

    assert isinstance(failing, Failing)
    assert isinstance(failed, Failed)
    assert (failing.failure.address, failed.failure.address) == ("c", "a")
    assert run.progress.failure == run.progress.failures["a"]


@pytest.mark.promise("6.1", "7.1")
def test_a_failure_within_is_carried_through_nested_joins_with_its_cause() -> None:
    inner = beside((river("a"),), (river("b"),), name="inner")
    run = ran(beside((inner,), (river("c"),)), a=(FAIL,), b=(Call(20, answer="fail"),), c=(Call(15, answer="fail"),))

    assert [type(what) for what in facts_of(run.facts, "inner")] == [Failing, Failed]
    assert join(run).first == run.progress.failures["a"]
    assert kinds(run, "b") == ["Cancelled"]


@pytest.mark.promise("6.1")
def test_a_join_in_a_cancelled_part_ends_as_cancelled() -> None:
    inner = beside((river("a"),), (river("b"),), name="inner")
    run = ran(
        beside((inner,), (river("c"),)), a=(Call(30),), b=(Call(500, answer="fail"),), c=(Call(40, answer="fail"),)
    )

    assert facts_of(run.facts, "inner") == [Cancelled()]
    assert kinds(run, "b") == ["Cancelled"]


@pytest.mark.promise("6.1")
def test_only_branches_that_succeeded_are_merged() -> None:
    run = ran(
        beside((river("a"), river("b")), (river("c"),), max_failures=1),
        a=(Call(10, {"x": 1, "y": 1}),),
        b=(FAIL,),
        c=(Call(50, {"x": 2}),),
    )

    assert facts_of(run.facts, "beside") == [Joined((1,))]
    assert run.water() == {"x": 2}


@pytest.mark.promise("5.6")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(Call(5, {"x": 1}), Call(6, {"x": 2}), id="two values"),
        pytest.param(Call(5, {"x": 1}), Call(6, {"x": True}), id="equal in Python, other bytes"),
        pytest.param(Call(5, {"x": 1}), Call(6, drops=("x",)), id="a delete is a value"),
        pytest.param(Call(5, drops=("x",)), Call(6, {"x": 1}), id="whoever deleted it"),
    ],
)
def test_two_branches_that_wrote_one_key_differently_are_a_conflict(one: Call, other: Call) -> None:
    run = ran(beside((river("a"),), (river("b"),)), water={"x": 0}, a=(one,), b=(other,))

    assert [type(what) for what in facts_of(run.facts, "beside")] == [Conflicted]
    assert run.progress.failures["beside"].kind == "conflict"


@pytest.mark.promise("5.6")
@pytest.mark.parametrize(
    ("one", "other", "water"),
    [
        pytest.param(
            Call(5, {"x": {"a": 1, "b": 2}}), Call(6, {"x": {"b": 2, "a": 1}}), {"x": {"a": 1, "b": 2}}, id="order"
        ),
        pytest.param(Call(5, {"x": 1}), Call(6, {"x": 0}), {"x": 1}, id="what is there is no change"),
        pytest.param(Call(5, drops=("x",)), Call(6, drops=("x",)), {}, id="both deleted it"),
    ],
)
def test_what_is_the_same_is_no_conflict(one: Call, other: Call, water: dict[str, object]) -> None:
    run = ran(beside((river("a"),), (river("b"),)), water={"x": 0}, a=(one,), b=(other,))

    assert facts_of(run.facts, "beside") == [Joined((0, 1))]
    assert run.water() == water


@pytest.mark.promise("5.6")
def test_a_conflict_names_key_both_addresses_both_values_and_what_to_do() -> None:
    run = ran(
        beside((river("a"),), (river("b"), river("c"))),
        water={"x": 0},
        a=(Call(5, {"x": "n" * 200}),),
        b=(Call(6, {"x": 7}),),
        c=(Call(6, drops=("x",)),),
    )

    message = run.progress.failures["beside"].message
    assert message.startswith("beside: two branches wrote water['x'] differently: a wrote \"nnn")
    assert "nnn...; c deleted it. Let each write a key of its own" in message
    assert 'on_conflict="last"' in message
    assert len(message) < 400


@pytest.mark.promise("5.6", "12.5")
def test_a_conflict_over_a_hidden_key_shows_no_value() -> None:
    run = ran(beside((river("a"),), (river("b"),)), a=(Call(5, {"token": 1}),), b=(Call(6, {"token": "s3cret"}),))
    rules = type(run.rules)(run.rules.ticket, hidden=lambda key: key == "token")
    record = join(run)
    record.state = "running"

    what = consider_join(run.progress, record, rules)

    assert isinstance(what, Conflicted)
    assert "a wrote *****; b wrote *****" in what.failure.message
    assert "s3cret" not in what.failure.message


@pytest.mark.promise("5.6")
def test_the_later_drawn_wins_if_so_drawn_whichever_ended_last() -> None:
    run = ran(
        beside((river("a"),), (river("b"),), on_conflict="last"),
        water={"x": 0, "y": 0},
        a=(Call(500, {"x": 1, "y": 1}),),
        b=(Call(6, {"x": 2}, drops=("y",)),),
    )

    assert run.water() == {"x": 2}


@pytest.mark.promise("5.6")
def test_a_nested_join_is_merged_as_one_writer() -> None:
    inner = beside((river("a"),), (river("b"),), name="inner", on_conflict="last")
    run = ran(
        beside((inner, river("c")), (river("d"),), on_conflict="fail"),
        a=(Call(5, {"x": 1}),),
        b=(Call(6, {"x": 2}),),
        c=(Call(6, {"z": 3}),),
        d=(Call(6, {"x": 2}),),
    )

    assert run.water() == {"x": 2, "z": 3}


@pytest.mark.promise("6.1")
def test_a_fan_of_a_thousand_is_joined() -> None:
    names = [f"r{number}" for number in range(1_000)]
    calls = {name: (Call(10, {name: 1}),) for name in names}

    run = Run(drawn(beside(*((river(name),) for name in names)), **calls), check=False)

    assert run.water() == dict.fromkeys(names, 1)
    assert len(run.facts) == 1_000 + 4

"""How does an `each` spread over the elements of a list, and what does it collect?"""

from typing import Any

import pytest

from tests.course.flows import beside, each, ran, river
from tests.course.live import Live
from tests.course.scripts import Call
from vastflow.course import Fact, events
from vastflow.course.apply import apply
from vastflow.course.facts import Begun, Expanded, Retrying, Undone
from vastflow.errors import CourseError, Failure


@pytest.mark.promise("6.2")
@pytest.mark.parametrize("items", [[1, 2], (1, 2), {1, 2}, frozenset({1, 2}), []])
def test_there_is_one_branch_for_each_element(items: Any) -> None:
    run = ran(each("a", "list", river("a"), collect={"item": "all"}), water={"list": items})

    assert next(fact.what for fact in run.facts if fact.address == "a") == Expanded(len(items))
    assert sorted(run.water()["all"]) == sorted(items)


@pytest.mark.promise("6.2")
@pytest.mark.parametrize("water", [{}, {"list": 7}, {"list": {"a": 1}}, {"list": "text"}])
def test_what_is_no_list_fails_it(water: dict[str, Any]) -> None:
    run = ran(each("a", "list", river("a")), water=water)

    assert run.progress.failures["a"].kind == "error"
    assert "nothing to spread over" in run.progress.failures["a"].message


@pytest.mark.promise("6.2")
def test_what_failed_or_is_missing_is_collected_as_none() -> None:
    run = ran(
        each("a", "list", river("a"), collect={"x": "all"}, max_failures=1),
        water={"list": [1, 2, 3]},
        scripts={"a[0]": (Call(9, {"x": 5}),), "a[1]": (Call(5, answer="fail"),)},
    )

    assert run.water()["all"] == [5, None, None]


@pytest.mark.promise("5.3", "6.2")
def test_what_is_collected_and_too_large_fails_it() -> None:
    spread = each("a", "list", river("a"), collect={"item": "all"})
    live = Live(spread, water={"list": [1]}, refusal=lambda _: "too large")
    live.begin()

    assert live.answer("a[0]", events.Done())[:2] == ["Flowed", "Failed"]
    assert "cannot be kept: too large" in live.progress.failures["a"].message


@pytest.mark.parametrize(
    ("address", "what", "message"),
    [
        pytest.param("pair", Expanded(3), "'pair' for an EachPlace", id="a parallel river is no each"),
        pytest.param("pair", Retrying(5, Failure("error", "no")), "'pair' for a RiverRecord", id="and no river"),
        pytest.param("b", Begun("undo"), "b is being undone, but by no scope", id="an undo needs a scope"),
        pytest.param("b", Undone(), "'b' cannot move from running to undone", id="and its turn"),
    ],
)
def test_a_fact_that_cannot_be_is_refused_by_name(address: str, what: Any, message: str) -> None:
    live = Live(beside((river("b"),), (river("c"),), name="pair"))
    live.begin()

    with pytest.raises(CourseError, match=message):
        apply(live.progress, Fact(5, address, 1, 1, what))

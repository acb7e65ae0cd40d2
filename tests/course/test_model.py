"""Does the reference model say what docs/semantics.md says? By examples reckoned by hand.

No test here is marked as holding a promise: the model is what the promises are held against.
"""

import ast
from collections import Counter
from typing import Any

import pytest
from hypothesis import event, given, settings

from tests.course.model import Expected, Tie, expect
from tests.course.scripts import EXCEPTIONS, Call, Calls, Case, case, cases, depth, rivers
from tests.house.source import ROOT, code_lines, imports, parsed
from vastflow.drawing.chart import Anchor, BasinPlace, Chain, Chart, Mouth, ParallelPlace, Place, RiverPlace, Waits

SECOND = 1_000_000
BOOM, _, _, KEY_ERROR, SYSTEM_EXIT = EXCEPTIONS
RETRY, FAIL, CONTINUE, BAD = (Call(10, answer=answer) for answer in ("retry", "fail", "continue", "bad"))


def river(name: str, anchor: Anchor | None = None, *, polled: bool = False) -> RiverPlace:
    return RiverPlace(name, "app.River", ("flow", "cycle") if polled else ("flow",), anchor or Anchor())


def beside(*branches: Chain, **how: Any) -> ParallelPlace:
    return ParallelPlace("beside", branches, **how)


def told(*streams: Place, **rest: Any) -> Expected:
    """Ask the model about a flow whose bodies are named by keyword, `a_b` for the address `a/b`."""
    fields = {key: rest.pop(key) for key in ("water", "added", "atlantic") if key in rest}
    mouth = rest.pop("mouth", Mouth("sea", "app.Sea"))
    scripts: dict[str, tuple[Calls, Calls]] = dict.fromkeys(rivers(streams), ((), ()))
    for name, calls in rest.items():
        scripts[name.replace("_", "/")] = calls if calls and isinstance(calls[0], tuple) else (calls, ())
    return expect(Case(Chart("flow", "app.Water", streams, mouth), scripts=scripts, **fields))


def raised(types: tuple[str, ...], duration: int = 10) -> Call:
    return Call(duration, answer="raise", types=types)


def test_a_chain_carries_the_water_on_and_ends_in_success() -> None:
    end = told(river("a"), river("b"), a=(Call(10, {"x": 1, "y": 1}),), b=(Call(20, {"y": 2}, drops=("x",)),))

    assert (end.outcome, end.failure, end.state, end.water) == ("success", None, "success", {"y": 2})
    assert end.rivers == {"a": ("success", 1, 0), "b": ("success", 1, 0)}
    assert (end.atlantic, end.ended_at) == (["success"], 10 + 20 + 7)


def test_a_failed_river_ends_its_chain_and_the_flow() -> None:
    end = told(river("a"), river("b"), a=(Call(10, {"x": 1}, answer="fail"),))

    assert (end.outcome, end.failure, end.state) == ("fail", ("error", "a"), "fail")
    assert end.failures == {"a": "error"}
    assert end.rivers == {"a": ("fail", 1, 0), "b": ("init", 0, 0)}
    assert (end.water, end.atlantic) == ({}, ["fail"])


def test_attempts_wait_longer_each_time_and_what_they_wrote_is_dropped() -> None:
    anchor = Anchor(retry=Waits(3, 1.0, 2.0, 3.0))
    calls = (Call(10, {"x": 1}, answer="retry"), raised(BOOM), RETRY, Call(10))

    end = told(river("a", anchor), a=calls)

    assert (end.outcome, end.water, end.rivers) == ("success", {}, {"a": ("success", 4, 0)})
    assert end.ended_at == 40 + 7 + (1 + 2 + 3) * SECOND


def test_an_after_takes_the_place_of_one_wait() -> None:
    end = told(river("a", Anchor(retry=Waits(2))), a=(Call(10, answer="retry", after=5), RETRY))

    assert end.ended_at == 10 + 5 + 10 + 2 * SECOND + 7 + 7


@pytest.mark.parametrize(
    ("calls", "times", "kind"),
    [
        pytest.param((RETRY,), 0, "error", id="no retry was drawn"),
        pytest.param((RETRY, RETRY), 1, "retries-exhausted", id="a retry was made"),
        pytest.param((raised(BOOM), raised(BOOM)), 1, "retries-exhausted", id="of an exception"),
        pytest.param((RETRY, FAIL), 1, "error", id="failed after a retry"),
        pytest.param((FAIL,), 9, "error", id="Fail is not tried again"),
        pytest.param((raised(SYSTEM_EXIT),), 9, "error", id="not in retry_on"),
        pytest.param((raised(KEY_ERROR),), 9, "error", id="fail_on wins"),
        pytest.param((BAD,), 9, "bad-return", id="returned something"),
        pytest.param((CONTINUE,), 9, "bad-return", id="Continue from flow"),
    ],
)
def test_a_river_fails_by_kind(calls: Calls, times: int, kind: str) -> None:
    end = told(river("a", Anchor(retry=Waits(times), fail_on=("builtins.LookupError",))), a=calls)

    assert end.failures == {"a": kind}
    assert end.rivers["a"] == ("fail", len(calls), 0)


def test_polls_stand_on_a_schedule_and_keep_what_they_wrote() -> None:
    polls = (Call(300_000, {"x": 1}, answer="continue"), Call(10, {"y": 1}))

    end = told(river("a", Anchor(cycle_interval=1.0), polled=True), a=((Call(50),), polls))

    assert end.ended_at == 50 + 2 * SECOND + 10 + 7
    assert (end.water, end.rivers["a"]) == ({"x": 1, "y": 1}, ("success", 1, 2))


def test_a_poll_longer_than_its_interval_skips_positions() -> None:
    polls = (Call(2 * SECOND + 1, answer="continue"), Call(10))

    end = told(river("a", Anchor(cycle_interval=1.0), polled=True), a=((Call(50),), polls))

    assert end.ended_at == 50 + 4 * SECOND + 10 + 7


def test_intervals_of_polls_grow_to_their_bound() -> None:
    anchor = Anchor(cycle_interval=1.0, cycle_backoff=2.0, cycle_max_interval=3.0)

    end = told(river("a", anchor, polled=True), a=((Call(50),), (CONTINUE, CONTINUE, CONTINUE)))

    assert end.ended_at == 50 + (1 + 2 + 3 + 3) * SECOND + 7 + 7


def test_an_after_and_a_failed_poll_leave_the_schedule_as_it_is() -> None:
    anchor = Anchor(cycle_interval=1.0, cycle_backoff=2.0)
    polls = (Call(10, answer="continue", after=5), CONTINUE, raised(BOOM), CONTINUE)

    end = told(river("a", anchor, polled=True), a=((Call(50),), polls))

    assert end.rivers["a"] == ("success", 1, 5)  # due after 1 s, 5 microseconds later, then after 3 s, 7 s and 15 s
    assert end.ended_at == 50 + (1 + 2 + 4 + 8) * SECOND + 7 + 7


@pytest.mark.parametrize(
    ("polls", "kind"),
    [
        pytest.param((CONTINUE,) * 5, "cycles-exhausted", id="out of polls"),
        pytest.param((raised(BOOM), CONTINUE, raised(BOOM), CONTINUE, raised(BOOM)), "cycles-exhausted", id="one more"),
        pytest.param((raised(BOOM),) * 2, "error", id="two in a row"),
        pytest.param((CONTINUE, FAIL), "error", id="Fail"),
        pytest.param((raised(KEY_ERROR),), "error", id="fail_on"),
        pytest.param((raised(SYSTEM_EXIT),), "error", id="unlisted"),
        pytest.param((BAD,), "bad-return", id="returned something"),
        pytest.param((RETRY,), "error", id="Retry without a budget"),
    ],
)
def test_a_cycle_fails_by_kind(polls: Calls, kind: str) -> None:
    anchor = Anchor(cycle_times=5, cycle_errors=1, fail_on=("builtins.LookupError",))

    end = told(river("a", anchor, polled=True), a=((), polls))

    assert end.failures == {"a": kind}
    assert end.rivers["a"] == ("fail", 1, len(polls))


def test_a_retry_from_a_cycle_goes_back_to_flow_and_polls_start_anew() -> None:
    anchor = Anchor(retry=Waits(2), cycle_interval=1.0, cycle_times=2)
    flow, cycle = (Call(10), raised(BOOM), Call(10)), (CONTINUE, RETRY, CONTINUE)

    end = told(river("a", anchor, polled=True), a=(flow, cycle))

    assert end.rivers["a"] == ("success", 3, 4)
    assert end.ended_at == 10 + 2 * SECOND + 10 + SECOND + 10 + 2 * SECOND + 10 + 2 * SECOND + 7 + 7


def test_branches_start_from_the_fork_and_are_merged() -> None:
    end = told(
        river("a"),
        beside((river("b"), river("c")), (river("d"),)),
        a=(Call(1, {"x": 1, "z": 1}),),
        b=(Call(5, {"x": 2}),),
        c=(Call(6, {"x": 3}),),
        d=(Call(30, {"y": 3}, drops=("z",)),),
    )

    assert (end.water, end.ended_at) == ({"x": 3, "y": 3}, 1 + 30 + 7)


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        pytest.param(Call(5, {"x": 1}), Call(6, {"x": 2}), True, id="two values"),
        pytest.param(Call(5, {"x": 1}), Call(6, {"x": 1.0}), True, id="equal, but other bytes"),
        pytest.param(Call(5, {"x": 1}), Call(6, drops=("x",)), True, id="a delete is a value"),
        pytest.param(Call(5, {"x": {"a": 1, "b": 2}}), Call(6, {"x": {"b": 2, "a": 1}}), False, id="order apart"),
        pytest.param(Call(5, {"x": 1}), Call(6, {"x": 0}), False, id="writing what is there is no change"),
        pytest.param(Call(5, drops=("x",)), Call(6, drops=("x",)), False, id="both delete"),
    ],
)
def test_branches_conflict_if_they_wrote_other_bytes(one: Call, other: Call, *, conflict: bool) -> None:
    end = told(beside((river("a"),), (river("b"),)), water={"x": 0}, a=(one,), b=(other,))

    assert end.failure == (("conflict", "beside") if conflict else None)
    assert {state for state, _, _ in end.rivers.values()} == {"success"}


def test_the_later_drawn_wins_if_so_drawn_and_in_what_fail_sees() -> None:
    written: dict[str, Any] = {"a": (Call(9, {"x": 1}),), "b": (Call(6, {"x": 2}),)}

    last = told(beside((river("a"),), (river("b"),), on_conflict="last"), **written)
    fail = told(beside((river("a"),), (river("b"),)), **written)

    assert (last.outcome, last.water) == ("success", {"x": 2})
    assert (fail.outcome, fail.water) == ("fail", {"x": 2})


def test_one_failure_too_many_cancels_the_siblings() -> None:
    names = ("fails", "runs", "raises", "refuses", "waits", "polls")
    branches = [(river(name, Anchor(retry=Waits(1)), polled=name == "polls"),) for name in names]

    end = told(
        beside(*branches, (river("done"), river("next"))),
        fails=(Call(100, answer="fail"),),
        runs=(Call(500, {"x": 1}),),
        raises=(raised(BOOM, 600),),
        refuses=(Call(550, answer="fail"),),
        waits=(RETRY,),
        polls=((Call(400, {"y": 1}),), ()),
        done=(Call(300),),
    )

    assert (end.failure, end.failures) == (("error", "fails"), {"fails": "error"})
    assert end.rivers.pop("next") == ("init", 0, 0)
    assert {name: state for name, (state, *calls) in end.rivers.items() if calls == [1, 0]} == {
        "fails": "fail",
        "runs": "success",
        "raises": "cancelled",
        "refuses": "cancelled",
        "waits": "cancelled",
        "polls": "cancelled",
        "done": "success",
    }
    assert (end.ended_at, end.water) == (600 + 7, {"x": 1, "y": 1})


def test_a_poll_that_runs_when_its_part_is_cancelled_may_still_end_well() -> None:
    polled = river("a", polled=True), river("b", polled=True)
    running = SECOND + 7
    end = told(
        beside((polled[0],), (polled[1],), (river("c"),)),
        a=((), (Call(500),)),
        b=((), (Call(600, {"x": 1}, answer="continue"),)),
        c=(Call(running + 100, answer="fail"),),
    )

    assert (end.rivers["a"], end.rivers["b"]) == (("success", 1, 1), ("cancelled", 1, 1))
    assert (end.ended_at, end.water) == (running + 600 + 7, {"x": 1})


@pytest.mark.parametrize(("most", "outcome"), [(1, "fail"), (2, "success"), (0.4, "fail"), (0.5, "success")])
def test_as_many_branches_may_fail_as_are_drawn(most: float, outcome: str) -> None:
    branches = [(river(name),) for name in "abcd"]
    calls = {name: (Call(10 + number, {name: 1}, answer="fail"),) for number, name in enumerate("ab")}

    end = told(beside(*branches, max_failures=most), **calls, c=(Call(50, {"c": 1}),), d=(Call(60),))

    assert (end.outcome, end.failures) == (outcome, {"a": "error", "b": "error"})
    assert end.failure == (None if outcome == "success" else ("error", "a"))
    assert end.water == {"c": 1}


def test_what_a_tolerated_branch_wrote_does_not_pass_the_join() -> None:
    end = told(
        beside((river("a"), river("b")), (river("c"),), max_failures=1),
        a=(Call(10, {"x": 1}),),
        b=(FAIL,),
        c=(Call(50, {"x": 2}),),
    )

    assert (end.outcome, end.water) == ("success", {"x": 2})


def test_the_first_cause_is_the_failure_that_came_first_wherever_it_was() -> None:
    inner = ParallelPlace("inner", ((river("a"),), (river("b"),)))
    end = told(beside((inner,), (river("c"),)), a=(FAIL,), b=(Call(500),), c=(Call(50, answer="fail"),))

    assert (end.failure, end.ended_at) == (("error", "a"), 500 + 7)
    assert end.failures == {"a": "error", "c": "error"}


def test_a_basin_has_its_own_water_and_lets_only_outputs_out() -> None:
    east = BasinPlace("east", (river("a"),), inputs={"x": "in"}, outputs={"vm": "east_vm", "zone": "zone"})

    end = told(
        east, water={"x": 1, "y": 2}, added={"east": {"vm": "old", "zone": "e"}}, east_a=(Call(5, {"vm": "v", "n": 1}),)
    )

    assert (end.water, end.rivers) == ({"x": 1, "y": 2, "east_vm": "v", "zone": "e"}, {"east/a": ("success", 1, 0)})


@pytest.mark.parametrize("lacking", [{"inputs": {"no": "no"}}, {"outputs": {"no": "no"}}])
def test_a_missing_input_or_output_fails_the_basin(lacking: dict[str, Any]) -> None:
    end = told(BasinPlace("east", (river("a"),), **lacking), east_a=(Call(5, {"x": 1}),))

    assert (end.failure, end.failures, end.water) == (("error", "east"), {"east": "error"}, {})
    assert end.rivers["east/a"][0] == ("init" if "inputs" in lacking else "success")


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_failed_basin_lets_nothing_out_and_fails_its_parent_unless_drawn_to_go_on(*, goes_on: bool) -> None:
    east = BasinPlace("east", (river("a"), river("b")), outputs={"x": "x"}, continue_on_failure=goes_on)

    end = told(east, river("c"), east_a=(Call(5, {"x": 1}),), east_b=(BAD,), c=(Call(5, {"c": 1}),))

    assert end.failures == {"east/b": "bad-return", "east": "bad-return"}
    assert end.failure == (None if goes_on else ("bad-return", "east"))
    assert end.water == ({"c": 1} if goes_on else {})


def test_the_atlantic_is_tried_again_and_its_failure_leaves_the_outcome() -> None:
    mouth = Mouth("sea", "app.Sea", Waits(1))
    calls = {"success": (RETRY, Call(10, {"x": 1})), "fail": (RETRY, RETRY)}

    well = told(river("a"), mouth=mouth, atlantic=calls)
    ill = told(river("a"), mouth=mouth, atlantic=calls, a=(FAIL,))
    late = told(river("a"), mouth=mouth, atlantic={"success": (FAIL,)})

    assert (well.state, well.water, well.atlantic) == ("success", {"x": 1}, ["success", "success"])
    assert (ill.outcome, ill.state, ill.failure, ill.atlantic) == ("fail", "fail", ("atlantic", "sea"), ["fail"] * 2)
    assert (late.outcome, late.state, late.failure) == ("success", "fail", ("atlantic", "sea"))
    assert well.ended_at == 7 + 10 + SECOND + 10


def test_a_case_that_leaves_the_order_open_is_refused() -> None:
    with pytest.raises(Tie):
        told(beside((river("a"),), (river("b"),)), a=(FAIL,), b=(FAIL,))


def test_the_model_is_short_and_knows_only_drawings() -> None:
    page = ROOT / "tests/course/model.py"
    ours = {name for _, name in imports(page) if name.startswith(("vastflow", "tests"))}

    assert code_lines(page) <= 150
    assert all(name.startswith(("vastflow.drawing.", "tests.course.scripts.")) for name in ours)
    assert {node.module for node in parsed(page).body if isinstance(node, ast.ImportFrom)}.isdisjoint(
        {"tests.course.scripts"}
    )


def test_a_case_is_the_same_on_every_reading() -> None:
    assert case(7) == case(7)
    assert case(7) != case(8)


def test_enough_cases_fail_and_nest_and_cancel_and_conflict() -> None:
    seen: Counter[str] = Counter()

    for drawn, end in ((drawn, expect(drawn)) for drawn in map(case, range(300))):
        states = {state for state, _, _ in end.rivers.values()}
        seen.update(
            {end.outcome, *end.failures.values(), *states, "deep" if depth(drawn.chart.streams) > 2 else "flat"}
        )

    assert seen["fail"] > 90
    assert seen["deep"] > 60
    assert min(seen[kind] for kind in ("cancelled", "conflict", "cycles-exhausted", "retries-exhausted")) > 5


@settings(max_examples=50)
@given(cases())
def test_every_case_has_an_end(drawn: Case) -> None:
    end = expect(drawn)

    event(end.outcome)
    event(f"depth {depth(drawn.chart.streams)}")
    assert end.rivers.keys() == rivers(drawn.chart.streams).keys()
    assert (end.outcome == "success") or end.failures
    assert end.atlantic

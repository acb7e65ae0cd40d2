"""Does the reference model say what docs/semantics.md says? By examples reckoned by hand.

No test here is marked as holding a promise: the model is what the promises are held against.
"""

from typing import Any

import pytest
from hypothesis import event, given, settings

from tests.course.model import Expected, Tie, expect
from tests.course.scripts import EXCEPTIONS, Call, Calls, Case, Command, Outside, case, cases, census, depth
from tests.house.source import ROOT, code_lines, imports
from vastflow.drawing.chart import (
    Anchor,
    BasinPlace,
    Chain,
    Chart,
    EachPlace,
    Mouth,
    ParallelPlace,
    Place,
    RiverPlace,
    Waits,
)

SECOND = 1_000_000
BOOM, _, _, KEY_ERROR, SYSTEM_EXIT = EXCEPTIONS
ONCE, TWICE = Waits(1, 1.0, 1.0), Waits(2, 1.0, 1.0)
UNDO = "flow undo"


def river(name: str, bodies: str = "flow", **attributes: Any) -> RiverPlace:
    return RiverPlace(name, "app.River", tuple(bodies.split()), Anchor(**attributes))


def beside(*branches: Chain, **how: Any) -> ParallelPlace:
    return ParallelPlace("beside", branches, **how)


def call(duration: int = 10, answer: Any = "none", **more: Any) -> Call:
    return Call(duration, answer=answer, **more)


def boom(duration: int = 10) -> Call:
    return Call(duration, answer="raise", types=BOOM)


def told(*streams: Place, scripts: dict[str, Any] | None = None, **fields: Any) -> Expected:
    """Ask the model about a flow; a river's script is that of all its bodies, or of `flow` alone."""
    bodies = {key: calls if isinstance(calls, dict) else {"flow": calls} for key, calls in (scripts or {}).items()}
    return expect(Case(Chart("flow", "app.Water", streams, Mouth("sea", "app.Sea")), scripts=bodies, **fields))


def last(end: Expected) -> tuple[str, tuple[str, str] | None, int]:
    return end.rounds[-1].outcome, end.rounds[-1].failure, end.rounds[-1].ended_at


def states(end: Expected) -> dict[str, str]:
    return {address: state for address, (state, _) in end.rivers.items()}


def test_a_chain_carries_the_water_on_and_ends_in_success() -> None:
    flow = {"a": (call(10, puts={"x": 1, "y": 1}),), "b": (call(20, puts={"y": 2}, drops=("x",)),)}

    end = told(river("a"), river("b"), scripts=flow)

    assert (last(end), end.water, end.atlantic) == (("success", None, 10 + 20 + 7), {"y": 2}, ["success"])
    assert end.rivers == {"a": ("success", {"flow": 1}), "b": ("success", {"flow": 1})}


# 4.1


def test_a_when_that_says_no_skips_its_river_and_keeps_what_it_wrote() -> None:
    no = {"when": (call(10, "false", puts={"x": 1}),)}

    end = told(river("a", "when flow undo"), river("b"), scripts={"a": no, "b": (call(5, "fail"),)})

    assert (end.rivers["a"], end.water, end.undos) == (("skipped", {"when": 1}), {"x": 1}, [])


def test_when_and_flow_share_one_budget_and_a_true_is_not_asked_again() -> None:
    asked = {"when": (call(10, "retry"), call(10, "true")), "flow": (boom(), call(10))}

    end = told(river("a", "when flow", retry=TWICE), scripts={"a": asked})
    out = told(river("a", "when flow", retry=ONCE), scripts={"a": asked})

    assert (last(end)[2], end.rivers["a"][1]) == (4 * 10 + 2 * SECOND + 7, {"when": 2, "flow": 2})
    assert out.failures == {"a": "retries-exhausted"}


@pytest.mark.parametrize("answer", ["none", "bad", "continue"])
def test_a_when_that_answers_neither_fails_its_river(answer: str) -> None:
    end = told(river("a", "when flow", retry=TWICE), scripts={"a": {"when": (call(10, answer),)}})

    assert (end.failures, end.rivers["a"]) == ({"a": "bad-return"}, ("fail", {"when": 1}))


# 4.2, 4.5


def test_a_timeout_is_tried_again_and_is_the_kind_when_no_retry_is_left() -> None:
    slow = {"flow": (call(2 * SECOND, puts={"x": 1}),) * 2}

    end = told(river("a", timeout=1.0, retry=ONCE, retry_on=()), scripts={"a": slow})

    assert (last(end), end.water) == (("fail", ("timeout", "a"), 3 * SECOND + 7), {})


def test_a_poll_that_times_out_is_a_failed_poll() -> None:
    polls = {"flow": (call(10),), "cycle": (call(700_000), call(700_000))}

    end = told(river("a", "flow cycle", timeout=0.5, cycle_errors=1), scripts={"a": polls})

    assert last(end) == ("fail", ("timeout", "a"), 10 + 2 * SECOND + 500_000 + 7)


def test_a_deadline_lets_go_of_a_body_and_keeps_what_it_saved() -> None:
    script = (call(5 * SECOND, puts={"y": 1}, save_at=10, saves={"x": 1}),)

    end = told(river("a", deadline=2.0), scripts={"a": script})

    assert (last(end), end.water) == (("fail", ("deadline", "a"), 2 * SECOND + 7), {"x": 1})


def test_a_save_is_seen_by_the_next_attempt() -> None:
    flow = (call(10, "retry", save_at=5, saves={"x": 1, "y": 1}, puts={"z": 1}), call(10, drops=("y",)))

    end = told(river("a", retry=ONCE), scripts={"a": flow})

    assert (last(end)[0], end.water) == ("success", {"x": 1})


# 4.8


def test_doubt_asks_reconcile_which_may_say_that_it_was_done() -> None:
    script = {"flow": (boom(),), "reconcile": (boom(), call(10, "continue", after=50), call(10, puts={"x": 1}))}

    end = told(river("a", "flow reconcile"), scripts={"a": script})

    assert (last(end), end.water) == (("success", None, 10 + 10 + SECOND + 10 + 50 + 10 + 7), {"x": 1})


def test_reconcile_may_send_back_to_flow_out_of_the_budget_and_is_asked_ten_times() -> None:
    again = {"flow": (boom(), boom()), "reconcile": (call(10, "retry"),) * 2}
    never = {"flow": (boom(),), "reconcile": (call(10, "continue", after=0),) * 20}

    end = told(river("a", "flow reconcile", retry=ONCE), scripts={"a": again})
    out = told(river("a", "flow reconcile"), scripts={"a": never})

    assert (end.failures, end.rivers["a"][1]) == ({"a": "retries-exhausted"}, {"flow": 2, "reconcile": 2})
    assert (out.failures, out.rivers["a"][1]) == ({"a": "in-doubt"}, {"flow": 1, "reconcile": 10})


def test_a_timeout_is_a_doubt_and_a_deadline_in_it_has_that_kind() -> None:
    script = {"flow": (call(2 * SECOND),), "reconcile": (call(10, "continue", after=9 * SECOND),)}

    end = told(river("a", "flow reconcile", timeout=1.0, deadline=5.0), scripts={"a": script})

    assert last(end) == ("fail", ("in-doubt", "a"), 5 * SECOND + 7)
    assert end.rivers["a"][1] == {"flow": 1, "reconcile": 1}


@pytest.mark.parametrize(("answer", "kind"), [("raise", "in-doubt"), ("retry", "error"), ("fail", "error")])
def test_at_most_once_fails_by_doubt_and_not_by_answers(answer: str, kind: str) -> None:
    flow = (call(10, answer, types=BOOM if answer == "raise" else ()),)

    end = told(river("a", at_most_once=True), scripts={"a": flow})

    assert end.failures == {"a": kind}


# 6.1


def test_one_failure_too_many_cancels_the_siblings_and_settle_does_not() -> None:
    branches = [(river("a"),), (river("b"), river("c"))]
    scripts = {"a": (call(10, "fail"),), "b": (call(20),)}

    everyone = told(beside(*branches), scripts=scripts)
    settled = told(beside(*branches, join="settle"), scripts=scripts)

    assert states(everyone) == {"a": "fail", "b": "success"}
    assert (last(everyone), states(settled)["c"]) == (("fail", ("error", "a"), 20 + 7), "success")
    assert last(settled) == ("fail", ("error", "a"), 20 + 7 + 7)


def test_what_does_not_end_well_in_a_cancelled_part_has_not_failed() -> None:
    names = "raises", "refuses", "polls"
    branches = [(river(name, "flow cycle" if name == "polls" else "flow"),) for name in names]
    scripts = {"raises": (boom(60),), "refuses": (call(50, "fail"),), "polls": (call(40, puts={"x": 1}),)}

    end = told(beside((river("a"),), *branches), scripts={"a": (call(10, "fail"),), **scripts})

    assert (states(end), end.failures) == ({"a": "fail", **dict.fromkeys(names, "cancelled")}, {"a": "error"})
    assert (end.water, last(end)[2]) == ({"x": 1}, 60 + 7)


def test_a_tolerated_branch_is_undone_at_once_and_the_join_waits_for_it() -> None:
    slow = {"flow": (call(10, puts={"x": 1}),), "undo": (call(500, puts={"u": 1}),)}

    end = told(
        beside((river("a", UNDO), river("b")), (river("c"),), max_failures=1),
        scripts={"a": slow, "b": (call(10, "fail"),), "c": (call(100, puts={"c": 1}),)},
    )

    assert (last(end), end.water) == (("success", None, 20 + 500 + 7), {"c": 1})
    assert (end.undos, end.failures) == ([(20, "a", None)], {"b": "error"})


def test_any_takes_the_first_success_and_undoes_all_others_which_have_begun() -> None:
    undo = {"undo": (call(100),)}
    end = told(
        beside((river("a", UNDO),), (river("b", UNDO),), (river("c"),), (river("d", UNDO),), join="any"),
        scripts={
            "a": {"flow": (call(10, "fail"),), **undo},
            "b": {"flow": (call(90, puts={"b": 1}),), **undo},
            "c": (call(50, puts={"c": 1}),),
            "d": {"flow": (call(70, "retry"),), **undo},
        },
    )

    assert (last(end), end.water) == (("success", None, 90 + 100 + 7), {"c": 1})
    assert states(end) == {"a": "undone", "b": "undone", "c": "success", "d": "undone"}
    assert end.undos == [(50, "a", None), (70, "d", None), (90, "b", None)]


def test_any_that_nobody_won_fails_if_one_failed_and_else_passes() -> None:
    never = {"when": (call(10, "false"),)}
    branches = (river("a", "when flow"),), (river("b"),)

    fails = told(beside(*branches, join="any"), scripts={"a": never, "b": (call(20, "fail"),)})
    passes = told(beside(branches[0], join="any"), river("c"), scripts={"a": never})

    assert last(fails) == ("fail", ("error", "b"), 20 + 7)
    assert (last(passes)[0], states(passes)) == ("success", {"a": "skipped", "c": "success"})


# 6.2


def each(*streams: Place, name: str = "e", **how: Any) -> EachPlace:
    return EachPlace(name, "list", "item", streams, **how)


def test_an_each_runs_one_branch_for_each_item_and_collects_in_their_order() -> None:
    end = told(
        each(river("e"), limit=2, collect={"x": "xs"}, max_failures=1),
        water={"list": [7, 8, 9], "x": 0},
        scripts={
            "e[0]": (call(100, puts={"x": 1}),),
            "e[1]": (call(10, "fail"),),
            "e[2]": (call(20, puts={"x": 3}),),
        },
    )

    assert (last(end), end.water) == (("success", None, 100 + 7), {"list": [7, 8, 9], "x": 0, "xs": [1, None, 3]})
    assert states(end) == {"e[0]": "success", "e[1]": "fail", "e[2]": "success"}


def test_items_that_have_not_begun_when_an_each_fails_never_begin() -> None:
    end = told(
        each(river("a"), river("b"), limit=1),
        water={"list": [1, 2, 3]},
        scripts={"e[0]/a": (call(10),), "e[1]/a": (call(10, "fail"),)},
    )

    assert (last(end), states(end)) == (
        ("fail", ("error", "e[1]/a"), 10 + 7 + 10 + 7),
        {"e[0]/a": "success", "e[0]/b": "success", "e[1]/a": "fail"},
    )


def test_an_each_is_cancelled_if_some_items_never_began() -> None:
    one_by_one = each(river("e"), limit=1)

    end = told(one_by_one, water={"list": [1, 2]}, scripts={"e[0]": (call(90),)}, outside=(Outside(50, "cancel"),))

    assert (last(end), states(end)) == (("cancelled", ("cancelled", ""), 90 + 7), {"e[0]": "success"})


@pytest.mark.parametrize(("water", "outcome"), [({"list": []}, "success"), ({"list": "no"}, "fail"), ({}, "fail")])
def test_an_empty_each_succeeds_and_what_is_no_list_fails_it(water: dict[str, Any], outcome: str) -> None:
    end = told(each(river("e")), water=water)

    assert last(end)[:2] == (outcome, None if outcome == "success" else ("error", "e"))


# 6.3


def test_a_basin_is_undone_and_tried_again_in_fresh_water() -> None:
    basin = BasinPlace("east", (river("a", UNDO), river("b")), outputs={"x": "x"}, retry=TWICE)
    a = {"flow": (call(10, puts={"x": 1}), call(10)), "undo": (call(100),)}

    end = told(basin, water={"x": 0}, scripts={"east/a": a, "east/b": (call(10, "fail"),)})

    assert (last(end), end.water) == (("success", None, 20 + 100 + SECOND + 10 + 7 + 7), {"x": 0})
    assert (end.rivers["east/a"], end.failures) == (("success", {"flow": 2, "undo": 1}), {})


def test_a_basin_that_goes_on_is_undone_after_its_last_attempt() -> None:
    basin = BasinPlace("east", (river("a", UNDO), river("b")), outputs={"x": "x"}, continue_on_failure=True)

    end = told(basin, river("c"), scripts={"east/a": (call(10, puts={"x": 1}),), "east/b": (call(10, "fail"),)})

    assert (last(end), end.water) == (("success", None, 20 + 7 + 7 + 7), {})
    assert end.failures == {"east/b": "error", "east": "error"}


# 7.2, 7.3


def test_undo_runs_one_at_a_time_in_reverse_order_of_beginning() -> None:
    end = told(
        river("a", UNDO),
        beside((river("b", UNDO),), (river("c", "when flow undo"), river("d"))),
        river("e", UNDO),
        scripts={
            "b": (call(900),),
            "c": {"when": (call(50, "true"),), "flow": (call(50),)},
            "d": (call(30),),
            "e": (call(10, "fail"),),
        },
    )

    assert [address for _, address, _ in end.undos] == ["e", "c", "b", "a"]
    assert [moment for moment, _, _ in end.undos] == [7 + 900 + 10 + 7 * number for number in range(4)]


def test_an_undo_sees_what_its_river_left_and_what_undos_of_its_chain_wrote() -> None:
    script = {
        "a": {"flow": (call(10, puts={"x": 1}),), "undo": (call(10, puts={"x": 2}, drops=("y", "z")),)},
        "b": {"flow": (call(10, puts={"x": 3, "z": 3}),), "undo": (call(10, puts={"x": 3, "y": 2}),)},
        "c": (call(10, "fail"),),
    }

    end = told(river("a", UNDO), river("b", UNDO), river("c"), scripts=script)

    assert end.water == {"x": 2, "z": 3}  # b wrote only y, so a sees x as 1, y as 2 and no z


@pytest.mark.parametrize(
    ("calls", "kind", "ended"),
    [
        pytest.param((call(10, "retry"), boom(), call(10)), None, 30 + 4 * SECOND, id="tried again"),
        pytest.param((call(10, "continue", after=5), call(10)), None, 25, id="after"),
        pytest.param((boom(),) * 9, "retries-exhausted", 30 + 4 * SECOND, id="out of tries"),
        pytest.param((call(10, "fail"),), "error", 10, id="Fail"),
        pytest.param((call(10, "bad"),), "bad-return", 10, id="bad"),
        pytest.param((call(20 * SECOND),), "deadline", 8 * SECOND, id="too long"),
    ],
)
def test_an_undo_is_tried_again_but_not_for_ever(calls: Calls, kind: str | None, ended: int) -> None:
    a = river("a", UNDO, undo_times=2, undo_interval=2.0, undo_deadline=8.0)

    end = told(a, scripts={"a": {"flow": (call(50, "fail"),), "undo": calls}})

    assert (end.undos, last(end)[2]) == ([(50, "a", kind)], 50 + ended + 7)
    assert states(end) == {"a": "undone" if kind is None else "undo-failed"}


@pytest.mark.parametrize(("most", "kind", "begun"), [(60.0, None, 5), (2.0, "deadline", 3)])
def test_an_undo_waits_for_the_abandoned_thread_of_its_river(most: float, kind: str | None, begun: int) -> None:
    a = river("a", UNDO, timeout=1.0, undo_deadline=most)

    end = told(a, scripts={"a": (call(5 * SECOND),)})

    assert end.undos == [(begun * SECOND, "a", kind)]
    assert end.rivers["a"][1] == ({"flow": 1, "undo": 1} if kind is None else {"flow": 1})


def test_fail_sees_undos_of_its_chain_and_of_branches_whose_deltas_count() -> None:
    def script(key: str, flow: Call) -> dict[str, Calls]:
        return {"flow": (flow,), "undo": (call(10, puts={key: "undone"}),)}

    settled = beside((river("b", UNDO), river("c")), (river("d", UNDO),), max_failures=1)
    end = told(
        river("a", UNDO),
        settled,
        BasinPlace("east", (river("e", UNDO),)),
        river("f"),
        scripts={
            "a": script("a", call(10, puts={"a": 1})),
            "b": script("b", call(10, puts={"b": 1})),
            "c": (call(10, "fail"),),
            "d": script("d", call(50, puts={"d": 1})),
            "east/e": script("e", call(50, puts={"e": 1})),
            "f": (call(10, "fail"),),
        },
    )

    assert end.water == {"a": "undone", "d": "undone"}
    assert [address for _, address, _ in end.undos] == ["b", "east/e", "d", "a"]


# 7.4, 4.7


def test_a_cancel_ends_waits_and_no_body_starts_and_undo_runs() -> None:
    scripts = {"a": (call(10),), "b": (call(10, "retry"),)}

    end = told(river("a", UNDO), river("b", retry=ONCE), river("c"), scripts=scripts, outside=(Outside(500, "cancel"),))

    assert (last(end), end.atlantic) == (("cancelled", ("cancelled", ""), 500 + 7 + 7), ["fail"])
    assert states(end) == {"a": "undone", "b": "cancelled"}
    assert (end.undos, end.answers, end.failures) == ([(500, "a", None)], ["done"], {})


def test_a_flow_that_ends_well_in_spite_of_a_cancel_has_succeeded() -> None:
    end = told(river("a"), scripts={"a": (call(900),)}, outside=(Outside(500, "cancel"),))

    assert last(end) == ("success", None, 900 + 7)


def test_what_has_not_stopped_is_let_go_when_the_grace_after_the_last_atomic_river_is_over() -> None:
    atomic = river("b", "flow cycle", atomic=True, deadline=60.0)
    end = told(
        beside((river("a"),), (atomic, river("c"))),
        scripts={"a": (call(9 * SECOND),), "b": {"flow": (call(10),), "cycle": (call(10, "continue"), call(10))}},
        outside=(Outside(500, "cancel"),),
        cancel_grace=3 * SECOND,
    )

    assert states(end) == {"a": "cancelled", "b": "success"}
    assert last(end) == ("cancelled", ("cancelled", ""), 10 + 2 * SECOND + 10 + 3 * SECOND + 7)


def test_the_deadline_of_a_flow_is_a_cancel_with_another_outcome() -> None:
    end = told(river("a"), river("b"), scripts={"a": (call(10 * SECOND),)}, deadline=SECOND, cancel_grace=SECOND)

    assert last(end) == ("fail", ("deadline", ""), 2 * SECOND + 7)
    assert states(end) == {"a": "cancelled"}


def test_a_river_in_doubt_and_a_basin_that_waits_are_cancelled_at_once() -> None:
    basin = BasinPlace("east", (river("b", UNDO),), retry=ONCE)
    scripts = {"a": {"flow": (boom(400),)}, "east/b": {"flow": (call(10, "fail"),), "undo": (call(20),)}}

    end = told(
        beside((river("a", "flow reconcile undo"),), (basin,)), scripts=scripts, outside=(Outside(300, "cancel"),)
    )

    assert (states(end), end.failures) == ({"a": "undone", "east/b": "undone"}, {"east/b": "error"})
    assert (end.undos, end.rivers["a"][1]) == ([(10, "east/b", None), (400, "a", None)], {"flow": 1, "undo": 1})


def test_an_atomic_river_that_fails_in_a_cancelled_part_has_failed_and_what_follows_is_cancelled() -> None:
    basin = BasinPlace(
        "east", (river("a", atomic=True, deadline=9.0, retry=ONCE),), retry=ONCE, continue_on_failure=True
    )

    end = told(
        basin, river("b"), scripts={"east/a": (call(400, "retry"), call(10, "fail"))}, outside=(Outside(300, "cancel"),)
    )

    assert last(end) == ("cancelled", ("cancelled", ""), 400 + SECOND + 10 + 7)
    assert (end.failures, states(end)) == ({"east/a": "error", "east": "error"}, {"east/a": "fail"})


# 7.5


def test_a_pause_holds_bodies_back_and_lets_running_ones_end() -> None:
    outside = Outside(5, "pause"), Outside(500, "resume")

    end = told(river("a"), river("b"), scripts={"a": (call(10),), "b": (call(10),)}, outside=outside)

    assert (last(end)[2], end.answers) == (500 + 10 + 7, ["done", "done"])


def test_deadlines_run_in_a_pause_and_the_ending_waits() -> None:
    outside = Outside(5, "pause"), Outside(9 * SECOND, "resume")

    end = told(river("a"), river("b", deadline=1.0), scripts={"a": (call(10),)}, outside=outside)

    assert last(end) == ("fail", ("deadline", "b"), 9 * SECOND + 7)
    assert end.rivers["b"] == ("fail", {})


# 8.4


def test_a_retry_keeps_what_was_not_undone_and_goes_back_to_its_water() -> None:
    branches = (river("a"), river("b")), (river("c", UNDO),)
    scripts = {
        "a": (call(10, puts={"a": 1}), call(10, puts={"a": 2})),
        "b": (call(10, "fail", puts={"b": 1}),),
        "c": {"flow": (call(30, puts={"c": 1}), call(20)), "undo": (call(20, puts={"u": 1}),)},
    }

    end = told(beside(*branches), scripts=scripts, outside=(Outside(SECOND, "retry"),))

    assert [each.outcome for each in end.rounds] == ["fail", "success"]
    assert {address: calls for address, (_, calls) in end.rivers.items()} == {
        "a": {"flow": 1},
        "b": {"flow": 2},
        "c": {"flow": 2, "undo": 1},
    }
    assert (end.water, last(end)[2], end.atlantic) == ({"a": 1}, SECOND + 20 + 7, ["fail", "success"])


@pytest.mark.parametrize(("bodies", "flows"), [("flow cycle", 1), ("flow cycle undo", 2)])
def test_a_river_out_of_polls_goes_on_at_its_cycle_unless_it_was_undone(bodies: str, flows: int) -> None:
    polls = {"flow": (call(10),) * 2, "cycle": (call(10, "continue"), call(10)), "undo": (call(10),)}

    end = told(river("a", bodies, cycle_times=1), scripts={"a": polls}, outside=(Outside(5 * SECOND, "retry"),))

    assert (end.rivers["a"][0], end.rivers["a"][1]["flow"], end.rivers["a"][1]["cycle"]) == ("success", flows, 2)
    assert last(end)[2] == 6 * SECOND + 10 * flows + 7


def test_all_after_the_first_stream_that_is_not_kept_starts_anew() -> None:
    end = told(
        river("a", UNDO),
        river("b"),
        river("c"),
        scripts={"c": (call(10, "fail"),)},
        outside=(Outside(SECOND, "retry"),),
    )

    assert {address: calls["flow"] for address, (_, calls) in end.rivers.items()} == {"a": 2, "b": 2, "c": 2}


def test_a_basin_goes_on_inside_and_its_next_attempt_begins_anew() -> None:
    basin = BasinPlace("east", (river("a"), river("b")), retry=ONCE)

    end = told(basin, scripts={"east/b": (call(10, "fail"),) * 3}, outside=(Outside(5 * SECOND, "retry"),))

    assert {address: calls["flow"] for address, (_, calls) in end.rivers.items()} == {"east/a": 3, "east/b": 4}
    assert [each.outcome for each in end.rounds] == ["fail", "success"]


def test_after_success_only_the_atlantic_runs_again() -> None:
    sea = {"success": (call(10, "fail"), call(10, puts={"s": 1}))}

    basin = BasinPlace("east", (river("b"),), continue_on_failure=True)
    scripts = {"a": (call(10),), "east/b": (call(10, "fail"),)}

    end = told(river("a"), basin, scripts=scripts, atlantic=sea, outside=(Outside(SECOND, "retry"),))

    assert [(each.outcome, each.failure) for each in end.rounds] == [
        ("success", ("atlantic", "sea")),
        ("success", None),
    ]
    assert [calls for _, calls in end.rivers.values()] == [{"flow": 1}] * 2
    assert (end.water, end.atlantic) == ({"s": 1}, ["success"] * 2)


# 9


def test_a_signal_wakes_a_poll_at_once_and_costs_no_budget() -> None:
    a = river("a", "flow cycle", signals=("go",), cycle_interval=10.0, cycle_times=2)
    polls = call(10, "continue", takes="go", into="x"), call(10, "continue"), call(10)

    end = told(a, scripts={"a": {"cycle": polls}}, outside=(Outside(500, "signal", "go", 5),))

    assert (end.water, end.signals, last(end)[2]) == ({"x": 5}, [], 7 + 20 * SECOND + 10 + 7)


def test_a_signal_that_is_there_early_wakes_once_and_is_taken_by_who_returns() -> None:
    a = river("a", "flow cycle", signals=("go",), cycle_interval=None, deadline=60.0, retry=ONCE)
    polls = boom(), call(10, "continue"), call(10, takes="go", into="x")
    outside = Outside(3, "signal", "go", 1), Outside(5 * SECOND, "signal", "go", 2)

    end = told(a, scripts={"a": {"flow": (call(20),), "cycle": polls}}, outside=outside)

    assert (end.water, end.signals) == ({"x": 1}, [("go", 2)])
    assert last(end)[2] == 5 * SECOND + 10 + 7
    assert end.rivers["a"][1] == {"flow": 1, "cycle": 3}


def test_a_poll_that_raised_is_asked_again_after_the_retry_interval_while_its_signal_is_there() -> None:
    a = river("a", "flow cycle", signals=("go",), cycle_interval=None, deadline=60.0, retry=ONCE)
    polls = boom(), call(10, takes="go", into="x")

    end = told(a, scripts={"a": {"flow": (call(20),), "cycle": polls}}, outside=(Outside(3, "signal", "go", 1),))

    assert (last(end)[2], end.water) == (20 + 10 + SECOND + 10 + 7, {"x": 1})


def test_every_command_is_answered_by_the_state_of_its_flow() -> None:
    commands: list[tuple[int, Command, str]] = [
        (11, "resume", "already"),
        (12, "retry", "refused"),
        (13, "pause", "done"),
        (14, "pause", "already"),
        (15, "cancel", "done"),
        (16, "cancel", "already"),
        (17, "pause", "refused"),
        (70, "cancel", "refused"),
        (71, "pause", "done"),
        (72, "resume", "done"),
        (9000, "signal", "refused"),
        (9001, "cancel", "already"),
        (9002, "retry", "done"),
    ]
    scripts = {"a": {"flow": (call(50, "fail"),), "undo": (call(100),)}}

    end = told(river("a", UNDO), scripts=scripts, outside=tuple(Outside(at, what) for at, what, _ in commands))

    assert end.answers == [answer for _, _, answer in commands]
    assert [(each.outcome, each.ended_at) for each in end.rounds] == [("cancelled", 157), ("success", 9016)]


def test_a_case_that_leaves_the_order_open_is_refused() -> None:
    with pytest.raises(Tie):
        told(beside((river("a"),), (river("b"),)), scripts={"a": (call(10, "fail"),), "b": (call(10, "fail"),)})


def test_the_model_is_short_and_knows_only_drawings() -> None:
    pages = sorted((ROOT / "tests/course/model").glob("*.py"))
    known = ("vastflow.drawing.chart.", "tests.course.model.", "tests.course.scripts.")  # the last for its types

    assert max(code_lines(page) for page in pages) <= 250
    for page in pages:
        ours = {name for _, name in imports(page) if name.startswith(("vastflow", "tests"))}
        assert all(name.startswith(known) for name in ours), page


def test_a_case_is_the_same_on_every_reading() -> None:
    assert case(7) == case(7)
    assert case(7) != case(8)


def test_enough_cases_fail_and_nest_and_meet_everything() -> None:
    met = census(range(150))

    assert 50 < met["outcome fail"] + met["outcome cancelled"] < 130
    assert met["three deep"] > 60
    assert min(met[what] for what in ("river skipped", "river undone", "river undo-failed", "river cancelled")) > 10
    assert min(met[what] for what in ("each", "join any", "cancel done", "pause done", "retry done", "rounds 2")) > 5


@settings(max_examples=25)
@given(cases())
def test_every_case_has_an_end(drawn: Case) -> None:
    end = expect(drawn)

    event(f"depth {depth(drawn.chart.streams)}")
    assert all(each.outcome == "success" or each.failure for each in end.rounds)
    assert len(end.answers) == len(drawn.outside)
    assert end.atlantic

"""Does a paused flow begin nothing, keep its budgets, and go on as if there had been no pause?"""

import threading
from typing import Any

import pytest

from tests.engine.deeds import Deeds, Stage, Staging, kinds, lasting, states, waiting
from tests.engine.scenes import LONG, calling, drawn, nothing, puts, raises, river, sea
from vastflow import Basin, CommandRefused, Continue, Engine, Fail, ParallelRiver, Retry, River

SECOND = 1_000_000


@pytest.mark.promise("7.5")
@pytest.mark.parametrize("seed", range(6))
def test_no_new_body_begins_and_running_ones_end(seed: int, stage: Staging) -> None:
    on, deeds, tries = stage(seed), Deeds(), iter([Retry("once")])

    def once(_self: Any, _water: Any) -> None:
        if (error := next(tries, None)) is not None:
            raise error

    retried = river("retried", deeds.note("flow", once), retry_times=1, retry_interval=5)
    chain = deeds.step("long", lasting(10, puts(a=1))) >> deeds.step("next")
    basin = Basin("east", deeds.step("b", lasting(10)), deeds.step("c"), outputs=[])
    flow = on.start(chain | waiting("polls", 5, 2, deeds.note("flow")) | retried | basin)
    on.play(1)
    begun = list(deeds)

    assert flow.pause()
    paused = on.play(3600)

    assert deeds == begun
    assert states(paused) == {
        "long": "success",
        "next": "running",
        "polls": "cycling",
        "retried": "retrying",
        "east/b": "success",
        "east/c": "running",
    }
    assert flow.resume()
    assert flow.wait().outcome == "success"
    assert sorted(deeds[len(begun) :]) == ["flow east/c", "flow next", "flow retried"]


@pytest.mark.promise("7.5")
@pytest.mark.parametrize("seed", range(6))
def test_undo_and_atlantic_wait_for_the_resume(seed: int, stage: Staging) -> None:
    on, deeds = stage(seed), Deeds()
    undo = lasting(10)
    end = sea(fail=deeds.note("fail"))
    flow = on.start(deeds.step("a", undo=undo), deeds.step("b", undo=undo), river("no", raises(Fail("no"))), end=end)
    on.play(1)
    assert flow.pause()
    undoing = on.play(100)
    assert flow.resume()
    on.play(1)
    assert flow.pause()
    ending = on.play(100)
    before = list(deeds)
    flow.resume()

    assert (undoing.state, states(undoing)["b"], states(undoing)["a"]) == ("undoing", "undone", "undoing")
    assert (ending.state, states(ending)["a"]) == ("ending", "undone")
    assert before == ["flow a", "flow b", "undo b", "undo a"]
    assert flow.wait().state == "fail"
    assert deeds[4:] == ["fail ~"]


@pytest.mark.promise("7.5")
def test_the_atlantic_is_not_told_in_a_pause(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    flow = on.start(river("a", lasting(10)), end=sea(success=deeds.note("success")))
    on.play(1)
    flow.pause()
    paused = on.play(100)

    assert (paused.state, paused.outcome, deeds) == ("ending", "success", [])
    flow.resume()
    assert flow.wait().state == "success"
    assert deeds == ["success ~"]


@pytest.mark.promise("7.5", "4.2", "10.4")
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
def test_polls_that_were_due_in_a_pause_are_not_charged(stage: Staging, *, crashes: bool) -> None:
    on, moments = stage(), list[int]()

    def cycle(_self: River, _water: Any) -> None:
        moments.append(on.now // SECOND)
        raise Continue("building")

    flow = on.start(river("a", nothing, cycle, cycle_interval=10, cycle_times=5))
    begun = on.now // SECOND
    on.play(25)
    flow.pause()
    on.play(1000)
    if crashes:
        flow = on.crash(away=100)
    flow.resume()

    status = flow.wait()

    assert len(moments) == 5
    assert moments[1] - begun == 20
    assert moments[2] - begun in {1025, 1030, 1125, 1130}
    assert status.failure is not None
    assert status.failure.kind == "cycles-exhausted"


@pytest.mark.promise("7.5", "4.5")
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
def test_a_deadline_that_is_over_in_a_pause_is_recorded_at_once_and_undo_and_end_wait(
    stage: Staging, *, crashes: bool
) -> None:
    on, deeds = stage(), Deeds()
    polls = waiting("polls", 3600, deadline=60, undo=deeds.note("undo"))
    flow = on.start(polls, end=sea(fail=deeds.note("fail")))
    on.play(10)
    flow.pause()
    if crashes:
        flow = on.crash(away=30)

    paused = on.play(100)

    failure = paused.stream("polls").failure
    assert failure is not None
    assert (failure.kind, paused.outcome, deeds) == ("deadline", "fail", [])
    flow.resume()
    assert flow.wait().state == "fail"
    assert deeds == ["undo polls", "fail ~"]


@pytest.mark.promise("7.5", "2.11")
def test_the_deadline_of_the_flow_is_recorded_in_a_pause_which_it_lifts_as_a_cancel_does(stage: Staging) -> None:
    on = stage()
    flow = on.start(waiting("polls", 3600), deadline=60)
    on.play(10)
    flow.pause()

    status = on.play(100)

    assert (status.state, status.outcome) == ("fail", "fail")


@pytest.mark.promise("7.5", "7.4")
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
def test_a_cancel_works_in_a_pause_and_lifts_it(stage: Staging, *, crashes: bool) -> None:
    on, deeds = stage(), Deeds()
    flow = on.start(deeds.step("a"), waiting("polls", 3600), end=sea(fail=deeds.note("fail")))
    on.play(10)
    flow.pause()
    if crashes:
        flow = on.crash()

    assert flow.cancel()
    assert flow.wait().outcome == "cancelled"
    assert deeds == ["flow a", "undo a", "fail ~"]


@pytest.mark.promise("7.5")
@pytest.mark.parametrize("seed", range(30))
def test_a_pause_is_kept_wherever_the_process_dies(seed: int, stage: Staging) -> None:
    on, deeds = stage(seed), Deeds()
    basin = Basin("east", deeds.step("b"), deeds.step("c", lasting(5)), retry_times=1)
    flow = on.start(deeds.step("a"), basin | waiting("polls", 10, 3), deeds.step("last"))
    on.move(seed)
    flow.pause()
    for moves in (seed // 3, seed):
        on.move(moves)
        flow = on.crash()
    on.play(100)
    before = list(deeds)
    on.play(3600)

    assert deeds == before
    assert flow.pause() is False
    assert flow.resume()
    assert flow.wait().outcome == "success"
    assert deeds[-1] == "flow last"
    assert kinds(flow, "paused", "resumed") == ["paused", "resumed"]


@pytest.mark.promise("7.5")
def test_bodies_that_only_wait_for_a_thread_or_a_slot_are_taken_back(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    one = river("work", deeds.note("flow", lasting(10)), max_running=1)
    flow = on.start(ParallelRiver(*(one.options(name=f"work-{number}") for number in range(4))))
    on.play(1)
    flow.pause()
    on.play(100)
    paused = list(deeds)
    flow.resume()

    assert flow.wait().outcome == "success"
    assert len(paused) == 1
    assert len(deeds) == 4


@pytest.mark.promise("7.5")
def test_a_thread_that_runs_when_its_flow_is_paused_ends_and_nothing_follows() -> None:
    running, end = threading.Event(), threading.Event()

    def hold() -> None:
        running.set()
        assert end.wait(LONG)

    with Engine("memory:", jitter=0.0) as engine:
        body = calling(lambda _called, _water: hold())
        flow = engine.start(drawn(river("a", body), river("b", puts(b=1))))
        assert running.wait(LONG)
        assert flow.pause()
        end.set()
        while states(flow.status())["a"] != "success":
            threading.Event().wait(0.005)
        with pytest.raises(TimeoutError):
            flow.result(0.05)
        paused = states(flow.status())
        flow.resume()

        assert flow.result(LONG) == {"b": 1}
    assert paused == {"a": "success", "b": "running"}


@pytest.mark.promise("7.5", "7.3")
def test_an_undo_deadline_that_is_over_in_a_pause_is_recorded_at_once(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    again = deeds.step("a", undo=raises(RuntimeError("away")), undo_deadline=60, undo_interval=50)
    flow = on.start(deeds.step("first"), again, river("no", raises(Fail("no"))))
    on.play(10)
    flow.pause()

    paused = on.play(100)

    assert (states(paused)["a"], states(paused)["first"]) == ("undo-failed", "undoing")
    flow.resume()
    assert states(flow.wait())["first"] == "undone"


@pytest.mark.promise("7.5")
def test_a_flow_that_is_being_cancelled_cannot_be_paused(stage: Staging) -> None:
    on: Stage = stage()
    flow = on.start(river("a", lasting(60), atomic=True, deadline="1h"))
    on.play(1)
    flow.cancel()

    with pytest.raises(CommandRefused, match="it is being cancelled"):
        flow.pause()


@pytest.mark.promise("7.5", "6.3")
def test_a_basin_whose_next_attempt_came_due_in_a_pause_begins_it_at_the_resume(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    flow = on.start(Basin("east", deeds.step("a", raises(Fail("no"))), retry_times=1, retry_interval=60))
    on.play(10)
    flow.pause()
    on.play(1000)
    paused = list(deeds)
    flow.resume()
    on.play(0)

    assert paused == ["flow east/a", "undo east/a"]
    assert deeds[2] == "flow east/a"


@pytest.mark.promise("7.5", "2.11")
def test_a_flow_that_has_not_begun_may_be_paused_and_begins_at_the_resume(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    flow = on.start(deeds.step("a"), not_before=60)
    on.play(1)
    assert flow.pause()
    on.play(600)
    paused = list(deeds)

    flow.resume()

    assert flow.wait().outcome == "success"
    assert (paused, deeds) == ([], ["flow a"])

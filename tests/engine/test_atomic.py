"""Does an atomic river run out whatever happens around it, and only as long as its deadline allows?"""

import asyncio
from typing import Any

import pytest

from tests.engine.acts import Scene, Scenes, Script, naps, stubborn
from tests.engine.scenes import drawn, nothing, puts, raises, river
from vastflow import Basin, Continue, Fail, FlowStatus, ParallelRiver, Retry


def states(status: FlowStatus) -> dict[str, str]:
    return {each.address: each.state for each in status.streams if each.kind == "river"}


@pytest.mark.promise("4.7")
def test_a_cancel_does_not_stop_what_is_atomic_with_its_retries_and_its_polls(scene: Scene) -> None:
    flow, cycle = Script(scene), Script(scene)
    atomic = river(
        "a",
        flow.async_body(naps(5, OSError("no")), Retry("again", after=7), puts(a=1)),
        cycle.body(Continue("no"), OSError("no"), None),
        atomic=True,
        deadline="1h",
        retry_times=5,
        retry_interval=10,
        cycle_interval=20,
        cycle_times=9,
    )
    started = scene.engine.start(drawn(atomic), id="one")
    scene.runtime.advance(2)

    started.cancel()

    assert started.result() == {"a": 1}
    assert flow.times == [0.0, 15.0, 22.0]
    assert cycle.times == [42.0, 62.0, 82.0]
    assert started.status().outcome == "success"


@pytest.mark.promise("4.7")
def test_its_async_body_is_not_cancelled_and_is_not_asked_to_stop(scene: Scene) -> None:
    asked: list[bool] = []

    async def flow(called: Any, _water: Any) -> None:
        await asyncio.sleep(30)
        asked.append(called.cancelled)

    started = scene.engine.start(drawn(river("a", flow, atomic=True, deadline=100)), id="one")
    scene.runtime.advance(1)

    started.cancel()

    assert started.wait().outcome == "success"
    assert asked == [False]


@pytest.mark.promise("4.7", "7.4")
def test_what_comes_after_it_in_its_chain_is_cancelled_and_it_is_undone(scene: Scene) -> None:
    after, undo = Script(), Script(scene)
    atomic = river("a", naps(30), atomic=True, deadline=100, undo=undo.body())
    started = scene.engine.start(drawn(atomic, river("b", after.body())), id="one")
    scene.runtime.advance(1)

    started.cancel()
    status = started.wait()

    assert (status.outcome, states(status)) == ("cancelled", {"a": "undone", "b": "cancelled"})
    assert undo.times == [30.0]
    assert not after.calls


@pytest.mark.promise("4.7", "6.1")
def test_a_failing_sibling_does_not_stop_it_and_the_join_waits_for_it(scene: Scene) -> None:
    retries = Script(scene)
    atomic = river(
        "a",
        retries.async_body(naps(20, OSError("no")), naps(20)),
        atomic=True,
        deadline=100,
        retry_times=1,
        retry_interval=10,
    )
    fan = ParallelRiver(atomic, river("b", naps(5, Fail("b"))), river("c", naps(1000)))

    status = scene.engine.start(drawn(fan), id="one").wait()

    assert states(status) == {"a": "success", "b": "fail", "c": "cancelled"}
    assert retries.times == [0.0, 30.0]
    assert scene.now() == 50.0
    assert status.failure is not None
    assert status.failure.address == "b"


@pytest.mark.promise("4.7")
def test_one_that_waits_for_its_next_attempt_when_a_sibling_fails_makes_it(scene: Scene) -> None:
    flow = Script(scene)
    atomic = river("a", flow.body(OSError("no"), None), atomic=True, deadline=100, retry_times=1, retry_interval=30)

    status = scene.engine.start(drawn(atomic | river("b", naps(5, Fail("b")))), id="one").wait()

    assert flow.times == [0.0, 30.0]
    assert states(status) == {"a": "success", "b": "fail"}


@pytest.mark.promise("4.7")
def test_one_that_was_only_asked_whether_it_is_wanted_is_not_begun_and_is_cancelled(scene: Scene) -> None:
    flow = Script(scene)

    async def when(_self: Any, _water: Any) -> bool:
        await asyncio.sleep(30)
        return True

    atomic = river("a", flow.body(), when=when, atomic=True, deadline=100)
    started = scene.engine.start(drawn(atomic), id="one")
    scene.runtime.advance(10)

    started.cancel()
    status = started.wait()

    assert (status.outcome, states(status)) == ("cancelled", {"a": "cancelled"})
    assert scene.now() == 10.0
    assert not flow.calls


@pytest.mark.promise("4.7", "10.3")
def test_one_whose_begin_is_not_on_disk_is_not_begun(scene: Scene) -> None:
    slow, atomic = river("slow", naps(30)), Script(scene)
    started = scene.engine.start(drawn(slow, river("a", atomic.body(), atomic=True, deadline=100)), id="one")
    scene.runtime.advance(10)

    started.cancel()
    status = started.wait()

    assert states(status) == {"slow": "cancelled", "a": "init"}
    assert not atomic.calls


@pytest.mark.promise("4.7", "7.4")
@pytest.mark.parametrize("how", ["fails", "is out of retries", "is out of polls"])
def test_one_that_fails_in_a_cancelled_part_has_failed_and_is_the_cause(scene: Scene, how: str) -> None:
    atomics = {
        "fails": river("a", naps(30, Fail("too bad")), atomic=True, deadline=100),
        "is out of retries": river("a", naps(10, OSError("too bad")), atomic=True, deadline=100, retry_times=1),
        "is out of polls": river("a", nothing, raises(Continue("too bad")), cycle_times=9, atomic=True, deadline=100),
    }
    started = scene.engine.start(drawn(atomics[how]), id="one")
    scene.runtime.advance(2)

    started.cancel()
    status = started.wait()

    assert (status.outcome, states(status)) == ("cancelled", {"a": "fail"})
    assert status.failure is not None
    assert status.failure.kind == "cancelled"
    assert status.failure.cause is not None
    assert status.failure.cause.address == "a"
    assert "too bad" in status.failure.cause.message


@pytest.mark.promise("4.7", "4.5")
@pytest.mark.parametrize("cancelled", [True, False])
def test_its_deadline_still_holds(scene: Scene, *, cancelled: bool) -> None:
    atomic = river("a", naps(1000), atomic=True, deadline=50, retry_times=9)
    started = scene.engine.start(drawn(atomic), id="one")
    scene.runtime.advance(10)

    if cancelled:
        started.cancel()
    status = started.wait()

    assert scene.now() == 50.0
    assert states(status) == {"a": "fail"}
    failure = status.failure.cause if cancelled and status.failure is not None else status.failure
    assert failure is not None
    assert failure.kind == "deadline"


@pytest.mark.promise("4.7", "10.10")
@pytest.mark.parametrize("moment", [1, 12, 25])
def test_it_runs_out_after_a_crash_although_its_flow_was_cancelled_before(scenes: Scenes, moment: int) -> None:
    scene = scenes()
    flow = Script(scene)
    steps = naps(10, OSError("no")), puts(a=1)
    atomic = river(
        "a",
        flow.async_body(*steps),
        nothing,
        cycle_interval=10,
        cycle_times=3,
        atomic=True,
        deadline=500,
        retry_times=1,
        retry_interval=5,
    )
    scene.engine.start(drawn(atomic), id="one")
    scene.runtime.advance(moment)
    scene.engine.flow("one").cancel()

    scene.crash()

    assert scene.engine.flow("one").result() == {"a": 1}


@pytest.mark.promise("7.4", "4.7")
def test_the_grace_of_the_others_begins_when_the_last_atomic_river_has_ended(scenes: Scenes) -> None:
    scene = scenes(cancel_grace=10.0)
    fan = ParallelRiver(
        river("a", naps(60), atomic=True, deadline=500),
        river("b", naps(90), atomic=True, deadline=500),
        river("c", stubborn(95, puts(c=1))),
        river("d", stubborn(1000)),
    )
    started = scene.engine.start(drawn(fan), id="one")
    scene.runtime.advance(1)

    started.cancel()
    status = started.wait()

    assert states(status) == {"a": "success", "b": "success", "c": "success", "d": "cancelled"}
    assert scene.now() == 100.0
    left = [event.address for event in started.events() if event.details.get("abandoned")]
    assert left == ["d"]


@pytest.mark.promise("4.7", "7.4")
def test_an_atomic_river_elsewhere_gives_no_grace_to_a_part_that_is_cancelled_alone(scenes: Scenes) -> None:
    scene = scenes(cancel_grace=10.0)
    inner = Basin(
        "east", ParallelRiver(river("b", naps(1, Fail("b"))), river("c", stubborn(1000))), continue_on_failure=True
    )

    started = scene.engine.start(drawn(ParallelRiver(river("a", naps(60), atomic=True, deadline=500), inner)), id="one")
    scene.runtime.advance(20)
    shown = states(started.status())

    assert shown["east/c"] == "cancelled"
    assert started.wait().outcome == "success"

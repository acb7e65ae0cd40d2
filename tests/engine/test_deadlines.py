"""Do rivers and flows begin not before they may, and end when their time is over?"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.engine.acts import SECOND, Hung, Scene, Scenes, Script, naps, stubborn
from tests.engine.scenes import LONG, drawn, nothing, puts, raises, river, sea
from vastflow import Continue, Engine, Fail, ParallelRiver
from vastflow.clock import to_moment
from vastflow.errors import CommandRefused, FlowFailed
from vastflow.ledger.memory import MemoryStore

# Of a river


@pytest.mark.promise("4.5", "10.3")
def test_the_deadline_of_a_river_counts_from_when_its_turn_came_and_includes_everything(scene: Scene) -> None:
    flow = Script(scene)
    tried = river(
        "b", flow.async_body(naps(3, OSError("no"))), deadline=20, retry_times=99, retry_interval=5, retry_backoff=1.0
    )

    status = scene.engine.start(drawn(river("a", naps(100)), tried), id="one").wait()

    assert flow.times == [100.0, 108.0, 116.0]
    assert scene.now() == 120.0
    assert status.failure is not None
    assert (status.failure.address, status.failure.kind) == ("b", "deadline")
    assert "not done within its deadline of 20 s" in status.failure.message
    assert status.failure.cause is not None
    assert status.failure.cause.message == "no"


@pytest.mark.promise("4.5")
def test_an_async_body_that_is_out_is_cancelled_when_the_deadline_is_over(scene: Scene) -> None:
    ends: list[float] = []

    async def flow(_self: Any, _water: Any) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ends.append(scene.now())

    status = scene.engine.start(drawn(river("a", flow, deadline=20, retry_times=5)), id="one").wait()

    assert ends == [20.0]
    assert status.failure is not None
    assert (status.failure.kind, status.failure.attempt) == ("deadline", 1)


@pytest.mark.promise("4.5")
def test_a_thread_that_is_out_at_the_deadline_is_left_behind() -> None:
    with Hung() as hung, Hung() as last, Engine(store=MemoryStore(), jitter=0.0) as engine:
        flow = engine.start(drawn(river("a", hung.body(), deadline=0.05), end=sea(fail=last.body())), id="one")
        last.await_begun()
        shown = flow.status().stream("a")
        last.free.set()

        assert flow.wait(LONG).outcome == "fail"
        assert (shown.state, shown.abandoned) == ("fail", 1)


@pytest.mark.promise("4.2", "4.5")
def test_a_river_that_polls_ends_at_its_deadline_with_the_last_answer(scene: Scene) -> None:
    cycle = Script(scene)

    polled = river("a", nothing, cycle.body(Continue("building")), cycle_interval=8, deadline=30)
    status = scene.engine.start(drawn(polled), id="one").wait()

    assert cycle.times == [8.0, 16.0, 24.0]
    assert scene.now() == 30.0
    assert status.failure is not None
    assert status.failure.kind == "deadline"
    assert "the last poll said: building" in status.failure.message


@pytest.mark.promise("4.5", "10.3", "10.10")
@pytest.mark.parametrize("away", [10, 500])
def test_a_deadline_runs_on_while_nobody_serves(scenes: Scenes, away: int) -> None:
    scene = scenes()
    polled = river("a", nothing, raises(Continue("no")), cycle_interval=7, deadline=100)
    scene.engine.start(drawn(polled), id="one")
    scene.runtime.advance(20)

    scene.crash(away)
    status = scene.engine.flow("one").wait()

    assert status.failure is not None
    assert status.failure.kind == "deadline"
    assert scene.now() == max(100.0, 20.0 + away)


@pytest.mark.promise("4.5")
def test_a_new_run_has_a_deadline_of_its_own(scene: Scene) -> None:
    flow = Script(scene)
    slow = river("a", flow.async_body(naps(1000), naps(15, puts(a=1))), deadline=20)
    started = scene.engine.start(drawn(slow), id="one")
    assert started.wait().outcome == "fail"
    scene.runtime.advance(100)

    started.retry()

    assert started.result() == {"a": 1}
    assert [call.run for call in flow.calls] == [1, 2]


@pytest.mark.promise("4.8")
def test_a_river_in_doubt_at_its_deadline_stays_in_doubt(scene: Scene) -> None:
    doubtful = river(
        "a",
        raises(OSError("cut off")),
        reconcile=raises(Continue("?")),
        deadline=30,
        retry_interval=20,
        retry_backoff=1.0,
    )

    status = scene.engine.start(drawn(doubtful), id="one").wait()

    assert scene.now() == 30.0
    assert status.failure is not None
    assert status.failure.kind == "in-doubt"
    assert "nobody could say whether it was" in status.failure.message


@pytest.mark.promise("4.5", "7.4")
def test_a_river_that_meets_its_deadline_in_a_cancelled_part_ends_as_cancelled(scene: Scene) -> None:
    atomic = river("b", naps(60), atomic=True, deadline=200)
    started = scene.engine.start(drawn(river("a", stubborn(1000), deadline=30) | atomic), id="one")
    scene.runtime.advance(10)

    started.cancel()
    scene.runtime.advance(25)
    shown = started.status().stream("a")
    started.wait()

    assert (shown.state, shown.abandoned) == ("cancelled", 1)
    assert shown.failure is not None
    assert shown.failure.kind == "deadline"


# Of a flow


def shown_times(scene: Scene, status: Any) -> float:
    return float(round((status.ended - to_moment(scene.begin)).total_seconds(), 3))


@pytest.mark.promise("2.11", "5.9")
@pytest.mark.parametrize("deadline", ["30s", timedelta(seconds=30), 30, to_moment(1_767_225_600_000_000 + 30 * SECOND)])
def test_the_deadline_of_a_flow_ends_it_as_a_cancel_does_with_outcome_fail(scene: Scene, deadline: Any) -> None:
    end, undo = Script(scene), Script(scene)
    streams = river("a", nothing, undo=undo.body()), river("b", nothing, raises(Continue), cycle_times=999)

    started = scene.engine.start(drawn(*streams, end=sea(fail=end.body())), id="one", deadline=deadline)
    status = started.wait()

    assert (status.state, status.outcome) == ("fail", "fail")
    assert status.failure is not None
    assert status.failure.kind == "deadline"
    assert "deadline was over" in status.failure.message
    assert [call.failure.kind for call in end.calls] == ["deadline"]
    assert undo.times == end.times == [30.0]
    assert (status.stream("a").state, status.stream("b").state) == ("undone", "cancelled")
    with pytest.raises(FlowFailed, match="deadline"):
        started.result()


@pytest.mark.promise("2.11", "7.4")
def test_bodies_that_run_at_the_flows_deadline_get_their_grace_and_nothing_new_begins(scenes: Scenes) -> None:
    scene, after = scenes(cancel_grace=5.0), Script()

    streams = river("a", stubborn(100)), river("b", after.body())
    status = scene.engine.start(drawn(*streams), id="one", deadline=30).wait()

    assert status.failure is not None
    assert status.failure.kind == "deadline"
    assert scene.now() == 35.0
    assert not after.calls


@pytest.mark.promise("2.11", "7.4")
def test_a_flow_that_ended_well_in_spite_of_its_deadline_succeeded(scene: Scene) -> None:
    atomic = river("a", naps(60, puts(a=1)), atomic=True, deadline=200)

    started = scene.engine.start(drawn(atomic), id="one", deadline=30)

    assert started.result() == {"a": 1}
    assert started.status().outcome == "success"


@pytest.mark.promise("2.11")
def test_a_flow_that_ended_before_its_deadline_hears_no_more_of_it(scene: Scene) -> None:
    started = scene.engine.start(drawn(river("a", nothing)), id="one", deadline=30)
    started.result()
    facts = scene.kinds()

    scene.runtime.advance(100)

    assert scene.kinds() == facts
    assert started.status().outcome == "success"


@pytest.mark.promise("2.11", "10.10")
@pytest.mark.parametrize("away", [5, 500])
def test_the_deadline_of_a_flow_runs_on_while_nobody_serves(scenes: Scenes, away: int) -> None:
    scene = scenes()
    scene.engine.start(drawn(river("a", nothing, raises(Continue), cycle_times=99999)), id="one", deadline=100)
    scene.runtime.advance(20)

    scene.crash(away)
    status = scene.engine.flow("one").wait()

    assert status.failure is not None
    assert status.failure.kind == "deadline"
    assert shown_times(scene, status) == max(100.0, 20.0 + away)


@pytest.mark.promise("2.11")
def test_the_deadline_of_a_flow_that_is_being_undone_changes_nothing(scene: Scene) -> None:
    undone = river("a", nothing, undo=naps(60))

    status = scene.engine.start(drawn(undone, river("b", raises(Fail("b")))), id="one", deadline=30).wait()

    assert status.failure is not None
    assert (status.failure.kind, status.failure.address) == ("error", "b")
    assert status.stream("a").state == "undone"


@pytest.mark.promise("2.11", "8.4")
def test_a_flow_deadline_given_as_a_duration_runs_anew_in_every_round(scene: Scene) -> None:
    flow = Script(scene)
    started = scene.engine.start(
        drawn(river("a", flow.async_body(naps(1000), naps(25, puts(a=1))))), id="one", deadline=30
    )
    assert started.wait().outcome == "fail"
    scene.runtime.advance(100)

    started.retry()

    assert started.result() == {"a": 1}


@pytest.mark.promise("2.11")
def test_a_deadline_stops_a_fan_and_its_atomic_branch_runs_out(scene: Scene) -> None:
    fan = ParallelRiver(
        river("a", naps(1000)),
        river("b", naps(60, puts(b=1)), atomic=True, deadline=100),
        river("c", nothing, raises(Continue), cycle_times=999),
    )

    status = scene.engine.start(drawn(fan), id="one", deadline=30).wait()

    assert {each.address: each.state for each in status.streams if each.kind == "river"} == {
        "a": "cancelled",
        "b": "success",
        "c": "cancelled",
    }
    assert scene.now() == 60.0
    assert status.failure is not None
    assert status.failure.kind == "deadline"


# When a flow begins


@pytest.mark.promise("2.11")
@pytest.mark.parametrize("not_before", ["1h", 3600, timedelta(hours=1), datetime(2026, 1, 1, 1, tzinfo=UTC)])
def test_a_flow_is_on_disk_and_begins_not_before_it_may(scene: Scene, not_before: Any) -> None:
    flow = Script(scene)

    started = scene.engine.start(drawn(river("a", flow.body())), id="one", not_before=not_before)
    row = scene.store.flow("one")
    waits = started.status()
    scene.runtime.advance(3599)
    still = len(flow)

    assert started.result() == {}
    assert row is not None
    assert row.not_before == scene.begin + 3600 * SECOND
    assert (row.state, waits.state, waits.stream("a").state) == ("init", "init", "init")
    assert still == 0
    assert flow.times == [3600.0]


@pytest.mark.promise("2.11")
@pytest.mark.parametrize("not_before", [0, datetime(2020, 1, 1, tzinfo=UTC)])
def test_a_flow_that_might_have_begun_long_ago_begins_at_once(scene: Scene, not_before: Any) -> None:
    flow = Script(scene)

    scene.engine.start(drawn(river("a", flow.body())), id="one", not_before=not_before).result()

    assert flow.times == [0.0]


@pytest.mark.promise("2.11", "10.10")
@pytest.mark.parametrize("away", [10, 9999])
def test_a_flow_that_has_not_begun_begins_when_it_may_although_its_process_died(scenes: Scenes, away: int) -> None:
    scene = scenes()
    flow = Script(scene)
    scene.engine.start(drawn(river("a", flow.body())), id="one", not_before=3600)
    scene.runtime.advance(100)

    scene.crash(away)

    assert scene.engine.flow("one").result() == {}
    assert flow.times == [max(3600.0, 100.0 + away)]


@pytest.mark.promise("2.11", "7.4")
def test_a_flow_that_is_cancelled_before_it_began_calls_only_its_end(scene: Scene) -> None:
    flow, end = Script(scene), Script(scene)
    started = scene.engine.start(drawn(river("a", flow.body()), end=sea(fail=end.body())), id="one", not_before=3600)

    started.cancel()
    status = started.wait()

    assert (status.state, status.outcome) == ("cancelled", "cancelled")
    assert end.times == [0.0]
    assert not flow.calls
    scene.runtime.advance(9999)
    assert not flow.calls


@pytest.mark.promise("2.11")
def test_a_flow_whose_deadline_comes_before_it_may_begin_fails_with_it(scene: Scene) -> None:
    flow = Script(scene)

    status = scene.engine.start(drawn(river("a", flow.body())), id="one", not_before=3600, deadline=60).wait()

    assert status.outcome == "fail"
    assert status.failure is not None
    assert status.failure.kind == "deadline"
    assert scene.now() == 60.0
    assert not flow.calls


@pytest.mark.promise("2.11", "7.5")
def test_a_flow_that_is_paused_when_it_may_begin_begins_when_it_is_resumed(scene: Scene) -> None:
    flow = Script(scene)
    started = scene.engine.start(drawn(river("a", flow.body())), id="one", not_before=60)

    started.pause()
    scene.runtime.advance(100)
    held = len(flow)
    started.resume()

    assert started.result() == {}
    assert held == 0
    assert flow.times == [100.0]


@pytest.mark.promise("2.11", "9.1")
def test_a_flow_that_has_not_begun_keeps_a_signal_and_refuses_what_it_cannot_do(scene: Scene) -> None:
    took: list[Any] = []

    def cycle(called: Any, _water: Any) -> None:
        took.append(called.signal("go"))

    listens = river("a", nothing, cycle, signals=("go",), cycle_times=3)
    started = scene.engine.start(drawn(listens), id="one", not_before=60)

    assert started.signal("go", 7)
    with pytest.raises(CommandRefused, match="has not ended"):
        started.retry()
    assert started.result() == {}
    assert took == [7]


@pytest.mark.promise("2.11")
@pytest.mark.parametrize("word", ["not_before", "deadline"])
@pytest.mark.parametrize("wrong", [datetime(2026, 1, 1), "soon", -5, True])  # noqa: DTZ001  # without a zone, on purpose
def test_a_moment_that_is_none_is_refused_before_anything_is_stored(scene: Scene, word: str, wrong: Any) -> None:
    with pytest.raises(Exception, match=word):
        scene.engine.start(drawn(river("a", nothing)), id="one", **{word: wrong})

    assert scene.store.flow("one") is None


@pytest.mark.promise("2.11")
def test_the_same_start_again_is_the_same_flow_whatever_its_times(scene: Scene) -> None:
    andes = drawn(river("a", puts(a=1)))
    first = scene.engine.start(andes, id="one", not_before=60)

    again = scene.engine.start(andes, id="one")

    assert again.id == first.id
    assert again.result() == {"a": 1}
    assert scene.now() == 60.0

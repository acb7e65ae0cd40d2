"""Is a body that takes too long let go of, and does nothing else wait for it?"""

import asyncio
import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.engine.acts import Hung, Scene, Scenes, Script, naps, stubborn
from tests.engine.scenes import LONG, drawn, nothing, puts, raises, river, sea
from vastflow import Basin, Continue, Engine, Fail, Retry
from vastflow.engine.flow import Flow
from vastflow.ledger.memory import MemoryStore
from vastflow.log import reset, setup
from vastflow.runtime import Real


def lates(scene: Scene, address: str = "a") -> list[dict[str, Any]]:
    return [
        dict(event.details)
        for event in scene.engine.flow("one").events()
        if event.kind == "late" and event.address == address
    ]


# Bodies of every kind


@pytest.mark.promise("4.5")
def test_an_async_body_is_cancelled_when_its_time_is_over_and_tried_again_while_there_are_retries(scene: Scene) -> None:
    ends: list[tuple[float, str]] = []

    async def flow(_self: Any, _water: Any) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ends.append((scene.now(), "cancelled"))
            raise

    slow = river("a", flow, timeout=5, retry_times=1, retry_interval=2)
    status = scene.engine.start(drawn(slow), id="one").wait()

    assert ends == [(5.0, "cancelled"), (12.0, "cancelled")]
    assert status.failure is not None
    assert (status.failure.kind, status.failure.attempt) == ("timeout", 2)
    assert "flow() ran longer than its timeout of 5 s" in status.failure.message


@pytest.mark.promise("4.5")
def test_a_timeout_of_flow_is_tried_again_whatever_else_is_not(scene: Scene) -> None:
    flow = Script(scene)

    slow = river(
        "a", flow.async_body(naps(60), None), timeout=5, retry_times=1, retry_on=(KeyError,), fail_on=(TimeoutError,)
    )
    started = scene.engine.start(drawn(slow), id="one")

    assert started.result() == {}
    assert flow.times == [0.0, 6.0]


@pytest.mark.promise("4.5")
def test_a_body_that_ends_in_time_is_not_disturbed(scene: Scene) -> None:
    quick = river("a", naps(4.9, puts(a=1)), timeout=5)

    assert scene.engine.start(drawn(quick, river("b", naps(30, puts(b=1)))), id="one").result() == {"a": 1, "b": 1}
    assert scene.kinds() == ["started", "flowed", "flowed", "outcome", "ended"]


@pytest.mark.promise("4.2", "4.5")
def test_a_poll_that_takes_too_long_is_a_failed_poll(scene: Scene) -> None:
    cycle = Script(scene)

    polled = river(
        "a",
        nothing,
        cycle.async_body(naps(60), naps(60), Continue("b"), None),
        timeout=2,
        cycle_interval=10,
        cycle_times=9,
    )
    started = scene.engine.start(drawn(polled), id="one")

    assert started.result() == {}
    assert cycle.times == [10.0, 20.0, 30.0, 40.0]
    assert scene.kinds("a") == ["flowed", "polled", "polled", "polled", "cycled"]


@pytest.mark.promise("4.2", "4.5")
@pytest.mark.parametrize(("errors", "times", "polls", "kind"), [(2, 99, 3, "timeout"), (9, 4, 4, "cycles-exhausted")])
def test_polls_that_take_too_long_are_counted_in_both_budgets(
    scene: Scene, errors: int, times: int, polls: int, kind: str
) -> None:
    cycle = Script(scene)

    polled = river(
        "a", nothing, cycle.async_body(naps(60)), timeout=2, cycle_interval=10, cycle_times=times, cycle_errors=errors
    )
    status = scene.engine.start(drawn(polled), id="one").wait()

    assert len(cycle) == polls
    assert status.failure is not None
    assert status.failure.kind == kind
    assert "cycle() ran longer than its timeout of 2 s" in str(status.failure)


@pytest.mark.promise("4.5", "7.3")
def test_an_undo_that_takes_too_long_is_a_failed_try_of_it(scene: Scene) -> None:
    undo = Script(scene)

    undone = river("a", nothing, undo=undo.async_body(naps(60), None), timeout=5, undo_interval=10)
    status = scene.engine.start(drawn(undone, river("b", raises(Fail("b")))), id="one").wait()

    assert undo.times == [0.0, 15.0]
    assert [call.attempt for call in undo.calls] == [1, 2]
    assert status.stream("a").state == "undone"


@pytest.mark.promise("4.5", "4.8")
def test_a_reconcile_that_takes_too_long_is_asked_again(scene: Scene) -> None:
    reconcile = Script(scene)

    doubtful = river(
        "a", raises(OSError("?")), reconcile=reconcile.async_body(naps(60), None), timeout=5, retry_interval=3
    )
    started = scene.engine.start(drawn(doubtful), id="one")

    assert started.result() == {}
    assert reconcile.times == [0.0, 8.0]


# What the time is counted from


@pytest.mark.promise("4.5", "6.4")
def test_the_time_counts_from_when_the_body_runs_and_not_while_it_waits_for_a_slot(scene: Scene) -> None:
    flow = Script(scene)
    andes = drawn(river("a", flow.async_body(naps(8)), timeout=10, max_running=1))

    flows = [scene.engine.start(andes, id=name) for name in ("one", "two", "three")]
    scene.runtime.advance(1)
    waiting = [each.status().stream("a") for each in flows]

    assert [each.result() for each in flows] == [{}] * 3
    assert flow.times == [0.0, 8.0, 16.0]
    assert [(stream.running, stream.queued) for stream in waiting] == [(True, False), (False, True), (False, True)]
    assert [each.status().stream("a").attempt for each in flows] == [1, 1, 1]


@pytest.mark.promise("4.5", "6.4")
def test_a_body_that_was_let_go_of_gives_its_slot_to_the_next_one(scene: Scene) -> None:
    flow = Script(scene)
    andes = drawn(river("a", flow.async_body(stubborn(100), naps(1)), timeout=10, max_running=1, retry_interval=50))

    flows = [scene.engine.start(andes, id=name) for name in ("one", "two")]

    assert flows[1].result() == {}
    assert flow.times == [0.0, 10.0]


# What was let go of


@pytest.mark.promise("4.5")
def test_a_late_answer_is_recorded_and_shown_and_changes_nothing(scene: Scene) -> None:
    flow = Script(scene)
    slow = river("a", flow.async_body(stubborn(20, puts(a="late")), puts(a="in time")), timeout=5, retry_times=1)

    started = scene.engine.start(drawn(slow, river("b", naps(60))), id="one")
    scene.runtime.advance(10)
    hangs = started.status().stream("a")
    scene.runtime.advance(20)
    came_back = started.status().stream("a")

    assert started.result() == {"a": "in time"}
    assert (hangs.state, hangs.abandoned) == ("success", 1)
    assert (came_back.state, came_back.abandoned) == ("success", 0)
    assert lates(scene) == [{"said": "it was done"}]


@pytest.mark.promise("4.5")
@pytest.mark.parametrize(
    ("then", "said"),
    [
        (Fail("too bad"), "a: error: vastflow.errors.Fail: too bad"),
        (Retry("again"), "a: error: vastflow.errors.Retry: again"),
        (OSError("cut off"), "a: error: builtins.OSError: cut off"),
    ],
)
def test_whatever_comes_late_is_told_as_it_was(scene: Scene, then: Exception, said: str) -> None:
    flow = Script(scene)
    slow = river("a", flow.async_body(stubborn(20, then), None), timeout=5, retry_times=1)

    started = scene.engine.start(drawn(slow, river("b", naps(60))), id="one")

    assert started.result() == {}
    assert [late["said"] for late in lates(scene)] == [said]


@pytest.mark.promise("4.5")
def test_what_comes_after_the_flow_has_ended_changes_nothing_of_it(scene: Scene) -> None:
    slow = river("a", stubborn(60, puts(a=1)), timeout=5)

    started = scene.engine.start(drawn(slow), id="one")
    status = started.wait()
    facts = scene.kinds()
    scene.runtime.advance(100)

    assert status.failure is not None
    assert status.failure.kind == "timeout"
    assert scene.kinds() == facts
    assert started.status().outcome == "fail"


@pytest.mark.promise("4.5", "10.5")
def test_a_late_answer_of_an_attempt_is_no_answer_of_the_next_one(scene: Scene) -> None:
    flow = Script(scene)
    slow = river("a", flow.async_body(stubborn(20, Fail("late")), naps(15, puts(a=2))), timeout=16, retry_times=1)

    started = scene.engine.start(drawn(slow), id="one")
    scene.runtime.advance(25)

    assert scene.kinds("a") == ["retrying", "late"]
    assert started.status().stream("a").running
    assert started.result() == {"a": 2}
    assert flow.times == [0.0, 17.0]


@pytest.mark.promise("4.5", "6.3")
def test_a_body_that_still_hangs_is_shown_in_the_next_run_of_its_river_too(scene: Scene) -> None:
    flow = Script(scene)
    slow = river("a", flow.async_body(stubborn(100), naps(90)), timeout=50)
    started = scene.engine.start(drawn(Basin("east", slow, retry_times=1, retry_interval=1)), id="one")
    scene.runtime.advance(60)
    hangs = started.status().stream("east/a")
    scene.runtime.advance(40.5)
    back = started.status().stream("east/a")

    assert (hangs.run, hangs.state, hangs.abandoned) == (2, "running", 1)
    assert (back.run, back.state, back.abandoned) == (2, "running", 0)
    assert scene.kinds("east/a") == ["failed", "late"]


# On threads


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    structlog.reset_defaults()
    setup("info", json=True, stream=stream)
    yield stream
    reset()
    structlog.reset_defaults()


def await_fact(store: MemoryStore, kind: str, flow: str = "one") -> None:
    """Wait until such a fact is on disk."""
    sign = threading.Event()
    commit = store.commit

    def seen() -> bool:
        return any(fact.kind == kind for fact in store.facts(flow))

    def watched(batch: Any) -> frozenset[str]:
        lost = commit(batch)
        if seen():
            sign.set()
        return lost

    store.commit = watched  # type: ignore[method-assign]  # a sign for the test
    if not seen():
        assert sign.wait(LONG)


@pytest.mark.promise("4.5", "12.1")
def test_a_hung_thread_is_left_behind_at_once_and_its_late_answer_recorded_and_logged(told: io.StringIO) -> None:
    store = MemoryStore()
    with Hung() as hung, Hung() as last, Engine(store=store, jitter=0.0) as engine:
        tries = Script().body(hung.body(puts(a="late")), puts(a="in time"))
        slow = river("a", tries, timeout=0.05, retry_times=1, retry_interval=0)
        flow = engine.start(drawn(slow, river("b", last.body())), id="one")
        hung.await_begun()
        last.await_begun()
        hangs = flow.status().stream("a")
        hung.free.set()
        await_fact(store, "late")
        back = flow.status().stream("a")
        last.free.set()

        assert flow.result(LONG) == {"a": "in time"}
        assert hung.asked == [True]
        assert (hangs.abandoned, back.abandoned) == (1, 0)
        assert [event.details["said"] for event in flow.events() if event.kind == "late"] == ["it was done"]
    assert '"event": "a late answer changes nothing", "level": "warning"' in told.getvalue()


@pytest.mark.promise("4.5", "7.3", "8.2")
def test_64_hung_threads_keep_no_other_flow_no_undo_and_no_end_from_running() -> None:
    store, runtime = MemoryStore(), Real()
    ends: list[str] = []
    end = sea(fail=lambda self, _water: ends.append(self.flow_id))
    with Hung() as hung, Engine(store=store, runtime=runtime, jitter=0.0) as engine:
        hangs = drawn(
            river("before", nothing, undo=lambda self, _water: ends.append(f"undo {self.flow_id}")),
            river("a", hung.body(), timeout=0.05, undo_times=0),
            name="hangs",
            end=end,
        )
        flows = [engine.start(hangs, id=f"hung-{number}") for number in range(64)]
        hung.await_begun(64)
        others = [engine.start(drawn(river("b", puts(b=1)), name="others")) for _ in range(64)]

        assert [flow.result(LONG) for flow in others] == [{"b": 1}] * 64
        statuses = [flow.wait(LONG) for flow in flows]

        assert {(status.state, status.stream("before").state) for status in statuses} == {("fail", "undone")}
        assert {status.failure.kind for status in statuses if status.failure is not None} == {"timeout"}
        assert sorted(ends) == sorted([flow.id for flow in flows] + [f"undo {flow.id}" for flow in flows])
        assert runtime.stats().abandoned == 64
        hung.free.set()
        hung.await_ended(64)


@pytest.mark.promise("4.5")
def test_how_many_threads_hang_is_shown_as_long_as_their_flow_is_under_way() -> None:
    store = MemoryStore()
    with Hung() as hung, Hung() as last, Engine(store=store, jitter=0.0) as engine:
        first = river("a", hung.body(), timeout=0.05, retry_times=1, retry_interval=0)
        flow = engine.start(drawn(first | river("b", last.body())), id="one")
        hung.await_begun(2)
        await_fact(store, "failed")

        assert (flow.status().stream("a").state, flow.status().stream("a").abandoned) == ("fail", 2)
        hung.free.set()
        hung.await_ended(2)
        last.free.set()
        assert flow.wait(LONG).outcome == "fail"


# A river that waits


def stands(flow: Flow[Any], address: str) -> str:
    return flow.status().stream(address).state


@pytest.mark.promise("4.3")
@pytest.mark.parametrize("state", ["retrying", "cycling", "in-doubt", "undoing"])
def test_a_river_that_waits_holds_no_thread_and_no_task_and_shows_when_its_wait_is_over(
    scenes: Scenes, state: str
) -> None:
    scene = scenes()
    waits = {
        "retrying": river("a", raises(OSError("no")), retry_times=9, retry_interval=100, retry_max_interval=None),
        "cycling": river("a", nothing, raises(Continue("no")), cycle_interval=100, cycle_times=9),
        "in-doubt": river(
            "a", raises(OSError("?")), reconcile=raises(Continue("?")), retry_interval=100, retry_max_interval=None
        ),
        "undoing": river("a", nothing, undo=raises(Continue("not yet")), undo_interval=100),
    }
    flow = scene.engine.start(drawn(waits[state], river("b", raises(Fail("b")))), id="one")

    scene.runtime.advance(10)

    shown, stats = flow.status().stream("a"), scene.runtime.stats()
    assert (shown.state, shown.running) == (state, False)
    assert shown.due is not None
    assert round(shown.due.timestamp() * 1_000_000) - scene.begin == 100_000_000
    assert (stats.queued, stats.running, stats.tasks) == (0, 0, 0)

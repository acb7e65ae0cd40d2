"""Do both runtimes keep the one protocol?"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest

from tests.runtime.players import LONG, Doer, Fragile, Recorder, raising
from vastflow.runtime import Lane, Real, Ref, Runtime, Simulated

SECOND = 1_000_000
ANYTHING = [ValueError("no"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit()]

trace: ContextVar[str] = ContextVar("trace", default="nobody's")


def name_of(value: object) -> str:
    return value.__name__ if isinstance(value, type) else type(value).__name__


@pytest.fixture(params=[Real, Simulated], ids=name_of)
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    made: Runtime = request.param()
    yield made
    assert made.close()


def test_an_actor_hears_what_one_sender_tells_in_the_order_it_was_told(runtime: Runtime) -> None:
    actor = Recorder(expected=10_000)
    ref = runtime.spawn(actor)

    for number in range(10_000):
        ref.tell(number)

    assert runtime.wait(actor.full, LONG) == list(range(10_000))


def test_a_ref_has_the_name_of_its_actor(runtime: Runtime) -> None:
    assert runtime.spawn(Recorder(name="create-vm")).name == "create-vm"


def test_an_actor_may_tell_itself(runtime: Runtime) -> None:
    actor = Doer(expected=2)
    ref = runtime.spawn(actor)

    ref.tell(partial(ref.tell, "mine"))

    assert runtime.wait(actor.full, LONG)[1] == "mine"


def test_an_actor_may_spawn_another(runtime: Runtime) -> None:
    child = Recorder()
    ref = runtime.spawn(Doer())

    ref.tell(lambda: runtime.spawn(child).tell("hello"))

    assert runtime.wait(child.full, LONG) == ["hello"]


@pytest.mark.promise("7.6")
@pytest.mark.parametrize("error", ANYTHING, ids=name_of)
def test_a_message_whose_handling_raises_is_handed_to_failed_and_the_actor_lives_on(
    runtime: Runtime, error: BaseException
) -> None:
    actor = Doer(expected=2)
    bug = raising(error)
    ref = runtime.spawn(actor)

    for message in ("before", bug, "after"):
        ref.tell(message)

    assert runtime.wait(actor.full, LONG) == ["before", "after"]
    assert actor.stranded == [(bug, error)]


@pytest.mark.promise("7.6")
@pytest.mark.parametrize("error", ANYTHING, ids=name_of)
def test_an_actor_lives_on_even_if_failed_fails_and_the_log_says_so(
    runtime: Runtime, error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    actor = Fragile()
    ref = runtime.spawn(actor)

    for message in (error, "after"):
        ref.tell(message)

    assert runtime.wait(actor.full, LONG) == ["after"]
    assert "a message was lost" in capsys.readouterr().err


@pytest.mark.promise("4.4")
@pytest.mark.parametrize("lane", ["body", "end"])
def test_what_a_body_returns_is_told_to_its_ref(runtime: Runtime, lane: Lane) -> None:
    actor = Recorder()

    running = runtime.run(lambda: "done", runtime.spawn(actor), lane=lane)

    assert runtime.wait(actor.full, LONG) == ["done"]
    assert running.began


@pytest.mark.promise("4.4")
def test_what_an_async_body_returns_is_told_to_its_ref(runtime: Runtime) -> None:
    async def body() -> object:
        async with asyncio.timeout(3600):
            await asyncio.sleep(0.001)
        return await asyncio.to_thread(lambda: "done")

    actor = Recorder()

    running = runtime.run_async(body, runtime.spawn(actor))

    assert runtime.wait(actor.full, LONG) == ["done"]
    assert running.began


@pytest.mark.promise("4.4")
def test_an_async_body_may_time_itself_out(runtime: Runtime) -> None:
    async def body() -> object:
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            return "too long"
        return "never"

    actor = Recorder()

    runtime.run_async(body, runtime.spawn(actor))

    assert runtime.wait(actor.full, LONG) == ["too long"]


@pytest.mark.promise("4.4")
@pytest.mark.parametrize("error", ANYTHING, ids=name_of)
def test_no_body_can_hurt_another_whatever_it_raises(
    runtime: Runtime, error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    def bad() -> object:
        ref.tell("bad")
        raise error

    async def async_bad() -> object:
        await asyncio.sleep(0)
        return bad()

    async def good() -> object:
        await asyncio.sleep(0)
        return "good"

    actor = Recorder(expected=4)
    ref = runtime.spawn(actor)

    runtime.run(bad, ref)
    runtime.run_async(async_bad, ref)
    runtime.run(lambda: "good", ref)
    runtime.run_async(good, ref)

    runtime.wait(actor.full, LONG)
    assert runtime.close(LONG)
    assert sorted(actor.heard) == ["bad", "bad", "good", "good"]
    assert capsys.readouterr().err.count("raised past its guard") == 2


@pytest.mark.promise("4.4")
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=name_of)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # asyncio notes the task's own end
def test_a_task_that_a_body_left_behind_cannot_stop_the_event_loop(runtime: Runtime, error: BaseException) -> None:
    async def child() -> None:
        raise error

    async def body() -> object:
        tasks = [asyncio.create_task(child())]
        await asyncio.wait(tasks)
        return type(tasks[0].exception())

    actor = Recorder()

    runtime.run_async(body, runtime.spawn(actor))

    assert runtime.wait(actor.full, LONG) == [type(error)]


@pytest.mark.promise("4.4")
def test_a_body_that_stops_the_event_loop_stops_nobody(runtime: Runtime) -> None:
    async def body() -> object:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0.001)
        return "still here"

    actor = Recorder()

    runtime.run_async(body, runtime.spawn(actor))

    assert runtime.wait(actor.full, LONG) == ["still here"]


@pytest.mark.promise("4.4")
def test_each_body_has_a_context_of_its_own(runtime: Runtime) -> None:
    def body() -> object:
        before = trace.get()
        trace.set("a body's")
        return before

    async def async_body() -> object:
        return body()

    actor = Recorder(expected=40)
    ref = runtime.spawn(actor)
    token = trace.set("the caller's")

    for _ in range(20):
        runtime.run(body, ref)
        runtime.run_async(async_body, ref)
    heard = runtime.wait(actor.full, LONG)
    trace.reset(token)

    assert heard == ["nobody's"] * 40


@pytest.mark.promise("10.3")
@pytest.mark.parametrize("lane", ["body", "end"])
def test_a_body_with_a_gate_is_called_only_when_it_is_let_through(runtime: Runtime, lane: Lane) -> None:
    free, actor = Recorder(), Recorder()
    door = runtime.spawn(free)

    running = runtime.run(lambda: "done", runtime.spawn(actor), lane=lane, gate=partial(door.tell, "free"))
    runtime.wait(free.full, LONG)
    held = runtime.stats()
    before = (running.began, list(actor.heard))
    admitted = running.admit()
    begun = running.began
    runtime.wait(actor.full, LONG)

    assert (admitted, running.admit()) == (True, True)
    assert before == (False, [])
    assert (held.queued, held.running) == (0, 1)
    assert begun
    assert actor.heard == ["done"]


@pytest.mark.promise("7.5", "10.3")
def test_a_body_held_at_its_gate_is_withdrawn_and_one_that_was_let_through_is_not(runtime: Runtime) -> None:
    free, actor = Recorder(expected=2), Recorder(expected=1)
    ref, door = runtime.spawn(actor), runtime.spawn(free)
    runs = [runtime.run(lambda: "through", ref, gate=partial(door.tell, "free")) for _ in range(2)]
    runtime.wait(free.full, LONG)

    withdrawn = [runs[0].withdraw(), runs[0].withdraw()]
    late = runs[0].admit()
    admitted = runs[1].admit()
    too_late = runs[1].withdraw()

    assert runtime.wait(actor.full, LONG) == ["through"]
    assert (withdrawn, late, admitted, too_late) == ([True, True], False, True, False)
    assert runtime.close(LONG)
    assert (runtime.stats().queued, runtime.stats().running) == (0, 0)


@pytest.mark.promise("10.3")
def test_a_body_that_is_withdrawn_before_a_thread_is_free_never_knocks(runtime: Runtime) -> None:
    free, actor = Recorder(expected=-1), Recorder()
    ref, door = runtime.spawn(actor), runtime.spawn(free)
    runs = [runtime.run(lambda: "never", ref, gate=partial(door.tell, number)) for number in range(200)]

    withdrawn = [number for number, run in enumerate(runs) if run.withdraw()]
    runtime.run(lambda: "last", ref)
    runtime.wait(actor.full, LONG)

    assert withdrawn == list(range(200))
    assert actor.heard == ["last"]
    assert runtime.close(LONG)


@pytest.mark.promise("11.4")
def test_bodies_held_at_their_gates_keep_nobody_from_closing_and_never_begin(runtime: Runtime) -> None:
    free, actor = Recorder(expected=3), Recorder(expected=-1)
    ref, door = runtime.spawn(actor), runtime.spawn(free)
    runs = [runtime.run(lambda: "never", ref, gate=partial(door.tell, "free")) for _ in range(3)]
    runtime.wait(free.full, LONG)

    closed = runtime.close(LONG)
    too_late = [run.admit() for run in runs]
    after = runtime.run(lambda: "never", ref, gate=partial(door.tell, "free"))

    assert closed
    assert too_late == [False, False, False]
    assert not after.admit()
    assert all(run.withdraw() for run in (*runs, after))
    assert actor.heard == []
    assert len(free.heard) == 3


@pytest.mark.promise("11.4")
def test_a_body_let_through_just_before_the_end_runs_and_is_heard(runtime: Runtime) -> None:
    actor = Recorder()
    ref = runtime.spawn(actor)
    free = Recorder()
    running = runtime.run(lambda: "done", ref, gate=partial(runtime.spawn(free).tell, "free"))
    runtime.wait(free.full, LONG)

    admitted = running.admit()
    closed = runtime.close(LONG)

    assert (admitted, closed) == (True, True)
    assert actor.heard == ["done"]


@pytest.mark.promise("11.4")
def test_an_async_body_let_begin_just_before_the_end_runs_and_is_heard(runtime: Runtime) -> None:
    async def body() -> object:
        await asyncio.sleep(0.01)
        return "done"

    actor = Recorder()
    running = runtime.run_async(body, runtime.spawn(actor))

    admitted, withdrawn = running.admit(), running.withdraw()
    closed = runtime.close(LONG)

    assert (admitted, withdrawn, closed) == (True, False, True)
    assert actor.heard == ["done"]


@pytest.mark.promise("7.6")
def test_a_gate_that_raises_costs_its_body_and_no_thread(runtime: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    actor = Recorder()
    ref = runtime.spawn(actor)

    def broken() -> None:
        raise SystemExit("no")

    runs = [runtime.run(lambda: "never", ref, gate=broken) for _ in range(100)]
    runtime.run(lambda: "done", ref)
    runtime.wait(actor.full, LONG)

    assert runtime.close(LONG)
    assert not any(run.began or run.admit() for run in runs)
    assert actor.heard == ["done"]
    assert "the gate of a body raised" in capsys.readouterr().err


@pytest.mark.promise("10.3")
def test_a_body_without_a_gate_needs_no_leave(runtime: Runtime) -> None:
    async def body() -> object:
        return "async"

    actor = Recorder(expected=2)
    ref = runtime.spawn(actor)

    admitted = [runtime.run(lambda: "sync", ref).admit(), runtime.run_async(body, ref).admit()]

    assert admitted == [True, True]
    runtime.wait(actor.full, LONG)
    assert sorted(actor.heard) == ["async", "sync"]


@pytest.mark.promise("4.5")
def test_an_abandoned_task_is_counted_until_it_ends_and_nobody_waits_for_it(runtime: Runtime) -> None:
    begun, actor = Recorder(), Recorder(expected=-1)
    sign, ref = runtime.spawn(begun), runtime.spawn(actor)

    async def body() -> object:
        sign.tell("begun")
        await asyncio.sleep(60 * LONG)
        return "late"

    running = runtime.run_async(body, ref)
    runtime.wait(begun.full, LONG)
    running.abandon()
    running.abandon()
    while_out = runtime.stats()
    before = runtime.clock.now()
    runtime.close(drain=30 * LONG)

    assert (while_out.tasks, while_out.abandoned_tasks, while_out.abandoned) == (1, 1, 0)
    assert runtime.clock.now() - before < 15 * LONG * SECOND
    assert (runtime.stats().tasks, runtime.stats().abandoned_tasks) == (0, 0)


@pytest.mark.promise("4.5")
def test_what_an_abandoned_task_answers_late_is_still_told(runtime: Runtime) -> None:
    begun, actor = Recorder(), Recorder()
    sign = runtime.spawn(begun)

    async def body() -> object:
        sign.tell("begun")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "late"
        return "never"

    running = runtime.run_async(body, runtime.spawn(actor))
    runtime.wait(begun.full, LONG)
    running.abandon()
    running.cancel()

    assert runtime.wait(actor.full, LONG) == ["late"]
    assert runtime.close(LONG)
    assert runtime.stats().abandoned_tasks == 0


def test_a_cancelled_async_body_gets_the_error_where_it_waits(runtime: Runtime) -> None:
    waits = Recorder()
    actor = Recorder()
    sign = runtime.spawn(waits)

    async def body() -> object:
        sign.tell("waiting")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "cancelled"
        return "never"

    running = runtime.run_async(body, runtime.spawn(actor))
    runtime.wait(waits.full, LONG)
    running.cancel()

    assert runtime.wait(actor.full, LONG) == ["cancelled"]
    assert not running.withdraw()


def test_a_timer_tells_its_message_never_early(runtime: Runtime) -> None:
    actor = Recorder()
    when = runtime.clock.now() + 25_000

    runtime.at(when, runtime.spawn(actor), "now")

    assert runtime.wait(actor.full, LONG) == ["now"]
    assert runtime.clock.now() >= when


def test_a_timer_whose_time_is_past_fires_at_once(runtime: Runtime) -> None:
    actor = Recorder()

    runtime.at(runtime.clock.now() - SECOND, runtime.spawn(actor), "late")

    assert runtime.wait(actor.full, LONG) == ["late"]


def test_timers_fire_in_the_order_of_their_times(runtime: Runtime) -> None:
    actor = Recorder(expected=200)
    ref = runtime.spawn(actor)
    begin = runtime.clock.now() + 200_000

    for number in range(200):
        when = begin + (number * 7919) % 200 * 500
        runtime.at(when, ref, when)
    ordered = runtime.clock.now()  # what was past by then fired at once
    heard = runtime.wait(actor.full, LONG)

    waited = [when for when in heard if when > ordered]
    assert waited == sorted(waited)
    assert len(set(heard)) == 200


def test_a_cancelled_timer_tells_nothing_and_is_forgotten(runtime: Runtime) -> None:
    actor = Recorder()
    ref = runtime.spawn(actor)
    timers = [runtime.at(runtime.clock.now() + 60_000, ref, "cancelled") for _ in range(10)]
    runtime.at(runtime.clock.now() + 120_000, ref, "kept")

    for timer in timers:
        timer.cancel()
        timer.cancel()
    left = runtime.stats().timers

    assert runtime.wait(actor.full, LONG) == ["kept"]
    assert left == 1
    assert runtime.stats().timers == 0


def test_a_beat_goes_on_until_it_is_cancelled(runtime: Runtime) -> None:
    actor = Recorder(expected=3)
    ref = runtime.spawn(actor)

    beat = runtime.every(0.02, ref, "beat")
    with pytest.raises(TimeoutError):
        runtime.wait(Future(), 0.001)
    runtime.wait(actor.full, LONG)
    beat.cancel()

    assert runtime.stats().timers == 0
    assert set(actor.heard) == {"beat"}


def test_waiting_gives_what_the_future_holds(runtime: Runtime) -> None:
    future: Future[int] = Future()
    future.set_exception(LookupError("none"))

    with pytest.raises(LookupError, match="none"):
        runtime.wait(future)


def test_waiting_too_long_is_a_timeout(runtime: Runtime) -> None:
    begin = runtime.clock.now()

    with pytest.raises(TimeoutError):
        runtime.wait(Future(), 0.02)

    assert runtime.clock.now() >= begin + 20_000


def test_entropy_differs_from_call_to_call(runtime: Runtime) -> None:
    drawn = {runtime.entropy(16) for _ in range(100)}

    assert len(drawn) == 100
    assert {len(value) for value in drawn} == {16}


def test_a_runtime_counts_what_it_has_to_do(runtime: Runtime) -> None:
    ref = runtime.spawn(Recorder())
    runtime.at(runtime.clock.now() + 3600 * SECOND, ref, "far")
    runtime.every(3600.0, ref, "beat")

    stats = runtime.stats()

    assert (stats.actors, stats.timers, stats.queued, stats.running, stats.abandoned) == (1, 2, 0, 0, 0)


@pytest.mark.promise("11.4")
def test_closing_may_come_twice_and_before_use(runtime: Runtime) -> None:
    assert runtime.close()
    assert runtime.close(drain=1.0)


@pytest.mark.promise("11.4")
def test_after_closing_nothing_begins_and_nobody_raises(runtime: Runtime) -> None:
    async def body() -> object:
        return "never"

    actor = Recorder()
    ref = runtime.spawn(actor)
    runtime.close()

    runs = [runtime.run(lambda: "never", ref), runtime.run_async(body, ref)]
    runtime.at(runtime.clock.now() + 1000, ref, "never")
    runtime.every(0.001, ref, "never")
    runtime.spawn(Recorder()).tell("never")
    for run in runs:
        run.cancel()
        run.abandon()

    assert all(run.withdraw() for run in runs)
    assert not any(run.began for run in runs)
    assert runtime.close()
    assert actor.heard == []
    assert runtime.stats().timers == 0


@pytest.mark.promise("11.4")
def test_an_async_body_that_ends_in_the_drain_is_heard_of_before_the_actors_stop(runtime: Runtime) -> None:
    async def body() -> object:
        await asyncio.sleep(0.02)
        return "just in time"

    begun = Recorder()
    sign = runtime.spawn(begun)
    writer = Recorder()
    written = runtime.spawn(writer)

    class Passing(Recorder):
        def receive(self, message: Any, /) -> None:
            written.tell((self.name, message))

    def work() -> Any:
        sign.tell("begun")
        return body()

    runtime.run_async(work, runtime.spawn(Passing(name="river")))
    runtime.wait(begun.full, LONG)

    assert runtime.close(drain=LONG)
    assert writer.heard == [("river", "just in time")]


@pytest.mark.promise("11.4")
def test_an_async_body_that_does_not_end_in_the_drain_is_cancelled_and_nobody_hears_of_it(runtime: Runtime) -> None:
    cleaned: list[str] = []
    begun = Recorder()
    sign = runtime.spawn(begun)

    async def body() -> object:
        sign.tell("begun")
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append("cleaned")
        return "never"

    async def guarded() -> object:
        try:
            return await body()
        except asyncio.CancelledError as error:
            return error

    actor = Recorder()
    runtime.run_async(guarded, runtime.spawn(actor))
    runtime.wait(begun.full, LONG)

    runtime.close(drain=0.01)

    assert cleaned == ["cleaned"]
    assert actor.heard == []
    assert runtime.stats().tasks == 0


@pytest.mark.promise("11.4")
def test_closing_lets_a_chain_of_actors_hear_each_other_out(runtime: Runtime) -> None:
    last = Recorder(name="last")
    following: Ref = runtime.spawn(last)

    class Link(Recorder):
        def __init__(self, name: str, following: Ref) -> None:
            super().__init__(name=name)
            self._following = following

        def receive(self, message: Any, /) -> None:
            self._following.tell(message + 1)

    for number in range(20):
        following = runtime.spawn(Link(f"link-{number}", following))
    following.tell(0)

    assert runtime.close()
    assert last.heard == [20]

"""Is what a body keeps while it runs there afterwards, whatever becomes of the body?"""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.acts import Held, Hung, Scene, Scenes, Script, naps, stubborn
from tests.engine.scenes import LONG, Body, drawn, nothing, puts, raises, river, sea
from vastflow import Continue, Engine, Fail, ParallelRiver, Retry
from vastflow.errors import EngineBlocked, SaveRefused
from vastflow.ledger.memory import MemoryStore


def saves(then: Body | BaseException | None = None, **values: Any) -> Body:
    """Return a body that writes these values, keeps them, and does or raises something else."""

    def body(called: Any, water: Any) -> Any:
        water.update(values)
        called.save()
        if isinstance(then, BaseException):
            raise then
        return then(called, water) if then is not None else None

    return body


def asaves(then: Body | None = None, **values: Any) -> Body:
    """Return the same as an `async def` body."""

    async def body(called: Any, water: Any) -> Any:
        water.update(values)
        await called.asave()
        return await then(called, water) if then is not None else None

    return body


@pytest.mark.promise("5.5")
@pytest.mark.parametrize("end", [Retry("again"), OSError("no"), RuntimeError("no")])
def test_what_was_saved_is_kept_by_an_attempt_that_failed_and_the_next_one_sees_it(
    scene: Scene, end: Exception
) -> None:
    flow = Script(scene)

    def first(called: Any, water: Any) -> None:
        water["saved"] = 1
        called.save()
        water["dropped"] = 1
        raise end

    tried = river("a", flow.body(first, puts(done=1)), retry_times=1)
    started = scene.engine.start(drawn(tried), id="one")

    assert started.result() == {"saved": 1, "done": 1}
    assert [call.water for call in flow.calls] == [{}, {"saved": 1}]


@pytest.mark.promise("5.5")
def test_without_a_save_what_a_failed_attempt_wrote_is_gone(scene: Scene) -> None:
    flow = Script(scene)

    def first(_called: Any, water: Any) -> None:
        water["dropped"] = 1
        raise Retry("again")

    started = scene.engine.start(drawn(river("a", flow.body(first, None), retry_times=1)), id="one")

    assert started.result() == {}


@pytest.mark.promise("5.5", "7.3")
@pytest.mark.parametrize("end", [Fail("no"), OSError("no")])
def test_what_was_saved_by_one_that_failed_is_seen_by_its_undo_and_by_the_end(scene: Scene, end: Exception) -> None:
    undo, fail = Script(scene), Script(scene)

    failing = river("a", saves(end, vm="vm-7"), undo=undo.body())
    scene.engine.start(drawn(failing, end=sea(fail=fail.body())), id="one").wait()

    assert [call.water for call in undo.calls] == [{"vm": "vm-7"}]
    assert [call.water for call in fail.calls] == [{"vm": "vm-7"}]


@pytest.mark.promise("5.5")
def test_what_was_saved_is_on_disk_when_save_returns(scene: Scene) -> None:
    on_disk: list[list[str]] = []

    def flow(called: Any, water: Any) -> None:
        water["a"] = 1
        called.save()
        on_disk.append(scene.kinds("a"))
        water["a"] = 2
        called.save()
        on_disk.append(scene.kinds("a"))

    started = scene.engine.start(drawn(river("a", flow)), id="one")

    assert started.result() == {"a": 2}
    assert on_disk == [["saved"], ["saved", "saved"]]


@pytest.mark.promise("5.5", "10.2")
def test_save_does_not_return_before_the_commit() -> None:
    store, saved, gate = Held(), threading.Event(), threading.Event()

    def flow(called: Any, water: Any) -> None:
        assert gate.wait(LONG)
        water["a"] = 1
        called.save()
        saved.set()

    with Engine(store=store, jitter=0.0) as engine:
        started = engine.start(drawn(river("a", flow)), id="one")
        store.go.clear()
        gate.set()
        assert store.held.wait(LONG)
        early = saved.is_set()
        store.go.set()

        assert started.result(LONG) == {"a": 1}
    assert not early
    assert saved.is_set()


@pytest.mark.promise("5.5", "10.5")
def test_what_was_saved_outlives_the_process(scene: Scene) -> None:
    flow = Script(scene)
    first = asaves(naps(10_000), part=1)
    scene.engine.start(drawn(river("a", flow.async_body(first, puts(done=1)))), id="one")
    scene.until(lambda: scene.has("saved"))

    scene.crash()

    assert scene.engine.flow("one").result() == {"part": 1, "done": 1}
    assert [call.water for call in flow.calls] == [{}, {"part": 1}]


@pytest.mark.promise("5.5", "4.8")
def test_what_was_saved_before_a_doubt_is_seen_by_whoever_is_asked(scene: Scene) -> None:
    reconcile = Script(scene)

    doubtful = river("a", saves(OSError("?"), ticket="t-1"), reconcile=reconcile.body(puts(done=1)))
    started = scene.engine.start(drawn(doubtful), id="one")

    assert started.result() == {"ticket": "t-1", "done": 1}
    assert [call.water for call in reconcile.calls] == [{"ticket": "t-1"}]


@pytest.mark.promise("5.5")
@pytest.mark.parametrize("body", ["cycle", "reconcile", "undo", "success", "fail"])
def test_every_body_may_save(scene: Scene, body: str) -> None:
    """It is interrupted once by its own exception, and sees the next time what it had saved."""
    script = Script(scene)

    def first(called: Any, water: Any) -> None:
        water["seen"] = body
        called.save()
        raise Continue if body in {"cycle", "reconcile", "undo"} else Retry

    told = script.body(first, None)
    rivers = {
        "cycle": river("a", nothing, told, cycle_times=3),
        "reconcile": river("a", raises(OSError("?")), reconcile=told),
        "undo": river("a", nothing, undo=told),
    }
    last = river("z", raises(Fail("z")) if body in {"undo", "fail"} else nothing)
    end = sea(**{body: told}, retry_times=1) if body in {"success", "fail"} else None

    scene.engine.start(drawn(rivers.get(body, river("a", nothing)), last, end=end), id="one").wait()

    assert [call.water for call in script.calls] == [{}, {"seen": body}]


@pytest.mark.promise("5.5")
def test_what_was_saved_in_a_branch_is_seen_there_only_until_the_join(scene: Scene) -> None:
    beside, after = Script(scene), Script(scene)
    fan = ParallelRiver(river("a", asaves(naps(10), a=1)), river("b", naps(5)) >> river("c", beside.body(puts(c=1))))

    started = scene.engine.start(drawn(fan, river("d", after.body())), id="one")

    assert started.result() == {"a": 1, "c": 1}
    assert [call.water for call in beside.calls] == [{}]
    assert [call.water for call in after.calls] == [{"a": 1, "c": 1}]


@pytest.mark.promise("5.5", "9.2")
def test_a_signal_taken_before_a_save_is_taken_although_the_body_raises_afterwards(scene: Scene) -> None:
    took: list[Any] = []

    def cycle(called: Any, _water: Any) -> None:
        took.append(called.signal("go"))
        if len(took) == 1:
            called.save()
            raise OSError("after the save")
        if len(took) == 2:
            raise OSError("without a save")

    listens = river("a", nothing, cycle, signals=("go",), cycle_interval=10, cycle_times=9)
    started = scene.engine.start(drawn(listens), id="one")
    for value in (1, 2):
        started.signal("go", value)

    started.result()

    assert took == [1, 2, 2]


# Calls that do not count any more


def refused_by(
    scene: Scene, prepare: Callable[[], Any], seconds: float, **attributes: Any
) -> list[BaseException | None]:
    """Return what a save raised that came after its call had been given up."""
    said: list[BaseException | None] = []

    async def late(called: Any, water: Any) -> None:
        await stubborn(seconds)(called, water)
        water["late"] = 1
        try:
            await called.asave()
        except BaseException as error:
            said.append(error)
            raise
        said.append(None)

    first = Script().async_body(late, None)
    scene.engine.start(drawn(river("a", first, **attributes), river("b", naps(1000))), id="one")
    scene.runtime.advance(10)
    prepare()
    scene.runtime.advance(200)
    return said


@pytest.mark.promise("5.5", "4.5")
@pytest.mark.parametrize("how", ["timeout", "deadline", "cancel"])
def test_a_save_of_a_superseded_call_raises_and_keeps_nothing(scenes: Scenes, how: str) -> None:
    scene = scenes(cancel_grace=5.0)
    attributes: dict[str, Any] = {"timeout": {"timeout": 5, "retry_times": 1}, "deadline": {"deadline": 5}}.get(how, {})

    said = refused_by(scene, lambda: how == "cancel" and scene.engine.flow("one").cancel(), 60, **attributes)

    assert [type(error) for error in said] == [SaveRefused]
    assert "does not count any more" in str(said[0])
    assert not scene.has("saved")


@pytest.mark.promise("5.5", "4.5")
def test_a_save_of_a_thread_that_was_left_behind_raises() -> None:
    store, said = MemoryStore(), list[BaseException]()

    def late(called: Any, water: Any) -> None:
        water["late"] = 1
        try:
            called.save()
        except BaseException as error:
            said.append(error)
            raise

    with Hung() as hung, Hung() as last, Engine(store=store, jitter=0.0) as engine:
        first = Script().body(hung.body(late), None)
        flow = engine.start(
            drawn(river("a", first, timeout=0.05, retry_times=1, retry_interval=0), river("b", last.body())), id="one"
        )
        last.await_begun()
        hung.free.set()
        hung.await_ended()
        last.free.set()

        assert flow.result(LONG) == {}
    assert [type(error) for error in said] == [SaveRefused]


@pytest.mark.promise("5.5", "5.1")
def test_an_async_body_is_told_how_to_save_without_blocking_the_loop(scene: Scene) -> None:
    async def flow(called: Any, water: Any) -> None:
        water["a"] = 1
        called.save()

    status = scene.engine.start(drawn(river("a", flow, retry_on=(Retry,), retry_times=1)), id="one").wait()

    assert status.failure is not None
    assert status.failure.matches(EngineBlocked)
    assert "await self.asave()" in status.failure.message


@pytest.mark.promise("5.5", "5.3")
def test_what_cannot_be_stored_is_refused_by_the_save_and_nothing_of_it_is_kept(scene: Scene) -> None:
    def flow(called: Any, water: Any) -> None:
        water["list"] = []
        water["list"].append(object())
        called.save()

    status = scene.engine.start(drawn(river("a", flow)), id="one").wait()

    assert status.failure is not None
    assert "list" in status.failure.message
    assert not scene.has("saved")

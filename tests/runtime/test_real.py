"""Do the parts of the real runtime hold together?"""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pykka
import pytest

from tests.runtime.players import LONG, Doer, Recorder
from vastflow.runtime import Real, Runtime


@pytest.fixture
def runtime() -> Iterator[Real]:
    made = Real(threads=2)
    yield made
    assert made.close(LONG)


def promised(runtime: Real) -> Runtime:
    """Hold that `Real` is a `Runtime`: mypy reads this."""
    return runtime


@pytest.mark.promise("7.6")
def test_stopping_all_pykka_actors_of_the_process_loses_nothing(runtime: Real) -> None:
    actors = [Recorder(expected=500, name=f"actor-{number}") for number in range(5)]
    refs = [runtime.spawn(actor) for actor in actors]

    for number in range(500):
        if number % 100 == 50:
            pykka.ActorRegistry.stop_all(timeout=LONG)
        for ref in refs:
            ref.tell(number)

    assert [runtime.wait(actor.full, LONG) for actor in actors] == [list(range(500))] * 5
    assert runtime.stats().actors == 5


@pytest.mark.promise("4.5")
def test_hung_bodies_keep_no_flow_from_ending(runtime: Real) -> None:
    go = threading.Event()
    actor, end = Recorder(expected=4), Recorder()
    ref, end_ref = runtime.spawn(actor), runtime.spawn(end)

    for _ in range(4):
        runtime.run(lambda: go.wait(LONG), ref)
    runtime.run(lambda: "ended", end_ref, lane="end")

    assert runtime.wait(end.full, LONG) == ["ended"]
    assert actor.heard == []
    go.set()
    assert runtime.wait(actor.full, LONG) == [True] * 4


@pytest.mark.promise("11.4")
def test_a_body_that_ends_in_the_drain_is_heard_of_before_the_actors_stop() -> None:
    runtime = Real()
    begun, go = threading.Event(), threading.Event()
    writer = Recorder()
    written = runtime.spawn(writer)

    class Passing(Recorder):
        def receive(self, message: object, /) -> None:
            written.tell(message)

    def body() -> object:
        begun.set()
        return go.wait(LONG)

    runtime.run(body, runtime.spawn(Passing()))
    assert begun.wait(LONG)
    runtime.at(runtime.clock.now() + 20_000, runtime.spawn(Doer()), go.set)

    assert runtime.close(drain=LONG)
    assert writer.heard == [True]


@pytest.mark.promise("11.4")
def test_an_actor_first_needed_in_the_drain_still_hears() -> None:
    runtime = Real()
    begun, go = threading.Event(), threading.Event()
    late = Recorder()

    class Spawning(Recorder):
        def receive(self, message: object, /) -> None:
            runtime.spawn(late).tell(message)

    def body() -> object:
        begun.set()
        return go.wait(LONG)

    runtime.run(body, runtime.spawn(Spawning()))
    assert begun.wait(LONG)
    runtime.at(runtime.clock.now() + 20_000, runtime.spawn(Doer()), go.set)

    assert runtime.close(drain=LONG)
    assert late.heard == [True]


@pytest.mark.promise("11.4")
def test_closing_says_if_a_body_was_left_hanging_and_may_be_asked_again() -> None:
    runtime = Real()
    begun, go = threading.Event(), threading.Event()

    def body() -> object:
        begun.set()
        return go.wait(LONG)

    runtime.run(body, runtime.spawn(Recorder()))
    assert begun.wait(LONG)

    assert not runtime.close()
    go.set()
    assert runtime.close(LONG)


@pytest.mark.promise("11.4")
def test_an_actor_may_close_the_runtime_it_runs_on() -> None:
    runtime = Real()
    actor = Doer()
    closed: list[bool] = []
    runtime.spawn(Recorder()).tell("anything")

    runtime.spawn(actor).tell(lambda: closed.append(runtime.close()))

    assert actor.full.result(LONG)
    assert closed == [True]


@pytest.mark.promise("11.4")
def test_an_actor_spawned_after_the_end_leaves_no_thread_behind() -> None:
    runtime = Real()
    runtime.close()

    runtime.spawn(Recorder(name="too-late"))
    for thread in threading.enumerate():
        if thread.name == "too-late":
            thread.join(LONG)

    assert "too-late" not in [thread.name for thread in threading.enumerate()]


PROGRAM = """
import asyncio, threading
from vastflow.runtime import Real

class Actor:
    name = "actor"
    def receive(self, message): print(message, flush=True)
    def failed(self, message, error): pass

async def hung():
    try:
        await asyncio.to_thread(threading.Event().wait)
    except asyncio.CancelledError:
        return "nobody hears this"

runtime = Real()
ref = runtime.spawn(Actor())
begun = threading.Event()
runtime.run(lambda: (begun.set(), threading.Event().wait()), ref)
runtime.run_async(hung, ref)
runtime.at(runtime.clock.now() + 86_400_000_000, ref, "far")
begun.wait()
print("closed", runtime.close()) if CLOSES else None
"""


@pytest.mark.promise("11.4")
@pytest.mark.parametrize(("closes", "output"), [(True, "closed False\n"), (False, "")])
def test_hung_bodies_do_not_keep_the_interpreter_alive(*, closes: bool, output: str) -> None:
    program = PROGRAM.replace("CLOSES", str(closes))

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=LONG * 2, check=True
    )

    assert (ended.stdout, ended.stderr) == (output, "")

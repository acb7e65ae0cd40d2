"""Do async bodies get their loop, and nobody else's trouble?"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.runtime.players import LONG
from vastflow.runtime.executor import PoolExecutor
from vastflow.runtime.loop import Loop
from vastflow.runtime.pool import Pool


class Answers:
    """A ref that collects answers; `full` is done when there are enough."""

    name = "answers"

    def __init__(self, expected: int = 1) -> None:
        self.got: list[Any] = []
        self.full: Future[list[Any]] = Future()
        self._expected = expected

    def tell(self, message: object, /) -> None:
        self.got.append(message)
        if len(self.got) == self._expected:
            self.full.set_result(self.got)


@pytest.fixture
def loop() -> Iterator[Loop]:
    pool = Pool("test-call", 2, 0)
    executors: list[ThreadPoolExecutor] = []

    def executor() -> ThreadPoolExecutor:
        executors.append(PoolExecutor(pool))
        return executors[-1]

    made = Loop("test-loop", executor, farewell=0.2)
    yield made
    made.refuse()
    assert made.end()
    pool.refuse()
    assert pool.end()
    assert len(executors) <= 1


def answering(value: object) -> Callable[[], Coroutine[Any, Any, object]]:
    async def body() -> object:
        return value

    return body


async def forever() -> object:
    return await asyncio.Event().wait()


@pytest.mark.promise("4.4")
def test_all_async_bodies_run_on_one_daemon_thread(loop: Loop) -> None:
    async def body() -> object:
        return threading.current_thread()

    answers = Answers(50)

    for _ in range(50):
        loop.submit(body, answers)
    threads = set(answers.full.result(LONG))

    assert [(thread.name, thread.daemon) for thread in threads] == [("test-loop", True)]


def test_a_loop_has_no_thread_before_it_is_used(loop: Loop) -> None:
    loop.call(lambda: None)

    assert not any(thread.name == "test-loop" for thread in threading.enumerate())


def test_bodies_begin_in_the_order_they_were_handed_over(loop: Loop) -> None:
    answers = Answers(2_000)

    for number in range(2_000):
        loop.submit(answering(number), answers)

    assert answers.full.result(LONG) == list(range(2_000))


def test_bodies_handed_over_by_many_threads_all_run(loop: Loop) -> None:
    answers = Answers(4_000)
    start = threading.Barrier(4)

    def hand_over() -> None:
        start.wait(LONG)
        for number in range(1_000):
            loop.submit(answering(number), answers)

    threads = [threading.Thread(target=hand_over) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers.full.result(LONG)) == sorted(4 * list(range(1_000)))


def test_a_body_is_either_begun_or_withdrawn_never_both(loop: Loop) -> None:
    answers = Answers(-1)

    runs = [loop.submit(answering(number), answers) for number in range(2_000)]
    withdrawn = [number for number, run in enumerate(runs) if run.withdraw()]
    last = Answers()
    loop.submit(answering("last"), last)
    last.full.result(LONG)
    loop.refuse()
    loop.drain(LONG)

    assert sorted(answers.got + withdrawn) == list(range(2_000))
    assert [run.began for run in runs].count(True) == len(answers.got)


def test_a_body_cancelled_before_it_begins_is_told_so_where_it_first_waits(loop: Loop) -> None:
    async def body() -> object:
        try:
            return await forever()
        except asyncio.CancelledError:
            return "cancelled"

    answers = Answers()
    hold = threading.Event()
    held = threading.Event()

    async def blocking() -> object:
        held.set()
        return hold.wait(LONG)

    loop.submit(blocking, Answers())
    assert held.wait(LONG)
    run = loop.submit(body, answers)
    run.cancel()
    before = run.began
    hold.set()

    assert answers.full.result(LONG) == ["cancelled"]
    assert not before


def test_cancelling_what_has_ended_changes_nothing(loop: Loop) -> None:
    answers = Answers(2)
    run = loop.submit(answering("first"), answers)
    loop.submit(answering("second"), answers)
    answers.full.result(LONG)

    run.cancel()
    run.abandon()
    loop.refuse()
    loop.drain(LONG)

    assert answers.got == ["first", "second"]
    assert loop.tasks == loop.queued == 0


@pytest.mark.promise("11.4")
def test_a_hung_body_of_the_loop_keeps_nobody_from_closing(loop: Loop) -> None:
    hold, held = threading.Event(), threading.Event()

    async def blocking() -> object:
        held.set()
        return hold.wait(LONG)

    loop.submit(blocking, Answers())
    queued = loop.submit(answering("never"), answers := Answers())
    assert held.wait(LONG)

    loop.refuse()
    loop.drain(0.0)
    ended = loop.end()
    hold.set()

    assert not ended
    assert queued.withdraw()
    assert answers.got == []


@pytest.mark.promise("11.4")
def test_a_body_that_waits_its_turn_when_the_loop_refuses_never_begins(loop: Loop) -> None:
    hold, held = threading.Event(), threading.Event()

    async def blocking() -> object:
        held.set()
        return hold.wait(LONG)

    answers = Answers(2)
    loop.submit(blocking, answers)
    assert held.wait(LONG)
    queued = loop.submit(answering("never"), answers)

    loop.refuse()
    hold.set()
    loop.drain(LONG)

    assert loop.end()
    assert answers.got == [True]
    assert queued.withdraw()


@pytest.mark.promise("10.3", "11.4")
def test_a_body_that_was_let_begin_does_so_although_the_loop_refuses(loop: Loop) -> None:
    hold, held = threading.Event(), threading.Event()

    async def blocking() -> object:
        held.set()
        return hold.wait(LONG)

    answers = Answers(2)
    loop.submit(blocking, answers)
    assert held.wait(LONG)
    queued = loop.submit(answering("let begin"), answers)

    admitted = queued.admit()
    loop.refuse()
    hold.set()
    loop.drain(LONG)

    assert (admitted, queued.withdraw()) == (True, False)
    assert answers.full.result(LONG) == [True, "let begin"]


@pytest.mark.promise("4.5", "11.4")
def test_a_body_abandoned_while_the_loop_closes_is_waited_for_no_longer(loop: Loop) -> None:
    begun, refused = threading.Event(), threading.Event()

    async def body() -> object:
        begun.set()
        return await forever()

    run = loop.submit(body, Answers())
    assert begun.wait(LONG)

    loop.refuse()
    loop.call(refused.set)
    assert refused.wait(LONG)
    run.abandon()
    loop.drain(100 * LONG)

    assert loop.abandoned == 1


@pytest.mark.promise("11.4")
def test_tasks_that_bodies_left_behind_are_cancelled_at_the_end(loop: Loop) -> None:
    ends: list[str] = []
    kept: list[asyncio.Task[object]] = []

    async def left_behind() -> object:
        try:
            return await forever()
        finally:
            ends.append("cleaned")

    async def body() -> object:
        kept.append(asyncio.create_task(left_behind()))
        await asyncio.sleep(0)
        return "done"

    answers = Answers()
    loop.submit(body, answers)
    answers.full.result(LONG)
    loop.refuse()

    assert loop.end()
    assert ends == ["cleaned"]


def test_calls_to_threads_run_on_daemon_threads_of_ours(loop: Loop) -> None:
    async def body() -> object:
        return await asyncio.to_thread(threading.current_thread)

    answers = Answers()
    loop.submit(body, answers)
    (thread,) = answers.full.result(LONG)

    assert thread.name.startswith("test-call")
    assert thread.daemon

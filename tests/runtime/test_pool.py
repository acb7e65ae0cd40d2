"""Does every body get a thread, and every hung thread a successor?"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue

import pytest

from tests.runtime.players import LONG, raising
from vastflow.runtime import Running
from vastflow.runtime.pool import Pool


class Answers:
    """A ref that collects answers; `full` is done when there are enough."""

    name = "answers"

    def __init__(self, expected: int = 1) -> None:
        self.got: list[object] = []
        self.full: Future[list[object]] = Future()
        self._expected = expected
        self._lock = threading.Lock()

    def tell(self, message: object, /) -> None:
        with self._lock:
            self.got.append(message)
            if len(self.got) == self._expected:
                self.full.set_result(self.got)


class Hanging:
    """A body that hangs until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self) -> object:
        self.begun.set()
        self.go.wait(LONG)
        return "late"


@pytest.fixture
def pool() -> Iterator[Pool]:
    """Return a pool of two threads and one more for an abandoned one."""
    made = Pool("test", 2, 1)
    yield made
    made.refuse()
    made.drain(LONG)
    made.end()


def counts(pool: Pool) -> tuple[int, int, int, int]:
    return pool.queued, pool.running, pool.abandoned, pool.threads


@pytest.mark.promise("4.4")
def test_a_pool_starts_threads_as_needed_and_no_more_than_its_size(pool: Pool) -> None:
    answers = Answers(3)
    hanging = [Hanging() for _ in range(3)]
    before = counts(pool)

    for body in hanging:
        pool.submit(body, answers)
    assert all(body.begun.wait(LONG) for body in hanging[:2])
    full = counts(pool)
    for body in hanging:
        body.go.set()

    assert before == (0, 0, 0, 0)
    assert full == (1, 2, 0, 2)
    assert answers.full.result(LONG) == ["late"] * 3


def test_a_pool_uses_a_thread_again_before_it_starts_another() -> None:
    pool = Pool("test", 100, 0)

    for _ in range(100):
        answers = Answers()
        pool.submit(lambda: "done", answers)
        answers.full.result(LONG)
    threads = pool.threads
    pool.end()

    assert threads < 50


def test_worker_threads_are_daemons_and_bear_the_pool_s_name(pool: Pool) -> None:
    answers = Answers()

    pool.submit(threading.current_thread, answers)
    (thread,) = answers.full.result(LONG)

    assert isinstance(thread, threading.Thread)
    assert (thread.name, thread.daemon) == ("test-1", True)


def test_a_queued_body_can_be_withdrawn_and_a_running_one_cannot(pool: Pool) -> None:
    answers = Answers(2)
    hanging = [Hanging(), Hanging()]
    runs = [pool.submit(body, answers) for body in hanging]
    assert all(body.begun.wait(LONG) for body in hanging)
    queued = pool.submit(lambda: "never", answers)
    other = pool.submit(lambda: "never", answers)

    withdrawn = [queued.withdraw(), queued.withdraw(), *(run.withdraw() for run in runs)]
    waiting = pool.queued
    other.withdraw()
    for body in hanging:
        body.go.set()

    assert withdrawn == [True, True, False, False]
    assert waiting == 1
    assert answers.full.result(LONG) == ["late", "late"]
    assert not queued.began


def test_a_body_is_either_begun_or_withdrawn_never_both(pool: Pool) -> None:
    begun: list[int] = []
    answers = Answers(-1)

    def body(number: int) -> Callable[[], object]:
        return lambda: begun.append(number)

    runs = [pool.submit(body(number), answers) for number in range(2_000)]
    withdrawn = [number for number, run in enumerate(runs) if run.withdraw()]
    last = Answers()
    pool.submit(lambda: "last", last)
    last.full.result(LONG)
    pool.refuse()
    pool.drain(LONG)

    assert sorted(begun + withdrawn) == list(range(2_000))
    assert [run.began for run in runs].count(True) == len(begun)


@pytest.mark.promise("4.5")
def test_an_abandoned_thread_is_replaced_and_its_late_answer_still_told(pool: Pool) -> None:
    answers, others = Answers(2), Answers()
    hanging = [Hanging(), Hanging()]
    runs = [pool.submit(body, answers) for body in hanging]
    assert all(body.begun.wait(LONG) for body in hanging)

    pool.submit(lambda: "through", others)
    runs[0].abandon()
    runs[0].abandon()
    others.full.result(LONG)
    while_abandoned = (pool.running, pool.abandoned, pool.threads)
    for body in hanging:
        body.go.set()
    answers.full.result(LONG)
    pool.refuse()
    pool.drain(LONG)

    assert others.got == ["through"]
    assert while_abandoned == (1, 1, 3)
    assert answers.got == ["late", "late"]


@pytest.mark.promise("4.5")
def test_a_thread_that_was_replaced_goes_when_its_body_returns(pool: Pool) -> None:
    hanging = [Hanging(), Hanging(), Hanging()]
    answers = [Answers(), Answers(), Answers()]
    runs = [pool.submit(body, answer) for body, answer in zip(hanging, answers, strict=True)]
    assert all(body.begun.wait(LONG) for body in hanging[:2])
    names = {thread.name: thread for thread in threading.enumerate() if thread.name.startswith("test-")}

    runs[0].abandon()
    assert hanging[2].begun.wait(LONG)
    hanging[0].go.set()
    answers[0].full.result(LONG)
    first = names["test-1"] if runs[0].began else names["test-2"]
    first.join(LONG)
    left = pool.threads
    for body in hanging:
        body.go.set()

    assert not first.is_alive()
    assert left == 2


@pytest.mark.promise("4.5")
def test_no_more_threads_are_replaced_than_the_bound_allows(pool: Pool) -> None:
    answers = Answers(4)
    hanging = [Hanging() for _ in range(4)]
    runs = [pool.submit(body, answers) for body in hanging]

    assert all(body.begun.wait(LONG) for body in hanging[:2])
    runs[0].abandon()
    assert hanging[2].begun.wait(LONG)
    runs[1].abandon()
    runs[2].abandon()
    bounded = counts(pool)
    hanging[0].go.set()
    assert hanging[3].begun.wait(LONG)
    for body in hanging:
        body.go.set()

    assert bounded == (1, 0, 3, 3)
    assert answers.full.result(LONG) == ["late"] * 4


def test_abandoning_what_does_not_run_changes_nothing(pool: Pool) -> None:
    answers = Answers()
    run = pool.submit(lambda: "done", answers)
    answers.full.result(LONG)
    pool.refuse()
    pool.drain(LONG)

    run.abandon()

    assert pool.abandoned == 0


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), ValueError("no")], ids=repr)
def test_a_body_that_raises_costs_no_thread(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    pool = Pool("test", 1, 0)
    answers = Answers()

    for _ in range(10):
        pool.submit(raising(error), answers)
    pool.submit(lambda: "alive", answers)
    answers.full.result(LONG)

    assert pool.threads == 1
    assert answers.got == ["alive"]
    assert capsys.readouterr().err.count("raised past its guard") == 10
    pool.end()


@pytest.mark.promise("11.4")
def test_a_pool_that_refuses_withdraws_what_is_queued_and_lets_end_what_runs(pool: Pool) -> None:
    answers = Answers(2)
    hanging = [Hanging(), Hanging()]
    for body in hanging:
        pool.submit(body, answers)
    assert all(body.begun.wait(LONG) for body in hanging)
    queued = [pool.submit(lambda: "never", answers) for _ in range(5)]

    pool.refuse()
    refused = pool.submit(lambda: "never", answers)
    waiting = pool.queued
    for body in hanging:
        body.go.set()
    pool.drain(LONG)

    assert all(run.withdraw() for run in (*queued, refused))
    assert waiting == 0
    assert answers.full.result(LONG) == ["late", "late"]


@pytest.mark.promise("11.4")
def test_draining_waits_for_no_abandoned_body(pool: Pool) -> None:
    body = Hanging()
    run = pool.submit(body, Answers())
    assert body.begun.wait(LONG)

    run.abandon()
    pool.refuse()
    pool.drain(LONG * 10)
    ended = pool.end()
    body.go.set()

    assert not ended


@pytest.mark.promise("4.5")
@pytest.mark.parametrize("size", [8, 64])
def test_64_hung_threads_are_replaced_and_others_go_on(size: int) -> None:
    pool = Pool("test", size, 64)
    late, others = Answers(64), Answers(200)
    hanging = [Hanging() for _ in range(64)]
    runs = []
    for body in hanging:
        runs.append(pool.submit(body, late))
        assert body.begun.wait(LONG)
        runs[-1].abandon()

    for _ in range(200):
        pool.submit(lambda: "through", others)
    others.full.result(LONG)
    hung = (pool.running, pool.abandoned, pool.threads <= size + 64)
    for body in hanging:
        body.go.set()
    late.full.result(LONG)
    pool.refuse()
    pool.drain(LONG)
    pool.end()

    assert hung[1:] == (64, True)
    assert late.got == ["late"] * 64


@pytest.mark.promise("10.3")
def test_a_body_at_its_gate_holds_its_thread_and_others_wait(pool: Pool) -> None:
    knocks, answers, others = SimpleQueue[int](), Answers(2), Answers()
    runs = [pool.submit(lambda: "gated", answers, partial(knocks.put, number)) for number in range(2)]
    first, second = knocks.get(timeout=LONG), knocks.get(timeout=LONG)

    pool.submit(lambda: "through", others)
    held = counts(pool)
    runs[first].withdraw()
    others.full.result(LONG)
    runs[second].admit()
    pool.submit(lambda: "more", answers)
    answers.full.result(LONG)

    assert held == (1, 2, 0, 2)
    assert sorted(map(str, answers.got)) == ["gated", "more"]


@pytest.mark.promise("10.3")
def test_at_its_gate_a_body_is_either_let_through_or_withdrawn_never_both(pool: Pool) -> None:
    begun: list[int] = []
    knocks = SimpleQueue[int]()
    together = threading.Barrier(2)
    runs: list[Running] = []
    admitted: list[bool] = []
    withdrawn: list[bool] = []

    def withdraws() -> None:
        for number in range(300):
            together.wait(LONG)
            withdrawn.append(runs[number].withdraw())

    other = threading.Thread(target=withdraws, daemon=True)
    other.start()
    for number in range(300):
        runs.append(pool.submit(partial(begun.append, number), Answers(-1), partial(knocks.put, number)))
        knocks.get(timeout=LONG)
        together.wait(LONG)
        admitted.append(runs[number].admit())
    other.join(LONG)
    pool.refuse()
    pool.drain(LONG)

    assert [one != two for one, two in zip(admitted, withdrawn, strict=True)] == [True] * 300
    assert sorted(begun) == [number for number, one in enumerate(admitted) if one]
    assert pool.queued == 0


@pytest.mark.promise("10.3")
def test_nobody_is_let_through_a_gate_before_a_thread_is_free(pool: Pool) -> None:
    hanging, answers, gated = [Hanging(), Hanging()], Answers(2), Answers()
    knocks = SimpleQueue[str]()
    for body in hanging:
        pool.submit(body, answers)
    assert all(body.begun.wait(LONG) for body in hanging)

    run = pool.submit(lambda: "gated", gated, partial(knocks.put, "free"))
    early = run.admit()
    hanging[0].go.set()
    knocks.get(timeout=LONG)
    admitted = run.admit()
    hanging[1].go.set()

    assert (early, admitted) == (False, True)
    assert gated.full.result(LONG) == ["gated"]

"""Do threads share commits without waiting for one another's for ever?"""

import signal
import threading
from collections.abc import Callable, Sequence

import pytest

from vastflow.errors import BatchRefused, StoreError
from vastflow.ledger.group import GroupCommit

LONG = 30.0


class Disk:
    """Writes what it is given, after it is let go on."""

    def __init__(self) -> None:
        self.written: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.error: Callable[[Sequence[str]], BaseException | None] = lambda _: None

    def write(self, values: Sequence[str]) -> list[int]:
        self.begun.release()
        assert self.go.acquire(timeout=LONG)
        if (error := self.error(values)) is not None:
            raise error
        first = sum(map(len, self.written)) + 1
        self.written.append(list(values))
        return list(range(first, first + len(values)))


class Writers:
    """Threads that put values, and what they got."""

    def __init__(self, group: GroupCommit[str]) -> None:
        self.group = group
        self.got: dict[str, int | BaseException] = {}
        self.threads: list[threading.Thread] = []

    def put(self, *values: str) -> None:
        for value in values:
            self.threads.append(threading.Thread(target=self._put, args=(value,), daemon=True))
            self.threads[-1].start()

    def _put(self, value: str) -> None:
        try:
            self.got[value] = self.group.put(value)
        except BaseException as error:  # noqa: BLE001 - kept to be looked at
            self.got[value] = error

    def await_waiting(self, many: int) -> None:
        while len(self.group._waiting) < many:  # noqa: SLF001 - who waits can be seen nowhere else
            threading.Event().wait(0.001)

    def join(self) -> None:
        for thread in self.threads:
            thread.join(LONG)
            assert not thread.is_alive()


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def writers(disk: Disk) -> Writers:
    return Writers(GroupCommit(disk.write))


def under_way(writers: Writers, disk: Disk, first: str, *later: str) -> None:
    """Let one thread be writing and others wait."""
    writers.put(first)
    assert disk.begun.acquire(timeout=LONG)
    writers.put(*later)
    writers.await_waiting(len(later))


def test_what_comes_during_a_commit_is_written_by_the_next_one_together(disk: Disk, writers: Writers) -> None:
    under_way(writers, disk, "a", "b", "c", "d")
    disk.go.release(2)
    writers.join()

    assert [sorted(values) for values in disk.written] == [["a"], ["b", "c", "d"]]
    flat = [value for values in disk.written for value in values]
    assert writers.got == {value: number for number, value in enumerate(flat, 1)}


def test_a_thread_alone_writes_at_once_again_and_again(disk: Disk, writers: Writers) -> None:
    disk.go.release(3)

    assert [writers.group.put(value) for value in "abc"] == [1, 2, 3]


def test_a_value_that_is_refused_hinders_none_beside_it(disk: Disk, writers: Writers) -> None:
    disk.error = lambda values: BatchRefused("not this") if "bad" in values else None
    under_way(writers, disk, "a", "b", "bad", "c")
    disk.go.release(5)
    writers.join()

    refused = writers.got.pop("bad")
    assert isinstance(refused, BatchRefused)
    assert str(refused) == "not this"
    assert sorted(map(str, writers.got.values())) == ["1", "2", "3"]


def test_an_error_of_the_disk_is_each_threads_own_and_the_next_one_writes(disk: Disk, writers: Writers) -> None:
    disk.error = lambda values: StoreError("disk full") if "b" in values else None
    under_way(writers, disk, "a", "b", "c")
    disk.go.release(3)
    writers.join()

    errors = [writers.got["b"], writers.got["c"]]
    assert [(type(error), str(error)) for error in errors] == [(StoreError, "disk full")] * 2
    assert errors[0] is not errors[1]
    assert writers.group.put("d") == 2


def test_a_leader_that_is_interrupted_leaves_nobody_waiting(disk: Disk, writers: Writers) -> None:
    disk.error = lambda values: KeyboardInterrupt() if "b" in values else None
    under_way(writers, disk, "a", "b", "c")
    disk.go.release(1)
    assert disk.begun.acquire(timeout=LONG)
    writers.put("d")
    writers.await_waiting(1)
    disk.go.release(2)
    writers.join()

    kinds = sorted(type(writers.got[value]).__name__ for value in "bc")
    assert kinds == ["KeyboardInterrupt", "StoreError"]
    assert (writers.got["a"], writers.got["d"]) == (1, 2)


def test_a_thread_that_is_interrupted_while_it_waits_writes_nothing(disk: Disk, writers: Writers) -> None:
    def interrupt() -> None:
        writers.await_waiting(1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    under_way(writers, disk, "a")
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        writers.group.put("b")
    writers.put("c")
    writers.await_waiting(1)
    disk.go.release(2)
    writers.join()

    assert disk.written == [["a"], ["c"]]


def test_a_thread_that_is_interrupted_when_it_is_to_lead_passes_its_turn_on(disk: Disk, writers: Writers) -> None:
    under_way(writers, disk, "a", "b", "c")
    waiting = writers.group._waiting  # noqa: SLF001 - no signal comes at that very moment, so it is played here
    first, second = waiting
    first.sign.set = lambda: None  # type: ignore[method-assign]  # its thread hears nothing
    disk.go.release(1)
    writers.threads[0].join(LONG)
    threading.Event.set(first.sign)
    first.error = StoreError("interrupted")
    writers.group._leave(first)  # noqa: SLF001 - as above
    disk.go.release(1)
    writers.join()

    assert disk.written == [["a"], [second.value]]

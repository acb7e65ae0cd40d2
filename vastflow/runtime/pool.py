"""Which thread runs a body that may block?

A bounded pool that grows while bodies outnumber threads. A thread that hangs can be abandoned:
it is replaced, up to a bound, and goes when its body returns. Idle threads stay: they sleep on
the queue without wake-ups, and users keep connections in thread locals.
"""

from __future__ import annotations

import itertools
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from vastflow.runtime.guard import report
from vastflow.runtime.work import SyncWork

if TYPE_CHECKING:
    from collections.abc import Callable

    from vastflow.runtime.contract import Ref

__all__ = ["Pool"]


class _Job(SyncWork):
    """A body in a pool."""

    __slots__ = ("_decided", "abandoned", "forgotten", "pool")

    def __init__(self, body: Callable[[], object], reply: Ref, pool: Pool, gate: Callable[[], None] | None) -> None:
        super().__init__(body, reply, gate)
        self.pool = pool
        self.abandoned = False
        self.forgotten = False
        self._decided = None if gate is None else threading.Event()

    def serve(self) -> None:
        """Wait at the gate if there is one, then call the body; on a thread of the pool."""
        if self._decided is not None and not self._decided.is_set():
            self.knock()
            self._decided.wait()
        self.perform()

    def admit(self) -> bool:
        if admitted := super().admit():
            self._open()
        return admitted

    def withdraw(self) -> bool:
        if withdrawn := super().withdraw():
            self._open()
            self.pool.forget(self)
        return withdrawn

    def _open(self) -> None:
        if self._decided is not None:
            self._decided.set()

    def abandon(self) -> None:
        self.pool.abandon(self)


class Pool:
    """At most `size` threads, and as many more as are abandoned, up to `abandoned_max`."""

    def __init__(self, name: str, size: int, abandoned_max: int) -> None:
        """Name the pool's threads and bound their number; none is started before it is needed."""
        self._name = name
        self._size = size
        self._abandoned_max = abandoned_max
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._busy: dict[_Job, None] = {}
        self._outstanding = 0
        self.closing = False
        self._ended = False
        self._quiet = threading.Event()
        self.threads = 0
        self.abandoned = 0

    @property
    def running(self) -> int:
        """Bodies on a thread that is not abandoned."""
        return max(0, len(self._busy) - self.abandoned)

    @property
    def queued(self) -> int:
        """Bodies that wait for a thread."""
        return max(0, self._outstanding - len(self._busy))

    def submit(self, body: Callable[[], object], reply: Ref, gate: Callable[[], None] | None = None) -> _Job:
        """Hand over a body, with a gate or without; once the pool is closing it is as good as withdrawn."""
        job = _Job(body, reply, self, gate)
        with self._lock:
            self._outstanding += 1
            open_ = not self.closing
            if open_:
                self._queue.put(job)
            grows = open_ and self._grows()
        if grows:
            self._start()
        elif not open_:
            job.withdraw()
        return job

    def forget(self, job: _Job) -> None:
        """Count a body that was withdrawn no longer."""
        with self._lock:
            self._outstanding -= not job.forgotten
            job.forgotten = True

    def abandon(self, job: _Job) -> None:
        """Count the thread of a running body no longer, and replace it if it is needed."""
        with self._lock:
            if job.abandoned or job not in self._busy:
                return
            job.abandoned = True
            self.abandoned += 1
            self._settle()
            grows = self._grows()
        if grows:
            self._start()

    def refuse(self) -> None:
        """Begin no body any more."""
        with self._lock:
            self.closing = True
            self._settle()
        self._sweep()
        for job in list(self._busy):  # those at their gates have not begun; the others cannot be withdrawn
            job.withdraw()

    def drain(self, seconds: float) -> None:
        """Wait until no body runs, abandoned ones not counted, for at most so long."""
        self._quiet.wait(seconds)

    def end(self) -> bool:
        """Let the threads go; True if no body is left running."""
        with self._lock:
            if not self._ended:
                self._ended = True
                for _ in range(self.threads):
                    self._queue.put(None)
            return not self._busy

    def _limit(self) -> int:
        return self._size + min(self.abandoned, self._abandoned_max)

    def _grows(self) -> bool:
        """Count one more thread if bodies outnumber threads; the caller holds the lock and starts it."""
        grows = self._outstanding > self.threads and self.threads < self._limit()
        self.threads += grows
        return grows

    def _start(self) -> None:
        thread = threading.Thread(target=self._serve, name=f"{self._name}-{next(self._numbers)}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # no thread to be had: the body waits for one that there is
            with self._lock:
                self.threads -= 1
            report("a worker thread could not be started", error, self._name)

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            self._busy[job] = None
            if self.closing:
                job.withdraw()
            job.serve()
            if self._leaves(job):
                return
            del job  # an idle thread holds on to nobody's water

    def _leaves(self, job: _Job) -> bool:
        """Count a body as ended; True if its thread has become one too many."""
        with self._lock:
            del self._busy[job]
            self._outstanding -= job.began
            self.abandoned -= job.abandoned
            self._settle()
            leaves = self.threads > self._limit()
            self.threads -= leaves
            return leaves

    def _settle(self) -> None:
        if self.closing and len(self._busy) <= self.abandoned:
            self._quiet.set()

    def _sweep(self) -> None:
        """Withdraw what is queued."""
        while True:
            try:
                job = self._queue.get_nowait()
            except Empty:
                return
            if job is None:  # a thread's leave, when closed before: it must still find it
                self._queue.put(None)
                return
            job.withdraw()

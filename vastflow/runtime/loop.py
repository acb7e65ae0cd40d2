"""Where do async bodies run?

As tasks of one event loop in one daemon thread, started when first needed. What is handed over
is collected, so that a thousand bodies cost one wake-up of the loop. Nothing a body raises stops
the loop.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any

from vastflow.runtime.guard import report
from vastflow.runtime.work import AsyncWork

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import ThreadPoolExecutor

    from vastflow.runtime.contract import Ref

__all__ = ["Loop"]

FAREWELL = 1.0  # seconds


class _Job(AsyncWork):
    """An async body and the loop it runs on."""

    __slots__ = ("loop",)

    def __init__(self, body: Callable[[], Coroutine[Any, Any, object]], reply: Ref, loop: Loop) -> None:
        super().__init__(body, reply)
        self.loop = loop

    def cancel(self) -> None:
        self.loop.call(self.interrupt)

    def abandon(self) -> None:
        super().abandon()
        self.loop.call(self.loop.settle)

    def ended(self) -> None:
        self.loop.left(self)


if sys.version_info >= (3, 12):

    def _begin(job: _Job, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        # Eager: a body that never waits ends without a turn of the loop.
        return asyncio.Task(job.perform(), loop=loop, context=Context(), eager_start=True)

else:

    def _begin(job: _Job, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        return asyncio.Task(job.perform(), loop=loop, context=Context())


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self, name: str, executor: Callable[[], ThreadPoolExecutor], farewell: float = FAREWELL) -> None:
        """Name the thread, and say what `asyncio.to_thread` runs on; neither is made before it is needed.

        Args:
            name: of the thread.
            executor: makes what runs the calls to threads.
            farewell: seconds which tasks get to end after they were cancelled.
        """
        self._name = name
        self._executor = executor
        self._farewell = farewell
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._arrived: deque[_Job] = deque()
        self._tasks: dict[_Job, asyncio.Task[None]] = {}
        self._woken = False
        self._closing = False
        self._ending = False
        self._quiet = threading.Event()

    @property
    def tasks(self) -> int:
        """Async bodies begun and not ended, abandoned ones included."""
        return len(self._tasks)

    @property
    def abandoned(self) -> int:
        """Async bodies given up that have not ended."""
        return sum(job.abandoned for job in list(self._tasks))

    @property
    def queued(self) -> int:
        """Async bodies not yet begun."""
        return len(self._arrived)

    def submit(self, body: Callable[[], Coroutine[Any, Any, object]], reply: Ref) -> _Job:
        """Hand over a body; once the loop is closing it is as good as withdrawn."""
        job = _Job(body, reply, self)
        self._arrived.append(job)
        if self._closing:
            job.withdraw()
        elif not self._woken:
            self._woken = True
            self._open()
            self.call(self._admit)
        return job

    def call(self, function: Callable[[], object]) -> None:
        """Call a function on the loop's thread, soon; not at all before the loop's begin or after its end."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function)

    def refuse(self) -> None:
        """Begin no body any more."""
        self._closing = True
        if self._loop is None:
            self._quiet.set()
        else:
            self.call(self._admit)
            self.call(self.settle)

    def drain(self, seconds: float) -> None:
        """Wait until no body runs, abandoned ones not counted, for at most so long."""
        if self._thread is not threading.current_thread():
            self._quiet.wait(seconds)

    def end(self) -> bool:
        """Cancel what still runs, then let the thread go; True if nothing is left running."""
        if self._loop is None or self._thread is None:
            return True
        self._ending = True
        self.call(self._loop.stop)
        if self._thread is threading.current_thread():
            return False
        self._thread.join(2 * self._farewell)
        return not self._thread.is_alive() and not self._tasks

    def _open(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._loop.set_default_executor(self._executor())
                self._thread = threading.Thread(target=self._serve, args=(self._loop,), name=self._name, daemon=True)
                self._thread.start()
            return self._loop

    def _admit(self) -> None:
        """Begin what has arrived; what arrives meanwhile wakes the loop again, after everybody had a turn."""
        self._woken = False
        loop = self._open()
        for _ in range(len(self._arrived)):
            job = self._arrived.popleft()
            if self._closing and job.withdraw():
                continue
            task = _begin(job, loop)
            if not task.done():
                self._tasks[job] = task

    def left(self, job: _Job) -> None:
        """Count a body as ended; it says so itself, since a callback of its task would cost a turn of the loop."""
        self._tasks.pop(job, None)
        self.settle()

    def settle(self) -> None:
        """Say so, once closing, when no body is left that is waited for; only on the loop's thread."""
        if self._closing and all(job.abandoned for job in self._tasks):
            self._quiet.set()

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._ending:
            self._ran(loop.run_forever)
        self._ran(lambda: loop.run_until_complete(_part(loop, self._farewell)))
        self._tasks = {job: task for job, task in self._tasks.items() if not task.done()}  # some had no first turn
        loop.close()

    def _ran(self, function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - SystemExit in a user's own task; all bodies live on this loop
            report("a task stopped the event loop; it goes on", error, "loop")


async def _part(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
    await loop.shutdown_asyncgens()

"""How do actors run on real threads and real time?

Each actor in a Pykka actor of its own, bodies on two pools and one event loop, timers on one
wheel. All threads are daemons: none keeps the interpreter alive.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from vastflow.clock import SystemClock
from vastflow.runtime.cell import Cell
from vastflow.runtime.contract import Stats
from vastflow.runtime.executor import PoolExecutor
from vastflow.runtime.loop import Loop
from vastflow.runtime.pool import Pool
from vastflow.runtime.wheel import Beat, Wheel, WheelTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from vastflow.clock import Clock
    from vastflow.runtime.contract import Actor, Lane, Ref, Running, Timer

__all__ = ["Real"]

T = TypeVar("T")

END_THREADS = 8
CALL_THREADS = 16  # what `asyncio.to_thread` may use inside async bodies
SETTLE = 5.0  # seconds which actors get at close to handle what they were told


class Real:
    """Actors on threads."""

    def __init__(self, clock: Clock | None = None, *, threads: int = 64, abandoned_max: int = 64) -> None:
        """Set bounds; nothing is started before it is needed.

        Args:
            clock: where the time comes from, the machine's by default.
            threads: worker threads for bodies.
            abandoned_max: hung threads that are replaced in each pool.
        """
        self.clock: Clock = clock or SystemClock()
        self._pools = {
            "body": Pool("vastflow-body", threads, abandoned_max),
            "end": Pool("vastflow-end", END_THREADS, abandoned_max),
            "call": Pool("vastflow-call", CALL_THREADS, abandoned_max),
        }
        self._loop = Loop("vastflow-loop", lambda: PoolExecutor(self._pools["call"]))
        self._wheel = Wheel("vastflow-wheel", self.clock)
        self._cells: list[Cell] = []
        self._lock = threading.RLock()
        self._stopped = False

    def spawn(self, actor: Actor, /) -> Ref:
        """Give an actor an inbox and a Pykka actor that reads it."""
        cell = Cell(actor)
        self._cells.append(cell)
        if self._stopped:
            cell.stop()
        return cell.ref

    def run(
        self,
        work: Callable[[], object],
        reply: Ref,
        *,
        lane: Lane = "body",
        gate: Callable[[], None] | None = None,
    ) -> Running:
        """Call `work` on a worker thread, after its gate if it has one, and tell `reply` what it returns."""
        return self._pools[lane].submit(work, reply, gate)

    def run_async(self, work: Callable[[], Coroutine[Any, Any, object]], reply: Ref) -> Running:
        """Run `work` as a task of the event loop and tell `reply` what it returns."""
        return self._loop.submit(work, reply)

    def at(self, when: int, ref: Ref, message: object) -> Timer:
        """Tell `ref` the message at `when` (microseconds), never earlier."""
        timer = WheelTimer(self._wheel, when, ref, message)
        self._wheel.add(timer)
        return timer

    def every(self, seconds: float, ref: Ref, message: object) -> Timer:
        """Tell `ref` the message every so many seconds."""
        beat = Beat(self._wheel, round(seconds * 1_000_000), ref, message)
        self._wheel.add(beat)
        return beat

    def wait(self, future: Future[T], timeout: float | None = None) -> T:
        """Wait for a future's result, for at most `timeout` seconds."""
        return future.result(timeout)

    def entropy(self, size: int) -> bytes:
        """Return random bytes from the system."""
        return os.urandom(size)

    def stats(self) -> Stats:
        """Return how much there is to do."""
        pools = self._pools.values()
        return Stats(
            queued=sum(pool.queued for pool in pools) + self._loop.queued,
            running=sum(pool.running for pool in pools),
            abandoned=sum(pool.abandoned for pool in pools),
            threads=sum(pool.threads for pool in pools),
            timers=self._wheel.timers,
            actors=sum(cell.alive for cell in self._cells),
            tasks=self._loop.tasks,
            abandoned_tasks=self._loop.abandoned,
        )

    def close(self, drain: float = 0.0) -> bool:
        """Stop everything; running bodies get `drain` seconds. True if nothing was left running."""
        with self._lock:
            self._drain(self._until(drain))
            self._wheel.close()
            still = self._stop_actors(self._until(SETTLE))
            loop_ended = self._loop.end()
            self._pools["call"].refuse()  # not before: a call refused would be an answer to an async body
            ended = [loop_ended, *(pool.end() for pool in self._pools.values())]
            return still and all(ended)

    def _until(self, seconds: float) -> int:
        return self.clock.now() + round(seconds * 1_000_000)

    def _left(self, until: int) -> float:
        return max(0.0, (until - self.clock.now()) / 1_000_000)

    def _drain(self, until: int) -> None:
        bodies = (self._pools["body"], self._pools["end"], self._loop)
        for part in bodies:
            part.refuse()
        for part in bodies:
            part.drain(self._left(until))

    def _stop_actors(self, until: int) -> bool:
        """Let the actors talk until all are silent, then end them: what they still do may need each other."""
        counts = [-3, -2, -1]
        while len(set(counts[-3:])) > 1 and self._passed(until):
            counts.append(sum(cell.taken for cell in self._cells))
        self._stopped = True
        for cell in self._cells:
            cell.stop()
        silent = [cell.join(self._left(until)) for cell in self._others()]
        return all(silent)

    def _passed(self, until: int) -> bool:
        """Wait until every actor has handled what it was told before now.

        Three rounds without a message in between: nobody was at work in the second, and nothing lay
        in an inbox in the third.
        """
        signs = [cell.sound() for cell in self._others()]
        return all(sign.wait(self._left(until)) for sign in signs)

    def _others(self) -> list[Cell]:
        return [cell for cell in self._cells if cell.alive and not cell.current]

"""How do actors run on one thread, in no time, and each time in the same order?

Inboxes keep their order; which actor handles its next message, which body begins and which reply
arrives is drawn from a seed. Time jumps to the next timer, and only when nothing else can happen.
"""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from vastflow.errors import SimulationStuck
from vastflow.runtime.contract import Stats
from vastflow.runtime.virtual import START, VirtualClock
from vastflow.runtime.world import Alarm, AsyncJob, Inbox, SyncJob, World

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from vastflow.runtime.contract import Actor, Lane, Ref, Running, Timer

__all__ = ["Simulated"]

T = TypeVar("T")

MICROSECONDS = 1_000_000


class Simulated:
    """Actors on a seed."""

    def __init__(self, seed: int = 0, *, start: int = START) -> None:
        """Begin at `start` (microseconds since 1970 UTC) with an order drawn from `seed`."""
        self.clock = VirtualClock(start)
        self._order = random.Random(seed)  # noqa: S311 - an order to be repeated, no secret
        self._bytes = random.Random(f"entropy of {seed}")  # noqa: S311 - the same
        self._world = World(self.clock)
        self._wrecks: list[World] = []
        self._closing = False

    def spawn(self, actor: Actor, /) -> Ref:
        """Give an actor an inbox."""
        inbox = Inbox(self._world, actor)
        self._world.inboxes.append(inbox)
        return inbox

    def run(
        self,
        work: Callable[[], object],
        reply: Ref,
        *,
        lane: Lane = "body",
        gate: Callable[[], None] | None = None,
    ) -> Running:
        """Call `work` in a move of its own and tell `reply` what it returns; lanes are as wide as it takes.

        That a thread is free is a move too: with a gate, `gate` is called in it, and `work` in another after `admit()`.
        """
        del lane
        return self._hand_over(SyncJob(self._world, work, reply, gate))

    def run_async(self, work: Callable[[], Coroutine[Any, Any, object]], reply: Ref) -> Running:
        """Run `work` as a task in simulated time and tell `reply` what it returns."""
        return self._hand_over(AsyncJob(self._world, work, reply))

    def at(self, when: int, ref: Ref, message: object) -> Timer:
        """Tell `ref` the message at `when` (microseconds), to the microsecond."""
        alarm = Alarm(partial(ref.tell, message))
        self._world.add_alarm(when, alarm)
        return alarm

    def every(self, seconds: float, ref: Ref, message: object) -> Timer:
        """Tell `ref` the message every so many seconds, as long as something else keeps time going."""
        beat = Alarm(partial(ref.tell, message), period=max(1, round(seconds * MICROSECONDS)))
        self._world.add_alarm(self.clock.now() + beat.period, beat)
        return beat

    def wait(self, future: Future[T], timeout: float | None = None) -> T:
        """Let things happen until a future is done.

        Raises:
            TimeoutError: if so many seconds have passed in simulated time.
            SimulationStuck: if nothing can happen any more, or if an actor waits.
        """
        if self._world.receiving:
            raise SimulationStuck("an actor waits while it handles a message; let it tell, and be told")
        limit = None if timeout is None else self._after(timeout)
        while not future.done():
            if self._happen(limit):
                continue
            if limit is None:
                raise SimulationStuck(self._stuck())
            self.clock.hold(limit)
            raise TimeoutError
        return future.result(0)

    def entropy(self, size: int) -> bytes:
        """Return bytes drawn from the seed."""
        return self._bytes.randbytes(size)

    def stats(self) -> Stats:
        """Return how much there is to do."""
        world = self._world
        return Stats(
            queued=len(world.queued),
            running=len(world.held),
            abandoned=0,
            threads=0,
            timers=world.timers,
            actors=0 if world.over else len(world.inboxes),
            tasks=len(world.tasks),
            abandoned_tasks=sum(job.abandoned for job in world.tasks),
        )

    def pump(self) -> bool:
        """Let one thing happen, or time jump to the next timer; False if nothing can happen any more."""
        return self._happen(None)

    def run_until_idle(self, limit: int = 1_000_000) -> int:
        """Let things happen until nothing can, and return how many did.

        Raises:
            SimulationStuck: if there is no end to it after `limit` of them.
        """
        for count in range(limit):
            if not self.pump():
                return count
        raise SimulationStuck(f"still busy after {limit} moves; does something order itself again for ever?")

    def advance(self, seconds: float) -> None:
        """Let so much time pass, and everything happen on the way."""
        limit = self._after(seconds)
        while self._happen(limit):
            pass
        self.clock.hold(limit)

    def crash(self) -> None:
        """Forget actors, inboxes, bodies and timers, as `kill -9` does; no `finally` runs, and the clock goes on."""
        self._wrecks.append(self._world)
        self._world.end()
        self._world = World(self.clock)

    def close(self, drain: float = 0.0) -> bool:
        """Stop everything; running bodies get `drain` seconds of simulated time. True if nothing was left running."""
        self._closing = True
        for job in (*self._world.queued, *self._world.held):
            job.withdraw()
        self._drain(self._after(drain))
        self._world.end()
        for world in (*self._wrecks, self._world):
            world.bury()
        return not self._world.tasks

    def _hand_over(self, job: SyncJob | AsyncJob) -> Running:
        if self._closing:
            job.withdraw()
        else:
            self._world.hand_over(job)
        return job

    def _happen(self, limit: int | None) -> bool:
        """Let one thing happen, or time jump to the next timer, up to `limit`."""
        if self._move():
            return True
        if (when := self._world.next(limit)) is None:
            return False
        self.clock.hold(when)
        self._world.ring()
        return True

    def _move(self) -> bool:
        moves = self._world.moves
        if not moves:
            return False
        chosen = self._order.randrange(len(moves))
        moves[chosen], moves[-1] = moves[-1], moves[chosen]
        moves.pop()()
        return True

    def _drain(self, limit: int) -> None:
        """Let bodies end while there is time, then let the actors hear of it, without any timer."""
        world = self._world
        while (world.queued or not all(job.abandoned for job in world.tasks)) and self._happen(limit):
            pass
        while self._move():
            pass

    def _after(self, seconds: float) -> int:
        return self.clock.now() + round(seconds * MICROSECONDS)

    def _stuck(self) -> str:
        return (
            "somebody waits for a future, but no message, body or timer is left that could complete it"
            f" ({self.stats()}); is a reply never told, or a timer never ordered?"
        )

"""What can happen next in a simulation?

A world is everything between two crashes: inboxes, bodies handed over, replies on their way,
timers, an event loop. What can happen now is a list of moves; what will happen is a heap of
timers. Nothing here chooses.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any

from vastflow.runtime.guard import deliver
from vastflow.runtime.virtual import VirtualLoop
from vastflow.runtime.work import AsyncWork, SyncWork

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from vastflow.runtime.contract import Actor, Ref
    from vastflow.runtime.virtual import VirtualClock
    from vastflow.runtime.work import Work

__all__ = ["Alarm", "AsyncJob", "Inbox", "SyncJob", "World"]

TURNS = 100  # turns which cancelled tasks get to end


class Inbox:
    """An actor and what it was told."""

    def __init__(self, world: World, actor: Actor) -> None:
        """Give an actor a place in a world."""
        self.name = actor.name
        self._world = world
        self._actor = actor
        self._messages: deque[object] = deque()
        self._waits = False

    def tell(self, message: object, /) -> None:
        """Put a message behind those already told."""
        self._messages.append(message)
        if not self._waits:
            self._waits = True
            self._world.add_move(self._handle)

    def receive(self, message: object, /) -> None:
        """Let the actor handle a message."""
        self._actor.receive(message)

    def failed(self, message: object, error: BaseException, /) -> None:
        """Let the actor hear what its handling raised, unless the world ended meanwhile: the dead strand nothing."""
        if not self._world.over:
            self._actor.failed(message, error)

    def _handle(self) -> None:
        message = self._messages.popleft()
        self._world.receiving += 1
        deliver(self, message)
        self._world.receiving -= 1
        self._waits = bool(self._messages)
        if self._waits:
            self._world.add_move(self._handle)


class _Late:
    """A reply on its way: when it is told is chosen as everything else is."""

    def __init__(self, world: World, ref: Ref) -> None:
        self.name = ref.name
        self._world = world
        self._ref = ref

    def tell(self, message: object, /) -> None:
        self._world.add_move(partial(self._ref.tell, message))


class SyncJob(SyncWork):
    """A body that is called in one move; one with a gate in two, of which the first is that a thread is free."""

    __slots__ = ("_world",)

    def __init__(
        self, world: World, body: Callable[[], object], reply: Ref, gate: Callable[[], None] | None = None
    ) -> None:
        """Hand a body over to a world."""
        super().__init__(body, _Late(world, reply), gate)
        self._world = world

    def begin(self) -> None:
        """Call it, or say at its gate that a thread is free."""
        if self not in self._world.queued:
            return
        del self._world.queued[self]
        if self._gate is None:
            self.perform()
        else:
            self._world.held[self] = None
            self.knock()

    def admit(self) -> bool:
        """Let the body be called in a move of its own; False: it was withdrawn, or no thread is held for it."""
        admitted = super().admit()
        if self in self._world.held and admitted:
            del self._world.held[self]
            self._world.add_move(self.perform)
        return admitted

    def withdraw(self) -> bool:
        """Take the body back; True: it had not begun and never will."""
        if withdrawn := super().withdraw():
            self._world.queued.pop(self, None)
            self._world.held.pop(self, None)
        return withdrawn


class AsyncJob(AsyncWork):
    """A body that is a task of the world's event loop."""

    __slots__ = ("_world",)

    def __init__(self, world: World, body: Callable[[], Coroutine[Any, Any, object]], reply: Ref) -> None:
        """Hand a body over to a world."""
        super().__init__(body, _Late(world, reply))
        self._world = world

    def begin(self) -> None:
        """Make it a task."""
        if self in self._world.queued:
            del self._world.queued[self]
            task = asyncio.Task(self.perform(), loop=self._world.loop, context=Context())
            self._world.tasks[self] = task
            task.add_done_callback(lambda _: self._world.tasks.pop(self, None))

    def withdraw(self) -> bool:
        """Take the body back; True: it had not begun and never will."""
        if withdrawn := super().withdraw():
            self._world.queued.pop(self, None)
        return withdrawn

    def cancel(self) -> None:
        """Throw `CancelledError` into it where it waits, or when it first waits."""
        if not self._world.over:
            self.interrupt()


class Alarm:
    """Something that happens at a time."""

    __slots__ = ("_handle", "_ring", "period")

    def __init__(
        self, ring: Callable[[], object], *, period: int = 0, handle: asyncio.TimerHandle | None = None
    ) -> None:
        """Call `ring` at its time, again after each `period` (microseconds) if there is one."""
        self._ring: Callable[[], object] | None = ring
        self._handle = handle
        self.period = period

    @property
    def live(self) -> bool:
        """Whether it is still to ring."""
        return self._ring is not None and not (self._handle is not None and self._handle.cancelled())

    def cancel(self) -> None:
        """Forget it."""
        self._ring = None

    def ring(self) -> None:
        """Let it happen, unless it was cancelled."""
        if self._ring is not None and self.live:
            self._ring()


class World:
    """Everything between two crashes."""

    def __init__(self, clock: VirtualClock) -> None:
        """Begin with nothing."""
        self.clock = clock
        self.over = False
        self.moves: list[Callable[[], object]] = []
        self.inboxes: list[Inbox] = []
        self.queued: dict[Work[Any], None] = {}
        self.held: dict[Work[Any], None] = {}
        self.tasks: dict[AsyncJob, asyncio.Task[None]] = {}
        self.receiving = 0
        self._numbers = itertools.count()
        self._alarms: list[tuple[int, int, Alarm]] = []
        self._beats: list[tuple[int, int, Alarm]] = []
        self._loop: VirtualLoop | None = None

    @property
    def loop(self) -> VirtualLoop:
        """The event loop, made when first needed."""
        if self._loop is None:
            self._loop = VirtualLoop(self)
        return self._loop

    @property
    def timers(self) -> int:
        """Timers that are still to fire, beats included."""
        return sum(alarm.live for _, _, alarm in self._alarms + self._beats)

    def add_move(self, move: Callable[[], object], /) -> None:
        """Add something that can happen now; nothing can in a world that is over."""
        if not self.over:
            self.moves.append(move)

    def add_wake(self, when: int, handle: asyncio.TimerHandle, wake: Callable[[], object], /) -> None:
        """Call `wake` at `when`, if the handle is not cancelled by then."""
        self.add_alarm(when, Alarm(wake, handle=handle))

    def add_alarm(self, when: int, alarm: Alarm) -> None:
        """Let an alarm ring at `when`; at once if that is past."""
        if self.over:
            alarm.cancel()
        elif when <= self.clock.now() and not alarm.period:
            alarm.ring()
        else:
            heap = self._beats if alarm.period else self._alarms
            heapq.heappush(heap, (when, next(self._numbers), alarm))

    def hand_over(self, job: SyncJob | AsyncJob) -> None:
        """Let a body begin when it is chosen."""
        self.queued[job] = None
        self.add_move(job.begin)

    def next(self, limit: int | None) -> int | None:
        """Return when the next alarm rings; None if there is none.

        Args:
            limit: time goes on to here in any case; without it, beats alone do not keep it going, and those which
                would ring several times before the next alarm ring once.
        """
        alarm = _first(self._alarms)
        if limit is None:
            if alarm is None:
                return None
            self._skip_beats(alarm)
        alarms = [when for when in (alarm, _first(self._beats)) if when is not None]
        return min((when for when in alarms if limit is None or when <= limit), default=None)

    def _skip_beats(self, end: int) -> None:
        """Let each beat ring but once before `end`, or a flow of days would be nothing but beats."""
        beats = [
            (when + max(0, (end - when) // beat.period) * beat.period, number, beat)
            for when, number, beat in self._beats
        ]
        if beats != self._beats:
            self._beats = beats
            heapq.heapify(self._beats)

    def ring(self) -> None:
        """Let all alarms ring that are due, earliest first."""
        now = self.clock.now()
        due: list[tuple[int, int, Alarm]] = []
        for heap in (self._alarms, self._beats):
            while heap and heap[0][0] <= now:
                due.append(heapq.heappop(heap))
        for when, _, alarm in sorted(due):
            alarm.ring()
            if alarm.period and alarm.live:
                behind = (now - when) // alarm.period + 1
                self.add_alarm(when + behind * alarm.period, alarm)

    def end(self) -> None:
        """Let nothing happen any more; what runs is not told of it."""
        self.over = True
        self.moves.clear()
        self._alarms.clear()
        self._beats.clear()

    def bury(self) -> None:
        """Cancel what still runs and close the loop."""
        if self._loop is None or self._loop.is_closed():
            return
        for task in list(self.tasks.values()):
            task.cancel()
        self._turn()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._turn()
        self._loop.close()

    def _turn(self) -> None:
        for _ in range(TURNS):
            self.loop.turn()
            if not self.tasks and not asyncio.all_tasks(self.loop):
                return


def _first(heap: list[tuple[int, int, Alarm]]) -> int | None:
    while heap and not heap[0][2].live:
        heapq.heappop(heap)
    return heap[0][0] if heap else None

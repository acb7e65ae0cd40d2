"""When is somebody to be told something?

A wheel of ticks, 10 ms each: timers of one tick share a slot, a heap holds the occupied slots
only, so that 200 000 timers cost little and none cost nothing. Its thread sleeps until the next
occupied slot. A timer never fires early, and late by at most a tick and the thread's wake-up.
"""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vastflow.clock import Clock
    from vastflow.runtime.contract import Ref

__all__ = ["Beat", "Slots", "Wheel", "WheelTimer"]

TICK = 10_000  # microseconds
NAP = 60.0  # seconds slept at most while there are timers: the clock may be held to a later time meanwhile


class WheelTimer:
    """A message, whom it is for, and when."""

    __slots__ = ("_wheel", "message", "ref", "when")

    def __init__(self, wheel: Wheel, when: int, ref: Ref, message: object) -> None:
        """Keep a message for `ref` until `when` (microseconds)."""
        self._wheel = wheel
        self.when = when
        self.ref: Ref | None = ref
        self.message = message

    def cancel(self) -> None:
        """Forget it; nothing is told any more."""
        self._wheel.remove(self)

    def fire(self) -> None:
        """Tell the message, unless it was cancelled meanwhile."""
        if (ref := self.ref) is not None:
            ref.tell(self.message)


class Beat(WheelTimer):
    """A message told again and again."""

    __slots__ = ("period",)

    def __init__(self, wheel: Wheel, period: int, ref: Ref, message: object) -> None:
        """Keep a message for `ref`, first and then every `period` (microseconds, at least a tick)."""
        self.period = max(TICK, period)
        super().__init__(wheel, wheel.clock.now() + self.period, ref, message)

    def fire(self) -> None:
        """Tell the message and wind up again; beats missed while the machine slept are not made up for."""
        super().fire()
        now = self._wheel.clock.now()
        self.when += self.period * max(1, (now - self.when) // self.period + 1)
        self._wheel.add(self)


class Slots:
    """Timers by tick, and the occupied ticks in order. Not for several threads at once."""

    def __init__(self) -> None:
        """Begin with no timer."""
        self._slots: dict[int, dict[WheelTimer, None]] = {}
        self.ticks: list[int] = []
        self.count = 0

    @property
    def next(self) -> int | None:
        """When the next occupied slot is due (microseconds)."""
        while self.ticks and self.ticks[0] not in self._slots:
            heapq.heappop(self.ticks)  # all its timers were cancelled
        return self.ticks[0] * TICK if self.ticks else None

    def add(self, timer: WheelTimer) -> None:
        """Lay a timer into its slot: the first tick that is not before its time."""
        tick = -(-timer.when // TICK)
        if tick not in self._slots:
            self._slots[tick] = {}
            heapq.heappush(self.ticks, tick)
        self._slots[tick][timer] = None
        self.count += 1

    def remove(self, timer: WheelTimer) -> None:
        """Take a timer out of its slot, if it is there; an empty slot goes with it."""
        tick = -(-timer.when // TICK)
        slot = self._slots.get(tick)
        if slot is None or timer not in slot:
            return
        del slot[timer]
        self.count -= 1
        if not slot:
            del self._slots[tick]
            self._compact()

    def due(self, now: int) -> list[WheelTimer]:
        """Take out what is due, earliest first."""
        found: list[WheelTimer] = []
        while (when := self.next) is not None and when <= now:
            slot = self._slots.pop(heapq.heappop(self.ticks))
            found += sorted(slot, key=lambda timer: timer.when)
        self.count -= len(found)
        return found

    def _compact(self) -> None:
        """Forget the ticks of slots that are gone: cancelled deadlines must not pile up for days."""
        if len(self.ticks) > 2 * len(self._slots) + 64:
            self.ticks = list(self._slots)
            heapq.heapify(self.ticks)


class Wheel:
    """The slots, and the thread that watches them."""

    def __init__(self, name: str, clock: Clock) -> None:
        """Name the thread, which starts with the first timer."""
        self.clock = clock
        self._name = name
        self._slots = Slots()
        self._wake = threading.Condition()
        self._sleeps_until: int | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def timers(self) -> int:
        """Timers that are still to fire."""
        return self._slots.count

    def add(self, timer: WheelTimer) -> None:
        """Watch a timer; if its time is past it fires at once."""
        if timer.when <= self.clock.now() and not self._closed:
            timer.fire()
            return
        with self._wake:
            if self._closed or timer.ref is None:
                return
            self._slots.add(timer)
            self._start()
            if self._sleeps_until is None or timer.when < self._sleeps_until:
                self._wake.notify()

    def remove(self, timer: WheelTimer) -> None:
        """Forget a timer."""
        with self._wake:
            timer.ref = None
            timer.message = None
            self._slots.remove(timer)

    def close(self) -> bool:
        """Fire nothing any more; True if the thread has ended."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is None or self._thread is threading.current_thread():
            return True
        self._thread.join(1.0)
        return not self._thread.is_alive()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            self._thread.start()

    def _serve(self) -> None:
        while (due := self._await_due()) is not None:
            for timer in due:
                timer.fire()
            del due

    def _await_due(self) -> list[WheelTimer] | None:
        """Sleep until timers are due; None once closed."""
        with self._wake:
            while not self._closed:
                if due := self._slots.due(self.clock.now()):
                    return due
                self._sleeps_until = self._slots.next
                self._wake.wait(self._pause())
                self._sleeps_until = 0  # awake: nothing to be woken from
        return None

    def _pause(self) -> float | None:
        if self._sleeps_until is None:
            return None
        return min(NAP, max(0.0, (self._sleeps_until - self.clock.now()) / 1_000_000))

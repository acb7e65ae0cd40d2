"""How does simulated time pass, and how does asyncio live in it?

The clock stands still until somebody moves it. The event loop takes its time from that clock and
its turns from the simulation, so that `asyncio.sleep(3600)` takes no time at all.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar, TypeVarTuple, Unpack

from vastflow.errors import SimulationStuck
from vastflow.runtime.guard import report

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from contextvars import Context

__all__ = ["START", "VirtualClock", "VirtualLoop"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


class VirtualClock:
    """A clock that is moved by hand."""

    def __init__(self, start: int = START) -> None:
        """Stand still at `start` (microseconds since 1970 UTC)."""
        self._now = start

    def now(self) -> int:
        """Return microseconds since 1970 UTC; never less than an earlier answer."""
        return self._now

    def hold(self, not_before: int) -> None:
        """Move on to `not_before` (microseconds), unless it is past."""
        self._now = max(self._now, not_before)


class _Host(Protocol):
    """What the loop asks of the simulation."""

    clock: VirtualClock

    def add_move(self, move: Callable[[], object], /) -> None:
        """Add something that can happen now."""

    def add_wake(self, when: int, handle: asyncio.TimerHandle, wake: Callable[[], object], /) -> None:
        """Call `wake` at `when`, if the handle is not cancelled by then."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose turns are moves of a simulation."""

    def __init__(self, host: _Host) -> None:
        """Live in the time of a simulation."""
        self._host = host
        self._begin = host.clock.now()
        self._stirred = False
        self._missed = False
        super().__init__()

    def time(self) -> float:
        """Return seconds of simulated time since the loop was made: small, so that a float holds each microsecond."""
        return (self._host.clock.now() - self._begin) / 1_000_000

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call back in the next turn, and ask for one."""
        handle = super().call_soon(callback, *args, context=context)
        self.stir()
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call back in the next turn, and ask for one; there is one thread only."""
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back when the simulation's clock says so."""
        handle = super().call_at(when, callback, *args, context=context)
        # One microsecond more: rounding must not make the loop find its timer not quite due.
        self._host.add_wake(self._begin + math.ceil(when * 1_000_000) + 1, handle, self.stir)
        return handle

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Call at once: a simulation has no threads."""
        del executor
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - as any executor: it belongs to whoever waits
            future.set_exception(error)
        return future

    def stir(self) -> None:
        """Ask for a turn, once."""
        if not self._stirred:
            self._stirred = True
            self._host.add_move(self.turn)

    def turn(self) -> None:
        """Call back everything that is ready."""
        if self.is_running():  # a body waits inside a turn: the next one comes when this one has ended
            self._missed = True
            return
        self._stirred = self._missed = False
        self._refuse_guests()
        self.stop()
        try:
            self.run_forever()
        except BaseException as error:  # noqa: BLE001 - SystemExit in a user's own task; the others live on
            report("a task stopped the event loop; it goes on", error, "loop")
            self._missed = True
        if self._missed:
            self._stirred = False
            self.stir()

    def _refuse_guests(self) -> None:
        """Raise if the caller's own event loop runs in this thread: asyncio allows one at a time."""
        with suppress(RuntimeError):
            asyncio.get_running_loop()
            self.stir()
            raise SimulationStuck(
                "a simulation with async bodies was asked to go on inside a running event loop, and there can be only"
                " one in a thread; call it from a plain function"
            )

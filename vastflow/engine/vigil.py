"""When does an engine that stands by take over?

When nobody serves the store any more. A thread looks twenty times a second whether the store has changed, four times
whether anybody serves it, and once whether whoever does is alive; a lock that is held is never broken.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from vastflow.clock import Clock
from vastflow.errors import StoreError, StoreServed
from vastflow.ledger.change import Changes
from vastflow.ledger.contract import Period
from vastflow.ledger.lock import holder
from vastflow.log import get_logger

__all__ = ["Vigil", "Watched"]

_SECOND = 1_000_000
_TICK = 0.05  # seconds between two looks at the store
_TRY = _SECOND // 4  # between two looks at the lock
_STRANGE = 5 * _SECOND  # so long others come first, if the classes of some flows are not known here
_SILENT = 10 * _SECOND  # without a beat, whoever serves the store is said to hang
_SHARE = 9  # times as long as a look took, the thread rests


class Watched(Protocol):
    """Who stands by."""

    path: str

    def look(self) -> None:
        """Tell whoever waits what is to be seen in the store."""

    def periods(self, since: int) -> list[Period]:
        """Return the periods in which the store was served, from then on."""

    def knows_all(self) -> bool:
        """Say whether this process could run all flows that are unfinished."""


class Vigil:
    """The thread of an engine that stands by."""

    def __init__(self, watched: Watched, clock: Clock, take_over: Callable[[], bool] | None) -> None:
        """Begin to watch.

        Args:
            watched: who stands by.
            clock: where the time comes from.
            take_over: lets the engine serve from now on; False if it is not to be. None: it never is.
        """
        self._watched = watched
        self._clock = clock
        self._take_over = take_over
        self._changes = Changes(watched.path)
        self._stop = threading.Event()
        self._log = get_logger("engine")
        self._seconds = 0
        self._tried = 0
        self._free: tuple[int, bool] | None = None  # since when nobody serves, and whether all classes are known here
        self._beat: Period | None = None
        self._beat_at = clock.now()
        self._told = ""
        self._silent = False
        self._thread = threading.Thread(target=self._run, name="vastflow-standby", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Watch no longer."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        pause = _TICK
        while not self._stop.wait(pause):
            begun = self._clock.now()
            try:
                self._tick(begun)
                self._told = ""
            except Exception as error:  # noqa: BLE001  # what cannot be read now may be read a moment later
                self._tell(error)
            took = (self._clock.now() - begun) / _SECOND
            pause = min(max(_TICK, took * _SHARE), _TRY / _SECOND)
        self._changes.close()

    def _tell(self, error: Exception) -> None:
        told = f"{type(error).__name__}: {error}"
        if told != self._told and not self._stop.is_set():
            self._told = told
            self._log.error("standing by: the store cannot be read, or not taken over; it is tried again", error=told)

    def _tick(self, now: int) -> None:
        second = now // _SECOND
        fully, self._seconds = second != self._seconds, second
        if self._changes.changed() or fully:
            self._watched.look()
        if fully:
            self._listen(now)
        if self._take_over is not None and now - self._tried >= _TRY:
            self._tried = now
            self._try(now, self._take_over)

    def _try(self, now: int, take_over: Callable[[], bool]) -> None:
        """Take over if nobody serves the store; later, if somebody else might run more of its flows."""
        if holder(self._watched.path) is not None:
            self._free = None
            return
        if self._free is None:
            self._free = now, self._watched.knows_all()
        since, knows_all = self._free
        if not knows_all and now - since < _STRANGE:
            return
        try:
            if take_over():
                self._stop.set()
        except StoreServed:
            self._free = None  # somebody else was faster
        except StoreError:
            self._tried = now + _STRANGE
            raise

    def _listen(self, now: int) -> None:
        """Say once that whoever serves the store gives no sign of life."""
        periods = self._watched.periods(self._beat.ended if self._beat is not None else 0)
        last = periods[-1] if periods else None
        if last != self._beat:
            self._beat, self._beat_at, self._silent = last, now, False
        elif not self._silent and now - self._beat_at >= _SILENT and (pid := holder(self._watched.path)) is not None:
            self._silent = True
            self._log.warning(
                "whoever serves the store gives no sign of life; its lock is never broken: see whether the process is "
                "stopped (kill -CONT) or hangs; if you end it (kill -KILL), another takes over",
                pid=pid,
                seconds=(now - self._beat_at) // _SECOND,
            )

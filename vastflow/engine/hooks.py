"""How does a program hear what happens to its flows?

By callbacks on a thread of their own, called after the fact is on disk. None of them can harm a flow: what a callback
raises is logged, and one that is too slow misses events, which is counted and logged too.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from vastflow.actors.messages import Write
from vastflow.course.facts import KINDS
from vastflow.engine.metrics import Counts
from vastflow.ledger.contract import FactRow
from vastflow.ledger.reading import Event, event_of
from vastflow.log import Masker, get_logger

__all__ = ["Hooks", "Notice"]

_MOST = 10_000  # events that wait for their callbacks
_LAST = 5.0  # seconds that callbacks get at close
_ALL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something has happened to a flow, and is on disk.

    Attributes:
        flow: the flow's id.
        name: of its Andes.
        event: what; secrets in its details are masked.
    """

    flow: str
    name: str
    event: Event


Callback = Callable[[Notice], Any]


class Hooks:
    """Who is to be told of which events; for any number of threads.

    Attributes:
        counts: how much has happened.
    """

    def __init__(self, masker: Masker) -> None:
        """Tell nobody anything.

        Args:
            masker: takes secrets out of what is told.
        """
        self.counts = Counts()
        self._masker = masker
        self._lock = threading.Lock()
        self._callbacks: dict[str, tuple[Callback, ...]] = {}
        self._queue: deque[tuple[str, FactRow]] = deque()
        self._sign = threading.Event()
        self._thread: threading.Thread | None = None
        self._missed = 0
        self._closing = False
        self._log = get_logger("hooks")

    def on(self, kind: str, callback: Callback) -> Callable[[], None]:
        """Call a callback whenever something of this kind has happened; "*" for everything.

        Returns:
            What ends that.

        Raises:
            ValueError: nothing of this kind ever happens.
        """
        if kind != _ALL and kind not in KINDS:
            message = f"nothing called {kind!r} ever happens: say one of {', '.join(sorted(KINDS))}, or * for all"
            raise ValueError(message)
        with self._lock:
            self._callbacks = {**self._callbacks, kind: (*self._callbacks.get(kind, ()), callback)}
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._run, name="vastflow-hooks", daemon=True)
                self._thread.start()
        return lambda: self._off(kind, callback)

    def written(self, writes: Sequence[Write], lost: frozenset[str]) -> None:
        """Count what is on disk now, and note it for whoever asked for it."""
        self.counts.written(writes, lost)
        wanted = self._callbacks
        if not wanted:
            return
        for write in writes:
            if write.flow.id not in lost:
                self._note(write, wanted)
        self._sign.set()

    def _note(self, write: Write, wanted: dict[str, tuple[Callback, ...]]) -> None:
        for fact in write.facts:
            if _ALL in wanted or fact.kind in wanted:
                if len(self._queue) < _MOST:
                    self._queue.append((write.flow.name, fact))
                else:
                    self._missed += 1

    def close(self) -> None:
        """Let callbacks have what has happened until now, and tell them nothing any more."""
        with self._lock:
            self._closing = True
            thread = self._thread
        self._sign.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_LAST)
        self._callbacks = {}

    def _off(self, kind: str, callback: Callback) -> None:
        with self._lock:
            left = list(self._callbacks.get(kind, ()))
            with suppress(ValueError):
                left.remove(callback)
            others = {each: them for each, them in self._callbacks.items() if each != kind}
            self._callbacks = {**others, kind: tuple(left)} if left else others

    def _run(self) -> None:
        while not self._closing or self._queue:
            if not self._queue:
                self._sign.wait()
                self._sign.clear()
            while self._queue:
                self._tell(*self._queue.popleft())
            if self._missed:
                missed, self._missed = self._missed, 0
                self._log.warning("callbacks are too slow; they have missed events", missed=missed)

    def _tell(self, name: str, fact: FactRow) -> None:
        event = event_of(fact)
        details = {key: self._masker.mask(told) for key, told in event.details.items()}
        notice = Notice(flow=fact.flow, name=name, event=replace(event, details=details))
        for callback in (*self._callbacks.get(fact.kind, ()), *self._callbacks.get(_ALL, ())):
            try:
                callback(notice)
            except Exception as error:  # noqa: BLE001  # whatever a callback does, flows go on
                self._log.error("a callback failed", event_kind=fact.kind, flow=fact.flow, exc_info=error)

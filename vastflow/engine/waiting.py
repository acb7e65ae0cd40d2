"""Who waits for the end of which flow?

Futures by flow, resolved by the supervisor when the end is on disk; none is kept where nobody waits any more. And
whatever else somebody waits for that only a living engine answers.
"""

import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from typing import Any

from vastflow.course import Progress
from vastflow.engine.places import Places
from vastflow.errors import EngineClosed, EngineForked

__all__ = ["Waiting"]

_CLOSED = "the engine was closed: make a new one to go on"
_FORKED = (
    "this engine was made before this process was forked, and its threads live on in the parent only: make a new one "
    "here, such as in os.register_at_fork(after_in_child=...), or fork before the first engine is made"
)
_CLOSING = "the engine was closed before the flow ended; the flow goes on when its store is served again"


class Waiting:
    """The flows that are under way here, and the futures of all who wait for their ends.

    Attributes:
        places: the flows under way.
    """

    def __init__(self, places: Places) -> None:
        """Have nobody who waits."""
        self._lock = threading.Lock()
        self.places = places
        self._futures: dict[str, dict[Future[Progress | None], None]] = {}
        self._others: dict[Future[Any], None] = {}
        self._closed: type[EngineClosed] | None = None
        self._reopened: set[str] = set()

    def __len__(self) -> int:
        """Return how many flows and futures are kept."""
        with self._lock:
            futures = sum(len(each) for each in self._futures.values())
            return len(self.places) + futures + len(self._others)

    def refuse_closed(self) -> None:
        """Do nothing while the engine is open.

        Raises:
            EngineClosed: it is not.
        """
        if self._closed is not None:
            raise self._closed(_FORKED if self._closed is EngineForked else _CLOSED)

    def awaited(self) -> list[str]:
        """Return the flows whose ends somebody waits for."""
        with self._lock:
            return list(self._futures)

    def begin(self, flow_id: str, *, booked: bool = False) -> None:
        """Note that a flow is under way, so that nobody need look whether it has ended before."""
        self.places.enter(flow_id, booked=booked)

    def reopen(self, flow_id: str) -> None:
        """Note that a flow has a new round, so that no earlier end of it is taken for its end."""
        self.places.enter(flow_id)
        with self._lock:
            self._reopened.add(flow_id)

    def is_reopened(self, flow_id: str) -> bool:
        """Say whether a flow that had ended has had another round since."""
        return flow_id in self._reopened

    def doubt(self, flow_id: str) -> None:
        """Note that a flow may not be under way here after all."""
        self.places.leave(flow_id)

    def add(self, flow_id: str) -> "tuple[Future[Progress | None], bool]":
        """Return a future that is done when the flow has ended (its progress) or was stranded (None).

        Whoever waits no longer cancels it, so that it is not kept.

        Returns:
            The future, and whether the flow is known to be under way; if not, it may have ended before.

        Raises:
            EngineClosed: nobody will tell any more.
        """
        future: Future[Progress | None] = Future()
        with self._lock:
            self.refuse_closed()
            self._futures.setdefault(flow_id, {})[future] = None
            known = flow_id in self.places
        future.add_done_callback(partial(self._forget, flow_id))
        return future, known

    def hold(self, future: "Future[Any]") -> None:
        """Let this future, which an actor is to complete, be ended by `close` if no actor does.

        Raises:
            EngineClosed: no actor will.
        """
        with self._lock:
            self.refuse_closed()
            self._others[future] = None
        future.add_done_callback(self._let_go)

    def resolve(self, flow_id: str, progress: Progress | None) -> None:
        """Tell all who wait for this flow."""
        self.places.leave(flow_id)
        with self._lock:
            futures = self._futures.pop(flow_id, {})
        for future in futures:
            if future.set_running_or_notify_cancel():
                future.set_result(progress)

    def close(self) -> None:
        """Tell all who still wait that nobody will tell them any more."""
        with self._lock:
            self._closed = EngineClosed
            left = [future for futures in self._futures.values() for future in futures]
            others = list(self._others)
            self._futures.clear()
            self._others.clear()
        self.places.clear()
        for future in left:
            _end(future, _CLOSING)
        for future in others:
            _end(future, _CLOSED)

    def refuse_forked(self) -> None:
        """Tell all who ask in the child of a fork that nobody will answer there."""
        self._lock = threading.Lock()  # whoever held it lives in the parent only
        self.places.renew()
        self._closed = EngineForked

    def _forget(self, flow_id: str, future: "Future[Any]") -> None:
        with self._lock:
            futures = self._futures.get(flow_id, {})
            futures.pop(future, None)
            if not futures:
                self._futures.pop(flow_id, None)

    def _let_go(self, future: "Future[Any]") -> None:
        with self._lock:
            self._others.pop(future, None)


def _end(future: "Future[Any]", why: str) -> None:
    """Set an error, unless an answer came or whoever waited has given up meanwhile."""
    with suppress(InvalidStateError):
        future.set_exception(EngineClosed(why))

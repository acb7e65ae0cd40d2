"""Who waits for the end of which flow?

Futures by flow, resolved by the supervisor when the end is on disk; none is kept where nobody waits.
"""

import threading
from concurrent.futures import Future

from vastflow.course import Progress
from vastflow.errors import EngineClosed

__all__ = ["Waiting"]


class Waiting:
    """The futures of all who wait."""

    def __init__(self) -> None:
        """Have nobody waiting."""
        self._lock = threading.Lock()
        self._futures: dict[str, list[Future[Progress | None]]] = {}
        self._closed = False

    def add(self, flow_id: str) -> "Future[Progress | None]":
        """Return a future that is done when the flow has ended (its progress) or was stranded (None)."""
        future: Future[Progress | None] = Future()
        with self._lock:
            if self._closed:
                future.set_exception(EngineClosed("the engine was closed: make a new one to go on"))
            else:
                self._futures.setdefault(flow_id, []).append(future)
        return future

    def resolve(self, flow_id: str, progress: Progress | None) -> None:
        """Tell all who wait for this flow."""
        with self._lock:
            futures = self._futures.pop(flow_id, [])
        for future in futures:
            _set(future, progress)

    def close(self) -> None:
        """Tell all who still wait that nobody will tell them any more."""
        with self._lock:
            self._closed = True
            left = [future for futures in self._futures.values() for future in futures]
            self._futures.clear()
        message = "the engine was closed before the flow ended; the flow goes on when its store is served again"
        for future in left:
            if future.set_running_or_notify_cancel():
                future.set_exception(EngineClosed(message))


def _set(future: "Future[Progress | None]", progress: Progress | None) -> None:
    """Set a result, unless whoever waited has given up meanwhile."""
    if future.set_running_or_notify_cancel():
        future.set_result(progress)

"""Who waits for the end of which flow?

Futures by flow, resolved by the supervisor when the end is on disk; none is kept where nobody waits.
"""

import threading
from concurrent.futures import Future

from vastflow.course import Progress
from vastflow.errors import EngineClosed

__all__ = ["Waiting"]


class Waiting:
    """The flows that are under way here, and the futures of all who wait for their ends."""

    def __init__(self) -> None:
        """Have no flow under way."""
        self._lock = threading.Lock()
        self._futures: dict[str, list[Future[Progress | None]]] = {}
        self._closed = False

    def begin(self, flow_id: str) -> None:
        """Note that a flow is under way."""
        with self._lock:
            self._futures.setdefault(flow_id, [])

    def add(self, flow_id: str) -> "Future[Progress | None] | None":
        """Return a future that is done when the flow has ended (its progress) or was stranded (None).

        Returns:
            None if the flow is not under way here: it has ended, was stranded, or never was.

        Raises:
            EngineClosed: nobody will tell any more.
        """
        with self._lock:
            if self._closed:
                message = "the engine was closed: make a new one to go on"
                raise EngineClosed(message)
            futures = self._futures.get(flow_id)
            if futures is None:
                return None
            future: Future[Progress | None] = Future()
            futures.append(future)
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

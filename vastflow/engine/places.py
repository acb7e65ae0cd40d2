"""How many flows may be under way at once?

As many as there are places. Whoever starts one more waits for a place, first come, first served, so that neither a
store that cannot be written nor a loop of starts fills the memory.
"""

import threading
from concurrent.futures import Future

__all__ = ["Places"]


class Places:
    """The flows under way, and who waits to begin one more."""

    def __init__(self, most: int | None) -> None:
        """Have no flow under way.

        Args:
            most: so many at once; None for any number.

        Raises:
            ValueError: not even one could begin.
        """
        if most is not None and most < 1:
            raise ValueError(f"max_flows={most} lets no flow begin: write 1 or more, or None for any number")
        self.most = most
        self._lock = threading.Lock()
        self._taken: set[str] = set()
        self._booked = 0
        self._queue: dict[Future[None], None] = {}  # in order; whoever gives up leaves at once

    def __len__(self) -> int:
        """Return how many flows are under way."""
        return len(self._taken)

    def __contains__(self, flow_id: object) -> bool:
        """Say whether a flow is under way."""
        return flow_id in self._taken

    @property
    def is_full(self) -> bool:
        """Whether there is no place."""
        return self.most is not None and len(self._taken) + self._booked >= self.most

    def book(self) -> "Future[None] | None":
        """Book a place: None: it is. Else a future that is done when it is; whoever gives up cancels it."""
        if self.most is None:
            return None
        with self._lock:
            if not self.is_full and not self._queue:
                self._booked += 1
                return None
            future: Future[None] = Future()
            self._queue[future] = None
        future.add_done_callback(self._let_go)
        return future

    def give_back(self) -> None:
        """Take no place, though one was booked."""
        self._free(booked=True)

    def enter(self, flow_id: str, *, booked: bool = False) -> None:
        """Note that a flow is under way: on the place that was booked, or on one more."""
        with self._lock:
            self._taken.add(flow_id)
            if booked and self.most is not None:
                self._booked -= 1

    def leave(self, flow_id: str) -> None:
        """Note that a flow is not under way, or not any more."""
        if flow_id in self._taken:
            self._free(flow_id)

    def clear(self) -> None:
        """Have no flow under way, and nobody who waits."""
        with self._lock:
            self._taken.clear()
            self._queue.clear()

    def renew(self) -> None:
        """Forget who held the lock: in the child of a fork that thread does not live."""
        self._lock = threading.Lock()

    def _let_go(self, future: "Future[None]") -> None:
        with self._lock:
            self._queue.pop(future, None)

    def _free(self, flow_id: str = "", *, booked: bool = False) -> None:
        given: list[Future[None]] = []
        with self._lock:
            self._taken.discard(flow_id)
            if booked and self.most is not None:
                self._booked -= 1
            while self._queue and not self.is_full:
                future = next(iter(self._queue))
                del self._queue[future]
                if future.set_running_or_notify_cancel():
                    self._booked += 1
                    given.append(future)
        for future in given:
            future.set_result(None)

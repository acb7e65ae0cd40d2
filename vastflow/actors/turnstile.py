"""Which forward bodies may run beside each other?

All of one engine, but for those that are run alone (semantics 4.10): one of these waits until nobody else is out, and
while it waits or runs nobody else goes out. Undo and Atlantic bodies do not come through here.
"""

import threading
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Turnstile"]


class _Waiting(NamedTuple):
    """Somebody who is held: is it to run alone, and how is it told that it is through?"""

    alone: bool
    let_through: Callable[[], object]


class Turnstile:
    """Who is out and who is held, by ticket; asked by the River actors of one engine, each on its own thread."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._lock = threading.Lock()
        self._out: set[int] = set()
        self._held: dict[int, _Waiting] = {}
        self._alone: int | None = None

    def pass_by(self, ticket: int, *, alone: bool) -> bool:
        """Go out at once if nobody is held and nobody runs alone, as is nearly always so; else `enter`."""
        with self._lock:
            if alone or self._held or self._alone is not None:
                return False
            self._out.add(ticket)
            return True

    def enter(self, ticket: int, let_through: Callable[[], object], *, alone: bool = False) -> bool:
        """Go out; False: held, in the order of coming.

        Args:
            ticket: whose.
            let_through: called once, on any thread, when somebody who was held is out; it must only tell.
            alone: nobody else is out at the same time.
        """
        with self._lock:
            if self._held or self._alone is not None or (alone and self._out):
                self._held[ticket] = _Waiting(alone, let_through)
                return False
            self._go(ticket, alone=alone)
            return True

    def leave(self, ticket: int) -> None:
        """Come back, or wait no longer, and let through whose turn has come; no harm if it was neither."""
        with self._lock:
            self._out.discard(ticket)
            if ticket == self._alone:
                self._alone = None
            if self._held:
                self._held.pop(ticket, None)
                self._let_through()

    def _let_through(self) -> None:
        """Let out, in order, who may go; told under the lock, or two who come back at once would mix the order."""
        while self._held and self._alone is None:
            ticket, waiting = next(iter(self._held.items()))
            if waiting.alone and self._out:
                return
            del self._held[ticket]
            self._go(ticket, alone=waiting.alone)
            waiting.let_through()

    def _go(self, ticket: int, *, alone: bool) -> None:
        self._out.add(ticket)
        if alone:
            self._alone = ticket

"""How many bodies of one class run at once?

As many as its `max_running` says, first come first served. One for each River actor, used by that actor only.
"""

from collections.abc import Sequence

__all__ = ["Slots"]


class Slots:
    """Who of one class runs, and who waits in line; by ticket."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._inside: set[int] = set()
        self._line: dict[int, int | None] = {}

    def enter(self, ticket: int, most: int | None) -> bool:
        """Take a slot; False: it waits in line until fewer than `most` are inside.

        Whoever has no limit waits too while others do: overtaking them for ever, it would take their turn.
        """
        if self._line or not self._fits(most):
            self._line[ticket] = most
            return False
        self._inside.add(ticket)
        return True

    def leave(self, ticket: int) -> Sequence[int]:
        """Give a slot or a place in the line up, and return whose turn has come; no harm if it had neither."""
        self._inside.discard(ticket)
        if not self._line:
            return ()
        self._line.pop(ticket, None)
        return self._admitted()

    def _admitted(self) -> Sequence[int]:
        admitted: list[int] = []
        for ticket, most in self._line.items():
            if not self._fits(most):
                break
            self._inside.add(ticket)
            admitted.append(ticket)
        for ticket in admitted:
            del self._line[ticket]
        return admitted

    def _fits(self, most: int | None) -> bool:
        # A limit below one would be no drawing's, and let nobody of this class ever run again.
        return most is None or len(self._inside) < max(most, 1)

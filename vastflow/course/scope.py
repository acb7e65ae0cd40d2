"""What is undone together?

A flow, a basin, a tolerated branch or a loser: the undos of all that began in it, one at a time.
"""

from vastflow.errors import Failure

__all__ = ["Scope"]


class Scope:
    """What is undone together, one river at a time.

    Attributes:
        queue: addresses, in the order of their undos.
        failure: why.
        again: it is a basin's, which will then be tried again.
        position: in the queue.
        attempt: of the undo whose turn it is, from 1; `begun` is the last one whose begin is on disk.
        since: when its turn came, microseconds.
        due: when it is to be tried again, microseconds.
    """

    __slots__ = ("again", "attempt", "begun", "due", "failure", "position", "queue", "since")

    def __init__(self, queue: tuple[str, ...], failure: Failure | None, at: int, *, again: bool = False) -> None:
        """Stand before the first."""
        self.queue = queue
        self.failure = failure
        self.again = again
        self.position = 0
        self.turn(at)

    def turn(self, at: int) -> None:
        """Let it be the turn of the undo at this position."""
        self.attempt = 1
        self.begun = 0
        self.since = at
        self.due = at

    @property
    def done(self) -> bool:
        """Say whether nothing is left."""
        return self.position >= len(self.queue)

"""What becomes of engines in the child of a fork?

Their threads live on in the parent only; so each is told that it is of no use there.
"""

import os
import weakref
from typing import Protocol

__all__ = ["outlive_forks"]


class Forkable(Protocol):
    """What must hear of a fork."""

    def forked(self) -> None:
        """Be of no use in the child, and harm nothing there."""


_engines: "weakref.WeakSet[Forkable]" = weakref.WeakSet()


def outlive_forks(engine: Forkable) -> None:
    """Tell an engine when it finds itself in the child of a fork."""
    _engines.add(engine)


def _forget_parents() -> None:
    for engine in list(_engines):
        engine.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)

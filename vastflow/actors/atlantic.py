"""Who ends the flows?

An actor for each Atlantic class. Its bodies have threads of their own, so that hung rivers cannot keep flows from
ending.
"""

from vastflow.actors.river import RiverActor
from vastflow.runtime import Lane

__all__ = ["AtlanticActor"]


class AtlanticActor(RiverActor):
    """The actor of one Atlantic class: calls `success` or `fail`."""

    lane: Lane = "end"

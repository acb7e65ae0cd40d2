"""Who ends the flows?

An actor for each Atlantic class. Its bodies have threads of their own and pass no turnstile, so that hung rivers cannot
keep flows from ending.
"""

from vastflow.actors.river import RiverActor

__all__ = ["AtlanticActor"]


class AtlanticActor(RiverActor):
    """The actor of one Atlantic class: calls `success` or `fail`."""

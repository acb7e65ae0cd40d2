"""What do the tests of why share? Situations as they would be read."""

from typing import Any

from vastflow.why import Around, Out, Reason, Situation, Spot, tell_why

__all__ = ["NOW", "SECOND", "around", "first", "out", "poll", "seen", "spot"]

NOW = 1_800_000_000_000_000
SECOND = 1_000_000


def spot(**told: Any) -> Spot:
    """Return a river that is under way."""
    return Spot(**{"address": "a", "kind": "river", "state": "running", **told})


def poll(**told: Any) -> Spot:
    """Return a river that polls."""
    return spot(state="cycling", polls=3, due=NOW + 5 * SECOND, **told)


def out(**told: Any) -> Out:
    """Return a body that runs for ten seconds."""
    return Out(**{"stage": "running", "thread": "thread t-1", "began": NOW - 10 * SECOND, **told})


def seen(*spots: Spot, **told: Any) -> Situation:
    """Return a flow in which this is under way."""
    return Situation(**{"flow": "one", "name": "x", "state": "running", "live": True, "spots": spots, **told})


def around(**told: Any) -> Around:
    """Return surroundings in which nothing is wrong."""
    return Around(now=NOW, **told)


def first(*spots: Spot, **told: Any) -> Reason:
    """Return what matters most of a flow in which this is under way."""
    return tell_why(seen(*spots, **told), around()).reason

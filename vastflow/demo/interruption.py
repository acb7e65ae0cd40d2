"""Where is the demo killed, if it is to be?

A body that comes to the place stays there, and whoever watches kills the process; so the kill falls on a body that has
spoken to the cloud and whose end is not on disk yet: the worst moment.
"""

import queue
import threading

__all__ = ["await_at", "pass_by", "reached"]

_places: set[str] = set()
_standing: "queue.SimpleQueue[str]" = queue.SimpleQueue()
_never = threading.Event()


def await_at(address: str) -> None:
    """Let the body at this address stay where it is when it has spoken to the cloud."""
    _places.add(address)


def reached() -> str:
    """Return the address of a body that has come to its place and was not told of yet; empty if there is none."""
    try:
        return _standing.get_nowait()
    except queue.Empty:
        return ""


def pass_by(address: str) -> None:
    """Go on, or stay for ever if this is the place."""
    if address in _places:
        _standing.put(address)
        _never.wait()

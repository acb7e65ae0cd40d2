"""Where is the demo killed, if it is to be?

A body that comes to the place stays there, and whoever watches kills the process; so the kill falls on a body that has
spoken to the cloud and whose end is not on disk yet: the worst moment.
"""

import threading

__all__ = ["await_at", "is_reached", "pass_by"]

_reached = threading.Event()
_never = threading.Event()
_places: set[str] = set()


def await_at(address: str) -> None:
    """Let the body at this address stay where it is when it has spoken to the cloud."""
    _places.add(address)


def is_reached() -> bool:
    """Say whether a body stands at the place."""
    return _reached.is_set()


def pass_by(address: str) -> None:
    """Go on, or stay for ever if this is the place."""
    if address in _places:
        _reached.set()
        _never.wait()

"""Which engine does `andes.start()` use when none was made?

One for the process, made when it is first needed and closed at exit. Its store is `VASTFLOW_STORE`, else a file in the
current folder.
"""

import atexit
import os
import threading

from vastflow.engine.engine import Engine

__all__ = ["default_engine"]

_lock = threading.Lock()
_made: list[Engine] = []


def default_engine() -> Engine:
    """Return the process's engine; made anew if the last one was closed, or belongs to the parent of a fork."""
    with _lock:
        if not _made or _made[0].closed:
            _made[:] = [Engine()]
            atexit.register(_made[0].close)
        return _made[0]


def _renew() -> None:
    global _lock  # noqa: PLW0603  # whoever held it lives in the parent only
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)

"""Which engine does `andes.start()` use when none was made?

One for the process, made when it is first needed and closed at exit. Its store is `VASTFLOW_STORE`, else a file in the
current folder.
"""

import atexit
import threading

from vastflow.engine.engine import Engine

__all__ = ["default_engine"]

_lock = threading.Lock()
_made: list[Engine] = []


def default_engine() -> Engine:
    """Return the process's engine; made anew if the last one was closed."""
    with _lock:
        if not _made or _made[0].closed:
            _made[:] = [Engine()]
            atexit.register(_made[0].close)
        return _made[0]

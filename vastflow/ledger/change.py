"""Has a store changed since somebody looked last?

Asked many times a second by whoever waits for what another process does: SQLite counts the commits of others for each
connection, so one is kept, and asked for nothing but its count.
"""

import os
import sqlite3
import threading

from vastflow.errors import StoreError
from vastflow.ledger.connection import open_to_read
from vastflow.ledger.inbox_link import INBOX_SQL
from vastflow.ledger.place import Place, place_of

__all__ = ["Changes"]


class Changes:
    """Says whether a store file has changed; for one thread."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens nothing yet."""
        self._path = os.path.realpath(path)
        self._mutex = threading.Lock()
        self._link: sqlite3.Connection | None = None
        self._place: Place | None = None
        self._seen = 0
        self._closed = False

    def changed(self) -> bool:
        """Say whether there may be something new since this was asked last; True also where nobody can tell."""
        with self._mutex:
            place = place_of(self._path)
            if place is None or self._closed:
                return False
            if place != self._place:
                self._drop()
            try:
                before, self._seen = self._seen, self._count(place)
            except (sqlite3.Error, StoreError):
                self._drop()
                return True
            return self._seen != before or self._link is None

    def close(self) -> None:
        """Let go of the file; may come twice."""
        with self._mutex:
            self._closed = True
            self._drop()

    def _count(self, place: Place) -> int:
        if self._link is None:
            link, lasting = open_to_read(self._path)
            if not lasting:
                link.close()
                return 0
            self._link, self._place = link, place
        return int(self._link.execute(INBOX_SQL["changed"]).fetchone()[0])

    def _drop(self) -> None:
        link, self._link, self._place, self._seen = self._link, None, None, 0
        if link is not None:
            link.close()

"""How is an inbox opened, and who waits for whom?

Any process may write it, so it has a rollback journal (no WAL), which SQLite keeps whole whoever writes. Whoever finds
it locked asks again and again, so that nobody is told "locked", and Ctrl-C is heard meanwhile.
"""

import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from vastflow.errors import BatchRefused, StoreError, StoreTooNew
from vastflow.ledger.connection import DATA_FAULTS, connect, make_private, primary, refuse_place
from vastflow.ledger.place import Place, place_of
from vastflow.ledger.query import read_sql

__all__ = ["INBOX_SQL", "InboxLink", "insist"]

INBOX_SQL = read_sql("inbox.sql")

_APPLICATION = 1447447625
_VERSION = 1
# SQLite asks ever more seldom, so that one who waits longer would be overtaken by all who come later.
_ONE_TRY = 0.002
_BROKEN = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def insist(link: sqlite3.Connection, patience: float, statement: str, values: Sequence[Any] = ()) -> Any:
    """Return the statement's cursor, waiting for others who are writing.

    Raises:
        StoreError: one of them went on for longer than `patience` (seconds).
    """
    for _ in range(round(patience / _ONE_TRY)):
        try:
            return link.execute(statement, values)
        except sqlite3.OperationalError as error:
            if primary(error) != sqlite3.SQLITE_BUSY:
                raise
    raise StoreError(
        f"another process has kept the store's inbox to itself for {patience:g} s; find out which one writes to it "
        "(`fuser`), end it if it is none of yours, and try again; nothing was written"
    )


class InboxLink:
    """One connection to an inbox, kept while the file is the same; one thread at a time."""

    def __init__(self, path: str) -> None:
        """Opens nothing yet."""
        self.path = path
        self.opened = 0  # how often, since SQLite counts changes for each connection anew
        self._mutex = threading.Lock()
        self._link: sqlite3.Connection | None = None
        self._place: Place | None = None
        self._is_made = False
        self._closed = False

    @contextmanager
    def lent(self, patience: float) -> Iterator[sqlite3.Connection | None]:
        """Lend the connection to read; None if there is no inbox yet.

        Raises:
            StoreError: it cannot be read, or not now.
        """
        with self._mutex, self._in_our_words():
            link = self._current(patience)
            yield link if link is not None and self._check(link, patience) else None

    @contextmanager
    def transaction(self, patience: float) -> Iterator[sqlite3.Connection]:
        """Lend the connection to write, in one transaction; makes the inbox if there is none.

        Raises:
            BatchRefused: it was to hold what it cannot; nothing was written.
            StoreError: it cannot be written now.
        """
        with self._mutex, self._in_our_words():
            link = self._made(patience)
            insist(link, patience, "BEGIN IMMEDIATE")
            if not self._check(link, patience):
                _make(link)
            yield link
            insist(link, patience, "COMMIT")

    def close(self) -> None:
        """Let go of the file; may come twice."""
        with self._mutex:
            self._closed = True
            self._drop()

    def _made(self, patience: float) -> sqlite3.Connection:
        if (link := self._current(patience)) is None:
            refuse_place(self.path)
            make_private(self.path)
            link = self._current(patience)
        if link is None:
            raise StoreError(
                f"the inbox {self.path} cannot be made, or somebody removes it at once; look what lies there"
            )
        return link

    def _current(self, patience: float) -> sqlite3.Connection | None:
        if self._closed:
            raise StoreError(f"the inbox {self.path} was closed; open it again")
        # Asked before the file is opened: if it is replaced in between, the next one who asks opens the new one.
        place = place_of(self.path)
        if place != self._place or place is None:
            self._drop()
        if self._link is None and place is not None:
            self._link, self._place = connect(self.path, "mode=rw", _ONE_TRY), place
            self.opened += 1
            insist(self._link, patience, "PRAGMA journal_mode = TRUNCATE")
            insist(self._link, patience, "PRAGMA synchronous = FULL")
        return self._link

    def _check(self, link: sqlite3.Connection, patience: float) -> bool:
        # Asked once of each file: what was made is never unmade.
        self._is_made = self._is_made or _is_made(link, self.path, patience)
        return self._is_made

    def _drop(self) -> None:
        link, self._link, self._place, self._is_made = self._link, None, None, False
        if link is not None:
            with suppress(sqlite3.Error):
                link.close()

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            # Closing rolls back, whatever the state was.
            self._drop()
            if isinstance(error, DATA_FAULTS):
                raise BatchRefused(f"{self.path} cannot hold what was to be written: {error}") from error
            if isinstance(error, sqlite3.Error):
                raise self._trouble(error) from error
            raise

    def _trouble(self, error: sqlite3.Error) -> StoreError:
        if primary(error) in _BROKEN or not os.access(self.path, os.R_OK):
            return StoreError(
                f"the inbox {self.path} cannot be read ({error}); close all that use the store, and move this file "
                "away: flows stand in the store and lose nothing, only what was asked and not taken in yet is gone"
            )
        return StoreError(f"the inbox {self.path} cannot be used now: {error}; what lies in it stays")


def _is_made(link: sqlite3.Connection, path: str, patience: float) -> bool:
    application, version, tables = insist(link, patience, INBOX_SQL["form"]).fetchone()
    if (application, version, tables) == (0, 0, 0):
        return False
    if application != _APPLICATION:
        raise StoreError(f"{path} is a SQLite file of another program, not an inbox; move it away")
    if version != _VERSION:
        raise StoreTooNew(f"the inbox {path} has form {version}, this release knows {_VERSION}: install a newer one")
    return True


def _make(link: sqlite3.Connection) -> None:
    for name, statement in INBOX_SQL.items():
        if name.startswith("make_"):
            link.execute(statement)
    link.execute(INBOX_SQL["insert_inbox"], (str(uuid.uuid4()),))

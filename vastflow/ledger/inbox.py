"""How does a process that does not serve a store say what is to be done?

By a *letter* in the inbox, a second file beside the store, durable when `put` returns. The server takes it in and
stores what it led to together with an answer; only then is the letter removed, so it is taken in exactly once.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from vastflow.errors import StoreUnreadable
from vastflow.ledger.connection import primary
from vastflow.ledger.group import GroupCommit
from vastflow.ledger.inbox_link import INBOX_SQL, InboxLink, insist

__all__ = ["Inbox", "Letter"]


class Letter(NamedTuple):
    """What somebody asks of the server.

    Attributes:
        no: of the letter in this inbox; increasing, and never given twice.
        at: microseconds since 1970 UTC.
        who: asks.
        kind: start, cancel, pause, resume, retry, skip, complete, set, signal, gc or probe; empty if this letter
            cannot be read, and then all the rest is empty, too.
        flow: about which; empty for none.
        payload: by kind.
    """

    no: int
    at: int
    who: str
    kind: str
    flow: str
    payload: bytes


# Bytes of payload that are read at once.
_PORTION = 1 << 26

_TYPES = (int, int, str, str, str, bytes)


class Inbox:
    """The inbox of one store; for any number of processes and threads."""

    def __init__(self, store_path: str | os.PathLike[str], patience: float = 60.0) -> None:
        """Opens nothing yet; the first `put` makes the file.

        Args:
            store_path: of the store beside which it lies.
            patience: seconds that one who puts waits for others. Whoever serves waits two at most: it asks again.
        """
        self.path = f"{os.path.realpath(store_path)}-inbox"
        self._reader = InboxLink(self.path)
        self._writer = InboxLink(self.path)
        self._patience = patience
        self._short = min(patience, 2.0)
        self._group = GroupCommit(self._write)
        self._seen: tuple[int, int | None] | None = None

    @property
    def id(self) -> str:
        """The random id that the inbox got when it was made; empty if there is none yet.

        Raises:
            StoreUnreadable: it has none.
        """
        rows = self._fetch(INBOX_SQL["id"], (), self._short)
        if rows is None:
            return ""
        if len(rows) != 1 or type(rows[0][0]) is not str:
            raise StoreUnreadable(f"the inbox {self.path} has no id that can be read; move it away")
        return rows[0][0]

    def put(self, kind: str, flow: str, payload: bytes, who: str, at: int) -> int:
        """Put a letter in, durable on return, and return its number; what the parts mean says `Letter`.

        Threads that do so at once share a commit.

        Raises:
            BatchRefused: it holds what cannot be stored.
            StoreError: the inbox cannot be written now.
        """
        return self._group.put((at, who, kind, flow, payload))

    def put_many(self, letters: Sequence[tuple[str, str, bytes]], who: str, at: int) -> list[int]:
        """Put letters in, each with its kind, flow and payload, in one commit; return their numbers.

        Raises:
            BatchRefused: one of them holds what cannot be stored; none was put in.
            StoreError: the inbox cannot be written now.
        """
        return self._write([(at, who, *letter) for letter in letters])

    def letters(self, after: int = 0, limit: int = 1000) -> list[Letter]:
        """Return the first letters with numbers above `after`, in order: `limit` of them, fewer if they are large."""
        with self._reader.lent(self._short) as link:
            if link is None:
                return []
            rows = _portion(insist(link, self._short, INBOX_SQL["letters"], (after, limit)))
        return list(map(self._letter, rows))

    def letter_of(self, flow: str) -> Letter | None:
        """Return the letter that asks to start this flow, if it lies here."""
        rows = self._fetch(INBOX_SQL["letter_of"], (flow,), self._patience)
        return self._letter(rows[0]) if rows else None

    def asked_about(self) -> frozenset[str]:
        """Return the flows that something is asked of in the letters that lie here."""
        rows = self._fetch(INBOX_SQL["asked_about"], (), self._patience) or ()
        return frozenset(row[0] for row in rows)

    def changed(self) -> bool:
        """Say whether there may be something new since this was asked last; costs next to nothing.

        While somebody is writing it says no: ask again.
        """
        with self._reader.lent(self._short) as link:
            if link is None:
                return False
            seen = (self._reader.opened, _data_version(link))
            if seen[1] is None or seen == self._seen:
                return False
            self._seen = seen
            return True

    def remove(self, nos: Iterable[int]) -> None:
        """Remove letters whose answers are stored; for the server only."""
        rows = [(no,) for no in nos]
        if not rows:
            return
        with self._writer.transaction(self._short) as link:
            link.executemany(INBOX_SQL["remove"], rows)

    def close(self) -> None:
        """Let go of the file; may come twice."""
        self._reader.close()
        self._writer.close()

    def _fetch(self, select: str, values: Sequence[Any], patience: float) -> list[Any] | None:
        with self._reader.lent(patience) as link:
            if link is None:
                return None
            found: list[Any] = insist(link, patience, select, values).fetchall()
            return found

    def _letter(self, row: Sequence[Any]) -> Letter:
        if type(row[0]) is not int:
            raise StoreUnreadable(f"the inbox {self.path} holds a letter without a number; move it away")
        if tuple(map(type, row)) != _TYPES:
            return Letter(row[0], 0, "", "", "", b"")
        return Letter._make(row)

    def _write(self, letters: Sequence[tuple[Any, ...]]) -> list[int]:
        with self._writer.transaction(self._patience) as link:
            return [link.execute(INBOX_SQL["insert_letter"], values).lastrowid or 0 for values in letters]


def _portion(rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    found: list[Sequence[Any]] = []
    size = 0
    for row in rows:
        found.append(row)
        size += len(row[-1]) if type(row[-1]) is bytes else 0
        if size >= _PORTION:
            break
    return found


def _data_version(link: sqlite3.Connection) -> int | None:
    try:
        return int(link.execute(INBOX_SQL["changed"]).fetchone()[0])
    except sqlite3.OperationalError as error:
        if primary(error) != sqlite3.SQLITE_BUSY:
            raise
        return None

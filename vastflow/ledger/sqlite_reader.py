"""How is a SQLite store read?

By connections that cannot write, lent to one read at a time. Each read is one statement and ends before it answers, so
it sees one commit's state and never holds the writer's checkpoints up.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from vastflow.errors import StoreError, StoreUnreadable
from vastflow.ledger.backup import copy_store
from vastflow.ledger.batch import has_tags, unknown_after
from vastflow.ledger.connection import is_unmade, open_to_read, trouble
from vastflow.ledger.contract import FactRow, FlowQuery, FlowRow, Period
from vastflow.ledger.integrity import faults_of
from vastflow.ledger.place import Place, place_of
from vastflow.ledger.query import SQL
from vastflow.ledger.row import fact_of, flow_or_stranded, period_of

__all__ = ["UNFINISHED", "SQLiteReader", "listing"]

_IDLE_MOST = 8


class SQLiteReader:
    """Reads one store file, from any thread, whether it is being served or not."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens nothing yet."""
        # Without links, since the lock and the WAL lie beside the real file.
        self.path = os.path.realpath(path)
        self._mutex = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._seen: Place | None = None
        self._closed = False
        self._made = False

    def check(self) -> None:
        """Find out whether there is a store of ours.

        Raises:
            StoreError: there is none.
            StoreTooNew: it was written by a newer release.
        """
        with self._lent():
            return

    def is_made(self) -> bool:
        """Say whether there is a store: a file, and not only what a process left that died while it made one."""
        if not os.path.exists(self.path):  # noqa: PTH110 - the path is text on all of this page
            return False
        self._made = self._made or not is_unmade(self.path)
        return self._made

    def flow(self, flow_id: str) -> FlowRow | None:
        """Return one flow's row."""
        rows = self._fetch(_select("where_id"), (flow_id,))
        return flow_or_stranded(rows[0]) if rows else None

    def flows(self, query: FlowQuery) -> list[FlowRow]:
        """Return the rows that match, newest start first."""
        select, values = listing(query)
        with self._lent() as link:
            rows = map(flow_or_stranded, link.execute(select, values))
            found = list(
                islice((row for row in rows if not query.tags or has_tags(row.tags, query.tags)), max(query.limit, 0))
            )
        if not found and query.after is not None and not self._fetch(_select("where_id"), (query.after,)):
            raise unknown_after(query.after)
        return found

    def facts(self, flow_id: str, after: int = 0) -> list[FactRow]:
        """Return a flow's facts with numbers above `after`, in order."""
        return [fact_of(row) for row in self._fetch(SQL["facts"], {"flow": flow_id, "after": after})]

    def chart(self, digest: str) -> bytes | None:
        """Return a chart's bytes."""
        rows = self._fetch(SQL["chart"], (digest,))
        if not rows:
            return None
        if type(rows[0][0]) is not bytes:
            raise StoreUnreadable(f"the chart {digest} cannot be read: it is no bytes; restore the store from a copy")
        return rows[0][0]

    def periods(self, since: int = 0) -> list[Period]:
        """Return the served periods that end at or after `since` (microseconds), oldest first."""
        return [period_of(row) for row in self._fetch(SQL["periods"], (since,))]

    def answer(self, inbox: str, no: int) -> bytes | None:
        """Return what was said to this letter of this inbox; None if nothing was yet, or the store is of form 1."""
        try:
            rows = self._fetch(SQL["answer"], (inbox, no))
        except StoreError:
            if self.version() > 1:
                raise
            return None
        if rows and type(rows[0][0]) is not bytes:
            raise StoreUnreadable(f"the answer to letter {no} cannot be read: it is no bytes; look at its flow instead")
        return rows[0][0] if rows else None

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the store as it stands into a new file, mode 0600, while it is served or not.

        Letters in the inbox that no server took in yet are not in the store, so they are not in the copy.

        Raises:
            StoreError: there is a file of that name already, or it cannot be written.
        """
        with self._lent() as link:
            copy_store(link, os.fspath(path))

    def check_integrity(self, *, quick: bool = False) -> list[str]:
        """Return what is wrong with the store, a sentence each; `quick` leaves out its indexes."""
        try:
            with self._lent() as link:
                return faults_of(link, quick=quick)
        except StoreError as error:
            return [str(error)]

    def version(self) -> int:
        """Return the form of the file."""
        return int(self._fetch(SQL["form"], ())[0][1])

    def close(self) -> None:
        """Let go of the file; may come twice."""
        with self._mutex:
            idle, self._idle, self._closed = self._idle, [], True
        for link in idle:
            link.close()

    def _fetch(self, select: str, values: Sequence[Any] | dict[str, Any]) -> list[Any]:
        with self._lent() as link:
            return link.execute(select, values).fetchall()

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        lasting = False
        link: sqlite3.Connection | None = None
        place = place_of(self.path)
        try:
            link, kept = self._borrow(place)
            yield link
            lasting = kept
        except sqlite3.Error as error:
            raise trouble(self.path, error) from error
        finally:
            if link is not None:
                self._give_back(link, place if lasting else None)

    def _borrow(self, place: Place | None) -> tuple[sqlite3.Connection, bool]:
        with self._mutex:
            if self._closed:
                raise StoreError(f"the store {self.path} was closed; open it again")
            strange, self._seen = place != self._seen, place
            # Another file lies there now, so what was opened before reads what is gone.
            old = self._idle[:] if strange else []
            del self._idle[: len(old)]
            if self._idle:
                return self._idle.pop(), True
        for link in old:
            link.close()
        return open_to_read(self.path)

    def _give_back(self, link: sqlite3.Connection, place: Place | None) -> None:
        with self._mutex:
            known = place is not None and place == self._seen
            if known and not self._closed and len(self._idle) < _IDLE_MOST:
                self._idle.append(link)
                return
        link.close()


def _select(*conditions: str) -> str:
    return f"{SQL['flows']} WHERE {' AND '.join(SQL[name] for name in conditions)}"


UNFINISHED = f"{_select('where_unfinished', 'where_not_well')} {SQL['oldest_first']}"


def listing(query: FlowQuery) -> tuple[str, list[Any]]:
    """Return the statement that lists what the query asks for, and its values."""
    conditions: list[str] = []
    values: list[Any] = []
    if query.states:
        conditions += ["where_state"] if "success" in query.states else ["where_state", "where_not_well"]
        values.append(json.dumps(query.states))
    if query.name is not None:
        conditions.append("where_name")
        values.append(query.name)
    if query.after is not None:
        conditions.append("where_after")
        values.append(query.after)
    # Tags are looked at here, one row after the other, so the limit counts there, too.
    values.append(-1 if query.tags else max(query.limit, 0))
    select = _select(*conditions) if conditions else SQL["flows"]
    return f"{select} {SQL['newest_first']}", values

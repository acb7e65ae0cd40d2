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
from vastflow.ledger.batch import has_tags, unknown_after
from vastflow.ledger.connection import open_to_read, trouble
from vastflow.ledger.contract import FactRow, FlowQuery, FlowRow, Period
from vastflow.ledger.query import SQL
from vastflow.ledger.row import fact_of, flow_of, flow_or_stranded

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
        self._closed = False

    def check(self) -> None:
        """Find out whether there is a store of ours.

        Raises:
            StoreError: there is none.
            StoreTooNew: it was written by a newer release.
        """
        with self._lent():
            return

    def flow(self, flow_id: str) -> FlowRow | None:
        """Return one flow's row."""
        rows = self._fetch(_select("where_id"), (flow_id,))
        return flow_of(rows[0]) if rows else None

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
        return [Period._make(row) for row in self._fetch(SQL["periods"], (since,))]

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
        try:
            link, kept = self._borrow()
            yield link
            lasting = kept
        except sqlite3.Error as error:
            raise trouble(self.path, error) from error
        finally:
            if link is not None:
                self._give_back(link, lasting=lasting)

    def _borrow(self) -> tuple[sqlite3.Connection, bool]:
        with self._mutex:
            if self._closed:
                raise StoreError(f"the store {self.path} was closed; open it again")
            if self._idle:
                return self._idle.pop(), True
        return open_to_read(self.path)

    def _give_back(self, link: sqlite3.Connection, *, lasting: bool) -> None:
        with self._mutex:
            if lasting and not self._closed and len(self._idle) < _IDLE_MOST:
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

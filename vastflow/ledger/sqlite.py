"""How does a flow outlive its process?

In one SQLite file (WAL, synchronous FULL, mode 0600), served by one process at a time: `take` gets the lock and then
the only connection that ever writes; all reading goes through read-only ones. The SQL stands in `sqlite.sql`.
"""

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count

from vastflow.errors import BatchRefused, StoreError, StoreServed
from vastflow.ledger.batch import latest_of, named, touched, without
from vastflow.ledger.connection import DATA_FAULTS, SYNCHRONOUS, open_to_write, refuse_place, trouble
from vastflow.ledger.contract import PORTION, Batch, FlowRow, Owner
from vastflow.ledger.lock import ServingLock
from vastflow.ledger.place import Place, place_of
from vastflow.ledger.query import SQL
from vastflow.ledger.row import flow_or_stranded, owner_of, time_of, values_of
from vastflow.ledger.sqlite_reader import UNFINISHED, SQLiteReader

__all__ = ["SQLiteStore"]


class SQLiteStore(SQLiteReader):
    """A store in one SQLite file."""

    def __init__(self, path: str | os.PathLike[str], synchronous: str = "FULL") -> None:
        """Opens nothing yet: `take` does, and makes the file if there is none.

        Args:
            path: of the file; its folder must be there.
            synchronous: "FULL": what was answered is on disk. "power-loss-loses-the-last-commits": faster, and a
                power failure (no crash of a process) takes the last commits. "power-loss-may-break-the-file": for
                stores that may be thrown away.
        """
        super().__init__(path)
        if synchronous not in SYNCHRONOUS:
            raise StoreError(f"synchronous={synchronous!r} says nothing here; say one of {', '.join(SYNCHRONOUS)}")
        self._synchronous = synchronous
        self._lock: ServingLock | None = None
        self._served: Place | None = None
        self._link: sqlite3.Connection | None = None
        self._numbers = count(1)
        # Flows of this epoch and their numbers: while the owner's epoch is ours, nobody else can make them theirs.
        self._ours: dict[str, int] = {}

    def take(self, name: str, now: int) -> Owner:
        """Become the owner under this name: a new epoch, its served period begun at `now`.

        Raises:
            StoreServed: another engine serves this store.
            StoreTooNew: it was written by a newer release.
            StoreError: the file is not ours, or no store can be served where it is.
        """
        if self._link is not None:
            raise StoreServed(f"this engine serves {self.path} already; close it before taking the store again")
        refuse_place(self.path)
        lock = ServingLock(self.path)
        try:
            self._link = open_to_write(self.path, self._synchronous)
            self._lock, self._served = lock, place_of(self.path)
            owner = self._begin_epoch(name, now)
        except BaseException as error:
            self._close_link()
            self._lock = None
            lock.release()
            if isinstance(error, sqlite3.Error):
                raise trouble(self.path, error) from error
            if isinstance(error, BatchRefused):  # nothing of ours was in it: what stands there contradicts itself
                raise StoreError(f"{error}; the store was changed by something else: restore it from a copy") from error
            raise
        return owner

    def unfinished(self) -> list[FlowRow]:
        """Return all flows that have not ended, oldest first."""
        return [flow_or_stranded(row) for row in self._fetch(UNFINISHED, ())]

    def claim(self, flow_ids: Sequence[str], owner: Owner) -> None:
        """Make these flows the owner's."""
        with self._transaction() as link:
            if _epoch_of(link) != owner.epoch:
                raise StoreServed(f"another engine took {self.path}: epoch {owner.epoch} is over; stop this engine")
            link.executemany(SQL["claim_flow"], [(owner.name, owner.epoch, flow_id) for flow_id in flow_ids])

    def commit(self, batch: Batch) -> frozenset[str]:
        """Write the batch in one transaction; name the flows that were dropped.

        Raises:
            BatchRefused: it holds what cannot be written; nothing was.
            StoreError: the disk is full, away or locked; ask `last_batch` whether it was written, then try again.
        """
        with self._transaction() as link:
            if _epoch_of(link) != batch.epoch:
                return named(batch)
            places, lost = self._places(link, batch)
            kept = without(batch, lost)
            _write(link, kept, places)
        self._ours.update(places)
        for move in kept.moves:
            if move.ended:
                self._ours.pop(move.flow, None)
        return lost

    def last_batch(self, epoch: int) -> int:
        """Return the number of the last batch this epoch committed; 0 if none."""
        if self._link is not None:
            self._refuse_strange_file()
        rows = self._fetch(SQL["last_batch"], {"epoch": epoch})
        return int(rows[0][0]) if rows else 0

    def beat(self, epoch: int, now: int) -> None:
        """Move the end of this epoch's served period to `now` (microseconds)."""
        with self._transaction() as link:
            link.execute(SQL["beat"], {"epoch": epoch, "now": now})

    def latest(self) -> int:
        """Return the latest time known to the store, microseconds; 0 if it is new."""
        return time_of(self._fetch(SQL["latest"], ())) if self.is_made() else 0

    def purge(self, flow_ids: Iterable[str]) -> None:
        """Remove these flows and their facts."""
        rows = [(flow_id,) for flow_id in flow_ids]
        with self._transaction() as link:
            for statement in ("purge_facts", "purge_cargo", "purge_flow"):
                link.executemany(SQL[statement], rows)
        for (flow_id,) in rows:
            self._ours.pop(flow_id, None)

    def removable(self, states: Collection[str], ended_before: int, limit: int) -> list[str]:
        """Return the ids of flows that ended before `ended_before` (microseconds) in these states, oldest first."""
        values = {"before": ended_before, "states": json.dumps(list(states)), "limit": max(limit, 0)}
        rows = self._fetch(SQL["removable"], values)
        return [flow_id for (flow_id,) in rows if isinstance(flow_id, str)]

    def purge_charts(self) -> int:
        """Remove the charts that no flow uses, and return how many they were."""
        with self._transaction() as link:
            return link.execute(SQL["purge_charts"]).rowcount

    def answered(self, inbox: str) -> frozenset[int]:
        """Return the numbers of the letters of this inbox which have an answer."""
        return frozenset(no for (no,) in self._fetch(SQL["answered"], (inbox,)))

    def forget_answers(self, inbox: str, kept: Collection[int], before: int) -> int:
        """Remove answers of this inbox that are older than `before`, but those to `kept`; return how many."""
        values = {"inbox": inbox, "kept": json.dumps(list(kept)), "before": before, "limit": PORTION}
        with self._transaction() as link:
            return link.execute(SQL["forget_answers"], values).rowcount

    def close(self) -> None:
        """Let go of the file, then of the lock; may come twice."""
        super().close()
        self._close_link()
        if self._lock is not None:
            self._lock.release()

    def _begin_epoch(self, name: str, now: int) -> Owner:
        with self._transaction() as link:
            owner_of(link.execute(SQL["owner"]).fetchall())  # nothing is written over what cannot be read
            link.execute(SQL["take_keep_batch"])
            link.execute(SQL["take_owner"], {"name": name, "now": now})
            link.execute(SQL["take_period"], {"now": now})
            (first,) = link.execute(SQL["next_no"]).fetchone()
            owner = owner_of(link.execute(SQL["owner"]).fetchall())
        self._numbers = count(first)
        return owner

    def _places(self, link: sqlite3.Connection, batch: Batch) -> tuple[dict[str, int], frozenset[str]]:
        """Return the numbers of the batch's flows, and those of them which are lost."""
        begun = {row.id for row in batch.flows}
        places: dict[str, int] = {}
        lost: set[str] = set()
        for flow_id in touched(batch):
            place = self._new_place(link, flow_id) if flow_id in begun else self._place(link, flow_id, batch.epoch)
            if place is None:
                lost.add(flow_id)
            else:
                places[flow_id] = place
        return places, frozenset(lost)

    def _new_place(self, link: sqlite3.Connection, flow_id: str) -> int | None:
        taken = link.execute(SQL["flow_owner"], (flow_id,)).fetchone() is not None
        return None if taken else next(self._numbers)

    def _place(self, link: sqlite3.Connection, flow_id: str, epoch: int) -> int | None:
        if (place := self._ours.get(flow_id)) is not None:
            return place
        row = link.execute(SQL["flow_owner"], (flow_id,)).fetchone()
        return row[0] if row is not None and row[1] == epoch else None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        link = self._link
        if link is None:
            raise StoreError(f"the store {self.path} is not being served; take() it first")
        self._refuse_strange_file()
        try:
            link.execute("BEGIN IMMEDIATE")
            yield link
            link.execute("COMMIT")
        except DATA_FAULTS as error:
            raise BatchRefused(f"{self.path} cannot hold what was to be written: {error}; nothing of it was") from error
        except sqlite3.Error as error:
            raise trouble(self.path, error) from error
        finally:
            _roll_back(link)

    def _refuse_strange_file(self) -> None:
        # What is written to a file that has lost its name is lost with this process.
        if (now := place_of(self.path)) != self._served:
            happened = "was removed or renamed" if now is None else "was replaced by another file"
            raise StoreError(
                f"the store {self.path} {happened} while it is being served; put the very file that was served back, "
                "and it goes on; or close this engine. Nothing is written meanwhile"
            )
        if self._lock is None or not self._lock.is_in_place():
            raise StoreError(
                f"{self.path}-lock was removed while the store is being served, so that another engine could serve it, "
                "too; put it back, and it goes on; or close this engine. Nothing is written meanwhile"
            )

    def _close_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()


def _epoch_of(link: sqlite3.Connection) -> int:
    return int(link.execute(SQL["owner"]).fetchone()[1])


def _write(link: sqlite3.Connection, batch: Batch, places: dict[str, int]) -> None:
    rows = [(places[row.id], values_of(row)) for row in batch.flows]
    moves = {move.flow: move for move in batch.moves}
    link.executemany(SQL["insert_chart"], batch.charts.items())
    link.executemany(SQL["insert_flow"], [(*values[:-1], no) for no, values in rows])
    link.executemany(SQL["insert_cargo"], [(no, values[-1]) for no, values in rows])
    link.executemany(SQL["insert_fact"], [(*fact[1:], places[fact[0]]) for fact in batch.facts])
    link.executemany(SQL["move_flow"], [(*move[1:], places[flow_id]) for flow_id, move in moves.items()])
    link.executemany(SQL["insert_answer"], batch.answers)
    link.execute(SQL["count_batch"], (batch.number, latest_of(batch)))


def _roll_back(link: sqlite3.Connection) -> None:
    if link.in_transaction:
        with suppress(sqlite3.Error):
            link.execute("ROLLBACK")

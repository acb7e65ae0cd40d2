"""How does a process die? By its own SIGKILL, at the place which its plan names; of moments its parent sees to it."""

import os
import re
import signal
import sqlite3
import threading
from collections import Counter
from typing import Any

from tests.crash.notes import Notes
from tests.crash.plan import Kill
from vastflow.ledger.contract import Batch, Owner
from vastflow.ledger.sqlite import SQLiteStore

__all__ = ["Death", "MortalStore", "watch_statements"]

_VALUE = re.compile(rb"v\d+\.\d+")


class Death:
    """Counts how often the process comes by a place, and kills it there when its time has come."""

    def __init__(self, kill: Kill) -> None:
        """Know where."""
        self._kill = kill
        self._met: Counter[str] = Counter()
        self._inside = ""
        self._last = ""
        self._mutex = threading.Lock()

    def meet(self, place: str, number: int | None = None) -> None:
        """Come by a place, for the n-th time."""
        if place == self._kill.at:
            with self._mutex:
                self._met[place] += 1
                count = self._met[place] if number is None else number
            if count == self._kill.number:
                self.strike()

    def enter(self, transaction: str) -> None:
        """Let the statements that follow belong to this transaction, for the n-th time."""
        if self._kill.at == f"in {transaction}":
            self._met[transaction] += 1
            self._inside = transaction

    def leave(self) -> None:
        """Let them belong to none."""
        self._inside = ""

    def execute(self, statement: str) -> None:
        """Come by a statement that is about to be executed."""
        words = " ".join(statement.split())
        if words.upper() not in {"COMMIT", "BEGIN IMMEDIATE"}:
            self._last = words
        if self._inside:
            self._pass_inside(words)
        if self._kill.statement and self._is_meant(words):
            self._met["statement"] += 1
            if self._met["statement"] == self._kill.number:
                self.strike()

    def strike(self) -> None:
        """Die."""
        os.kill(os.getpid(), signal.SIGKILL)

    def _pass_inside(self, words: str) -> None:
        """Die in `take` at its n-th statement; in the n-th commit when all is written and nothing of it committed."""
        if self._inside == "take":
            self.meet("in take")
        elif words.upper() == "COMMIT" and self._met["commit"] == self._kill.number:
            self.strike()

    def _is_meant(self, words: str) -> bool:
        after = self._kill.statement.removeprefix("COMMIT after ")
        if after != self._kill.statement:
            return words.upper() == "COMMIT" and self._last.startswith(after)
        return words.startswith(after)


class MortalStore(SQLiteStore):
    """A store whose process may die at a commit, and that notes which facts are kept."""

    def __init__(self, path: str, death: Death, notes: Notes, values: set[str]) -> None:
        """Open nothing yet; `values` are told to be on disk when they are."""
        super().__init__(path)
        self._death = death
        self._notes = notes
        self._values = values

    def take(self, name: str, now: int) -> Owner:
        """Become the owner, and note under which epoch."""
        self._death.meet("before take")
        self._death.enter("take")
        owner = super().take(name, now)
        self._death.leave()
        self._death.meet("after take")
        self._notes.epoch = owner.epoch
        self._notes.write(now, "took", os.getpid())
        return owner

    def commit(self, batch: Batch) -> frozenset[str]:
        """Write the batch, and note what is kept."""
        self._death.meet("before commit")
        self._death.enter("commit")
        lost = super().commit(batch)
        self._death.leave()
        self._death.meet("after commit")
        kept = [fact for fact in batch.facts if fact.flow not in lost]
        if kept:
            self._notes.write(max(fact.at for fact in kept), "kept", [(fact.flow, fact.number) for fact in kept])
            self._values.update(value.decode() for fact in kept for value in _VALUE.findall(fact.payload))
        return lost


def watch_statements(death: Death) -> None:
    """Let death see every statement of every connection that this process opens to write."""
    connect = sqlite3.connect

    def watched(database: str, *args: Any, **options: Any) -> sqlite3.Connection:
        link: sqlite3.Connection = connect(database, *args, **options)
        if "mode=ro" not in database:
            link.set_trace_callback(death.execute)
        return link

    sqlite3.connect = watched  # type: ignore[assignment]  # this process is here to die

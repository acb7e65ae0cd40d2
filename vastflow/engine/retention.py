"""Which flows need not be kept any longer, and how do they go while nobody serves?

Only flows that have ended, and only when somebody asks. While a store is served its ledger removes them; else whoever
asks takes the store for that moment, and runs nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from vastflow.actors.removal import Removal
from vastflow.clock import Clock, SystemClock
from vastflow.course.states import ENDED
from vastflow.drawing.durations import Duration, seconds
from vastflow.errors import StoreError
from vastflow.ledger.contract import PORTION, Store
from vastflow.ledger.inbox import Inbox
from vastflow.ledger.locate import open_store
from vastflow.ledger.sqlite import SQLiteStore

__all__ = ["REMOVED", "countable", "removal_of", "remove", "taken"]

REMOVED = ("success", "cancelled")
"""Flows that ended so are removed if nobody says otherwise: those that failed may yet be retried."""

_NAME = "upkeep"


def removal_of(older_than: Duration, states: Sequence[str], now: int) -> Removal:
    """Return which flows are to be removed at `now` (microseconds).

    Raises:
        ValueError: that is no duration, or flows do not end so.
    """
    named = (states,) if isinstance(states, str) else tuple(states)
    if wrong := [state for state in named if state not in ENDED]:
        message = f"flows in state {wrong[0]!r} cannot be removed: only those that ended: {', '.join(sorted(ENDED))}"
        raise ValueError(message)
    try:
        age = seconds(older_than)
    except ValueError as error:
        message = f"older_than={older_than!r} is not possible: {error}"
        raise ValueError(message) from None
    if age < 0:
        message = f"older_than={older_than!r} is below zero: write how long ago flows must have ended"
        raise ValueError(message)
    told: Any = named  # checked above
    return Removal(told, now - round(age * 1_000_000) + 1)  # what ended just then, too


def countable(store: Store, removal: Removal, limit: int) -> int:
    """Return how many flows would be removed now, `limit` at most."""
    return len(store.removable(removal.states, removal.before, limit))


@contextmanager
def taken(url: str, clock: Clock | None = None) -> Iterator[Store]:
    """Lend a store that nobody serves, taken for this moment: nobody else can serve it, and no flow runs.

    Raises:
        StoreServed: somebody serves it.
        StoreError: it is not there, or cannot be written.
    """
    store = open_store(url)
    try:
        if not isinstance(store, SQLiteStore):
            raise StoreError("a store in memory is only known to the engine that made it; use a sqlite:/// store")
        store.check()  # nothing is made where there is nothing
        store.take(_NAME, max((clock or SystemClock()).now(), store.latest()))
        yield store
    finally:
        store.close()


def remove(store: Store, removal: Removal) -> int:
    """Remove these flows from a store that is taken for this, and return how many they were.

    Flows that something is asked of in the inbox stay.
    """
    kept = _asked_about(store.path) if isinstance(store, SQLiteStore) else frozenset[str]()
    removed, portion = 0, [""]
    while portion:
        found = store.removable(removal.states, removal.before, PORTION + len(kept))
        portion = [flow_id for flow_id in found if flow_id not in kept][:PORTION]
        store.purge(portion)
        removed += len(portion)
    store.purge_charts()
    return removed


def _asked_about(path: str) -> frozenset[str]:
    with closing(Inbox(path)) as inbox:
        return inbox.asked_about()

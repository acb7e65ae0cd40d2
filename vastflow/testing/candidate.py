"""Which store is being examined, and how is the next engine's view of it had?"""

from vastflow.ledger.contract import Owner, Store
from vastflow.testing.samples import MORNING

__all__ = ["Candidate"]


class Candidate:
    """A store being examined: subclasses say how it is made and reopened."""

    opened: list[Store]

    def setup_method(self) -> None:
        """Begin without any store; pytest calls this before each test."""
        self.opened = []

    def teardown_method(self) -> None:
        """Close what was opened; pytest calls this after each test."""
        for store in self.opened:
            store.close()

    def make(self) -> Store:
        """Return a new, empty store."""
        raise NotImplementedError

    def reopen(self, store: Store) -> Store:
        """Return the same store as the next engine finds it, after this one is gone."""
        raise NotImplementedError

    def new(self) -> tuple[Store, Owner]:
        """Return a new store and its first owner."""
        store = self.make()
        self.opened.append(store)
        return store, store.take("engine", MORNING)

    def next(self, store: Store, now: int = MORNING) -> tuple[Store, Owner]:
        """Return the store as the next engine finds it, and that engine as its owner."""
        again = self.reopen(store)
        self.opened.append(again)
        return again, again.take("next-engine", now)

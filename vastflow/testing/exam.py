"""What must every store pass?

Subclass `StoreExam` in a test module under a name that begins with `Test`, say how a store is made and how it is
reopened, and pytest finds all the rest.
"""

from vastflow.testing.answers import Answers
from vastflow.testing.commits import Commits
from vastflow.testing.lists import Lists
from vastflow.testing.owners import Owners
from vastflow.testing.retention import Retention

__all__ = ["StoreExam"]


class StoreExam(Answers, Commits, Lists, Owners, Retention):
    """Every sentence of `vastflow.ledger.contract`, as a test."""

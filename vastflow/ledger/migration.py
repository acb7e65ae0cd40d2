"""How does a store of an earlier form become one of today's?

By the steps in `sqlite.sql`, in one transaction that also moves its version. So a process that dies on the way leaves
the earlier form whole, and no copy is needed first. Only whoever serves a store does this.
"""

import sqlite3

from vastflow.errors import StoreError
from vastflow.ledger.query import SQL

__all__ = ["VERSION", "migrate", "print_sql", "steps"]

VERSION = 2
"""The form that this release writes; it reads all earlier ones."""

_HEAD = """\
-- A vastflow store of form {} becomes one of form {}. An engine does the same by itself when it serves the store.
-- Run this only while nobody does.
"""


def steps(first: int, last: int) -> list[str]:
    """Return the statements that lead from one form to a later one; from 0, which is an empty file, too.

    Raises:
        StoreError: there is no such way.
    """
    if not 0 <= first <= last <= VERSION:
        raise StoreError(
            f"there is no way from form {first} to form {last}: this release knows 1 to {VERSION}, and no form leads "
            "back; to go back, restore the copy that was made before"
        )
    prefixes = [_prefix(form) for form in range(first + 1, last + 1)]
    return [SQL[name] for prefix in prefixes for name in SQL if name.startswith(prefix)]


def print_sql(first: int, last: int = VERSION) -> str:
    """Return the way as text, for people who want to see it, or to go it with the `sqlite3` program.

    Raises:
        StoreError: there is no such way.
    """
    statements = "".join(f"{statement};\n" for statement in steps(first, last))
    return f"{_HEAD.format(first, last)}BEGIN IMMEDIATE;\n{statements}COMMIT;\n"


def migrate(link: sqlite3.Connection, version: int) -> None:
    """Lead a store of this form (0: an empty file) to today's, in one transaction; today's is left as it is."""
    if version == VERSION:
        return
    link.execute("BEGIN IMMEDIATE")
    for statement in steps(version, VERSION):
        link.execute(statement)
    link.execute("COMMIT")


def _prefix(form: int) -> str:
    return "make_" if form == 1 else f"up_{form}_"

"""How is a store copied while it is served?

As it stands at one moment, by SQLite's own online copying, from a connection that only reads. Commits go on meanwhile;
only the WAL is not emptied until the copy is done.
"""

import os
import sqlite3
import uuid
from contextlib import closing, suppress
from pathlib import Path

from vastflow.errors import StoreError
from vastflow.ledger.connection import connect, make_private
from vastflow.ledger.query import SQL

__all__ = ["copy_store"]

# So many pages at a time, between which Ctrl-C is heard.
_PAGES = 1000


def copy_store(link: sqlite3.Connection, path: str) -> None:
    """Copy the store of this connection into a new file, mode 0600, which is there whole or not at all.

    Raises:
        StoreError: there is a file of that name already, or it cannot be written.
    """
    target = Path(path).absolute()
    _refuse_existing(target)
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        _write(link, part)
        _refuse_existing(target)
        part.replace(target)
        _sync(target.parent)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"the copy {target} could not be made: {error}; the store itself is as it was") from error
    finally:
        for left in (part, Path(f"{part}-journal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _write(link: sqlite3.Connection, part: Path) -> None:
    make_private(str(part))
    # In one transaction: otherwise each commit of the server would make the copying begin anew.
    link.execute("BEGIN")
    try:
        link.execute(SQL["form"]).fetchone()  # only reading begins it
        with closing(connect(str(part), "mode=rw")) as copy:
            link.backup(copy, pages=_PAGES, progress=_listen)
    finally:
        link.execute("ROLLBACK")
    _sync(part)


def _listen(_status: int, _remaining: int, _total: int) -> None:
    """Do nothing: that Python code runs between two portions is what lets an interrupt through."""


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise StoreError(f"{target} is there already, and a copy never replaces anything; name a new file")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

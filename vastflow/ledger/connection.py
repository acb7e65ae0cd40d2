"""How is a SQLite file opened?

To write: once, by whoever holds the serving lock. To read: with `mode=ro`, so that nobody else ever writes or
checkpoints (SQLite up to 3.51.2 can break a WAL that two connections write or checkpoint at once).
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from vastflow.errors import StoreError, StoreTooNew
from vastflow.ledger.migration import VERSION, migrate
from vastflow.ledger.mount import network_type
from vastflow.ledger.query import SQL
from vastflow.ledger.row import decoded

# fmt: off
__all__ = [
    "APPLICATION",
    "DATA_FAULTS",
    "SYNCHRONOUS",
    "connect",
    "is_unmade",
    "make_private",
    "open_to_read",
    "open_to_write",
    "primary",
    "refuse_place",
    "trouble",
]
# fmt: on

APPLICATION = 1447447639

# SQLite's own names say nothing about what is at stake; these do.
SYNCHRONOUS = {
    "FULL": "PRAGMA synchronous = FULL",
    "power-loss-loses-the-last-commits": "PRAGMA synchronous = NORMAL",
    "power-loss-may-break-the-file": "PRAGMA synchronous = OFF",
}

# What SQLite or Python's binding of it says about the values, not about the disk.
DATA_FAULTS = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    UnicodeError,
)

_PATIENCE = 5.0
_NO_WRITING = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def refuse_place(path: str) -> None:
    """Refuse a folder in which no store can be served.

    Raises:
        StoreError: it is not there, or on another machine.
    """
    folder = Path(path).parent
    if not folder.is_dir():
        raise StoreError(f"the folder {folder} of the store {path} is not there; make it, or correct the store's URL")
    if (kind := network_type(path)) is not None:
        raise StoreError(
            f"the store {path} lies on a network file system ({kind}), where SQLite loses data; put it on a local disk"
        )


def open_to_write(path: str, synchronous: str) -> sqlite3.Connection:
    """Return the one connection that writes; whoever calls this holds the serving lock.

    Raises:
        StoreError: the file is no store of ours, or cannot be one.
        StoreTooNew: it was written by a newer release.
        sqlite3.Error: anything else.
    """
    make_private(path)
    with _closed_on_error(connect(path, "mode=rw")) as link:
        version = _version_of(link, path)
        if link.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise StoreError(f"the file system of {path} cannot hold a SQLite WAL; put the store on a local disk")
        link.execute(SYNCHRONOUS[synchronous])
        migrate(link, version)
    return link


def open_to_read(path: str) -> tuple[sqlite3.Connection, bool]:
    """Return a connection that can only read, and whether it may be kept for later reads.

    Raises:
        StoreError: there is no store, or it is not ours.
        StoreTooNew: it was written by a newer release.
        sqlite3.Error: anything else.
    """
    if not Path(path).exists():
        raise _no_store(path)
    try:
        return _open_to_read(path, "mode=ro"), True
    except sqlite3.OperationalError as error:
        # A reader, too, needs the -shm file beside the store, and here it may not make one.
        if primary(error) not in _NO_WRITING or _may_write(Path(path).parent):
            raise
        _refuse_hot(path, error)
    # Nobody can be writing, so all there is stands in the file. Not kept: some day somebody may.
    return _open_to_read(path, "mode=ro&immutable=1"), False


def is_unmade(path: str) -> bool:
    """Say whether a file is an empty one still: its maker has not come so far, or has died before."""
    try:
        with closing(connect(path, "mode=ro")) as link:
            return _version_of(link, path) == 0
    except (sqlite3.Error, StoreError):
        return False


def trouble(path: str, error: Exception) -> StoreError:
    """Return what SQLite's error means to us."""
    if isinstance(error, sqlite3.Error) and primary(error) == sqlite3.SQLITE_NOTADB:
        return StoreError(
            f"{path} is not a vastflow store, but a file of another kind; nothing in it was changed; name another store"
        )
    if isinstance(error, sqlite3.Error) and primary(error) == sqlite3.SQLITE_CORRUPT:
        return StoreError(f"the store {path} is damaged ({error}); keep the file, and restore it from a copy")
    if isinstance(error, sqlite3.Error) and primary(error) == sqlite3.SQLITE_ERROR:
        return StoreError(f"{path} has not the form of a store ({error}): something else changed it: restore a copy")
    said = f"another program keeps it locked (`fuser {path}` names it)" if _is_busy(error) else error
    return StoreError(f"the store {path} cannot be used now: {said}; nothing of it is lost")


def _is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) and primary(error) == sqlite3.SQLITE_BUSY


def connect(path: str, mode: str, patience: float = _PATIENCE) -> sqlite3.Connection:
    """Return a connection to a file that is there, which waits `patience` seconds for others at each statement."""
    link = sqlite3.connect(
        f"{Path(path).as_uri()}?{mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=patience
    )
    link.text_factory = decoded
    return link


def _open_to_read(path: str, mode: str) -> sqlite3.Connection:
    with _closed_on_error(connect(path, mode)) as link:
        if _version_of(link, path) == 0:
            raise _no_store(path)
    return link


@contextmanager
def _closed_on_error(link: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield link
    except BaseException:
        link.close()
        raise


def _version_of(link: sqlite3.Connection, path: str) -> int:
    try:
        application, version, tables = link.execute(SQL["form"]).fetchone()
    except UnicodeDecodeError as error:  # SQLite says which name in its schema is broken, and the name is no text
        raise StoreError(
            f"the store {path} is damaged (its schema); keep the file, and restore it from a copy"
        ) from error
    if (application, version, tables) == (0, 0, 0):
        return 0
    if application != APPLICATION:
        raise StoreError(
            f"{path} is a SQLite file of another program, not a vastflow store; nothing in it was changed; name "
            "another store"
        )
    if version > VERSION:
        raise StoreTooNew(
            f"the store {path} has form {version}, and this release of vastflow reads up to {VERSION}: install a newer "
            "one; nothing in it was changed"
        )
    if version < 1:
        raise StoreError(f"the store {path} says that it has form {version}, which never was: restore it from a copy")
    return int(version)


def make_private(path: str) -> None:
    """Make an empty file that only its owner may read; one that is there is left as it is.

    Raises:
        StoreError: it cannot be made.
    """
    # SQLite would make the file with the mode the umask leaves; -wal and -shm it makes with the file's.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"{path} cannot be made: {error.strerror}") from error


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _refuse_hot(path: str, error: Exception) -> None:
    wal = Path(f"{path}-wal")
    if wal.exists() and wal.stat().st_size:
        raise StoreError(
            f"the last commits of {path} stand in {wal.name}, and reading them needs to make {Path(path).name}-shm "
            "beside it, which is not allowed here; copy both files to a folder you may write to, and read there"
        ) from error


def _no_store(path: str) -> StoreError:
    return StoreError(
        f"there is no store at {path}; one is made when an engine first serves it: Engine('sqlite:///...'), or "
        "VASTFLOW_STORE and andes.start()"
    )


def primary(error: sqlite3.Error) -> int:
    """Return the kind of an error of SQLite: one of `sqlite3.SQLITE_BUSY` and its kin; 0 if it is not SQLite's."""
    # The low byte is the kind of error, the rest says more about it. Errors of Python's own have none.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF

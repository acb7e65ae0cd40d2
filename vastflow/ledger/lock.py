"""Who serves an embedded store?

Whoever holds the record lock on its side file. The lock belongs to the process and dies with it, so no crash leaves
it behind; the pid in the file is there for messages only. Closing any handle of the file would drop the lock, so a
process opens it once: that is what the table by device and inode is for.
"""

import errno
import os
import struct
import sys
import threading

from vastflow.errors import StoreError, StoreServed
from vastflow.ledger.place import Place, identity, place_of

__all__ = ["ServingLock", "holder"]

_REFUSED = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_PID_BYTES = 32

_mutex = threading.Lock()
_held: dict[Place | None, int] = {}

if sys.platform == "win32":
    import msvcrt

    # Windows forbids others to read what is locked; so the lock lies far behind the pid.
    _FAR = 1 << 30

    def _lock(handle: int) -> None:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)

    def _is_locked(handle: int) -> bool:
        try:
            _lock(handle)
        except OSError:
            return True
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
        return False

else:
    import fcntl

    # Python has no name for the C structure `flock`: type, from where, start, length, pid; elsewhere in another order.
    _FLOCK = struct.Struct("hhqqi" if sys.platform == "linux" else "qqihh")
    _TYPE = 0 if sys.platform == "linux" else 3

    def _lock(handle: int) -> None:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _is_locked(handle: int) -> bool:
        # Only asked: a lock taken for a moment would refuse whoever wants to serve at that moment.
        wanted = [0] * 5
        wanted[_TYPE] = fcntl.F_WRLCK
        found = _FLOCK.unpack(fcntl.fcntl(handle, fcntl.F_GETLK, _FLOCK.pack(*wanted)))
        return bool(found[_TYPE] != fcntl.F_UNLCK)


if hasattr(os, "register_at_fork"):
    # A fork inherits the table but not the lock.
    os.register_at_fork(after_in_child=_held.clear)


class ServingLock:
    """The right to serve one store, held until `release()` or the end of the process."""

    def __init__(self, store: str) -> None:
        """Take it.

        Args:
            store: path of the store; the lock is on the file `<store>-lock` beside it.

        Raises:
            StoreServed: somebody has it.
            StoreError: the side file cannot be made or locked.
        """
        self._path = _side(store)
        with _mutex:
            self._key: Place | None = _take(store)

    def is_in_place(self) -> bool:
        """Say whether the side file is still the one that is locked; if not, somebody else could lock the new one."""
        return self._key is not None and place_of(self._path) == self._key

    def release(self) -> None:
        """Give it back; may come twice."""
        with _mutex:
            key, self._key = self._key, None
            if key in _held:
                os.close(_held.pop(key))


def holder(store: str) -> int | None:
    """Return the pid of the process that serves the store; 0 if it did not say, None if nobody does.

    Raises:
        StoreError: the side file cannot be read.
    """
    path = _side(os.path.realpath(store))
    with _mutex:
        # As above: closing a second handle would drop our own lock.
        if (place := place_of(path)) in _held or place is None:
            return os.getpid() if place is not None else None
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise StoreError(f"cannot see who serves {store}: {path}: {error.strerror}") from error
        try:
            return int(_read_pid(handle) or 0) if _is_locked(handle) else None
        finally:
            os.close(handle)


def _side(store: str) -> str:
    return f"{store}-lock"


def _take(store: str) -> Place:
    path = _side(store)
    # Before it is opened, under whatever name: closing a second handle would drop the lock.
    _refuse_own(store, place_of(path))
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"cannot open {path}, without which {store} is not served: {error.strerror}") from error
    _lock_or_close(store, handle)
    key = identity(os.fstat(handle))
    _held[key] = handle
    _write_pid(handle)
    return key


def _lock_or_close(store: str, handle: int) -> None:
    try:
        _lock(handle)
    except OSError as error:
        pid = _read_pid(handle)
        os.close(handle)
        if error.errno in _REFUSED:
            raise _served(store, f"process {pid}" if pid else "another process") from error
        raise StoreError(f"cannot lock {store}-lock: {error.strerror}; keep the store on a local disk") from error


def _refuse_own(store: str, key: Place | None) -> None:
    if key in _held:
        raise _served(store, f"another engine of this process ({os.getpid()})")


def _served(store: str, by: str) -> StoreServed:
    return StoreServed(
        f"{store} is served by {by}, and one engine serves a store at a time; use that engine, or close it and try "
        "again. Reading goes on meanwhile: `vastflow list`, `vastflow show`"
    )


def _read_pid(handle: int) -> str:
    os.lseek(handle, 0, os.SEEK_SET)
    text = os.read(handle, _PID_BYTES).decode("ascii", "replace").strip()
    return text if text.isdigit() else ""


def _write_pid(handle: int) -> None:
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, f"{os.getpid()}\n".encode())

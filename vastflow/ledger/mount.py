"""Does a file lie on another machine?

SQLite's WAL needs memory shared by all who open the file, and its locks need one kernel that knows them all. Network
file systems have neither, whatever they say, and a store on one is lost sooner or later.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["network_type", "type_of"]

# fmt: off
_NETWORK = frozenset((
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "fuse.cephfs", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs",
    "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "orangefs",
    "smb3", "smbfs",
))
# fmt: on
_ESCAPED = re.compile(r"\\([0-7]{3})")
_MOUNTS = Path("/proc/mounts")


def network_type(path: str) -> str | None:
    """Return the type of the network file system that holds the path; None if it is local, or nobody can tell."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    kind = type_of(path, mounts)
    return kind if kind in _NETWORK else None


def type_of(path: str, mounts: Iterable[str]) -> str | None:
    """Return the type of the file system that holds the path.

    Args:
        path: absolute, without symbolic links.
        mounts: lines as in `/proc/mounts`.
    """
    best, kind = "", None
    for line in mounts:
        _, point, mounted, *_ = line.split(" ")
        place = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), point)
        # A later mount hides an earlier one on the same place.
        if _holds(place, path) and len(place) >= len(best):
            best, kind = place, mounted
    return kind


def _holds(place: str, path: str) -> bool:
    return path == place or path.startswith(place.rstrip(os.sep) + os.sep)

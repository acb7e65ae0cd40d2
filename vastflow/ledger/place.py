"""Is it still the same file?

A path is a name, and names change hands: a file is known by its device and inode, which nobody else gets while it is
open.
"""

import os

__all__ = ["Place", "identity", "place_of"]

Place = tuple[int, int]
"""A file, by device and inode."""


def place_of(path: str) -> Place | None:
    """Return which file lies at the path; None if there is none."""
    try:
        return identity(os.stat(path))  # noqa: PTH116 - asked at each commit, and a Path costs more than the question
    except OSError:
        return None


def identity(found: os.stat_result) -> Place:
    """Return which file was found."""
    return (found.st_dev, found.st_ino)

"""What was really done? A file beside the store, to which every process adds lines that no kill takes away.

Each line is one write to a file opened with O_APPEND, and is synchronised: lines of many threads and processes stand
whole, in one order, which is the order of what they tell.
"""

import itertools
import json
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Line", "Notes", "read"]


class Line(NamedTuple):
    """One line: its place, the epoch of the server that wrote it, when (microseconds), what, and more about it."""

    order: int
    epoch: int
    at: int
    what: str
    told: list[Any]


class Notes:
    """The end of the file, to which one process writes.

    Attributes:
        epoch: under which this process serves; 0 before it does.
    """

    def __init__(self, path: str) -> None:
        """Open it."""
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._grown = threading.Condition()
        self._numbers = itertools.count(1)
        self.epoch = 0
        self.lines = 0

    def number(self) -> int:
        """Return a number that no other process that serves this store gives."""
        return self.epoch * 10_000_000 + next(self._numbers)

    def write(self, at: int, what: str, *told: object) -> int:
        """Add a line; it is there when this returns. Return how many this process has added."""
        os.write(self._file, (json.dumps([self.epoch, at, what, told]) + "\n").encode())
        os.fsync(self._file)
        with self._grown:
            self.lines += 1
            self._grown.notify_all()
            return self.lines

    @property
    def size(self) -> int:
        """Return how long the file is by now, whoever added to it."""
        return os.fstat(self._file).st_size

    def wait_for(self, lines: int, timeout: float) -> None:
        """Wait until so many lines were added by this process, for so many seconds at most."""
        with self._grown:
            self._grown.wait_for(lambda: self.lines >= lines, timeout)


def read(path: Path) -> Iterator[Line]:
    """Return all lines, in order."""
    for order, line in enumerate(_whole(path.read_text().splitlines()), 1):
        epoch, at, what, told = json.loads(line)
        yield Line(order, epoch, at, what, told)


def _whole(lines: Iterable[str]) -> Iterator[str]:
    return (line for line in lines if line)

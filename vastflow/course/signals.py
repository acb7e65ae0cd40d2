"""Which signals has a flow got, and who wants them?"""

from typing import NamedTuple

import msgspec

from vastflow.course.records import RiverRecord

__all__ = ["Signal", "Signals"]


class Signal(NamedTuple):
    """A signal that nobody has taken: the number of the fact that brought it, and its encoded value."""

    number: int
    value: msgspec.Raw


class Signals:
    """The signals of one flow.

    Attributes:
        waiting: which nobody has taken, by name, oldest first.
        heard: the ids of all that came with one.
        listeners: the river that polls and wants a name.
    """

    __slots__ = ("heard", "listeners", "waiting")

    def __init__(self) -> None:
        """Have none."""
        self.waiting: dict[str, list[Signal]] = {}
        self.heard: set[str] = set()
        self.listeners: dict[str, RiverRecord] = {}

    def add(self, name: str, signal: Signal) -> RiverRecord | None:
        """Keep a signal, and return the river that waits for it, if one does."""
        self.waiting.setdefault(name, []).append(signal)
        return self.listeners.get(name)

    def take(self, names: tuple[str, ...], numbers: set[int]) -> None:
        """Keep these no longer."""
        for name in names:
            left = [each for each in self.waiting.get(name, ()) if each.number not in numbers]
            if left:
                self.waiting[name] = left
            else:
                self.waiting.pop(name, None)

    def last(self, names: tuple[str, ...]) -> int:
        """Return the number of the last signal that waits under these names; 0 if none does."""
        return max((self.waiting[name][-1].number for name in names if name in self.waiting), default=0)

    def listen(self, river: RiverRecord) -> None:
        """Let a river that begins to poll be told."""
        for name in river.anchor.signals:
            self.listeners[name] = river

    def forget(self, river: RiverRecord) -> None:
        """Tell a river no longer."""
        for name in river.anchor.signals:
            if self.listeners.get(name) is river:
                del self.listeners[name]

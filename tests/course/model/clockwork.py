"""How does the model reckon with time, and who goes on next?"""

import math
from collections.abc import Callable, Generator
from typing import Any, TypeVar

__all__ = ["Clockwork", "Due", "Process", "Tie", "micro", "when"]

T = TypeVar("T")
Due = Callable[[], float]
Process = Generator[Due, None, T]


class Tie(Exception):
    """The case leaves open what comes first: two things happen at one instant, and their order would matter."""


class Clockwork:
    """Processes in virtual time: whoever is due goes on; if nobody is, time jumps to the first who will be."""

    def __init__(self) -> None:
        self.now = 0
        self.processes: dict[Process[Any], Due] = {}

    def spawn(self, process: Process[Any]) -> None:
        """Begin a process, now, after all that were begun before."""
        self.processes[process] = lambda: -1

    def run(self, last: Process[Any]) -> None:
        """Go on until this process ends."""
        self.spawn(last)
        while last in self.processes:
            dues = {process: due() for process, due in self.processes.items()}
            soonest = min(dues.values())
            if soonest > self.now:
                if soonest == math.inf or list(dues.values()).count(soonest) > 1:
                    raise Tie(soonest)
                self.now = int(soonest)
            process = next(process for process, due in dues.items() if due <= self.now)
            try:
                self.processes[process] = next(process)
            except StopIteration:
                del self.processes[process]

    def first(self, **moments: float | Due) -> Process[str]:
        """Wait until the first of these moments, and return its name; of those that are over, the first named."""

        def dues() -> dict[str, float]:
            return {name: moment() if callable(moment) else moment for name, moment in moments.items()}

        yield lambda: min(dues().values())
        over = {name: moment for name, moment in dues().items() if moment <= self.now}
        if list(over.values()).count(self.now) > 1:
            raise Tie(self.now)
        return next(iter(over))


def micro(seconds: float) -> int:
    """Return microseconds."""
    return round(seconds * 1_000_000)


def when(condition: bool) -> float:  # noqa: FBT001 - that is all it is told
    """Return the moment of a condition: long ago if it holds, never if it does not."""
    return -1 if condition else math.inf

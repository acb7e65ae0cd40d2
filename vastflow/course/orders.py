"""What is to be done once the facts of a step are written?

Orders are imperative; each carries a ticket, and only the current ticket's answer counts.
"""

from dataclasses import dataclass
from typing import Literal

from vastflow.course.progress import BasinRecord, MouthRecord, RiverRecord

__all__ = ["Body", "Cross", "Do", "Order", "Stop", "Wait"]

Body = Literal["flow", "cycle", "success", "fail"]


@dataclass(frozen=True, slots=True)
class Do:
    """Call a body."""

    record: RiverRecord | MouthRecord
    body: Body
    ticket: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Say so when `due` (microseconds) has come."""

    record: RiverRecord | MouthRecord
    due: int
    ticket: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Ask a body that is out to stop, and say so if it has not when `due` (microseconds) has come."""

    record: RiverRecord
    due: int
    ticket: int


@dataclass(frozen=True, slots=True)
class Cross:
    """Carry water over a basin's border."""

    record: BasinRecord
    way: Literal["in", "out"]
    ticket: int


Order = Do | Wait | Stop | Cross

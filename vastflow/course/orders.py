"""What is to be done once the facts of a step are written?

Orders are imperative; each carries a ticket, and only the current ticket's answer counts.
"""

from typing import Literal

import msgspec

from vastflow.course.progress import BasinRecord, MouthRecord, RiverRecord

__all__ = ["Body", "Cross", "Do", "Order", "Stop", "Wait"]

Body = Literal["flow", "cycle", "success", "fail"]


class Do(msgspec.Struct, frozen=True):
    """Call a body."""

    record: RiverRecord | MouthRecord
    body: Body
    ticket: int


class Wait(msgspec.Struct, frozen=True):
    """Say so when `due` (microseconds) has come."""

    record: RiverRecord | MouthRecord
    due: int
    ticket: int


class Stop(msgspec.Struct, frozen=True):
    """Ask a body that is out to stop, and say so if it has not when `due` (microseconds) has come."""

    record: RiverRecord
    due: int
    ticket: int


class Cross(msgspec.Struct, frozen=True):
    """Carry water over a basin's border."""

    record: BasinRecord
    way: Literal["in", "out"]
    ticket: int


Order = Do | Wait | Stop | Cross

"""What is to be done once the facts of a step are written?

Orders are imperative; each carries a ticket, and only the current ticket's answer counts.
"""

from typing import Literal

import msgspec

from vastflow.course.facts import Body
from vastflow.course.records import BasinRecord, MouthRecord, RiverRecord

__all__ = ["Alarm", "Cross", "Do", "Go", "Order", "Recall", "Stop", "Wait"]


class Do(msgspec.Struct, gc=False, frozen=True):
    """Call a body.

    Attributes:
        gated: its begin must be on disk, once a thread is free and before it runs.
        alone: no other forward body may run beside it.
    """

    record: RiverRecord | MouthRecord
    body: Body
    ticket: int
    gated: bool = False
    alone: bool = False


class Go(msgspec.Struct, gc=False, frozen=True):
    """Let a gated body run: its begin is on disk."""

    record: RiverRecord | MouthRecord
    ticket: int


class Wait(msgspec.Struct, gc=False, frozen=True):
    """Say so when `due` (microseconds) has come."""

    record: RiverRecord | BasinRecord | MouthRecord
    due: int
    ticket: int


class Alarm(msgspec.Struct, gc=False, frozen=True):
    """Say so when a river's deadline, or its undo's, has come: `due`, microseconds."""

    record: RiverRecord
    due: int
    ticket: int


class Recall(msgspec.Struct, gc=False, frozen=True):
    """Take a body back that has not begun."""

    record: RiverRecord | MouthRecord
    ticket: int


class Stop(msgspec.Struct, gc=False, frozen=True):
    """Ask a body that is out to stop, and say so if it has not when `due` (microseconds; 0: never) has come."""

    record: RiverRecord
    due: int
    ticket: int


class Cross(msgspec.Struct, gc=False, frozen=True):
    """Carry water over a basin's border."""

    record: BasinRecord
    way: Literal["in", "out"]
    ticket: int


Order = Do | Go | Wait | Alarm | Recall | Stop | Cross

"""What does its supervisor keep of a flow that is under way?

One slotted record; long-lived actors pass it along in their messages, so that nobody looks anything up.
"""

from collections.abc import Mapping

import msgspec

from vastflow.course.progress import Progress
from vastflow.drawing import Atlantic, River
from vastflow.drawing.chart import Cargo
from vastflow.drawing.laying import Bound
from vastflow.ledger.contract import FlowRow
from vastflow.runtime import Ref, Timer

__all__ = ["FlowRecord"]


class FlowRecord:
    """A flow under way.

    Attributes:
        id: the user's.
        name: of its Andes.
        progress: how far it has come; changed by its supervisor only.
        bound: its chart with the classes it names.
        streams: by address, with parameters; the Atlantic under `~`.
        supervisor: who is told what becomes of it.
        added: what each basin adds to its water, by address.
        timers: waits that are out, by ticket.
        stranded: why it cannot go on; empty while it can.
        flags: the flags of its row, JSON.
        refused: one of its facts could not be written, so that none may follow; the ledger's own.
        finished: its end is on disk, so that whoever holds the record need not read it again.
    """

    __slots__ = (
        "added",
        "bound",
        "finished",
        "flags",
        "id",
        "name",
        "progress",
        "refused",
        "stranded",
        "streams",
        "supervisor",
        "timers",
    )

    def __init__(self, row: FlowRow, cargo: Cargo, progress: Progress, bound: Bound, supervisor: Ref) -> None:
        """Keep what was found at its start or in the store."""
        self.id = row.id
        self.name = row.name
        self.progress = progress
        self.bound = bound
        self.streams: Mapping[str, River | Atlantic] = bound.streams(cargo)
        self.supervisor = supervisor
        self.added: Mapping[str, Mapping[str, msgspec.Raw]] = cargo.parameters
        self.timers: dict[int, Timer] = {}
        self.stranded = ""
        self.flags = b"[]"
        self.refused = False
        self.finished = False

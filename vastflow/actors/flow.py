"""What does its supervisor keep of a flow that is under way?

One slotted record; long-lived actors pass it along in their messages, so that nobody looks anything up.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from vastflow.course.progress import Progress
from vastflow.drawing import Atlantic, River
from vastflow.drawing.chart import Cargo
from vastflow.drawing.laying import Bound
from vastflow.ledger.contract import FlowRow
from vastflow.runtime import Ref, Timer

__all__ = ["FlowRecord", "Keeper"]


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
        waits: the wait that is out, by address, and its ticket.
        alarms: deadlines that are watched, by address; the flow's own under the empty one.
        limits: timeouts of bodies, by ticket.
        graces: bodies that were asked to stop, by ticket, and the timer of their grace if it has begun.
        stranded: why it cannot go on; empty while it can.
        shown: state, outcome, why it is stranded and flags, as its row says them.
        not_before: microseconds; 0 if it may begin at once.
        foreign: it had ended under an earlier owner, and must be made this one's before anything of it is written.
        refused: one of its facts could not be written, so that none may follow; the ledger's own.
        finished: its end is on disk, so that whoever holds the record need not read it again.
    """

    __slots__ = (
        "added",
        "alarms",
        "bound",
        "finished",
        "foreign",
        "graces",
        "id",
        "limits",
        "name",
        "not_before",
        "progress",
        "refused",
        "shown",
        "stranded",
        "streams",
        "supervisor",
        "waits",
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
        self.waits: dict[str, tuple[int, Timer]] = {}
        self.alarms: dict[str, Timer] = {}
        self.limits: dict[int, Timer] = {}
        self.graces: dict[int, Timer | None] = {}
        self.stranded = ""
        self.shown: tuple[str, str, str, bytes] = (row.state, row.outcome, row.stranded, row.flags)
        self.not_before = row.not_before
        self.foreign = False
        self.refused = False
        self.finished = False

    def renew(self) -> None:
        """Let the streams have the attributes that hold by now."""
        cargo = Cargo(parameters=dict(self.added), anchors=dict(self.progress.anchors))  # type: ignore[arg-type]  # as it was read
        self.streams = self.bound.streams(cargo)
        self.finished = False

    def drop_timers(self) -> None:
        """Wait for nothing any more: a wait that is still out, an hour long perhaps, would keep all of this."""
        if not (self.waits or self.alarms or self.limits or self.graces):
            return  # as mostly
        for _, wait in self.waits.values():
            wait.cancel()
        timers: list[Timer | None] = [*self.alarms.values(), *self.limits.values(), *self.graces.values()]
        for timer in timers:
            if timer is not None:
                timer.cancel()
        for known in (self.waits, self.alarms, self.limits, self.graces):
            known.clear()

    def drop_timers_of(self, ticket: int) -> None:
        """Let no timeout and no grace of this body run any more."""
        for timer in (self.limits.pop(ticket, None), self.graces.pop(ticket, None)):
            if timer is not None:
                timer.cancel()


class Keeper(Protocol):
    """Who knows of all flows, under way or not."""

    def load(self, flow_id: str) -> "tuple[FlowRecord, Sequence[tuple[int, int]]]":
        """Return a flow that is not under way, and when it was served: (began, ended), microseconds."""

    def reopen(self, flow: FlowRecord) -> None:
        """A flow that had ended has a new round."""

    def finish(self, flow: FlowRecord) -> None:
        """A flow has ended, or was stranded."""

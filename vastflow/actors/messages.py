"""What do actors say to each other?

All of it, on one page. Orders are imperative, facts are past; actors tell, they never ask. A message is about the flow
it carries, so that a message whose handling raises strands that flow and no other.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Literal

import msgspec

from vastflow.actors.flow import FlowRecord
from vastflow.actors.letters import Slip
from vastflow.course import commands, events
from vastflow.course.command import Ruling
from vastflow.course.delta import Sheet
from vastflow.course.facts import Body, Delta
from vastflow.course.orders import Order
from vastflow.course.picture import FlowPicture
from vastflow.drawing.chart import BasinPlace
from vastflow.errors import Failure
from vastflow.ledger.contract import Answer, FactRow, FlowRow, Move
from vastflow.runtime import Lane, Ref
from vastflow.why.live import Situation

__all__ = [
    "Abandon",
    "Adopt",
    "AlarmOver",
    "Answered",
    "Beat",
    "Begin",
    "Call",
    "Cancel",
    "Cancelling",
    "Command",
    "Crossed",
    "Due",
    "Enter",
    "Escaped",
    "Failing",
    "FlowDeadlineOver",
    "Flush",
    "Forget",
    "Go",
    "GraceOver",
    "Leave",
    "Look",
    "Poll",
    "Probe",
    "Probed",
    "Promise",
    "Purge",
    "Purged",
    "Queued",
    "Ready",
    "Recall",
    "Refused",
    "Reported",
    "Returned",
    "Running",
    "Save",
    "Settle",
    "Spring",
    "Strand",
    "Taken",
    "Ticketed",
    "TimeOver",
    "Turn",
    "Withdrawn",
    "Write",
    "Written",
]


class Ticketed(msgspec.Struct, frozen=True):
    """About one body, wait or crossing that was ordered: only the current ticket counts."""

    flow: FlowRecord
    address: str
    ticket: int


# From the engine to an Andes


class Begin(msgspec.Struct, frozen=True):
    """Begin a flow: write it down, then let its first streams begin; `written` is done when it is on disk.

    If it was asked for in a `letter`, the answer to that is written with it.
    """

    flow: FlowRecord
    row: FlowRow
    chart: bytes
    written: "Future[None]"
    letter: Slip | None = None


class Adopt(msgspec.Struct, frozen=True):
    """Go on with a flow that was folded from its facts; `periods` are the served ones."""

    flow: FlowRecord
    periods: Sequence[tuple[int, int]]


class Command(msgspec.Struct, frozen=True):
    """Do something that was asked of a flow from outside; `ruled` is done when it is on disk, or was not to be done.

    If it was asked for in a `letter`, the answer to that is written with it.
    """

    flow_id: str
    command: commands.Command
    who: str
    ruled: "Future[Ruling]"
    letter: Slip | None = None


class Settle(msgspec.Struct, frozen=True):
    """The engine closes: what still runs is to count as no interruption."""


class Look(msgspec.Struct, frozen=True):
    """Say how a flow stands, or None if it is not under way here."""

    flow_id: str
    seen: "Future[FlowPicture | None]"


class Probe(msgspec.Struct, frozen=True):
    """Say why these flows stand where they stand; of those that are not under way here, nothing."""

    flow_ids: tuple[str, ...]
    seen: "Future[tuple[Situation, ...]]"


# From a supervisor to a River or an Atlantic, and back


class Cancelling:
    """Whether a call is being cancelled; read by its body at any time."""

    __slots__ = ("asked",)

    def __init__(self) -> None:
        """Begin unasked."""
        self.asked = False

    def __call__(self) -> bool:
        """Answer `self.cancelled`."""
        return self.asked


class Call(msgspec.Struct, frozen=True):
    """Call a body: when, flow, cycle, reconcile (the forward ones), undo, success or fail.

    Attributes:
        flow, address, body, ticket: what is called; only this ticket's answer counts.
        attempt, run, color, water, failure: what the body sees.
        cancelling: what its `self.cancelled` says.
        gated: once a thread is free for it its begin must be on disk before it runs: `Ready`, then `Go`.
        alone: no other forward body of this engine runs at the same time.
        most: so many forward bodies of this class run at once (`max_running`).
        timed: the supervisor is told `Running` when it begins.
        lane: whose threads it takes; undo and Atlantic bodies have their own.
        signals: what its `self.signal(name)` can take: number, name and value, oldest first.
        template: its address without the numbers of branches, where its stream and view are found; empty: the same.
    """

    flow: FlowRecord
    address: str
    body: Body
    ticket: int
    attempt: int
    run: int
    color: str
    water: Sheet
    failure: Failure | None = None
    cancelling: Cancelling = msgspec.field(default_factory=Cancelling)
    gated: bool = False
    alone: bool = False
    most: int | None = None
    timed: bool = False
    lane: Lane = "body"
    signals: tuple[tuple[int, str, msgspec.Raw], ...] = ()
    template: str = ""


class Go(Ticketed, frozen=True):
    """The begin of a `Ready` body is on disk: let it run; `Withdrawn` if the engine has closed meanwhile."""


class Recall(Ticketed, frozen=True):
    """Take the body with this ticket back (`Withdrawn`), unless it has begun: then nothing happens."""


class Cancel(Ticketed, frozen=True):
    """Ask the body with this ticket to stop; one that has not begun is taken back (`Withdrawn`)."""


class Abandon(Ticketed, frozen=True):
    """Give the body with this ticket up: its thread no longer counts, a task is cancelled.

    What follows is one of: `Withdrawn` (it had not begun), `Returned` (sooner or later, or never if it hangs for ever),
    or an `Answered` that is on its way already.
    """


class Ready(Ticketed, frozen=True):
    """A thread is free for a gated body, and held for it until `Go`, `Recall`, `Cancel` or `Abandon`."""


class Running(Ticketed, frozen=True):
    """A `timed` body has begun to run this moment, or one that was `Queued` before."""


class Queued(Ticketed, frozen=True):
    """A body waits for a slot of `max_running`, or because one is run alone; told once for a ticket."""


class Answered(Ticketed, frozen=True):
    """A body answered; it began at `began` (microseconds)."""

    answer: events.Answer
    began: int = 0


class Returned(Ticketed, frozen=True):
    """An abandoned body has come back late, having begun at `began` (microseconds)."""

    answer: events.Answer
    began: int = 0


class Withdrawn(Ticketed, frozen=True):
    """A body was taken back before it began; it never will."""


class Turn(Ticketed, frozen=True):
    """A body that waited for its slot or its turn need wait no longer (a River is told by itself or the turnstile)."""


class Escaped(Ticketed, frozen=True):
    """Something was raised past the guard of a body, which is a fault of the engine (a River is told by a thread)."""

    reason: str


class Reported(Ticketed, frozen=True):
    """A body said how far it is."""

    share: float | None
    text: str


class Save(Ticketed, frozen=True):
    """A body wants what it wrote so far to be kept; `saved` is done when it is on disk."""

    delta: Delta
    took: tuple[int, ...]
    saved: "Future[None]"


# From a supervisor to a Basin, and back


class Enter(Ticketed, frozen=True):
    """Let the parent's water into a basin."""

    place: BasinPlace
    water: Sheet
    added: Mapping[str, msgspec.Raw]


class Leave(Ticketed, frozen=True):
    """Let a basin's outputs out."""

    place: BasinPlace
    water: Sheet
    outside: Sheet


class Crossed(Ticketed, frozen=True):
    """A basin's border was crossed, or could not be."""

    water: Mapping[str, msgspec.Raw] | None = None
    delta: Delta | None = None
    failure: Failure | None = None


# From the wheel to a supervisor


class Due(Ticketed, frozen=True):
    """A wait is over."""


class GraceOver(Ticketed, frozen=True):
    """A cancelled body had its time."""


class TimeOver(Ticketed, frozen=True):
    """A body has run as long as its `timeout` says."""


class AlarmOver(Ticketed, frozen=True):
    """A river's deadline, or that of its undo, is over; `ticket` is the alarm's."""


class FlowDeadlineOver(msgspec.Struct, frozen=True):
    """The flow's deadline is over, if it still is this one (microseconds)."""

    flow: FlowRecord
    deadline: int


class Spring(msgspec.Struct, frozen=True):
    """The time has come before which the flow was not to begin."""

    flow: FlowRecord


# Between a supervisor and the Ledger


class Promise(msgspec.Struct, frozen=True):
    """Somebody who waits until something is on disk, what is told then, and what is answered in the same commit."""

    future: "Future[Any]"
    value: object = None
    answer: Answer | None = None


class Write(msgspec.Struct, frozen=True):
    """Write this in one commit, then tell `reply`; its orders are given only then.

    Attributes:
        flow: what it is about.
        facts: encoded.
        move: how the flow's row changes.
        orders: for the supervisor, when it is written.
        reply: who is told.
        row, chart: of a new flow.
        written: of a new flow: done when it is on disk, or a FlowConflict.
        promise: whoever waits for this to be on disk, and what is told then.
        final: with this the flow has ended, cannot go on, or was mended after its end.
    """

    flow: FlowRecord
    facts: list[FactRow]
    move: Move | None
    orders: list[Order]
    reply: Ref
    row: FlowRow | None = None
    chart: bytes = b""
    written: "Future[None] | None" = None
    promise: "Promise | None" = None
    final: Literal["", "ended", "stranded", "mended"] = ""

    @property
    def answer(self) -> Answer | None:
        """The answer to a letter that is written with it."""
        return self.promise.answer if self.promise is not None else None

    def futures(self) -> "list[Future[Any]]":
        """Return who waits for this."""
        promised = [self.promise.future] if self.promise is not None else []
        return [*promised, self.written] if self.written is not None else promised


class Written(msgspec.Struct, frozen=True):
    """These are on disk, in this order; what is of the flows in `lost` was not written."""

    writes: list[Write]
    lost: frozenset[str]


class Refused(msgspec.Struct, frozen=True):
    """What was to be written of a flow cannot be, whatever the disk does."""

    flow: FlowRecord
    futures: "Sequence[Future[Any]]"
    reason: str


class Strand(msgspec.Struct, frozen=True):
    """A flow cannot go on, because handling a message about it raised."""

    flow: FlowRecord
    reason: str


class Flush(msgspec.Struct, frozen=True):
    """Commit what has gathered (the Ledger tells itself)."""


class Beat(msgspec.Struct, frozen=True):
    """Note that this store is still served."""


class Forget(msgspec.Struct, frozen=True):
    """Drop the answers to letters of this inbox which are older than `before` (microseconds), but those to `kept`."""

    inbox: str
    kept: frozenset[int]
    before: int


class Purge(msgspec.Struct, frozen=True):
    """Remove flows that have ended, a portion at each turn, then the charts that no flow uses any more.

    Attributes:
        states: only flows that ended so.
        before: and before then, microseconds.
        kept: ids of flows that stay, since something is still asked of them.
        done: how many were removed, when all of them are.
        removed: how many were by now.
    """

    states: tuple[str, ...]
    before: int
    kept: frozenset[str]
    done: "Future[int]"
    removed: int = 0


# To the Intake


class Poll(msgspec.Struct, frozen=True):
    """Look whether letters have come."""


class Taken(msgspec.Struct, frozen=True):
    """These answers are on disk; those in `lost` are not, since their flow is another's by now."""

    answers: list[Answer]
    lost: list[Answer]


class Purged(msgspec.Struct, frozen=True):
    """The flows that a letter asked to remove are, so many; or they could not be."""

    letter: Slip
    done: "Future[int]"


class Probed(msgspec.Struct, frozen=True):
    """How the flows stand that a letter asked about."""

    letter: Slip
    done: "Future[tuple[Situation, ...]]"


class Failing(msgspec.Struct, frozen=True):
    """What a letter about this flow asked for could not be done."""

    letter: Slip
    flow_id: str
    error: BaseException

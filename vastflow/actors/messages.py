"""What do actors say to each other?

All of it, on one page. Orders are imperative, facts are past; actors tell, they never ask. A message is about the flow
it carries, so that a message whose handling raises strands that flow and no other.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Literal

import msgspec

from vastflow.actors.flow import FlowRecord
from vastflow.course import events
from vastflow.course.delta import Sheet
from vastflow.course.facts import Delta
from vastflow.course.orders import Body, Order
from vastflow.course.picture import FlowPicture
from vastflow.drawing.chart import BasinPlace
from vastflow.errors import Failure
from vastflow.ledger.contract import FactRow, FlowRow, Move
from vastflow.runtime import Ref

__all__ = [
    "Abandon",
    "Adopt",
    "Answered",
    "Beat",
    "Begin",
    "Call",
    "Cancel",
    "Cancelling",
    "Crossed",
    "Due",
    "Enter",
    "Flush",
    "GraceOver",
    "Leave",
    "Look",
    "Refused",
    "Reported",
    "Strand",
    "Withdrawn",
    "Write",
    "Written",
]


# From the engine to an Andes


class Begin(msgspec.Struct, frozen=True):
    """Begin a flow: write it down, then let its first streams begin; `written` is done when it is on disk."""

    flow: FlowRecord
    row: FlowRow
    chart: bytes
    written: "Future[None]"


class Adopt(msgspec.Struct, frozen=True):
    """Go on with a flow that was folded from its facts; `periods` are the served ones."""

    flow: FlowRecord
    periods: Sequence[tuple[int, int]]


class Look(msgspec.Struct, frozen=True):
    """Say how a flow stands, or None if it is not under way here."""

    flow_id: str
    seen: "Future[FlowPicture | None]"


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
    """Call a body: flow, cycle, success or fail."""

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


class Cancel(msgspec.Struct, frozen=True):
    """Ask the body with this ticket to stop."""

    flow: FlowRecord
    address: str
    ticket: int


class Abandon(msgspec.Struct, frozen=True):
    """Give the body with this ticket up: its thread no longer counts."""

    flow: FlowRecord
    address: str
    ticket: int


class Answered(msgspec.Struct, frozen=True):
    """A body answered."""

    flow: FlowRecord
    address: str
    ticket: int
    answer: events.Answer


class Withdrawn(msgspec.Struct, frozen=True):
    """A cancelled body was called back before it began."""

    flow: FlowRecord
    address: str
    ticket: int


class Reported(msgspec.Struct, frozen=True):
    """A body said how far it is."""

    flow: FlowRecord
    address: str
    ticket: int
    share: float | None
    text: str


# From a supervisor to a Basin, and back


class Enter(msgspec.Struct, frozen=True):
    """Let the parent's water into a basin."""

    flow: FlowRecord
    address: str
    ticket: int
    place: BasinPlace
    water: Sheet
    added: Mapping[str, msgspec.Raw]


class Leave(msgspec.Struct, frozen=True):
    """Let a basin's outputs out."""

    flow: FlowRecord
    address: str
    ticket: int
    place: BasinPlace
    water: Sheet
    outside: Sheet


class Crossed(msgspec.Struct, frozen=True):
    """A basin's border was crossed, or could not be."""

    flow: FlowRecord
    address: str
    ticket: int
    water: Mapping[str, msgspec.Raw] | None = None
    delta: Delta | None = None
    failure: Failure | None = None


# From the wheel to a supervisor


class Due(msgspec.Struct, frozen=True):
    """A wait is over."""

    flow: FlowRecord
    address: str
    ticket: int


class GraceOver(msgspec.Struct, frozen=True):
    """A cancelled body had its time."""

    flow: FlowRecord
    address: str
    ticket: int


# Between a supervisor and the Ledger


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
        final: the flow has ended with this, or cannot go on.
    """

    flow: FlowRecord
    facts: list[FactRow]
    move: Move | None
    orders: list[Order]
    reply: Ref
    row: FlowRow | None = None
    chart: bytes = b""
    written: "Future[None] | None" = None
    final: Literal["", "ended", "stranded"] = ""


class Written(msgspec.Struct, frozen=True):
    """These are on disk, in this order; what is of the flows in `lost` was not written."""

    writes: list[Write]
    lost: frozenset[str]


class Refused(msgspec.Struct, frozen=True):
    """What was to be written of a flow cannot be, whatever the disk does."""

    flow: FlowRecord
    written: "Future[None] | None"
    reason: str


class Strand(msgspec.Struct, frozen=True):
    """A flow cannot go on, because handling a message about it raised."""

    flow: FlowRecord
    reason: str


class Flush(msgspec.Struct, frozen=True):
    """Commit what has gathered (the Ledger tells itself)."""


class Beat(msgspec.Struct, frozen=True):
    """Note that this store is still served."""

"""What do actors say to each other?

All of it, on one page. Orders are imperative, facts are past; actors tell, they never ask. A message is about the flow
it carries, so that a message whose handling raises strands that flow and no other.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
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
    "Reported",
    "Strand",
    "Withdrawn",
    "Write",
    "Written",
]


# From the engine to an Andes


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin a flow: write it down, then let its first streams begin; `written` is done when it is on disk."""

    flow: FlowRecord
    row: FlowRow
    chart: bytes
    written: "Future[None]"


@dataclass(frozen=True, slots=True)
class Adopt:
    """Go on with a flow that was folded from its facts; `periods` are the served ones."""

    flow: FlowRecord
    periods: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Look:
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


@dataclass(frozen=True, slots=True)
class Call:
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
    cancelling: Cancelling = field(default_factory=Cancelling)


@dataclass(frozen=True, slots=True)
class Cancel:
    """Ask the body with this ticket to stop."""

    flow: FlowRecord
    address: str
    ticket: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """Give the body with this ticket up: its thread no longer counts."""

    flow: FlowRecord
    address: str
    ticket: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A body answered."""

    flow: FlowRecord
    address: str
    ticket: int
    answer: events.Answer


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A cancelled body was called back before it began."""

    flow: FlowRecord
    address: str
    ticket: int


@dataclass(frozen=True, slots=True)
class Reported:
    """A body said how far it is."""

    flow: FlowRecord
    address: str
    ticket: int
    share: float | None
    text: str


# From a supervisor to a Basin, and back


@dataclass(frozen=True, slots=True)
class Enter:
    """Let the parent's water into a basin."""

    flow: FlowRecord
    address: str
    ticket: int
    place: BasinPlace
    water: Sheet
    added: Mapping[str, msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Leave:
    """Let a basin's outputs out."""

    flow: FlowRecord
    address: str
    ticket: int
    place: BasinPlace
    water: Sheet
    outside: Sheet


@dataclass(frozen=True, slots=True)
class Crossed:
    """A basin's border was crossed, or could not be."""

    flow: FlowRecord
    address: str
    ticket: int
    water: Mapping[str, msgspec.Raw] | None = None
    delta: Delta | None = None
    failure: Failure | None = None


# From the wheel to a supervisor


@dataclass(frozen=True, slots=True)
class Due:
    """A wait is over."""

    flow: FlowRecord
    address: str
    ticket: int


@dataclass(frozen=True, slots=True)
class GraceOver:
    """A cancelled body had its time."""

    flow: FlowRecord
    address: str
    ticket: int


# Between a supervisor and the Ledger


@dataclass(frozen=True, slots=True)
class Write:
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


@dataclass(frozen=True, slots=True)
class Written:
    """These are on disk, in this order; what is of the flows in `lost` was not written."""

    writes: list[Write]
    lost: frozenset[str]


@dataclass(frozen=True, slots=True)
class Strand:
    """A flow cannot go on, because handling a message about it raised."""

    flow: FlowRecord
    reason: str


@dataclass(frozen=True, slots=True)
class Flush:
    """Commit what has gathered (the Ledger tells itself)."""


@dataclass(frozen=True, slots=True)
class Beat:
    """Note that this store is still served."""

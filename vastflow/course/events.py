"""What can come in from outside the course?

Everything `decide` may look at beside the progress; time and chance come in with the event.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from vastflow.course.commands import Command
from vastflow.course.facts import NOTHING, Delta
from vastflow.errors import Failure

__all__ = [
    "Again",
    "Answer",
    "Answered",
    "Begun",
    "Broken",
    "Chose",
    "Closing",
    "Commanded",
    "Crossed",
    "DeadlineOver",
    "Done",
    "Due",
    "Event",
    "FlowDeadlineOver",
    "GraceOver",
    "NotYet",
    "OfStream",
    "Raised",
    "Ready",
    "Recovered",
    "Returned",
    "Rules",
    "Saved",
    "TimedOut",
    "Withdrawn",
]


class Rules(msgspec.Struct, gc=False, frozen=True):
    """What the engine sets for all its flows.

    Attributes:
        ticket: draws the next ticket; one counter of the process, never used again.
        jitter: share by which waits vary.
        cancel_grace: seconds a cancelled body may take.
        hidden: says whether a key's value must not be shown.
        crash_limit: how often a running body may be interrupted by the death of its process before it runs alone.
        refusal: says why an encoded value is too large to be stored, or nothing.
    """

    ticket: Callable[[], int]
    jitter: float = 0.1
    cancel_grace: float = 10.0
    hidden: Callable[[str], bool] = lambda _: False
    crash_limit: int = 2
    refusal: Callable[[bytes], str] = lambda _: ""


class Done(msgspec.Struct, gc=False, frozen=True):
    """The body returned None; `took` are the numbers of the signals it took."""

    delta: Delta = NOTHING
    took: tuple[int, ...] = ()


class Chose(msgspec.Struct, gc=False, frozen=True):
    """A `when` answered."""

    yes: bool
    delta: Delta = NOTHING


class Again(msgspec.Struct, gc=False, frozen=True):
    """The body raised Retry; `after` in seconds."""

    failure: Failure
    after: float | None = None


class NotYet(msgspec.Struct, gc=False, frozen=True):
    """The poll raised Continue; `after` in seconds."""

    reason: str = ""
    progress: float | None = None
    after: float | None = None
    delta: Delta = NOTHING
    took: tuple[int, ...] = ()


class Broken(msgspec.Struct, gc=False, frozen=True):
    """The body said Fail, or answered what no body may."""

    failure: Failure


class Raised(msgspec.Struct, gc=False, frozen=True):
    """The body raised an exception."""

    failure: Failure


Answer = Done | Chose | Again | NotYet | Broken | Raised


class OfStream(msgspec.Struct, gc=False, frozen=True):
    """Something came of what was ordered for one stream."""

    at: int
    address: str


class Begun(msgspec.Struct, gc=False, frozen=True):
    """The flow is begun."""

    at: int


class Answered(OfStream, frozen=True):
    """A body answered; it `began` at this time, microseconds, 0 if that is not known."""

    answer: Answer
    began: int = 0


class Ready(OfStream, frozen=True):
    """A thread is free for a body whose begin must be on disk first."""


class TimedOut(OfStream, frozen=True):
    """A body has run longer than its `timeout` and was given up."""


class DeadlineOver(OfStream, frozen=True):
    """A stream's deadline is over; the body that was out, if one was, was given up."""


class Returned(OfStream, frozen=True):
    """A body that had been given up came back: it said this, or (nothing) had never begun."""

    ticket: int
    said: str = ""


class Saved(OfStream, frozen=True):
    """A body wants what it wrote so far to be kept."""

    delta: Delta
    took: tuple[int, ...] = ()


class Withdrawn(OfStream, frozen=True):
    """A body was called back before it began."""


class Due(OfStream, frozen=True):
    """A wait is over."""


class Crossed(OfStream, frozen=True):
    """A basin's border was crossed: inward with its own water, or outward with what it lets out, or neither."""

    water: Mapping[str, msgspec.Raw] | None = None
    delta: Delta | None = None
    failure: Failure | None = None


class GraceOver(OfStream, frozen=True):
    """A cancelled body had its time and did not stop."""


class FlowDeadlineOver(msgspec.Struct, gc=False, frozen=True):
    """The flow's own deadline is over."""

    at: int


class Commanded(msgspec.Struct, gc=False, frozen=True):
    """Somebody wants something of the flow, and it was found that it may be done."""

    at: int
    command: Command
    who: str = ""


class Closing(msgspec.Struct, gc=False, frozen=True):
    """The process closes in order: what still runs will have been no interruption."""

    at: int


class Recovered(msgspec.Struct, gc=False, frozen=True):
    """The flow was folded from its facts and goes on.

    Attributes:
        periods: the served ones, oldest first: (began, ended) microseconds.
    """

    at: int
    periods: Sequence[tuple[int, int]] = ()


Event = (
    Begun
    | Answered
    | Ready
    | TimedOut
    | DeadlineOver
    | Returned
    | Saved
    | Withdrawn
    | Due
    | Crossed
    | GraceOver
    | FlowDeadlineOver
    | Commanded
    | Closing
    | Recovered
)

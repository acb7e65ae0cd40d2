"""What can come in from outside the course?

Everything `decide` may look at beside the progress; time and chance come in with the event.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from vastflow.course.facts import NOTHING, Delta
from vastflow.errors import Failure

__all__ = [
    "Again",
    "Answer",
    "Answered",
    "Begun",
    "Broken",
    "Crossed",
    "Done",
    "Due",
    "Event",
    "GraceOver",
    "NotYet",
    "Raised",
    "Resumed",
    "Rules",
    "Withdrawn",
]


class Rules(msgspec.Struct, frozen=True):
    """What the engine sets for all its flows.

    Attributes:
        ticket: draws the next ticket; one counter of the process, never used again.
        jitter: share by which waits vary.
        cancel_grace: seconds a cancelled body may take.
        hidden: says whether a key's value must not be shown.
    """

    ticket: Callable[[], int]
    jitter: float = 0.1
    cancel_grace: float = 10.0
    hidden: Callable[[str], bool] = lambda _: False


class Done(msgspec.Struct, frozen=True):
    """The body returned None."""

    delta: Delta = NOTHING


class Again(msgspec.Struct, frozen=True):
    """The body raised Retry; `after` in seconds."""

    failure: Failure
    after: float | None = None


class NotYet(msgspec.Struct, frozen=True):
    """The poll raised Continue; `after` in seconds."""

    reason: str = ""
    progress: float | None = None
    after: float | None = None
    delta: Delta = NOTHING


class Broken(msgspec.Struct, frozen=True):
    """The body said Fail, or answered what no body may."""

    failure: Failure


class Raised(msgspec.Struct, frozen=True):
    """The body raised an exception."""

    failure: Failure


Answer = Done | Again | NotYet | Broken | Raised


class Begun(msgspec.Struct, frozen=True):
    """The flow is begun."""

    at: int


class Answered(msgspec.Struct, frozen=True):
    """A body answered."""

    at: int
    address: str
    answer: Answer


class Withdrawn(msgspec.Struct, frozen=True):
    """A cancelled body was called back before it began."""

    at: int
    address: str


class Due(msgspec.Struct, frozen=True):
    """A wait is over."""

    at: int
    address: str


class Crossed(msgspec.Struct, frozen=True):
    """A basin's border was crossed: inward with its own water, or outward with what it lets out, or neither."""

    at: int
    address: str
    water: Mapping[str, msgspec.Raw] | None = None
    delta: Delta | None = None
    failure: Failure | None = None


class GraceOver(msgspec.Struct, frozen=True):
    """A cancelled body had its time and did not stop."""

    at: int
    address: str


class Resumed(msgspec.Struct, frozen=True):
    """The flow was folded from its facts and goes on; `periods` are the served ones, (began, ended) microseconds."""

    at: int
    periods: Sequence[tuple[int, int]] = ()


Event = Begun | Answered | Withdrawn | Due | Crossed | GraceOver | Resumed

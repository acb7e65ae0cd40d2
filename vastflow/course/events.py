"""What can come in from outside the course?

Everything `decide` may look at beside the progress; time and chance come in with the event.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Rules:
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


@dataclass(frozen=True, slots=True)
class Done:
    """The body returned None."""

    delta: Delta = NOTHING


@dataclass(frozen=True, slots=True)
class Again:
    """The body raised Retry; `after` in seconds."""

    failure: Failure
    after: float | None = None


@dataclass(frozen=True, slots=True)
class NotYet:
    """The poll raised Continue; `after` in seconds."""

    reason: str = ""
    progress: float | None = None
    after: float | None = None
    delta: Delta = NOTHING


@dataclass(frozen=True, slots=True)
class Broken:
    """The body said Fail, or answered what no body may."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Raised:
    """The body raised an exception."""

    failure: Failure


Answer = Done | Again | NotYet | Broken | Raised


@dataclass(frozen=True, slots=True)
class Begun:
    """The flow is begun."""

    at: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A body answered."""

    at: int
    address: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A cancelled body was called back before it began."""

    at: int
    address: str


@dataclass(frozen=True, slots=True)
class Due:
    """A wait is over."""

    at: int
    address: str


@dataclass(frozen=True, slots=True)
class Crossed:
    """A basin's border was crossed: inward with its own water, or outward with what it lets out, or neither."""

    at: int
    address: str
    water: Mapping[str, msgspec.Raw] | None = None
    delta: Delta | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class GraceOver:
    """A cancelled body had its time and did not stop."""

    at: int
    address: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """The flow was folded from its facts and goes on; `periods` are the served ones, (began, ended) microseconds."""

    at: int
    periods: Sequence[tuple[int, int]] = field(default=())


Event = Begun | Answered | Withdrawn | Due | Crossed | GraceOver | Resumed

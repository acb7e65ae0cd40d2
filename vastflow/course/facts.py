"""What can happen to a flow?

The one vocabulary of journal, engine, map and logs. A fact is stored and never changed; folding facts never decides.
To add one: a Struct here, a name in KINDS, a case in `apply`; the type checker names the places forgotten.
"""

from types import MappingProxyType
from typing import Literal

import msgspec

from vastflow.drawing.chart import Anchor
from vastflow.errors import Failure

__all__ = [
    "KINDS",
    "NOTHING",
    "Begun",
    "Body",
    "Cancelled",
    "Cancelling",
    "Chosen",
    "Completed",
    "Conflicted",
    "Continued",
    "Cycled",
    "Delta",
    "Doubted",
    "Dropped",
    "Ended",
    "Entered",
    "Expanded",
    "Fact",
    "Failed",
    "Failing",
    "Flowed",
    "Joined",
    "Late",
    "Left",
    "Outcome",
    "Paused",
    "Poisoned",
    "Polled",
    "Resumed",
    "Retried",
    "Retrying",
    "Saved",
    "Set",
    "Signalled",
    "Skipped",
    "Spared",
    "Started",
    "UndoFailed",
    "Undoing",
    "Undone",
    "What",
    "Won",
]

Body = Literal["when", "flow", "cycle", "reconcile", "undo", "success", "fail"]


class Delta(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """What a body changed: encoded values by key, and the keys it deleted."""

    put: dict[str, msgspec.Raw] = {}
    drop: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Say whether anything changed."""
        return bool(self.put or self.drop)


NOTHING = Delta()


# A river's life


class Begun(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A body's turn came, or (`running`) a thread was free for it; `alone`: no other forward body runs beside it."""

    body: Body
    running: bool = False
    alone: bool = False


class Spared(msgspec.Struct, gc=False, frozen=True):
    """The process closed in order while this body ran: that was no interruption."""


class Chosen(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A river's `when` answered True."""

    delta: Delta = NOTHING


class Skipped(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A river's `when` answered False, or somebody skipped the stream, which was in the state `before`."""

    delta: Delta = NOTHING
    before: str = ""


class Flowed(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A river's `flow` ended well; if it has a `cycle`, the first poll is `due` (microseconds).

    Attributes:
        took: the numbers of the signals it took.
        began: when the body began, microseconds; 0 if that is not known.
    """

    delta: Delta = NOTHING
    due: int = 0
    took: tuple[int, ...] = ()
    began: int = 0


class Doubted(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """Nobody knows whether an attempt was done; `reconcile` is asked at `due` (microseconds).

    Attributes:
        reason: crash, timeout or raised.
        asked: how often it was asked already.
        failure: what the attempt, or the last asking, raised.
    """

    due: int
    reason: str
    asked: int = 0
    failure: Failure | None = None


class Retrying(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A try (of `flow`, `undo`, a basin or the Atlantic) failed and will be made again at `due` (microseconds).

    Attributes:
        free: it costs no retry, since a crash was what put the last one in doubt.
        began: when the body began, microseconds; 0 if that is not known.
    """

    due: int
    failure: Failure
    free: bool = False
    began: int = 0


class Polled(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A poll said not yet, and that had to be kept: it wrote water, failed, came late or named its own wait.

    Attributes:
        polls: polls made in this attempt, this one included unless a signal was what woke it.
        due: when the next poll is due, microseconds.
        failed: polls in a row, up to this one, that raised.
        failure: what it raised.
        took: the numbers of the signals it took.
    """

    polls: int
    due: int
    failed: int = 0
    delta: Delta = NOTHING
    failure: Failure | None = None
    took: tuple[int, ...] = ()


class Cycled(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A river's `cycle` said done."""

    polls: int
    delta: Delta = NOTHING
    took: tuple[int, ...] = ()
    began: int = 0


class Saved(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A body kept what it had written so far."""

    delta: Delta = NOTHING
    took: tuple[int, ...] = ()


class Failed(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A stream failed for good; `polls` made in a river's last attempt."""

    failure: Failure
    polls: int = 0
    began: int = 0


class Cancelled(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A stream ended because it was cancelled; what it raised or left hanging is kept as cause."""

    failure: Failure | None = None
    abandoned: bool = False


class Late(msgspec.Struct, gc=False, frozen=True):
    """A body that had been given up came back and said this; it changes nothing."""

    said: str


class Poisoned(msgspec.Struct, gc=False, frozen=True):
    """A body was interrupted once too often by the death of its process: the flow is stranded."""

    failure: Failure


# Parallel rivers and basins


class Expanded(msgspec.Struct, gc=False, frozen=True):
    """An `each` has this many branches."""

    count: int


class Failing(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A parallel river cannot pass any more; its other branches are being cancelled."""

    failure: Failure
    branches: tuple[int, ...] = ()


class Won(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A branch of a `join="any"` was the first to succeed; these others are being cancelled."""

    branch: int
    branches: tuple[int, ...] = ()


class Dropped(msgspec.Struct, gc=False, frozen=True):
    """The items of an `each` from this one on are never begun."""

    first: int


class Joined(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A parallel river passed; the deltas of these branches were merged, in this order."""

    branches: tuple[int, ...] = ()


class Conflicted(msgspec.Struct, gc=False, frozen=True):
    """A parallel river's branches wrote one key differently."""

    failure: Failure


class Entered(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A basin was entered with this water of its own."""

    water: dict[str, msgspec.Raw] = {}


class Left(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A basin, or an `each`, ended well and let this out."""

    delta: Delta = NOTHING


class Continued(msgspec.Struct, gc=False, frozen=True):
    """A basin failed, and its flow goes on."""

    failure: Failure


# Undo


class Undoing(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """What was done in a branch (of a parallel river or, always 0, a basin) is undone, in this order.

    Attributes:
        again: it is a basin that will then be tried again.
    """

    failure: Failure
    branch: int
    queue: tuple[str, ...]
    again: bool = False


class Undone(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A river's `undo` ended well."""

    delta: Delta = NOTHING


class UndoFailed(msgspec.Struct, gc=False, frozen=True):
    """A river's `undo` failed for good; the others go on."""

    failure: Failure


# The flow itself


class Started(msgspec.Struct, gc=False, frozen=True):
    """The flow was begun."""


class Signalled(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A signal came, `put` being its value by its name; kept until a river takes it."""

    put: dict[str, msgspec.Raw]
    id: str | None = None


class Cancelling(msgspec.Struct, gc=False, frozen=True):
    """The flow is being cancelled, by somebody or because its deadline is over."""

    kind: Literal["cancelled", "deadline"] = "cancelled"


class Paused(msgspec.Struct, gc=False, frozen=True):
    """No new body begins until the flow is resumed."""


class Resumed(msgspec.Struct, gc=False, frozen=True):
    """A paused flow, or one stranded by poison, goes on."""


class Retried(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A new round begins.

    Attributes:
        anchors: attributes that hold from now on, by (template) address.
        deadline: of the flow, microseconds; 0 for none.
    """

    anchors: dict[str, Anchor] = {}
    deadline: int = 0


class Completed(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """Somebody said that a stream is done, and what it wrote; `before` is its state and `was` the values before."""

    delta: Delta = NOTHING
    before: str = ""
    was: Delta = NOTHING


class Set(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """Somebody changed the flow's water; `was` are the values before."""

    delta: Delta
    was: Delta = NOTHING


class Outcome(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """The round's outcome; decided once. What was done is undone first, in this order."""

    outcome: Literal["success", "fail", "cancelled"]
    failure: Failure | None = None
    queue: tuple[str, ...] = ()


class Ended(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """The Atlantic ended, well or (with a failure) for good, and so did the flow."""

    delta: Delta = NOTHING
    failure: Failure | None = None


What = (
    Begun
    | Spared
    | Chosen
    | Skipped
    | Flowed
    | Doubted
    | Retrying
    | Polled
    | Cycled
    | Saved
    | Failed
    | Cancelled
    | Late
    | Poisoned
    | Expanded
    | Failing
    | Won
    | Dropped
    | Joined
    | Conflicted
    | Entered
    | Left
    | Continued
    | Undoing
    | Undone
    | UndoFailed
    | Started
    | Signalled
    | Cancelling
    | Paused
    | Resumed
    | Retried
    | Completed
    | Set
    | Outcome
    | Ended
)

KINDS: MappingProxyType[str, type[What]] = MappingProxyType({kind.__name__.lower(): kind for kind in What.__args__})


class Fact(msgspec.Struct, gc=False, frozen=True):
    """What happened, where and when.

    Attributes:
        at: microseconds since 1970 UTC.
        address: of the stream; empty for the flow itself.
        run: of the stream.
        attempt: of the stream; 0 where there is none.
        what: what happened.
        who: caused it from outside; empty for the flow's own course.
    """

    at: int
    address: str
    run: int
    attempt: int
    what: What
    who: str = ""

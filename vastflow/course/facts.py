"""What can happen to a flow?

The one vocabulary of journal, engine, map and logs. A fact is stored and never changed; folding facts never decides.
To add one: a Struct here, a name in KINDS, a case in `apply`; the type checker names the places forgotten.
"""

from types import MappingProxyType
from typing import Literal

import msgspec

from vastflow.errors import Failure

__all__ = [
    "KINDS",
    "NOTHING",
    "Cancelled",
    "Conflicted",
    "Cycled",
    "Delta",
    "Ended",
    "Entered",
    "Fact",
    "Failed",
    "Failing",
    "Flowed",
    "Joined",
    "Left",
    "Outcome",
    "Polled",
    "Retrying",
    "Started",
    "What",
]


class Delta(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a body changed: encoded values by key, and the keys it deleted."""

    put: dict[str, msgspec.Raw] = {}
    drop: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Say whether anything changed."""
        return bool(self.put or self.drop)


NOTHING = Delta()


class Started(msgspec.Struct, frozen=True):
    """The flow was begun."""


class Flowed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A river's `flow` ended well; if it has a `cycle`, the first poll is `due` (microseconds)."""

    delta: Delta = NOTHING
    due: int = 0


class Retrying(msgspec.Struct, frozen=True, omit_defaults=True):
    """An attempt (of `flow`, or of the Atlantic's body) failed and will be made again at `due` (microseconds)."""

    due: int
    failure: Failure


class Polled(msgspec.Struct, frozen=True, omit_defaults=True):
    """A poll said not yet, and that had to be kept: it wrote water, failed, came late or named its own wait.

    Attributes:
        polls: polls made in this attempt, this one included.
        due: when the next poll is due, microseconds.
        failed: polls in a row, up to this one, that raised.
        failure: what it raised.
    """

    polls: int
    due: int
    failed: int = 0
    delta: Delta = NOTHING
    failure: Failure | None = None


class Cycled(msgspec.Struct, frozen=True, omit_defaults=True):
    """A river's `cycle` said done."""

    polls: int
    delta: Delta = NOTHING


class Failed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stream failed for good; `polls` made in a river's last attempt."""

    failure: Failure
    polls: int = 0


class Cancelled(msgspec.Struct, frozen=True, omit_defaults=True):
    """A river ended because it was cancelled; what it raised or left hanging is kept as cause."""

    failure: Failure | None = None
    abandoned: bool = False


class Failing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A parallel river cannot pass any more; its other branches are being cancelled."""

    failure: Failure
    branches: tuple[int, ...] = ()


class Joined(msgspec.Struct, frozen=True, omit_defaults=True):
    """A parallel river passed; the deltas of these branches were merged, in this order."""

    branches: tuple[int, ...] = ()


class Conflicted(msgspec.Struct, frozen=True):
    """A parallel river's branches wrote one key differently."""

    failure: Failure


class Entered(msgspec.Struct, frozen=True, omit_defaults=True):
    """A basin was entered with this water of its own."""

    water: dict[str, msgspec.Raw] = {}


class Left(msgspec.Struct, frozen=True, omit_defaults=True):
    """A basin ended well and let this out."""

    delta: Delta = NOTHING


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The round's outcome; decided once."""

    outcome: Literal["success", "fail", "cancelled"]
    failure: Failure | None = None


class Ended(msgspec.Struct, frozen=True, omit_defaults=True):
    """The Atlantic ended, well or (with a failure) for good, and so did the flow."""

    delta: Delta = NOTHING
    failure: Failure | None = None


What = (
    Started
    | Flowed
    | Retrying
    | Polled
    | Cycled
    | Failed
    | Cancelled
    | Failing
    | Joined
    | Conflicted
    | Entered
    | Left
    | Outcome
    | Ended
)

KINDS: MappingProxyType[str, type[What]] = MappingProxyType({kind.__name__.lower(): kind for kind in What.__args__})


class Fact(msgspec.Struct, frozen=True):
    """What happened, where and when.

    Attributes:
        at: microseconds since 1970 UTC.
        address: of the stream; empty for the flow itself.
        run: of the stream.
        attempt: of the stream; 0 where there is none.
        what: what happened.
    """

    at: int
    address: str
    run: int
    attempt: int
    what: What

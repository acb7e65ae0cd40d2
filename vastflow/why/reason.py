"""What is the answer to the question why?

One sentence, and a tree of reasons with stable codes; plain data that can be written as JSON.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vastflow.why.codes import Code

__all__ = ["Reason", "Why"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason why a flow, or a stream of it, has not gone further.

    Attributes:
        code: which; stable, see `Code`.
        address: of the stream; empty for the flow itself, `~` for the Atlantic.
        sentence: for people; without control characters.
        since: since when it holds; None if that is not known.
        next: when something happens by itself; None if nothing does, or nobody knows when.
        unblock: a command line to paste that would let it go on; empty if it only takes time.
        details: what there is to know beside, by name.
        below: the reasons behind this one: what is under way in a parallel river, or what a cancel waits for.
    """

    code: Code
    address: str = ""
    sentence: str
    since: datetime | None = None
    next: datetime | None = None
    unblock: str = ""
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    below: tuple["Reason", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why a flow stands where it stands.

    Attributes:
        flow: its id.
        name: of its Andes.
        state: of the flow.
        sentence: what matters most.
        reason: the same as a reason; one of those in the tree.
        tree: all reasons: those of the flow first, then those of its streams in drawing order.
        live: whether the process that runs it was asked; else it was read from the store, which knows no last answer,
            no thread and no queue.
        at: when this was so.
        idle: seconds since its last fact; before the first one, since it was to begin.
    """

    flow: str
    name: str
    state: str
    sentence: str
    reason: Reason
    tree: tuple[Reason, ...]
    live: bool
    at: datetime
    idle: float

    def reasons(self) -> Iterator[Reason]:
        """Yield all reasons of the tree, each before those behind it."""
        left = list(reversed(self.tree))
        while left:
            reason = left.pop()
            yield reason
            left.extend(reversed(reason.below))

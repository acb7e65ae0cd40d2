"""How do the branches of an `each` stand, all together?

Counts only; one stream or branch is counted once.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vastflow.course.progress import Progress
from vastflow.course.records import JoinRecord
from vastflow.course.states import LIVE, StreamState

__all__ = ["BranchCounts", "counted", "of_branches", "state_of"]

_DONE = frozenset({"success", "skipped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchCounts:
    """How the branches of an `each` stand, or those of one stream that stands in it.

    Attributes:
        count: how many there are; 0 until that is known.
        done: ended well, or were skipped.
        running: are under way.
        failed: failed.
        cancelled: were cancelled, or will never be begun.
        undone: were undone, are being undone, or could not be.
        waiting: were not begun.
    """

    count: int = 0
    done: int = 0
    running: int = 0
    failed: int = 0
    cancelled: int = 0
    undone: int = 0
    waiting: int = 0


def counted(states: Iterable[StreamState], count: int) -> BranchCounts:
    """Return how many of `count` branches are in which state, given the states of those that were reached."""
    found: Counter[str] = Counter(states)
    done = sum(found[state] for state in _DONE)
    running = sum(found[state] for state in LIVE)
    undone = found["undoing"] + found["undone"] + found["undo-failed"]
    return BranchCounts(
        count=count,
        done=done,
        running=running,
        failed=found["fail"],
        cancelled=found["cancelled"],
        undone=undone,
        waiting=max(0, count - found.total()),
    )


def of_branches(joins: Sequence[JoinRecord], progress: Progress) -> BranchCounts:
    """Return how the branches of an `each` stand; it stands in several places if it stands in another one."""
    states: list[StreamState] = []
    for join in joins:
        branches = progress.inside.get(join.address, ())
        states += ["undone" if each.scope is not None and each.above is join else each.state for each in branches]
        states += ["cancelled"] * (join.count - len(branches) if join.dropped else 0)
    return counted(states, sum(max(0, join.count) for join in joins))


def state_of(counts: BranchCounts) -> StreamState:
    """Return the one state that says most about them all."""
    if counts.running or (counts.waiting and counts.waiting < counts.count):
        return "running"
    told: tuple[tuple[int, StreamState], ...] = (
        (counts.failed, "fail"),
        (counts.cancelled, "cancelled"),
        (counts.undone, "undone"),
        (counts.done, "success"),
    )
    return next((state for number, state in told if number), "init")

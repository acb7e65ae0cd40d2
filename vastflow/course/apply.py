"""How does a fact change the progress?

Applies only: counting, laying deltas, moving a chain on, carrying an end upward. Nothing here decides, so next year's
rules do not change what old facts say.
"""

from collections.abc import Callable
from typing import Any

from vastflow.course import facts, flow_facts, join_facts, river_facts, undo_facts
from vastflow.course.progress import Progress

__all__ = ["apply"]


def apply(progress: Progress, fact: facts.Fact) -> None:
    """Change the progress by one fact, and put what must be considered next on its agenda.

    Raises:
        CourseError: the fact may not follow.
    """
    progress.number += 1
    if fact.at > progress.last:  # noqa: PLR1730  # max() costs as much as all the rest here
        progress.last = fact.at
    what = fact.what
    _APPLY[type(what)](progress, fact, what)


_APPLY: dict[type, Callable[[Progress, facts.Fact, Any], None]] = {
    facts.Begun: river_facts.begun,
    facts.Spared: river_facts.spared,
    facts.Chosen: river_facts.chosen,
    facts.Skipped: river_facts.skipped,
    facts.Flowed: river_facts.flowed,
    facts.Doubted: river_facts.doubted,
    facts.Retrying: river_facts.retrying,
    facts.Polled: river_facts.polled,
    facts.Cycled: river_facts.cycled,
    facts.Saved: river_facts.saved,
    facts.Failed: river_facts.failed,
    facts.Cancelled: river_facts.cancelled,
    facts.Late: river_facts.late,
    facts.Poisoned: river_facts.poisoned,
    facts.Expanded: join_facts.expanded,
    facts.Failing: join_facts.failing,
    facts.Won: join_facts.won,
    facts.Dropped: join_facts.dropped,
    facts.Joined: join_facts.joined,
    facts.Conflicted: join_facts.conflicted,
    facts.Entered: join_facts.entered,
    facts.Left: join_facts.left,
    facts.Continued: join_facts.continued,
    facts.Undoing: undo_facts.undoing,
    facts.Undone: undo_facts.undone,
    facts.UndoFailed: undo_facts.undo_failed,
    facts.Started: flow_facts.started,
    facts.Signalled: flow_facts.signalled,
    facts.Cancelling: flow_facts.cancelling,
    facts.Paused: flow_facts.paused,
    facts.Resumed: flow_facts.resumed,
    facts.Retried: flow_facts.retried,
    facts.Completed: flow_facts.completed,
    facts.Set: flow_facts.set_water,
    facts.Outcome: flow_facts.outcome,
    facts.Ended: flow_facts.ended,
}

"""How does a fact about an undo change the progress?

Applies only: whose turn it is, what it wrote, and what the end of a scope is carried to.
"""

from vastflow.course.delta import over
from vastflow.course.facts import Fact, UndoFailed, Undoing, Undone
from vastflow.course.meant import branches_at, join_at, record_at, river_at
from vastflow.course.now import UNMARKED
from vastflow.course.progress import Progress
from vastflow.course.records import Branch, JoinRecord, RiverRecord
from vastflow.course.scope import Scope
from vastflow.course.sea import come_to_sea
from vastflow.course.states import check_stream
from vastflow.course.undo import scope_of

__all__ = ["begin_scope", "undo_failed", "undoing", "undone"]


def undoing(progress: Progress, fact: Fact, what: Undoing) -> None:
    """What was done in a branch is undone."""
    record = record_at(progress, fact.address)
    if isinstance(record, JoinRecord):
        branch = branches_at(progress, join_at(progress, fact.address), (what.branch,))[0]
        record.undoing += 1
    else:
        branch = progress.inside[fact.address][0]
    begin_scope(progress, branch, Scope(what.queue, what.failure, fact.at, again=what.again))


def begin_scope(progress: Progress, branch: Branch, scope: Scope) -> None:
    """Undo what stands in the scope's queue."""
    branch.scope = scope
    for address in scope.queue:
        river_at(progress, address).scope = scope
    _take_turn(progress, scope)


def undone(progress: Progress, fact: Fact, what: Undone) -> None:
    """An undo was done."""
    river = river_at(progress, fact.address)
    river.state = check_stream(river.address, river.state, "undone")
    river.undo_failure = None
    river.branch.ebb = over(river.branch.ebb, what.delta)
    _next(progress, river, fact.at)


def undo_failed(progress: Progress, fact: Fact, what: UndoFailed) -> None:
    """An undo failed for good; the next one goes on."""
    river = river_at(progress, fact.address)
    river.state = check_stream(river.address, river.state, "undo-failed")
    river.undo_failure = what.failure
    _next(progress, river, fact.at)


def _next(progress: Progress, river: RiverRecord, at: int) -> None:
    river.marks = UNMARKED
    river.begun = 0  # nothing of it is left to be undone, also if somebody says later that it is done
    scope = scope_of(river)
    scope.position += 1
    if not scope.done:
        scope.turn(at)
        _take_turn(progress, scope)
        return
    branch = _branch_of(river, scope)
    if branch.above is None:
        come_to_sea(progress, at)
        return
    if isinstance(branch.above, JoinRecord):
        branch.above.undoing -= 1
        progress.ends.append(branch)
    else:
        progress.ends.append(branch.above)


def _take_turn(progress: Progress, scope: Scope) -> None:
    river = river_at(progress, scope.queue[scope.position])
    river.state = check_stream(river.address, river.state, "undoing")
    river.now.alarm = 0
    progress.begins.append(river)


def _branch_of(river: RiverRecord, scope: Scope) -> Branch:
    """Return the branch that is undone: the one around the river which the scope is of."""
    branch = river.branch
    while branch.scope is not scope and branch.above is not None:
        branch = branch.above.branch
    return branch

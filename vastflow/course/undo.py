"""What is undone, in which order, and what does an undo's answer mean?

Decides only. Undo runs for the smallest scope that failed or lost, over all that began in it, the last begun first.
"""

from vastflow.course.events import Again, Answer, Broken, Chose, Done, NotYet, Raised, Rules
from vastflow.course.facts import Retrying, UndoFailed, Undone, What
from vastflow.course.failures import rewrite
from vastflow.course.progress import Progress
from vastflow.course.records import Branch, RiverRecord
from vastflow.course.schedule import retry_wait
from vastflow.course.scope import Scope
from vastflow.course.states import ENDED
from vastflow.drawing.chart import Waits
from vastflow.errors import CourseError, Failure

__all__ = ["answered_undo", "scope_of", "to_undo", "undo_late"]

_DONE = ENDED | {"skipped"}  # somebody may skip a river whose `flow` was begun


def to_undo(progress: Progress, branch: Branch) -> tuple[str, ...]:
    """Return the addresses of all that began in a branch and has an undo that never ran, last begun first."""
    found: list[RiverRecord] = []
    _collect(progress, branch, found)
    found.sort(key=_begun, reverse=True)
    return tuple(river.address for river in found)


def _begun(river: RiverRecord) -> int:
    return river.begun


def _collect(progress: Progress, branch: Branch, found: list[RiverRecord]) -> None:
    for position in range(branch.cursor + 1):
        record = progress.records.get(branch.at(position))
        if isinstance(record, RiverRecord):
            if record.begun and record.state in _DONE and record.has("undo"):
                found.append(record)
        elif record is not None:
            for inner in progress.inside.get(record.address, ()):
                _collect(progress, inner, found)


def scope_of(river: RiverRecord) -> Scope:
    """Return the scope that undoes a river."""
    if river.scope is None:
        message = f"{river.address} is being undone, but by no scope: this is a bug in vastflow, please report it"
        raise CourseError(message)
    return river.scope


def answered_undo(river: RiverRecord, answer: Answer, at: int, uid: str, rules: Rules) -> What:
    """Return what follows from the answer of a river's undo."""
    match answer:
        case Done(delta):
            return Undone(delta)
        case Broken(failure):
            return UndoFailed(failure)
        case Again(failure, after):
            return _again(river, failure, after, at, uid, rules)
        case Raised(failure):
            return _again(river, failure, None, at, uid, rules)
        case NotYet(reason=reason, after=after):
            return _again(river, Failure("error", reason, river.address), after, at, uid, rules)
        case Chose():
            return UndoFailed(Failure("bad-return", "undo() answered what only when() may", river.address))


def _again(river: RiverRecord, failure: Failure, after: float | None, at: int, uid: str, rules: Rules) -> What:
    scope = scope_of(river)
    retries = scope.attempt - 1
    if retries >= river.anchor.undo_times:
        return UndoFailed(rewrite(failure, "retries-exhausted") if retries else failure)
    waits = Waits(river.anchor.undo_times, river.anchor.undo_interval, 1.0, None)
    return Retrying(at + retry_wait(waits, retries + 1, river.key(uid), rules.jitter, after), failure)


def undo_late(river: RiverRecord) -> UndoFailed:
    """Return the end of an undo whose deadline is over."""
    seconds = river.anchor.undo_deadline
    hung = " since a body of the river still runs" if river.now.abandoned else ""
    message = f"undo() of {river.address} did not end within its undo_deadline of {seconds:g} s{hung}"
    return UndoFailed(Failure("deadline", message, river.address))

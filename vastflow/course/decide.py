"""What does an event say?

Decides only: from an event to the facts it says by itself. What follows from those is considered afterwards.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from vastflow.course import events
from vastflow.course.command import commanded
from vastflow.course.doubt import doubt
from vastflow.course.facts import (
    Begun,
    Cancelled,
    Cancelling,
    Cycled,
    Entered,
    Fact,
    Failed,
    Flowed,
    Late,
    Left,
    Poisoned,
    Retrying,
    Saved,
    Spared,
    Started,
    What,
)
from vastflow.course.failures import deadline_over, poisoned, timed_out
from vastflow.course.meant import seat_at
from vastflow.course.outcome import answered_at_sea
from vastflow.course.progress import Progress
from vastflow.course.records import BasinRecord, JoinRecord, MouthRecord, RiverRecord
from vastflow.course.river import answered, timed_out_body
from vastflow.course.states import ENDED
from vastflow.course.undo import undo_late
from vastflow.errors import CourseError

__all__ = ["decide", "stamped"]

_Seat = RiverRecord | BasinRecord | MouthRecord
_ENDS = (Flowed, Retrying, Cycled, Failed)  # facts that end a body


def decide(progress: Progress, event: events.Event, at: int, rules: events.Rules) -> list[Fact]:
    """Return the facts that the event itself says."""
    said = _SEATS.get(type(event))
    if said is not None:
        record = seat_at(progress, event.address)  # type: ignore[union-attr]  # all of the table's have one
        return _facts_of(record, at, said(progress, record, event, at, rules))
    match event:
        case events.Begun() | events.Commanded() | events.FlowDeadlineOver():
            return _of_flow(progress, event, at)
        case events.Closing():
            return [fact for record in _marked(progress) for fact in stamped(record, at, Spared())]
        case events.Recovered():
            return _recovered(progress, at)
        case _:
            return []


def _of_flow(
    progress: Progress, event: events.Begun | events.Commanded | events.FlowDeadlineOver, at: int
) -> list[Fact]:
    match event:
        case events.Commanded(command=command, who=who):
            return commanded(progress, command, at, who)
        case events.Begun():
            return _started(progress, at)
        case events.FlowDeadlineOver():
            return _flow_deadline(progress, at)


def _answered(
    progress: Progress, record: _Seat, event: events.Answered, at: int, rules: events.Rules
) -> Sequence[What]:
    if isinstance(record, RiverRecord):
        whats = answered(record, event.answer, at, progress.uid, rules)
        if event.began and whats:
            whats[-1] = _timed(whats[-1], event.began)  # what ends a body is the last thing it says
        return whats
    if isinstance(record, MouthRecord):
        return [answered_at_sea(progress, event.answer, at, rules)]
    message = f"an answer came for {record.address!r}, which has no bodies: this is a bug in vastflow"
    raise CourseError(message)


def _timed(what: What, began: int) -> What:
    """Return this with the time at which the body began, if it ended with it: no fact said so before (10.3)."""
    if type(what) is Flowed:  # nearly all are; `replace` takes three times as long
        return Flowed(what.delta, what.due, what.took, began)
    return replace(what, began=began) if isinstance(what, _ENDS) else what


def _crossed(
    _progress: Progress, record: _Seat, event: events.Crossed, _at: int, _rules: events.Rules
) -> Sequence[What]:
    if event.failure is not None:
        return []  # what follows depends on the basin's attempts
    if event.water is None:
        return [Left(event.delta or Left().delta)]
    if isinstance(record, BasinRecord) and record.branch.in_cancelled():
        return [Cancelled()]
    return [Entered(dict(event.water))]


def _saved(_progress: Progress, _record: _Seat, event: events.Saved, _at: int, _rules: events.Rules) -> Sequence[What]:
    return [Saved(event.delta, event.took)]


def _returned(
    progress: Progress, _record: _Seat, event: events.Returned, _at: int, _rules: events.Rules
) -> Sequence[What]:
    return [Late(event.said)] if event.said and progress.state not in ENDED else []


def _ready(progress: Progress, record: _Seat, _event: events.Ready, _at: int, rules: events.Rules) -> Sequence[What]:
    """Return that a body begins; one that is to be stopped or held is on its way back already."""
    if progress.held or isinstance(record, BasinRecord):
        return []
    if isinstance(record, RiverRecord) and record.now.body != "undo" and record.stopped:
        return []
    return [Begun(record.now.body, running=True, alone=record.marks.count >= rules.crash_limit)]


def _timed_out(
    progress: Progress, record: _Seat, _event: events.TimedOut, at: int, rules: events.Rules
) -> Sequence[What]:
    return timed_out_body(record, timed_out(record), at, progress.uid, rules) if isinstance(record, RiverRecord) else []


def _grace_over(
    _progress: Progress, _record: _Seat, _event: events.GraceOver, _at: int, _rules: events.Rules
) -> Sequence[What]:
    return [Cancelled(abandoned=True)]


def _deadline_over(
    _progress: Progress, river: _Seat, _event: events.DeadlineOver, _at: int, _rules: events.Rules
) -> Sequence[What]:
    if not isinstance(river, RiverRecord):
        return []
    if river.state == "undoing":
        return [undo_late(river)]
    if not river.live:
        return []
    if river.stopped:
        return [Cancelled(deadline_over(river), abandoned=bool(river.now.doing))]
    return [Failed(deadline_over(river), river.now.polls)]


_SEATS: dict[type, Callable[[Progress, _Seat, Any, int, events.Rules], Sequence[What]]] = {
    events.Answered: _answered,
    events.Crossed: _crossed,
    events.Saved: _saved,
    events.Returned: _returned,
    events.Ready: _ready,
    events.TimedOut: _timed_out,
    events.GraceOver: _grace_over,
    events.DeadlineOver: _deadline_over,
}
"""What each event about one stream says; the others (a wait is over, a body was withdrawn) say nothing."""


def _marked(progress: Progress) -> Iterator[RiverRecord | MouthRecord]:
    """Return all whose body is running, by a fact that a next process would count."""
    for record in progress.performers():
        if record.marks.count and record.now.doing == "body":
            yield record


def _started(progress: Progress, at: int) -> list[Fact]:
    """Return that the flow begins, if it is not too late: its begin, too, may have waited until somebody served."""
    if progress.state != "init":
        return []
    return _flow_deadline(progress, at) if 0 < progress.deadline <= at else [Fact(at, "", 1, 0, Started())]


def _flow_deadline(progress: Progress, at: int) -> list[Fact]:
    due = progress.state in {"init", "running"} and not progress.cancelling
    return [Fact(at, "", 1, 0, Cancelling("deadline"))] if due else []


def _recovered(progress: Progress, at: int) -> list[Fact]:
    """Return what the death of a process says: who kills it, and what nobody knows to have been done."""
    if progress.poison is not None or progress.state in ENDED:
        return []
    # A deadline that was over before anybody served comes first: nothing may begin until its timer has rung.
    found = _flow_deadline(progress, at) if 0 < progress.deadline <= at else []
    for record in progress.performers():
        if record.marks.alone:
            return stamped(record, at, Poisoned(poisoned(record)))
        if isinstance(record, RiverRecord) and record.live and record.out and record.doubtful and not record.stopped:
            found += stamped(record, at, doubt(record, "crash", record.failure, at))
    return found


def stamped(record: RiverRecord | BasinRecord | JoinRecord | MouthRecord, at: int, *whats: What | None) -> list[Fact]:
    """Return these as facts about the stream, at `at` microseconds; None is none."""
    return _facts_of(record, at, [what for what in whats if what is not None])


def _facts_of(
    record: RiverRecord | BasinRecord | JoinRecord | MouthRecord, at: int, whats: Sequence[What]
) -> list[Fact]:
    attempt = _attempt(record)
    if len(whats) == 1:  # as mostly, and twice as fast
        return [Fact(at, record.address, record.run, attempt, whats[0])]
    return [Fact(at, record.address, record.run, attempt, what) for what in whats]


def _attempt(record: RiverRecord | BasinRecord | JoinRecord | MouthRecord) -> int:
    if isinstance(record, RiverRecord):
        scope = record.scope if record.state == "undoing" else None
        return record.attempt if scope is None else scope.attempt
    return 0 if isinstance(record, JoinRecord) else record.attempt

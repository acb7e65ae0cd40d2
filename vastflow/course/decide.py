"""What does an event say?

Decides only: from an event to the facts it says by itself. What follows from those is considered afterwards.
"""

from collections.abc import Sequence

from vastflow.course.events import Answer, Answered, Begun, Crossed, Due, Event, GraceOver, Resumed, Rules, Withdrawn
from vastflow.course.facts import Cancelled, Entered, Fact, Failed, Left, Started, What
from vastflow.course.outcome import answered_at_sea
from vastflow.course.progress import ATLANTIC, BasinRecord, JoinRecord, MouthRecord, Progress, RiverRecord
from vastflow.course.river import answered
from vastflow.errors import CourseError

__all__ = ["decide", "stamped"]


def decide(progress: Progress, event: Event, at: int, rules: Rules) -> list[Fact]:
    """Return the facts that the event itself says."""
    match event:
        case Begun():
            return [Fact(at, "", 1, 0, Started())]
        case Answered(address=address, answer=answer):
            return _decide_answer(progress, address, answer, at, rules)
        case Crossed(address=address):
            return stamped(progress.records[address], at, [_crossed(event)])
        case Withdrawn(address=address):
            return stamped(progress.records[address], at, [Cancelled()])
        case GraceOver(address=address):
            return stamped(progress.records[address], at, [Cancelled(abandoned=True)])
        case Due() | Resumed():
            return []


def _decide_answer(progress: Progress, address: str, answer: Answer, at: int, rules: Rules) -> list[Fact]:
    if address == ATLANTIC:
        return stamped(progress.mouth, at, [answered_at_sea(progress, answer, at, rules)])
    record = progress.records[address]
    if not isinstance(record, RiverRecord):
        message = f"an answer came for {address!r}, which is no river: this is a bug in vastflow, please report it"
        raise CourseError(message)
    return stamped(record, at, answered(record, answer, at, progress.uid, rules))


def _crossed(event: Crossed) -> What:
    if event.failure is not None:
        return Failed(event.failure)
    return Entered(dict(event.water)) if event.water is not None else Left(event.delta or Left().delta)


def stamped(record: RiverRecord | BasinRecord | JoinRecord | MouthRecord, at: int, whats: Sequence[What]) -> list[Fact]:
    """Return these as facts about the stream, at `at` microseconds."""
    attempt = record.attempt if isinstance(record, RiverRecord | MouthRecord) else 0
    return [Fact(at, record.address, record.run, attempt, what) for what in whats]

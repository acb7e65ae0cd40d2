"""What does a supervisor learn from those to whom it gave orders?

From a message of a River, a Basin, the Atlantic or the wheel to the event the course is told; a message that counts no
longer says nothing.
"""

from collections.abc import Callable
from typing import Any

from vastflow.actors import messages
from vastflow.actors.directory import Directory
from vastflow.actors.futures import fail
from vastflow.actors.orders import let_go
from vastflow.course import events
from vastflow.course.records import ATLANTIC, BasinRecord, JoinRecord, MouthRecord, RiverRecord
from vastflow.course.schedule import after_seconds
from vastflow.course.states import LIVE
from vastflow.errors import CourseError, SaveRefused
from vastflow.runtime import Ref, Runtime

__all__ = ["Reports"]

_Seat = RiverRecord | BasinRecord | MouthRecord
_OBEYED = "asyncio.exceptions.CancelledError"
_SUPERSEDED = (
    "what was saved came too late: this call does not count any more (its time was over, or its flow has ended "
    "or gone elsewhere); let the body end"
)


class Reports:
    """What a supervisor is told by its own, as events."""

    def __init__(self, runtime: Runtime, directory: Directory) -> None:
        """Know where the time comes from, and who lets bodies go."""
        self._runtime = runtime
        self._directory = directory
        self.me: Ref
        self.kinds: dict[type, Callable[[Any, _Seat, int], events.Event | None]] = {
            messages.Answered: self._answered,
            messages.Returned: self._returned,
            messages.Withdrawn: self._withdrawn,
            messages.Ready: _ready,
            messages.Running: self._running,
            messages.Queued: _queued,
            messages.Reported: _reported,
            messages.Save: _save,
            messages.Crossed: _crossed,
            messages.Due: _due,
            messages.GraceOver: self._grace_over,
            messages.TimeOver: self._time_over,
            messages.AlarmOver: self._alarm_over,
        }

    def event(self, message: Any) -> events.Event | None:
        """Return what the course is to be told, if this message still says anything."""
        flow = message.flow
        if flow.stranded:
            if isinstance(message, messages.Save):
                fail(message.saved, SaveRefused(_SUPERSEDED))
            return None
        progress = flow.progress
        record = progress.mouth if message.address == ATLANTIC else progress.records[message.address]
        if isinstance(record, JoinRecord):
            told = f"a message came for {message.address!r}, which does nothing itself: this is a bug in vastflow"
            raise CourseError(told)
        return self.kinds[type(message)](message, record, self._runtime.clock.now())

    def _answered(self, message: messages.Answered, record: _Seat, at: int) -> events.Event | None:
        if record.now.ticket == message.ticket:
            if (flow := message.flow).limits or flow.graces:
                flow.drop_timers_of(message.ticket)
            return events.Answered(at, message.address, message.answer, message.began)
        return self._returned(message, record, at)

    def _returned(self, message: messages.Answered | messages.Returned, record: _Seat, at: int) -> events.Event | None:
        if message.ticket not in record.now.abandoned:
            return None
        return events.Returned(at, message.address, message.ticket, _said(message.answer))

    def _withdrawn(self, message: messages.Withdrawn, record: _Seat, at: int) -> events.Event | None:
        if record.now.ticket == message.ticket:
            message.flow.drop_timers_of(message.ticket)
            return events.Withdrawn(at, message.address)
        if message.ticket in record.now.abandoned:
            return events.Returned(at, message.address, message.ticket)
        return None

    def _running(self, message: messages.Running, record: _Seat, at: int) -> events.Event | None:
        flow, ticket = message.flow, message.ticket
        if record.now.ticket == ticket:
            record.now.queued = False
            if isinstance(record, RiverRecord) and record.anchor.timeout is not None:
                over = messages.TimeOver(flow, message.address, ticket)
                flow.limits[ticket] = self._runtime.at(at + after_seconds(record.anchor.timeout), self.me, over)
        return None

    def _grace_over(self, message: messages.GraceOver, record: _Seat, at: int) -> events.Event | None:
        if record.now.ticket != message.ticket:
            return None
        let_go(message.flow, message.address, message.ticket, self._directory)
        return events.GraceOver(at, message.address)

    def _time_over(self, message: messages.TimeOver, record: _Seat, at: int) -> events.Event | None:
        message.flow.limits.pop(message.ticket, None)
        if record.now.ticket != message.ticket:
            return None
        let_go(message.flow, message.address, message.ticket, self._directory)
        return events.TimedOut(at, message.address)

    def _alarm_over(self, message: messages.AlarmOver, record: _Seat, at: int) -> events.Event | None:
        if record.now.alarm != message.ticket or not isinstance(record, RiverRecord):
            return None
        message.flow.alarms.pop(message.address, None)
        if record.state != "undoing" and record.state not in LIVE:
            return None
        if record.now.doing == "body":
            let_go(message.flow, message.address, record.now.ticket, self._directory)
        return events.DeadlineOver(at, message.address)


def _ready(message: messages.Ready, record: _Seat, at: int) -> events.Event | None:
    return events.Ready(at, message.address) if record.now.ticket == message.ticket else None


def _queued(message: messages.Queued, record: _Seat, _at: int) -> events.Event | None:
    if record.now.ticket == message.ticket:
        record.now.queued = True
    return None


def _reported(message: messages.Reported, record: _Seat, _at: int) -> events.Event | None:
    if record.now.ticket == message.ticket:
        record.now.answer, record.now.share = message.text, message.share
    return None


def _save(message: messages.Save, record: _Seat, at: int) -> events.Event | None:
    if record.now.ticket == message.ticket:
        return events.Saved(at, message.address, message.delta, message.took)
    fail(message.saved, SaveRefused(_SUPERSEDED))
    return None


def _crossed(message: messages.Crossed, record: _Seat, at: int) -> events.Event | None:
    if record.now.ticket != message.ticket:
        return None
    return events.Crossed(at, message.address, message.water, message.delta, message.failure)


def _due(message: messages.Due, record: _Seat, at: int) -> events.Event | None:
    if record.now.ticket != message.ticket:
        return None
    message.flow.waits.pop(message.address, None)
    return events.Due(at, message.address)


def _said(answer: events.Answer) -> str:
    """Return what a body said too late, in a sentence; nothing if it only stopped, as it had been asked to."""
    match answer:
        case events.Done() | events.Chose():
            return "it was done"
        case events.NotYet(reason=reason):
            return f"not yet: {reason}" if reason else "not yet"
        case events.Raised(failure) if failure.exception == _OBEYED:
            return ""
        case events.Again(failure) | events.Broken(failure) | events.Raised(failure):
            return str(failure)

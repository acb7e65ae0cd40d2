"""What has a progress to remember that is no fact?

What came back, what a poll said that said not yet, and where a restart finds the polls.
"""

from collections.abc import Callable, Sequence
from typing import Any

from vastflow.course import events
from vastflow.course.flow_facts import ask_all
from vastflow.course.meant import seat_at
from vastflow.course.progress import Progress
from vastflow.course.records import NEVER, BasinRecord, MouthRecord, RiverRecord
from vastflow.course.river import due_after, next_poll, polls_due, polls_of
from vastflow.course.schedule import retry_wait
from vastflow.course.states import ENDED

__all__ = ["note"]

_Seat = RiverRecord | BasinRecord | MouthRecord

SLACK = 2_000_000  # microseconds by which a served period may have lasted longer than its last beat says


def note(progress: Progress, event: events.Event, at: int, rules: events.Rules, *, decided: bool) -> None:
    """Keep what is no fact: what came back, a poll that said not yet, where a restart finds the polls."""
    if isinstance(event, events.Answered):
        _note_answer(progress, seat_at(progress, event.address), event, at, rules, decided=decided)
        return
    match event:
        case events.TimedOut(address=address):
            _note_timeout(progress, seat_at(progress, address), at, rules)
        case events.Recovered(periods=periods):
            _note_recovered(progress, at, periods, rules)
        case events.Begun() | events.Commanded() | events.FlowDeadlineOver() | events.Closing() | events.Saved():
            pass
        case _:
            _SEATS[type(event)](progress, seat_at(progress, event.address), event, decided)


def _put_back(progress: Progress, record: _Seat, _event: events.Event, _decided: bool) -> None:  # noqa: FBT001  # one of a table
    record.now.back()
    progress.begins.append(record)


def _give_up(_progress: Progress, record: _Seat, _event: events.Event, _decided: bool) -> None:  # noqa: FBT001  # the same
    record.now.give_up()


def _note_deadline(_progress: Progress, record: _Seat, _event: events.Event, decided: bool) -> None:  # noqa: FBT001  # the same
    record.now.alarm = 0
    if decided:
        record.now.give_up()


def _note_ready(_progress: Progress, record: _Seat, _event: events.Event, decided: bool) -> None:  # noqa: FBT001  # the same
    record.now.ready = decided


def _note_return(progress: Progress, record: _Seat, event: events.Returned, _decided: bool) -> None:  # noqa: FBT001  # the same
    record.now.abandoned = tuple(each for each in record.now.abandoned if each != event.ticket)
    progress.begins.append(record)


def _note_crossing(progress: Progress, record: _Seat, event: events.Crossed, _decided: bool) -> None:  # noqa: FBT001  # the same
    record.now.back()
    if event.failure is not None and isinstance(record, BasinRecord):
        record.now.failure = event.failure
        progress.ends.append(record)


_SEATS: dict[type, Callable[[Progress, _Seat, Any, bool], None]] = {
    events.Due: _put_back,
    events.Withdrawn: _put_back,
    events.Crossed: _note_crossing,
    events.GraceOver: _give_up,
    events.DeadlineOver: _note_deadline,
    events.Ready: _note_ready,
    events.Returned: _note_return,
}


def _note_answer(
    progress: Progress,
    record: RiverRecord | BasinRecord | MouthRecord,
    event: events.Answered,
    at: int,
    rules: events.Rules,
    *,
    decided: bool,
) -> None:
    now, answer = record.now, event.answer
    now.back()
    now.again = False
    if now.body != "cycle" or not isinstance(record, RiverRecord) or record.state != "cycling":
        return
    if isinstance(answer, events.Raised):
        _hold_signals(progress, record, at, rules)
        return
    if isinstance(answer, events.NotYet):
        now.seen = max(now.seen, now.sees)
        _note_not_yet(progress, record, answer, at, rules, decided=decided)


def _note_timeout(progress: Progress, record: _Seat, at: int, rules: events.Rules) -> None:
    record.now.give_up()
    if isinstance(record, RiverRecord) and record.now.body == "cycle":
        _hold_signals(progress, record, at, rules)


def _hold_signals(progress: Progress, river: RiverRecord, at: int, rules: events.Rules) -> None:
    """Let signals that a failed poll could see wake no other one for a while."""
    river.now.tried = river.now.sees
    river.now.hold = at + retry_wait(river.anchor.retry, 1, river.key(progress.uid), rules.jitter)


def _note_not_yet(
    progress: Progress, river: RiverRecord, answer: events.NotYet, at: int, rules: events.Rules, *, decided: bool
) -> None:
    now = river.now
    now.polls += not now.extra
    now.answer = answer.reason
    now.share = answer.progress
    if decided:
        return
    now.due = due_after(river, polls_of(river, progress.uid, rules), at, answer.after)
    progress.begins.append(river)


def _note_recovered(progress: Progress, at: int, periods: Sequence[tuple[int, int]], rules: events.Rules) -> None:
    """Put all that is not done on the agenda; count the polls that were made in served time since the last fact."""
    if progress.state in ENDED:
        return
    last = (periods[-1][1] if periods else 0) + SLACK
    served = _unpaused(periods, progress)
    for record in progress.performers():
        if isinstance(record, RiverRecord) and record.state == "cycling":
            _find_polls(progress, record, at, served, rules)
        record.now.again = _may_have_run(progress, record, last)
    ask_all(progress)
    progress.ends.append(progress.root)


def _may_have_run(progress: Progress, record: RiverRecord | MouthRecord, last: int) -> bool:
    """Say whether the body that comes next may have been running when the last process died."""
    match record:
        case MouthRecord():
            return progress.state == "ending" and record.due <= last
        case RiverRecord(state="undoing", scope=scope) if scope is not None:
            return scope.begun == scope.attempt
        case RiverRecord():
            return record.live and record.due <= last and not (record.out and record.doubtful)


def _unpaused(periods: Sequence[tuple[int, int]], progress: Progress) -> Sequence[tuple[int, int]]:
    """Return the served time in which the flow was not paused: mostly all of it, as all flows share it."""
    left = periods
    open_pause = ((progress.paused, NEVER),) if progress.paused else ()
    for since, until in (*progress.pauses, *open_pause):
        cut: list[tuple[int, int]] = []
        for begin, end in left:
            if until <= begin or end <= since:
                cut.append((begin, end))
                continue
            cut += [(begin, since)] if begin < since else []
            cut += [(until, end)] if until < end else []
        left = cut
    return left


def _find_polls(
    progress: Progress, river: RiverRecord, at: int, periods: Sequence[tuple[int, int]], rules: events.Rules
) -> None:
    schedule = polls_of(river, progress.uid, rules)
    times = river.anchor.cycle_times
    # The last poll of a budget was not answered, or the river would have failed: it is made again.
    most = times - 1 if times is not None else 1 << 62
    river.now.polls = max(river.polls, min(most, river.polls + polls_due(river, schedule, periods)))
    if river.due < at:
        river.now.due = next_poll(schedule, at, None)

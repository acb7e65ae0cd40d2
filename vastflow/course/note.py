"""What has a progress to remember that is no fact?

What came back, what a poll said that said not yet, and where a restart finds the polls.
"""

from collections.abc import Sequence

from vastflow.course.chain import ask_again
from vastflow.course.events import (
    Answered,
    Begun,
    Crossed,
    Due,
    Event,
    GraceOver,
    NotYet,
    Resumed,
    Rules,
    Withdrawn,
)
from vastflow.course.progress import ATLANTIC, BasinRecord, JoinRecord, MouthRecord, Progress, RiverRecord
from vastflow.course.river import next_poll, polls_due, polls_of
from vastflow.errors import CourseError

__all__ = ["note"]


def note(progress: Progress, event: Event, at: int, rules: Rules, *, decided: bool) -> None:
    """Keep what is no fact: what came back, a poll that said not yet, where a restart finds the polls."""
    match event:
        case Answered():
            _note_answer(progress, event, at, rules, decided=decided)
        case Due(address=address):
            progress.begins.append(_back(progress, address))
        case Crossed(address=address) | Withdrawn(address=address) | GraceOver(address=address):
            _back(progress, address)
        case Resumed(periods=periods):
            _note_resumed(progress, at, periods, rules)
        case Begun():
            pass


def _note_answer(progress: Progress, event: Answered, at: int, rules: Rules, *, decided: bool) -> None:
    record, answer = _back(progress, event.address), event.answer
    if not isinstance(answer, NotYet) or not isinstance(record, RiverRecord) or record.state != "cycling":
        return
    record.now.polls += 1
    record.now.answer = answer.reason
    record.now.share = answer.progress
    if not decided:
        record.now.due = next_poll(polls_of(record, progress.uid, rules), at, answer.after)
        progress.begins.append(record)


def _note_resumed(progress: Progress, at: int, periods: Sequence[tuple[int, int]], rules: Rules) -> None:
    """Put every live stream on the agenda; count the polls that were made in served time since the last fact."""
    if progress.state == "ending":
        progress.begins.append(progress.mouth)
        return
    for record in progress.records.values():
        if isinstance(record, RiverRecord) and record.state == "cycling":
            _find_polls(progress, record, at, periods, rules)
    ask_again(progress, progress.root)
    progress.ends.append(None)


def _find_polls(
    progress: Progress, river: RiverRecord, at: int, periods: Sequence[tuple[int, int]], rules: Rules
) -> None:
    schedule = polls_of(river, progress.uid, rules)
    times = river.anchor.cycle_times
    # The last poll of a budget was not answered, or the river would have failed: it is made again.
    most = times - 1 if times is not None else 1 << 62
    river.now.polls = max(river.polls, min(most, river.polls + polls_due(river, schedule, periods)))
    if river.due < at:
        river.now.due = next_poll(schedule, at, None)


def _back(progress: Progress, address: str) -> RiverRecord | BasinRecord | MouthRecord:
    record = progress.mouth if address == ATLANTIC else progress.records[address]
    if isinstance(record, JoinRecord):
        message = f"an event came for {address!r}, which does nothing itself: this is a bug in vastflow"
        raise CourseError(message)
    record.now.back()
    return record

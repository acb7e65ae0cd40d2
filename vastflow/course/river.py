"""What does a river's answer mean?

Decides only: from its record and what its body answered to the facts that follow.
"""

from collections.abc import Sequence

from vastflow.course.doubt import answered_reconcile, doubt
from vastflow.course.events import Again, Answer, Broken, Chose, Done, NotYet, Raised, Rules
from vastflow.course.facts import Cancelled, Chosen, Cycled, Failed, Flowed, Polled, Saved, Skipped, What
from vastflow.course.failures import not_allowed, out_of_polls
from vastflow.course.records import RiverRecord
from vastflow.course.schedule import Polls, after_seconds, first_poll
from vastflow.course.tries import listed, try_again
from vastflow.course.undo import answered_undo
from vastflow.drawing.chart import Anchor
from vastflow.errors import Failure

__all__ = ["answered", "due_after", "next_poll", "polls_due", "polls_of", "timed_out_body"]

LONG_AFTER = 10.0  # seconds: a wait named by a body is kept on disk from here on


def answered(record: RiverRecord, answer: Answer, at: int, uid: str, rules: Rules) -> list[What]:
    """Return what follows from a river's answer."""
    body = record.now.body
    if body == "undo":
        return [*_handed_over(answer), answered_undo(record, answer, at, uid, rules)]
    if record.branch.in_cancelled() and not record.unstoppable:  # `stopped`, written out: a property costs a call
        return _in_cancelled(record, answer, at)
    if body == "cycle":
        return _cycle_answered(record, answer, at, uid, rules)
    if body == "reconcile":
        return [*_handed_over(answer), answered_reconcile(record, answer, at, uid, rules)]
    return [_flow_answered(record, answer, at, uid, rules)]


def _handed_over(answer: Answer) -> list[What]:
    """Return what a body wrote that says not yet (5.5), where no poll keeps it."""
    if isinstance(answer, NotYet) and (answer.delta or answer.took):
        return [Saved(answer.delta, answer.took)]
    return []


def timed_out_body(record: RiverRecord, failure: Failure, at: int, uid: str, rules: Rules) -> list[What]:
    """Return what follows when a river's body ran too long."""
    body = record.now.body
    if body == "undo":
        return [answered_undo(record, Raised(failure), at, uid, rules)]
    if record.stopped:
        return [Cancelled(failure, abandoned=True)]
    if body == "cycle":
        return [_failed_poll(record, failure, at, uid, rules)]
    if body == "reconcile":
        return [answered_reconcile(record, Raised(failure), at, uid, rules)]
    if body == "flow" and record.doubtful:
        return [doubt(record, "timeout", failure, at)]
    return [try_again(record, failure, at, uid, rules)]


def polls_of(record: RiverRecord, uid: str, rules: Rules) -> Polls:
    """Return the schedule of the polls of the river's attempt."""
    return Polls(record.anchor, record.key(uid), record.first, rules.jitter)


def polls_due(record: RiverRecord, schedule: Polls, periods: Sequence[tuple[int, int]]) -> int:
    """Return how many polls were due in these periods, (began, ended) microseconds, since the river's last fact."""
    named = sum(begin < record.due <= end for begin, end in periods)
    return named + schedule.served(record.due, periods)


def _in_cancelled(record: RiverRecord, answer: Answer, at: int) -> list[What]:
    """Return an end: what was done counts, nothing is tried again."""
    polls = _polls_with(record)
    cycling = record.now.body == "cycle"
    match answer:
        case Done(delta, took):
            return [Cycled(polls, delta, took) if cycling else Flowed(delta, at if record.cycles else 0, took)]
        case NotYet(delta=delta, took=took):
            kept: list[What] = [Polled(polls, at, 0, delta, took=took)] if cycling and (delta or took) else []
            return [*(_handed_over(answer) if record.now.body == "reconcile" else kept), Cancelled()]
        case Chose(yes, delta):
            return [Chosen(delta), Cancelled()] if yes else [Skipped(delta)]
        case Again(failure) | Broken(failure) | Raised(failure):
            return [Cancelled(failure)]


def _flow_answered(record: RiverRecord, answer: Answer, at: int, uid: str, rules: Rules) -> What:
    """Return what follows from the answer of `flow` or `when`."""
    match answer:
        case Done(delta, took):
            cycles = "cycle" in record.place.bodies
            return Flowed(delta, at + first_poll(record.anchor, record.key(uid), rules.jitter) if cycles else 0, took)
        case Chose(yes, delta):
            return Chosen(delta) if yes else Skipped(delta)
        case Again(failure, after):
            return try_again(record, failure, at, uid, rules, after=after)
        case Raised(failure):
            return _flow_raised(record, failure, at, uid, rules)
        case Broken(failure):
            return Failed(failure)
        case NotYet():
            return Failed(not_allowed(record, record.now.body))


def _flow_raised(record: RiverRecord, failure: Failure, at: int, uid: str, rules: Rules) -> What:
    if not listed(failure, record.anchor.retry_on, record.anchor.fail_on):
        return Failed(failure)
    if record.now.body == "flow" and record.doubtful:
        return doubt(record, "raised", failure, at)
    return try_again(record, failure, at, uid, rules)


def _cycle_answered(record: RiverRecord, answer: Answer, at: int, uid: str, rules: Rules) -> list[What]:
    polls = _polls_with(record)
    match answer:
        case Done(delta, took):
            return [Cycled(polls, delta, took)]
        case NotYet():
            return _not_yet(record, answer, at, uid, rules)
        case Again(failure, after):
            return [try_again(record, failure, at, uid, rules, after=after)]
        case Raised(failure) if listed(failure, record.anchor.retry_on, record.anchor.fail_on):
            return [_failed_poll(record, failure, at, uid, rules)]
        case Raised(failure) | Broken(failure):
            return [Failed(failure, polls)]
        case Chose():
            return [Failed(not_allowed(record, "cycle"), polls)]


def _polls_with(record: RiverRecord) -> int:
    """Return the polls made with this one, which is not counted if a signal was what woke it."""
    return record.now.polls + (not record.now.extra)


def _not_yet(record: RiverRecord, answer: NotYet, at: int, uid: str, rules: Rules) -> list[What]:
    """Return nothing for a poll on schedule; a fact for one that must be kept."""
    polls = _polls_with(record)
    schedule = polls_of(record, uid, rules)
    due = due_after(record, schedule, at, answer.after)
    kept: list[What] = [Polled(polls, due, 0, answer.delta, took=answer.took)]
    if not record.now.extra and _exhausted(record.anchor, polls):
        wrote = answer.delta or answer.took
        return [*(kept if wrote else []), Failed(out_of_polls(record, answer.reason, polls), polls)]
    return kept if _must_be_kept(record, answer, schedule, at, polls) else []


def _must_be_kept(record: RiverRecord, answer: NotYet, schedule: Polls, at: int, polls: int) -> bool:
    if answer.delta or answer.took or record.failed_polls or record.marks.count:
        return True
    if (answer.after or 0.0) > LONG_AFTER:
        return True
    return not record.now.extra and _off_schedule(record, schedule, at, polls)


def due_after(record: RiverRecord, schedule: Polls, at: int, after: float | None) -> int:
    """Return when the next poll is due; one that a signal woke leaves that where it was, if that is still to come."""
    due = record.now.due or record.due
    if record.now.extra and after is None and due > at:
        return due
    return next_poll(schedule, at, after)


def next_poll(schedule: Polls, at: int, after: float | None) -> int:
    """Return when the next poll is due, microseconds: `after` seconds from now, or at the next position."""
    return schedule.due(schedule.past(at) + 1) if after is None else at + after_seconds(after)


def _failed_poll(record: RiverRecord, failure: Failure, at: int, uid: str, rules: Rules) -> What:
    polls = _polls_with(record)
    if record.failed_polls >= record.anchor.cycle_errors:
        return Failed(failure, polls)
    if not record.now.extra and _exhausted(record.anchor, polls):
        return Failed(out_of_polls(record, failure.message, polls, failure), polls)
    due = due_after(record, polls_of(record, uid, rules), at, None)
    return Polled(polls, due, record.failed_polls + 1, failure=failure)


def _off_schedule(record: RiverRecord, schedule: Polls, at: int, polls: int) -> bool:
    """Say whether polls made and polls due are too far apart to be counted by time after a restart."""
    times = record.anchor.cycle_times
    if times is None:
        return False
    due = polls_due(record, schedule, [(record.since, at)])
    return abs(due - (polls - record.polls)) > max(1, times // 10)


def _exhausted(anchor: Anchor, polls: int) -> bool:
    return anchor.cycle_times is not None and polls >= anchor.cycle_times

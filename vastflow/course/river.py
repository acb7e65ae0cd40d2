"""What does a river's answer mean?

Decides only: from its record and what its body answered to the facts that follow.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from vastflow.course.events import Again, Answer, Broken, Done, NotYet, Raised, Rules
from vastflow.course.facts import Cancelled, Cycled, Failed, Flowed, Polled, Retrying, What
from vastflow.course.progress import RiverRecord
from vastflow.course.schedule import Polls, after_seconds, first_poll, retry_wait
from vastflow.drawing.chart import Anchor
from vastflow.errors import Failure

__all__ = ["answered", "next_poll", "polls_due", "polls_of", "rewrite", "tried_again"]

LONG_AFTER = 10.0  # seconds: a wait named by a body is kept on disk from here on


def answered(record: RiverRecord, answer: Answer, at: int, uid: str, rules: Rules) -> list[What]:
    """Return what follows from a river's answer."""
    if record.branch.in_cancelled():
        return _in_cancelled(record, answer, at)
    if record.state == "cycling":
        return _cycle_answered(record, answer, at, uid, rules)
    return [_flow_answered(record, answer, at, uid, rules)]


def polls_of(record: RiverRecord, uid: str, rules: Rules) -> Polls:
    """Return the schedule of the polls of the river's attempt."""
    return Polls(record.anchor, record.key(uid), record.first, rules.jitter)


def polls_due(record: RiverRecord, schedule: Polls, periods: Sequence[tuple[int, int]]) -> int:
    """Return how many polls were due in these periods, (began, ended) microseconds, since the river's last fact."""
    named = sum(begin < record.due <= end for begin, end in periods)
    return named + schedule.served(record.due, periods)


def rewrite(failure: Failure, kind: str) -> Failure:
    """Return the failure with another kind."""
    return replace(failure, kind=kind)


def tried_again(failure: Failure, retry_on: tuple[str, ...], fail_on: tuple[str, ...]) -> bool:
    """Say whether an exception is one that is tried again."""
    types = set(failure.types)
    return types.isdisjoint(fail_on) and not types.isdisjoint(retry_on)


def _in_cancelled(record: RiverRecord, answer: Answer, at: int) -> list[What]:
    """Return an end: what was done counts, nothing is tried again."""
    polls = record.now.polls + 1
    match answer:
        case Done(delta):
            return [Cycled(polls, delta) if record.state == "cycling" else Flowed(delta, at if record.cycles else 0)]
        case NotYet(delta=delta) if record.state == "cycling" and delta:
            return [Polled(polls, at, 0, delta), Cancelled()]
        case NotYet():
            return [Cancelled()]
        case Again(failure) | Broken(failure) | Raised(failure):
            return [Cancelled(failure)]


def _flow_answered(record: RiverRecord, answer: Answer, at: int, uid: str, rules: Rules) -> What:
    match answer:
        case Done(delta):
            wait = first_poll(record.anchor, record.key(uid), rules.jitter) if record.cycles else 0
            return Flowed(delta, at + wait if record.cycles else 0)
        case Again(failure, after):
            return _again(record, failure, after, at, uid, rules)
        case Raised(failure) if tried_again(failure, record.anchor.retry_on, record.anchor.fail_on):
            return _again(record, failure, None, at, uid, rules)
        case Raised(failure) | Broken(failure):
            return Failed(failure)
        case NotYet():
            return Failed(_not_allowed(record))


def _again(record: RiverRecord, failure: Failure, after: float | None, at: int, uid: str, rules: Rules) -> What:
    """Return another attempt while the retry budget lasts."""
    retries = record.attempt - 1
    waits = record.anchor.retry
    if retries >= waits.times:
        polls = record.now.polls + 1 if record.state == "cycling" else 0
        return Failed(rewrite(failure, "retries-exhausted") if retries else failure, polls)
    if after is not None:
        return Retrying(at + after_seconds(after), failure)
    return Retrying(at + retry_wait(waits, retries + 1, record.key(uid), rules.jitter), failure)


def _cycle_answered(record: RiverRecord, answer: Answer, at: int, uid: str, rules: Rules) -> list[What]:
    polls = record.now.polls + 1
    match answer:
        case Done(delta):
            return [Cycled(polls, delta)]
        case NotYet():
            return _not_yet(record, answer, at, uid, rules)
        case Again(failure, after):
            return [_again(record, failure, after, at, uid, rules)]
        case Raised(failure) if tried_again(failure, record.anchor.retry_on, record.anchor.fail_on):
            return [_failed_poll(record, failure, at, uid, rules)]
        case Raised(failure) | Broken(failure):
            return [Failed(failure, polls)]


def _not_yet(record: RiverRecord, answer: NotYet, at: int, uid: str, rules: Rules) -> list[What]:
    """Return nothing for a poll on schedule; a fact for one that must be kept."""
    polls = record.now.polls + 1
    schedule = polls_of(record, uid, rules)
    kept: list[What] = [Polled(polls, next_poll(schedule, at, answer.after), 0, answer.delta)]
    if _exhausted(record.anchor, polls):
        return [*(kept if answer.delta else []), Failed(_out_of_polls(record, answer.reason, polls), polls)]
    must = answer.delta or record.failed_polls or (answer.after or 0.0) > LONG_AFTER
    return kept if must or _off_schedule(record, schedule, at, polls) else []


def next_poll(schedule: Polls, at: int, after: float | None) -> int:
    """Return when the next poll is due, microseconds: `after` seconds from now, or at the next position."""
    return schedule.due(schedule.past(at) + 1) if after is None else at + after_seconds(after)


def _failed_poll(record: RiverRecord, failure: Failure, at: int, uid: str, rules: Rules) -> What:
    polls = record.now.polls + 1
    if record.failed_polls >= record.anchor.cycle_errors:
        return Failed(failure, polls)
    if _exhausted(record.anchor, polls):
        return Failed(_out_of_polls(record, failure.message, polls, failure), polls)
    due = next_poll(polls_of(record, uid, rules), at, None)
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


def _out_of_polls(record: RiverRecord, reason: str, polls: int, cause: Failure | None = None) -> Failure:
    message = f"not done after {polls} polls" + (f"; the last one said: {reason}" if reason else "")
    return Failure("cycles-exhausted", message, record.address, record.attempt, cause=cause)


def _not_allowed(record: RiverRecord) -> Failure:
    message = (
        "flow() raised Continue, which only cycle() may: return None if the work was begun, raise Retry to try again"
    )
    return Failure("bad-return", message, record.address, record.attempt)

"""How does a fact change the progress?

Applies only: counting, laying deltas, moving a chain on, carrying an end upward. Nothing here decides, so next year's
rules do not change what old facts say.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from vastflow.course.chain import ask_again, end, reach, sea_sheet
from vastflow.course.delta import lay, merged, spring
from vastflow.course.facts import (
    Cancelled,
    Conflicted,
    Cycled,
    Ended,
    Entered,
    Fact,
    Failed,
    Failing,
    Flowed,
    Joined,
    Left,
    Outcome,
    Polled,
    Retrying,
    Started,
)
from vastflow.course.join import tips_of
from vastflow.course.progress import ATLANTIC, BasinRecord, Branch, JoinRecord, Progress, Record, RiverRecord
from vastflow.course.states import check_flow, check_stream
from vastflow.errors import CourseError

__all__ = ["apply"]

R = TypeVar("R", RiverRecord, JoinRecord, BasinRecord)


def apply(progress: Progress, fact: Fact) -> None:
    """Change the progress by one fact, and put what must be considered next on its agenda.

    Raises:
        CourseError: the fact may not follow.
    """
    progress.number += 1
    progress.last = max(progress.last, fact.at)
    _APPLY[type(fact.what)](progress, fact, fact.what)


def _started(progress: Progress, _fact: Fact, _what: Started) -> None:
    progress.state = check_flow(progress.state, "running")
    reach(progress, progress.root)


def _flowed(progress: Progress, fact: Fact, what: Flowed) -> None:
    river = _river(progress, fact.address)
    river.branch.tip = lay(river.branch.tip, what.delta, fact.address)
    if not river.cycles:
        end(progress, river, "success")
        return
    river.state = check_stream(river.address, river.state, "cycling")
    river.polls = river.failed_polls = river.now.polls = 0
    river.first = what.due
    _wait_from(progress, river, fact.at, what.due)


def _retrying(progress: Progress, fact: Fact, what: Retrying) -> None:
    if fact.address == ATLANTIC:
        progress.state = check_flow(progress.state, "ending")
        progress.mouth.attempt += 1
        progress.mouth.due = what.due
        progress.begins.append(progress.mouth)
        return
    river = _river(progress, fact.address)
    river.state = check_stream(river.address, river.state, "retrying")
    river.attempt += 1
    river.failure = what.failure
    river.polls = river.failed_polls = river.now.polls = 0
    _wait_from(progress, river, fact.at, what.due)


def _polled(progress: Progress, fact: Fact, what: Polled) -> None:
    river = _river(progress, fact.address)
    river.state = check_stream(river.address, river.state, "cycling")
    river.branch.tip = lay(river.branch.tip, what.delta, fact.address)
    river.polls = river.now.polls = what.polls
    river.failed_polls = what.failed
    river.failure = what.failure
    _wait_from(progress, river, fact.at, what.due)


def _cycled(progress: Progress, fact: Fact, what: Cycled) -> None:
    river = _river(progress, fact.address)
    river.branch.tip = lay(river.branch.tip, what.delta, fact.address)
    river.polls = river.now.polls = what.polls
    end(progress, river, "success")


def _failed(progress: Progress, fact: Fact, what: Failed) -> None:
    record = _record(progress, fact.address)
    progress.failures[what.failure.address or fact.address] = what.failure
    if isinstance(record, RiverRecord):
        record.polls = record.now.polls = what.polls
        record.failure = what.failure
    end(progress, record, "fail", what.failure, record.cause if isinstance(record, JoinRecord) else 0)


def _cancelled(progress: Progress, fact: Fact, what: Cancelled) -> None:
    record = _record(progress, fact.address)
    if isinstance(record, RiverRecord):
        record.failure = what.failure
    end(progress, record, "cancelled")


def _failing(progress: Progress, fact: Fact, what: Failing) -> None:
    join = _join(progress, fact.address)
    join.failing = what.failure
    for branch in _branches(progress, join, what.branches):
        branch.cancelled = True
        ask_again(progress, branch)


def _joined(progress: Progress, fact: Fact, what: Joined) -> None:
    join = _join(progress, fact.address)
    delta, _ = merged(tips_of(_branches(progress, join, what.branches)), join.branch.tip)
    join.branch.tip = lay(join.branch.tip, delta, fact.address)
    end(progress, join, "success")


def _conflicted(progress: Progress, fact: Fact, what: Conflicted) -> None:
    progress.failures[fact.address] = what.failure
    end(progress, _join(progress, fact.address), "fail", what.failure)


def _entered(progress: Progress, fact: Fact, what: Entered) -> None:
    basin = _basin(progress, fact.address)
    basin.entered = True
    inside = Branch(basin.place.streams, basin, 0, f"{basin.address}/", spring(what.water, fact.address))
    progress.inside[fact.address] = [inside]
    reach(progress, inside)


def _left(progress: Progress, fact: Fact, what: Left) -> None:
    basin = _basin(progress, fact.address)
    basin.branch.tip = lay(basin.branch.tip, what.delta, fact.address)
    end(progress, basin, "success")


def _outcome(progress: Progress, fact: Fact, what: Outcome) -> None:
    progress.state = check_flow(progress.state, "ending")
    progress.outcome = what.outcome
    progress.failure = what.failure
    if what.outcome != "success":
        progress.root.tip = sea_sheet(progress, progress.root)
    progress.mouth.due = fact.at
    progress.begins.append(progress.mouth)


def _ended(progress: Progress, _fact: Fact, what: Ended) -> None:
    progress.root.tip = lay(progress.root.tip, what.delta, ATLANTIC)
    if what.failure is not None:
        progress.failure = what.failure
        progress.failures[ATLANTIC] = what.failure
    progress.state = check_flow(progress.state, "fail" if what.failure else progress.outcome or "fail")


_APPLY: dict[type, Callable[[Progress, Fact, Any], None]] = {
    Started: _started,
    Flowed: _flowed,
    Retrying: _retrying,
    Polled: _polled,
    Cycled: _cycled,
    Failed: _failed,
    Cancelled: _cancelled,
    Failing: _failing,
    Joined: _joined,
    Conflicted: _conflicted,
    Entered: _entered,
    Left: _left,
    Outcome: _outcome,
    Ended: _ended,
}


def _wait_from(progress: Progress, river: RiverRecord, at: int, due: int) -> None:
    river.since = at
    river.due = due
    river.now.due = 0
    progress.begins.append(river)


def _record(progress: Progress, address: str) -> Record:
    try:
        return progress.records[address]
    except KeyError:
        message = f"a fact names the stream {address!r}, which was not reached: the journal or the chart was changed"
        raise CourseError(message) from None


def _branches(progress: Progress, join: JoinRecord, numbers: tuple[int, ...]) -> list[Branch]:
    inside = progress.inside[join.address]
    if numbers and not 0 <= min(numbers) <= max(numbers) < len(inside):
        told = f"a fact names branches {numbers} of {join.address!r}, which has {len(inside)}"
        message = f"{told}: the journal or the chart was changed"
        raise CourseError(message)
    return [inside[number] for number in numbers]


def _river(progress: Progress, address: str) -> RiverRecord:
    return _as(RiverRecord, _record(progress, address))


def _join(progress: Progress, address: str) -> JoinRecord:
    return _as(JoinRecord, _record(progress, address))


def _basin(progress: Progress, address: str) -> BasinRecord:
    return _as(BasinRecord, _record(progress, address))


def _as(kind: type[R], record: Record) -> R:
    if isinstance(record, kind):
        return record
    message = f"a fact takes the stream {record.address!r} for a {kind.__name__}: the journal or the chart was changed"
    raise CourseError(message)

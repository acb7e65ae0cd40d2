"""Where does a new round of a flow go on?

Applies only. A stream is kept if it succeeded or was skipped and nothing in it was undone. A chain keeps what stands
before its first stream that is not kept; that one goes on inside, or begins anew, and all after it begin anew.
"""

from collections.abc import Iterator
from functools import partial

from vastflow.course.chain import begin_items, is_plain, pass_on, reach
from vastflow.course.delta import lay, over
from vastflow.course.facts import NOTHING, Delta
from vastflow.course.progress import Progress
from vastflow.course.records import BasinRecord, Branch, JoinRecord, Record, RiverRecord
from vastflow.course.schedule import first_poll
from vastflow.course.states import check_stream
from vastflow.drawing.addresses import template_of
from vastflow.drawing.chart import EachPlace

__all__ = ["rewind"]

_UNDONE = frozenset({"undoing", "undone", "undo-failed"})
_GOES_ON = frozenset({"cycles-exhausted", "deadline"})


def rewind(progress: Progress, branch: Branch, at: int) -> None:
    """Let a chain go on from its first stream that is not kept; `at` microseconds."""
    given, branch.given = branch.given, NOTHING
    branch.open_again()
    branch.ebb = NOTHING
    for position in range(branch.cursor + 1):
        record = progress.records.get(branch.at(position))
        if record is None or not _kept(progress, record):
            branch.cursor = position
            _go_on(progress, branch, record, given, at)
            return
        progress.mended.pop(record.address, None)
        branch.plain = branch.plain and (record.state == "skipped" or is_plain(progress, record))
    branch.tip = lay(branch.tip, given, "")
    pass_on(progress, progress.records[branch.here()], plain=branch.plain)


def _kept(progress: Progress, record: Record) -> bool:
    if record.state not in {"success", "skipped"}:
        return False
    return all(_is_whole(progress, inner) for inner in _counted(progress, record))


def _counted(progress: Progress, record: Record) -> Iterator[Branch]:
    """Return the branches whose deltas count: what a tolerated branch or a loser did was undone when it passed."""
    if record.state not in {"success", "skipped"}:
        return  # a basin that failed, and the chain went on
    for inner in progress.inside.get(record.address, ()):
        if record.counts(inner) if isinstance(record, JoinRecord) else inner.state == "success":
            yield inner


def _is_whole(progress: Progress, branch: Branch) -> bool:
    """Say whether nothing in a branch was undone."""
    records = (progress.records[branch.at(position)] for position in range(branch.cursor + 1))
    return all(
        record.state not in _UNDONE and all(_is_whole(progress, inner) for inner in _counted(progress, record))
        for record in records
    )


def _go_on(progress: Progress, branch: Branch, record: Record | None, given: Delta, at: int) -> None:
    """Let the first stream that is not kept go on inside, or begin anew."""
    match record:
        case RiverRecord() if _still_polls(record):
            branch.tip = lay(branch.tip, given, "")
            _poll_on(progress, record, at)
            return
        case JoinRecord() if (inside := _worth_going_on(progress, record)) is not None:
            branch.tip = lay(record.before, given, "")
            _join_on(progress, record, inside, given, at)
            return
        case BasinRecord() if _was_at_work(progress, record):
            branch.tip = lay(record.before, given, "")
            _basin_on(progress, record, at)
            return
        case None:
            pass
        case _:
            branch.tip = record.before
    branch.tip = lay(branch.tip, given, "")
    reach(progress, branch)


def _was_at_work(progress: Progress, basin: BasinRecord) -> bool:
    """Say whether a basin goes on inside: it was entered, was not to be tried again, and not all in it is kept."""
    if not basin.entered:
        return False
    inside = progress.inside[basin.address][0]
    return not (inside.scope is not None and inside.scope.again) and not _is_done(progress, inside)


def _still_polls(river: RiverRecord) -> bool:
    return river.state == "fail" and river.first > 0 and river.failure is not None and river.failure.kind in _GOES_ON


def _poll_on(progress: Progress, river: RiverRecord, at: int) -> None:
    """Let a river whose polls or time ran out poll again, with fresh budgets, in the same run."""
    river.anchor = progress.anchors.get(template_of(river.address), river.anchor)
    river.state = check_stream(river.address, river.state, "cycling")
    river.polls = river.failed_polls = river.now.polls = river.spent = 0
    river.turn = river.since = at
    river.first = river.due = at + first_poll(river.anchor, "", 0.0)
    river.failure = None
    # what waits untaken is news again: nobody can read from the facts what an earlier poll had seen
    river.now.due = river.now.alarm = river.now.seen = 0
    progress.signals.listen(river)
    if river.anchor.atomic and river.begun:
        progress.atomics[river] = None
    progress.begins.append(river)


def _is_done(progress: Progress, branch: Branch) -> bool:
    return branch.state == "success" and _is_whole(progress, branch)


def _worth_going_on(progress: Progress, join: JoinRecord) -> list[Branch] | None:
    """Return the branches of a join that goes on by its branches; None if it begins anew."""
    inside = progress.inside.get(join.address)
    if inside is None or join.race:
        return None
    if join.begun == (join.count if isinstance(join.place, EachPlace) else 0):
        return None if all(_is_done(progress, inner) for inner in inside) else inside
    return inside


def _join_on(progress: Progress, join: JoinRecord, inside: list[Branch], given: Delta, at: int) -> None:
    join.open_again()
    join.state = check_stream(join.address, join.state, "running")
    again = [inner for inner in inside if not _is_done(progress, inner)]
    join.open = len(again) + (join.count - join.begun if isinstance(join.place, EachPlace) else 0)
    for inner in again:
        inner.given = over(inner.given, given)
        if isinstance(join.place, EachPlace):
            inner.rank = 0
            inner.state = "cancelled"  # until its turn comes; nothing of it is collected if that never does
            join.again.append(partial(_later, progress, inner))
        else:
            rewind(progress, inner, at)
    begin_items(progress, join)
    progress.ends.append(join)


def _later(progress: Progress, branch: Branch) -> None:
    rewind(progress, branch, progress.last)


def _basin_on(progress: Progress, basin: BasinRecord, at: int) -> None:
    basin.state = check_stream(basin.address, basin.state, "running")
    basin.attempt = 1
    basin.spent = 0
    basin.failure = None
    basin.now.failure = None
    rewind(progress, progress.inside[basin.address][0], at)

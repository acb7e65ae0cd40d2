"""What comes after what, and how is an end carried upward?

Applies only: reaching the next stream of a chain, forking into branches, and carrying ends up to joins, basins and the
flow, which are then put on the agenda to be considered.
"""

from vastflow.course.delta import lay
from vastflow.course.facts import NOTHING, Delta
from vastflow.course.now import UNMARKED
from vastflow.course.progress import Progress
from vastflow.course.records import BasinRecord, Branch, JoinRecord, Record, RiverRecord
from vastflow.course.spread import items_under, tolerated
from vastflow.course.states import StreamState, check_stream
from vastflow.drawing.addresses import template_of
from vastflow.drawing.chart import BasinPlace, EachPlace, ParallelPlace, Place, RiverPlace
from vastflow.errors import Failure

__all__ = ["ask_again", "ask_part", "begin_items", "cancel_branches", "end", "fork", "is_plain", "pass_on", "reach"]


def reach(progress: Progress, branch: Branch) -> None:
    """Let a chain come to the stream at its cursor, which is begun anew if it was begun before."""
    place = branch.chain[branch.cursor]
    address = branch.prefix + place.name + branch.suffix
    record = _reached(progress, branch, place, address)
    if (before := progress.records.get(address)) is not None:
        record.run = before.run + 1
        progress.inside.pop(address, None)  # what it held is none of this run's
        if isinstance(before, RiverRecord) and isinstance(record, RiverRecord):
            record.now.abandoned = before.now.abandoned  # they are this river's still
    progress.records[address] = record
    record.state = check_stream(address, record.state, "running")
    if address in progress.mended:
        _pass_mended(progress, record, progress.mended.pop(address))
    elif isinstance(record, JoinRecord) and isinstance(record.place, ParallelPlace):
        fork(progress, record, record.place)
    else:
        progress.begins.append(record)


def _pass_mended(progress: Progress, record: Record, delta: Delta | None) -> None:
    """Let a stream count as done that somebody skipped (None) or completed (with this delta) before its round."""
    record.state = check_stream(record.address, record.state, "skipped" if delta is None else "success")
    record.branch.tip = lay(record.branch.tip, delta or NOTHING, record.address)
    pass_on(progress, record, plain=delta is None)


def _reached(progress: Progress, branch: Branch, place: Place, address: str) -> Record:
    if isinstance(place, RiverPlace):
        anchor = progress.anchors.get(template_of(address), place.anchor) if progress.anchors else place.anchor
        return RiverRecord(place, address, branch, anchor, progress.last)
    return BasinRecord(place, address, branch) if isinstance(place, BasinPlace) else JoinRecord(place, address, branch)


def fork(progress: Progress, join: JoinRecord, place: ParallelPlace) -> None:
    """Begin all branches of a parallel river."""
    join.fork.forked = True
    branches = [
        Branch(chain, join, number, join.branch.prefix, join.fork) for number, chain in enumerate(place.branches)
    ]
    join.open = len(branches)
    progress.inside[join.address] = branches
    for each in branches:
        reach(progress, each)


def begin_items(progress: Progress, join: JoinRecord) -> None:
    """Begin as many items of an `each` as may be under way at once."""
    place = join.place
    if not isinstance(place, EachPlace) or join.dropped or join.failing is not None or join.branch.in_cancelled():
        return
    limit = place.limit or join.count
    while (later := join.later()) and join.open - later < limit:
        if join.again:
            join.again.popleft()()
            continue
        number = join.begun
        join.begun += 1
        reach(progress, _item(progress, join, place, number))


def _item(progress: Progress, join: JoinRecord, place: EachPlace, number: int) -> Branch:
    prefix, suffix = items_under(join, place, number)
    water = lay(join.branch.tip, Delta({place.item: (join.items or ())[number]}), f"{join.address}[{number}]")
    branch = Branch(place.streams, join, number, prefix, water)
    branch.suffix = suffix
    progress.inside[join.address].append(branch)
    return branch


def end(progress: Progress, record: Record, state: StreamState, failure: Failure | None = None, cause: int = 0) -> None:
    """End a stream, and carry that upward; `cause` is the number of the fact that said its failure first."""
    record.state = check_stream(record.address, record.state, state)
    if isinstance(record, RiverRecord):
        _leave_river(progress, record)
    if state in {"fail", "cancelled"}:
        branch = record.branch
        branch.state = state
        branch.plain = False
        branch.failure = failure
        branch.cause = cause or progress.number
        _carry(progress, branch)
    else:
        plain = state == "skipped" or (not isinstance(record, RiverRecord) and is_plain(progress, record))
        pass_on(progress, record, plain=plain)


def pass_on(progress: Progress, record: Record, *, plain: bool) -> None:
    """Let a chain go on behind a stream; `plain`: nothing was done in it."""
    branch = record.branch
    if not plain:
        branch.plain = False
    if branch.cursor + 1 < len(branch.chain):
        branch.cursor += 1
        reach(progress, branch)
    else:
        branch.state = "success"
        _carry(progress, branch)


def is_plain(progress: Progress, record: Record) -> bool:
    """Say whether nothing was done in a parallel river or a basin that ended well: all in it was skipped."""
    if isinstance(record, RiverRecord) or isinstance(record.place, EachPlace):
        return False
    inside = progress.inside.get(record.address, [])
    return bool(inside) and all(inner.plain and inner.state == "success" for inner in inside)


def _leave_river(progress: Progress, river: RiverRecord) -> None:
    """Keep what its undo will see; let all that were only asked to stop have their grace from now on."""
    if river.out:
        river.out = False
    river.marks = UNMARKED
    if river.anchor.signals:
        progress.signals.forget(river)
    if "undo" in river.place.bodies:
        river.left = river.branch.tip
    if progress.atomics and progress.atomics.pop(river, river) is None and (parts := river.branch.cancelled_around()):
        ask_part(progress, parts[-1])


def _carry(progress: Progress, branch: Branch) -> None:
    above = branch.above
    if isinstance(above, JoinRecord):
        above.open -= 1
        if branch.state == "fail":
            above.failed += 1
            branch.rank = above.failed
            if not above.cause or branch.cause < above.cause:
                above.first, above.cause = branch.failure, branch.cause
        if isinstance(above.place, EachPlace) and above.failed <= tolerated(above):
            begin_items(progress, above)
    progress.ends.append(branch)


def cancel_branches(progress: Progress, join: JoinRecord, numbers: tuple[int, ...]) -> None:
    """Cancel these branches of a parallel river."""
    inside = progress.inside[join.address]
    for number in numbers:
        inside[number].cancelled = True
        ask_again(progress, inside[number])
    progress.ends.append(join)


def ask_part(progress: Progress, part: JoinRecord | Branch) -> None:
    """Put every live stream of a part that is being cancelled on the agenda."""
    for branch in progress.inside[part.address] if isinstance(part, JoinRecord) else (part,):
        ask_again(progress, branch)


def ask_again(progress: Progress, branch: Branch) -> None:
    """Put all that is not done in a branch on the agenda: after a cancel, after a pause, and after a restart."""
    if branch.scope is not None and not branch.scope.done:
        record = progress.records[branch.scope.queue[branch.scope.position]]
        progress.begins.append(record)
        return
    if branch.ended:
        progress.ends.append(branch)
        return
    record = progress.records[branch.here()]
    progress.begins.append(record)
    if not isinstance(record, RiverRecord):
        progress.ends.append(record)
    for inner in progress.inside.get(record.address, ()):
        ask_again(progress, inner)

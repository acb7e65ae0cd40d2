"""What comes after what, and how is an end carried upward?

Applies only: reaching the next stream of a chain, forking into branches, and carrying ends up to joins, basins and the
flow, which are then put on the agenda to be considered.
"""

from vastflow.course.delta import Sheet, lay, merged
from vastflow.course.progress import BasinRecord, Branch, JoinRecord, Progress, Record, RiverRecord
from vastflow.course.states import ENDED, StreamState, check_stream
from vastflow.drawing.chart import BasinPlace, EachPlace, ParallelPlace, RiverPlace
from vastflow.errors import CourseError, Failure

__all__ = ["ask_again", "end", "reach", "sea_sheet"]


def reach(progress: Progress, branch: Branch) -> None:
    """Let a chain come to the stream at its cursor."""
    address = branch.here()
    match branch.chain[branch.cursor]:
        case RiverPlace() as place:
            anchor = progress.anchors.get(address, place.anchor)
            river = RiverRecord(place, address, branch, anchor)
            _begin(progress, river)
            progress.begins.append(river)
        case ParallelPlace() as place:
            join = JoinRecord(place, address, branch)
            _begin(progress, join)
            _fork(progress, join)
        case BasinPlace() as place:
            basin = BasinRecord(place, address, branch)
            _begin(progress, basin)
            progress.begins.append(basin)
        case EachPlace() as place:
            message = f"{address}: this release cannot run ParallelRiver.each"
            raise CourseError(message)


def end(progress: Progress, record: Record, state: StreamState, failure: Failure | None = None, cause: int = 0) -> None:
    """End a stream, and carry that upward; `cause` is the number of the fact that said its failure first."""
    record.state = check_stream(record.address, record.state, state)
    branch = record.branch
    if state != "success":
        branch.state = state
        branch.failure = failure
        branch.cause = cause or progress.number
        _carry(progress, branch)
    elif branch.cursor + 1 < len(branch.chain):
        branch.cursor += 1
        reach(progress, branch)
    else:
        branch.state = "success"
        _carry(progress, branch)


def ask_again(progress: Progress, branch: Branch) -> None:
    """Put every live stream of a branch on the agenda: after a cancel, and after a restart."""
    if branch.state in ENDED:
        return
    record = progress.records[branch.here()]
    match record:
        case RiverRecord():
            progress.begins.append(record)
        case BasinRecord():
            progress.begins.append(record)
            progress.ends.append(record)
        case JoinRecord():
            progress.ends.append(record)
    for inner in progress.inside.get(record.address, ()):
        ask_again(progress, inner)


def sea_sheet(progress: Progress, branch: Branch) -> Sheet:
    """Return a chain's water with what the ended branches of joins that did not pass left, later ones winning."""
    record = progress.records[branch.here()]
    if not isinstance(record, JoinRecord) or record.state == "success":
        return branch.tip
    tips = [sea_sheet(progress, inner) for inner in progress.inside[record.address]]
    delta, _ = merged(tips, branch.tip)
    return lay(branch.tip, delta, record.address)


def _begin(progress: Progress, record: Record) -> None:
    progress.records[record.address] = record
    record.state = check_stream(record.address, record.state, "running")


def _fork(progress: Progress, join: JoinRecord) -> None:
    branch = join.branch
    branch.tip.forked = True
    branches = [
        Branch(chain, join, number, branch.prefix, branch.tip) for number, chain in enumerate(join.place.branches)
    ]
    join.open = len(branches)
    progress.inside[join.address] = branches
    for each in branches:
        reach(progress, each)


def _carry(progress: Progress, branch: Branch) -> None:
    above = branch.above
    if isinstance(above, JoinRecord):
        above.open -= 1
        if branch.state == "fail":
            above.failed += 1
            if not above.cause or branch.cause < above.cause:
                above.first, above.cause = branch.failure, branch.cause
    progress.ends.append(above)

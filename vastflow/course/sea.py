"""Which water does the Atlantic see?

That of the flow, and after a failure also what the branches of unfinished joins and the undos wrote.
"""

from vastflow.course.delta import Sheet, lay, merged, over
from vastflow.course.facts import NOTHING, Delta
from vastflow.course.progress import Progress
from vastflow.course.records import ATLANTIC, Branch, JoinRecord
from vastflow.course.spread import collected
from vastflow.course.states import check_flow
from vastflow.drawing.chart import EachPlace, ParallelPlace

__all__ = ["come_to_sea"]


def come_to_sea(progress: Progress, at: int) -> None:
    """Let the flow come to its Atlantic: all streams have ended, and all that had to be is undone."""
    progress.state = check_flow(progress.state, "ending")
    progress.sea = progress.root.tip if progress.outcome == "success" else _of_all(progress)
    progress.mouth.due = at
    progress.begins.append(progress.mouth)


def _of_all(progress: Progress) -> Sheet:
    """Return what all chains left, and over it what their undos wrote."""
    return lay(_left(progress, progress.root), _ebbs(progress, progress.root), ATLANTIC)


def _left(progress: Progress, branch: Branch) -> Sheet:
    """Return a chain's water with what the ended branches of joins that did not pass left, later ones winning."""
    record = progress.records.get(branch.here())
    if isinstance(record, JoinRecord) and record.address in progress.inside and record.state != "success":
        return lay(branch.tip, _unmerged(progress, record), record.address)
    return branch.tip


def _unmerged(progress: Progress, join: JoinRecord) -> Delta:
    if isinstance(join.place, EachPlace):
        return collected(progress, join, join.place)
    delta, _ = merged([_left(progress, inner) for inner in progress.inside[join.address]], join.fork)
    return delta


def _ebbs(progress: Progress, branch: Branch) -> Delta:
    """Return what undos wrote in a chain, and in those branches of its joins whose deltas count."""
    total = NOTHING
    for position in range(branch.cursor + 1):
        record = progress.records.get(branch.at(position))
        if isinstance(record, JoinRecord) and isinstance(record.place, ParallelPlace):
            for inner in progress.inside.get(record.address, ()):
                if record.state != "success" or record.counts(inner):
                    total = over(total, _ebbs(progress, inner))
    return over(total, branch.ebb)

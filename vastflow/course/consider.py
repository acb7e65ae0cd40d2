"""What follows from the state of a stream?

Looks at one entry of the agenda and says which facts follow; a stream that may begin gives an order.
"""

from vastflow.course.basin import consider_basin, consider_entry
from vastflow.course.begin import consider_river, do_or_wait, go
from vastflow.course.decide import stamped
from vastflow.course.events import Rules
from vastflow.course.facts import Body, Cancelled, Fact, What
from vastflow.course.join import consider_branch, consider_join
from vastflow.course.orders import Order, Recall
from vastflow.course.outcome import consider_flow
from vastflow.course.progress import Progress
from vastflow.course.records import BasinRecord, Branch, JoinRecord, MouthRecord, RiverRecord
from vastflow.course.spread import expand
from vastflow.course.states import LIVE
from vastflow.drawing.chart import EachPlace

__all__ = ["consider_begin", "consider_end"]


def consider_end(progress: Progress, at: int, rules: Rules, orders: list[Order]) -> list[Fact]:
    """Look at what ended last: return the facts that follow."""
    ended = progress.ends.pop()
    record = ended.above if isinstance(ended, Branch) else ended
    match record:
        case JoinRecord():
            what = consider_branch(progress, record, ended) if isinstance(ended, Branch) else None
            if what is None and not _is_beside(record, progress.ends):
                what = consider_join(progress, record, rules)
            return stamped(record, at, what) if what is not None else []
        case BasinRecord():
            return stamped(record, at, consider_basin(progress, record, at, rules, orders))
        case None:
            what = consider_flow(progress)
            return [Fact(at, "", 1, 0, what)] if what is not None else []


def _is_beside(join: JoinRecord, ends: list[Branch | JoinRecord | BasinRecord]) -> bool:
    """Say whether another branch of the join comes next: all are looked at before the join is."""
    return bool(ends) and isinstance(ends[-1], Branch) and ends[-1].above is join


def consider_begin(progress: Progress, at: int, rules: Rules, orders: list[Order]) -> list[Fact]:
    """Look at what is to begin, first come first: return the facts that follow, and add its order."""
    record = progress.begins.popleft()
    if isinstance(record, RiverRecord):
        what = consider_river(progress, record, at, rules, orders)
        return stamped(record, at, what) if what is not None else []
    match record:
        case MouthRecord():
            _consider_mouth(progress, record, at, rules, orders)
            return []
        case BasinRecord():
            return stamped(record, at, consider_entry(record, at, rules, orders, held=progress.held))
        case JoinRecord():
            return stamped(record, at, _consider_each(record))


def _consider_each(join: JoinRecord) -> What | None:
    if join.state not in LIVE or join.count >= 0 or not isinstance(join.place, EachPlace):
        return None
    return Cancelled() if join.branch.in_cancelled() else expand(join, join.place)


def _consider_mouth(progress: Progress, mouth: MouthRecord, at: int, rules: Rules, orders: list[Order]) -> None:
    now = mouth.now
    if progress.state != "ending":
        return
    if now.doing != "body":
        body: Body = "success" if progress.outcome == "success" else "fail"
        if not progress.held and not now.doing:
            do_or_wait(mouth, mouth.due, at, body, rules, orders)
    elif now.ready:
        go(mouth, orders)
    elif progress.held:
        orders.append(Recall(mouth, now.ticket))

"""What follows from the state of a stream?

Looks at one entry of the agenda and says which facts follow; a stream that may begin gives an order.
"""

from vastflow.course.decide import stamped
from vastflow.course.events import Rules
from vastflow.course.facts import Cancelled, Fact, Failed, What
from vastflow.course.join import consider_join
from vastflow.course.orders import Body, Cross, Do, Order, Stop, Wait
from vastflow.course.outcome import consider_flow
from vastflow.course.progress import BasinRecord, Branch, JoinRecord, MouthRecord, Progress, RiverRecord
from vastflow.course.schedule import after_seconds
from vastflow.course.states import ENDED
from vastflow.errors import Failure

__all__ = ["consider_begin", "consider_end"]


def consider_end(progress: Progress, at: int, rules: Rules, orders: list[Order]) -> list[Fact]:
    """Look at what ended last: return the facts that follow."""
    record = progress.ends.pop()
    match record:
        case None:
            what = consider_flow(progress) if progress.state == "running" else None
            return [Fact(at, "", 1, 0, what)] if what is not None else []
        case JoinRecord():
            what = consider_join(record, progress.inside[record.address], rules)
            return stamped(record, at, [what]) if what is not None else []
        case BasinRecord():
            return stamped(record, at, _basin_ended(progress, record, rules, orders))


def _basin_ended(progress: Progress, basin: BasinRecord, rules: Rules, orders: list[Order]) -> list[What]:
    if not basin.entered or basin.state in ENDED or basin.now.doing:
        return []
    inside = progress.inside[basin.address][0]
    match inside.state:
        case "success":
            orders.append(Cross(basin, "out", basin.now.out("cross", rules.ticket())))
            return []
        case "fail":
            return [Failed(_of_basin(basin, inside))]
        case "cancelled":
            return [Cancelled()]
        case _:
            return []


def _of_basin(basin: BasinRecord, inside: Branch) -> Failure:
    cause = inside.failure
    kind = cause.kind if cause is not None else "error"
    return Failure(
        kind, f"basin {basin.address} failed", basin.address, code=cause.code if cause else None, cause=cause
    )


def consider_begin(progress: Progress, at: int, rules: Rules, orders: list[Order]) -> list[Fact]:
    """Look at what is to begin, first come first: return the facts that follow, and add its order."""
    record = progress.begins.popleft()
    match record:
        case MouthRecord():
            if not record.now.doing:
                orders.append(_do_or_wait(record, record.due, at, _last_body(progress), rules))
            return []
        case RiverRecord():
            return _consider_river(record, at, rules, orders)
        case BasinRecord():
            return _consider_entry(record, at, rules, orders)


def _consider_river(river: RiverRecord, at: int, rules: Rules, orders: list[Order]) -> list[Fact]:
    if river.state in ENDED:
        return []
    if river.branch.in_cancelled():
        if river.now.doing == "body":
            orders.append(Stop(river, at + after_seconds(rules.cancel_grace), river.now.ticket))
            return []
        river.now.back()
        return stamped(river, at, [Cancelled()])
    if not river.now.doing:
        body: Body = "cycle" if river.state == "cycling" else "flow"
        orders.append(_do_or_wait(river, river.now.due or river.due, at, body, rules))
    return []


def _consider_entry(basin: BasinRecord, at: int, rules: Rules, orders: list[Order]) -> list[Fact]:
    if basin.entered or basin.state in ENDED or basin.now.doing:
        return []
    if basin.branch.in_cancelled():
        return stamped(basin, at, [Cancelled()])
    orders.append(Cross(basin, "in", basin.now.out("cross", rules.ticket())))
    return []


def _do_or_wait(record: RiverRecord | MouthRecord, due: int, at: int, body: Body, rules: Rules) -> Order:
    if due <= at:
        return Do(record, body, record.now.out("body", rules.ticket()))
    record.now.due = due
    return Wait(record, due, record.now.out("wait", rules.ticket()))


def _last_body(progress: Progress) -> Body:
    return "success" if progress.outcome == "success" else "fail"

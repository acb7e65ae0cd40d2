"""What follows when what a basin holds has ended?

Decides only: it lets its outputs out, is tried again, lets its flow go on, or fails.
"""

from vastflow.course.events import Rules
from vastflow.course.facts import Cancelled, Continued, Failed, Retrying, Undoing, What
from vastflow.course.failures import rewrite
from vastflow.course.orders import Cross, Order, Wait
from vastflow.course.progress import Progress
from vastflow.course.records import BasinRecord, Branch
from vastflow.course.schedule import retry_wait
from vastflow.course.states import LIVE
from vastflow.course.undo import to_undo
from vastflow.drawing.call import key_of
from vastflow.errors import Failure

__all__ = ["consider_basin", "consider_entry"]


def consider_basin(progress: Progress, basin: BasinRecord, at: int, rules: Rules, orders: list[Order]) -> What | None:
    """Return what follows from the end of what it holds, if anything does."""
    if basin.state not in LIVE or basin.now.doing:
        return None
    inside = progress.inside[basin.address][0] if basin.entered else None
    if basin.now.failure is not None:
        if inside is None and basin.branch.in_cancelled():
            return Cancelled(basin.now.failure)  # it was being cancelled already when its water came
        return _failed(progress, basin, inside, basin.now.failure, at, rules)
    if inside is not None and inside.state == "fail":
        return _failed(progress, basin, inside, _of_basin(basin, inside), at, rules)
    if inside is not None and inside.state == "success":
        orders.append(Cross(basin, "out", basin.now.out("cross", rules.ticket())))
    return Cancelled() if inside is not None and inside.state == "cancelled" else None


def _of_basin(basin: BasinRecord, inside: Branch) -> Failure:
    cause = inside.failure
    kind = cause.kind if cause is not None else "error"
    return Failure(
        kind, f"basin {basin.address} failed", basin.address, code=cause.code if cause else None, cause=cause
    )


def _failed(
    progress: Progress, basin: BasinRecord, inside: Branch | None, failure: Failure, at: int, rules: Rules
) -> What | None:
    """Return its undo, another attempt, that the flow goes on, or its failure."""
    left = basin.spent < basin.place.retry.times
    again = left and not basin.branch.in_cancelled()
    scope = inside.scope if inside is not None else None
    if scope is not None and not scope.done:
        return None
    undone_here = scope is None and (again or basin.place.continue_on_failure)
    if inside is not None and undone_here and (queue := to_undo(progress, inside)):
        return Undoing(failure, 0, queue, again)
    if again:
        key = key_of(progress.uid, basin.address, basin.run)
        return Retrying(at + retry_wait(basin.place.retry, basin.spent + 1, key, rules.jitter), failure)
    if scope is not None and scope.again:
        return Cancelled(failure)  # it was to be tried again
    if basin.spent and not left:
        failure = rewrite(failure, "retries-exhausted")
    return Continued(failure) if basin.place.continue_on_failure else Failed(failure)


def consider_entry(basin: BasinRecord, at: int, rules: Rules, orders: list[Order], *, held: bool) -> What | None:
    """Let water in, or wait for the next attempt; `held`: nothing may begin now."""
    if basin.entered or basin.state not in LIVE or basin.now.failure is not None:
        return None
    if basin.branch.in_cancelled():
        if basin.now.doing != "cross":
            basin.now.back()
            return Cancelled()
        return None
    if basin.now.doing or held:
        return None
    if basin.due > at:
        orders.append(Wait(basin, basin.due, basin.now.out("wait", rules.ticket())))
    else:
        orders.append(Cross(basin, "in", basin.now.out("cross", rules.ticket())))
    return None

"""May a river's next body begin, and what must be on disk before it?

Decides only: from a river's state to the order that calls its body, to a wait, or to its end.
"""

from vastflow.course.events import Rules
from vastflow.course.facts import Begun, Body, Cancelled, Failed, What
from vastflow.course.failures import deadline_over
from vastflow.course.orders import Alarm, Do, Go, Order, Recall, Stop, Wait
from vastflow.course.progress import Progress
from vastflow.course.records import NEVER, Branch, JoinRecord, MouthRecord, RiverRecord
from vastflow.course.schedule import after_seconds
from vastflow.course.states import LIVE
from vastflow.course.undo import scope_of, undo_late

__all__ = ["consider_river", "do_or_wait", "go"]


def consider_river(progress: Progress, river: RiverRecord, at: int, rules: Rules, orders: list[Order]) -> What | None:
    """Look at a river: return the fact that follows, if one does, or add its order."""
    if river.state == "undoing":
        return _consider_undo(progress, river, at, rules, orders)
    if river.state not in LIVE:
        return None
    if river.branch.in_cancelled() and not river.unstoppable:  # `stopped`, written out: a property costs a call
        return _stop(progress, river, at, rules, orders)
    if river.anchor.deadline is not None and (over := _deadline(river, at, rules, orders)) is not None:
        return over
    if progress.held:
        _hold(river, orders)
        return None
    return _begin(progress, river, at, rules, orders)


def _stop(progress: Progress, river: RiverRecord, at: int, rules: Rules, orders: list[Order]) -> What | None:
    """Ask the body that is out to stop; without one, it has ended."""
    if river.now.doing == "body":
        grace = 0 if _atomics_around(progress, river) else at + after_seconds(rules.cancel_grace)
        orders.append(Stop(river, grace, river.now.ticket))
        return None
    river.now.back()
    return Cancelled()


def _atomics_around(progress: Progress, river: RiverRecord) -> bool:
    """Say whether rivers that cannot be stopped still run in every part around it that is being cancelled."""
    if not progress.atomics:
        return False
    parts = river.branch.cancelled_around()
    return all(any(_lies_in(each.branch, part) for each in progress.atomics) for part in parts)


def _lies_in(branch: Branch, part: JoinRecord | Branch | None) -> bool:
    around: Branch | None = branch
    while around is not None:
        if around is part or around.above is part:
            return True
        around = around.above.branch if around.above is not None else None
    return False


def _deadline(river: RiverRecord, at: int, rules: Rules, orders: list[Order]) -> What | None:
    """Return the river's failure if its deadline is over and nothing is out, and let it be watched otherwise."""
    due = river.turn + after_seconds(river.anchor.deadline or 0.0)
    if due <= at and river.now.doing != "body":
        river.now.back()
        return Failed(deadline_over(river), river.now.polls)
    if not river.now.alarm:
        river.now.alarm = rules.ticket()
        orders.append(Alarm(river, due, river.now.alarm))
    return None


def _hold(river: RiverRecord | MouthRecord, orders: list[Order]) -> None:
    """Take back what has not begun."""
    if river.now.doing == "body" and not river.now.ready:
        orders.append(Recall(river, river.now.ticket))


def _begin(progress: Progress, river: RiverRecord, at: int, rules: Rules, orders: list[Order]) -> What | None:
    now = river.now
    if now.doing == "body":
        if now.ready:
            go(river, orders)
        return None
    body, due = _next_body(river), now.due or river.due
    now.extra = False
    if body == "cycle":
        now.sees = max(progress.signals.last(river.anchor.signals), now.seen)
        woken = max(at, now.hold) if now.sees <= now.tried else at
        now.extra = now.sees > now.seen and due > woken
        due = woken if now.extra else due
    if now.doing and due > at and not now.extra:
        return None
    if now.doing:
        now.back()
    if due <= at and _begin_must_be_kept(river, body):
        return Begun("flow")
    do_or_wait(river, due, at, body, rules, orders)
    return None


def _next_body(river: RiverRecord) -> Body:
    match river.state:
        case "cycling":
            return "cycle"
        case "in-doubt":
            return "reconcile"
        case _:
            return "flow" if river.chosen else "when"


def _begin_must_be_kept(river: RiverRecord, body: Body) -> bool:
    """Say whether it must be on disk that the turn of this body came (10.3), and is not yet."""
    if body != "flow" or river.now.again or river.anchor.at_most_once:
        return False  # the others are kept once a thread is free
    if "reconcile" in river.place.bodies:
        return river.tried < river.attempt
    return not river.begun and (river.anchor.atomic or "undo" in river.place.bodies)


def _is_gated(record: RiverRecord | MouthRecord, body: Body) -> bool:
    """Say whether a body's begin must be on disk once a thread is free for it."""
    if record.now.again:
        return True
    return body == "flow" and isinstance(record, RiverRecord) and record.anchor.at_most_once


def do_or_wait(
    record: RiverRecord | MouthRecord, due: int, at: int, body: Body, rules: Rules, orders: list[Order]
) -> None:
    """Order a body if it is due, else a wait for it."""
    now = record.now
    if due <= at:
        now.body = body
        alone = record.marks.count >= rules.crash_limit
        orders.append(Do(record, body, now.out("body", rules.ticket()), _is_gated(record, body), alone))
        return
    if not now.extra:
        now.due = due
    if due < NEVER:
        orders.append(Wait(record, due, now.out("wait", rules.ticket())))


def go(record: RiverRecord | MouthRecord, orders: list[Order]) -> None:
    """Let a gated body run: its begin is being written."""
    record.now.ready = False
    orders.append(Go(record, record.now.ticket))


def _consider_undo(progress: Progress, river: RiverRecord, at: int, rules: Rules, orders: list[Order]) -> What | None:
    """Call an undo, or wait for what is in its way until its deadline."""
    scope, now = scope_of(river), river.now
    if now.doing == "body":
        if now.ready:
            go(river, orders)
        elif progress.held:
            _hold(river, orders)
        return None
    deadline = scope.since + after_seconds(river.anchor.undo_deadline)
    if deadline <= at:
        now.back()
        return undo_late(river)
    if not now.alarm:
        now.alarm = rules.ticket()
        orders.append(Alarm(river, deadline, now.alarm))
    return None if now.abandoned or progress.held else _begin_undo(river, at, rules, orders)


def _begin_undo(river: RiverRecord, at: int, rules: Rules, orders: list[Order]) -> What | None:
    scope = scope_of(river)
    river.now.back()
    river.now.extra = False
    if scope.due <= at and scope.begun < scope.attempt and not river.now.again:
        return Begun("undo")
    do_or_wait(river, scope.due, at, "undo", rules, orders)
    return None

"""How are the course's orders carried out?

Each becomes a message to the actor that does it, or a timer on the wheel.
"""

from collections.abc import Sequence

import msgspec

from vastflow.actors.directory import Directory
from vastflow.actors.flow import FlowRecord
from vastflow.actors.messages import (
    Abandon,
    AlarmOver,
    Call,
    Cancel,
    Cancelling,
    Due,
    Enter,
    Go,
    GraceOver,
    Leave,
    Recall,
    Withdrawn,
)
from vastflow.course.delta import Sheet
from vastflow.course.orders import Alarm, Cross, Do, Order, Stop, Wait
from vastflow.course.orders import Go as GoOrder
from vastflow.course.orders import Recall as RecallOrder
from vastflow.course.records import ATLANTIC, MouthRecord, RiverRecord
from vastflow.course.undo import scope_of
from vastflow.drawing.addresses import template_of
from vastflow.runtime import Ref, Runtime

__all__ = ["give", "let_go"]

_TAKING = frozenset({"flow", "cycle"})  # bodies that may take signals


def give(flow: FlowRecord, orders: Sequence[Order], me: Ref, runtime: Runtime, directory: Directory) -> None:
    """Carry out the orders of one step; one whose ticket is not current any more is left out."""
    for order in orders:
        if isinstance(order, Alarm):
            _watch(flow, order, me, runtime)
        elif order.record.now.ticket != order.ticket:
            _leave_out(flow, order, me)
        elif isinstance(order, Do):  # nearly all are
            _actor(order.record, directory).tell(_call(flow, order))
        elif isinstance(order, Wait):
            _wait(flow, order, me, runtime)
        elif isinstance(order, Stop):
            _stop(flow, order, me, runtime, directory)
        else:
            _tell(flow, order, directory)


def _leave_out(flow: FlowRecord, order: Order, me: Ref) -> None:
    """Say of a body that was given up before it was called that it does not run: nobody else will."""
    if isinstance(order, Do) and order.ticket in order.record.now.abandoned:
        me.tell(Withdrawn(flow, order.record.address, order.ticket))


def _tell(flow: FlowRecord, order: GoOrder | RecallOrder | Cross, directory: Directory) -> None:
    match order:
        case GoOrder(record=record, ticket=ticket):
            _actor(record, directory).tell(Go(flow, record.address, ticket))
        case RecallOrder(record=record, ticket=ticket):
            _actor(record, directory).tell(Recall(flow, record.address, ticket))
        case Cross():
            directory.basin.tell(_crossing(flow, order))


def _actor(record: RiverRecord | MouthRecord, directory: Directory) -> Ref:
    if isinstance(record, RiverRecord):
        return directory.river(record.place.river)
    return directory.atlantic(record.place.atlantic)


def _watch(flow: FlowRecord, order: Alarm, me: Ref, runtime: Runtime) -> None:
    address = order.record.address
    if order.record.now.alarm == order.ticket:
        if (earlier := flow.alarms.pop(address, None)) is not None:
            earlier.cancel()
        flow.alarms[address] = runtime.at(order.due, me, AlarmOver(flow, address, order.ticket))


def _wait(flow: FlowRecord, order: Wait, me: Ref, runtime: Runtime) -> None:
    address, ticket = order.record.address, order.ticket
    _, earlier = flow.waits.pop(address, (0, None))
    if earlier is not None:
        earlier.cancel()
    flow.waits[address] = ticket, runtime.at(order.due, me, Due(flow, address, ticket))


def _stop(flow: FlowRecord, order: Stop, me: Ref, runtime: Runtime, directory: Directory) -> None:
    """Ask once, and let the grace begin once: the earlier it was asked, for a smaller part, the earlier it ends."""
    record, ticket = order.record, order.ticket
    if ticket not in flow.graces:
        flow.graces[ticket] = None
        _actor(record, directory).tell(Cancel(flow, record.address, ticket))
    if order.due and flow.graces[ticket] is None:
        flow.graces[ticket] = runtime.at(order.due, me, GraceOver(flow, record.address, ticket))


def let_go(flow: FlowRecord, address: str, ticket: int, directory: Directory) -> None:
    """Give a body up that is out: its answer counts no longer."""
    flow.drop_timers_of(ticket)
    record = flow.progress.mouth if address == ATLANTIC else flow.progress.records[address]
    if isinstance(record, RiverRecord | MouthRecord):
        _actor(record, directory).tell(Abandon(flow, address, ticket))


def _call(flow: FlowRecord, order: Do) -> Call:
    record = order.record
    if isinstance(record, MouthRecord):
        progress = flow.progress
        return Call(
            flow,
            ATLANTIC,
            order.body,
            order.ticket,
            record.attempt,
            record.run,
            "",
            progress.water,
            progress.failure,
            gated=order.gated,
            lane="end",
        )
    if order.body == "undo":
        return _undo_call(flow, order, record)
    address, place, anchor = record.address, record.place, record.anchor
    return Call(
        flow,
        address,
        order.body,
        order.ticket,
        record.attempt,
        record.run,
        place.color or "",
        record.branch.tip,
        None,
        Cancelling(),
        order.gated,
        order.alone,
        anchor.max_running,
        anchor.timeout is not None,
        "body",
        _signals(flow, record) if anchor.signals and order.body in _TAKING else (),
        template_of(address) if "[" in address else "",
    )


def _undo_call(flow: FlowRecord, order: Do, river: RiverRecord) -> Call:
    scope, branch = scope_of(river), river.branch
    left = river.left if river.left is not None else branch.tip
    return Call(
        flow,
        river.address,
        order.body,
        order.ticket,
        scope.attempt,
        river.run,
        river.place.color or "",
        Sheet(left, branch.ebb, river.address) if branch.ebb else left,
        scope.failure,
        gated=order.gated,
        timed=river.anchor.timeout is not None,
        lane="end",
        template=template_of(river.address),
    )


def _signals(flow: FlowRecord, river: RiverRecord) -> tuple[tuple[int, str, msgspec.Raw], ...]:
    """Return the signals that this river may take, oldest first."""
    waiting = flow.progress.signals.waiting
    found = [(each.number, name, each.value) for name in river.anchor.signals for each in waiting.get(name, ())]
    return tuple(sorted(found, key=lambda each: each[0]))


def _crossing(flow: FlowRecord, order: Cross) -> Enter | Leave:
    record = order.record
    if order.way == "in":
        added = flow.added.get(template_of(record.address), {})
        return Enter(flow, record.address, order.ticket, record.place, record.branch.tip, added)
    inside = flow.progress.inside[record.address][0]
    return Leave(flow, record.address, order.ticket, record.place, inside.tip, record.branch.tip)

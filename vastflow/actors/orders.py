"""How are the course's orders carried out?

Each becomes a message to the actor that does it, or a timer on the wheel.
"""

from collections.abc import Sequence

from vastflow.actors.directory import Directory
from vastflow.actors.flow import FlowRecord
from vastflow.actors.messages import Abandon, Call, Cancel, Due, Enter, GraceOver, Leave
from vastflow.course.orders import Cross, Do, Order, Stop, Wait
from vastflow.course.progress import ATLANTIC, MouthRecord, RiverRecord
from vastflow.runtime import Ref, Runtime

__all__ = ["give", "let_go"]


def give(flow: FlowRecord, orders: Sequence[Order], me: Ref, runtime: Runtime, directory: Directory) -> None:
    """Carry out the orders of one step; one whose ticket is not current any more is left out."""
    for order in orders:
        if order.record.now.ticket != order.ticket:
            continue
        match order:
            case Do():
                _do(flow, order, directory)
            case Wait(record=record, due=due, ticket=ticket):
                flow.timers[ticket] = runtime.at(due, me, Due(flow, record.address, ticket))
            case Stop():
                _stop(flow, order, me, runtime, directory)
            case Cross():
                directory.basin.tell(_crossing(flow, order))


def _do(flow: FlowRecord, order: Do, directory: Directory) -> None:
    record = order.record
    if isinstance(record, RiverRecord):
        directory.river(record.place.river).tell(_call_river(flow, order, record))
    else:
        directory.atlantic(record.place.atlantic).tell(_call_atlantic(flow, order, record))


def _stop(flow: FlowRecord, order: Stop, me: Ref, runtime: Runtime, directory: Directory) -> None:
    record, ticket = order.record, order.ticket
    if ticket not in flow.timers:  # else it was asked before, for a smaller part, and its time runs from then
        flow.timers[ticket] = runtime.at(order.due, me, GraceOver(flow, record.address, ticket))
        directory.river(record.place.river).tell(Cancel(flow, record.address, ticket))


def let_go(flow: FlowRecord, address: str, ticket: int, directory: Directory) -> None:
    """Give a body up that is out: its answer counts no longer."""
    record = flow.progress.records[address]
    if isinstance(record, RiverRecord):
        directory.river(record.place.river).tell(Abandon(flow, address, ticket))


def _call_river(flow: FlowRecord, order: Do, record: RiverRecord) -> Call:
    color = record.place.color or ""
    return Call(flow, record.address, order.body, order.ticket, record.attempt, record.run, color, record.branch.tip)


def _call_atlantic(flow: FlowRecord, order: Do, record: MouthRecord) -> Call:
    progress = flow.progress
    return Call(
        flow, ATLANTIC, order.body, order.ticket, record.attempt, record.run, "", progress.root.tip, progress.failure
    )


def _crossing(flow: FlowRecord, order: Cross) -> Enter | Leave:
    record = order.record
    if order.way == "in":
        added = flow.added.get(record.address, {})
        return Enter(flow, record.address, order.ticket, record.place, record.branch.tip, added)
    inside = flow.progress.inside[record.address][0]
    return Leave(flow, record.address, order.ticket, record.place, inside.tip, record.branch.tip)

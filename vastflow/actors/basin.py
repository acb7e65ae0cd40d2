"""Who carries water over the border of a basin?

What flows in is a copy, what flows out is only what was drawn; whatever is missing fails the basin.
"""

from vastflow.actors.messages import Crossed, Enter, Leave, Strand
from vastflow.course.crossing import flow_in, flow_out
from vastflow.errors import Failure
from vastflow.log import get_logger

__all__ = ["BasinActor"]


class BasinActor:
    """The actor of all basins."""

    def __init__(self, name: str) -> None:
        """Stand at the border."""
        self.name = name
        self._log = get_logger(name)

    def receive(self, message: Enter | Leave) -> None:
        """Carry the water over, and tell the supervisor."""
        message.flow.supervisor.tell(_enter(message) if isinstance(message, Enter) else _leave(message))

    def failed(self, message: Enter | Leave, error: BaseException) -> None:
        """Strand the flow the message was about."""
        self._log.error("handling a message raised", flow=message.flow.id, exc_info=error)
        message.flow.supervisor.tell(Strand(message.flow, f"{type(error).__name__}: {error}"))


def _enter(order: Enter) -> Crossed:
    inside = flow_in(order.place, order.address, order.water.flat(), order.added)
    if isinstance(inside, Failure):
        return Crossed(order.flow, order.address, order.ticket, failure=inside)
    return Crossed(order.flow, order.address, order.ticket, water=inside)


def _leave(order: Leave) -> Crossed:
    outside = flow_out(order.place, order.address, order.water.flat(), order.outside.flat())
    if isinstance(outside, Failure):
        return Crossed(order.flow, order.address, order.ticket, failure=outside)
    return Crossed(order.flow, order.address, order.ticket, delta=outside)

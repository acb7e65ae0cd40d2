"""Who calls the bodies of one River class?

An actor for each class: it hands bodies to worker threads or to the event loop, never running them itself, and tells
the supervisor what they answered.
"""

from vastflow.actors.body import call_body, call_body_async
from vastflow.actors.messages import Abandon, Answered, Call, Cancel, Strand, Withdrawn
from vastflow.log import Masker, get_logger
from vastflow.runtime import Lane, Ref, Running, Runtime

__all__ = ["RiverActor"]


class RiverActor:
    """The actor of one River class, or of one Atlantic class: the waters of many flows run through it."""

    lane: Lane = "body"

    def __init__(self, name: str, runtime: Runtime, masker: Masker) -> None:
        """Have nothing running."""
        self.name = name
        self.me: Ref
        self._runtime = runtime
        self._masker = masker
        self._running: dict[int, tuple[Call, Running]] = {}
        self._log = get_logger(name)

    def receive(self, message: Call | Answered | Cancel | Abandon) -> None:
        """Take an order, or a body's answer."""
        match message:
            case Answered():
                self._running.pop(message.ticket, None)
                message.flow.supervisor.tell(message)
            case Call():
                self._call(message)
            case Cancel():
                self._cancel(message)
            case Abandon():
                self._abandon(message)

    def failed(self, message: Call | Answered | Cancel | Abandon, error: BaseException) -> None:
        """Strand the flow the message was about."""
        self._log.error("handling a message raised", flow=message.flow.id, exc_info=error)
        message.flow.supervisor.tell(Strand(message.flow, f"{type(error).__name__}: {error}"))

    def _call(self, call: Call) -> None:
        self._log.debug(call.body, flow=call.flow.id, river=call.address, attempt=call.attempt, color=call.color)
        if call.flow.bound.is_async(call.address, call.body):
            running = self._runtime.run_async(lambda: call_body_async(call, self._masker, self.name), self.me)
        else:
            running = self._runtime.run(lambda: call_body(call, self._masker, self.name), self.me, lane=self.lane)
        self._running[call.ticket] = (call, running)

    def _cancel(self, order: Cancel) -> None:
        call, running = self._running.get(order.ticket, (None, None))
        if call is None or running is None:
            return
        call.cancelling.asked = True
        if running.withdraw():
            del self._running[order.ticket]
            order.flow.supervisor.tell(Withdrawn(order.flow, order.address, order.ticket))
        else:
            running.cancel()

    def _abandon(self, order: Abandon) -> None:
        _, running = self._running.pop(order.ticket, (None, None))
        if running is not None and not running.withdraw():
            running.abandon()
            self._log.warning("a body did not stop and was abandoned", flow=order.flow.id, river=order.address)

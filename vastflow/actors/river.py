"""Who calls the bodies of one River class?

An actor for each class: it lets bodies begin when a slot, the turnstile and a thread are free for them, hands them to
worker threads or to the event loop, never running them itself, and tells the supervisor what they answered.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from vastflow.actors.body import call_body, call_body_async
from vastflow.actors.keeping import Surroundings
from vastflow.actors.messages import (
    Abandon,
    Answered,
    Call,
    Cancel,
    Escaped,
    Go,
    Queued,
    Ready,
    Recall,
    Returned,
    Running,
    Strand,
    Turn,
    Withdrawn,
)
from vastflow.actors.register import Entry
from vastflow.actors.slots import Slots
from vastflow.actors.turnstile import Turnstile
from vastflow.log import get_logger
from vastflow.runtime import Ref, Runtime
from vastflow.runtime import Running as Work

__all__ = ["Heard", "RiverActor"]

Heard = Call | Go | Recall | Cancel | Abandon | Answered | Turn | Escaped
"""What a River is told."""

_FORWARD = frozenset({"when", "flow", "cycle", "reconcile"})  # the others bring a flow to its end and never wait


class _Case:
    """A call that has not answered: where it stands, and its body once a thread or the loop has it.

    It waits for its slot, then for its turn at the turnstile, then (async and gated) for its begin to be on disk.
    """

    __slots__ = ("call", "entry", "queued", "stage", "work")

    def __init__(self, call: Call, entry: Entry) -> None:
        self.call = call
        self.entry = entry
        self.stage: Literal["slot", "turn", "go", "out"] = "slot"
        self.queued = False
        self.work: Work | None = None

    def withdraw(self) -> bool:
        """Take it back; True: its body had not begun and never will."""
        return self.work is None or self.work.withdraw()


class RiverActor:
    """The actor of one River class, or of one Atlantic class: the waters of many flows run through it."""

    def __init__(self, name: str, runtime: Runtime, around: Surroundings, turnstile: Turnstile) -> None:
        """Have nothing running."""
        self.name = name
        self.me: Ref
        self._runtime = runtime
        self._around = replace(around, actor=name)
        self._register = around.register
        self._turnstile = turnstile
        self._slots = Slots()
        self._running: dict[int, _Case] = {}
        self._abandoned: set[int] = set()
        self._closed = False
        self._log = get_logger(name)
        self._handlers: dict[type, Callable[[Any], None]] = {
            Answered: self._answered,
            Call: self._call,
            Go: self._go,
            Turn: self._turn,
            Cancel: self._cancel,
            Recall: self._recall,
            Abandon: self._abandon,
            Escaped: self._escaped,
        }

    def receive(self, message: Heard) -> None:
        """Take an order, a body's answer, or a turn."""
        self._handlers[type(message)](message)

    def failed(self, message: Heard, error: BaseException) -> None:
        """Strand the flow the message was about; its body is out no longer, whatever becomes of it."""
        self._log.error("handling a message raised", flow=message.flow.id, exc_info=error)
        try:
            self._give_up(message.ticket)
        finally:
            message.flow.supervisor.tell(Strand(message.flow, f"{type(error).__name__}: {error}"))

    def perform(self, call: Call) -> Answered:
        """Call a `def` body, on a worker thread."""
        return call_body(call, self._around)

    async def perform_async(self, call: Call) -> Answered:
        """Call an `async def` body, on the event loop."""
        return await call_body_async(call, self._around)

    # How a body begins

    def _call(self, call: Call) -> None:
        self._log.debug(call.body, flow=call.flow.id, river=call.address, attempt=call.attempt, color=call.color)
        case = self._running[call.ticket] = _Case(call, self._register.enter(call, self.name))
        if call.body not in _FORWARD:
            self._hand_over(case)
        elif self._slots.enter(call.ticket, call.most):
            self._pass_turnstile(case)
        else:
            self._queue(case)

    def _pass_turnstile(self, case: _Case) -> None:
        call = case.call
        case.stage = case.entry.stage = "turn"
        alone, through = call.alone, self._turnstile.pass_by(call.ticket, alone=call.alone)
        if through or self._turnstile.enter(call.ticket, partial(self._let_through, call), alone=alone):
            self._hand_over(case)
        else:
            self._queue(case)

    def _let_through(self, call: Call) -> None:
        self.me.tell(Turn(call.flow, call.address, call.ticket))

    def _queue(self, case: _Case) -> None:
        if not case.queued:
            case.queued = True
            call = case.call
            call.flow.supervisor.tell(Queued(call.flow, call.address, call.ticket))

    def _turn(self, turn: Turn) -> None:
        case = self._running.get(turn.ticket)
        if case is None:
            return  # it was taken back meanwhile
        if case.stage == "slot":
            self._pass_turnstile(case)
        elif case.stage == "turn":
            self._hand_over(case)

    def _hand_over(self, case: _Case) -> None:
        call = case.call
        if call.flow.bound.is_async(call.template or call.address, call.body):
            case.stage, case.entry.stage = "go", "writing" if call.gated else "thread"
            if not call.gated:
                self._hand_to_loop(case)
            elif not self._closed:  # else it would be taken back and ordered again without end
                self._ready(call)  # the loop is always free
        else:
            case.stage, case.entry.stage = "out", "thread"
            gate = partial(self._knock, case) if call.gated else None
            # whatever a call says, hung rivers keep no undo and no end waiting
            lane = call.lane if call.body in _FORWARD else "end"
            case.work = self._runtime.run(partial(self._begin, call, case.queued), self.me, lane=lane, gate=gate)

    def _hand_to_loop(self, case: _Case) -> None:
        case.stage, case.entry.stage = "out", "thread"
        case.work = self._runtime.run_async(partial(self._begin_on_loop, case.call, case.queued), self.me)

    def _go(self, order: Go) -> None:
        case = self._running.get(order.ticket)
        if case is None:
            return
        if case.stage == "go":
            self._hand_to_loop(case)
        if case.work is None or not case.work.admit():
            self._closed = True
            self._taken_back(case, order)

    # On a worker thread, or on the event loop

    def _knock(self, case: _Case) -> None:
        case.entry.stage = "writing"
        self._ready(case.call)

    def _ready(self, call: Call) -> None:
        call.flow.supervisor.tell(Ready(call.flow, call.address, call.ticket))

    def _begin(self, call: Call, queued: bool) -> Answered | Escaped:  # noqa: FBT001  # for partial()
        try:
            self._register.begin(call.ticket, self._runtime.clock.now())
            if call.timed or queued:
                self._tell_running(call)
            return self.perform(call)
        except BaseException as error:  # noqa: BLE001  # a place at the turnstile must be given up, whatever happens
            return _escape(call, error)
        finally:
            self._register.end(call.ticket, self._runtime.clock.now())

    async def _begin_on_loop(self, call: Call, queued: bool) -> Answered | Escaped:  # noqa: FBT001  # for partial()
        try:
            self._register.begin(call.ticket, self._runtime.clock.now(), asyncio.current_task())
            if call.timed or queued:
                self._tell_running(call)
            return await self.perform_async(call)
        except BaseException as error:  # noqa: BLE001  # the same
            return _escape(call, error)
        finally:
            self._register.end(call.ticket, self._runtime.clock.now())

    def _tell_running(self, call: Call) -> None:
        call.flow.supervisor.tell(Running(call.flow, call.address, call.ticket))

    # How it ends

    def _answered(self, message: Answered) -> None:
        flow, ticket = message.flow, message.ticket
        if ticket in self._abandoned:
            self._abandoned.discard(ticket)
            self._register.leave(ticket)
            flow.supervisor.tell(Returned(flow, message.address, ticket, message.answer, message.began))
        else:
            self._leave(ticket)
            flow.supervisor.tell(message)

    def _escaped(self, message: Escaped) -> None:
        self._abandoned.discard(message.ticket)
        self._leave(message.ticket)
        message.flow.supervisor.tell(Strand(message.flow, message.reason))

    def _cancel(self, order: Cancel) -> None:
        case = self._running.get(order.ticket)
        if case is None:
            return
        case.call.cancelling.asked = True
        if not self._taken_back(case, order) and case.work is not None:
            case.work.cancel()

    def _recall(self, order: Recall) -> None:
        case = self._running.get(order.ticket)
        if case is not None:
            self._taken_back(case, order)

    def _abandon(self, order: Abandon) -> None:
        case = self._running.get(order.ticket)
        if case is None or self._taken_back(case, order):
            return
        self._give_up(order.ticket)
        self._log.warning(
            "a body was given up: nobody waits for its answer any more", flow=order.flow.id, river=order.address
        )

    def _taken_back(self, case: _Case, order: Go | Cancel | Recall | Abandon) -> bool:
        """Take a body back if it has not begun, and say so."""
        if not case.withdraw():
            return False
        self._leave(order.ticket)
        order.flow.supervisor.tell(Withdrawn(order.flow, order.address, order.ticket))
        return True

    def _give_up(self, ticket: int) -> None:
        """Let nobody wait for a body any more; what it still answers is late."""
        case = self._leave(ticket)
        if case is None or case.withdraw() or case.work is None:
            return
        self._abandoned.add(ticket)
        self._register.keep(case.entry)
        if not case.call.cancelling.asked:  # else it was told, and may be cleaning up
            case.call.cancelling.asked = True
            case.work.cancel()
        case.work.abandon()

    def _leave(self, ticket: int) -> _Case | None:
        """Make place for those who wait; each goes on by a message of its own, so that its trouble is its own."""
        case = self._running.pop(ticket, None)
        self._register.leave(ticket)
        if case is not None and case.call.body in _FORWARD:
            self._turnstile.leave(ticket)
            for next_one in self._slots.leave(ticket):
                self._let_through(self._running[next_one].call)
        return case


def _escape(call: Call, error: BaseException) -> Escaped:
    return Escaped(call.flow, call.address, call.ticket, f"{type(error).__name__}: {error}")

"""Who supervises the flows of one drawing?

An actor for each Andes. It takes what rivers, basins, the Atlantic and the wheel tell it, lets the course decide,
hands the facts to the Ledger, and gives orders only when those facts are on disk.
"""

from collections.abc import Callable
from typing import Any

from vastflow.actors.directory import Directory
from vastflow.actors.flow import FlowRecord
from vastflow.actors.messages import (
    Adopt,
    Answered,
    Begin,
    Crossed,
    Due,
    GraceOver,
    Look,
    Refused,
    Reported,
    Strand,
    Withdrawn,
    Write,
    Written,
)
from vastflow.actors.orders import give, let_go
from vastflow.actors.telling import tell_end, tell_troubles
from vastflow.actors.writing import describe, encode_facts, final_of, move_of, stranded_move
from vastflow.course import Rules, events, step
from vastflow.course.picture import picture
from vastflow.course.states import ENDED
from vastflow.errors import BatchRefused, FlowConflict
from vastflow.log import get_logger
from vastflow.runtime import Ref, Runtime

__all__ = ["AndesActor", "Finish"]

Finish = Callable[[FlowRecord], None]


class AndesActor:
    """The supervisor of all flows of one Andes."""

    def __init__(self, name: str, runtime: Runtime, directory: Directory, rules: Rules, finish: Finish) -> None:
        """Have no flows yet.

        Args:
            name: the actor's.
            runtime: for timers and the time.
            directory: where the other actors are found.
            rules: what the engine sets for all its flows.
            finish: called when a flow has ended or was stranded.
        """
        self.name = name
        self.me: Ref
        self._runtime = runtime
        self._directory = directory
        self._rules = rules
        self._finish = finish
        self._flows: dict[str, FlowRecord] = {}
        self._log = get_logger(name)
        self._handlers: dict[type, Callable[[Any], None]] = {
            Answered: self._answered,
            Written: self._written,
            Begin: self._begin,
            Adopt: self._adopt,
            Due: self._due,
            Crossed: self._crossed,
            Withdrawn: self._withdrawn,
            GraceOver: self._grace_over,
            Reported: self._reported,
            Look: self._look,
            Strand: self._strand_told,
            Refused: self._refused,
        }

    def receive(self, message: object) -> None:
        """Handle one message."""
        self._handlers[type(message)](message)

    def failed(self, message: object, error: BaseException) -> None:
        """Strand the one flow the message was about."""
        flow = getattr(message, "flow", None)
        self._log.error("handling a message raised", flow=getattr(flow, "id", ""), exc_info=error)
        if isinstance(message, Begin):
            self._drop(message.flow)
            message.written.set_exception(error)
        elif isinstance(message, Look):
            message.seen.set_exception(error)
        elif isinstance(flow, FlowRecord):
            self._strand(flow, describe(error))

    # What comes from the engine

    def _begin(self, message: Begin) -> None:
        flow = message.flow
        self._flows.setdefault(flow.id, flow)  # of two with one id the first will be on disk
        now = message.row.started
        facts, orders = step(flow.progress, events.Begun(now), self._rules)
        rows = encode_facts(flow, facts, self._directory.epoch)
        write = Write(flow, rows, None, orders, self.me, message.row, message.chart, message.written)
        self._directory.ledger.tell(write)
        self._log.info("flow started", flow=flow.id, name=flow.name)

    def _adopt(self, message: Adopt) -> None:
        self._flows[message.flow.id] = message.flow
        self._log.info("flow goes on", flow=message.flow.id, name=message.flow.name)
        self._step(message.flow, events.Resumed(self._runtime.clock.now(), message.periods))

    def _look(self, message: Look) -> None:
        flow = self._flows.get(message.flow_id)
        message.seen.set_result(picture(flow.progress) if flow is not None and not flow.stranded else None)

    # What comes from rivers, basins, the Atlantic and the wheel

    def _answered(self, message: Answered) -> None:
        flow = message.flow
        if self._current(flow, message.address, message.ticket):
            self._cancel_timer(flow, message.ticket)
            self._step(flow, events.Answered(self._runtime.clock.now(), message.address, message.answer))

    def _due(self, message: Due) -> None:
        flow = message.flow
        flow.timers.pop(message.ticket, None)
        if self._current(flow, message.address, message.ticket):
            self._step(flow, events.Due(self._runtime.clock.now(), message.address))

    def _crossed(self, message: Crossed) -> None:
        if self._current(message.flow, message.address, message.ticket):
            now = self._runtime.clock.now()
            crossed = events.Crossed(now, message.address, message.water, message.delta, message.failure)
            self._step(message.flow, crossed)

    def _withdrawn(self, message: Withdrawn) -> None:
        if self._current(message.flow, message.address, message.ticket):
            self._cancel_timer(message.flow, message.ticket)
            self._step(message.flow, events.Withdrawn(self._runtime.clock.now(), message.address))

    def _grace_over(self, message: GraceOver) -> None:
        flow = message.flow
        flow.timers.pop(message.ticket, None)
        if self._current(flow, message.address, message.ticket):
            let_go(flow, message.address, message.ticket, self._directory)
            self._step(flow, events.GraceOver(self._runtime.clock.now(), message.address))

    def _reported(self, message: Reported) -> None:
        if self._current(message.flow, message.address, message.ticket):
            now = self._now_of(message.flow, message.address)
            now.answer, now.share = message.text, message.share

    def _current(self, flow: FlowRecord, address: str, ticket: int) -> bool:
        """Say whether this ticket's answer counts."""
        return not flow.stranded and self._now_of(flow, address).ticket == ticket

    def _now_of(self, flow: FlowRecord, address: str) -> Any:
        progress = flow.progress
        record = progress.mouth if address == progress.mouth.address else progress.records[address]
        return record.now  # type: ignore[union-attr]  # only rivers, basins and the Atlantic are given tickets

    def _cancel_timer(self, flow: FlowRecord, ticket: int) -> None:
        timer = flow.timers.pop(ticket, None)
        if timer is not None:
            timer.cancel()

    # What comes from the Ledger

    def _written(self, message: Written) -> None:
        for write in message.writes:
            try:
                self._written_one(write, write.flow.id in message.lost)
            except Exception as error:  # noqa: BLE001  # one flow's trouble must not reach the others of the batch
                self.failed(write, error)

    def _written_one(self, write: Write, lost: bool) -> None:  # noqa: FBT001  # told by the store, not chosen
        flow = write.flow
        if lost:
            self._lost(write)
            return
        if write.written is not None:
            write.written.set_result(None)
        if write.final:
            self._end(flow, write.final)
        elif not flow.stranded:
            give(flow, write.orders, self.me, self._runtime, self._directory)

    def _lost(self, write: Write) -> None:
        """The flow is another owner's, or its id was taken: nothing of it was written, so nothing of it is done."""
        flow = write.flow
        self._drop(flow)
        if write.written is not None:
            write.written.set_exception(FlowConflict(f"flow {flow.id!r}: its id was taken meanwhile", flow.id))
        elif not flow.stranded:
            flow.stranded = "another owner has taken it over"
            self._let_all_go(flow)
            self._log.warning("flow lost to another owner", flow=flow.id)
            self._finish(flow)

    def _end(self, flow: FlowRecord, how: str) -> None:
        self._drop(flow)
        if how == "ended":
            tell_end(self._log, flow)
        self._finish(flow)

    def _drop(self, flow: FlowRecord) -> None:
        """Keep nothing of a flow: a wait that is still out, an hour long perhaps, would."""
        if self._flows.get(flow.id) is flow:
            del self._flows[flow.id]
        for timer in flow.timers.values():
            timer.cancel()
        flow.timers.clear()

    # One step, and the end of all steps

    def _step(self, flow: FlowRecord, event: events.Event) -> None:
        facts, orders = step(flow.progress, event, self._rules)
        if not facts:
            give(flow, orders, self.me, self._runtime, self._directory)
            return
        tell_troubles(self._log, flow, facts)
        rows = encode_facts(flow, facts, self._directory.epoch)
        write = Write(flow, rows, move_of(flow, facts), orders, self.me, final=final_of(facts))
        self._directory.ledger.tell(write)

    def _refused(self, message: Refused) -> None:
        if message.written is not None and not message.written.done():
            message.written.set_exception(BatchRefused(f"flow {message.flow.id!r} was not started: {message.reason}"))
        self._strand(message.flow, message.reason)

    def _strand_told(self, message: Strand) -> None:
        self._strand(message.flow, message.reason)

    def _strand(self, flow: FlowRecord, reason: str) -> None:
        if flow.stranded or self._flows.get(flow.id) is not flow or flow.progress.state in ENDED:
            return  # it is stranded, or its end is on its way to the disk: its last row stands
        flow.stranded = f"engine: {reason}"
        self._drop(flow)
        self._let_all_go(flow)
        move = stranded_move(flow, self._runtime.clock.now())
        self._directory.ledger.tell(Write(flow, [], move, [], self.me, final="stranded"))

    def _let_all_go(self, flow: FlowRecord) -> None:
        for address, record in flow.progress.records.items():
            now = getattr(record, "now", None)
            if now is not None and now.doing == "body":
                let_go(flow, address, now.ticket, self._directory)

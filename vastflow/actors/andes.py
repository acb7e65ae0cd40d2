"""Who supervises the flows of one drawing?

An actor for each Andes. It takes what rivers, basins, the Atlantic and the wheel tell it, lets the course decide,
hands the facts to the Ledger, and gives orders only when those facts are on disk.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from vastflow.actors.directory import Directory
from vastflow.actors.flow import FlowRecord, Keeper
from vastflow.actors.futures import fail, fulfil
from vastflow.actors.letters import Slip, answer_of
from vastflow.actors.messages import (
    Adopt,
    Begin,
    Command,
    Failing,
    FlowDeadlineOver,
    Look,
    Probe,
    Promise,
    Refused,
    Settle,
    Spring,
    Strand,
    Write,
    Written,
)
from vastflow.actors.orders import give
from vastflow.actors.reports import Reports
from vastflow.actors.supervision import Supervision
from vastflow.actors.telling import tell_late
from vastflow.actors.writing import describe, encode_facts, move_of
from vastflow.course import Fact, Rules, events, step
from vastflow.course.command import DONE, Ruling, judge
from vastflow.course.commands import Retry
from vastflow.course.orders import Order
from vastflow.course.picture import picture
from vastflow.course.states import ENDED
from vastflow.errors import BatchRefused, VastflowError
from vastflow.ledger.contract import Answer
from vastflow.log import get_logger
from vastflow.runtime import Ref, Runtime

__all__ = ["AndesActor"]

Stepped = tuple[list[Fact], list[Order]]


class AndesActor:
    """The supervisor of all flows of one Andes."""

    def __init__(self, name: str, runtime: Runtime, directory: Directory, rules: Rules, keeper: Keeper) -> None:
        """Have no flows yet.

        Args:
            name: the actor's.
            runtime: for timers and the time.
            directory: where the other actors are found.
            rules: what the engine sets for all its flows.
            keeper: who is told of ends, and reads what is not under way.
        """
        self.name = name
        self._me: Ref
        self._runtime = runtime
        self._directory = directory
        self._keeper = keeper
        self._log = get_logger(name)
        self._all = Supervision(runtime, directory, rules, keeper, self._log)
        self._reports = Reports(runtime, directory)
        self._handlers: dict[type, Callable[[Any], None]] = {
            **dict.fromkeys(self._reports.kinds, self._heard),
            Written: self._written,
            Begin: self._begin,
            Adopt: self._adopt,
            Command: self._command,
            Spring: self._spring,
            FlowDeadlineOver: self._deadline_over,
            Look: self._look,
            Probe: self._probe,
            Settle: self._settle,
            Strand: self._strand_told,
            Refused: self._refused,
        }

    @property
    def me(self) -> Ref:
        """Where it is told things."""
        return self._me

    @me.setter
    def me(self, ref: Ref) -> None:
        self._me = self._reports.me = self._all.me = ref

    def receive(self, message: object) -> None:
        """Handle one message."""
        self._handlers[type(message)](message)

    def failed(self, message: object, error: BaseException) -> None:
        """Strand the one flow the message was about."""
        flow = getattr(message, "flow", None)
        self._log.error("handling a message raised", flow=getattr(flow, "id", ""), exc_info=error)
        if isinstance(message, Begin):
            self._all.drop(message.flow)
        for name in ("written", "seen", "ruled", "saved"):
            future = getattr(message, name, None)
            if future is not None:
                fail(future, error)
        if isinstance(message, Begin):
            self._tell_intake(message.letter, message.flow.id, error)
        if isinstance(message, Command):
            self._tell_intake(message.letter, message.flow_id, error)
            flow = self._all.flows.get(message.flow_id)
        if isinstance(flow, FlowRecord) and not isinstance(message, Begin):
            self._all.strand(flow, describe(error))

    # What comes from the engine

    def _begin(self, message: Begin) -> None:
        flow, row = message.flow, message.row
        self._all.flows.setdefault(flow.id, flow)  # of two with one id the first will be on disk
        later = row.not_before > row.started
        began, orders = ([], []) if later else step(flow.progress, events.Begun(row.started), self._all.rules)
        rows = encode_facts(flow, began, self._directory.epoch)
        self._all.arm(flow)
        move, answer = move_of(flow, row.started), self._answer(message.letter, flow.id, DONE)
        promise = Promise(Future(), answer=answer) if answer is not None else None
        self._all.tell_ledger(Write(flow, rows, move, orders, self._me, row, message.chart, message.written, promise))
        self._log.info("flow started", flow=flow.id, name=flow.name)

    def _adopt(self, message: Adopt) -> None:
        flow = message.flow
        self._all.flows[flow.id] = flow
        self._log.info("flow goes on", flow=flow.id, name=flow.name)
        self._all.arm(flow)
        if flow.progress.state != "init":
            self._all.step(flow, events.Recovered(self._all.now(), message.periods))

    def _spring(self, message: Spring) -> None:
        if not message.flow.stranded:
            self._all.step(message.flow, events.Begun(self._all.now()))

    def _deadline_over(self, message: FlowDeadlineOver) -> None:
        flow = message.flow
        if not flow.stranded and flow.progress.deadline == message.deadline:
            self._all.step(flow, events.FlowDeadlineOver(self._all.now()))

    def _command(self, message: Command) -> None:
        try:
            self._rule(message)
        except VastflowError as error:
            if message.flow_id in self._all.flows:
                raise
            fail(message.ruled, error)  # it is not under way, and cannot be
            self._tell_intake(message.letter, message.flow_id, error)

    def _rule(self, message: Command) -> None:
        if message.flow_id in self._all.leaving:
            self._all.leaving[message.flow_id].append(message)  # what it would be read from is not on disk yet
            return
        flow, known = self._all.flows.get(message.flow_id), True
        before: Stepped = [], []
        if flow is None:
            known = False
            flow, periods = self._keeper.load(message.flow_id)
            if flow.progress.state not in ENDED:
                before = step(flow.progress, events.Recovered(self._all.now(), periods), self._all.rules)
        ruling = judge(flow.progress, message.command)
        promise = Promise(message.ruled, ruling, self._answer(message.letter, flow.id, ruling))
        if ruling.what == "done":
            self._all.flows[flow.id] = flow
            self._do(flow, message, promise, before)
        elif known or promise.answer is not None:
            self._all.tell_ledger(Write(flow, [], None, [], self.me, promise=promise))  # behind what made it so
        else:
            fulfil(message.ruled, ruling)

    def _answer(self, letter: Slip | None, flow_id: str, ruling: Ruling) -> Answer | None:
        return answer_of(letter, flow_id, self._all.now(), ruling) if letter is not None else None

    def _tell_intake(self, letter: Slip | None, flow_id: str, error: BaseException) -> None:
        if letter is not None and self._directory.intake is not None:
            self._directory.intake.tell(Failing(letter, flow_id, error))

    def _do(self, flow: FlowRecord, message: Command, promise: Promise, before: Stepped) -> None:
        """Do what is asked; what followed `before` from the flow's coming back is written with it."""
        self._log.info("command", flow=flow.id, command=type(message.command).__name__.lower(), who=message.who)
        flow.stranded = ""
        done, orders = step(
            flow.progress, events.Commanded(self._all.now(), message.command, message.who), self._all.rules
        )
        if isinstance(message.command, Retry):
            flow.renew()
            self._keeper.reopen(flow)
        self._all.write(flow, [*before[0], *done], [*before[1], *orders], promise=promise)
        self._all.arm(flow)

    def _look(self, message: Look) -> None:
        flow = self._all.flows.get(message.flow_id)
        fulfil(message.seen, picture(flow.progress) if flow is not None and not flow.stranded else None)

    def _probe(self, message: Probe) -> None:
        flows = [self._all.flows[each] for each in message.flow_ids if each in self._all.flows]
        message.seen.set_result(tuple(self._directory.situation(flow) for flow in flows if not flow.stranded))

    def _settle(self, _message: Settle) -> None:
        for flow in list(self._all.flows.values()):
            self._all.step(flow, events.Closing(self._all.now()))

    # What comes from rivers, basins, the Atlantic and the wheel

    def _heard(self, message: Any) -> None:
        event = self._reports.event(message)
        if isinstance(event, events.Saved):
            saved, orders = step(message.flow.progress, event, self._all.rules)
            self._all.write(message.flow, saved, orders, promise=Promise(message.saved))
        elif event is not None:
            if isinstance(event, events.Returned) and event.said:
                tell_late(self._log, message.flow, event)
            self._all.step(message.flow, event)

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
            self._all.lost(write)
            return
        if write.written is not None:
            fulfil(write.written, None)
        if write.promise is not None:
            fulfil(write.promise.future, write.promise.value)
        if write.final:
            self._all.end(flow, write.final)
        elif write.orders and not flow.stranded:
            give(flow, write.orders, self._me, self._runtime, self._directory)

    def _refused(self, message: Refused) -> None:
        told = f"flow {message.flow.id!r}: this was not written: {message.reason}"
        for future in message.futures:
            fail(future, BatchRefused(told))
        self._all.let_in(message.flow)
        self._all.strand(message.flow, message.reason)

    def _strand_told(self, message: Strand) -> None:
        self._all.strand(message.flow, message.reason)

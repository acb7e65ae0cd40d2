"""What is an engine made of?

Its store, its actors and its rules, and how a flow of the store becomes one that is under way.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from vastflow.actors import AndesActor, Directory, FlowRecord
from vastflow.actors.letters import Slip, Start, read_said
from vastflow.actors.messages import Begin
from vastflow.course import Progress, Rules
from vastflow.course.states import ENDED
from vastflow.drawing.chart import Cargo
from vastflow.drawing.laying import Bound, bind
from vastflow.engine.mail import Mail
from vastflow.engine.waiting import Waiting
from vastflow.errors import FlowStranded
from vastflow.ledger.contract import Answer, FlowRow, Store
from vastflow.ledger.reading import find, read_cargo, read_chart, read_progress
from vastflow.runtime import Ref, Runtime

__all__ = ["Works"]

Periods = Sequence[tuple[int, int]]


@dataclass(slots=True)
class Works:
    """The parts of an engine that runs flows."""

    runtime: Runtime
    store: Store
    directory: Directory
    rules: Rules
    waiting: Waiting
    mail: Mail

    def supervisor(self, name: str) -> Ref:
        """Return the supervisor of the flows of the Andes called `name`."""
        return self.directory.andes(name, lambda: self._make_andes(name))

    def record(
        self, row: FlowRow, cargo: Cargo, progress: Progress, bound: Bound, *, booked: bool = False
    ) -> FlowRecord:
        """Return the record of a flow that is to be under way; `booked`: a place was, for this flow."""
        record = FlowRecord(row, cargo, progress, bound, self.supervisor(row.name))
        self.waiting.begin(row.id, booked=booked)
        return record

    @property
    def is_full(self) -> bool:
        """Whether as many flows are under way as may be."""
        return self.waiting.places.is_full

    def begin(self, start: Start, bound: Bound, letter: Slip) -> None:
        """Hand a flow that was asked for in a letter to its supervisor."""
        written: Future[None] = Future()
        record = self.record(start.row, start.cargo, start.progress(), bound)
        written.add_done_callback(lambda done: self.settle_place(record.id, done))
        record.supervisor.tell(Begin(record, start.row, start.stored, written, letter))

    def settle_place(self, flow_id: str, written: "Future[None]") -> None:
        """Let a flow that was not written keep no place from others."""
        if written.cancelled() or written.exception() is not None:
            self.waiting.doubt(flow_id)

    def answered(self, answer: Answer) -> None:
        """Tell whoever in this process waits for the answer to a letter."""
        self.mail.answered(Slip(answer.inbox, answer.no), read_said(answer.said))

    def periods(self, since: int) -> list[tuple[int, int]]:
        """Return the periods in which others served this store, (began, ended) microseconds."""
        served = self.store.periods(since)  # an old store has thousands that concern no flow any more
        return [(each.began, each.ended) for each in served if each.epoch != self.directory.epoch]

    def load(self, flow_id: str) -> tuple[FlowRecord, Periods]:
        """Return a flow that is not under way, and when it was served.

        Raises:
            FlowNotFound: there is none.
            FlowStranded: it cannot go on, for another reason than poison.
            StoreUnreadable: something of it cannot be read, or a class of it is not known here.
        """
        row = find(self.store, flow_id)
        cargo = read_cargo(row)
        progress = read_progress(self.store, row)
        if row.stranded and progress.poison is None and progress.state not in ENDED:
            told = row.stranded.partition("\n")[0]
            message = f"flow {flow_id!r} cannot go on: {told}; mend that, then open the store with a new engine"
            raise FlowStranded(message, flow_id, row.stranded)
        bound = bind(read_chart(self.store, row), row.chart)
        record = FlowRecord(row, cargo, progress, bound, self.supervisor(row.name))
        record.foreign = row.epoch != self.directory.epoch
        return record, self.periods(row.started)

    def reopen(self, flow: FlowRecord) -> None:
        """Take no earlier end of a flow for its end any more."""
        self.waiting.reopen(flow.id)

    def finish(self, flow: FlowRecord) -> None:
        """Tell all who wait for a flow that it has ended or was stranded."""
        flow.finished = not flow.stranded
        self.waiting.resolve(flow.id, None if flow.stranded else flow.progress)

    def _make_andes(self, name: str) -> AndesActor:
        return AndesActor(f"andes:{name}", self.runtime, self.directory, self.rules, self)

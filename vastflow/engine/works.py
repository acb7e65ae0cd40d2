"""What is an engine made of?

Its store, its actors and its rules, and how a flow of the store becomes one that is under way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vastflow.actors import AndesActor, Directory, FlowRecord
from vastflow.course import Progress, Rules
from vastflow.course.states import ENDED
from vastflow.drawing.chart import Cargo
from vastflow.drawing.laying import Bound, bind
from vastflow.engine.waiting import Waiting
from vastflow.errors import FlowStranded
from vastflow.ledger.contract import FlowRow, Store
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

    def supervisor(self, name: str) -> Ref:
        """Return the supervisor of the flows of the Andes called `name`."""
        return self.directory.andes(name, lambda: self._make_andes(name))

    def record(self, row: FlowRow, cargo: Cargo, progress: Progress, bound: Bound) -> FlowRecord:
        """Return the record of a flow that is to be under way."""
        record = FlowRecord(row, cargo, progress, bound, self.supervisor(row.name))
        self.waiting.begin(row.id)
        return record

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

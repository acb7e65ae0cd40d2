"""How does a flow take one step?

The flows of one Andes that are under way: the course decides, the Ledger writes, and orders are given when that is on
disk; until a flow ends, is stranded or is lost to another owner.
"""

from collections.abc import Sequence

from vastflow.actors.directory import Directory
from vastflow.actors.flow import FlowRecord, Keeper
from vastflow.actors.futures import fail
from vastflow.actors.messages import FlowDeadlineOver, Promise, Spring, Write
from vastflow.actors.orders import give, let_go
from vastflow.actors.telling import tell_end, tell_troubles
from vastflow.actors.writing import encode_facts, final_of, move_of
from vastflow.course import Fact, Rules, events, facts, step
from vastflow.course.orders import Order
from vastflow.course.records import RiverRecord
from vastflow.course.states import ENDED
from vastflow.errors import FlowConflict, FlowStranded, SaveRefused, VastflowError
from vastflow.ledger.contract import FactRow
from vastflow.log import Log
from vastflow.runtime import Ref, Runtime

__all__ = ["Supervision"]

_AHEAD = frozenset({facts.Flowed, facts.Joined, facts.Left})  # what need not be on disk first (4.9)


class Supervision:
    """The flows under way of one Andes.

    Attributes:
        flows: by id.
        leaving: commands for flows that were stranded, which is not on disk yet, by id.
        me: the supervisor.
        rules: what the engine sets for all its flows.
    """

    me: Ref

    def __init__(self, runtime: Runtime, directory: Directory, rules: Rules, keeper: Keeper, log: Log) -> None:
        """Have no flows yet."""
        self.flows: dict[str, FlowRecord] = {}
        self.leaving: dict[str, list[object]] = {}
        self.rules = rules
        self._runtime = runtime
        self._directory = directory
        self._keeper = keeper
        self._log = log

    def now(self) -> int:
        """Return the time, microseconds."""
        return self._runtime.clock.now()

    def arm(self, flow: FlowRecord) -> None:
        """Let the flow's own times be watched: when it begins, and when it must have ended."""
        deadline = flow.progress.deadline
        if flow.progress.state == "init":
            self._watch(flow, "~", flow.not_before, Spring(flow))
        if deadline:
            self._watch(flow, "", deadline, FlowDeadlineOver(flow, deadline))

    def _watch(self, flow: FlowRecord, name: str, due: int, message: object) -> None:
        if (earlier := flow.alarms.pop(name, None)) is not None:
            earlier.cancel()
        flow.alarms[name] = self._runtime.at(due, self.me, message)

    def step(self, flow: FlowRecord, event: events.Event) -> None:
        """Tell the course of an event, and do what follows."""
        found, orders = step(flow.progress, event, self.rules)
        if not found:
            give(flow, orders, self.me, self._runtime, self._directory)
            return
        tell_troubles(self._log, flow, found)
        if not orders or not _is_ahead(flow, found):
            self.write(flow, found, orders)
            return
        self.write(flow, found, [])
        give(flow, orders, self.me, self._runtime, self._directory)

    def write(
        self, flow: FlowRecord, found: Sequence[Fact], orders: list[Order], *, promise: Promise | None = None
    ) -> None:
        """Have the facts of a step written; its orders are given, and its promise kept, when they are."""
        rows = encode_facts(flow, found, self._directory.epoch)
        final = final_of(found) or ("mended" if flow.progress.state in ENDED else "")
        if flow.alarms:
            _tidy(flow, found)
        if flow.progress.poison is not None:
            self.strand(flow, str(flow.progress.poison), kind="poison", rows=rows, promise=promise)
            return
        move = move_of(flow, found[-1].at)
        self.tell_ledger(Write(flow, rows, move, orders, self.me, None, b"", None, promise, final))

    def tell_ledger(self, write: Write) -> None:
        """Have this written, behind what was handed over before."""
        self._directory.ledger.tell(write)

    def lost(self, write: Write) -> None:
        """The flow is another owner's, or its id was taken: nothing of it was written, so nothing of it is done."""
        flow = write.flow
        self.drop(flow)
        self.let_in(flow)
        if write.promise is not None:
            fail(write.promise.future, _refusal(flow.id, write.promise))
        if write.written is not None:
            fail(write.written, FlowConflict(f"flow {flow.id!r}: its id was taken meanwhile", flow.id))
        elif not flow.stranded:
            flow.stranded = "another owner has taken it over"
            self._let_all_go(flow)
            self._log.warning("flow lost to another owner", flow=flow.id)
            self._keeper.finish(flow)

    def end(self, flow: FlowRecord, how: str) -> None:
        """Let go of a flow whose last fact is on disk."""
        if how == "ended" and flow.progress.state not in ENDED:
            return  # a new round was opened while the end of the last was on its way to the disk
        self.drop(flow)
        if how == "ended":
            tell_end(self._log, flow)
        if how != "mended":
            self._keeper.finish(flow)
        self.let_in(flow)

    def let_in(self, flow: FlowRecord) -> None:
        """Let what was wanted of a flow, while it was being stranded, be wanted again."""
        for message in self.leaving.pop(flow.id, ()):
            self.me.tell(message)

    def drop(self, flow: FlowRecord) -> None:
        """Keep nothing of a flow."""
        if self.flows.get(flow.id) is flow:
            del self.flows[flow.id]
        flow.drop_timers()

    def strand(
        self,
        flow: FlowRecord,
        reason: str,
        *,
        kind: str = "engine",
        rows: Sequence[FactRow] = (),
        promise: Promise | None = None,
    ) -> None:
        """Let a flow go no further, and say why; `rows` are its last facts."""
        if flow.stranded or self.flows.get(flow.id) is not flow or flow.progress.state in ENDED:
            return  # it is stranded, or its end is on its way to the disk: its last row stands
        flow.stranded = f"{kind}: {reason}"
        self.drop(flow)
        self.leaving[flow.id] = []
        self._let_all_go(flow)
        move = move_of(flow, self.now())
        self.tell_ledger(Write(flow, list(rows), move, [], self.me, promise=promise, final="stranded"))

    def _let_all_go(self, flow: FlowRecord) -> None:
        for address, record in flow.progress.records.items():
            now = getattr(record, "now", None)
            if now is not None and now.doing == "body":
                let_go(flow, address, now.ticket, self._directory)


def _is_ahead(flow: FlowRecord, found: Sequence[Fact]) -> bool:
    """Say whether what follows need not wait until these facts are on disk: the end of a river that is not durable."""
    record = flow.progress.records.get(found[0].address)
    if not isinstance(record, RiverRecord) or record.anchor.durable:
        return False
    return all(type(fact.what) in _AHEAD for fact in found)


def _tidy(flow: FlowRecord, found: Sequence[Fact]) -> None:
    """Watch no deadline of a river that has ended."""
    for fact in found:
        record = flow.progress.records.get(fact.address)
        if isinstance(record, RiverRecord) and not record.live and record.state != "undoing":
            timer = flow.alarms.pop(fact.address, None)
            if timer is not None:
                timer.cancel()


def _refusal(flow_id: str, promise: Promise) -> VastflowError:
    """Return what a body that saves, or whoever gave a command, is told when the flow is another owner's."""
    if promise.value is None:
        return SaveRefused(f"flow {flow_id!r}: another engine has taken it over")
    why = "another engine has taken this store, or the flow was removed"
    message = f"flow {flow_id!r} is no longer this engine's: {why}; open the store anew, and look with `vastflow show`"
    return FlowStranded(message, flow_id, why)

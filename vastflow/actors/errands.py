"""What does a letter lead to?

A start becomes a new flow, a command is told to the flow's supervisor. What follows is written by these, in one commit
with the letter's answer; whatever else is to be answered, or done first, is returned.
"""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from vastflow.actors.flow import FlowRecord
from vastflow.actors.letters import Slip, Start, check_same, read_command, read_start
from vastflow.actors.messages import Command, Purge
from vastflow.actors.probing import PROBE, Inquiry, ask_all, read_inquiry
from vastflow.actors.removal import GC, read_removal
from vastflow.clock import Clock
from vastflow.course.command import ALREADY, Ruling
from vastflow.drawing.laying import Bound, bind
from vastflow.errors import FlowNotFound
from vastflow.ledger.contract import Answer, FlowRow, Store
from vastflow.ledger.inbox import Letter
from vastflow.log import get_logger
from vastflow.runtime import Ref

__all__ = ["Errands", "Host", "Unrunnable"]


class Host(Protocol):
    """The engine, as those know it who take letters in."""

    @property
    def is_full(self) -> bool:
        """Whether as many flows are under way as may be."""

    def supervisor(self, name: str) -> Ref:
        """Return the supervisor of the flows of the Andes called `name`."""

    def begin(self, start: Start, bound: Bound, letter: Slip) -> None:
        """Hand a new flow to its supervisor."""

    def finish(self, flow: FlowRecord) -> None:
        """A flow has ended, or was stranded."""

    def answered(self, answer: Answer) -> None:
        """A letter has its answer; somebody of this process may wait for it."""


@dataclass(frozen=True, slots=True)
class Unrunnable:
    """A flow that this process cannot run: it is written, so that the next who serves the store may.

    Attributes:
        row: says why it is stranded.
        chart: its drawing laid flat, as bytes.
    """

    row: FlowRow
    chart: bytes


class Errands:
    """Does what letters ask for."""

    def __init__(self, store: Store, epoch: int, clock: Clock, host: Host) -> None:
        """Know no chart yet.

        Args:
            store: to see which flows there are.
            epoch: the owner's.
            clock: where the time comes from.
            host: who begins flows.
        """
        self._store = store
        self._epoch = epoch
        self._clock = clock
        self._host = host
        self._bounds: dict[str, Bound] = {}
        self._log = get_logger("intake")

    def run(self, letter: Letter, slip: Slip) -> Ruling | Unrunnable | Purge | Inquiry | None:
        """Do what a letter asks for.

        Returns:
            None: its answer will be written with what it led to. Else what is to be written, with the answer or as it;
            or what is to be removed, or looked at, before there is an answer.

        Raises:
            FlowConflict: the id belongs to a flow that was started differently.
            FlowNotFound: there is no flow to give the command to.
            StoreUnreadable: the letter cannot be read.
            StoreTooNew: a newer release wrote it.
            StoreError: the store cannot be read now.
        """
        if letter.kind == "start":
            return self._start(letter, slip)
        if letter.kind == GC:
            removal = read_removal(letter)
            return Purge(removal.states, removal.before, frozenset(), Future())
        if letter.kind == PROBE:
            return self._probe(letter)
        self._command(letter, slip)
        return None

    def _probe(self, letter: Letter) -> Inquiry:
        inquiry = read_inquiry(letter)
        ask_all(inquiry, self._store, self._host.supervisor)
        return inquiry

    def _start(self, letter: Letter, slip: Slip) -> Ruling | Unrunnable | None:
        start = read_start(letter, self._clock.now(), self._epoch)
        if (there := self._store.flow(letter.flow)) is not None:
            check_same(there, start.row.name, start.cargo.water)
            return ALREADY
        try:
            bound = self._bound(start)
            bound.streams(start.cargo)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # as at recovery: what cannot be read strands its own flow
            return self._strand(start, f"{type(error).__name__}: {error}")
        self._host.begin(start, bound, slip)
        return None

    def _bound(self, start: Start) -> Bound:
        digest = start.row.chart
        if digest not in self._bounds:
            self._bounds[digest] = bind(start.chart, digest)
        return self._bounds[digest]

    def _strand(self, start: Start, reason: str) -> Unrunnable:
        reason = reason.encode(errors="backslashreplace").decode()
        self._log.error("flow stranded", flow=start.row.id, name=start.row.name, reason=reason)
        return Unrunnable(replace(start.row, state="init", stranded=reason), start.stored)  # nothing of it has begun

    def _command(self, letter: Letter, slip: Slip) -> None:
        command = read_command(letter)
        row = self._store.flow(letter.flow)
        if row is None:
            message = f"there is no flow {letter.flow!r} in this store: `vastflow list` shows those there are"
            raise FlowNotFound(message, letter.flow)
        ruled: Future[Ruling] = Future()  # nobody waits here: whoever does waits for the answer
        self._host.supervisor(row.name).tell(Command(letter.flow, command, letter.who, ruled, slip))

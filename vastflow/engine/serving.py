"""What does an engine do that serves its store?

It takes the store, goes on with what is unfinished, runs flows, and takes in what other processes ask for.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from vastflow.actors import Directory, LedgerActor, Surroundings
from vastflow.actors.errands import Errands
from vastflow.actors.intake import IntakeActor
from vastflow.actors.ledger import OWNER, Trouble
from vastflow.actors.messages import Adopt, Beat, Command, Look, Poll, Purge, Settle
from vastflow.actors.probing import Inquiry, ask_all
from vastflow.actors.removal import Removal
from vastflow.course import Rules, commands
from vastflow.course.command import Ruling
from vastflow.course.picture import FlowPicture
from vastflow.course.states import ENDED
from vastflow.drawing import Andes
from vastflow.drawing.launcher import Terms
from vastflow.engine.admission import Admission, Admitted
from vastflow.engine.hooks import Hooks
from vastflow.engine.mail import Mail
from vastflow.engine.probe import Service, service_of
from vastflow.engine.recovery import Found, find_unfinished
from vastflow.engine.waiting import Waiting
from vastflow.engine.works import Works
from vastflow.errors import CommandRefused, EngineClosed
from vastflow.ledger.contract import FlowRow, Owner, Store
from vastflow.ledger.reading import FlowStatus, read_cargo, read_status, status_of
from vastflow.log import Masker
from vastflow.runtime import Runtime
from vastflow.why import Silent, Situation

__all__ = ["Parts", "Serving"]

_BEAT = 1.0  # seconds between two beats that say the store is served
_POLL = 0.05  # seconds between two looks into the inbox


@dataclass(frozen=True, slots=True)
class Parts:
    """What an engine is made with, whether it serves or not.

    Attributes:
        runtime: what gives actors their threads.
        rules: what it sets for all its flows.
        masker: takes secrets out of what is told.
        resources: what bodies get by name.
        waiting: who waits for which flow.
        mail: the inbox, and the answers to what was put into it.
        hooks: who is told what has happened.
    """

    runtime: Runtime
    rules: Rules
    masker: Masker
    resources: Mapping[str, Any]
    waiting: Waiting
    mail: Mail
    hooks: Hooks


class Serving:
    """Runs the flows of a store.

    Attributes:
        store: which it serves.
        works: the parts it serves with.
        admission: begins flows.
    """

    def __init__(self, parts: Parts, store: Store) -> None:
        """Take the store and go on with what is unfinished in it.

        Raises:
            StoreServed: another engine serves this store; nothing was changed.
            StoreError: it cannot be served.
        """
        self.store = store
        self._parts = parts
        clock = parts.runtime.clock
        clock.hold(store.latest())
        owner = store.take(OWNER, clock.now())
        try:
            # All reading comes before the first actor: what fails until here can be tried again.
            found = find_unfinished(store, owner, clock.now())
            served = store.periods(min((each.row.started for each in found), default=0))
            self._ledger = LedgerActor(store, owner.epoch, parts.runtime)
            self._ledger.listener = parts.hooks.written
            self._open(owner, found, [(each.began, each.ended) for each in served if each.epoch != owner.epoch])
        except BaseException:
            store.close()
            raise

    def _open(self, owner: Owner, found: list[Found], periods: Sequence[tuple[int, int]]) -> None:
        parts, runtime = self._parts, self._parts.runtime
        around = Surroundings(runtime.clock, parts.masker, runtime.wait, parts.waiting.hold, dict(parts.resources))
        try:
            directory = Directory(runtime, around, owner.epoch)
            self.works = Works(runtime, self.store, directory, parts.rules, parts.waiting, parts.mail)
            self.admission = Admission(self.works)
            directory.ledger = directory.settle(self._ledger)
            self._beats = [runtime.every(_BEAT, directory.ledger, Beat())]
            for each in found:
                self._adopt(each, periods)
            self._open_inbox(directory)
        except BaseException:
            runtime.close()
            raise

    def _open_inbox(self, directory: Directory) -> None:
        """Take in what others ask for; last, so that it meets all flows that are under way."""
        if (inbox := self._parts.mail.inbox) is None:
            return
        runtime = self._parts.runtime
        errands = Errands(self.store, directory.epoch, runtime.clock, self.works)
        actor = IntakeActor(inbox, self.store, directory.ledger, runtime.clock, errands, self.works)
        self._ledger.intake = directory.intake = directory.settle(actor)
        self._beats.append(runtime.every(_POLL, directory.intake, Poll()))

    def _adopt(self, found: Found, periods: Sequence[tuple[int, int]]) -> None:
        record = self.works.record(found.row, read_cargo(found.row), found.progress, found.bound)
        record.supervisor.tell(Adopt(record, periods))

    @property
    def trouble(self) -> Trouble | None:
        """That the store cannot be written; None while it can."""
        return self._ledger.trouble

    def launch(
        self, andes: Andes[Any], water: Mapping[str, Any] | None, values: Mapping[str, Any], terms: Terms
    ) -> Admitted:
        """Start a flow; it is on disk when this returns."""
        while True:
            begun = self.admission.begin(andes, water, values, terms)
            if begun.written is None or self.admission.await_begin(begun.id, begun.written):
                return begun

    def launch_many(self, andes: Andes[Any], waters: Iterable[Mapping[str, Any]], terms: Terms) -> list[Admitted]:
        """Start a flow for each of these waters; all are on disk when this returns."""
        begun = [self.admission.begin(andes, water, {}, terms) for water in waters]
        for each in begun:
            if each.written is not None:
                self.admission.await_begin(each.id, each.written)
        return begun

    def look_at(self, row: FlowRow) -> FlowStatus:
        """Return how a flow stands, live if it is under way."""
        picture = None if row.state in ENDED or row.stranded else self._look(row)
        return status_of(row, picture) if picture is not None else read_status(self.store, row.id)

    @property
    def service(self) -> Service:
        """Whether the store can be written, and whether there is a place for one more flow."""
        return service_of(self.trouble, full=self.works.is_full)

    def probe(self, flow_ids: Sequence[str]) -> tuple[Situation, ...] | None:
        """Return how those of these flows stand that are under way here."""
        inquiry = Inquiry(tuple(flow_ids), Future())
        try:
            self._parts.waiting.hold(inquiry.seen)
            ask_all(inquiry, self.store, self.works.supervisor)
            return self._parts.runtime.wait(inquiry.seen)
        except EngineClosed:
            return None

    def silence(self) -> Silent | None:
        """Return None: it is this engine that serves."""
        return None

    def is_over(self, row: FlowRow) -> bool:
        """Say whether whoever waits for a flow need not wait: it has ended, was stranded, or went to another owner."""
        return row.state in ENDED or row.stranded != "" or row.epoch != self.works.directory.epoch

    def command(self, flow_id: str, command: commands.Command, who: str) -> bool | None:
        """Do something that is asked of a flow from outside; it is on disk when this returns."""
        row = self._parts.mail.find(flow_id)
        if not isinstance(row, FlowRow):  # its start is still in the inbox: this comes behind it
            return self._parts.mail.command(flow_id, command, who, self._parts.runtime)
        ruled: Future[Ruling] = Future()
        self._parts.waiting.hold(ruled)
        self.works.supervisor(row.name).tell(Command(flow_id, command, who, ruled))
        ruling = self._parts.runtime.wait(ruled)
        if ruling.what == "refused":
            raise CommandRefused(flow_id, type(command).__name__.lower(), ruling.reason)
        return ruling.what == "done"

    def remove(self, removal: Removal) -> int | None:
        """Remove flows that have ended, and return how many they were."""
        done: Future[int] = Future()
        self._parts.waiting.hold(done)
        inbox = self._parts.mail.inbox
        kept = inbox.asked_about() if inbox is not None else frozenset[str]()
        self.works.directory.ledger.tell(Purge(removal.states, removal.before, kept, done))
        return self._parts.runtime.wait(done)

    def close(self, drain: float) -> bool:
        """Stop serving; running bodies get `drain` seconds. True if none was left running."""
        for beat in self._beats:
            beat.cancel()
        for supervisor in self.works.directory.known_andes():
            supervisor.tell(Settle())
        self.works.directory.ledger.tell(Beat())  # no poll begins after this: here ends the period it was served
        quiet = self._parts.runtime.close(drain)
        self._parts.waiting.close()
        self._parts.mail.close()
        self.store.close()
        return quiet

    def _look(self, row: FlowRow) -> FlowPicture | None:
        """Return how a flow stands here; None if it is not under way here."""
        seen: Future[FlowPicture | None] = Future()
        try:
            self._parts.waiting.hold(seen)
            self.works.supervisor(row.name).tell(Look(row.id, seen))
            return self._parts.runtime.wait(seen)
        except EngineClosed:
            return None

"""Who takes in what other processes ask for?

An actor that looks into the inbox twenty times a second and takes letters in order. What a letter leads to is written
in one commit with its answer; only then is the letter removed, so it is done exactly once whenever a process dies.
"""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from msgspec.structs import replace

from vastflow.actors.errands import Errands, Host, Unrunnable
from vastflow.actors.flow import FlowRecord
from vastflow.actors.letters import Said, Slip, answer_of
from vastflow.actors.messages import (
    Failing,
    Forget,
    Poll,
    Probed,
    Promise,
    Purge,
    Purged,
    Refused,
    Taken,
    Write,
    Written,
)
from vastflow.actors.probing import Inquiry, said_of_probe
from vastflow.actors.removal import said_of
from vastflow.clock import Clock
from vastflow.course.command import DONE, Ruling
from vastflow.errors import BatchRefused, StoreError, StoreTooNew, StoreUnreadable
from vastflow.ledger.contract import Answer, Store
from vastflow.ledger.inbox import Inbox, Letter
from vastflow.log import get_logger
from vastflow.runtime import Ref

__all__ = ["IntakeActor"]

_PAGE = 200  # letters read at once
_IN_HAND = 2_000  # letters whose answers are on their way to the disk, at most
_HELD = 10_000  # letters that wait for something, at most
_FULLY = 20  # polls: every so many it reads on even if the inbox seems not to have changed
_TIDY = 1_200  # polls: every so many old answers are forgotten
_MINUTE = 60_000_000  # microseconds
_MEMORY = 600_000_000  # microseconds: answers older than this may be forgotten


class _Held(NamedTuple):
    """A letter that has to wait, and the flow it is about."""

    flow: str
    is_start: bool


class _Stranger:
    """A flow of which nothing is known but its id; the ledger takes it for a record of one."""

    __slots__ = ("finished", "foreign", "id", "refused", "stranded")

    def __init__(self, flow_id: str, stranded: str) -> None:
        self.id = flow_id
        self.stranded = stranded
        self.finished = self.foreign = self.refused = False


@dataclass(slots=True)
class _Reading:
    """How far an inbox has been read.

    Attributes:
        inbox: its id; empty if there is none yet.
        answered: letters that have had their answers under an earlier owner.
        upto: the last letter that was read.
        more: there may be more behind it.
        in_hand: letters whose answers are on their way to the disk, and the flow that each begins, if it does.
        held: letters that have to wait.
        done: letters to be removed.
    """

    inbox: str
    answered: frozenset[int]
    upto: int = 0
    more: bool = False
    in_hand: dict[int, str] = field(default_factory=dict)
    held: dict[int, _Held] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)


class IntakeActor:
    """Takes letters out of the inbox."""

    me: Ref

    def __init__(self, inbox: Inbox, store: Store, ledger: Ref, clock: Clock, errands: Errands, host: Host) -> None:
        """Have read nothing.

        Args:
            inbox: of the store.
            store: where answers of earlier owners are found.
            ledger: who writes answers.
            clock: where the time comes from.
            errands: does what letters ask for.
            host: knows whether there is a place for one more flow.
        """
        self.name = "intake"
        self._inbox = inbox
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._errands = errands
        self._host = host
        self._at = _Reading("", frozenset())
        self._polls = 0
        self._told = (0, "")
        self._log = get_logger(self.name)

    def receive(self, message: Poll | Taken | Failing | Purged | Probed | Written | Refused) -> None:
        """Look for letters, or hear what became of them."""
        match message:
            case Poll():
                self._poll()
            case Taken(answers=answers, lost=lost):
                self._taken(answers, lost)
            case Failing(letter=letter, flow_id=flow_id, error=error):
                self._failing(letter, flow_id, error)
            case Purged() | Probed():
                self._done(message)
            case Written(writes=writes, lost=lost):
                self._written(writes, lost)
            case Refused(flow=flow, reason=reason):
                self._log.error("an answer cannot be written; its letter stays", flow=flow.id, reason=reason)

    def failed(self, message: object, error: BaseException) -> None:
        """Say so; letters stay in the inbox until they have an answer, so they are taken in later."""
        self._tell(f"letters cannot be taken in now ({type(message).__name__.lower()}); they stay in the inbox", error)

    def _tell(self, what: str, error: BaseException) -> None:
        """Say what is wrong, once in a minute: it is tried again many times a second."""
        now, told = self._clock.now(), f"{what}: {type(error).__name__}: {error}"
        if told != self._told[1] or now - self._told[0] >= _MINUTE:
            self._told = now, told
            self._log.error(what, exc_info=error)

    # Reading

    def _poll(self) -> None:
        self._polls += 1
        look = self._polls % _FULLY == 1 or self._inbox.changed()
        if look and (found := self._inbox.id) != self._at.inbox:  # it was made just now, or lies in another's place
            self._at = _Reading(found, self._store.answered(found))
        if self._at.inbox:
            self._remove()
            self._take_held()
            if look or self._at.more:
                self._take_new()
            if self._polls % _TIDY == 1:
                self._tidy()

    def _take_new(self) -> None:
        """Read on behind the last letter that was read, unless too many are in hand."""
        at = self._at
        at.more = len(at.in_hand) >= _IN_HAND or len(at.held) >= _HELD
        if at.more:
            return
        letters = self._inbox.letters(at.upto, _PAGE)
        waiting = self._waiting() | {held.flow for held in at.held.values()}
        for letter in letters:
            at.upto = letter.no
            if letter.no in at.answered:
                at.done.append(letter.no)
                continue
            if letter.flow in waiting or (letter.kind == "start" and self._host.is_full):
                at.held[letter.no] = _Held(letter.flow, letter.kind == "start")
            else:
                self._take(letter)
            if letter.flow and self._waits(letter.no):
                waiting.add(letter.flow)
        at.more = len(letters) == _PAGE
        if at.more:
            self.me.tell(Poll())

    def _waiting(self) -> set[str]:
        """Return the flows whose begin is on its way to the disk: what else is asked of them has to wait for that."""
        return {flow for flow in self._at.in_hand.values() if flow}

    def _waits(self, no: int) -> bool:
        """Say whether later letters about the same flow have to wait for this one."""
        return no in self._at.held or bool(self._at.in_hand.get(no))

    def _take_held(self) -> None:
        """Take what had to wait and need not any more, in order: of one flow no letter overtakes another."""
        at = self._at
        waiting = self._waiting() if at.held else set[str]()
        for no, held in list(at.held.items()):
            if held.flow in waiting or (held.is_start and self._host.is_full):
                waiting.add(held.flow)
                continue
            del at.held[no]
            for letter in self._inbox.letters(no - 1, 1):
                self._take(letter)
            if self._waits(no):
                waiting.add(held.flow)

    def _take(self, letter: Letter) -> None:
        """Do what a letter asks for."""
        slip = Slip(self._at.inbox, letter.no)
        self._at.in_hand[letter.no] = letter.flow if letter.kind == "start" else ""
        try:
            found = self._errands.run(letter, slip)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # one letter's trouble must not keep the others waiting
            self._failing(slip, letter.flow, error)
            return
        if isinstance(found, Unrunnable):
            self._write(slip, letter.flow, DONE, found)
        elif isinstance(found, Purge):
            self._purge(slip, found)
        elif isinstance(found, Inquiry):
            found.seen.add_done_callback(lambda seen: self.me.tell(Probed(slip, seen)))
        elif found is not None:
            self._write(slip, letter.flow, found)

    def _purge(self, slip: Slip, purge: Purge) -> None:
        """Have flows removed, but those that something is still asked of here."""
        purge.done.add_done_callback(lambda done: self.me.tell(Purged(slip, done)))
        self._ledger.tell(replace(purge, kept=self._inbox.asked_about()))

    def _done(self, message: Purged | Probed) -> None:
        """Answer a letter that asked for something which is not the course of one flow."""
        if (error := message.done.exception()) is not None:
            self._failing(message.letter, "", error)
        elif isinstance(message, Purged):
            self._write(message.letter, "", said_of(message.done.result()))
        else:
            self._write(message.letter, "", said_of_probe(message.done.result()))

    # Answering

    def _write(
        self, slip: Slip, flow_id: str, said: Said | Ruling | BaseException, what: Unrunnable | None = None
    ) -> None:
        """Have an answer written, and with it a flow that cannot be run here if there is one."""
        promise = Promise(Future(), answer=answer_of(slip, flow_id, self._clock.now(), said))
        flow = cast("FlowRecord", _Stranger(flow_id, what.row.stranded if what is not None else ""))
        row, chart = (what.row, what.chart) if what is not None else (None, b"")
        self._ledger.tell(Write(flow, [], None, [], self.me, row, chart, promise=promise))

    def _taken(self, answers: list[Answer], lost: list[Answer]) -> None:
        for answer in answers:
            self._host.answered(answer)
            if answer.inbox == self._at.inbox:
                self._at.in_hand.pop(answer.no, None)
                self._at.done.append(answer.no)
        for answer in lost:
            self._hold(Slip(answer.inbox, answer.no), answer.flow)  # its id was taken meanwhile: look again
        if answers and self._at.held:
            self._take_held()  # what waited for these comes at once: a cancel before the flow has run

    def _failing(self, slip: Slip, flow_id: str, error: BaseException) -> None:
        passes = isinstance(error, StoreError) and not isinstance(error, BatchRefused | StoreTooNew | StoreUnreadable)
        if passes:
            self._hold(slip, flow_id)
        else:
            self._write(slip, flow_id, error)

    def _hold(self, slip: Slip, flow_id: str) -> None:
        if slip.inbox == self._at.inbox:
            self._at.in_hand.pop(slip.no, None)
            self._at.held[slip.no] = _Held(flow_id, is_start=False)
            self._at.held = dict(sorted(self._at.held.items()))

    def _written(self, writes: list[Write], lost: frozenset[str]) -> None:
        """Tell whoever waits for a flow that cannot be run here."""
        for write in writes:
            if write.row is not None and write.flow.id not in lost:
                self._host.finish(write.flow)

    # Putting in order

    def _remove(self) -> None:
        """Remove letters that have their answers; those that cannot be now, later."""
        done, self._at.done = self._at.done, []
        try:
            self._inbox.remove(done)
        except StoreError as error:
            self._at.done += done
            self._tell("letters that are done cannot be removed now", error)

    def _tidy(self) -> None:
        """Have old answers forgotten, once all letters of earlier owners that have one are gone."""
        at = self._at
        if not at.more and not at.done:
            self._ledger.tell(Forget(at.inbox, frozenset([*at.in_hand, *at.held]), self._clock.now() - _MEMORY))

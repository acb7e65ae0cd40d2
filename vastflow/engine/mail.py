"""What has become of what was put into the inbox?

A flow that was asked for in a letter is not in the store until the letter was taken in; a command in a letter has an
answer when it was. Both engines know this page: one that stands by, and one that has taken over.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from typing import NamedTuple

import msgspec

from vastflow.actors.letters import (
    Said,
    Slip,
    check_same,
    kind_of,
    raise_for,
    read_said,
    read_start,
    write_command,
)
from vastflow.course import commands
from vastflow.course.picture import picture
from vastflow.engine.waiting import Waiting
from vastflow.errors import FlowNotFound, StoreError, StoreUnreadable
from vastflow.ledger.contract import FlowRow, Reader
from vastflow.ledger.inbox import Inbox, Letter
from vastflow.ledger.reading import FlowStatus, status_of
from vastflow.ledger.sqlite_reader import SQLiteReader
from vastflow.runtime import Runtime

__all__ = ["Mail", "Posted", "status_of_letter"]

_PATIENCE = 5.0  # seconds that a command waits for its answer


class Posted(NamedTuple):
    """A flow that was asked for in a letter: which, and as what and with which water it is to begin."""

    slip: Slip
    flow: str
    name: str
    water: Mapping[str, msgspec.Raw]


class Mail:
    """The inbox of a store, and the answers to what was put into it.

    Attributes:
        reader: of the store.
        inbox: None for a store which no other process can know.
    """

    def __init__(self, reader: Reader, inbox: Inbox | None, waiting: Waiting) -> None:
        """Wait for no answer yet."""
        self.reader = reader
        self.inbox = inbox
        self._waiting = waiting
        self._lock = threading.Lock()
        self._awaited: dict[Slip, list[Future[Said]]] = {}

    # Flows that may not be taken in yet

    def row(self, flow_id: str) -> FlowRow | None:
        """Return the row of a flow in the store; None if it is not there, or there is no store yet."""
        return self.reader.flow(flow_id) if self.has_store else None

    def find(self, flow_id: str) -> FlowRow | Letter:
        """Return the row of a flow, or the letter that asks for it.

        Raises:
            FlowNotFound: there is neither.
        """
        with self._in_time():
            found = self.row(flow_id) or self._letter(flow_id) or self.row(flow_id)  # it may be taken in in between
        if found is None:
            message = f"there is no flow {flow_id!r} in this store: `vastflow list` shows those there are"
            raise FlowNotFound(message, flow_id)
        return found

    def _letter(self, flow_id: str) -> Letter | None:
        return self.inbox.letter_of(flow_id) if self.inbox is not None else None

    def settle(self, posted: Posted) -> bool:
        """Say whether a flow that was asked for is in the store.

        Raises:
            FlowConflict: its id belongs to a flow that was started differently.
            VastflowError: its letter could not be taken in.
        """
        with self._in_time():
            return self._is_settled(posted)

    def _is_settled(self, posted: Posted) -> bool:
        if (row := self.row(posted.flow)) is not None:
            check_same(row, posted.name, posted.water)
            return True
        if (said := self._said(posted.slip)) is not None:
            raise_for(said, posted.flow, "start")
            return True
        return self._is_gone(posted)

    def _is_gone(self, posted: Posted) -> bool:
        """Say whether a letter is in the inbox no more: its answer may have been forgotten, its flow removed."""
        letters = self.inbox.letters(posted.slip.no - 1, 1) if self.inbox is not None else []
        if any(letter.no == posted.slip.no for letter in letters):
            return False
        if (row := self.row(posted.flow)) is not None:
            check_same(row, posted.name, posted.water)
        if (said := self._said(posted.slip)) is not None:
            raise_for(said, posted.flow, "start")
        return True

    def settling(self, posted: Posted) -> "Future[Said] | None":
        """Return a future that is done when the letter of a flow was answered; None if it needs no waiting for."""
        future = self.await_answer(posted.slip)
        try:
            settled = self.settle(posted)
        except BaseException:
            future.cancel()
            raise
        if settled:
            future.cancel()
        return None if settled else future

    # Answers

    def post(self, kind: str, flow_id: str, payload: bytes, who: str, at: int) -> Slip:
        """Put a letter into the inbox; it is durable when this returns."""
        if self.inbox is None:
            raise StoreError("this store has no inbox, since no other process can know it; it can only be served")
        no = self.inbox.put(kind, flow_id, payload, who, at)
        return Slip(self.inbox.id, no)

    def post_many(self, letters: Sequence[tuple[str, str, bytes]], who: str, at: int) -> list[Slip]:
        """Put letters (kind, flow, payload) into the inbox in one commit; they are durable when this returns."""
        if self.inbox is None:
            raise StoreError("this store has no inbox, since no other process can know it; it can only be served")
        numbers = self.inbox.put_many(letters, who, at)
        inbox = self.inbox.id
        return [Slip(inbox, no) for no in numbers]

    def command(self, flow_id: str, command: commands.Command, who: str, runtime: Runtime) -> bool | None:
        """Ask whoever serves the store for something, and wait a while for the answer; None: there is none yet.

        Raises:
            VastflowError: it was refused, or failed.
        """
        kind = kind_of(command)
        answer = self.await_answer(self.post(kind, flow_id, write_command(command), who, runtime.clock.now()))
        try:
            said = runtime.wait(answer, _PATIENCE)
        except TimeoutError:
            return None
        finally:
            answer.cancel()
        raise_for(said, flow_id, kind)
        return said.what == "done"

    def await_answer(self, slip: Slip) -> "Future[Said]":
        """Return a future that is done when a letter has its answer; whoever waits no longer cancels it.

        Raises:
            EngineClosed: nobody will tell any more.
        """
        future: Future[Said] = Future()
        self._waiting.hold(future)
        with self._lock:
            self._awaited.setdefault(slip, []).append(future)
        future.add_done_callback(lambda done: self._forget(slip, done))
        with self._in_time():
            if (said := self._said(slip)) is not None:  # it may have come before anybody waited
                self.answered(slip, said)
        return future

    def answered(self, slip: Slip, said: Said) -> None:
        """Tell all who wait for the answer to a letter."""
        with self._lock:
            futures = self._awaited.pop(slip, [])
        for future in futures:
            with suppress(InvalidStateError):  # who waited has given up
                future.set_result(said)

    def look(self) -> None:
        """Look whether answers have come that somebody waits for."""
        with self._lock:
            slips = list(self._awaited)
        for slip in slips:
            if (said := self._said(slip)) is not None:
                self.answered(slip, said)

    def renew(self) -> None:
        """Forget who held the lock: in the child of a fork that thread does not live."""
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the inbox."""
        if self.inbox is not None:
            self.inbox.close()

    def _said(self, slip: Slip) -> Said | None:
        try:
            stored = self.reader.answer(slip.inbox, slip.no) if self.has_store else None
        except StoreUnreadable as error:
            return Said("failed", str(error), type(error).__name__)
        return read_said(stored) if stored is not None else None

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Say that the engine is closed, if it was while the store was being read."""
        try:
            yield
        except StoreError:
            self._waiting.refuse_closed()
            raise

    @property
    def has_store(self) -> bool:
        """Whether there is a store yet: whoever stands by may be the first."""
        return not isinstance(self.reader, SQLiteReader) or self.reader.is_made()

    def _forget(self, slip: Slip, future: "Future[Said]") -> None:
        with self._lock:
            futures = self._awaited.get(slip, [])
            if future in futures:
                futures.remove(future)
            if not futures:
                self._awaited.pop(slip, None)


def status_of_letter(letter: Letter) -> FlowStatus:
    """Return how a flow stands which is not taken in yet.

    Raises:
        StoreUnreadable: its letter cannot be read.
    """
    start = read_start(letter, letter.at, 0)
    row = msgspec.structs.replace(start.row, state="init")
    return status_of(row, picture(start.progress()))

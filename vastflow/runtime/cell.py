"""How does an actor live on when its Pykka actor does not?

The inbox belongs to the cell, not to the Pykka actor that reads it: whoever stops that one
(`pykka.ActorRegistry.stop_all()`) finds a successor in its place which reads on where it stopped,
so that nothing told is lost, doubled or reordered.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, cast

import pykka

from vastflow.runtime.guard import deliver, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from pykka._envelope import Envelope

    from vastflow.runtime.contract import Actor

__all__ = ["Cell", "Mailbox"]


class _Put(Protocol):
    """The bare `put` of a queue."""

    def __call__(self, message: object, /) -> None: ...


class Mailbox:
    """The ref of a cell. Telling is the bare `put` of a queue, since every message of every flow is told."""

    __slots__ = ("name", "tell")

    def __init__(self, name: str, tell: _Put) -> None:
        """Name the mailbox and say how something is put into it."""
        self.name = name
        self.tell = tell


class _Aside:
    """What lies in an inbox and is no message of ours: an envelope of Pykka's, a sign to be set, or else the end."""

    __slots__ = ("envelope", "sign")

    def __init__(self, *, envelope: Envelope[Any] | None = None, sign: threading.Event | None = None) -> None:
        self.envelope = envelope
        self.sign = sign


class _Carrier:
    """What Pykka's loop takes for an envelope: one for all messages, since it handles one after another."""

    __slots__ = ("message", "reply_to")

    def __init__(self) -> None:
        self.message: Any = None
        self.reply_to = None


class _Inbox:
    """One queue for all Pykka actors a cell ever has; messages lie in it without envelopes."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[Any] = SimpleQueue()
        self.taken = 0
        self.ending = False
        self.leave: Callable[[], None]  # how the Pykka actor that reads at present is asked to stop
        self._next = self.queue.get
        self._carrier = _Carrier()

    def put(self, envelope: Envelope[Any], /) -> None:
        """Put what Pykka itself or a stranger sends."""
        self.queue.put(_Aside(envelope=envelope))

    def get(self) -> Envelope[Any]:
        """Wait for the next message."""
        carrier = self._carrier
        carrier.message = None  # an idle actor holds on to nobody's water
        while type(item := self._next()) is _Aside:
            if item.envelope is not None:
                return item.envelope
            self._step_aside(item)
        self.taken += 1
        carrier.message = item
        return cast("Envelope[Any]", carrier)

    def _step_aside(self, item: _Aside) -> None:
        if item.sign is not None:
            item.sign.set()
        else:
            self.ending = True
            self.leave()

    def empty(self) -> bool:
        """Say that nothing is left: Pykka would throw away what the successor must read."""
        return not self.ending or self.queue.empty()


class _Incarnation(pykka.ThreadingActor):
    """One Pykka actor in the life of a cell."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        super().__init__()
        cell.inbox.leave = self.stop

    def _create_actor_inbox(self) -> _Inbox:  # type: ignore[override]  # Pykka calls it on the instance; ours needs it
        return self._cell.inbox

    def _start_actor_loop(self) -> None:
        cell = self._cell
        cell.thread = threading.Thread(target=self._live, name=cell.actor.name, daemon=True)
        try:
            cell.thread.start()
        except RuntimeError:
            pykka.ActorRegistry.unregister(self.actor_ref)
            raise

    def _live(self) -> None:
        try:
            self._actor_loop()
        finally:
            self._cell.succeed()

    def on_receive(self, message: Any) -> None:
        deliver(self._cell.actor, message)


class Cell:
    """An actor, its inbox, and the Pykka actor that reads it at present."""

    def __init__(self, actor: Actor) -> None:
        """Give an actor an inbox and its first Pykka actor."""
        self.actor = actor
        self.inbox = _Inbox()
        self.ref = Mailbox(actor.name, self.inbox.queue.put)
        self.thread: threading.Thread | None = None
        self._stopped = False
        self._ended = threading.Event()
        _Incarnation.start(self)

    @property
    def taken(self) -> int:
        """How many messages were taken out of the inbox."""
        return self.inbox.taken

    @property
    def alive(self) -> bool:
        """Whether a thread reads the inbox."""
        return not self._ended.is_set()

    @property
    def current(self) -> bool:
        """Whether it is this actor that asks."""
        return self.thread is threading.current_thread()

    def succeed(self) -> None:
        """Put a new Pykka actor in the place of one that has ended, unless the cell was stopped."""
        if self.inbox.ending:
            self._ended.set()
            return
        try:
            _Incarnation.start(self)
        except RuntimeError as error:  # the interpreter is ending: no thread can be started any more
            self._ended.set()
            report("an actor that was stopped could not be replaced", error, self.actor.name)

    def sound(self) -> threading.Event:
        """Return a sign that is set when all that was told before is handled."""
        sign = threading.Event()
        self.inbox.queue.put(_Aside(sign=sign))
        return sign

    def stop(self) -> None:
        """Let the actor handle what it was told, then end for good."""
        if not self._stopped:
            self._stopped = True
            self.inbox.queue.put(_Aside())

    def join(self, seconds: float) -> bool:
        """Wait for the actor's end; False if it did not come in time."""
        return self._ended.wait(seconds)

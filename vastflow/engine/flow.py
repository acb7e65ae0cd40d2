"""What can be asked of a flow?

A handle: it holds an id and the engine, no state of its own. No property does any I/O.
"""

import asyncio
from collections.abc import Generator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec

from vastflow.actors.flow import FlowRecord
from vastflow.actors.keeping import delta_of
from vastflow.actors.letters import Said
from vastflow.clock import to_moment
from vastflow.course import commands
from vastflow.course.facts import Delta
from vastflow.course.progress import Progress
from vastflow.course.states import ENDED
from vastflow.drawing import Headwaters
from vastflow.drawing.addresses import spots, template_of
from vastflow.drawing.chart import Anchor, Chart
from vastflow.drawing.values import encode
from vastflow.engine.mail import Posted
from vastflow.errors import EngineBlocked, Failure, FlowCancelled, FlowFailed, FlowStranded
from vastflow.ledger.contract import FlowRow, Reader
from vastflow.ledger.reading import Event, FlowStatus, find, read_chart, read_events, read_progress
from vastflow.log import CALL_FIELDS, Masker
from vastflow.runtime import Runtime
from vastflow.why import Why

__all__ = ["Flow"]

T = TypeVar("T")
W = TypeVar("W", bound=Headwaters)


class Asked(Protocol):
    """What a handle asks of its engine."""

    runtime: Runtime
    masker: Masker

    @property
    def reader(self) -> Reader:
        """Where flows can be read."""

    def look(self, flow_id: str) -> FlowStatus:
        """Return how a flow stands."""

    def why(self, flow_id: str) -> Why:
        """Return why a flow stands where it stands."""

    def command(self, flow_id: str, command: commands.Command, who: str | None = None) -> bool | None:
        """Do something that is asked of a flow from outside."""

    def present_attributes(self, flow_id: str) -> dict[str, Anchor]:
        """Return the attributes which the classes of a flow's rivers have by now."""

    def is_reopened(self, flow_id: str) -> bool:
        """Say whether a flow that had ended has had another round since."""

    def ending(self, flow_id: str) -> "Future[Progress | None]":
        """Return a future that is done when the flow has ended or was stranded."""

    def settle(self, posted: Posted) -> bool:
        """Say whether a flow that was asked for in a letter is in the store."""

    def is_asked_for(self, flow_id: str) -> bool:
        """Say whether a flow is not in the store yet, but in the inbox."""

    def settling(self, posted: Posted) -> "Future[Said] | None":
        """Return a future that is done when such a letter is answered; None if it needs no waiting for."""


class Flow(Generic[W]):
    """One flow, as whoever started or found it sees it.

    Commands (cancel, pause, resume, retry, skip, complete, set) and signals are on disk when they return: True if it
    was done, False if it was so already. None, if another process serves the store and has not answered within 5
    seconds: it is not done yet, and will be when it is taken in, unless it is refused then.
    """

    __slots__ = ("_engine", "_posted", "_record", "_water", "id")

    def __init__(
        self,
        engine: Asked,
        flow_id: str,
        water: type[W],
        record: FlowRecord | None = None,
        posted: Posted | None = None,
    ) -> None:
        """Hold on to an id, and to the record of a flow that was started here, or the letter that asks for it."""
        self.id = flow_id
        self._engine = engine
        self._water = water
        self._record = record
        self._posted = posted

    def status(self) -> FlowStatus:
        """Return how the flow stands: one reading, live if this engine runs it.

        A flow that whoever serves the store has not taken in yet is in state `init`.

        Raises:
            FlowNotFound: it was removed.
            FlowConflict: its id belongs to a flow that was started differently, as was found when it was taken in.
        """
        self._settle()
        return self._engine.look(self.id)

    def why(self) -> Why:
        """Return why the flow stands where it stands: one sentence, and a tree of reasons with stable codes.

        Whoever runs it is asked, for what is no fact: last answers, when polls are due, which thread runs a body, and
        with its stack if it runs over its usual time. If nobody runs it, it is read from the store.

        Raises:
            FlowNotFound: it was removed.
            FlowConflict: its id belongs to a flow that was started differently, as was found when it was taken in.
        """
        self._settle()
        return self._engine.why(self.id)

    def events(self) -> list[Event]:
        """Return the flow's journal, oldest first; secrets in it are masked. It is empty until it is taken in."""
        mask = self._engine.masker.mask
        self._settle()
        if self._engine.is_asked_for(self.id):
            return []
        journal = read_events(self._engine.reader, self.id)
        return [replace(each, details={key: mask(told) for key, told in each.details.items()}) for each in journal]

    def wait(self, timeout: float | None = None) -> FlowStatus:
        """Wait until the flow has ended or was stranded, and return its status.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.

        Raises:
            TimeoutError: it has not ended in time.
            FlowConflict: its id belongs to a flow that was started differently, as was found when it was taken in.
            EngineBlocked: asked inside a body or on a running event loop.
        """
        self._await_end(timeout, "wait")
        return self.status()

    def result(self, timeout: float | None = None) -> W:
        """Wait until the flow's Atlantic has ended and return the final water, read-only.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.

        Raises:
            FlowFailed: its outcome is fail, or its Atlantic failed; carries the failure.
            FlowCancelled: it was cancelled.
            FlowStranded: it cannot go on.
            FlowConflict: its id belongs to a flow that was started differently, as was found when it was taken in.
            TimeoutError: it has not ended in time.
            EngineBlocked: asked inside a body or on a running event loop.
        """
        return self._outcome(self._await_end(timeout, "result"))

    def cancel(self, *, who: str | None = None) -> bool | None:
        """Let nothing new begin, stop what runs, undo what was done, and end as cancelled; lifts a pause.

        Args:
            who: gave the command, for the journal; None for the name this process's user logged in with.

        Returns:
            True if it is being cancelled now, False if it was already.

        Raises:
            CommandRefused: it is being undone, is ending or has ended.
        """
        return self._engine.command(self.id, commands.Cancel(), who)

    def pause(self, *, who: str | None = None) -> bool | None:
        """Let no new body begin until it is resumed; those that run end. Deadlines run on.

        Raises:
            CommandRefused: it is being cancelled, or has ended.
        """
        return self._engine.command(self.id, commands.Pause(), who)

    def resume(self, *, who: str | None = None) -> bool | None:
        """Let it go on after a pause, or after it was stranded because a body seemed to kill its process.

        Raises:
            CommandRefused: it has ended.
        """
        return self._engine.command(self.id, commands.Resume(), who)

    def retry(self, attributes: Literal["now"] | None = None, *, who: str | None = None) -> bool | None:
        """Open a new round of a flow that has ended: what succeeded and was not undone is kept.

        Args:
            attributes: "now": the attributes which the classes have by now, instead of those it was begun with.
            who: gave the command.

        Raises:
            CommandRefused: it has not ended.
        """
        anchors = self._engine.present_attributes(self.id) if attributes == "now" else {}
        return self._engine.command(self.id, commands.Retry(anchors), who)

    def skip(self, stream: str, *, who: str | None = None) -> bool | None:
        """Count a stream (its address) as skipped; the flow is paused, or has ended without success.

        Raises:
            CommandRefused: the flow goes on (pause it first), or there is no such stream to be skipped.
        """
        return self._engine.command(self.id, commands.Skip(stream), who)

    def complete(
        self, stream: str, water: Mapping[str, Any] | None = None, /, *, who: str | None = None, **values: Any
    ) -> bool | None:
        """Count a stream (its address) as done; the flow is paused, or has ended without success.

        Args:
            stream: its address.
            water: what it is to have written, by key; the only way to a key called `who`.
            who: gave the command.
            **values: more of that, by key.

        Raises:
            CommandRefused: the flow goes on (pause it first), or there is no such stream to be completed.
            WaterError: a value cannot be stored, or its key or type does not fit the water this handle knows.
        """
        delta = self._delta({**(water or {}), **values}, stream)
        return self._engine.command(self.id, commands.Complete(stream, delta), who)

    def set(self, key: str, value: Any, *, who: str | None = None) -> bool | None:
        """Put a value into the flow's water; the flow is paused, or has ended without success.

        Raises:
            CommandRefused: the flow goes on: pause it first.
            WaterError: the value cannot be stored, or key or type does not fit the water this handle knows.
        """
        return self._engine.command(self.id, commands.Set(self._delta({key: value})), who)

    def signal(
        self,
        name: str,
        value: Any = None,
        id: str | None = None,  # noqa: A002  # as in `start()`
        *,
        who: str | None = None,
    ) -> bool | None:
        """Send a signal, which a river takes with `self.signal(name)`; it is kept if nobody waits for it yet.

        Args:
            name: of the signal.
            value: what it carries; anything that can be stored.
            id: an idempotency key: a second signal of this flow with the same id is not taken, and False is returned.
            who: sent it.

        Raises:
            CommandRefused: the flow has ended.
            UnstorableValue: the value cannot be stored.
        """
        stored = msgspec.Raw(encode(value, f"signal {name!r}"))
        return self._engine.command(self.id, commands.Signal(name, stored, id), who)

    def __await__(self) -> Generator[Any, None, W]:
        """Wait for the result without blocking the event loop; raises what `result` raises."""
        settling = self._engine.settling(self._posted) if self._posted is not None else None
        if settling is not None:
            yield from asyncio.wrap_future(settling).__await__()
        self._settle()
        progress = yield from asyncio.wrap_future(self._engine.ending(self.id)).__await__()
        return self._outcome(progress)

    def __repr__(self) -> str:
        """Say which flow it is."""
        return f"<Flow {self.id}>"

    def _delta(self, values: Mapping[str, Any], stream: str = "") -> Delta:
        """Return these values as a body of the stream would have written them, checked in the same way."""
        reader = self._engine.reader
        extra = _extras(read_chart(reader, find(reader, self.id)), stream) if stream else frozenset[str]()
        water = self._water.open({}, place=stream, extra=extra)
        water.update(values)
        return delta_of(water)

    def _await_end(self, timeout: float | None, asked: str) -> Progress | None:
        _refuse_to_block(self.id, asked)
        if self._record is not None and self._record.finished and not self._engine.is_reopened(self.id):
            return self._record.progress
        begun = self._engine.runtime.clock.now()
        settling = self._engine.settling(self._posted) if self._posted is not None else None
        if settling is not None:
            self._wait(settling, timeout, timeout)
        self._settle()
        spent = (self._engine.runtime.clock.now() - begun) / 1_000_000
        return self._wait(self._engine.ending(self.id), None if timeout is None else max(0.0, timeout - spent), timeout)

    def _wait(self, future: "Future[T]", left: float | None, timeout: float | None) -> T:
        try:
            return self._engine.runtime.wait(future, left)
        except TimeoutError:
            message = f"flow {self.id!r} has not ended within {timeout} seconds; it goes on: ask again later"
            raise TimeoutError(message) from None
        finally:
            future.cancel()  # who waits no longer must not be kept

    def _settle(self) -> None:
        """Forget the letter that asked for the flow, once it was taken in."""
        if self._posted is not None and self._engine.settle(self._posted):
            self._posted = None

    def _outcome(self, progress: Progress | None) -> W:
        """Return the final water or raise what the flow ended with; None: it is to be read from the store."""
        row = find(self._engine.reader, self.id) if progress is None else None
        if row is not None and row.stranded:
            reason = row.stranded.partition("\nTraceback")[0]
            message = f"flow {self.id!r} cannot go on: {reason}"
            raise FlowStranded(message, self.id, row.stranded)
        if progress is None and row is not None:
            progress = read_progress(self._engine.reader, row)
        if progress is None or progress.state not in ENDED:
            message = f"flow {self.id!r} goes on elsewhere: another engine has taken this store; ask there"
            raise FlowStranded(message, self.id, "another engine has taken this store")
        if progress.state != "success":
            raise _failed(self.id, progress, row)
        return self._water.open(progress.water.flat(), read_only=True)


def _extras(chart: Chart, stream: str) -> frozenset[str]:
    """Return the undeclared keys that a typed water is allowed at this address."""
    template = template_of(stream)
    found = [spot.extras for spot in spots(chart.streams) if spot.address == template] or [frozenset()]
    return found[-1 if stream.endswith("]") else 0]  # an `each` stands where its template does


def _failed(flow_id: str, progress: Progress, row: FlowRow | None) -> FlowFailed:
    """Return what a flow ended with; `row` if it had ended before it was asked for."""
    over = f" (it ended {to_moment(row.ended):%Y-%m-%d %H:%M:%S} UTC; a new id starts another flow)" if row else ""
    if progress.state == "cancelled":
        return FlowCancelled(f"flow {flow_id!r} was cancelled{over}", flow_id, progress.failure)
    failure = progress.failure or Failure("error", "the flow failed")
    return FlowFailed(f"flow {flow_id!r} failed at {failure}{over}", flow_id, failure)


def _refuse_to_block(flow_id: str, asked: str) -> None:
    if CALL_FIELDS.get() is not None:
        message = f"flow {flow_id!r}: {asked}() inside a body would hold its thread: poll the other flow in a cycle()"
        raise EngineBlocked(message)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    message = f"flow {flow_id!r}: {asked}() would block the running event loop: `await` the flow instead"
    raise EngineBlocked(message)

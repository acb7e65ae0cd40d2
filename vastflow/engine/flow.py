"""What can be asked of a flow?

A handle: it holds an id and the engine, no state of its own. No property does any I/O.
"""

import asyncio
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from vastflow.actors.flow import FlowRecord
from vastflow.clock import to_moment
from vastflow.course.progress import Progress
from vastflow.course.states import ENDED
from vastflow.drawing import Headwaters
from vastflow.errors import EngineBlocked, Failure, FlowCancelled, FlowFailed, FlowStranded
from vastflow.ledger.contract import FlowRow, Reader
from vastflow.ledger.reading import Event, FlowStatus, find, read_events, read_progress
from vastflow.log import CALL_FIELDS, Masker
from vastflow.runtime import Runtime

__all__ = ["Flow"]

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

    def ending(self, flow_id: str) -> "Future[Progress | None]":
        """Return a future that is done when the flow has ended or was stranded."""


class Flow(Generic[W]):
    """One flow, as whoever started or found it sees it."""

    __slots__ = ("_engine", "_record", "_water", "id")

    def __init__(self, engine: Asked, flow_id: str, water: type[W], record: FlowRecord | None = None) -> None:
        """Hold on to an id, and to the record of a flow that was started here."""
        self.id = flow_id
        self._engine = engine
        self._water = water
        self._record = record

    def status(self) -> FlowStatus:
        """Return how the flow stands: one reading, live if this engine runs it.

        Raises:
            FlowNotFound: it was removed.
        """
        return self._engine.look(self.id)

    def events(self) -> list[Event]:
        """Return the flow's journal, oldest first; secrets in it are masked."""
        mask = self._engine.masker.mask
        journal = read_events(self._engine.reader, self.id)
        return [replace(each, details={key: mask(told) for key, told in each.details.items()}) for each in journal]

    def wait(self, timeout: float | None = None) -> FlowStatus:
        """Wait until the flow has ended or was stranded, and return its status.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.

        Raises:
            TimeoutError: it has not ended in time.
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
            TimeoutError: it has not ended in time.
            EngineBlocked: asked inside a body or on a running event loop.
        """
        return self._outcome(self._await_end(timeout, "result"))

    def __await__(self) -> Generator[Any, None, W]:
        """Wait for the result without blocking the event loop; raises what `result` raises."""
        progress = yield from asyncio.wrap_future(self._engine.ending(self.id)).__await__()
        return self._outcome(progress)

    def __repr__(self) -> str:
        """Say which flow it is."""
        return f"<Flow {self.id}>"

    def _await_end(self, timeout: float | None, asked: str) -> Progress | None:
        _refuse_to_block(self.id, asked)
        if self._record is not None and self._record.finished:
            return self._record.progress
        future: Future[Progress | None] = self._engine.ending(self.id)
        try:
            return self._engine.runtime.wait(future, timeout)
        except TimeoutError:
            message = f"flow {self.id!r} has not ended within {timeout} seconds; it goes on: ask again later"
            raise TimeoutError(message) from None
        finally:
            future.cancel()  # who waits no longer must not be kept

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
        return self._water.open(progress.root.tip.flat(), read_only=True)


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

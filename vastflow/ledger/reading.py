"""How does a stored flow stand, and what has happened to it?

For everybody who looks: handle, command line, tests. Reads the store only, never the actors, and needs no user class.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from vastflow.clock import to_moment
from vastflow.course import Progress, fold
from vastflow.course.delta import spring
from vastflow.course.picture import BranchCounts, FlowPicture, StreamPicture, picture
from vastflow.drawing.chart import Cargo, Chart
from vastflow.errors import CourseError, Failure, FlowNotFound, StoreTooNew, StoreUnreadable
from vastflow.ledger.codec import decode_facts
from vastflow.ledger.contract import FactRow, FlowRow, Reader

__all__ = [
    "BranchCounts",
    "Event",
    "FlowStatus",
    "StreamStatus",
    "find",
    "read_events",
    "read_progress",
    "read_status",
    "status_of",
]

_CARGO = msgspec.json.Decoder(Cargo)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStatus:
    """How one stream of a flow stands.

    Attributes:
        address: where it stands, such as `east/create-vm`; `~` for the Atlantic.
        kind: river, parallel, each, basin or atlantic.
        depth: how deep it is nested, from 0.
        state: init, running, retrying, cycling, in-doubt, success, fail, cancelled, skipped, undoing, undone or
            undo-failed.
        attempt: the one under way or made last; 0 if it never began.
        attempts: how many there may be.
        polls: made in this attempt.
        cycle_times: how many there may be; None if they are not counted.
        running: a body of it runs, or has its turn.
        answer: what its last poll said; known to the serving process only.
        share: of the work done, 0.0 to 1.0, if its body said so.
        due: when its wait is over.
        color: its label.
        failure: why it failed, or why its last attempt or poll did.
        run: how often it was begun anew; 0 if it never began.
        body: which of its bodies runs: when, flow, cycle, reconcile, undo, success or fail; empty if none does.
        queued: its body waits for a slot of `max_running`, or because another body runs alone.
        abandoned: how many bodies were given up and have not come back.
        doubt: why it is in doubt: crash, timeout or raised; empty if it is not.
        asked: how often its `reconcile` could not say.
        undo_attempt: of its `undo`, the one under way or made last; 0 if there was none.
        undo_attempts: how many there may be.
        undo_failure: why its undo failed, or why the last try of it did.
        branches: of an `each`, and of what stands in one: how those of all items stand.
    """

    address: str
    kind: str
    depth: int
    state: str
    attempt: int
    attempts: int
    polls: int
    cycle_times: int | None
    running: bool
    answer: str
    share: float | None
    due: datetime | None
    color: str | None
    failure: Failure | None
    run: int = 0
    body: str = ""
    queued: bool = False
    abandoned: int = 0
    doubt: str = ""
    asked: int = 0
    undo_attempt: int = 0
    undo_attempts: int = 0
    undo_failure: Failure | None = None
    branches: BranchCounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStatus:
    """How a flow stands.

    Attributes:
        id: the user's.
        name: of its Andes.
        state: init, running, undoing, ending, success, fail or cancelled.
        outcome: success, fail, cancelled, or empty while it is open.
        stranded: why it cannot go on; empty if it can.
        failure: why it failed.
        tags: as given to `start()`.
        started, ended: when; `ended` is None while it runs.
        facts: how many facts its journal holds.
        streams: in drawing order, those not reached yet included; what stands in an `each` once.
        branches: what was reached in the branches of an `each`, by address.
        flags: cancelling, paused, or both; as of what is on disk.
    """

    id: str
    name: str
    state: str
    outcome: str
    stranded: str
    failure: Failure | None
    tags: Mapping[str, str]
    started: datetime
    ended: datetime | None
    facts: int
    streams: tuple[StreamStatus, ...]
    branches: Mapping[str, StreamStatus] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def stream(self, address: str) -> StreamStatus:
        """Return one stream's status by its address; `process[17]` is one of a branch of an `each`.

        Raises:
            KeyError: the drawing has no such stream, or the branch has not come to it.
        """
        if (branch := self.branches.get(address)) is not None:
            return branch
        for stream in self.streams:
            if stream.address == address:
                return stream
        known = ", ".join(stream.address for stream in self.streams)
        message = f"flow {self.id!r} has no stream {address!r}; it has {known}"
        raise KeyError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact of a flow's journal.

    Attributes:
        number: from 1.
        at: when.
        round: of the flow, from 1.
        address: of the stream; empty for the flow itself, `~` for the Atlantic.
        run, attempt: of the stream.
        kind: what happened, such as started, flowed, retrying, undone or ended; docs/format.md lists all.
        details: what it carries, as stored.
        who: caused it from outside; empty for the flow's own course.
    """

    number: int
    at: datetime
    round: int
    address: str
    run: int
    attempt: int
    kind: str
    details: Mapping[str, Any]
    who: str = ""


def find(reader: Reader, flow_id: str) -> FlowRow:
    """Return a flow's row.

    Raises:
        FlowNotFound: there is none.
    """
    row = reader.flow(flow_id)
    if row is None:
        message = f"there is no flow {flow_id!r} in this store: `vastflow list` shows those there are"
        raise FlowNotFound(message, flow_id)
    return row


def read_cargo(row: FlowRow) -> Cargo:
    """Return what a flow brought to its chart.

    Raises:
        StoreUnreadable: it cannot be read.
    """
    try:
        return _CARGO.decode(row.cargo)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"flow {row.id!r}: its starting water cannot be read ({error}): restore the store from a backup"
        raise StoreUnreadable(message) from error


def read_chart(reader: Reader, row: FlowRow) -> Chart:
    """Return a flow's chart.

    Raises:
        StoreUnreadable: it is not there, or is no chart.
    """
    stored = reader.chart(row.chart)
    if stored is None:
        message = f"flow {row.id!r}: its chart {row.chart[:12]} is not in the store: restore it from a backup"
        raise StoreUnreadable(message)
    return _chart(stored)


@lru_cache(maxsize=256)
def _chart(stored: bytes) -> Chart:
    """Decode a chart once: it is immutable, and shared by all flows drawn alike."""
    return Chart.from_bytes(stored)


def read_progress(reader: Reader, row: FlowRow) -> Progress:
    """Return a flow's progress, folded from its facts.

    Raises:
        StoreUnreadable: something of it cannot be read.
    """
    cargo = read_cargo(row)
    progress = Progress(read_chart(reader, row), row.uid, spring(cargo.water), cargo.anchors, row.deadline, cargo.span)
    return fold(progress, decode_facts(reader.facts(row.id)))


def read_status(reader: Reader, flow_id: str) -> FlowStatus:
    """Return how a flow stands in the store; one that cannot be read is shown as stranded.

    Raises:
        FlowNotFound: there is none.
    """
    row = find(reader, flow_id)
    try:
        return status_of(row, picture(read_progress(reader, row)))
    except (StoreUnreadable, StoreTooNew, CourseError) as error:
        return status_of(row, None, str(error))


def status_of(row: FlowRow, seen: FlowPicture | None, unreadable: str = "") -> FlowStatus:
    """Return a flow's status from its row and its picture."""
    return FlowStatus(
        id=row.id,
        name=row.name,
        state=seen.state if seen is not None else row.state,
        outcome=seen.outcome if seen is not None else row.outcome,
        stranded=row.stranded or unreadable,
        failure=seen.failure if seen is not None else None,
        tags=msgspec.json.decode(row.tags, type=dict[str, str]),
        started=to_moment(row.started),
        ended=to_moment(row.ended) if row.ended else None,
        facts=seen.facts if seen is not None else 0,
        streams=tuple(_stream(each) for each in seen.streams) if seen is not None else (),
        branches={each.address: _stream(each) for each in seen.branches} if seen is not None else {},
        flags=msgspec.json.decode(row.flags, type=tuple[str, ...]),
    )


def _stream(seen: StreamPicture) -> StreamStatus:
    return StreamStatus(
        address=seen.address,
        kind=seen.kind,
        depth=seen.depth,
        state=seen.state,
        attempt=seen.attempt,
        attempts=seen.attempts,
        polls=seen.polls,
        cycle_times=seen.cycle_times,
        running=seen.running,
        answer=seen.answer,
        share=seen.share,
        due=to_moment(seen.due) if seen.due else None,
        color=seen.color,
        failure=seen.failure,
        run=seen.run,
        body=seen.body,
        queued=seen.queued,
        abandoned=seen.abandoned,
        doubt=seen.doubt,
        asked=seen.asked,
        undo_attempt=seen.undo_attempt,
        undo_attempts=seen.undo_attempts,
        undo_failure=seen.undo_failure,
        branches=seen.branches,
    )


def read_events(reader: Reader, flow_id: str, after: int = 0) -> list[Event]:
    """Return a flow's journal above number `after`.

    Raises:
        FlowNotFound: there is no such flow.
    """
    find(reader, flow_id)
    return [_event(row) for row in reader.facts(flow_id, after)]


def _event(row: FactRow) -> Event:
    return Event(
        number=row.number,
        at=to_moment(row.at),
        round=row.round,
        address=row.address,
        run=row.run,
        attempt=row.attempt,
        kind=row.kind,
        details=_details(row.payload),
        who=row.who,
    )


def _details(payload: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"unreadable": payload[:200].decode(errors="backslashreplace")}

"""How does a stored flow stand, and what has happened to it?

For everybody who looks: handle, command line, tests. Reads the store only, never the actors, and needs no user class.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from vastflow.clock import to_moment
from vastflow.course import Progress, fold
from vastflow.course.delta import spring
from vastflow.course.picture import BranchCounts, FlowPicture, StreamPicture, picture
from vastflow.course.states import ENDED, FLOW_STATES
from vastflow.drawing.chart import Cargo, Chart
from vastflow.errors import Failure, FlowNotFound, StoreTooNew, StoreUnreadable, VastflowError
from vastflow.ledger.codec import decode_facts
from vastflow.ledger.contract import FactRow, FlowRow, Reader
from vastflow.log import escape

__all__ = [
    "BranchCounts",
    "Event",
    "FlowStatus",
    "StreamStatus",
    "event_of",
    "find",
    "read_events",
    "read_progress",
    "read_status",
    "status_of",
]

T = TypeVar("T")

FLOW_VERSION = 1
"""The latest form of a flow's row that this release reads, and the latest rules it knows."""

_CARGO = msgspec.json.Decoder(Cargo)
_TAGS = msgspec.json.Decoder(dict[str, str])
_FLAGS = msgspec.json.Decoder(tuple[str, ...])
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HINT = "something else has written to this store: restore it from a copy"


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
    """Return a flow's row, as far as it can be read.

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
    _refuse_unreadable(row)
    try:
        return _CARGO.decode(row.cargo)
    except _BROKEN as error:
        message = f"flow {row.id!r}: its starting water cannot be read ({error}): restore the store from a backup"
        raise StoreUnreadable(message) from error


def read_chart(reader: Reader, row: FlowRow) -> Chart:
    """Return a flow's chart.

    Raises:
        StoreUnreadable: it is not there, or is no chart.
    """
    _refuse_unreadable(row)
    stored = reader.chart(row.chart)
    if stored is None:
        message = f"flow {row.id!r}: its chart {row.chart[:12]} is not in the store: restore it from a backup"
        raise StoreUnreadable(message)
    return _chart(row.chart, stored)


@lru_cache(maxsize=256)
def _chart(digest: str, stored: bytes) -> Chart:
    """Decode a chart once: it is immutable, and shared by all flows drawn alike."""
    chart = Chart.from_bytes(stored)
    if hashlib.sha256(stored).hexdigest() != digest:
        raise StoreUnreadable(f"the chart {digest[:12]} is not what was stored under this name: {_HINT}")
    return chart


def read_progress(reader: Reader, row: FlowRow) -> Progress:
    """Return a flow's progress, folded from its facts.

    Raises:
        StoreUnreadable: something of it cannot be read.
        StoreTooNew: it was written by a newer release.
    """
    _refuse_unsound(row)
    cargo, chart = read_cargo(row), read_chart(reader, row)
    facts = decode_facts(reader.facts(row.id))
    if not facts and row.state != "init":
        raise StoreUnreadable(f"flow {row.id!r}: its journal is empty, and it has begun: {_HINT}")
    with _making_sense_of(row):
        progress = Progress(chart, row.uid, spring(cargo.water), cargo.anchors, row.deadline, cargo.span)
        return fold(progress, facts)


def _refuse_unreadable(row: FlowRow) -> None:
    if row.unreadable:
        raise StoreUnreadable(row.unreadable)


def _refuse_unsound(row: FlowRow) -> None:
    """Refuse a row whose columns are of their types, and yet say what cannot be."""
    _refuse_unreadable(row)
    if row.version > FLOW_VERSION or row.rules > FLOW_VERSION:
        message = f"flow {row.id!r}: has version {row.version} and rules {row.rules}, this release reads up to"
        raise StoreTooNew(f"{message} {FLOW_VERSION}: install a newer vastflow")
    if row.version < 1 or row.rules < 1:
        raise StoreUnreadable(f"flow {row.id!r}: version {row.version} and rules {row.rules} never were: {_HINT}")
    if not _UID.fullmatch(row.uid):
        raise StoreUnreadable(f"flow {row.id!r}: its uid {row.uid!r:.100} is none: {_HINT}")
    if row.state not in FLOW_STATES or (row.state in ENDED) != (row.ended > 0):
        when = f"ended at {row.ended}" if row.ended else "has not ended"
        raise StoreUnreadable(f"flow {row.id!r}: its row says that it is {row.state!r:.100} and {when}: {_HINT}")


@contextmanager
def _making_sense_of(row: FlowRow) -> Iterator[None]:
    """Let whatever is wrong with a journal or a drawing that was changed from outside be wrong with this flow only."""
    try:
        yield
    except VastflowError as error:
        raise StoreUnreadable(f"flow {row.id!r}: its journal makes no sense ({error}): {_HINT}") from error
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise StoreUnreadable(f"flow {row.id!r}: its journal makes no sense ({told:.500}): {_HINT}") from error


def read_status(reader: Reader, flow_id: str) -> FlowStatus:
    """Return how a flow stands in the store; one that cannot be read is shown as stranded.

    Raises:
        FlowNotFound: there is none.
    """
    row = find(reader, flow_id)
    try:
        seen = _seen(reader, row)
        if (seen.state in ENDED) != (row.ended > 0) and find(reader, flow_id) == row:
            told = f"flow {row.id!r}: its row says {row.state!r}, and its journal {seen.state!r}: {_HINT}"
            return status_of(row, None, told)
        return status_of(row, seen)
    except (StoreUnreadable, StoreTooNew) as error:
        return status_of(row, None, str(error))


def _seen(reader: Reader, row: FlowRow) -> FlowPicture:
    progress = read_progress(reader, row)
    with _making_sense_of(row):
        return picture(progress)


def status_of(row: FlowRow, seen: FlowPicture | None, unreadable: str = "") -> FlowStatus:
    """Return a flow's status from its row and its picture."""
    tags = _decoded(_TAGS, row.tags, {})
    return FlowStatus(
        id=row.id,
        name=row.name,
        state=seen.state if seen is not None else row.state,
        outcome=seen.outcome if seen is not None else row.outcome,
        stranded="\n".join(map(escape, (row.stranded or unreadable).split("\n"))),
        failure=seen.failure if seen is not None else None,
        tags=tags,
        started=to_moment(row.started),
        ended=to_moment(row.ended) if row.ended else None,
        facts=seen.facts if seen is not None else 0,
        streams=tuple(_stream(each) for each in seen.streams) if seen is not None else (),
        branches={each.address: _stream(each) for each in seen.branches} if seen is not None else {},
        flags=_decoded(_FLAGS, row.flags, ()),
    )


def _decoded(decoder: msgspec.json.Decoder[T], stored: bytes, otherwise: T) -> T:
    """Return what is stored, or something else if it cannot be read; why, its row says."""
    try:
        return decoder.decode(stored)
    except _BROKEN:
        return otherwise


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
    return [event_of(row) for row in reader.facts(flow_id, after)]


def event_of(row: FactRow) -> Event:
    """Return a stored fact as it is told."""
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
    except _BROKEN:
        return {"unreadable": payload[:200].decode(errors="backslashreplace")}

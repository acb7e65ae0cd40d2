"""How does a flow stand, in a form to be shown?

Read from a progress, live or folded from the store; decides nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from vastflow.course.progress import ATLANTIC, JoinRecord, Progress, RiverRecord
from vastflow.course.states import FlowState, StreamState
from vastflow.drawing.chart import BasinPlace, Chain, EachPlace, ParallelPlace, Place, RiverPlace
from vastflow.errors import Failure

__all__ = ["FlowPicture", "StreamPicture", "picture"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPicture:
    """How one stream stands.

    Attributes:
        address: where it stands; `~` for the Atlantic.
        kind: river, parallel, each, basin or atlantic.
        depth: how many basins, parallel rivers and branches are around it.
        state: see docs/semantics.md, section 3.
        attempt: the one under way or made last; 0 if it never began.
        attempts: how many there may be.
        polls: made in this attempt.
        cycle_times: how many there may be; None if they are not counted.
        running: a body is out.
        answer: what the last poll said; empty unless asked of the serving process.
        share: of the work done, 0.0 to 1.0, as its body said.
        due: when its wait is over, microseconds since 1970 UTC; 0 if it waits for nothing.
        color: its label.
        failure: why it failed, or why its last attempt or poll did.
    """

    address: str
    kind: Literal["river", "parallel", "each", "basin", "atlantic"]
    depth: int
    state: StreamState
    attempt: int = 0
    attempts: int = 1
    polls: int = 0
    cycle_times: int | None = None
    running: bool = False
    answer: str = ""
    share: float | None = None
    due: int = 0
    color: str | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPicture:
    """How one flow stands; streams in drawing order, those that were not reached included."""

    state: FlowState
    outcome: Literal["", "success", "fail", "cancelled"]
    failure: Failure | None
    facts: int
    streams: tuple[StreamPicture, ...]


def picture(progress: Progress) -> FlowPicture:
    """Return how the flow stands."""
    return FlowPicture(
        state=progress.state,
        outcome=progress.outcome,
        failure=progress.failure,
        facts=progress.number,
        streams=(*_chain(progress, progress.chart.streams, "", 0), _mouth(progress)),
    )


def _chain(progress: Progress, chain: Chain, prefix: str, depth: int) -> Iterator[StreamPicture]:
    for place in chain:
        yield _stream(progress, place, prefix + place.name, depth)
        match place:
            case ParallelPlace():
                for branch in place.branches:
                    yield from _chain(progress, branch, prefix, depth + 1)
            case BasinPlace():
                yield from _chain(progress, place.streams, f"{prefix}{place.name}/", depth + 1)
            case EachPlace():
                yield from _chain(progress, place.streams, f"{prefix}{place.name}/", depth + 1)
            case RiverPlace():
                pass


def _stream(progress: Progress, place: Place, address: str, depth: int) -> StreamPicture:
    record = progress.records.get(address)
    match place:
        case RiverPlace():
            return _river(progress, place, address, depth)
        case ParallelPlace():
            failure = record.first if isinstance(record, JoinRecord) else None
            state = record.state if record is not None else "init"
            return StreamPicture(address=address, kind="parallel", depth=depth, state=state, failure=failure)
        case BasinPlace():
            return _basin(progress, place, address, depth)
        case EachPlace():
            return StreamPicture(address=address, kind="each", depth=depth, state="init")


def _basin(progress: Progress, place: BasinPlace, address: str, depth: int) -> StreamPicture:
    record = progress.records.get(address)
    state = record.state if record is not None else "init"
    failure = progress.failures.get(address)
    return StreamPicture(address=address, kind="basin", depth=depth, state=state, color=place.color, failure=failure)


def _river(progress: Progress, place: RiverPlace, address: str, depth: int) -> StreamPicture:
    record = progress.records.get(address)
    if not isinstance(record, RiverRecord):
        return StreamPicture(address=address, kind="river", depth=depth, state="init", color=place.color)
    anchor, now = record.anchor, record.now
    waits = record.state in {"retrying", "cycling"} and now.doing != "body"
    return StreamPicture(
        address=address,
        kind="river",
        depth=depth,
        state=record.state,
        attempt=record.attempt,
        attempts=anchor.retry.times + 1,
        polls=now.polls,
        cycle_times=anchor.cycle_times if record.cycles else None,
        running=now.doing == "body",
        answer=now.answer,
        share=now.share,
        due=(now.due or record.due) if waits else 0,
        color=place.color,
        failure=record.failure,
    )


def _mouth(progress: Progress) -> StreamPicture:
    mouth = progress.mouth
    if progress.state in {"init", "running"}:
        return StreamPicture(address=ATLANTIC, kind="atlantic", depth=0, state="init")
    ended: StreamState = "fail" if ATLANTIC in progress.failures else "success"
    return StreamPicture(
        address=ATLANTIC,
        kind="atlantic",
        depth=0,
        state="running" if progress.state == "ending" else ended,
        attempt=mouth.attempt,
        attempts=mouth.place.retry.times + 1,
        running=mouth.now.doing == "body",
        due=mouth.now.due if mouth.now.doing == "wait" else 0,
        failure=progress.failures.get(ATLANTIC),
    )

"""How does a flow stand, in a form to be shown?

Read from a progress, live or folded from the store; decides nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from vastflow.course.progress import Progress
from vastflow.course.records import ATLANTIC, NEVER, BasinRecord, JoinRecord, Record, RiverRecord
from vastflow.course.states import FlowState, StreamState
from vastflow.course.tally import BranchCounts, counted, of_branches, state_of
from vastflow.drawing.addresses import prefix_inside, template_of
from vastflow.drawing.chart import BasinPlace, Chain, EachPlace, ParallelPlace, Place, RiverPlace
from vastflow.errors import Failure

__all__ = ["BranchCounts", "FlowPicture", "Kind", "StreamPicture", "picture"]

Kind = Literal["river", "parallel", "each", "basin", "atlantic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPicture:
    """How one stream stands.

    Attributes:
        address: where it stands; `~` for the Atlantic.
        kind: river, parallel, each, basin or atlantic.
        depth: how many basins, parallel rivers and branches are around it.
        state: see docs/semantics.md, section 3.
        run: how often it was begun anew; 0 if it never began.
        attempt: the one under way or made last; 0 if it never began.
        attempts: how many there may be.
        polls: made in this attempt.
        cycle_times: how many there may be; None if they are not counted.
        running: a body is out.
        body: which one: when, flow, cycle, reconcile, undo, success or fail; empty if none is.
        queued: its body waits for a slot, or because another one runs alone.
        abandoned: bodies that were given up and have not come back.
        answer: what the last poll said; empty unless asked of the serving process.
        share: of the work done, 0.0 to 1.0, as its body said.
        due: when its wait is over, microseconds since 1970 UTC; 0 if it waits for nothing.
        color: its label.
        failure: why it failed, or why its last attempt or poll did.
        doubt: why it is in doubt: crash, timeout or raised; empty if it is not.
        asked: how often its `reconcile` could not say.
        undo_attempt: of its `undo`, the one under way or made last; 0 if it was not this one's turn.
        undo_attempts: how many there may be.
        undo_failure: why its undo, or the last try of it, failed.
        branches: of an `each`, and of what stands in one: how those of all items stand.
    """

    address: str
    kind: Kind
    depth: int
    state: StreamState
    run: int = 0
    attempt: int = 0
    attempts: int = 1
    polls: int = 0
    cycle_times: int | None = None
    running: bool = False
    body: str = ""
    queued: bool = False
    abandoned: int = 0
    answer: str = ""
    share: float | None = None
    due: int = 0
    color: str | None = None
    failure: Failure | None = None
    doubt: str = ""
    asked: int = 0
    undo_attempt: int = 0
    undo_attempts: int = 0
    undo_failure: Failure | None = None
    branches: BranchCounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPicture:
    """How one flow stands.

    Attributes:
        streams: in drawing order, those that were not reached included; what stands in an `each` once.
        branches: what was reached in the branches of each `each`.
    """

    state: FlowState
    outcome: Literal["", "success", "fail", "cancelled"]
    failure: Failure | None
    facts: int
    streams: tuple[StreamPicture, ...]
    branches: tuple[StreamPicture, ...] = ()


def picture(progress: Progress) -> FlowPicture:
    """Return how the flow stands."""
    shown = _Shown(progress)
    streams = tuple(shown.chain(progress.chart.streams, "", 0))
    return FlowPicture(
        state=progress.state,
        outcome=progress.outcome,
        failure=progress.failure,
        facts=progress.number,
        streams=(*streams, _mouth(progress)),
        branches=tuple(shown.branches({each.address: each.depth for each in streams})),
    )


class _Shown:
    """The streams of one flow; what stands in the branches of an `each` is found by its template address."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._inside: dict[str, list[Record]] = {}
        for address, record in progress.records.items():
            if "[" in address:
                self._inside.setdefault(template_of(address), []).append(record)

    def chain(self, chain: Chain, prefix: str, depth: int, many: int | None = None) -> Iterator[StreamPicture]:
        """Yield what stands in a chain; `many`: in how many branches of an `each` it stands."""
        for place in chain:
            address = prefix + place.name
            if isinstance(place, EachPlace):
                yield from self._each(place, address, prefix, depth, many)
                continue
            if many is None:
                yield self._stream(place, address, depth)
            else:
                yield self._template(place, address, depth, many)
            yield from self._within(place, address, prefix, depth, many)

    def branches(self, depths: dict[str, int]) -> Iterator[StreamPicture]:
        """Yield what was reached in branches of an `each`."""
        for template, records in self._inside.items():
            for record in records:
                yield _of_record(self._progress, record, depths.get(template, 0))

    def _within(self, place: Place, address: str, prefix: str, depth: int, many: int | None) -> Iterator[StreamPicture]:
        match place:
            case ParallelPlace():
                for branch in place.branches:
                    yield from self.chain(branch, prefix, depth + 1, many)
            case BasinPlace():
                yield from self.chain(place.streams, f"{address}/", depth + 1, many)
            case _:
                pass

    def _each(
        self, place: EachPlace, address: str, prefix: str, depth: int, many: int | None
    ) -> Iterator[StreamPicture]:
        """Yield the line of an `each` and, unless that is the same, the lines of what stands in it."""
        joins = self._joins(address, place, nested=many is not None)
        counts = of_branches(joins, self._progress)
        alone = prefix_inside(place, prefix) == prefix
        color = place.streams[0].color if alone and isinstance(place.streams[0], RiverPlace | BasinPlace) else None
        yield StreamPicture(
            address=address,
            kind="each",
            depth=depth,
            state=joins[0].state if many is None and joins else state_of(counts),
            run=max((join.run for join in joins), default=0),
            color=color,
            failure=next((failure for join in joins if (failure := _why(self._progress, join)) is not None), None),
            branches=counts,
        )
        if alone:
            inner = place.streams[0]
            yield from self._within(inner, prefix + inner.name, prefix, depth, counts.count)
        else:
            yield from self.chain(place.streams, f"{address}/", depth + 1, counts.count)

    def _joins(self, address: str, place: EachPlace, *, nested: bool) -> Sequence[JoinRecord]:
        found = self._inside.get(address, []) if nested else [self._progress.records.get(address)]
        return [each for each in found if isinstance(each, JoinRecord) and each.place == place]

    def _template(self, place: Place, address: str, depth: int, many: int) -> StreamPicture:
        counts = counted((record.state for record in self._inside.get(address, ())), many)
        return StreamPicture(
            address=address,
            kind=_KINDS[type(place)],
            depth=depth,
            state=state_of(counts),
            color=place.color if isinstance(place, RiverPlace | BasinPlace) else None,
            branches=counts,
        )

    def _stream(self, place: Place, address: str, depth: int) -> StreamPicture:
        record = self._progress.records.get(address)
        if record is not None:
            return _of_record(self._progress, record, depth)
        color = place.color if isinstance(place, RiverPlace | BasinPlace) else None
        return StreamPicture(address=address, kind=_KINDS[type(place)], depth=depth, state="init", color=color)


_KINDS: dict[type[Place], Kind] = {
    RiverPlace: "river",
    ParallelPlace: "parallel",
    EachPlace: "each",
    BasinPlace: "basin",
}


def _of_record(progress: Progress, record: Record, depth: int) -> StreamPicture:
    match record:
        case RiverRecord():
            return _river(record, depth)
        case BasinRecord():
            return _basin(progress, record, depth)
        case JoinRecord():
            return StreamPicture(
                address=record.address,
                kind=_KINDS[type(record.place)],
                depth=depth,
                state=record.state,
                run=record.run,
                failure=_why(progress, record),
                branches=of_branches([record], progress) if isinstance(record.place, EachPlace) else None,
            )


def _why(progress: Progress, join: JoinRecord) -> Failure | None:
    return join.first or progress.failures.get(join.address)


def _basin(progress: Progress, record: BasinRecord, depth: int) -> StreamPicture:
    return StreamPicture(
        address=record.address,
        kind="basin",
        depth=depth,
        state=record.state,
        run=record.run,
        attempt=record.attempt,
        attempts=record.place.retry.times + 1,
        due=record.due if record.state == "retrying" and record.now.doing != "cross" else 0,
        color=record.place.color,
        failure=progress.failures.get(record.address) or record.failure,
    )


def _river(record: RiverRecord, depth: int) -> StreamPicture:
    anchor, now, scope = record.anchor, record.now, record.scope
    out = now.doing == "body"
    undone = record.state in {"undoing", "undone", "undo-failed"}
    return StreamPicture(
        address=record.address,
        kind="river",
        depth=depth,
        state=record.state,
        run=record.run,
        attempt=record.attempt,
        attempts=anchor.retry.times + 1,
        polls=now.polls,
        cycle_times=anchor.cycle_times if record.cycles else None,
        running=out and not now.queued,
        body=now.body if out else "",
        queued=now.queued,
        abandoned=len(now.abandoned),
        answer=now.answer,
        share=now.share,
        due=_due(record),
        color=record.place.color,
        failure=record.failure,
        doubt=record.doubt if record.state == "in-doubt" else "",
        asked=record.asked if record.state == "in-doubt" else 0,
        undo_attempt=scope.attempt if undone and scope is not None else 0,
        undo_attempts=anchor.undo_times + 1 if record.has("undo") else 0,
        undo_failure=record.undo_failure,
    )


def _due(river: RiverRecord) -> int:
    """Return when a river's wait is over; 0 if it does not wait, or for nothing but a signal."""
    if river.now.doing == "body":
        return 0
    match river.state:
        case "retrying" | "cycling" | "in-doubt":
            due = river.now.due or river.due
        case "undoing" if river.scope is not None and river.scope.attempt > 1:
            due = river.scope.due
        case _:
            due = 0
    return due if due < NEVER else 0


def _mouth(progress: Progress) -> StreamPicture:
    mouth = progress.mouth
    if progress.state in {"init", "running", "undoing"}:
        return StreamPicture(address=ATLANTIC, kind="atlantic", depth=0, state="init")
    ended: StreamState = "fail" if ATLANTIC in progress.failures else "success"
    out = mouth.now.doing == "body"
    return StreamPicture(
        address=ATLANTIC,
        kind="atlantic",
        depth=0,
        state="running" if progress.state == "ending" else ended,
        run=mouth.run,
        attempt=mouth.attempt,
        attempts=mouth.place.retry.times + 1,
        running=out,
        body=mouth.now.body if out else "",
        abandoned=len(mouth.now.abandoned),
        due=mouth.now.due if mouth.now.doing == "wait" else 0,
        failure=progress.failures.get(ATLANTIC),
    )

"""What is under way in a flow?

Read from a progress, live or folded from the store, along its branches; decides nothing.
"""

from collections.abc import Callable, Iterator
from heapq import nsmallest
from typing import Any

import msgspec

from vastflow.course.progress import Progress
from vastflow.course.records import ATLANTIC, NEVER, BasinRecord, Branch, JoinRecord, MouthRecord, Record, RiverRecord
from vastflow.course.schedule import after_seconds
from vastflow.course.states import ENDED
from vastflow.drawing.chart import EachPlace
from vastflow.errors import Failure
from vastflow.why.live import Out, Situation, Spot

__all__ = ["MOST", "situation"]

MOST = 20
"""So many branches of one parallel river or `each` are told of, the most telling ones."""

_LONGEST = 500  # characters of a failure
_URGENT = {"in-doubt": 0, "undoing": 1, "retrying": 2, "running": 3, "cycling": 4, "init": 5}

Look = Callable[[int], Out | None]
"""Says how a body is out, by its ticket; None if it is not known (any more)."""


def nobody(_ticket: int) -> None:
    """Know of no body: what is read from the store says nothing of them."""


def situation(flow: str, progress: Progress, at: int, look: Look = nobody) -> Situation:
    """Return how a flow stands.

    Args:
        flow: its id.
        progress: how far it has come.
        at: the time, microseconds.
        look: how bodies stand in this process; left out: it is read from the store.
    """
    walk = _Walk(progress, look)
    over = progress.state in ENDED
    failure = progress.failure or next(iter(progress.failures.values()), None)
    return Situation(
        flow=flow,
        name=progress.chart.name,
        state=progress.state,
        live=look is not nobody,
        at=at,
        cancelling="" if over else progress.cancelling,
        paused=0 if over else progress.paused,
        poison=str(progress.poison) if progress.poison is not None else "",
        last=progress.last,
        failure=_told(failure) if over and progress.state != "success" else "",
        spots=() if over else tuple(walk.flow()),
        holding=tuple(walk.holding()),
    )


class _Walk:
    """The streams of one flow that are under way."""

    def __init__(self, progress: Progress, look: Look) -> None:
        self._progress = progress
        self._look = look
        self._seen: set[str] = set()

    def flow(self) -> Iterator[Spot]:
        """Yield what is under way in the flow."""
        if self._progress.state == "ending":
            yield self._mouth(self._progress.mouth)
        else:
            yield from self._branch(self._progress.root)

    def holding(self) -> Iterator[Spot]:
        """Yield what has ended and still holds threads."""
        for record in self._progress.performers():
            if record.now.abandoned and record.address not in self._seen:
                kind, state = ("atlantic", "success") if isinstance(record, MouthRecord) else ("river", record.state)
                yield Spot(address=record.address, kind=kind, state=state, lost=self._lost(record))  # type: ignore[arg-type]  # one of two

    def _branch(self, branch: Branch) -> Iterator[Spot]:
        if branch.scope is not None and not branch.scope.done:
            record = self._progress.records.get(branch.scope.queue[branch.scope.position])
        elif not branch.ended:
            record = self._progress.records.get(branch.here())
        else:
            return
        if record is not None:
            yield self._spot(record)

    def _spot(self, record: Record) -> Spot:
        match record:
            case RiverRecord():
                return self._river(record)
            case JoinRecord():
                return self._join(record)
            case BasinRecord():
                return self._basin(record)

    def _below(self, record: JoinRecord | BasinRecord) -> tuple[tuple[Spot, ...], int]:
        """Return what is under way in a stream, and how much of it is left out."""
        found = [spot for branch in self._progress.inside.get(record.address, ()) for spot in self._branch(branch)]
        if len(found) <= MOST:
            return tuple(found), 0
        return tuple(nsmallest(MOST, found, key=_urgency)), len(found) - MOST

    def _join(self, join: JoinRecord) -> Spot:
        below, more = self._below(join)
        return Spot(
            address=join.address,
            kind="each" if isinstance(join.place, EachPlace) else "parallel",
            state=join.state,
            stopped=join.branch.in_cancelled(),
            open=join.open,
            later=join.later() if join.count >= 0 else 0,
            count=max(join.count, 0),
            below=below,
            more=more,
        )

    def _basin(self, basin: BasinRecord) -> Spot:
        below, more = self._below(basin)
        waits = basin.state == "retrying" and basin.now.doing != "cross"
        return Spot(
            address=basin.address,
            kind="basin",
            state=basin.state,
            attempt=basin.attempt,
            attempts=basin.place.retry.times + 1,
            due=basin.due if waits and not below else 0,
            doing=basin.now.doing,
            stopped=basin.branch.in_cancelled(),
            failure=_told(basin.failure),
            below=below,
            more=more,
        )

    def _river(self, river: RiverRecord) -> Spot:
        self._seen.add(river.address)
        anchor, now, polling = river.anchor, river.now, river.state == "cycling"
        spot = Spot(
            address=river.address,
            kind="river",
            state=river.state,
            attempt=river.attempt,
            attempts=anchor.retry.times + 1,
            polls=now.polls,
            cycle_times=anchor.cycle_times if river.cycles else None,
            answer=now.answer[:_LONGEST] if polling else "",
            share=now.share,
            since=river.turn if river.state == "running" else river.since or river.turn,
            due=_due(river),
            deadline=river.turn + after_seconds(anchor.deadline) if anchor.deadline is not None else 0,
            doing=now.doing,
            body=now.body if now.doing == "body" else "",
            signals=anchor.signals if polling else (),
            slots=anchor.max_running,
            stopped=river.stopped,
            doubt=river.doubt if river.state == "in-doubt" else "",
            asked=river.asked if river.state == "in-doubt" else 0,
            failure=_told(river.failure),
            out=self._out(river),
            lost=self._lost(river),
        )
        return _undone(river, spot) if river.state == "undoing" else spot

    def _mouth(self, mouth: MouthRecord) -> Spot:
        self._seen.add(ATLANTIC)
        now = mouth.now
        return Spot(
            address=ATLANTIC,
            kind="atlantic",
            state="running",
            attempt=mouth.attempt,
            attempts=mouth.place.retry.times + 1,
            due=now.due if now.doing == "wait" else mouth.due if not now.doing and mouth.attempt > 1 else 0,
            doing=now.doing,
            body=now.body if now.doing == "body" else "",
            out=self._out(mouth),
            lost=self._lost(mouth),
        )

    def _out(self, record: RiverRecord | MouthRecord) -> Out | None:
        return self._look(record.now.ticket) if record.now.doing == "body" else None

    def _lost(self, record: RiverRecord | MouthRecord) -> tuple[Out, ...]:
        """Return the bodies that were given up; of one that nobody knows of, that it runs."""
        found = (self._look(ticket) for ticket in record.now.abandoned)
        return tuple(each or Out(stage="running") for each in found)


def _undone(river: RiverRecord, spot: Spot) -> Spot:
    """Return how the undo of a river stands."""
    scope = river.scope
    changed: dict[str, Any] = {"signals": (), "polls": 0, "failure": _told(river.undo_failure), "stopped": False}
    if scope is not None:
        deadline = scope.since + after_seconds(river.anchor.undo_deadline)
        changed |= {"attempt": scope.attempt, "since": scope.since, "deadline": deadline}
        changed |= {"due": scope.due if scope.attempt > 1 and river.now.doing != "body" else 0}
    return msgspec.structs.replace(spot, attempts=river.anchor.undo_times + 1, **changed)


def _due(river: RiverRecord) -> int:
    """Return when a river's wait is over; 0 if it does not wait, or for nothing but a signal."""
    if river.now.doing == "body" or river.state not in {"retrying", "cycling", "in-doubt"}:
        return 0
    due = river.now.due or river.due
    return due if due < NEVER else 0


def _told(failure: Failure | None) -> str:
    """Return what a failure says, and at its root: without where, which is told beside."""
    if failure is None:
        return ""
    while failure.cause is not None:
        failure = failure.cause
    ours = failure.exception.startswith("vastflow.errors.")  # `Fail` says nothing that its reason does not say
    name = "" if ours else failure.exception.rpartition(".")[2]
    return " ".join(": ".join(filter(None, (name, failure.message)))[:_LONGEST].split())


def _urgency(spot: Spot) -> tuple[int, int]:
    return _URGENT.get(spot.state, 9), spot.out.began if spot.out is not None else spot.since

"""Which record does a fact mean?

A journal or a chart that was changed from outside is found here, and strands its own flow only.
"""

from typing import TypeVar

from vastflow.course.progress import Progress
from vastflow.course.records import ATLANTIC, BasinRecord, Branch, JoinRecord, MouthRecord, Record, RiverRecord
from vastflow.drawing.chart import EachPlace
from vastflow.errors import CourseError

__all__ = ["basin_at", "branches_at", "each_at", "join_at", "record_at", "river_at", "seat_at"]

R = TypeVar("R", RiverRecord, JoinRecord, BasinRecord)
_CHANGED = "the journal or the chart was changed"


def record_at(progress: Progress, address: str) -> Record:
    """Return the record of a stream that was reached.

    Raises:
        CourseError: it was not.
    """
    try:
        return progress.records[address]
    except KeyError:
        message = f"a fact names the stream {address!r}, which was not reached: {_CHANGED}"
        raise CourseError(message) from None


def seat_at(progress: Progress, address: str) -> RiverRecord | BasinRecord | MouthRecord:
    """Return the record of something that does something itself: a river, a basin or the Atlantic.

    Raises:
        CourseError: it does not.
    """
    record = progress.mouth if address == ATLANTIC else progress.records.get(address)
    if isinstance(record, RiverRecord):  # as it mostly is
        return record
    if record is None:
        record = record_at(progress, address)  # refuses it by name
    if isinstance(record, JoinRecord):
        message = f"an event came for {address!r}, which does nothing itself: this is a bug in vastflow"
        raise CourseError(message)
    return record


def branches_at(progress: Progress, join: JoinRecord, numbers: tuple[int, ...]) -> list[Branch]:
    """Return the branches with these numbers.

    Raises:
        CourseError: there is no such branch.
    """
    inside = progress.inside[join.address]
    if numbers and not 0 <= min(numbers) <= max(numbers) < len(inside):
        message = f"a fact names branches {numbers} of {join.address!r}, which has {len(inside)}: {_CHANGED}"
        raise CourseError(message)
    return [inside[number] for number in numbers]


def river_at(progress: Progress, address: str) -> RiverRecord:
    """Return the river at an address."""
    record = progress.records.get(address)
    return record if isinstance(record, RiverRecord) else _as(RiverRecord, record_at(progress, address))


def join_at(progress: Progress, address: str) -> JoinRecord:
    """Return the parallel river or `each` at an address."""
    return _as(JoinRecord, record_at(progress, address))


def each_at(progress: Progress, address: str) -> tuple[JoinRecord, EachPlace]:
    """Return the `each` at an address, and how it is drawn."""
    join = join_at(progress, address)
    if isinstance(join.place, EachPlace):
        return join, join.place
    message = f"a fact takes the stream {address!r} for an EachPlace: {_CHANGED}"
    raise CourseError(message)


def basin_at(progress: Progress, address: str) -> BasinRecord:
    """Return the basin at an address."""
    return _as(BasinRecord, record_at(progress, address))


def _as(kind: type[R], record: Record) -> R:
    if isinstance(record, kind):
        return record
    message = f"a fact takes the stream {record.address!r} for a {kind.__name__}: {_CHANGED}"
    raise CourseError(message)

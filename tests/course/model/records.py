"""What does the model note of streams, while they run and once they have ended?"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.course.model.clockwork import Tie
from tests.course.model.reckoning import Delta, Water, written
from vastflow.drawing.chart import Place, RiverPlace

if TYPE_CHECKING:
    from tests.course.scripts import Outside

__all__ = ["SEA", "UNDONE", "WELL", "End", "Part", "Run", "Tally", "Where", "collected", "undos"]

SEA = "~"  # where the Atlantic stands
WELL = ("success", "continued", "skipped")  # "continued": the failure of a basin that goes on is in there (6.3)
UNDONE = ("undone", "undo-failed")


@dataclass(eq=False)
class Part:
    """What is cancelled together: the flow, or the branches of one join (7.4).

    Attributes:
        since: when it was cancelled.
        over: whatever had not stopped is let go.
        ended: nothing in it is under way.
        atomic: begun atomic rivers in it that have not ended.
    """

    above: "Part | None" = None
    cancelled: bool = False
    since: int = -1
    over: bool = False
    ended: bool = False
    atomic: set[str] = field(default_factory=set)

    def up(self) -> Iterator["Part"]:
        """Return this part and all it stands in."""
        yield self
        if self.above:
            yield from self.above.up()

    def stopped(self) -> bool:
        """Say whether this or a part around it is cancelled."""
        return any(part.cancelled for part in self.up())


@dataclass(frozen=True)
class Where:
    """Where a stream stands: in which part, behind which prefix, as which of its chain and of those around it.

    Attributes:
        undos: what undos in its chain wrote (7.3).
        entered: how many basins around it were entered in this round.
    """

    part: Part
    prefix: str = ""
    suffix: str = ""
    undos: Delta = field(default_factory=dict)
    nth: tuple[int, ...] = ()
    entered: int = 0

    def address(self, place: Place) -> str:
        """Return the full address of what stands there."""
        return f"{self.prefix}{place.name}{self.suffix}"


@dataclass(eq=False)
class Run:
    """One run of a river, and then its undo; or a round's Atlantic.

    Attributes:
        water: as it was when its turn came; `delta` is what its bodies have changed since.
        began: when each body was first called, `last` when any was; `number` counts flows, `due` is when the flow was.
        out: when the last of its river's abandoned threads returns.
        told: `when` has said True; `doubt` is between doubt and its end (4.8); `polling` from `flow` to the end (4.2).
        by_signal: why the poll was called, which then leaves `next_due` as it was; `visible` signals could be seen by
            the present body, `seen` ones by a completed poll, `tried` ones by the one that failed last.
    """

    place: RiverPlace
    address: str
    where: Where
    water: Water
    deadline: float = math.inf
    delta: Delta = field(default_factory=dict)
    state: str = "running"
    began: dict[str, int] = field(default_factory=dict)
    number: int = 0
    last: int = -1
    due: float = 0
    out: int = 0
    tries: int = 1
    asks: int = 0
    told: bool = False
    doubt: bool = False
    polling: bool = False
    polls_from: int = 0
    polls: int = 0
    in_a_row: int = 0
    by_signal: bool = False
    next_due: float = 0
    visible: "list[Outside]" = field(default_factory=list)
    seen: "list[Outside]" = field(default_factory=list)
    tried: "list[Outside]" = field(default_factory=list)
    tried_at: int = 0

    def place_in_line(self) -> tuple[Any, ...]:
        """Return what must be alike for the drawing to say which of two that begin at one instant is first."""
        return (
            self.due,
            self.place.anchor.at_most_once,
            id(self.where.part),
            self.where.prefix.count("/"),
            self.where.nth,
            self.where.entered,
        )

    def stopped(self) -> bool:
        """Say whether a cancel stops it; nothing stops a begun atomic river (4.7) or an undo (7.3)."""
        return self.where.part.stopped() and not (self.place.anchor.atomic and "flow" in self.began)


@dataclass
class End:
    """How a stream or a chain ended.

    Attributes:
        result: success, continued, skipped, fail or cancelled.
        failure: when, of what kind and where.
        inside: the streams of a chain, the branches of a join, the chain in a basin.
        undos: of a chain: what undos in it wrote.
        counted: of a join: the branches whose deltas are in its own.
    """

    result: str
    delta: Delta
    failure: tuple[int, str, str] | None = None
    runs: list[Run] = field(default_factory=list)
    inside: "list[End]" = field(default_factory=list)
    undos: Delta = field(default_factory=dict)
    counted: "list[End]" = field(default_factory=list)

    def kept(self) -> bool:
        """Say whether the next round keeps it (8.4)."""
        return self.result in {"success", "skipped"} and self.is_whole()

    def is_whole(self) -> bool:
        """Say whether nothing in it that counts was undone: losers, tolerated branches and basins that go on do not."""
        if not self.inside:
            return not any(run.state in UNDONE for run in self.runs)
        return all(end.is_whole() for end in self.counted or self.inside if end.result in {"success", "skipped"})


@dataclass
class Tally:
    """What a join knows of its branches (6.1): `open` ones have begun, `running` ones have not come to their end."""

    join: str
    allowed: int
    part: Part
    total: int
    open: int = 0
    running: int = 0
    ends: dict[int, End] = field(default_factory=dict)
    failed: list[End] = field(default_factory=list)
    winner: int | None = None

    def result(self) -> str:
        """Say how the join ends, conflicts apart."""
        results = {end.result for end in self.ends.values()}
        cancelled = "cancelled" in results or len(self.ends) < self.total
        failed = len(self.failed) > self.allowed
        if self.winner is not None:
            return "success"
        if cancelled and (self.join == "any" or not failed):
            return "cancelled"
        return "fail" if failed else "skipped" if results == {"skipped"} else "success"

    def cause(self, result: str) -> tuple[int, str, str] | None:
        """Return the first cause, if the join failed."""
        if result != "fail":
            return None
        first, *more = sorted(end.failure for end in self.failed if end.failure)
        if more and more[0][0] == first[0]:
            raise Tie(first)  # which of them came first?
        return first


def undos(end: End) -> Delta:
    """Return what `fail` sees of what undos wrote: in this chain and in the branches whose deltas count (8.2)."""
    wrote = dict(end.undos)
    for branch in (branch for stream in end.inside for branch in stream.counted):
        for key, value in undos(branch).items():
            if wrote.get(key, value) != value or end.delta.get(key) != branch.delta.get(key):
                raise Tie(key)  # the text leaves open which of them is seen
            wrote[key] = value
    return wrote


def collected(key: str, waters: list[Water], ends: list[End]) -> str:
    """Return the list of what the branches of an `each` left under this key (6.2)."""
    values = [json.dumps(None)] * len(waters)
    for index, end in enumerate(ends):
        left = written(waters[index], end.delta)
        if end.result == "skipped" and key in left:
            raise Tie(key)  # the text leaves open whether it is collected
        values[index] = left.get(key, "null") if end.result in WELL else "null"
    return f"[{', '.join(values)}]"
